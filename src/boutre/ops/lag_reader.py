"""
Reads the first record behind an offset, for its timestamp: what the group that stands there would be given next.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import structlog
from confluent_kafka import Consumer, KafkaError, Message, TopicPartition

from boutre.ops.lag.look import Bounds, Next, Place
from boutre.ops.lag.search import Ask, search
from boutre.ops.lag.unread import Unread
from boutre.topics.members import OPERATIONS

log = structlog.get_logger()

GROUP: Final = f"{OPERATIONS}.lag"
"""A name, since librdkafka wants one; nothing joins it and nothing is committed to it. Whoever runs the bus has a right to it."""

TOGETHER: Final = 500
"""Partitions that are read at once."""

LOOK_S: Final = 6.0
"""Seconds for all readings of a look; what is not read by then is unknown, and read at the next."""

FETCHED: Final = 65_536
"""Bytes of a partition that are fetched: one record would do, but the broker gives batches."""

DENIED_S: Final = 600.0
"""Seconds until a topic that may not be read is tried again."""

END: Final = KafkaError._PARTITION_EOF  # noqa: SLF001 - the client's own error; part of its interface

Wanted = tuple[str, Place]
"""The identity of a topic, and a place of it."""


@dataclass(slots=True)
class LagReader:
    """
    Reads from the cluster that *client* reaches, by a consumer that is made when something is to be read; *unread*: what it found.
    """

    client: Mapping[str, Any]
    unread: Unread = field(default_factory=Unread)
    _denied: dict[str, float] = field(default_factory=dict)
    _consumer: Consumer | None = None

    @property
    def consumer(self) -> Consumer:
        """The consumer."""
        if self._consumer is None:
            quiet: Any = lambda _error: None  # noqa: E731 - the stubs allow no functions among the settings
            self._consumer = Consumer({
                **self.client,
                "group.id": GROUP,
                "enable.auto.commit": False,
                "enable.auto.offset.store": False,
                "isolation.level": "read_committed",
                "auto.offset.reset": "error",
                "enable.partition.eof": True,
                "fetch.message.max.bytes": FETCHED,
                "queued.min.messages": 1,
                "fetch.wait.max.ms": 50,
                "log_level": 0,
                "error_cb": quiet,
            })  # fmt: skip
        return self._consumer

    def drop(self) -> None:
        """Close the consumer; what was found stays."""
        consumer, self._consumer = self._consumer, None
        if consumer is not None:
            consumer.close()

    def nexts(
        self, wanted: Mapping[Wanted, Iterable[int]], bounds: Mapping[Place, Bounds], ask: Ask
    ) -> dict[tuple[Place, int], Next | None]:
        """
        Give the first record behind each of the *wanted* offsets; None where there is none before the stable end.

        Of topics that may not be read, *ask* is asked for the time. What could not be found in time is not in the answer.
        """
        until = time.monotonic() + LOOK_S
        self._denied = {topic: at for topic, at in self._denied.items() if time.monotonic() - at < DENIED_S}
        self.unread.forget(wanted)
        asked = {(key, offset) for key, offsets in wanted.items() for offset in offsets}
        # A consumer stands at one offset of a partition, so groups that stand apart are read for in turns.
        while (todo := self._todo(asked, bounds)) and time.monotonic() < until:
            self._read(todo, until)
        while (todo := self._todo(asked, bounds, denied=True)) and time.monotonic() < until:
            told = search(ask, {place: begin for place, (_, begin) in todo.items()}, round(time.time() * 1000))
            for place, first in told.items():
                self.unread.learn(todo[place][0], place, todo[place][1], first, first.offset)
            if told.keys() != todo.keys():
                break  # somebody does not answer now
        found: dict[tuple[Place, int], Next | None] = {}
        for (identity, place), offset in asked:
            known, record, _ = self.unread.find(identity, place, offset, bounds[place])
            if known:
                found[place, offset] = record
        return found

    def _todo(
        self, asked: Iterable[tuple[Wanted, int]], bounds: Mapping[Place, Bounds], *, denied: bool = False
    ) -> dict[Place, tuple[str, int]]:
        """Where to read from next: of each place the first offset that is not known, of so many places at once."""
        todo: dict[Place, tuple[str, int]] = {}
        for (identity, place), offset in sorted(asked):
            if place in todo or (place[0] in self._denied) is not denied:
                continue
            known, _, begin = self.unread.find(identity, place, offset, bounds[place])
            if not known:
                todo[place] = (identity, begin)
                if len(todo) == TOGETHER:
                    break
        return todo

    def _read(self, todo: Mapping[Place, tuple[str, int]], until: float) -> None:
        left = set(todo)
        self.consumer.assign([TopicPartition(*place, begin) for place, (_, begin) in todo.items()])
        try:
            while left and (wait := until - time.monotonic()) > 0:
                for message in self.consumer.consume(TOGETHER, min(wait, 0.2)):
                    self._take(message, todo, left)
        finally:
            self.consumer.unassign()

    def _take(self, message: Message, todo: Mapping[Place, tuple[str, int]], left: set[Place]) -> None:
        place = (str(message.topic()), int(message.partition() or 0))
        error = message.error()
        if place not in left:
            if error is not None and error.code() == KafkaError.TOPIC_AUTHORIZATION_FAILED:
                self._deny(place[0], left)
            return
        identity, begin = todo[place]
        if error is None:
            record = Next(int(message.offset() or 0), int(message.timestamp()[1]))
            self.unread.learn(identity, place, begin, record, record.offset)
        elif error.code() == END:
            self.unread.learn(identity, place, begin, None, int(message.offset() or 0))
        elif error.code() == KafkaError.TOPIC_AUTHORIZATION_FAILED:
            self._deny(place[0], left)
            return
        else:
            log.warning("lag.unreadable", topic=place[0], partition=place[1], error=error.name())
        left.discard(place)

    def _deny(self, topic: str, left: set[Place]) -> None:
        log.warning("lag.may-not-read", topic=topic)
        self._denied[topic] = time.monotonic()
        left.difference_update({place for place in left if place[0] == topic})
