"""
Reads the receipts of a bus into its audit log, once each.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import structlog
from confluent_kafka import Consumer, Message, TopicPartition

from boutre.errors import Refuse, Unavailable
from boutre.ops.audit_store import Item, Store
from boutre.ops.following import (
    ANSWER_S,
    AWAY,
    END,
    LOOK_S,
    MOST,
    Behind,
    Reading,
    consumer_of,
    ends,
    partitions,
    reading,
    there,
    unreadable,
)
from boutre.processors.receipts import KIND, TOPIC
from boutre.schemas.audit.entry import BUS, Release
from boutre.schemas.codec import Codec
from boutre.schemas.identity import place_id

log = structlog.get_logger(__name__)

NAME = "audit"


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
    _reading: Reading

    def take(self) -> int:
        """Take what Kafka gives within a moment into the log; gives how many receipts it was."""
        found: list[Item] = []
        positions: dict[int, int] = {}
        messages = self._reading.look()
        for (_, partition), message in messages:
            offset = int(message.offset() or 0)
            found.extend(items(self.codec, partition, offset, message.value()))
            positions[partition] = offset + 1
        if positions:
            self.store.append(self.key, found, positions)
            log.info("audit.taken", receipts=len(messages))
        return len(messages)

    @property
    def at_end(self) -> bool:
        """Whether nothing that was committed is left to read, as far as Kafka has said."""
        return not self._reading.left


@contextmanager
def following(store: Store, codec: Codec, key: bytes, client: Mapping[str, Any]) -> Iterator[Follower]:
    """
    Follow the receipts from where *store* has got to.

    Raises Unavailable where Kafka does not answer, Behind where it does not hold what comes next: then receipts would be missing.
    """
    with consumer_of(client, NAME) as consumer, reading(consumer, _places(consumer, store.positions())) as read:
        yield Follower(store, codec, key, read)


def receipt_at(client: Mapping[str, Any], partition: int, offset: int) -> bytes | None:
    """
    Fetch one receipt from Kafka; None where it is no longer there. Raises Unavailable where Kafka does not answer.
    """
    with consumer_of(client, NAME) as consumer:
        low, high = ends(consumer, (TOPIC, partition))
        if not low <= offset < high:
            return None
        consumer.assign([TopicPartition(TOPIC, partition, offset)])
        message: Message | None = consumer.poll(ANSWER_S)
        if message is None:
            raise Unavailable(f"{TOPIC} gives nothing; look at BOUTRE_KAFKA__*")
        if (error := message.error()) is not None:
            if error.code() == END:
                return None
            raise unreadable(TOPIC, error)
        return message.value() if message.offset() == offset else None


@contextmanager
def read_again(
    client: Mapping[str, Any], positions: Mapping[int, int]
) -> Iterator[tuple[dict[int, int], Iterator[tuple[int, int, bytes | None]]]]:
    """
    Read the receipts before *positions* once more: the first offset that Kafka still has of each partition, and what it holds.

    Raises Unavailable where Kafka does not answer.
    """
    with consumer_of(client, NAME) as consumer:
        lows = {partition: ends(consumer, (TOPIC, partition))[0] for partition in positions}
        yield lows, _before(consumer, lows, positions)


def _before(consumer: Consumer, lows: Mapping[int, int], positions: Mapping[int, int]) -> Iterator[tuple[int, int, bytes | None]]:
    left = {partition for partition, low in lows.items() if low < positions[partition]}
    consumer.assign([TopicPartition(TOPIC, partition, lows[partition]) for partition in left])
    silent_since = time.monotonic()
    while left:
        for message in consumer.consume(MOST, LOOK_S):
            silent_since = time.monotonic()
            partition, offset = int(message.partition() or 0), int(message.offset() or 0)
            error = message.error()
            if error is not None and error.code() not in {END, *AWAY}:
                raise unreadable(TOPIC, error)
            if error is None and offset < positions[partition]:
                yield partition, offset, message.value()
            if (error is not None and error.code() == END) or (error is None and offset + 1 >= positions[partition]):
                left.discard(partition)
        if time.monotonic() - silent_since > ANSWER_S:
            raise Unavailable(f"{TOPIC} gives nothing more; look at BOUTRE_KAFKA__*")


def _places(consumer: Consumer, known: Mapping[int, int]) -> dict[tuple[str, int], int]:
    places = {}
    for place in partitions(consumer, (TOPIC,)):
        (_, partition), (low, high) = place, ends(consumer, place)
        begin = places[place] = known.get(partition, low)
        if not low <= begin <= high:
            raise Behind(
                f"{TOPIC}, partition {partition}: the log goes on at offset {begin}, and {there(low, high)}: "
                "the topic was made anew or receipts were deleted before they were read. "
                "Keep this log with its checkpoints, and begin another with --folder"
            )
    return places
