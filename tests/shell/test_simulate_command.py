"""
``boutre simulate``: what it prints, writes and draws.
"""

from __future__ import annotations

import csv
import json
from pathlib import Path

from click.testing import CliRunner

from boutre.ops.command import main


def run(*arguments: str) -> tuple[int, str, str]:
    """The exit status, what it said, and what it told on the side."""
    done = CliRunner().invoke(main, ["simulate", "--seed", "3", "--nights", "3", *arguments])
    return done.exit_code, done.stdout, done.stderr


def test_the_last_line_is_json() -> None:
    """People read tables; a program reads the last line, and gets the same by itself with --output json."""
    status, table, _ = run()
    again, alone, _ = run("--output", "json")
    told = json.loads(alone)

    assert (0, 0) == (status, again)
    assert alone == table.splitlines(keepends=True)[-1]
    assert (3, 3) == (told["seed"], told["nights"])
    assert "Held to the truth" in table
    for judged in told["matchers"].values():
        assert {"links", "pairs", "clusters", "alerts", "reliability", "observers"} <= judged.keys()
        assert sum(row["reports"] for row in judged["observers"]) == told["reports"]


def test_reports_and_truth_are_written(tmp_path: Path) -> None:
    """Every report is a line, and every line has its row of truth, in the same order."""
    status, _, said = run("--write", str(tmp_path / "corridor"), "--output", "json")
    lines = (tmp_path / "corridor" / "reports.jsonl").read_text(encoding="utf-8").splitlines()
    with (tmp_path / "corridor" / "truth.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    with (tmp_path / "corridor" / "boats.csv").open(encoding="utf-8", newline="") as file:
        boats = {row["boat"] for row in csv.DictReader(file)}

    assert 0 == status
    assert "truth.csv" in said
    assert [json.loads(line)["record"]["id"] for line in lines] == [row["report"] for row in rows]
    assert {row["boat"] for row in rows} - {""} <= boats


def test_a_night_is_drawn(tmp_path: Path) -> None:
    """The map is written where it is asked for, of the night that is asked for; a night that never was is refused."""
    status, _, _ = run("--map", str(tmp_path / "a" / "night.svg"), "--night", "2", "--output", "json")
    refused, _, said = run("--map", str(tmp_path / "none.svg"), "--night", "3")

    assert (0, 2) == (status, refused)
    assert "Night 2 of seed 3" in (tmp_path / "a" / "night.svg").read_text(encoding="utf-8")
    assert "--night" in said
    assert not (tmp_path / "none.svg").exists()
