"""
The main job as a person runs it: the command, a real Kafka that is restarted in the middle, real workers, real input.
"""

from __future__ import annotations

import json
import os
import re
import sqlite3
import subprocess
import sys
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

# Alone on two cores it takes two minutes; beside the tests of other brokers more.
PATIENCE_S = 540
pytestmark = pytest.mark.timeout(PATIENCE_S + 20)

ROOT = Path(__file__).parents[2]

SECRETS: dict[str, set[str]] = {
    "Vedette VC-02, Mutsamudu": {"rmifc"},
    "Nadjma Exemple": set(),
    "INVENTE-0412": set(),
    "Imaginaire": set(),
    "Écho radar sans AIS": set(),
    "FULL CITY": {"rmifc", "rcoc", "seychelles", "mauritius", "france"},
    "incidents-imb": {"rmifc", "rcoc"},
    "Crime at Sea": {"rmifc"},
}
"""Values of the samples, and all who may have them: nobody else's output may hold them anywhere."""


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """
    The folder that one whole run wrote, the broker restarted in the middle of it.
    """
    folder = tmp_path_factory.mktemp("demo") / "out"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("BOUTRE_KAFKA")}
    command = [sys.executable, "-m", "boutre", "--bus", str(ROOT), "demo", "--restart-kafka", "--out", str(folder)]
    done = subprocess.run(
        command, check=False, capture_output=True, text=True, env=environment, cwd=folder.parent, timeout=PATIENCE_S
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return folder


@pytest.fixture(scope="module")
def summary(out: Path) -> dict[str, Any]:
    """
    What ``summary.json`` says.
    """
    told: dict[str, Any] = json.loads((out / "summary.json").read_text(encoding="utf-8"))
    return told


def test_every_input_comes_out_once_for_every_recipient(summary: dict[str, Any]) -> None:
    """
    For each input and each recipient exactly one of delivered, withheld, repeat and rejected, and nothing in flight.
    """
    totals = {recipient: sum(counts.values()) for recipient, counts in summary["by_recipient"].items()}

    assert dict.fromkeys(totals, summary["inputs"]) == totals
    assert {len(totals)} == {len(outcomes) for outcomes in summary["outcomes_by_input"].values()}
    assert summary["inputs"] == len(summary["outcomes_by_input"])
    for number, recipient in enumerate(summary["recipients"]):
        counted = Counter(outcomes[number] for outcomes in summary["outcomes_by_input"].values())
        assert {name: count for name, count in summary["by_recipient"][recipient].items() if count} == counted
    assert summary["in_flight"] == 0
    assert summary["contradictions"] == 0
    assert summary["adds_up"] is True


def test_the_feeds_are_published_whole(summary: dict[str, Any]) -> None:
    """
    Both incident feeds come whole, and each message of the AIS sample is a record, a reject or a named message that is no report.

    A feed that is sent a second time is dropped whole as the same report come again; one more input is a recall.
    """
    feeds = summary["feeds"]
    lines = {
        name: len((ROOT / "samples" / "incidents" / f"feed_{name}.csv").read_text().splitlines()) - 1 for name in ("imb", "asam")
    }
    ais = feeds["ais-demonstration"]

    assert {"imb": 716, "asam": 950} == lines
    assert lines == {name: feeds[f"incidents-{name}"]["records"] + feeds[f"incidents-{name}"]["rejected"] for name in lines}
    assert ais["records"] > 2000
    assert {"incidents-imb": 716} == summary["sent_again"]
    assert summary["sent"] == sum(feed["records"] for feed in feeds.values()) + 716 + 1
    # What links, tracks and answers come to nothing new is dropped too, by those processors.
    accepting = {why: count for why, count in summary["dropped"].items() if why.startswith("accept-")}
    assert {"accept-reports: same-report": 716} == accepting
    assert summary["inputs"] == sum(feed["records"] + feed["rejected"] for feed in feeds.values()) + 1


def test_the_files_hold_what_the_summary_says(out: Path, summary: dict[str, Any]) -> None:
    """
    Each recipient's files hold each view once, as many as were delivered.
    """
    counted: dict[str, dict[str, int]] = {}
    for path in sorted(out.glob("*/*.jsonl")):
        identifiers = Counter(json.loads(line)["id"] for line in path.read_text(encoding="utf-8").splitlines())
        assert set(identifiers.values()) <= {1}, path
        counted.setdefault(path.parent.name, {})[path.stem] = identifiers.total()

    assert summary["delivered_by_recipient_and_kind"] == counted


def test_a_recall_is_told_answered_and_carried_out(out: Path, summary: dict[str, Any]) -> None:
    """
    A record is taken back: whoever had it is told and asked, its key is destroyed, and the migration database has no row of it.

    Its name for the partner is that of the recall which stands in the partner's lines.
    """
    recall = summary["recall"]
    partner = [json.loads(line) for line in (out / "protection-partner" / "retraction.jsonl").read_text("utf-8").splitlines()]
    (told,) = [view["recall"] for view in partner]
    with closing(sqlite3.connect(out / "protection-partner" / "migration.sqlite")) as database:
        rows = {of for (of,) in database.execute("SELECT of_record FROM record WHERE kind <> 'retraction'")}

    assert "erase" == told["scope"]
    assert told["record"] not in rows
    assert rows or summary["delivered_by_recipient_and_kind"]["protection-partner"]["interception"] == 1
    assert ("erased", "held") == (recall["answers"]["protection-partner"], recall["answers"]["rcoc"])
    assert None in recall["answers"].values()
    assert recall["keys_destroyed"] == 1


@pytest.mark.parametrize("secret", SECRETS)
def test_a_withheld_value_occurs_nowhere_in_a_recipients_output(out: Path, summary: dict[str, Any], secret: str) -> None:
    """
    A value that only some may have stands in no file of anybody else, and does stand in theirs.
    """
    forms = (secret.encode(), json.dumps(secret).strip('"').encode())
    holders = {
        recipient
        for recipient in summary["by_recipient"]
        for path in (out / recipient).rglob("*")
        if path.is_file() and any(form in path.read_bytes() for form in forms)
    }

    assert SECRETS[secret] == holders


@pytest.mark.parametrize("name", ["README.md", "README.fr.md"])
def test_the_readme_shows_what_became_of_the_inputs(summary: dict[str, Any], name: str) -> None:
    """
    The table of counts in the README is that of a run; tests/domain/test_readme.py writes it from a summary.
    """
    shown = re.findall(r"^\u2502 ([a-z-]+) +\u2502((?: +\d+ \u2502){5})$", (ROOT / name).read_text(encoding="utf-8"), re.MULTILINE)

    assert {recipient: list(counts.values()) for recipient, counts in summary["by_recipient"].items()} == {
        recipient: [int(number) for number in re.findall(r"\d+", numbers)] for recipient, numbers in shown
    }


def test_nothing_is_left_running(out: Path) -> None:
    """
    The demo stops all that it started.
    """
    state = str(out.parent / f".{out.name}")
    running = [
        path.parent.name
        for path in Path("/proc").glob("[0-9]*/cmdline")
        if path.parent.name != str(os.getpid()) and state.encode() in _read(path)
    ]

    assert [] == running


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""
