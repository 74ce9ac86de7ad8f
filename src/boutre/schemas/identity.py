"""
Identities of records and views.

A record's id is made from what its source calls it, never from its content: so the same report sent twice has the same id, and a
view's id can be made from it without telling its reader anything about what was withheld.

Release makes some twenty for each record. So what stands before every message of one key is hashed once for each key, and base 32
is written by the arithmetic of one large number, in half the time of ``base64.b32encode`` or less.
"""

from __future__ import annotations

import hashlib
import unicodedata
from functools import lru_cache
from typing import Final, Protocol

ID_BYTES: Final = 20
"""160 bits: no two of 2**60 records meet by accident."""

ID_LETTERS: Final = 32
"""Characters of an id: five bits each."""

ALPHABET: Final = b"abcdefghijklmnopqrstuvwxyz234567"
"""Base 32 of RFC 4648, in lower case."""

KEYS: Final = 256
"""Keys of which the beginning is held ready: more recipients than a region has, twice over."""

BLOCK: Final = 64
"""Bytes that SHA-256 takes at a time."""


def _spreads() -> tuple[tuple[int, int], ...]:
    """For each halving of 160 bits: the bits that move up, and by what factor, until each five bits have a byte of their own."""
    found = []
    for lanes in (1, 2, 4, 8, 16):
        bits, room = ID_BYTES * 8 // lanes // 2, ID_LETTERS * 8 // lanes
        upper = sum(((1 << bits) - 1) << (room * lane + bits) for lane in range(lanes))
        found.append((upper, (1 << (room // 2 - bits)) - 1))
    return tuple(found)


(_M1, _F1), (_M2, _F2), (_M3, _F3), (_M4, _F4), (_M5, _F5) = _spreads()
_LETTERS: Final = ALPHABET.ljust(256, b"\0")


def _text(digest: bytes) -> str:
    number = int.from_bytes(digest[:ID_BYTES], "big")
    # The upper half of each lane moves to the middle of the room that it will have; five times, until each has five bits.
    number += (number & _M1) * _F1
    number += (number & _M2) * _F2
    number += (number & _M3) * _F3
    number += (number & _M4) * _F4
    number += (number & _M5) * _F5
    return number.to_bytes(ID_LETTERS, "big").translate(_LETTERS).decode("ascii")


def _sized(part: str) -> bytes:
    encoded = part.encode()
    return len(encoded).to_bytes(4, "big") + encoded


def _joined(*parts: str) -> bytes:
    """Join *parts* so that no two lists of parts give the same bytes: each after its length."""
    return b"".join(map(_sized, parts))


class _Hash(Protocol):
    """What is used of a hash."""

    def copy(self) -> _Hash: ...
    def update(self, data: bytes, /) -> None: ...
    def digest(self) -> bytes: ...


@lru_cache(maxsize=KEYS * 2)
def _keyed(key: bytes, beginning: bytes) -> tuple[_Hash, _Hash]:
    """Begin an HMAC (RFC 2104, SHA-256) of messages that begin alike: the inner hash and the outer one, to be copied."""
    block = (hashlib.sha256(key).digest() if len(key) > BLOCK else key).ljust(BLOCK, b"\0")
    inner, outer = (hashlib.sha256(bytes(byte ^ pad for byte in block)) for pad in (0x36, 0x5C))
    inner.update(beginning)
    return inner, outer


def _hmac(key: bytes, beginning: bytes, rest: bytes) -> bytes:
    """Give what ``hmac.digest`` gives of *beginning* and *rest*, without making the same key ready each time."""
    begun, ended = _keyed(key, beginning)
    inner, outer = begun.copy(), ended.copy()
    inner.update(rest)
    outer.update(inner.digest())
    return outer.digest()


def named(digest: bytes) -> str:
    """
    Write the first 160 bits of a digest as an id.
    """
    return _text(digest)


def record_id(member: str, kind: str, feed: str, reference: str, revision: int = 0) -> str:
    """
    Give the id of a report: 32 characters of base 32, the same whenever the same report is sent.
    """
    return _text(hashlib.sha256(b"boutre record\0" + _joined(member, kind, feed, reference, str(revision))).digest())


def place_id(topic: str, partition: int, offset: int) -> str:
    """
    Give the id of something whose own id could not be read: where it stood.
    """
    return _text(hashlib.sha256(b"boutre place\0" + _joined(topic, str(partition), str(offset))).digest())


def receipt_id(record: str, recipient: str, view: str) -> str:
    """
    Give the id of a receipt.
    """
    return _text(hashlib.sha256(b"boutre receipt\0" + _sized(record) + _end(recipient, view)).digest())


@lru_cache(maxsize=KEYS * 8)
def _end(recipient: str, view: str) -> bytes:
    # Declared names, a few for each recipient and kind.
    return _joined(recipient, view)


def pseudonym(key: bytes, identifier: str) -> str:
    """
    Give the name by which one recipient knows a record or a subject: an HMAC under that recipient's own key.

    Two recipients cannot join what they hold by it, and nobody can guess an identifier from it without the key.
    """
    return _text(_hmac(key, b"boutre pseudonym\0", identifier.encode()))


def alias(key: bytes, field: str, text: str) -> str:
    """
    Give one recipient's pseudonym of a *text* that stands in *field*: an HMAC under that recipient's own key.

    Texts that differ in case, in spaces or in the way Unicode writes them (NFKC) have one pseudonym: by it reports are joined that
    name the same ship or person. Of a text that is guessed nothing is learnt without the key, which only the bus has.
    """
    plain = " ".join(unicodedata.normalize("NFKC", text).casefold().split())
    return _text(_hmac(key, b"boutre alias\0", _joined(field, plain)))


def view_id(key: bytes, record: str, cut: bytes) -> str:
    """
    Give the id of a view: of the record and of what this recipient may see of it.

    It changes with what the recipient is given and with nothing else: a change of what is withheld leaves it as it is.
    """
    return _text(_hmac(key, b"boutre view\0", _sized(record) + cut))
