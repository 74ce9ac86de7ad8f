"""
What a transaction writes: records of Kafka in prepared batches, each to the partition of its key.

One batch for each partition where that is possible: aiokafka has one request in flight for each, so that ten small ones take
ten times as long.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from aiokafka import AIOKafkaProducer, TopicPartition

from boutre.processors.decision import Outbound
from boutre.processors.runtime.partitions import partitions_of

LARGEST_BATCH: Final = 900_000
"""Bytes of a prepared batch before it is compressed; every broker takes a mebibyte."""

LARGEST_OUTPUT: Final = 1_040_000
"""Bytes of one message that every broker takes, which by default is a mebibyte with its head."""

CLOSE_S: Final = 5.0
"""Seconds that a producer may take to stop."""

Row: TypeAlias = tuple[bytes | None, bytes | None, int | None, list[tuple[str, bytes]]]
"""Key, value, timestamp in milliseconds, headers."""


@dataclass(slots=True)
class Outbox:
    """
    Writes through one producer; *counts* are the partitions of each topic that it has asked for.
    """

    producer: AIOKafkaProducer
    counts: dict[str, int] = field(default_factory=dict)

    async def close(self) -> None:
        """Stop the producer; where it waits for what will not come, without what it still holds: its transaction is over."""
        try:
            await asyncio.wait_for(self.producer.stop(), CLOSE_S)
        except TimeoutError:
            # A stop that is broken off leaves the task and the sockets behind. Private names, since there is no other way.
            await self.producer._sender.close()  # noqa: SLF001 - see above
            await self.producer.client.close()
            raise

    async def count(self, topic: str) -> int:
        """Give how many partitions a topic has."""
        if topic not in self.counts:
            self.counts[topic] = len(await self.producer.partitions_for(topic))
        return self.counts[topic]

    async def write(self, outputs: Iterable[Outbound], changelog: TopicPartition, changes: Sequence[Row]) -> int:
        """Write *outputs* and the *changes* of state, and await every delivery; gives the changelog's position behind them."""
        by_topic: dict[str, list[Outbound]] = defaultdict(list)
        for out in outputs:
            by_topic[out.topic].append(out)
        sent: list[_Sent] = []
        for topic, outs in by_topic.items():
            count = await self.count(topic)
            rows: dict[int, list[Row]] = defaultdict(list)
            for out, partition in zip(outs, partitions_of([out.key for out in outs], count), strict=True):
                if out.everywhere:
                    for each in range(count):
                        rows[each].append((None, out.value, out.timestamp, list(out.headers)))
                else:
                    rows[partition].append((out.key, out.value, out.timestamp, list(out.headers)))
            for partition, some in rows.items():
                await self._write(TopicPartition(topic, partition), some, sent)
        if changes:
            await self._write(changelog, changes, sent)
        position = 0
        for one in sent:
            metadata = await one.future
            if one.target == changelog:
                position = max(position, metadata.offset + one.count)
        return position

    async def _write(self, target: TopicPartition, rows: Sequence[Row], sent: list[_Sent]) -> None:
        builder = self.producer.create_batch()
        for key, value, timestamp, headers in rows:
            if builder.append(key=key, value=value, timestamp=timestamp, headers=headers) is not None:
                continue
            if builder.record_count():
                sent.append(await self._send(builder, target))
                builder = self.producer.create_batch()
                if builder.append(key=key, value=value, timestamp=timestamp, headers=headers) is not None:
                    continue
            # One record that is larger than a batch of prepared records may be.
            sending = self.producer.send(
                target.topic, value, key, partition=target.partition, timestamp_ms=timestamp, headers=headers
            )
            sent.append(_Sent(target, await sending, 1))
            builder = self.producer.create_batch()
        if builder.record_count():
            sent.append(await self._send(builder, target))

    async def _send(self, builder: Any, target: TopicPartition) -> _Sent:
        builder.close()
        return _Sent(
            target, await self.producer.send_batch(builder, target.topic, partition=target.partition), builder.record_count()
        )


@dataclass(frozen=True, slots=True)
class _Sent:
    """A batch on its way: *future* gives the offset of its first record."""

    target: TopicPartition
    future: asyncio.Future[Any]
    count: int
