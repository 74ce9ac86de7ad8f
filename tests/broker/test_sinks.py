"""
Sinks on a real Kafka: killed anywhere, they lose nothing and do nothing twice; and the commands that run them.
"""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from boutre.connectors.delivery import KINDS, topic
from boutre.connectors.sinks.trial import codec, view
from boutre.ops.broker import Broker
from sealed import bus_keys, message


@pytest.fixture
def recipient(admin: AdminClient, unique: Callable[[str], str]) -> str:
    """A recipient that only this test has, with a topic of each kind."""
    name = unique("rcoc")
    for future in admin.create_topics([NewTopic(topic(name, kind), num_partitions=2) for kind in KINDS]).values():
        future.result(30)
    return name


def publish(broker: Broker, recipient: str, count: int, *kinds: str) -> set[str]:
    """Put views on the topics of *recipient*; gives their ids."""
    producer = Producer({"bootstrap.servers": broker.bootstrap})
    ids = set()
    for kind in kinds or ("sighting",):
        for number in range(count):
            value = view(kind, number, recipient=recipient)
            producer.produce(**message(topic(recipient, kind), codec().encode(kind, value), str(number).encode()))
            ids.add(str(value["id"]))
    assert producer.flush(30) == 0
    return ids


def environment(broker: Broker, folder: Path) -> dict[str, str]:
    """What a command needs to know, and a folder without a bus of its own."""
    return {
        **os.environ,
        "BOUTRE_KAFKA__BOOTSTRAP_SERVERS": broker.bootstrap,
        "BOUTRE_STATE": str(folder / "state"),
        "BOUTRE_KEYS": str(bus_keys(folder / "keys").path),
        "LC_ALL": "C.UTF-8",
    }


def boutre(broker: Broker, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command in *folder*, where no bus is declared, as a recipient would who has nothing but the program."""
    return subprocess.run(
        [sys.executable, "-m", "boutre.ops.command", *arguments],
        cwd=folder, env=environment(broker, folder), capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip


def lines(path: Path) -> list[str]:
    """The ids in a file of JSON lines."""
    return [json.loads(line)["id"] for line in path.read_text().splitlines()]


KILLED = """
import os, sys
from boutre.connectors.sinks.migration.database import write
from boutre.connectors import consumer
from boutre.ops.command import main
left = int(sys.argv[1])
def dying(self, *_):
    global left
    if self._reader._done != self._reader._committed:
        left -= 1
        if left < 0:
            os.kill(os.getpid(), 9)
    return real(self)
real = consumer.Consumer.commit
consumer.Consumer.commit = dying
main(sys.argv[2:])
"""


@pytest.mark.parametrize("name", ["migration", "jsonl"])
def test_a_sink_killed_before_its_commit_does_nothing_twice(broker: Broker, recipient: str, tmp_path: Path, name: str) -> None:
    """
    Killed again and again when the effect is there and the position has not moved: each view has its effect once.

    The second time it commits some batches before it is killed, so that kills hit different places of the topic.
    """
    expected = publish(broker, recipient, 30)
    options = {"migration": f"url=sqlite:///{tmp_path}/m.db", "jsonl": f"folder={tmp_path}"}[name]
    arguments = ["sink", "run", name, recipient, "--set", options, "--kind", "sighting", "--most", "7", "--once"]
    statuses = []
    for after in (0, 2, 99):
        done = subprocess.run(
            [sys.executable, "-c", KILLED, str(after), *arguments],
            cwd=tmp_path, env=environment(broker, tmp_path), capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
        statuses.append(done.returncode)

    if name == "jsonl":
        found = lines(tmp_path / recipient / "sighting.jsonl")
    else:
        with closing(sqlite3.connect(tmp_path / "m.db")) as database:
            found = [row[0] for row in database.execute("SELECT view_id FROM record")]
    assert statuses == [-signal.SIGKILL, -signal.SIGKILL, 0]
    assert sorted(expected) == sorted(found)


def test_every_kind_reaches_every_file(broker: Broker, recipient: str, tmp_path: Path) -> None:
    """JSON lines and GeoJSON of all kinds, each view once; what is no view is a dead letter; a second run adds nothing."""
    expected = publish(broker, recipient, 3, *KINDS)
    producer = Producer({"bootstrap.servers": broker.bootstrap})
    producer.produce(topic(recipient, "alert"), b"no view")
    producer.flush(30)
    runs = {
        name: [boutre(broker, tmp_path, "sink", "run", name, recipient, "--set", "folder=out", "--once") for _ in range(2)]
        for name in ("jsonl", "geojson")
    }
    folder = tmp_path / "out" / recipient
    features = [each for kind in KINDS for each in json.loads((folder / f"{kind}.geojson").read_text())["features"]]

    for name, (first, second) in runs.items():
        counts = {"sink": name, "recipient": recipient, "delivered": 3 * len(KINDS), "refused": 0, "bad": 1}

        assert first.returncode == 0, first.stderr
        assert counts == json.loads(first.stdout)
        assert counts | {"delivered": 0, "bad": 0} == json.loads(second.stdout)
        assert "kwassa" not in first.stderr
    assert expected == {identifier for kind in KINDS for identifier in lines(folder / f"{kind}.jsonl")}
    assert expected == {each["id"] for each in features}
    assert len(features) == 3 * len(KINDS)
    assert len((folder / "dead-letters.jsonl.jsonl").read_text().splitlines()) == 1


def test_a_sink_that_is_told_to_stop_finishes_what_it_began(broker: Broker, recipient: str, tmp_path: Path) -> None:
    """SIGTERM ends it with what it has counted, and what comes afterwards it takes when it is started again."""
    first = publish(broker, recipient, 4)
    file = tmp_path / "out" / recipient / "sighting.jsonl"
    process = subprocess.Popen(
        [sys.executable, "-m", "boutre.ops.command", "sink", "run", "jsonl", recipient, "--set", "folder=out"],
        cwd=tmp_path, env=environment(broker, tmp_path), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        until = time.monotonic() + 60
        while time.monotonic() < until and not (file.exists() and len(lines(file)) == 4):
            time.sleep(0.1)
        process.send_signal(signal.SIGTERM)
        out, _ = process.communicate(timeout=60)
    finally:
        process.kill()
    everything = first | publish(broker, recipient, 6)
    again = boutre(broker, tmp_path, "sink", "run", "jsonl", recipient, "--set", "folder=out", "--once")

    assert process.returncode == 0
    assert json.loads(out)["delivered"] == 4
    assert again.returncode == 0, again.stderr
    assert sorted(everything) == sorted(lines(file))


def test_watch_shows_what_is_there_in_both_languages(broker: Broker, recipient: str, tmp_path: Path) -> None:
    """Words on stdout, everything else on stderr; an exercise first; JSON for programs; no position is moved."""
    expected = publish(broker, recipient, 2, "alert")
    producer = Producer({"bootstrap.servers": broker.bootstrap})
    producer.produce(topic(recipient, "alert"), b"no view")
    producer.flush(30)
    french = boutre(broker, tmp_path, "watch", recipient, "--kind", "alert", "--language", "fr", "--once")
    english = boutre(broker, tmp_path, "watch", recipient, "--kind", "alert", "--language", "en", "--once")
    machine = boutre(broker, tmp_path, "watch", recipient, "--kind", "alert", "--once", "--output", "json")

    assert [french.returncode, english.returncode, machine.returncode] == [0, 0, 0], french.stderr
    assert french.stdout.count("EXERCICE") == english.stdout.count("EXERCISE") == 2
    assert "Veillez sur le canal 16." in french.stdout
    assert "withheld under comoros-rcoc@1" in english.stdout
    assert "enregistrements affichés" in french.stderr
    assert "n'est pas une vue destinée à" in french.stderr
    assert expected == {json.loads(line)["id"] for line in machine.stdout.splitlines()}
    assert "\x1b" not in french.stdout + english.stdout


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["sink", "run", "jsnol", "rcoc"], "there is no such sink"),
        (["sink", "run", "jsonl", "rcoc"], "folder: field required"),
        (["sink", "run", "jsonl", "rcoc", "--set", "path=x"], "one of: folder"),
        (["sink", "run", "jsonl", "rcoc", "--set", "folder"], "say --set OPTION=VALUE"),
    ],
)
def test_what_was_typed_wrong_is_told(broker: Broker, tmp_path: Path, arguments: list[str], told: str) -> None:
    """A mistake in the command ends it with status 2 and a sentence that says what to write."""
    done = boutre(broker, tmp_path, *arguments)

    assert done.returncode == 2
    assert told in done.stderr
    assert "Traceback" not in done.stderr


def test_an_unknown_recipient_is_told(broker: Broker, recipient: str, tmp_path: Path) -> None:
    """Without declarations the broker decides, and gives no more away than that the topic is not ours."""
    done = boutre(broker, tmp_path, "watch", f"{recipient}-nobody", "--once")

    assert done.returncode == 3
    assert "is missing or not yours to read" in done.stderr
