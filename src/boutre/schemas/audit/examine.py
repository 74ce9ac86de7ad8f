"""
Looks through a log for what does not fit: entries that were altered, taken out, put elsewhere or cut off, or a log never signed.

Two things are held against the entries. The stored nodes of the tree say which entry is not what it was. The signed checkpoints
say it of whoever made the nodes anew as well, and between which two of them it happened; what came after the last
checkpoint is held by nothing yet.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from boutre.schemas.audit import tree
from boutre.schemas.audit.checkpoint import Checkpoint
from boutre.schemas.merkle import HASH_BYTES

TOLD: Final = 20
"""How many findings of one log are told one by one."""


@dataclass(frozen=True, slots=True)
class Finding:
    """
    One thing that does not fit: the *log*, the first entry that it is about (None: the log as a whole), and what it is.
    """

    log: str
    place: int | None
    what: str

    def __str__(self) -> str:
        return f"{self.log}: {self.what}" if self.place is None else f"{self.log}: entry {self.place}: {self.what}"


def examine(
    log: str,
    size: int,
    entries: Iterable[tuple[int, bytes]],
    nodes: Iterable[tuple[int, bytes]],
    checkpoints: Iterable[Checkpoint],
) -> Iterator[Finding]:
    """
    Give what does not fit in a *log* that says it has *size* entries.

    *entries* are places and entries in the order of their places, *nodes* the stored nodes by their numbers, in the order of
    ``tree.Growth``; *checkpoints* are whatever the bus has signed of this log, also what only others have kept, in any order.
    """
    held = _Held(log, iter(nodes), deque(sorted(checkpoints, key=lambda one: (one.size, one.root))))
    yield from held.signed()
    for place, content in entries:
        while held.size < place:
            yield from held.take(None)
        yield from held.take(tree.leaf(content))
    if held.size > size:
        yield Finding(log, size, f"is more than the {size} that the log says it has")
    yield from held.end(size)


class _Held:
    """
    A tree that is made anew from the entries and held against what is stored and what was signed.

    Where the two differ it goes on with what is stored: so each entry that was altered is named, and no other for its sake.
    """

    def __init__(self, log: str, nodes: Iterator[tuple[int, bytes]], due: deque[Checkpoint]) -> None:
        self.size = 0
        self._log = log
        self._nodes = nodes
        self._next = next(nodes, None)
        self._peaks: list[bytes] = []
        self._due = due
        self._fits = 0
        self._blamed = -1

    def take(self, hashed: bytes | None) -> Iterator[Finding]:
        """Take the hash of the next entry, None where the entry is missing."""
        place = self.size
        stored = self._stored(0, place)
        if hashed is None:
            yield self._blame(place, "is missing")
        elif stored is None:
            yield self._blame(place, "has no hash in the tree")
        elif stored != hashed:
            yield self._blame(place, "is not what the tree was made of: it or its hash was altered or exchanged")
        self._peaks.append(stored or hashed or bytes(HASH_BYTES))
        level = 0
        while place >> level & 1:
            level += 1
            right, left = self._peaks.pop(), self._peaks.pop()
            made, stored = tree.joined(left, right), self._stored(level, place >> level)
            first = place >> level << level
            if stored != made and self._blamed < first:
                yield self._blame(
                    first, f"from it to {place} the entries are not what the tree was made of: they or a node above them"
                )
            self._peaks.append(stored or made)
        self.size += 1
        yield from self.signed()

    def signed(self) -> Iterator[Finding]:
        """Hold the tree of this size against the checkpoints of this size."""
        while self._due and self._due[0].size == self.size:
            if self._due.popleft().root == tree.folded(self._peaks):
                self._fits = self.size
            else:
                what = (
                    f"the first {self.size} entries are not those that were signed, the first {self._fits} are: altered, or a fork"
                )
                yield Finding(self._log, min(self._fits, max(self.size - 1, 0)), what)

    def end(self, size: int) -> Iterator[Finding]:
        """Say what should be there and is not, where the log says it has *size* entries."""
        if self.size < size:
            yield Finding(self._log, self.size, f"is missing, and all after it: the log says it has {size}")
        if self._next is not None and self.size >= size:
            yield Finding(self._log, self.size, "is missing: the tree goes on after the last entry")
        for one in self._due:
            yield Finding(self._log, self.size, f"is missing: {one.size} entries were signed, {self.size} are there")

    def _blame(self, place: int, what: str) -> Finding:
        self._blamed = self.size
        return Finding(self._log, place, what)

    def _stored(self, level: int, index: int) -> bytes | None:
        number = tree.stored(level, index)
        while self._next is not None and self._next[0] < number:
            self._next = next(self._nodes, None)
        if self._next is None or self._next[0] != number:
            return None
        found = self._next[1]
        self._next = next(self._nodes, None)
        return found
