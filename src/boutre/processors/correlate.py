"""
Correlate: what each recipient was given, linked for that recipient, by what it was given and nothing else; and its own alerts.

Reads offers, one for each cell in which a report may be linked, what the recipient said of its links and alerts, and the clock. It
writes links and alerts to the recipient whose they are: made, changed, withdrawn. A link is a record of its own, never a merge; a
recipient who holds one knows both records already.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from msgspec.structs import replace

from boutre.errors import Refuse
from boutre.processors.alerts.facts import facts
from boutre.processors.alerts.inputs import Said, Tick
from boutre.processors.correlation.knowledge import REMEMBERS as BY_KNOWLEDGE
from boutre.processors.correlation.knowledge import Change
from boutre.processors.correlation.known import REMEMBERS as BY_FILES
from boutre.processors.correlation.known import VIEWS, Files, Judged, Record, cells_of, say
from boutre.processors.correlation.notes import Notes
from boutre.processors.correlation.raising import REMEMBERS as BY_RAISING
from boutre.processors.correlation.raising import Alarm, Raised, Raising, due, wake
from boutre.processors.correlation.standing import REMEMBERS as BY_STANDING
from boutre.processors.correlation.standing import Standing, Told, lost
from boutre.processors.correlation.weighing import Weighing, known_in
from boutre.processors.decision import TICK, Decision, Drop, Emit, Inbound, Outbound, Reject, Released, State
from boutre.processors.hear import SAID, heard
from boutre.processors.links.link import Reason, pair
from boutre.processors.links.provenance import independent
from boutre.processors.links.said import Word
from boutre.processors.matching.sighted import MOST, sighted
from boutre.processors.offers import NOWHERE, ROOTS, SEALED, VIEW, of_key
from boutre.processors.own_records import ALERTS, LINK, alert_value, link_value
from boutre.processors.own_views import Bound, Own, OwnViews, Reader
from boutre.schemas.codec import Codec

NOTHING_NEW: Final = "nothing-new"
"""Why correlate drops: what came changes no link and calls for no alert."""

CLOCK: Final = "clock:now"

REMEMBERS: Final = frozenset({*BY_KNOWLEDGE, *BY_FILES, *BY_STANDING, *BY_RAISING, "clock"})
"""The classes of keys that correlate remembers, each with its window in ``processors/pipeline.toml``."""

EXERCISE: Final = ":exercise"


@dataclass(frozen=True, slots=True)
class Correlate:
    """
    The step from ``bus.offer.<kind>`` to ``for.<recipient>.link`` and, where there is an *alarm*, ``for.<recipient>.alert``.
    """

    codec: Codec
    kinds: Mapping[str, str]
    readers: Mapping[str, Reader]
    weighings: Sequence[Weighing]
    side_deg: float
    alarm: Alarm | None = None
    _views: OwnViews = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_views", OwnViews(self.codec))

    def __call__(self, record: Inbound, state: State, /) -> Decision:
        """
        Decide on one offer, one answer of a recipient, or one tick of the clock.
        """
        accepted = record.accepted
        if accepted is None:
            return Reject("internal-error", detail="no time")
        turn = _Turn(self, Notes(state), accepted, record.timestamp)
        if record.topic == TICK:
            return turn.tick()
        if record.topic == SAID:
            return turn.hear(record)
        kind, named = self.kinds.get(record.topic), of_key(record.key)
        reader = None if named is None else self.readers.get(named[0])
        if kind is None or named is None or reader is None:
            return Reject("internal-error", detail="no offer")
        try:
            value = self.codec.decode(record.value, frozenset({kind})).value
        except Refuse as refused:
            return Reject(refused.code, refused.field)
        return turn.offer(_Place(reader, named[1], exercise=bool(value["exercise"])), kind, value, record.headers)


@dataclass(frozen=True, slots=True)
class _Place:
    """One recipient's cell."""

    reader: Reader
    cell: str
    exercise: bool

    @property
    def scope(self) -> str:
        """Under what it is remembered: an exercise and the world know nothing of each other."""
        return f"{self.reader.recipient}{EXERCISE if self.exercise else ''}"


@dataclass(slots=True)
class _Turn:
    """One input on its way: what is written of it, and what is remembered."""

    step: Correlate
    notes: Notes
    accepted: datetime
    timestamp: int
    outs: list[Outbound] = field(default_factory=list)
    released: list[Released] = field(default_factory=list)

    @property
    def at(self) -> float:
        """The time on the bus, in seconds: a recipient who knows times by the day alone is told today what comes today."""
        return max(self.timestamp, int(self.notes.get(CLOCK) or 0)) / 1000

    def done(self) -> Decision:
        """Give what was decided."""
        if not self.released:
            return Drop(NOTHING_NEW, self.notes.changes)
        return Emit(tuple(self.outs), self.notes.changes, tuple(self.released))

    def tick(self) -> Decision:
        """Take that time has passed: escalate, expire, tell what had to wait."""
        self.notes.put(CLOCK, max(self.timestamp, int(self.notes.get(CLOCK) or 0)))
        if self.step.alarm is not None:
            for key in due(self.notes, self.at):
                self._wake(key, Tick(self.at))
        return self.done()

    def hear(self, record: Inbound) -> Decision:
        """Take what a person said."""
        said = heard(self.step.codec, record.value)
        if said is None:
            return Drop(NOTHING_NEW)
        reader = self.step.readers.get(said.recipient)
        if reader is None:
            return Drop(NOTHING_NEW)
        scope = f"{said.recipient}{EXERCISE if said.exercise else ''}"
        if isinstance(said, Word):
            found = self.notes.get(f"alert:{scope}:{said.view}")
            if found is not None and self.step.alarm is not None:
                self._wake(str(found["key"]), Said(said.at, str(found["thread"]), said.word, said.until))
        elif say(self.notes, scope, said.view, Judged(said.other, said.verdict, said.by, said.at, said.id)):
            for cell in cells_of(self.notes, scope, said.view, said.other):
                self._judged(_Place(reader, cell, exercise=said.exercise), said.view, said.other)
        return self.done()

    def offer(self, place: _Place, kind: str, value: Mapping[str, Any], headers: Mapping[str, bytes]) -> Decision:
        """Take one offer."""
        files = Files(self.notes, place.scope, place.cell)
        if kind == "retraction":
            self._remove(place, files, str((value.get("recall") or {}).get("record")), "recalled")
            return self.done()
        one = sighted(kind, value, str(value["id"]))
        if ROOTS in headers:
            named = headers[ROOTS].decode("utf-8", "replace").split(",")
            one = replace(one, derived_from=tuple(dict.fromkeys((*one.derived_from, *named)))[:MOST])
        if files.is_gone(one.id):
            return self.done()
        earlier = None if one.revises is None else files.record(one.revises)
        before = files.record(one.id) or earlier
        view = headers.get(VIEW, b"").decode("utf-8", "replace")
        bound = Bound(SEALED in headers, (value.get("handling") or {}).get("tlp"))
        record = Record(
            one.id if before is None else before.first,
            tuple(dict.fromkeys((*(() if before is None else before.views), view)))[-VIEWS:],
            bound,
            facts(one, value, self.at),
        )
        here = self.step.alarm is not None and place.cell == NOWHERE and not one.placed
        here = here or place.cell in known_in(one, self.step.side_deg, self.step.weighings)
        if not here:
            # It lies elsewhere now, and is told of there.
            if one.revises is not None:
                self._remove(place, files, one.revises, "no-longer-found")
            self._remove(place, files, one.id, "no-longer-found", gone=False)
            return self.done()
        standing = self._standing(place, files)
        touched = {one.id} if one.revises is None else {one.id, *self._end(place, files, one.revises, "no-longer-found")}
        changes = [change for weighing in self.step.weighings for change in standing.knowledge(weighing).learn(one)]
        files.keep(one.id, record)
        pairs = _pairs(changes) | {pair(one.id, other) for other in files.judged(one.id)}
        self._tell(place, files, standing.tell(pairs, lost(changes)))
        self._raise(place, files, standing, touched | _names(changes))
        return self.done()

    def _remove(self, place: _Place, files: Files, name: str, why: Reason, *, gone: bool = True) -> None:
        """Take a record back: its links are withdrawn, its alerts cancelled or told anew without it."""
        record = files.record(name)
        touched = self._end(place, files, name, why, gone=gone)
        if record is not None and self.step.alarm is not None:
            self._send(place, self._raising(place, files, self.step.alarm).gone(record.first, self.at))
            self._raise(place, files, self._standing(place, files), touched)

    def _end(self, place: _Place, files: Files, name: str, why: Reason, *, gone: bool = True) -> set[str]:
        """Forget a record under this name, and withdraw its links; gives the records that hung together with it."""
        standing = self._standing(place, files)
        changes = [change for weighing in self.step.weighings for change in standing.knowledge(weighing).forget(name)]
        touched = (_names(changes) | files.judged(name)) - {name}
        own = [each for each in lost(changes) if name in {each.a, each.b}]
        self._tell(place, files, standing.withdraw(name, why))
        self._tell(place, files, standing.tell((), own, why, without=name))
        files.drop(name, gone=gone)
        self._tell(place, files, standing.tell(_pairs(changes), [each for each in lost(changes) if name not in {each.a, each.b}]))
        return touched

    def _judged(self, place: _Place, view: str, other: str) -> None:
        """Tell what changes by what a person said of two views."""
        files = Files(self.notes, place.scope, place.cell)
        one, two = (str(self.notes[f"view:{place.scope}:{each}"]["record"]) for each in (view, other))
        standing = self._standing(place, files)
        both = pair(one, two)
        reports = {name: record.facts.report for name in both if (record := files.record(name)) is not None}
        if one == two or not (standing.owns(both, reports) or any(link.rule for link in standing.between(both))):
            return
        self._tell(place, files, list(standing.tell([both])))
        self._raise(place, files, standing, set(both))

    def _tell(self, place: _Place, files: Files, found: Iterable[Told]) -> None:
        """Write links, each with its receipt, and remember them as told."""
        standing = self._standing(place, files)
        for one in found:
            known = [files.record(name) for name in one.link.records]
            views = ["" if each is None else each.views[-1] for each in known]
            # Of these two alone: a third that they were made from may come later, and the link would depend on when.
            sources = {each.facts.report.id: each.facts.told for each in known if each is not None}
            value = link_value(
                one,
                views,
                exercise=place.exercise,
                independent=independent(*one.link.records, sources) if len(sources) > 1 else None,
            )
            bounds = [Bound() if each is None else each.bound for each in known]
            if self._write(place.reader, LINK, one.link.id, value, bounds) is not None:
                standing.remember(one)

    def _raise(self, place: _Place, files: Files, standing: Standing, names: Iterable[str]) -> None:
        """Bring what hangs together with *names* before the rules of alerts."""
        if self.step.alarm is None:
            return
        raising = self._raising(place, files, self.step.alarm)
        for group, probability in standing.groups(names):
            self._send(place, raising.see(group, probability, self.at))

    def _wake(self, key: str, given: Tick | Said) -> None:
        assert self.step.alarm is not None  # threads are kept where there is one
        for filed, raised in wake(self.notes, self.step.alarm.rules, key, given):
            reader = self.step.readers.get(filed.thread.recipient)
            if reader is not None:
                self._send(_Place(reader, filed.cell, exercise=filed.thread.exercise), [raised])

    def _send(self, place: _Place, found: Iterable[Raised]) -> None:
        """Write messages of alerts, and remember which thread each view is of."""
        for one in found:
            view = self._write(place.reader, ALERTS, one.message.thread, alert_value(one.message), [one.bound])
            if view is not None:
                self.notes.put(f"alert:{place.scope}:{view}", {"key": one.key, "thread": one.message.thread})

    def _write(self, reader: Reader, kind: str, of: str, value: Mapping[str, Any], bounds: Sequence[Bound]) -> str | None:
        view, outs = self.step._views.make(  # noqa: SLF001 - its own step's
            reader, Own(kind, of, value, self.accepted, self.timestamp), bounds
        )
        self.outs.extend(outs)
        self.released.append(Released(reader.recipient, kind, "withheld" if view is None else "delivered"))
        return view

    def _standing(self, place: _Place, files: Files) -> Standing:
        return Standing(self.notes, files, place.reader.recipient, self.step.side_deg, self.step.weighings)

    def _raising(self, place: _Place, files: Files, alarm: Alarm) -> Raising:
        reader = place.reader
        return Raising(self.notes, files, alarm, reader.recipient, reader.body, self.step.side_deg, place.exercise)


def _pairs(changes: Iterable[Change]) -> set[tuple[str, str]]:
    return {pair(change.link.a, change.link.b) for change in changes if not change.withdrawn}


def _names(changes: Iterable[Change]) -> set[str]:
    return {name for change in changes for name in (change.link.a, change.link.b)}
