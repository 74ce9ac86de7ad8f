"""
The keys of a bus, as files in one folder: who may sign, and by what each recipient's own names are made.

    members.toml               public keys: key id, member, key (base64 of 32 bytes), and which are revoked
    members/<member>.pem       a member's private key; on that member's machine only
    recipients/<recipient>.key 32 random bytes in hexadecimal; on the bus only
    state.key                  likewise: by it digests are made of what workers remember

``development`` makes what is missing, for a laptop and the demo; a real bus is given its members' public keys.
"""

from __future__ import annotations

import base64
import os
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from boutre.errors import DeclarationError, Fault
from boutre.schemas.signature import Keyring, key_id
from boutre.topics.strict import Declared, raise_all, read

RECIPIENT_KEY_BYTES = 32
MEMBERS = "members.toml"


class _Row(Declared):
    """One public key."""

    id: str
    member: str
    public: str
    revoked: bool = False


class _Listed(Declared):
    """The file of public keys."""

    key: tuple[_Row, ...] = ()


@dataclass(frozen=True, slots=True)
class KeyFolder:
    """
    A folder of keys; every method names the file that is missing or unreadable, and what makes it.
    """

    path: Path

    def development(self, members: Iterable[str], recipients: Iterable[str]) -> list[Path]:
        """Make every key that is missing, readable by its owner only; keys that exist stay. Gives the files made."""
        made = []
        for member in members:
            made += self._make(self._private(member), _new_private())
        for recipient in recipients:
            made += self._make(self._recipient(recipient), _new_secret())
        made += self._make(self._state, _new_secret())
        public = self.path / MEMBERS
        # Added to and never written anew: what stands there may be revoked, or another machine's.
        listed = {row.id for row in self._listed()} if public.is_file() else set()
        with public.open("a", encoding="utf-8") as file:
            for path in sorted((self.path / "members").glob("*.pem")):
                key = self.private(path.stem).public_key()
                if key_id(key) not in listed:
                    file.write(_entry(path.stem, key))
        return made

    def private(self, member: str) -> Ed25519PrivateKey:
        """Give the private key with which a member's connectors sign."""
        path = self._private(member)
        try:
            key = load_pem_private_key(path.read_bytes(), None)
        except FileNotFoundError:
            raise _missing(path) from None
        except (ValueError, TypeError):
            raise DeclarationError([Fault(str(path), "", "is no private key in PEM without a password")]) from None
        if not isinstance(key, Ed25519PrivateKey):
            raise DeclarationError([Fault(str(path), "", "is not an Ed25519 key")])
        return key

    def recipient(self, recipient: str) -> bytes:
        """Give the key of a recipient's own names."""
        return self._secret(self._recipient(recipient))

    def state(self) -> bytes:
        """
        Give the key by which digests are made of what workers remember; all workers of a bus have the same.

        With another key no repeat of an earlier report is known any more, and nothing else is lost.
        """
        return self._secret(self._state)

    def _secret(self, path: Path) -> bytes:
        try:
            key = bytes.fromhex(path.read_text(encoding="ascii").strip())
        except FileNotFoundError:
            raise _missing(path) from None
        except ValueError:
            raise DeclarationError([Fault(str(path), "", "is not hexadecimal")]) from None
        if len(key) < RECIPIENT_KEY_BYTES:
            raise DeclarationError([Fault(str(path), "", f"has less than {RECIPIENT_KEY_BYTES} bytes")])
        return key

    def keyring(self) -> Keyring:
        """Read the members' public keys."""
        path = self.path / MEMBERS
        faults: list[Fault] = []
        keys: dict[str, tuple[str, Ed25519PublicKey]] = {}
        revoked: set[str] = set()
        for number, row in enumerate(self._listed(), 1):
            public = _public(row.public)
            if public is None:
                faults.append(Fault(str(path), f"key[{row.id or number}].public", "is not the base64 of a key's 32 bytes"))
                continue
            if row.id != key_id(public):
                faults.append(Fault(str(path), f"key[{row.id}].id", f"is not the id of this key, which is {key_id(public)}"))
            if row.id in keys:
                faults.append(Fault(str(path), f"key[{row.id}]", "is there twice; a key belongs to one member"))
            keys[row.id] = (row.member, public)
            if row.revoked:
                revoked.add(row.id)
        raise_all(faults)
        return Keyring(keys, frozenset(revoked))

    def _listed(self) -> tuple[_Row, ...]:
        """Read the list of public keys strictly: a misspelt ``revoked`` must not leave a key in force."""
        path = self.path / MEMBERS
        if not path.is_file():
            raise _missing(path)
        faults: list[Fault] = []
        listed = read(path, _Listed, faults)
        raise_all(faults)
        return listed.key if listed is not None else ()

    @property
    def _state(self) -> Path:
        return self.path / "state.key"

    def _private(self, member: str) -> Path:
        return self.path / "members" / f"{member}.pem"

    def _recipient(self, recipient: str) -> Path:
        return self.path / "recipients" / f"{recipient}.key"

    @staticmethod
    def _make(path: Path, content: bytes) -> list[Path]:
        if path.exists():
            return []
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        return [path]


def _new_secret() -> bytes:
    return (secrets.token_hex(RECIPIENT_KEY_BYTES) + "\n").encode()


def _new_private() -> bytes:
    return Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _public(text: str) -> Ed25519PublicKey | None:
    try:
        return Ed25519PublicKey.from_public_bytes(base64.b64decode(text, validate=True))
    except ValueError:
        return None


def _entry(member: str, public: Ed25519PublicKey) -> str:
    raw = base64.b64encode(public.public_bytes(Encoding.Raw, PublicFormat.Raw)).decode()
    return f'[[key]]\nid = "{key_id(public)}"\nmember = "{member}"\npublic = "{raw}"\nrevoked = false\n\n'


def _missing(path: Path) -> DeclarationError:
    return DeclarationError([Fault(str(path), "", "does not exist; for development, boutre keys dev makes it")])
