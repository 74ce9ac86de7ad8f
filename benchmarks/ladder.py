"""
(c) Latency of the alert path, from connector to recipient: open loop, rung by rung.

Alerts are to be sent at fixed times, whatever has become of the ones before; the time is taken from then on, so that a stall counts
for every alert that had to wait for it. The recipient is a reader of its own topic, ``read_committed``.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from confluent_kafka import OFFSET_END, Consumer, TopicPartition

from benchmarks.bus import Bus
from benchmarks.feeder import ALERTS
from boutre.errors import Unavailable
from boutre.schemas.codec import Codec

RECIPIENT: Final = "rcoc"
"""The one that acts."""

WARM_S: Final = 2.0
"""Seconds at the beginning of each rung that are not counted."""

PATIENCE_S: Final = 30.0


@dataclass(frozen=True, slots=True)
class Rung:
    """
    One rung once: milliseconds from the intended time of sending until its recipient had it, over *count* alerts.
    """

    rate: int
    round: int
    count: int
    p50_ms: float
    p99_ms: float
    p999_ms: float
    most_ms: float


def runs(bus: Bus, rates: Sequence[int], seconds: float, rounds: int, done: Callable[[str], None]) -> Iterator[Rung]:
    """
    Climb the ladder *rounds* times, each rung *seconds* long.
    """
    for number in range(rounds):
        for rate in rates:
            yield _run(bus, rate, seconds, number)
            done(f"{rate} a second")


def _run(bus: Bus, rate: int, seconds: float, number: int) -> Rung:
    count = int(rate * (WARM_S + seconds))
    topic = f"for.{RECIPIENT}.alert"
    consumer = Consumer(bus.standing.settings.kafka.consumer("benchmark-recipient"))
    try:
        parts = [TopicPartition(topic, partition) for partition in range(bus.partitions(topic))]
        for part in parts:
            part.offset = consumer.get_watermark_offsets(part, 30)[1]
            assert part.offset != OFFSET_END  # a number, so that nothing is missed before the first fetch
        consumer.assign(parts)
        with bus.feed(ALERTS, count, rate) as feeding:
            came = _read(consumer, count)
    finally:
        consumer.close()
    late: dict[int, float] = {}
    for at, frame in came:
        sent = _number(bus.standing.assembly.codec, frame)
        if sent in late:
            raise Unavailable(f"alert {sent} came twice")
        late[sent] = at - (feeding.begin_at + sent / rate)
    counted = sorted(1000 * seconds for sent, seconds in late.items() if sent >= rate * WARM_S)
    return Rung(rate, number, len(counted), *(quantile(counted, part) for part in (0.5, 0.99, 0.999, 1.0)))


def _read(consumer: Consumer, count: int) -> list[tuple[float, bytes]]:
    came: list[tuple[float, bytes]] = []
    until = time.monotonic() + PATIENCE_S
    while len(came) < count:
        message = consumer.poll(0.1)
        now = time.monotonic()
        if message is None:
            if now > until:
                raise Unavailable(f"{len(came)} of {count} alerts came, and then none for {PATIENCE_S:.0f} s")
            continue
        value = message.value()
        if message.error() or value is None:
            raise Unavailable(f"the recipient was told {message.error()}")
        came.append((now, value))
        until = now + PATIENCE_S
    return came


def _number(codec: Codec, frame: bytes) -> int:
    """Give the number of an alert, with which its reference ends."""
    return int(str(codec.decode(frame).value["origin"]["reference"]).rpartition("-")[2])


def quantile(ordered: Sequence[float], part: float) -> float:
    """
    Give the value at or below which *part* of *ordered* lies: one that was measured, never one between two.
    """
    return ordered[max(0, math.ceil(part * len(ordered)) - 1)]
