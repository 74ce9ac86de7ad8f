"""
The keys of a bus, as files in one folder: who may sign, and by what each recipient's own names are made.

    members.toml               public keys: key id, member, key (base64 of 32 bytes), and which are revoked
    members/<member>.pem       a member's private key; on that member's machine only
    recipients/<recipient>.key 32 random bytes in hexadecimal; on the bus only

``development`` makes what is missing, for a laptop and the demo; a real bus is given its members' public keys.
"""

from __future__ import annotations

import base64
import os
import secrets
import tomllib
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

RECIPIENT_KEY_BYTES = 32


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
            made += self._make(self._recipient(recipient), (secrets.token_hex(RECIPIENT_KEY_BYTES) + "\n").encode())
        public = self.path / "members.toml"
        known = sorted(path.stem for path in (self.path / "members").glob("*.pem"))
        public.write_text("".join(_entry(member, self.private(member).public_key()) for member in known), encoding="utf-8")
        return made

    def private(self, member: str) -> Ed25519PrivateKey:
        """Give the private key with which a member's connectors sign."""
        path = self._private(member)
        try:
            key = load_pem_private_key(path.read_bytes(), None)
        except FileNotFoundError:
            raise _missing(path) from None
        except ValueError:
            raise DeclarationError([Fault(str(path), "", "is no private key in PEM")]) from None
        if not isinstance(key, Ed25519PrivateKey):
            raise DeclarationError([Fault(str(path), "", "is not an Ed25519 key")])
        return key

    def recipient(self, recipient: str) -> bytes:
        """Give the key of a recipient's own names."""
        path = self._recipient(recipient)
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
        path = self.path / "members.toml"
        if not path.is_file():
            raise _missing(path)
        keys: dict[str, tuple[str, Ed25519PublicKey]] = {}
        revoked: set[str] = set()
        faults: list[Fault] = []
        for number, row in enumerate(tomllib.loads(path.read_text(encoding="utf-8")).get("key", [])):
            try:
                public = Ed25519PublicKey.from_public_bytes(base64.b64decode(row["public"], validate=True))
                named, member = str(row["id"]), str(row["member"])
            except (KeyError, ValueError) as error:
                faults.append(Fault(str(path), f"key[{number}]", f"needs id, member and public ({type(error).__name__})"))
                continue
            if named != key_id(public):
                faults.append(Fault(str(path), f"key[{number}].id", "is not the id of this key"))
            keys[named] = (member, public)
            if row.get("revoked"):
                revoked.add(named)
        if faults:
            raise DeclarationError(faults)
        return Keyring(keys, frozenset(revoked))

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


def _new_private() -> bytes:
    return Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _entry(member: str, public: Ed25519PublicKey) -> str:
    raw = base64.b64encode(public.public_bytes(Encoding.Raw, PublicFormat.Raw)).decode()
    return f'[[key]]\nid = "{key_id(public)}"\nmember = "{member}"\npublic = "{raw}"\nrevoked = false\n\n'


def _missing(path: Path) -> DeclarationError:
    return DeclarationError([Fault(str(path), "", "does not exist; for development, boutre keys dev makes it")])
