"""
Tests that can fail: each mutant in ``mutants/`` breaks one promise of the core, and the test that it names must notice.

A mutant is a text of one module and what takes its place. It is made in a copy of the package, in front of the real one on the path
of a child of its own; the same tests pass there on the unchanged copy, so that it is the mutant which they notice.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

import pytest

from records import ROOT

FOLDER = Path(__file__).with_name("mutants")
NAMES = sorted(path.stem for path in FOLDER.glob("*.toml"))
PATIENCE_S = 900
"""All of them together; alone on two cores they take two minutes, beside the tests of a broker longer."""

PASSED, FAILED = 0, 1
"""Exit status of pytest."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """
    One broken promise: *why* says it, and *killed_by* is the test that holds it.
    """

    why: str
    file: str
    old: str
    new: str
    killed_by: str


def mutant(name: str) -> Mutant:
    """A mutant by the name of its file."""
    return Mutant(**tomllib.loads((FOLDER / f"{name}.toml").read_text(encoding="utf-8")))


def copy(folder: Path) -> Path:
    """A copy of the package, as it is compiled, that finds the schemas where a checkout has them."""
    shutil.copytree(ROOT / "src" / "boutre", folder / "src" / "boutre")
    (folder / "schemas").symlink_to(ROOT / "schemas")
    return folder / "src"


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[int, str]]:
    """
    For the unchanged copy, by the name "", and for each mutant: the exit status of pytest, and what it printed.
    """
    folder = tmp_path_factory.mktemp("mutants")
    jobs = []
    for name in ("", *NAMES):
        source = copy(folder / (name or "unchanged"))
        if name:
            change = mutant(name)
            path = source / "boutre" / change.file
            content = path.read_text(encoding="utf-8")
            assert 1 == content.count(change.old), f"{name}: what is to be replaced stands {content.count(change.old)} times"
            path.write_text(content.replace(change.old, change.new), encoding="utf-8")
        tests = [mutant(name).killed_by] if name else sorted({mutant(each).killed_by for each in NAMES})
        jobs.append([str(source), str(folder / f"{name}.log"), *(str(ROOT / "tests" / "domain" / test) for test in tests)])
    done = subprocess.run(
        [sys.executable, str(FOLDER / "forked.py")],
        input=json.dumps(jobs),
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "BOUTRE_TEST_ALL": ""},
        capture_output=True,
        text=True,
        check=True,
        timeout=PATIENCE_S,
    )
    printed = [Path(job[1]).read_text(encoding="utf-8") for job in jobs]
    return dict(zip(["", *NAMES], zip(json.loads(done.stdout), printed, strict=True), strict=True))


@pytest.mark.timeout(PATIENCE_S)
def test_without_a_mutant_they_pass(outcomes: dict[str, tuple[int, str]]) -> None:
    """
    The control: on an unchanged copy all of these tests pass.
    """
    status, printed = outcomes[""]

    assert PASSED == status, printed


@pytest.mark.timeout(PATIENCE_S)
@pytest.mark.parametrize("name", NAMES)
def test_a_mutant_is_noticed(name: str, outcomes: dict[str, tuple[int, str]]) -> None:
    """
    The test that it names fails, and by its assertion: not since the copy could not be imported.
    """
    status, printed = outcomes[name]

    assert FAILED == status, printed
    assert mutant(name).killed_by.partition("::")[2] in printed
    assert "ImportError" not in printed
    assert "SyntaxError" not in printed
