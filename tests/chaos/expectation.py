"""
What must come of the records on the members' topics: the same steps, one record after the other, in memory and without a kill.

It says of what was reported what ``boutre.processors.local.LocalBus`` says (a test holds the two together), and keeps the account
only: that keeps everything, which for a hundred thousand records is too much.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from boutre.errors import Refuse
from boutre.processors.accept import Accept
from boutre.processors.decision import Inbound, Outbound
from boutre.processors.handle import Handler
from boutre.processors.release import Release
from boutre.schemas.codec import Codec
from chaos.reading import RECEIPTS, receipt, refusal
from chaos.verdict import Expected, Place, Receipt, Refusal

CONTRADICTS = "changed-without-revision"


class Expectation:
    """
    Takes the records of the members' topics, in order, and keeps what must come of them.
    """

    def __init__(self, handlers: Iterable[Handler], codec: Codec) -> None:
        self._readers: dict[str, list[Handler]] = {}
        for handler in handlers:
            # What is made of several reports depends on their order, and is nobody's report: it is not expected message by message.
            if not isinstance(handler.processor.step, (Accept, Release)):
                continue
            for topic in handler.processor.reads:
                self._readers.setdefault(topic, []).append(handler)
        self._codec = codec
        self._states: dict[str, dict[str, Any]] = {}
        self._offsets: dict[str, int] = {}
        self._receipts: dict[tuple[str, str], Receipt] = {}
        self._refusals: dict[Place, Refusal] = {}
        self._contradicted: set[str] = set()
        self._strays: set[bytes] = set()

    def take(self, record: Inbound) -> None:
        """Handle one record, and all that follows from it."""
        for handler in self._readers.get(record.topic, ()):
            state = self._states.setdefault(handler.processor.name, {})
            handled = handler(record, state)
            for key, value in handled.changes.items():
                if value is None:
                    state.pop(key, None)
                else:
                    state[key] = value
            for out in handled.records:
                self._written(record, out)

    def result(self) -> Expected:
        """Give what must be there."""
        return Expected(self._receipts, self._refusals, frozenset(self._contradicted), frozenset(self._strays))

    def _written(self, cause: Inbound, out: Outbound) -> None:
        if out.topic == RECEIPTS:
            told = receipt(self._codec, out.value)
            self._receipts[told.record, told.recipient] = told
        elif out.topic.startswith("rejects."):
            self._refused(cause, refusal(self._codec, out.value))
        elif out.topic in self._readers:
            offset = self._offsets.get(out.topic, 0)
            self._offsets[out.topic] = offset + 1
            self.take(Inbound(out.topic, 0, offset, out.key, out.value, dict(out.headers), out.timestamp))

    def _refused(self, cause: Inbound, told: Refusal) -> None:
        self._refusals[cause.topic, cause.partition, cause.offset] = told
        if told.code == CONTRADICTS:
            self._contradicted.add(self._named(cause))
        elif cause.value is not None:
            self._strays.add(cause.value)

    def _named(self, record: Inbound) -> str:
        try:
            return str(self._codec.decode(record.value).value["id"])
        except Refuse:
            return ""
