"""
Reads every receipt of a bus, from the first to what is there now.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from confluent_kafka import Consumer, KafkaError, TopicPartition

from boutre.errors import Refuse, Unavailable
from boutre.ops.settings import Settings
from boutre.processors.receipts import TOPIC
from boutre.schemas.codec import Codec

ANSWER_S: Final = 15.0
"""Seconds that a broker may take to answer."""


def receipts(settings: Settings, codec: Codec) -> Iterator[dict[str, Any]]:
    """
    Give the receipts that were committed, partition by partition. Raises Unavailable where the broker, or the topic, is.
    """
    consumer = Consumer({**settings.kafka.consumer("boutre-receipts"), "enable.partition.eof": True, "log_level": 2})
    try:
        topic = consumer.list_topics(TOPIC, timeout=ANSWER_S).topics[TOPIC]
        if topic.error is not None:
            raise Unavailable(f"{TOPIC} is missing, or not yours to read: it is for operations")
        consumer.assign([TopicPartition(TOPIC, number, 0) for number in topic.partitions])
        left = len(topic.partitions)
        while left:
            found = consumer.consume(1_000, ANSWER_S)
            if not found:
                raise Unavailable(f"{TOPIC} cannot be read to its end; look at BOUTRE_KAFKA__*")
            for message in found:
                error = message.error()
                if error is None:
                    try:
                        yield codec.decode(message.value()).value
                    except Refuse as refused:
                        raise Unavailable(f"{TOPIC} holds what the bus cannot have written: {refused.code}") from None
                elif error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001 - the client's own name for the end
                    left -= 1
                else:
                    raise Unavailable(f"cannot read {TOPIC}: {error.name()}")
    finally:
        consumer.close()
