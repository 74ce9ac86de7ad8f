"""
Brings a database of version 1, where personal groups stood in plain, to version 2: what it holds of them is encrypted.

All in the transaction that makes the new tables. What had been recalled with the scope ``erase``, which version 1 only wrote down,
is erased first. Then the old pages are overwritten (``Dialect.scrub``), and that is tried at each start until it is done.

A limit: backups, replicas and logs that a server shipped before still hold the plain text. Those have to be destroyed by hand.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any, Final

from boutre.connectors.sinks.migration.dialect import Database
from boutre.connectors.sinks.migration.erasing import erase
from boutre.connectors.sinks.migration.personal import Encrypted, divide, encrypt
from boutre.connectors.sinks.migration.record_keys import Key, Name

AT_ONCE: Final = 500

_ROWS: Final = "SELECT view_id, recipient, of_record, document FROM record WHERE view_id > ? ORDER BY view_id LIMIT ?"


def encrypt_all(database: Database) -> None:
    """
    Encrypt all personal groups that stand in plain, and carry out what was to be erased; within a transaction.
    """
    changed = _carry_out(database)
    last = ""
    while rows := database.connection.rows(_ROWS, (last, AT_ONCE)):
        last = rows[-1][0]
        changed |= _encrypted(database, rows)
    if changed:
        database.connection.run('INSERT INTO to_scrub ("at") VALUES (?)', (datetime.now(UTC),))


def scrub(database: Database) -> None:
    """
    Overwrite what the old pages still hold, where that is still to be done; outside of a transaction.
    """
    if database.connection.rows("SELECT 1 FROM to_scrub"):
        database.dialect.scrub(database.connection)
        database.connection.run("DELETE FROM to_scrub")


def _carry_out(database: Database) -> bool:
    rows = database.connection.rows(
        "SELECT DISTINCT r.recipient, c.of_record FROM recall AS c JOIN record AS r ON r.view_id = c.view_id "
        "WHERE c.scope = 'erase' AND c.of_record IS NOT NULL"
    )
    gone = database.keys.destroy([Name(*row) for row in rows]) if rows else {}
    return sum(erase(database.connection, name, at) for name, at in gone.items()) > 0


def _encrypted(database: Database, rows: list[tuple[Any, ...]]) -> bool:
    parts = [
        (view, Name(recipient, record), divide(json.loads(document) if isinstance(document, str) else document))
        for view, recipient, record, document in rows
    ]
    known = [(view, name, divided) for view, name, divided in parts if divided.closed]
    keys = database.keys.make({name for _, name, _ in known}) if known else {}
    for view, name, divided in known:
        key = keys[name]
        if isinstance(key, Key):
            enter(database, view, encrypt(key, name, view, divided.closed))
        database.connection.run("UPDATE record SET document = ? WHERE view_id = ?", (divided.shown, view))
        for group in divided.closed:
            database.connection.run("INSERT INTO encrypted (view_id, field) VALUES (?, ?)", (view, group))
    return bool(known)


def enter(database: Database, view: str, row: Encrypted) -> None:
    """
    Enter the encrypted groups of *view*; within a transaction.
    """
    columns = "view_id, algorithm, key_id, nonce, ciphertext"
    database.connection.run(f"INSERT INTO personal ({columns}) VALUES (?, ?, ?, ?, ?)", (view, *row))  # noqa: S608 - ours
