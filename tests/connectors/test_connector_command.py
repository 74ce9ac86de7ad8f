"""
``boutre connector``: feeds listed, tried and run.
"""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from boutre.connectors.kept import Kept, Refused
from boutre.ops.command import main
from boutre.ops.rejected_command import forget_record
from boutre.ops.settings import Settings

BUS = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No settings but this test's own, and a state folder that is its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BOUTRE_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("BOUTRE_KEYS", str(tmp_path / "keys"))


def boutre(*arguments: str) -> Result:
    """Run the command on this repository's bus."""
    return CliRunner().invoke(main, ["--bus", str(BUS), *arguments])


def test_list_shows_every_feed_as_data() -> None:
    """Whose it is, what reads it, how far it was read."""
    rows = {row["feed"]: row for row in json.loads(boutre("connector", "list", "--output", "json").stdout)}

    assert ("observatory-imb", "delimited", None) == tuple(rows["incidents-imb"][key] for key in ("member", "source", "cursor"))
    assert rows["mauritius-ops-room"]["exercise"] is True


def test_check_runs_the_examples() -> None:
    """Nothing on stdout, and how many were tried on stderr."""
    result = boutre("connector", "check", "incidents-imb", "incidents-asam")

    assert (0, "") == (result.exit_code, result.stdout)
    assert "2 feeds and 8 examples are in order" in result.stderr


def test_check_says_all_that_is_wrong(tmp_path: Path) -> None:
    """Exit status 2, one line for each fault with file and key."""
    for room in ("topics", "schemas", "processors", "connectors"):
        (tmp_path / "bus" / room).mkdir(parents=True)
    for file in (BUS / "topics").rglob("*"):
        if file.is_file():
            target = tmp_path / "bus" / "topics" / file.relative_to(BUS / "topics")
            target.parent.mkdir(exist_ok=True)
            target.write_bytes(file.read_bytes())
    for name, source in (("one", "lynes"), ("two", "lines")):
        (tmp_path / "bus" / "connectors" / f"{name}.toml").write_text(f'member = "x"\nkinds = ["sighting"]\nsource = "{source}"\n')

    result = CliRunner().invoke(main, ["--bus", str(tmp_path / "bus"), "connector", "check"])

    assert (2, "") == (result.exit_code, result.stdout)
    for said in ("connectors/one.toml: source:", "connectors/one.toml: handling:", "connectors/two.toml: options:"):
        assert said in result.stderr


def test_a_dry_run_counts_and_leaves_nothing(tmp_path: Path) -> None:
    """Both incident feeds whole, without a broker and without a key."""
    result = boutre("connector", "run", "incidents-imb", "incidents-asam", "--dry-run", "--output", "json")

    assert [("incidents-imb", 716, 0, 0), ("incidents-asam", 950, 0, 0)] == [
        (row["feed"], row["records"], row["rejects"], row["noted"]) for row in json.loads(result.stdout)
    ]
    assert [] == list(tmp_path.iterdir())


def test_following_several_feeds_is_refused() -> None:
    """A process follows one; several are for runs that end."""
    result = boutre("connector", "run", "incidents-imb", "incidents-asam")

    assert 2 == result.exit_code
    assert "--once" in result.stderr


def test_without_kafka_it_says_what_to_do() -> None:
    """Exit status 3 and a sentence, no traceback."""
    result = boutre("connector", "run", "incidents-imb", "--once")

    assert 3 == result.exit_code
    assert "boutre kafka start" in result.stderr


def test_a_feed_that_does_not_exist_is_said() -> None:
    """With those that do."""
    result = boutre("connector", "run", "incidents-imp", "--dry-run")

    assert 2 == result.exit_code
    assert "no such feed; declared here:" in result.stderr
    assert "incidents-imb" in result.stderr


def keep(state: Path) -> Kept:
    """What a feed refused today, on this machine."""
    own = Kept(state / "connectors" / "rejected")
    now = datetime.now(UTC)
    place = {"file": "a.csv", "line": 2, "field": "latitude"}
    for number, content in enumerate((b"Ana Maria;north", b"Ben;\xff")):
        one = Refused(f"id-{number}", f"record-{number}", "wrong-type", now.isoformat(), place, content, truncated=False)
        own.keep("incidents-imb", [one], now)
    return own


def test_what_was_rejected_is_shown_to_who_asks(tmp_path: Path) -> None:
    """Reason and place in the table, what came in where it is asked for; all of it as data."""
    keep(tmp_path / "state")
    table = boutre("connector", "rejected", "incidents-imb")
    more = boutre("connector", "rejected", "incidents-imb", "--content", "--id", "record-1")
    data = json.loads(boutre("connector", "rejected", "incidents-imb", "--output", "json").stdout)

    assert ["id-0", "id-1"] == [line.split()[0] for line in table.stdout.splitlines()]
    assert "wrong-type" in table.stdout
    assert "a.csv:2:latitude" in table.stdout
    assert "Ana" not in table.stdout
    assert "Ben;\\xff" == more.stdout.splitlines()[1]
    assert ("Ana Maria;north", base64.b64encode(b"Ben;\xff").decode()) == (data[0]["content"], data[1]["base64"])


def test_what_was_rejected_can_be_forgotten(tmp_path: Path) -> None:
    """By id or all of it, and it says where there was nothing; what to forget must be said."""
    own = keep(tmp_path / "state")
    said = boutre("connector", "forget", "incidents-imb")
    one = boutre("connector", "forget", "incidents-imb", "record-0")
    again = boutre("connector", "forget", "incidents-imb", "record-0")
    left = [kept.id for kept in own.of("incidents-imb")]
    rest = boutre("connector", "forget", "incidents-imb", "--all")

    assert (2, 0, 1, 0) == (said.exit_code, one.exit_code, again.exit_code, rest.exit_code)
    assert ["id-1"] == left
    assert [] == list(own.of("incidents-imb"))


def test_an_erasure_takes_what_was_refused_of_the_record_too(tmp_path: Path) -> None:
    """A report that was refused, mended and then erased leaves nothing of its first form on this machine."""
    own, settings = keep(tmp_path / "state"), Settings(state=tmp_path / "state")

    assert (1, 0) == (forget_record(settings, "record-0"), forget_record(settings, "record-0"))
    assert ["id-1"] == [kept.id for kept in own.of("incidents-imb")]
