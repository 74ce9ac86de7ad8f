"""
Each kind of process is told to stop in the middle of its work: it ends by itself, in good order, and what it left open others do.

How long that took is printed and not judged: this machine may be busy.
"""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from click.testing import CliRunner
from confluent_kafka import Consumer, KafkaError, TopicPartition

from boutre.ops.broker import Broker
from boutre.ops.command import main
from boutre.topics.bus import load
from whole_bus import made_ready, started

ROOT = Path(__file__).parents[2]
FEED = "incidents-imb"
KINDS = ("sighting", "interception", "alert", "retraction")
PATIENCE_S = 90.0
UNAVAILABLE = 3

PROCESSES = (
    ("worker", "accept-reports"),
    ("worker", "release"),
    ("cases", "follow"),
    ("audit", "follow"),
    ("answers", "follow"),
    ("sink", "run", "jsonl", "rcoc", "--set", "folder=out"),
    ("connector", "run", FEED),
)


@pytest.fixture
def folder(own_broker: Broker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in which a whole bus is ready to be started, with its topics and keys."""
    return made_ready(own_broker, tmp_path, monkeypatch)


def committed(broker: Broker, topics: list[str]) -> int:
    """Count the committed records of topics."""
    own = {"bootstrap.servers": broker.bootstrap, "group.id": "counts", "enable.partition.eof": True, "enable.auto.commit": False}
    consumer = Consumer({**own, "isolation.level": "read_committed", "auto.offset.reset": "earliest"})
    places = [
        TopicPartition(name, number, 0) for name in topics for number in consumer.list_topics(name, 10).topics[name].partitions
    ]
    consumer.assign(places)
    left, count = {(place.topic, place.partition) for place in places}, 0
    while left:
        for message in consumer.consume(1_000, 1):
            error = message.error()
            if error is None:
                count += 1
            else:
                assert KafkaError._PARTITION_EOF == error.code()
                # More than once where records come meanwhile.
                left.discard((message.topic(), message.partition()))
    consumer.close()
    return count


def test_told_to_stop_each_ends_by_itself_and_nothing_is_lost(folder: Path, own_broker: Broker) -> None:
    """
    Every kind of process is stopped while records flow, with status 0; started again they finish.

    Each record of the feed is there once: on its member's topics, and behind them accepted or rejected.
    """
    dry = CliRunner().invoke(main, ["connector", "run", FEED, "--dry-run", "--output", "json"])
    (counts,) = json.loads(dry.stdout)
    member = counts["member"]
    national = [name for name, topic in load(ROOT).topics.items() if topic.member == member and name.startswith("national.")]
    behind = [*(f"bus.{kind}" for kind in KINDS), f"rejects.{member}"]
    with started(folder, *PROCESSES[:-1]) as running:
        for one in running:
            one.await_ready()
        with started(folder, PROCESSES[-1]) as (connector,):
            until = time.monotonic() + PATIENCE_S
            while not committed(own_broker, national):
                assert until > time.monotonic()
            statuses = {one.words: one.stop() for one in (connector, *running)}
            words = [*connector.words, "--once"]

    assert dict.fromkeys(statuses, 0) == statuses

    assert 0 == CliRunner().invoke(main, words).exit_code
    sent = committed(own_broker, national)
    # What is refused by the connector is a reject of its own.
    assert counts["records"] == sent
    # Both, since accept holds a flood back as long as nobody reads behind it.
    with started(folder, *PROCESSES[:2]) as workers:
        for one in workers:
            one.await_ready()
        until = time.monotonic() + PATIENCE_S
        while (done := committed(own_broker, behind)) < sent + counts["rejects"]:
            assert until > time.monotonic(), (done, sent, counts)
            time.sleep(0.2)
        assert [0, 0] == [worker.stop() for worker in workers]
    assert sent + counts["rejects"] == committed(own_broker, behind)


def test_without_a_broker_each_ends_all_the_same(folder: Path, own_broker: Broker) -> None:
    """
    Where the broker is gone nothing can be given back: each ends by itself all the same.

    Its status says that something did not answer, or that it had nothing open.
    """
    with started(folder, *PROCESSES) as running:
        for one in running:
            one.await_ready()
        own_broker.kill()
        time.sleep(2)
        statuses = {one.words[:2]: one.stop() for one in running}

    assert {0, UNAVAILABLE} >= set(statuses.values()), statuses
