"""
Makes the tables of the migration database, and writes views into them once each.

A view's entry in the inbox and all its rows are one transaction. So a view that comes again, after a crash between writing and
moving the position, or since two sinks read the same topics, finds its entry and has no further effect.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib import resources
from typing import Final

from boutre.connectors.delivery import Delivery
from boutre.connectors.sinks.migration.dialect import Connection, Dialect, statements
from boutre.connectors.sinks.migration.rows import rows
from boutre.errors import Unavailable

VERSIONS: Final = tuple(
    sorted(
        int(each.name.removesuffix(".sql"))
        for each in resources.files(__package__).joinpath("versions").iterdir()
        if each.name.endswith(".sql")
    )
)

INBOX: Final = (
    'INSERT INTO inbox (view_id, topic, "partition", "offset", "at") VALUES (?, ?, ?, ?, ?) ON CONFLICT (view_id) DO NOTHING'
)


def prepare(connection: Connection, dialect: Dialect) -> int:
    """
    Bring the tables up to this version; returns how many versions were added.

    Each version and its entry in ``schema_version`` are one transaction. Raises Unavailable where the database is newer than this
    program, since an old program would leave new columns empty without a word.
    """
    added = 0
    with connection.transaction():
        connection.script(dialect.lock)
        connection.run(
            f"CREATE TABLE IF NOT EXISTS schema_version (version BIGINT PRIMARY KEY, at {dialect.types['moment']} NOT NULL)"
        )
        there = {int(version) for (version,) in connection.rows("SELECT version FROM schema_version")}
        if there and max(there) > VERSIONS[-1]:
            message = f"the migration database has version {max(there)}, this program knows {VERSIONS[-1]}; use a newer boutre"
            raise Unavailable(message)
        for version in VERSIONS:
            if version not in there:
                connection.script([*statements(_text(version, dialect)), *dialect.extras.get(version, ())])
                connection.run("INSERT INTO schema_version (version, at) VALUES (?, ?)", (version, datetime.now(UTC)))
                added += 1
    return added


def store(connection: Connection, batch: Sequence[Delivery]) -> int:
    """
    Write all views of *batch* that are not there yet, in one transaction; returns how many were new.
    """
    fresh = 0
    with connection.transaction():
        for view in batch:
            entry = (view.id, view.topic, view.partition, view.offset, datetime.now(UTC))
            if connection.run(INBOX, entry):
                for row in rows(view):
                    connection.run(insert(row.table, row.columns), tuple(row.columns.values()))
                fresh += 1
    return fresh


def insert(table: str, columns: Mapping[str, object]) -> str:
    """
    Give the statement that inserts one row; names come from this package, values never stand in it.
    """
    marks = ", ".join("?" for _ in columns)
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})"  # noqa: S608 - see above


def _text(version: int, dialect: Dialect) -> str:
    text = resources.files(__package__).joinpath("versions", f"{version:04}.sql").read_text(encoding="utf-8")
    for name, kind in dialect.types.items():
        text = text.replace(f"{{{name}}}", kind)
    return text
