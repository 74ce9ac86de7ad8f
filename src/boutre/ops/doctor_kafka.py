"""
What the doctor asks a cluster, and a registry: where a question is not answered a room was not seen, and the next one is asked.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import Any, Final

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._listoffsets import OffsetSpec

from boutre.errors import BusError, DeclarationError, Unavailable
from boutre.ops import access_plan
from boutre.ops.access_cluster import Authorizer
from boutre.ops.access_command import Declared
from boutre.ops.apply import compare, expected_cluster
from boutre.ops.broker_clock import skew
from boutre.ops.broker_level import levels
from boutre.ops.cluster import Cluster
from boutre.ops.doctor import cluster as judged
from boutre.ops.doctor import declared, machine
from boutre.ops.doctor.finding import Looked
from boutre.ops.doctor_local import Seen
from boutre.ops.settings import Settings
from boutre.processors.runtime.connection import Connection
from boutre.schemas.lock import Lock
from boutre.schemas.registry import Registry
from boutre.schemas.registry import faults as registry_faults
from boutre.topics.bus import Declarations

ANSWER_S: Final = 3.0
"""Seconds that the cluster has for its first answer; beyond it, it counts as gone, and is not asked again."""

FRAMES_S: Final = 5.0
"""Seconds for the newest records of all topics."""

_LATEST: Final = OffsetSpec.latest()  # type: ignore[no-untyped-call] # the client's stubs lack it

TAIL: Final = 8
"""How many offsets from the end a record is looked for: the last ones may be marks of transactions."""


def broker_seen(settings: Settings) -> Iterator[Seen]:
    """
    Ask whether the cluster answers, which it is, and how old its brokers are; raises Unavailable where it does not.
    """
    client = settings.kafka.client()
    began = time.monotonic()
    found = Cluster(client).identity(ANSWER_S)
    took = time.monotonic() - began
    nodes = len(AdminClient({**client, "log_level": 0}).list_topics(timeout=ANSWER_S).brokers)
    knows, level = _levels(client)
    kafka = settings.kafka
    told = judged.Brokers(kafka.bootstrap_servers, found, nodes, kafka.replication, kafka.min_isr, knows, level)
    said = f"Kafka {judged.release(knows)} at {kafka.bootstrap_servers}, cluster {found}"
    yield Looked("broker", f"{said}, {nodes} nodes, answered in {took:.2f} s")
    yield from judged.of_brokers(told)
    yield from machine.another_cluster(found, expected_cluster(settings, None))


def clock_seen(settings: Settings, declarations: Declarations) -> Iterator[Seen]:
    """
    Measure the clock of the broker.
    """
    client = settings.kafka.client()
    there = Cluster(client).names()
    topic = next((name for name in declarations.topics if name in there), None)
    if topic is None:
        yield Looked("clock", "not measured: none of the declared topics is there", seen=False)
        return
    measured = skew(client, topic)
    yield Looked("clock", f"the broker's is {measured} of this machine's")
    yield from judged.of_clock(measured)


def topics_seen(settings: Settings, declarations: Declarations) -> Iterator[Seen]:
    """
    Compare the topics.
    """
    plan = compare(declarations, settings, Cluster(settings.kafka.client()), allow_loss=True)
    yield Looked("topics", f"{plan.unchanged} of {len(declarations.topics)} are as declared")
    yield from declared.of_topics(plan)


def access_seen(settings: Settings) -> Iterator[Seen]:
    """
    Compare the access rules.
    """
    try:
        entries = Authorizer(settings.kafka.client()).entries()
    except Unavailable:
        yield Looked("access", "there are no rules, or this client may not see them", seen=False)
        yield declared.no_authorizer(embedded=settings.kafka.embedded)
        return
    plan = access_plan.plan(access_plan.entries(Declared.of(settings).rules), entries)
    yield Looked("access", f"{plan.unchanged} rules are as declared")
    yield from declared.of_access(plan)


def frames_seen(settings: Settings, declarations: Declarations, lock: Lock) -> Iterator[Seen]:
    """
    Look at the schema that the newest record of each topic of the bus names; members' own topics are proved by accept.
    """
    names = [name for name, topic in declarations.topics.items() if topic.kind is not None and topic.member is None]
    found = [
        declared.Frame(topic, int.from_bytes(value[1:5], "big") if value[:1] == b"\0" and len(value) > 4 else None)  # noqa: PLR2004 - the head of a frame
        for topic, value in _newest(settings.kafka.client(), names).items()
    ]
    yield Looked("schemas", f"{len(lock.entries)} are locked; the newest records of {len(found)} topics were looked at")
    yield from declared.of_frames(found, {entry.id for entry in lock.entries})


def registry_seen(url: str, user: str | None, lock: Lock) -> Iterator[Seen]:
    """
    Compare a registry with the lock.
    """
    found = registry_faults(Registry(url, user=user, timeout=ANSWER_S), lock)
    yield Looked("schemas", f"the registry at {url} holds {len(lock.entries)} schemas" if not found else f"the registry at {url}")
    yield from declared.of_registry(url, found)


def _levels(client: Mapping[str, Any]) -> tuple[int | None, int | None]:
    connection = Connection.of(client)
    for server in connection.bootstrap.split(","):
        try:
            return levels(server.strip(), connection.context(), ANSWER_S)
        except (OSError, ValueError, BusError):
            continue
    return None, None


def _newest(client: Mapping[str, Any], names: list[str]) -> dict[str, bytes]:
    admin = AdminClient({**client, "log_level": 0})
    there = admin.list_topics(timeout=ANSWER_S).topics
    places = [TopicPartition(name, number) for name in names if name in there for number in there[name].partitions]
    told = admin.list_offsets(dict.fromkeys(places, _LATEST), request_timeout=FRAMES_S) if places else {}
    ends = {place: future.result(FRAMES_S + 1).offset for place, future in told.items()}
    left = {(place.topic, place.partition) for place, end in ends.items() if end > 0}
    if not left:
        return {}
    own = {"group.id": "boutre.doctor", "enable.auto.commit": False, "enable.partition.eof": True, "log_level": 0}
    consumer = Consumer({**client, **own, "isolation.level": "read_committed", "auto.offset.reset": "earliest"})
    found: dict[str, tuple[int, bytes]] = {}
    try:
        consumer.assign([TopicPartition(*place, max(0, ends[TopicPartition(*place)] - TAIL)) for place in left])
        until = time.monotonic() + FRAMES_S
        while left and time.monotonic() < until:
            for message in consumer.consume(500, 0.2):
                place = (str(message.topic()), int(message.partition() or 0))
                error = message.error()
                if error is not None:
                    if error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001 - named so by the client
                        left.discard(place)
                elif (value := message.value()) is not None and message.timestamp()[1] >= found.get(place[0], (0, b""))[0]:
                    found[place[0]] = message.timestamp()[1], value
    finally:
        consumer.close()
    return {name: value for name, (_, value) in found.items()}


FAILED: Final = (Unavailable, KafkaException, DeclarationError, TimeoutError)
"""What asking can come to, where no answer is."""
