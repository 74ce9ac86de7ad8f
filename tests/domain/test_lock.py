"""
Locked schemas: what is locked stays, and nothing is locked that would break or mislead a reader.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from boutre.errors import DeclarationError
from boutre.ops.command import main
from boutre.schemas import locking
from boutre.schemas.codec import Codec
from boutre.schemas.hazards import hazards
from boutre.schemas.lock import Lock, Locked, core, load
from boutre.schemas.normal import normal

CORE = core()

Change = Callable[[dict[str, Any]], None]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the core schemas with their lock, to be spoilt."""
    return Path(shutil.copytree(CORE, tmp_path / "schemas"))


def edit(folder: Path, file: str, change: Change) -> None:
    """Change one schema file."""
    path = folder / file
    schema = json.loads(path.read_text(encoding="utf-8"))
    change(schema)
    path.write_text(json.dumps(schema, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def field_of(schema: dict[str, Any], name: str) -> dict[str, Any]:
    """One field of a record."""
    return next(field for field in schema["fields"] if field["name"] == name)


def new_field(schema: dict[str, Any]) -> None:
    """A field as version 2 may bring it."""
    schema["fields"].append(
        {
            "name": "anchored",
            "type": ["null", "boolean"],
            "default": None,
            "doc": "True where it lay at anchor.",
            "unit": "yes or no",
            "category": "craft",
        }
    )


def lines(schema: dict[str, Any]) -> None:
    """A list as version 2 may bring it."""
    schema["fields"].append(
        {
            "name": "lines",
            "type": {"type": "array", "items": "string"},
            "default": [],
            "doc": "Lines made fast.",
            "unit": "text",
            "category": "craft",
        }
    )


# --- The repository's own lock ------------------------------------------------------------------------------------------


def test_the_core_schemas_are_locked_and_sound() -> None:
    """What stands in schemas/ is what was locked last, whole and unchanged, and every check of it passes."""
    assert locking.check(CORE) == []


def test_no_registry_counts_up_to_our_ids() -> None:
    """Every locked id spells BOU in a frame and fits a signed 32-bit number, which is what Java reads."""
    for entry in load(CORE).entries:
        assert entry.id.to_bytes(4, "big").startswith(b"BOU")
        assert locking.FIRST_ID <= entry.id < 2**31


def test_every_kind_of_the_bus_is_locked() -> None:
    """A kind that has a schema has an id."""
    assert {"sighting", "interception", "alert", "retraction", "receipt", "reject"} <= load(CORE).kinds


# --- Locking ------------------------------------------------------------------------------------------------------------


def test_locking_again_changes_nothing(folder: Path) -> None:
    """Where nothing differs, nothing is written."""
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}

    assert locking.lock(folder) == []
    assert before == {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_first_lock_numbers_from_the_first_id(folder: Path) -> None:
    """An empty folder of locks gets every kind as version 1, with ids that follow one another."""
    shutil.rmtree(folder / "locked")
    (folder / "lock.toml").unlink()

    added = locking.lock(folder)

    assert list(range(locking.FIRST_ID, locking.FIRST_ID + len(added))) == [entry.id for entry in added]
    assert {1} == {entry.version for entry in added}
    assert locking.check(folder) == []


def test_a_new_field_makes_a_new_version_beside_the_old(folder: Path) -> None:
    """A change that every reader survives is locked as the next version with the next id; what was locked stays as it was."""
    before = {path.name: path.read_bytes() for path in (folder / "locked").iterdir()}
    last = max(entry.id for entry in load(folder).entries)
    edit(folder, "retraction.avsc", new_field)
    assert ["differs from locked version 1; run boutre schemas lock"] == [each.message for each in locking.check(folder)]

    added = locking.lock(folder)

    assert [("retraction", 2, last + 1)] == [(entry.kind, entry.version, entry.id) for entry in added]
    assert before == {name: (folder / "locked" / name).read_bytes() for name in before}
    assert locking.check(folder) == []


def test_a_change_of_a_shared_type_is_a_new_version_of_each_kind_that_holds_it(folder: Path) -> None:
    """A type that several kinds hold is part of each of them."""
    edit(folder, "types/craft.avsc", new_field)

    assert {"alert", "interception", "sighting"} == {entry.kind for entry in locking.lock(folder)}


def test_a_changed_doc_is_locked_too(folder: Path) -> None:
    """The whole file is locked, not only what Avro compares: other words are another version."""
    edit(folder, "retraction.avsc", lambda schema: schema.update(doc="Other words."))

    assert [("retraction", 2)] == [(entry.kind, entry.version) for entry in locking.lock(folder)]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda schema: field_of(schema, "id").update(category="victim"), "category"),
        (lambda schema: field_of(schema, "id").update(unit="text"), "unit"),
        (lambda schema: field_of(schema, "id").update(type="bytes"), "bytes"),
        (lambda schema: schema["fields"].remove(field_of(schema, "id")), "default"),
        (lambda schema: field_of(schema, "exercise").update(presence="required"), "requires"),
        (lambda schema: schema["fields"].reverse(), "begins with its id"),
    ],
    ids=["category", "unit", "type", "removed", "required", "order"],
)
def test_what_would_mislead_a_reader_is_not_locked(folder: Path, change: Change, message: str) -> None:
    """Nothing at all is locked when one kind cannot follow its old versions, not even what could; the field is named."""
    edit(folder, "retraction.avsc", change)
    edit(folder, "reject.avsc", new_field)
    before = (folder / "lock.toml").read_bytes()
    files = sorted((folder / "locked").iterdir())

    with pytest.raises(DeclarationError) as caught:
        locking.lock(folder)

    assert any(fault.file == "retraction.avsc" and message in fault.message for fault in caught.value.faults)
    assert before == (folder / "lock.toml").read_bytes()
    assert files == sorted((folder / "locked").iterdir())


def test_an_interrupted_lock_is_finished(folder: Path) -> None:
    """Files that a lock left behind before its row was written are taken up when it is run again."""
    edit(folder, "reject.avsc", new_field)
    before = (folder / "lock.toml").read_text(encoding="utf-8")
    locking.lock(folder)
    (folder / "lock.toml").write_text(before, encoding="utf-8")

    assert ["reject"] == [entry.kind for entry in locking.lock(folder)]
    assert locking.check(folder) == []


def test_a_file_that_is_not_ours_is_never_overwritten(folder: Path) -> None:
    """What stands where a new version would stand is somebody's work: it is named and kept."""
    stranger = folder / "locked" / "reject-2.avsc"
    stranger.write_text("{}", encoding="utf-8")
    edit(folder, "reject.avsc", new_field)

    with pytest.raises(DeclarationError, match="move it away"):
        locking.lock(folder)

    assert stranger.read_text(encoding="utf-8") == "{}"


# --- A lock that was tampered with ---------------------------------------------------------------------------------------


@given(st.data())
def test_any_changed_byte_of_a_locked_file_is_found(data: st.DataObject) -> None:
    """One byte more, less or different in a locked file, and it is refused by name."""
    entry = data.draw(st.sampled_from(load(CORE).entries))
    content = (CORE / locking.file_of(entry)).read_bytes()
    at = data.draw(st.integers(0, len(content) - 1))
    spoilt = data.draw(st.sampled_from([content[:at], content[:at] + b" " + content[at:], content[:at] + b"~" + content[at + 1 :]]))

    assert content == spoilt or entry.sha256 != hashlib.sha256(spoilt).hexdigest()
    assert entry.sha256 == hashlib.sha256(content).hexdigest()


def test_a_changed_locked_file_is_refused(folder: Path) -> None:
    """A bus does not start on a locked schema that somebody improved."""
    path = folder / "locked" / "sighting-1.avsc"
    path.write_bytes(path.read_bytes().replace(b'"victim"', b'"event"', 1))

    with pytest.raises(DeclarationError, match=r"locked/sighting-1\.avsc.*was changed"):
        load(folder)
    assert any("was changed" in fault.message for fault in locking.check(folder))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("0x424F5502", "0x424F5501", "id is locked twice"),
        ('kind = "interception"', 'kind = "alert"', "version is locked twice"),
        ("version = 1", 'version = "1"', "another type: version"),
        ("locked/alert-1.avsc", "locked/gone-1.avsc", "is missing"),
    ],
)
def test_a_lock_that_contradicts_itself_is_refused(folder: Path, old: str, new: str, message: str) -> None:
    """Ids and versions are unique, rows whole and files there; what is not so is named."""
    path = folder / "lock.toml"
    rows = path.read_text(encoding="utf-8")
    assert old in rows
    path.write_text(rows.replace(old, new, 1), encoding="utf-8")

    with pytest.raises(DeclarationError, match=message):
        load(folder)


def test_locked_versions_that_cannot_read_each_other_are_found(folder: Path) -> None:
    """A row added by hand, with a file and a SHA-256 that fit, is still held against the versions before it."""
    text = (folder / "locked" / "reject-1.avsc").read_text(encoding="utf-8").replace('"byte"', '"text"', 1)
    (folder / "locked" / "reject-2.avsc").write_text(text, encoding="utf-8")
    row = (
        f'\n[[schema]]\nid = 0x424F5599\nkind = "reject"\nversion = 2\nfile = "locked/reject-2.avsc"\n'
        f'sha256 = "{hashlib.sha256(text.encode()).hexdigest()}"\n'
    )
    with (folder / "lock.toml").open("a", encoding="utf-8") as lock:
        lock.write(row)

    assert any("the unit is byte" in fault.message for fault in locking.check(folder))


# --- Reading old versions ------------------------------------------------------------------------------------------------


def test_a_frame_of_the_first_version_is_read_by_the_second(folder: Path) -> None:
    """A record written before the schema grew is read with the new fields at their defaults, each record with lists of its own."""
    old = Codec(load(folder)).encode("sighting", {"id": "a", "craft": {"hull": "wood", "colours": ["blue"]}})
    for change in (new_field, lines):
        edit(folder, "types/craft.avsc", change)
    locking.lock(folder)
    codec = Codec(load(folder))

    first, second = codec.decode(old), codec.decode(old)
    first.value["craft"]["lines"].append("spoilt by its reader")

    assert (1, "wood", None, []) == (
        second.version,
        second.value["craft"]["hull"],
        second.value["craft"]["anchored"],
        second.value["craft"]["lines"],
    )
    assert [] == codec.decode(old).value["craft"]["lines"]
    assert old != codec.encode("sighting", second.value)
    assert second.value == codec.decode(codec.encode("sighting", second.value)).value


def test_a_fingerprint_is_of_what_programs_read(folder: Path) -> None:
    """Another doc leaves the fingerprint by which a registry's schema is known, another unit or category does not."""
    schema = load(folder).latest("sighting").schema
    whole = json.dumps(schema)

    def changed(old: str, new: str) -> str:
        assert old in whole
        return normal(json.loads(whole.replace(old, new, 1))).fingerprint

    assert normal(schema).fingerprint == changed('"doc": "Where."', '"doc": "Elsewhere."')
    assert normal(schema).fingerprint != changed('"unit": "metre"', '"unit": "knot"')
    assert normal(schema).fingerprint != changed('"category": "victim"', '"category": "event"')


# --- The command ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def bus(folder: Path) -> Path:
    """A folder that declares a bus, as far as this command looks."""
    for room in ("topics", "processors"):
        (folder.parent / room).mkdir()
    return folder.parent


def test_the_command_checks_locks_lists_and_shows(bus: Path) -> None:
    """Check says no with status 2 until the lock is run; list and show give data on stdout."""

    def run(*words: str) -> tuple[int, str]:
        result = CliRunner().invoke(main, ["--bus", str(bus), "schemas", *words])
        return result.exit_code, result.output

    assert run("check")[0] == 0
    edit(bus / "schemas", "reject.avsc", new_field)
    code, said = run("check")
    assert (2, True) == (code, "reject.avsc: differs from locked version 1" in said)
    assert "reject 2 locked as" in run("lock")[1]
    assert run("check")[0] == 0

    listed = json.loads(run("list", "--output", "json")[1])
    assert {"kind": "reject", "version": 2}.items() <= listed[-1].items()
    assert "anchored" not in run("show", "reject", "--version", "1")[1]
    assert json.loads(run("show", "reject")[1])["fields"][-1]["name"] == "anchored"
    assert run("show", "reject", "--version", "3")[0] == 2
    assert run("show", "rumour")[0] == 2


def test_hazards_of_what_is_locked() -> None:
    """No locked schema can be made to hurt its reader by a few bytes."""
    assert {entry.kind: [] for entry in load(CORE).entries} == {entry.kind: hazards(entry.schema) for entry in load(CORE).entries}


def test_an_empty_lock_knows_no_kind() -> None:
    """What is not locked is a KeyError or None, never another schema."""
    lock = Lock((Locked(locking.FIRST_ID, "sighting", 1, {}, ""),))

    assert lock.by_id(0) is None
    with pytest.raises(KeyError):
        lock.latest("alert")
