"""
Personal groups of a view: told from the rest, and encrypted under the key of their record.

The groups are those of ``boutre.schemas.cases``. What of them is declared open stays; the rest is one JSON text, encrypted by
AES-256-GCM with a nonce of its own. Associated data: ``boutre migration personal 1`` and a zero byte, then recipient, record and
view, each behind its length (2 bytes): a row that is put beside another view does not open.

A group that another sealed is encrypted once more, whole: its own key may last longer than the record's.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from boutre.connectors.sinks.migration.record_keys import Key, Name
from boutre.schemas.cases import OPEN, PERSONAL
from boutre.schemas.sealing.binding import bound

ALGORITHM: Final = "aes-256-gcm"
CONTEXT: Final = b"boutre migration personal 1\0"
NONCE_BYTES: Final = 12
MARK: Final = "encrypted"
"""Stands in the document beside what is open of a group whose rest is encrypted."""

_UNSEALED: Final[frozenset[str]] = frozenset()


class Divided(NamedTuple):
    """
    A document in two: *shown* may stand in plain, *closed* are the personal groups that are known, whole.
    """

    shown: dict[str, Any]
    closed: dict[str, Any]


class Encrypted(NamedTuple):
    """
    The personal groups of one view as the database holds them.
    """

    algorithm: str
    key_id: str
    nonce: bytes
    ciphertext: bytes


def divide(document: Mapping[str, Any]) -> Divided:
    """
    Tell the personal groups of a *document* (what ``plain`` gives) from the rest; what is unknown or withheld stays as it is.
    """
    closed = {name: group for name in PERSONAL if (group := document.get(name)) is not None and not _is("withheld", group)}
    return Divided({**document, **{name: _open_part(name, group) for name, group in closed.items()}}, closed)


def encrypt(key: Key, name: Name, view: str, closed: Mapping[str, Any]) -> Encrypted:
    """
    Encrypt the personal groups of *view*, a view of the record *name*.
    """
    nonce = secrets.token_bytes(NONCE_BYTES)
    text = json.dumps(closed, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
    return Encrypted(ALGORITHM, key.id, nonce, AESGCM(key.secret).encrypt(nonce, text, bound(CONTEXT, *name, view)))


def decrypt(key: Key, name: Name, view: str, row: Encrypted) -> dict[str, Any] | None:
    """
    Give the personal groups of *view*; None where the row is of another key, record or view, or was changed.
    """
    if (row.algorithm, row.key_id) != (ALGORITHM, key.id):
        return None
    try:
        groups: dict[str, Any] = json.loads(AESGCM(key.secret).decrypt(row.nonce, row.ciphertext, bound(CONTEXT, *name, view)))
    except (InvalidTag, ValueError):
        return None
    return groups


def _open_part(name: str, group: Any) -> dict[str, Any]:
    if not isinstance(group, Mapping) or _is("sealed", group):
        return {MARK: True}
    fields = OPEN.get(name, _UNSEALED)
    return {**{field: value for field, value in group.items() if field in fields}, MARK: True}


def _is(mark: str, group: Any) -> bool:
    return isinstance(group, Mapping) and set(group) == {mark}
