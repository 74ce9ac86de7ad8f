"""
Identities of records and views.

A record's id is made from what its source calls it, never from its content: so the same report sent twice has the same id, and a
view's id can be made from it without telling its reader anything about what was withheld.
"""

from __future__ import annotations

import base64
import hashlib
import hmac

ID_BYTES = 20
"""160 bits: no two of 2**60 records meet by accident."""


def _text(digest: bytes) -> str:
    return base64.b32encode(digest[:ID_BYTES]).decode("ascii").lower()


def _joined(*parts: str) -> bytes:
    """Join *parts* so that no two lists of parts give the same bytes: each after its length."""
    return b"".join(len(encoded := part.encode()).to_bytes(4, "big") + encoded for part in parts)


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
    return _text(hashlib.sha256(b"boutre receipt\0" + _joined(record, recipient, view)).digest())


def pseudonym(key: bytes, identifier: str) -> str:
    """
    Give the name by which one recipient knows a record or a subject: an HMAC under that recipient's own key.

    Two recipients cannot join what they hold by it, and nobody can guess an identifier from it without the key.
    """
    return _text(hmac.digest(key, b"boutre pseudonym\0" + identifier.encode(), "sha256"))


def view_id(key: bytes, record: str, cut: bytes) -> str:
    """
    Give the id of a view: of the record and of what this recipient may see of it.

    It changes with what the recipient is given and with nothing else: a change of what is withheld leaves it as it is.
    """
    return _text(hmac.digest(key, b"boutre view\0" + _joined(record) + cut, "sha256"))
