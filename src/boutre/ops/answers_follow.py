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
from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition

from boutre.errors import Unavailable
from boutre.ops.answers_store import Place
from boutre.ops.answers_take import Taker, reads
from boutre.processors.receipts import TOPIC as RECEIPTS

log = structlog.get_logger()

MOST: Final = 2_000
"""Messages in one transaction of the store at most, and in one sending of its outbox."""

LOOK_S: Final = 0.5
ANSWER_S: Final = 20.0

LATEST_S: Final = 60.0
"""
Seconds after which an answer that fits no view is told so. Its view's receipt was committed before the view could be read, so it is
there to be read by then.
"""

_AWAY: Final = frozenset({KafkaError._TRANSPORT, KafkaError._ALL_BROKERS_DOWN, KafkaError._TIMED_OUT})  # noqa: SLF001 - named so
_END: Final = KafkaError._PARTITION_EOF  # noqa: SLF001 - the same


@dataclass(slots=True)
class AnswersFollower:
    """
    Follows from where the store has got to; made by ``following_answers``. *now* gives seconds since 1970.
    """

    taker: Taker
    _consumer: Consumer
    _producer: Producer
    _left: set[Place]
    now: Callable[[], float] = time.time
    _refused: list[str] = field(default_factory=list)

    def take(self) -> int:
        """Take what Kafka gives within a moment, and send what follows from it; gives how many messages were read."""
        store, positions, count = self.taker.store, dict[Place, int](), 0
        messages = self._consumer.consume(MOST, LOOK_S)
        with store.transaction():
            for message in messages:
                place = (str(message.topic()), int(message.partition() or 0))
                if (error := message.error()) is not None:
                    self._heard(error, place)
                    continue
                self._left.add(place)
                self.taker.take(place[0], message.value(), int(message.timestamp()[1]))
                positions[place] = int(message.offset() or 0) + 1
                count += 1
            store.move(positions)
            ended = not any(topic == RECEIPTS for topic, _ in self._left)
            self.taker.settle(before=round((self.now() - LATEST_S) * 1000) if ended else None)
        self._send()
        return count

    @property
    def at_end(self) -> bool:
        """Whether nothing that was committed is left to read, as far as Kafka has said."""
        return not self._left

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

    def _heard(self, error: KafkaError, place: Place) -> None:
        if error.code() == _END:
            self._left.discard(place)
        elif error.code() not in _AWAY:
            raise Unavailable(f"cannot read {place[0]}: {error.name()}; look at BOUTRE_KAFKA__*")


@contextmanager
def following_answers(taker: Taker, client: Mapping[str, Any]) -> Iterator[AnswersFollower]:
    """
    Follow the way back from where the store of *taker* has got to. Raises Unavailable where Kafka does not answer.
    """
    # A group is named since librdkafka wants a name; nothing joins it and nothing is committed to it.
    own = {"group.id": "boutre.answers", "enable.auto.commit": False, "enable.auto.offset.store": False, "log_level": 2}
    read = {"isolation.level": "read_committed", "auto.offset.reset": "earliest", "enable.partition.eof": True}
    consumer = Consumer({**client, **own, **read})
    producer = Producer({**client, "enable.idempotence": True, "partitioner": "murmur2_random", "log_level": 2})
    try:
        places = _places(consumer, reads(taker.declarations), taker.store.positions())
        consumer.assign(places)
        yield AnswersFollower(taker, consumer, producer, {(place.topic, place.partition) for place in places})
    finally:
        consumer.close()
        producer.flush(ANSWER_S)


def run(follower: AnswersFollower, stopped: Callable[[], bool], *, once: bool) -> int:
    """
    Follow until told to stop, or to the end where *once*; gives how many messages were read.
    """
    taken = 0
    while not stopped():
        count = follower.take()
        taken += count
        if once and follower.at_end and not count:
            break
    return taken


def _places(consumer: Consumer, topics: tuple[str, ...], known: Mapping[Place, int]) -> list[TopicPartition]:
    try:
        found = consumer.list_topics(timeout=ANSWER_S).topics
    except KafkaException as failure:
        raise Unavailable(f"Kafka does not answer: {failure.args[0].name()}; look at BOUTRE_KAFKA__*") from None
    missing = [name for name in topics if name not in found or found[name].error is not None]
    if missing:
        raise Unavailable(f"{len(missing)} topics are missing or not yours to read, {missing[0]} first; run boutre topics plan")
    places = [(name, number) for name in topics for number in sorted(found[name].partitions)]
    return [TopicPartition(*place, known.get(place, 0)) for place in places]
