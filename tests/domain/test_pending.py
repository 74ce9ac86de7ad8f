"""
What waits in one partition of a processor: turns between topics, order within one, and nothing lost when a transaction fails.
"""

from __future__ import annotations

from itertools import islice

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from boutre.processors.decision import Inbound
from boutre.processors.runtime.pending import ROOM, ROOM_BYTES, TURN, Pending

COUNTS = st.dictionaries(st.sampled_from(["a", "b", "c"]), st.integers(0, 5 * TURN))


def record(topic: str, offset: int) -> Inbound:
    """A record of which only its place matters."""
    return Inbound(topic, 0, offset, b"k", b"v", {}, 0)


def waiting(counts: dict[str, int]) -> Pending:
    """So many records of each topic."""
    made = Pending()
    for topic, count in counts.items():
        made.add(topic, [record(topic, offset) for offset in range(count)])
    return made


def offsets(records: list[Inbound], topic: str) -> list[int]:
    """The offsets of one topic, in order."""
    return [one.offset for one in records if one.topic == topic]


@given(counts=COUNTS)
def test_all_that_waits_is_taken_once_and_each_topic_in_its_order(counts: dict[str, int]) -> None:
    """
    Whatever waits: taking turns loses nothing, repeats nothing and keeps the order of each topic.
    """
    taken = list(waiting(counts).turns())

    assert {topic: list(range(count)) for topic, count in counts.items()} == {topic: offsets(taken, topic) for topic in counts}


@given(flood=st.integers(2 * TURN, ROOM), few=st.integers(1, TURN), first=st.booleans())
def test_a_flood_does_not_starve_another_topic(flood: int, few: int, first: bool) -> None:  # noqa: FBT001 - drawn
    """
    However many records of one topic wait, those of another come after at most one turn of it.
    """
    counts = {"flood": flood, "few": few} if first else {"few": few, "flood": flood}
    taken = list(islice(waiting(counts).turns(), 2 * TURN))

    assert list(range(few)) == offsets(taken, "few")


@given(counts=COUNTS, cut=st.integers(0, 100), done=st.integers(0, 5 * TURN))
def test_what_could_not_be_handled_is_taken_again_in_its_order(counts: dict[str, int], cut: int, done: int) -> None:
    """
    A transaction that failed gives back what it took; what was committed all the same is forgotten, and nothing else is.
    """
    pending = waiting(counts)
    pending.back(list(islice(pending.turns(), cut)))
    for topic in counts:
        pending.done_below(topic, done)

    taken = list(pending.turns())

    assert {topic: list(range(done, count)) for topic, count in counts.items()} == {
        topic: offsets(taken, topic) for topic in counts
    }


@given(done=st.integers(0, 9), first=st.integers(0, 9))
def test_what_was_committed_meanwhile_is_not_taken_when_it_comes_late(done: int, first: int) -> None:
    """
    Another owner may have handled what this worker only fetches now: below the committed offset nothing is done twice.
    """
    pending = Pending()
    pending.done_below("a", done)
    pending.add("a", [record("a", offset) for offset in range(first, 10)])
    pending.add("b", [record("b", 0)])

    taken = list(pending.turns())

    assert [list(range(max(done, first), 10)), [0]] == [offsets(taken, "a"), offsets(taken, "b")]


@given(first=st.integers(0, 30), again=st.integers(0, 30), handled=st.integers(0, 30))
def test_what_is_delivered_again_is_handled_once(first: int, again: int, handled: int) -> None:
    """
    A seek behind the first records delivers them again: whether they were handled by then or still wait, each is taken once.
    """
    pending = Pending()
    pending.add("a", [record("a", offset) for offset in range(first)])
    taken = list(islice(pending.turns(), handled))
    pending.add("a", [record("a", offset) for offset in range(min(again, first), 40)])

    assert list(range(40)) == offsets([*taken, *pending.turns()], "a")


@given(counts=COUNTS, cuts=st.lists(st.integers(1, 3 * TURN), min_size=1, max_size=10))
def test_turns_go_on_where_a_transaction_ended(counts: dict[str, int], cuts: list[int]) -> None:
    """
    Transactions that end in the middle of a turn lose nothing, and no topic waits longer than the turns of all others.
    """
    pending = waiting(counts)
    taken = [one for cut in cuts for one in islice(pending.turns(), cut)]
    rest = list(pending.turns())

    assert {topic: list(range(count)) for topic, count in counts.items()} == {
        topic: offsets(taken + rest, topic) for topic in counts
    }
    ready = [topic for topic, count in counts.items() if count > len(taken)]
    assert all(offsets(taken, topic) for topic in ready if len(taken) > 2 * TURN * len(counts))


@given(counts=COUNTS)
def test_a_topic_that_is_held_waits_and_the_others_go_on(counts: dict[str, int]) -> None:
    """
    What is held back is not taken, not lost, and says that it waits.
    """
    pending = waiting(counts)
    taken = list(pending.turns({"a"}))

    assert [] == offsets(taken, "a")
    assert not pending.anything({"a"})
    assert list(range(counts.get("a", 0))) == offsets(list(pending.turns()), "a")


@given(counts=COUNTS, most=st.integers(0, 6 * TURN))
def test_of_floods_together_no_more_is_taken_than_is_allowed(counts: dict[str, int], most: int) -> None:
    """
    Two topics that flood share what they may give, each in its order, and give all of it; whoever does not flood is not held.
    """
    pending = waiting(counts)
    taken = list(pending.turns({"a", "b"}, most))
    floods = {topic: offsets(taken, topic) for topic in ("a", "b")}

    assert {topic: list(range(len(its))) for topic, its in floods.items()} == floods
    assert min(most, counts.get("a", 0) + counts.get("b", 0)) == sum(map(len, floods.values()))
    assert list(range(counts.get("c", 0))) == offsets(taken, "c")


def test_a_topic_of_large_records_is_full_long_before_its_number() -> None:
    """
    Room is counted in bytes too, and given back as records are taken, put back and forgotten.
    """
    half = Inbound("a", 0, 0, b"k", bytes(ROOM_BYTES // 2), {}, 0)
    pending = Pending()
    pending.add("a", [half])
    rooms = [pending.has_room("a")]
    pending.add("a", [msgspec.structs.replace(half, offset=1)])
    rooms.append(pending.has_room("a"))
    taken = next(pending.turns())
    rooms.append(pending.has_room("a"))
    pending.back([taken])
    rooms.append(pending.has_room("a"))
    pending.done_below("a", 1)
    rooms.append(pending.has_room("a"))

    assert [True, False, True, False, True] == rooms


def test_a_topic_is_full_at_its_bound_and_floods_above_it() -> None:
    """
    Exactly at the bound no more is read of it; a topic of which nothing waits has room.
    """
    pending = waiting({"a": ROOM, "b": ROOM - 1})

    assert [False, True, True] == [pending.has_room(topic) for topic in ("a", "b", "c")]
    assert frozenset({"a"}) == pending.above(ROOM - 1)
