"""
The migration database, on SQLite and on a real PostgreSQL with PostGIS.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from boutre.connectors.delivery import KINDS, Delivery
from boutre.connectors.plain import plain
from boutre.connectors.sinks.migration import sqlite
from boutre.connectors.sinks.migration.database import Options, open_database, write
from boutre.connectors.sinks.migration.dialect import Connection, statements, storable
from boutre.connectors.sinks.migration.rows import rows
from boutre.connectors.sinks.migration.store import VERSIONS, prepare, store
from boutre.connectors.sinks.trial import SEEN, WITHHELD, SinkContract, delivery
from boutre.errors import DeclarationError, Refuse, Retry, Unavailable

BINARIES = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))


def missing(reason: str) -> None:
    """Leave a test out, or fail it where everything must run."""
    if os.environ.get("BOUTRE_TEST_ALL"):
        pytest.fail(reason)
    pytest.skip(reason)


class Server:
    """
    A PostgreSQL of these tests' own, in a folder that goes with it.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]

    def run(self, program: str, *arguments: str) -> str:
        """Run one of PostgreSQL's programs, which refuse to be root."""
        done = subprocess.run(
            [*self._user, str(BINARIES[-1] / program), *arguments], cwd="/", capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise RuntimeError(f"{program}: {done.stderr}")
        return done.stdout

    def start(self) -> None:
        """Start it, or start it again."""
        options = f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c fsync=off"
        self.run("pg_ctl", "-D", str(self.folder / "data"), "-l", str(self.folder / "log"), "-w", "-o", options, "start")

    def stop(self) -> None:
        """Stop it at once."""
        self.run("pg_ctl", "-D", str(self.folder / "data"), "-m", "immediate", "-w", "stop")

    def sql(self, statement: str, database: str = "postgres") -> str:
        """Run a statement as its owner."""
        return self.run("psql", "-h", "127.0.0.1", "-p", str(self.port), "-U", "postgres", "-d", database, "-Atqc", statement)

    def url(self, database: str) -> str:
        """The URL of one of its databases."""
        return f"postgresql://postgres@127.0.0.1:{self.port}/{database}"


@pytest.fixture(scope="module")
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
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database that has nothing yet, of each kind in turn."""
    return f"sqlite:///{tmp_path}/migration.db" if request.param == "sqlite" else str(request.getfixturevalue("database"))


def ask(url: str, query: str) -> list[tuple[Any, ...]]:
    """Ask a database what it holds."""
    with open_database(Options(url)) as connection:
        return connection.rows(query)


def put(url: str, *views: Delivery) -> None:
    """Write views into a database."""
    with write.open(Options(url)) as deliver:
        deliver(views)


class TestSqlite(SinkContract):
    """The database in a file is a sink."""

    sink = write

    def options(self, folder: Path) -> Options:
        """A file in a folder that is not there yet."""
        return Options(f"sqlite:///{folder}/sub/migration.db")

    def effect(self, options: Options) -> Sequence[str]:
        """The ids of all records."""
        return [row[0] for row in ask(options.url, "SELECT view_id FROM record")]


@pytest.mark.postgresql
class TestPostgresql(SinkContract):
    """The database on a server is a sink."""

    sink = write
    url: ClassVar[str]

    @pytest.fixture(autouse=True)
    def _database(self, database: str) -> None:
        type(self).url = database

    def options(self, _: Path) -> Options:
        """A database of this test's own."""
        return Options(self.url)

    def effect(self, options: Options) -> Sequence[str]:
        """The ids of all records."""
        return [row[0] for row in ask(options.url, "SELECT view_id FROM record")]


# --- what is written -------------------------------------------------------------------------------------------------------


def test_every_group_becomes_its_row(url: str) -> None:
    """Counts, places, times and words stand in columns that can be asked for; the whole view stands beside them."""
    view = delivery("interception")
    put(url, view)

    assert ask(url, "SELECT kind, recipient, type, observed_precision, of_record FROM record") == [
        ("interception", "rcoc", "irregular-migration", "minute", view.of)
    ]
    assert ask(url, "SELECT latitude, longitude, accuracy_m FROM position") == [(-12.25, 44.75, 39_358.0)]
    assert ask(url, "SELECT total_min, total_max, missing_min, missing_max, injured_min FROM persons") == [(28, 30, 2, None, None)]
    assert ask(url, "SELECT sex, age_band, count_min FROM person_count") == [("female", "child", 4)]
    assert ask(url, "SELECT departure, destination FROM migration") == [("Anjouan", "Mayotte")]
    assert ask(url, "SELECT kind, count_max FROM measure") == [("arrest", 2)]
    assert ask(url, "SELECT engine_power_kw_min, engine_kind FROM craft") == [(29.4, "outboard")]
    assert ask(url, "SELECT value FROM listed WHERE field = 'vulnerability.needs' ORDER BY n") == [("medical-care",), ("food",)]
    assert ask(url, "SELECT scheme FROM listed WHERE field = 'event.classes'") == [("cise-irregular-migration",)]
    assert ask(url, "SELECT field, method FROM field_state") == [("position", "grid 0.5 degree")]


def test_withheld_is_not_unknown(url: str) -> None:
    """A group that was withheld has a row that says so; one that is unknown has none; neither has a row of its own."""
    put(url, delivery("interception", 0), delivery("interception", 1, trafficking=None))

    assert ask(url, "SELECT count(*) FROM trafficking") == [(0,)]
    assert ask(url, "SELECT clause, ask FROM withheld WHERE field = 'trafficking'") == [(WITHHELD.clause, WITHHELD.ask)]
    assert ask(url, "SELECT count(*) FROM withheld WHERE field = 'origin.unit'") == [(2,)]
    assert ask(url, "SELECT field, content_key_id FROM sealed") == [("victims", "case-1")] * 2


def test_the_document_is_the_whole_view(url: str) -> None:
    """What has no column is in the document, exactly as delivered."""
    view = delivery("alert")
    put(url, view)
    ((document,),) = ask(url, "SELECT document FROM record")

    assert plain(view.value) == (json.loads(document) if isinstance(document, str) else document)


@pytest.mark.parametrize("kind", KINDS)
def test_rows_are_made_for_every_kind(kind: str) -> None:
    """The first row is the record, which the others refer to, and all are of this view."""
    made = rows(delivery(kind))

    assert made[0].table == "record"
    assert {delivery(kind).id} == {row.columns["view_id"] for row in made}


def test_an_update_adds_and_never_overwrites(url: str) -> None:
    """Both stand in the database; what holds now is the update alone, and after a cancellation nothing."""
    first = delivery("sighting", 0)
    second = delivery("sighting", 1, lifecycle={"status": "update", "revision": 1, "revises": first.of})
    third = delivery("sighting", 2, lifecycle={"status": "cancel", "revision": 2, "revises": second.of})
    put(url, first, second)
    before = ask(url, "SELECT view_id FROM current_record")
    put(url, third)

    assert before == [(second.id,)]
    assert ask(url, "SELECT count(*) FROM record") == [(3,)]
    assert ask(url, "SELECT view_id FROM current_record") == []


def test_what_was_taken_back_holds_no_more(url: str) -> None:
    """A retraction stands beside what it takes back, which is no longer current."""
    first, other = delivery("sighting", 0), delivery("sighting", 1)
    recall = {"record": first.of, "kind": "sighting", "scope": "retract", "reason": "wrong"}
    put(url, first, other, delivery("retraction", recall=recall))

    assert ask(url, "SELECT view_id FROM current_record") == [(other.id,)]
    assert ask(url, "SELECT scope, reason FROM recall") == [("retract", "wrong")]
    assert ask(url, "SELECT count(*) FROM record") == [(3,)]


def test_a_record_cut_anew_is_current_once(url: str) -> None:
    """When other rules cut the same record again, both views are there, and the newer one is current."""
    old = delivery()
    new = replace(old, id="newer", timestamp=datetime(2026, 3, 10, tzinfo=UTC))
    put(url, new, old)

    assert ask(url, "SELECT view_id FROM current_record") == [("newer",)]


def test_what_somebody_wrote_stays_words(url: str) -> None:
    """Quotes, statements and placeholders in a report are text; a NUL, which no database takes, is shown."""
    words = "'); DROP TABLE record; -- ? %s {moment} \0 é \U0001f6a4"
    put(url, delivery(narrative=[{"language": "fr", "text": words, "translation_of": None}]))

    assert ask(url, "SELECT text FROM narrative") == [(words.replace("\0", "␀"),)]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(max_size=40), number=st.floats(allow_nan=False, allow_infinity=False), count=st.integers(-(2**63), 2**63 - 1))
@pytest.mark.parametrize("place", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def test_no_value_of_a_view_is_refused(place: str, text: str, number: float, count: int, request: pytest.FixtureRequest) -> None:
    """Whatever a schema allows can be stored: any text, any number, any count."""
    folder = request.getfixturevalue("tmp_path")
    url = f"sqlite:///{folder}/any.db" if place == "sqlite" else str(request.getfixturevalue("database"))
    made = delivery(
        claims=[{"attribute": "name", "value": text}],
        assessment={"probability": number},
        handling={"tlp": text, "retention_days": count},
    )
    view = replace(made, id=os.urandom(8).hex())
    put(url, view)

    with open_database(Options(url)) as connection:
        found = connection.rows("SELECT value FROM claim WHERE view_id = ?", (view.id,))

    assert found == [(text.replace("\0", "␀"),)]


def test_a_number_that_is_none_is_unknown() -> None:
    """The codec refuses such numbers; should one come all the same, no database is given it."""
    assert [storable(value) for value in (float("nan"), float("inf"), 1.5, True)] == [None, None, 1.5, True]


@pytest.mark.postgresql
def test_positions_are_geometry(database: str) -> None:
    """PostGIS finds what lies within a distance; where no position is known there is no point."""
    put(database, delivery("sighting", 0), delivery("sighting", 1, position={"latitude": None, "longitude": None, "place": "Moya"}))
    near = (
        "SELECT ST_AsText(geometry), ST_SRID(geometry) FROM position "
        "WHERE ST_DWithin(geometry::geography, ST_SetSRID(ST_MakePoint(44.75, -12.2), 4326)::geography, 6000)"
    )

    assert ask(database, near) == [("POINT(44.75 -12.25)", 4326)]
    assert ask(database, "SELECT count(*) FROM position WHERE geometry IS NULL") == [(1,)]
    assert ask(database, "SELECT observed FROM record LIMIT 1") == [(SEEN,)]


# --- once in effect --------------------------------------------------------------------------------------------------------


def test_a_batch_is_written_whole_or_not_at_all(url: str) -> None:
    """When one view cannot be written the whole batch is undone, entries in the inbox too, and can be written again."""
    good, bad = delivery("sighting", 0), replace(delivery("sighting", 1), of=None)  # type: ignore[arg-type]  # the point
    with write.open(Options(url)) as deliver:
        with pytest.raises(Refuse) as refused:
            deliver([good, bad])
        deliver([good])

    assert "sighting" not in str(refused.value)
    assert ask(url, "SELECT view_id FROM inbox") == [(good.id,)]
    assert ask(url, "SELECT view_id FROM record") == [(good.id,)]


KILLED = """
import os, sys
from boutre.connectors.sinks.migration import store
from boutre.connectors.sinks.migration.database import Options, write
from boutre.connectors.sinks.trial import delivery
real, left = store.insert, int(sys.argv[2])
def insert(table, columns):
    global left
    left -= 1
    if left < 0:
        os.kill(os.getpid(), 9)
    return real(table, columns)
store.insert = insert
with write.open(Options(sys.argv[1])) as deliver:
    deliver([delivery("sighting", number) for number in range(3)])
os.kill(os.getpid(), 9)
"""


@pytest.mark.parametrize("after", [0, 1, 20, 1_000_000])
def test_a_process_that_is_killed_leaves_all_or_nothing(url: str, after: int) -> None:
    """Killed between two rows it leaves nothing, killed after the commit everything; written again, nothing stands twice."""
    done = subprocess.run([sys.executable, "-c", KILLED, url, str(after)], check=False, timeout=60)
    there = ask(url, "SELECT count(*) FROM record")
    put(url, *(delivery("sighting", number) for number in range(3)))

    assert done.returncode == -9
    assert there == [(3 if after > 1000 else 0,)]
    assert ask(url, "SELECT count(*) FROM record") == [(3,)]
    assert ask(url, "SELECT count(*) FROM craft") == [(3,)]


@pytest.mark.postgresql
def test_two_sinks_at_once_write_each_view_once(server: Server) -> None:
    """Two processes that start together, make the tables together and get the same views leave each view once."""
    server.sql("CREATE DATABASE for_two")
    database = server.url("for_two")
    script = (
        "import sys; from boutre.connectors.sinks.migration.database import Options, write;"
        "from boutre.connectors.sinks.trial import delivery\n"
        "with write.open(Options(sys.argv[1])) as deliver:\n"
        "    for number in range(0, 40, 4):\n"
        "        deliver([delivery('sighting', n) for n in range(number, number + 4)])\n"
    )
    both = [subprocess.Popen([sys.executable, "-c", script, database]) for _ in range(2)]

    assert [0, 0] == [process.wait(timeout=60) for process in both]
    assert ask(database, "SELECT count(*), count(DISTINCT view_id) FROM record") == [(40, 40)]


@pytest.mark.postgresql
def test_a_server_that_was_away_is_used_again(server: Server, database: str) -> None:
    """While it is away the sink asks to try later; what it then gets is there once."""
    with write.open(Options(database)) as deliver:
        deliver([delivery()])
        server.stop()
        with pytest.raises(Retry):
            deliver([delivery(number=1)])
        server.start()
        deliver([delivery(number=1)])

    assert ask(database, "SELECT count(*) FROM record") == [(2,)]


def test_a_locked_file_is_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While another program writes to the file the sink asks to try later."""
    monkeypatch.setattr(sqlite, "BUSY_SECONDS", 0.01)
    file = tmp_path / "migration.db"
    with write.open(Options(f"sqlite:///{file}")) as deliver:
        with closing(sqlite3.connect(file, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(Retry, match="SQLITE_BUSY"):
                deliver([delivery()])
            other.execute("ROLLBACK")
        deliver([delivery()])

    assert ask(f"sqlite:///{file}", "SELECT count(*) FROM record") == [(1,)]


# --- opening ---------------------------------------------------------------------------------------------------------------


def test_opening_again_changes_nothing(url: str) -> None:
    """The tables are made once, and each version is entered once."""
    put(url, delivery())
    put(url, delivery())

    assert ask(url, "SELECT version FROM schema_version") == [(version,) for version in VERSIONS]


def test_a_newer_database_is_left_alone(url: str) -> None:
    """An old program does not write into a database of a newer one, and says so."""
    with open_database(Options(url)) as connection:
        connection.run("INSERT INTO schema_version (version, at) VALUES (?, ?)", (VERSIONS[-1] + 1, SEEN))
    with pytest.raises(Unavailable, match="newer boutre"):
        put(url, delivery())


@pytest.mark.parametrize("url", ["", "migration.db", "sqlite://", "sqlite:///", "sqlite://host/file", "mysql://host/name"])
def test_another_url_is_refused(url: str) -> None:
    """What is no URL of a database that we know is a fault of the declaration."""
    with pytest.raises(DeclarationError, match="neither"):
        put(url, delivery())


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    """The message says what to look at, and the file stays as it was."""
    file = tmp_path / "notes.txt"
    file.write_text("not a database, " * 200)
    with pytest.raises(Unavailable, match="SQLITE_NOTADB"):
        put(f"sqlite:///{file}", delivery())

    assert file.read_text() == "not a database, " * 200


@pytest.mark.postgresql
def test_a_server_without_postgis_is_refused(server: Server) -> None:
    """Who may not add PostGIS is told what its owner has to run, and no password of the URL is said."""
    server.sql("CREATE ROLE guest LOGIN")
    server.sql("CREATE DATABASE bare")
    url = server.url("bare").replace("postgres@", "guest:secret@")
    with pytest.raises(Unavailable, match="CREATE EXTENSION postgis") as refused:
        put(url, delivery())

    assert "secret" not in str(refused.value)


def test_no_error_of_a_database_holds_a_value() -> None:
    """Neither the error nor what it came from tells what the view said."""
    view = replace(delivery(), of=None)  # type: ignore[arg-type]  # the point
    with TemporaryDirectory() as folder, pytest.raises(Refuse) as refused:
        put(f"sqlite:///{folder}/m.db", view)

    assert view.id not in f"{refused.value!r} {refused.value.__cause__!r}"
    assert refused.value.__suppress_context__


def test_statements_end_where_a_line_ends_with_a_semicolon() -> None:
    """Comments are left out, and a semicolon within a line ends nothing."""
    assert list(statements("-- one; two;\nA 'x;y' B;\n\nC\nD;\n")) == ["A 'x;y' B", "C\nD"]


def test_the_tables_of_both_databases_are_the_same(tmp_path: Path) -> None:
    """Every column that a view fills exists; what SQLite takes is what PostgreSQL is given."""
    filled: dict[str, set[str]] = {}
    for kind in KINDS:
        for row in rows(delivery(kind)):
            filled.setdefault(row.table, set()).update(row.columns)
    with sqlite.connect(tmp_path / "m.db") as connection:
        prepare(connection, sqlite.DIALECT)
        columns: Callable[[str, Connection], set[str]] = lambda table, there: {  # noqa: E731 - used once
            name for _, name, *_ in there.rows(f"PRAGMA table_info({table})")
        }

        assert {table: names - columns(table, connection) for table, names in filled.items()} == {table: set() for table in filled}


def test_store_counts_what_was_new(tmp_path: Path) -> None:
    """What was there already is not counted."""
    with sqlite.connect(tmp_path / "m.db") as connection:
        prepare(connection, sqlite.DIALECT)

        assert store(connection, [delivery("sighting", 0), delivery("sighting", 1)]) == 2
        assert store(connection, [delivery("sighting", 1), delivery("sighting", 2)]) == 1
