"""
Kafka as the runner's transport: an idempotent producer that waits for all replicas.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from confluent_kafka import KafkaError, KafkaException, Producer
from confluent_kafka import Message as KafkaMessage

from boutre.connectors.transport import Acknowledged, Message, NotDelivered
from boutre.errors import Unavailable

SETTINGS: Final[Mapping[str, Any]] = {
    "enable.idempotence": True,
    "acks": "all",
    # The partitioner of Kafka's Java client: every program finds the same partition for a key.
    "partitioner": "murmur2_random",
    # Once, with more, a record was lost when the broker was killed: acknowledged, and its sequence number missing from the log. The
    # likeliest cause is a broker without state for this producer, which takes the second request and not the first. Not proven.
    "max.in.flight.requests.per.connection": 1,
    "linger.ms": 20,
    "compression.type": "zstd",
    "allow.auto.create.topics": False,
    # A missing topic is a mistake in the declarations and worth a word soon; a broker that is away is worth a wait.
    "topic.metadata.propagation.max.ms": 5_000,
    "delivery.timeout.ms": 120_000,
    "queue.buffering.max.messages": 20_000,
    "queue.buffering.max.kbytes": 65_536,
}

FIXED: Final = ("enable.idempotence", "acks", "partitioner", "max.in.flight.requests.per.connection")
"""What no setting may change, since the runner relies on it."""


class KafkaTransport:
    """
    A producer on the cluster that *settings* names (``bootstrap.servers``, and what TLS and SASL need).

    *settings* cannot switch off what the runner relies on: acknowledgement by all replicas, order, the partitioner (``FIXED``).
    """

    def __init__(self, settings: Mapping[str, Any]) -> None:
        self._producer = Producer({**SETTINGS, **settings, **{name: SETTINGS[name] for name in FIXED}})
        self._fatal: str | None = None

    def send(self, message: Message, acknowledged: Acknowledged) -> None:
        """Take *message*, waiting while the queue is full."""

        def delivered(error: KafkaError | None, _: KafkaMessage) -> None:
            acknowledged(None if error is None else NotDelivered(message.topic, str(error.name())))

        while True:
            try:
                self._producer.produce(
                    message.topic, message.value, message.key, headers=list(message.headers), on_delivery=delivered
                )
            except BufferError:
                self._producer.poll(0.1)
            except KafkaException as error:
                acknowledged(NotDelivered(message.topic, str(error.args[0].name())))
                return
            else:
                return

    def poll(self, seconds: float) -> None:
        """Give acknowledgements their turn."""
        self._producer.poll(seconds)

    def flush(self, seconds: float) -> int:
        """Wait until all is acknowledged."""
        return int(self._producer.flush(seconds))

    def ready(self, seconds: float = 10.0) -> None:
        """
        Ask the cluster whether it is there; ``Unavailable`` where it does not answer in time.
        """
        try:
            self._producer.list_topics(timeout=seconds)
        except KafkaException as error:
            raise Unavailable(
                f"Kafka does not answer ({error.args[0].name()}); look at the broker and at the settings BOUTRE_KAFKA__*"
            ) from None
