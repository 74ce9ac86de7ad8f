"""
``boutre rejects`` without a broker: what must be said, whose rejects they are, and a file that is checked by itself.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from boutre.connectors.plain import plain
from boutre.ops.command import main
from boutre.ops.rejects_file import FORM
from boutre.schemas.keys import KeyFolder
from records import ROOT, kwassa


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No settings but this test's own: the machine of the Comoros."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BOUTRE_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("BOUTRE_KEYS", str(tmp_path / "keys"))
    monkeypatch.setenv("LC_ALL", "en_GB.UTF-8")
    KeyFolder(tmp_path / "keys").development(["comoros"], ())


def boutre(*words: str) -> Result:
    """Run a command of rejects on this repository's bus."""
    return CliRunner().invoke(main, ["--bus", str(ROOT), "rejects", *words])


def mended(path: Path, **changes: Any) -> str:
    """A file that a person has edited."""
    value = {**plain(kwassa()), **changes}
    told = {"form": FORM, "reject": "r", "record": value["id"], "member": "comoros", "code": "future-time", "kind": "interception"}
    path.write_text(json.dumps({**told, "value": value}), encoding="utf-8")
    return str(path)


def test_a_file_is_checked_without_a_broker_and_a_key(tmp_path: Path) -> None:
    """
    What is in order would be sent; what is not is told by its reason and its field, and the status says so.
    """
    good, wrong = mended(tmp_path / "good.json"), mended(tmp_path / "wrong.json", position={"latitude": 1234.5, "longitude": 44.0})
    done = boutre("send-again", "--from", good, "--dry-run", "--output", "json")
    refused = boutre("send-again", "--from", good, "--from", wrong, "--dry-run")

    assert [(0, ["would-be-sent"])] == [(done.exit_code, [one["result"] for one in json.loads(done.stdout)])]
    assert 1 == refused.exit_code
    assert "1  would be sent" in refused.stdout
    assert "out-of-range (position.latitude)" in refused.stdout
    assert "1234" not in refused.output
    assert not (tmp_path / "state" / "connectors").exists()


def test_the_file_of_another_member_is_refused(tmp_path: Path) -> None:
    """
    It is for who has that member's key.
    """
    done = boutre("send-again", "--from", mended(tmp_path / "a.json"), "--member", "france", "--dry-run")

    assert 2 == done.exit_code
    assert "these are the rejects of france" in done.stderr


@pytest.mark.parametrize(
    "words", [(), ("--all", "--code", "future-time"), ("id", "--from", "file"), ("--all", "--from", "file"), ("--all", "id")]
)
def test_what_is_to_be_sent_must_be_said(words: tuple[str, ...]) -> None:
    """
    All of it only where one says so, and not one thing and another.
    """
    done = boutre("send-again", *words)

    assert 2 == done.exit_code
    assert "say which" in done.stderr


def test_whose_rejects_must_be_known(tmp_path: Path) -> None:
    """
    The one member whose key is here, or the one that is named; one that is none is told with those that are.
    """
    KeyFolder(tmp_path / "keys").development(["comoros", "france"], ())

    assert "comoros, france" in boutre("list").stderr
    unknown = boutre("list", "--member", "comores")
    assert 2 == unknown.exit_code
    assert "there are comoros" in unknown.stderr
    assert 2 == boutre("list", "--member", "comoros", "--bus").exit_code


def test_without_kafka_it_says_what_to_do() -> None:
    """
    Status 3 and a sentence; the member was found out by its key.
    """
    for words in (("list",), ("show", "x"), ("fix", "x", "--out", "x.json"), ("send-again", "x", "--dry-run")):
        done = boutre(*words)
        assert 3 == done.exit_code, done.output
        assert "boutre kafka start" in done.stderr


def test_a_list_of_dead_letters_that_is_none_is_refused(tmp_path: Path) -> None:
    """
    Where the bus's own are to be put again from a list.
    """
    (tmp_path / "dead.json").write_text('[{"id": "x"}]', encoding="utf-8")
    environment = {"BOUTRE_KAFKA__BOOTSTRAP_SERVERS": "127.0.0.1:1"}
    words = ["--bus", str(ROOT), "rejects", "send-again", "--bus", "--from", "dead.json", "--dry-run"]
    done = CliRunner().invoke(main, words, env=environment)

    assert 2 == done.exit_code
    assert "dead.json: is no list of dead letters" in done.stderr


@pytest.mark.parametrize(
    ("day", "result", "problem"), [("1994-02-28", "would-be-sent", None), ("1994-02-30", "to-be-mended", "impossible-time")]
)
def test_a_line_that_was_mended_is_read_by_its_feed(tmp_path: Path, day: str, result: str, problem: str | None) -> None:
    """
    The text of which no record could be made is a record once it is mended, as the feed's declaration has it.
    """
    head = "id,date,time,latitude,longitude,attack_type,vessel_name,vessel_type,vessel_status,nearest_country"
    row = f"IMB-99999,{day},,11.6,43.1,Hijacked,Castor,,Steaming,DJI"
    told = {"form": FORM, "reject": "r", "record": "x", "member": "observatory-imb", "code": "impossible-time"}
    path = tmp_path / "line.json"
    path.write_text(json.dumps({**told, "feed": "incidents-imb", "content": [head, row]}), encoding="utf-8")
    done = boutre("send-again", "--from", str(path), "--member", "observatory-imb", "--dry-run", "--output", "json")

    assert [(result, problem)] == [(one["result"], one["problem"]) for one in json.loads(done.stdout)]
    assert (0 if problem is None else 1) == done.exit_code
