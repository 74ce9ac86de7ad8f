"""
A migration database of version 1, where what names people stood in plain, is brought to this version: encrypted, and blanked.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

from boutre.connectors.plain import plain
from boutre.connectors.sinks.migration import store, upgrade
from boutre.connectors.sinks.migration.database import Options, connect
from boutre.connectors.sinks.migration.dialect import Database, statements
from boutre.connectors.sinks.migration.personal import MARK
from boutre.connectors.sinks.migration.reading import Erased, read
from boutre.connectors.sinks.trial import SEALED, WITHHELD, delivery
from boutre.errors import Retry, Unavailable
from migration_views import ask, files, keys_of, put, recall, secrets_in

CANARY = "kept in plain by version 1"
AT = datetime(2026, 3, 9, tzinfo=UTC)

GROUPS: dict[str, Any] = {
    "trafficking": {"status": f"{CANARY} 1", "perpetrators": {"min": 1.0, "max": 2.0, "estimated": False}},
    "vulnerability": {"needs": [f"{CANARY} 2"], "risk": f"{CANARY} 3", "pregnant": {"min": 3.0, "max": 3.0, "estimated": False}},
    "victims": [{"name": f"{CANARY} 4 " + "and some more of it, so that the page overflows " * 200}],
    "suspects": WITHHELD,
    "narrative": [{"language": "fr", "text": f"{CANARY} 5", "translation_of": None}],
}


def views() -> list[Any]:
    """A view with personal groups, one without, one that another sealed, one that was recalled to be erased, and its recall."""
    gone = delivery("interception", 3, **GROUPS)
    sealed: dict[str, Any] = dict.fromkeys(GROUPS, SEALED)
    return [
        delivery("interception", 0, **GROUPS),
        delivery("sighting", 1, narrative=None),
        delivery("interception", 2, **sealed),
        gone,
        recall(gone),
    ]


def begin(place: Options) -> None:
    """Make a database as version 1 made it, with what it wrote of these views."""
    text = resources.files(store.__package__).joinpath("versions", "0001.sql").read_text(encoding="utf-8")
    with connect(place) as database:
        types = database.dialect.types
        for name, kind in types.items():
            text = text.replace(f"{{{name}}}", kind)
        with database.connection.transaction():
            database.connection.run(f"CREATE TABLE schema_version (version BIGINT PRIMARY KEY, at {types['moment']} NOT NULL)")
            database.connection.script([*statements(text), *database.dialect.extras[1]])
            database.connection.run("INSERT INTO schema_version (version, at) VALUES (1, ?)", (AT,))
            for view in views():
                _write(database, view)


def _write(database: Database, view: Any) -> None:
    def row(table: str, **columns: Any) -> None:
        database.connection.run(store.insert(table, {"view_id": 0, **columns}), (view.id, *columns.values()))

    document = plain(view.value)
    row("inbox", topic=view.topic, **{'"partition"': 0, '"offset"': view.offset, '"at"': AT})
    of = {"of_record": view.of, "recipient": view.recipient, "kind": view.kind}
    row("record", **of, exercise=True, released=AT, policy="trial", document=document)
    group = document.get("trafficking")
    if isinstance(group, dict) and "status" in group:
        row("trafficking", status=group["status"], perpetrators_min=1.0, perpetrators_max=2.0)
        row("vulnerability", risk=document["vulnerability"]["risk"], pregnant_min=3.0, pregnant_max=3.0)
        row("listed", field="vulnerability.needs", n=0, value=document["vulnerability"]["needs"][0])
        row("listed", field="craft.colours", n=0, value="blue")
        row("narrative", field="narrative", n=0, language="fr", text=document["narrative"][0]["text"])
        row("narrative", field="warning.headline", n=0, language="fr", text="à tous")
    if view.kind == "retraction":
        row("recall", of_record=view.value["recall"]["record"], kind="interception", scope="erase")


def test_what_stood_in_plain_is_encrypted_and_blanked(place: Options) -> None:
    """It is in no table, and on SQLite in no byte of the file; with its key it reads as it did. What is open stays in columns."""
    begin(place)
    first, second, sealed, _, back = views()
    was_there = CANARY.encode() in b"".join(files(place).values()) if place.url.startswith("sqlite") else True
    put(place)
    tables = ("record", "trafficking", "vulnerability", "listed", "narrative")
    held = [row for table in tables for row in ask(place, f"SELECT * FROM {table}")]  # noqa: S608 - named above

    assert was_there
    assert CANARY not in repr(held)
    assert all(CANARY.encode() not in data for data in files(place).values())
    assert [plain(view.value) for view in (first, second, sealed, back)] == [
        read(place, view.id) for view in (first, second, sealed, back)
    ]
    assert ask(place, "SELECT view_id, perpetrators_min, perpetrators_max FROM trafficking") == [(first.id, 1, 2)]
    assert ask(place, "SELECT view_id, pregnant_min, medical_urgent FROM vulnerability") == [(first.id, 3, None)]
    assert ask(place, "SELECT value FROM listed") == [("blue",)]
    assert ask(place, "SELECT text FROM narrative") == [("à tous",)]
    assert sorted(ask(place, "SELECT view_id, count(*) FROM encrypted GROUP BY view_id")) == sorted([(first.id, 4), (sealed.id, 5)])


def test_a_database_of_version_2_takes_links_and_keeps_what_it_has(place: Options, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is there stays as it was; links then have tables of their own, and are no reports."""
    first, *_ = views()
    with monkeypatch.context() as earlier:
        earlier.setattr(store, "VERSIONS", (1, 2))
        put(place, first)
        before = ask(place, "SELECT view_id FROM current_record")
    link = delivery("link")
    put(place, link)

    assert [(version,) for version in store.VERSIONS] == ask(place, "SELECT version FROM schema_version ORDER BY version")
    assert before == [(first.id,)] == ask(place, "SELECT view_id FROM current_record")
    assert plain(first.value) == read(place, first.id)
    assert ask(place, "SELECT view_id, link_id, status FROM current_link") == [(link.id, link.of, "made")]


def test_a_link_that_is_erased_leaves_no_row(place: Options) -> None:
    """As of any other record."""
    link = delivery("link")
    put(place, link, recall(link))

    assert ask(place, "SELECT count(*) FROM link") == ask(place, "SELECT count(*) FROM link_evidence") == [(0,)]
    assert ask(place, "SELECT view_id FROM erased") == [(link.id,)]


def test_what_was_to_be_erased_is_erased(place: Options) -> None:
    """Version 1 only wrote the recall down: now its record is gone, and was never given a key."""
    begin(place)
    *_, gone, back = views()
    put(place)
    put(place, gone)

    assert ask(place, "SELECT view_id FROM erased") == [(gone.id,)]
    assert ask(place, "SELECT of_record, scope FROM recall") == [(gone.of, "erase")]
    assert ask(place, "SELECT count(*) FROM record") == [(4,)]
    assert len(secrets_in(keys_of(place))) == 2
    assert read(place, back.id) == plain(back.value)
    with pytest.raises(Erased):
        read(place, gone.id)


def test_the_document_says_what_is_encrypted(place: Options) -> None:
    """As it does of views that come afterwards; what was withheld stays so."""
    begin(place)
    first, *_ = views()
    put(place)
    with connect(place) as database:
        ((document,),) = database.connection.rows("SELECT document FROM record WHERE view_id = ?", (first.id,))
    shown = json.loads(document) if isinstance(document, str) else document

    assert shown["trafficking"] == {"perpetrators": plain(GROUPS["trafficking"]["perpetrators"]), MARK: True}
    assert shown["victims"] == shown["narrative"] == {MARK: True}
    assert plain(WITHHELD) == shown["suspects"]


def test_a_database_that_was_not_brought_up_is_not_read(place: Options) -> None:
    """Reading changes nothing: it says that the sink has to be started once."""
    begin(place)
    with pytest.raises(Unavailable, match="has version 1"):
        read(place, views()[0].id)


def test_old_pages_are_overwritten_even_after_a_crash(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Should it not be done at once, since another reads the file, say, it is done at the next start."""
    place = Options(f"sqlite:///{tmp_path}/migration.db")
    begin(place)

    def busy(_: Database) -> None:
        raise Retry("somebody reads")

    with monkeypatch.context() as crashing:
        crashing.setattr(store, "scrub", busy)
        with pytest.raises(Retry):
            put(place)
    put(place)

    assert all(CANARY.encode() not in data for data in files(place).values())
    assert ask(place, "SELECT count(*) FROM to_scrub") == [(0,)]


def test_a_crash_while_it_is_brought_up_leaves_version_1(place: Options, monkeypatch: pytest.MonkeyPatch) -> None:
    """Half of it is nothing: the next start does it whole, with the keys that were made before."""
    begin(place)
    real, left = upgrade.enter, 1

    def crash(*arguments: Any) -> None:
        nonlocal left
        if not left:
            raise RuntimeError
        left -= 1
        real(*arguments)

    with monkeypatch.context() as crashing:
        crashing.setattr(upgrade, "enter", crash)
        with pytest.raises(RuntimeError):
            put(place)
    with connect(place) as database:
        versions = database.connection.rows("SELECT version FROM schema_version")
    made = secrets_in(keys_of(place))
    put(place)

    assert versions == [(1,)]
    assert made == secrets_in(keys_of(place))
    assert plain(views()[0].value) == read(place, views()[0].id)
