"""
The file in which an audit log stands: SQLite, so that a transaction is there whole or not at all, whatever ends the process.
"""

from __future__ import annotations

import os
import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

from boutre.durable import all_or_nothing
from boutre.errors import BusError, DeclarationError, Fault, Unavailable
from boutre.locks import held
from boutre.schemas.audit.entry import fingerprint

FILE: Final = "audit.sqlite"
FORM: Final = 1
BUSY_SECONDS: Final = 30
_DAMAGED: Final = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})

_TABLES: Final = (
    "CREATE TABLE about (identity TEXT NOT NULL, key TEXT NOT NULL)",
    "CREATE TABLE log (number INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, size INTEGER NOT NULL)",
    """CREATE TABLE entry (log INTEGER NOT NULL, place INTEGER NOT NULL, entry BLOB NOT NULL, nonce BLOB, receipt TEXT, view TEXT,
       partition INTEGER, offset INTEGER, PRIMARY KEY (log, place)) WITHOUT ROWID""",
    "CREATE INDEX entry_receipt ON entry (receipt) WHERE receipt IS NOT NULL",
    "CREATE INDEX entry_view ON entry (view) WHERE view IS NOT NULL",
    """CREATE TABLE node (log INTEGER NOT NULL, number INTEGER NOT NULL, hash BLOB NOT NULL, PRIMARY KEY (log, number))
       WITHOUT ROWID""",
    "CREATE TABLE position (partition INTEGER PRIMARY KEY, next INTEGER NOT NULL)",
    """CREATE TABLE checkpoint (log INTEGER NOT NULL, size INTEGER NOT NULL, note TEXT NOT NULL, PRIMARY KEY (log, size))
       WITHOUT ROWID""",
)


class Damaged(BusError):  # noqa: N818 - named for what it says
    """
    The file of the log is no longer one that SQLite can read.
    """


@contextmanager
def opened(folder: Path, key: bytes | None) -> Iterator[tuple[sqlite3.Connection, str]]:
    """
    Open the file of *folder* and give the identity of its log; with the operators' *key* one is begun where there is none.

    Raises DeclarationError where there is none to read or the key is another one, Damaged where the file cannot be read.
    """
    path = folder / FILE
    if key is None and not path.is_file():
        raise DeclarationError([Fault(str(path), "", "does not exist; boutre audit follow begins the log")])
    with told():
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not path.exists():
            os.close(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600))
        with closing(sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None)) as connection:
            for pragma in ("journal_mode = WAL", "synchronous = FULL", "secure_delete = ON"):
                connection.execute(f"PRAGMA {pragma}")
            yield connection, _identity(connection, path, key)


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """
    Keep every other follower out of *folder* as long as the block lasts; raises Unavailable where one is in it.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with held(folder / "follow.lock", f"another boutre audit follow writes to {folder}; one is enough"):
        yield


@contextmanager
def told() -> Iterator[None]:
    """
    Turn SQLite's errors into what is to be done; their texts are not passed on.
    """
    try:
        yield
    except sqlite3.Error as failure:
        name = getattr(failure, "sqlite_errorname", type(failure).__name__)
        if getattr(failure, "sqlite_errorcode", 0) & 0xFF in _DAMAGED:
            raise Damaged(
                f"the file of the audit log is damaged ({name}); bring it back from a backup, or begin a new log"
            ) from None
        raise Unavailable(
            f"the file of the audit log cannot be used now: {name}; look at its folder and who may write there"
        ) from None


def _identity(connection: sqlite3.Connection, path: Path, key: bytes | None) -> str:
    form = connection.execute("PRAGMA user_version").fetchone()[0]
    if form == 0 and key is not None:
        with all_or_nothing(connection):
            for table in _TABLES:
                connection.execute(table)
            connection.execute("INSERT INTO about VALUES (?, ?)", (secrets.token_hex(8), fingerprint(key)))
            connection.execute(f"PRAGMA user_version = {FORM}")
    elif form != FORM:
        raise DeclarationError([Fault(str(path), "", "was not written by this version of boutre audit")])
    identity, made_with = connection.execute("SELECT identity, key FROM about").fetchone()
    if key is not None and fingerprint(key) != made_with:
        raise DeclarationError([Fault(str(path), "", "is salted under another audit.key; bring that one back from its backup")])
    return str(identity)
