"""
Keys of records: one for each record whose personal groups the migration database holds, in a SQLite file outside of that database.

A copy of the database, however old, opens with these keys or not at all. So what is to be erased is erased by destroying its key:
32 bytes are overwritten with zeros where they stand, and the name of the record stays with the time, so that nothing is ever
written under it again. A key may be destroyed before its record was ever seen.

Limits: what the disk keeps of overwritten blocks, and copies of this file, are beyond this module. A copy of it holds the keys.
"""

from __future__ import annotations

import os
import secrets
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, NamedTuple, Self

from boutre.durable import all_or_nothing, sync_folder
from boutre.errors import BusError, Refuse, Retry, Unavailable
from boutre.schemas.cases.secret_file import connected

FILE: Final = "keys.sqlite"
FORM: Final = 1
KEY_BYTES: Final = 32
BUSY_SECONDS: Final = 30.0

_TABLES: Final = (
    "CREATE TABLE folder (id TEXT NOT NULL)",
    """CREATE TABLE record (number INTEGER PRIMARY KEY, recipient TEXT NOT NULL, name TEXT NOT NULL, key_id TEXT, destroyed TEXT,
       UNIQUE (recipient, name))""",
    # Keys alone, each as long as the other: rows are added at the end and overwritten in their place, so that SQLite moves them
    # only once, when the table outgrows its first page, and with secure_delete overwrites that page.
    "CREATE TABLE secret (number INTEGER PRIMARY KEY, key BLOB NOT NULL)",
)


class Name(NamedTuple):
    """
    A record as one recipient knows it: ``view.recipient`` and ``view.of``.
    """

    recipient: str
    record: str


@dataclass(frozen=True, slots=True)
class Key:
    """
    The key of one record; its id is drawn, and tells nothing of it.
    """

    id: str
    secret: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Destroyed:
    """
    In the place of a key that is no more; *at* is when it was destroyed, in UTC.
    """

    at: datetime


Held = Key | Destroyed


class RecordKeys:
    """
    The keys in *folder*, which may not be there yet; ``bind`` opens them. Several processes of one machine may use them at once.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._path = folder / FILE
        self._connection: sqlite3.Connection | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def bind(self, expected: str | None) -> str:
        """
        Open the keys that the database calls *expected*, and give the id of their folder; where it has none yet they are made.

        Raises Unavailable where the file is not there, is another one, or cannot be used. It is never replaced by a new one, since
        then what stands in the database could be read by nobody.
        """
        with _told(self._path):
            if expected is None:
                self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
                os.close(os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600))
                sync_folder(self.folder.parent)
            elif not self._path.is_file():
                message = (
                    f"{self._path} is not there, and personal groups of the migration database lie under its keys; "
                    "bring the folder back, or say where it is (keys)"
                )
                raise Unavailable(message)
            if self._connection is None:
                self._connection = connected(self._path, patience=BUSY_SECONDS)
            found = _identity(self._connection, begin=expected is None)
        if found is None or expected not in {None, found}:
            message = f"{self._path} holds the keys of another database, or none; say where the folder of this one is (keys)"
            raise Unavailable(message)
        return found

    def find(self, names: Iterable[Name]) -> dict[Name, Held]:
        """
        Give what there is of these records: a key, or that it was destroyed. What never had one is left out.
        """
        with _told(self._path):
            connection = self._open()
            found = {name: _held(connection, name) for name in names}
        return {name: held for name, held in found.items() if held is not None}

    def make(self, names: Iterable[Name]) -> dict[Name, Held]:
        """
        Give the key of each record, made where there is none; one that was destroyed stays so.
        """
        made: dict[Name, Held] = {}
        with self._transaction() as connection:
            for name in names:
                row = (*name, secrets.token_hex(8))
                asked = "INSERT INTO record (recipient, name, key_id) VALUES (?, ?, ?) ON CONFLICT (recipient, name) DO NOTHING"
                added = connection.execute(asked, row)
                if added.rowcount:
                    secret = (added.lastrowid, secrets.token_bytes(KEY_BYTES))
                    connection.execute("INSERT INTO secret VALUES (?, ?)", secret)
                held = _held(connection, name)
                if held is not None:
                    made[name] = held
        return made

    def destroy(self, names: Iterable[Name]) -> dict[Name, datetime]:
        """
        Destroy the keys of these records, those too that are still to come; gives when each was destroyed first.
        """
        gone: dict[Name, datetime] = {}
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        with self._transaction() as connection:
            for name in names:
                connection.execute(
                    "INSERT INTO record (recipient, name) VALUES (?, ?) ON CONFLICT (recipient, name) DO NOTHING", name
                )
                which = "number = (SELECT number FROM record WHERE recipient = ? AND name = ?)"
                connection.execute(f"UPDATE secret SET key = zeroblob({KEY_BYTES}) WHERE {which}", name)  # noqa: S608 - ours
                at = "UPDATE record SET destroyed = ? WHERE recipient = ? AND name = ? AND destroyed IS NULL"
                connection.execute(at, (now, *name))
                held = _held(connection, name)
                if isinstance(held, Destroyed):
                    gone[name] = held.at
        return gone

    def destroyed(self) -> Mapping[Name, datetime]:
        """
        Give all records whose key was destroyed, and when.
        """
        with _told(self._path):
            rows = self._open().execute("SELECT recipient, name, destroyed FROM record WHERE destroyed IS NOT NULL")
            return {Name(recipient, name): datetime.fromisoformat(at) for recipient, name, at in rows}

    def _open(self) -> sqlite3.Connection:
        if self._connection is None:
            raise Unavailable(f"{self._path} is not open")
        return self._connection

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with _told(self._path), all_or_nothing(self._open()) as connection:
            yield connection


def _identity(connection: sqlite3.Connection, *, begin: bool) -> str | None:
    """Give the id of the folder; None where these are no keys, or of a form that this program does not know."""
    with all_or_nothing(connection):
        form = connection.execute("PRAGMA user_version").fetchone()[0]
        if form == 0 and begin and not connection.execute("SELECT 1 FROM sqlite_master").fetchone():
            for table in _TABLES:
                connection.execute(table)
            connection.execute("INSERT INTO folder VALUES (?)", (secrets.token_hex(16),))
            connection.execute(f"PRAGMA user_version = {FORM}")
            form = FORM
        return str(connection.execute("SELECT id FROM folder").fetchone()[0]) if form == FORM else None


def _held(connection: sqlite3.Connection, name: Name) -> Held | None:
    asked = "SELECT key_id, destroyed, key FROM record LEFT JOIN secret USING (number) WHERE recipient = ? AND name = ?"
    row = connection.execute(asked, name).fetchone()
    if row is None:
        return None
    key_id, destroyed, secret = row
    return Key(key_id, secret) if destroyed is None else Destroyed(datetime.fromisoformat(destroyed))


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """Turn what goes wrong with the file into what is to be done; SQLite's texts, which may hold values, are not passed on."""
    try:
        yield
    except BusError:
        raise
    except (sqlite3.IntegrityError, sqlite3.DataError, sqlite3.InterfaceError):
        raise Refuse("not-storable", "no key can be made for this view: it does not name its record") from None
    except sqlite3.Error as failure:
        name = getattr(failure, "sqlite_errorname", type(failure).__name__)
        if getattr(failure, "sqlite_errorcode", 0) & 0xFF in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_FULL}:
            raise Retry(f"the keys of the migration database cannot be written now: {name}", after=1.0) from None
        raise Unavailable(f"{path} cannot be used: {name}; are these the keys of a migration database, and yours?") from None
    except OSError as failure:
        raise Unavailable(f"{path} cannot be used: {type(failure).__name__}; look at its folder and who may write there") from None
