"""
What waits in one partition of a processor, taken in turns from its topics.

A member that sends nine days' reports at once fills its own topic only: whoever shares the partition has every second turn. Within
a topic the order stands.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from boutre.processors.decision import Inbound

TURN: Final = 16
"""Records that one topic gives before the next has its turn."""

ROOM: Final = 4_000
"""Records of one topic that may wait; what is behind them is not asked of the broker yet."""

ROOM_BYTES: Final = 16_000_000
"""Bytes of one topic that may wait: a number of records alone would bound no memory."""


@dataclass(slots=True)
class Pending:
    """
    Records that were read and are not handled, by topic.
    """

    _queues: dict[str, deque[Inbound]] = field(default_factory=dict)
    _bytes: dict[str, int] = field(default_factory=dict)
    _floors: dict[str, int] = field(default_factory=dict)
    _something: asyncio.Event = field(default_factory=asyncio.Event)

    def add(self, topic: str, records: Sequence[Inbound]) -> None:
        """
        Let *records* of *topic* wait behind those that are there; what came before, or is known to be committed, is left out.

        Faust opens the flow before it seeks: what was delivered in between is delivered again after the seek.
        """
        floor = self._floors.get(topic, 0)
        records = [record for record in records if record.offset >= floor]
        if not records:
            return
        self._floors[topic] = records[-1].offset + 1
        self._queues.setdefault(topic, deque()).extend(records)
        self._bytes[topic] = self._bytes.get(topic, 0) + sum(map(_size, records))
        self._something.set()

    def has_room(self, topic: str) -> bool:
        """Say whether more of *topic* should be read."""
        return len(self._queues.get(topic, ())) < ROOM and self._bytes.get(topic, 0) < ROOM_BYTES

    def above(self, number: int) -> frozenset[str]:
        """Give the topics of which more than *number* records wait."""
        return frozenset(topic for topic, queue in self._queues.items() if len(queue) > number)

    def anything(self, held: Collection[str] = ()) -> bool:
        """Say whether records wait, other than those of *held* topics."""
        return any(queue for topic, queue in self._queues.items() if topic not in held)

    def clear(self) -> None:
        """Forget all that waits: the partition is somebody else's, and nothing is added any more."""
        self._queues.clear()
        self._bytes.clear()

    async def something(self) -> None:
        """Wait until records are there."""
        while not self.anything():
            self._something.clear()
            await self._something.wait()

    def turns(self, floods: Collection[str] = (), most: int = 0) -> Iterator[Inbound]:
        """
        Take records, ``TURN`` of each topic in turn, until nothing waits or nobody asks; of all *floods* together *most*.
        """
        while True:
            ready = [topic for topic, queue in self._queues.items() if queue and (most > 0 or topic not in floods)]
            if not ready:
                return
            for topic in ready:
                queue = self._queues[topic]
                turn = min(TURN, len(queue))
                if topic in floods:
                    turn = min(turn, most)
                    most -= turn
                # The next round begins behind whoever had its turn last, also when that round was broken off.
                self._queues[topic] = self._queues.pop(topic)
                for _ in range(turn):
                    yield self._taken(queue.popleft())

    def back(self, records: Sequence[Inbound]) -> None:
        """Put what was taken, and could not be handled, back in front of what waits, in its order."""
        for record in reversed(records):
            self._queues.setdefault(record.topic, deque()).appendleft(record)
            self._bytes[record.topic] = self._bytes.get(record.topic, 0) + _size(record)
        self._something.set()

    def done_below(self, topic: str, offset: int) -> None:
        """Forget what lies below *offset* of *topic*, also what is still on its way here: it was committed."""
        self._floors[topic] = max(offset, self._floors.get(topic, 0))
        queue = self._queues.get(topic, deque())
        while queue and queue[0].offset < offset:
            self._taken(queue.popleft())

    def _taken(self, record: Inbound) -> Inbound:
        self._bytes[record.topic] -= _size(record)
        return record


def _size(record: Inbound) -> int:
    """Give the bytes of a record's value; keys and headers are small beside it."""
    return len(record.value or b"")
