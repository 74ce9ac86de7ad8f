"""
``boutre explain`` and ``boutre policy`` as people call them: on this repository's bus, without broker and without keys.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from boutre.connectors.plain import line, plain
from boutre.ops import rehearsal
from boutre.ops.assembly import assemble
from boutre.ops.command import main
from records import CODEC, NOW, RECIPIENTS, ROOT, attack, kwassa, on_bus

AGREEMENTS = ROOT / "processors" / "agreements"
READ = cache(assemble)


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No settings but this test's own, no keys, a state folder that is its own, and tables as wide as their words."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BOUTRE_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("BOUTRE_KEYS", str(tmp_path / "keys"))
    monkeypatch.setenv("COLUMNS", "400")
    # Read once for all tests: it is the same bus every time.
    monkeypatch.setattr(rehearsal, "assemble", READ)


@pytest.fixture
def proposed(tmp_path: Path) -> Callable[..., Path]:
    """A copy of the agreements in which texts of one file are replaced."""

    def make(file: str = "comoros-information.toml", **changes: str) -> Path:
        folder = tmp_path / "proposed"
        shutil.copytree(AGREEMENTS, folder)
        text = (folder / file).read_text(encoding="utf-8")
        for old, new in changes.items():
            old_text = {"hull": '"craft.kind" = "keep"', "marking": 'tlp_max = "AMBER"', "id": 'recipient = "comoros"'}[old]
            assert old_text in text
            text = text.replace(old_text, new)
        (folder / file).write_text(text, encoding="utf-8")
        return folder

    return make


def boutre(*arguments: str) -> Result:
    """Run the command on this repository's bus."""
    return CliRunner().invoke(main, ["--bus", str(ROOT), *arguments])


# --- explain ---------------------------------------------------------------------------------------------------------------


def test_a_feeds_report_is_explained_before_it_is_published() -> None:
    """By the feed's own mapping, for every recipient, and as the table of views says."""
    result = boutre("explain", "--feed", "incidents-imb", "--reference", "IMB-00006", "--output", "json")
    told = {each["recipient"]: each for each in json.loads(result.stdout)}

    assert 0 == result.exit_code
    assert set(RECIPIENTS) == told.keys()
    assert "not-for-this-purpose" == told["protection-partner"]["reason"]
    assert ("coarsened", "grid 0.5 degree", "fields.position") == tuple(
        told["comoros"]["fields"]["position.latitude"][key] for key in ("state", "method", "clause")
    )
    assert "categories.identity" == told["madagascar"]["fields"]["claims.value"]["clause"]
    assert "Full City" not in result.stdout + result.stderr


@pytest.mark.parametrize(("language", "words"), [("en", "gets nothing of it"), ("fr", "n'en reçoit rien")])
def test_who_gets_nothing_is_told_why_and_what_would_have_to_be_otherwise(language: str, words: str) -> None:
    """In words, with file and key of the agreement, and whom to ask."""
    call = ("explain", "--feed", "incidents-imb", "--recipient", "protection-partner", "--language", language)
    result = boutre(*call)

    assert words in result.stdout
    assert "processors/agreements/protection-needs.toml: when.types" in result.stdout
    assert "processors/agreements/protection-needs.toml: purposes" in result.stdout
    assert {"en": "protection focal point", "fr": "point focal protection"}[language] in result.stdout


@pytest.mark.parametrize("form", ["national", "accepted", "frame", "wrapped", "without id"])
def test_a_file_may_hold_a_record_in_any_form(form: str, tmp_path: Path) -> None:
    """JSON as connectors make it, as it stands on the bus, with its kind beside it, or a frame: the same is told of each."""
    value = kwassa()
    forms = {
        "national": line(value).encode(),
        "accepted": line({**value, "times": {**value["times"], "accepted_at": NOW}}).encode(),
        "frame": on_bus("interception", value).value or b"",
        "wrapped": json.dumps({"kind": "interception", "accepted": "2026-09-21T14:13:20Z", "value": plain(value)}).encode(),
        "without id": line({name: held for name, held in value.items() if name != "id"}).encode(),
    }
    path = tmp_path / "record"
    path.write_bytes(forms[form])
    extra = ("--kind", "interception") if form == "without id" else ()
    result = boutre("explain", str(path), "--recipient", "rcoc", "--output", "json", *extra)

    assert 0 == result.exit_code, result.output
    (told,) = json.loads(result.stdout)
    assert ("interception", "delivered") == (told["kind"], told["outcome"])
    assert "fields.victims" == told["fields"]["victims.name"]["clause"]
    assert "Nobody Real" not in result.output


def test_only_what_the_record_holds_is_shown_unless_all_is_asked_for(tmp_path: Path) -> None:
    """A field that is not there is no row; with --all every field of its kind has one."""
    path = tmp_path / "record.json"
    path.write_text(line(attack()), encoding="utf-8")
    held, every = (
        json.loads(boutre("explain", str(path), "--recipient", "rmifc", "--output", "json", *more).stdout)[0]["fields"]
        for more in ((), ("--all",))
    )

    assert "craft.hull" not in held
    assert "craft.hull" in every
    assert held.items() <= every.items()


def test_what_the_bus_would_refuse_goes_to_nobody(tmp_path: Path) -> None:
    """The reason is told in words, exit status 1, and no value of the record."""
    path = tmp_path / "record.json"
    path.write_text(line(attack(position={"latitude": 91.5, "longitude": 50.81})), encoding="utf-8")
    result = boutre("explain", str(path))

    assert (1, "") == (result.exit_code, result.stdout)
    assert "would not accept" in result.stderr
    assert "91.5" not in result.stderr


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"not json", "is no JSON"),
        (b"[1]", "is no JSON object"),
        (b"{}", "says no kind"),
        (b"\0\0\0\0\1", "is no frame"),
        (b"\xff\xfe", "neither a frame nor text"),
        (b'{"kind": "sighting", "value": {"times": {"observed": {"at": "yesterday"}}}}', "no moment"),
        (b'{"kind": "sighting", "value": {"nonsense": 1}}', "is no sighting"),
    ],
)
def test_what_is_no_record_is_told_without_its_text(content: bytes, message: str, tmp_path: Path) -> None:
    """Where it stood and what was expected there; exit status 1 and never a traceback."""
    path = tmp_path / "record"
    path.write_bytes(content)
    result = boutre("explain", str(path))

    assert 1 == result.exit_code
    assert message in result.stderr
    assert "yesterday" not in result.stderr


@pytest.mark.parametrize(
    "arguments",
    [(), ("--feed", "incidents-imb", "--from-bus", "x"), ("--feed", "incidents-imb", "--recipient", "atlantis")],
)
def test_a_call_that_asks_for_nothing_is_refused(arguments: tuple[str, ...]) -> None:
    """One record, and recipients that are declared."""
    assert 2 == boutre("explain", *arguments).exit_code


def test_without_a_broker_the_bus_cannot_be_asked() -> None:
    """Exit status 3, and what to do."""
    result = boutre("explain", "--from-bus", "x")

    assert (3, "") == (result.exit_code, result.stdout)
    assert "no Kafka is known" in result.stderr


# --- policy test -----------------------------------------------------------------------------------------------------------


def test_every_example_holds() -> None:
    """On this repository's bus; each is a row."""
    result = boutre("policy", "test", "--output", "json")
    rows = json.loads(result.stdout)

    assert 0 == result.exit_code
    assert {path.name for path in AGREEMENTS.glob("*.toml")} == {row["file"] for row in rows}
    assert not any(row["wrong"] for row in rows)


def test_an_example_that_does_not_hold_is_shown(proposed: Callable[..., Path]) -> None:
    """It alone, with what comes out instead; exit status 1."""
    result = boutre("policy", "test", str(proposed(marking='tlp_max = "CLEAR"')))

    assert 1 == result.exit_code
    assert {"comoros-information.toml"} == {row.split()[1] for row in result.stdout.splitlines() if row.startswith("FAILS")}


def test_what_is_wrong_with_an_agreement_is_told_by_its_own_file(proposed: Callable[..., Path]) -> None:
    """Before any example counts; exit status 2, file and key."""
    result = boutre("policy", "test", str(proposed(id='recipient = "atlantis"')))

    assert (2, "") == (result.exit_code, result.stdout)
    assert "proposed/comoros-information.toml: recipient" in result.stderr


# --- policy diff -----------------------------------------------------------------------------------------------------------


def test_a_folder_does_not_differ_from_itself() -> None:
    """Nothing is shown as data, and a sentence as words; exit status 0, also where it is asked for."""
    folder = str(AGREEMENTS)
    shown = boutre("policy", "diff", "--against", folder, "--exit-code")
    data = json.loads(boutre("policy", "diff", folder, folder, "--output", "json").stdout)

    assert (0, "Both say the same.\n") == (shown.exit_code, shown.stdout)
    assert {"added": [], "removed": [], "gains": [], "loses": [], "terms": [], "fields": []} == data


def test_what_changes_is_told_by_field_and_by_key(proposed: Callable[..., Path]) -> None:
    """A field less and a narrower marking, in French, and who may have less."""
    folder = str(proposed(hull='"craft.kind" = "withhold"', marking='tlp_max = "GREEN"'))
    told = boutre("policy", "diff", "--against", folder, "--language", "fr", "--exit-code")
    data = json.loads(boutre("policy", "diff", str(AGREEMENTS), folder, "--output", "json").stdout)

    assert 1 == told.exit_code
    assert "Peuvent recevoir moins\N{NO-BREAK SPACE}: Comores (comoros)." in told.stdout
    assert {("when.tlp_max", "AMBER", "GREEN")} == {(each["key"], each["was"], each["becomes"]) for each in data["terms"]}
    assert {"craft.kind"} == {each["field"] for each in data["fields"]}


@pytest.mark.parametrize("count", [0, 1, 3])
def test_two_folders_are_compared(count: int) -> None:
    """No more and no fewer."""
    assert 2 == boutre("policy", "diff", *[str(AGREEMENTS)] * count).exit_code


# --- policy replay ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def past(tmp_path: Path) -> Path:
    """A file of accepted records, a line each, and a frame beside it."""
    folder = tmp_path / "past"
    folder.mkdir()
    rows = [
        {"kind": "interception", "accepted": "2026-09-01T00:00:00Z", "value": plain(kwassa("K-1"))},
        {"kind": "sighting", "accepted": "2026-09-02T00:00:00Z", "value": plain(attack("A-1", craft={"kind": "skiff"}))},
    ]
    (folder / "a.jsonl").write_text("\n".join(map(json.dumps, rows)) + "\n", encoding="utf-8")
    value = attack("A-2")
    times = {**value["times"], "accepted_at": NOW}
    (folder / "b.frame").write_bytes(CODEC.encode("sighting", {**value, "times": times}))
    return folder


def test_nobody_gains_or_loses_under_the_same_agreements(past: Path) -> None:
    """All records are taken, and a sentence says that nothing changes."""
    result = boutre("policy", "replay", "--against", str(AGREEMENTS), "--input", str(past))

    assert 0 == result.exit_code, result.output
    assert "3 accepted records, from 2026-09-01T00:00Z to " in result.stdout
    assert "Nobody would gain or lose" in result.stdout


def test_who_loses_what_is_counted(past: Path, proposed: Callable[..., Path]) -> None:
    """The Comoros lose one field of the one record that holds it; nobody else is named, and no value of a record."""
    folder = str(proposed(hull='"craft.kind" = "withhold"'))
    data = json.loads(boutre("policy", "replay", "--against", folder, "--input", str(past), "--output", "json").stdout)
    shown = boutre("policy", "replay", "--against", folder, "--input", str(past), "--language", "fr").stdout

    assert [("comoros", "sighting", "craft.kind", 1)] == [
        (each["recipient"], each["kind"], each["field"], each["records"]) for each in data["fields"]
    ]
    assert {"comoros"} == {each["recipient"] for each in data["recipients"]}
    assert "comoros" in shown
    assert not any(text in shown for text in ("FULL CITY", "skiff", "Nobody"))


def test_a_feeds_input_can_be_replayed() -> None:
    """What was never published is accepted in rehearsal first."""
    result = boutre("policy", "replay", "--against", str(AGREEMENTS), "--feed", "forms-comoros", "--output", "json")

    assert 1 <= json.loads(result.stdout)["records"]["interception"]


def test_only_the_last_days_are_replayed_where_asked(past: Path, proposed: Callable[..., Path]) -> None:
    """By the time of acceptance: what is older is left out."""
    folder = str(proposed(hull='"craft.kind" = "withhold"'))
    result = boutre("policy", "replay", "--against", folder, "--input", str(past), "--days", "1", "--output", "json")

    assert 0 == sum(json.loads(result.stdout)["records"].values())


def test_a_replay_needs_records() -> None:
    """Nothing is assumed."""
    assert 2 == boutre("policy", "replay", "--against", str(AGREEMENTS)).exit_code


# --- policy matrix ---------------------------------------------------------------------------------------------------------


def test_the_matrix_as_page_table_and_data(tmp_path: Path) -> None:
    """One file, both languages; a table by number and sign; data by kind, recipient, agreement and field."""
    file = tmp_path / "matrix.html"
    written = boutre("policy", "matrix", "--kind", "alert", "--html", str(file))
    table = boutre("policy", "matrix", "--kind", "alert", "--language", "fr").stdout
    data = json.loads(boutre("policy", "matrix", "--kind", "alert", "--output", "json").stdout)

    assert (0, "") == (written.exit_code, written.stdout)
    assert all(f'<section id="{language}"' in file.read_text(encoding="utf-8") for language in ("en", "fr"))
    assert "communiqué tel quel" in table
    assert {"alert"} == data.keys()
    assert "kept" == data["alert"]["rcoc"]["rcoc-coordination@2"]["position.latitude"]["state"]
