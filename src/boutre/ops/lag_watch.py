"""
Looks at the lag of a bus, once or again and again: for the command, and for whoever shows it.

    with lag_watch(settings) as watch:
        threading.Thread(target=watch.go_on, args=(stopped,)).start()
        watch.board.standing
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import structlog

from boutre.errors import Fault, Unavailable
from boutre.ops.assembly import assemble
from boutre.ops.lag import declared
from boutre.ops.lag.board import Board, Standing
from boutre.ops.lag.evaluator import Evaluator
from boutre.ops.lag.groups import groups_of, owner_of, owners
from boutre.ops.lag.series import Series
from boutre.ops.lag_bus import LagBus, watching
from boutre.ops.lag_followers import stored
from boutre.ops.settings import Settings
from boutre.topics.strict import raise_all

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class LagWatch:
    """
    A cluster, its evaluator, and the board on which each report is put; *owners* are the parties that may have undeclared groups.
    """

    bus: LagBus
    evaluator: Evaluator
    board: Board
    every_s: float
    owners: tuple[str, ...]

    @property
    def series(self) -> Series:
        """The metrics, for a registry."""
        return Series(self.board, self.owners)

    def look(self) -> Standing:
        """Look once. Raises Unavailable where the cluster does not answer; the last report then stays up, as of before."""
        begun = time.monotonic()
        try:
            report = self.evaluator.take(self.bus.look())
        except Unavailable:
            self.board.failed()
            raise
        self.board.put(report, time.monotonic() - begun)
        return self.board.standing

    def go_on(
        self, stopped: threading.Event, every_s: float | None = None, seen: Callable[[Standing], None] = lambda _standing: None
    ) -> None:
        """Look every so often until *stopped*, and tell *seen* how it stands each time. A cluster that is away is asked again."""
        while not stopped.is_set():
            begun, was_up = time.monotonic(), self.board.standing.up
            try:
                self.look()
            except Unavailable as away:
                if was_up or not self.board.standing.succeeded:
                    log.warning("lag.cluster-away", reason=str(away))
            seen(self.board.standing)
            stopped.wait(max(0.0, (every_s or self.every_s) - (time.monotonic() - begun)))


@contextmanager
def lag_watch(settings: Settings) -> Iterator[LagWatch]:
    """
    Give what watches the bus of these settings. Raises DeclarationError with all that is wrong in what is declared.
    """
    assembly = assemble(settings.folder())
    faults: list[Fault] = []
    file = declared.load(assembly.root, assembly.declarations, faults)
    raise_all(faults)
    bus = assembly.declarations
    groups = groups_of(bus, assembly.pipeline.edges, file)
    evaluator = Evaluator(groups, file, lambda name: owner_of(bus, name))
    with watching(settings.kafka.client(), tuple(bus.topics), groups, lambda: stored(settings)) as looking:
        yield LagWatch(looking, evaluator, Board(time.time), file.every_s, owners(bus))
