"""
What an entry of an audit log is: a salted commitment over a receipt, 32 bytes that tell nobody anything.

Every receipt becomes an entry of the bus's own log, which commits to the whole frame. A delivery becomes one more, of its
recipient's log; that commits to a ``Release``, which holds what this recipient may know of it and no more. So a recipient's log
grows by its own deliveries alone, and what opens an entry of the one opens none of the other.

A commitment is SHA-256 over a context, a salt and the content. The salt is an HMAC, under a key of the operators, of 16 random
bytes that are kept beside the entry. Neither the key nor the store alone lets anybody try out what an entry says; once those
16 bytes are deleted nobody can open the entry again, whoever keeps the key, and the tree stays whole.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final, Self

BUS: Final = "bus"
"""The name of the bus's own log; the others are called as their recipients, of which none is called so."""

ORIGIN: Final = "boutre.audit"
NONCE_BYTES: Final = 16
DELIVERED: Final = "delivered"

_RECEIPT: Final = b"boutre audit receipt 1\0"
_RELEASE: Final = b"boutre audit release 1\0"
_SALT: Final = b"boutre audit salt 1\0"
_KEY: Final = b"boutre audit key 1\0"


@dataclass(frozen=True, slots=True)
class Release:
    """
    One delivery as its recipient may know it: all of it stands in the view too, but for the commitment, which tells nothing.

    Left out on purpose: the record, its member, the time of acceptance and the receipt's id, which is made of the record's.
    *commitment* is the receipt's, 32 bytes in hexadecimal, under the recipient's own key.
    """

    recipient: str
    kind: str
    topic: str
    view: str
    policy: str
    agreements: tuple[str, ...]
    commitment: str

    @classmethod
    def of(cls, receipt: Mapping[str, Any]) -> Self | None:
        """Give the delivery that a receipt speaks of; None where it speaks of none."""
        if receipt["outcome"] != DELIVERED:
            return None
        return cls(
            receipt["recipient"],
            receipt["kind"],
            receipt["topic"] or "",
            receipt["view"] or "",
            receipt["policy"],
            tuple(receipt["agreements"]),
            (receipt["commitment"] or b"").hex(),
        )

    def content(self) -> bytes:
        """Write it as the one JSON that is committed to: keys in the order of the alphabet, no blanks, UTF-8."""
        told = {name: getattr(self, name) for name in self.__slots__}
        return json.dumps(told, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()


def origin(identity: str, log: str) -> str:
    """
    Name a log to the world: *identity* is that of the store, which is made anew whenever a store is begun.
    """
    return f"{ORIGIN}/{identity}/{log}"


def log_of(named: str) -> str:
    """
    Give the log that an origin names.
    """
    return named.rpartition("/")[2]


def salt(key: bytes, log: str, nonce: bytes, identifier: str) -> bytes:
    """
    Give the salt of an entry of *log*: 32 bytes that only the operators' *key* and the entry's own *nonce* make.
    """
    return hmac.digest(key, _SALT + log.encode() + b"\0" + nonce + identifier.encode(), "sha256")


def committed(log: str, own: bytes, content: bytes) -> bytes:
    """
    Give the entry of *log* over a *content*: a receipt's frame for the bus's own log, else a ``Release.content``.
    """
    return sha256((_RECEIPT if log == BUS else _RELEASE) + own + content).digest()


def fingerprint(key: bytes) -> str:
    """
    Give what a store keeps of the operators' key, so that another one is noticed before it salts anything.
    """
    return hmac.digest(key, _KEY, "sha256").hex()[:16]
