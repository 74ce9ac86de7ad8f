"""
`boutre doctor` and `boutre status` on a real Kafka: on a bus that is well they find only what is true; what is broken they say.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._config import AlterConfigOpType, ConfigEntry, ConfigResource
from confluent_kafka.admin._resource import ResourceType
from confluent_kafka.cimpl import NewPartitions, NewTopic

from boutre.ops.apply import bring
from boutre.ops.broker import Broker
from boutre.ops.broker_clock import GROUP, skew
from boutre.ops.broker_level import levels
from boutre.ops.command import main
from boutre.ops.doctor.cluster import SKEWED_S, release
from boutre.ops.jars import KAFKA
from boutre.ops.settings import load as settings
from boutre.topics.bus import load

ROOT = Path(__file__).parents[2]

Answer = tuple[int, dict[str, Any]]
Ask = Callable[..., Answer]

PASSING = frozenset({"disk", "agreements"})
"""Rooms of which a test cannot say what is true: how full this machine's disk is, and which day it is."""


@pytest.fixture
def ask(own_broker: Broker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Ask:
    """
    Runs a command with --output json on this bus with all that belongs to it, keys too; gives status and answer.
    """
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BOUTRE_BUS", str(ROOT))
    monkeypatch.setenv("BOUTRE_KAFKA__BOOTSTRAP_SERVERS", own_broker.bootstrap)
    monkeypatch.setenv("BOUTRE_KAFKA__EMBEDDED", "true")
    bring(load(ROOT), settings())
    assert 0 == CliRunner().invoke(main, ["keys", "dev"]).exit_code

    def asked(*words: str) -> Answer:
        began = time.monotonic()
        done = CliRunner().invoke(main, [*words, "--output", "json"])
        print(f"boutre {' '.join(words)}: status {done.exit_code} after {time.monotonic() - began:.1f} s")  # noqa: T201 - told, not judged
        return done.exit_code, json.loads(done.stdout)

    return asked


def found(told: dict[str, Any], severity: str) -> list[str]:
    """
    The findings of a severity, each by its room and what was found.
    """
    return [
        f"{one['room']}: {one['what']}" for one in told["findings"] if one["severity"] == severity and one["room"] not in PASSING
    ]


def test_a_bus_that_is_well_and_what_is_broken_in_it(ask: Ask, own_broker: Broker, tmp_path: Path) -> None:
    """
    First nothing but that one machine has no access rules; then four things that were broken, each with the next step.

    A topic is gone, one grew, one was set by hand, and a key has ended; nothing of a private key is ever said.
    """
    status, told = ask("doctor")
    rooms = {one["room"]: one["seen"] for one in told["looked"]}

    assert [] == found(told, "error") + found(told, "warning")
    assert ["access: the cluster has no access rules, or does not show them to this client"] == found(told, "note")
    assert told["status"] == status
    assert {"access"} == {room for room, seen in rooms.items() if not seen}, told["looked"]
    assert KAFKA.rpartition(".")[0] in next(one["said"] for one in told["looked"] if one["room"] == "broker")

    admin = AdminClient({"bootstrap.servers": own_broker.bootstrap})
    admin.delete_topics(["bus.receipt"])["bus.receipt"].result(30)
    admin.create_partitions([NewPartitions("rejects.comoros", 7)])["rejects.comoros"].result(30)
    drift = ConfigEntry("retention.ms", "60000", incremental_operation=AlterConfigOpType.SET)
    resource = ConfigResource(ResourceType.TOPIC, "bus.sighting", incremental_configs=[drift])
    admin.incremental_alter_configs([resource])[resource].result(30)
    keys = tmp_path / ".boutre" / "keys" / "recipients.toml"
    before = keys.read_text(encoding="utf-8")
    keys.write_text(before.replace("until = 2100-01-01", "until = 2026-01-02", 1), encoding="utf-8")
    time.sleep(1)  # until all have heard of the topics
    status, told = ask("doctor")
    errors = "\n".join(found(told, "error"))

    assert (2, 2) == (status, told["status"])
    assert "1 declared topics are missing: bus.receipt" in errors
    assert "rejects.comoros has 7 partitions" in errors
    assert "bus.sighting: retention.ms is 60000" in errors
    assert "its last key ended at 2026-01-02 00:00 UTC" in errors
    assert all(one["next"] for one in told["findings"])
    private = [path.read_text(encoding="utf-8") for path in (tmp_path / ".boutre" / "keys").rglob("*.key")]
    assert private
    assert not [secret for secret in private if secret.strip() in json.dumps(told)]


def test_a_broker_that_is_gone_is_said_and_all_else_is_looked_at(ask: Ask, own_broker: Broker) -> None:
    """
    Both commands answer, with what this machine knows by itself, and with which rooms were not seen.
    """
    status, told = ask("status")

    assert 1 == status
    assert {"accept-reports", "accept-ais", "release"} <= {one["processor"] for one in told["processors"]}
    assert "release: no worker runs; what it reads waits" in told["late"]

    own_broker.kill()
    status, told = ask("doctor")

    assert 2 == status
    assert [f"broker: the cluster at {own_broker.bootstrap} does not answer"] == [
        one.partition(":")[0] + ":" + one.partition(":")[2].partition(" answer")[0] + " answer" for one in found(told, "error")
    ]
    assert {"broker", "clock", "topics", "access"} == {one["room"] for one in told["looked"] if not one["seen"]}
    assert {"settings", "keys", "agreements", "disk", "state", "versions"} <= {one["room"] for one in told["looked"] if one["seen"]}

    status, told = ask("status")

    assert 1 == status
    assert not told["cluster"]["answers"]
    assert told["processors"] is None


def test_the_clock_is_measured_and_nothing_is_left(own_broker: Broker) -> None:
    """
    A broker on this machine has this machine's clock, as far as can be told; the group that served for it is gone afterwards.
    """
    client: dict[str, Any] = {"bootstrap.servers": own_broker.bootstrap}
    bring_one(own_broker)
    measured = skew(client, "any")
    print(f"skew {measured}")  # noqa: T201 - told, and judged only as far as a shared clock allows

    assert SKEWED_S > measured.least
    assert 0 < measured.error_s
    assert GROUP not in {one.group_id for one in AdminClient(client).list_consumer_groups().result(30).valid}


def test_the_release_of_a_broker_is_told(own_broker: Broker) -> None:
    """
    What the broker says of its level is the release that was started.
    """
    knows, level = levels(own_broker.bootstrap, None, 10)

    assert KAFKA.rpartition(".")[0] == release(knows)
    assert knows == level


def bring_one(broker: Broker) -> None:
    """
    Make a topic.
    """
    admin = AdminClient({"bootstrap.servers": broker.bootstrap})
    admin.create_topics([NewTopic("any", 1, 1)])["any"].result(30)
