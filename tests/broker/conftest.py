"""
One real Kafka for all tests of this folder, and names that no two tests share.

Every test here carries the mark `broker`. Where Kafka cannot be had the tests are left out with the reason.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from boutre.errors import Unavailable
from boutre.ops.broker import Broker
from echo import Echo

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """
    Mark what stands in this folder.
    """
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.broker)


def started(broker: Broker) -> Broker:
    """
    Start a broker, or leave the test out when this machine cannot have one.
    """
    try:
        return broker.start()
    except Unavailable as error:
        broker.close()
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def broker() -> Iterator[Broker]:
    """
    The Kafka of the whole session. Who stops, kills or reconfigures one takes `own_broker`.
    """
    shared = started(Broker())
    yield shared
    shared.close()


@pytest.fixture
def own_broker() -> Iterator[Broker]:
    """
    A Kafka of this test's own, empty, to stop and kill and to put a whole bus on. It takes some four seconds.
    """
    own = started(Broker())
    yield own
    own.close()


@pytest.fixture
def admin(broker: Broker) -> AdminClient:
    """
    The admin client of the session's Kafka.
    """
    return AdminClient({"bootstrap.servers": broker.bootstrap})


@pytest.fixture
def unique() -> Callable[[str], str]:
    """
    Makes a name that only this test has, the same for the same word: `unique("group")`.
    """
    tag = uuid.uuid4().hex[:8]
    return lambda word: f"{word}-{tag}"


@pytest.fixture
def new_topic(admin: AdminClient, unique: Callable[[str], str]) -> Iterator[Callable[..., str]]:
    """
    Creates a topic for this test and gives its name: `new_topic("input", partitions=2, config={...})`.
    """
    made: list[str] = []

    def create(word: str, partitions: int = 1, config: dict[str, str] | None = None) -> str:
        name = unique(word)
        admin.create_topics([NewTopic(name, partitions, 1, config=config or {})])[name].result(30)
        made.append(name)
        return name

    yield create
    for future in admin.delete_topics(made).values() if made else ():
        future.result(30)


@pytest.fixture
def echo(broker: Broker, unique: Callable[[str], str], tmp_path: Path) -> Iterator[Echo]:
    """
    An echo on the session's Kafka.
    """
    made = Echo(broker.bootstrap, unique("echo"), tmp_path)
    made.create()
    yield made
    made.stop()
