"""
A checkpoint: the size and root of a log at one time, signed by the bus and cosigned by whoever has seen that the log only grew.

It is the note of C2SP tlog-checkpoint, so that witnesses of other makes can read it: origin, size and root in base64, a line each;
an empty line; then a line for each signature. The bus signs by note signatures of Ed25519 (type 01), States by ``cosignature/v1``
of C2SP tlog-cosignature (type 04), which says when.

What is signed begins with an origin or with ``cosignature/v1`` and holds no control character but the line's end. Every other
signature of the bus and its members is over a context that ends in a zero byte: none passes for one of another kind.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final, Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from boutre.errors import BusError
from boutre.schemas.merkle import HASH_BYTES

LARGEST: Final = 65_536
"""Bytes of a note: hundreds of signatures."""

NOTE_TYPE: Final = 1
COSIGNATURE_TYPE: Final = 4

_DASH: Final = "\u2014 "
_KEY_ID_BYTES: Final = 4
_TIME_BYTES: Final = 8
_LINES: Final = 3
_SIZE: Final = re.compile(r"0|[1-9][0-9]{0,18}")
_NAME: Final = re.compile(r"[^\s+\x00-\x1f]+")
_CONTROL: Final = re.compile(r"[\x00-\x09\x0b-\x1f]")


class NotProved(BusError):  # noqa: N818 - named for what it says
    """
    What was handed in proves nothing; the message says why, in a sentence for whoever handed it in.
    """


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """
    The first *size* entries of the log *origin* have this *root*.
    """

    origin: str
    size: int
    root: bytes

    def text(self) -> str:
        """Write the three lines that are signed."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"

    @classmethod
    def read(cls, text: str) -> Self:
        """Read them strictly; raises NotProved. Lines of extensions are refused: our logs write none."""
        lines = text.split("\n")
        if len(lines) != _LINES + 1 or not _NAME.fullmatch(lines[0]) or not _SIZE.fullmatch(lines[1]):
            raise NotProved("this is no checkpoint: it has three lines, which are the log's name, its size and its root")
        root = from_base64(lines[2])
        if root is None or len(root) != HASH_BYTES:
            raise NotProved("this is no checkpoint: its third line is not the base64 of a root of 32 bytes")
        return cls(lines[0], int(lines[1]), root)


@dataclass(frozen=True, slots=True)
class Signature:
    """
    A line under a note: the name and id of a key, and what the key made.
    """

    name: str
    key_id: bytes
    made: bytes

    def line(self) -> str:
        """Write it."""
        return f"{_DASH}{self.name} {base64.b64encode(self.key_id + self.made).decode()}\n"


@dataclass(frozen=True, slots=True)
class Verifier:
    """
    A key that is known: *name*, the type of its signatures, and its public half.
    """

    name: str
    kind: int
    public: Ed25519PublicKey

    @property
    def key_id(self) -> bytes:
        """The four bytes by which a signature names its key."""
        return _key_id(self.name, self.kind, self.public)

    def line(self) -> str:
        """Write the key as other tools read it (a vkey of C2SP signed-note)."""
        told = base64.b64encode(bytes([self.kind]) + self.public.public_bytes_raw()).decode()
        return f"{self.name}+{self.key_id.hex()}+{told}"


@dataclass(frozen=True, slots=True)
class Note:
    """
    A text with signatures under it; nothing of it is to be believed before ``opened``.
    """

    text: str
    signatures: tuple[Signature, ...]

    def write(self) -> str:
        """Write it as a file."""
        return self.text + "\n" + "".join(signature.line() for signature in self.signatures)

    @classmethod
    def read(cls, content: str) -> Self:
        """Read a file strictly; raises NotProved."""
        text, gap, below = content.rpartition("\n\n")
        if len(content.encode()) > LARGEST or _CONTROL.search(content) or not gap or not below.endswith("\n"):
            raise NotProved("this is no signed note: a text, an empty line, and a line for each signature")
        return cls(text + "\n", tuple(_signature(line) for line in below.removesuffix("\n").split("\n")))

    def by(self, known: Iterable[Verifier]) -> Self:
        """Leave out the signatures of all others."""
        names = {(one.name, one.key_id) for one in known}
        return replace(self, signatures=tuple(one for one in self.signatures if (one.name, one.key_id) in names))

    def with_all(self, other: Self) -> Self:
        """Add the signatures of another note of the same text that are not here yet."""
        return replace(self, signatures=tuple(dict.fromkeys((*self.signatures, *other.signatures))))


def logs(origin: str, keys: Iterable[Ed25519PublicKey]) -> list[Verifier]:
    """
    Give the bus's *keys* as those of the log *origin*.
    """
    return [Verifier(origin, NOTE_TYPE, key) for key in keys]


def signed(checkpoint: Checkpoint, private: Ed25519PrivateKey) -> Note:
    """
    Sign a checkpoint as the log itself, whose key is called as the log.
    """
    text = checkpoint.text()
    known = Verifier(checkpoint.origin, NOTE_TYPE, private.public_key())
    return Note(text, (Signature(known.name, known.key_id, private.sign(text.encode())),))


def cosigned(note: Note, name: str, private: Ed25519PrivateKey, seconds: int) -> Signature:
    """
    Cosign a checkpoint as the witness *name*, at so many *seconds* since 1970 UTC.

    Only after ``witness.judge``: it says that no larger tree of this log was seen, and that this one begins with the last.
    """
    known = Verifier(name, COSIGNATURE_TYPE, private.public_key())
    made = private.sign(_cosignature(seconds, note.text))
    return Signature(name, known.key_id, seconds.to_bytes(_TIME_BYTES, "big") + made)


def opened(note: Note, keys: Iterable[Ed25519PublicKey]) -> Checkpoint:
    """
    Give the checkpoint that one of the bus's *keys* signed; raises NotProved where none did. Whose log it is its origin says.
    """
    checkpoint = Checkpoint.read(note.text)
    found = [_signed_by(note, known) for known in logs(checkpoint.origin, keys)]
    if not any(found):
        raise NotProved(f"the checkpoint of {checkpoint.origin} is not signed by a key of the bus that is in force")
    return checkpoint


def cosigned_at(note: Note, witness: Verifier) -> int | None:
    """
    Give when a *witness* cosigned, in seconds since 1970 UTC; None where it did not. Raises NotProved for a false signature.
    """
    found = _signed_by(note, witness)
    return None if found is None else int.from_bytes(found.made[:_TIME_BYTES], "big")


def from_base64(text: str) -> bytes | None:
    """
    Read base64 in the one form that every byte string has; None for anything else.
    """
    try:
        found = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    return found if base64.b64encode(found).decode() == text else None


def _signed_by(note: Note, known: Verifier) -> Signature | None:
    """Give the signature of a known key, None where there is none; a note with a false one is no note."""
    for signature in note.signatures:
        if signature.name != known.name or signature.key_id != known.key_id:
            continue
        if known.kind == COSIGNATURE_TYPE:
            seconds, made = int.from_bytes(signature.made[:_TIME_BYTES], "big"), signature.made[_TIME_BYTES:]
            message = _cosignature(seconds, note.text)
        else:
            made, message = signature.made, note.text.encode()
        try:
            known.public.verify(made, message)
        except InvalidSignature:
            raise NotProved(f"a signature of {known.name} under this note is false") from None
        return signature
    return None


def _cosignature(seconds: int, text: str) -> bytes:
    return f"cosignature/v1\ntime {seconds}\n{text}".encode()


def _key_id(name: str, kind: int, public: Ed25519PublicKey) -> bytes:
    return hashlib.sha256(name.encode() + b"\n" + bytes([kind]) + public.public_bytes_raw()).digest()[:_KEY_ID_BYTES]


def _signature(line: str) -> Signature:
    name, _, encoded = line.removeprefix(_DASH).partition(" ")
    made = from_base64(encoded)
    if not line.startswith(_DASH) or not _NAME.fullmatch(name) or made is None or len(made) <= _KEY_ID_BYTES:
        raise NotProved("this is no signed note: a line under it is no signature")
    return Signature(name, made[:_KEY_ID_BYTES], made[_KEY_ID_BYTES:])
