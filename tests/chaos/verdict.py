"""
The verdict: what a bus must hold, against what it holds. Pure; it can be given a bus that lost something, and says so.

Judged is what stands on Kafka and in the sinks, never what a process says of itself.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal, NamedTuple, TypeAlias

Place: TypeAlias = tuple[str, int, int]
"""Topic, partition and offset."""

Fault: TypeAlias = Literal["lost", "duplicates", "wrong", "strays"]
FAULTS: Final[tuple[Fault, ...]] = ("lost", "duplicates", "wrong", "strays")
"""Missing, there more than once, there and not as it should be, there though nothing asked for it."""

MOST_EXAMPLES: Final = 20

CONNECTOR: Final = "connector"
"""The stage of a reject that a connector wrote."""


class Receipt(NamedTuple):
    """
    What became of a record for one recipient; *view* and *commitment* (a keyed digest of the view's bytes) where it was delivered.
    """

    record: str
    recipient: str
    outcome: str
    reason: str | None = None
    view: str | None = None
    topic: str | None = None
    commitment: bytes | None = None


class View(NamedTuple):
    """
    A view on a recipient's topic; *commitment* is computed from its bytes under that recipient's key.
    """

    recipient: str
    topic: str
    id: str
    commitment: bytes


class Refusal(NamedTuple):
    """
    A reject: of a stage of the bus at the place of the record that it refused, or of a connector by the input's id.
    """

    stage: str
    code: str
    input: str
    place: Place | None = None


@dataclass(frozen=True, slots=True)
class Written:
    """
    What was given to the bus, and what must become of it.

    Ids that must be accepted, ids of lines that a connector must refuse, ids of which a second report says something else under the
    same revision, and *strays*, bytes put on members' topics past any connector.
    """

    accepted: frozenset[str]
    refused: frozenset[str] = frozenset()
    contradicted: frozenset[str] = frozenset()
    strays: frozenset[bytes] = frozenset()

    @property
    def total(self) -> int:
        """How many inputs there are, each once however often it was sent."""
        return len(self.accepted) + len(self.refused) + len(self.contradicted) + len(self.strays)


@dataclass(frozen=True, slots=True)
class Expected:
    """
    What must come of the records on the members' topics, by the same steps in memory.

    Receipts by record and recipient, rejects by place; which ids are *contradicted* among them, and which *strays* came.
    """

    receipts: Mapping[tuple[str, str], Receipt]
    refusals: Mapping[Place, Refusal] = field(default_factory=dict)
    contradicted: frozenset[str] = frozenset()
    strays: frozenset[bytes] = frozenset()


@dataclass(frozen=True, slots=True)
class Found:
    """
    What a read_committed reader finds: receipts, views and rejects; and for each sink, by its name and recipient, the ids in it.

    *own* are receipts of what the bus itself made, which is held against its views alone.
    """

    receipts: Sequence[Receipt]
    views: Sequence[View] = ()
    refusals: Sequence[Refusal] = ()
    sinks: Mapping[tuple[str, str], Sequence[str]] = field(default_factory=dict)
    own: Sequence[Receipt] = ()


MADE: Final = "made"
"""Beside the outcomes of what was reported: links, alerts and detections that the bus made for a recipient."""


@dataclass(slots=True)
class Verdict:
    """
    Counts of each fault, in all and by recipient, and the first examples of what is behind them: ids and places, no values.
    """

    inputs: int
    outputs: int
    outcomes: Mapping[str, Counter[str]]
    faults: Counter[Fault] = field(default_factory=Counter)
    by_recipient: dict[str, Counter[Fault]] = field(default_factory=dict)
    examples: list[str] = field(default_factory=list)
    sent_again: int = 0

    @property
    def good(self) -> bool:
        """Whether there is no fault at all."""
        return not self.faults.total()

    def note(self, fault: Fault, what: str, recipient: str | None = None, times: int = 1) -> None:
        """Count a fault."""
        self.faults[fault] += times
        if recipient is not None:
            self.by_recipient.setdefault(recipient, Counter())[fault] += times
        if len(self.examples) < MOST_EXAMPLES:
            self.examples.append(f"{fault}: {what}")

    def summary(self) -> dict[str, Any]:
        """Give the counts as plain values."""
        return {
            "in": self.inputs,
            "out": self.outputs,
            **{fault: self.faults[fault] for fault in FAULTS},
            "per_recipient": {
                recipient: {
                    **dict(sorted(outcomes.items())),
                    **{fault: self.by_recipient.get(recipient, Counter())[fault] for fault in FAULTS},
                }
                for recipient, outcomes in self.outcomes.items()
            },
        }


def judge(recipients: Sequence[str], written: Written, expected: Expected, found: Found) -> Verdict:
    """
    Compare. A connector may write one reject several times after a crash (``sent_again``): its id is the same each time.
    """
    outcomes: dict[str, Counter[str]] = {recipient: Counter() for recipient in recipients}
    for receipt in found.receipts:
        outcomes.setdefault(receipt.recipient, Counter())[receipt.outcome] += 1
    for receipt in found.own:
        if receipt.view is not None:
            outcomes.setdefault(receipt.recipient, Counter())[MADE] += 1
    verdict = Verdict(written.total, len({(view.recipient, view.id) for view in found.views}), outcomes)
    _arrival(verdict, recipients, written, expected)
    _receipts(verdict, expected, found)
    _views(verdict, found)
    _refusals(verdict, written, expected, found)
    _sinks(verdict, found)
    return verdict


def _arrival(verdict: Verdict, recipients: Sequence[str], written: Written, expected: Expected) -> None:
    """What was written must have come to a member's topic, and be accepted or refused there as it was meant to be."""
    accepted = {record for record, _ in expected.receipts}
    for record in written.accepted - accepted:
        for recipient in recipients:
            verdict.note("lost", f"{record} never came, or was not accepted", recipient)
    for record in accepted - written.accepted:
        verdict.note("strays", f"{record} was accepted, and nobody wrote it")
    for record in written.contradicted - expected.contradicted:
        verdict.note("lost", f"the report that contradicts {record} was not refused")
    for _ in written.strays - expected.strays:
        verdict.note("lost", "bytes that were put on a member's topic did not come")


def _receipts(verdict: Verdict, expected: Expected, found: Found) -> None:
    seen = Counter((receipt.record, receipt.recipient) for receipt in found.receipts)
    for (record, recipient), times in _wrongly_often(seen, expected.receipts):
        verdict.note("duplicates" if times > 0 else "lost", f"receipt of {record} for {recipient}", recipient, abs(times))
    for receipt in found.receipts:
        wanted = expected.receipts.get((receipt.record, receipt.recipient))
        if wanted is None:
            verdict.note("strays", f"receipt of {receipt.record} for {receipt.recipient}", receipt.recipient)
        elif wanted != receipt:
            differs = ", ".join(name for name in Receipt._fields if getattr(wanted, name) != getattr(receipt, name))
            verdict.note("wrong", f"receipt of {receipt.record} for {receipt.recipient} in {differs}", receipt.recipient)


def _views(verdict: Verdict, found: Found) -> None:
    told = {(one.recipient, one.view): one for one in (*found.receipts, *found.own) if one.view is not None}
    for (record, recipient), times in Counter((one.record, one.recipient) for one in found.own).items():
        if times > 1:
            verdict.note("duplicates", f"receipt of {record} for {recipient}", recipient, times - 1)
    seen = Counter((view.recipient, view.id) for view in found.views)
    for (recipient, view), times in _wrongly_often(seen, told):
        verdict.note("duplicates" if times > 0 else "lost", f"view {view} of {recipient}", recipient, abs(times))
    for one in found.views:
        receipt = told.get((one.recipient, one.id))
        if receipt is None:
            verdict.note("strays", f"view {one.id} on {one.topic} without a receipt", one.recipient)
        elif (receipt.topic, receipt.commitment) != (one.topic, one.commitment):
            verdict.note("wrong", f"view {one.id} on {one.topic} is not what its receipt says", one.recipient)


def _refusals(verdict: Verdict, written: Written, expected: Expected, found: Found) -> None:
    by_bus = [one for one in found.refusals if one.stage != CONNECTOR]
    for place, times in _wrongly_often(Counter(one.place for one in by_bus), expected.refusals):
        verdict.note("duplicates" if times > 0 else "lost", f"reject of {place}", None, abs(times))
    for one in by_bus:
        wanted = expected.refusals.get(one.place) if one.place is not None else None
        if wanted is None:
            verdict.note("strays", f"reject of {one.place}: {one.code}")
        elif wanted != one:
            verdict.note("wrong", f"reject of {one.place}: {one.code} for {wanted.code}")
    by_connector = Counter(one.input for one in found.refusals if one.stage == CONNECTOR)
    for identifier in written.refused - by_connector.keys():
        verdict.note("lost", f"reject of the line {identifier}")
    for identifier in by_connector.keys() - written.refused:
        verdict.note("strays", f"reject of the line {identifier}")
    verdict.sent_again += by_connector.total() - len(by_connector)


def _sinks(verdict: Verdict, found: Found) -> None:
    for (sink, recipient), held in found.sinks.items():
        views = {view.id for view in found.views if view.recipient == recipient}
        seen = Counter(held)
        for view, times in _wrongly_often(seen, views):
            verdict.note("duplicates" if times > 0 else "lost", f"view {view} in {sink} of {recipient}", recipient, abs(times))
        for view in seen.keys() - views:
            verdict.note("strays", f"view {view} in {sink} of {recipient}", recipient)


def _wrongly_often(seen: Counter[Any], wanted: Iterable[Any]) -> Iterator[tuple[Any, int]]:
    """Give whatever is not there once: -1 where a wanted one is missing, how many too many of any there are."""
    yield from ((one, -1) for one in wanted if not seen[one])
    yield from ((one, times - 1) for one, times in seen.items() if times > 1)
