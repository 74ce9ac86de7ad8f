"""
Alerts on what hangs together in one cell: each event as its recipient knows it, through the rules, into its thread.

Threads know an event by the names that its records had before any revision, so that a correction goes on in the same thread.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from boutre.processors.alerts.deadlines import next_tick
from boutre.processors.alerts.desk import take
from boutre.processors.alerts.facts import Zones, situation
from boutre.processors.alerts.inputs import Input, Retracted, Seen
from boutre.processors.alerts.message import Message
from boutre.processors.alerts.rules import Rules
from boutre.processors.alerts.thread import Thread
from boutre.processors.correlation.cells import home
from boutre.processors.correlation.known import Files, Record
from boutre.processors.correlation.notes import Notes
from boutre.processors.own_views import Bound, strictest

REMEMBERS: Final = frozenset({"thread", "of", "due", "alert"})
"""
The classes of keys: a thread of alerts, the threads that rest on a record, what time alone will change and when, and which thread
the view of an alert is of.
"""

DUE: Final = "due:all"
"""What waits for time, of everybody in this partition: threads that are alive, of which there are never many."""


INSTANT_S: Final = 0.001
"""Seconds between two changes that come at the same time."""


class Filed(Struct, frozen=True, omit_defaults=True):
    """
    A thread as it is remembered: *scope* and *cell* are where, *bound* how narrowly its messages are held.
    """

    thread: Thread
    scope: str
    cell: str
    bound: Bound = field(default_factory=Bound)


class Raised(Struct, frozen=True):
    """
    A message that is to be sent, how narrowly it is held, and the key of its thread.
    """

    message: Message
    bound: Bound
    key: str


@dataclass(frozen=True, slots=True)
class Alarm:
    """
    What alerts are raised by: the *rules*, the zones of the sea, and the types of event by which lives are *at_risk*.
    """

    rules: Rules
    zones_at: Zones
    at_risk: frozenset[str]


@dataclass(slots=True)
class Raising:
    """
    The alerts of one recipient, of kind *body*, in one cell.
    """

    notes: Notes
    files: Files
    alarm: Alarm
    recipient: str
    body: str
    side_deg: float
    exercise: bool

    def see(self, names: Iterable[str], probability: float | None, at: float) -> Iterator[Raised]:
        """Take how an event stands at *at*, seconds since 1970 UTC: *names* are its records."""
        records = [record for name in sorted(names) if (record := self.files.record(name)) is not None]
        if not records or not self._speaks(records):
            return
        seen = situation(
            self.recipient,
            self.body,
            [(record.first, record.facts) for record in records],
            zones_at=self.alarm.zones_at,
            probability=probability,
            at_risk=self.alarm.at_risk,
            exercise=self.exercise,
        )
        yield from self._take(Seen(at, seen), [record.first for record in records], [record.bound for record in records])

    def gone(self, first: str, at: float) -> Iterator[Raised]:
        """Take that a record was taken back: *first* is the name that it had first."""
        yield from self._take(Retracted(at, (first,)), [first], ())

    def _speaks(self, records: Iterable[Record]) -> bool:
        """Say whether this cell raises alerts on an event: the home of its least record does, and who has begun goes on."""
        least = min(records, key=lambda each: each.first)
        here = home(least.facts.report, self.side_deg)
        return here in {self.files.cell, None} or any(self._of(record.first) for record in records)

    def _take(self, given: Seen | Retracted, firsts: Iterable[str], bounds: Iterable[Bound]) -> Iterator[Raised]:
        chosen = sorted(set(firsts))
        keys = {f"thread:{self.files.scope}:{self.files.cell}:{slot}" for first in chosen for slot in self._of(first)}
        threads = _Threads(self.notes, f"thread:{self.files.scope}:{self.files.cell}:", frozenset(keys))
        # How things stand is never told late here, and two changes of one instant still have an order.
        after = max((thread.now for thread in threads.values()), default=given.at) + INSTANT_S
        changed, messages = take(self.alarm.rules, threads, replace(given, at=max(given.at, after)))
        for thread in changed.values():
            key = f"thread:{self.files.scope}:{self.files.cell}:{thread.slot}"
            before = _filed(self.notes, key)
            bound = together([*([] if before is None else [before.bound]), *bounds])
            _file(self.notes, self.alarm.rules, key, Filed(thread, self.files.scope, self.files.cell, bound))
            known = frozenset() if before is None else before.thread.records
            for record in thread.records - known:
                name = f"of:{self.files.scope}:{self.files.cell}:{record}"
                self.notes.put(name, sorted({*self._of(record), thread.slot}))
        slots = {thread.id: thread for thread in (*threads.values(), *changed.values())}
        for message in messages:
            key = f"thread:{self.files.scope}:{self.files.cell}:{slots[message.thread].slot}"
            filed = _filed(self.notes, key)
            yield Raised(message, Bound() if filed is None else filed.bound, key)

    def _of(self, first: str) -> list[str]:
        return [str(slot) for slot in self.notes.get(f"of:{self.files.scope}:{self.files.cell}:{first}") or ()]


def wake(notes: Notes, rules: Rules, key: str, given: Input) -> Iterator[tuple[Filed, Raised]]:
    """
    Take what concerns one thread alone: what a person says of it, or that time has passed.
    """
    filed = _filed(notes, key)
    if filed is None:
        _due(notes, key, None)
        return
    changed, messages = take(rules, {filed.thread.slot: filed.thread}, given)
    for thread in changed.values():
        _file(notes, rules, key, Filed(thread, filed.scope, filed.cell, filed.bound))
    if not changed:
        _due(notes, key, _next(rules, filed.thread, given.at))
    yield from ((filed, Raised(message, filed.bound, key)) for message in messages)


def due(notes: Notes, at: float) -> tuple[str, ...]:
    """
    Give the keys of the threads for which time is up at *at*, seconds since 1970 UTC.
    """
    return tuple(sorted(key for key, when in (notes.get(DUE) or {}).items() if when <= at))


def together(bounds: Iterable[Bound]) -> Bound:
    """
    Give how narrowly is held what is made of all this.
    """
    every = list(bounds)
    return Bound(any(one.sealed for one in every), strictest(one.tlp for one in every))


class _Threads(Mapping[str, Thread]):
    """The threads by slot: those that an input may concern are gone through, any other is found where it is asked for."""

    def __init__(self, notes: Notes, prefix: str, keys: frozenset[str]) -> None:
        self._notes, self._prefix = notes, prefix
        self._near = {filed.thread.slot: filed.thread for key in sorted(keys) if (filed := _filed(notes, key)) is not None}

    def __getitem__(self, slot: str) -> Thread:
        if slot in self._near:
            return self._near[slot]
        filed = _filed(self._notes, f"{self._prefix}{slot}")
        if filed is None:
            raise KeyError(slot)
        return filed.thread

    def __iter__(self) -> Iterator[str]:
        return iter(self._near)

    def __len__(self) -> int:
        return len(self._near)


def _filed(notes: Notes, key: str) -> Filed | None:
    found: Any = notes.get(key)
    return None if found is None else msgspec.convert(found, Filed)


def _file(notes: Notes, rules: Rules, key: str, filed: Filed) -> None:
    notes.put(key, msgspec.to_builtins(filed))
    _due(notes, key, _next(rules, filed.thread, filed.thread.now))


def _next(rules: Rules, thread: Thread, at: float) -> float | None:
    """Give when time changes a thread next. One that time should have changed by now, and has not, is not asked again at once."""
    rule = rules.named(thread.rule)
    when = None if rule is None else next_tick(rules, rule, thread)
    return None if when is None else max(when, at)


def _due(notes: Notes, key: str, when: float | None) -> None:
    waiting: dict[str, float] = dict(notes.get(DUE) or {})
    if waiting.get(key) == when:
        return
    if when is None:
        waiting.pop(key, None)
    else:
        waiting[key] = when
    notes.put(DUE, waiting)
