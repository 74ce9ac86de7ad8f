"""
The tree over a batch: RFC 9162's, for any count, and one way only from each record to its root.
"""

from __future__ import annotations

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from boutre.schemas.merkle import FEWEST, HASH_BYTES, MOST, SALT_BYTES, climb, grow, leaf, proof

LEAVES = [bytes.fromhex(text) for text in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657")]
LEAVES.append(bytes(range(0x60, 0x70)))

ROOTS = (
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
)
"""The roots over the first 1, 2 ... 8 of those leaves, as the reference implementation of Certificate Transparency gives them."""

COUNTS = st.integers(FEWEST, 70) | st.sampled_from([127, 128, 129, 255, 256, 257])


def by_the_rfc(leaves: list[bytes]) -> bytes:
    """The root as section 2.1.1 says it: split at the largest power of two below the count."""
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return sha256(b"\1" + by_the_rfc(leaves[:split]) + by_the_rfc(leaves[split:])).digest()


def batch(count: int) -> tuple[list[bytes], list[bytes], bytes]:
    """Contents, proofs and root of a batch."""
    contents = [f"record {number}".encode() for number in range(count)]
    salts = [sha256(content).digest()[:SALT_BYTES] for content in contents]
    root, ways = grow([leaf(salt, content) for salt, content in zip(salts, contents, strict=True)])
    proofs = [proof(index, count, salt, way) for index, (salt, way) in enumerate(zip(salts, ways, strict=True))]
    return contents, proofs, count.to_bytes(2, "big") + root


@pytest.mark.parametrize("count", range(1, len(ROOTS) + 1))
def test_roots_are_those_of_certificate_transparency(count: int) -> None:
    """
    The known answers of the reference implementation, whose leaves have no salt.
    """
    assert ROOTS[count - 1] == grow([leaf(b"", content) for content in LEAVES[:count]])[0].hex()


@given(COUNTS)
def test_the_shape_is_that_of_the_rfc(count: int) -> None:
    """
    For any count, level by level gives what the recursion of the RFC gives.
    """
    leaves = [sha256(number.to_bytes(2, "big")).digest() for number in range(count)]

    assert by_the_rfc(leaves) == grow(leaves)[0]


@given(COUNTS)
def test_each_record_leads_to_the_root_by_itself(count: int) -> None:
    """
    From its content and its proof alone.
    """
    contents, proofs, reached = batch(count)

    assert {reached} == {climb(given, content) for given, content in zip(proofs, contents, strict=True)}


def test_the_largest_batch() -> None:
    """
    Has proofs of 404 bytes, as docs/wire.md says; one more record is no batch.
    """
    contents, proofs, reached = batch(MOST)

    assert {404} == {len(each) for each in proofs}
    assert reached == climb(proofs[-1], contents[-1])
    assert climb(proofs[0][:2] + (MOST + 1).to_bytes(2, "big") + proofs[0][4:] + bytes(HASH_BYTES), contents[0]) is None


@given(count=st.integers(FEWEST, 17), data=st.data())
def test_no_other_place_leads_to_the_root(count: int, data: st.DataObject) -> None:
    """
    The same hashes under any other index or count are no proof, or lead elsewhere.
    """
    contents, proofs, reached = batch(count)
    place = data.draw(st.integers(0, count - 1))
    head = data.draw(st.tuples(st.integers(0, 20), st.integers(0, 20)).filter(lambda each: each != (place, count)))
    moved = head[0].to_bytes(2, "big") + head[1].to_bytes(2, "big") + proofs[place][4:]

    assert reached != climb(moved, contents[place])


@given(count=st.integers(FEWEST, 17), data=st.data())
def test_a_proof_has_one_length(count: int, data: st.DataObject) -> None:
    """
    One byte less or more, or a hash less or more, is no proof: not even where what is left over is never looked at.
    """
    contents, proofs, _ = batch(count)
    place = data.draw(st.integers(0, count - 1))
    given = proofs[place]
    wrong = data.draw(st.sampled_from([given[:-1], given + b"\0", given[:-HASH_BYTES], given + given[-HASH_BYTES:]]))

    assert climb(wrong, contents[place]) is None


@pytest.mark.parametrize(
    "head", ["", "00", "0000", "000000", "00000000", "00000001", "00010001", "00020002", "ffff0002", "0000ffff", "00001001"]
)
@pytest.mark.parametrize("rest", [0, SALT_BYTES, SALT_BYTES + HASH_BYTES])
def test_what_names_no_place_is_no_proof(head: str, rest: int) -> None:
    """
    No index, none below its count, a record alone, none at all, more than there may be.
    """
    assert climb(bytes.fromhex(head) + bytes(rest), b"content") is None


@given(st.binary(max_size=120), st.binary(max_size=8))
def test_any_bytes_are_a_proof_or_none(given: bytes, content: bytes) -> None:
    """
    Nothing is raised, whatever a header holds.
    """
    assert climb(given, content) is None or len(given) >= 4 + SALT_BYTES + HASH_BYTES


@pytest.mark.parametrize("mark", [b"", b"\1"])
def test_a_node_is_no_leaf(mark: bytes) -> None:
    """
    What a node is hashed from, given as the content of a leaf in a smaller tree, does not lead to the same root.
    """
    contents, proofs, reached = batch(4)
    first, second = (leaf(proofs[place][4 : 4 + SALT_BYTES], contents[place]) for place in (0, 1))
    below, right = mark + first + second, proofs[0][-HASH_BYTES:]
    forged = climb(proof(0, 2, below[:SALT_BYTES], [right]), below[SALT_BYTES:])

    assert forged is not None
    assert reached[2:] != forged[2:]
    assert reached[2:] == sha256(b"\1" + sha256(b"\1" + first + second).digest() + right).digest()
