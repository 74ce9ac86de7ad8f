"""
Findings of the sources themselves: who does not answer is the first thing to know, since all else is then as it last stood.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from boutre.ops.findings.finding import Figure, Finding
from boutre.ops.findings.heard import Heard

SLOW_S: Final = 2.0
"""Seconds for one plain question from which a broker is slow; it takes some milliseconds."""

GIB: Final = 1 << 30


@dataclass(frozen=True, slots=True)
class Disk:
    """
    A folder whose disk is nearly full, and its bytes; *full*: it stops whoever writes to it.
    """

    what: str
    path: str
    free: int
    total: int
    full: bool


@dataclass(frozen=True, slots=True)
class RegistrySeen:
    """
    A schema registry beside the lock: its address without user and password, and in how much it differs.
    """

    url: str
    differs: int


def of_broker(heard: Heard[str], address: str, now: float) -> Iterator[Finding]:
    """
    Judge the broker by one plain question, asked again and again.
    """
    waits = heard.waits(now)
    if heard.failed or heard.silent(now):
        told: dict[str, Figure] = {"address": address, "gone_s": heard.since(now)}
        yield Finding("broker-gone", "cluster", "kafka", "error", heard.began if heard.answered is None else heard.answered, told)
    elif max(heard.took_s, waits) > SLOW_S:
        yield Finding("broker-slow", "cluster", "kafka", "warning", None, {"took_s": max(heard.took_s, waits)})


def of_sources(sources: Iterable[Heard[Any]], now: float, *, broker_gone: bool, ask_broker: Sequence[str]) -> Iterator[Finding]:
    """
    Judge whether each source still speaks. Those that *ask_broker* are explained by a broker that is gone, and are not told twice.
    """
    for heard in sources:
        if broker_gone and heard.name in ask_broker:
            continue
        if heard.answered is None and not heard.silent(now):
            yield Finding("source-waiting", "source", heard.name, "note", heard.began)
        elif heard.silent(now):
            told: dict[str, Figure] = {"age_s": heard.since(now)}
            if heard.why:
                told["why"] = heard.why
            yield Finding("source-silent", "source", heard.name, "warning", heard.answered or heard.began, told)


def of_disks(disks: Iterable[Disk]) -> Iterator[Finding]:
    """
    Judge disks of this machine that are nearly full.
    """
    for disk in disks:
        code = "disk-full" if disk.full else "disk-low"
        told: dict[str, Figure] = {"path": disk.path, "free_gib": disk.free / GIB, "total_gib": disk.total / GIB}
        yield Finding(code, "disk", disk.what, "error" if disk.full else "warning", None, told)


def of_registry(heard: Heard[RegistrySeen], url: str, now: float) -> Iterator[Finding]:
    """
    Judge the schema registry, where one is named.
    """
    if heard.silent(now):
        since = heard.began if heard.answered is None else heard.answered
        yield Finding("registry-gone", "source", "registry", "warning", since, {"url": url, "gone_s": heard.since(now)})
    if heard.value is not None and heard.value.differs:
        yield Finding("registry-differs", "source", "registry", "error", None, {"url": url, "count": heard.value.differs})
