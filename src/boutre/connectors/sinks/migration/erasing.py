"""
Erases a record from the migration database: what is left of it when its key is destroyed.

The key goes first, for good, whatever happens to the rest; then its rows, in the transaction that enters the recall. After a crash
between the two the recall comes again, or ``agree`` finds it out at the next start. What stays is the inbox, so that a view that
comes again has no effect, and a row of ``erased`` for each view, which says when and what the record had taken the place of.

A retraction names nobody, and what it took back must stay taken back: its rows stay, even if it is taken back itself.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from boutre.connectors.delivery import Delivery
from boutre.connectors.sinks.feature import field
from boutre.connectors.sinks.migration.dialect import Connection, Database
from boutre.connectors.sinks.migration.record_keys import Name

RETRACTION: Final = "retraction"
ERASE: Final = "erase"

TABLES: Final = (
    "personal", "encrypted", "position", "persons", "person_count", "migration", "vulnerability", "trafficking", "action",
    "measure", "craft", "claim", "narrative", "warning", "listed", "withheld", "sealed", "field_state",
    "link_evidence", "link", "record",
)  # fmt: skip
"""All tables that hold rows of a view, those first that refer to others; but for ``recall``, which only a retraction has."""

_OF_RECORD: Final = "FROM record WHERE recipient = ? AND of_record = ? AND kind <> 'retraction'"


def erases(view: Delivery) -> Name | None:
    """
    Name the record that *view* has erased; None where it erases none, as in an exercise: that erases nothing.
    """
    record = field(view.value, "recall.record")
    wanted = view.kind == RETRACTION and field(view.value, "recall.scope") == ERASE and record
    return Name(view.recipient, record) if wanted and not view.value.get("exercise") else None


def erase(connection: Connection, name: Name, at: datetime) -> bool:
    """
    Delete all rows of a record whose key was destroyed *at*; within a transaction. Says whether there were any.
    """
    moved = connection.run(
        "INSERT INTO erased (view_id, recipient, of_record, revises, erased_at) "
        f"SELECT view_id, recipient, of_record, revises, ? {_OF_RECORD}",
        (at, *name),
    )
    if moved:
        for table in TABLES:
            connection.run(f"DELETE FROM {table} WHERE view_id IN (SELECT view_id {_OF_RECORD})", name)  # noqa: S608 - names of our own tables
    return bool(moved)


def pass_over(connection: Connection, view: Delivery, at: datetime) -> None:
    """
    Enter that *view* was not written, since its record was erased *at*; within a transaction.
    """
    connection.run(
        "INSERT INTO erased (view_id, recipient, of_record, revises, erased_at) VALUES (?, ?, ?, ?, ?)",
        (view.id, view.recipient, view.of, field(view.value, "lifecycle.revises"), at),
    )


def agree(database: Database) -> None:
    """
    Have database and keys agree on what was erased, whichever of them came out of a backup; within a transaction.
    """
    known = database.keys.destroyed()
    rows = database.connection.rows("SELECT DISTINCT recipient, of_record FROM erased")
    forgotten = [name for name in (Name(*row) for row in rows) if name not in known]
    again = database.keys.destroy(forgotten) if forgotten else {}
    for name, at in {**known, **again}.items():
        if database.connection.rows(f"SELECT view_id {_OF_RECORD} LIMIT 1", name):
            erase(database.connection, name, at)
