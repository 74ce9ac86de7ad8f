"""
A run says what it left out, and fails for it where nothing may be left out.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

CONFTEST = Path(__file__).with_name("conftest.py")

SUITE = '''
import pytest

@pytest.mark.broker
def test_left_out():
    """Needs what this machine lacks."""
    pytest.skip("no Kafka here")

def test_run():
    """Needs nothing."""

@pytest.mark.xfail(strict=True)
def test_expected_to_fail():
    """Was run, and is not left out."""
    raise AssertionError
'''


def run(folder: Path, suite: str, **variables: str) -> tuple[int, list[str]]:
    """
    Run *suite* in a process of its own; gives its exit status and what it printed.
    """
    shutil.copy(CONFTEST, folder)
    (folder / "domain").mkdir()
    (folder / "domain" / "test_suite.py").write_text(suite, encoding="utf-8")
    (folder / "pytest.ini").write_text("[pytest]\nmarkers =\n    broker: a tier\n", encoding="utf-8")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("BOUTRE_", "PYTEST_"))}
    command = [sys.executable, "-m", "pytest", "-rs", "-p", "no:cacheprovider"]
    done = subprocess.run(
        command, cwd=folder, env=environment | variables, capture_output=True, text=True, check=False, timeout=120
    )
    return done.returncode, done.stdout.splitlines()


def test_what_was_left_out_is_named_by_tier_and_reason(tmp_path: Path) -> None:
    """
    A skipped test is no failure on a machine that lacks something, but its tier and reason stand at the end.
    """
    status, lines = run(tmp_path, SUITE)

    assert 0 == status
    assert "broker: 1 test: no Kafka here" in lines
    assert "1 passed, 1 skipped, 1 xfailed" in lines[-1]


def test_nothing_may_be_left_out_where_all_is_asked_for(tmp_path: Path) -> None:
    """
    With BOUTRE_TEST_ALL a single skip makes the run fail, and pytest's closing line stays the last.
    """
    status, lines = run(tmp_path, SUITE, BOUTRE_TEST_ALL="1")

    assert pytest.ExitCode.TESTS_FAILED == status
    assert "broker: 1 test: no Kafka here" in lines
    assert "1 passed, 1 skipped, 1 xfailed" in lines[-1]


def test_a_file_that_is_skipped_whole_counts(tmp_path: Path) -> None:
    """
    A file that cannot even be imported for want of a library is left out, not forgotten.
    """
    status, lines = run(tmp_path, "import pytest\npytest.importorskip('no_such_library')\n", BOUTRE_TEST_ALL="1")

    assert status not in {pytest.ExitCode.OK, pytest.ExitCode.INTERNAL_ERROR}
    assert any(line.startswith("domain: 1 test: ") and "no_such_library" in line for line in lines)


def test_a_whole_run_says_that_nothing_was_left_out(tmp_path: Path) -> None:
    """
    With nothing left out the run succeeds, and says so.
    """
    status, lines = run(tmp_path, 'def test_run():\n    """Needs nothing."""\n', BOUTRE_TEST_ALL="1")

    assert 0 == status
    assert "nothing" in lines
