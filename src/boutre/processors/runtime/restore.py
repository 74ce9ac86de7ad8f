"""
Fills a store from its changelog, from where it stands to the changelog's end.

A store is believed only where it is certain that what it lacks still stands in the changelog; else it is emptied and filled from
the beginning. Compaction takes tombstones away after a while, and a store that has not seen one would remember what was forgotten.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition

from boutre import metrics
from boutre.processors.runtime.store import Checkpoint, Row, Store

log = structlog.get_logger()

POLL: Final = 5_000
"""Records taken over at once: some tens of milliseconds in which the event loop does nothing else."""

FETCH: Final = 8 << 20
"""Bytes of a changelog asked for at once."""

SAFE: Final = 0.9
"""
Part of the time for which tombstones stay, within which a checkpoint is believed: the rest is for reading and for clocks that
differ.
"""

PROGRESS_S: Final = 5.0


@dataclass(frozen=True, slots=True)
class Changelog:
    """
    Which changelog it is, told by the cluster.

    *incarnation* is another one when the topic was deleted and made again; for *tombstones_s* seconds tombstones stay in it
    (``delete.retention.ms``).
    """

    incarnation: str
    tombstones_s: float


def distrust(checkpoint: Checkpoint, changelog: Changelog | None, begin: int, end: int, now: float) -> str | None:
    """
    Say why a store cannot be believed, or None where it can; *begin* and *end* are the offsets of its changelog, *now* in seconds.
    """
    if checkpoint.position == 0:
        return None  # nothing is in it, and it is filled from the beginning
    if changelog is None or checkpoint.incarnation != changelog.incarnation:
        return "another changelog"
    if not begin <= checkpoint.position <= end:
        return "outside of the changelog"
    if not 0 <= now - checkpoint.complete_at < SAFE * changelog.tombstones_s:
        return "too old"
    return None


async def restore(store: Store, connection: dict[str, Any], tp: TopicPartition, changelog: Changelog | None, stage: str) -> None:
    """
    Read the changelog *tp* into *store*, committed records only, to its end by position: its last offset is a control record.
    """
    begun = time.monotonic()
    reader = AIOKafkaConsumer(
        **connection,
        isolation_level="read_committed",
        enable_auto_commit=False,
        max_partition_fetch_bytes=FETCH,
        fetch_max_bytes=FETCH,
    )
    await reader.start()
    try:
        reader.assign([tp])
        now = time.time()
        end = (await reader.end_offsets([tp]))[tp]
        begin = (await reader.beginning_offsets([tp]))[tp]
        why = "spoilt" if store.spoilt else distrust(store.checkpoint, changelog, begin, end, now)
        if why is not None:
            log.warning("a store is filled anew", processor=stage, partition=tp.partition, why=why)
            await asyncio.to_thread(store.wipe)
        if store.position == 0:
            store.begin("" if changelog is None else changelog.incarnation, now)
        reader.seek(tp, max(begin, store.position))
        count = await _read(store, reader, tp, end, stage)
    finally:
        await reader.stop()
    # Only now: what was read early may have its tombstone late, which must still stand there should the reading be interrupted.
    store.apply({}, max(end, store.position), clock=store.checkpoint.clock, complete_at=now)
    seconds = time.monotonic() - begun
    metrics.STATE_RESTORED.labels(stage).inc(count)
    metrics.STATE_RESTORE_SECONDS.labels(stage).observe(seconds)
    log.info("restored", processor=stage, partition=tp.partition, read=count, keys=len(store), seconds=round(seconds, 2))


def kept(store: Store, kind: str) -> Iterator[tuple[str, bytes]]:
    """
    Give what a store holds of one class of keys, each with its JSON; raises StoreError.
    """
    for block in store.blocks(kind):
        for name in block.keys:
            found = store.get(name.decode())
            if found is not None:
                yield name.decode(), found[1]


async def _read(store: Store, reader: AIOKafkaConsumer, tp: TopicPartition, end: int, stage: str) -> int:
    begin = await reader.position(tp)
    count, told = 0, time.monotonic()
    while (position := await reader.position(tp)) < end:
        fetched = (await reader.getmany(tp, timeout_ms=50, max_records=POLL)).get(tp, ())
        if not fetched:
            continue
        rows: dict[str, Row] = {
            record.key.decode(): (record.key, record.value, record.timestamp, []) for record in fetched if record.key is not None
        }
        count += len(fetched)
        # Dated as it was: see above.
        store.apply(
            rows,
            fetched[-1].offset + 1,
            clock=max(record.timestamp for record in fetched),
            complete_at=store.checkpoint.complete_at,
        )
        if time.monotonic() - told > PROGRESS_S:
            told = time.monotonic()
            percent = round(100 * (position - begin) / max(end - begin, 1))
            log.info("restoring", processor=stage, partition=tp.partition, read=count, percent=percent)
    return count
