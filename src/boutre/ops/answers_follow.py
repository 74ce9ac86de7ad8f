"""
Follows the way back on Kafka: reads receipts, recalls, answers and replies, each once, and sends what follows from them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import structlog
from confluent_kafka import KafkaError, Producer

from boutre.ops.answers_take import Taker, reads
from boutre.ops.following import ANSWER_S, LOOK_S, MOST
from boutre.processors.receipts import TOPIC as RECEIPTS
from boutre.processors.runtime.connection import Connection
from boutre.processors.runtime.reader import Place, Reader

log = structlog.get_logger()

LATEST_S: Final = 60.0
"""
Seconds after which an answer that fits no view is told so. Its view's receipt was committed before the view could be read, so it is
there to be read by then.
"""


@dataclass(slots=True)
class AnswersFollower:
    """
    Follows from where the store has got to; made by ``following_answers``. *now* gives seconds since 1970.
    """

    taker: Taker
    _reader: Reader
    _producer: Producer
    now: Callable[[], float] = time.time
    _refused: list[str] = field(default_factory=list)

    def take(self) -> int:
        """Take what Kafka gives within a moment, and send what follows from it; gives how many messages were read."""
        store, positions = self.taker.store, dict[Place, int]()
        messages = self._reader.look(MOST, LOOK_S)
        with store.transaction():
            for message in messages:
                self.taker.take(message.topic, message.value, message.timestamp)
                positions[message.topic, message.partition] = message.offset + 1
            store.move(positions)
            ended = not any(topic == RECEIPTS for topic, _ in self._reader.left())
            self.taker.settle(before=round((self.now() - LATEST_S) * 1000) if ended else None)
        self._send()
        return len(messages)

    @property
    def at_end(self) -> bool:
        """Whether nothing that was committed is left to read, as far as Kafka has said."""
        return not self._reader.left()

    def _send(self) -> None:
        """Send the outbox in its order; what Kafka does not acknowledge stays in it."""
        while rows := self.taker.store.outbox(MOST):
            done: list[int] = []
            self._refused.clear()
            for number, topic, key, value in rows:
                self._producer.produce(topic, value, key, on_delivery=self._delivered(number, done))
            self._producer.flush(ANSWER_S)
            if done:
                self.taker.store.sent(done)
            if len(done) < len(rows):
                log.warning("answers.not-sent", waiting=len(rows) - len(done), reasons=sorted(set(self._refused)))
                return

    def _delivered(self, number: int, done: list[int]) -> Callable[[KafkaError | None, Any], None]:
        def told(error: KafkaError | None, _: Any) -> None:
            if error is None:
                done.append(number)
            else:
                self._refused.append(error.name())

        return told


@contextmanager
def following_answers(taker: Taker, client: Mapping[str, Any]) -> Iterator[AnswersFollower]:
    """
    Follow the way back from where the store of *taker* has got to. Raises Unavailable where Kafka does not answer.
    """
    with Reader(Connection.of(client), "earliest") as reader:
        known = taker.store.positions()
        reader.begin({place: known.get(place, 0) for place in reader.partitions(reads(taker.declarations))})
        producer = Producer({**client, "enable.idempotence": True, "partitioner": "murmur2_random", "log_level": 2})
        try:
            yield AnswersFollower(taker, reader, producer)
        finally:
            producer.flush(ANSWER_S)
