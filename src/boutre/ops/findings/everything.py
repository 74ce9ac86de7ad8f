"""
All that is known of the bus at one moment, and the findings that follow from it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from boutre.ops.clocks.report import Report as Clocks
from boutre.ops.doctor.late import Answered
from boutre.ops.findings import of_clocks, of_lag, of_members, of_processes, of_sources
from boutre.ops.findings.finding import Finding, first
from boutre.ops.findings.heard import Heard
from boutre.ops.findings.of_sources import Disk, RegistrySeen
from boutre.ops.lag.report import Report
from boutre.ops.operations.rejected import Counted

ASK_BROKER: Final = ("lag", "clocks", "rejects")
"""Sources that have what they tell from the broker."""


@dataclass(frozen=True, slots=True)
class Known:
    """
    What was last heard from each source. *topics* are the declared ones, *address* is the cluster's, *registry_url* without user.

    A source that this installation does not have is None. *shares*: of each member, how many reports a second are no flood.
    """

    broker: Heard[str]
    lag: Heard[Report]
    processes: Heard[tuple[Answered, ...]]
    disks: Heard[tuple[Disk, ...]]
    rejects: Heard[tuple[Counted, ...]] | None = None
    clocks: Heard[Clocks] | None = None
    registry: Heard[RegistrySeen] | None = None
    topics: tuple[str, ...] = ()
    address: str = ""
    registry_url: str = ""
    min_isr: int = 1
    shares: Mapping[str, float] = field(default_factory=dict)

    @property
    def sources(self) -> tuple[Heard[Any], ...]:
        """All of them, the broker first."""
        every = (self.broker, self.lag, self.clocks, self.processes, self.rejects, self.registry, self.disks)
        return tuple(one for one in every if one is not None)


def findings(known: Known, now: float, more: Iterable[Finding] = ()) -> tuple[Finding, ...]:
    """
    Give all that is to be looked at, in that order; *more* are findings that others made of what is known.
    """
    return tuple(sorted([*_found(known, now), *more], key=first))


def _found(known: Known, now: float) -> Iterator[Finding]:
    of_broker = tuple(of_sources.of_broker(known.broker, known.address, now))
    gone = any(one.code == "broker-gone" for one in of_broker)
    yield from of_broker
    others = [one for one in known.sources if one not in (known.broker, known.registry)]
    yield from of_sources.of_sources(others, now, broker_gone=gone, ask_broker=ASK_BROKER)
    yield from of_sources.of_disks(known.disks.value or ())
    if known.registry is not None:
        yield from of_sources.of_registry(known.registry, known.registry_url, now)
    if known.lag.value is not None:
        yield from of_lag.of_lag(known.lag.value, known.min_isr, known.topics)
        yield from of_members.of_members(known.lag.value, known.shares)
    if known.clocks is not None and known.clocks.value is not None:
        yield from of_clocks.of_clocks(known.clocks.value)
    yield from of_processes.of_processes(known.processes.value or (), broker_gone=gone)


@dataclass(slots=True)
class Memory:
    """
    Remembers since when something is as it is: of findings that do not know it themselves, and of words such as a status.
    """

    _findings: dict[tuple[str, str, str], float] = field(default_factory=dict)
    _words: dict[str, tuple[str, float]] = field(default_factory=dict)

    def take(self, found: Iterable[Finding], now: float, lasting: Mapping[str, float] | None = None) -> tuple[Finding, ...]:
        """
        Give the findings with since when each is there; what is gone is forgotten.

        *lasting* says of a code for how many seconds it must have been there before it is told.
        """
        found = tuple(found)
        self._findings = {one.key: self._findings.get(one.key, now) for one in found}
        told = (one if one.since is not None else replace(one, since=self._findings[one.key]) for one in found)
        least = lasting or {}
        return tuple(sorted((one for one in told if now - self._findings[one.key] >= least.get(one.code, 0.0)), key=first))

    def since(self, what: str, word: str, now: float) -> float:
        """Give since when *what* is *word*, as far as was seen."""
        before, at = self._words.get(what, ("", now))
        self._words[what] = (word, at if before == word else now)
        return self._words[what][1]
