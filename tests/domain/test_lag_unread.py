"""
What is known of the first unread record: never an answer that a reader would not have got.
"""

from __future__ import annotations

from collections.abc import Mapping

from hypothesis import given
from hypothesis import strategies as st

from boutre.ops.lag.look import Bounds, Next, Partition, SeenGroup, SeenTopic
from boutre.ops.lag.unread import Unread, position, wanted

PLACE = ("t", 0)
ONE = Partition(1, (1,), (1,))


def read(log: Mapping[int, int], begin: int, stable: int) -> Next | None:
    """What a reader gets from *begin* on: the first record before the stable end."""
    found = min((offset for offset in log if begin <= offset < stable), default=None)
    return None if found is None else Next(found, log[found])


@given(
    st.dictionaries(st.integers(0, 40), st.integers(0, 9), max_size=12),
    st.lists(st.tuples(st.integers(0, 42), st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=30),
)
def test_what_is_remembered_is_what_a_reader_gets(log: dict[int, int], looks: list[tuple[int, int, int]]) -> None:
    """
    Over a log with gaps whose end and beginning move, every remembered answer is the one that reading again would give.
    """
    unread, begin, stable, readings = Unread(), 0, 0, 0
    for asked, grown, gone in looks:
        stable, begin = min(42, stable + grown), min(stable, begin + gone // 2)
        bounds = Bounds(begin, stable, stable)
        offset = position(min(asked, stable), bounds)
        if offset >= stable:
            continue
        known, record, at = unread.find("id", PLACE, offset, bounds)
        if not known:
            readings += 1
            record = read(log, at, stable)
            unread.learn("id", PLACE, at, record, stable if record is None else record.offset)
            known, record, _ = unread.find("id", PLACE, offset, bounds)
        assert known
        assert read(log, offset, stable) == record
        unread.forget({("id", PLACE): [offset]})
    assert readings <= len(looks)


def test_a_topic_made_again_has_other_records() -> None:
    """What was read of a topic says nothing of another one of its name."""
    unread = Unread()
    unread.learn("old", PLACE, 0, Next(3, 77), 3)

    assert (True, Next(3, 77), 2) == unread.find("old", PLACE, 2, Bounds(0, 9, 9))
    assert (False, None, 2) == unread.find("new", PLACE, 2, Bounds(0, 9, 9))


def test_what_retention_took_is_asked_for_again() -> None:
    """A record that is gone is nobody's next any more."""
    unread = Unread()
    unread.learn("id", PLACE, 0, Next(3, 77), 3)

    assert (False, None, 3) == unread.find("id", PLACE, 3, Bounds(4, 9, 9))


def test_only_who_has_something_left_is_asked_for() -> None:
    """Who stands at the end has nothing unread; who committed nothing begins at the beginning, as does whose records are gone."""
    topics = {"t": SeenTopic("id", (ONE, ONE, ONE, ONE))}
    bounds = {("t", number): Bounds(5, 9, 12) for number in range(4)}
    groups = {"g": SeenGroup({("t", 0): 9, ("t", 1): 7, ("t", 2): 2}), "h": SeenGroup({("t", 3): 12})}

    assert {("id", ("t", 1)): {7, 5}, ("id", ("t", 2)): {5}, ("id", ("t", 3)): {5}, ("id", ("t", 0)): {5}} == wanted(
        topics, bounds, {"g": ("t", "gone"), "h": ("t",)}, groups
    )
