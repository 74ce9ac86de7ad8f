"""
Kafka itself as Strimzi runs it, and its topics: a `Kafka`, two `KafkaNodePool`, a `KafkaTopic` for each topic that is declared.

No version of Kafka is named: the operator's own is one that it was tested with. Whoever wants another adds ``spec.kafka.version``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final, Literal

from boutre.ops.plan import Wanted
from boutre.ops.strimzi.place import LISTENER, PORT, Place, Resource

Outside = Literal["loadbalancer", "nodeport"]

CONTROLLERS: Final = 3
"""Of which one may be lost: they vote."""

OUTSIDE_PORT: Final = 9094

BROKERS: Final[Mapping[str, str]] = {
    "auto.create.topics.enable": "false",
    "unclean.leader.election.enable": "false",
    "message.max.bytes": "1048588",
    "transaction.max.timeout.ms": "60000",
}
"""
What `ops/kafka/server.properties` tells brokers beside copies, and beside what Strimzi sets itself (the authorizer, names of
certificates). That file says why.
"""

KEEPS: Final[Mapping[str, str]] = {"delete.topic.enable": "false"}
"""
Strimzi deletes a topic whose resource is deleted. Here nothing may: the operator then says that it cannot, and the records stay.
"""


def brokers(place: Place, *, replication: int, min_isr: int, storage: str, outside: Outside | None = None) -> list[Resource]:
    """
    Give Kafka and its nodes: controllers by themselves, and as many brokers as there are copies, three at least.

    *storage* is the size of each broker's volume, as Kubernetes writes it (``100Gi``). *outside* adds a listener for members and
    recipients, whose machines stand elsewhere.
    """
    authentication = {"type": place.authentication}
    listeners: list[dict[str, Any]] = [
        {"name": LISTENER, "port": PORT, "type": "internal", "tls": True, "authentication": authentication}
    ]
    if outside is not None:
        listeners.append({"name": "parties", "port": OUTSIDE_PORT, "type": outside, "tls": True, "authentication": authentication})
    copies = {
        "default.replication.factor": replication,
        "min.insync.replicas": min_isr,
        "offsets.topic.replication.factor": replication,
        "transaction.state.log.replication.factor": replication,
        "transaction.state.log.min.isr": min_isr,
    }
    kafka = {
        "kafka": {
            "listeners": listeners,
            "authorization": {"type": "simple"},
            "config": {**BROKERS, **{name: str(value) for name, value in copies.items()}, **KEEPS},
        },
        "entityOperator": {"topicOperator": {}, "userOperator": {}},
    }
    return [
        place.resource("Kafka", place.cluster, kafka),
        place.resource("KafkaNodePool", "controllers", _pool(CONTROLLERS, "controller", "10Gi")),
        place.resource("KafkaNodePool", "brokers", _pool(max(3, replication), "broker", storage)),
    ]


def _pool(replicas: int, role: str, storage: str) -> dict[str, Any]:
    volume = {"id": 0, "type": "persistent-claim", "size": storage, "deleteClaim": False, "kraftMetadata": "shared"}
    return {"replicas": replicas, "roles": [role], "storage": {"type": "jbod", "volumes": [volume]}}


def topics(wanted: Iterable[Wanted], place: Place) -> list[Resource]:
    """
    Give a resource for each topic; the names of ours are such that Kubernetes takes them as they are.
    """
    return [
        place.resource(
            "KafkaTopic",
            topic.name,
            {"partitions": topic.partitions, "replicas": topic.replication, "config": dict(topic.config)},
        )
        for topic in wanted
    ]
