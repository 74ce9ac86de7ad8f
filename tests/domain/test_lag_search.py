"""
The age of a record that may not be read: as near as said, whatever the log, and in few questions.
"""

from __future__ import annotations

from collections.abc import Mapping

from hypothesis import given
from hypothesis import strategies as st

from boutre.ops.lag.look import Next, Place
from boutre.ops.lag.search import FINEST_MS, search

NOW = 1_790_000_000_000


class Logs:
    """Partitions whose timestamps only grow, of which one may ask for the first record of a time."""

    def __init__(self, logs: Mapping[Place, list[Next]]) -> None:
        self.logs = logs
        self.asked = 0

    def ask(self, moments: Mapping[Place, int]) -> dict[Place, Next]:
        """Answer as Kafka does."""
        self.asked += 1
        found = {}
        for place, moment in moments.items():
            first = next((one for one in self.logs[place] if one.timestamp >= moment), None)
            if first is not None:
                found[place] = first
        return found


@st.composite
def logs(draw: st.DrawFn) -> tuple[dict[Place, list[Next]], dict[Place, int]]:
    """Logs without gaps, and for each an offset that somebody stands at."""
    made: dict[Place, list[Next]] = {}
    wanted: dict[Place, int] = {}
    for number in range(draw(st.integers(1, 3))):
        steps = draw(st.lists(st.sampled_from((0, 1, 400, 600, 10_000, 86_400_000)), min_size=1, max_size=20))
        offset, at, log = draw(st.integers(0, 5)), NOW - 40 * 86_400_000, []
        for later in steps:
            offset, at = offset + 1, min(NOW, at + later)
            log.append(Next(offset, at))
        made["t", number] = log
        wanted["t", number] = draw(st.integers(log[0].offset, log[-1].offset))
    return made, wanted


@given(logs())
def test_it_is_as_near_as_said(drawn: tuple[dict[Place, list[Next]], dict[Place, int]]) -> None:
    """The timestamp that is found is that of the first record from the offset on, but for half a second."""
    made, wanted = drawn
    source = Logs(made)
    found = search(source.ask, wanted, NOW)

    assert wanted.keys() == found.keys()
    for place, offset in wanted.items():
        right = next(one for one in made[place] if one.offset >= offset)
        assert abs(right.timestamp - found[place].timestamp) <= FINEST_MS
        assert found[place].offset == offset
    assert source.asked <= 40


def test_nothing_is_made_up() -> None:
    """Where nobody answers nothing is said, and an empty partition has no record."""
    assert {} == search(lambda _moments: {}, {("t", 0): 5}, NOW)
