"""
The file in which the vault stands: SQLite, so that a transaction is there whole or not at all, whatever ends the process.

Secrets stand in a table of their own, each in a row that is added at the end and never grows. SQLite moves rows when others beside
them grow, and leaves copies behind that ``secure_delete`` does not reach: here there is nothing to move. No journal stays in the
folder, and nothing is put aside where the machine keeps passing files.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from boutre.durable import all_or_nothing
from boutre.errors import DeclarationError, Fault, Unavailable
from boutre.schemas.cases.secret_file import connected

FILE: Final = "cases.sqlite"
FORM: Final = 1
BUSY_SECONDS: Final = 3.0
"""Seconds that one waits for another: less than those after which Kafka takes a worker for dead, since it waits in its loop."""

TABLES: Final = (
    """CREATE TABLE IF NOT EXISTS key (number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, member TEXT NOT NULL, record TEXT,
       issued TEXT NOT NULL, destroyed TEXT)""",
    "CREATE TABLE IF NOT EXISTS secret (key INTEGER PRIMARY KEY, bytes BLOB NOT NULL)",
    "CREATE TABLE IF NOT EXISTS use (record TEXT NOT NULL, key INTEGER NOT NULL, PRIMARY KEY (record, key)) WITHOUT ROWID",
    """CREATE TABLE IF NOT EXISTS erased (record TEXT NOT NULL, member TEXT NOT NULL, at TEXT NOT NULL,
       PRIMARY KEY (record, member)) WITHOUT ROWID""",
    """CREATE TABLE IF NOT EXISTS place (topic TEXT NOT NULL, partition INTEGER NOT NULL, next INTEGER NOT NULL,
       PRIMARY KEY (topic, partition)) WITHOUT ROWID""",
)


def connect(folder: Path, *, begin: bool = False) -> sqlite3.Connection:
    """
    Open the file in *folder*, for any thread; *begin* makes one where there is none.

    Raises DeclarationError where there is none, Unavailable where it is no vault or cannot be opened.
    """
    path = folder / FILE
    if begin:
        _made(folder, path)
    elif not path.is_file():
        raise DeclarationError(
            [Fault(str(path), "", "does not exist; boutre cases begin makes it; for development, boutre keys dev")]
        )
    with told(path):
        connection = connected(path, patience=BUSY_SECONDS, any_thread=True)
        try:
            form = _formed(connection, begin=begin)
        except sqlite3.Error:
            connection.close()
            raise
    if form != FORM:
        connection.close()
        how = "boutre cases begin makes it" if form == 0 else "restore it, or use the boutre that wrote it"
        raise Unavailable(f"{path} is no vault of this version; {how}")
    return connection


@contextmanager
def told(path: Path) -> Iterator[None]:
    """
    Turn SQLite's errors into what is to be done; their texts are not passed on.
    """
    try:
        yield
    except sqlite3.Error as failure:
        name = getattr(failure, "sqlite_errorname", type(failure).__name__)
        raise Unavailable(f"the vault {path} cannot be used: {name}; look at the disk and at who may read it") from None


def _made(folder: Path, path: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    except OSError as failure:
        raise Unavailable(f"the vault {path} cannot be made: {type(failure).__name__}; look at who may write there") from None


def _formed(connection: sqlite3.Connection, *, begin: bool) -> int:
    if begin:
        with all_or_nothing(connection):
            if connection.execute("PRAGMA user_version").fetchone()[0] == 0:
                for table in TABLES:
                    connection.execute(table)
                connection.execute(f"PRAGMA user_version = {FORM}")
    return int(connection.execute("PRAGMA user_version").fetchone()[0])
