"""
(d) How long a worker takes until it works, by the number of keys that it remembers: on the disk where it was, and on a new one.

Timed from the start of the process until the first record of every partition is out and committed; Python, Faust and joining the
group are in it, and shown by the row of no keys at all. The keys are written into the changelog beforehand, as a worker writes
them. On the same disk the worker before was killed; the seconds that its group takes to miss it, six by default, are not in it.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from confluent_kafka import Producer

from benchmarks.contenders.told import Told
from benchmarks.contest import BOUTRE
from benchmarks.kafka import await_group, drop_topics, preload, workplace
from benchmarks.process import Process
from benchmarks.reports import Report, fresh, unsigned
from benchmarks.watch import Reader

PARTITIONS: Final = 4
PATIENCE_S: Final = 180.0


@dataclass(frozen=True, slots=True)
class Restart:
    """
    Seconds until one worker with so many keys in four partitions worked: on a new disk, and on the same one.
    """

    keys: int
    round: int
    new_owner_s: float
    same_disk_s: float


def runs(bootstrap: str, folder: Path, sizes: Sequence[int], rounds: int, done: Callable[[str], None]) -> Iterator[Restart]:
    """
    Start workers with each number of keys, *rounds* times each.
    """
    for keys in sizes:
        name = Path(tempfile.mkdtemp(prefix=f"restart-{keys}-", dir=folder)).name
        call = workplace(bootstrap, name, PARTITIONS)
        _remember(call, keys)
        new = fresh()
        for number in range(rounds):
            data = Path(tempfile.mkdtemp(dir=folder))
            there = replace(call, data=str(data / "worker"))
            new_owner = _started(there, new, data / "new.log", killed=True)
            same_disk = _started(there, new, data / "same.log", killed=False)
            yield Restart(keys, number, new_owner, same_disk)
            shutil.rmtree(data)
            done(f"{keys} keys")
        drop_topics(bootstrap, (call.reads, call.writes, call.rejects, call.changelog))


def _started(call: Told, new: Iterator[Report], log: Path, *, killed: bool) -> float:
    """Give the seconds from the start of a worker until a record of every partition was through; it is *killed*, or stopped."""
    seen = preload(call.bootstrap, unsigned(call.reads, [next(new) for _ in range(200)]))
    with Reader(call.bootstrap, ((call.writes, PARTITIONS),), new=True) as reader:
        # One that was killed is missed after the session's six seconds.
        await_group(call.bootstrap, call.group, 0)
        begun = time.monotonic()
        with Process(BOUTRE.module, call, log) as worker:
            reader.until(seen, PATIENCE_S, worker.alive)
            ended = time.monotonic()
            if killed:
                worker.kill()
    return ended - begun


def _remember(call: Told, keys: int) -> None:
    """Write so many keys into the changelog, spread over its partitions."""
    producer = Producer(
        {"bootstrap.servers": call.bootstrap, "compression.type": "lz4", "linger.ms": 50, "queue.buffering.max.messages": 1_000_000}
    )
    for number in range(keys):
        producer.produce(call.changelog, b"1", f"id:{number:032x}", number % PARTITIONS)
        if number % 1_000 == 0:
            producer.poll(0)
    producer.flush(PATIENCE_S)
