"""
Scopes: named operations inside which an agreement may give more, from when two people of two members said so until it ends.

``processors/scopes/<id>.toml`` declares what an operation is for, whose records it is about, from when to when; and it holds who
activated it. Two signatures are needed, of two members, over all that is declared: whoever changes a word of it needs both anew.
One member alone can end it. What is not active gives nothing: every doubt is a no.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydantic import AwareDatetime, Field, model_validator

from boutre.errors import Fault
from boutre.schemas.signature import Keyring, key_id
from boutre.topics.members import Id, Names
from boutre.topics.strict import Declared, file_name, read

CONTEXT: Final = b"boutre scope 1\0"
HANDS: Final = 2
"""Members that must activate a scope: no one State opens what others have to give."""


class Said(Declared):
    """
    That a member activated or ended a scope: who of its people, when, and the signature by its key (base64).
    """

    member: Id
    person: str = Field(min_length=1)
    at: AwareDatetime
    key: str
    signature: str


class Scope(Declared):
    """
    One operation. *members* are those whose records it is about; it holds from *start* until *end*.
    """

    id: Id
    title: Names
    reason: Names
    members: tuple[Id, ...] = Field(min_length=1)
    start: AwareDatetime
    end: AwareDatetime
    activated: tuple[Said, ...] = ()
    ended: tuple[Said, ...] = ()

    @model_validator(mode="after")
    def _in_order(self) -> Scope:
        if self.end <= self.start:
            message = "end lies after start"
            raise ValueError(message)
        return self

    def statement(self, word: str, said: Said) -> bytes:
        """Give the bytes that a member signs: the *word*, who says so and when, and all that is declared of the scope."""
        declared = self.model_dump(mode="json", exclude={"activated", "ended"})
        told = {"word": word, "person": said.person, "at": said.at.isoformat(), "member": said.member}
        return CONTEXT + json.dumps([declared, told], sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()

    def say(self, word: str, member: str, person: str, at: datetime, private: Ed25519PrivateKey) -> Said:
        """Sign that *person* of *member* activates or ends it (the *word* is ``activate`` or ``end``)."""
        moment = at.astimezone(UTC).replace(microsecond=0)
        blank = Said(member=member, person=person, at=moment, key=key_id(private.public_key()), signature="")
        signature = base64.b64encode(private.sign(self.statement(word, blank))).decode()
        return blank.model_copy(update={"signature": signature})

    def proved(self, word: str, said: Said, keyring: Keyring) -> bool:
        """Say whether *said* was signed by a key of its member that is not revoked, over what is declared now."""
        owner, public = keyring.keys.get(said.key, ("", None))
        if public is None or owner != said.member or said.key in keyring.revoked:
            return False
        try:
            public.verify(base64.b64decode(said.signature, validate=True), self.statement(word, said))
        except (InvalidSignature, binascii.Error, ValueError):
            return False
        return True

    def since(self, keyring: Keyring) -> datetime | None:
        """Give from when on it is active, or None where it is not: too few have activated it, or one has ended it."""
        if any(self.proved("end", said, keyring) for said in self.ended):
            return None
        first: dict[str, datetime] = {}
        for said in self.activated:
            if self.proved("activate", said, keyring):
                first[said.member] = min(said.at, first.get(said.member, said.at))
        if len(first) < HANDS:
            return None
        return max(self.start, sorted(first.values())[HANDS - 1])


@dataclass(frozen=True, slots=True)
class Term:
    """
    When a scope is active, and for whose records.
    """

    start: datetime
    end: datetime
    members: frozenset[str]


@dataclass(slots=True)
class Scopes:
    """
    The scopes that are active. They may change while a worker runs: what was ended gives nothing more, whenever it was accepted.
    """

    terms: Mapping[str, Term] = field(default_factory=dict)

    def active(self, name: str, accepted: datetime, member: str | None) -> bool:
        """Say whether a scope holds for a record of *member* that was accepted then."""
        term = self.terms.get(name)
        return term is not None and member in term.members and term.start <= accepted < term.end

    def replace(self, scopes: Sequence[Scope], keyring: Keyring) -> None:
        """Take what these declare for what holds now; a signature that does not fit activates nothing."""
        found = {scope.id: (scope, scope.since(keyring)) for scope in scopes}
        self.terms = {
            name: Term(since, scope.end, frozenset(scope.members)) for name, (scope, since) in found.items() if since is not None
        }


NO_SCOPES: Final = Scopes()


def read_scopes(folder: Path, faults: list[Fault], members: frozenset[str] | None = None) -> tuple[Scope, ...]:
    """
    Read ``*.toml`` of *folder*, where there is one; what is wrong is added to *faults*, and what is right is returned.
    """
    found: dict[str, Scope] = {}
    for path in sorted(folder.glob("*.toml")):
        scope = read(path, Scope, faults)
        if scope is None:
            continue
        file = file_name(path)
        if scope.id != path.stem:
            faults.append(Fault(file, "id", f"is {scope.id!r}; the file of a scope is named for it"))
        named = {*scope.members, *(said.member for said in (*scope.activated, *scope.ended))}
        strange = sorted(named - members) if members is not None else ()
        faults.extend(Fault(file, "members", f"{name!r} is no member") for name in strange)
        found[scope.id] = scope
    return tuple(found.values())
