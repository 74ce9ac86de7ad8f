"""
A topic read whole from a real Kafka, while others write to it.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable

import pytest
from confluent_kafka import Producer

from boutre.ops import whole_topic
from boutre.ops.broker import Broker
from boutre.ops.settings import load
from records import CODEC, attack

MANY = 20_000
"""Records enough to be sent in some twenty answers of the broker."""


def test_what_comes_meanwhile_hides_nothing(
    broker: Broker, new_topic: Callable[..., str], unique: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    A partition that gets more while it is read is at its end again and again: every record of the others is given all the same.
    """
    monkeypatch.setenv("BOUTRE_KAFKA__BOOTSTRAP_SERVERS", broker.bootstrap)
    topic = new_topic("whole", partitions=2)
    quick, slow = (CODEC.encode("sighting", attack(name)) for name in ("QUICK", "SLOW"))
    producer = Producer({"bootstrap.servers": broker.bootstrap})
    for _ in range(MANY):
        producer.produce(topic, slow, partition=1)
        producer.poll(0)
    assert 0 == producer.flush(60)
    read = threading.Event()

    def drip() -> None:
        """One record at a time, each there before the next."""
        own = Producer({"bootstrap.servers": broker.bootstrap, "linger.ms": 0})
        while not read.is_set():
            own.produce(topic, quick, partition=0)
            own.flush(10)

    other = threading.Thread(target=drip)
    other.start()
    try:
        given = Counter(value["id"] for value in whole_topic.values(load(), CODEC, topic, "sighting", unique("reader")))
    finally:
        read.set()
        other.join()

    assert MANY == given[attack("SLOW")["id"]]
