"""
Meet: who lies beside whom in one cell of sea, and which numbers one hull's identifier is heard under.

Reads what ``detect`` offers, by cell and by identifier, so that two craft come together here whose tracks are on different
partitions. What is found is a record as every detection is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from boutre.errors import Refuse
from boutre.processors.decision import Decision, Drop, Emit, Inbound, Outbound, Reject, State
from boutre.processors.movement import meeting, waiting
from boutre.processors.movement.detection import Detection
from boutre.processors.movement.kept import Kept
from boutre.processors.movement.meeting import Company
from boutre.processors.movement.places import Cell
from boutre.processors.movement.report import Report, from_sighting
from boutre.processors.movement.succession import Holders, carry
from boutre.processors.movement.telling import REMEMBERS as BY_TELLING
from boutre.processors.movement.telling import Teller
from boutre.processors.movement.thresholds import MINUTE_S, Thresholds
from boutre.processors.movement.waiting import Arrived, Waiting
from boutre.processors.movement.wheel import Wheel
from boutre.schemas.codec import Codec

NOTHING: Final = "nothing-found"
DROPS: Final = (NOTHING,)
"""Why an offer is dropped: it shows nothing yet."""

REMEMBERS: Final = frozenset({*BY_TELLING, "cell", "name", "due", "clock"})
"""The classes of keys that meet remembers, each with its window: who is in a cell, who carries an identifier; and as detect has."""


class There(Struct, frozen=True):
    """
    Who is in one cell, and the slot for whose end it is noted.
    """

    company: Company = Company()
    due: int | None = None


class Named(Struct, frozen=True):
    """
    Who carries one identifier, the reports of theirs that wait for their turn, and the slot for whose end it is noted.
    """

    waiting: Waiting = Waiting()
    holders: Holders = Holders()
    due: int | None = None


@dataclass(frozen=True, slots=True)
class Meet:
    """
    The step from ``bus.meeting.<kind>`` to ``bus.found.<kind>``.
    """

    codec: Codec
    kinds: Mapping[str, str]
    rules: Thresholds
    teller: Teller

    def __call__(self, record: Inbound, state: State, /) -> Decision:
        """
        Decide on one offer.
        """
        kind, accepted, place = self.kinds.get(record.topic), record.accepted, _place(record.key)
        if kind is None or accepted is None or place is None:
            return Reject("internal-error", detail="no offer")
        try:
            value = self.codec.decode(record.value, frozenset({kind})).value
        except Refuse as refused:
            return Reject(refused.code, refused.field)
        desk = _Desk(self, Kept(state), accepted, record.timestamp)
        if kind == "retraction":
            desk.take_back(place, str(value["recall"]["record"]))
        elif (report := from_sighting(value, record.timestamp / 1000)) is not None:
            desk.take(place, report)
        return desk.decided()


@dataclass(slots=True)
class _Desk:
    """What one offer changes."""

    step: Meet
    kept: Kept
    accepted: datetime
    timestamp: int
    outs: list[Outbound] = field(default_factory=list)

    def take(self, place: str, report: Report) -> None:
        """Take a report into a cell or to an identifier, and go on with whatever's time is up by it."""
        rules = self.step.rules
        wheel = Wheel(self.kept, rules.reception.slot_s, rules.track.late_s)
        wheel.tick(report.source, report.at)
        if place.startswith("cell:"):
            there = self.kept.get(place, There) or There()
            met = meeting.meet(there.company, _cell(place), report, rules)
            self._tell(met.detections)
            self._keep(place, replace(there, company=met.company), wheel)
        else:
            named = self.kept.get(place, Named) or Named()
            arrived = waiting.arrive(named.waiting, report.bare, rules.track, rules.track.most_waiting)
            self._keep(place, self._carried(place, named, arrived), wheel)
        for name, slot, until in wheel.due():
            self._settle(name, slot, until, wheel)

    def take_back(self, place: str, record: str) -> None:
        """Take back what stands on a report; where it still waits, or its craft is known by it, it is not used."""
        self.outs += self.step.teller.taken_back(record, self.kept, self.timestamp)
        if place.startswith("cell:"):
            there = self.kept.get(place, There)
            if there is not None:
                company = there.company
                present = tuple(one for one in company.present if one.last.id != record)
                company = replace(company, waiting=_without(company.waiting, record), present=present)
                self.kept.put(place, replace(there, company=company))
            return
        named = self.kept.get(place, Named)
        if named is not None:
            self.kept.put(place, replace(named, waiting=_without(named.waiting, record)))

    def decided(self) -> Decision:
        """Give what is to be sent and remembered."""
        return Emit(tuple(self.outs), self.kept.changes) if self.outs else Drop(NOTHING, self.kept.changes)

    def _settle(self, place: str, slot: int, until: float, wheel: Wheel) -> None:
        rules = self.step.rules
        if place.startswith("cell:"):
            there = self.kept.get(place, There)
            if there is not None and there.due == slot:
                met = meeting.settle(there.company, _cell(place), until, rules)
                self._tell(met.detections)
                self._keep(place, There(met.company), wheel, until)
            return
        named = self.kept.get(place, Named)
        if named is not None and named.due == slot:
            arrived = waiting.release(named.waiting, until, rules.track.every_s)
            self._keep(place, self._carried(place, replace(named, due=None), arrived), wheel, until)

    def _carried(self, place: str, named: Named, arrived: Arrived) -> Named:
        _, attribute, value = place.split(":", 2)
        holders = named.holders
        for report in arrived.due:
            holders, found = carry(holders, (attribute, value), report, self.step.rules)
            self._tell(found)
        return replace(named, waiting=arrived.waiting, holders=holders)

    def _keep(self, place: str, value: There | Named, wheel: Wheel, after: float = 0.0) -> None:
        """Remember it, and have it looked at again when what waits can be used, or when a meeting must be over."""
        rules = self.step.rules
        waits = value.company.waiting if isinstance(value, There) else value.waiting
        at: float | None = None
        if waits.reports:
            at = waits.newest + rules.track.every_s
        elif isinstance(value, There) and value.company.pairs:
            at = min(pair.last for pair in value.company.pairs) + rules.rendezvous.apart_min * MINUTE_S + 1
        if at is not None and (due := wheel.note(place, max(at, after + 1), value.due)) != value.due:
            value = replace(value, due=due)
        self.kept.put(place, value)

    def _tell(self, found: Sequence[Detection]) -> None:
        for one in found:
            self.outs += self.step.teller.tell(one, self.kept, self.accepted, self.timestamp)


def _without(waits: Waiting, record: str) -> Waiting:
    return replace(waits, reports=tuple(one for one in waits.reports if one.id != record))


def _place(key: bytes | None) -> str | None:
    """Give the key under which a place is remembered: ``cell:<row>:<column>`` or ``name:<attribute>:<value>``."""
    kind, *rest = (key or b"").decode("utf-8", "replace").split("|", 2)
    if len(rest) != 2 or (kind, True) not in {("name", True), ("cell", all(map(_whole, rest)))}:  # noqa: PLR2004 - three parts
        return None
    return ":".join((kind, *rest))


def _whole(text: str) -> bool:
    return text.removeprefix("-").isdecimal() and text.isascii()


def _cell(place: str) -> Cell:
    _, row, column = place.split(":")
    return int(row), int(column)
