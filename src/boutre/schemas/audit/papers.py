"""
Proofs as files, in the forms that other tools read: that an entry is in a log, and that a log only grew.

``Inclusion`` is C2SP tlog-proof; what opens the entry travels in its line ``extra``. ``Extension`` is the request of C2SP
tlog-witness: the size that the witness saw last, the proof from there, and the checkpoint.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Self

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from boutre.schemas.audit import entry, tree
from boutre.schemas.audit.checkpoint import Checkpoint, Note, NotProved, from_base64, opened
from boutre.schemas.merkle import HASH_BYTES

HEAD: Final = "c2sp.org/tlog-proof@v1"
_NUMBER: Final = "(0|[1-9][0-9]{0,18})"
_HASHES: Final = r"((?:[A-Za-z0-9+/]{43}=\n)*)"
_INCLUSION: Final = re.compile(rf"{re.escape(HEAD)}\n(?:extra ([A-Za-z0-9+/=]+)\n)?index {_NUMBER}\n{_HASHES}\n(.+)", re.DOTALL)
_GROWTH: Final = re.compile(rf"old {_NUMBER}\n{_HASHES}\n(.+)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Opening:
    """
    What opens one entry: the log that it stands in, its salt, and the content that it commits to; see ``entry.py``.
    """

    log: str
    salt: bytes
    content: bytes

    def entry(self) -> bytes:
        """Give the entry that these make."""
        return entry.committed(self.log, self.salt, self.content)

    def write(self) -> str:
        """Write it as one line of JSON; a release stands in it as it is, the frame of a receipt in base64."""
        told = {"content": base64.b64encode(self.content).decode(), "log": self.log, "salt": self.salt.hex()}
        return json.dumps(told, sort_keys=True)

    @classmethod
    def read(cls, text: bytes) -> Self:
        """Read it; raises NotProved."""
        try:
            told = json.loads(text)
            return cls(str(told["log"]), bytes.fromhex(told["salt"]), base64.b64decode(told["content"], validate=True))
        except (ValueError, TypeError, KeyError):
            raise NotProved("what should open the entry cannot be read") from None


@dataclass(frozen=True, slots=True)
class Inclusion:
    """
    That an entry stands at *place* of the log that *note* is a checkpoint of.
    """

    place: int
    hashes: tuple[bytes, ...]
    note: Note
    opening: Opening | None

    def write(self) -> str:
        """Write it as a file."""
        extra = "" if self.opening is None else f"extra {base64.b64encode(self.opening.write().encode()).decode()}\n"
        return f"{HEAD}\n{extra}index {self.place}\n{_lines(self.hashes)}\n{self.note.write()}"

    @classmethod
    def read(cls, content: str) -> Self:
        """Read a file; raises NotProved."""
        found = _INCLUSION.fullmatch(content)
        if found is None:
            raise NotProved(f"this is no proof that an entry is in a log: it does not read as {HEAD}")
        extra, index, hashes, note = found.groups()
        known = None if extra is None else from_base64(extra)
        if extra is not None and known is None:
            raise NotProved("what should open the entry cannot be read")
        return cls(int(index), _hashes(hashes), Note.read(note), None if known is None else Opening.read(known))

    def proved(self, keys: Iterable[Ed25519PublicKey]) -> Checkpoint:
        """Hold the proof against the bus's keys, and give the checkpoint; raises NotProved where it proves nothing."""
        checkpoint = opened(self.note, keys)
        if self.opening is None:
            raise NotProved("the proof holds nothing that opens the entry, so it is a proof of nothing that can be read")
        if self.opening.log != entry.log_of(checkpoint.origin):
            raise NotProved(f"the proof opens an entry of another log than {checkpoint.origin}")
        hashed = tree.leaf(self.opening.entry())
        if not tree.includes(hashed, self.place, checkpoint.size, self.hashes, checkpoint.root):
            raise NotProved(
                f"what the proof shows does not stand at {self.place} of the {checkpoint.size} entries that were signed"
            )
        return checkpoint


@dataclass(frozen=True, slots=True)
class Extension:
    """
    That the log of *note* begins with its first *old* entries as they were.
    """

    old: int
    hashes: tuple[bytes, ...]
    note: Note

    def write(self) -> str:
        """Write it as a file."""
        return f"old {self.old}\n{_lines(self.hashes)}\n{self.note.write()}"

    @classmethod
    def read(cls, content: str) -> Self:
        """Read a file; a checkpoint alone says nothing of an older one. Raises NotProved."""
        found = _GROWTH.fullmatch(content)
        if found is None:
            return cls(0, (), Note.read(content))
        old, hashes, note = found.groups()
        return cls(int(old), _hashes(hashes), Note.read(note))


def _lines(hashes: tuple[bytes, ...]) -> str:
    return "".join(base64.b64encode(one).decode() + "\n" for one in hashes)


def _hashes(lines: str) -> tuple[bytes, ...]:
    found = [from_base64(line) for line in lines.splitlines()]
    known = tuple(one for one in found if one is not None and len(one) == HASH_BYTES)
    if len(known) != len(found):
        raise NotProved("a hash of the proof is not the base64 of 32 bytes")
    return known
