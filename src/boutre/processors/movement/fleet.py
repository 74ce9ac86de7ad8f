"""
All tracks at once, in memory: for a file, for a test, for a simulation. On the bus each part is a value under a key of its own.
"""

from __future__ import annotations

import math

from boutre.processors.movement import meeting, track
from boutre.processors.movement.detection import Detection
from boutre.processors.movement.meeting import Company
from boutre.processors.movement.places import Cell, cell
from boutre.processors.movement.reception import Received, hear
from boutre.processors.movement.report import Report
from boutre.processors.movement.succession import Holders, carry, identifiers
from boutre.processors.movement.track import Stepped, Track, Watch
from boutre.processors.movement.waiting import AHEAD, UNSOUND


class Fleet:
    """
    Takes reports of any craft in about the order in which they were received, and gives what is found.

    Silences are looked for when reports have gone on by a slot of reception. How far they have gone is what two sources say, where
    there are two: one receiver whose clock is an hour ahead makes nobody silent.
    """

    def __init__(self, watch: Watch) -> None:
        self.watch = watch
        self.tracks: dict[str, Track] = {}
        self.received: dict[Cell, Received] = {}
        self.companies: dict[Cell, Company] = {}
        self.holders: dict[tuple[str, str], Holders] = {}
        self.ignored: dict[str, int] = {}
        self._newest: dict[str, float] = {}
        self._settled = -math.inf

    @property
    def now(self) -> float:
        """How far reports have gone, in seconds since 1970."""
        latest = sorted(self._newest.values())
        return -math.inf if not latest else latest[-2] if len(latest) > 1 else latest[-1]

    def take(self, report: Report) -> list[Detection]:
        """Take one report."""
        told: list[Detection] = []
        if not report.identified:
            return self._offer(report, told)  # nobody's track, and yet somebody whom a craft may meet
        stepped = track.step(self.tracks.get(report.subject), report, self.watch, self.received.get)
        self._stepped(report.subject, stepped, told)
        if stepped.ignored is not None:
            self.ignored[stepped.ignored] = self.ignored.get(stepped.ignored, 0) + 1
            if stepped.ignored in {AHEAD, UNSOUND}:
                return told
        rule = self.watch.rules.reception
        where = cell(report.latitude, report.longitude, rule.cell_degrees)
        self.received[where] = hear(self.received.get(where), report, rule)
        self._newest[report.source] = max(self._newest.get(report.source, -math.inf), report.at)
        self._offer(report, told)
        until = self.now - self.watch.rules.track.late_s
        if until - self._settled >= rule.slot_s:
            told.extend(self._settle(until))
        return told

    def close(self) -> list[Detection]:
        """Use all that waits, and tell who is silent by then: there is no more to come."""
        told: list[Detection] = []
        for subject, state in sorted(self.tracks.items()):
            end = state.waiting.newest + self.watch.rules.track.every_s
            self._stepped(subject, track.settle(state, end, self.watch, self.received.get), told)
        return told + self._settle(max(self.now, self._settled), all_=True)

    def _settle(self, until: float, *, all_: bool = False) -> list[Detection]:
        told: list[Detection] = []
        self._settled = max(until, self._settled)
        for subject, state in sorted(self.tracks.items()):
            self._stepped(subject, track.settle(state, until, self.watch, self.received.get), told)
        for here, company in sorted(self.companies.items()):
            end = company.waiting.newest + self.watch.rules.track.every_s if all_ else until
            met = meeting.settle(company, here, end, self.watch.rules)
            self.companies[here] = met.company
            told.extend(met.detections)
        return told

    def _stepped(self, subject: str, stepped: Stepped, told: list[Detection]) -> None:
        self.tracks[subject] = stepped.track
        told.extend(stepped.detections)
        for used in stepped.used:
            for identifier in identifiers(used):
                self.holders[identifier], found = carry(self.holders.get(identifier), identifier, used, self.watch.rules)
                told.extend(found)

    def _offer(self, report: Report, told: list[Detection]) -> list[Detection]:
        for here in meeting.offered(report, self.watch.rules.rendezvous):
            met = meeting.meet(self.companies.get(here), here, report, self.watch.rules)
            self.companies[here] = met.company
            told.extend(met.detections)
        return told
