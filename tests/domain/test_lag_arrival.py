"""
For how long a record has waited: no longer than its timestamp says, and no longer than since it was not there yet.
"""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from boutre.ops.lag.arrival import MOST, Arrivals

LOOKS = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 20)), max_size=30)
"""How far the end moved, and how many milliseconds passed, from look to look."""


def looked(moves: list[tuple[int, int]], begun: int = 1_000) -> tuple[Arrivals, list[tuple[int, int]]]:
    """A partition after some looks, and each look's end and time."""
    arrivals, end, at, seen = Arrivals(), 0, begun, []
    for moved, passed in moves:
        end, at = end + moved, at + passed
        arrivals.add(end, at)
        seen.append((end, at))
    return arrivals, seen


@given(LOOKS, st.integers(0, 200), st.integers(0, 2_000), st.integers(0, 500))
def test_it_is_the_shorter_of_both(moves: list[tuple[int, int]], offset: int, timestamp: int, later: int) -> None:
    """By the timestamp, or since the last look at which the partition ended before the record, and never below nought."""
    arrivals, seen = looked(moves)
    at = (seen[-1][1] if seen else 1_000) + later
    before = [moment for end, moment in seen if end <= offset]
    begun = max([timestamp, *before])

    assert max(0.0, (at - begun) / 1000) == arrivals.waited(offset, timestamp, at)


def test_a_time_of_the_day_alone_does_not_make_it_old() -> None:
    """A view dated to midnight that came between two looks is as old as the first of them, and no older as long as it waits."""
    noon, midnight, every = 12 * 3_600_000, 0, 10_000
    arrivals = Arrivals()
    arrivals.add(5, noon)
    for look in range(1, 4):
        arrivals.add(6, noon + look * every)

    assert 30.0 == arrivals.waited(5, midnight, noon + 3 * every)
    assert 43_230.0 == arrivals.waited(4, midnight, noon + 3 * every)  # It was there at the first look: nobody can say more.


def test_of_what_was_long_ago_the_timestamp_tells() -> None:
    """No more ends are kept than ``MOST``; a record before all of them is as old as it says."""
    arrivals = Arrivals()
    for look in range(MOST + 2):
        arrivals.add(10 * look, 1_000 * look)

    assert MOST == len(arrivals.ends)
    assert (MOST + 1.0) == arrivals.waited(5, 0, 1_000 * (MOST + 1))
    assert (MOST + 0.5) == arrivals.waited(10, 500, 1_000 * (MOST + 1))


def test_an_end_that_goes_back_is_none() -> None:
    """Looks at several brokers may disagree for a moment; what was there once stays there."""
    arrivals = Arrivals()
    for end, at in ((5, 0), (8, 10), (7, 20)):
        arrivals.add(end, at)

    assert [(5, 0), (8, 20)] == list(arrivals.ends)
