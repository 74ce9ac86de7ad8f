"""
The workers on a real Kafka: nothing lost and nothing twice, whoever is killed when.
"""

from __future__ import annotations

import signal
import time
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Producer

from boutre.ops.broker import Broker
from boutre.schemas import lock
from boutre.schemas.codec import Codec
from echo import PARTITIONS, Echo, once_each


@pytest.mark.parametrize("moment", ["sent", "committed"])
def test_a_worker_killed_between_sending_and_committing_loses_nothing_and_repeats_nothing(echo: Echo, moment: str) -> None:
    """
    A worker is killed with SIGKILL in its third transaction, once before and once after Kafka has committed it; another goes on.

    A read_committed reader of each output sees every key exactly once; where the kill came before the commit, a read_uncommitted
    reader sees the aborted copies, which proves that the kill hit work in flight.
    """
    keys: list[str] = []
    doomed = echo.worker(fault=("die", moment, 3))
    while not doomed.fault_happened:
        # Every third key comes again.
        some = [f"key-{number - number % 3 // 2}" for number in range(len(keys), len(keys) + 60)]
        echo.send(some)
        keys += some
    assert doomed.ended() == -signal.SIGKILL

    echo.worker()

    assert [] == echo.amiss(keys)
    if moment == "sent":
        raw = echo.read(echo.writes[0], len(set(keys)), "read_uncommitted")
        assert raw.total() > len(raw)


def test_what_was_remembered_outlives_the_worker_and_its_disk(echo: Echo) -> None:
    """
    A new worker with an empty folder still knows which keys were let through: the changelog is the memory.
    """
    first = echo.worker()
    echo.send([f"key-{number}" for number in range(200)])
    assert once_each([f"key-{number}" for number in range(200)]) == echo.read(echo.writes[0], 200)
    first.process.kill()
    first.ended()

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
    second.process.send_signal(signal.SIGTERM)
    echo.send(keys[1000:])
    assert second.ended(30) == 0

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
