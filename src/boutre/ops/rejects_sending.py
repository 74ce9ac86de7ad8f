"""
Sends again what was rejected: checked as accept would, sealed and signed as its member's connectors do.

What was sent again ``MOST`` times and rejected each time for the same reason is held back: it is mended, or sent by force. How
often stands in the store of this machine and in a header of the record, whichever says more: a store may be lost, a topic is cut.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from itertools import islice
from typing import Any, Final, Literal, NamedTuple, TypeAlias

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from boutre.connectors.transport import Message, NotDelivered, Transport
from boutre.errors import Refuse, Unavailable
from boutre.ops.rejects_check import Gate
from boutre.ops.rejects_recovery import AGAIN, Recovered
from boutre.ops.rejects_store import Sent, SentAgain
from boutre.processors.accept import national_key
from boutre.schemas.cases.groups import personal, seal
from boutre.schemas.cases.pool import CaseKeys
from boutre.schemas.codec import MAX_REPORT_BYTES
from boutre.schemas.sense import Problem
from boutre.schemas.signature import sign_batch

MOST: Final = 3
"""How often a record is sent again for one reason without force."""

TOGETHER: Final = 100
"""Records after which Kafka is waited for, and what it has is remembered: so many are sent twice at the most by a kill."""

PATIENCE_S: Final = 120.0

NEVER: Final = frozenset({"case-erased"})
"""Reasons for which nothing is sent again at all, also by force: its owner had it erased."""

MENDED_ONLY: Final = frozenset({"changed-without-revision"})
"""Reasons that the check cannot see: as it is, such a record would be refused again."""

Result: TypeAlias = Literal["sent", "would-be-sent", "already-sent", "held", "to-be-mended", "unproved", "not-kept", "never"]


class Outcome(NamedTuple):
    """
    What became of one reject; *problem* is why its record would be refused again.
    """

    reject: str
    record: str
    code: str
    result: Result
    problem: Problem | None = None

    def plain(self) -> dict[str, Any]:
        """Give it as plain data."""
        why = None if self.problem is None else self.problem.code
        where = None if self.problem is None else self.problem.field
        detail = None if self.problem is None else self.problem.detail or None
        head = {"reject": self.reject, "record": self.record, "code": self.code, "result": self.result}
        return {**head, "problem": why, "field": where, "detail": detail}


class Item(NamedTuple):
    """
    A record that is to be sent because of a reject; *mended* where a person had it in hand.
    """

    reject: str
    code: str
    recovered: Recovered
    mended: bool = False


@dataclass(frozen=True, slots=True)
class Sender:
    """
    Sends for one member; with *dry* all is checked and nothing sent, sealed or remembered.
    """

    gate: Gate
    private: Ed25519PrivateKey = field(repr=False)
    cases: CaseKeys
    transport: Transport
    store: SentAgain
    clock: Callable[[], datetime]
    dry: bool = False
    force: bool = False

    def send(self, items: Iterable[Item]) -> Iterator[Outcome]:
        """
        Send these, and give what became of each, once it is safe.

        Raises Unavailable where Kafka does not take one: what came before it is remembered, and the next run goes on there.
        """
        waiting = iter(items)
        while some := list(islice(waiting, TOGETHER)):
            yield from self._together(some)

    def _together(self, items: list[Item]) -> list[Outcome]:
        outcomes: list[Outcome] = []
        safe: list[Sent] = []
        failed: list[NotDelivered] = []
        left = 0
        try:
            for item in items:
                outcome, message = self._one(item)
                outcomes.append(outcome)
                if message is not None and not failed:
                    line = Sent(item.reject, outcome.record, item.code)
                    self.transport.send(message, partial(_acknowledged, line, safe, failed))
        finally:
            # Also where case keys run out in the middle: what Kafka has by now is not sent once more.
            left = self.transport.flush(PATIENCE_S)
            self.store.add(safe, self.clock())
        if failed:
            raise Unavailable(f"Kafka did not take a record for {failed[0]}; what it has is remembered, the next run goes on there")
        if left:
            raise Unavailable(f"Kafka has not acknowledged {left} records in time; the next run goes on there")
        return outcomes

    def _one(self, item: Item) -> tuple[Outcome, Message | None]:
        recovered = item.recovered
        value = self.gate.typed(recovered.kind, recovered.document)
        if isinstance(value, Problem):
            return Outcome(item.reject, "", item.code, "to-be-mended", value), None
        record = str(value["id"])
        times = max(self.store.times(record, item.code), recovered.times)
        result, problem = self._judged(item, value, times)
        message = None
        if result == "sent":
            try:
                message = self._message(recovered.kind, value, f"{times + 1} {item.code}")
            except Refuse as refused:
                result, problem = "to-be-mended", Problem(refused.code, refused.field)
        return Outcome(item.reject, record, item.code, result, problem), message

    def _judged(self, item: Item, value: Mapping[str, Any], times: int) -> tuple[Result, Problem | None]:
        if item.code in NEVER:
            return "never", None
        if not (item.mended or item.recovered.proved):
            # Nor by force: whoever may write to a topic would have anything signed. A file of it goes through a person's hands.
            return "unproved", None
        problem = self.gate.problem(item.recovered.kind, value, self.clock())
        if problem is None and item.code in MENDED_ONLY and not item.mended:
            problem = Problem(item.code, "lifecycle.revision")
        if problem is not None:
            return "to-be-mended", problem
        if times >= MOST and not self.force:
            return "held", None
        return ("would-be-sent" if self.dry else "sent"), None

    def _message(self, kind: str, value: Mapping[str, Any], again: str) -> Message:
        codec, topic = self.gate.codec, self.gate.topic(kind)
        frame = codec.encode(kind, value)
        if personal(dict(value)):
            frame = seal(codec, codec.decode(frame), self.cases.take)
        if len(frame) > MAX_REPORT_BYTES:
            raise Refuse("too-large")
        (proof,) = sign_batch(self.private, [(topic, frame)])
        headers = (
            *proof.items(),
            ("ce_specversion", b"1.0"),
            ("ce_type", f"boutre.{kind}".encode()),
            ("ce_source", f"/{self.gate.member}/{value['origin']['feed']}".encode()),
            ("ce_id", str(value["id"]).encode()),
            ("content-type", b"application/avro"),
            (AGAIN, again.encode()),
        )
        return Message(topic, national_key(value).encode(), frame, headers)


def _acknowledged(line: Sent, safe: list[Sent], failed: list[NotDelivered], error: NotDelivered | None) -> None:
    if error is None:
        safe.append(line)
    else:
        failed.append(error)
