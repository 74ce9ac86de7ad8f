"""
How far a broker's clock is from this machine's, measured without a word on any topic of the bus.

A group's position is committed, of a group that nobody else has. Its coordinator writes that down in ``__consumer_offsets`` with
the time by its own clock, between our question and its answer; so half of what the two are apart is how far wrong it may be. It is
the clock of that one broker; and who may not read that topic cannot measure.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping
from typing import Any, Final

from confluent_kafka import Consumer, KafkaException, Message, TopicPartition
from confluent_kafka.admin import AdminClient

from boutre.errors import Unavailable
from boutre.ops.doctor.cluster import Skew

GROUP: Final = "boutre.doctor"
OFFSETS: Final = "__consumer_offsets"

TIMES: Final = 3
"""How often is asked; the shortest answer counts, as it can be least wrong. The first one makes the connection."""

RESOLUTION_S: Final = 0.001
"""Kafka's times are in milliseconds."""


def skew(client: Mapping[str, Any], topic: str, patience: float = 10.0) -> Skew:
    """
    Measure; *topic* is one that is there, for a position of the group in it.

    Raises:
        Unavailable: it cannot be measured with these rights, or within *patience* seconds.
    """
    word = f"clock-{secrets.token_hex(8)}"
    own = {"group.id": GROUP, "enable.auto.commit": False, "isolation.level": "read_uncommitted", "log_level": 0}
    try:
        consumer = Consumer({**client, **own})
    except KafkaException as failure:
        raise _unmeasured(failure) from None
    try:
        return _measured(consumer, topic, word, time.monotonic() + patience)
    except KafkaException as failure:
        raise _unmeasured(failure) from None
    finally:
        consumer.close()
        _forgotten(client)


def _measured(consumer: Consumer, topic: str, word: str, until: float) -> Skew:
    # A cluster on which nobody ever committed has no place for positions yet: the first commit makes it, and fails meanwhile.
    while True:
        try:
            consumer.commit(offsets=[TopicPartition(topic, 0, 0)], asynchronous=False)
            found = consumer.list_topics(OFFSETS, timeout=5).topics[OFFSETS]
            if found.error is None and found.partitions:
                break
        except KafkaException:
            if time.monotonic() > until:
                raise
        if time.monotonic() > until:
            raise Unavailable(f"this user may not read {OFFSETS}")
        time.sleep(0.1)
    place = TopicPartition(OFFSETS, _partition(GROUP, len(found.partitions)))
    _, place.offset = consumer.get_watermark_offsets(place, timeout=5)
    asked: dict[bytes, tuple[float, float]] = {}
    for number in range(TIMES):
        mark = f"{word}-{number}"
        began = time.time()
        consumer.commit(offsets=[TopicPartition(topic, 0, 0, mark)], asynchronous=False)
        asked[mark.encode()] = began, time.time()
    consumer.assign([place])
    best: Skew | None = None
    while asked and time.monotonic() < until:
        message = consumer.poll(0.2)
        seen = None if message is None or message.error() else _mark(message, asked)
        if message is None or seen is None:
            continue
        began, ended = asked.pop(seen)
        error = (ended - began) / 2 + RESOLUTION_S
        one = Skew(int(message.timestamp()[1]) / 1000 - (began + ended) / 2, error)
        best = one if best is None or one.error_s < best.error_s else best
    if best is None:
        raise Unavailable(f"{OFFSETS} did not show what was committed in time")
    return best


def _mark(message: Message, asked: Mapping[bytes, object]) -> bytes | None:
    value = message.value() or b""
    return next((mark for mark in asked if mark in value), None)


def _partition(group: str, count: int) -> int:
    """Give where Kafka keeps a group: by the absolute value of the hash of Java's strings (GroupCoordinator.partitionFor)."""
    number = 0
    for letter in group:
        number = (31 * number + ord(letter)) & 0xFFFFFFFF
    signed = number - (1 << 32) if number >= 1 << 31 else number
    return abs(signed) % count if signed != -(1 << 31) else 0


def _forgotten(client: Mapping[str, Any]) -> None:
    # The group is of no use afterwards; where it may not be deleted, Kafka forgets it after its own time.
    try:
        for future in AdminClient({**client, "log_level": 0}).delete_consumer_groups([GROUP], request_timeout=3).values():
            future.result(4)
    except (KafkaException, TimeoutError):
        return


def _unmeasured(failure: KafkaException) -> Unavailable:
    return Unavailable(f"the clock cannot be measured: {failure.args[0].name()}")
