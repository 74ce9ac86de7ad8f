"""
Reads a view back from the migration database, with its personal groups opened. It changes nothing.
"""

from __future__ import annotations

import json
from typing import Any

from boutre.connectors.sinks.migration.database import Options, connect
from boutre.connectors.sinks.migration.dialect import Database
from boutre.connectors.sinks.migration.personal import Encrypted, decrypt
from boutre.connectors.sinks.migration.record_keys import Destroyed, Held, Name
from boutre.connectors.sinks.migration.store import VERSIONS
from boutre.errors import BusError, DeclarationError, Fault, Unavailable


class Erased(BusError):  # noqa: N818 - named for what became of it
    """
    The record of this view was erased; the message says when.
    """


def read(options: Options, view: str) -> dict[str, Any]:
    """
    Give the document of *view*, as it was delivered.

    Raises Erased; DeclarationError where there is no such view; Unavailable where the database or its keys cannot be used.
    """
    with connect(options, begin=False) as database:
        _same_version(database)
        rows = database.connection.rows("SELECT recipient, of_record, document FROM record WHERE view_id = ?", (view,))
        if not rows:
            raise _missing(database, view)
        recipient, record, held = rows[0]
        document: dict[str, Any] = json.loads(held) if isinstance(held, str) else held
        return {**document, **_opened(database, Name(recipient, record), view)}


def _opened(database: Database, name: Name, view: str) -> dict[str, Any]:
    rows = database.connection.rows("SELECT algorithm, key_id, nonce, ciphertext FROM personal WHERE view_id = ?", (view,))
    if not rows:
        return {}
    row = Encrypted(*rows[0])
    held = _held(database, name)
    if isinstance(held, Destroyed):
        raise Erased(f"the record of view {view} was erased at {held.at:%Y-%m-%d %H:%M:%S} UTC: its key is destroyed")
    groups = None if held is None else decrypt(held, name, view, row)
    if groups is None:
        message = (
            f"the key {row.key_id} of view {view} is not in {database.keys.folder}, or its row was changed; look at backups of both"
        )
        raise Unavailable(message)
    return groups


def _held(database: Database, name: Name) -> Held | None:
    """Give the key of a record, from the folder that the database calls its own."""
    ((folder,),) = database.connection.rows("SELECT id FROM personal_keys")
    database.keys.bind(folder)
    return database.keys.find([name]).get(name)


def _missing(database: Database, view: str) -> BusError:
    rows = database.connection.rows("SELECT recipient, of_record FROM erased WHERE view_id = ?", (view,))
    if not rows:
        return DeclarationError([Fault("VIEW", view, "is no view that this database holds")])
    held = _held(database, Name(*rows[0]))
    when = f" at {held.at:%Y-%m-%d %H:%M:%S} UTC" if isinstance(held, Destroyed) else ""
    return Erased(f"the record of view {view} was erased{when}: its rows are deleted and its key is destroyed")


def _same_version(database: Database) -> None:
    ((version,),) = database.connection.rows("SELECT max(version) FROM schema_version")
    if version != VERSIONS[-1]:
        told = f"the migration database has version {version}, this program reads {VERSIONS[-1]}"
        raise Unavailable(f"{told}; start its sink once, or use a newer boutre")
