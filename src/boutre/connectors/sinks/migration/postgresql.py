"""
The migration database on a server: PostgreSQL with PostGIS, by the extra ``boutre[postgresql]``.

The table ``position`` has a column ``geometry`` of type ``geometry(Point, 4326)`` besides latitude and longitude, made from them by
the database itself, so that the two cannot disagree.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, Final

from boutre.connectors.sinks.migration.dialect import Connection as OpenConnection
from boutre.connectors.sinks.migration.dialect import Dialect, storable
from boutre.connectors.sinks.migration.rows import Value
from boutre.errors import BusError, DeclarationError, Fault, Refuse, Retry, Unavailable

try:
    import psycopg
    from psycopg.types.json import Jsonb
except ImportError as missing:
    raise DeclarationError([Fault("migration", "url", "PostgreSQL needs psycopg: pip install 'boutre[postgresql]'")]) from missing


def _scrub(connection: OpenConnection) -> None:
    # These hold what version 1 had in plain; tables that were dropped are gone with their files.
    for table in ("record", "narrative", "listed"):
        connection.run(f"VACUUM FULL {table}")


DIALECT: Final = Dialect(
    name="postgresql",
    types={"moment": "TIMESTAMPTZ", "flag": "BOOLEAN", "real": "DOUBLE PRECISION", "document": "JSONB", "bytes": "BYTEA"},
    extras={
        1: (
            (
                "ALTER TABLE position ADD COLUMN geometry geometry(Point, 4326) "
                "GENERATED ALWAYS AS (ST_SetSRID(ST_MakePoint(longitude, latitude), 4326)) STORED"
            ),
            "CREATE INDEX position_geometry ON position USING gist (geometry)",
            "CREATE INDEX record_document ON record USING gin (document jsonb_path_ops)",
        ),
    },
    # Any number that nobody else uses: two sinks that start at once must not both make the tables.
    lock=("SELECT pg_advisory_xact_lock(6021017)",),
    beside=("SELECT pg_advisory_xact_lock_shared(6021018)",),
    alone=("SELECT pg_advisory_xact_lock(6021018)",),
    scrub=_scrub,
)

CONNECT_SECONDS: Final = 10
WAIT_SECONDS: Final = 2.0


class Connection:
    """
    A connection that is opened when it is needed, and again after the server was away.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._connection: psycopg.Connection[tuple[Any, ...]] | None = None

    def close(self) -> None:
        """Close it."""
        if self._connection is not None:
            with suppress(psycopg.Error):
                self._connection.close()
            self._connection = None

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Commit what the block did, durably, when it ends; undo all of it when it raises."""
        with self._told(), self._open().transaction():
            yield

    def run(self, statement: str, values: Sequence[Value] = ()) -> int:
        """Run one statement, with ``?`` where values go; returns how many rows it wrote."""
        with self._told():
            return self._open().execute(_own(statement), [_adapt(value) for value in values]).rowcount

    def rows(self, statement: str, values: Sequence[Value] = ()) -> list[tuple[Any, ...]]:
        """Run one query."""
        with self._told():
            return self._open().execute(_own(statement), [_adapt(value) for value in values]).fetchall()

    def script(self, statements: Sequence[str]) -> None:
        """Run statements that need no values."""
        for statement in statements:
            self.run(statement)

    def _open(self) -> psycopg.Connection[tuple[Any, ...]]:
        if self._connection is None or self._connection.closed:
            self._connection = psycopg.connect(
                self._url, autocommit=True, connect_timeout=CONNECT_SECONDS, application_name="boutre"
            )
        return self._connection

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Turn the server's errors into what is to be done; their texts, which may hold values, are not passed on."""
        try:
            yield
        except BusError:
            raise
        except (psycopg.errors.SerializationFailure, psycopg.errors.DeadlockDetected):
            raise Retry("PostgreSQL asks to try again", after=0.2) from None
        except (
            psycopg.errors.InvalidPassword,
            psycopg.errors.InvalidAuthorizationSpecification,
            psycopg.errors.InvalidCatalogName,
        ):
            raise Unavailable("PostgreSQL does not let us in: look at user, password and database name of the URL") from None
        except (psycopg.errors.InsufficientPrivilege, psycopg.errors.UndefinedTable, psycopg.errors.UndefinedColumn) as failure:
            raise Unavailable(f"PostgreSQL refused: {type(failure).__name__}; may this user make and write the tables?") from None
        except (psycopg.DataError, psycopg.IntegrityError) as failure:
            raise Refuse("not-storable", f"PostgreSQL does not take this view: {type(failure).__name__}") from None
        except psycopg.OperationalError as failure:
            self.close()
            raise Retry(f"PostgreSQL does not answer: {type(failure).__name__}", after=WAIT_SECONDS) from None
        except psycopg.Error as failure:
            raise Unavailable(f"PostgreSQL failed: {type(failure).__name__} {failure.sqlstate or ''}".rstrip()) from None


@contextmanager
def connect(url: str) -> Iterator[Connection]:
    """
    Connect to the database of *url*, which has PostGIS or lets us add it.

    Raises Retry where it does not answer, and Unavailable where it does not let us in or has no PostGIS.
    """
    connection = Connection(url)
    try:
        _have_postgis(connection)
        yield connection
    finally:
        connection.close()


def _have_postgis(connection: Connection) -> None:
    asked = "SELECT 1 FROM pg_extension WHERE extname = 'postgis'"
    if connection.rows(asked):
        return
    try:
        with connection.transaction():
            connection.script(DIALECT.lock)
            if not connection.rows(asked):
                connection.run("CREATE EXTENSION postgis")
    except Unavailable:
        message = "the database has no PostGIS; install it on the server, and have its owner run: CREATE EXTENSION postgis"
        raise Unavailable(message) from None


def _own(statement: str) -> str:
    # All statements are this package's own, with names out of its own tables; values never stand in them.
    return statement.replace("?", "%s")


def _adapt(value: Value) -> Any:
    value = storable(value)
    return Jsonb(value) if isinstance(value, dict) else value
