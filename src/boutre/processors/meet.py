"""
Meet: who lies beside whom in one cell of sea, and which numbers one hull's identifier is heard under.

Reads what ``detect`` offers, by cell and by identifier, so that two craft come together here whose tracks are on different
partitions. What is found is a record as every detection is.

The contacts of a member, which others may not have, are looked at for this member alone: in a company of its own, of the same
craft, with its own record of what was told. So nobody else is told more, or less, for a contact that they were not given.
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
from boutre.processors.movement.detection import DARK, Detection
from boutre.processors.movement.kept import Kept
from boutre.processors.movement.meeting import Company
from boutre.processors.movement.places import Cell
from boutre.processors.movement.report import Report, from_sighting, order
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

REMEMBERS: Final = frozenset({*BY_TELLING, "cell", "passing", "name", "due", "clock"})
"""
The classes of keys that meet remembers, each with its window: who is in a cell, who passes through it, who carries an identifier;
and as detect has.
"""

MOST_PASSING: Final = 200
"""Craft under way that are remembered of a cell, by their last reports."""


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

    All told it remembers as many companies of a cell as there are members with contacts in it, and one for everybody.
    """

    codec: Codec
    kinds: Mapping[str, str]
    rules: Thresholds
    teller: Teller
    contacts: Mapping[str, Teller] = field(default_factory=dict)
    """Who tells each member what lies beside its own contacts."""

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
        kept, rule, owner = Kept(state), self.rules, value["origin"]["member"]
        wheel = Wheel(kept, rule.reception.slot_s, rule.track.late_s)
        desk = _Desk(rule, kept, wheel, self.teller, accepted, record.timestamp)
        # They go by the time of what everybody may have, so that nobody's contacts move another's.
        own = {name: desk.beside(name, teller, rule) for name, teller in self.contacts.items()}
        if kind == "retraction":
            for each in (own[owner],) if owner in own else (desk, *own.values()):
                each.take_back(place, str(value["recall"]["record"]))
        elif (report := from_sighting(value, record.timestamp / 1000)) is not None:
            if owner in own:
                own[owner].take(place, report, desk.there(place))
            else:
                for each in own.values():
                    each.take(place, report, None)
                wheel.tick(report.source, report.at)
                if not (own and desk.passes(place, report)):
                    desk.take(place, report, There())
            for each in (desk, *own.values()):
                each.settle()
        outs = (*desk.outs, *(out for each in own.values() for out in each.outs))
        return Emit(outs, kept.changes) if outs else Drop(NOTHING, kept.changes)


@dataclass(slots=True)
class _Desk:
    """What one offer changes: for everybody, or of what lies beside one member's *contacts*."""

    rules: Thresholds
    kept: Kept
    wheel: Wheel
    teller: Teller
    accepted: datetime
    timestamp: int
    contacts: bool = False
    outs: list[Outbound] = field(default_factory=list)

    def beside(self, owner: str, teller: Teller, rules: Thresholds) -> _Desk:
        """Give the desk of one member's contacts."""
        kept = self.kept.of(owner)
        wheel = Wheel(kept, rules.reception.slot_s, rules.track.late_s, self.wheel)
        return _Desk(rules, kept, wheel, teller, self.accepted, self.timestamp, contacts=True)

    def there(self, place: str) -> There:
        """Give who is in a cell, for somebody who begins to look at it."""
        there, passing = self.kept.get(place, There) or There(), self.kept.get(_passing(place), list[Report]) or ()
        return There(meeting.beside_contacts(there.company, passing))

    def passes(self, place: str, report: Report) -> bool:
        """
        Say whether a craft only passes through a cell. It meets nobody, and is remembered for whoever comes to have contacts there.
        """
        if not place.startswith("cell:"):
            return False
        company = (self.kept.get(place, There) or There()).company
        if not meeting.only_passes(company, report, self.rules):
            return False
        known = self.kept.get(_passing(place), list[Report]) or ()
        since = report.at - self.rules.rendezvous.apart_min * MINUTE_S
        left = [one for one in known if one.subject != report.subject and one.at >= since]
        self.kept.put(_passing(place), sorted((*left, report.bare), key=order)[-MOST_PASSING:])
        return True

    def take(self, place: str, report: Report, otherwise: There | None) -> None:
        """Take a report into a cell or to an identifier; where nobody is in the cell yet, into *otherwise*, or not at all."""
        if place.startswith("cell:"):
            there = self.kept.get(place, There) or otherwise
            if there is not None:
                met = meeting.meet(there.company, _cell(place), report, self.rules)
                self._tell(met.detections)
                self._keep(place, replace(there, company=met.company))
        elif not self.contacts:
            named = self.kept.get(place, Named) or Named()
            arrived = waiting.arrive(named.waiting, report.bare, self.rules.track, self.rules.track.most_waiting)
            self._keep(place, self._carried(place, named, arrived))

    def settle(self) -> None:
        """Go on with whatever's time is up."""
        for name, slot, until in self.wheel.due():
            self._settle(name, slot, until)

    def take_back(self, place: str, record: str) -> None:
        """Take back what stands on a report; where it still waits, or its craft is known by it, it is not used."""
        self.outs += self.teller.taken_back(record, self.kept, self.timestamp)
        if place.startswith("cell:"):
            there = self.kept.get(place, There)
            if there is not None:
                company = there.company
                present = tuple(one for one in company.present if one.last.id != record)
                company = replace(company, waiting=_without(company.waiting, record), present=present)
                self.kept.put(place, replace(there, company=company))
            passing = self.kept.get(_passing(place), list[Report]) or []
            if len(left := [one for one in passing if one.id != record]) < len(passing):
                self.kept.put(_passing(place), left)
            return
        named = self.kept.get(place, Named)
        if named is not None:
            self.kept.put(place, replace(named, waiting=_without(named.waiting, record)))

    def _settle(self, place: str, slot: int, until: float) -> None:
        rules = self.rules
        if place.startswith("cell:"):
            there = self.kept.get(place, There)
            if there is not None and there.due == slot:
                met = meeting.settle(there.company, _cell(place), until, rules)
                self._tell(met.detections)
                self._keep(place, There(met.company), until)
            return
        named = self.kept.get(place, Named)
        if named is not None and named.due == slot:
            arrived = waiting.release(named.waiting, until, rules.track.every_s)
            self._keep(place, self._carried(place, replace(named, due=None), arrived), until)

    def _carried(self, place: str, named: Named, arrived: Arrived) -> Named:
        _, attribute, value = place.split(":", 2)
        holders = named.holders
        for report in arrived.due:
            holders, found = carry(holders, (attribute, value), report, self.rules)
            self._tell(found)
        return replace(named, waiting=arrived.waiting, holders=holders)

    def _keep(self, place: str, value: There | Named, after: float = 0.0) -> None:
        """Remember it, and have it looked at again when what waits can be used, or when a meeting must be over."""
        rules = self.rules
        if self.contacts and isinstance(value, There) and not meeting.has_contacts(value.company):
            self.kept.put(place, None)  # who is there is kept for everybody
            return
        waits = value.company.waiting if isinstance(value, There) else value.waiting
        at: float | None = None
        if waits.reports:
            at = waits.newest + rules.track.every_s
        elif isinstance(value, There) and value.company.pairs:
            at = min(pair.last for pair in value.company.pairs) + rules.rendezvous.apart_min * MINUTE_S + 1
        if at is not None and (due := self.wheel.note(place, max(at, after + 1), value.due)) != value.due:
            value = replace(value, due=due)
        self.kept.put(place, value)

    def _tell(self, found: Sequence[Detection]) -> None:
        for one in found:
            # Of two that send AIS everybody is told who may be, and once.
            if not self.contacts or one.type == DARK:
                self.outs += self.teller.tell(one, self.kept, self.accepted, self.timestamp)


def _without(waits: Waiting, record: str) -> Waiting:
    return replace(waits, reports=tuple(one for one in waits.reports if one.id != record))


def _place(key: bytes | None) -> str | None:
    """Give the key under which a place is remembered: ``cell:<row>:<column>`` or ``name:<attribute>:<value>``."""
    kind, *rest = (key or b"").decode("utf-8", "replace").split("|", 2)
    if len(rest) != 2 or (kind, True) not in {("name", True), ("cell", all(map(_whole, rest)))}:  # noqa: PLR2004 - three parts
        return None
    return ":".join((kind, *rest))


def _passing(place: str) -> str:
    return place.replace("cell:", "passing:", 1)


def _whole(text: str) -> bool:
    return text.removeprefix("-").isdecimal() and text.isascii()


def _cell(place: str) -> Cell:
    _, row, column = place.split(":")
    return int(row), int(column)
