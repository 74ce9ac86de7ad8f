"""
The files of a watched folder that are whole and were not read yet.

Files stay where they are. What was read is remembered by name and content, so a file that was mended under the same name is read
again, and one that only was touched is not. A file is taken for whole when it has not changed for a while; names that programs give
to what they still write are passed over, and so are links and folders.
"""

from __future__ import annotations

import hashlib
import os
import stat
import time
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from boutre.errors import Retry

MOST: Final = 10_000
"""
Files that a folder may hold; those that were read long ago belong into an archive.
"""
_DIGITS: Final = 12
_UNFINISHED: Final = (".tmp", ".part", ".partial", ".crdownload", ".filepart", ".download", ".swp", ".lock")
_REMEMBERED: Final = 2 * MOST


@dataclass(frozen=True, slots=True)
class File:
    """
    A file that is whole: its name, its content up to one byte more than the limit, and the cursor behind it.
    """

    name: str
    content: bytes
    cursor: str


_Look = tuple[int, int, int]  # size, time of change (ns), inode
_looks: OrderedDict[Path, tuple[_Look, float]] = OrderedDict()  # when each file was first seen as it is now
_digests: OrderedDict[tuple[Path, _Look], str] = OrderedDict()


class Folder:
    """
    Looks at the folder *path*; a file is whole when it did not change for *settle_s* seconds.

    Contents are cut behind *limit* bytes.
    """

    def __init__(self, path: Path, after: str | None, *, settle_s: float, limit: int) -> None:
        self._path = path
        self._settle = settle_s
        self._limit = limit
        self._read = set(filter(None, (after or "").split(",")))
        self.unsettled = False

    def look(self) -> Iterator[File]:
        """
        Give the files that are whole and new, in the order of their names. Sets *unsettled* where others are still being written.

        Raises Retry where the folder cannot be read, or holds too many files.
        """
        self.unsettled = False
        fresh: list[tuple[Path, str]] = []
        present: set[str] = set()
        for path, look in self._files():
            if not self._settled(path, look):
                self.unsettled = True
                continue
            mark = self._mark(path, look)
            present.add(mark)
            if mark not in self._read:
                fresh.append((path, mark))
        self._read &= present  # what is no longer there need not be remembered, and so the cursor does not grow for ever
        for path, mark in fresh:
            content = self._content(path)
            if content is None or _marked(path.name, _digest_of(content)) != mark:
                self.unsettled = True  # it changed under our hands; the next look sees it anew
                continue
            self._read.add(mark)
            yield File(path.name, content, ",".join(sorted(self._read)))

    def _files(self) -> list[tuple[Path, _Look]]:
        found: list[tuple[Path, _Look]] = []
        try:
            with os.scandir(self._path) as entries:
                for entry in entries:
                    if entry.name.startswith((".", "~")) or entry.name.lower().endswith(_UNFINISHED):
                        continue
                    about = entry.stat(follow_symlinks=False)
                    if stat.S_ISREG(about.st_mode):
                        found.append((Path(entry.path), (about.st_size, about.st_mtime_ns, about.st_ino)))
                    if len(found) > MOST:
                        raise Retry(f"{self._path.name} holds more than {MOST} files; move those that were read away", after=60)
        except OSError as error:
            raise Retry(f"the folder {self._path.name} cannot be read: {error.strerror}", after=60) from error
        return sorted(found)

    def _settled(self, path: Path, look: _Look) -> bool:
        before = _looks.get(path)
        if before is None or before[0] != look:
            before = _looks[path] = (look, time.monotonic())
            while len(_looks) > _REMEMBERED:
                _looks.popitem(last=False)
        # By its own clock it rests long enough; or, where that clock is wrong, by ours.
        rests = time.time() - look[1] / 1e9
        return rests >= self._settle or time.monotonic() - before[1] >= self._settle

    def _mark(self, path: Path, look: _Look) -> str:
        known = _digests.get((path, look))
        if known is None:
            content = self._content(path)
            known = _digests[path, look] = _digest_of(content or b"")
            while len(_digests) > _REMEMBERED:
                _digests.popitem(last=False)
        return _marked(path.name, known)

    def _content(self, path: Path) -> bytes | None:
        try:
            with path.open("rb") as file:
                return file.read(self._limit + 1)
        except OSError:
            return None


def _digest_of(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _marked(name: str, digest: str) -> str:
    return hashlib.sha256(f"{name}\0{digest}".encode("utf-8", "surrogateescape")).hexdigest()[:_DIGITS]
