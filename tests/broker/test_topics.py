"""
`boutre topics` and `boutre kafka` on a real Kafka: what docs/topics.md promises.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from confluent_kafka import TIMESTAMP_CREATE_TIME, TIMESTAMP_LOG_APPEND_TIME, Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._config import AlterConfigOpType, ConfigEntry, ConfigResource
from confluent_kafka.admin._resource import ResourceType
from confluent_kafka.cimpl import NewTopic

from boutre.ops.apply import bring
from boutre.ops.broker import Broker
from boutre.ops.command import main
from boutre.ops.settings import load as settings
from boutre.ops.standing import written
from boutre.topics.bus import load

ROOT = Path(__file__).parents[2]

Run = Callable[..., Result]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """
    A bus of its own, as this repository declares it, to change.
    """
    for room in ("schemas", "processors"):
        (tmp_path / room).mkdir()
    shutil.copytree(ROOT / "topics", tmp_path / "topics")
    return tmp_path


@pytest.fixture
def run(folder: Path, own_broker: Broker, monkeypatch: pytest.MonkeyPatch) -> Run:
    """
    Runs `boutre` in that folder on an empty cluster that it takes for an existing one.
    """
    monkeypatch.chdir(folder)
    monkeypatch.setenv("BOUTRE_KAFKA__BOOTSTRAP_SERVERS", own_broker.bootstrap)
    monkeypatch.setenv("BOUTRE_KAFKA__REPLICATION_FACTOR", "1")
    return lambda *words: CliRunner().invoke(main, words)


def shown(result: Result) -> dict[str, object]:
    """
    The answer of a command with --output json.
    """
    told: dict[str, object] = json.loads(result.stdout)
    return told


def edit(folder: Path, file: str, old: str, new: str) -> None:
    """
    Change a declaration.
    """
    path = folder / "topics" / file
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def test_apply_twice(run: Run, folder: Path, own_broker: Broker) -> None:
    """
    Promises 4 and 6: plan changes nothing, apply makes what is declared, the second apply does nothing.
    """
    declared = {topic.name: topic.partitions for topic in load(folder).topics.values()}
    admin = AdminClient({"bootstrap.servers": own_broker.bootstrap})

    planned = run("topics", "plan", "--output", "json")
    assert declared.keys() == {topic["name"] for topic in shown(planned)["create"]}  # type: ignore[attr-defined] # JSON
    assert not declared.keys() & admin.list_topics(timeout=30).topics.keys()
    assert run("topics", "drift").exit_code == 1

    first = run("topics", "apply", "--yes")
    assert first.exit_code == 0, first.stderr
    found = admin.list_topics(timeout=30).topics
    assert declared == {name: len(found[name].partitions) for name in declared}

    second = run("topics", "apply", "--yes", "--output", "json")
    assert second.exit_code == 0
    assert len(declared) == shown(second)["unchanged"]
    assert "nothing to do" in second.stderr
    assert run("topics", "drift").exit_code == 0


def test_without_anybody_to_ask_nothing_is_done(run: Run) -> None:
    """
    Promise 5: without --yes and without a terminal apply ends with a usage error, and the cluster is as before.
    """
    before = run("topics", "plan", "--output", "json").stdout
    result = run("topics", "apply")

    assert result.exit_code == 2
    assert "say --yes" in result.stderr
    assert before == run("topics", "plan", "--output", "json").stdout


def test_drift_shows_what_was_done_by_hand(run: Run, own_broker: Broker) -> None:
    """
    Promises 1 and 8: an undeclared topic and a changed setting are shown; apply sets the one right and leaves the other.
    """
    assert run("topics", "apply", "--yes").exit_code == 0
    admin = AdminClient({"bootstrap.servers": own_broker.bootstrap})
    admin.create_topics([NewTopic("bus.by-hand", 1, 1), NewTopic("somebody.elses", 1, 1)])["bus.by-hand"].result(30)
    configure(admin, "for.rmifc.alert", {"retention.ms": "1000", "segment.ms": "60000"})

    drift = run("topics", "drift", "--output", "json")
    deadline = time.monotonic() + 30
    while "segment.ms" not in drift.stdout and time.monotonic() < deadline:  # the broker hears of it a moment later
        drift = run("topics", "drift", "--output", "json")
    told = shown(drift)
    assert drift.exit_code == 1
    assert ["bus.by-hand"] == told["undeclared"]
    assert {"for.rmifc.alert": ["segment.ms"]} == told["strays"]
    assert [{"name": "for.rmifc.alert", "changes": {"retention.ms": {"from": "1000", "to": "2592000000"}}}] == told["configure"]

    assert run("topics", "apply", "--yes").exit_code == 0
    rest = shown(run("topics", "drift", "--output", "json"))
    assert [] == rest["configure"]
    assert ["bus.by-hand"] == rest["undeclared"]
    assert "bus.by-hand" in admin.list_topics(timeout=30).topics


def test_partitions(run: Run, folder: Path, own_broker: Broker) -> None:
    """
    Promises 2, 3 and 10: views may get more partitions; other changes are refused, and then nothing at all is done.
    """
    assert run("topics", "apply", "--yes").exit_code == 0
    admin = AdminClient({"bootstrap.servers": own_broker.bootstrap})

    def partitions(name: str) -> int:
        return len(admin.list_topics(timeout=30).topics[name].partitions)

    edit(folder, "views.toml", "partitions = 1", "partitions = 2")
    assert run("topics", "apply", "--yes").exit_code == 0
    assert partitions("for.rmifc.alert") == 2

    edit(folder, "views.toml", "partitions = 2", "partitions = 3")
    edit(folder, "members.toml", "partitions = 1", "partitions = 2")
    refused = run("topics", "apply", "--yes")
    assert refused.exit_code == 2
    assert "national.comoros.sighting: has 1 partitions, declared are 2" in refused.stderr
    assert (1, 2) == (partitions("national.comoros.sighting"), partitions("for.rmifc.alert"))

    edit(folder, "members.toml", "partitions = 2", "partitions = 1")
    edit(folder, "views.toml", "partitions = 3", "partitions = 1")
    refused = run("topics", "apply", "--yes")
    assert refused.exit_code == 2
    assert "partitions are never taken away" in refused.stderr
    assert partitions("for.rmifc.alert") == 2


def test_a_shorter_retention_has_to_be_meant(run: Run, folder: Path) -> None:
    """
    Promise 7: what lets Kafka throw records away is refused until --allow-loss is said.
    """
    assert run("topics", "apply", "--yes").exit_code == 0
    edit(folder, "views.toml", 'retention = "30d"', 'retention = "29d"')

    refused = run("topics", "apply", "--yes")
    assert refused.exit_code == 2
    assert "--allow-loss" in refused.stderr
    assert run("topics", "apply", "--yes", "--allow-loss").exit_code == 0
    assert run("topics", "drift").exit_code == 0


def test_another_cluster_is_refused(run: Run, folder: Path, broker: Broker, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Promise 9: once applied to one cluster, the folder refuses another, and one that is not the given one.
    """
    assert run("topics", "plan", "--cluster-id", "not-this-one").exit_code == 2
    assert run("topics", "apply", "--yes").exit_code == 0
    assert run("topics", "apply", "--yes").exit_code == 0

    monkeypatch.setenv("BOUTRE_KAFKA__BOOTSTRAP_SERVERS", broker.bootstrap)
    other = run("topics", "apply", "--yes")
    assert other.exit_code == 2
    assert f"the cluster that answers is {broker.cluster_id}; nothing was done" in other.stderr
    assert broker.cluster_id not in (folder / ".boutre" / "cluster.toml").read_text(encoding="utf-8")
    assert run("topics", "plan", "--cluster-id", broker.cluster_id).exit_code == 0


def test_the_time_of_acceptance_is_the_brokers(own_broker: Broker) -> None:
    """
    A national topic stamps records with the broker's clock, whatever the sender says; a view keeps what the bus says.
    """
    bring(load(ROOT), settings().using(own_broker.bootstrap))
    early = 1_000_000_000_000  # 9 September 2001
    before = int(time.time() * 1000)
    kinds = {}
    for topic in ("national.comoros.sighting", "for.rmifc.sighting"):
        producer = Producer({"bootstrap.servers": own_broker.bootstrap})
        producer.produce(topic, b"x", timestamp=early)
        assert producer.flush(30) == 0
        consumer = Consumer({"bootstrap.servers": own_broker.bootstrap, "group.id": "clock"})
        consumer.assign([TopicPartition(topic, 0, 0)])
        (message,) = consumer.consume(1, timeout=30)
        kinds[topic] = message.timestamp()
        consumer.close()

    assert (TIMESTAMP_CREATE_TIME, early) == kinds["for.rmifc.sighting"]
    assert TIMESTAMP_LOG_APPEND_TIME == kinds["national.comoros.sighting"][0]
    assert before <= kinds["national.comoros.sighting"][1]


def test_a_cluster_that_does_not_answer_is_said(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Exit status 3 with a sentence and the next step when no cluster is known, and no traceback.
    """
    monkeypatch.chdir(folder)
    monkeypatch.delenv("BOUTRE_KAFKA__BOOTSTRAP_SERVERS", raising=False)

    result = CliRunner().invoke(main, ["topics", "plan"])

    assert result.exit_code == 3
    assert "boutre kafka start" in result.stderr
    assert "Traceback" not in result.output


@pytest.fixture
def elsewhere(folder: Path, broker: Broker, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:  # noqa: ARG001 - jars are there
    """
    A working folder in which nothing runs, and in which nothing runs afterwards.
    """
    monkeypatch.chdir(folder)
    monkeypatch.delenv("BOUTRE_KAFKA__BOOTSTRAP_SERVERS", raising=False)
    yield folder
    subprocess.run([sys.executable, "-m", "boutre.ops.command", "kafka", "stop"], cwd=folder, check=True)


def test_start_status_stop(elsewhere: Path) -> None:
    """
    The embedded Kafka outlives the command, serves the others unasked, keeps port, data and identity, and is stopped.
    """

    def boutre(*words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "boutre.ops.command", *words]
        return subprocess.run(command, cwd=elsewhere, capture_output=True, text=True, check=False)

    assert boutre("kafka", "status").returncode == 1
    started = boutre("kafka", "start")
    assert started.returncode == 0, started.stderr
    first = written(elsewhere / ".boutre")
    assert first is not None
    assert started.stdout.strip() == first.bootstrap
    assert boutre("kafka", "start").stdout == started.stdout
    assert boutre("topics", "apply", "--yes").returncode == 0

    assert boutre("kafka", "stop").returncode == 0
    assert not first.runs()
    assert boutre("kafka", "stop").returncode == 0
    assert boutre("topics", "drift").returncode == 3

    assert boutre("kafka", "start").stdout == started.stdout
    second = written(elsewhere / ".boutre")
    assert second is not None
    assert (first.cluster_id, first.bootstrap) == (second.cluster_id, second.bootstrap)
    assert boutre("topics", "drift").returncode == 0
    assert boutre("kafka", "status").returncode == 0


def test_stop_leaves_another_process_alone(elsewhere: Path) -> None:
    """
    A process id that by now belongs to somebody else is not stopped.
    """
    other = subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE)
    try:
        (elsewhere / ".boutre").mkdir()
        claim = {"pid": other.pid, "bootstrap": "127.0.0.1:1", "cluster_id": "x", "home": str(elsewhere / ".boutre" / "kafka")}
        (elsewhere / ".boutre" / "kafka.json").write_text(json.dumps(claim), encoding="utf-8")

        stopped = CliRunner().invoke(main, ["kafka", "stop"])

        assert stopped.exit_code == 0
        assert "does not run" in stopped.stderr
        assert other.poll() is None
    finally:
        other.communicate()


def configure(admin: AdminClient, topic: str, config: dict[str, str]) -> None:
    """
    Set something on a topic as an operator would, past the bus.
    """
    entries = [ConfigEntry(key, value, incremental_operation=AlterConfigOpType.SET) for key, value in config.items()]
    resource = ConfigResource(ResourceType.TOPIC, topic, incremental_configs=entries)
    admin.incremental_alter_configs([resource])[resource].result(30)
