"""
The lists of public keys, read strictly, with all that is wrong in a list at once.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import TypeVar

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from boutre.errors import Fault
from boutre.schemas.keys.files import replace
from boutre.schemas.keys.rows import BusRow, MemberRow, RecipientRow, Row
from boutre.schemas.sealing.suites import SealingKey
from boutre.schemas.signature import Keyring, key_id
from boutre.schemas.view_signature import BusKeyring
from boutre.topics.strict import Declared, raise_all, read


class Members(Declared):
    """
    ``members.toml``.
    """

    key: tuple[MemberRow, ...] = ()


class BusKeys(Declared):
    """
    ``bus.toml``.
    """

    key: tuple[BusRow, ...] = ()


class Recipients(Declared):
    """
    ``recipients.toml``.
    """

    key: tuple[RecipientRow, ...] = ()


Listed = TypeVar("Listed", bound=Members | BusKeys | Recipients)


@dataclass(frozen=True, slots=True)
class SealingRow:
    """
    A recipient's public key and when it is in force.
    """

    recipient: str
    key: SealingKey
    begins: datetime
    ends: datetime
    revoked: bool


@dataclass(frozen=True, slots=True)
class SealingKeys:
    """
    All recipients' public keys by id.
    """

    rows: dict[str, SealingRow]

    def at(self, recipient: str, accepted: datetime) -> str | None:
        """
        Give the id of the key for which views of a record accepted then are sealed: of those in force the one that began last.

        None where there is none. Of two that began on one day the later in the list.
        """
        found: tuple[datetime, str] | None = None
        for identifier, row in self.rows.items():
            if row.recipient == recipient and not row.revoked and row.begins <= accepted < row.ends:
                found = (row.begins, identifier) if found is None or row.begins >= found[0] else found
        return None if found is None else found[1]

    def usable(self, identifier: str, recipient: str) -> SealingKey | None:
        """Give a key that is this recipient's and not revoked."""
        row = self.rows.get(identifier)
        return None if row is None or row.revoked or row.recipient != recipient else row.key


def rows_of(path: Path, model: type[Listed]) -> Listed:
    """
    Read a list strictly: a misspelt ``revoked`` must not leave a key in force. ``DeclarationError`` with all that is wrong.
    """
    faults: list[Fault] = []
    listed = read(path, model, faults)
    raise_all(faults)
    assert listed is not None  # else there were faults
    return listed


def keyring(path: Path, rows: Sequence[MemberRow]) -> Keyring:
    """
    Make the members' keys of their rows; ``DeclarationError`` with all that is wrong.
    """
    faults = list(_twice(path, rows, "a key belongs to one member"))
    keys = {}
    for number, row in enumerate(rows, 1):
        public = _signing(path, row, number, faults)
        if public is not None:
            keys[row.id] = (row.member, public)
    raise_all(faults)
    return Keyring(keys, frozenset(row.id for row in rows if row.revoked))


def bus_keyring(path: Path, rows: Sequence[BusRow]) -> BusKeyring:
    """
    Make the keys of the bus of their rows; ``DeclarationError`` with all that is wrong.
    """
    faults = list(_twice(path, rows, "a key stands once"))
    keys = {}
    for number, row in enumerate(rows, 1):
        public = None if row.public is None else _signing(path, row, number, faults)
        if public is not None:
            keys[row.id] = public
    raise_all(faults)
    return BusKeyring(keys, frozenset(row.id for row in rows if row.revoked))


def sealing_keys(path: Path, rows: Sequence[RecipientRow]) -> SealingKeys:
    """
    Make the recipients' keys of their rows; ``DeclarationError`` with all that is wrong.
    """
    faults = list(_twice(path, rows, "a key belongs to one recipient"))
    keys: dict[str, SealingRow] = {}
    for number, row in enumerate(rows, 1):
        named = f"key[{row.id or number}]"
        try:
            key = SealingKey.of(row.suite, base64.b64decode(row.public, validate=True))
        except ValueError:
            faults.append(Fault(str(path), f"{named}.public", f"is not the base64 of a public key of {row.suite}"))
            continue
        if row.id != key.id:
            faults.append(Fault(str(path), f"{named}.id", f"is not the id of this key, which is {key.id}"))
        keys[row.id] = SealingRow(row.recipient, key, _midnight(row.from_), _midnight(row.until), row.revoked)
    raise_all(faults)
    return SealingKeys(keys)


def append(path: Path, rows: Iterable[Row]) -> None:
    """
    Add rows to a list, which is written whole or not at all; what stands there stays as it is.
    """
    added = "".join(row.text for row in rows)
    if added or not path.exists():
        before = path.read_text(encoding="utf-8") if path.exists() else ""
        replace(path, before + ("\n" if before and not before.endswith("\n") else "") + added)


def _signing(path: Path, row: MemberRow | BusRow, number: int, faults: list[Fault]) -> Ed25519PublicKey | None:
    try:
        public = Ed25519PublicKey.from_public_bytes(base64.b64decode(row.public or "", validate=True))
    except ValueError:
        faults.append(Fault(str(path), f"key[{row.id or number}].public", "is not the base64 of a key's 32 bytes"))
        return None
    if row.id != key_id(public):
        faults.append(Fault(str(path), f"key[{row.id}].id", f"is not the id of this key, which is {key_id(public)}"))
    return public


def _twice(path: Path, rows: Sequence[Row], why: str) -> Iterable[Fault]:
    names = [row.id for row in rows]
    yield from (Fault(str(path), f"key[{one}]", f"is there twice; {why}") for one in dict.fromkeys(names) if names.count(one) > 1)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
