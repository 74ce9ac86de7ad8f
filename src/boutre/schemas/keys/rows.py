"""
Rows of the lists of public keys: as they are declared, and as they are written.
"""

from __future__ import annotations

import base64
import re
from datetime import date
from typing import Literal, TypeAlias

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from pydantic import Field, model_validator

from boutre.schemas.sealing.suites import SealingKey
from boutre.schemas.signature import key_id
from boutre.topics.strict import Declared

ID = r"^[0-9a-f]{16}$"


class MemberRow(Declared):
    """
    A public key of a member.
    """

    id: str
    member: str
    public: str
    revoked: bool = False

    @property
    def text(self) -> str:
        """The row as it stands in the list."""
        return _text(id=self.id, member=self.member, public=self.public, revoked=self.revoked)


class BusRow(Declared):
    """
    A public key of the bus. One that is revoked may be named by its id alone.
    """

    id: str = Field(pattern=ID)
    public: str | None = None
    revoked: bool = False

    @model_validator(mode="after")
    def _there(self) -> BusRow:
        if self.public is None and not self.revoked:
            message = "public is missing, and the key is not revoked"
            raise ValueError(message)
        return self

    @property
    def text(self) -> str:
        """The row as it stands in the list."""
        return _text(id=self.id, public=self.public, revoked=self.revoked)


class RecipientRow(Declared):
    """
    A public key for which views of a recipient are sealed, for records accepted from *from* (UTC) up to the day before *until*.
    """

    id: str
    recipient: str
    suite: Literal["X25519", "MLKEM768-X25519"]
    public: str
    from_: date = Field(alias="from")
    until: date
    revoked: bool = False

    @model_validator(mode="after")
    def _in_order(self) -> RecipientRow:
        if self.until <= self.from_:
            message = "until lies before from, or on the same day"
            raise ValueError(message)
        return self

    @property
    def text(self) -> str:
        """The row as it stands in the list."""
        days = {"from": self.from_, "until": self.until}
        return _text(id=self.id, recipient=self.recipient, suite=self.suite, public=self.public, **days, revoked=self.revoked)


Row: TypeAlias = MemberRow | BusRow | RecipientRow


def member_row(member: str, public: Ed25519PublicKey) -> MemberRow:
    """
    Make the row of a member's key.
    """
    return MemberRow(id=key_id(public), member=member, public=_raw(public))


def bus_row(public: Ed25519PublicKey) -> BusRow:
    """
    Make the row of a key of the bus.
    """
    return BusRow(id=key_id(public), public=_raw(public))


def recipient_row(recipient: str, suite: str, public: bytes, begins: date, ends: date) -> RecipientRow:
    """
    Make the row of a recipient's key.
    """
    key = SealingKey.of(suite, public)
    told = {"id": key.id, "recipient": recipient, "suite": suite, "public": base64.b64encode(public).decode()}
    return RecipientRow.model_validate({**told, "from": begins, "until": ends})


def revoked(text: str, identifier: str) -> str:
    """
    Give the text of a list in which the row of this id is revoked; all else stays as somebody wrote it.
    """
    head, *blocks = re.split(r"(?m)^(?=[ \t]*\[\[)", text)
    named = re.compile(rf"""(?m)^[ \t]*id[ \t]*=[ \t]*(["']){re.escape(identifier)}\1""")
    said = re.compile(r"(?m)^([ \t]*revoked[ \t]*=[ \t]*)false\b")
    told = []
    for block in blocks:
        if named.search(block) and not re.search(r"(?m)^[ \t]*revoked[ \t]*=[ \t]*true\b", block):
            changed, times = said.subn(r"\g<1>true", block)
            told.append(changed if times else named.sub(r"\g<0>" + "\nrevoked = true", block))
        else:
            told.append(block)
    return "".join((head, *told))


def _raw(public: Ed25519PublicKey) -> str:
    return base64.b64encode(public.public_bytes_raw()).decode()


def _text(**values: str | date | bool | None) -> str:
    lines = []
    for name, value in values.items():
        if value is not None:
            said = str(value).lower() if isinstance(value, bool) else value.isoformat() if isinstance(value, date) else f'"{value}"'
            lines.append(f"{name} = {said}\n")
    return "[[key]]\n" + "".join(lines) + "\n"
