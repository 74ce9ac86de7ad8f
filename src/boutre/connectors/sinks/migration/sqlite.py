"""
The migration database in a file: SQLite, which comes with Python.

Times are ISO 8601 texts in UTC, truth values 0 and 1, the document JSON text, positions latitude and longitude.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from boutre.connectors.plain import stamp
from boutre.connectors.sinks.migration.dialect import Connection as OpenConnection
from boutre.connectors.sinks.migration.dialect import Dialect, storable
from boutre.connectors.sinks.migration.rows import Value
from boutre.durable import all_or_nothing
from boutre.errors import BusError, Refuse, Retry, Unavailable

BUSY_SECONDS: Final = 5.0
LATER: Final = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR})


def _scrub(connection: OpenConnection) -> None:
    connection.run("VACUUM")
    # The log holds pages too, until it is brought into the file.
    ((busy, *_),) = connection.rows("PRAGMA wal_checkpoint(TRUNCATE)")
    if busy:
        raise Retry("the file is being read, and old pages must be overwritten first", after=1.0)


DIALECT: Final = Dialect(
    name="sqlite",
    types={"moment": "TEXT", "flag": "INTEGER", "real": "REAL", "document": "TEXT", "bytes": "BLOB"},
    extras={1: ("CREATE INDEX position_place ON position (latitude, longitude)",)},
    lock=(),  # BEGIN IMMEDIATE keeps every other writer out.
    beside=(),
    alone=(),
    scrub=_scrub,
)


class Connection:
    """
    An open SQLite file.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Commit what the block did, durably, when it ends; undo all of it when it raises."""
        with _told(), all_or_nothing(self._connection):
            yield

    def run(self, statement: str, values: Sequence[Value] = ()) -> int:
        """Run one statement; returns how many rows it wrote."""
        with _told():
            return self._connection.execute(statement, [_adapt(value) for value in values]).rowcount

    def rows(self, statement: str, values: Sequence[Value] = ()) -> list[tuple[Any, ...]]:
        """Run one query."""
        with _told():
            return self._connection.execute(statement, [_adapt(value) for value in values]).fetchall()

    def script(self, statements: Sequence[str]) -> None:
        """Run statements that need no values."""
        for statement in statements:
            self.run(statement)


@contextmanager
def connect(path: Path) -> Iterator[Connection]:
    """
    Open or make the file *path*; raises Unavailable where that cannot be.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None)
    except (OSError, sqlite3.Error) as failure:
        raise Unavailable(
            f"{path} cannot be opened: {type(failure).__name__}; look at its folder and who may write there"
        ) from None
    with closing(connection):
        with _told():
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA foreign_keys = ON")
            # Deleted rows are overwritten, and nothing goes to temporary files.
            connection.execute("PRAGMA secure_delete = ON")
            connection.execute("PRAGMA temp_store = MEMORY")
        yield Connection(connection)


def _adapt(value: Value) -> str | int | float | bytes | None:
    value = storable(value)
    if isinstance(value, datetime):
        return stamp(value)
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict) else value


@contextmanager
def _told() -> Iterator[None]:
    """Turn SQLite's errors into what is to be done; their texts, which may hold values, are not passed on."""
    try:
        yield
    except BusError:
        raise
    except (sqlite3.IntegrityError, sqlite3.DataError, OverflowError) as failure:
        raise Refuse("not-storable", f"SQLite does not take this view: {type(failure).__name__}") from None
    except sqlite3.Error as failure:
        code = getattr(failure, "sqlite_errorcode", 0)
        name = getattr(failure, "sqlite_errorname", type(failure).__name__)
        if code & 0xFF in LATER:
            raise Retry(f"SQLite cannot write now: {name}", after=1.0) from None
        raise Unavailable(f"SQLite failed: {name}; is this file a migration database, and may you write to it?") from None
