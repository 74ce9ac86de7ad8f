"""
Quotas on a real Kafka with passwords: set by the command, read back by Kafka's own tool, and a member that floods waits alone.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest
from click.testing import CliRunner, Result
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from boutre.errors import Unavailable
from boutre.ops.access import Rule
from boutre.ops.access_cluster import Authorizer
from boutre.ops.access_plan import entries
from boutre.ops.command import main
from boutre.ops.quotas import Quota, quotas
from boutre.ops.quotas_tool import QuotasTool
from boutre.ops.secure_broker import ROOT, SECURE, SecureBroker
from boutre.topics import bus

REPOSITORY: Final = Path(__file__).parents[2]
TOPICS: Final = {"member.comoros": "national.comoros.sighting", "member.france": "national.france.sighting"}
PASSWORD: Final = "lagon-bleu"
RATE: Final = 50_000


@dataclass(frozen=True, slots=True)
class Ground:
    """
    A cluster on which two members may each write to a topic of their own.
    """

    secure: SecureBroker
    folder: Path

    @property
    def tool(self) -> QuotasTool:
        """Kafka's own tool, as a super user."""
        return QuotasTool(self.secure.root())

    def run(self, *words: str) -> Result:
        """Run a command of quotas as a super user."""
        secret = self.folder / "password"
        secret.write_text(self.secure.password, encoding="utf-8")
        kafka = {
            "BOOTSTRAP_SERVERS": self.secure.broker.address(SECURE),
            "SECURITY_PROTOCOL": "SASL_SSL",
            "SASL_MECHANISM": "SCRAM-SHA-512",
            "SASL_USERNAME": ROOT,
            "SASL_PASSWORD_FILE": str(secret),
            "SSL_CA_LOCATION": str(self.secure.ca),
        }
        told = {"BOUTRE_STATE": str(self.folder), **{f"BOUTRE_KAFKA__{name}": value for name, value in kafka.items()}}
        return CliRunner().invoke(main, ["--bus", str(REPOSITORY), "quotas", *words], env=told)

    def flood(self, principal: str, records: int) -> tuple[int, int]:
        """Send records of 4 KiB as somebody; gives how many were acknowledged and how often the broker held it back."""
        taken: list[Any] = []
        held: list[Any] = []

        def delivered(error: Any, _message: Any) -> None:
            if error is None:
                taken.append(None)

        own = {"throttle_cb": held.append, "linger.ms": 5, "batch.size": 16_384, "message.timeout.ms": 120_000}
        producer = Producer({**self.secure.client(principal, PASSWORD), **own})
        for number in range(records):
            producer.produce(TOPICS[principal], number.to_bytes(4, "big") + bytes(4_092), on_delivery=delivered)
            producer.poll(0)
        producer.flush(120)
        return len(taken), len(held)


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    """
    The cluster, started.
    """
    folder = tmp_path_factory.mktemp("quotas")
    secure = SecureBroker(folder / "kafka")
    try:
        secure.start()
    except Unavailable as error:
        secure.close()
        pytest.skip(str(error))
    try:
        authorizer = Authorizer(secure.root())
        admin = AdminClient(secure.root())
        for future in admin.create_topics([NewTopic(name, 1, 1) for name in TOPICS.values()]).values():
            future.result(30)
        authorizer.set_passwords(dict.fromkeys(TOPICS, PASSWORD))
        rules = [Rule(principal, "topic", topic, "literal", "write") for principal, topic in TOPICS.items()]
        authorizer.grant(sorted(entries(rules)))
        yield Ground(secure, folder)
    finally:
        secure.close()


@pytest.mark.timeout(300)
def test_the_command_brings_the_cluster_to_what_is_declared(ground: Ground) -> None:
    """
    Plan changes nothing, apply sets each, the second time there is nothing to do, and what is changed by hand is drift.
    """
    declared = {one.principal: one.configs for one in quotas(bus.load(REPOSITORY))}
    before = ground.tool.found()  # what another test of this cluster left
    planned = ground.run("plan", "--output", "json")
    nobody = ground.run("apply")

    assert declared.keys() == {one["principal"] for one in json.loads(planned.stdout)["set"]}
    assert 2 == nobody.exit_code
    assert before == ground.tool.found()

    applied = ground.run("apply", "--yes")
    assert 0 == applied.exit_code, applied.output
    assert declared == ground.tool.found()
    assert "nothing to do" in ground.run("apply", "--yes").stderr
    assert 0 == ground.run("drift").exit_code

    ground.tool.set([Quota("member.comoros", 1_024), Quota("bus.release", 1_024)])
    drift = ground.run("drift", "--output", "json")
    told = json.loads(drift.stdout)
    assert (1, ["member.comoros"], ["bus.release"]) == (drift.exit_code, [one["principal"] for one in told["set"]], told["surplus"])


@pytest.mark.timeout(300)
def test_a_member_that_floods_waits_alone_and_loses_nothing(ground: Ground) -> None:
    """
    The broker holds back the member that sends more than its rate, and no other; all that either sent is taken.
    """
    ground.tool.set([Quota("member.comoros", RATE, 200), Quota("member.france", 100 * RATE, 200)])

    # A quota is judged over some ten seconds, so that what is sent at once is well beyond that many.
    flooded, held = ground.flood("member.comoros", 200)
    quiet, left_alone = ground.flood("member.france", 200)

    assert (200, 200) == (flooded, quiet)
    assert held > 0
    assert 0 == left_alone


def test_who_is_refused_is_told_so(ground: Ground) -> None:
    """
    With a wrong password nothing is done, and the message names no password.
    """
    with pytest.raises(Unavailable, match="kafka-configs") as refused:
        QuotasTool({**ground.secure.root(), "sasl.password": "wrong-and-secret"}).found()

    assert "wrong-and-secret" not in str(refused.value)
