"""
What the logs of workers leave out: the same line of a library, a hundred times a second.
"""

from __future__ import annotations

import logging
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from boutre.ops.logs import AGAIN_S, MOST, Seldom


def line(message: str, at: float, name: str = "aiokafka", level: int = logging.WARNING) -> logging.LogRecord:
    """A line that a library says at a time."""
    record = logging.LogRecord(name, level, "", 0, message, (), None)
    record.created = at
    return record


@given(times=st.lists(st.floats(0, 100), max_size=40))
def test_the_same_line_is_said_once_in_a_while_and_never_kept_back_for_longer(times: list[float]) -> None:
    """
    Between two that are written lies the time of silence; whatever is left out was said within that time before it.
    """
    seldom, written = Seldom(), []
    for at in sorted(times):
        if seldom.filter(line("no broker at %s", at)):
            written.append(at)
        assert at - written[-1] < AGAIN_S

    assert all(later - earlier >= AGAIN_S for earlier, later in pairwise(written))


def test_lines_of_other_libraries_levels_and_words_are_said() -> None:
    """
    One line silences no other.
    """
    seldom = Seldom()
    lines = [line("a", 0), line("b", 0), line("a", 0, "faust"), line("a", 0, level=logging.ERROR), line("a", AGAIN_S)]

    assert [True] * len(lines) == [seldom.filter(one) for one in lines]


def test_what_is_remembered_is_bounded() -> None:
    """
    A library that never says the same twice fills no memory.
    """
    seldom = Seldom()

    assert all(seldom.filter(line(str(number), 0)) for number in range(MOST + 1))
    assert len(seldom._said) <= MOST
