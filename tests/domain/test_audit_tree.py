"""
The growing tree: RFC 9162's roots and proofs, held against that text, against another implementation and against false proofs.
"""

from __future__ import annotations

from hashlib import sha256
from itertools import pairwise
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymerkle import InmemoryTree

from boutre.schemas.audit import tree
from boutre.schemas.audit.tree import Growth, consistency, extends, includes, inclusion, leaf, stored

ENTRIES: Final = [bytes([number & 0xFF, number >> 8]) * (number % 5) for number in range(257)]
ALL: Final = 128
"""Up to which size every pair of sizes is tried."""

BEYOND: Final = [129, 191, 192, 193, 255, 256, 257]

CERTIFICATES: Final = [bytes.fromhex(text) for text in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657")]
"""The leaves of Certificate Transparency's reference implementation."""

ROOTS: Final = (
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
)
"""The roots over the first 1, 2 ... 7 of them, as that implementation gives them."""


def grown(entries: list[bytes]) -> tuple[list[bytes], list[bytes]]:
    """All nodes in their order, and the root of each size from 0."""
    growth, nodes = Growth(), []
    roots = [growth.root()]
    for entry in entries:
        nodes += growth.append(leaf(entry))
        roots.append(growth.root())
    return nodes, roots


NODES, GROWN = grown(ENTRIES)


def node(level: int, index: int) -> bytes:
    """A node of the tree over all entries."""
    return NODES[stored(level, index)]


def split(count: int) -> int:
    """The largest power of two below the count, as section 2.1 has it."""
    at = 1
    while at * 2 < count:
        at *= 2
    return at


def head(entries: list[bytes]) -> bytes:
    """MTH of section 2.1.1."""
    if len(entries) < 2:
        return sha256(b"\0" + entries[0]).digest() if entries else sha256(b"").digest()
    at = split(len(entries))
    return sha256(b"\1" + head(entries[:at]) + head(entries[at:])).digest()


def path(place: int, entries: list[bytes]) -> list[bytes]:
    """PATH of section 2.1.3.1."""
    if len(entries) == 1:
        return []
    at = split(len(entries))
    if place < at:
        return [*path(place, entries[:at]), head(entries[at:])]
    return [*path(place - at, entries[at:]), head(entries[:at])]


def subproof(old: int, entries: list[bytes], *, whole: bool) -> list[bytes]:
    """SUBPROOF of section 2.1.4.1."""
    if old == len(entries):
        return [] if whole else [head(entries)]
    at = split(len(entries))
    if old <= at:
        return [*subproof(old, entries[:at], whole=whole), head(entries[at:])]
    return [*subproof(old - at, entries[at:], whole=False), head(entries[:at])]


def test_roots_are_those_of_certificate_transparency() -> None:
    """
    The known answers of the reference implementation.
    """
    assert list(ROOTS) == [root.hex() for root in grown(CERTIFICATES)[1][1:]]


def test_nodes_stand_where_they_are_said_to_stand() -> None:
    """
    Each node comes in the order that ``stored`` says, and a tree can be taken up again from its nodes at any size.
    """
    growth = Growth()
    order = [stored(level, place >> level) for place in range(257) for level, _ in enumerate(growth.append(bytes(32)))]

    assert list(range(len(NODES))) == order
    for size in range(257):
        again = Growth(size, tree.peaks(size, node))
        assert GROWN[size] == again.root() == tree.root(size, node)
        assert NODES[stored(0, size)] == again.append(leaf(ENTRIES[size]))[0]
        assert GROWN[size + 1] == again.root()


@pytest.mark.parametrize("size", [*range(1, 40), *BEYOND])
def test_roots_and_ways_are_those_of_the_rfc(size: int) -> None:
    """
    Root, inclusion and consistency proofs are, hash by hash, what the recursive definitions give.
    """
    entries = ENTRIES[:size]
    places = range(size) if size < 40 else (0, 1, size // 2, size - 2, size - 1)

    assert head(entries) == GROWN[size]
    for place in places:
        assert path(place, entries) == inclusion(place, size, node)
        assert subproof(place + 1, entries, whole=True) == consistency(place + 1, size, node)


def test_roots_and_ways_are_those_of_another_implementation() -> None:
    """
    Pymerkle gives the same roots and the same ways up, and proves with its own means that our roots are of one tree that grows.
    """
    other = InmemoryTree(algorithm="sha256")
    for entry in ENTRIES:
        other.append_entry(entry)

    assert GROWN[1:] == [other.get_root(size) for size in range(1, 258)]
    for size in [*range(1, 34), *BEYOND]:
        for place in {0, size // 3, size // 2, size - 1}:
            proof = other.prove_inclusion(place + 1, size)
            assert proof.path[1:] == inclusion(place, size, node)
            other.prove_consistency(place + 1, size).verify(GROWN[place + 1], GROWN[size])


def test_every_entry_of_every_tree_can_be_proved() -> None:
    """
    For all sizes up to 128 and all places, the proof leads to the root of that size and to that of no neighbour.
    """
    for size in range(1, ALL + 1):
        for place in range(size):
            proof = inclusion(place, size, node)
            assert includes(leaf(ENTRIES[place]), place, size, proof, GROWN[size])
            assert not includes(leaf(ENTRIES[place]), place, size, proof, GROWN[size + 1])
            assert not includes(leaf(ENTRIES[place] + b"x"), place, size, proof, GROWN[size])


def test_every_tree_is_proved_to_begin_with_every_smaller_one() -> None:
    """
    For all m <= n up to 128 the proof holds, for no other root of either size, and for no other size than it is for.
    """
    for size in range(ALL + 1):
        for old in range(size + 1):
            proof = consistency(old, size, node)
            assert extends(old, GROWN[old], size, GROWN[size], proof), (old, size)
            if old:
                assert not extends(old, GROWN[old - 1], size, GROWN[size], proof)
                assert not extends(old, GROWN[old], size, GROWN[size + 1], proof)
            if 0 < old < size:
                assert not extends(old, GROWN[old], size, GROWN[size], proof[:-1])
                assert not extends(old, GROWN[old], size, GROWN[size], [*proof, proof[-1]])


def test_a_fork_has_no_proof() -> None:
    """
    Two logs that part at any entry: whoever has seen more than the common beginning of the one is never led to the other.
    """
    for parts in range(24):
        nodes, roots = grown([*ENTRIES[:parts], b"another", *ENTRIES[parts + 1 : 24]])

        def other(level: int, index: int, nodes: list[bytes] = nodes) -> bytes:
            return nodes[stored(level, index)]

        for old in range(1, 25):
            for size in range(max(old, parts + 1), 25):
                fits = old <= parts
                for proof in (consistency(old, size, other), consistency(old, size, node)):
                    assert fits or not extends(old, GROWN[old], size, roots[size], proof)
                assert fits == extends(old, GROWN[old], size, roots[size], consistency(old, size, other))


SIZES = st.integers(1, 257) | st.sampled_from([1, 2, 3, 63, 64, 65, 127, 128, 129, 255, 256, 257])


@given(st.data(), SIZES)
def test_a_proof_that_is_altered_anywhere_proves_nothing(data: st.DataObject, size: int) -> None:
    """
    One bit of a hash, a hash more, less or exchanged, another place or size: no inclusion is proved any more.
    """
    place = data.draw(st.integers(0, size - 1))
    proof = inclusion(place, size, node)
    at = data.draw(st.integers(0, max(len(proof) - 1, 0)))
    bit = data.draw(st.integers(0, 255))
    flipped = [*proof]
    if proof:
        number = int.from_bytes(proof[at], "big") ^ 1 << bit
        flipped[at] = number.to_bytes(32, "big")
        assert not includes(leaf(ENTRIES[place]), place, size, flipped, GROWN[size])
        assert not includes(leaf(ENTRIES[place]), place, size, proof[:at] + proof[at + 1 :], GROWN[size])
    assert not includes(leaf(ENTRIES[place]), place, size, [*proof, bytes(32)], GROWN[size])
    assert not includes(leaf(ENTRIES[place]), place, size, [*proof, b""], GROWN[size])
    other = data.draw(st.integers(-1, size))
    assert (other == place) == includes(leaf(ENTRIES[place]), other, size, proof, GROWN[size])


@given(st.data(), SIZES)
def test_a_growth_that_is_altered_anywhere_proves_nothing(data: st.DataObject, size: int) -> None:
    """
    The same of a proof that a log only grew.
    """
    old = data.draw(st.integers(1, size))
    proof = consistency(old, size, node)
    for at in range(len(proof)):
        bit = data.draw(st.integers(0, 255))
        flipped = [*proof]
        flipped[at] = (int.from_bytes(proof[at], "big") ^ 1 << bit).to_bytes(32, "big")
        assert not extends(old, GROWN[old], size, GROWN[size], flipped)
    for at, (one, next_) in enumerate(pairwise(proof)):
        assert not extends(old, GROWN[old], size, GROWN[size], [*proof[:at], next_, one, *proof[at + 2 :]])
    other = data.draw(st.integers(-1, size + 1))
    if other not in {old, 0}:
        assert not extends(other, GROWN[old], size, GROWN[size], proof)


@pytest.mark.parametrize(("place", "size"), [(-1, 4), (4, 4), (0, 0)])
def test_there_is_no_proof_of_what_is_not_there(place: int, size: int) -> None:
    """
    A place outside of the tree is refused, and by whoever checks as well.
    """
    with pytest.raises(ValueError, match="has none at"):
        inclusion(place, size, node)
    assert not includes(leaf(b""), place, size, [], GROWN[0])


@pytest.mark.parametrize(("old", "size"), [(-1, 4), (5, 4)])
def test_a_log_does_not_grow_backwards(old: int, size: int) -> None:
    """
    A smaller tree is no later one.
    """
    with pytest.raises(ValueError, match="no later one"):
        consistency(old, size, node)
    assert not extends(old, GROWN[max(old, 0)], size, GROWN[size], [])


def test_whoever_checks_is_given_no_endless_work() -> None:
    """
    A proof of more hashes than any tree needs is refused before it is hashed.
    """
    assert not includes(leaf(b""), 0, 1 << 70, [bytes(32)] * 70, GROWN[1])
    assert not extends(1, GROWN[1], 1 << 70, GROWN[2], [bytes(32)] * 70)


def test_a_tree_is_not_taken_up_from_what_is_not_its_own() -> None:
    """
    The subtrees that a size consists of are as many as it has bits.
    """
    with pytest.raises(ValueError, match="consists of 2 subtrees"):
        Growth(3, [bytes(32)])
