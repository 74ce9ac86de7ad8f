"""
Digests by a key: of many that begin alike, each is the one that it would be by itself.
"""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from boutre.processors.digests import KEY_BYTES, digest, digests

KEYS = st.binary(min_size=1, max_size=KEY_BYTES + 6)


@given(KEYS, st.binary(max_size=200), st.lists(st.binary(max_size=200), max_size=5))
def test_what_begins_alike_is_hashed_as_by_itself(key: bytes, beginning: bytes, ends: list[bytes]) -> None:
    """
    However long the beginning is, of a block of the hash or of several.
    """
    assert tuple(digest(key, beginning + end) for end in ends) == digests(key, beginning, ends)
