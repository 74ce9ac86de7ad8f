"""
A record that is erased cannot be read again: not from the database, not from a backup of it, not after a crash at any point.
"""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import replace
from itertools import permutations
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from boutre.connectors.delivery import Delivery
from boutre.connectors.plain import plain
from boutre.connectors.sinks.migration import store
from boutre.connectors.sinks.migration.database import Options, connect, write
from boutre.connectors.sinks.migration.dialect import Database
from boutre.connectors.sinks.migration.erasing import TABLES
from boutre.connectors.sinks.migration.reading import Erased, read
from boutre.connectors.sinks.migration.record_keys import Destroyed, Key, Name, RecordKeys
from boutre.connectors.sinks.trial import delivery
from boutre.errors import Refuse, Unavailable
from migration_views import Backup, ask, canary_view, files, keys_of, put, recall, secrets_in

LEFT = {"inbox", "erased", "recall"}
"""Tables that may still name a view whose record was erased."""


def left_of(place: Options, of: Delivery) -> set[str]:
    """The tables that hold a row of this view, as they are: no sink is started, which would mend some of it."""
    with connect(place) as database:
        held = {table for table in TABLES if database.connection.rows(f"SELECT 1 FROM {table} WHERE view_id = ?", (of.id,))}  # noqa: S608 - our own tables
        return held | {table for table in LEFT if database.connection.rows(f"SELECT 1 FROM {table} WHERE view_id = ?", (of.id,))}  # noqa: S608 - the same


def in_keys(folder: Path) -> bytes:
    """All bytes in the folder of keys."""
    return b"".join(path.read_bytes() for path in folder.iterdir())


def test_after_an_erasure_nothing_opens_it(place: Options, backup: Backup, tmp_path: Path) -> None:
    """
    Not the database, not a backup made before, with the same keys; and the key's bytes are nowhere in the folder of keys.

    Before, both open. Other records, and another recipient's views of a record of the same name, stay as they were.
    """
    of, again = canary_view(), replace(canary_view(), id="another view of it")
    others = [canary_view(number=1), canary_view(recipient="rmifc"), delivery("alert", 2)]
    put(place, of, again, *others)
    copy = backup(place)
    shutil.copytree(keys_of(place), tmp_path / "keys kept too long")
    with RecordKeys(keys_of(place)) as keys:
        keys.bind(ask(place, "SELECT id FROM personal_keys")[0][0])
        key = keys.find([Name("rcoc", of.of)])[Name("rcoc", of.of)]
    assert isinstance(key, Key)
    before = read(place, of.id), read(copy, of.id), key.secret in in_keys(keys_of(place))
    put(place, recall(of))

    assert (plain(of.value), plain(of.value), True) == before
    for where in (place, copy):
        with pytest.raises(Erased, match=r"was erased at 20\d\d-"):
            read(where, of.id)
    assert {"inbox", "erased"} == left_of(place, of) == left_of(place, again)
    assert key.secret not in in_keys(keys_of(place))
    assert len(secrets_in(keys_of(place))) == 2
    assert [plain(other.value) for other in others] == [read(place, other.id) for other in others]
    # What a copy of the keys means: it has to be destroyed too.
    assert read(replace(copy, keys=tmp_path / "keys kept too long"), others[0].id) == plain(others[0].value)
    assert key.secret in in_keys(tmp_path / "keys kept too long")


def test_rows_that_are_deleted_are_overwritten(tmp_path: Path) -> None:
    """Of the erased record the file of SQLite holds nothing any more: no craft, no place, no ciphertext."""
    place, of = Options(f"sqlite:///{tmp_path}/migration.db"), canary_view()
    put(place, *(delivery("sighting", number) for number in range(1, 20)), of)
    ((ciphertext,),) = ask(place, f"SELECT ciphertext FROM personal WHERE view_id = '{of.id}'")  # noqa: S608 - ours
    there = files(place)["migration.db"]
    put(place, recall(of, number=21))
    left = b"".join(files(place).values())

    assert b"canary craft.hull" in there
    assert ciphertext[:64] in there
    # The name of the record that it took the place of stays, so that this one does not come back.
    assert set(re.findall(rb"canary ([a-z_.]+)", left)) == {b"lifecycle.revises"}
    assert ciphertext[:64] not in left


def test_a_file_that_was_copied_as_it_stands_opens_no_more(tmp_path: Path) -> None:
    """Copied while it was open, with its log: whoever has the copy and today's keys has what is not personal."""
    place, of = Options(f"sqlite:///{tmp_path}/migration.db"), canary_view()
    copies = tmp_path / "copies"
    copies.mkdir()
    with write.open(place) as deliver:
        deliver([of])
        for name, data in files(place).items():
            (copies / name).write_bytes(data)
        deliver([recall(of)])
    copied = {path.name: path.stat().st_size > 0 for path in copies.iterdir()}
    copy = Options(f"sqlite:///{copies}/migration.db", keys_of(place))

    assert copied["migration.db-wal"]
    with pytest.raises(Erased):
        read(copy, of.id)


def test_a_view_that_comes_again_stays_erased(place: Options) -> None:
    """Delivered again, or cut anew under another id, nothing of it is written but that it came; no key is made."""
    of = canary_view()
    put(place, of, recall(of))
    put(place, of, recall(of), replace(of, id="cut anew"))

    assert {"inbox", "erased"} == left_of(place, of) == left_of(place, replace(of, id="cut anew"))
    assert secrets_in(keys_of(place)) == []
    with pytest.raises(Erased):
        read(place, "cut anew")


@pytest.mark.parametrize("parts", [1, 3])
def test_a_recall_before_its_record(place: Options, parts: int) -> None:
    """The record that comes later leaves no trace but its entry, and is never current; no key is ever made for it."""
    of, other = canary_view(), canary_view(number=1)
    batch = [recall(of), of, other]
    for number in range(parts):
        put(place, *batch[number * 3 // parts : (number + 1) * 3 // parts])

    assert {"inbox", "erased"} == left_of(place, of)
    assert len(secrets_in(keys_of(place))) == 1
    assert ask(place, "SELECT view_id FROM current_record") == [(other.id,)]
    assert ask(place, "SELECT scope, of_record FROM recall") == [("erase", of.of)]
    with pytest.raises(Erased):
        read(place, of.id)


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_whatever_the_order_the_end_is_the_same(order: tuple[int, ...], tmp_path: Path) -> None:
    """A record, its update and the update's erasure: what is current does not hang on what came first."""
    place = Options(f"sqlite:///{tmp_path}/migration.db")
    first = delivery("sighting", 0)
    update = delivery("sighting", 1, lifecycle={"status": "update", "revision": 1, "revises": first.of})
    views, other = (first, update, recall(update)), delivery("sighting", 2)
    for number in order:
        put(place, views[number])
    put(place, other)

    # As with a retraction, what the update had taken the place of does not come back.
    assert ask(place, "SELECT view_id FROM current_record") == [(other.id,)]
    assert ask(place, "SELECT count(*) FROM record") == [(3,)]
    assert {"inbox", "erased"} == left_of(place, update)


def test_a_retraction_is_not_undone_by_erasing_it(place: Options) -> None:
    """What was taken back stays so, even if somebody erases the retraction; it names nobody."""
    of = delivery("sighting")
    taken_back = recall(of, "retract", 5)
    put(place, of, taken_back, recall(taken_back, "erase", 6))

    assert ask(place, "SELECT view_id FROM current_record") == []
    assert ask(place, "SELECT count(*) FROM recall") == [(2,)]


def test_scope_retract_keeps_the_record(place: Options) -> None:
    """It is no longer current, and can still be read."""
    of = canary_view()
    put(place, of, recall(of, "retract"))

    assert read(place, of.id) == plain(of.value)
    assert ask(place, "SELECT count(*) FROM erased") == [(0,)]


# --- crashes -------------------------------------------------------------------------------------------------------------------


class Crash(Exception):  # noqa: N818 - what it is
    """A process that ends here."""


def before(_: Callable[..., object]) -> Callable[..., object]:
    """Crash instead of it."""

    def crash(*_: object) -> None:
        raise Crash

    return crash


def after(real: Callable[..., object]) -> Callable[..., object]:
    """Crash when it is done."""

    def crash(*arguments: object) -> None:
        real(*arguments)
        raise Crash

    return crash


@pytest.mark.parametrize("point", ["_keys", "_write", "erase"])
@pytest.mark.parametrize("when", [before, after])
@pytest.mark.parametrize("times", [0, 1])
def test_a_crash_at_any_point_opens_nothing(
    place: Options,
    point: str,
    when: Callable[[Callable[..., object]], Callable[..., object]],
    times: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Between key and rows: the record cannot be read from then on; its rows go when the recall comes again, or at the start."""
    of = canary_view()
    put(place, of)
    with monkeypatch.context() as crashing:
        crashing.setattr(store, point, when(getattr(store, point)))
        with pytest.raises(Crash):
            put(place, recall(of))
    with pytest.raises(Erased, match="its key is destroyed"):
        read(place, of.id)
    unread = secrets_in(keys_of(place))
    put(place, *[recall(of)] * times)

    assert unread == []
    assert {"inbox", "erased"} == left_of(place, of)
    assert ask(place, "SELECT count(*) FROM recall") == [(times,)]


def test_a_record_that_is_written_while_it_is_erased_is_erased(place: Options, monkeypatch: pytest.MonkeyPatch) -> None:
    """One sink has the record's key and is about to write, another destroys it: whoever comes first, nothing is left."""
    of, opened, has_key, may_write = canary_view(), Event(), Event(), Event()
    real = store._write

    def waiting(database: Database, view: Delivery, *more: Any) -> None:
        if view.id == of.id:
            has_key.set()
            may_write.wait(30)
        real(database, view, *more)

    def erase() -> None:
        with write.open(place) as deliver:
            opened.set()
            has_key.wait(30)
            deliver([recall(of)])

    monkeypatch.setattr(store, "_write", waiting)
    with ThreadPoolExecutor(2) as threads:
        erasing = threads.submit(erase)
        opened.wait(30)
        writing = threads.submit(put, place, of)
        while not erasing.done() and not (has_key.is_set() and not secrets_in(keys_of(place))):
            time.sleep(0.01)
        # It has to wait for the other; were it not to, it would be done by now, and find nothing to delete.
        wait([erasing], timeout=0.3)
        may_write.set()
        writing.result(30)
        erasing.result(30)

    assert {"inbox", "erased"} == left_of(place, of)


def test_a_crash_between_a_key_and_its_rows_loses_nothing(place: Options, monkeypatch: pytest.MonkeyPatch) -> None:
    """The key was made and the rows were not written: they are, under that key, when the view comes again."""
    of = canary_view()
    with monkeypatch.context() as crashing:
        crashing.setattr(store, "_keys", after(store._keys))
        with pytest.raises(Crash):
            put(place, of)
    made = secrets_in(keys_of(place))
    put(place, of)

    assert len(made) == 1
    assert made == secrets_in(keys_of(place))
    assert read(place, of.id) == plain(of.value)


def test_what_comes_out_of_a_backup_is_erased_again(tmp_path: Path, backup: Backup) -> None:
    """Of the database: the rows go at the next start. Of the keys: the key is destroyed at the next start."""
    place, of = Options(f"sqlite:///{tmp_path}/migration.db"), canary_view()
    put(place, of)
    old = backup(place)
    shutil.copytree(keys_of(place), tmp_path / "old keys")
    put(place, recall(of))
    put(old, canary_view(number=1))
    back = replace(place, keys=tmp_path / "old keys")
    there = len(secrets_in(tmp_path / "old keys"))
    put(back)

    assert {"inbox", "erased"} == left_of(old, of)
    assert (1, []) == (there, secrets_in(tmp_path / "old keys"))
    with pytest.raises(Erased):
        read(back, of.id)


# --- tables and keys -----------------------------------------------------------------------------------------------------------


def test_all_tables_of_a_view_are_emptied(tmp_path: Path) -> None:
    """A table that is added has to be added to those that are emptied, those first that refer to others."""
    place = Options(f"sqlite:///{tmp_path}/migration.db")
    put(place)
    query = "SELECT m.name FROM sqlite_master m JOIN pragma_table_info(m.name) c ON c.name = 'view_id' WHERE m.type = 'table'"

    assert {name for (name,) in ask(place, query)} == {*TABLES, *LEFT}
    assert TABLES[-1] == "record"


def bound(folder: Path, expected: str | None = None) -> RecordKeys:
    """Keys that are open."""
    keys = RecordKeys(folder)
    keys.bind(expected)
    return keys


def test_destroyed_keys_are_nowhere_in_the_file(tmp_path: Path) -> None:
    """Of a thousand records in any order, before and after they are seen: those that are destroyed, and no others."""
    names = [Name("rcoc", f"record {number * 7919 % 1009}") for number in range(1000)]
    gone = {*names[::3], Name("rcoc", "not seen yet")}
    with bound(tmp_path) as keys:
        made = {name: held.secret for name, held in keys.make(names).items() if isinstance(held, Key)}
        destroyed = keys.destroy(gone)
        keys.make([Name("rcoc", "not seen yet"), Name("rcoc", "another")])
        held = in_keys(tmp_path)

        assert len(made) == 1000
        assert {name for name, secret in made.items() if secret in held} == set(names) - gone
        assert set(destroyed) == gone == set(keys.destroyed())
        assert keys.destroy(gone) == destroyed
        assert {name: held.at for name, held in keys.find(gone).items() if isinstance(held, Destroyed)} == destroyed
        assert keys.find([Name("rcoc", "never heard of")]) == {}


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["make", "destroy", "open"]), st.integers(0, 4)), max_size=12))
def test_keys_are_made_once_and_destroyed_once(tmp_path_factory: pytest.TempPathFactory, acts: list[tuple[str, int]]) -> None:
    """Whatever is asked in whatever order, through any number of restarts: the same key, until it is destroyed for good."""
    folder = tmp_path_factory.mktemp("keys")
    keys, model = bound(folder), dict[Name, Key | Destroyed]()
    folder_id = keys.bind(None)
    for act, number in acts:
        name = Name("rcoc", str(number))
        if act == "make":
            held = keys.make([name])[name]
            assert model.setdefault(name, held) == held
        elif act == "destroy":
            at = keys.destroy([name])[name]
            before_it = model.get(name)
            model[name] = before_it if isinstance(before_it, Destroyed) else Destroyed(at)
        else:
            keys.__exit__()
            keys = bound(folder, folder_id)

        assert model == keys.find([Name("rcoc", str(each)) for each in range(5)])
    keys.__exit__()


def test_no_error_of_the_keys_holds_a_value(tmp_path: Path) -> None:
    """Neither a name that is none, nor a folder that is none."""
    with bound(tmp_path) as keys, pytest.raises(Refuse) as refused:
        keys.make([Name("rcoc", None)])  # type: ignore[arg-type]  # the point
    (tmp_path / "file").touch()
    with pytest.raises(Unavailable, match=r"FileExistsError|NotADirectoryError"):
        bound(tmp_path / "file")

    assert refused.value.__suppress_context__
    assert "rcoc" not in str(refused.value)


def test_a_database_has_one_folder_of_keys(tmp_path: Path) -> None:
    """A second database may take the same folder: what is erased from one is erased from the other at its next start."""
    first, of = Options(f"sqlite:///{tmp_path}/first.db", tmp_path / "keys"), canary_view()
    second = replace(first, url=f"sqlite:///{tmp_path}/second.db")
    put(first, of)
    put(second, of)
    put(first, recall(of))
    put(second)

    assert {"inbox", "erased"} == left_of(second, of)
    assert re.fullmatch("[0-9a-f]{32}", ask(second, "SELECT id FROM personal_keys")[0][0])


@pytest.mark.parametrize("scope", ["erase", "retract"])
def test_an_exercise_takes_nothing_real_back(place: Options, scope: str) -> None:
    """A recall of an exercise is entered, erases nothing and leaves a real record current; of an exercise it takes the record."""
    both = ((canary_view(), False), (canary_view(number=1), True))
    real, drill = (replace(of, value={**of.value, "exercise": exercise}) for of, exercise in both)
    put(place, real, drill, recall(real, scope, 2, exercise=True), recall(drill, scope, 3, exercise=True))

    assert [real.of] == [of for (of,) in ask(place, "SELECT of_record FROM current_record")]
    assert {real.of, drill.of} == {of for (of,) in ask(place, "SELECT of_record FROM record WHERE kind <> 'retraction'")}
