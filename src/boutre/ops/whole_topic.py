"""
Reads a topic of one kind of record, from its first to what is there now.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from boutre.errors import Refuse, Unavailable
from boutre.ops.settings import Settings
from boutre.schemas.codec import Codec

ANSWER_S: Final = 20.0
"""Seconds that a broker may take."""


def values(settings: Settings, codec: Codec, topic: str, kind: str, group: str) -> Iterator[dict[str, Any]]:
    """
    Give what was committed, partition by partition; nothing joins *group*, whose name the cluster's rules must allow.

    Raises Unavailable where the broker does not answer, or the topic cannot be read.
    """
    consumer = Consumer({**settings.kafka.consumer(group), "enable.partition.eof": True, "log_level": 2})
    try:
        found = consumer.list_topics(topic, timeout=ANSWER_S).topics[topic]
        if found.error is not None:
            raise Unavailable(f"{topic} is missing, or not yours to read")
        consumer.assign([TopicPartition(topic, number, 0) for number in found.partitions])
        left = set(found.partitions)
        while left:
            # The first is waited for, and what is there with it: who waits for a thousand waits in vain at the end.
            first = consumer.poll(ANSWER_S)
            if first is None:
                raise Unavailable(f"{topic} cannot be read to its end; look at BOUTRE_KAFKA__*")
            for message in [first, *consumer.consume(1_000, 0)]:
                error = message.error()
                if error is None:
                    yield _value(codec, topic, kind, message.value())
                elif error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001 - the client's own name for the end
                    left.discard(int(message.partition() or 0))  # at its end more than once, where records come meanwhile
                else:
                    raise Unavailable(f"cannot read {topic}: {error.name()}")
    except KafkaException as failure:
        raise Unavailable(f"Kafka does not answer: {failure.args[0].name()}; look at BOUTRE_KAFKA__*") from None
    finally:
        consumer.close()


def _value(codec: Codec, topic: str, kind: str, frame: bytes | None) -> dict[str, Any]:
    try:
        return codec.decode(frame, frozenset({kind})).value
    except Refuse as refused:
        raise Unavailable(f"{topic} holds what the bus cannot have written: {refused.code}") from None
