"""
A log is looked through: for every size, whatever is done to an entry is found, and its place is named.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Final

import pytest

from boutre.schemas.audit.checkpoint import Checkpoint
from boutre.schemas.audit.examine import Finding, examine
from boutre.schemas.audit.tree import EMPTY, Growth, leaf

SIZES: Final = [range(first, first + 16) for first in range(1, 257, 16)]
"""All sizes from 1 to 256, some at a time."""

ENTRIES: Final = [sha256(number.to_bytes(4, "big")).digest() for number in range(256)]
OTHERS: Final = [sha256(b"other" + entry).digest() for entry in ENTRIES]


@dataclass(frozen=True, slots=True)
class Log:
    """A log as it is stored, and what was signed of it."""

    size: int
    entries: tuple[tuple[int, bytes], ...]
    nodes: tuple[tuple[int, bytes], ...]
    signed: tuple[Checkpoint, ...]

    def findings(self) -> list[Finding]:
        """What is found in it."""
        return list(examine("rcoc", self.size, self.entries, self.nodes, self.signed))

    def with_entries(self, entries: list[bytes]) -> Log:
        """The same log with other entries, as somebody writes them who makes no nodes anew and says nothing of the size."""
        return replace(self, entries=tuple(enumerate(entries)))

    def forged(self, entries: list[bytes]) -> Log:
        """The same with all nodes and the size made anew as well: nothing but what was signed speaks against it."""
        made = log([*entries])
        return replace(made, signed=self.signed)


def log(entries: list[bytes], *marks: int) -> Log:
    """A log of these entries, of which a checkpoint was signed at each of *marks*."""
    growth, nodes, signed = Growth(), [], []
    for size in range(len(entries) + 1):
        if size in marks:
            signed.append(Checkpoint("boutre.audit/0/rcoc", size, growth.root()))
        if size < len(entries):
            nodes += growth.append(leaf(entries[size]))
    return Log(len(entries), tuple(enumerate(entries)), tuple(enumerate(nodes)), tuple(signed))


def entries(size: int) -> list[bytes]:
    """So many entries, no two alike."""
    return ENTRIES[:size]


def places(size: int) -> list[int]:
    """Places to do something to: all of a small log, of a larger one the middle, the end and one that is drawn."""
    if size <= 16:
        return list(range(size))
    return sorted({size // 2, size - 1, random.Random(size).randrange(size)})  # noqa: S311 - drawn, not secret


def tampered(size: int) -> Iterator[tuple[str, int, list[bytes]]]:
    """Everything that is done to a log: what, to which entry, and the entries afterwards."""
    for place in places(size):
        flipped, bit = entries(size), (place * 37) % 256
        flipped[place] = (int.from_bytes(flipped[place], "big") ^ 1 << bit).to_bytes(32, "big")
        yield "flip", place, flipped
        dropped = entries(size)
        del dropped[place]
        yield "drop", place, dropped
        yield "truncate", place, entries(place)
        yield "fork", place, [*entries(place), *OTHERS[place:size]]
        if place + 1 < size:
            swapped = entries(size)
            swapped[place], swapped[-1] = swapped[-1], swapped[place]
            yield "swap", place, swapped


@pytest.mark.parametrize("sizes", SIZES, ids=str)
def test_what_is_done_to_an_entry_is_found(sizes: range) -> None:
    """
    Flipped, dropped, swapped, cut off or forked: found by the stored nodes, and the first place named is the one it was done to.
    """
    for size in sizes:
        whole = log(entries(size), size)
        assert [] == whole.findings()
        for what, place, then in tampered(size):
            found = whole.with_entries(then).findings()
            assert found, (size, what, place)
            assert place == found[0].place, (size, what, place, found[0])


@pytest.mark.parametrize("sizes", SIZES, ids=str)
def test_what_is_forged_with_all_its_nodes_is_found_by_what_was_signed(sizes: range) -> None:
    """
    Whoever makes the whole tree anew is found by each checkpoint after the place; which one fits still is told.
    """
    for size in sizes:
        half = size // 2
        signed = log(entries(size), half, size)
        assert [] == signed.findings()
        for what, place, then in tampered(size):
            found = signed.forged(then).findings()
            assert found, (size, what, place)
            told = found[0].place
            assert told is not None
            # Of a log that is only shorter than what was signed nobody can say where it was shortened.
            shorter = what in {"drop", "truncate"}
            assert told <= place or (shorter and told == len(then)), (size, what, place, found[0])
            if place >= half and not shorter:
                assert half == told or size == 1, (size, what, place, found[0])


def test_each_altered_entry_is_named_and_no_other() -> None:
    """
    Two entries that changed places: exactly these two are named.
    """
    then = entries(100)
    then[17], then[71] = then[71], then[17]

    assert [17, 71] == [one.place for one in log(entries(100), 100).with_entries(then).findings()]


def test_an_entry_that_is_gone_leaves_the_others_in_peace() -> None:
    """
    An entry taken out without moving the others is missing, and nothing else is said.
    """
    whole = log(entries(50), 50)
    gone = replace(whole, entries=tuple(one for one in whole.entries if one[0] != 31))

    assert ["rcoc: entry 31: is missing"] == [str(one) for one in gone.findings()]


@pytest.mark.parametrize("number", range(31))
def test_a_node_that_was_altered_is_found(number: int) -> None:
    """
    Each stored node of a tree of sixteen is held against what stands under it.
    """
    whole = log(entries(16), 16)
    nodes = list(whole.nodes)
    nodes[number] = (number, bytes(32))

    assert replace(whole, nodes=tuple(nodes)).findings()
    del nodes[number]
    assert replace(whole, nodes=tuple(nodes)).findings()


def test_a_checkpoint_of_more_than_there_is_says_that_the_end_is_cut_off() -> None:
    """
    A log that was cut off with its nodes and its size is found by whoever kept a checkpoint of more.
    """
    whole, cut = log(entries(9), 9), log(entries(7))

    assert [] == cut.findings()
    assert ["rcoc: entry 7: is missing: 9 entries were signed, 7 are there"] == [
        str(one) for one in replace(cut, signed=whole.signed).findings()
    ]


def test_the_stored_size_is_held_against_the_entries() -> None:
    """
    A size of more or fewer entries than there are is found; so are nodes that go on after the last entry.
    """
    whole = log(entries(5))

    assert 5 == replace(whole, size=6).findings()[0].place
    assert 4 == replace(whole, size=4).findings()[0].place
    assert 4 == replace(whole, size=4, entries=whole.entries[:4]).findings()[0].place


def test_an_empty_log_holds_and_its_checkpoint_is_that_of_nothing() -> None:
    """
    Nothing is wrong with a log before its first entry, unless something else was signed of it.
    """
    assert [] == log([], 0).findings()
    assert EMPTY == log([], 0).signed[0].root
    assert replace(log([]), signed=(Checkpoint("boutre.audit/0/rcoc", 0, bytes(32)),)).findings()
