"""
Settings: which source wins, what cannot be used, and that secrets stay secret.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from click.testing import CliRunner

from boutre.errors import DeclarationError, Unavailable
from boutre.ops.command import COMMANDS, UNAVAILABLE, UNUSABLE, main
from boutre.ops.settings import Kafka, Settings, load, unknown_variables
from boutre.ops.standing import Standing, standing, written

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def _nothing_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    An empty working folder and an environment without settings.
    """
    for name in [name for name in os.environ if name.startswith("BOUTRE_")]:
        monkeypatch.delenv(name)
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)


def test_the_command_line_wins_over_the_environment_and_that_over_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    The same two settings, taken away source by source.
    """
    (tmp_path / "boutre.toml").write_text('bus = "from-file"\nlanguage = "fr"\nmetrics_port = 1\n', encoding="utf-8")
    assert (Path("from-file"), "fr", 1) == shown(load())

    monkeypatch.setenv("BOUTRE_BUS", "from-environment")
    monkeypatch.setenv("BOUTRE_LANGUAGE", "en")
    monkeypatch.setenv("BOUTRE_METRICS_PORT", "2")
    assert (Path("from-environment"), "en", 2) == shown(load())

    assert (Path("from-line"), "fr", 2) == shown(load(bus=Path("from-line"), language="fr"))


def shown(settings: Settings) -> tuple[Path | None, str, int]:
    """
    What the test above compares.
    """
    return settings.bus, settings.language, settings.metrics_port


def test_nested_variables_join_with_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    One key of a table from the environment leaves the others of the file in place.
    """
    (tmp_path / "boutre.toml").write_text('[kafka]\nbootstrap_servers = "a:1"\nreplication_factor = 5\n', encoding="utf-8")
    monkeypatch.setenv("BOUTRE_KAFKA__BOOTSTRAP_SERVERS", "b:2")

    kafka = load().kafka

    assert ("b:2", 5, 4) == (kafka.bootstrap_servers, kafka.replication, kafka.min_isr)


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({"LANG": "fr_FR.UTF-8"}, "fr"),
        ({"LANG": "en_GB.UTF-8"}, "en"),
        ({"LANG": "sw_KE.UTF-8"}, "en"),
        ({"LC_ALL": "fr_KM", "LANG": "en_GB"}, "fr"),
        ({"LC_ALL": "", "LC_MESSAGES": "C", "LANG": "fr_FR"}, "en"),
        ({}, "en"),
    ],
)
def test_language(variables: dict[str, str], expected: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    The first of LC_ALL, LC_MESSAGES and LANG that says anything decides; what is not French is English.
    """
    for name, value in variables.items():
        monkeypatch.setenv(name, value)

    assert expected == load().language


def test_the_bus_is_the_nearest_folder_upward(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    From a folder deep in this repository its root is found; from elsewhere none, which is said with what to do.
    """
    with pytest.raises(DeclarationError, match=r"--bus DIR or BOUTRE_BUS"):
        load().folder()

    monkeypatch.chdir(ROOT / "topics" / "zones")
    assert load().folder() == ROOT


@pytest.mark.parametrize(
    ("variables", "fault"),
    [
        ({"KAFKA__BOOTSTRAP_SERVER": "a:1"}, "BOUTRE_KAFKA__BOOTSTRAP_SERVER: Extra inputs are not permitted"),
        ({"KAFKA__SECURITY_PROTOCOL": "TLS"}, "BOUTRE_KAFKA__SECURITY_PROTOCOL: Input should be 'PLAINTEXT'"),
        ({"KAFKA__SECURITY_PROTOCOL": "SASL_SSL"}, "BOUTRE_KAFKA: security_protocol SASL_SSL needs sasl_mechanism, sasl_u"),
        ({"KAFKA__SASL_USERNAME": "bus"}, "BOUTRE_KAFKA: SASL is set, but security_protocol PLAINTEXT does not use it"),
        ({"KAFKA__SSL_KEY_LOCATION": "k.pem"}, "BOUTRE_KAFKA: ssl_certificate_location and ssl_key_location go together"),
        ({"KAFKA__MIN_INSYNC_REPLICAS": "4"}, "BOUTRE_KAFKA: min_insync_replicas 4 cannot be met by replication_factor 3"),
        ({"METRICS_PORT": "70000"}, "BOUTRE_METRICS_PORT: Input should be less than or equal to 65535"),
    ],
)
def test_what_cannot_be_used_is_named_by_its_variable(
    variables: dict[str, str], fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    A mistyped name, a wrong value, and settings that do not go together; a password without TLS is one of them.
    """
    for name, value in variables.items():
        monkeypatch.setenv(f"BOUTRE_{name}", value)

    with pytest.raises(DeclarationError) as caught:
        load()

    assert f"environment: {fault}" in str(caught.value)


def test_what_cannot_be_used_in_the_file_is_named_by_its_key(tmp_path: Path) -> None:
    """
    All faults of boutre.toml, each with its key.
    """
    (tmp_path / "boutre.toml").write_text('metric_port = 1\n[kafka]\nservers = "a:1"\n', encoding="utf-8")

    with pytest.raises(DeclarationError) as caught:
        load()

    assert {"metric_port", "kafka.servers"} == {fault.key for fault in caught.value.faults}
    assert all(fault.file.endswith("boutre.toml") for fault in caught.value.faults)


def test_mistyped_variables_are_found() -> None:
    """
    What begins as a setting and is none is told; what the tests use is none of them.
    """
    environment = {"BOUTRE_KEY": "", "BOUTRE_KEYS": "", "BOUTRE_KAFKA__X": "", "BOUTRE_TEST_ALL": "1", "PATH": ""}

    assert ["BOUTRE_KEY"] == unknown_variables(environment)


@pytest.mark.parametrize("place", ["value", "file"])
def test_a_secret_is_used_and_never_shown(place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    The client library gets the password; neither repr, nor str, nor `boutre settings` has it.
    """
    secret = "ylang-ylang"
    (tmp_path / "password").write_text(f"{secret}\n", encoding="utf-8")
    given = ("SASL_PASSWORD", secret) if place == "value" else ("SASL_PASSWORD_FILE", "password")
    for name, value in {
        "BOOTSTRAP_SERVERS": "a:1",
        "SECURITY_PROTOCOL": "SASL_SSL",
        "SASL_MECHANISM": "SCRAM-SHA-512",
        "SASL_USERNAME": "bus",
        given[0]: given[1],
    }.items():
        monkeypatch.setenv(f"BOUTRE_KAFKA__{name}", value)
    settings = load()

    assert secret == settings.kafka.client()["sasl.password"]
    table = CliRunner().invoke(main, ["settings"])
    plain = CliRunner().invoke(main, ["settings", "--output", "json"])
    assert (0, 0) == (table.exit_code, plain.exit_code)
    assert json.loads(plain.stdout)["BOUTRE_KAFKA__SASL_USERNAME"] == "bus"
    assert not [text for text in (repr(settings), str(settings), table.output, plain.output) if secret in text]


def test_a_secret_file_that_is_missing_is_named() -> None:
    """
    The variable and the file are said when a client is made.
    """
    kafka = Kafka(
        bootstrap_servers="a:1",
        security_protocol="SASL_SSL",
        sasl_mechanism="PLAIN",
        sasl_username="bus",
        sasl_password_file=Path("nowhere"),
    )

    with pytest.raises(DeclarationError, match=r"BOUTRE_KAFKA__SASL_PASSWORD_FILE: nowhere cannot be read"):
        kafka.client()


def test_producers_and_consumers_of_the_bus() -> None:
    """
    Keys are placed as Java places them, nothing is acknowledged half, nothing uncommitted is read.
    """
    kafka = Kafka(bootstrap_servers="a:1")

    assert {"partitioner": "murmur2_random", "enable.idempotence": True, "acks": "all"}.items() <= kafka.producer().items()
    assert {
        "group.id": "accept",
        "isolation.level": "read_committed",
        "enable.auto.commit": False,
        "auto.offset.reset": "earliest",
    }.items() <= kafka.consumer("accept").items()


def test_copies() -> None:
    """
    One copy on the embedded broker, three of which two must have a record elsewhere, unless it is said otherwise.
    """
    found = [
        (kafka.replication, kafka.min_isr)
        for kafka in (
            Kafka(bootstrap_servers="a:1", embedded=True),
            Kafka(bootstrap_servers="a:1"),
            Kafka(bootstrap_servers="a:1", replication_factor=1),
            Kafka(bootstrap_servers="a:1", replication_factor=3, min_insync_replicas=1),
        )
    ]

    assert [(1, 1), (3, 2), (1, 1), (3, 1)] == found


def test_without_any_cluster_the_next_step_is_said() -> None:
    """
    Neither a variable nor a broker of this folder: both ways out are named.
    """
    with pytest.raises(Unavailable, match=r"boutre kafka start.*BOUTRE_KAFKA__BOOTSTRAP_SERVERS"):
        load().kafka.client()


def test_a_broker_that_is_written_down_and_gone_is_not_used(tmp_path: Path) -> None:
    """
    The claim of .boutre/kafka.json is checked: this process is no Kafka.
    """
    state = tmp_path / ".boutre"
    Standing(os.getpid(), "127.0.0.1:9", "id", str(state / "kafka")).write(state)

    assert written(state) is not None
    assert standing(state) is None
    assert not load().kafka.bootstrap_servers


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"pid": "x"}', "\x00"])
def test_a_torn_file_of_the_broker_is_as_none(content: str, tmp_path: Path) -> None:
    """
    What cannot be read says nothing.
    """
    (tmp_path / "kafka.json").write_text(content, encoding="utf-8")

    assert written(tmp_path) is None


def test_the_example_of_settings_can_be_used(tmp_path: Path) -> None:
    """
    ops/kafka/boutre.toml, copied as it says, is read without a fault.
    """
    (tmp_path / "boutre.toml").write_bytes((ROOT / "ops" / "kafka" / "boutre.toml").read_bytes())

    settings = load()

    assert ("SASL_SSL", 3, 2) == (settings.kafka.security_protocol, settings.kafka.replication, settings.kafka.min_isr)


@pytest.mark.parametrize(
    ("words", "status"), [(["settings"], 0), (["topics", "plan"], UNUSABLE), (["kafka", "stop"], 0), (["nonsense"], UNUSABLE)]
)
def test_exit_statuses(words: list[str], status: int) -> None:
    """
    2 for what was typed or declared; no traceback in any of them.
    """
    result = CliRunner().invoke(main, words)

    assert status == result.exit_code, result.output
    assert "Traceback" not in result.output


def test_without_a_cluster_the_status_is_3() -> None:
    """
    Something outside is missing, and the message says what to do.
    """
    result = CliRunner().invoke(main, ["--bus", str(ROOT), "topics", "plan"])

    assert result.exit_code == UNAVAILABLE
    assert result.stderr.startswith("no Kafka is known")


def test_help_lists_every_command_without_importing_it() -> None:
    """
    The root's help names all commands and what they are for.
    """
    result = CliRunner().invoke(main, ["--help"])

    assert result.exit_code == 0
    assert [] == [name for name in COMMANDS if f"  {name} " not in result.stdout]


@pytest.mark.parametrize(
    "words",
    [
        ["topics"],
        ["topics", "plan"],
        ["topics", "apply"],
        ["topics", "drift"],
        ["kafka"],
        ["kafka", "start"],
        ["kafka", "stop"],
        ["kafka", "status"],
        ["settings"],
    ],
)
def test_every_help_has_an_example(words: list[str]) -> None:
    """
    Help works without a bus and without a cluster, and shows how the command is used.
    """
    result = CliRunner().invoke(main, [*words, "--help"])

    assert result.exit_code == 0
    assert "Example: " in result.stdout
