"""
How much of a flood a processor lets through: what a reader could bear, also before its lag was ever looked at.
"""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from boutre.processors.runtime.headroom import AHEAD, BOUNDLESS, Headroom

READERS = {"boutre-release": ("bus.sighting",)}

Event = tuple[int, int] | int | None
"""A partition that asks for so many, or a look that found so many waiting, or none that could."""

EVENTS = st.lists(st.tuples(st.integers(0, 1), st.integers(0, 3 * AHEAD)) | st.integers(AHEAD - 2, AHEAD + 2) | st.none())


@given(events=EVENTS)
def test_between_two_looks_a_partition_lets_no_more_through_than_may_wait(events: list[Event]) -> None:
    """
    However much is asked for, and before the first look too; nothing while a reader has more before it, all where it is not known.
    """
    made = Headroom(READERS, {})
    let = {0: 0, 1: 0}
    waiting: int | None = 0
    for event in events:
        if isinstance(event, tuple):
            partition, asked = event
            given = min(asked, made.allowance(partition))
            made.let(partition, given)
            let[partition] += given
            if waiting is None:
                assert asked == given
            elif waiting > AHEAD:
                assert not given
            else:
                assert let[partition] <= AHEAD
                assert asked == given or let[partition] == AHEAD
        else:
            waiting = event
            made.looked(event)
            let = {0: 0, 1: 0}


def test_where_nobody_reads_nothing_is_held_back() -> None:
    """
    A processor whose outputs no other processor reads lets everything through, however much it was.
    """
    made = Headroom({}, {})
    made.let(0, 10 * AHEAD)

    assert made.allowance(0) == BOUNDLESS
