"""
What names people stands in the migration database encrypted: searched for byte by byte, and opened again with its key.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
import stat
import struct
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st

from boutre.connectors.delivery import KINDS, Delivery
from boutre.connectors.plain import plain
from boutre.connectors.sinks.migration.database import Options, open_database, write
from boutre.connectors.sinks.migration.personal import MARK, decrypt, divide, encrypt
from boutre.connectors.sinks.migration.reading import read
from boutre.connectors.sinks.migration.record_keys import Key, Name
from boutre.connectors.sinks.migration.rows import GROUPS, LISTS, RECORD, TEXTS, Row, rows
from boutre.connectors.sinks.trial import SEALED, WITHHELD, delivery, view
from boutre.errors import DeclarationError, Unavailable
from boutre.ops.command import main
from boutre.schemas.cases import OPEN, PERSONAL
from migration_views import (
    OPEN_TEXTS,
    PERSONAL_CANARY,
    Backup,
    ask,
    canary_view,
    closed_leaves,
    files,
    keys_of,
    put,
    recall,
)
from postgresql_server import Server
from records import any_record


def found(held: bytes) -> set[str]:
    """The personal fields whose canaries stand in these bytes."""
    return {path.decode() for path in PERSONAL_CANARY.findall(held)}


def ways(value: Any) -> set[bytes]:
    """How a value could stand in a file, where it is long enough not to stand there by chance."""
    match value:
        case str() if len(value) > 6:
            return {value.encode()}
        case float():
            return {repr(value).encode(), struct.pack(">d", value), struct.pack("<d", value)}
        case int() if value > 1e9:
            return {str(value).encode(), value.to_bytes(8, "big")}
    return set()


# --- nothing stands in plain ---------------------------------------------------------------------------------------------------


def test_no_personal_text_is_in_the_file_its_logs_or_its_backups(tmp_path: Path, backup: Backup) -> None:
    """Every value of every personal field is searched for, while the file is open too; those that are open are found."""
    place = Options(f"sqlite:///{tmp_path}/migration.db")
    of = canary_view()
    with write.open(place) as deliver:
        deliver([of, canary_view("sighting", 1), canary_view("alert", 2)])
        held = files(place)
    held |= {f"{name} when closed": data for name, data in files(place).items()}
    copy = backup(place)
    held |= {f"backup of {name}": data for name, data in files(copy).items()}
    hidden = [(path, way) for path, value in closed_leaves(of) for way in ways(value)]

    assert {"migration.db", "migration.db-wal", "backup of migration.db"} <= set(held)
    assert {path.split(".")[0] for path, _ in hidden} == set(PERSONAL)
    assert len(hidden) > 40
    assert [(name, path) for name, data in held.items() for path, way in hidden if way in data] == []
    assert set.union(*(found(data) for data in held.values())) == OPEN_TEXTS
    assert b"canary craft.hull" in held["migration.db-wal"]
    assert b"canary craft.hull" in held["backup of migration.db"]
    assert read(copy, of.id) == read(place, of.id) == plain(of.value)


@pytest.mark.postgresql
def test_no_personal_text_is_on_the_disk_of_a_server(server: Server, database: str, tmp_path: Path) -> None:
    """Neither in what it dumps nor in any of its files, its log of writes among them."""
    place = Options(database, tmp_path / "keys")
    of = canary_view()
    put(place, of)
    dump = server.run("pg_dump", "--inserts", database).encode()
    server.sql("CHECKPOINT")
    oid = server.sql("SELECT oid FROM pg_database WHERE datname = current_database()", database.rpartition("/")[2]).strip()
    folders = [server.folder / "data" / name for name in (f"base/{oid}", "pg_wal")]
    disk = [path.read_bytes() for folder in folders for path in folder.rglob("*") if path.is_file()]
    hidden = [(path, way) for path, value in closed_leaves(of) for way in ways(value)]

    assert b"canary craft.hull" in dump
    assert [path for path, way in hidden if way in dump] == []
    assert found(dump) == OPEN_TEXTS
    assert any(b"canary craft.hull" in data for data in disk)
    assert set.union(*map(found, disk)) <= OPEN_TEXTS
    assert read(place, of.id) == plain(of.value)


@pytest.mark.parametrize("kind", KINDS)
def test_every_view_is_read_back_as_it_was_delivered(kind: str, place: Options) -> None:
    """Whatever groups it has, and whatever is withheld, sealed or unknown in it."""
    views = [canary_view(kind), delivery(kind, 1)]
    put(place, *views)

    assert [plain(each.value) for each in views] == [read(place, each.id) for each in views]


def test_what_is_open_stands_in_columns_and_in_the_document(place: Options) -> None:
    """Numbers, a need for a doctor and a port can be asked for; the document says which groups are known beside them."""
    put(place, canary_view("interception"))
    ((document,),) = ask(place, "SELECT document FROM record")
    shown = json.loads(document) if isinstance(document, str) else document

    assert {name: {*OPEN.get(name, ()), MARK} for name in PERSONAL} == {name: set(shown[name]) for name in PERSONAL}
    assert [(name,) for name in sorted(PERSONAL)] == ask(place, "SELECT field FROM encrypted ORDER BY field")
    assert ask(place, "SELECT count(*) FROM vulnerability WHERE pregnant_min > 0 AND disembarkation IS NOT NULL") == [(1,)]
    assert ask(place, "SELECT count(*) FROM trafficking WHERE perpetrators_min > 0") == [(1,)]


def test_what_is_withheld_or_unknown_is_not_encrypted(place: Options) -> None:
    """It says by which clause, as before; what another sealed is encrypted once more, and has its row in sealed."""
    put(place, delivery("interception", victims=SEALED, suspects=WITHHELD, trafficking=None, vulnerability=SEALED))
    ((document,),) = ask(place, "SELECT document FROM record")
    shown = json.loads(document) if isinstance(document, str) else document

    assert [("victims",), ("vulnerability",)] == ask(place, "SELECT field FROM encrypted ORDER BY field")
    assert [("victims",), ("vulnerability",)] == ask(place, "SELECT field FROM sealed ORDER BY field")
    assert plain(WITHHELD) == shown["suspects"]
    assert shown["trafficking"] is None
    assert {MARK: True} == shown["victims"] == shown["vulnerability"]
    assert ask(place, "SELECT count(*) FROM vulnerability") == [(0,)]


def test_columns_are_those_that_are_declared_open() -> None:
    """No table, list or text takes more of a personal group than the declaration, nor less."""
    columns = {name: set(GROUPS[name].values()) for name in PERSONAL if name in GROUPS}
    paths = {*TEXTS, *LISTS, *RECORD.values()}

    assert {name: set(fields) for name, fields in OPEN.items()} == columns
    assert {path for path in paths if path.split(".")[0] in PERSONAL} == set()


@given(st.data(), st.sampled_from(KINDS))
def test_other_rows_do_not_depend_on_what_is_personal(data: st.DataObject, kind: str) -> None:
    """With personal groups and without them a view has the same rows, but for those that are theirs."""
    value = {**data.draw(any_record(kind)), "view": view(kind)["view"]}
    whole = replace(delivery(kind), value=value)
    bare = replace(whole, value={**value, **{name: None for name in PERSONAL if name in value}})

    def others(of: Delivery) -> list[Row]:
        cut = divide(plain(of.value))
        made = [row for row in rows(of, cut) if row.table not in {"encrypted", *PERSONAL} or row.columns.get("field") in TEXTS]
        head = {**made[0].columns, "document": {name: each for name, each in cut.shown.items() if name not in PERSONAL}}
        return [Row("record", head), *made[1:]]

    assert others(bare) == others(whole)
    assert divide(plain(bare.value)).closed == {}
    assert {name for name in PERSONAL if value.get(name) is not None} == set(divide(plain(value)).closed)


# --- the keys ------------------------------------------------------------------------------------------------------------------


def test_keys_stand_outside_of_the_database_for_their_owner_alone(place: Options) -> None:
    """A key for each record, two views of one record under the same; none of it in the database."""
    first = canary_view()
    put(place, first, replace(first, id="another view of it"), canary_view(number=1))
    folder = keys_of(place)

    assert stat.S_IMODE((folder / "keys.sqlite").stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert sorted(path.name for path in folder.iterdir()) == ["keys.sqlite"]
    assert ask(place, "SELECT count(*), count(DISTINCT key_id), count(DISTINCT nonce) FROM personal") == [(3, 2, 3)]
    assert len(secrets := {key.secret for key in _all_keys(folder)}) == 2
    if place.url.startswith("sqlite"):
        assert [name for name, data in files(place).items() if any(secret in data for secret in secrets)] == []


def _all_keys(folder: Path) -> list[Key]:
    with closing(sqlite3.connect(folder / "keys.sqlite")) as file:
        return [Key(*row) for row in file.execute("SELECT key_id, key FROM record JOIN secret USING (number)")]


def test_without_its_keys_a_database_is_not_written_and_not_read(place: Options) -> None:
    """The keys are never made anew without a word: neither when they are gone, nor when others stand there."""
    of = canary_view()
    put(place, of)
    folder = keys_of(place)
    folder.rename(folder.with_name("elsewhere"))
    with pytest.raises(Unavailable, match="is not there"):
        put(place, delivery())
    with pytest.raises(Unavailable, match="is not there"):
        read(place, of.id)
    there = folder.exists()
    put(Options(f"sqlite:///{folder.parent}/other.db", folder), delivery())
    with pytest.raises(Unavailable, match="of another database"):
        put(place, delivery())
    shutil.rmtree(folder)
    folder.mkdir()
    (folder / "keys.sqlite").touch()
    with pytest.raises(Unavailable, match="or none"):
        put(place, delivery())
    (folder / "keys.sqlite").write_text("no keys, " * 200)
    with pytest.raises(Unavailable, match="SQLITE_NOTADB"):
        put(place, delivery())

    assert not there
    assert read(replace(place, keys=folder.with_name("elsewhere")), of.id) == plain(of.value)


def test_a_server_needs_to_be_told_where_its_keys_are() -> None:
    """It is a fault of the declaration, found before anybody is asked."""
    with pytest.raises(DeclarationError, match="keys=FOLDER"):
        put(Options("postgresql://nobody@127.0.0.1:1/none"), delivery())


def test_a_row_opens_beside_its_own_view_alone(place: Options) -> None:
    """What was put beside another view of the same record, or changed by a bit, is told and not shown."""
    first = canary_view()
    second = replace(first, id="another view of it", value={**first.value, "id": "another view of it"})
    put(place, first, second)
    with open_database(place) as database:
        for statement in (
            "UPDATE personal SET nonce = (SELECT nonce FROM personal WHERE view_id = ?)",
            "UPDATE personal SET ciphertext = (SELECT ciphertext FROM personal WHERE view_id = ?)",
        ):
            database.connection.run(statement, (first.id,))

    assert read(place, first.id) == plain(first.value)
    with pytest.raises(Unavailable, match="was changed") as told:
        read(place, second.id)
    assert "canary" not in str(told.value)


@given(st.binary(min_size=32, max_size=32), st.integers(0, 40), st.integers(0, 7))
def test_no_bit_of_what_is_encrypted_can_be_another(secret: bytes, place: int, bit: int) -> None:
    """With another bit, key, record or view it opens to nothing."""
    key, name, closed = Key("one", secret), Name("rcoc", "record"), {"victims": [{"name": "Canary"}]}
    row = encrypt(key, name, "view", closed)
    position = place % len(row.ciphertext)
    other = bytearray(row.ciphertext)
    other[position] ^= 1 << bit

    assert decrypt(key, name, "view", row) == closed
    assert decrypt(key, name, "view", row._replace(ciphertext=bytes(other))) is None
    assert decrypt(key, name, "vie", row) is None
    assert decrypt(key, Name("rcocr", "ecord"), "view", row) is None
    assert decrypt(Key("two", secret), name, "view", row) is None
    assert decrypt(Key("one", bytes([secret[0] ^ 1 << bit]) + secret[1:]), name, "view", row) is None


# --- boutre migration show -----------------------------------------------------------------------------------------------------


def show(place: Options, of: str, *more: str) -> Result:
    """Run the command."""
    keys = ["--keys", str(place.keys)] if place.keys else []
    return CliRunner().invoke(main, ["migration", "show", of, "--url", place.url, *keys, *more])


def test_a_view_is_shown_with_its_personal_groups(place: Options) -> None:
    """As JSON, and as lines of path and value that steer no terminal; what another key sealed stays sealed."""
    of = delivery("interception", narrative=[{"language": "en", "text": "seen \x1b[2Jat night", "translation_of": None}])
    put(place, of)
    table = show(place, of.id).stdout

    assert plain(of.value) == json.loads(show(place, of.id, "--output", "json").stdout)
    assert "narrative[0].text  seen �[2Jat night\n" in table
    assert f"trafficking.withheld.clause  {WITHHELD.clause}\n" in table
    assert "victims.sealed.algorithm" in table
    assert "\x1b" not in table


def test_what_cannot_be_shown_is_told(place: Options) -> None:
    """An unknown view, an erased one, keys that are not there, a database that is not there: each by its exit status."""
    of = canary_view()
    put(place, of)
    shutil.move(keys_of(place), keys_of(place).with_name("elsewhere"))
    away = show(place, of.id)
    shutil.move(keys_of(place).with_name("elsewhere"), keys_of(place))
    unknown = show(place, "nothing")
    put(place, recall(of))
    erased = show(place, of.id)
    nowhere = show(Options("sqlite:///nowhere.db"), of.id)

    assert (away.exit_code, unknown.exit_code, erased.exit_code, nowhere.exit_code) == (3, 2, 1, 3)
    assert "is not there" in away.stderr
    assert "is no view that this database holds" in unknown.stderr
    assert f"the record of view {of.id} was erased at 20" in erased.stderr
    assert "nowhere.db is not there" in nowhere.stderr
    assert not Path("nowhere.db").exists()
