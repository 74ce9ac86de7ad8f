"""
Reads topics from their beginning to their end, by position, and makes of them what the verdict compares.
"""

from __future__ import annotations

import hashlib
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final, Literal

from confluent_kafka import Consumer, KafkaError, Message, TopicPartition

from boutre.connectors.kafka_views import polled
from boutre.connectors.opening import Opening
from boutre.errors import Refuse, Unavailable
from boutre.schemas.codec import Codec
from boutre.schemas.keys import KeyFolder
from boutre.topics.bus import Declarations
from chaos.verdict import Receipt, Refusal, View

Isolation = Literal["read_committed", "read_uncommitted"]

RECEIPTS: Final = "bus.receipt"
OWN: Final = frozenset({"bus", "observatory-movement", "observatory-contacts"})
"""Whose records nobody reported: links, alerts and detections, of which messages come depends on the order of reports."""

ANSWER_S: Final = 3.0
QUIET_S: Final = 60.0
"""Seconds without anything after which a topic that should have more is given up."""

END_OF_PARTITION: Final = KafkaError._PARTITION_EOF


def names(declarations: Declarations, *patterns: str) -> list[str]:
    """
    Give the topics of these patterns, by name.
    """
    return sorted(topic.name for topic in declarations.topics.values() if topic.pattern in patterns)


def messages(client: Mapping[str, Any], topics: Iterable[str], isolation: Isolation) -> Iterator[Message]:
    """
    Give every message of *topics*, partition by partition in order; ``Unavailable`` where a topic's end is not reached.
    """
    consumer = Consumer({
        **client,
        "group.id": f"chaos-{uuid.uuid4().hex}",
        "isolation.level": isolation,
        "enable.auto.commit": False,
        "enable.partition.eof": True,
        "fetch.wait.max.ms": 20,
        "auto.offset.reset": "earliest",
        "log_level": 2,
    })  # fmt: skip
    try:
        told = consumer.list_topics(timeout=QUIET_S).topics
        left = {(topic, partition) for topic in topics for partition in told[topic].partitions}
        consumer.assign([TopicPartition(*place, 0) for place in sorted(left)])
        heard = time.monotonic()
        while left:
            for message in consumer.consume(1_000, 0.1):
                error = message.error()
                heard = time.monotonic()
                if error is None:
                    yield message
                elif error.code() == END_OF_PARTITION:
                    left.discard((str(message.topic()), int(message.partition() or 0)))
            if time.monotonic() - heard > QUIET_S:
                raise Unavailable(f"{len(left)} partitions cannot be read to their end, one of {min(left)[0]}")
    finally:
        consumer.close()


def headers(message: Message) -> dict[str, bytes]:
    """
    Give the headers of a message as a step sees them: those that have a value.
    """
    told: Any = message.headers() or ()  # the stubs have several forms of it, of which a consumer gives one
    return {name: value for name, value in told if value is not None}


class Ends:
    """
    Asks where partitions end, for who reads everything and for who reads what is committed.
    """

    def __init__(self, client: Mapping[str, Any]) -> None:
        told = {**client, "group.id": "chaos-ends", "log_level": 2}
        self._committed = Consumer({**told, "isolation.level": "read_committed"})
        self._all = Consumer({**told, "isolation.level": "read_uncommitted"})

    def undecided(self, place: tuple[str, int]) -> bool:
        """Whether something stands there of which it is not known yet whether it counts: a transaction is open."""
        # In this order: what is committed between the two answers would look undecided.
        last = self._all.get_watermark_offsets(TopicPartition(*place), timeout=ANSWER_S, cached=False)[1]
        stable = self._committed.get_watermark_offsets(TopicPartition(*place), timeout=ANSWER_S, cached=False)[1]
        return bool(stable < last)

    def close(self) -> None:
        """Leave."""
        self._committed.close()
        self._all.close()


def receipts(client: Mapping[str, Any], codec: Codec) -> tuple[list[Receipt], list[Receipt]]:
    """
    Give every receipt of what members reported, and every one of what the bus itself made of that.
    """
    reported: list[Receipt] = []
    own: list[Receipt] = []
    for message in messages(client, [RECEIPTS], "read_committed"):
        value = codec.decode(message.value()).value
        (own if value["member"] in OWN else reported).append(Receipt(*(value[name] for name in Receipt._fields)))
    return reported, own


def receipt(codec: Codec, data: bytes | None) -> Receipt:
    """
    Read one receipt.
    """
    value = codec.decode(data).value
    return Receipt(*(value[name] for name in Receipt._fields))


def views(client: Mapping[str, Any], codec: Codec, recipient: str, topics: Iterable[str], keys: KeyFolder) -> list[View]:
    """
    Give every view on the topics of one recipient, as a reader of its own sees them: proved, and opened with its private keys.
    """
    found, opening, key = [], Opening.of(keys), keys.recipient(recipient)
    for message in messages(client, topics, "read_committed"):
        stood = polled(message)
        data = opening.frame(stood.sent, recipient, stood.place)
        identifier = str(codec.decode(data).value["id"])
        found.append(
            View(recipient, str(message.topic()), identifier, hashlib.blake2b(data, key=key[:64], digest_size=32).digest())
        )
    return found


def refusals(client: Mapping[str, Any], codec: Codec, topics: Iterable[str]) -> list[Refusal]:
    """
    Give every reject that the bus or a connector wrote.
    """
    return [refusal(codec, message.value()) for message in messages(client, topics, "read_committed")]


def refusal(codec: Codec, data: bytes | None) -> Refusal:
    """
    Read one reject; what cannot be read as one is one that nobody expects.
    """
    try:
        value = codec.decode(data).value
    except Refuse as refused:
        return Refusal("nobody", refused.code, "")
    place = value["place"]
    stood = (place["topic"], place["partition"], place["offset"]) if place["topic"] is not None else None
    return Refusal(str(value["stage"]), str(value["code"]), str(value["input"]), stood)


def aborted(client: Mapping[str, Any], topics: Iterable[str], say: Callable[[str], None] = lambda _line: None) -> dict[str, int]:
    """
    Give, by topic, how many messages a read_uncommitted reader sees that a read_committed one does not: what kills left behind.
    """
    topics = list(topics)
    seen: dict[Isolation, Counter[str]] = {}
    for isolation in ("read_uncommitted", "read_committed"):
        say(f"count what a {isolation} reader sees")
        seen[isolation] = Counter(str(message.topic()) for message in messages(client, topics, isolation))
    return dict(seen["read_uncommitted"] - seen["read_committed"])
