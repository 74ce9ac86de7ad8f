"""
Files of keys: made once and for their owner only, read strictly, never written over.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key

from boutre.errors import DeclarationError, Fault

SECRET_BYTES: Final = 32


def make(path: Path, content: bytes) -> bool:
    """
    Write a new file that its owner alone can read; says whether it was made. One that exists stays as it is.
    """
    _room(path.parent)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return False
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    return True


def replace(path: Path, text: str) -> None:
    """
    Put another text in the place of a list, whole or not at all.
    """
    _room(path.parent)
    other = path.with_name(f".{path.name}.{os.getpid()}")
    other.write_text(text, encoding="utf-8")
    other.replace(path)


def put_away(path: Path, name: str) -> Path:
    """
    Move a private key that was rotated to ``old/``, under *name*; ``DeclarationError`` where one of that name is there.
    """
    to = path.parents[0 if path.name == "bus.pem" else 1] / "old" / name
    _room(to.parent)
    try:
        os.link(path, to)
    except FileExistsError:
        raise DeclarationError([Fault(str(to), "", "is there already; no key is written over")]) from None
    path.unlink()
    return to


def new_secret() -> bytes:
    """
    Draw a secret, as its file has it.
    """
    return (secrets.token_hex(SECRET_BYTES) + "\n").encode()


def new_private() -> bytes:
    """
    Draw an Ed25519 key, as its file has it.
    """
    return Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def secret(path: Path) -> bytes:
    """
    Read a secret; ``DeclarationError`` names the file and what makes it.
    """
    try:
        key = bytes.fromhex(path.read_text(encoding="ascii").strip())
    except FileNotFoundError:
        raise missing(path) from None
    except ValueError:
        raise DeclarationError([Fault(str(path), "", "is not hexadecimal")]) from None
    if len(key) < SECRET_BYTES:
        raise DeclarationError([Fault(str(path), "", f"has less than {SECRET_BYTES} bytes")])
    return key


def signing_key(path: Path) -> Ed25519PrivateKey:
    """
    Read an Ed25519 key; ``DeclarationError`` names the file and what makes it.
    """
    try:
        key = load_pem_private_key(path.read_bytes(), None)
    except FileNotFoundError:
        raise missing(path) from None
    except (ValueError, TypeError):
        raise DeclarationError([Fault(str(path), "", "is no private key in PEM without a password")]) from None
    if not isinstance(key, Ed25519PrivateKey):
        raise DeclarationError([Fault(str(path), "", "is not an Ed25519 key")])
    return key


def _room(folder: Path) -> None:
    """Make a folder that its owner alone can enter, and those above it likewise, where they are not there."""
    for each in (*reversed(folder.parents), folder):
        if not each.exists():
            each.mkdir(mode=0o700, exist_ok=True)


def missing(path: Path, how: str = "for development, boutre keys dev makes it") -> DeclarationError:
    """
    Give the error for a file that is not there.
    """
    return DeclarationError([Fault(str(path), "", f"does not exist; {how}")])
