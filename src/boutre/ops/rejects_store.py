"""
What of the rejected was sent again from this machine: one small SQLite file, so that a run that was killed goes on where it was.

A line is written when Kafka has acknowledged a record, so what was on its way at a kill is sent once more; it has the same id, and
accept drops it as the same report. The file holds ids and reasons, and nothing of what records say.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, NamedTuple

from boutre.durable import all_or_nothing
from boutre.errors import DeclarationError, Fault, Unavailable
from boutre.locks import held

FILE: Final = "sent-again.sqlite"
FORM: Final = 1
BUSY_SECONDS: Final = 30

_TABLES: Final = (
    """CREATE TABLE sent (number INTEGER PRIMARY KEY, reject TEXT NOT NULL, record TEXT NOT NULL, code TEXT NOT NULL,
       at INTEGER NOT NULL)""",
    "CREATE INDEX sent_reject ON sent (reject)",
    "CREATE INDEX sent_record ON sent (record, code)",
)


class Sent(NamedTuple):
    """
    That a *record* was sent again because of a *reject* with this *code*.
    """

    reject: str
    record: str
    code: str


@dataclass(slots=True)
class SentAgain:
    """
    An open store; made by ``open_sent``.
    """

    connection: sqlite3.Connection

    def add(self, sent: Iterable[Sent], at: datetime) -> None:
        """Remember what Kafka has; it is on the disk when this returns."""
        milliseconds = round(at.timestamp() * 1000)
        with _told(), all_or_nothing(self.connection):
            self.connection.executemany(
                "INSERT INTO sent (reject, record, code, at) VALUES (?, ?, ?, ?)", [(*one, milliseconds) for one in sent]
            )

    def times(self, record: str, code: str) -> int:
        """Say how often a record was sent again for a reason."""
        with _told():
            asked = "SELECT count(*) FROM sent WHERE record = ? AND code = ?"
            return int(self.connection.execute(asked, (record, code)).fetchone()[0])

    def sent_at(self) -> dict[str, datetime]:
        """Give for each reject when its record was last sent again."""
        with _told():
            found = self.connection.execute("SELECT reject, max(at) FROM sent GROUP BY reject")
            return {reject: datetime.fromtimestamp(at / 1000, UTC) for reject, at in found}


@contextmanager
def open_sent(folder: Path, *, alone: bool = False) -> Iterator[SentAgain]:
    """
    Open the store of *folder*, and begin it where there is none; *alone* keeps out every other who would send.

    Raises Unavailable where another one sends, or the file cannot be used now; DeclarationError where it is of another form.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise Unavailable(f"{folder}, where it is kept what was sent again, cannot be made: {error.strerror}") from None
    path = folder / FILE
    with _held(folder, alone=alone), _told():
        if not path.exists():
            os.close(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600))
        with closing(sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None)) as connection:
            for pragma in ("journal_mode = WAL", "synchronous = FULL"):
                connection.execute(f"PRAGMA {pragma}")
            _formed(connection, path)
            yield SentAgain(connection)


@contextmanager
def _held(folder: Path, *, alone: bool) -> Iterator[None]:
    if not alone:
        yield
        return
    with held(folder / "lock", "another boutre rejects send-again runs on this machine; let it end first"):
        yield


def _formed(connection: sqlite3.Connection, path: Path) -> None:
    form: Any = connection.execute("PRAGMA user_version").fetchone()[0]
    if form == 0:
        with all_or_nothing(connection):
            for table in _TABLES:
                connection.execute(table)
            connection.execute(f"PRAGMA user_version = {FORM}")
    elif form != FORM:
        raise DeclarationError([Fault(str(path), "", f"has the form {form}, and this boutre knows {FORM}")])


@contextmanager
def _told() -> Iterator[None]:
    """Turn SQLite's errors into what is to be done; their texts are not passed on."""
    try:
        yield
    except sqlite3.Error as failure:
        name = getattr(failure, "sqlite_errorname", type(failure).__name__)
        raise Unavailable(f"the file of what was sent again cannot be used now: {name}; look at its folder") from None
