"""
Sends an answer, by the party's own rights.
"""

from __future__ import annotations

from typing import Any

from confluent_kafka import KafkaError, Producer

from boutre.errors import Unavailable
from boutre.ops.settings import Settings
from boutre.ops.whole_topic import ANSWER_S
from boutre.schemas import answers
from boutre.schemas.codec import Codec


def send(settings: Settings, codec: Codec, topic: str, key: str, value: dict[str, Any]) -> None:
    """
    Send one answer and wait until Kafka has it. Raises Unavailable where it does not take it.
    """
    refused: list[KafkaError] = []

    def delivered(error: KafkaError | None, _: Any) -> None:
        if error is not None:
            refused.append(error)

    own = {"enable.idempotence": True, "partitioner": "murmur2_random", "log_level": 2}
    producer = Producer({**settings.kafka.client(), **own})
    producer.produce(topic, codec.encode(answers.KIND, value), key.encode(), on_delivery=delivered)
    if producer.flush(ANSWER_S) or refused:
        why = refused[0].name() if refused else "no answer"
        raise Unavailable(
            f"{topic} was not written ({why}); it is for its party alone: look at BOUTRE_KAFKA__*, boutre access plan"
        )
