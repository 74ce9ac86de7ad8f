"""
Lines of a file that may grow, with a cursor that knows when it is another file.

The cursor is the number of lines read and a digest of all their bytes. A file to which lines were added goes on where it stopped.
A file that changed before that point is read again from its beginning, which does no harm: the same references give the same ids.

Limit: a last line without its line break counts as a line. Who exports a file writes it under another name and renames it.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

DIGITS: Final = 16
"""Hexadecimal digits of a digest in a cursor or a reference."""

BOM: Final = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Line:
    """
    One line with its break: its number from 1, its bytes, and whether it was longer than allowed and so was *cut*.
    """

    number: int
    content: bytes
    cut: bool = False


class Tail:
    """
    Reads *stream* line by line, none longer than *limit* bytes: the rest of a longer one is skipped, so that memory stays bounded.
    """

    def __init__(self, stream: BinaryIO, limit: int) -> None:
        self.stream = stream
        self.limit = limit
        self.number = 0
        self._hash = hashlib.sha256()

    @property
    def cursor(self) -> str:
        """Where to go on after the lines read so far."""
        return f"{self.number}:{self._hash.hexdigest()[:DIGITS]}"

    def line(self) -> Line | None:
        """Read one line, None at the end. A byte order mark before the first is left away."""
        kept = more = self.stream.readline(self.limit)
        if not kept:
            return None
        self._hash.update(kept)
        cut = len(kept) == self.limit and not kept.endswith(b"\n")
        while cut and more and not more.endswith(b"\n"):
            more = self.stream.readline(self.limit)
            self._hash.update(more)
        self.number += 1
        return Line(self.number, kept.removeprefix(BOM) if self.number == 1 else kept, cut)

    def mark(self) -> tuple[int, int, hashlib._Hash]:
        """Remember this place for `back`."""
        return self.stream.tell(), self.number, self._hash.copy()

    def back(self, mark: tuple[int, int, hashlib._Hash]) -> None:
        """Go back to a place, as if nothing behind it had been read."""
        place, self.number, self._hash = mark
        self.stream.seek(place)


def read_before(path: Path, after: str | None, limit: int) -> int:
    """
    Give how many lines of *path* were read up to the cursor *after*; -1 where none were, or where it is another file now.
    """
    wanted, _, _ = (after or "").partition(":")
    if not wanted.isdecimal():
        return -1
    with path.open("rb") as stream:
        tail = Tail(stream, limit)
        while tail.number < int(wanted) and tail.line() is not None:
            pass
        return tail.number if tail.cursor == after else -1
