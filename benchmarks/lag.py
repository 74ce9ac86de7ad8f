"""
What the lag evaluator costs, no broker: ``python -m benchmarks.lag`` prints a table.

Looks at a cluster that never was are made apart, so that what is measured is judging each, and what Prometheus then scrapes.
Half of the groups are behind, a tenth stand still, a twentieth have nobody. Asking a real cluster comes on top of it: two questions
for each group, three for all partitions together, and one reading for each partition where somebody who is behind has moved.
"""

from __future__ import annotations

import gc
import resource
import statistics
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from prometheus_client import CollectorRegistry, generate_latest

from boutre.ops.lag.board import Board
from boutre.ops.lag.declared import LagFile
from boutre.ops.lag.evaluator import Evaluator
from boutre.ops.lag.groups import Group
from boutre.ops.lag.look import Bounds, Look, Next, Partition, Place, SeenGroup, SeenTopic
from boutre.ops.lag.series import Series
from boutre.ops.lag.unread import position

LOOKS: Final = 24
ONE: Final = Partition(1, (1, 2, 3), (1, 2, 3))
START: Final = 1_790_000_000_000
OF_A_TOPIC: Final = 10


@dataclass(frozen=True)
class Size:
    """So many groups, on so many partitions in topics of ten; each group reads so many topics."""

    groups: int
    partitions: int
    reads: int

    @property
    def pairs(self) -> int:
        """Groups on partitions: what is judged."""
        return self.groups * self.reads * OF_A_TOPIC


SIZES: Final = (Size(5, 500, 10), Size(500, 5000, 1), Size(500, 5000, 10))


@dataclass(frozen=True)
class Cost:
    """
    Seconds of a processor for each look and each scrape, bytes of a scrape, and megabytes that the process has grown by.

    These hold what is remembered, the last report, and what Python keeps for the next look.
    """

    size: Size
    look_s: float
    scrape_s: float
    page_mb: float
    memory_mb: float


def groups_of(size: Size) -> list[Group]:
    """The groups, each with the topics that follow on those of the one before it."""
    topics = size.partitions // OF_A_TOPIC
    return [
        Group(f"group-{number}", "processor", "bus", tuple(f"topic-{(number + place) % topics}" for place in range(size.reads)))
        for number in range(size.groups)
    ]


def looks(size: Size, groups: list[Group]) -> Iterator[Look]:
    """Looks ten seconds apart, in which a hundred records come to each partition."""
    topics = {
        f"topic-{number}": SeenTopic(str(number), (ONE,) * OF_A_TOPIC, 86_400_000)
        for number in range(size.partitions // OF_A_TOPIC)
    }
    for turn in range(LOOKS):
        end = 100 * (turn + 10)
        bounds: dict[Place, Bounds] = {(name, number): Bounds(0, end, end) for name in topics for number in range(OF_A_TOPIC)}
        seen = {}
        nexts: dict[tuple[Place, int], Next | None] = {}
        for number, group in enumerate(groups):
            behind = 0 if number % 2 else 50
            at = 900 if number % 10 == 0 else end - behind
            committed = {(topic, place): at for topic in group.topics for place in range(OF_A_TOPIC)}
            seen[group.name] = SeenGroup(committed, 0 if number % 20 == 0 else 1)
            for place, offset in committed.items():
                if (found := position(offset, bounds[place])) < end:
                    nexts[place, found] = Next(found, START)
        yield Look(START + 10_000 * turn, 3, topics, bounds, seen, nexts)


def measured(size: Size) -> Cost:
    """Take all looks, and measure the later half, where the windows are full."""
    groups = groups_of(size)
    evaluator, board = Evaluator(groups, LagFile()), Board(time.time)
    registry = CollectorRegistry()
    registry.register(Series(board, ("bus", "nobody")))
    took, scraped, page, before = [], [], b"", resident()
    for turn, look in enumerate(looks(size, groups)):
        begun = time.process_time()
        board.put(evaluator.take(look), 0.0)
        between = time.process_time()
        page = generate_latest(registry)
        if turn >= LOOKS // 2:
            took.append(between - begun)
            scraped.append(time.process_time() - between)
    megabytes = len(page) / 1e6
    del look, page
    return Cost(size, statistics.median(took), statistics.median(scraped), megabytes, resident() - before)


def resident() -> float:
    """Megabytes that this process holds."""
    gc.collect()
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * resource.getpagesize() / 1e6


def main() -> None:
    """Print the table."""
    print("| groups | partitions | pairs | a look, CPU s | a scrape, CPU s | scrape MB | grown MB |")  # noqa: T201 - its output
    print("|---|---|---|---|---|---|---|")  # noqa: T201 - the same
    for size in SIZES:
        cost = measured(size)
        cells = (size.groups, size.partitions, size.pairs, f"{cost.look_s:.3f}", f"{cost.scrape_s:.3f}")
        print("|", " | ".join(map(str, (*cells, f"{cost.page_mb:.1f}", f"{cost.memory_mb:.0f}"))), "|")  # noqa: T201 - the same
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"at most {peak:.0f} MB of this process, Python {sys.version.split()[0]}")  # noqa: T201 - the same


if __name__ == "__main__":
    main()
