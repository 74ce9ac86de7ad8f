"""
Which view is of which record, what was answered, what is still to be sent: one SQLite file beside Kafka.

What one look at Kafka brought is one transaction with how far was read, so that each message counts once whenever the process is
killed. What follows from it goes into an outbox in the same transaction, and is sent from there; a message that is sent twice has
the same id. The file holds no content of records: ids, names of parties, codes, and what people wrote in their answers.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple

from boutre.durable import all_or_nothing
from boutre.errors import DeclarationError, Fault, Unavailable
from boutre.locks import held

FILE: Final = "answers.sqlite"
FORM: Final = 1
BUSY_SECONDS: Final = 30

_TABLES: Final = (
    """CREATE TABLE view (view TEXT PRIMARY KEY, record TEXT NOT NULL, member TEXT NOT NULL, recipient TEXT NOT NULL,
       kind TEXT NOT NULL, at INTEGER NOT NULL) WITHOUT ROWID""",
    "CREATE INDEX view_record ON view (record, recipient)",
    "CREATE TABLE recall (record TEXT PRIMARY KEY, of TEXT NOT NULL, scope TEXT, at INTEGER NOT NULL) WITHOUT ROWID",
    "CREATE INDEX recall_of ON recall (of)",
    """CREATE TABLE answer (id TEXT PRIMARY KEY, recipient TEXT NOT NULL, view TEXT, said TEXT NOT NULL, frame BLOB NOT NULL,
       at INTEGER NOT NULL, due INTEGER, known INTEGER NOT NULL) WITHOUT ROWID""",
    "CREATE INDEX answer_view ON answer (view)",
    "CREATE TABLE reply (request TEXT PRIMARY KEY, id TEXT NOT NULL, said TEXT NOT NULL, at INTEGER NOT NULL) WITHOUT ROWID",
    "CREATE TABLE outbox (number INTEGER PRIMARY KEY, topic TEXT NOT NULL, key BLOB NOT NULL, value BLOB NOT NULL)",
    """CREATE TABLE position (topic TEXT NOT NULL, partition INTEGER NOT NULL, next INTEGER NOT NULL,
       PRIMARY KEY (topic, partition)) WITHOUT ROWID""",
)

Place = tuple[str, int]


class View(NamedTuple):
    """
    A view that was delivered: of which record, whose, to whom; *at* is its acceptance in milliseconds since 1970 UTC.
    """

    view: str
    record: str
    member: str
    recipient: str
    kind: str
    at: int


class Waiting(NamedTuple):
    """
    An answer that was read: its frame as it came; *known* says whether the bus has made out what it is to.
    """

    id: str
    recipient: str
    view: str | None
    said: str
    frame: bytes
    at: int
    due: int | None
    known: bool


class Recalled(NamedTuple):
    """
    Where one recall stands with one recipient: *said* is its answer, None where there is none yet.
    """

    recall: str
    record: str
    member: str
    recipient: str
    scope: str | None
    at: int
    said: str | None
    answered: int | None


class Asked(NamedTuple):
    """
    A request for release, with its owner's reply where there is one; times in milliseconds since 1970 UTC.
    """

    id: str
    recipient: str
    record: str
    member: str
    kind: str
    at: int
    due: int
    said: str | None
    answered: int | None


@dataclass(slots=True)
class AnswersStore:
    """
    An open store; made by ``open_answers``.
    """

    connection: sqlite3.Connection

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Do all of it, or nothing."""
        with _told(), all_or_nothing(self.connection):
            yield

    def positions(self) -> dict[Place, int]:
        """Give for each partition the next offset to read."""
        with _told():
            return {(topic, number): at for topic, number, at in self.connection.execute("SELECT * FROM position")}

    def move(self, positions: Mapping[Place, int]) -> None:
        """Remember how far was read; within a transaction."""
        rows = [(*place, at) for place, at in positions.items()]
        self.connection.executemany(
            "INSERT INTO position VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET next = max(next, excluded.next)", rows
        )

    def add_views(self, views: Iterable[View]) -> None:
        """Add views that were delivered; within a transaction."""
        self.connection.executemany("INSERT OR IGNORE INTO view VALUES (?, ?, ?, ?, ?, ?)", views)

    def add_recall(self, record: str, of: str, scope: str | None, at: int) -> None:
        """Add a recall of the record *of*; within a transaction."""
        self.connection.execute("INSERT OR IGNORE INTO recall VALUES (?, ?, ?, ?)", (record, of, scope, at))

    def add_answer(self, one: Waiting) -> bool:
        """Add an answer; within a transaction. Says whether it is a new one."""
        return self.connection.execute("INSERT OR IGNORE INTO answer VALUES (?, ?, ?, ?, ?, ?, ?, ?)", one).rowcount == 1

    def add_reply(self, identifier: str, request: str, said: str, at: int) -> bool:
        """Add an owner's reply; within a transaction. Says whether it is the first to that request, which holds."""
        return (
            self.connection.execute("INSERT OR IGNORE INTO reply VALUES (?, ?, ?, ?)", (request, identifier, said, at)).rowcount
            == 1
        )

    def unknown(self) -> list[Waiting]:
        """Give the answers of which it is not known yet what they are to."""
        return [Waiting(*row) for row in self.connection.execute("SELECT * FROM answer WHERE known = 0 ORDER BY at, id")]

    def made_out(self, identifier: str, due: int | None) -> None:
        """Note that an answer is made out, and until when a reply to it is due; within a transaction."""
        self.connection.execute("UPDATE answer SET known = 1, due = ? WHERE id = ?", (due, identifier))

    def view(self, identifier: str | None, recipient: str) -> View | None:
        """Give a view that this recipient got."""
        row = self.connection.execute("SELECT * FROM view WHERE view = ? AND recipient = ?", (identifier, recipient)).fetchone()
        return None if row is None else View(*row)

    def answer(self, identifier: str) -> Waiting | None:
        """Give an answer by its id."""
        row = self.connection.execute("SELECT * FROM answer WHERE id = ?", (identifier,)).fetchone()
        return None if row is None else Waiting(*row)

    def put(self, topic: str, key: bytes, value: bytes) -> None:
        """Put a message into the outbox; within a transaction."""
        self.connection.execute("INSERT INTO outbox (topic, key, value) VALUES (?, ?, ?)", (topic, key, value))

    def outbox(self, most: int) -> list[tuple[int, str, bytes, bytes]]:
        """Give what is to be sent, the oldest first."""
        with _told():
            return self.connection.execute("SELECT * FROM outbox ORDER BY number LIMIT ?", (most,)).fetchall()

    def unsent(self) -> int:
        """Count what is still to be sent."""
        with _told():
            return int(self.connection.execute("SELECT count(*) FROM outbox").fetchone()[0])

    def sent(self, numbers: Iterable[int]) -> None:
        """Take out of the outbox what Kafka has acknowledged."""
        with self.transaction():
            self.connection.executemany("DELETE FROM outbox WHERE number = ?", [(number,) for number in numbers])

    def recalls(self) -> list[Recalled]:
        """Give for each recall and each recipient that was told of it what the recipient answered last."""
        with _told():
            rows = self.connection.execute(
                """WITH told AS (SELECT view, said, at, row_number() OVER (PARTITION BY view ORDER BY at DESC, id DESC) AS place
                                 FROM answer WHERE known = 1 AND said IN ('erased', 'held', 'unreachable'))
                   SELECT recall.record, recall.of, view.member, view.recipient, recall.scope, recall.at, told.said, told.at
                   FROM recall JOIN view ON view.record = recall.record
                   LEFT JOIN told ON told.view = view.view AND told.place = 1 ORDER BY recall.at, view.recipient"""
            )
            return [Recalled(*row) for row in rows]

    def requests(self) -> list[Asked]:
        """Give all requests for release, the oldest first, each with its first reply."""
        with _told():
            rows = self.connection.execute(
                """SELECT answer.id, answer.recipient, view.record, view.member, view.kind, answer.at, answer.due,
                          reply.said, reply.at
                   FROM answer JOIN view ON view.view = answer.view LEFT JOIN reply ON reply.request = answer.id
                   WHERE answer.said = 'release-requested' AND answer.known = 1 ORDER BY answer.at, answer.id"""
            )
            return [Asked(*row) for row in rows]


@contextmanager
def open_answers(folder: Path, *, begin: bool = False) -> Iterator[AnswersStore]:
    """
    Open the store of *folder*; with *begin* one is begun where there is none, and every other follower is kept out.

    Raises DeclarationError where there is none, Unavailable where it cannot be used now.
    """
    path = folder / FILE
    if not begin and not path.is_file():
        raise DeclarationError([Fault(str(path), "", "does not exist; boutre answers follow begins it")])
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    only = f"another boutre answers follow writes to {folder}; one is enough"
    with held(folder / "follow.lock", only) if begin else nullcontext(), _told():
        if not path.exists():
            os.close(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600))
        with closing(sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None)) as connection:
            for pragma in ("journal_mode = WAL", "synchronous = FULL"):
                connection.execute(f"PRAGMA {pragma}")
            _formed(connection, path)
            yield AnswersStore(connection)


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
        raise Unavailable(
            f"the file of answers cannot be used now: {name}; look at its folder, or bring it back from a backup"
        ) from None
