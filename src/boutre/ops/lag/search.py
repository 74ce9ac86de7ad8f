"""
How old a record is that one may not read: found by asking which record is the first of a time.

Who may describe a topic, and no more, is told by Kafka the first record that is not older than a moment. Halving the time between
the first record and now finds the moment at which that record comes to stand behind an offset. Nothing is interpolated: it is right
to ``FINEST_MS`` where timestamps only grow, as those do that brokers give, and nothing was compacted. Marks of transactions cannot
be told from records this way.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from boutre.ops.lag.look import Next, Place

FINEST_MS: Final = 500
"""Milliseconds by which an answer may be off."""

Ask = Callable[[Mapping[Place, int]], Mapping[Place, Next]]
"""Gives, for a moment (ms since 1970) in each place, the first record that is not older; nothing where there is none."""


def search(ask: Ask, wanted: Mapping[Place, int], now: int) -> dict[Place, Next]:
    """
    Give the record that stands at each *wanted* offset, nothing where there is no answer; *now* in ms since 1970.
    """
    found: dict[Place, Next] = {}
    # Of each place a moment whose first record stands before the offset, and one whose first record does not, or that has none.
    early: dict[Place, int] = {}
    late: dict[Place, tuple[int, Next | None]] = {}
    for place, oldest in ask(dict.fromkeys(wanted, 0)).items():
        if oldest.offset >= wanted[place]:
            found[place] = oldest
        else:
            early[place], late[place] = oldest.timestamp, (max(now, oldest.timestamp) + 1, None)
    while left := {place: (low + late[place][0]) // 2 for place, low in early.items() if late[place][0] - low > FINEST_MS}:
        told = ask(left)
        for place, moment in left.items():
            first = told.get(place)
            if first is not None and first.offset < wanted[place]:
                # Up to its own time the same record is the first.
                early[place] = max(moment, min(first.timestamp, late[place][0] - 1))
            else:
                late[place] = (moment, first)
    for place, low in early.items():
        behind = late[place][1]
        # A record further on is the first of a later moment: the one that is asked for is as old as the one before it.
        found[place] = behind if behind is not None and behind.offset == wanted[place] else Next(wanted[place], low)
    return found
