"""
The migration database, on SQLite and on a real PostgreSQL with PostGIS.
"""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import permutations
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import ClassVar

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from boutre.connectors.delivery import KINDS, Delivery
from boutre.connectors.plain import plain
from boutre.connectors.sinks.migration import sqlite
from boutre.connectors.sinks.migration.database import Options, open_database, write
from boutre.connectors.sinks.migration.dialect import Connection, statements, storable
from boutre.connectors.sinks.migration.personal import divide
from boutre.connectors.sinks.migration.reading import read
from boutre.connectors.sinks.migration.rows import Row, rows
from boutre.connectors.sinks.migration.store import VERSIONS, prepare, store
from boutre.connectors.sinks.trial import SEEN, WITHHELD, SinkContract, delivery
from boutre.errors import DeclarationError, Refuse, Retry, Unavailable
from migration_views import ask, put
from postgresql_server import Server


def in_file(path: Path) -> Options:
    """A database in a file."""
    return Options(f"sqlite:///{path}")


def made(view: Delivery) -> tuple[Row, ...]:
    """The rows of a view."""
    return rows(view, divide(plain(view.value)))


class TestSqlite(SinkContract):
    """The database in a file is a sink."""

    sink = write

    def options(self, folder: Path) -> Options:
        """A file in a folder that is not there yet."""
        return Options(f"sqlite:///{folder}/sub/migration.db")

    def effect(self, options: Options) -> Sequence[str]:
        """The ids of all records."""
        return [row[0] for row in ask(options, "SELECT view_id FROM record")]


@pytest.mark.postgresql
class TestPostgresql(SinkContract):
    """The database on a server is a sink."""

    sink = write
    url: ClassVar[str]

    @pytest.fixture(autouse=True)
    def _database(self, database: str) -> None:
        type(self).url = database

    def options(self, folder: Path) -> Options:
        """A database of this test's own."""
        return Options(self.url, folder / "keys")

    def effect(self, options: Options) -> Sequence[str]:
        """The ids of all records."""
        return [row[0] for row in ask(options, "SELECT view_id FROM record")]


# --- what is written -------------------------------------------------------------------------------------------------------


def test_every_group_becomes_its_row(place: Options) -> None:
    """Counts, places, times and words stand in columns that can be asked for; the whole view stands beside them."""
    view = delivery("interception")
    put(place, view)

    assert ask(place, "SELECT kind, recipient, type, observed_precision, of_record FROM record") == [
        ("interception", "rcoc", "irregular-migration", "minute", view.of)
    ]
    assert ask(place, "SELECT latitude, longitude, accuracy_m FROM position") == [(-12.25, 44.75, 39_358.0)]
    assert ask(place, "SELECT total_min, total_max, missing_min, missing_max, injured_min FROM persons") == [
        (28, 30, 2, None, None)
    ]
    assert ask(place, "SELECT sex, age_band, count_min FROM person_count") == [("female", "child", 4)]
    assert ask(place, "SELECT departure, destination FROM migration") == [("Anjouan", "Mayotte")]
    assert ask(place, "SELECT kind, count_max FROM measure") == [("arrest", 2)]
    assert ask(place, "SELECT engine_power_kw_min, engine_kind FROM craft") == [(29.4, "outboard")]
    assert ask(place, "SELECT pregnant_min, medical_urgent, disembarkation FROM vulnerability") == [(1, True, None)]
    assert ask(place, "SELECT field FROM encrypted ORDER BY field") == [("victims",), ("vulnerability",)]
    assert ask(place, "SELECT value FROM listed WHERE field = 'craft.colours' ORDER BY n") == [("blue",), ("white",)]
    assert ask(place, "SELECT scheme FROM listed WHERE field = 'event.classes'") == [("cise-irregular-migration",)]
    assert ask(place, "SELECT field, method FROM field_state") == [("position", "grid 0.5 degree")]


def test_withheld_is_not_unknown(place: Options) -> None:
    """A group that was withheld has a row that says so; one that is unknown has none; neither has a row of its own."""
    put(place, delivery("interception", 0), delivery("interception", 1, trafficking=None))

    assert ask(place, "SELECT count(*) FROM trafficking") == [(0,)]
    assert ask(place, "SELECT clause, ask FROM withheld WHERE field = 'trafficking'") == [(WITHHELD.clause, WITHHELD.ask)]
    assert ask(place, "SELECT count(*) FROM withheld WHERE field = 'origin.unit'") == [(2,)]
    assert ask(place, "SELECT field, content_key_id FROM sealed") == [("victims", "case-1")] * 2


def test_the_document_is_the_whole_view(place: Options) -> None:
    """What has no column is in the document, exactly as delivered."""
    view = delivery("alert")
    put(place, view)
    ((document,),) = ask(place, "SELECT document FROM record")

    assert plain(view.value) == (json.loads(document) if isinstance(document, str) else document)


@pytest.mark.parametrize("kind", KINDS)
def test_rows_are_made_for_every_kind(kind: str) -> None:
    """The first row is the record, which the others refer to, and all are of this view."""
    found = made(delivery(kind))

    assert found[0].table == "record"
    assert {delivery(kind).id} == {row.columns["view_id"] for row in found}


def test_an_update_adds_and_never_overwrites(place: Options) -> None:
    """Both stand in the database; what holds now is the update alone, and after a cancellation nothing."""
    first = delivery("sighting", 0)
    second = delivery("sighting", 1, lifecycle={"status": "update", "revision": 1, "revises": first.of})
    third = delivery("sighting", 2, lifecycle={"status": "cancel", "revision": 2, "revises": second.of})
    put(place, first, second)
    before = ask(place, "SELECT view_id FROM current_record")
    put(place, third)

    assert before == [(second.id,)]
    assert ask(place, "SELECT count(*) FROM record") == [(3,)]
    assert ask(place, "SELECT view_id FROM current_record") == []


# --- links -----------------------------------------------------------------------------------------------------------------


def link(number: int, revision: int, status: str = "made", hours: int = 0, *, of: str = "link", **groups: object) -> Delivery:
    """A view of one link, told so many hours after the first time."""
    told = {**delivery("link").value["link"], "status": status, **groups}
    life = {"status": "cancel" if status == "withdrawn" else "update" if revision else "initial", "revision": revision}
    view = delivery("link", number, lifecycle=life, link=told)
    return replace(view, of=of, timestamp=view.timestamp + timedelta(hours=hours))


def test_a_link_is_one_row_with_what_it_rests_on(place: Options) -> None:
    """Its two views and records, its maker, its probability, its sentences and each comparison can be asked for."""
    view = link(0, 0)
    told = view.value["link"]
    put(place, view)

    assert ask(place, "SELECT link_id, view_id, type, status, reason, rule, probability, independent FROM link") == [
        ("link", view.id, "same-craft", "made", None, "kwassa@1", 0.87, True)
    ]
    assert ask(place, "SELECT view_one, view_other, record_one, record_other FROM link") == [(*told["views"], *told["records"])]
    assert ask(place, "SELECT explanation_en, explanation_fr FROM link") == [tuple(told["explanation"][it] for it in ("en", "fr"))]
    assert ask(place, "SELECT e.comparison, e.bits, e.sentence_fr FROM link JOIN link_evidence e USING (view_id) ORDER BY n") == [
        (each["comparison"], each["bits"], each["sentence"]["fr"]) for each in told["evidence"]
    ]


def test_a_link_that_is_withdrawn_is_marked_and_not_deleted(place: Options) -> None:
    """One row throughout, as told last; every view of it stays in record, and no link is counted among what holds of reports."""
    told = [link(0, 0), link(1, 1, probability=0.6), link(2, 2, "withdrawn", reason="recalled")]
    put(place, *told[:2])
    before = ask(place, "SELECT view_id, status, probability FROM current_link")
    put(place, told[2], delivery("sighting"), *told)

    assert before == [(told[1].id, "made", 0.6)]
    assert ask(place, "SELECT link_id, view_id, status, reason, revision FROM link") == [
        ("link", told[2].id, "withdrawn", "recalled", 2)
    ]
    assert ask(place, "SELECT view_id FROM current_link") == []
    assert ask(place, "SELECT count(*) FROM record WHERE kind = 'link'") == [(3,)]
    assert ask(place, "SELECT kind FROM current_record") == [("sighting",)]


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_a_link_stands_as_it_was_told_last_whatever_came_first(tmp_path: Path, order: Sequence[int]) -> None:
    """In whichever order its views are written, each by a sink of its own."""
    place = in_file(tmp_path / "migration.db")
    told = [link(0, 0, hours=0), link(1, 1, "unsure", hours=1), link(2, 2, "withdrawn", hours=1, reason="not-same")]
    for n in order:
        put(place, told[n])

    assert ask(place, "SELECT view_id, status FROM link") == [(told[2].id, "withdrawn")]


def test_a_link_that_was_forgotten_and_made_again_stands(place: Options) -> None:
    """The bus counts anew then: what was released later holds, and so does what is told of it after that."""
    put(place, link(0, 5, "withdrawn", reason="recalled"), link(1, 0, hours=9000))
    again = ask(place, "SELECT status, revision FROM link")
    put(place, link(2, 1, "withdrawn", hours=9001, reason="not-same"))

    assert again == [("made", 0)]
    assert ask(place, "SELECT status, reason, revision FROM link") == [("withdrawn", "not-same", 1)]


def test_links_of_recipients_are_their_own(place: Options) -> None:
    """The same name with another recipient is another link."""
    put(place, link(0, 0), replace(link(1, 1, "withdrawn", reason="recalled"), recipient="france"))

    assert ask(place, "SELECT recipient, status FROM link ORDER BY recipient") == [("france", "withdrawn"), ("rcoc", "made")]


def test_a_link_of_which_nothing_is_given_does_not_stand(place: Options) -> None:
    """What an earlier view said of it must not seem to hold."""
    bare = link(1, 1)
    put(place, link(0, 0), replace(bare, value={**bare.value, "link": WITHHELD}))

    assert ask(place, "SELECT status, view_one, revision FROM link") == [(None, None, 1)]
    assert ask(place, "SELECT count(*) FROM current_link") == [(0,)]
    assert ask(place, "SELECT field FROM withheld") == [("link",)]


# --- what holds ------------------------------------------------------------------------------------------------------------


def test_what_was_taken_back_holds_no_more(place: Options) -> None:
    """A retraction stands beside what it takes back, which is no longer current."""
    first, other = delivery("sighting", 0), delivery("sighting", 1)
    recall = {"record": first.of, "kind": "sighting", "scope": "retract", "reason": "wrong"}
    put(place, first, other, delivery("retraction", recall=recall))

    assert ask(place, "SELECT view_id FROM current_record") == [(other.id,)]
    assert ask(place, "SELECT scope, reason FROM recall") == [("retract", "wrong")]
    assert ask(place, "SELECT count(*) FROM record") == [(3,)]


def test_a_record_cut_anew_is_current_once(place: Options) -> None:
    """When other rules cut the same record again, both views are there, and the newer one is current."""
    old = delivery()
    new = replace(old, id="newer", timestamp=datetime(2026, 3, 10, tzinfo=UTC))
    put(place, new, old)

    assert ask(place, "SELECT view_id FROM current_record") == [("newer",)]


def test_what_somebody_wrote_stays_words(place: Options) -> None:
    """Quotes, statements and placeholders in a report are text; a NUL, which no database takes, is shown."""
    words = "'); DROP TABLE record; -- ? %s {moment} \0 é \U0001f6a4"
    text = [{"language": "fr", "text": words, "translation_of": None}]
    view = delivery("sighting", narrative=text)
    put(place, delivery("alert", warning={"headline": text}), view)

    assert ask(place, "SELECT text FROM narrative WHERE field = 'warning.headline'") == [(words.replace("\0", "␀"),)]
    assert read(place, view.id)["narrative"] == text


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(max_size=40), number=st.floats(allow_nan=False, allow_infinity=False), count=st.integers(-(2**63), 2**63 - 1))
def test_no_value_of_a_view_is_refused(place: Options, text: str, number: float, count: int) -> None:
    """Whatever a schema allows can be stored: any text, any number, any count."""
    made = delivery(
        claims=[{"attribute": "name", "value": text}],
        assessment={"probability": number},
        handling={"tlp": text, "retention_days": count},
    )
    view = replace(made, id=os.urandom(8).hex())
    put(place, view)

    with open_database(place) as database:
        found = database.connection.rows("SELECT value FROM claim WHERE view_id = ?", (view.id,))

    assert found == [(text.replace("\0", "␀"),)]


def test_a_number_that_is_none_is_unknown() -> None:
    """The codec refuses such numbers; should one come all the same, no database is given it."""
    assert [storable(value) for value in (float("nan"), float("inf"), 1.5, True)] == [None, None, 1.5, True]


@pytest.mark.postgresql
def test_positions_are_geometry(database: str, tmp_path: Path) -> None:
    """PostGIS finds what lies within a distance; where no position is known there is no point."""
    place = Options(database, tmp_path)
    put(place, delivery("sighting", 0), delivery("sighting", 1, position={"latitude": None, "longitude": None, "place": "Moya"}))
    near = (
        "SELECT ST_AsText(geometry), ST_SRID(geometry) FROM position "
        "WHERE ST_DWithin(geometry::geography, ST_SetSRID(ST_MakePoint(44.75, -12.2), 4326)::geography, 6000)"
    )

    assert ask(place, near) == [("POINT(44.75 -12.25)", 4326)]
    assert ask(place, "SELECT count(*) FROM position WHERE geometry IS NULL") == [(1,)]
    assert ask(place, "SELECT observed FROM record LIMIT 1") == [(SEEN,)]


# --- once in effect --------------------------------------------------------------------------------------------------------


def test_a_batch_is_written_whole_or_not_at_all(place: Options) -> None:
    """When one view cannot be written the whole batch is undone, entries in the inbox too, and can be written again."""
    good, bad = delivery("sighting", 0), replace(delivery("sighting", 1), of=None)  # type: ignore[arg-type]  # the point
    with write.open(place) as deliver:
        with pytest.raises(Refuse) as refused:
            deliver([good, bad])
        deliver([good])

    assert "sighting" not in str(refused.value)
    assert ask(place, "SELECT view_id FROM inbox") == [(good.id,)]
    assert ask(place, "SELECT view_id FROM record") == [(good.id,)]


KILLED = """
import os, sys
from pathlib import Path
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
with write.open(Options(sys.argv[1], Path(sys.argv[3]))) as deliver:
    deliver([delivery("sighting", number) for number in range(3)])
os.kill(os.getpid(), 9)
"""


@pytest.mark.parametrize("after", [0, 1, 20, 1_000_000])
def test_a_process_that_is_killed_leaves_all_or_nothing(place: Options, after: int, tmp_path: Path) -> None:
    """Killed between two rows it leaves nothing, killed after the commit everything; written again, nothing stands twice."""
    place = Options(place.url, tmp_path / "keys")
    done = subprocess.run([sys.executable, "-c", KILLED, place.url, str(after), str(place.keys)], check=False, timeout=60)
    there = ask(place, "SELECT count(*) FROM record")
    put(place, *(delivery("sighting", number) for number in range(3)))

    assert done.returncode == -9
    assert there == [(3 if after > 1000 else 0,)]
    assert ask(place, "SELECT count(*) FROM record") == [(3,)]
    assert ask(place, "SELECT count(*) FROM craft") == [(3,)]


@pytest.mark.postgresql
def test_two_sinks_at_once_write_each_view_once(server: Server, tmp_path: Path) -> None:
    """Two processes that start together, make the tables together and get the same views leave each view once."""
    server.sql("CREATE DATABASE for_two")
    place = Options(server.url("for_two"), tmp_path / "keys")
    script = (
        "import sys; from pathlib import Path; from boutre.connectors.sinks.migration.database import Options, write;"
        "from boutre.connectors.sinks.trial import delivery\n"
        "with write.open(Options(sys.argv[1], Path(sys.argv[2]))) as deliver:\n"
        "    for number in range(0, 40, 4):\n"
        "        deliver([delivery('sighting', n) for n in range(number, number + 4)])\n"
    )
    both = [subprocess.Popen([sys.executable, "-c", script, place.url, str(place.keys)]) for _ in range(2)]

    assert [0, 0] == [process.wait(timeout=60) for process in both]
    assert ask(place, "SELECT count(*), count(DISTINCT view_id) FROM record") == [(40, 40)]


@pytest.mark.postgresql
def test_a_server_that_was_away_is_used_again(server: Server, database: str, tmp_path: Path) -> None:
    """While it is away the sink asks to try later; what it then gets is there once."""
    place = Options(database, tmp_path)
    with write.open(place) as deliver:
        deliver([delivery()])
        server.stop()
        with pytest.raises(Retry):
            deliver([delivery(number=1)])
        server.start()
        deliver([delivery(number=1)])

    assert ask(place, "SELECT count(*) FROM record") == [(2,)]


def test_a_locked_file_is_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While another program writes to the file the sink asks to try later."""
    monkeypatch.setattr(sqlite, "BUSY_SECONDS", 0.01)
    file = tmp_path / "migration.db"
    with write.open(in_file(file)) as deliver:
        with closing(sqlite3.connect(file, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(Retry, match="SQLITE_BUSY"):
                deliver([delivery()])
            other.execute("ROLLBACK")
        deliver([delivery()])

    assert ask(in_file(file), "SELECT count(*) FROM record") == [(1,)]


# --- opening ---------------------------------------------------------------------------------------------------------------


def test_opening_again_changes_nothing(place: Options) -> None:
    """The tables are made once, and each version is entered once."""
    put(place, delivery())
    put(place, delivery())

    assert ask(place, "SELECT version FROM schema_version") == [(version,) for version in VERSIONS]


def test_a_newer_database_is_left_alone(place: Options) -> None:
    """An old program does not write into a database of a newer one, and says so."""
    with open_database(place) as database:
        database.connection.run("INSERT INTO schema_version (version, at) VALUES (?, ?)", (VERSIONS[-1] + 1, SEEN))
    with pytest.raises(Unavailable, match="newer boutre"):
        put(place, delivery())


@pytest.mark.parametrize("url", ["", "migration.db", "sqlite://", "sqlite:///", "sqlite://host/file", "mysql://host/name"])
def test_another_url_is_refused(url: str) -> None:
    """What is no URL of a database that we know is a fault of the declaration."""
    with pytest.raises(DeclarationError, match="neither"):
        put(Options(url), delivery())


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    """The message says what to look at, and the file stays as it was."""
    file = tmp_path / "notes.txt"
    file.write_text("not a database, " * 200)
    with pytest.raises(Unavailable, match="SQLITE_NOTADB"):
        put(in_file(file), delivery())

    assert file.read_text() == "not a database, " * 200


@pytest.mark.postgresql
def test_a_server_without_postgis_is_refused(server: Server, tmp_path: Path) -> None:
    """Who may not add PostGIS is told what its owner has to run, and no password of the URL is said."""
    server.sql("CREATE ROLE guest LOGIN")
    server.sql("CREATE DATABASE bare")
    url = server.url("bare").replace("postgres@", "guest:secret@")
    with pytest.raises(Unavailable, match="CREATE EXTENSION postgis") as refused:
        put(Options(url, tmp_path), delivery())

    assert "secret" not in str(refused.value)


def test_no_error_of_a_database_holds_a_value() -> None:
    """Neither the error nor what it came from tells what the view said."""
    view = replace(delivery(), of=None)  # type: ignore[arg-type]  # the point
    with TemporaryDirectory() as folder, pytest.raises(Refuse) as refused:
        put(in_file(Path(folder) / "m.db"), view)

    assert view.id not in f"{refused.value!r} {refused.value.__cause__!r}"
    assert refused.value.__suppress_context__


def test_statements_end_where_a_line_ends_with_a_semicolon() -> None:
    """Comments are left out, and a semicolon within a line ends nothing."""
    assert list(statements("-- one; two;\nA 'x;y' B;\n\nC\nD;\n")) == ["A 'x;y' B", "C\nD"]


def test_the_tables_of_both_databases_are_the_same(tmp_path: Path) -> None:
    """Every column that a view fills exists; what SQLite takes is what PostgreSQL is given."""
    filled: dict[str, set[str]] = {}
    for kind in KINDS:
        for row in made(delivery(kind)):
            filled.setdefault(row.table, set()).update(row.columns)
    with open_database(in_file(tmp_path / "m.db")) as database:
        columns: Callable[[str, Connection], set[str]] = lambda table, there: {  # noqa: E731 - used once
            name for _, name, *_ in there.rows(f"PRAGMA table_info({table})")
        }

        assert {table: names - columns(table, database.connection) for table, names in filled.items()} == {
            table: set() for table in filled
        }


def test_store_counts_what_was_new(tmp_path: Path) -> None:
    """What was there already is not counted."""
    with open_database(in_file(tmp_path / "m.db")) as database:
        assert prepare(database) == 0
        assert store(database, [delivery("sighting", 0), delivery("sighting", 1)]) == 2
        assert store(database, [delivery("sighting", 1), delivery("sighting", 2)]) == 1
