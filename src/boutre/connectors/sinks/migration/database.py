"""
The sink ``migration``: IOM's migration database, which stands apart from every operational system.

``sqlite:///relative.db`` and ``sqlite:////absolute.db`` are files; ``postgresql://user@host/name`` is a server with PostGIS. A
password belongs into ``PGPASSWORD`` or ``~/.pgpass``, not into the URL, which others can see in the list of processes.
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
from boutre.connectors.sinks.migration.dialect import Connection
from boutre.connectors.sinks.migration.store import prepare, store
from boutre.errors import DeclarationError, Fault


@dataclass(frozen=True, slots=True)
class Options:
    """
    Where the database is.
    """

    url: str


@contextmanager
def open_database(options: Options) -> Iterator[Connection]:
    """
    Connect to the database, and bring its tables up to this version.

    Raises DeclarationError for a URL of another kind, and what connecting raises.
    """
    parts = urlsplit(options.url)
    if parts.scheme == "sqlite" and not parts.netloc and len(parts.path) > 1:
        with sqlite.connect(Path(unquote(parts.path[1:]))) as file:
            prepare(file, sqlite.DIALECT)
            yield file
    elif parts.scheme in {"postgresql", "postgres"}:
        from boutre.connectors.sinks.migration import postgresql  # noqa: PLC0415 - psycopg is an extra

        with postgresql.connect(options.url) as server:
            prepare(server, postgresql.DIALECT)
            yield server
    else:
        message = "is neither sqlite:///file.db nor postgresql://user@host/name"
        raise DeclarationError([Fault("migration", "url", message)])


@sink("migration", opens=open_database)
def write(connection: Connection, batch: Sequence[Delivery]) -> None:
    """Write each view into the migration database, once in effect."""
    store(connection, batch)
