"""
Sends one message, by a party's own rights, and waits until Kafka has it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from confluent_kafka import KafkaError, Producer

from boutre.errors import Unavailable
from boutre.ops.settings import Settings
from boutre.ops.whole_topic import ANSWER_S


def send(settings: Settings, topic: str, key: str, frame: bytes, headers: Sequence[tuple[str, str | bytes | None]] = ()) -> None:
    """
    Send a frame and wait until Kafka has it. Raises Unavailable where it does not take it.
    """
    refused: list[KafkaError] = []

    def delivered(error: KafkaError | None, _: Any) -> None:
        if error is not None:
            refused.append(error)

    own = {"enable.idempotence": True, "partitioner": "murmur2_random", "log_level": 2}
    producer = Producer({**settings.kafka.client(), **own})
    producer.produce(topic, frame, key.encode(), headers=list(headers), on_delivery=delivered)
    if producer.flush(ANSWER_S) or refused:
        why = refused[0].name() if refused else "no answer"
        raise Unavailable(
            f"{topic} was not written ({why}); it is for its party alone: look at BOUTRE_KAFKA__*, boutre access plan"
        )
