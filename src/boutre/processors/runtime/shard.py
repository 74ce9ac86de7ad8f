"""
One partition of a processor: its state, its transactional producer, and batches as transactions.

Outputs, changes of state and offsets of a batch are one transaction. The transactional id is that of the processor and partition,
so that a new owner fences the old one and aborts what it left open. After any error there is one path: forget the batch's changes,
make the producer anew, read the state and the committed offset again, and handle what lies at or above it once more, from memory.
"""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import structlog
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import InvalidProducerEpoch, KafkaError, ProducerFenced
from aiokafka.partitioner import murmur2

from boutre import metrics
from boutre.processors.decision import Inbound, Outbound
from boutre.processors.handle import Handled, Handler
from boutre.processors.runtime.batches import Unread
from boutre.processors.runtime.store import Overlay, Store, change_bytes

log = structlog.get_logger()

TRANSACTION_TIMEOUT_MS = 15_000
"""One hung producer keeps every read_committed reader of its partitions waiting for as long."""

LARGEST_TRANSACTION = 500
"""Records handled in one transaction: more gain little, and keep an alert behind them waiting."""

LARGEST_OUTPUT = 1_040_000
"""Bytes of one message that every broker takes, which by default is a mebibyte with its head."""

PAUSE = 0.5
"""Seconds between two tries after an error."""

FENCED_PAUSE = 3.0
"""Seconds to wait after being fenced: more than a heartbeat of the consumer."""

TRANSIENT = (KafkaError, OSError, TimeoutError)
FENCED = (ProducerFenced, InvalidProducerEpoch)


@dataclass(slots=True)
class Shard:
    """
    One partition of a processor; *mine* says whether a batch's generation is still the assignment in force.
    """

    handler: Handler
    partition: int
    group: str
    connection: dict[str, Any]
    mine: Callable[[int], bool]
    store: Store = field(default_factory=Store)
    _producer: AIOKafkaProducer | None = None
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    _partitions: dict[str, int] = field(default_factory=dict)
    _closed: bool = False

    @property
    def _changelog(self) -> TopicPartition:
        return TopicPartition(self.handler.processor.changelog, self.partition)

    async def open(self, generation: int) -> None:
        """
        Fence whoever had this partition before, then read the state to its end.

        A broker that is away is waited for, as long as the partition is ours.
        """
        async with self._lock:
            while not self._closed and self.mine(generation):
                try:
                    await self._renew()
                except TRANSIENT as error:
                    log.warning("cannot open yet", partition=self.partition, error=type(error).__name__)
                    await asyncio.sleep(PAUSE)
                else:
                    return

    async def close(self) -> None:
        """Let the batch in flight finish, and give the partition up; what is queued after it is dropped."""
        self._closed = True
        async with self._lock:
            await self._stop()

    async def handle(self, tp: TopicPartition, records: Sequence[Any], generation: int) -> None:
        """
        Handle *records* of *tp* in transactions, until all are done or the partition is no longer ours.
        """
        rest = list(records)
        while rest:
            async with self._lock:
                if self._closed or not self.mine(generation):
                    return
                part = rest[:LARGEST_TRANSACTION]
                try:
                    await self._transaction(tp, part)
                except TRANSIENT as error:
                    metrics.TRANSACTIONS.labels(stage=self.handler.processor.name, end="aborted").inc()
                    log.warning("transaction failed", partition=self.partition, error=type(error).__name__)
                    # Fenced: another may have the partition by right, and our own consumer learns so with its next heartbeat. To
                    # make the producer anew before that would fence the rightful owner in turn.
                    await asyncio.sleep(FENCED_PAUSE if isinstance(error, FENCED) else PAUSE)
                    rest = await self._after_error(tp, rest, generation)
                else:
                    rest = rest[len(part) :]

    async def _after_error(self, tp: TopicPartition, rest: list[Any], generation: int) -> list[Any]:
        """Find out what was committed: the answer to a commit may have been lost. Gives what is still to be done."""
        while not self._closed and self.mine(generation):
            try:
                await self._renew()
                committed = await self._committed(tp)
            except TRANSIENT as error:
                log.warning("cannot go on yet", partition=self.partition, error=type(error).__name__)
                await asyncio.sleep(PAUSE)
                continue
            return [record for record in rest if committed is None or record.offset >= committed]
        return []

    async def _transaction(self, tp: TopicPartition, records: Sequence[Any]) -> None:
        if self._producer is None:
            await self._renew()
        producer = self._producer
        assert producer is not None  # renewed above
        begun = time.monotonic()
        overlay = Overlay(self.store)
        await self._count(producer, tp.topic)
        handled = [self._step(record, overlay) for record in records]
        await producer.begin_transaction()
        sent = await self._send(producer, [out for one in handled for out in one.records], overlay)
        await producer.send_offsets_to_transaction({tp: records[-1].offset + 1}, self.group)
        await producer.commit_transaction()
        self.store.apply(overlay.changes, max(self.store.position, sent))
        stage = self.handler.processor.name
        metrics.TRANSACTIONS.labels(stage=stage, end="committed").inc()
        metrics.BATCH_SECONDS.labels(stage=stage).observe(time.monotonic() - begun)
        for one in handled:
            one.count(stage)

    def _step(self, record: Any, overlay: Overlay) -> Handled:
        begun = time.perf_counter()
        unread = isinstance(record.value, Unread)
        inbound = Inbound(
            record.topic,
            record.partition,
            record.offset,
            record.key,
            None if unread else record.value,
            {name: value for name, value in record.headers if value is not None},
            record.timestamp,
            record.value.code if unread else self._misplaced(record),
        )
        handled = self.handler(inbound, overlay)
        if _too_large(handled):
            # Its transaction would fail for ever, and the partition with it.
            handled = self.handler.failed(inbound)
        overlay.add(handled.changes)
        metrics.STEP_SECONDS.labels(stage=self.handler.processor.name).observe(time.perf_counter() - begun)
        return handled

    def _misplaced(self, record: Any) -> str | None:
        """Say whether a record lies in another partition than its key's: what is remembered of its key stands elsewhere."""
        count = self._partitions[record.topic]
        stray = record.key is not None and (murmur2(record.key) & 0x7FFFFFFF) % count != record.partition
        return "wrong-key" if stray else None

    async def _send(self, producer: AIOKafkaProducer, outputs: Sequence[Outbound], overlay: Overlay) -> int:
        """Write outputs and changes of state; every delivery is awaited. Gives the changelog's position behind the changes."""
        by_partition: dict[TopicPartition, list[tuple[bytes, bytes | None, int | None, Any]]] = defaultdict(list)
        for out in outputs:
            count = await self._count(producer, out.topic)
            target = TopicPartition(out.topic, (murmur2(out.key) & 0x7FFFFFFF) % count)
            by_partition[target].append((out.key, out.value, out.timestamp, list(out.headers)))
        for key, value in overlay.changes.items():
            by_partition[self._changelog].append((key.encode(), change_bytes(value), None, []))
        deliveries = [(target, future) for target, rows in by_partition.items() for future in await _write(producer, target, rows)]
        position = 0
        for target, future in deliveries:
            metadata = await future
            if target == self._changelog:
                position = max(position, metadata.offset + 1)
        return position

    async def _count(self, producer: AIOKafkaProducer, topic: str) -> int:
        if topic not in self._partitions:
            self._partitions[topic] = len(await producer.partitions_for(topic))
        return self._partitions[topic]

    async def _stop(self) -> None:
        producer, self._producer = self._producer, None
        if producer is not None:
            try:
                await asyncio.wait_for(producer.stop(), 5)
            except TRANSIENT as error:
                log.warning("producer did not stop cleanly", partition=self.partition, error=type(error).__name__)

    async def _renew(self) -> None:
        await self._stop()
        producer = AIOKafkaProducer(
            **self.connection,
            transactional_id=f"{self.group}-{self.partition}",
            transaction_timeout_ms=TRANSACTION_TIMEOUT_MS,
            compression_type="lz4",
            acks="all",
        )
        await producer.start()
        self._producer = producer
        await self._restore()

    async def _restore(self) -> None:
        """Read the changelog from where the store stands to its end, by position: its last offset is a control record."""
        reader = AIOKafkaConsumer(**self.connection, isolation_level="read_committed", enable_auto_commit=False)
        await reader.start()
        try:
            reader.assign([self._changelog])
            end = (await reader.end_offsets([self._changelog]))[self._changelog]
            begin = (await reader.beginning_offsets([self._changelog]))[self._changelog]
            if self.store.position > end or self.store.position < begin:
                self.store = Store()
            reader.seek(self._changelog, max(begin, self.store.position))
            while (position := await reader.position(self._changelog)) < end:
                fetched = await reader.getmany(self._changelog, timeout_ms=50, max_records=5_000)
                for record in fetched.get(self._changelog, ()):
                    self.store.restore(record.key, record.value, record.offset + 1)
            self.store.position = max(self.store.position, position)
        finally:
            await reader.stop()

    async def _committed(self, tp: TopicPartition) -> int | None:
        reader = AIOKafkaConsumer(**self.connection, group_id=self.group, enable_auto_commit=False)
        await reader.start()
        try:
            reader.assign([tp])
            offset: int | None = await reader.committed(tp)
            return offset
        finally:
            await reader.stop()


def _too_large(handled: Handled) -> bool:
    """Say whether something of it is more than a broker takes."""
    changes = (len(change_bytes(value) or b"") for value in handled.changes.values())
    return any(len(out.value) + len(out.key) > LARGEST_OUTPUT for out in handled.records) or any(
        size > LARGEST_OUTPUT for size in changes
    )


async def _write(
    producer: AIOKafkaProducer, target: TopicPartition, rows: Sequence[tuple[bytes, bytes | None, int | None, Any]]
) -> list[asyncio.Future[Any]]:
    """Write *rows* to one partition as prepared batches."""
    futures = []
    builder = producer.create_batch()
    for key, value, timestamp, headers in rows:
        if builder.append(key=key, value=value, timestamp=timestamp, headers=headers) is None:
            builder.close()
            futures.append(await producer.send_batch(builder, target.topic, partition=target.partition))
            builder = producer.create_batch()
            if builder.append(key=key, value=value, timestamp=timestamp, headers=headers) is None:
                # One record that is larger than a batch of prepared records may be.
                futures.append(
                    await producer.send(
                        target.topic, value, key, partition=target.partition, timestamp_ms=timestamp, headers=headers
                    )
                )
    if builder.record_count():
        builder.close()
        futures.append(await producer.send_batch(builder, target.topic, partition=target.partition))
    return futures
