"""
The audit log follows receipts on a real Kafka: each that was committed is in once, through kills, and none is left out unsaid.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from click.testing import CliRunner, Result
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from audit_writer import PARTITIONS, RECIPIENTS, frame
from boutre.errors import DeclarationError
from boutre.ops.audit_store import open_store
from boutre.ops.broker import Broker
from boutre.ops.command import main
from boutre.schemas.keys import KeyFolder
from broker.conftest import started
from records import ROOT

TOPIC: Final = "bus.receipt"
RECEIPTS: Final = 12_000
TOGETHER: Final = 500
PATIENCE_S: Final = 60


@pytest.fixture(scope="module")
def kafka() -> Iterator[Broker]:
    """
    A Kafka whose receipts are ours.
    """
    own = started(Broker())
    yield own
    own.close()


@pytest.fixture
def receipts(kafka: Broker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Broker]:
    """
    An empty topic of receipts, and the settings with which to follow it.
    """
    admin = AdminClient({"bootstrap.servers": kafka.bootstrap})
    admin.create_topics([NewTopic(TOPIC, PARTITIONS, 1)])[TOPIC].result(30)
    KeyFolder(tmp_path / "keys").development([], [])
    for variable, value in (("KEYS", "keys"), ("STATE", "state")):
        monkeypatch.setenv(f"BOUTRE_{variable}", str(tmp_path / value))
    monkeypatch.setenv("BOUTRE_KAFKA__BOOTSTRAP_SERVERS", kafka.bootstrap)
    yield kafka
    admin.delete_topics([TOPIC])[TOPIC].result(30)
    while TOPIC in admin.list_topics(timeout=30).topics:
        time.sleep(0.1)


def boutre(*words: str) -> Result:
    """Run the command here."""
    return CliRunner().invoke(main, ["--bus", str(ROOT), "audit", *words])


def written(broker: Broker, numbers: range) -> int:
    """
    Write receipts as release does, in transactions; every fourth one is taken back. Gives how many were committed.
    """
    producer = Producer({"bootstrap.servers": broker.bootstrap, "transactional.id": "release", "linger.ms": 5, "log_level": 0})
    producer.init_transactions(30)
    committed = 0
    for first in numbers[::TOGETHER]:
        producer.begin_transaction()
        together = numbers[first - numbers.start : first - numbers.start + TOGETHER]
        for number in together:
            producer.produce(TOPIC, frame(number), partition=number % PARTITIONS)
            producer.poll(0)
        producer.flush(30)
        if first // TOGETHER % 4 == 3:
            producer.abort_transaction(30)
        else:
            producer.commit_transaction(30)
            committed += len(together)
    return committed


def read_so_far(folder: Path) -> int:
    """How many receipts the log has."""
    try:
        with open_store(folder) as store:
            return store.sizes().get("bus", 0)
    except DeclarationError:
        return 0


def test_each_committed_receipt_is_in_once_through_kills(receipts: Broker, tmp_path: Path) -> None:
    """
    A follower that is killed with -9 again and again, and transactions that are taken back: what was committed is there, once.
    """
    folder = tmp_path / "state" / "audit"
    committed = written(receipts, range(RECEIPTS))
    kills = 0
    command = [sys.executable, "-m", "boutre", "--bus", str(ROOT), "audit", "follow"]
    for least in (1, committed // 2):
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as follower:
            until = time.monotonic() + PATIENCE_S
            while (seen := read_so_far(folder)) < least and time.monotonic() < until:
                time.sleep(0.005)
            kills += seen < committed
            follower.kill()
    assert kills, "every kill came too late, so nothing was killed in the middle"

    done = boutre("follow", "--once")
    assert 0 == done.exit_code, done.output
    sizes = json.loads(done.stdout.splitlines()[-1])["sizes"]
    with open_store(folder) as store:
        places = store._connection.execute("SELECT count(DISTINCT partition || ' ' || offset) FROM entry WHERE log = 1").fetchone()
    assert committed == places[0]
    delivered = [number for number in range(RECEIPTS) if number // TOGETHER % 4 != 3 and number % 3]
    given = {recipient: sum(number % 2 == own for number in delivered) for own, recipient in enumerate(RECIPIENTS)}
    assert {"bus": committed, **given} == sizes
    assert 0 == boutre("verify", "--receipts").exit_code


def test_what_is_no_receipt_is_in_the_log_and_stops_nothing(receipts: Broker) -> None:
    """
    Garbage and an empty value are entries of the bus's log as well; a second look finds nothing new.
    """
    producer = Producer({"bootstrap.servers": receipts.bootstrap, "log_level": 0})
    for value in (frame(1), b"garbage", None, frame(2)):
        producer.produce(TOPIC, value, partition=0)
    assert 0 == producer.flush(30)

    first, second = (json.loads(boutre("follow", "--once").stdout.splitlines()[-1]) for _ in range(2))
    assert {"taken": 4, "sizes": {"bus": 4, "rmifc": 1, "rcoc": 1}} == {**first, "sizes": dict(first["sizes"])}
    assert {**first, "taken": 0} == second
    for value in (frame(4), frame(5)):
        producer.produce(TOPIC, value, partition=0)
    assert 0 == producer.flush(30)
    said = boutre("verify", "--receipts")
    assert 0 == said.exit_code, "what was not followed yet is not missing: " + said.output


def test_a_topic_that_was_made_anew_is_not_gone_on_with(receipts: Broker) -> None:
    """
    Where Kafka no longer holds what comes next, receipts would be missing: the log says so, and takes nothing.
    """
    assert written(receipts, range(10))
    assert 0 == boutre("follow", "--once").exit_code
    admin = AdminClient({"bootstrap.servers": receipts.bootstrap})
    admin.delete_topics([TOPIC])[TOPIC].result(30)
    while TOPIC in admin.list_topics(timeout=30).topics:
        time.sleep(0.1)
    admin.create_topics([NewTopic(TOPIC, PARTITIONS, 1)])[TOPIC].result(30)

    said = boutre("follow", "--once")
    assert 1 == said.exit_code
    assert "the topic was made anew or receipts were deleted before they were read" in said.stderr
    assert 0 == boutre("verify").exit_code
