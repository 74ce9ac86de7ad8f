"""
A cluster that asks who one is, over TLS, is reached by settings alone; what does not fit is refused.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition

from boutre.errors import Unavailable
from boutre.ops.apply import bring
from boutre.ops.broker import Broker
from boutre.ops.certificates import Authority
from boutre.ops.cluster import Cluster
from boutre.ops.settings import load as settings
from boutre.topics.bus import load

ROOT = Path(__file__).parents[2]
PASSWORD = "lagon-bleu"
KEY_PASSWORD = "only-for-this-test"


@pytest.fixture(scope="module")
def authority() -> Authority:
    """
    Whom the broker's certificate is from.
    """
    return Authority.made("Test authority")


@pytest.fixture(scope="module")
def secure(broker: Broker, authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Broker:  # noqa: ARG001 - jars are there
    """
    The home of a Kafka with a listener SECURE that speaks SASL_SSL; started by `serving`.
    """
    folder = tmp_path_factory.mktemp("secure")
    authority.pair("broker", folder / "broker.pem", password=KEY_PASSWORD)
    (folder / "ca.pem").write_bytes(authority.pem())
    login = "org.apache.kafka.common.security.plain.PlainLoginModule"
    return Broker(
        folder / "kafka",
        listeners={"SECURE": "SASL_SSL"},
        properties={
            "listener.name.secure.sasl.enabled.mechanisms": "PLAIN",
            "listener.name.secure.plain.sasl.jaas.config": f'{login} required user_comoros="{PASSWORD}";',
            "listener.name.secure.ssl.keystore.type": "PEM",
            "listener.name.secure.ssl.keystore.location": str(folder / "broker.pem"),
            "listener.name.secure.ssl.key.password": KEY_PASSWORD,
        },
    )


@pytest.fixture
def serving(secure: Broker, authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Broker:
    """
    That Kafka, running, and the environment of a client that may use it.
    """
    secure.start()
    monkeypatch.chdir(tmp_path)
    (tmp_path / "ca.pem").write_bytes(authority.pem())
    (tmp_path / "password").write_text(f"{PASSWORD}\n", encoding="utf-8")
    for name, value in {
        "BOOTSTRAP_SERVERS": secure.address("SECURE"),
        "SECURITY_PROTOCOL": "SASL_SSL",
        "SASL_MECHANISM": "PLAIN",
        "SASL_USERNAME": "comoros",
        "SASL_PASSWORD_FILE": str(tmp_path / "password"),
        "SSL_CA_LOCATION": str(tmp_path / "ca.pem"),
        "REPLICATION_FACTOR": "1",
    }.items():
        monkeypatch.setenv(f"BOUTRE_KAFKA__{name}", value)
    return secure


@pytest.fixture(scope="module", autouse=True)
def _stopped(secure: Broker) -> object:
    yield
    secure.close()


@pytest.mark.usefixtures("serving")
def test_with_the_right_password_everything_works() -> None:
    """
    Topics are made, a record goes in and comes out, with what the settings give to admin, producer and consumer.
    """
    kafka = settings().kafka
    bring(load(ROOT), settings())

    producer = Producer(kafka.producer())
    producer.produce("for.rmifc.alert", b"over TLS")
    assert producer.flush(60) == 0
    consumer = Consumer(kafka.consumer("secure"))
    consumer.assign([TopicPartition("for.rmifc.alert", 0, 0)])
    values = [message.value() for message in consumer.consume(1, timeout=60)]
    consumer.close()

    assert [b"over TLS"] == values


@pytest.mark.usefixtures("serving")
def test_a_wrong_password_is_refused_and_said(tmp_path: Path) -> None:
    """
    The error says that authentication failed, and holds neither password.
    """
    (tmp_path / "password").write_text("lagon-vert", encoding="utf-8")

    with pytest.raises(Unavailable) as caught:
        Cluster(settings().kafka.client()).identity(10)

    assert "uthentication" in str(caught.value)
    assert "lagon" not in str(caught.value)


@pytest.mark.usefixtures("serving")
def test_a_broker_of_an_unknown_authority_is_not_spoken_to(tmp_path: Path) -> None:
    """
    A certificate that another authority signed is refused before any password is sent.
    """
    (tmp_path / "ca.pem").write_bytes(Authority.made("Another authority").pem())

    with pytest.raises(Unavailable, match=r"(?i)certificate"):
        Cluster(settings().kafka.client()).identity(10)


def test_in_the_clear_it_does_not_answer(serving: Broker, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    A client without TLS gets nothing from that listener.
    """
    for name in ("SECURITY_PROTOCOL", "SASL_MECHANISM", "SASL_USERNAME", "SASL_PASSWORD_FILE", "SSL_CA_LOCATION"):
        monkeypatch.delenv(f"BOUTRE_KAFKA__{name}")

    with pytest.raises(Unavailable):
        Cluster(settings().kafka.client()).identity(5)

    assert serving.pid is not None


@pytest.mark.usefixtures("serving")
def test_connectors_and_workers_go_by_the_same_settings(tmp_path: Path) -> None:
    """
    A connector publishes and a Faust worker accepts over TLS with a password, by nothing but the settings.
    """
    bring(load(ROOT), settings())
    command = [sys.executable, "-m", "boutre", "--bus", str(ROOT)]
    subprocess.run([*command, "keys", "dev"], check=True, capture_output=True)
    with (tmp_path / "worker.log").open("wb") as log:
        worker = subprocess.Popen([*command, "worker", "accept-reports", "--metrics-port", "0"], stdout=log, stderr=log)
    try:
        subprocess.run([*command, "connector", "run", "mauritius-ops-room", "--once"], check=True, capture_output=True)
        consumer = Consumer(settings().kafka.consumer("accepted"))
        consumer.subscribe(["bus.sighting"])
        accepted = [message.key() for message in consumer.consume(1, timeout=90)]
        consumer.close()
    finally:
        worker.terminate()
        worker.wait(30)

    assert [b"mauritius"] == accepted
    assert PASSWORD not in (tmp_path / "worker.log").read_text(encoding="utf-8")
