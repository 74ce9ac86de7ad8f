"""
The workers on a real Kafka: nothing lost and nothing twice, whoever is killed when.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from boutre.ops.broker import Broker
from boutre.schemas import lock
from boutre.schemas.codec import Codec

WORKER = Path(__file__).with_name("echo_worker.py")
PARTITIONS = 2
PATIENCE_S = 120


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
        self.processes: list[subprocess.Popen[bytes]] = []

    def create(self) -> None:
        """Create the topics."""
        topics = [NewTopic(name, PARTITIONS, 1) for name in (*self.reads, *self.writes, f"{self.tag}.rejects")]
        topics.append(NewTopic(f"{self.tag}.changelog", PARTITIONS, 1, config={"cleanup.policy": "compact"}))
        admin = AdminClient({"bootstrap.servers": self.bootstrap})
        for future in admin.create_topics(topics).values():
            future.result()

    def worker(self, *, die: tuple[str, int] | None = None) -> subprocess.Popen[bytes]:
        """Start a worker, which may be told when to die."""
        number = len(self.processes)
        told = {
            "bootstrap": self.bootstrap,
            "group": self.tag,
            "reads": self.reads,
            "writes": self.writes,
            "rejects": f"{self.tag}.rejects",
            "changelog": f"{self.tag}.changelog",
            "data": str(self.folder / f"worker-{number}"),
            "die": die,
        }
        with (self.folder / f"worker-{number}.log").open("wb") as log:
            process = subprocess.Popen([sys.executable, str(WORKER), json.dumps(told)], stdout=log, stderr=log)
        self.processes.append(process)
        return process

    def send(self, keys: list[str], topic: int = 0) -> None:
        """Send a record for each key."""
        producer = Producer({"bootstrap.servers": self.bootstrap, "partitioner": "murmur2_random", "enable.idempotence": True})
        for key in keys:
            producer.produce(self.reads[topic], f"value of {key}".encode(), key.encode())
        assert producer.flush(30) == 0

    def read(self, topic: str, wanted: int, isolation: str = "read_committed") -> Counter[str]:
        """Read keys until *wanted* distinct ones are there, and then whatever else comes within two seconds."""
        consumer = Consumer(
            {
                "bootstrap.servers": self.bootstrap,
                "group.id": f"{self.tag}-reader",
                "isolation.level": isolation,
                "enable.auto.commit": False,
                "auto.offset.reset": "earliest",
            }
        )
        consumer.assign([TopicPartition(topic, partition, 0) for partition in range(PARTITIONS)])
        keys: Counter[str] = Counter()
        until = time.monotonic() + PATIENCE_S
        while time.monotonic() < until:
            messages = consumer.consume(500, 0.5)
            keys.update(key.decode() for message in messages if not message.error() and (key := message.key()))
            if len(keys) >= wanted:
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
        for process in self.processes:
            if process.poll() is None:
                process.kill()
            process.wait()


@pytest.fixture
def echo(broker: Broker, unique: Callable[[str], str], tmp_path: Path) -> Iterator[Echo]:
    """
    An echo on the session's Kafka.
    """
    made = Echo(broker.bootstrap, unique("echo"), tmp_path)
    made.create()
    yield made
    made.stop()


def once_each(keys: list[str]) -> Counter[str]:
    """
    Give what a topic must hold: each key once.
    """
    return Counter(set(keys))


@pytest.mark.parametrize("moment", ["sent", "committed"])
def test_a_worker_killed_between_sending_and_committing_loses_nothing_and_repeats_nothing(echo: Echo, moment: str) -> None:
    """
    A worker is killed with SIGKILL in its third transaction, once before and once after Kafka has committed it; another goes on.

    A read_committed reader of each output sees every key exactly once; where the kill came before the commit, a read_uncommitted
    reader sees the aborted copies, which proves that the kill hit work in flight.
    """
    keys = [f"key-{number % 1000}" for number in range(1300)]
    doomed = echo.worker(die=(moment, 3))
    for begin in range(0, len(keys), 100):
        echo.send(keys[begin : begin + 100])
        time.sleep(0.02)
    assert doomed.wait(PATIENCE_S) == -signal.SIGKILL

    echo.worker()

    for topic in echo.writes:
        assert once_each(keys) == echo.read(topic, 1000)
    if moment == "sent":
        raw = echo.read(echo.writes[0], 1000, "read_uncommitted")
        assert raw.total() > len(raw)


def test_what_was_remembered_outlives_the_worker_and_its_disk(echo: Echo) -> None:
    """
    A new worker with an empty folder still knows which keys were let through: the changelog is the memory.
    """
    first = echo.worker()
    echo.send([f"key-{number}" for number in range(200)])
    assert once_each([f"key-{number}" for number in range(200)]) == echo.read(echo.writes[0], 200)
    first.kill()
    first.wait()

    echo.send([f"key-{number}" for number in range(250)])
    echo.worker()

    assert once_each([f"key-{number}" for number in range(250)]) == echo.read(echo.writes[0], 250)


def test_two_topics_of_one_group_share_what_is_remembered(echo: Echo) -> None:
    """
    A key that was let through from one topic is a repeat on the other: partition by partition they share one memory.
    """
    echo.worker()
    keys = [f"key-{number}" for number in range(100)]
    echo.send(keys, topic=0)
    assert once_each(keys) == echo.read(echo.writes[0], 100)

    echo.send([*keys, "last"], topic=1)

    assert once_each([*keys, "last"]) == echo.read(echo.writes[0], 101)


def test_workers_that_join_and_leave_lose_nothing_and_repeat_nothing(echo: Echo) -> None:
    """
    A second worker joins in the middle and leaves again by SIGTERM; every key comes out exactly once.
    """
    keys = [f"key-{number}" for number in range(1500)]
    echo.worker()
    echo.send(keys[:500])
    second = echo.worker()
    for begin in range(500, 1000, 50):
        echo.send(keys[begin : begin + 50])
        time.sleep(0.2)
    second.send_signal(signal.SIGTERM)
    echo.send(keys[1000:])
    assert second.wait(30) == 0

    for topic in echo.writes:
        assert once_each(keys) == echo.read(topic, 1500)


def test_a_poison_record_does_not_stop_its_partition(echo: Echo) -> None:
    """
    A record that cannot be handled is rejected with its place and its bytes, and what comes after it goes through.
    """
    producer = Producer({"bootstrap.servers": echo.bootstrap})
    for partition in range(PARTITIONS):
        producer.produce(echo.reads[0], b"no key", partition=partition)
    producer.flush(30)
    echo.send([f"key-{number}" for number in range(20)])

    echo.worker()

    assert once_each([f"key-{number}" for number in range(20)]) == echo.read(echo.writes[0], 20)
    codec = Codec(lock.load())
    rejects: list[dict[str, Any]] = [codec.decode(value).value for value in echo.values(f"{echo.tag}.rejects")]
    assert [(b"no key", "undecodable", 0)] * PARTITIONS == [
        (reject["content"], reject["code"], reject["place"]["offset"]) for reject in rejects
    ]


def test_a_broker_restarted_in_the_middle_loses_nothing(own_broker: Broker, tmp_path: Path) -> None:
    """
    The broker is killed and started again while records are in flight; the worker goes on by itself, every key once.
    """
    echo = Echo(own_broker.bootstrap, "restarted", tmp_path)
    echo.create()
    try:
        echo.worker()
        keys = [f"key-{number}" for number in range(600)]
        echo.send(keys[:100])
        assert once_each(keys[:100]) == echo.read(echo.writes[0], 100)
        echo.send(keys[100:300])
        own_broker.kill()
        own_broker.start()
        echo.send(keys[300:])

        for topic in echo.writes:
            assert once_each(keys) == echo.read(topic, 600)
    finally:
        echo.stop()
