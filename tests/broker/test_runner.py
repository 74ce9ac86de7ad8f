"""
The runner and its transport on a real Kafka: the same promises as in memory, and a process that is killed.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from confluent_kafka import Consumer, KafkaError, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from boutre.connectors.cursor import Cursors
from boutre.connectors.kafka_transport import KafkaTransport
from boutre.connectors.memory import Stored
from boutre.connectors.transport import Transport
from boutre.connectors.transport_contract import TransportContract
from boutre.errors import Unavailable
from boutre.ops.broker import Broker
from boutre.schemas import lock
from boutre.schemas.codec import Codec

COUNT = 400

CHILD = """
from __future__ import annotations

import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from boutre.connectors.cursor import Cursors
from boutre.connectors.feeds import Feed
from boutre.connectors.kafka_transport import KafkaTransport
from boutre.connectors.record import Maker
from boutre.connectors.runner import Runner
from boutre.connectors.sdk import source
from boutre.connectors.transport_contract import Options, numbers
from boutre.schemas import lock
from boutre.schemas.codec import Codec

bootstrap, member, folder, pause, count = sys.argv[1:]


@source("slow", options=Options)
def slow(options, after):
    for item in numbers(options, after):
        time.sleep(float(pause))
        yield item


runner = Runner(
    Maker(Codec(lock.load()), lambda *_: [], Ed25519PrivateKey.generate()),
    KafkaTransport({"bootstrap.servers": bootstrap}), Cursors(Path(folder)), lambda: datetime.now(UTC),
)
runner.run(Feed("numbers", member, ("sighting",), slow, Options(int(count)), {"tlp": "GREEN"}))
"""


class KafkaBench:
    """
    The session's Kafka with topics of this test's own.
    """

    def __init__(self, broker: Broker, admin: AdminClient, unique: Callable[[str], str]) -> None:
        self.bootstrap = broker.bootstrap
        self.admin = admin
        self.member = unique("member")
        self.made: list[str] = []

    def transport(self, room: int | None = None) -> Transport:
        """One more producer."""
        bound = {} if room is None else {"queue.buffering.max.messages": room}
        return KafkaTransport({"bootstrap.servers": self.bootstrap, **bound})

    def create(self, topic: str, partitions: int = 1) -> str:
        """Make a topic."""
        self.admin.create_topics([NewTopic(topic, partitions, 1)])[topic].result(30)
        self.made.append(topic)
        return topic

    def read(self, topic: str) -> list[Stored]:
        """Read it from its beginning to where it ends now."""
        consumer = Consumer({"bootstrap.servers": self.bootstrap, "group.id": "none", "enable.partition.eof": True})
        count = len(consumer.list_topics(topic, timeout=30).topics[topic].partitions)
        found: list[Stored] = []
        try:
            for partition in range(count):
                consumer.assign([TopicPartition(topic, partition, 0)])
                while (message := consumer.poll(30)) is not None:
                    error = message.error()
                    if error is not None:
                        assert error.code() == KafkaError._PARTITION_EOF
                        break
                    key, value, headers = message.key() or b"", message.value(), list(message.headers() or ())
                    assert isinstance(key, bytes)
                    assert isinstance(value, bytes)
                    kept = tuple((str(name), content) for name, content in headers if isinstance(content, bytes))
                    found.append(Stored(topic, partition, message.offset() or 0, message.timestamp()[1], key, value, kept))
        finally:
            consumer.close()
        return found

    def close(self) -> None:
        """Take the topics away."""
        for future in self.admin.delete_topics(self.made).values() if self.made else ():
            future.result(30)


@pytest.fixture
def bench(broker: Broker, admin: AdminClient, unique: Callable[[str], str]) -> Iterator[KafkaBench]:
    """The session's Kafka."""
    made = KafkaBench(broker, admin, unique)
    yield made
    made.close()


class TestKafka(TransportContract):
    """
    On Kafka.
    """


class TestKafkaInBatches(TransportContract):
    """
    On Kafka, with feeds that sign many records together.
    """

    sign_batch = 8


def test_a_runner_that_is_killed_loses_nothing(bench: KafkaBench, tmp_path: Path) -> None:
    """SIGKILL in the middle, twice: the cursor never stood past what Kafka had, and in the end every report is there."""
    topic = bench.create(f"national.{bench.member}.sighting", 2)
    program = tmp_path / "child.py"
    program.write_text(CHILD)

    def start(pause: float) -> subprocess.Popen[str]:
        arguments = [sys.executable, str(program), bench.bootstrap, bench.member, str(tmp_path), str(pause), str(COUNT)]
        return subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True)

    codec = Codec(lock.load())

    def references() -> set[int]:
        values = [codec.decode(stored.value).value for stored in bench.read(topic)]
        return {int(value["origin"]["reference"].removeprefix("n-")) for value in values}

    reached = -1
    for _ in range(2):
        child = start(0.02)
        try:
            deadline = time.monotonic() + 60
            while int(Cursors(tmp_path).load("numbers") or -1) <= reached and time.monotonic() < deadline:
                time.sleep(0.05)
        finally:
            os.kill(child.pid, signal.SIGKILL)
            child.communicate()
        kept = int(Cursors(tmp_path).load("numbers") or -1)

        assert reached < kept < COUNT - 1, "it has to be killed on its way"
        assert set(range(kept + 1)) <= references()
        reached = kept

    last = start(0)
    last.communicate(timeout=120)

    assert last.returncode == 0
    assert set(range(COUNT)) == references()
    assert Cursors(tmp_path).load("numbers") == str(COUNT - 1)


def test_a_broker_that_is_not_there_is_said() -> None:
    """With a sentence that says what to look at, and before a source is read."""
    with pytest.raises(Unavailable, match="Kafka does not answer"):
        KafkaTransport({"bootstrap.servers": "127.0.0.1:9"}).ready(1.0)
