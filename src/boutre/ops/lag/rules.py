"""
What is said of one group on one partition: Burrow's rules, in Burrow's order.

The rules are those of Burrow's evaluator (github.com/linkedin/Burrow, core/internal/evaluator/caching.go, Apache-2.0), written anew
and held to its own cases. They judge by how commits went and by no threshold. What is fed to them differs: see ``evaluator``.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from itertools import pairwise

from boutre.ops.lag.window import UNKNOWN, Window


class Status(IntEnum):
    """
    Burrow's words with its numbers. A group is OK, WARN or ERR; a partition anything but ERR.
    """

    OK = 1
    WARN = 2
    """It goes on, and falls further behind."""
    ERR = 3
    """Of a group: a partition of it is in one of the three states below, or a topic of it is not there."""
    STOP = 4
    """Nobody has committed for longer than the window lasts."""
    STALL = 5
    """Somebody is there, and does not get on."""
    REWIND = 6
    """It went back, and has not come again to where it was."""


def of_group(statuses: Sequence[Status]) -> Status:
    """
    Give the status of a group whose partitions have these: the worst, and ERR for all that is worse than WARN.
    """
    return min(max(statuses, default=Status.OK), Status.ERR)


def status_of(window: Window, ends: Sequence[int], lag: int, now: int, allowed: int = 0) -> Status:
    """
    Judge one partition.

    Args:
        window: the last commits.
        ends: where the partition ended at the last looks.
        lag: records that are unread now.
        now: ms since 1970.
        allowed: a lag of so many records is none.
    """
    if lag <= allowed or not window.offsets:
        return Status.OK
    if stopped(window, now) and not caught_up(window, ends):
        return Status.STOP
    # Before all that an earlier lag of nought excuses: who had nothing to do and then began again from the start is excused by
    # nothing.
    if (back := rewound(window)) is not None and not recovered(window, back):
        return Status.REWIND
    if not always_behind(window, allowed):
        return Status.OK
    if stalled(window):
        return Status.STALL
    return Status.WARN if never_less(window) else Status.OK


def always_behind(window: Window, allowed: int = 0) -> bool:
    """
    Whether there was a lag at each commit whose lag is known.
    """
    return not any(UNKNOWN < lag <= allowed for lag in window.lags)


def rewound(window: Window) -> int | None:
    """
    Give the place of the first commit that lies before the one before it.
    """
    offsets = window.offsets
    return next((place for place in range(1, len(offsets)) if offsets[place] < offsets[place - 1]), None)


def recovered(window: Window, back: int) -> bool:
    """
    Whether a commit since *back* is as far as the one before it was.
    """
    return max(window.offsets[back:]) >= window.offsets[back - 1]


def stopped(window: Window, now: int) -> bool:
    """
    Whether the last commit is longer ago than the window is long.
    """
    first, last = window.times[0], window.times[-1]
    return now - last > last - first


def caught_up(window: Window, ends: Sequence[int]) -> bool:
    """
    Whether the last commit was as far as the partition went at one of the last looks: what came since has only just come.
    """
    return any(end <= window.offsets[-1] for end in ends)


def stalled(window: Window) -> bool:
    """
    Whether all commits are of one offset.
    """
    return min(window.offsets) == max(window.offsets)


def never_less(window: Window) -> bool:
    """
    Whether no known lag is less than the known one before it.
    """
    known = [lag for lag in window.lags if lag != UNKNOWN]
    return all(after >= before for before, after in pairwise(known))
