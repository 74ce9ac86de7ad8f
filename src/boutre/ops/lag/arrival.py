"""
When a record can have come at the earliest, by where its partition ended at the looks before.

A record's own timestamp is not always when it came: what a recipient is given carries no finer time than its recipient may have,
the day alone where times are withheld, and a writer may say any time that it likes. A look at which the partition ended before the
record bounds that from the other side.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Final

MOST: Final = 512
"""Ends that are remembered of a partition; of what came before, a record's own timestamp tells."""


@dataclass(slots=True)
class Arrivals:
    """
    The ends of one partition, each with the last look (ms since 1970) at which it stood there.
    """

    ends: deque[tuple[int, int]] = field(default_factory=lambda: deque(maxlen=MOST))

    def add(self, end: int, at: int) -> None:
        """Note where it ended at a look; looks come in the order of their times."""
        if self.ends and self.ends[-1][0] >= end:
            end, _ = self.ends.pop()
        self.ends.append((end, at))

    def waited(self, offset: int, timestamp: int, at: int) -> float:
        """
        Give for how many seconds, at *at*, the record at *offset* has waited at most, by its *timestamp* and by what was seen.
        """
        after = next((seen for end, seen in reversed(self.ends) if end <= offset), None)
        begun = timestamp if after is None else max(timestamp, after)
        return max(0.0, (at - begun) / 1000)
