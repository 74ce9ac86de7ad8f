"""
A file to which lines are added, each under an id, and none twice: what the sinks to files stand on.

A line is there when it ends. What a power cut left half written is cut off when the file is opened, and comes again, since nobody
was told that it was there.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any, Final, Self

from boutre.durable import sync_folder
from boutre.errors import DeclarationError, Fault, Retry
from boutre.locks import held

PRIVATE: Final = 0o600
PRIVATE_FOLDER: Final = 0o700
TAIL: Final = 65_536


class Lines:
    """
    A file of JSON lines, each an object with a member ``id``, open for adding.

    Keeps all ids in memory: 32 characters a line, some 100 MB for a million lines. A recipient of intelligence records never gets
    there; one that takes AIS cuts its files by day.

    Raises DeclarationError where the file holds a whole line that is no such object: then it is not ours, and is left as it is.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._ids: set[str] = set()

    def __enter__(self) -> Self:
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=PRIVATE_FOLDER)
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, PRIVATE)
        self._file: IO[bytes] = os.fdopen(descriptor, "r+b", buffering=0)
        try:
            self._size = self._repair()
            self._ids.update(self._read_ids())
            sync_folder(self.path.parent)
        except BaseException:
            self._file.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def __len__(self) -> int:
        return len(self._ids)

    def __contains__(self, identifier: str) -> bool:
        return identifier in self._ids

    def add(self, lines: Iterable[tuple[str, str]]) -> int:
        """
        Add each line whose id is not there yet; returns how many, once the disk has them.

        Raises Retry where the disk cannot take them; then the file is as it was.
        """
        fresh = {identifier: text for identifier, text in lines if identifier not in self._ids}
        if not fresh:
            return 0
        content = b"".join(text.encode() + b"\n" for text in fresh.values())
        try:
            left = memoryview(content)
            while left:
                left = left[self._file.write(left) :]
            os.fsync(self._file.fileno())
        except OSError as failure:
            self._file.truncate(self._size)
            raise Retry(f"{self.path} cannot be written: {failure.strerror}", after=5.0) from failure
        self._size += len(content)
        self._ids.update(fresh)
        return len(fresh)

    def _repair(self) -> int:
        """Cut off a line that does not end, and give the size of what is whole."""
        size = end = self._file.seek(0, os.SEEK_END)
        while end:
            begin = max(0, end - TAIL)
            self._file.seek(begin)
            found = self._file.read(end - begin).rfind(b"\n")
            if found >= 0:
                end = begin + found + 1
                break
            end = begin
        if end != size:
            self._file.truncate(end)
            os.fsync(self._file.fileno())
        return end

    def _read_ids(self) -> Iterator[str]:
        with self.path.open("rb") as file:
            for number, text in enumerate(file, 1):
                yield _id(self.path, number, text)


def _id(path: Path, number: int, text: bytes) -> str:
    found: Any = None
    with suppress(ValueError):
        found = json.loads(text)
    identifier = found.get("id") if isinstance(found, dict) else None
    if not isinstance(identifier, str):
        message = "is no JSON object with an id; this file was not written by this sink, so name another folder"
        raise DeclarationError([Fault(str(path), f"line {number}", message)])
    return identifier


@contextmanager
def alone(folder: Path, name: str) -> Iterator[None]:
    """
    Keep every other sink of this *name* out of *folder* as long as the block lasts; raises Unavailable where one is in it.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=PRIVATE_FOLDER)
    with held(folder / f".{name}.lock", f"another sink {name} writes to {folder}; stop it, or name another folder"):
        yield
