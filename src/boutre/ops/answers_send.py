"""
Sends an answer, and reads those that came, by the party's own rights.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition

from boutre.errors import Refuse, Unavailable
from boutre.ops.settings import Settings
from boutre.schemas import answers
from boutre.schemas.codec import Codec

ANSWER_S: Final = 20.0
"""Seconds that a broker may take."""


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


def told(settings: Settings, codec: Codec, topic: str) -> Iterator[dict[str, Any]]:
    """
    Give every answer on a topic of one's own, from the first to what is there now. Raises Unavailable where it cannot be read.
    """
    party = topic.partition(".")[2].partition(".")[0]
    group = f"{'member.' if topic.startswith('asked.') else ''}{party}.answers"
    consumer = Consumer({**settings.kafka.consumer(group), "enable.partition.eof": True, "log_level": 2})
    try:
        found = consumer.list_topics(topic, timeout=ANSWER_S).topics[topic]
        if found.error is not None:
            raise Unavailable(f"{topic} is missing, or not yours to read")
        consumer.assign([TopicPartition(topic, number, 0) for number in found.partitions])
        left = len(found.partitions)
        while left:
            messages = consumer.consume(1_000, ANSWER_S)
            if not messages:
                raise Unavailable(f"{topic} cannot be read to its end; look at BOUTRE_KAFKA__*")
            for message in messages:
                error = message.error()
                if error is None:
                    try:
                        yield codec.decode(message.value(), frozenset({answers.KIND})).value
                    except Refuse as refused:
                        raise Unavailable(f"{topic} holds what the bus cannot have written: {refused.code}") from None
                elif error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001 - the client's own name for the end
                    left -= 1
                else:
                    raise Unavailable(f"cannot read {topic}: {error.name()}")
    except KafkaException as failure:
        raise Unavailable(f"Kafka does not answer: {failure.args[0].name()}; look at BOUTRE_KAFKA__*") from None
    finally:
        consumer.close()
