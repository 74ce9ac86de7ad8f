"""
(h) Each processor by itself on what the one before it left: accept, release, correlate, one worker each, exactly once on Kafka.

All reports are there before a processor starts, and it alone runs; so that accept does not wait for who reads behind it, these are
said to have read everything until it is done. What a processor has handled is read from its own counters, which count what was
committed. Release gives each report to eight recipients and offers what they got to the cells where it may be linked;
correlate reads an offer for each recipient and cell, so its rate is told by offers and by reports.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from confluent_kafka import ConsumerGroupTopicPartitions, TopicPartition
from confluent_kafka.admin import AdminClient

from benchmarks.bus import Bus
from benchmarks.process import TICKS
from benchmarks.watch import Moment, Seen
from boutre.errors import Unavailable
from boutre.ops.drained import drained
from boutre.ops.standing_bus import Worker
from boutre.processors.groups import group_of

STAGES: Final = ("accept-reports", "release", "correlate")
FEED: Final = "incidents-imb"
FINISH: Final = 0.9
EVERY_S: Final = 0.1
FAR: Final = 10**9
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
            with _never_held_back(bus, stage):
                worker = bus.standing.again(stage)
                try:
                    seen = _watch(bus, worker)
                finally:
                    worker.stop()
            pace = seen.pace(int(seen.count * FINISH))
            for_each = seen.count / count
            yield StageRun(stage, number, pace.rate, pace.rate / for_each, for_each, 1e6 * pace.cpu)
            done(stage)


@contextmanager
def _never_held_back(bus: Bus, stage: str) -> Iterator[None]:
    """Put those who read behind *stage* far ahead, and back to where they were: else a flood waits until they have read it."""
    edges = bus.standing.assembly.pipeline.edges
    written = next(edge.writes for edge in edges if edge.name == stage) if stage == STAGES[0] else frozenset()
    readers = {group_of(edge.name): written.intersection(edge.reads) for edge in edges if written.intersection(edge.reads)}
    admin = AdminClient(bus.standing.settings.kafka.client())
    before = []
    for group, topics in readers.items():
        places = [TopicPartition(name, number) for name in topics for number in range(bus.partitions(name))]
        told = admin.list_consumer_group_offsets([ConsumerGroupTopicPartitions(group, places)])[group].result(30)
        at = [TopicPartition(one.topic, one.partition, max(0, one.offset)) for one in told.topic_partitions or ()]
        before.append((group, at))
        _commit(admin, group, [TopicPartition(one.topic, one.partition, FAR) for one in places])
    yield
    for group, places in before:
        _commit(admin, group, places)


def _commit(admin: AdminClient, group: str, places: list[TopicPartition]) -> None:
    admin.alter_consumer_group_offsets([ConsumerGroupTopicPartitions(group, places)])[group].result(30)


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
