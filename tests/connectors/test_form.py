"""
Forms from a folder: whole ones become reports, others say everything that is wrong with them, and none is lost.
"""

from __future__ import annotations

import csv
import io
import os
import time
import zipfile
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, ClassVar

import openpyxl
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from boutre.connectors import feeds
from boutre.connectors.contract import SourceContract
from boutre.connectors.examples import check
from boutre.connectors.known import Known
from boutre.connectors.sdk import Bad, Idle, Raw
from boutre.connectors.sources import folder as watched
from boutre.connectors.sources import form
from boutre.connectors.sources.form import Options, read
from boutre.connectors.sources.form_fields import BOXES
from boutre.connectors.sources.form_record import Refused, Report, report
from boutre.connectors.sources.form_sheets import MAX_FILE, Unreadable
from boutre.connectors.sources.form_sheets import table as table_of
from boutre.connectors.sources.form_sheets import workbook as workbook_of
from boutre.connectors.sources.form_template import table, workbook
from boutre.errors import DeclarationError, Retry
from boutre.ops.form_command import form as form_command
from boutre.schemas import lock, vocabulary
from boutre.schemas.codec import Codec
from boutre.schemas.validation import Validator

ROOT = Path(__file__).parents[2]
SAMPLES = ROOT / "samples" / "forms"
TEMPLATES = ROOT / "connectors" / "forms"

FILLED: dict[str, object] = {
    "kind": "sighting",
    "reference": "REF-1",
    "exercise": True,
    "zone": "Indian/Comoro",
    "observed-date": date(2024, 3, 9),
    "event-type": "irregular-migration",
    "latitude": "12°33,0' S",
    "longitude": "44°45,0' E",
    "craft-kind": "kwassa",
    "on-board": "environ 30",
    "seen-by": "Sighting",
    "tlp": "AMBER",
}


SOUND = workbook("fr", FILLED)


def items(path: Path, after: str | None = None) -> list[Raw | Bad]:
    """
    All that the folder gives, without waiting for files to settle.
    """
    return [each for each in read(Options(path, settle_s=0), after) if isinstance(each, Raw | Bad)]


def only(path: Path, name: str, content: bytes) -> Raw | Bad:
    """
    What one file gives.
    """
    (path / name).write_bytes(content)
    (found,) = items(path)
    return found


def bad(found: Raw | Bad) -> Bad:
    """
    The same, which must be a reject with a reason that has a sentence.
    """
    assert isinstance(found, Bad)
    assert vocabulary.load(lock.core() / "vocabularies").has("reject-reason@1", found.code)
    return found


def raw(found: Raw | Bad) -> Raw:
    """
    The same, which must be a report.
    """
    assert isinstance(found, Raw), found
    return found


class TestForms(SourceContract):
    """
    The contract of sources, over the samples.
    """

    source = read
    options: ClassVar[Options] = Options(SAMPLES, settle_s=0)
    kinds = ("sighting", "interception")
    least_records = 2


# --- The samples ---------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def samples() -> Mapping[str, Raw | Bad]:
    """
    What each sample gives, by the name of its file.
    """
    return {str(each.where.file): each for each in items(SAMPLES)}


def test_the_interception_says_all_that_was_filled_in(samples: Mapping[str, Raw | Bad]) -> None:
    """The form of the coast guard gives an interception with counts, needs, measures and both lists of persons."""
    found = raw(samples["interception_kwassa_anjouan.xlsx"])
    value = found.value

    assert ("interception", "GC-AJN-2024-031", 0, True) == (found.kind, found.reference, found.revision, value["exercise"])
    assert (-12.55, 44.75) == (value["position"]["latitude"], value["position"]["longitude"])
    assert datetime(2024, 3, 9, 20, 40, tzinfo=UTC) == value["times"]["observed"]["at"]
    assert {"min": 28.0, "max": 28.0, "estimated": False} == value["persons"]["total"]
    assert 28.0 == sum(each["count"]["min"] for each in value["persons"]["counts"])
    assert ["stop", "boarding", "food-and-water", "seizure-of-engine"] == [each["kind"] for each in value["action"]["measures"]]
    assert ["medical-care", "maternity-care", "guardian", "water"] == value["vulnerability"]["needs"]
    assert (2.0, 1.0) == (value["vulnerability"]["unaccompanied_children"]["min"], value["vulnerability"]["pregnant"]["min"])
    assert ["blue"] == value["craft"]["colours"]
    assert ["Nadjma Exemple", "Ibrahim Exemple", "Moinaécha Fictive"] == [each["name"] for each in value["victims"]]
    assert ["Saïd Imaginaire", "Bacar Imaginaire"] == [each["name"] for each in value["suspects"]]
    assert [{"kind": "identity-card", "number": "INVENTE-0412", "state": "COM"}] == value["victims"][2]["documents"]
    assert value["handling"]["personal_data"] is True


def test_the_sighting_keeps_its_doubt(samples: Mapping[str, Raw | Bad]) -> None:
    """The fisherman's kwassa has about thirty people, no colour, and the words of a fisherman."""
    found = raw(samples["observation_pecheur_domoni.csv"])

    assert ("sighting", True) == (found.kind, found.value["exercise"])
    assert {"min": 30.0, "max": 30.0, "estimated": True} == found.value["craft"]["persons_on_board"]
    assert "colours" not in found.value["craft"]
    assert "fr" == found.value["narrative"][0]["language"]


def test_the_half_filled_form_names_every_missing_box(samples: Mapping[str, Raw | Bad]) -> None:
    """All boxes that must be filled and are not are named with their cell and label, and what else is wrong is told too."""
    found = bad(samples["interception_inachevee.xlsx"])
    expected = {"exercise", "zone", "longitude", "total", "people-outcome", "action-kind", "tlp"}

    assert "incomplete-form" == found.code
    named = str(found.where.field).split("; ")
    assert {BOXES[key].name for key in expected} == {each.partition(" ")[2] for each in named}
    assert all(each.startswith("C") and each[1:].partition(" ")[0].isdecimal() for each in named)
    assert BOXES["on-board"].name in found.detail
    assert "beaucoup" not in found.detail


def test_the_samples_pass_as_records(samples: Mapping[str, Raw | Bad]) -> None:
    """What the samples give is valid against schema and vocabularies, and the declared examples hold."""
    locked = lock.load()
    words = vocabulary.load(lock.core() / "vocabularies")
    validate = Validator(locked, words.has).check
    now = datetime(2026, 1, 1, tzinfo=UTC)
    feed = feeds.one(ROOT, "forms-comoros", Known.of(locked, words.has))

    assert [] == list(check(feed, Codec(locked), validate, now))
    assert 3 == len(samples)


def test_the_templates_are_those_of_the_code() -> None:
    """The empty forms in the repository hold what the code writes, in both languages and both kinds of file."""
    expected = {}
    for language, name in (("fr", "compte_rendu_fr"), ("en", "report_en")):
        expected[f"{name}.xlsx"] = workbook_of(workbook(language)).rows
        expected[f"{name}.csv"] = table_of(table(language)).rows

    found = {
        path.name: (workbook_of if path.suffix == ".xlsx" else table_of)(path.read_bytes()).rows for path in TEMPLATES.iterdir()
    }
    assert expected == found


# --- Reading what was written --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", ["fr", "en"])
@pytest.mark.parametrize("make", [workbook, table])
def test_both_kinds_of_file_say_the_same(language: str, make: Callable[..., bytes]) -> None:
    """A form gives the same report as workbook and as table, filled in French or in English."""
    persons = [{"person-list": "victims", "person-name": "A. Exemple", "person-needs": ["guardian", "water"]}]
    content = make(language, FILLED, persons)
    found = report(workbook_of(content) if make is workbook else table_of(content))

    assert isinstance(found, Report)
    assert ("sighting", "REF-1", "kwassa") == (found.kind, found.reference, found.value["craft"]["kind"])
    assert [{"name": "A. Exemple", "needs": ["guardian", "water"]}] == found.value["victims"]
    assert {"at": datetime(2024, 3, 9, tzinfo=UTC), "precision": "day", "uncertainty_s": None} == found.value["times"]["observed"]


def test_a_workbook_that_a_spreadsheet_saved_again_is_read(tmp_path: Path) -> None:
    """A template that another program opened, filled and saved gives what was filled in."""
    book = openpyxl.load_workbook(io.BytesIO(workbook("en", {**FILLED, "on-board": None, "accuracy": None})))
    sheet = book.worksheets[0]
    cells = {row[0].value: row[2] for row in sheet.iter_rows() if row[0].value in BOXES}
    cells["accuracy"].value = 250
    cells["observed-date"].value = datetime(2024, 3, 10)  # noqa: DTZ001 - a spreadsheet knows no zone
    cells["observed-time"].value = time_of_day = datetime(2024, 3, 10, 4, 5).time()  # noqa: DTZ001 - the same
    saved = io.BytesIO()
    book.save(saved)

    value = raw(only(tmp_path, "saved.xlsx", saved.getvalue())).value

    assert (250.0, time_of_day.minute) == (value["position"]["accuracy_m"], value["times"]["observed"]["at"].minute)
    assert datetime(2024, 3, 10, 1, 5, tzinfo=UTC) == value["times"]["observed"]["at"]


@pytest.mark.parametrize("delimiter", [";", ",", "\t"])
@pytest.mark.parametrize("mark", [b"\xef\xbb\xbf", b""])
def test_tables_of_any_spreadsheet_are_read(tmp_path: Path, delimiter: str, mark: bytes) -> None:
    """Semicolons, commas or tabs, with or without the mark of UTF-8: the same report."""
    content = mark + table("fr", FILLED, delimiter=delimiter).removeprefix(b"\xef\xbb\xbf")

    assert "REF-1" == raw(only(tmp_path, "form.csv", content)).reference


def test_boxes_are_found_by_label_alone(tmp_path: Path) -> None:
    """A form that was typed anew with the labels of either language and in any order is read."""
    rows = [(BOXES[key].label("en" if number % 2 else "fr").upper(), value) for number, (key, value) in enumerate(FILLED.items())]
    text = "\n".join(f"{label};{'oui' if value is True else value}" for label, value in reversed(rows))

    assert "REF-1" == raw(only(tmp_path, "form.csv", text.encode())).reference


def test_what_has_no_box_is_kept(tmp_path: Path) -> None:
    """A row that somebody added, and what an interception only has, are kept as they were written."""
    content = table("fr", {**FILLED, "smugglers": "2"}) + "Météo;mer formée\r\n".encode()

    value = raw(only(tmp_path, "form.csv", content)).value

    assert [{"name": "Météo", "value": "mer formée"}, {"name": "smugglers", "value": "2"}] == value["unmapped"]
    assert "action" not in value


def test_a_revision_keeps_its_reference(tmp_path: Path) -> None:
    """A mended report has the reference of the first and the next revision."""
    found = raw(only(tmp_path, "form.csv", table("fr", {**FILLED, "revision": 1, "status": "update"})))

    assert ("REF-1", 1, "update") == (found.reference, found.revision, found.value["lifecycle"]["status"])


# --- Bad input -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "code", "box"),
    [
        ({"latitude": "44°45,0' E"}, "latitude-longitude-swapped", "latitude"),
        ({"latitude": "91"}, "out-of-range", "latitude"),
        ({"observed-date": "30/02/2024"}, "impossible-time", "observed-date"),
        ({"observed-time": "late"}, "wrong-type", "observed-time"),
        ({"event-type": "smuggling of hats"}, "unknown-code", "event-type"),
        ({"on-board": "=1+1"}, "wrong-type", "on-board"),
        ({"until-time": "10:00"}, "missing-field", "until-date"),
        ({"tlp": "WHITE"}, "unknown-code", "tlp"),
    ],
)
@pytest.mark.parametrize("make", [workbook, table])
def test_a_wrong_cell_is_named(tmp_path: Path, make: Callable[..., bytes], change: dict[str, object], code: str, box: str) -> None:
    """What is wrong is told with its cell and its label in both languages, and not with what stood there."""
    name = "form.xlsx" if make is workbook else "form.csv"
    found = bad(only(tmp_path, name, make("fr", {**FILLED, **change})))

    assert code == found.code
    assert BOXES[box].name in str(found.where.field)
    assert str(next(iter(change.values()))) not in found.detail


def test_everything_wrong_is_told_at_once(tmp_path: Path) -> None:
    """A form with three wrong cells names all three."""
    wrong = {"latitude": "south", "observed-date": "soon", "on-board": "some"}
    found = bad(only(tmp_path, "form.xlsx", workbook("en", {**FILLED, **wrong})))

    assert all(BOXES[key].name in str(found.where.field) for key in wrong)


def test_an_unquoted_decimal_comma_is_no_other_place(tmp_path: Path) -> None:
    """In a table with commas, -12,55 without quotation marks is two cells: refused, and not taken for -12."""
    text = "\n".join(f"{key},{'yes' if value is True else value}" for key, value in {**FILLED, "latitude": "-12,55"}.items())

    assert ("wrong-type", True) == (
        (found := bad(only(tmp_path, "form.csv", text.encode()))).code,
        BOXES["latitude"].name in str(found.where.field),
    )


@pytest.mark.parametrize("twice", ["reference", "person.1.person-name"])
def test_a_box_that_stands_twice_is_refused(tmp_path: Path, twice: str) -> None:
    """Two answers to one question are none."""
    content = table("fr", FILLED) + f"{twice};A\r\n{twice};B\r\n".encode()

    assert "malformed-line" == bad(only(tmp_path, "form.csv", content)).code


def test_a_person_on_no_list_is_refused(tmp_path: Path) -> None:
    """Nobody is put on a list by default: neither a suspect nor somebody to be protected."""
    found = bad(only(tmp_path, "form.xlsx", workbook("fr", FILLED, [{"person-name": "A. Exemple"}])))

    assert "incomplete-form" == found.code
    assert "Personnes 4" in str(found.where.field)
    assert "A. Exemple" not in str(found.where.field) + found.detail


def rezipped(change: Callable[[str, bytes], bytes | None], more: Mapping[str, bytes] | None = None) -> bytes:
    """
    A filled workbook whose parts went through *change*, with *more* beside them.
    """
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(SOUND)) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        for part in old.infolist():
            content = change(part.filename, old.read(part))
            if content is not None:
                new.writestr(part.filename, content)
        for name, content in (more or {}).items():
            new.writestr(name, content)
    return target.getvalue()


def with_entities(name: str, content: bytes) -> bytes:
    """
    The part with a document type that expands, where it is a sheet.
    """
    bomb = b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>'
    return content.replace(b"?>", b"?>" + bomb, 1) if "sheet1" in name else content


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("form.xlsx", b"no workbook", "not-readable"),
        ("form.xlsx", b"PK\x03\x04" + b"\0" * 100, "not-readable"),
        ("form.xlsx", SOUND[:-500], "not-readable"),
        ("form.xlsx", rezipped(with_entities), "not-readable"),
        ("form.xlsx", rezipped(lambda _, content: content, {"xl/vbaProject.bin": b"macro"}), "not-readable"),
        ("form.xlsx", rezipped(lambda name, content: None if name == "xl/workbook.xml" else content), "not-readable"),
        ("form.xlsx", rezipped(lambda _, content: content, {"xl/media/zeros.bin": b"\0" * 60_000_000}), "too-large"),
        ("form.xlsx", b"\0" * (MAX_FILE + 1), "too-large"),
        ("form.xlsx", b"", "empty-file"),
        ("form.xlsx", workbook("fr"), "empty-file"),
        ("form.csv", b"\xef\xbb\xbf\r\n", "empty-file"),
        ("form.csv", "Référence;é".encode("cp1252"), "wrong-encoding"),
        ("form.csv", "reference;A".encode("utf-16"), "wrong-encoding"),
        ("form.csv", b'reference;"A\n', "malformed-line"),
        ("form.csv", b"reference;A\n" * 1_001, "too-large"),
        ("form.csv", b";A\n", "malformed-line"),
        ("form.docx", b"something", "not-readable"),
    ],
)
def test_what_is_no_form_is_refused(tmp_path: Path, name: str, content: bytes, code: str) -> None:
    """Damaged, hostile, oversized and foreign files are refused for what they are, before they cost anything."""
    assert code == bad(only(tmp_path, name, content)).code


def test_windows_letters_are_told_with_their_line(tmp_path: Path) -> None:
    """A table in Windows-1252 is refused at the line where it shows."""
    content = b"reference;A\nNom de l'embarcation;Mo\xe9li\n"

    assert 2 == bad(only(tmp_path, "form.csv", content)).where.line


def test_rows_far_below_do_not_fill_the_memory(tmp_path: Path) -> None:
    """A sheet that claims a million rows is not gone through."""
    far = rezipped(
        lambda name, content: (
            content.replace(b"</sheetData>", b'<row r="1048576"><c r="A1048576"><v>1</v></c></row></sheetData>')
            if name.endswith("sheet1.xml")
            else content
        )
    )

    assert isinstance(only(tmp_path, "form.xlsx", far), Raw)


@settings(deadline=None, max_examples=60)
@given(
    st.one_of(
        st.binary(max_size=300),
        st.text(max_size=200).map(str.encode),
        st.text('reference;,"\n=.person1', max_size=80).map(str.encode),
    )
)
def test_no_table_raises(content: bytes) -> None:
    """Whatever the bytes are, a table is read or unreadable, and what is read is a report or refused."""
    try:
        found = report(table_of(content))
    except Unreadable:
        return
    assert isinstance(found, Report | Refused)


@settings(deadline=None, max_examples=25)
@given(st.integers(0, len(SOUND) - 1), st.integers(0, 255))
def test_no_workbook_raises(place: int, byte: int) -> None:
    """A workbook with any byte changed is read or unreadable."""
    content = bytearray(SOUND)
    content[place] = byte
    try:
        found = report(workbook_of(bytes(content)))
    except Unreadable:
        return
    assert isinstance(found, Report | Refused)


# --- The folder ----------------------------------------------------------------------------------------------------------------


def test_files_are_read_once(tmp_path: Path) -> None:
    """What was read is not read again, also where it was touched; a new name of the same content is another file."""
    first = only(tmp_path, "a.csv", table("fr", FILLED))
    os.utime(tmp_path / "a.csv", (1, 1))

    assert [] == items(tmp_path, first.cursor)
    (tmp_path / "b.csv").write_bytes(table("fr", {**FILLED, "reference": "REF-2"}))
    assert ["REF-2"] == [each.reference for each in items(tmp_path, first.cursor)]


def test_a_mended_form_is_read_again(tmp_path: Path) -> None:
    """A form that was refused, then completed and saved under its name, gives its report."""
    refused = bad(only(tmp_path, "form.csv", table("fr", {**FILLED, "tlp": None})))
    (tmp_path / "form.csv").write_bytes(table("fr", FILLED))

    (found,) = items(tmp_path, refused.cursor)

    assert "REF-1" == raw(found).reference


def test_a_file_with_an_earlier_name_or_time_is_not_missed(tmp_path: Path) -> None:
    """A file that arrives late with an old date and an early name is new all the same."""
    first = only(tmp_path, "m.csv", table("fr", FILLED))
    (tmp_path / "a.csv").write_bytes(table("fr", {**FILLED, "reference": "REF-0"}))
    os.utime(tmp_path / "a.csv", (1, 1))

    assert ["REF-0"] == [each.reference for each in items(tmp_path, first.cursor)]


def test_the_cursor_forgets_what_is_gone(tmp_path: Path) -> None:
    """Files that were moved to an archive do not stay in the cursor."""
    for number in range(5):
        (tmp_path / f"{number}.csv").write_bytes(table("fr", {**FILLED, "reference": f"REF-{number}"}))
    before = items(tmp_path)[-1].cursor
    for number in range(5):
        (tmp_path / f"{number}.csv").unlink()
    (tmp_path / "new.csv").write_bytes(table("fr", FILLED))

    (found,) = items(tmp_path, before)

    assert 1 == len(found.cursor.split(","))


@pytest.mark.parametrize("name", [".form.csv", "~$form.xlsx", "form.csv.part", "form.csv.tmp", "form.xlsx.crdownload"])
def test_names_of_unfinished_files_are_passed_over(tmp_path: Path, name: str) -> None:
    """What a program marks as not finished is not looked at."""
    (tmp_path / name).write_bytes(b"half")

    assert [] == items(tmp_path)


def test_links_and_folders_are_passed_over(tmp_path: Path) -> None:
    """A link could show any file of the machine to the bus; only files of the folder itself are read."""
    outside = tmp_path / "outside.csv"
    outside.write_bytes(table("fr", FILLED))
    inside = tmp_path / "inside"
    (inside / "deeper").mkdir(parents=True)
    (inside / "link.csv").symlink_to(outside)

    assert [] == items(inside)


def test_a_file_that_is_still_written_is_left_alone(tmp_path: Path) -> None:
    """A file that changed a moment ago is not read, and the source gives the runner its turn while it waits."""
    path = tmp_path / "form.csv"
    path.write_bytes(table("fr", FILLED)[:100])
    source = read.read(Options(tmp_path, settle_s=3600), None)

    assert isinstance(next(source), Idle)
    os.utime(path, (time.time() - 7200, time.time() - 7200))
    rested = [each for each in read.read(Options(tmp_path, settle_s=3600), None) if not isinstance(each, Idle)]
    assert 1 == len(rested)


def test_a_file_that_changes_under_the_reader_is_read_later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that is another between being looked at and being read is not taken for what it was."""
    path = tmp_path / "form.csv"
    path.write_bytes(b"reference;A")
    look = watched.Folder(tmp_path, None, settle_s=0, limit=MAX_FILE)
    content = watched.Folder._content
    turns = iter([b"reference;A", b"reference;AB"])
    monkeypatch.setattr(watched.Folder, "_content", lambda *_: next(turns))

    assert [] == list(look.look())
    assert look.unsettled
    monkeypatch.setattr(watched.Folder, "_content", content)


def test_a_missing_folder_is_asked_for_again(tmp_path: Path) -> None:
    """A folder that is not there may be mounted later; it is named without its path."""
    with pytest.raises(Retry, match="the folder inbox cannot be read") as caught:
        items(tmp_path / "inbox")

    assert str(tmp_path) not in str(caught.value)


def test_settling_has_bounds() -> None:
    """A time to settle that cannot be is a fault of the declaration."""
    with pytest.raises(DeclarationError):
        Options(Path(), settle_s=-1)


# --- The command ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["form.xlsx", "form.csv"])
@pytest.mark.parametrize("language", ["fr", "en"])
def test_the_command_writes_templates(tmp_path: Path, name: str, language: str) -> None:
    """The template that the command writes is a form in which nothing is filled in."""
    path = tmp_path / name
    result = CliRunner().invoke(form_command, ["template", "--out", str(path), "--language", language])

    assert 0 == result.exit_code, result.output
    assert "empty-file" == bad(form.item(path)).code


def test_the_command_refuses_other_files(tmp_path: Path) -> None:
    """Neither a workbook nor a table is said so, and nothing is written."""
    result = CliRunner().invoke(form_command, ["template", "--out", str(tmp_path / "form.pdf")])

    assert 2 == result.exit_code
    assert not (tmp_path / "form.pdf").exists()


@pytest.mark.parametrize(
    ("language", "said"), [("fr", "Le formulaire n'est rempli qu'en partie"), ("en", "The form is only half filled in")]
)
def test_the_command_tries_a_form(language: str, said: str) -> None:
    """A filled form can be tried before it is sent, and the answer is in the officer's language."""
    good = CliRunner().invoke(form_command, ["check", str(SAMPLES / "observation_pecheur_domoni.csv")])
    half = CliRunner().invoke(form_command, ["check", "--language", language, str(SAMPLES / "interception_inachevee.xlsx")])

    assert (0, 1) == (good.exit_code, half.exit_code)
    assert "PECHE-DOMONI-2024-07" in good.output
    assert said in half.output


def test_a_template_in_a_table_has_two_columns() -> None:
    """Every row of a table has a box and a place for its value, so that a spreadsheet shows two columns."""
    rows: list[Any] = list(csv.reader(io.StringIO(table("fr").decode("utf-8-sig")), delimiter=";"))

    assert {2} == {len(row) for row in rows}
    assert len(BOXES) + 1 == len(rows)
