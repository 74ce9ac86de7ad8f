"""
The bus in memory: the same processors, without Kafka. For tests, and for an integrator's laptop.

Every topic is a list; records go round until nothing moves. It keeps no order between topics, has one partition for each topic, and
forgets everything at its end: what it cannot do (rebalances, crashes) is tested on Kafka.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from boutre.processors.decision import Inbound, Outbound
from boutre.processors.finish import begin, finished
from boutre.processors.handle import Handled, Handler
from boutre.processors.windows import InMemory


@dataclass(slots=True)
class LocalBus:
    """
    Handlers, and every topic as the list of what was written to it.

    Views stand there as they are before they are sealed and signed, as non-interference is judged; *sealed* finishes them.
    """

    handlers: tuple[Handler, ...]
    topics: dict[str, list[Outbound]] = field(default_factory=dict)
    sealed: bool = False
    states: dict[str, InMemory] = field(default_factory=dict)
    handled: list[tuple[str, Handled]] = field(default_factory=list)

    def publish(self, records: Iterable[Outbound]) -> None:
        """Write *records*, and let everything that follows from them happen."""
        for record in records:
            self._write(record)

    def read(self, topic: str) -> list[Outbound]:
        """Give all that was written to *topic*."""
        return list(self.topics.get(topic, ()))

    def _write(self, record: Outbound) -> None:
        written = self.topics.setdefault(record.topic, [])
        written.append(record)
        for handler in self.handlers:
            if record.topic in handler.processor.reads:
                self._handle(handler, record, len(written) - 1)

    def _handle(self, handler: Handler, record: Outbound, offset: int) -> None:
        state = self.states.setdefault(handler.processor.name, InMemory(handler.processor.windows))
        state.see(record.timestamp)
        begin(handler.processor.finish)
        inbound = Inbound(record.topic, 0, offset, record.key, record.value, dict(record.headers), record.timestamp)
        handled = handler(inbound, state)
        state.add(handled.changes)
        self.handled.append((handler.processor.name, handled))
        for out in finished(handler.processor.finish, handled.records) if self.sealed else handled.records:
            self._write(out)
