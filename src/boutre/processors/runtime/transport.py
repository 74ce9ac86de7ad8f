"""
A transport of Faust that delivers each partition's records as one batch.

Faust's cost is its work for each event, so a whole batch is one event here: the message carries its records beside an empty value,
with the offset of the last of them. Assignor, rebalances, supervision and timers are Faust's own. Other people's transactions are
read as ``read_committed``, which Faust would do for its own exactly-once only.

Batches are read as hostile (``hostile.py``), in bounded memory: members write them.

Private names of Faust and aiokafka are used, in this module and that one; the versions are pinned for it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from typing import Any, ClassVar, Final

import aiokafka
from aiokafka.consumer.fetcher import READ_COMMITTED
from faust.transport.drivers import aiokafka as driver
from faust.types import TP, ConsumerMessage

from boutre.processors.decision import Inbound
from boutre.processors.runtime import hostile  # noqa: F401 - imported for what it does
from boutre.processors.runtime.torn import tearing

FETCH_S: Final = 0.05
"""Seconds that a fetch may wait for records."""

FULL_S: Final = 0.01
"""Seconds after which a worker whose partitions are all full looks again."""


class Batch(ConsumerMessage):
    """
    A message that stands for *records*, consecutive records of one partition.
    """

    records: Sequence[Inbound] = ()


class ConsumerThread(driver.AIOKafkaConsumerThread):
    """
    The thread of the consumer, which reads only what was committed.
    """

    def _create_worker_consumer(self, transport: Any) -> aiokafka.AIOKafkaConsumer:
        consumer = super()._create_worker_consumer(transport)
        # Read when the fetcher is made, at the consumer's start, which comes later.
        consumer._isolation_level = "read_committed"  # noqa: SLF001
        consumer._fetch_max_wait_ms = 100  # noqa: SLF001 - Faust's 1.5 s would delay the first record after a pause
        assert READ_COMMITTED  # the name that the fetcher compares with still exists
        return consumer


class Consumer(driver.Consumer):
    """
    A consumer whose messages are batches; *has_room* says whether more of a partition should be read.
    """

    has_room: Callable[[TP], bool] = staticmethod(lambda _tp: True)

    def _new_consumer_thread(self) -> ConsumerThread:
        return ConsumerThread(self, loop=self.loop, beacon=self.beacon)

    async def perform_seek(self) -> None:
        """As Faust's; where it is torn the worker ends, since Faust would take it for the end of a task of its own."""
        with tearing():
            await super().perform_seek()

    def _still(self, generation: int) -> bool:
        """Say whether records may flow, and are those of the assignment in force."""
        return bool(self.flow_active and self.app.consumer_generation_id == generation)

    async def getmany(self, timeout: float) -> AsyncIterator[tuple[TP, Batch]]:  # noqa: ASYNC109 - Faust's signature
        """Yield one message for each partition that has records, standing for all of them."""
        records, active = await self._next(timeout)
        generation = self.app.consumer_generation_id
        if self.should_stop:
            return
        if not self.flow_active:
            # As Faust does, and as it does guarded: the assignment may be changing at this moment, and the seek that counts comes
            # after it.
            try:
                await self.perform_seek()
            except Exception as error:  # noqa: BLE001 - Faust's own guard is as wide
                self.log.warning("no seek while partitions move: %s", type(error).__name__)
            return
        for tp, batch in records.items():
            if not self._still(generation):
                return
            if len(batch) == 0 or tp not in active:
                continue
            last = batch[-1]
            self.app.monitor.track_tp_end_offset(tp, self.highwater(tp))
            message = Batch(
                tp.topic, tp.partition, last.offset, last.timestamp / 1000, 0, [], b"", b"",
                None, 0, 0, tp, generation_id=generation,
            )  # fmt: skip
            message.records = batch
            yield tp, message
        await asyncio.sleep(0)

    async def _next(self, timeout: float) -> tuple[Mapping[TP, Sequence[Inbound]], Collection[TP]]:  # noqa: ASYNC109 - the same
        """
        Fetch from the partitions for which there is room; one that is full holds back no other.

        Faust's ``_wait_next_records``, which asks for all partitions, and sleeps a second where there is none.
        """
        if not self.flow_active:
            await self.wait(self.can_resume_flow)  # type: ignore[arg-type] # anything that can be waited for will do
        active = [tp for tp in self._get_active_partitions() if self.has_room(tp)]
        try:
            self.not_waiting_next_records.set()
            if active:
                # A tail of control records makes the fetcher sleep its whole time-out with other partitions' records in hand.
                return await self._getmany(active_partitions=set(active), timeout=min(timeout, FETCH_S)), active
            await self.sleep(FULL_S)
            return {}, ()
        finally:
            self.not_waiting_next_records.set()


class Transport(driver.Transport):
    """
    What ``boutre://`` in the setting ``broker`` of a Faust app stands for.
    """

    Consumer: ClassVar[type[Any]] = Consumer
