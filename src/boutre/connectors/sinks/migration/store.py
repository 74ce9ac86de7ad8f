"""
Makes the tables of the migration database, and writes views into them once each.

A view's entry in the inbox and all its rows are one transaction. So a view that comes again, after a crash between writing and
moving the position, or since two sinks read the same topics, finds its entry and has no further effect.

Keys are made before the rows that lie under them, and destroyed before those are deleted: a crash leaves a key that nobody uses, or
rows that nobody can open.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib import resources
from typing import Final

from boutre.connectors.delivery import LINK, Delivery
from boutre.connectors.plain import plain
from boutre.connectors.sinks.migration.dialect import Database, Dialect, statements
from boutre.connectors.sinks.migration.erasing import RETRACTION, agree, erase, erases, pass_over
from boutre.connectors.sinks.migration.personal import Divided, divide, encrypt
from boutre.connectors.sinks.migration.record_keys import Destroyed, Held, Key, Name
from boutre.connectors.sinks.migration.rows import rows
from boutre.connectors.sinks.migration.upgrade import encrypt_all, enter, scrub
from boutre.errors import Unavailable

VERSIONS: Final = tuple(
    sorted(
        int(each.name.removesuffix(".sql"))
        for each in resources.files(__package__).joinpath("versions").iterdir()
        if each.name.endswith(".sql")
    )
)
ENCRYPTED: Final = 2
"""The version since which personal groups are encrypted."""

INBOX: Final = (
    'INSERT INTO inbox (view_id, topic, "partition", "offset", "at") VALUES (?, ?, ?, ?, ?) ON CONFLICT (view_id) DO NOTHING'
)


def prepare(database: Database) -> int:
    """
    Bring the tables up to this version, and open the keys; returns how many versions were added.

    All versions and their entries in ``schema_version`` are one transaction. Raises Unavailable where the database is newer than
    this program, since an old program would leave new columns empty without a word, and where its keys are not there.
    """
    connection, dialect = database.connection, database.dialect
    with connection.transaction():
        connection.script(dialect.lock)
        connection.run(
            f"CREATE TABLE IF NOT EXISTS schema_version (version BIGINT PRIMARY KEY, at {dialect.types['moment']} NOT NULL)"
        )
        there = {int(version) for (version,) in connection.rows("SELECT version FROM schema_version")}
        if there and max(there) > VERSIONS[-1]:
            message = f"the migration database has version {max(there)}, this program knows {VERSIONS[-1]}; use a newer boutre"
            raise Unavailable(message)
        missing = [version for version in VERSIONS if version not in there]
        for version in missing:
            connection.script([*statements(_text(version, dialect)), *dialect.extras.get(version, ())])
            connection.run("INSERT INTO schema_version (version, at) VALUES (?, ?)", (version, datetime.now(UTC)))
        bind(database)
        if ENCRYPTED in missing:
            # Once all tables are there: what is erased with it is erased from the newest of them too.
            encrypt_all(database)
        connection.script(dialect.alone)
        agree(database)
    scrub(database)
    return len(missing)


def bind(database: Database) -> None:
    """
    Open the keys that this database's personal groups lie under, and note which they are; raises Unavailable where they are others.
    """
    known = database.connection.rows("SELECT id FROM personal_keys")
    found = database.keys.bind(known[0][0] if known else None)
    if not known:
        database.connection.run("INSERT INTO personal_keys (id) VALUES (?)", (found,))


def store(database: Database, batch: Sequence[Delivery]) -> int:
    """
    Write all views of *batch* that are not there yet, in one transaction; returns how many were new.

    What a retraction of the batch erases is erased, whether it comes before or after it.
    """
    erased = [name for view in batch if (name := erases(view))]
    if erased:
        database.keys.destroy(erased)
    parts = [(view, divide(plain(view.value))) for view in batch]
    fresh = 0
    with database.connection.transaction():
        # Keys are looked up inside, so that none is destroyed between this and the rows that lie under it.
        database.connection.script(database.dialect.alone if erased else database.dialect.beside)
        keys = _keys(database, parts)
        for view, divided in parts:
            entry = (view.id, view.topic, view.partition, view.offset, datetime.now(UTC))
            if database.connection.run(INBOX, entry):
                _write(database, view, divided, keys)
                fresh += 1
    return fresh


def _keys(database: Database, parts: Sequence[tuple[Delivery, Divided]]) -> Mapping[Name, Held]:
    keys = database.keys.find({_name(view) for view, _ in parts} | {name for view, _ in parts if (name := erases(view))})
    wanted = {_name(view) for view, divided in parts if divided.closed} - set(keys)
    return {**keys, **database.keys.make(wanted)} if wanted else keys


def _write(database: Database, view: Delivery, divided: Divided, keys: Mapping[Name, Held]) -> None:
    connection, name = database.connection, _name(view)
    key = keys.get(name)
    if isinstance(key, Destroyed) and view.kind != RETRACTION:
        pass_over(connection, view, key.at)
        return
    for row in rows(view, divided):
        statement = newest(row.columns) if row.table == LINK else insert(row.table, row.columns)
        connection.run(statement, tuple(row.columns.values()))
    if divided.closed and isinstance(key, Key):
        enter(database, view.id, encrypt(key, name, view.id, divided.closed))
    other = erases(view)
    gone = keys.get(other) if other else None
    if other and isinstance(gone, Destroyed):
        erase(connection, other, gone.at)


def _name(view: Delivery) -> Name:
    return Name(view.recipient, view.of)


def insert(table: str, columns: Mapping[str, object]) -> str:
    """
    Give the statement that inserts one row; names come from this package, values never stand in it.
    """
    marks = ", ".join("?" for _ in columns)
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})"  # noqa: S608 - see above


def newest(columns: Mapping[str, object]) -> str:
    """
    Give the statement that enters a link, in place of what an earlier view said of it; a view that comes late changes nothing.

    The bus counts how often it told a link, and begins anew once it has forgotten the link: then the time of release decides.
    """
    kept = ", ".join(f"{name} = excluded.{name}" for name in columns if name not in {"recipient", "link_id"})
    return (
        f"{insert(LINK, columns)} ON CONFLICT (recipient, link_id) DO UPDATE SET {kept} "
        "WHERE excluded.revision > link.revision "
        "OR (excluded.revision IN (link.revision, 0) AND excluded.released > link.released)"
    )


def _text(version: int, dialect: Dialect) -> str:
    text = resources.files(__package__).joinpath("versions", f"{version:04}.sql").read_text(encoding="utf-8")
    for name, kind in dialect.types.items():
        text = text.replace(f"{{{name}}}", kind)
    return text
