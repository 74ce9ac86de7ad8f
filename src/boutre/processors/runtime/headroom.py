"""
How far a processor is ahead of those who read what it writes, so that a flood waits where it came from.

A member's burst that accept lets through at once would stand in one queue before release, and every other member's record of that
partition behind it. So while a reader has much before it, topics that flood are held back in accept, where each member has a queue
of its own, and the few records of everybody else go on. Between two looks at the lag a partition lets only so much of a flood
through as its reader could bear if it read nothing meanwhile. Where the lag cannot be known, nothing is held back.

Behind accept all members share a line, and holding it back holds back everybody: so it is for a reader that is slow, and not for
one that is gone. So centres go on getting views while nobody links them.
"""

from __future__ import annotations

import asyncio
import sys
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from boutre.processors.runtime.torn import Torn, tearing

log = structlog.get_logger()

AHEAD: Final = 500
"""Records that may wait in one partition of a reader before floods are held back, and of a flood between two looks at them."""

FLOOD: Final = 100
"""Records of one topic that wait here: more of them are a flood."""

EVERY_S: Final = 0.1
"""Seconds between two looks at the readers' lag, while something floods."""

BOUNDLESS: Final = sys.maxsize
"""Records of a flood that are let through where nobody reads what they come to, or it cannot be known how far they have read."""


@dataclass(slots=True)
class Headroom:
    """
    The lag of the groups that read what this processor writes; *readers* are the topics that each of them reads.

    *shared*: members share the lines of what it reads, so that a reader without any worker does not count.
    """

    readers: Mapping[str, tuple[str, ...]]
    connection: Mapping[str, Any]
    shared: bool = False
    waiting: int | None = 0
    _let: Counter[int] = field(default_factory=Counter)
    _wanted: asyncio.Event = field(default_factory=asyncio.Event)

    def allowance(self, partition: int) -> int:
        """Give how many records of floods this partition may let through before the next look."""
        if self.waiting is None or not self.readers:
            return BOUNDLESS
        return 0 if self.waiting > AHEAD else max(0, AHEAD - self._let[partition])

    def let(self, partition: int, number: int) -> None:
        """Note that this partition lets so many records of floods through."""
        self._let[partition] += number

    def looked(self, waiting: int | None) -> None:
        """Take note of the most records that wait for a reader in one partition; None where it cannot be known."""
        self.waiting = waiting
        self._let.clear()

    def flooded(self) -> None:
        """Say that something floods: the lag is looked at from now on, until nobody says so any more."""
        self._wanted.set()

    async def watch(self) -> None:
        """Look at the lag whenever something floods, until cancelled."""
        while True:
            await self._wanted.wait()
            try:
                with tearing():
                    await self._look()
            except (KafkaError, OSError, TimeoutError, LookupError, Torn) as error:
                # A broker that starts answers for some partitions and not for others.
                log.warning("lag unknown", error=type(error).__name__)
                self.looked(None)
                await asyncio.sleep(1)

    async def _look(self) -> None:
        admin = AIOKafkaAdminClient(**self.connection)
        reader = AIOKafkaConsumer(**self.connection)
        await admin.start()
        try:
            await reader.start()
            places = {group: await _places(admin, topics) for group, topics in self.readers.items()}
            while True:
                self._wanted.clear()
                there = await _there(admin, places) if self.shared else places
                self.looked(max([await _lag(admin, reader, group, places[group]) for group in there], default=None))
                await asyncio.sleep(EVERY_S)
                await self._wanted.wait()
        finally:
            await reader.stop()
            await admin.close()


async def _places(admin: Any, topics: tuple[str, ...]) -> list[TopicPartition]:
    described = await admin.describe_topics(list(topics))
    return [TopicPartition(one["topic"], part["partition"]) for one in described for part in one["partitions"]]


async def _there(admin: Any, groups: Iterable[str]) -> list[str]:
    """Give those of *groups* that have a worker; one that was killed has it until its session is over."""
    told = await admin.describe_consumer_groups(list(groups))
    return [name for answer in told for _, name, _, _, _, members, *_ in answer.groups if members]


async def _lag(admin: Any, reader: Any, group: str, places: list[TopicPartition]) -> int:
    """Give the most records that wait for *group* in one partition."""
    begins, ends = await reader.beginning_offsets(places), await reader.end_offsets(places)
    done = await admin.list_consumer_group_offsets(group, partitions=places)
    return max([int(ends[place]) - max(int(done[place].offset), int(begins[place])) for place in places])
