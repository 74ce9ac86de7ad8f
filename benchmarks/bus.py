"""
This repository's bus on the benchmark's broker: its topics, keys and workers, as ``boutre up`` starts them.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count as counted
from pathlib import Path
from typing import Final

from benchmarks.feeder import Feeding, settings_of
from benchmarks.process import Process
from benchmarks.work import ROOT
from boutre.errors import Unavailable
from boutre.ops.assembly import assemble
from boutre.ops.standing_bus import StandingBus

LEAD_S: Final = 4.0
"""Seconds that a connector has to start and to get its reports ready."""

LAPS: Final = counted(100, 100)
"""What sets the reports of one feed apart from another's: one count for all buses of a run, for they share a broker."""


@dataclass(slots=True)
class Bus:
    """
    The running bus; each call of ``feed`` sends reports that no bus of this run has had.
    """

    standing: StandingBus
    folder: Path

    def partitions(self, topic: str) -> int:
        """Give the partitions of a topic."""
        return self.standing.assembly.declarations.topic(topic).partitions

    @contextmanager
    def feed(self, what: str, count: int, rate: float = 0.0) -> Iterator[Feeding]:
        """Run a connector that feeds *count* reports from now on; ``Unavailable`` where it does not get rid of them."""
        settings = self.standing.settings
        lap = next(LAPS)
        feeding = Feeding(
            settings.kafka.bootstrap_servers,
            str(settings.keys),
            str(settings.state),
            what,
            count,
            lap,
            time.monotonic() + LEAD_S,
            rate,
        )
        log = self.folder / f"feeder-{lap}.log"
        with Process("benchmarks.feeder", feeding, log) as process:
            yield feeding
            if process.wait(120):
                raise Unavailable(f"the connector failed: {log.read_text(encoding='utf-8', errors='replace')[-500:]}")


@contextmanager
def running(bootstrap: str, folder: Path, only: Collection[str]) -> Iterator[Bus]:
    """
    Start the bus with the processors *only*, and stop it at the end.
    """
    settings = settings_of(bootstrap, str(folder / "keys"), str(folder / "state"))
    standing = StandingBus(settings, assemble(ROOT))
    with standing:
        for worker in standing.workers:
            if worker.name not in only:
                worker.stop()
        yield Bus(standing, folder)
