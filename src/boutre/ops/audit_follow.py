"""
Reads the receipts of a bus into its audit log, once each.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import structlog
from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from boutre.errors import BusError, Refuse, Unavailable
from boutre.ops.audit_store import Item, Store
from boutre.processors.receipts import KIND, TOPIC
from boutre.schemas.audit.entry import BUS, Release
from boutre.schemas.codec import Codec
from boutre.schemas.identity import place_id

log = structlog.get_logger(__name__)

MOST: Final = 2_000
"""Receipts in one transaction of the log at most."""

LOOK_SECONDS: Final = 0.5
ANSWER_SECONDS: Final = 20.0

_AWAY: Final = frozenset({KafkaError._TRANSPORT, KafkaError._ALL_BROKERS_DOWN, KafkaError._TIMED_OUT})  # noqa: SLF001 - named so
_END: Final = KafkaError._PARTITION_EOF  # noqa: SLF001 - the same


class Behind(BusError):  # noqa: N818 - named for what it says
    """
    Kafka does not hold what the log has to read next.
    """


def items(codec: Codec, partition: int, offset: int, frame: bytes | None) -> tuple[Item, ...]:
    """
    Give the entries that one receipt becomes: one in the bus's log, one more in that of its recipient where it was delivered.

    What cannot be read becomes an entry all the same, under the name of its place: nothing that stands on the topic is left out.
    """
    content = frame or b""
    try:
        value = codec.decode(frame, frozenset({KIND})).value
    except Refuse as refused:
        log.warning("audit.unreadable", topic=TOPIC, partition=partition, offset=offset, reason=refused.code)
        return (Item(BUS, content, place_id(TOPIC, partition, offset), partition, offset),)
    own = Item(BUS, content, value["id"], partition, offset)
    release = Release.of(value)
    if release is None:
        return (own,)
    return own, Item(release.recipient, release.content(), value["id"], partition, offset, release.view)


@dataclass(slots=True)
class Follower:
    """
    Follows the receipts' topic from where the log has got to; made by ``following``.
    """

    store: Store
    codec: Codec
    key: bytes
    _consumer: Consumer
    _left: set[int]

    def take(self) -> int:
        """Take what Kafka gives within a moment into the log; gives how many receipts it was."""
        found: list[Item] = []
        positions: dict[int, int] = {}
        count = 0
        for message in self._consumer.consume(MOST, LOOK_SECONDS):
            partition, offset = int(message.partition() or 0), int(message.offset() or 0)
            if (error := message.error()) is not None:
                self._heard(error, partition)
                continue
            self._left.add(partition)
            found.extend(items(self.codec, partition, offset, message.value()))
            positions[partition] = offset + 1
            count += 1
        if positions:
            self.store.append(self.key, found, positions)
        return count

    @property
    def at_end(self) -> bool:
        """Whether nothing that was committed is left to read, as far as Kafka has said."""
        return not self._left

    def _heard(self, error: KafkaError, partition: int) -> None:
        if error.code() == _END:
            self._left.discard(partition)
        elif error.code() not in _AWAY:
            raise Unavailable(f"cannot read {TOPIC}: {error.name()}; look at BOUTRE_KAFKA__*")


@contextmanager
def following(store: Store, codec: Codec, key: bytes, client: Mapping[str, Any]) -> Iterator[Follower]:
    """
    Follow the receipts from where *store* has got to.

    Raises Unavailable where Kafka does not answer, Behind where it does not hold what comes next: then receipts would be missing.
    """
    consumer = _consumer(client)
    try:
        places = _places(consumer, store.positions())
        consumer.assign(places)
        yield Follower(store, codec, key, consumer, {place.partition for place in places})
    finally:
        consumer.close()


def run(follower: Follower, stopped: Callable[[], bool], *, once: bool) -> int:
    """
    Follow until it is told to stop, or to the end where *once*; gives how many receipts were taken.
    """
    taken = 0
    while not stopped():
        count = follower.take()
        if count:
            log.info("audit.taken", receipts=count)
        taken += count
        if once and follower.at_end:
            break
    return taken


def receipt_at(client: Mapping[str, Any], partition: int, offset: int) -> bytes | None:
    """
    Fetch one receipt from Kafka; None where it is no longer there. Raises Unavailable where Kafka does not answer.
    """
    consumer = _consumer(client)
    try:
        low, high = _ends(consumer, partition)
        if not low <= offset < high:
            return None
        consumer.assign([TopicPartition(TOPIC, partition, offset)])
        message: Message | None = consumer.poll(ANSWER_SECONDS)
        if message is None:
            raise Unavailable(f"{TOPIC} gives nothing; look at BOUTRE_KAFKA__*")
        if (error := message.error()) is not None:
            if error.code() == _END:
                return None
            raise Unavailable(f"cannot read {TOPIC}: {error.name()}; look at BOUTRE_KAFKA__*")
        return message.value() if message.offset() == offset else None
    finally:
        consumer.close()


@contextmanager
def read_again(
    client: Mapping[str, Any], positions: Mapping[int, int]
) -> Iterator[tuple[dict[int, int], Iterator[tuple[int, int, bytes | None]]]]:
    """
    Read the receipts before *positions* once more: the first offset that Kafka still has of each partition, and what it holds.

    Raises Unavailable where Kafka does not answer.
    """
    consumer = _consumer(client)
    try:
        lows = {partition: _ends(consumer, partition)[0] for partition in positions}
        yield lows, _before(consumer, lows, positions)
    finally:
        consumer.close()


def _before(consumer: Consumer, lows: Mapping[int, int], positions: Mapping[int, int]) -> Iterator[tuple[int, int, bytes | None]]:
    left = {partition for partition, low in lows.items() if low < positions[partition]}
    consumer.assign([TopicPartition(TOPIC, partition, lows[partition]) for partition in left])
    silent_since = time.monotonic()
    while left:
        for message in consumer.consume(MOST, LOOK_SECONDS):
            silent_since = time.monotonic()
            partition, offset = int(message.partition() or 0), int(message.offset() or 0)
            error = message.error()
            if error is not None and error.code() not in {_END, *_AWAY}:
                raise Unavailable(f"cannot read {TOPIC}: {error.name()}; look at BOUTRE_KAFKA__*")
            if error is None and offset < positions[partition]:
                yield partition, offset, message.value()
            if (error is not None and error.code() == _END) or (error is None and offset + 1 >= positions[partition]):
                left.discard(partition)
        if time.monotonic() - silent_since > ANSWER_SECONDS:
            raise Unavailable(f"{TOPIC} gives nothing more; look at BOUTRE_KAFKA__*")


def _consumer(client: Mapping[str, Any]) -> Consumer:
    # A group is named since librdkafka wants a name; nothing joins it and nothing is committed to it.
    own = {"group.id": "boutre.audit", "enable.auto.commit": False, "enable.auto.offset.store": False, "log_level": 2}
    read = {"isolation.level": "read_committed", "auto.offset.reset": "error", "enable.partition.eof": True}
    return Consumer({**client, **own, **read})


def _places(consumer: Consumer, known: Mapping[int, int]) -> list[TopicPartition]:
    try:
        found = consumer.list_topics(TOPIC, timeout=ANSWER_SECONDS).topics[TOPIC]
    except KafkaException as failure:
        raise Unavailable(f"Kafka does not answer: {failure.args[0].name()}; look at BOUTRE_KAFKA__*") from None
    if found.error is not None or not found.partitions:
        raise Unavailable(f"the topic {TOPIC} is missing or not yours to read; run boutre topics plan")
    places = []
    for partition in sorted(found.partitions):
        low, high = _ends(consumer, partition)
        begin = known.get(partition, low)
        if not low <= begin <= high:
            there = f"Kafka holds {low} to {high - 1}" if high > low else "Kafka holds none of that partition"
            raise Behind(
                f"{TOPIC}, partition {partition}: the log goes on at offset {begin}, and {there}: the topic was made anew or "
                "receipts were deleted before they were read. Keep this log with its checkpoints, and begin another with --folder"
            )
        places.append(TopicPartition(TOPIC, partition, begin))
    return places


def _ends(consumer: Consumer, partition: int) -> tuple[int, int]:
    try:
        low, high = consumer.get_watermark_offsets(TopicPartition(TOPIC, partition), timeout=ANSWER_SECONDS)
    except KafkaException as failure:
        raise Unavailable(f"Kafka does not answer: {failure.args[0].name()}; look at BOUTRE_KAFKA__*") from None
    return int(low), int(high)
