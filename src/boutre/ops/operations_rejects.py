"""
Counts the rejects on the topics of all owners: it reads them by position, in no group, and takes of each its time alone.

Key and value are dropped as they come. Marks of transactions are no records, so the counts are of rejects and not of offsets.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, TopicPartition

from boutre.errors import Unavailable
from boutre.ops.operations.rejected import Count, Counted

ANSWER_S: Final = 5.0
LOOK_S: Final = 3.0
"""Seconds that one look may take: where there are very many rejects, the next one goes on."""

MOST: Final = 2_000


@dataclass(slots=True)
class RejectCounter:
    """
    Goes on from look to look. *topics* are those of rejects; *client* is how the cluster is reached.
    """

    client: Mapping[str, Any]
    topics: Sequence[str]
    now: Callable[[], float] = time.time
    _consumer: Consumer | None = None
    _counts: dict[str, Count] = field(default_factory=dict)
    _ended: set[tuple[str, int]] = field(default_factory=set)
    _places: frozenset[tuple[str, int]] = frozenset()

    def look(self) -> tuple[Counted, ...]:
        """Read what came since the last look. Raises Unavailable where the cluster does not answer."""
        try:
            consumer = self._open()
            until = time.monotonic() + LOOK_S
            while time.monotonic() < until:
                found = consumer.consume(MOST, 0.3)
                for one in found:
                    self._take(one)
                if not found and self._ended >= self._places:
                    break
        except KafkaException as error:
            self.drop()
            raise Unavailable(f"rejects cannot be counted ({error.args[0].name()})") from None
        return tuple(
            self._counts[topic].counted(self.now(), whole=all(place in self._ended for place in self._places if place[0] == topic))
            for topic in self._counts
        )

    def _take(self, one: Any) -> None:
        place = (str(one.topic()), int(one.partition()))
        error = one.error()
        if error is None:
            self._counts[place[0]].add(one.timestamp()[1] / 1000)
        elif error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001 - the client's own error; part of its interface
            self._ended.add(place)
        else:
            raise KafkaException(error)

    def _open(self) -> Consumer:
        """Give the reader, made anew where topics or partitions are other ones than before; then all is counted again."""
        if self._consumer is None:
            quiet: Any = lambda _error: None  # noqa: E731 - the stubs allow no functions among the settings
            own: dict[str, Any] = {
                "group.id": "boutre.operations", "enable.auto.commit": False, "enable.partition.eof": True, "log_level": 0,
                "isolation.level": "read_committed", "auto.offset.reset": "earliest", "error_cb": quiet,
                "queued.max.messages.kbytes": 4096,
            }  # fmt: skip
            self._consumer = Consumer({**self.client, **own})
        there = self._consumer.list_topics(timeout=ANSWER_S).topics
        places = frozenset((name, number) for name in self.topics if name in there for number in there[name].partitions)
        if places != self._places:
            self._places, self._ended = places, set()
            self._counts = {name: Count(name) for name in self.topics if name in there}
            self._consumer.assign([TopicPartition(*place, OFFSET_BEGINNING) for place in sorted(places)])
        return self._consumer

    def drop(self) -> None:
        """Close the reader; the next look begins anew."""
        if self._consumer is not None:
            with suppress(KafkaException, RuntimeError):
                self._consumer.close()
        self._consumer, self._places = None, frozenset()
