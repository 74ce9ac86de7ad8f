"""
A Faust worker for one processor.

Faust assigns partitions, watches over tasks and rebalances; a shard for each partition handles batches. Faust's own commits are off
(``acks=False``), since one acking agent would bring them back: offsets are committed by the shards' transactions alone.
"""

from __future__ import annotations

import asyncio
import os
import signal
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import faust
import structlog
from faust.auth import SASLCredentials, SSLCredentials
from faust.types import TP

from boutre.errors import DeclarationError, Fault
from boutre.health import OWN
from boutre.metrics import WORKER_PARTITIONS
from boutre.processors.decision import TICK
from boutre.processors.groups import group_of
from boutre.processors.handle import Handler
from boutre.processors.hops import NATIONAL
from boutre.processors.runtime.clock import Clock
from boutre.processors.runtime.connection import Connection
from boutre.processors.runtime.headroom import Headroom
from boutre.processors.runtime.restore import Changelog
from boutre.processors.runtime.shard import Shard
from boutre.processors.runtime.store import Store
from boutre.processors.runtime.stores import Stores
from boutre.processors.runtime.torn import tearing
from boutre.processors.runtime.transport import Batch

log = structlog.get_logger()

BATCHES = 2
"""Batches that may wait in Faust's stream: each is many records, and its 4096 would be all memory."""

SESSION_S = 6.0
"""Seconds without a heartbeat after which a worker's partitions move on; the least that brokers allow by default."""

HEARTBEAT_S = 1.0
"""Seconds between heartbeats, by which the others learn that partitions move."""


PARTITIONS = "partitions"
"""What a worker lacks until every partition that it was given has its state."""

STOP_S = 4.0
"""Seconds after which a worker that was told to stop leaves without the broker: its partitions move on when their session ends."""

UNAVAILABLE = 3
"""The exit status that says that something outside does not answer, as the command has it."""

TURN_S = 1.0
"""Seconds between two words of the loop that it turns."""


@dataclass(slots=True)
class Assigned:
    """
    The shards of this worker, one for each partition that it has, each with its own task.
    """

    app: faust.App
    handler: Handler
    connection: Connection
    headroom: Headroom
    stores: Stores
    changelog: Changelog | None = None
    shards: dict[int, Shard] = field(default_factory=dict)
    tasks: dict[int, asyncio.Task[None]] = field(default_factory=dict)

    async def on_complete(self, *_: Any, **__: Any) -> None:
        """Open a fresh shard for every partition that is assigned, kept ones too, before Faust seeks."""
        with tearing():
            await self._complete()

    async def _complete(self) -> None:
        await self._release()
        wanted = {tp.partition for tp in self.app.consumer.assignment() if tp.topic in self.handler.processor.reads}
        self.handler.clocks.only(wanted, time.time())
        stores = await self.stores.only(wanted)
        shards = {partition: self._shard(partition, store) for partition, store in stores.items()}
        await asyncio.gather(*(shard.open() for shard in shards.values()))
        self.app.consumer.has_room = self.has_room  # type: ignore[attr-defined] # Faust's type knows its own consumers only
        for partition, shard in shards.items():
            self.shards[partition] = shard
            self.tasks[partition] = asyncio.create_task(self._work(shard))
        WORKER_PARTITIONS.labels(stage=self.handler.processor.name).set(len(wanted))
        # None of them is no fault: others of this processor have them all, and this worker is there for when one of those ends.
        OWN.has(PARTITIONS, partitions=sorted(wanted))
        log.info("ready", processor=self.handler.processor.name, partitions=sorted(wanted))

    async def release(self, *_: Any, **__: Any) -> None:
        """Give every partition up: batches in flight finish, queued ones are dropped and read again by the next owner."""
        with tearing():
            await self._release()

    async def _release(self) -> None:
        shards, tasks = list(self.shards.values()), list(self.tasks.values())
        self.shards.clear()
        self.tasks.clear()
        OWN.lacks(PARTITIONS, "they move, or their state is being restored")
        OWN.forget()
        WORKER_PARTITIONS.labels(stage=self.handler.processor.name).set(0)
        await asyncio.gather(*(shard.close() for shard in shards))
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def stop(self, *_: Any, **__: Any) -> None:
        """Give up everything, the disk too."""
        await self.release()
        await self.stores.close()

    def has_room(self, tp: TP) -> bool:
        """Say whether more of a partition should be read."""
        shard = self.shards.get(tp.partition)
        return shard is None or shard.pending.has_room(tp.topic)

    def put(self, message: Batch) -> None:
        """Hand a batch to its partition. A batch of a past assignment is dropped, and read again."""
        shard = self.shards.get(message.partition)
        if shard is not None and message.generation_id == shard.generation:
            shard.add(message.topic, message.records)

    def _shard(self, partition: int, store: Store) -> Shard:
        return Shard(
            self.handler,
            partition,
            self.app.conf.id,
            self.connection.aiokafka(),
            self._is_mine,
            self.app.consumer_generation_id,
            self.headroom,
            store,
            self.changelog,
        )

    def _is_mine(self, generation: int) -> bool:
        return bool(generation == self.app.consumer_generation_id)

    async def _work(self, shard: Shard) -> None:
        try:
            with tearing():
                while True:
                    if not shard.pending.anything():
                        OWN.idle(shard.place)
                    await shard.pending.something()
                    OWN.begun(shard.place)
                    await shard.handle()
        except Exception as error:  # noqa: BLE001 - a partition must not stop without a word
            # The text of the error may hold values. The worker ends, and its partitions move on or are taken up by the next start.
            log.error("worker ends", processor=self.handler.processor.name, error=type(error).__name__)  # noqa: TRY400 - the same
            await self.app.crash(error)


def build(name: str, handler: Handler, connection: Connection, data: Path, changelog: Changelog | None = None) -> faust.App:
    """
    Make the Faust app of one processor; *name* is its consumer group, *data* the folder of this worker alone.

    *changelog* is which changelog its processor has on this cluster; where it is not known, nothing on the disk is believed, and
    what is remembered is read from the beginning. A topic that does not exist is not made: ``boutre topics apply`` does that.

    Raises:
        DeclarationError: the processor reads nothing.
        Unavailable: another worker that runs uses *data*.
    """
    processor = handler.processor
    if not processor.reads:
        raise DeclarationError([Fault("processors/pipeline.toml", processor.name, "it reads no topic")])
    stores = Stores(data, processor.name, processor.windows)
    app = faust.App(
        name,
        **faust_settings(connection),
        datadir=str(data),
        store="memory://",
        topic_allow_declare=False,
        topic_disable_leader=True,
        web_enabled=False,
        broker_session_timeout=SESSION_S,
        broker_heartbeat_interval=HEARTBEAT_S,
        # Of all partitions together: with four of them, 2,000 would be 500 a transaction. Room is bounded by ``Pending``.
        broker_max_poll_records=8_000,
        consumer_auto_offset_reset="earliest",
        stream_wait_empty=False,
        stream_buffer_maxsize=BATCHES,
        logging_config=None,
    )
    readers = {group_of(reader): topics for reader, topics in processor.read_by.items()}
    headroom = Headroom(readers, connection.aiokafka(), shared=not any(name.startswith(NATIONAL) for name in processor.reads))
    assigned = Assigned(app, handler, connection, headroom, stores, changelog)
    app.on_rebalance_complete.connect(assigned.on_complete, weak=False)
    app.on_partitions_revoked.connect(assigned.release, weak=False)
    app.on_before_shutdown.connect(assigned.stop, weak=False)
    topic = app.topic(*processor.reads, key_type=bytes, value_type=bytes, key_serializer="raw", value_serializer="raw", acks=False)

    async def batches(stream: Any) -> None:
        async for event in stream.events():
            assigned.put(event.message)

    app.task()(_turn)
    if readers:
        app.task()(headroom.watch)
    app.agent(topic, name=f"boutre.{processor.name}")(batches)
    if TICK in processor.reads:
        app.task()(Clock(TICK, connection.aiokafka(), lambda: tuple(assigned.shards)).run)
    return app


async def _turn() -> None:
    """Say that the loop turns, until cancelled."""
    while True:
        OWN.turned("event loop")
        await asyncio.sleep(TURN_S)


def faust_settings(connection: Connection) -> dict[str, Any]:
    """
    Give how a Faust app reaches the cluster. Raises DeclarationError for a protocol that is none of Kafka's.
    """
    brokers = ";".join(f"boutre://{server.strip()}" for server in connection.bootstrap.split(","))
    match connection.protocol:
        case "PLAINTEXT":
            return {"broker": brokers}
        case "SSL":
            credentials: Any = SSLCredentials(connection.context())
        case "SASL_PLAINTEXT" | "SASL_SSL":
            credentials = SASLCredentials(
                username=connection.username,
                password=connection.password,
                ssl_context=connection.context(),
                mechanism=connection.mechanism,
            )
        case other:
            raise DeclarationError([Fault("settings", "kafka.security_protocol", f"{other} is none of Kafka's protocols")])
    return {"broker": brokers, "broker_credentials": credentials}


class _Worker(faust.Worker):
    # Faust waits without end for a broker that is gone. A batch that is cut off here was not committed, and is done again.

    def _schedule_shutdown(self, number: signal.Signals) -> None:
        late = threading.Timer(STOP_S, _leave)
        late.daemon = True
        late.start()
        super()._schedule_shutdown(number)


def _leave() -> None:
    log.error("stopped without the broker", seconds=STOP_S)
    os._exit(UNAVAILABLE)


def run(app: faust.App) -> None:
    """
    Run *app* until it is told to stop (SIGTERM, SIGINT); its partitions then move on.

    Where the broker is gone and nothing can be given back, it ends all the same after ``STOP_S``, with status 3.
    """
    worker = _Worker(app, loglevel="WARNING", redirect_stdouts=False, override_logging=False)
    # Its spinner would write into the log.
    worker.spinner = None
    worker.execute_from_commandline()
