"""
What a witness keeps: of each log the last checkpoint that it cosigned, and whatever contradicted one.
"""

from __future__ import annotations

import fcntl
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from boutre.durable import replace
from boutre.errors import DeclarationError, Fault
from boutre.schemas.audit.checkpoint import Checkpoint, Note, NotProved, cosigned, logs
from boutre.schemas.audit.entry import log_of
from boutre.schemas.audit.papers import Extension
from boutre.schemas.audit.witness import Contradicted, judge, name_of

_LOG: Final = re.compile(r"[a-z0-9][a-z0-9-]*")


@dataclass(frozen=True, slots=True)
class WitnessFolder:
    """
    The folder of one member's witness: ``<log>.note`` for each log, and contradictions beside it.
    """

    path: Path
    member: str

    def cosign(
        self,
        shown: Extension,
        keys: Iterable[Ed25519PublicKey],
        private: Ed25519PrivateKey,
        seconds: int,
        *,
        begun_anew: bool = False,
    ) -> Note:
        """
        Cosign a checkpoint, and keep it before anybody is given the cosignature.

        *keys* are the bus's, *seconds* the time since 1970 UTC.

        *begun_anew* takes a log under another name than the last, which the operators have to explain. Raises NotProved and
        Contradicted as ``judge`` does; what contradicts is kept as evidence.
        """
        keys = tuple(keys)
        log = log_of(Checkpoint.read(shown.note.text).origin)
        if not _LOG.fullmatch(log):
            raise NotProved("the name of this log is none that a bus gives")
        self.path.mkdir(parents=True, exist_ok=True, mode=0o700)
        with (self.path / "witness.lock").open("a") as lock:
            # Two at once could each take the other's checkpoint back.
            fcntl.flock(lock, fcntl.LOCK_EX)
            last = self.last(log)
            before = None if last is None else Checkpoint.read(last.text)
            if before is not None and begun_anew and Checkpoint.read(shown.note.text).origin != before.origin:
                before = None
            try:
                judge(before, shown, keys)
            except Contradicted as found:
                path = self._write(f"{log}.contradiction.{seconds}.note", shown.note)
                raise Contradicted(f"{found} (kept: {self._path(log)} and {path})") from None
            if last is not None and before is None:
                self._write(f"{log}.begun-anew.{seconds}.note", last)
            # What others have signed is theirs to show: a note of strangers' lines could grow until nobody reads it.
            own = shown.note.by(logs(Checkpoint.read(shown.note.text).origin, keys))
            note = Note(own.text, (*own.signatures, cosigned(own, name_of(self.member), private, seconds)))
            self._write(self._path(log).name, note)
        return note

    def last(self, log: str) -> Note | None:
        """Give the last checkpoint of a log that was cosigned; DeclarationError where its file was damaged."""
        path = self._path(log)
        try:
            note = Note.read(path.read_text(encoding="utf-8"))
            Checkpoint.read(note.text)
        except FileNotFoundError:
            return None
        except (NotProved, UnicodeDecodeError):
            raise DeclarationError([Fault(str(path), "", "is no checkpoint; bring it back from its backup")]) from None
        return note

    def _path(self, log: str) -> Path:
        return self.path / f"{log}.note"

    def _write(self, name: str, note: Note) -> Path:
        """Write a note whole or not at all, on the disk when this returns."""
        path = self.path / name
        replace(path, note.write().encode())
        return path
