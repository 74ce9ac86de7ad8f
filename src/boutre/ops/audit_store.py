"""
The audit log on its disk: entries, trees, positions in Kafka and checkpoints, in one SQLite file.

What one look at Kafka brought is one transaction: entries, nodes and how far was read come to stand together or not at all, so each
receipt is in once, whenever the process is killed. A receipt that stands before the position is not taken again, whoever brings it.

A store has an identity of its own, which stands in the name of each of its logs. One that is lost is begun anew under another name:
the old checkpoints stay with whoever has them, and nothing passes for the old log.
"""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from boutre.durable import all_or_nothing
from boutre.errors import DeclarationError, Fault
from boutre.ops.audit_file import Damaged, opened, told
from boutre.schemas.audit import tree
from boutre.schemas.audit.checkpoint import Checkpoint, Note
from boutre.schemas.audit.entry import NONCE_BYTES, committed, origin, salt


@dataclass(frozen=True, slots=True)
class Item:
    """
    What becomes one entry: its log, what it commits to, the receipt it is of, and where that stood on the receipts' topic.

    *view* is the view that was delivered, in the log of its recipient.
    """

    log: str
    content: bytes = field(repr=False)
    receipt: str
    partition: int
    offset: int
    view: str | None = None


@dataclass(frozen=True, slots=True)
class Kept:
    """
    An entry as it is kept; whose *nonce* is None was erased, and names nothing any more.
    """

    log: str
    place: int
    entry: bytes
    nonce: bytes | None = field(repr=False)
    receipt: str | None
    partition: int | None
    offset: int | None


@dataclass(slots=True)
class _Log:
    """A log as it grows in memory, until its transaction is through."""

    number: int
    growth: tree.Growth


class Store:
    """
    An open store; made by ``open_store``.
    """

    def __init__(self, connection: sqlite3.Connection, identity: str) -> None:
        self._connection = connection
        self.identity = identity

    # --- Growing -------------------------------------------------------------------------------------------------------------

    def append(self, key: bytes, items: Iterable[Item], positions: Mapping[int, int]) -> int:
        """
        Add entries, salted under the operators' *key*, and remember *positions*: for each partition the next offset to read.

        Items that stand before a remembered position are there already and left out; the entries added are counted.
        """
        with told(), all_or_nothing(self._connection):
            known = self.positions()
            logs: dict[str, _Log] = {}
            entries: list[tuple[Any, ...]] = []
            nodes: list[tuple[int, int, bytes]] = []
            for item in items:
                if item.offset < known.get(item.partition, 0):
                    continue
                log = logs.get(item.log) or logs.setdefault(item.log, self._grown(item.log))
                nonce, place = secrets.token_bytes(NONCE_BYTES), log.growth.size
                made = committed(item.log, salt(key, item.log, nonce, item.receipt), item.content)
                first = tree.stored(0, place)
                nodes += [(log.number, first + level, node) for level, node in enumerate(log.growth.append(tree.leaf(made)))]
                entries.append((log.number, place, made, nonce, item.receipt, item.view, item.partition, item.offset))
            run = self._connection.executemany
            run("INSERT INTO entry VALUES (?, ?, ?, ?, ?, ?, ?, ?)", entries)
            run("INSERT INTO node VALUES (?, ?, ?)", nodes)
            run("UPDATE log SET size = ? WHERE number = ?", [(log.growth.size, log.number) for log in logs.values()])
            run(
                "INSERT INTO position VALUES (?, ?) ON CONFLICT (partition) DO UPDATE SET next = max(next, excluded.next)",
                list(positions.items()),
            )
        return len(entries)

    def erase(self, receipt: str) -> int:
        """
        Delete what opens the entries of a *receipt* and what they are of; the tree stays. Gives how many entries it was.

        The blocks are written over in this file. What a backup or the disk itself still holds is not reached from here.
        """
        with told():
            blank = "UPDATE entry SET nonce = NULL, receipt = NULL, view = NULL, partition = NULL, offset = NULL WHERE receipt = ?"
            with all_or_nothing(self._connection):
                found = self._connection.execute(blank, (receipt,)).rowcount
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return found

    def keep(self, log: str, size: int, note: Note) -> None:
        """Keep a checkpoint, in place of one of the same size."""
        with told(), all_or_nothing(self._connection):
            self._connection.execute("INSERT OR REPLACE INTO checkpoint VALUES (?, ?, ?)", (self._number(log), size, note.write()))

    # --- Reading -------------------------------------------------------------------------------------------------------------

    @contextmanager
    def still(self) -> Iterator[None]:
        """See the log as it is now as long as the block lasts, whatever a follower adds meanwhile."""
        with told():
            self._connection.execute("BEGIN")
        try:
            yield
        finally:
            self._connection.execute("ROLLBACK")

    def origin(self, log: str) -> str:
        """Name a log as its checkpoints do."""
        return origin(self.identity, log)

    def positions(self) -> dict[int, int]:
        """Give for each partition of the receipts' topic the next offset to read."""
        with told():
            return dict(self._connection.execute("SELECT partition, next FROM position").fetchall())

    def sizes(self) -> dict[str, int]:
        """Give all logs with their sizes."""
        with told():
            return dict(self._connection.execute("SELECT name, size FROM log ORDER BY number").fetchall())

    def at(self, log: str, size: int) -> Checkpoint:
        """Give the checkpoint of the first *size* entries of a log, by its stored nodes."""
        return Checkpoint(self.origin(log), size, tree.root(size, self.nodes(log)))

    def nodes(self, log: str) -> tree.Nodes:
        """Give what reads the nodes of a log; it raises Damaged for one that is not there."""
        number = self._number(log)

        def node(level: int, index: int) -> bytes:
            with told():
                asked = (number, tree.stored(level, index))
                found = self._connection.execute("SELECT hash FROM node WHERE log = ? AND number = ?", asked).fetchone()
            if found is None:
                raise Damaged(
                    f"the tree of {log} lacks a node over entry {index << level}; boutre audit verify says what else is wrong"
                )
            return bytes(found[0])

        return node

    def notes(self, log: str) -> list[tuple[int, str]]:
        """Give the sizes and texts of the checkpoints that are kept of a log, the smallest first; nothing of them is proved."""
        with told():
            asked = "SELECT size, note FROM checkpoint WHERE log = ? ORDER BY size"
            return list(self._connection.execute(asked, (self._number(log),)).fetchall())

    def entries(self, log: str) -> Iterator[tuple[int, bytes]]:
        """Give all places of a log with their entries."""
        return self._rows("SELECT place, entry FROM entry WHERE log = ? ORDER BY place", log)

    def all_nodes(self, log: str) -> Iterator[tuple[int, bytes]]:
        """Give all stored nodes of a log with their numbers."""
        return self._rows("SELECT number, hash FROM node WHERE log = ? ORDER BY number", log)

    def find(self, identifier: str) -> list[Kept]:
        """Give the entries of a receipt, in the bus's log and a recipient's, or of a view, in its recipient's."""
        asked = (
            "SELECT name, place, entry, nonce, receipt, partition, offset FROM entry JOIN log ON log = number"
            " WHERE {} = ? ORDER BY log, place"
        )
        with told():
            run = self._connection.execute
            rows = run(asked.format("receipt"), (identifier,)).fetchall() or run(asked.format("view"), (identifier,)).fetchall()
        return [Kept(*row) for row in rows]

    def opening(self, log: str, stretches: Mapping[int, tuple[int, int]]) -> int:
        """Count the entries of a log that can be opened, of receipts from the one offset to before the other of each partition."""
        asked = "SELECT count(*) FROM entry WHERE log = ? AND partition = ? AND offset >= ? AND offset < ?"
        with told():
            number, run = self._number(log), self._connection.execute
            return sum(run(asked, (number, partition, *ends)).fetchone()[0] for partition, ends in stretches.items())

    def erased(self, log: str) -> int:
        """Count the entries of a log that were erased."""
        with told():
            asked = "SELECT count(*) FROM entry WHERE log = ? AND nonce IS NULL"
            return int(self._connection.execute(asked, (self._number(log),)).fetchone()[0])

    def sound(self) -> str | None:
        """Have SQLite look through the file; gives what it finds, None where it finds nothing."""
        with told():
            found = self._connection.execute("PRAGMA integrity_check(1)").fetchone()[0]
        return None if found == "ok" else str(found)

    def _rows(self, asked: str, log: str) -> Iterator[tuple[int, bytes]]:
        with told():
            yield from self._connection.execute(asked, (self._number(log),))

    def _number(self, log: str) -> int:
        with told():
            found = self._connection.execute("SELECT number FROM log WHERE name = ?", (log,)).fetchone()
        if found is None:
            raise DeclarationError([Fault("--log", log, f"is no log here; there are: {', '.join(self.sizes()) or 'none yet'}")])
        return int(found[0])

    def _grown(self, log: str) -> _Log:
        run = self._connection.execute
        run("INSERT INTO log (name, size) VALUES (?, 0) ON CONFLICT DO NOTHING", (log,))
        number, size = run("SELECT number, size FROM log WHERE name = ?", (log,)).fetchone()
        return _Log(number, tree.Growth(size, tree.peaks(size, self.nodes(log))))


@contextmanager
def open_store(folder: Path, key: bytes | None = None) -> Iterator[Store]:
    """
    Open the store of *folder*; with the operators' *key* for who writes, and then one is begun where there is none.
    """
    with opened(folder, key) as (connection, identity):
        yield Store(connection, identity)
