"""
What is done with a step's answer: written once, and shared by the bus in memory and the one on Kafka.

Metrics, dead letters and the refusal of undeclared topics live here and nowhere else.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, assert_never

import msgspec

from boutre import metrics
from boutre.errors import Refuse, Unavailable
from boutre.processors.alerts.rules import Rules
from boutre.processors.clocks import Clocks
from boutre.processors.decision import Changes, Decision, Drop, Emit, Inbound, Outbound, Reject, Released, Seen, State, Step
from boutre.processors.finish import Finish
from boutre.processors.hops import VIEWS_ROOT, Hops
from boutre.processors.waiting import Waiting
from boutre.processors.windows import Windows
from boutre.schemas.cases.groups import personal
from boutre.schemas.codec import Codec
from boutre.schemas.identity import place_id
from boutre.schemas.rejects import reject

BUS = "bus"
"""Whose records are that belong to no member."""

Owner = Callable[[str], tuple[str, str | None]]
"""For a topic, the member whose records it holds (``bus`` where there is none) and the kind, where it is known."""


@dataclass(frozen=True, slots=True)
class Processor:
    """
    A step and where it stands: what it reads, all that it may write, its changelog, who reads what of that, and its windows.

    *finish* is what becomes of the outputs of a whole transaction before they are sent: views are sealed and signed. *alerts* are
    the rules by whose deadlines the threads that it keeps are watched, where it keeps any.
    """

    name: str
    step: Step
    reads: tuple[str, ...]
    writes: frozenset[str]
    rejects: Mapping[str, str]
    changelog: str
    read_by: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    windows: Windows = field(default_factory=Windows)
    finish: Finish | None = None
    alerts: Rules | None = None

    @property
    def recipients(self) -> tuple[str, ...]:
        """Those for whom it may write something."""
        views = (topic.split(".") for topic in self.writes)
        return tuple(sorted({parts[1] for parts in views if parts[0] == VIEWS_ROOT}))

    def reject_topic(self, member: str) -> str:
        """Give the topic of a member's rejects."""
        return self.rejects[member]


class Handled(msgspec.Struct, frozen=True):
    """
    What is to be done for one record: to write, to remember, and to count.
    """

    outcome: str
    reason: str | None = None
    records: tuple[Outbound, ...] = ()
    changes: Changes = msgspec.field(default_factory=dict)
    releases: tuple[Released, ...] = ()
    seen: Seen | None = None


def count(stage: str, handled: Iterable[Handled]) -> None:
    """
    Count records of a stage, once they are known to be done: a whole transaction at once, since each label costs a look-up.
    """
    outcomes: Counter[tuple[str, str | None]] = Counter()
    releases: Counter[Released] = Counter()
    for one in handled:
        outcomes[one.outcome, one.reason] += 1
        releases.update(one.releases)
    for (outcome, reason), number in outcomes.items():
        metrics.RECORDS.labels(stage=stage, outcome=outcome).inc(number)
        if reason is not None:
            metrics.REASONS.labels(stage=stage, outcome=outcome, reason=reason).inc(number)
    for release, number in releases.items():
        metrics.RELEASES.labels(recipient=release.recipient, kind=release.kind, outcome=release.outcome).inc(number)


class Handler:
    """
    One processor, ready to handle records; whatever its step does, it raises nothing but Unavailable.
    """

    def __init__(self, processor: Processor, codec: Codec, owner: Owner) -> None:
        self.processor = processor
        waiting = None if processor.alerts is None else Waiting(processor.alerts, processor.recipients)
        self.clocks = Clocks(Hops(processor.reads, processor.recipients), waiting)
        self._codec = codec
        self._owner = owner

    def __call__(self, record: Inbound, state: State) -> Handled:
        """
        Ask the step, and say what is to be done.
        """
        decision = self._decide(record, state)
        match decision:
            case Emit():
                strayed = sorted({out.topic for out in decision.records} - self.processor.writes)
                if strayed:
                    return self._rejected(record, Reject("internal-error", detail="undeclared topic"))
                if not self._remembers(decision.changes):
                    return self._rejected(record, Reject("internal-error", detail="undeclared class of keys"))
                return Handled("emitted", None, decision.records, decision.changes, decision.releases, decision.seen)
            case Drop():
                if not self._remembers(decision.changes):
                    return self._rejected(record, Reject("internal-error", detail="undeclared class of keys"))
                return Handled("dropped", decision.reason, (), decision.changes)
            case Reject():
                return self._rejected(record, decision)
            case _:
                assert_never(decision)

    def failed(self, record: Inbound) -> Handled:
        """Say what is to be done for a record of which the outcome cannot be written."""
        return self._rejected(record, Reject("internal-error", detail="too large to be written"))

    def _remembers(self, changes: Changes) -> bool:
        """Say whether all keys have a window: what has none would be forgotten at once, or never."""
        return all(map(self.processor.windows.allows, changes))

    def _decide(self, record: Inbound, state: State) -> Decision:
        try:
            return self.processor.step(record, state)
        except Unavailable:
            # Something that every record needs is away, such as the vault: to reject them all would lose them.
            raise
        except Exception:  # noqa: BLE001 - a poison record must not stop the partition; the text of the error may hold values
            return Reject("internal-error")

    def _named(self, member: str, record: Inbound) -> str:
        """Give the id of what is refused: its own where the bus itself wrote it, else where it stood, as nobody has proved it."""
        if member == BUS:
            try:
                return str(self._codec.decode(record.value).value["id"])
            except Refuse:
                pass
        return place_id(record.topic, record.partition, record.offset)

    def _open(self, record: Inbound) -> bool:
        """Say whether what is refused names people and nobody sealed it: that is not written once more, not even for its owner."""
        try:
            return bool(personal(self._codec.decode(record.value).value))
        except Refuse:
            return False

    def _rejected(self, record: Inbound, decision: Reject) -> Handled:
        member, kind = self._owner(record.topic)
        # What failed inside the bus has no owner who could read it there; it still stands where it stood.
        content = None if member == BUS or self._open(record) else record.value
        value: dict[str, Any] = reject(
            member=member,
            stage=self.processor.name,
            code=decision.code,
            place={"topic": record.topic, "partition": record.partition, "offset": record.offset},
            at=record.accepted,
            input_id=decision.input_id or self._named(member, record),
            kind=kind,
            content=content,
            detail=decision.detail,
            field=decision.field,
        )
        frame = self._codec.encode("reject", value)
        out = Outbound(self.processor.reject_topic(member), str(value["input"]).encode(), frame, record.timestamp)
        return Handled("rejected", decision.code, (out,))
