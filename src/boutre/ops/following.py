"""
What those have in common who follow topics beside the processors: each reads what was committed, from where its store has got to.

They join no group and commit nothing to Kafka: how far was read stands in the store, in one transaction with what came of it.
Topics to which members and recipients write are read as hostile, by ``processors.runtime.reader``; those of the bus alone here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final, Protocol

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from boutre.errors import BusError, Unavailable
from boutre.health import OWN

MOST: Final = 2_000
"""Messages in one look at most, and so in one transaction of a store, where they are the bus's own and small."""

FETCHED: Final = 1_048_576
QUEUED_KILOBYTES: Final = 16_384
"""How much is fetched ahead, of all partitions together."""

LOOK_S: Final = 0.5
ANSWER_S: Final = 20.0
"""Seconds that a look waits, and that a broker may take."""

AWAY: Final = frozenset({KafkaError._TRANSPORT, KafkaError._ALL_BROKERS_DOWN, KafkaError._TIMED_OUT})  # noqa: SLF001 - named so
END: Final = KafkaError._PARTITION_EOF  # noqa: SLF001 - the same

LOOK: Final = "a look"
WORK: Final = "what was committed and not read"
"""What a follower's health is told of."""

Place = tuple[str, int]
"""A topic and one of its partitions."""


class Behind(BusError):  # noqa: N818 - named for what it says
    """
    Kafka does not hold what a store has to read next.
    """


class Follower(Protocol):
    """
    Takes what Kafka gives.
    """

    def take(self) -> int:
        """Take what there is within a moment; gives how many messages it was."""

    @property
    def at_end(self) -> bool:
        """Whether nothing that was committed is left to read, as far as Kafka has said."""


@dataclass(slots=True)
class Reading:
    """
    What is read: of which places more is to come, and how far each was read (the next offset); made by ``reading``.
    """

    consumer: Consumer
    left: set[Place]
    reached: dict[Place, int]

    def look(self) -> list[tuple[Place, Message]]:
        """Give what there is within a moment. Raises Unavailable where a topic cannot be read; one that is away is waited for."""
        found = []
        for message in self.consumer.consume(MOST, LOOK_S):
            place = (str(message.topic()), int(message.partition() or 0))
            if (error := message.error()) is None:
                self.left.add(place)
                self.reached[place] = int(message.offset() or 0) + 1
                found.append((place, message))
            elif error.code() == END:
                self.left.discard(place)
                # Behind the marks of transactions, which are no messages: retention takes those as well.
                self.reached[place] = max(self.reached[place], int(message.offset() or 0))
            elif error.code() not in AWAY:
                raise unreadable(place[0], error)
        return found


@contextmanager
def reading(consumer: Consumer, places: Mapping[Place, int]) -> Iterator[Reading]:
    """
    Read *places* from the offset of each.
    """
    consumer.assign([TopicPartition(topic, number, begin) for (topic, number), begin in places.items()])
    yield Reading(consumer, set(places), dict(places))


@contextmanager
def consumer_of(client: Mapping[str, Any], name: str) -> Iterator[Consumer]:
    """
    Give a consumer for the follower *name*, of what was committed.
    """
    # A group is named since librdkafka wants a name; nothing joins it and nothing is committed to it.
    own = {"group.id": f"boutre.{name}", "enable.auto.commit": False, "enable.auto.offset.store": False, "log_level": 2}
    read = {
        "isolation.level": "read_committed",
        "auto.offset.reset": "error",
        "enable.partition.eof": True,
        "queued.max.messages.kbytes": QUEUED_KILOBYTES,
        "fetch.message.max.bytes": FETCHED,
    }
    consumer = Consumer({**client, **own, **read})
    try:
        yield consumer
    finally:
        consumer.close()


def partitions(consumer: Consumer, topics: Iterable[str]) -> list[Place]:
    """
    Give every partition of *topics*; raises Unavailable where one is missing, or Kafka does not answer.
    """
    wanted = tuple(topics)
    try:
        found = consumer.list_topics(timeout=ANSWER_S).topics
    except KafkaException as failure:
        raise silent(failure) from None
    missing = [name for name in wanted if name not in found or found[name].error is not None or not found[name].partitions]
    if missing:
        rest = f", nor {len(missing) - 1} more" if len(missing) > 1 else ""
        raise Unavailable(f"the topic {missing[0]} is missing or not yours to read{rest}; run boutre topics plan")
    return [(name, number) for name in wanted for number in sorted(found[name].partitions)]


def ends(consumer: Consumer, place: Place) -> tuple[int, int]:
    """
    Give the first offset that Kafka still has of a partition, and the one behind its last. Raises Unavailable.
    """
    try:
        low, high = consumer.get_watermark_offsets(TopicPartition(*place), timeout=ANSWER_S)
    except KafkaException as failure:
        raise silent(failure) from None
    return int(low), int(high)


def there(low: int, high: int) -> str:
    """
    Say what Kafka holds of a partition.
    """
    return f"Kafka holds {low} to {high - 1}" if high > low else "Kafka holds none of that partition"


def run(follower: Follower, stopped: Callable[[], bool], *, once: bool) -> int:
    """
    Follow until told to stop, or to the end where *once*; gives how many messages were read.
    """
    taken = 0
    while not stopped():
        OWN.begun(LOOK)
        some = follower.take()
        OWN.idle(LOOK)
        taken += some
        if follower.at_end:
            OWN.idle(WORK)
        else:
            OWN.begun(WORK)
        if some:
            OWN.acknowledged(WORK)
        if once and follower.at_end:
            break
    return taken


def silent(failure: KafkaException) -> Unavailable:
    """
    Give the error for a Kafka that does not answer.
    """
    return Unavailable(f"Kafka does not answer: {failure.args[0].name()}; look at BOUTRE_KAFKA__*")


def unreadable(topic: str, error: KafkaError) -> Unavailable:
    """
    Give the error for a topic that cannot be read.
    """
    return Unavailable(f"cannot read {topic}: {error.name()}; look at BOUTRE_KAFKA__*")
