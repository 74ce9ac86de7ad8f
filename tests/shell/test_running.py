"""
Which processes run on this machine, as `boutre status` finds them; and what the doctor must not be told.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from click.testing import CliRunner

from boutre import metrics
from boutre.health import OWN, Limits
from boutre.ops.command import main
from boutre.ops.running import FOLDER, Running, ask, running, written

ROOT = Path(__file__).parents[2]


def test_a_process_is_found_asked_and_forgotten(tmp_path: Path) -> None:
    """As long as it runs it is written down and answers for itself; who answers in its place is told as another."""
    port = metrics.serve(0)
    before = OWN.kind, OWN.name, OWN.limits
    OWN.of("worker", "release", Limits())
    OWN.lacks("partitions", "none were assigned yet")
    try:
        with written(tmp_path, "worker", "release", "0.0.0.0", port):  # noqa: S104 - as a container says it
            (found,) = running(tmp_path)
            told = ask(found)
            other = ask(Running("sink", "jsonl of rcoc", found.address))
    finally:
        OWN.has("partitions")
        OWN.of(*before)

    assert Running("worker", "release", f"127.0.0.1:{port}", os.getpid()) == found
    assert not told.ready
    assert "partitions: none were assigned yet" in told.why
    assert ("ended; worker release answers in its place",) == other.why
    assert [] == running(tmp_path)


def test_one_that_was_killed_is_told_until_it_has_a_successor(tmp_path: Path) -> None:
    """It does not answer, which is what is late; the next of its kind and name takes its place, another one does not."""
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    folder = tmp_path / FOLDER
    folder.mkdir()
    claim = {"kind": "sink", "name": "jsonl of rcoc", "address": "127.0.0.1:1", "pid": ended.pid}
    (folder / f"{ended.pid}.json").write_text(json.dumps(claim), encoding="utf-8")
    (folder / "1.json").write_text("{", encoding="utf-8")

    with written(tmp_path, "sink", "geojson of rcoc", "127.0.0.1", 2):
        assert {"jsonl of rcoc", "geojson of rcoc"} == {one.name for one in running(tmp_path)}
    assert [("does not answer",)] == [ask(one).why for one in running(tmp_path)]
    with written(tmp_path, "sink", "jsonl of rcoc", "127.0.0.1", 2):
        assert [os.getpid()] == [one.pid for one in running(tmp_path)]


def test_a_registry_s_password_is_not_taken_where_it_would_be_shown() -> None:
    """An address with a user name is refused before anything is asked, and not said again."""
    done = CliRunner().invoke(main, ["--bus", str(ROOT), "doctor", "--registry", "https://me:hidden@registry.example.org"])

    assert 2 == done.exit_code
    assert "--registry-user-file" in done.output
    assert "hidden" not in done.output
