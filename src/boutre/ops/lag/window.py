"""
What is remembered of one group on one partition: the last commits, and the pace of the last looks.

Both are rings of numbers, since a bus has thousands of them.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

LATELY: Final = 3
"""Looks between which a pace is that of now."""

UNKNOWN: Final = -1
"""The lag of a commit whose lag nobody knew."""


def _numbers() -> array[int]:
    return array("q")


@dataclass(slots=True)
class Window:
    """
    The last *size* commits, the oldest first: offset, lag then (records, or ``UNKNOWN``), and when, in ms since 1970.
    """

    size: int
    offsets: array[int] = field(default_factory=_numbers)
    lags: array[int] = field(default_factory=_numbers)
    times: array[int] = field(default_factory=_numbers)

    @classmethod
    def of(cls, size: int, commits: Iterable[tuple[int, int | None, int]]) -> Window:
        """
        Make a window of *commits*: (offset, lag, ms since 1970).
        """
        made = cls(size)
        for offset, lag, at in commits:
            made.add(offset, UNKNOWN if lag is None else lag, at)
        return made

    def add(self, offset: int, lag: int, at: int) -> None:
        """
        Remember a commit; the oldest of a full window is forgotten.
        """
        if len(self.offsets) >= self.size:
            del self.offsets[0], self.lags[0], self.times[0]
        self.offsets.append(offset)
        self.lags.append(lag)
        self.times.append(at)

    @property
    def complete(self) -> float:
        """
        The share of the window that is filled, 0 to 1.
        """
        return len(self.offsets) / self.size


@dataclass(slots=True)
class Pace:
    """
    Where a number that grows stood at the last *size* looks, for how fast it grows.
    """

    size: int
    offsets: array[int] = field(default_factory=_numbers)
    times: array[int] = field(default_factory=_numbers)

    def add(self, offset: int, at: int) -> None:
        """
        Remember where it stood at *at*, ms since 1970.
        """
        if len(self.offsets) >= self.size:
            del self.offsets[0], self.times[0]
        self.offsets.append(offset)
        self.times.append(at)

    @property
    def per_second(self) -> float | None:
        """
        How much it grew a second, over all looks that are remembered; None after the first. What went back did not grow.
        """
        if len(self.times) < 2 or self.times[-1] <= self.times[0]:  # noqa: PLR2004 - a pace lies between two looks
            return None
        return max(0.0, (self.offsets[-1] - self.offsets[0]) * 1000 / (self.times[-1] - self.times[0]))

    @property
    def lately(self) -> float | None:
        """
        The same over the last ``LATELY`` looks, for what must be told at once.
        """
        since = max(0, len(self.times) - LATELY)
        if len(self.times) - since < 2 or self.times[-1] <= self.times[since]:  # noqa: PLR2004 - as above
            return None
        return max(0.0, (self.offsets[-1] - self.offsets[since]) * 1000 / (self.times[-1] - self.times[since]))

    @property
    def recent(self) -> Sequence[int]:
        """
        Where it stood at each look that is remembered.
        """
        return self.offsets
