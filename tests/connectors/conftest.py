"""
A real PostgreSQL with PostGIS for the tests of the migration database, and a database of each kind that has nothing yet.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from boutre.connectors.sinks.migration.database import Options
from migration_views import Backup, keys_of
from postgresql_server import BINARIES, Server


def missing(reason: str) -> None:
    """Leave a test out, or fail it where everything must run."""
    if os.environ.get("BOUTRE_TEST_ALL"):
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """A PostgreSQL server with PostGIS at hand."""
    pytest.importorskip("psycopg", reason="psycopg is missing: pip install 'boutre[postgresql]'")
    if not BINARIES:
        missing("PostgreSQL is missing: apt-get install postgresql postgis")
    if os.geteuid() == 0 and shutil.which("runuser") is None:
        missing("PostgreSQL cannot be run by root, and runuser is missing")
    with TemporaryDirectory(prefix="boutre-postgresql-") as name:
        folder = Path(name)
        if os.geteuid() == 0:
            shutil.chown(folder, "postgres")
        made = Server(folder)
        made.run("initdb", "-D", str(folder / "data"), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale", "C")
        made.start()
        try:
            if not made.sql("SELECT 1 FROM pg_available_extensions WHERE name = 'postgis'").strip():
                missing("PostGIS is missing: apt-get install postgis")
            made.sql("CREATE DATABASE with_postgis")
            made.sql("CREATE EXTENSION postgis", "with_postgis")
            yield made
        finally:
            made.stop()


@pytest.fixture
def database(server: Server, request: pytest.FixtureRequest) -> str:
    """The URL of a database that only this test has."""
    name = f"boutre_{abs(hash(request.node.nodeid))}"
    server.sql(f"CREATE DATABASE {name} TEMPLATE with_postgis")
    return server.url(name)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Options:
    """A database that has nothing yet, of each kind in turn."""
    if request.param == "sqlite":
        return Options(f"sqlite:///{tmp_path}/migration.db")
    return Options(str(request.getfixturevalue("database")), tmp_path / "keys")


@pytest.fixture
def backup(request: pytest.FixtureRequest, tmp_path: Path) -> Backup:
    """A backup as whoever runs the database makes one; it is opened with the keys of the first."""

    def copied(place: Options) -> Options:
        if not place.url.startswith("sqlite"):
            server: Server = request.getfixturevalue("server")
            name = place.url.rpartition("/")[2]
            server.sql(f"CREATE DATABASE {name}_backup TEMPLATE {name}")
            return Options(server.url(f"{name}_backup"), place.keys)
        target = tmp_path / "backup" / "migration.db"
        target.parent.mkdir()
        path = Path(place.url.removeprefix("sqlite:///"))
        with closing(sqlite3.connect(path)) as file, closing(sqlite3.connect(target)) as other:
            file.backup(other)
        return Options(f"sqlite:///{target}", keys_of(place))

    return copied
