"""
How many rejects stand on the topics of each owner: counts and times, and nothing of what was rejected.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Final

HOUR_S: Final = 3_600.0
DAY_S: Final = 86_400.0


@dataclass(frozen=True, slots=True)
class Counted:
    """
    The rejects on one topic: those of the last hour and the last day, those that it has, and when the newest came (UTC seconds).

    *whole* is false as long as not all of them were gone through.
    """

    topic: str
    hour: int
    day: int
    kept: int
    newest: float | None
    whole: bool = True


@dataclass(slots=True)
class Count:
    """
    Counts one topic by the times of its records, in minutes, so that it stays small however many there are.
    """

    topic: str
    seen: int = 0
    newest: float | None = None
    _minutes: deque[tuple[int, int]] = field(default_factory=deque)

    def add(self, at: float) -> None:
        """Count one that came at *at*, UTC in seconds."""
        self.seen += 1
        self.newest = at if self.newest is None else max(self.newest, at)
        minute = int(at // 60)
        if self._minutes and self._minutes[-1][0] == minute:
            self._minutes[-1] = (minute, self._minutes[-1][1] + 1)
        else:
            self._minutes.append((minute, 1))

    def counted(self, now: float, *, whole: bool) -> Counted:
        """Give the counts at *now*; what is older than a day is forgotten but for its number."""
        self._minutes = deque((minute, count) for minute, count in self._minutes if minute * 60 > now - DAY_S - 60)
        hour = sum(count for minute, count in self._minutes if minute * 60 > now - HOUR_S)
        return Counted(self.topic, hour, sum(count for _, count in self._minutes), self.seen, self.newest, whole)
