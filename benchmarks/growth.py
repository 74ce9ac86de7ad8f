"""
(e) How throughput grows with processes: the work of (a) by one, two and four workers, each with one partition.

So that no worker begins before the others are there, the input is written in a transaction that is committed only when the group
stands: until then a ``read_committed`` reader sees nothing of it.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from confluent_kafka import Producer

from benchmarks.contest import BOUTRE, FINISH, PATIENCE_S, QUIET_S
from benchmarks.kafka import await_group, drop_topics, workplace
from benchmarks.process import Process
from benchmarks.reports import Report, reports, unsigned, views
from benchmarks.watch import Reader
from boutre.errors import Unavailable

HELD_BACK_MS: Final = 600_000
SETTLE_S: Final = 2.0
"""Seconds after the group stands, in which workers open their partitions."""


@dataclass(frozen=True, slots=True)
class Growth:
    """
    One run: so many workers with one partition each, their records a second together, and microseconds of processor a record.
    """

    processes: int
    round: int
    rate: float
    cpu_us: float


def runs(
    place: tuple[str, Path], count: int, processes: Sequence[int], rounds: int, done: Callable[[str], None]
) -> Iterator[Growth]:
    """
    Run all sizes, round by round; *place* is the broker's address and a folder for what the workers keep.
    """
    for number in range(rounds):
        for size in processes:
            yield _run(*place, count, size, number)
            done(f"{size} workers")


def _run(bootstrap: str, folder: Path, count: int, size: int, number: int) -> Growth:
    data = Path(tempfile.mkdtemp(prefix=f"growth-{size}-", dir=folder))
    name = data.name
    call = workplace(bootstrap, name, size)
    wanted = views(count)
    try:
        with ExitStack() as stack:
            gate = _held_back(bootstrap, call.reads, reports(count))
            workers = [
                stack.enter_context(Process(BOUTRE.module, replace(call, data=str(data / str(one))), folder / f"{name}-{one}.log"))
                for one in range(size)
            ]
            reader = stack.enter_context(
                Reader(bootstrap, ((call.writes, size),), cpu=lambda: sum(worker.cpu() for worker in workers))
            )
            await_group(bootstrap, call.group, size)
            time.sleep(SETTLE_S)
            gate.commit_transaction()
            reader.until(len(wanted), PATIENCE_S, lambda: all(worker.alive() for worker in workers))
            reader.rest(QUIET_S)
        if reader.seen.copies or reader.seen.ids.keys() != wanted:
            raise Unavailable("the output of several workers is not exactly their input")
        pace, share = reader.seen.pace(int(len(wanted) * FINISH)), count / len(wanted)
        return Growth(size, number, pace.rate * share, pace.cpu / share * 1e6)
    finally:
        shutil.rmtree(data, ignore_errors=True)
        drop_topics(bootstrap, (call.reads, call.writes, call.rejects, call.changelog))


def _held_back(bootstrap: str, topic: str, made: Sequence[Report]) -> Producer:
    """Write the input, and give the producer that has yet to commit it."""
    producer = Producer(
        {
            "bootstrap.servers": bootstrap,
            "transactional.id": topic,
            "transaction.timeout.ms": HELD_BACK_MS,
            "partitioner": "murmur2_random",
            "compression.type": "lz4",
            "linger.ms": 20,
            "queue.buffering.max.messages": 1_000_000,
        }
    )
    producer.init_transactions(PATIENCE_S)
    producer.begin_transaction()
    for message in unsigned(topic, made):
        producer.produce(message.topic, message.value, message.key)
    producer.flush(PATIENCE_S)
    return producer
