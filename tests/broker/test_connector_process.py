"""
``boutre connector run`` as a process of its own, on a Kafka of its own.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from boutre.ops.broker import Broker
from boutre.schemas.keys import KeyFolder

BUS = Path(__file__).parents[2]
MEMBERS = ("observatory-imb", "mauritius")
TOPICS = (
    "national.observatory-imb.sighting",
    "rejects.observatory-imb",
    "national.mauritius.sighting",
    "national.mauritius.interception",
    "rejects.mauritius",
)


@pytest.fixture
def environment(own_broker: Broker, tmp_path: Path) -> dict[str, str]:
    """Settings of a member's machine: a cluster with its topics, keys, a folder for its state."""
    admin = AdminClient({"bootstrap.servers": own_broker.bootstrap})
    for future in admin.create_topics([NewTopic(topic, 1, 1) for topic in TOPICS]).values():
        future.result(30)
    KeyFolder(tmp_path / "keys").development(MEMBERS, ())
    return {
        **os.environ,
        "BOUTRE_BUS": str(BUS),
        "BOUTRE_STATE": str(tmp_path / "state"),
        "BOUTRE_KEYS": str(tmp_path / "keys"),
        "BOUTRE_KAFKA__BOOTSTRAP_SERVERS": own_broker.bootstrap,
    }


def start(environment: dict[str, str], *arguments: str) -> subprocess.Popen[str]:
    """Start the command."""
    command = [sys.executable, "-m", "boutre.ops.command", "connector", *arguments]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def counts(output: str) -> list[tuple[Any, ...]]:
    """The counts of each feed."""
    return [(row["feed"], row["records"], row["rejects"], row["noted"]) for row in json.loads(output)]


def test_a_feed_is_published_once_and_followed(environment: dict[str, str], tmp_path: Path) -> None:
    """The whole file, then nothing more; and a follower that ends in good order when it is told to."""
    first = start(environment, "run", "incidents-imb", "--once", "--output", "json")
    out, err = first.communicate(timeout=120)

    assert first.returncode == 0, err
    assert counts(out) == [("incidents-imb", 716, 0, 0)]
    assert "/metrics" in err

    again = start(environment, "run", "incidents-imb", "--once", "--output", "json")
    out, err = again.communicate(timeout=120)

    assert again.returncode == 0, err
    assert counts(out) == [("incidents-imb", 0, 0, 0)]

    follower = start(environment, "run", "mauritius-ops-room", "--output", "json")
    cursor = tmp_path / "state" / "connectors" / "mauritius-ops-room.cursor"
    try:
        while not cursor.exists() and follower.poll() is None:
            pass
    finally:
        follower.send_signal(signal.SIGTERM)
    out, err = follower.communicate(timeout=120)

    assert follower.returncode == 0, err
    assert counts(out) == [("mauritius-ops-room", 4, 0, 0)]


def test_a_member_without_its_topic_is_told_which(environment: dict[str, str]) -> None:
    """Exit status 3, the topic's name, no traceback, and nothing on stdout."""
    KeyFolder(Path(environment["BOUTRE_KEYS"])).development(["observatory-asam"], ())

    run = start(environment, "run", "incidents-asam", "--once", "--output", "json")
    out, err = run.communicate(timeout=120)

    assert (3, "") == (run.returncode, out)
    assert "national.observatory-asam.sighting" in err
    assert "Traceback" not in err
