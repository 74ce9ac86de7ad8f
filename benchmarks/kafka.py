"""
Topics of a benchmark, and records written into them before anybody is timed.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from typing import Final

from confluent_kafka import ConsumerGroupState, KafkaError, KafkaException, Producer
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from benchmarks.contenders.told import Told
from boutre.connectors.transport import Message
from boutre.errors import Unavailable

PATIENCE_S: Final = 120.0
QUIET: Final = 4
"""Warnings and worse: librdkafka tells of every client that it closes."""


def make_topics(bootstrap: str, topics: Mapping[str, int], config: Mapping[str, str] | None = None) -> None:
    """
    Make *topics*, each with its number of partitions; one that is there already is an error.
    """
    new = [NewTopic(name, count, 1, config=dict(config or {})) for name, count in topics.items()]
    admin = AdminClient({"bootstrap.servers": bootstrap, "log_level": QUIET})
    for future in admin.create_topics(new).values():
        future.result(PATIENCE_S)


def drop_topics(bootstrap: str, topics: Iterable[str]) -> None:
    """
    Delete *topics*, so that a long run does not fill the disk; one that is not there is left.
    """
    admin = AdminClient({"bootstrap.servers": bootstrap, "log_level": QUIET})
    for future in admin.delete_topics(list(topics)).values():
        try:
            future.result(PATIENCE_S)
        except KafkaException:
            continue


def preload(bootstrap: str, messages: Iterable[Message], compression: str = "lz4") -> int:
    """
    Write *messages*, each to the partition of its key, and return how many, once all are acknowledged.
    """
    producer = Producer(
        {
            "bootstrap.servers": bootstrap,
            "partitioner": "murmur2_random",
            "compression.type": compression,
            "linger.ms": 20,
            "enable.idempotence": True,
            "queue.buffering.max.messages": 1_000_000,
        }
    )
    count = 0
    for message in messages:
        producer.produce(message.topic, message.value, message.key, headers=list(message.headers))
        count += 1
        if count % 1_000 == 0:
            producer.poll(0)
    if producer.flush(PATIENCE_S):
        raise TimeoutError("the broker did not acknowledge the input")
    return count


def await_group(bootstrap: str, group: str, size: int) -> None:
    """
    Wait until a group stands with so many members, each with a partition; with 0, until it has forgotten all that it had.
    """
    admin = AdminClient({"bootstrap.servers": bootstrap, "log_level": QUIET})
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        try:
            told = admin.describe_consumer_groups([group])[group].result(PATIENCE_S)
        except KafkaException as error:
            # A group that never was has nobody; a broker that has just started may not know yet.
            if size == 0 and error.args[0].code() == KafkaError.GROUP_ID_NOT_FOUND:
                return
        else:
            have = [member for member in told.members if member.assignment and member.assignment.topic_partitions]
            if len(told.members) == len(have) == size and (size == 0 or told.state == ConsumerGroupState.STABLE):
                return
        time.sleep(0.2)
    raise Unavailable(f"the group did not come to have {size} members within {PATIENCE_S:.0f} s")


def workplace(bootstrap: str, name: str, partitions: int, reads: str | None = None) -> Told:
    """
    Make the topics of one run, all named after it, and give what its process is told; input of its own only without *reads*.
    """
    call = Told(
        bootstrap=bootstrap,
        group=name,
        reads=reads or f"{name}.in",
        writes=f"{name}.out",
        rejects=f"{name}.rejects",
        changelog=f"{name}.changelog",
        partitions=partitions,
        data="",
        signed=False,
    )
    own = {} if reads else {call.reads: partitions}
    make_topics(bootstrap, {**own, call.writes: partitions, call.rejects: 1})
    make_topics(bootstrap, {call.changelog: partitions}, {"cleanup.policy": "compact"})
    return call
