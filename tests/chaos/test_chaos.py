"""
The short form of the chaos runs, as a person types it: real Kafka, real processes, a verdict on the last line.

The long one is `make chaos ARGS="--records 100000 --kills 100"`; docs/chaos.md has its result.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.broker, pytest.mark.timeout(400)]

TESTS = Path(__file__).parents[1]
UNAVAILABLE = 3


def chaos(folder: Path, *arguments: str) -> dict[str, Any]:
    """
    Run it; gives what its last line says, or leaves the test out where Kafka cannot be had.
    """
    told = [*arguments, "--folder", str(folder / "chaos"), "--pace", "2", "--patience", "100"]
    done = subprocess.run(
        [sys.executable, "-m", "chaos", *told],
        cwd=folder, env={**os.environ, "PYTHONPATH": str(TESTS)}, capture_output=True, text=True, timeout=380, check=False,
    )  # fmt: skip
    if done.returncode == UNAVAILABLE:
        pytest.skip(done.stderr.strip().splitlines()[-1])
    assert done.returncode == 0, done.stderr[-4000:] + done.stdout[-2000:]
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def check(result: dict[str, Any], *scenarios: str) -> None:
    """
    Hold what every run must have come to: nothing lost, nothing twice, for anybody.
    """
    assert (0, 0, 0, 0) == tuple(result[name] for name in ("lost", "duplicates", "wrong", "strays"))
    assert 8 == len(result["per_recipient"])
    assert all(counts["lost"] == counts["duplicates"] == 0 for counts in result["per_recipient"].values())
    told = result["per_recipient"].values()
    assert result["out"] == sum(counts.get("delivered", 0) + counts.get("made", 0) for counts in told)
    assert sum(counts.get("made", 0) for counts in told) > 0
    assert result["out"] > result["in"]
    assert set(scenarios) == set(result["scenarios"])
    assert 0 < result["in_flight_kills"] <= result["kills"]


def test_nothing_is_lost_and_nothing_comes_twice(tmp_path: Path) -> None:
    """
    A worker is killed, one loses its disk too, one is frozen and fenced; Kafka, a connector and a sink are killed, all in flight.

    Every record has one outcome for each recipient, the one that it has without a kill; each view is there once, on Kafka and in
    the files and databases of the sinks.
    """
    scenarios = ("kill-worker", "wipe-disk", "freeze-worker", "broker-restart", "kill-connector", "kill-sink")
    chosen = [word for name in scenarios for word in ("--scenario", name)]
    result = chaos(tmp_path, "--records", "1200", "--kills", "4", "--seed", "4", *chosen)

    check(result, *scenarios)


def test_a_cluster_of_three_loses_a_node(tmp_path: Path) -> None:
    """
    One of three Kafka nodes is killed and stays away while records come and a worker is killed; the other two go on.
    """
    scenarios = ("lose-a-node", "kill-worker")
    chosen = [word for name in scenarios for word in ("--scenario", name)]
    result = chaos(tmp_path, "--records", "800", "--kills", "2", "--nodes", "3", "--seed", "4", *chosen)

    check(result, *scenarios)
    assert 3 == result["nodes"]
