"""
Whether a processor, or another group, has handled all that stands on its topics.

Between what it committed and the end of a partition lie marks of transactions, which are no records: only a reader can tell.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, TopicPartition

from boutre.processors.edges import Edge
from boutre.processors.groups import group_of
from boutre.topics.bus import Declarations

ASK_S: Final = 5.0
"""Seconds that one question to the broker may take."""


def drained(client: Mapping[str, Any], declarations: Declarations, edges: Iterable[Edge]) -> bool:
    """
    Say whether nothing waits for any of these processors, in the order in which a record meets them; False where nobody can tell.
    """
    return all(read_to_end(client, declarations, group_of(edge.name), edge.reads) for edge in edges)


def read_to_end(client: Mapping[str, Any], declarations: Declarations, group: str, topics: Iterable[str]) -> bool:
    """
    Say whether a group has committed all that stands committed on these topics; False where nobody can tell.
    """
    places = [TopicPartition(name, number) for name in topics for number in range(declarations.topics[name].partitions)]
    reader = Consumer(
        {
            **client,
            "group.id": group,
            "isolation.level": "read_committed",
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "log_level": 2,
        }
    )
    try:
        committed = reader.committed(places, ASK_S)
        # Assigned and not subscribed: the group does not notice.
        reader.assign(
            [TopicPartition(one.topic, one.partition, one.offset if one.offset >= 0 else OFFSET_BEGINNING) for one in committed]
        )
        left = {(place.topic, place.partition) for place in places}
        while left:
            message = reader.poll(ASK_S)
            error = None if message is None else message.error()
            if message is None or error is None or error.code() != KafkaError._PARTITION_EOF:  # noqa: SLF001 - named so by librdkafka
                return False
            # By name: a partition that only marks of transactions come to meanwhile is at its end more than once.
            left.discard((str(message.topic()), int(message.partition() or 0)))
    except KafkaException:
        return False
    else:
        return True
    finally:
        reader.close()
