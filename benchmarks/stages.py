"""
(h) Each processor by itself on what the one before it left: accept, release, correlate, one worker each, exactly once on Kafka.

All reports are there before a processor starts, and it alone runs; what it has handled is read from its own counters, which count
what was committed. Release gives each report to eight recipients and offers what they got to the cells where it may be linked;
correlate reads an offer for each recipient and cell, so its rate is told by offers and by reports.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.bus import Bus
from benchmarks.process import TICKS
from benchmarks.watch import Moment, Seen
from boutre.errors import Unavailable
from boutre.ops.drained import drained
from boutre.ops.standing_bus import Worker

STAGES: Final = ("accept-reports", "release", "correlate")
FEED: Final = "incidents-imb"
FINISH: Final = 0.9
EVERY_S: Final = 0.1
PATIENCE_S: Final = 600.0
ASKED_S: Final = 2.0
"""Seconds between two questions whether anything waits: the answer costs the broker more than a scrape."""


@dataclass(frozen=True, slots=True)
class StageRun:
    """
    One run of one processor: records read a second, reports a second, records read for a report, microseconds for a record.
    """

    stage: str
    round: int
    rate: float
    reports: float
    for_each: float
    cpu_us: float


def runs(bus: Bus, count: int, rounds: int, done: Callable[[str], None]) -> Iterator[StageRun]:
    """
    Have *count* reports go through one processor after the other; no worker of *bus* runs before.
    """
    for number in range(rounds):
        with bus.feed(FEED, count):
            pass
        for stage in STAGES:
            worker = bus.standing.again(stage)
            try:
                seen = _watch(bus, worker)
            finally:
                worker.stop()
            pace = seen.pace(int(seen.count * FINISH))
            for_each = seen.count / count
            yield StageRun(stage, number, pace.rate, pace.rate / for_each, for_each, 1e6 * pace.cpu)
            done(stage)


def _watch(bus: Bus, worker: Worker) -> Seen:
    """Read what a worker has handled until nothing waits for it."""
    assembly = bus.standing.assembly
    edge = next(one for one in assembly.pipeline.edges if one.name == worker.name)
    client = bus.standing.settings.kafka.client()
    seen = Seen()
    until, ask = time.monotonic() + PATIENCE_S, time.monotonic()
    while True:
        now = time.monotonic()
        count = int(sum(value for labels, value in bus.standing.samples("boutre_records_total") if labels["stage"] == worker.name))
        seen.moments.append(Moment(now, count, _cpu(worker.pid)))
        if now > until or not worker.alive():
            raise Unavailable(f"{worker.name} does not get done; its log: {worker.log}")
        if count and now - ask > ASKED_S:
            if drained(client, assembly.declarations, [edge]):
                return seen
            ask = time.monotonic()
        time.sleep(EVERY_S)


def _cpu(pid: int) -> float:
    """Give the seconds of processor that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS
