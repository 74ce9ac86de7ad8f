"""
``boutre evaluate`` on real rows: its columns, what was learnt read back, other years, rows and columns that are not as they should.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from click.testing import CliRunner

from boutre.connectors import feeds
from boutre.ops import evaluate_splink
from boutre.ops.command import main
from boutre.ops.evaluate_feeds import Folder, read_folder
from boutre.schemas import lock
from boutre.schemas.codec import Codec
from pages import ROOT

SAMPLES = ROOT / "samples" / "incidents"
IMB, ASAM, PAIRS = "feed_imb.csv", "feed_asam.csv", "same_incident.csv"
YEAR = "2007"
"""65 reports of one list and 86 of the other, 11 pairs of which are known."""

SCORES = {"precision", "recall", "f1", "right", "made", "known"}
MODES = ("names_shown", "names_hidden")

Change = Callable[[list[str]], list[str]]


class Told(NamedTuple):
    """
    What the command came to: its exit status, what it told beside its figures, its JSON and its last line.
    """

    status: int
    aside: str
    whole: dict[str, Any]
    last: dict[str, Any]


def rows_of(name: str) -> Iterator[list[str]]:
    """The rows of a sample, the names of its columns first."""
    with (SAMPLES / name).open(encoding="utf-8", newline="") as file:
        yield from csv.reader(file)


def write(path: Path, rows: list[list[str]]) -> None:
    """Write rows as the samples are written."""
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)


def cut(at: Path, change: Change = list) -> Path:
    """A folder with the sample's rows of one year, each as *change* makes it, and the pairs that are known of them."""
    at.mkdir()
    kept: set[str] = set()
    for name in (IMB, ASAM):
        head, *rows = rows_of(name)
        chosen = [row for row in rows if row[1].startswith(YEAR)]
        kept.update(row[0] for row in chosen)
        write(at / name, [head, *map(change, chosen)])
    head, *pairs = rows_of(PAIRS)
    write(at / PAIRS, [head, *(pair for pair in pairs if set(pair) <= kept)])
    return at


def edit(at: Path, name: str, change: Callable[[list[list[str]]], list[list[str]]]) -> None:
    """Change all rows of a file, the names of its columns among them."""
    with (at / name).open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    write(at / name, change(rows))


def run(at: Path, *arguments: str) -> Told:
    """Run the command, and read what it wrote."""
    plot = str(at / "plot.svg")
    done = CliRunner().invoke(main, ["--bus", str(ROOT), "evaluate", str(at), "--plot", plot, "--output", "json", *arguments])
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    whole, last = lines if len(lines) == len(MODES) else ({}, {})
    return Told(done.exit_code, done.stderr, whole, last)


def read(at: Path) -> Folder:
    """The folder as the command reads it."""
    return read_folder(ROOT, at, Codec(lock.load(ROOT / "schemas")))


def test_all_columns_stand_beside_one_another(tmp_path: Path) -> None:
    """The bus's own matching, the simplest rule and Splink are judged on the same pairs, and each says how it was done."""
    for name in evaluate_splink.NEEDS:
        pytest.importorskip(name, reason=f"{name} is missing: pip install 'boutre[evaluation]'")
    done = run(cut(tmp_path / "year"))
    ours, simplest, splink = done.whole["columns"]

    assert 0 == done.status, done.aside
    assert ["boutre incident@2", "distance and date", "Splink"] == [ours["name"], simplest["name"], splink["name"]]
    for column in (ours, simplest, splink):
        assert column["note"]
        for mode in MODES:
            assert set(column[mode]) >= SCORES
            assert 11 == column[mode]["known"]
            assert column[mode]["right"] <= min(column[mode]["made"], 11)
    assert "probabilities_off_by" not in simplest["names_shown"]
    assert all("probabilities_off_by" in column[mode] for column in (ours, splink) for mode in MODES)
    # Both know nothing of names, so that hiding them changes nothing; and linking by places alone is what has to be beaten.
    assert simplest["names_shown"] == simplest["names_hidden"]
    assert all(ours[mode]["f1"] > simplest[mode]["f1"] for mode in MODES)
    assert splink["names_shown"]["f1"] >= 0.5
    assert {mode: {name: ours[mode][name] for name in ("precision", "recall", "f1")} for mode in MODES} == done.last
    assert {mode: {"least", "most", "pairs", "said", "true"} for mode in MODES} == {
        mode: set().union(*done.whole["bins"][mode]) for mode in MODES
    }


def test_without_splink_its_column_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A library that is not there takes no figure with it but its own."""
    monkeypatch.setattr(evaluate_splink, "NEEDS", ("no_such_library",))
    done = run(cut(tmp_path / "year"))

    assert 0 == done.status
    assert {"name": "Splink", "note": evaluate_splink.HOW_TO_INSTALL} == done.whole["columns"][2]
    assert 11 == done.whole["columns"][1]["names_shown"]["known"]


def test_what_was_learnt_scores_the_same_when_it_is_read_back(tmp_path: Path) -> None:
    """--learn writes all that --model needs: the figures, the bins and what they were learnt on are the same, to the last digit."""
    at, model = cut(tmp_path / "year"), tmp_path / "learnt.toml"
    before = run(at, "--alone", "--learn", str(model))
    after = run(at, "--alone", "--model", str(model))

    assert (0, 0) == (before.status, after.status)
    assert before.whole == after.whole
    assert before.last == after.last
    assert before.whole["learnt_on_these"] is True


def test_a_folder_of_other_years_is_judged_by_the_weights_as_they_are(tmp_path: Path) -> None:
    """Rows of other years, and pairs that the weights have not seen: the same days of another year give the same links."""

    def later(row: list[str]) -> list[str]:
        # Neither year has a 29 February.
        return [row[0], f"2018{row[1][4:]}", *row[2:]]

    then, now = run(cut(tmp_path / "then"), "--alone"), run(cut(tmp_path / "now", later), "--alone")

    assert (0, 0) == (then.status, now.status), now.aside
    assert {"reports": 151, "known": 11, "refused": {}, "learnt_on_these": False} == {
        name: now.whole[name] for name in ("reports", "known", "refused", "learnt_on_these")
    }
    # Which positions are given to everything is found by stretches of 30 days, which lie otherwise in another year.
    assert then.last == now.last
    assert now.last["names_shown"]["f1"] >= 0.9


ODD_TIMES = ("25:99 UTC", "noon", "24:00 UTC", "9h00", "0900 UTC", "09:00 UTC or later", ":", "UTC", "-1:00 UTC")


@pytest.mark.parametrize("name", [ASAM, IMB])
def test_a_time_of_day_that_cannot_be_read_costs_the_hour_and_not_the_row(tmp_path: Path, name: str) -> None:
    """Every report stays, known to the day on which it was."""
    at = cut(tmp_path / "year")
    plain = {one.id: one for one in read(at).reports}
    edit(at, name, lambda rows: [rows[0], *map(timed, rows[1:], ODD_TIMES), *rows[1 + len(ODD_TIMES) :]])
    done = read(at)
    feed = name.removeprefix("feed_").removesuffix(".csv")
    changed = {f"incidents-{feed}:{row[0]}" for row in list(csv_rows(at, name))[: len(ODD_TIMES)]}

    assert () == done.refused
    assert plain.keys() == {each.id for each in done.reports}
    assert changed <= plain.keys()
    for one in done.reports:
        before = plain[one.id]
        assert before.at is not None
        assert one.at is not None
        assert before.at // 86_400 == one.at // 86_400
        assert (43_200.0 if one.id in changed else before.within_s) == one.within_s


def timed(row: list[str], written: str) -> list[str]:
    """A row whose time of day is as *written*."""
    return [*row[:2], written, *row[3:]]


def csv_rows(at: Path, name: str) -> Iterator[list[str]]:
    """The rows of a file below the names of its columns."""
    with (at / name).open(encoding="utf-8", newline="") as file:
        yield from list(csv.reader(file))[1:]


def test_a_time_that_cannot_be_read_is_kept_as_it_was_written(tmp_path: Path) -> None:
    """By the connector too: the day is a coarse time, and what stood there is not lost."""
    path = tmp_path / "asam.csv"
    head = next(rows_of(ASAM))
    write(path, [head, ["2007-1", "2007-05-06", "25:99 UTC", "1.5", "50", "IX", "62", "PIRATES", "", ""]])
    feed = feeds.one(ROOT, "incidents-asam")
    (raw,) = feed.source(type(feed.options)(**{**vars(feed.options), "path": path}))
    value: Any = getattr(raw, "value", None)

    assert "day" == value["times"]["observed"]["precision"]
    assert {"name": "time", "value": "25:99 UTC"} in value["unmapped"]


@pytest.mark.parametrize(
    ("name", "row", "place"),
    [
        (ASAM, ["2007-900", "2007-13-01", "", "1", "50", "", "", "", "", ""], "feed_asam.csv: line 88: date: impossible-time"),
        (ASAM, ["2007-901", "2007-01-01", "", "1 N", "50", "", "", "", "", ""], "feed_asam.csv: line 88: latitude: wrong-type"),
        (ASAM, ["2007-902", "2007-01-01", "", "1"], "feed_asam.csv: line 88: malformed-line (expected: 4 ≠ 10)"),
        (ASAM, ["", "2007-01-01", "", "1", "50", "", "", "", "", ""], "feed_asam.csv: line 88: reference: missing-field"),
        (
            IMB,
            ["X", "01/02/2007", "", "1", "50", "", "", "", "", ""],
            "feed_imb.csv: line 67: date: wrong-type (expected: %Y-%m-%d)",
        ),
        (PAIRS, ["IMB-00300"], "same_incident.csv: line 13: malformed-line (expected: a reference of each feed)"),
    ],
)
def test_a_row_that_cannot_be_used_is_told_by_its_place(tmp_path: Path, name: str, row: list[str], place: str) -> None:
    """File, line, column and what is the matter, and nothing of what the row holds; the rest is judged as ever."""
    at = cut(tmp_path / "year")
    edit(at, name, lambda rows: [*rows, row])
    done = run(at, "--alone")
    file, line = place.split(": ")[:2]

    assert 0 == done.status
    assert place in done.aside
    assert "2007-90" not in done.aside
    assert [(file, int(line.removeprefix("line ")))] == [(one["file"], one["line"]) for one in done.whole["unused"]]
    assert 151 == done.whole["reports"]


def test_more_rows_than_one_reads_are_counted(tmp_path: Path) -> None:
    """Each of the first is told by its place, the others by their number; JSON holds every one."""
    at = cut(tmp_path / "year")
    edit(at, ASAM, lambda rows: [*rows, *(["", "", "", "", "", "", "", "", "", ""][:9] for _ in range(50))])
    done = run(at, "--alone")

    assert "and 30 more" in done.aside
    assert 50 == len(done.whole["unused"])
    assert {"malformed-line": 50} == done.whole["refused"]


@pytest.mark.parametrize(
    ("name", "column"), [(ASAM, "date"), (ASAM, "latitude"), (ASAM, "time"), (IMB, "id"), (IMB, "attack_type")]
)
def test_a_column_that_is_missing_is_named(tmp_path: Path, name: str, column: str) -> None:
    """With the file and the line in which it should stand; nothing is judged."""
    at = cut(tmp_path / "year")

    def without(rows: list[list[str]]) -> list[list[str]]:
        place = rows[0].index(column)
        return [[*row[:place], *row[place + 1 :]] for row in rows]

    edit(at, name, without)
    done = run(at, "--alone")

    assert 0 != done.status
    assert f"{name}: line 1: gives no report: malformed-line; columns missing or there twice: {column}" in done.aside


def test_what_is_wrong_with_both_files_is_said_at_once(tmp_path: Path) -> None:
    """An empty file and one whose columns have other names: both are told."""
    at = cut(tmp_path / "year")
    (at / ASAM).write_bytes(b"")
    edit(at, IMB, lambda rows: [[f"the {name}" for name in rows[0]], *rows[1:]])
    done = run(at, "--alone")

    assert 0 != done.status
    assert f"{ASAM}: line 1: gives no report: empty-file" in done.aside
    assert f"{IMB}: line 1: gives no report: malformed-line" in done.aside


def test_known_pairs_need_no_names_of_columns(tmp_path: Path) -> None:
    """A first row that is a pair counts as one, in either order of the columns."""
    at = cut(tmp_path / "year")
    whole = read(at).known
    edit(at, PAIRS, lambda rows: [row[::-1] for row in rows[1:]])

    assert whole == read(at).known
