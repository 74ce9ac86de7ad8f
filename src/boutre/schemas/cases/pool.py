"""
The pool: the public halves of case keys, as a connector uses them up, one for each record that names people.

The file that the bus hands over is text: ``boutre case keys 1 <member>``, then a key a line, its id and its 32 bytes in base64.
How far it is used stands beside it (``.next``) and is written ahead, a block of keys at a time: after a crash some keys are left
unused, and none is used twice. More keys are added at the end of the same file.
"""

from __future__ import annotations

import base64
import binascii
import threading
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey

from boutre.durable import replace
from boutre.errors import DeclarationError, Fault, Unavailable
from boutre.locks import held
from boutre.schemas.cases.vault import Issued, Vault
from boutre.schemas.sealing.suites import CLASSIC, OpeningKey, SealingKey

HEAD: Final = "boutre case keys 1 "
BLOCK: Final = 64
"""How many keys are taken together: so many at the most are left unused by a crash."""

PATIENCE_S: Final = 10.0
"""Seconds that a connector waits for another one to take its keys."""


class CaseKeys(Protocol):
    """
    Where a connector has its case keys from.
    """

    def take(self) -> SealingKey:
        """Give a key that no other record has; raises Unavailable where there is none."""


def written(member: str, keys: list[Issued], *, head: bool = True) -> str:
    """
    Give a pool as its file has it.
    """
    lines = [f"{one.id} {base64.b64encode(one.public).decode()}" for one in keys]
    return "\n".join([*([HEAD + member] if head else []), *lines, ""])


@dataclass(slots=True)
class FilePool:
    """
    The pool of *member* in a file that the bus handed over.
    """

    path: Path
    member: str
    _block: deque[SealingKey] = field(default_factory=deque, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def take(self) -> SealingKey:
        """Give the next key; raises Unavailable where all are used, DeclarationError where the file is no pool of this member."""
        with self._lock:
            if not self._block:
                try:
                    with held(self._beside(".lock"), f"another connector holds {self.path}; stop it, or try again", PATIENCE_S):
                        self._block.extend(self._reserved())
                except OSError as failure:
                    message = f"how far {self.path} is used cannot be written beside it: {type(failure).__name__}; look at the disk"
                    raise Unavailable(message) from None
            return self._block.popleft()

    @property
    def left(self) -> int:
        """How many keys nobody has taken."""
        return len(self._block) + max(0, len(self._lines()) - self._next())

    def _reserved(self) -> list[SealingKey]:
        lines, begin = self._lines(), self._next()
        if len(set(lines)) < len(lines):
            message = "has keys that stand there twice, and no key may be used twice: take the second ones out"
            raise DeclarationError([Fault(str(self.path), "", message)])
        block = [self._key(number, line) for number, line in enumerate(lines[begin : begin + BLOCK], begin + 2)]
        if not block:
            message = (
                f"all {len(lines)} case keys of {self.path} are used; ask whoever runs the bus for more (boutre cases issue "
                f"{self.member}), and add them to this file. Nothing is lost: the feed goes on where it stopped"
            )
            raise Unavailable(message)
        self._save(begin + len(block))
        return block

    def _lines(self) -> list[str]:
        try:
            text = self.path.read_text(encoding="ascii")
        except (OSError, UnicodeDecodeError) as error:
            raise DeclarationError([Fault(str(self.path), "", f"cannot be read ({type(error).__name__})")]) from None
        # What has no end of line yet is still being written.
        lines = text.split("\n")[:-1]
        if not lines or lines[0] != HEAD + self.member:
            raise DeclarationError([Fault(str(self.path), "line 1", f"should be {HEAD}{self.member}")])
        return lines[1:]

    def _key(self, number: int, line: str) -> SealingKey:
        identifier, _, public = line.partition(" ")
        try:
            key = SealingKey.of(CLASSIC, base64.b64decode(public, validate=True))
        except (ValueError, binascii.Error):
            raise DeclarationError([Fault(str(self.path), f"line {number}", "is no case key; ask for the file again")]) from None
        if key.id != identifier:
            raise DeclarationError([Fault(str(self.path), f"line {number}", "the id is not that of the key")])
        return key

    def _next(self) -> int:
        try:
            following = int(self._beside(".next").read_text(encoding="ascii"))
        except FileNotFoundError:
            return 0
        except (OSError, ValueError):
            following = -1
        if following < 0:
            message = "says not how many keys are used; write the number of keys in the pool into it, and ask for more keys"
            raise DeclarationError([Fault(str(self._beside(".next")), "", message)])
        return following

    def _save(self, following: int) -> None:
        replace(self._beside(".next"), f"{following}\n".encode())

    def _beside(self, suffix: str) -> Path:
        return self.path.with_name(self.path.name + suffix)


@dataclass(slots=True)
class VaultPool:
    """
    Keys for *member* drawn in the vault itself, where connector and bus are one machine: a laptop, the demo, a small centre.
    """

    vault: Vault
    member: str
    _block: deque[Issued] = field(default_factory=deque, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def take(self) -> SealingKey:
        """Give a new key."""
        with self._lock:
            if not self._block:
                self._block.extend(self.vault.issue(self.member, BLOCK))
            # Not tried out as that of a file is: the vault has drawn it just now.
            public = self._block.popleft().public
            return SealingKey(CLASSIC, public, X25519PublicKey.from_public_bytes(public))


@dataclass(frozen=True, slots=True)
class NoPool:
    """
    No keys: what names people cannot be sent. *how* says what to do.
    """

    how: str

    def take(self) -> SealingKey:
        """Raise Unavailable."""
        raise Unavailable(self.how)


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """
    Keys that nobody has, for a run that sends nothing.
    """

    def take(self) -> SealingKey:
        """Give a key whose private half is forgotten at once."""
        return SealingKey.of(CLASSIC, OpeningKey.new(CLASSIC).public)
