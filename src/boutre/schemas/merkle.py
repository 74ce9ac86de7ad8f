"""
A Merkle tree over the records of one batch, by which one signature proves many records, each by itself.

The tree is that of RFC 9162, section 2.1, with SHA-256: a leaf is hashed behind 00 and a node behind 01, so that neither passes for
the other, and the last node of a level that has no partner goes up as it is. One thing is added: a leaf is hashed with 16 random
bytes of its own. A proof holds the hash of the record beside; without those bytes, who is shown one record could try out what its
neighbour says.

A proof is ``index`` and ``count`` (2 bytes each, big-endian), the leaf's own 16 bytes, and the hashes beside the way up, from the
leaf to the root (32 bytes each). Index and count say how many there are, and on which side each stands: no other proof leads to the
same root.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from hashlib import sha256
from typing import Final, TypeAlias

LEAF: Final = b"\0"
NODE: Final = b"\1"
SALT_BYTES: Final = 16
HASH_BYTES: Final = 32
FEWEST: Final = 2
"""A record alone has no tree: it is signed as it is, so that there is one form for each batch."""

MOST: Final = 4096
"""How many records a batch may have: a proof of 404 bytes, and no more work for whoever checks it."""

_HEAD: Final = 4
_SALTED: Final = _HEAD + SALT_BYTES

Way: TypeAlias = tuple[int, tuple[tuple[int, int, bool], ...]]
"""The length of a proof, and for each step up where its hash begins and ends in it, and whether that stands on the left."""


def leaf(salt: bytes, content: bytes) -> bytes:
    """
    Give the hash of a leaf; *salt* is its own 16 random bytes.
    """
    return sha256(LEAF + salt + content).digest()


def grow(leaves: Sequence[bytes]) -> tuple[bytes, list[list[bytes]]]:
    """
    Give the root over the hashes of at least one leaf, and for each leaf the hashes beside its way up.
    """
    level = list(leaves)
    beside: list[list[bytes]] = [[] for _ in level]
    depth = 0
    while len(level) > 1:
        for place, hashes in enumerate(beside):
            partner = (place >> depth) ^ 1
            if partner < len(level):
                hashes.append(level[partner])
        above = [sha256(NODE + level[at] + level[at + 1]).digest() for at in range(0, len(level) - 1, 2)]
        level = above + level[len(above) * 2 :]
        depth += 1
    return level[0], beside


def proof(index: int, count: int, salt: bytes, beside: Sequence[bytes]) -> bytes:
    """
    Give the proof of the leaf *index* (from 0) of *count*.
    """
    return b"".join((index.to_bytes(2, "big"), count.to_bytes(2, "big"), salt, *beside))


def climb(given: bytes, content: bytes) -> bytes | None:
    """
    Give the count (2 bytes) and the root to which a proof leads from *content*; None where it is no proof, whatever its bytes.
    """
    length, steps = _way(given[:_HEAD])
    if len(given) != length:
        return None
    found = sha256(LEAF + given[_HEAD:_SALTED] + content).digest()
    for begin, end, left in steps:
        found = sha256(NODE + given[begin:end] + found if left else NODE + found + given[begin:end]).digest()
    return given[2:_HEAD] + found


@lru_cache(maxsize=2 * MOST)
def _way(head: bytes) -> Way:
    """Give the way up for an index and a count; one of no length where they are none."""
    index, width = int.from_bytes(head[:2], "big"), int.from_bytes(head[2:], "big")
    if len(head) != _HEAD or not FEWEST <= width <= MOST or index >= width:
        return -1, ()
    steps: list[tuple[int, int, bool]] = []
    end = _SALTED
    while width > 1:
        if index ^ 1 < width:
            steps.append((end, end + HASH_BYTES, bool(index & 1)))
            end += HASH_BYTES
        index >>= 1
        width = (width + 1) >> 1
    return end, tuple(steps)
