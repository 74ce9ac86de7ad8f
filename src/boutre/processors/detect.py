"""
Detect: what the positions of one MMSI show as they are accepted: silences, loitering, jumps, two hulls, new names, zones entered.

Reads the reports and recalls that were accepted, and follows those of the declared feeds that everybody may have. What is found is
a record of the bus's own observatory, for release to give or to withhold as any other. Whoever may meet somebody, or says what
hull it is, is offered to where that is looked at (``meet``); so is a contact without AIS, of members that wish to be told what lies
beside their own. What is found is written where this step never reads.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import replace

from boutre.errors import Refuse
from boutre.processors.decision import Decision, Drop, Emit, Inbound, Outbound, Reject, State
from boutre.processors.movement import meeting, track
from boutre.processors.movement.detection import Detection
from boutre.processors.movement.kept import Kept
from boutre.processors.movement.places import Cell, cell
from boutre.processors.movement.reception import Received, hear
from boutre.processors.movement.report import Report, from_sighting
from boutre.processors.movement.succession import identifiers
from boutre.processors.movement.telling import REMEMBERS as BY_TELLING
from boutre.processors.movement.telling import Teller
from boutre.processors.movement.track import Track, Watch
from boutre.processors.movement.waiting import AHEAD, UNSOUND
from boutre.processors.movement.wheel import Wheel
from boutre.schemas.codec import Codec, Decoded

MEETING: Final = "bus.meeting.{kind}"
"""Where reports are offered: keyed by the cell in which a craft may meet somebody, or by the identifier of a hull."""

NOTHING: Final = "nothing-found"
NOT_FOLLOWED: Final = "not-followed"
NOT_FOR_ALL: Final = "not-for-everybody"
EXERCISE: Final = "exercise"
DROPS: Final = (NOTHING, NOT_FOLLOWED, NOT_FOR_ALL, EXERCISE)
"""
Why a report is dropped: it shows nothing; it is of no declared feed, or nobody's position; not everybody may have it, or it may not
be used to tell its own member of its contact; it is not real.
"""

REMEMBERS: Final = frozenset({*BY_TELLING, "track", "heard", "due", "clock", "contact"})
"""
The classes of keys that detect remembers, each with its window: the track of an MMSI, who was heard in a cell on a day, who is to
be looked at in a slot, how far reports have gone, what was told, and what it stands on; and where a contact was offered.
"""

DAY_S: Final = 86_400.0
NAME_EVERY_S: Final = 600.0
"""Seconds after which an MMSI's report is offered again by the same identifier of its hull."""

PASSING_EVERY_S: Final = 180.0
"""Seconds after which a craft under way is offered again to a cell, where contacts are looked at: its echo is no stranger."""

MOST_OFFERED: Final = 48
"""Cells and identifiers that are remembered of an MMSI, so that a recall goes where its reports went."""

LEFT_OUT: Final = (
    "persons", "migration", "trafficking", "vulnerability", "victims", "suspects", "narrative", "assessment", "provenance",
    "unmapped",
)  # fmt: skip
"""The groups of a report that nobody looks at who looks for meetings."""

LEFT_OUT_OF_CONTACTS: Final = (*LEFT_OUT, "claims")
"""The same of a contact, which claims nothing that anybody would go by."""


class Followed(Struct, frozen=True):
    """
    What is remembered of one MMSI: its *track*, and the slot for whose end it is noted (*due*).

    *slow* is whether its last report was, away from ports; *offered* where its reports were, each with the last time (seconds since
    1970).
    """

    track: Track = Track()
    due: int | None = None
    slow: bool = False
    offered: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Detect:
    """
    The step from ``bus.<kind>`` to ``bus.found.<kind>`` and ``bus.meeting.<kind>``.

    *kinds* are the kinds of the topics that it reads, *of* the members whose positions are followed, *contacts* those whose
    contacts are looked at for themselves.
    """

    codec: Codec
    kinds: Mapping[str, str]
    of: frozenset[str]
    watch: Watch
    teller: Teller
    contacts: frozenset[str] = frozenset()

    def __call__(self, record: Inbound, state: State, /) -> Decision:
        """
        Decide on one accepted report, or on the recall of one.
        """
        kind, accepted = self.kinds.get(record.topic), record.accepted
        if kind is None or accepted is None:
            return Reject("internal-error", detail="undeclared topic" if kind is None else "no time of acceptance")
        try:
            decoded = self.codec.decode(record.value, frozenset({kind}))
        except Refuse as refused:
            return Reject(refused.code, refused.field)
        if (why := self._left(kind, decoded.value)) is not None:
            return Drop(why)
        desk = _Desk(self, Kept(state), accepted, record)
        if kind == "retraction":
            desk.take_back(decoded.value["recall"])
        elif (report := from_sighting(decoded.value, record.timestamp / 1000)) is None:
            return Drop(NOT_FOLLOWED)
        elif not report.identified:
            desk.contact(report, decoded)
        elif decoded.value["origin"]["member"] in self.contacts:
            return Drop(NOT_FOLLOWED)
        else:
            desk.take(report, decoded)
        return desk.decided()

    def _left(self, kind: str, value: Mapping[str, Any]) -> str | None:
        """Say why a record is left alone: it is not looked at unless everything allows it."""
        member, terms = value["origin"]["member"], self.teller.terms
        if member not in self.of and member not in self.contacts:
            return NOT_FOLLOWED
        if value["exercise"]:
            return EXERCISE
        allowed = terms.allowed if member in self.of else terms.allowed_to_its_own
        return None if kind == "retraction" or allowed(value.get("handling")) else NOT_FOR_ALL


@dataclass(slots=True)
class _Desk:
    """What one report changes."""

    step: Detect
    kept: Kept
    accepted: datetime
    record: Inbound
    outs: list[Outbound] = field(default_factory=list)

    def take(self, report: Report, decoded: Decoded) -> None:
        """Go on with one track, and with whoever's time is up by this report."""
        rules = self.step.watch.rules
        wheel = Wheel(self.kept, rules.reception.slot_s, rules.track.late_s)
        key = f"track:{report.subject}"
        followed = self.kept.get(key, Followed) or Followed()
        stepped = track.step(followed.track, report, self.step.watch, self._reception(followed.track, report.at))
        self._tell(stepped.detections)
        followed = replace(followed, track=stepped.track)
        if stepped.ignored not in {AHEAD, UNSOUND}:
            self._hear(report)
            followed = self._offer(followed, report, decoded)
            wheel.tick(report.source, report.at)
        self.kept.put(key, self._noted(followed, report.subject, wheel))
        self._settle(wheel)

    def contact(self, report: Report, decoded: Decoded) -> None:
        """Offer a contact to the cells in which it may lie beside somebody."""
        places = [f"cell|{row}|{column}" for row, column in meeting.offered(report, self.step.watch.rules.rendezvous)]
        self._send("sighting", places, decoded.frame_with(_without(decoded, LEFT_OUT_OF_CONTACTS)))
        self.kept.put(f"contact:{report.id}", places or None)

    def take_back(self, recall: Mapping[str, Any]) -> None:
        """Take back what stands on a report, here and where it was offered; one that still waits is not used."""
        record, key = str(recall["record"]), f"track:mmsi:{recall['subject']}"
        self.outs += self.step.teller.taken_back(record, self.kept, self.record.timestamp)
        self._send("retraction", self.kept.get(f"contact:{record}", list[str]) or [], self.record.value or b"")
        followed = self.kept.get(key, Followed)
        if followed is None:
            return
        self._send("retraction", [place for place, _ in followed.offered], self.record.value or b"")
        waiting = followed.track.waiting
        left = tuple(one for one in waiting.reports if one.id != record)
        if len(left) < len(waiting.reports):
            self.kept.put(key, replace(followed, track=replace(followed.track, waiting=replace(waiting, reports=left))))

    def decided(self) -> Decision:
        """Give what is to be sent and remembered."""
        return Emit(tuple(self.outs), self.kept.changes) if self.outs else Drop(NOTHING, self.kept.changes)

    def _settle(self, wheel: Wheel) -> None:
        for name, slot, until in wheel.due():
            key = f"track:{name}"
            followed = self.kept.get(key, Followed)
            if followed is None or followed.due != slot:
                continue  # forgotten meanwhile
            stepped = track.settle(followed.track, until, self.step.watch, self._reception(followed.track, until))
            self._tell(stepped.detections)
            self.kept.put(key, self._noted(replace(followed, track=stepped.track, due=None), name, wheel, until))

    def _noted(self, followed: Followed, subject: str, wheel: Wheel, after: float = -math.inf) -> Followed:
        """Have a track looked at again when what waits can be used, or when its silence has become a gap."""
        rules, now = self.step.watch.rules, followed.track
        if now.waiting.reports:
            at = now.waiting.newest + rules.track.every_s
        elif now.hulls and now.hulls[-1].gap is None and now.hulls[-1].count > 1:
            hull = now.hulls[-1]
            at = hull.last.at + max(rules.gap.after_s, rules.gap.rhythm * hull.rhythm_s)
            if at <= after:
                return followed  # it was looked at, and lies in port
        else:
            return followed
        due = wheel.note(subject, max(at, after + 1), followed.due)
        return followed if due == followed.due else replace(followed, due=due)

    def _tell(self, found: Sequence[Detection]) -> None:
        for one in found:
            self.outs += self.step.teller.tell(one, self.kept, self.accepted, self.record.timestamp)

    def _offer(self, followed: Followed, report: Report, decoded: Decoded) -> Followed:
        """Offer a report to the cells where its craft may meet somebody, and by what it says that its hull is."""
        rules = self.step.watch.rules
        slow = (
            report.speed_kn is not None
            and report.speed_kn <= rules.rendezvous.slow_kn
            and rules.port_at(report.latitude, report.longitude) is None
        )
        offered, places = dict(followed.offered), list[str]()
        # Who is under way meets nobody. That it no longer lies there is told once.
        if (stays := slow or followed.slow) or self.step.contacts:
            cells = (f"cell|{row}|{column}" for row, column in meeting.offered(report, rules.rendezvous))
            places += (one for one in cells if stays or abs(report.at - offered.get(one, -math.inf)) >= PASSING_EVERY_S)
        names = (f"name|{attribute}|{value}" for attribute, value in identifiers(report))
        places += (name for name in names if abs(report.at - offered.get(name, -math.inf)) >= NAME_EVERY_S)
        if not places:
            return followed if followed.slow == slow else replace(followed, slow=slow)
        self._send("sighting", places, decoded.frame_with(_without(decoded, LEFT_OUT)))
        offered |= dict.fromkeys(places, report.at)
        kept = sorted(offered.items(), key=lambda one: (one[1], one[0]))[-MOST_OFFERED:]
        return replace(followed, slow=slow, offered=tuple(kept))

    def _send(self, kind: str, places: Sequence[str], frame: bytes) -> None:
        topic, at = MEETING.format(kind=kind), self.record.timestamp
        self.outs += (Outbound(topic, place.encode(), frame, at) for place in places)

    def _hear(self, report: Report) -> None:
        rule = self.step.watch.rules.reception
        key = _heard(cell(report.latitude, report.longitude, rule.cell_degrees), _day(report.at))
        self.kept.put(key, hear(self.kept.get(key, Received), report, rule))

    def _reception(self, of: Track, until: float) -> Any:
        """
        Give what was heard in a cell, of the days that a silence of this track may ask for.
        """
        rule = self.step.watch.rules.reception
        begin = of.hulls[-1].last.at if of.hulls else until
        span = min(max(until - begin, 0.0), rule.most_slots * rule.slot_s)
        back = max(rule.compared_slots * rule.slot_s, span) + rule.slot_s
        days = range(_day(begin - back), _day(max(begin, until)) + 1)
        found: dict[Cell, Received] = {}

        def received(where: Cell) -> Received:
            if where not in found:
                found[where] = Received(tuple(self._slots(where, days))[-rule.most_slots :])
            return found[where]

        return received

    def _slots(self, where: Cell, days: range) -> Iterator[Any]:
        for day in days:
            yield from (self.kept.get(_heard(where, day), Received) or Received()).slots


def _without(decoded: Decoded, groups: Sequence[str]) -> dict[str, None]:
    return {name: None for name in groups if decoded.value.get(name) is not None}


def _day(at: float) -> int:
    return math.floor(at / DAY_S)


def _heard(where: Cell, day: int) -> str:
    return f"heard:{where[0]}:{where[1]}:{day}"
