"""
The vault: the private halves of case keys, in one SQLite file outside of Kafka.

A key that is destroyed is overwritten where it stands, and its row stays with the time, so that it can be told from one that never
was. What is erased before its key was seen stays written down, and the key is destroyed as soon as it is seen.

A limit: what the disk itself keeps of overwritten blocks, and backups of the vault, are beyond this module. Whoever keeps a backup
of the vault keeps the keys: it has to be short-lived (``docs/keys.md``).
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, NamedTuple, Self

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from boutre.durable import all_or_nothing
from boutre.errors import Refuse
from boutre.schemas.cases.vault_file import FILE, connect, told
from boutre.schemas.sealing.suites import CLASSIC, OpeningKey, sealing_key_id

ANYBODY: Final = ""
"""In the place of a member: erased by hand, whosever the record is."""

ERASED: Final = f"EXISTS (SELECT 1 FROM erased WHERE record = ? AND member IN (?, '{ANYBODY}'))"  # noqa: S608 - ours
"""Whether a record of a member was erased."""

Place = tuple[str, int]
"""A topic and one of its partitions."""

Use = tuple[str, str, str]
"""A member, one of its records, and the id of a key that this was seen to use."""

Recall = tuple[str, str]
"""Who takes a record back (``ANYBODY`` where it is done by hand), and which."""


class Issued(NamedTuple):
    """
    The public half of a case key.
    """

    id: str
    public: bytes


class Destroyed(NamedTuple):
    """
    How many keys of a member were destroyed with one of its records.
    """

    member: str
    record: str
    keys: int


class Standing(NamedTuple):
    """
    How a member's case keys stand: issued and not seen yet, in use, destroyed.
    """

    member: str
    waiting: int
    used: int
    destroyed: int


class Erasure(NamedTuple):
    """
    What an erasure came to: keys that were destroyed and that are left, when the record was first erased, and by whom.

    One is left where somebody took back what is not theirs to take back.
    """

    destroyed: int
    left: int
    at: datetime
    by: tuple[str, ...]


@dataclass(slots=True)
class Vault:
    """
    An open vault; made by ``Vault.of``. Any thread may use it.
    """

    path: Path
    _connection: sqlite3.Connection = field(repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @classmethod
    def of(cls, folder: Path, *, begin: bool = False) -> Self:
        """
        Open the vault in *folder*; *begin* makes one where there is none.

        Raises DeclarationError where there is none, Unavailable where the file is no vault or cannot be opened.
        """
        return cls(folder / FILE, connect(folder, begin=begin))

    def close(self) -> None:
        """Close it."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # --- Keys ----------------------------------------------------------------------------------------------------------------

    def issue(self, member: str, count: int) -> list[Issued]:
        """Draw *count* keys for a member's connectors, and give their public halves."""
        now = _now()
        drawn = [X25519PrivateKey.generate() for _ in range(count)]
        issued = [Issued(sealing_key_id(public), public) for public in (key.public_key().public_bytes_raw() for key in drawn)]
        with self.transaction() as connection:
            (last,) = connection.execute("SELECT coalesce(max(number), 0) FROM key").fetchone()
            rows = [(last + nth, one.id, member, now) for nth, one in enumerate(issued, 1)]
            connection.executemany("INSERT INTO key (number, id, member, issued) VALUES (?, ?, ?, ?)", rows)
            secrets = [(last + nth, key.private_bytes_raw()) for nth, key in enumerate(drawn, 1)]
            connection.executemany("INSERT INTO secret VALUES (?, ?)", secrets)
        return issued

    def opening(self, identifier: str, member: str, record: str) -> OpeningKey:
        """
        Give the private half of a member's key, for a record of that member.

        Raises Refuse with ``unknown-case-key``, ``case-key-reused`` where another record was seen to use it first, ``case-erased``
        where the key was destroyed or its record erased; and Unavailable where the vault cannot be read.
        """
        asked = (
            f"SELECT key.record, destroyed IS NOT NULL OR {ERASED}, bytes "  # noqa: S608 - ours
            "FROM key JOIN secret ON secret.key = key.number WHERE id = ? AND key.member = ?"
        )
        with self._lock, told(self.path):
            row = self._connection.execute(asked, (record, member, identifier, member)).fetchone()
        if row is None:
            raise Refuse("unknown-case-key")
        bound, erased, secret = row
        if erased:
            raise Refuse("case-erased")
        if bound not in (None, record):
            raise Refuse("case-key-reused")
        return OpeningKey(CLASSIC, (X25519PrivateKey.from_private_bytes(secret),))

    def take(self, uses: Iterable[Use], recalls: Iterable[Recall], positions: Mapping[Place, int]) -> list[Destroyed]:
        """
        Bind keys to the records that use them, destroy those of *recalls*, and note *positions*: all, or nothing.

        What is recalled is destroyed now and whenever it is seen later; gives what was destroyed now. A key is bound to the record
        that was seen first with it, and destroyed with any record that was seen with it. Of another member's keys nothing is
        touched. *positions* are the next offsets to read.
        """
        done: list[Destroyed] = []
        with self.transaction() as connection:
            for member, record, key in uses:
                row = connection.execute("SELECT number FROM key WHERE id = ? AND member = ?", (key, member)).fetchone()
                if row is None:
                    continue
                connection.execute("UPDATE key SET record = ? WHERE number = ? AND record IS NULL", (record, *row))
                connection.execute("INSERT OR IGNORE INTO use VALUES (?, ?)", (record, *row))
                if connection.execute(f"SELECT {ERASED}", (record, member)).fetchone()[0]:
                    done += _destroy(connection, member, record)
            for member, record in recalls:
                connection.execute("INSERT OR IGNORE INTO erased VALUES (?, ?, ?)", (record, member, _now()))
                done += _destroy(connection, member, record)
            rows = [(*place, following) for place, following in positions.items()]
            connection.executemany("INSERT OR REPLACE INTO place VALUES (?, ?, ?)", rows)
        return done

    def erase(self, records: Iterable[str], *, member: str = ANYBODY) -> list[Destroyed]:
        """Destroy the keys of *records*, as ``take`` does; *member* is who says so, nobody where it is done by hand."""
        return self.take((), [(member, record) for record in records], {})

    def retire(self, member: str) -> int:
        """Destroy every key of *member* that no record was seen with; gives how many."""
        with self.transaction() as connection:
            waiting = "member = ? AND record IS NULL AND destroyed IS NULL"
            numbers = [number for (number,) in connection.execute(f"SELECT number FROM key WHERE {waiting}", (member,))]  # noqa: S608 - ours
            _write_over(connection, numbers)
        return len(numbers)

    # --- What stands there ---------------------------------------------------------------------------------------------------

    def erasure(self, record: str) -> Erasure | None:
        """Say what became of a record that was erased; None where it was not."""
        said = "SELECT member, at FROM erased WHERE record = ? ORDER BY at, member"
        counted = (
            "SELECT count(destroyed), count(*) - count(destroyed) FROM use JOIN key ON key.number = use.key WHERE use.record = ?"
        )
        with self._lock, told(self.path):
            rows = self._connection.execute(said, (record,)).fetchall()
            destroyed, left = self._connection.execute(counted, (record,)).fetchone()
        if not rows:
            return None
        return Erasure(destroyed, left, datetime.fromisoformat(rows[0][1]), tuple([member for member, _ in rows]))

    def standing(self) -> list[Standing]:
        """Count the keys of each member."""
        asked = (
            "SELECT member, sum(record IS NULL AND destroyed IS NULL), sum(record IS NOT NULL AND destroyed IS NULL), "
            "count(destroyed) FROM key GROUP BY member ORDER BY member"
        )
        with self._lock, told(self.path):
            return [Standing(*row) for row in self._connection.execute(asked)]

    def places(self) -> dict[Place, int]:
        """Give the next offset to be read of each topic and partition."""
        with self._lock, told(self.path):
            rows = self._connection.execute("SELECT topic, partition, next FROM place").fetchall()
        return {(topic, partition): following for topic, partition, following in rows}

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Do all of a block, on the disk, or nothing."""
        with self._lock, told(self.path), all_or_nothing(self._connection) as connection:
            yield connection


def _destroy(connection: sqlite3.Connection, member: str, record: str) -> list[Destroyed]:
    asked = (
        "SELECT number, key.member FROM use JOIN key ON key.number = use.key "
        "WHERE use.record = ? AND destroyed IS NULL AND ? IN ('', key.member)"
    )
    counts: dict[str, int] = {}
    found = connection.execute(asked, (record, member)).fetchall()
    for _, owner in found:
        counts[owner] = counts.get(owner, 0) + 1
    _write_over(connection, [number for number, _ in found])
    return [Destroyed(owner, record, count) for owner, count in counts.items()]


def _write_over(connection: sqlite3.Connection, numbers: list[int]) -> None:
    # As long as before, so that it is written over in its place.
    connection.executemany("UPDATE secret SET bytes = zeroblob(length(bytes)) WHERE key = ?", [(number,) for number in numbers])
    connection.executemany("UPDATE key SET destroyed = ? WHERE number = ?", [(_now(), number) for number in numbers])


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
