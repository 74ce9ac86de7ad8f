"""
A Merkle tree that only grows, by RFC 9162, section 2.1, with SHA-256: its roots, its proofs and their verification.

Places count from 0. Of a growing tree the hashes over whole subtrees of 1, 2, 4, 8 ... entries never change; ``Growth`` gives them
in the order in which they come to stand, and every root and proof is made of them again. Level 0 are the leaves: the node *index*
of *level* stands over the entries from ``index << level`` to ``(index + 1 << level) - 1``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import reduce
from hashlib import sha256
from typing import Final, TypeAlias

from boutre.schemas.merkle import HASH_BYTES, LEAF, NODE

EMPTY: Final = sha256(b"").digest()
"""The root of a tree without entries."""

LONGEST: Final = 63
"""Hashes that a proof may have: no tree on this planet has a longer way, and no more work for whoever checks one."""

Nodes: TypeAlias = Callable[[int, int], bytes]
"""Gives the hash of a whole subtree by its level and index."""


def leaf(entry: bytes) -> bytes:
    """
    Give the hash of an entry.
    """
    return sha256(LEAF + entry).digest()


def joined(left: bytes, right: bytes) -> bytes:
    """
    Give the hash of a node over two.
    """
    return sha256(NODE + left + right).digest()


def stored(level: int, index: int) -> int:
    """
    Give the number of a node in the order in which ``Growth`` gives all nodes of a tree, from 0.
    """
    last = (index + 1 << level) - 1
    # Before the leaf of the last entry under it stand that many leaves, and as many nodes less one for each subtree of theirs.
    return 2 * last - last.bit_count() + level


class Growth:
    """
    A tree as it grows: its size, and the hashes of the whole subtrees that it consists of, the largest first.

    *peaks* are those of a tree of *size* entries, where it is not begun anew; see ``peaks``.
    """

    __slots__ = ("_peaks", "size")

    def __init__(self, size: int = 0, peaks: Sequence[bytes] = ()) -> None:
        if len(peaks) != size.bit_count():
            raise ValueError(f"a tree of {size} entries consists of {size.bit_count()} subtrees")
        self.size = size
        self._peaks = list(peaks)

    def append(self, hashed: bytes) -> list[bytes]:
        """Take the hash of one more entry; gives it and the nodes that are whole by it, from the leaf upwards."""
        made = [hashed]
        full = self.size
        while full & 1:
            made.append(joined(self._peaks.pop(), made[-1]))
            full >>= 1
        self._peaks.append(made[-1])
        self.size += 1
        return made

    def root(self) -> bytes:
        """Give the root over all entries so far."""
        return folded(self._peaks)


def peaks(size: int, nodes: Nodes) -> list[bytes]:
    """
    Give the hashes of the whole subtrees that a tree of *size* entries consists of, the largest first.
    """
    return [nodes(level, index) for level, index in _whole(0, size)]


def root(size: int, nodes: Nodes) -> bytes:
    """
    Give the root over the first *size* entries.
    """
    return folded(peaks(size, nodes))


def inclusion(place: int, size: int, nodes: Nodes) -> list[bytes]:
    """
    Prove that the entry at *place* is one of the first *size*: the hashes beside its way up, the leaf's neighbour first.

    Raises ValueError where there is no such entry.
    """
    if not 0 <= place < size:
        raise ValueError(f"a tree of {size} entries has none at {place}")
    beside: list[bytes] = []
    low, high = 0, size
    while high - low > 1:
        middle = low + _split(high - low)
        if place < middle:
            beside.append(_span(middle, high, nodes))
            high = middle
        else:
            beside.append(_span(low, middle, nodes))
            low = middle
    return beside[::-1]


def consistency(old: int, size: int, nodes: Nodes) -> list[bytes]:
    """
    Prove that the first *old* entries are the beginning of the first *size*; empty where there is nothing to prove.

    Raises ValueError where *old* is not between 0 and *size*.
    """
    if not 0 <= old <= size:
        raise ValueError(f"a tree of {size} entries is no later one of {old}")
    if old in {0, size}:
        return []
    beside: list[bytes] = []
    low, high = 0, size
    while old != high:
        middle = low + _split(high - low)
        if old <= middle:
            beside.append(_span(middle, high, nodes))
            high = middle
        else:
            beside.append(_span(low, middle, nodes))
            low = middle
    # The old root itself is what the reader has, so it is left out where it is a node of the new tree.
    return ([_span(low, high, nodes)] if low else []) + beside[::-1]


def includes(hashed: bytes, place: int, size: int, proof: Sequence[bytes], over: bytes) -> bool:
    """
    Say whether *proof* shows that the entry of this hash stands at *place* in the tree of *size* entries and the root *over*.
    """
    if not (0 <= place < size and _sound(proof)):
        return False
    at, last, reached = place, size - 1, hashed
    for beside in proof:
        if last == 0:
            return False
        if at & 1 or at == last:
            reached = joined(beside, reached)
            while at and not at & 1:
                at, last = at >> 1, last >> 1
        else:
            reached = joined(reached, beside)
        at, last = at >> 1, last >> 1
    return last == 0 and reached == over


def extends(old: int, old_root: bytes, size: int, over: bytes, proof: Sequence[bytes]) -> bool:
    """
    Say whether *proof* shows that the tree of *size* entries and the root *over* begins with that of *old* entries and *old_root*.
    """
    if not (0 <= old <= size and _sound(proof)):
        return False
    if old in {0, size}:
        return not proof and old_root == (EMPTY if old == 0 else over)
    hashes = list(proof) if old & (old - 1) else [old_root, *proof]
    if not hashes:
        return False
    at, last = old - 1, size - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    before = after = hashes[0]
    for beside in hashes[1:]:
        if last == 0:
            return False
        if at & 1 or at == last:
            before, after = joined(beside, before), joined(beside, after)
            while at and not at & 1:
                at, last = at >> 1, last >> 1
        else:
            after = joined(after, beside)
        at, last = at >> 1, last >> 1
    return last == 0 and before == old_root and after == over


def _sound(proof: Sequence[bytes]) -> bool:
    return len(proof) <= LONGEST and all(len(one) == HASH_BYTES for one in proof)


def _split(size: int) -> int:
    """Give the largest power of two below *size*, which is 2 at least."""
    return 1 << (size - 1).bit_length() - 1


def _whole(low: int, high: int) -> Iterator[tuple[int, int]]:
    """Give the whole subtrees over the entries from *low* to before *high*, where *low* begins a subtree that large."""
    while low < high:
        level = (high - low).bit_length() - 1
        yield level, low >> level
        low += 1 << level


def _span(low: int, high: int, nodes: Nodes) -> bytes:
    return folded([nodes(level, index) for level, index in _whole(low, high)])


def folded(hashes: Sequence[bytes]) -> bytes:
    """
    Give the root over whole subtrees that stand beside each other, the largest first.
    """
    return reduce(lambda right, left: joined(left, right), reversed(hashes)) if hashes else EMPTY
