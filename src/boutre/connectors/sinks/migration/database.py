"""
The sink ``migration``: IOM's migration database, which stands apart from every operational system.

``sqlite:///relative.db`` and ``sqlite:////absolute.db`` are files; ``postgresql://user@host/name`` is a server with PostGIS. A
password belongs into ``PGPASSWORD`` or ``~/.pgpass``, not into the URL, which others can see in the list of processes.

The keys of its personal groups stand in a folder of this machine, outside of the database and of its backups.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from boutre.connectors.delivery import Delivery
from boutre.connectors.sinks.contract import sink
from boutre.connectors.sinks.migration import sqlite
from boutre.connectors.sinks.migration.dialect import Database
from boutre.connectors.sinks.migration.record_keys import RecordKeys
from boutre.connectors.sinks.migration.store import prepare, store
from boutre.errors import DeclarationError, Fault, Unavailable


@dataclass(frozen=True, slots=True)
class Options:
    """
    Where the database is, and the folder of its keys; of a file of SQLite that is ``<file>.keys`` unless it is said.
    """

    url: str
    keys: Path | None = None


@contextmanager
def open_database(options: Options) -> Iterator[Database]:
    """
    Connect to the database, and bring its tables up to this version.

    Raises DeclarationError for options that cannot be used, and what connecting raises.
    """
    with connect(options) as database:
        prepare(database)
        yield database


@contextmanager
def connect(options: Options, *, begin: bool = True) -> Iterator[Database]:
    """
    Connect to the database as it is, its keys not opened yet; with *begin* a file is made where there is none.

    Raises DeclarationError for options that cannot be used, Unavailable where there is no file, and what connecting raises.
    """
    parts = urlsplit(options.url)
    if parts.scheme == "sqlite" and not parts.netloc and len(parts.path) > 1:
        path = Path(unquote(parts.path[1:]))
        if not begin and not path.is_file():
            raise Unavailable(f"{path} is not there; boutre sink run migration makes it")
        with sqlite.connect(path) as file, RecordKeys(options.keys or path.with_name(f"{path.name}.keys")) as keys:
            yield Database(file, sqlite.DIALECT, keys)
    elif parts.scheme in {"postgresql", "postgres"}:
        if options.keys is None:
            message = "name the folder of this database's keys, outside of the database and of its backups: keys=FOLDER"
            raise DeclarationError([Fault("migration", "keys", message)])
        from boutre.connectors.sinks.migration import postgresql  # noqa: PLC0415 - psycopg is an extra

        with postgresql.connect(options.url) as server, RecordKeys(options.keys) as keys:
            yield Database(server, postgresql.DIALECT, keys)
    else:
        message = "is neither sqlite:///file.db nor postgresql://user@host/name"
        raise DeclarationError([Fault("migration", "url", message)])


@sink("migration", opens=open_database)
def write(database: Database, batch: Sequence[Delivery]) -> None:
    """Write each view into the migration database, once in effect, what is personal encrypted."""
    store(database, batch)
