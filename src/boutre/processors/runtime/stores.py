"""
The stores of one worker, one for each partition that it has: kept open while partitions move to and fro, closed when they are lost.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path
from typing import Final

from boutre import metrics
from boutre.processors.runtime.disk import alone
from boutre.processors.runtime.store import Store
from boutre.processors.windows import Windows

FOLDER: Final = "state"


class Stores:
    """
    The stores of processor *stage* below *data*, the folder of this worker alone.

    A partition that is lost leaves its store on the disk: should it come back soon, only what was missed is read.

    Raises:
        Unavailable: another worker that runs uses this folder.
    """

    def __init__(self, data: Path, stage: str, windows: Windows) -> None:
        data.mkdir(parents=True, exist_ok=True)
        self._data = data
        self._stage = stage
        self._windows = windows
        self._open: dict[int, Store] = {}
        # Until the process ends, however it ends.
        self._lock = alone(data / "worker.lock")

    async def only(self, partitions: Collection[int]) -> dict[int, Store]:
        """Give the stores of *partitions*; all others are closed."""
        for lost in self._open.keys() - set(partitions):
            await asyncio.to_thread(self._close, lost)
        for partition in partitions:
            if partition not in self._open:
                folder = self._data / FOLDER / str(partition)
                self._open[partition] = await asyncio.to_thread(Store, folder, self._windows)
        return {partition: self._open[partition] for partition in partitions}

    async def close(self) -> None:
        """Close all."""
        await self.only(())

    def release(self) -> None:
        """Let another worker of this process use the folder."""
        os.close(self._lock)

    def _close(self, partition: int) -> None:
        store = self._open.pop(partition)
        for kind in store.checkpoint.keys:
            with suppress(KeyError):  # nothing was counted yet
                metrics.STATE_KEYS.remove(self._stage, str(partition), kind)
        store.close()
