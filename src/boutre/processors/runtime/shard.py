"""
One partition of a processor: its state, its transactional producer, and batches as transactions.

Outputs, changes of state and offsets of a batch are one transaction. The transactional id is that of the processor and partition,
so that a new owner fences the old one and aborts what it left open. After any error there is one path: forget the batch's changes,
make the producer anew, read the state and the committed offset again, and handle what lies at or above it once more, from memory.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

import structlog
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import IllegalOperation, InvalidProducerEpoch, KafkaError, ProducerFenced
from msgspec.structs import replace

from boutre import metrics
from boutre.errors import Unavailable
from boutre.health import OWN
from boutre.processors.clocks import KEPT
from boutre.processors.decision import Inbound
from boutre.processors.finish import begin, finished
from boutre.processors.groups import transactions_of
from boutre.processors.handle import Handler, count
from boutre.processors.runtime.headroom import FLOOD, Headroom
from boutre.processors.runtime.outbox import LARGEST_BATCH, Outbox
from boutre.processors.runtime.overlay import Overlay, change_bytes
from boutre.processors.runtime.partitions import partitions_of
from boutre.processors.runtime.pending import Pending
from boutre.processors.runtime.restore import Changelog, kept, restore
from boutre.processors.runtime.store import Store, StoreError
from boutre.processors.runtime.torn import Torn, tearing
from boutre.processors.runtime.work import Work, too_large
from boutre.tracing import OWN as OWN_TRACES

log = structlog.get_logger()

TRANSACTION_TIMEOUT_MS = 15_000
"""One hung producer keeps every read_committed reader of its partitions waiting for as long."""

INDEFINITE_S = TRANSACTION_TIMEOUT_MS / 1000 + 5
"""Seconds after which the end of a transaction is taken for unknown, and its producer made anew."""

LARGEST_TRANSACTION = 2_000
"""Records handled in one transaction: more gain little."""

LARGEST_BYTES = 8_000_000
"""Bytes of the outputs of one transaction, all of which are in memory at once."""

LONGEST_STEPS = 0.1
"""Seconds of steps in one transaction: whatever comes meanwhile, an alert too, waits for its end."""

PAUSE = 0.5
"""Seconds between two tries after an error."""

HELD_PAUSE = 0.02
"""Seconds after which a flood that is held back is looked at again."""

FENCED_PAUSE = 3.0
"""Seconds to wait after being fenced: more than a heartbeat of the consumer."""

FENCED = (ProducerFenced, InvalidProducerEpoch, IllegalOperation)
"""Another has the transactional id; the last is what aiokafka says of a transaction that ended in our hands, as after a freeze."""

TRANSIENT = (KafkaError, OSError, TimeoutError, StoreError, Unavailable, Torn, *FENCED)
"""What another attempt may mend; Unavailable is a vault that cannot be read just now."""


@dataclass(slots=True)
class Shard:
    """
    One partition of a processor; *mine* says whether *generation*, of which it is, is still the assignment in force.
    """

    handler: Handler
    partition: int
    group: str
    connection: dict[str, Any]
    mine: Callable[[int], bool]
    generation: int
    headroom: Headroom
    store: Store
    changelog: Changelog | None = None
    pending: Pending = field(default_factory=Pending)
    _counts: dict[str, int] = field(default_factory=dict)
    _outbox: Outbox | None = None
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    _closed: bool = False

    @property
    def place(self) -> str:
        """What its health is told as."""
        return f"partition {self.partition}"

    @property
    def _changelog(self) -> TopicPartition:
        return TopicPartition(self.handler.processor.changelog, self.partition)

    async def open(self) -> None:
        """
        Fence whoever had this partition before, then read the state to its end.

        A broker that is away is waited for, as long as the partition is ours.
        """
        async with self._lock:
            while not self._closed and self.mine(self.generation):
                try:
                    with tearing():
                        await self._renew()
                        await self._settle()
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

    def add(self, topic: str, records: Sequence[Inbound]) -> None:
        """
        Let records wait to be handled.

        One that lies in another partition than its key's is refused: what is remembered of its key stands elsewhere.
        """
        partitions = partitions_of([record.key or b"" for record in records], self._counts[topic])
        self.pending.add(
            topic,
            [
                record
                if partition == self.partition or record.key is None or record.refused
                else replace(record, refused="wrong-key")
                for record, partition in zip(records, partitions, strict=True)
            ],
        )

    async def handle(self) -> None:
        """
        Handle what waits, in one transaction: in turns from each topic, until it is long enough.

        After any error there is one path: what was taken goes back in front of what waits, the state and the committed offsets are
        read again, and what lies below those is forgotten, since the answer to a commit may have been lost.
        """
        floods = self._floods()
        if floods and not self.headroom.allowance(self.partition) and not self.pending.anything(floods):
            await asyncio.sleep(HELD_PAUSE)
            return
        async with self._lock:
            if self._closed or not self.mine(self.generation):
                # It is read again by whoever has the partition now.
                self.pending.clear()
                return
            taken: list[Inbound] = []
            try:
                with tearing():
                    await self._transaction(taken, floods)
            except TRANSIENT as error:
                metrics.TRANSACTIONS.labels(stage=self.handler.processor.name, end="aborted").inc()
                log.warning("transaction failed", partition=self.partition, error=type(error).__name__)
                self.pending.back(taken)
                # Fenced: another may have the partition by right, and our own consumer learns so with its next heartbeat. To
                # make the producer anew before that would fence the rightful owner in turn.
                await asyncio.sleep(FENCED_PAUSE if isinstance(error, FENCED) else PAUSE)
                await self._after_error()

    async def _after_error(self) -> None:
        """
        Find out what was committed of every topic, and forget it; without end, as long as the partition is ours.

        Of every topic, since another owner may have committed them meanwhile, who had the partition while this worker was frozen.
        """
        while not self._closed and self.mine(self.generation):
            try:
                with tearing():
                    await self._renew()
                    await self._settle()
            except TRANSIENT as error:
                log.warning("cannot go on yet", partition=self.partition, error=type(error).__name__)
                await asyncio.sleep(PAUSE)
                continue
            return

    def _floods(self) -> frozenset[str]:
        """Give the topics of which so much waits that those who read what is made of them could drown in it."""
        floods = self.pending.above(FLOOD)
        if floods:
            self.headroom.flooded()
        return floods

    async def _transaction(self, taken: list[Inbound], floods: Collection[str]) -> None:
        """Handle records, each of which is in *taken* before anything is done with it; of *floods* as many as may go on now."""
        if self._outbox is None:
            await self._renew()
        outbox = self._outbox
        assert outbox is not None  # renewed above
        stage = self.handler.processor.name
        begun = time.monotonic()
        overlay = Overlay(self.store)
        work = Work()
        begin(self.handler.processor.finish)
        offsets: dict[TopicPartition, int] = {}
        for record in self.pending.turns(floods, self.headroom.allowance(self.partition)):
            taken.append(record)
            self._step(record, overlay, work)
            offsets[TopicPartition(record.topic, self.partition)] = record.offset + 1
            if len(taken) >= LARGEST_TRANSACTION or work.size > LARGEST_BYTES or time.monotonic() - begun > LONGEST_STEPS:
                break
        if not taken:
            return
        self.headroom.let(self.partition, sum(record.topic in floods for record in taken))
        overlay.check()
        work.changes |= overlay.sweep()
        outputs = finished(self.handler.processor.finish, work.outputs)
        metrics.STEP_SECONDS.labels(stage=stage).inc(time.monotonic() - begun)
        # Without an end aiokafka would wait for an answer that was lost; the transaction itself has timed out by then.
        async with asyncio.timeout(INDEFINITE_S):
            await outbox.producer.begin_transaction()
            position = await outbox.write(outputs, self._changelog, list(work.changes.values()))
            await outbox.producer.send_offsets_to_transaction(offsets, self.group)
            await outbox.producer.commit_transaction()
        overlay.commit(work.changes, max(self.store.position, position))
        OWN.acknowledged(self.place)
        metrics.TRANSACTIONS.labels(stage=stage, end="committed").inc()
        metrics.BATCH_SECONDS.labels(stage=stage).observe(time.monotonic() - begun)
        count(stage, work.handled)
        self.handler.clocks.committed(self.partition, taken, work.handled, work.rows(), time.time())
        work.told()
        overlay.count(stage, self.partition)

    def _step(self, record: Inbound, overlay: Overlay, work: Work) -> None:
        overlay.see(record.timestamp)
        hop = OWN_TRACES.read(self.handler.processor.name, (record.topic, self.partition, record.offset), record.headers)
        handled = self.handler(record, overlay)
        changes = {key: change_bytes(value) for key, value in handled.changes.items()}
        if too_large(handled, changes):
            # Its transaction would fail for ever, and the partition with it.
            handled, changes = self.handler.failed(record), {}
        overlay.add(handled.changes)
        if hop is not None:
            handled = work.trace(hop, handled)
        work.add(handled, changes, overlay.now)

    async def _stop(self) -> None:
        outbox, self._outbox = self._outbox, None
        if outbox is not None:
            try:
                with tearing():
                    await outbox.close()
            except TRANSIENT as error:
                log.warning("producer did not stop cleanly", partition=self.partition, error=type(error).__name__)

    async def _renew(self) -> None:
        await self._stop()
        producer = AIOKafkaProducer(
            **self.connection,
            transactional_id=transactions_of(self.group, self.partition),
            transaction_timeout_ms=TRANSACTION_TIMEOUT_MS,
            # At level 3, in half the bytes and a fifth of the time of lz4 as aiokafka calls it, which is its level 9.
            compression_type="zstd",
            acks="all",
            max_batch_size=LARGEST_BATCH,
        )
        try:
            await producer.start()
        except BaseException:
            await producer.stop()
            raise
        self._outbox = Outbox(producer, self._counts)
        for topic in self.handler.processor.reads:
            await self._outbox.count(topic)
        await restore(self.store, self.connection, self._changelog, self.changelog, self.handler.processor.name)
        if self.mine(self.generation):
            self.handler.clocks.restored(self.partition, kept(self.store, KEPT), time.time())

    async def _settle(self) -> None:
        """Forget what was committed of each topic: the new producer has ended what the old one left open."""
        reader = AIOKafkaConsumer(**self.connection, group_id=self.group, enable_auto_commit=False)
        await reader.start()
        try:
            places = [TopicPartition(topic, self.partition) for topic in self.handler.processor.reads]
            reader.assign(places)
            for place in places:
                self.pending.done_below(place.topic, await reader.committed(place) or 0)
        finally:
            await reader.stop()
