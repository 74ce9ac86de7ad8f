"""
Identities: the same for the same, never by accident, and made of nothing that a recipient may not know.
"""

from __future__ import annotations

import base64
import hmac
import re
from typing import TypeAlias

import pytest
from hypothesis import given
from hypothesis import strategies as st

from boutre.schemas import identity
from boutre.schemas.identity import place_id, pseudonym, receipt_id, record_id, view_id

TEXT = st.text(max_size=6)
Parts: TypeAlias = tuple[str, str, str, str, int]
PARTS = st.tuples(TEXT, TEXT, TEXT, TEXT, st.integers(0, 20))
SHAPE = re.compile(r"[a-z2-7]{32}")


@given(PARTS, PARTS)
def test_two_reports_have_one_id_only_if_they_are_one(one: Parts, other: Parts) -> None:
    """
    Of the same parts always the same, of others never: also where the parts run into one another.
    """
    assert (one == other) == (record_id(*one) == record_id(*other))
    assert SHAPE.fullmatch(record_id(*one))


@given(TEXT, TEXT, TEXT)
def test_what_is_written_together_is_not_one(a: str, b: str, c: str) -> None:
    """
    "ab" and "c" are not "a" and "bc".
    """
    assert (b == "") == (record_id(a + b, c, "", "") == record_id(a, b + c, "", ""))


def test_an_id_stays_what_it_is() -> None:
    """
    It is on the wire and in the recipients' archives: another way to make it would break every reference.
    """
    assert "yj2iqrwkcb5geg75ltav3fqd76ufjs5r" == record_id("comoros", "interception", "ops-room", "KM-1")


@given(st.binary(min_size=32, max_size=32), st.binary(min_size=32, max_size=32), TEXT, TEXT)
def test_a_pseudonym_is_one_recipients(key: bytes, other: bytes, name: str, second: str) -> None:
    """
    The same name for the same record, another for any other record, and another for any other recipient.
    """
    assert (key == other) == (pseudonym(key, name) == pseudonym(other, name))
    assert (name == second) == (pseudonym(key, name) == pseudonym(key, second))
    assert pseudonym(key, name) != name
    assert SHAPE.fullmatch(pseudonym(key, name))


@given(st.binary(min_size=32, max_size=32), TEXT, st.binary(max_size=20), st.binary(max_size=20))
def test_a_view_is_of_its_record_and_content(key: bytes, name: str, cut: bytes, other: bytes) -> None:
    """
    The id of a view changes with what it tells, and with nothing else.
    """
    assert (cut == other) == (view_id(key, name, cut) == view_id(key, name, other))
    assert view_id(key, name, cut) != pseudonym(key, name)


@given(st.binary(min_size=1, max_size=130), TEXT, st.binary(max_size=200))
def test_names_are_those_of_the_standard_library(key: bytes, name: str, cut: bytes) -> None:
    """
    An HMAC and base 32 are what ``hmac`` and ``base64`` make of the same, also of keys that are longer than a block of the hash.
    """
    encoded = name.encode()
    sized = len(encoded).to_bytes(4, "big") + encoded

    def text(digest: bytes) -> str:
        return base64.b32encode(digest[:20]).decode().lower()

    assert text(hmac.digest(key, b"boutre pseudonym\0" + encoded, "sha256")) == pseudonym(key, name)
    assert text(hmac.digest(key, b"boutre view\0" + sized + cut, "sha256")) == view_id(key, name, cut)


@pytest.mark.parametrize(
    "digest", [bytes(32), b"\xff" * 32, bytes(range(32)), b"\x80" + bytes(31), bytes(19) + b"\x01" + bytes(12)]
)
def test_every_bit_has_its_place_in_base_32(digest: bytes) -> None:
    """
    The least, the greatest and single bits are written as the standard library writes them.
    """
    assert base64.b32encode(digest[:20]).decode().lower() == identity._text(digest)


@given(TEXT, TEXT, TEXT, st.integers(0, 9), st.integers(0, 9))
def test_places_and_receipts_have_ids_of_their_own(a: str, b: str, c: str, partition: int, offset: int) -> None:
    """
    No id of one sort is one of another, whatever they are made of.
    """
    made = {record_id(a, b, c, ""), receipt_id(a, b, c), place_id(a, partition, offset), place_id(a, partition, offset + 1)}

    assert 4 == len(made)
