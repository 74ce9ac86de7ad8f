"""
Files that outlast a power cut: replaced whole, and on the disk when it is said so. And SQLite's part of that.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def sync_folder(folder: Path) -> None:
    """
    Have the disk remember which files *folder* holds.
    """
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def replace(path: Path, content: bytes, *, private: bool = False) -> None:
    """
    Put *content* into the place of a file, whole or not at all; it is on the disk when this returns. One writer at a time.

    A *private* one is for its owner's eyes only.
    """
    fresh = path.with_name(f"{path.name}.new")
    # One that a killed process has left would keep its mode.
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600 if private else 0o666)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
    sync_folder(path.parent)


@contextmanager
def all_or_nothing(connection: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """
    Commit what the block did when it ends; undo all of it when it raises. Other writers are kept out from its beginning.
    """
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield connection
        connection.execute("COMMIT")
    except BaseException:
        # SQLite has undone it by itself where the disk failed, and a second time would hide why.
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
