"""
(b) The whole path: from a connector by accept and release to all eight recipients, each process as it runs in earnest.

Counted are receipts, of which release writes one for each recipient, in one transaction with the views.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from benchmarks.bus import Bus
from benchmarks.watch import Reader

PATIENCE_S: Final = 120.0
FINISH: Final = 0.9
FEEDS: Final = {"incidents-imb": "reports of incidents", "ais-demonstration": "positions by AIS"}
RECEIPTS: Final = "bus.receipt"


@dataclass(frozen=True, slots=True)
class PathRun:
    """
    One run: records a second of a feed on their way to all recipients, and how many views each came to.
    """

    feed: str
    round: int
    rate: float
    views: float


def runs(bus: Bus, counts: dict[str, int], rounds: int, done: Callable[[str], None]) -> Iterator[PathRun]:
    """
    Feed each feed in turn, *counts* records of it.
    """
    for number in range(rounds):
        for feed, count in counts.items():
            yield _run(bus, feed, count, number)
            done(feed)


def _run(bus: Bus, feed: str, count: int, number: int) -> PathRun:
    bootstrap = bus.standing.settings.kafka.bootstrap_servers
    recipients = len(bus.standing.assembly.declarations.recipients)
    views = [
        (name, topic.partitions) for name, topic in bus.standing.assembly.declarations.topics.items() if topic.recipient is not None
    ]
    with (
        Reader(bootstrap, ((RECEIPTS, bus.partitions(RECEIPTS)),), new=True) as receipts,
        Reader(bootstrap, ((name, parts) for name, parts in views if name.startswith("for.")), new=True) as given,
        bus.feed(feed, count),
    ):
        receipts.until(recipients * count, PATIENCE_S, lambda: True)
        given.rest(1.0)
        pace = receipts.seen.pace(int(recipients * count * FINISH))
        return PathRun(feed, number, pace.rate / recipients, given.seen.count / count)
