"""
A Faust worker for one processor.

Faust assigns partitions, watches over tasks and rebalances; a shard for each partition handles batches. Faust's own commits are off
(``acks=False``), since one acking agent would bring them back: offsets are committed by the shards' transactions alone.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import faust
import structlog
from aiokafka import TopicPartition

from boutre.errors import DeclarationError, Fault
from boutre.metrics import WORKER_PARTITIONS
from boutre.processors.handle import Handler
from boutre.processors.runtime.cluster import Cluster
from boutre.processors.runtime.shard import Shard
from boutre.processors.runtime.transport import Batch

log = structlog.get_logger()

WAIT_S = 0.5
"""Seconds after which a full queue is looked at again: it may have been given up meanwhile."""

WAITING = 2
"""Batches that may wait for one partition before the fetcher does."""


@dataclass(slots=True)
class Assigned:
    """
    The shards of this worker, one for each partition that it has, each with its own queue and task.
    """

    app: faust.App
    handler: Handler
    cluster: Cluster
    shards: dict[int, Shard] = field(default_factory=dict)
    queues: dict[int, asyncio.Queue[tuple[TopicPartition, Batch]]] = field(default_factory=dict)
    tasks: dict[int, asyncio.Task[None]] = field(default_factory=dict)

    async def on_complete(self, *_: Any, **__: Any) -> None:
        """Open a fresh shard for every partition that is assigned, kept ones too, before Faust seeks."""
        await self.release()
        wanted = {tp.partition for tp in self.app.consumer.assignment() if tp.topic in self.handler.processor.reads}
        shards = {partition: self._shard(partition) for partition in wanted}
        generation = self.app.consumer_generation_id
        await asyncio.gather(*(shard.open(generation) for shard in shards.values()))
        for partition, shard in shards.items():
            self.shards[partition] = shard
            self.queues[partition] = asyncio.Queue(WAITING)
            self.tasks[partition] = asyncio.create_task(self._work(shard, self.queues[partition]))
        WORKER_PARTITIONS.labels(stage=self.handler.processor.name).set(len(wanted))
        log.info("ready", processor=self.handler.processor.name, partitions=sorted(wanted))

    async def release(self, *_: Any, **__: Any) -> None:
        """Give every partition up: batches in flight finish, queued ones are dropped and read again by the next owner."""
        shards, tasks = list(self.shards.values()), list(self.tasks.values())
        self.shards.clear()
        self.queues.clear()
        self.tasks.clear()
        WORKER_PARTITIONS.labels(stage=self.handler.processor.name).set(0)
        await asyncio.gather(*(shard.close() for shard in shards))
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def put(self, message: Batch) -> None:
        """Queue a batch for its partition; wait where that has enough to do. A batch of a past assignment is dropped."""
        queue = self.queues.get(message.partition)
        while queue is not None and queue is self.queues.get(message.partition):
            # A queue that was given up while it was full would be waited for without end: nobody takes from it any more.
            try:
                await asyncio.wait_for(queue.put((TopicPartition(message.topic, message.partition), message)), WAIT_S)
            except TimeoutError:
                continue
            return

    def _shard(self, partition: int) -> Shard:
        return Shard(self.handler, partition, self.app.conf.id, self.cluster.aiokafka(), self._is_mine)

    def _is_mine(self, generation: int) -> bool:
        return bool(generation == self.app.consumer_generation_id)

    async def _work(self, shard: Shard, queue: asyncio.Queue[tuple[TopicPartition, Batch]]) -> None:
        try:
            while True:
                tp, message = await queue.get()
                await shard.handle(tp, message.records, message.generation_id or 0)
        except Exception as error:  # noqa: BLE001 - a partition must not stop without a word
            # The text of the error may hold values. The worker ends, and its partitions move on or are taken up by the next start.
            log.error("worker ends", processor=self.handler.processor.name, error=type(error).__name__)  # noqa: TRY400 - the same
            await self.app.crash(error)


def build(name: str, handler: Handler, cluster: Cluster, data: Path) -> faust.App:
    """
    Make the Faust app of one processor; *name* is its consumer group, *data* the folder of this worker alone.

    A topic that does not exist is not made: ``boutre topics apply`` does that.
    """
    processor = handler.processor
    if not processor.reads:
        raise DeclarationError([Fault("processors/pipeline.toml", processor.name, "it reads no topic")])
    data.mkdir(parents=True, exist_ok=True)
    app = faust.App(
        name,
        **cluster.faust(),
        datadir=str(data),
        store="memory://",
        topic_allow_declare=False,
        topic_disable_leader=True,
        web_enabled=False,
        broker_session_timeout=10.0,
        broker_heartbeat_interval=2.0,
        broker_max_poll_records=2_000,
        consumer_auto_offset_reset="earliest",
        stream_wait_empty=False,
        # Each is a whole batch: Faust's 4096 would be all memory, and another member's record would wait behind them.
        stream_buffer_maxsize=WAITING,
        logging_config=None,
    )
    assigned = Assigned(app, handler, cluster)
    app.on_rebalance_complete.connect(assigned.on_complete, weak=False)
    app.on_partitions_revoked.connect(assigned.release, weak=False)
    app.on_before_shutdown.connect(assigned.release, weak=False)
    topic = app.topic(*processor.reads, key_type=bytes, value_type=bytes, key_serializer="raw", value_serializer="raw", acks=False)

    async def batches(stream: Any) -> None:
        async for event in stream.events():
            await assigned.put(event.message)

    app.agent(topic, name=f"boutre.{processor.name}")(batches)
    return app


def run(app: faust.App) -> None:
    """
    Run *app* until it is told to stop (SIGTERM, SIGINT); its partitions then move on.
    """
    worker = faust.Worker(app, loglevel="WARNING", redirect_stdouts=False, override_logging=False)
    # Its spinner would write into the log.
    worker.spinner = None
    worker.execute_from_commandline()
