"""
The probe of a bus: sends an exercise record as a member's connector does, and waits for the receipt of its recipient's view.

A receipt is committed in one transaction with the view that it is of, so that who may read receipts knows when a view stands for
its recipient without reading it. Member and recipient are declared; no other recipient is given a round, since it names the one.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

import structlog
from confluent_kafka import Consumer, Message

from boutre import metrics
from boutre.connectors.feeds import Feed
from boutre.connectors.kafka_transport import KafkaTransport
from boutre.connectors.record import Maker
from boutre.connectors.sdk import Raw, Source
from boutre.connectors.transport import NotDelivered
from boutre.errors import DeclarationError, Fault, Refuse
from boutre.health import OWN
from boutre.ops.clocks.declared import FILE, ProbeFile
from boutre.ops.clocks.rounds import OUTCOMES, Ended, Rounds
from boutre.ops.connector_command import Desk
from boutre.ops.following import AWAY, END, consumer_of, ends, partitions, reading, unreadable
from boutre.processors.receipts import TOPIC as RECEIPTS
from boutre.schemas.cases.pool import Rehearsed
from boutre.schemas.keys import KeyFolder

log = structlog.get_logger()

LOOK_S: Final = 0.05
"""Seconds for which receipts are waited for at a time: by so much at most a round seems longer than it was."""

MOST: Final = 2_000
ROUNDS: Final = "rounds"
"""What the health of a probe is told of."""

GIVEN: Final = frozenset({"delivered", "repeat"})
"""Outcomes of a receipt by which its recipient has the view."""


def feed_of(probe: ProbeFile) -> Feed:
    """
    Give the feed of the probe: nothing but exercises, for its recipient alone.
    """
    handling = {
        "tlp": probe.tlp,
        "purposes": list(probe.purposes),
        "legal_basis": probe.legal_basis,
        "release_to": [probe.recipient],
    }
    source = Source("probe", type(None), lambda _options, _after: iter(()), "rounds of the probe")
    return Feed(probe.feed, probe.member, (probe.kind,), source, None, handling, exercise=True, file=FILE)


@dataclass(slots=True)
class Probe:
    """
    Sends rounds and waits for them; made by ``probing``. *seen* is told of each that has ended.
    """

    probe: ProbeFile
    desk: Desk
    maker: Maker
    transport: KafkaTransport
    consumer: Consumer
    rounds: Rounds
    seen: Callable[[Ended], None] = field(default=lambda _ended: None)
    _number: int = 0

    def send(self) -> str:
        """Send a round; gives its name. Raises DeclarationError where no record can be made as it is declared."""
        now = datetime.now(UTC)
        self._number += 1
        value = {"times": {"observed": {"at": now, "precision": "second"}}, "event": {"type": self.probe.type}}
        raw = Raw(self.probe.kind, value, reference=f"{now:%Y%m%dT%H%M%S.%f}-{self._number}", cursor="")
        made = self.maker.make(feed_of(self.probe), raw, now)
        if made.reason is not None:
            raise DeclarationError([Fault(FILE, "probe", f"no record can be made of it: {made.reason}")])

        def acknowledged(error: NotDelivered | None) -> None:
            ended = None if error is None else self.rounds.unsent(made.input_id)
            if error is not None:
                log.warning("probe.unsent", reason=error.reason)
            if ended is not None:
                self._ended(ended)

        self.rounds.sent(made.input_id, time.monotonic())
        self.transport.send(made.message, acknowledged)
        return made.input_id

    def look(self) -> None:
        """Take what was told within a moment. Raises Unavailable where receipts cannot be read."""
        self.transport.poll(0)
        for message in self.consumer.consume(MOST, LOOK_S):
            error = message.error()
            if error is not None:
                if error.code() != END and error.code() not in AWAY:
                    raise unreadable(RECEIPTS, error)
                continue
            self._take(message)
        for ended in self.rounds.expire(time.monotonic()):
            self._ended(ended)

    def _take(self, message: Message) -> None:
        # The key is the id of the record: receipts of others are not even decoded.
        name = (message.key() or b"").decode("utf-8", "replace")
        if not self.rounds.knows(name):
            return
        try:
            value = self.desk.codec.decode(message.value(), frozenset({"receipt"})).value
        except Refuse:
            return
        if value["recipient"] == self.probe.recipient:
            if value["reason"] is not None:
                log.warning("probe.not-given", outcome=value["outcome"], reason=value["reason"])
            ended = self.rounds.told(name, time.monotonic(), given=value["outcome"] in GIVEN)
            if ended is not None:
                self._ended(ended)

    def _ended(self, ended: Ended) -> None:
        whose = self.probe.feed, self.probe.recipient
        metrics.PROBE_ROUNDS.labels(*whose, ended.outcome).inc()
        if ended.seconds is not None and ended.outcome in {"arrived", "late"}:
            metrics.PROBE_SECONDS.labels(*whose).observe(ended.seconds)
            metrics.PROBE_LAST_SECONDS.labels(*whose).set(ended.seconds)
        if ended.outcome == "arrived":
            metrics.PROBE_LAST_SUCCESS.labels(*whose).set(time.time())
            OWN.acknowledged(ROUNDS)
        self.seen(ended)

    def go_on(self, stopped: Callable[[], bool], *, rounds: int | None = None) -> None:
        """Send a round every so often until *stopped*, or until so many *rounds* have ended."""
        due, sent = time.monotonic(), 0
        while not stopped():
            if time.monotonic() >= due and (rounds is None or sent < rounds):
                self.send()
                due, sent = time.monotonic() + self.probe.every_s, sent + 1
            self.look()
            if rounds is not None and sent >= rounds and not len(self.rounds):
                return


@contextmanager
def probing(
    desk: Desk, probe: ProbeFile, sender: Mapping[str, Any], seen: Callable[[Ended], None] = lambda _ended: None
) -> Iterator[Probe]:
    """
    Give the probe of a bus, which sends as *sender* (librdkafka's settings) and reads receipts as the settings of *desk* say.

    Raises DeclarationError where the member's key is not there, Unavailable where Kafka does not answer.
    """
    private = KeyFolder(desk.settings.keys, desk.settings.vault).private(probe.member)
    maker = desk.maker(feed_of(probe), private, Rehearsed())
    transport = KafkaTransport(sender)
    transport.ready()
    for outcome in OUTCOMES:
        metrics.PROBE_ROUNDS.labels(probe.feed, probe.recipient, outcome)
    metrics.PROBE_LAST_SUCCESS.labels(probe.feed, probe.recipient)
    with consumer_of(desk.settings.kafka.client(), "probe") as consumer:
        # From what is there by now: who sends before it knows where to read from would miss a round.
        places = {place: ends(consumer, place)[1] for place in partitions(consumer, (RECEIPTS,))}
        with reading(consumer, places):
            try:
                yield Probe(probe, desk, maker, transport, consumer, Rounds(probe.lost_s), seen)
            finally:
                transport.flush(LOOK_S)
