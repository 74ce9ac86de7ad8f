"""
A bounded store on disk for what arrives by the network, so that it survives while the bus is away or this process is restarted.

Each entry has a sequence number, and the numbers have no holes except where something was lost: dropped because the spool was full,
or counted as lost before it got here. So a hole *is* the account of a loss, it survives a restart, and it is read in its place in
the order. What was read is kept as long as there is room, since a reader that starts again needs the lines before its cursor to
know what it knew; when room is needed the oldest goes, and that is what was read, unless the reader has fallen so far behind.

SQLite with a write-ahead log; one process writes and reads a spool. A loss of power can cost the last entries (they are synced at
each checkpoint of the log, not at each entry), an end of the process cannot.
"""

from __future__ import annotations

import secrets
import sqlite3
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from boutre.errors import Unavailable

OVERHEAD: Final = 48
"""
Bytes that are counted for each entry beside its content: about what SQLite needs for it.
"""
_TRIM_TO: Final = 0.9  # trimming makes some room at once, so that not every entry has to trim
_BATCH: Final = 512
_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS entry (seq INTEGER PRIMARY KEY, at INTEGER NOT NULL, sender TEXT NOT NULL, content BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS mark (name TEXT PRIMARY KEY, value TEXT NOT NULL);
"""


@dataclass(frozen=True, slots=True)
class Entry:
    """
    What arrived: its number, when (UTC), from whom, and its bytes.
    """

    number: int
    at: datetime
    sender: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Gap:
    """
    Entries *first* to *last* are lost; nobody has read them.
    """

    first: int
    last: int

    @property
    def count(self) -> int:
        """
        How many there were.
        """
        return self.last - self.first + 1


class Spool:
    """
    The spool in the file *path*, of at most about *limit* bytes; safe to use from a thread that writes and one that reads.

    *identity* is drawn when the file is made: a cursor of another spool, or of one that was deleted, must not be taken for one of
    this. Raises Unavailable where the file cannot be opened or written.
    """

    def __init__(self, path: Path, limit: int) -> None:
        self._limit = limit
        self._lock = threading.Lock()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
            self._db.execute("PRAGMA auto_vacuum=INCREMENTAL")  # the first of them: it can't be set once the file has a header
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=NORMAL")
            self._db.executescript(_SCHEMA)
            self.identity = self._mark("identity", secrets.token_hex(4))
            held = self._db.execute("SELECT COALESCE(SUM(LENGTH(content) + ?), 0) FROM entry", (OVERHEAD,)).fetchone()[0]
            newest = self._db.execute("SELECT COALESCE(MAX(seq), 0) FROM entry").fetchone()[0]
            self._next = max(int(newest), int(self._mark("last", "0"))) + 1
        except (sqlite3.Error, OSError) as error:
            raise Unavailable(f"the spool {path.name} cannot be opened: {error}; check the folder and the disk") from error
        self._bytes = int(held)

    def _mark(self, name: str, default: str) -> str:
        self._db.execute("INSERT OR IGNORE INTO mark VALUES (?, ?)", (name, default))
        return str(self._db.execute("SELECT value FROM mark WHERE name = ?", (name,)).fetchone()[0])

    @property
    def bytes_held(self) -> int:
        """
        How much it holds now, by its own count.
        """
        return self._bytes

    @contextmanager
    def _held(self) -> Iterator[None]:
        with self._lock:
            try:
                yield
            except sqlite3.Error as error:
                raise Unavailable(f"the spool cannot be used: {error}; check the disk") from error

    def append(self, entries: Iterable[tuple[datetime, str, bytes]], *, lost: int = 0) -> None:
        """
        Store (time, sender, content) of each entry, after counting *lost* that never got here.

        Raises Unavailable where the disk refuses; nothing of the call is then stored, and the caller counts it as lost.
        """
        with self._held():
            number, held = self._next + lost, self._bytes
            rows = []
            for at, sender, content in entries:
                rows.append((number, int(at.timestamp() * 1_000_000), sender, content))
                held += len(content) + OVERHEAD
                number += 1
            with self._db:  # commits, or rolls back where anything is refused
                self._db.execute("BEGIN IMMEDIATE")
                self._db.executemany("INSERT INTO entry VALUES (?, ?, ?, ?)", rows)
                if held > self._limit:
                    held = self._trim(held)
                self._db.execute("UPDATE mark SET value = ? WHERE name = 'last'", (str(number - 1),))
            self._next, self._bytes = number, held

    def _trim(self, held: int) -> int:
        """
        Delete the oldest entries until there is room.
        """
        goal = int(self._limit * _TRIM_TO)
        last = None
        for number, size in self._db.execute("SELECT seq, LENGTH(content) + ? FROM entry ORDER BY seq", (OVERHEAD,)):
            held -= size
            last = number
            if held <= goal:
                break
        self._db.execute("DELETE FROM entry WHERE seq <= ?", (last,))
        self._db.execute("PRAGMA incremental_vacuum")
        return held

    def read(self, after: int) -> Iterator[Entry | Gap]:
        """
        Give what is there after number *after*, in order, with its gaps; ends where there is no more for now.
        """
        while True:
            with self._held():
                rows = self._db.execute("SELECT * FROM entry WHERE seq > ? ORDER BY seq LIMIT ?", (after, _BATCH)).fetchall()
                newest = self._next - 1
            for number, at, sender, content in rows:
                if number > after + 1:
                    yield Gap(after + 1, number - 1)
                yield Entry(number, datetime.fromtimestamp(at / 1_000_000, UTC), sender, content)
                after = number
            if not rows:
                if newest > after:  # what was counted as lost and has nothing behind it yet
                    yield Gap(after + 1, newest)
                return

    def recall(self, number: int, seconds: float) -> int:
        """
        Say after which number to read so as to see again what arrived within *seconds* before entry *number*.

        Never more than *number*: where the entries behind it are gone, reading on from there shows the gap.
        """
        with self._held():
            found = self._db.execute("SELECT at FROM entry WHERE seq <= ? ORDER BY seq DESC LIMIT 1", (number,)).fetchone()
            if found is None:
                return number
            since = int(found[0] - seconds * 1_000_000)
            first = self._db.execute("SELECT MIN(seq) FROM entry WHERE seq <= ? AND at >= ?", (number, since)).fetchone()[0]
            return int(first) - 1

    def close(self) -> None:
        """
        Close the file; what was appended is in it.
        """
        with self._lock:
            self._db.close()
