"""
How late records are, in seconds, tallied for a whole batch: one look-up of labels for each hop and party, and not for each record.

A record that seems to have been there before it was sent is ahead: a clock is wrong by as much. It is counted apart.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from prometheus_client import Histogram

BOUNDS: Final = (
    0.25, 1.0, 5.0, 15.0, 60.0, 300.0, 600.0, 900.0, 1800.0,
    3600.0, 7200.0, 14400.0, 43200.0, 86400.0, 259200.0, 604800.0, 2592000.0,
)  # fmt: skip
"""Seconds, each counting what is at most so late: from a moment to a month, with the deadlines that this bus has among them."""


DAY_MS: Final = 86_400_000


SENT_HEADER: Final = "boutre-sent"
"""The header in which a connector says when it sent a record: ms since 1970 by its own clock. It is not signed."""

MOST_DIGITS: Final = 15


def sent_header(now: float) -> tuple[str, bytes]:
    """
    Say that a record is sent *now* (s since 1970).
    """
    return SENT_HEADER, str(round(now * 1000)).encode()


def clock_ahead(headers: Mapping[str, bytes], timestamp: int) -> float | None:
    """
    Give by how many seconds the sender's clock was ahead of the broker's, by its header and the broker's time (ms since 1970).

    Below 0 it was behind, or the record waited to be sent: for two minutes at most. None where the sender does not say.
    """
    said = headers.get(SENT_HEADER, b"")
    if not (said.isdigit() and len(said) <= MOST_DIGITS):
        return None
    return (int(said) - timestamp) / 1000


def clock_apart(sent: float, acknowledged: float, timestamp: int) -> float:
    """
    Give the same for the sender itself, which knows when it had the acknowledgement: 0 where the broker's time lies between.
    """
    return max(0.0, sent - timestamp / 1000) - max(0.0, timestamp / 1000 - acknowledged)


def since(timestamp: int, now: float) -> float | None:
    """
    Give the seconds since the time of a view or an offer (milliseconds): None where it is a day, as its recipient knows no more.
    """
    return now - timestamp / 1000 if timestamp % DAY_MS else None


def bucket_of(seconds: float) -> int:
    """
    Give the place of the bucket for a lateness: -1 for less than none.
    """
    return bisect_left(BOUNDS, seconds) if seconds >= 0 else -1


@dataclass(slots=True)
class Tally:
    """
    How many records of one hop and party were how late: *counts* by bucket (one more than ``BOUNDS``), their *total* in seconds.

    *ahead* are those of less than no lateness, *unknown* those of which one of the two times is not known.
    """

    counts: list[int] = field(default_factory=lambda: [0] * (len(BOUNDS) + 1))
    total: float = 0.0
    ahead: int = 0
    unknown: int = 0

    def add(self, seconds: float | None, number: int = 1) -> None:
        """Count *number* records that are so late; None where nobody knows."""
        if seconds is None:
            self.unknown += number
        elif seconds < 0:
            self.ahead += number
        else:
            self.counts[bucket_of(seconds)] += number
            self.total += seconds * number


class LatenessHistogram(Histogram):
    """
    A histogram that takes a whole tally at once; its buckets are ``BOUNDS``.
    """

    def take(self, counts: Sequence[int], total: float) -> None:
        """Add what was tallied."""
        for bucket, number in zip(self._buckets, counts, strict=True):
            if number:
                bucket.inc(number)
        self._sum.inc(total)
