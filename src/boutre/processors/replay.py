"""
Records of days gone by under two sets of agreements: who would have had how many more or fewer, and which fields of them.

Both are run through release itself, each with a memory of its own that is empty at the start. So a repeat is one, as on the bus;
and a recall of what was accepted before the first record goes to nobody under either. What comes out are numbers and names of
fields, never a value.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, Final, TypeAlias

from boutre.errors import Refuse
from boutre.processors.cut import Cut
from boutre.processors.decision import Emit, Inbound
from boutre.processors.explain import ways_of
from boutre.processors.policy import Policy
from boutre.processors.receipts import TOPIC
from boutre.processors.release import Release
from boutre.processors.ways import MADE, WITHHELD, Way, held
from boutre.processors.windows import InMemory, Windows
from boutre.schemas.fields import FieldInfo

NOTHING: Final = (WITHHELD, None)
"""What a recipient has of a field of a record that it is not given at all: no more than of one that is withheld."""

Outcome: TypeAlias = tuple[str, str | None]


@dataclass(frozen=True, slots=True)
class Account:
    """
    What becomes of the records of one kind for one recipient: how many it gets before and after, and how many it gains and loses.

    *changed* are those that it gets both times, and of which it gets something otherwise that they hold.
    """

    recipient: str
    kind: str
    records: int
    before: int
    after: int
    gained: int
    lost: int
    changed: int

    def __bool__(self) -> bool:
        return bool(self.gained or self.lost or self.changed)


@dataclass(frozen=True, slots=True)
class Shift:
    """
    A field that comes out otherwise, in as many *records* as hold it; *was* and *becomes* are state and method.
    """

    recipient: str
    kind: str
    field: str
    was: Outcome
    becomes: Outcome
    records: int


@dataclass(slots=True)
class Side:
    """
    One set of agreements at work: its release, and what it remembers.
    """

    step: Release
    memory: InMemory

    @classmethod
    def of(cls, step: Release, windows: Windows, recipients: frozenset[str] | None = None) -> Side:
        """Begin with nothing remembered; *windows* are those of the release. Only *recipients* are released to, where given."""
        desks = [desk for desk in step.desks if recipients is None or desk.recipient in recipients]
        return cls(replace(step, desks=desks), InMemory(windows))

    def take(self, record: Inbound) -> dict[str, dict[str, Any]]:
        """Release a record, and give its receipts by recipient. Raises Refuse where release could not."""
        self.memory.see(record.timestamp)
        decision = self.step(record, self.memory)
        if not isinstance(decision, Emit):
            raise Refuse(getattr(decision, "code", "internal-error"))
        self.memory.add(decision.changes)
        told = [self.step.codec.decode(out.value).value for out in decision.records if out.topic == TOPIC]
        return {str(receipt["recipient"]): receipt for receipt in told}

    def cuts(self, receipt: Mapping[str, Any] | None, kind: str) -> tuple[Cut, ...]:
        """Give the cuts by which a record went out, none where it did not."""
        if receipt is None or receipt["outcome"] != "delivered":
            return ()
        desk = next(desk for desk in self.step.desks if desk.recipient == receipt["recipient"])
        return tuple(cut for cut in desk.cuts.get(kind, ()) if cut.agreement.name in receipt["agreements"])


@dataclass(slots=True)
class Replay:
    """
    Takes records in the order of their acceptance, and counts.

    *before* and *after* are the two sides, *fields* those of each kind, *open* those that would come out otherwise by
    recipient and kind, whether or not any record held them.
    """

    before: Side
    after: Side
    fields: Mapping[str, tuple[FieldInfo, ...]]
    taken: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    open: dict[tuple[str, str], set[str]] = field(default_factory=dict)
    _counts: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    _shifts: Counter[tuple[str, str, str, Outcome, Outcome]] = field(default_factory=Counter)
    _changes: dict[tuple[str, tuple[Cut, ...], tuple[Cut, ...]], dict[str, tuple[Outcome, Outcome]]] = field(default_factory=dict)

    def take(self, kind: str, frame: bytes, accepted: int) -> None:
        """
        Take one record as it stands on ``bus.<kind>``; *accepted* in milliseconds since 1970 UTC. What cannot be read is counted.
        """
        try:
            value = self.before.step.opened(self.before.step.codec.decode(frame, frozenset({kind}))).value
            receipts = [
                side.take(Inbound(topic_of(side.step, kind), 0, 0, None, frame, {}, accepted)) for side in (self.before, self.after)
            ]
        except Refuse as refused:
            self.refused[refused.code] += 1
            return
        self.taken[kind] += 1
        holds = held(value)
        for recipient in dict.fromkeys((*receipts[0], *receipts[1])):
            old = self.before.cuts(receipts[0].get(recipient), kind)
            new = self.after.cuts(receipts[1].get(recipient), kind)
            self._count(recipient, kind, old, new, holds)

    def _count(self, recipient: str, kind: str, old: tuple[Cut, ...], new: tuple[Cut, ...], holds: frozenset[str]) -> None:
        self._counts[recipient, kind, "before"] += bool(old)
        self._counts[recipient, kind, "after"] += bool(new)
        shifts = self._between(kind, old, new)
        self.open.setdefault((recipient, kind), set()).update(shifts)
        mine = [path for path in shifts if path in holds]
        for path in mine:
            self._shifts[recipient, kind, path, *shifts[path]] += 1
        what = "gained" if new and not old else "lost" if old and not new else "changed" if mine else None
        if what is not None:
            self._counts[recipient, kind, what] += 1

    def _between(self, kind: str, old: tuple[Cut, ...], new: tuple[Cut, ...]) -> dict[str, tuple[Outcome, Outcome]]:
        known = self._changes.get((kind, old, new))
        if known is None:
            was, becomes = ways_of(old, kind, self.fields), ways_of(new, kind, self.fields)
            pairs = {path: (_outcome(was.get(path)), _outcome(becomes.get(path))) for path in dict.fromkeys((*was, *becomes))}
            made = {path for path, way in (*was.items(), *becomes.items()) if way.state == MADE}
            known = {path: pair for path, pair in pairs.items() if pair[0] != pair[1] and path not in made}
            self._changes[kind, old, new] = known
        return known

    @property
    def accounts(self) -> tuple[Account, ...]:
        """What becomes of all records so far, for each recipient and kind that there was a record of."""
        names = dict.fromkeys((recipient, kind) for recipient, kind, _ in self._counts)
        words = ("before", "after", "gained", "lost", "changed")
        return tuple(
            Account(recipient, kind, self.taken[kind], *(self._counts[recipient, kind, word] for word in words))
            for recipient, kind in sorted(names)
        )

    @property
    def shifts(self) -> tuple[Shift, ...]:
        """Every field that came out otherwise of some record, in the order of the schema."""
        place = {(kind, info.path): number for kind, infos in self.fields.items() for number, info in enumerate(infos)}
        ordered = sorted(
            self._shifts.items(), key=lambda item: (item[0][0], item[0][1], place[item[0][1], item[0][2]], str(item[0]))
        )
        return tuple(Shift(*key, count) for key, count in ordered)


def topic_of(step: Release, kind: str) -> str:
    """
    Give the topic on which release reads a kind.
    """
    return next(name for name, of in step.kinds.items() if of == kind)


def touched(before: Policy, after: Policy) -> frozenset[str]:
    """
    Give the recipients for whom the two do not say the same: release decides for each by its own agreements alone.
    """
    mine, other = (
        {name: {kind: policy.fingerprint(name, kind) for kind in kinds} for name, kinds in policy.cuts.items()}
        for policy in (before, after)
    )
    return frozenset(name for name in {*mine, *other} if mine.get(name) != other.get(name))


def in_force_always(policy: Policy) -> Policy:
    """
    Give the same agreements without their terms: what is to be signed next year can be tried on the records of this one.
    """

    def open_(cut: Cut) -> Cut:
        return replace(cut, agreement=cut.agreement.model_copy(update={"start": date.min, "end": date.max}))

    cuts = {name: {kind: tuple(map(open_, each)) for kind, each in kinds.items()} for name, kinds in policy.cuts.items()}
    return replace(policy, cuts=cuts)


def _outcome(way: Way | None) -> Outcome:
    return NOTHING if way is None else way.outcome
