"""
Digests in the place of what is remembered, by a secret key of the bus.

What workers remember lies on their disks and in changelogs. A bare digest of a ship's name, a place or a whole report could be
undone by whoever has a list of names and some patience; without the key it cannot. Only digests by one key can be compared.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Final

KEY_BYTES: Final = 64
"""The most that BLAKE2b takes of a key."""


def digest(key: bytes, content: bytes, size: int = 12) -> str:
    """
    Give *size* bytes, in hexadecimal, that stand for *content* to whoever has *key*.
    """
    return hashlib.blake2b(content, key=key[:KEY_BYTES], digest_size=size).hexdigest()


def digests(key: bytes, beginning: bytes, ends: Iterable[bytes], size: int = 12) -> tuple[str, ...]:
    """
    Give the digest of *beginning* with each of *ends* behind it; what they have in common is hashed once.
    """
    begun = hashlib.blake2b(beginning, key=key[:KEY_BYTES], digest_size=size)
    made = []
    for end in ends:
        one = begun.copy()
        one.update(end)
        made.append(one.hexdigest())
    return tuple(made)


def named_digest(key: bytes, content: bytes, size: int = 16) -> str:
    """
    Give a digest with a mark of its key before it, so that it can be told whether two are comparable at all.
    """
    return f"{digest(key, b'key', 2)}.{digest(key, content, size)}"


def differ(one: str, other: str) -> bool:
    """
    Say whether two digests with marks are known to stand for different contents: by different keys they may well be the same.
    """
    return one != other and one.partition(".")[0] == other.partition(".")[0]
