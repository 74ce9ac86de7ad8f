"""
Workers on a real Kafka that let each key through once, for tests of the runtime: their topics, their processes, what came out.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

WORKER: Final = Path(__file__).parent / "broker" / "echo_worker.py"
PARTITIONS: Final = 2
PATIENCE_S: Final = 120

Fault: TypeAlias = tuple[str, str, int]
"""How, at which moment, in which transaction: see ``echo_worker.py``."""


@dataclass(slots=True)
class Worker:
    """
    One worker process; *data* is its folder.
    """

    process: subprocess.Popen[bytes]
    data: Path

    def await_fault(self) -> None:
        """Wait until what was to happen to it has happened."""
        until = time.monotonic() + PATIENCE_S
        while not self.fault_happened:
            assert time.monotonic() < until
            time.sleep(0.02)

    @property
    def fault_happened(self) -> bool:
        """Whether what was to happen to it has happened."""
        return (self.data / "happened").exists()

    def go(self) -> None:
        """Let it go on, where it waits."""
        (self.data / "go").touch()

    def wake(self) -> None:
        """Let it go on, where it is frozen."""
        self.process.send_signal(signal.SIGCONT)

    def ended(self, seconds: float = PATIENCE_S) -> int:
        """Wait for its end, and give its status."""
        return self.process.wait(seconds)


class Echo:
    """
    Topics for an echo, and workers on them.
    """

    def __init__(self, bootstrap: str, tag: str, folder: Path) -> None:
        """Name everything after *tag*."""
        self.bootstrap = bootstrap
        self.tag = tag
        self.folder = folder
        self.reads = [f"{tag}.in", f"{tag}.in2"]
        self.writes = [f"{tag}.left", f"{tag}.right"]
        self.workers: list[Worker] = []

    def create(self) -> None:
        """Create the topics."""
        topics = [NewTopic(name, PARTITIONS, 1) for name in (*self.reads, *self.writes, f"{self.tag}.rejects")]
        topics.append(NewTopic(f"{self.tag}.changelog", PARTITIONS, 1, config={"cleanup.policy": "compact"}))
        admin = AdminClient({"bootstrap.servers": self.bootstrap})
        for future in admin.create_topics(topics).values():
            future.result()

    def worker(self, *, fault: Fault | None = None) -> Worker:
        """Start a worker, to which something may happen."""
        number = len(self.workers)
        data = self.folder / f"worker-{number}"
        told = {
            "bootstrap": self.bootstrap,
            "group": self.tag,
            "reads": self.reads,
            "writes": self.writes,
            "rejects": f"{self.tag}.rejects",
            "changelog": f"{self.tag}.changelog",
            "data": str(data),
            "fault": fault,
        }
        with (self.folder / f"worker-{number}.log").open("wb") as log:
            process = subprocess.Popen([sys.executable, str(WORKER), json.dumps(told)], stdout=log, stderr=log)
        self.workers.append(Worker(process, data))
        return self.workers[-1]

    def send(self, keys: Sequence[str], topic: int = 0) -> None:
        """Send a record for each key."""
        producer = Producer({"bootstrap.servers": self.bootstrap, "partitioner": "murmur2_random", "enable.idempotence": True})
        for key in keys:
            producer.produce(self.reads[topic], f"value of {key}".encode(), key.encode())
        assert producer.flush(30) == 0

    def read(self, topic: str, wanted: int, isolation: str = "read_committed") -> Counter[str]:
        """Read keys until *wanted* distinct ones are there, and then whatever else comes within two seconds."""
        return self.read_all([topic], wanted, isolation)[topic]

    def out(self, wanted: int) -> list[Counter[str]]:
        """Read the keys of each output, as a reader of what is committed sees them, until each has *wanted* distinct ones."""
        found = self.read_all(self.writes, wanted)
        return [found[topic] for topic in self.writes]

    def amiss(self, keys: Sequence[str]) -> list[str]:
        """Wait until all *keys* have come out, and name what is not there exactly once on each output, as ``topic: key: times``."""
        wanted = set(keys)
        found = zip(self.writes, self.out(len(wanted)), strict=True)
        return [f"{topic}: {key}: {came[key]}" for topic, came in found for key in sorted(wanted | set(came)) if came[key] != 1]

    def read_all(self, topics: Sequence[str], wanted: int, isolation: str = "read_committed") -> dict[str, Counter[str]]:
        """
        Read keys until each of *topics* has *wanted* distinct ones, and then whatever else comes within two seconds.

        Where no worker is left, more will not come.
        """
        consumer = Consumer(
            {
                "bootstrap.servers": self.bootstrap,
                "group.id": f"{self.tag}-reader",
                "isolation.level": isolation,
                "enable.auto.commit": False,
                "auto.offset.reset": "earliest",
            }
        )
        consumer.assign([TopicPartition(topic, partition, 0) for topic in topics for partition in range(PARTITIONS)])
        keys: dict[str, Counter[str]] = {topic: Counter() for topic in topics}
        until = time.monotonic() + PATIENCE_S
        while time.monotonic() < until:
            for message in consumer.consume(500, 0.5):
                if not message.error():
                    keys[str(message.topic())].update([(message.key() or b"").decode()])
            if all(len(each) >= wanted for each in keys.values()) or all(one.process.poll() is not None for one in self.workers):
                until = min(until, time.monotonic() + 2)
        consumer.close()
        return keys

    def values(self, topic: str) -> list[bytes]:
        """Read all values of a topic."""
        consumer = Consumer({"bootstrap.servers": self.bootstrap, "group.id": "values", "isolation.level": "read_committed"})
        consumer.assign([TopicPartition(topic, partition, 0) for partition in range(PARTITIONS)])
        found: list[bytes] = []
        until = time.monotonic() + 5
        while time.monotonic() < until:
            found += [value for message in consumer.consume(500, 0.5) if not message.error() and (value := message.value())]
        consumer.close()
        return found

    def stop(self) -> None:
        """Kill what still runs."""
        for worker in self.workers:
            if worker.process.poll() is None:
                worker.process.kill()
            worker.process.wait()


def once_each(keys: Sequence[str]) -> Counter[str]:
    """
    Give what a topic must hold: each key once.
    """
    return Counter(set(keys))
