"""
Accepted records read from a real Kafka: in the order of their acceptance, committed ones only, each once.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from confluent_kafka import Producer

from boutre.errors import Unavailable
from boutre.ops import record_topics
from boutre.ops.broker import Broker
from boutre.ops.record_input import NoRecord
from boutre.ops.record_topics import Accepted, one_of
from records import AT, CODEC, KINDS, NOW, attack, kwassa

COUNT = 40
FOUND = "found"


@pytest.fixture
def topics(new_topic: Callable[..., str]) -> dict[str, str]:
    """Topics as those of the bus, two partitions each, which only this test has; one more, of sightings, for what the bus found."""
    return {kind: new_topic(kind, partitions=2) for kind in (*KINDS, FOUND)}


def accepted(broker: Broker, topics: dict[str, str], days: int | None = None) -> Accepted:
    """All that is there, or what was accepted in some days before the last record."""
    client = {"bootstrap.servers": broker.bootstrap, "group.id": "nobody", "isolation.level": "read_committed"}
    since = None if days is None else NOW + timedelta(days=COUNT - days)
    return Accepted(client, {topic: "sighting" if kind == FOUND else kind for kind, topic in topics.items()}, since)


def written(broker: Broker, topics: dict[str, str]) -> None:
    """A record a day, by turns on two topics and two partitions, the last on each of them aborted."""
    producer = Producer({"bootstrap.servers": broker.bootstrap, "transactional.id": topics["alert"]})
    producer.init_transactions(30)
    for first, last, commit in ((0, COUNT, True), (COUNT, COUNT + 4, False)):
        producer.begin_transaction()
        for day in range(first, last):
            kind, value = ("sighting", attack(f"A-{day}")) if day % 2 else ("interception", kwassa(f"K-{day}"))
            stamp = AT + day * 86_400_000
            place = FOUND if day % 4 == 1 else kind
            producer.produce(topics[place], CODEC.encode(kind, value), partition=day // 2 % 2, timestamp=stamp)
        if commit:
            producer.commit_transaction(30)
        else:
            producer.flush(30)
            producer.abort_transaction(30)


def test_records_come_in_the_order_of_their_acceptance(
    broker: Broker, topics: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    From all partitions and kinds together, however few may wait: each once, none that was aborted, and of some days those alone.

    One is found by its id, with its kind and the time of its acceptance; an id that is not there is told to be none.
    """
    monkeypatch.setattr(record_topics, "AT_ONCE", 3)
    written(broker, topics)
    with accepted(broker, topics) as records:
        stood = list(records)
    with accepted(broker, topics, days=10) as records:
        last = list(records)

    assert [AT + day * 86_400_000 for day in range(COUNT)] == [each.accepted for each in stood]
    assert ["interception", "sighting"] * (COUNT // 2) == [each.kind for each in stood]
    assert stood[-10:] == last
    found = one_of(accepted(broker, topics), CODEC, attack("A-7")["id"])
    assert ("sighting", NOW + timedelta(days=7)) == (found.kind, found.accepted)
    with pytest.raises(NoRecord):
        one_of(accepted(broker, topics), CODEC, attack(f"A-{COUNT + 1}")["id"])


def test_an_empty_bus_ends_at_once(broker: Broker, topics: dict[str, str]) -> None:
    """Nothing there is an end too."""
    with accepted(broker, topics) as records:
        assert (0, []) == (records.count, list(records))


def test_topics_that_are_not_there_are_told(broker: Broker, unique: Callable[[str], str]) -> None:
    """By their names, and for whom they are."""
    missing = unique("bus.sighting")

    with pytest.raises(Unavailable, match=missing), accepted(broker, {"sighting": missing}):
        pass
