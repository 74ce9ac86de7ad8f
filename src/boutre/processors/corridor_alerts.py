"""
Alerts in a corridor held to the truth: which came, which were false or came twice, and how long each boat waited for its first.

Pure. ``threads`` is the plainest of rules, for where no other raises alerts; any list of ``Raised`` can be judged.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from typing import Final

from msgspec import Struct

from boutre.processors.matching.found import Found
from boutre.processors.matching.sighted import Sighted

ALERTED: Final = "irregular-migration"
"""The event type by which a report alone is worth an alert."""


class Known(Struct, frozen=True):
    """
    The truth about a report: by whom, of which *boat* (None: nothing was there), on which *root*, and when it *arrived* (seconds).
    """

    id: str
    observer: str
    boat: str | None
    root: str
    arrived: float


class Raised(Struct, frozen=True):
    """
    An alert, or an update of one: when (seconds since 1970 UTC), in which *thread*, of which boats by the truth.
    """

    thread: str
    at: float
    boats: tuple[str | None, ...]


class Alerting(Struct, frozen=True):
    """
    Threads of alerts held to the truth.

    *boats* were wanted and reported; seconds are those from a boat's first report on the bus to its first alert. *unseen* were
    wanted and nobody reported them, so that no matching could help. *duplicates* are threads for a boat beyond its first.
    """

    boats: int
    alerted: int
    missed: int
    unseen: int
    threads: int
    false: int
    duplicates: int
    median_s: float | None
    p90_s: float | None


def threads(known: Sequence[Known], seen: Sequence[Sighted], links: Iterable[Found]) -> tuple[Raised, ...]:
    """
    Give the alerts of a plain rule: one thread for a cluster, begun by a report that suspects a crossing or by a second feed.

    Reports are taken as they arrive, and a link counts from when both are there. Two threads that turn out to be of one boat
    have both been raised by then: that is how duplicates come about.
    """
    told = {one.id: one for one in seen}
    near: dict[str, list[str]] = defaultdict(list)
    for link in links:
        near[link.a].append(link.b)
        near[link.b].append(link.a)
    cluster: dict[str, str] = {}
    members: dict[str, list[Known]] = {}
    begun: set[str] = set()
    raised: list[Raised] = []
    for one in sorted(known, key=lambda each: (each.arrived, each.id)):
        joined = {cluster[other] for other in near[one.id] if other in cluster}
        # The thread that has gone on longest goes on; a cluster's name is that of its thread.
        thread = min(joined & begun, key=lambda each: (members[each][0].arrived, each), default=one.id)
        together = [*(member for each in joined for member in members.pop(each)), one]
        together.sort(key=lambda each: (each.arrived, each.id))
        cluster.update((member.id, thread) for member in together)
        members[thread] = together
        begun -= joined
        if any(told[each.id].event == ALERTED for each in together) or len({told[each.id].source for each in together}) > 1:
            begun.add(thread)
            raised.append(Raised(thread, one.arrived, tuple(each.boat for each in together)))
    return tuple(raised)


def alerting(known: Sequence[Known], raised: Iterable[Raised], wanted: Collection[str]) -> Alerting:
    """
    Judge threads of alerts. A thread is false where no boat that it ever spoke of was wanted.
    """
    first = {one.boat: one.arrived for one in sorted(known, key=lambda each: -each.arrived) if one.boat is not None}
    at: dict[str, dict[str, float]] = defaultdict(dict)
    of_thread: dict[str, set[str]] = defaultdict(set)
    for one in sorted(raised, key=lambda each: each.at):
        for boat in {boat for boat in one.boats if boat is not None and boat in wanted}:
            at[boat].setdefault(one.thread, one.at)
        of_thread[one.thread] |= {boat for boat in one.boats if boat is not None and boat in wanted}
    there = [boat for boat in wanted if boat in first]
    waits = sorted(min(at[boat].values()) - first[boat] for boat in there if boat in at)
    return Alerting(
        boats=len(there),
        alerted=len(waits),
        missed=len(there) - len(waits),
        unseen=len(wanted) - len(there),
        threads=len(of_thread),
        false=sum(not boats for boats in of_thread.values()),
        duplicates=sum(len(at[boat]) - 1 for boat in there if boat in at),
        median_s=_quantile(waits, 0.5),
        p90_s=_quantile(waits, 0.9),
    )


def _quantile(values: Sequence[float], share: float) -> float | None:
    """The least value that is not exceeded by this share of all."""
    return values[max(0, math.ceil(share * len(values)) - 1)] if values else None
