"""
Runs tests on copies of the package: each in a child of an interpreter that has loaded everything but the package itself.

    forked.py < jobs.json        a list of [folder before the package, file for what pytest prints, tests ...]

Prints the list of pytest's exit status. Two children run at a time; forking saves each of them a second of imports.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import cryptography.hazmat.primitives.asymmetric.ed25519
import fastavro
import hypothesis
import hypothesis.strategies
import msgspec
import prometheus_client
import pydantic
import pytest
import shapely

# One failure is enough, and need not be made small.
hypothesis.settings.register_profile(
    "mutants", phases=(hypothesis.Phase.explicit, hypothesis.Phase.generate), database=None, deadline=None
)
hypothesis.settings.load_profile("mutants")

LOADED = (cryptography, fastavro, hypothesis, msgspec, prometheus_client, pydantic, shapely)
"""Loaded before the first fork, for all children."""

OPTIONS = ("-q", "-x", "-p", "no:cacheprovider", "-p", "no:randomly", "--hypothesis-seed=1")
# That hypothesis was loaded before pytest, which is the point of all this, is no fault.
QUIET = ("-W", "ignore::pytest.PytestAssertRewriteWarning")
AT_A_TIME = 2


def child(source: str, printed: str, tests: list[str]) -> None:
    """Run the tests with the package of *source*, and end with pytest's status."""
    output = os.open(printed, os.O_WRONLY | os.O_CREAT)
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.chdir(source)
    sys.path.insert(0, source)
    root = Path(__file__).parents[3]
    status = pytest.main([*OPTIONS, *QUIET, "--rootdir", str(root), "-c", str(root / "pyproject.toml"), *tests])
    sys.stdout.flush()
    os._exit(int(status))


def main() -> None:
    """Run all jobs."""
    assert not any(name.partition(".")[0] == "boutre" for name in sys.modules)
    jobs: list[list[str]] = json.load(sys.stdin)
    status: dict[int, int] = {}
    running: dict[int, int] = {}
    for number, (source, printed, *tests) in enumerate(jobs):
        if len(running) == AT_A_TIME:
            wait(running, status)
        process = os.fork()
        if process == 0:
            child(source, printed, tests)
        running[process] = number
    while running:
        wait(running, status)
    print(json.dumps([status[number] for number in range(len(jobs))]))  # noqa: T201 - what this program is for


def wait(running: dict[int, int], status: dict[int, int]) -> None:
    """Wait for one child."""
    process, ended = os.wait()
    status[running.pop(process)] = os.waitstatus_to_exitcode(ended)


if __name__ == "__main__":
    main()
