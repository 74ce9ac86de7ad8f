"""
Looks at a whole bus, each source by a thread of its own: for the page of operations, and for ``boutre top`` without one.
"""

from __future__ import annotations

import os
import shutil
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from boutre.connectors import feeds
from boutre.errors import Unavailable
from boutre.ops.assembly import assemble
from boutre.ops.clocks.report import Report as Clocks
from boutre.ops.clocks_watch import ClocksWatch, clocks_watch
from boutre.ops.cluster import Cluster
from boutre.ops.doctor import disk
from boutre.ops.doctor.late import Answered
from boutre.ops.findings.everything import Known
from boutre.ops.findings.of_members import shares
from boutre.ops.findings.of_sources import Disk, RegistrySeen
from boutre.ops.lag.report import Report
from boutre.ops.lag_watch import LagWatch, lag_watch
from boutre.ops.operations.board import Asked
from boutre.ops.operations.facts import facts_of
from boutre.ops.operations.rejected import Counted
from boutre.ops.operations.state import State
from boutre.ops.operations_rejects import RejectCounter
from boutre.ops.running import Running, ask, running
from boutre.ops.settings import Settings
from boutre.schemas import lock
from boutre.schemas.lock import Lock
from boutre.schemas.registry import Registry, faults

BROKER_S: Final = 5.0
PROCESSES_S: Final = 5.0
REGISTRY_S: Final = 10.0
REJECTS_S: Final = 15.0
DISKS_S: Final = 10.0
"""Seconds between two questions to a source."""

ANSWER_S: Final = 4.0
"""Seconds that the broker and a registry may take for an answer."""

REMEMBER_S: Final = 2.0
"""Seconds between two documents where nobody asks for one."""

FRESH_S: Final = 0.9
"""Seconds for which a document is given again to the next who asks."""

HUNG_S: Final = 90.0
"""Seconds after which a question that has not ended hangs: all have shorter limits of their own."""


@dataclass(frozen=True, slots=True)
class Beside:
    """
    What is looked at beside the cluster and this machine: processes elsewhere (``HOST:PORT``), and a registry of schemas.
    """

    processes: Sequence[str] = ()
    registry: str = ""
    registry_user: str | None = None


class Looking:
    """
    All sources of one bus, and the document made of what was last heard of them. Made by ``looking``.
    """

    def __init__(
        self, settings: Settings, beside: Beside, watches: tuple[LagWatch, ClocksWatch], rejects: RejectCounter, state: State
    ) -> None:
        watch, clocks = watches
        cluster = Cluster(settings.kafka.client())
        locked = lock.load(lock.folder_of(settings.folder()))
        self.state, self.settings, self.beside = state, settings, beside
        self.series = (watch.series, clocks.series)
        self.broker: Asked[str] = Asked("broker", BROKER_S, lambda: cluster.identity(ANSWER_S))
        self.lag: Asked[Report] = Asked("lag", watch.every_s, lambda: _looked(watch))
        self.clocks: Asked[Clocks] = Asked("clocks", clocks.every_s, clocks.look)
        self.processes: Asked[tuple[Answered, ...]] = Asked("processes", PROCESSES_S, lambda: asked(settings, beside.processes))
        self.disks: Asked[tuple[Disk, ...]] = Asked("disks", DISKS_S, lambda: disks(settings))
        self.rejects: Asked[tuple[Counted, ...]] = Asked("rejects", REJECTS_S, rejects.look)
        self.registry: Asked[RegistrySeen] | None = None
        if beside.registry:
            self.registry = Asked("registry", REGISTRY_S, lambda: registry_seen(beside, locked))
        self._lock = threading.Lock()
        self._last: tuple[float, dict[str, Any]] | None = None

    @property
    def sources(self) -> tuple[Asked[Any], ...]:
        """All that are asked."""
        every = (self.broker, self.lag, self.clocks, self.processes, self.disks, self.rejects, self.registry)
        return tuple(one for one in every if one is not None)

    def known(self) -> Known:
        """Give what was last heard."""
        return Known(
            broker=self.broker.heard,
            lag=self.lag.heard,
            processes=self.processes.heard,
            disks=self.disks.heard,
            rejects=self.rejects.heard,
            clocks=self.clocks.heard,
            registry=None if self.registry is None else self.registry.heard,
            topics=self.state.facts.topics,
            address=self.settings.kafka.bootstrap_servers,
            registry_url=self.beside.registry,
            min_isr=self.settings.kafka.min_isr,
            shares=shares(self.state.facts.rates),
        )

    def document(self) -> dict[str, Any]:
        """Give the document as of now; who asks within a second of another gets the same."""
        with self._lock:
            if self._last is None or time.monotonic() - self._last[0] > FRESH_S:
                self._last = (time.monotonic(), self.state.document(self.known(), time.time()))
            return self._last[1]

    def health(self) -> tuple[bool, bool, dict[str, Any]]:
        """
        Say whether there is something to show, whether the sources go on being asked, and why not.

        That a source does not answer is no fault of this process, which is there to say so.
        """
        now = time.time()
        every = [one.heard for one in self.sources]
        first = [one.name for one in every if one.answered is None and not one.failed]
        hung = [one.name for one in every if one.waits(now) > HUNG_S]
        why = [f"{name}: not heard yet" for name in first] + [f"{name}: the question does not end" for name in hung]
        ages = {one.name: None if one.answered is None else round(now - one.answered, 1) for one in every}
        return not first, not hung, {"process": "operations", "name": "operations", "why": why, "seconds_since": ages}

    def start(self, stopped: threading.Event) -> None:
        """Begin to ask, until *stopped*; since when something is so is remembered whether or not anybody looks."""

        def remembering() -> None:
            while not stopped.wait(REMEMBER_S):
                self.document()

        for one in self.sources:
            one.start(stopped)
        threading.Thread(target=remembering, name="remembers", daemon=True).start()


@contextmanager
def looking(settings: Settings, beside: Beside) -> Iterator[Looking]:
    """
    Give what looks at the bus of these settings; a cluster that does not answer is told by what it shows.

    Raises DeclarationError with all that is wrong in what is declared, Unavailable where no cluster is known.
    """
    root = settings.folder()
    declarations = assemble(root).declarations
    facts = facts_of(declarations, feeds.load(root))
    rejects = RejectCounter(settings.kafka.client(), tuple(facts.rejects))
    stopped = threading.Event()
    with lag_watch(settings) as watch, clocks_watch(settings) as clocks:
        made = Looking(settings, beside, (watch, clocks), rejects, State(facts))
        made.start(stopped)
        try:
            yield made
        finally:
            stopped.set()


def asked(settings: Settings, others: Sequence[str]) -> tuple[Answered, ...]:
    """
    Ask all processes of this installation at once, but for this one.
    """
    every = [*(one for one in running(settings.state) if one.pid != os.getpid()), *(Running("", "", other) for other in others)]
    if not every:
        return ()
    with ThreadPoolExecutor(min(16, len(every))) as pool:
        return tuple(pool.map(ask, every))


def disks(settings: Settings) -> tuple[Disk, ...]:
    """
    Give the disks of this machine that are nearly full, by the doctor's limits.
    """
    found, seen = [], set()
    for what, path in (("state", settings.state), ("kafka", settings.state / "kafka"), ("keys", settings.keys)):
        if path.exists() and (device := path.stat().st_dev) not in seen:
            seen.add(device)
            usage = shutil.disk_usage(path)
            room = disk.Room(what, str(path), usage.free, usage.total)
            if any(disk.of_disks([room])):
                found.append(Disk(what, str(path), usage.free, usage.total, usage.free < disk.FULL))
    return tuple(found)


def registry_seen(beside: Beside, locked: Lock) -> RegistrySeen:
    """
    Compare the registry with the lock. Raises Unavailable where it does not answer.
    """
    registry = Registry(beside.registry, user=beside.registry_user, timeout=ANSWER_S)
    return RegistrySeen(beside.registry, len(faults(registry, locked)))


def _looked(watch: LagWatch) -> Report:
    report = watch.look().report
    if report is None:  # a look that came off has one
        raise Unavailable("nothing was seen")
    return report
