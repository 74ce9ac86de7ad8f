"""
Several embedded Kafka nodes as one cluster: it goes on without one of them, and is whole again when that comes back.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._config import ConfigResource
from confluent_kafka.admin._resource import ResourceType
from confluent_kafka.cimpl import NewTopic

from boutre.errors import Unavailable
from boutre.ops.cluster import Cluster
from boutre.ops.nodes import Nodes

QUIET: dict[str, Any] = {"log_level": 0}


@pytest.fixture(scope="module")
def nodes() -> Iterator[Nodes]:
    """
    Three nodes for the tests of this file.
    """
    made = Nodes(3)
    try:
        made.start()
    except Unavailable as error:
        made.close()
        pytest.skip(str(error))
    yield made
    made.close()


def test_it_goes_on_without_a_node_and_is_whole_again(nodes: Nodes) -> None:
    """
    With one node killed every record is taken by two others and read from them; the node comes back with its data.
    """
    client = {**QUIET, "bootstrap.servers": nodes.bootstrap}
    admin = AdminClient(client)
    admin.create_topics([NewTopic("kept", 3, nodes.replication, config={"min.insync.replicas": str(nodes.min_isr)})])[
        "kept"
    ].result(60)
    nodes.await_in_sync()
    failed: list[object] = []
    producer = Producer({**client, "acks": "all", "enable.idempotence": True})

    def send(begin: int, end: int) -> None:
        for number in range(begin, end):
            producer.produce("kept", str(number).encode(), on_delivery=lambda error, _: failed.append(error) if error else None)
        assert producer.flush(90) == 0

    send(0, 50)
    nodes.brokers[1].kill()
    send(50, 100)
    assert not nodes.whole()
    nodes.brokers[1].start()
    nodes.await_in_sync()

    consumer = Consumer({**client, "group.id": "reader", "enable.auto.commit": False})
    consumer.assign([TopicPartition("kept", partition, 0) for partition in range(3)])
    messages = consumer.consume(100, timeout=60)
    consumer.close()
    assert not failed
    assert {str(number).encode() for number in range(100)} == {message.value() for message in messages if not message.error()}
    assert nodes.whole()


def test_kafkas_own_topics_are_kept_as_safely(nodes: Nodes) -> None:
    """
    Offsets and transactions have three copies too, of which two must have a record; one node's loss would else stop every worker.
    """
    admin = AdminClient({**QUIET, "bootstrap.servers": nodes.bootstrap})
    told = {"default.replication.factor", "offsets.topic.replication.factor", "transaction.state.log.replication.factor"}
    in_sync = {"min.insync.replicas", "transaction.state.log.min.isr"}
    for number, broker in enumerate(nodes.brokers, 1):
        resource = ConfigResource(ResourceType.BROKER, str(number))
        found = admin.describe_configs([resource])[resource].result(60)

        assert {("3", name) for name in told} | {("2", name) for name in in_sync} == {
            (found[name].value, name) for name in told | in_sync
        }
        assert nodes.brokers[0].cluster_id == broker.cluster_id


def test_a_topic_that_one_node_has_not_heard_of_yet_is_waited_for(nodes: Nodes) -> None:
    """
    Topics are made and at once looked at, in one go and one by one: whichever node is asked, the answer is all of them.
    """
    client = {**QUIET, "bootstrap.servers": nodes.bootstrap}
    admin, cluster = AdminClient(client), Cluster(client)
    for turn in range(12):
        made = [f"made-{turn}-{number}" for number in range(20)]
        for future in admin.create_topics([NewTopic(name, 1, nodes.replication) for name in made]).values():
            future.result(60)
        name, _ = cluster.incarnation(made[-1])
        found = cluster.topics(lambda name: name.startswith("made-"))

        assert name.startswith(cluster.identity())
        assert set(found) <= {f"made-{before}-{number}" for before in range(turn + 1) for number in range(20)}
        assert all(one.config["min.insync.replicas"] == str(nodes.min_isr) for one in found.values())
