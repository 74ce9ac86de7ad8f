"""
Kafka as the runner's transport: an idempotent producer that waits for all replicas.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import structlog
from confluent_kafka import TIMESTAMP_LOG_APPEND_TIME, KafkaError, KafkaException, Producer
from confluent_kafka import Message as KafkaMessage

from boutre.connectors.transport import Acknowledged, Message, NotDelivered
from boutre.errors import Unavailable
from boutre.lateness import Tally, clock_apart, sent_header
from boutre.metrics import SENDER_CLOCK, late
from boutre.tracing import OWN

log = logging.getLogger("librdkafka")
own = structlog.get_logger()

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

NATIONAL: Final = "national."
TELL_S: Final = 1.0

WRONG_S: Final = 120.0
"""Seconds by which this machine's clock may differ from the broker's before it is said; from ten minutes on reports are refused."""

FIXED: Final = ("enable.idempotence", "acks", "partitioner", "max.in.flight.requests.per.connection")
"""What no setting may change, since the runner relies on it."""


@dataclass(slots=True)
class Sent:
    """
    How long records took that a connector sent, until the broker had them: tallied, and told to the metrics once a second.
    """

    tallies: dict[str, Tally] = field(default_factory=dict)
    told: float = 0.0
    ahead: dict[str, float] = field(default_factory=dict)
    wrong: bool = False

    def add(self, topic: str, seconds: float, ahead: float | None = None) -> None:
        """Count a message and how far *ahead* this machine's clock was; those to topics that are not a member's are no records."""
        if topic.startswith(NATIONAL):
            self.tallies.setdefault(topic, Tally()).add(seconds)
            if ahead is not None:
                self.ahead[topic] = ahead

    def tell(self, now: float | None = None) -> None:
        """Tell what was tallied; *now*, in seconds of any clock, keeps it from doing so more than once a second."""
        if not self.tallies or (now is not None and now - self.told < TELL_S):
            return
        for topic, tally in self.tallies.items():
            _, member, kind = topic.split(".", 2)
            late("published", tally, member=member, kind=kind)
            if topic in self.ahead:
                SENDER_CLOCK.labels(member, kind).set(self.ahead[topic])
        if self.ahead:
            self._clock(max(self.ahead.values(), key=abs))
        self.tallies.clear()
        self.ahead.clear()
        self.told = self.told if now is None else now

    def _clock(self, ahead: float) -> None:
        if self.wrong != (abs(ahead) > WRONG_S):
            self.wrong = not self.wrong
            if self.wrong:
                own.warning(
                    "clock.wrong", ahead_seconds=round(ahead), do="set this machine's clock; until then reports may be refused"
                )
            else:
                own.info("clock.right", ahead_seconds=round(ahead))


class KafkaTransport:
    """
    A producer on the cluster that *settings* names (``bootstrap.servers``, and what TLS and SASL need).

    *settings* cannot switch off what the runner relies on: acknowledgement by all replicas, order, the partitioner (``FIXED``).
    """

    def __init__(self, settings: Mapping[str, Any]) -> None:
        # By a logger: librdkafka itself would write lines of its own form to stderr, a hundred a second while a broker is away.
        fixed = {name: SETTINGS[name] for name in FIXED}
        self._producer = Producer({**SETTINGS, "logger": log, **settings, **fixed})
        self._fatal: str | None = None
        self._sent = Sent()

    def send(self, message: Message, acknowledged: Acknowledged) -> None:
        """Take *message*, waiting while the queue is full."""
        hop, begun, sent = OWN.sent(message.topic), time.monotonic(), time.time()
        headers: list[tuple[str, str | bytes | None]] = [*message.headers, *(() if hop is None else hop.headers())]
        if message.topic.startswith(NATIONAL):
            headers.append(sent_header(sent))

        def delivered(error: KafkaError | None, written: KafkaMessage) -> None:
            if hop is not None:
                hop.end("acknowledged" if error is None else "failed", None if error is None else str(error.name()))
            if error is None:
                whose, stamp = written.timestamp()
                told = whose == TIMESTAMP_LOG_APPEND_TIME
                ahead = clock_apart(sent, time.time(), stamp) if told else None
                self._sent.add(message.topic, time.monotonic() - begun, ahead)
            acknowledged(None if error is None else NotDelivered(message.topic, str(error.name())))

        while True:
            try:
                self._producer.produce(message.topic, message.value, message.key, headers=headers, on_delivery=delivered)
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
        self._sent.tell(time.monotonic())

    def flush(self, seconds: float) -> int:
        """Wait until all is acknowledged."""
        left = int(self._producer.flush(seconds))
        self._sent.tell()
        return left

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
