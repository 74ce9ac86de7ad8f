"""
The bus as resources for Strimzi and Kubernetes, judged by the schemas of both, and by what the bus declares.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

import jsonschema
import pytest
from click.testing import CliRunner
from ruamel.yaml import YAML

from boutre.health import HEALTHY, READY
from boutre.ops.access import FOLLOWERS, principals
from boutre.ops.assembly import assemble
from boutre.ops.command import main
from boutre.ops.settings import load, unknown_variables
from boutre.ops.strimzi.kafka import BROKERS, KEEPS
from boutre.ops.strimzi.processes import SIZES
from boutre.topics.members import RATE
from spoken import parsed

ROOT: Final = Path(__file__).parents[2]
HERE: Final = Path(__file__).parent
BUS: Final = assemble(ROOT)
EDGES: Final = BUS.pipeline.edges

FORBIDDEN: Final = (
    "listeners", "advertised.", "broker.", "listener.", "host.name", "port", "inter.broker.listener.name", "sasl.", "ssl.",
    "security.", "password.", "log.dir", "zookeeper.connect", "zookeeper.set.acl", "zookeeper.ssl", "zookeeper.clientCnxnSocket",
    "authorizer.", "super.user", "cruise.control.metrics.topic", "cruise.control.metrics.reporter.bootstrap.servers", "node.id",
    "process.roles", "controller.", "metadata.log.dir", "zookeeper.metadata.migration.enable", "client.quota.callback.static.",
    "prometheus.metrics.reporter.", "cordoned.log.dirs",
)  # fmt: skip
"""How no setting of a `Kafka` may begin: FORBIDDEN_PREFIXES of KafkaClusterSpec, io.strimzi:api 1.2.0; five are one here."""


def closed(part: Any) -> Any:
    """
    A schema of Strimzi's, in which an object has no other properties than those that are named.
    """
    if isinstance(part, list):
        return [closed(one) for one in part]
    if not isinstance(part, Mapping):
        return part
    free = part.get("x-kubernetes-preserve-unknown-fields", False)
    shut = {"additionalProperties": False} if "properties" in part and part.get("type") == "object" and not free else {}
    return {**shut, **{key: closed(value) for key, value in part.items()}}


def schemas() -> dict[str, Any]:
    """
    By kind the schema that judges it: Strimzi's own of its version v1, Kubernetes' own of version 1.34 in their strict form.
    """
    found = {}
    for path in HERE.glob("strimzi-1.2.0-*.json"):
        definition = json.loads(path.read_text(encoding="utf-8"))
        (version,) = [one for one in definition["spec"]["versions"] if one["name"] == "v1"]
        found[definition["spec"]["names"]["kind"]] = closed(version["schema"]["openAPIV3Schema"])
    kubernetes = json.loads((HERE / "kubernetes-1.34.json").read_text(encoding="utf-8"))
    return found | {kind: {**schema, "$defs": kubernetes["$defs"]} for kind, schema in kubernetes["kinds"].items()}


SCHEMAS: Final = schemas()


@cache
def written(*words: str) -> list[dict[str, Any]]:
    """
    What the command writes, read by another reader of YAML.
    """
    done = CliRunner().invoke(main, ["--bus", str(ROOT), "strimzi", "--cluster", "western-indian-ocean", *words])
    assert 0 == done.exit_code, done.output
    return list(YAML(typ="safe").load_all(done.stdout))


ALL: Final = written("--namespace", "bus")


def of(kind: str, resources: list[dict[str, Any]] = ALL) -> dict[str, dict[str, Any]]:
    """
    The resources of one kind, by name.
    """
    return {one["metadata"]["name"]: one for one in resources if one["kind"] == kind}


def wrong(resource: Mapping[str, Any]) -> list[str]:
    """
    All that its schema says against a resource.
    """
    validator = jsonschema.Draft202012Validator(SCHEMAS[resource["kind"]])
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(resource)]


@pytest.mark.parametrize("authentication", ["scram-sha-512", "tls"])
@pytest.mark.parametrize("more", [(), ("--outside", "loadbalancer", "--namespace", "bus", "--storage", "2Ti")])
def test_every_resource_is_valid(authentication: str, more: tuple[str, ...]) -> None:
    """
    Strimzi's own schemas and Kubernetes' own take whatever is written, and know every key of it.
    """
    resources = written("--authentication", authentication, *more)

    assert {"Kafka", "KafkaNodePool", "KafkaTopic", "KafkaUser", "Deployment", "PersistentVolumeClaim"} == {
        one["kind"] for one in resources
    }
    assert [] == [(one["metadata"]["name"], error) for one in resources for error in wrong(one)]


@pytest.mark.parametrize(
    ("kind", "path", "value"),
    [
        ("Kafka", ("spec", "kafka", "listeners", 0, "tsl"), True),
        ("Kafka", ("spec", "kafka", "listeners", 0, "port"), 80),
        ("KafkaNodePool", ("spec", "roles"), ["brokers"]),
        ("KafkaNodePool", ("spec", "storage", "volumes", 0, "siez"), "1Gi"),
        ("KafkaTopic", ("spec", "replica"), 3),
        ("KafkaTopic", ("spec", "partitions"), "4"),
        ("KafkaUser", ("spec", "quotas", "producerByteRate"), -1),
        ("KafkaUser", ("spec", "quotas", "producer_byte_rate"), 1),
        ("Deployment", ("spec", "template", "spec", "containers", 0, "livenessprobe"), {}),
        ("Deployment", ("spec", "template", "spec", "containers", 0, "ports", 0, "containerPort"), "9100"),
        ("PersistentVolumeClaim", ("spec", "storage"), "1Gi"),
    ],
)
def test_the_schemas_can_say_no(kind: str, path: tuple[str | int, ...], value: object) -> None:
    """
    A key that is none, and a value of another type, is found in each kind.
    """
    resource: Any = json.loads(json.dumps(next(iter(of(kind).values()))))
    at = resource
    for part in path[:-1]:
        at = at[part]
    at[path[-1]] = value

    assert wrong(resource)


def test_every_topic_has_its_resource() -> None:
    """
    Each declared topic and no other, with its partitions and settings, under a name that Kubernetes takes; with three copies.
    """
    found = of("KafkaTopic")

    assert BUS.declarations.topics.keys() == found.keys()
    for name, topic in BUS.declarations.topics.items():
        assert {"partitions": topic.partitions, "replicas": 3, "config": {**topic.config, "min.insync.replicas": "2"}} == found[
            name
        ]["spec"]
        assert len(name) <= 253
        assert all(part and part.replace("-", "").isalnum() and part == part.lower() for part in name.split("."))


def test_copies_are_those_of_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    As many copies as the settings say, for topics, for the brokers' own and for the processes; and at least so many brokers.
    """
    monkeypatch.setenv("BOUTRE_KAFKA__REPLICATION_FACTOR", "5")
    monkeypatch.setenv("BOUTRE_KAFKA__MIN_INSYNC_REPLICAS", "3")
    resources = written("--namespace", "five")
    config = of("Kafka", resources)["western-indian-ocean"]["spec"]["kafka"]["config"]

    assert {5} == {one["spec"]["replicas"] for one in of("KafkaTopic", resources).values()}
    assert {"3"} == {one["spec"]["config"]["min.insync.replicas"] for one in of("KafkaTopic", resources).values()}
    assert ("5", "3") == (config["default.replication.factor"], config["transaction.state.log.min.isr"])
    assert 5 == of("KafkaNodePool", resources)["brokers"]["spec"]["replicas"]


def test_brokers_are_told_what_the_file_for_brokers_says() -> None:
    """
    What `ops/kafka/server.properties` says, but for what Strimzi sets itself; nothing that it forbids; and no topic can be deleted.
    """
    lines = (ROOT / "ops" / "kafka" / "server.properties").read_text(encoding="utf-8").splitlines()
    said = dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))
    itself = {name for name in said if name.startswith(FORBIDDEN) or name == "allow.everyone.if.no.acl.found"}
    config = of("Kafka")["western-indian-ocean"]["spec"]["kafka"]["config"]

    assert {name: value for name, value in said.items() if name not in itself} == {
        name: value for name, value in config.items() if name not in KEEPS
    }
    assert not any(name.startswith(FORBIDDEN) for name in config)
    assert "false" == config["delete.topic.enable"]
    assert BROKERS.items() <= config.items()


def test_every_listener_is_encrypted_and_asks_who_it_is() -> None:
    """
    Nobody comes in without TLS and a name, neither from beside nor from outside; and what no rule allows is denied.
    """
    kafka = of("Kafka", written("--outside", "nodeport"))["western-indian-ocean"]["spec"]["kafka"]

    assert ["internal", "nodeport"] == [one["type"] for one in kafka["listeners"]]
    assert all(one["tls"] and one["authentication"]["type"] == "scram-sha-512" for one in kafka["listeners"])
    assert {"type": "simple"} == kafka["authorization"]


def test_every_principal_has_its_user_and_parties_their_quotas() -> None:
    """
    A user for each principal; each member has its declared rate, every party outside a share of the brokers, the bus none.
    """
    users = of("KafkaUser")
    given = {name: user["spec"].get("quotas") for name, user in users.items()}
    share = {"requestPercentage": 50}

    assert set(principals(BUS.declarations, EDGES)) == users.keys()
    for name, member in BUS.declarations.members.items():
        assert {"producerByteRate": member.rate, **share} == given.pop(f"member.{name}")
    for name in BUS.declarations.recipients:
        assert share == given.pop(f"recipient.{name}")
    assert {None} == set(given.values())
    assert RATE == BUS.declarations.members["comoros"].rate


def test_everything_that_runs_has_a_deployment() -> None:
    """
    Each processor and each follower runs once, by a command that exists, under the user that is its own.
    """
    found = of("Deployment")
    words = {name: one["spec"]["template"]["spec"]["containers"][0]["args"] for name, one in found.items()}

    assert {**{edge.name: ["worker", edge.name] for edge in EDGES}, **{name: [name, "follow"] for name in FOLLOWERS}} == words
    for name, said in words.items():
        assert parsed(said).command.name
        volumes = {one["name"]: one for one in found[name]["spec"]["template"]["spec"]["volumes"]}
        assert f"bus.{name}" == volumes["kafka"]["secret"]["secretName"]
        assert f"bus.{name}" in of("KafkaUser")
        assert 1 == found[name]["spec"]["replicas"]


@pytest.mark.parametrize("name", of("Deployment"))
def test_probes_ask_the_pages_of_health(name: str) -> None:
    """
    Ready and healthy are what the process says of itself; what starts has as long as it needs.
    """
    (container,) = of("Deployment")[name]["spec"]["template"]["spec"]["containers"]
    ports = {one["name"]: one["containerPort"] for one in container["ports"]}
    asked = {probe: container[f"{probe}Probe"]["httpGet"] for probe in ("startup", "liveness", "readiness")}

    assert {"startup": HEALTHY, "liveness": HEALTHY, "readiness": READY} == {probe: page["path"] for probe, page in asked.items()}
    assert {9100} == {ports[page["port"]] for page in asked.values()}


@pytest.mark.parametrize("authentication", ["scram-sha-512", "tls"])
def test_every_variable_is_a_setting(authentication: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """
    What a process is told is read by the settings, together, and reaches librdkafka: encrypted, and under its own name.
    """
    release = of("Deployment", written("--authentication", authentication))["release"]["spec"]["template"]["spec"]["containers"][0]
    told = {one["name"]: one["value"] for one in release["env"]}
    mounted = {mount["mountPath"] for mount in release["volumeMounts"]}
    for variable, value in told.items():
        folder, _, file = value.rpartition("/")
        if folder in mounted:
            (tmp_path / file).write_text("secret\n", encoding="utf-8")
        monkeypatch.setenv(variable, str(tmp_path / file) if folder in mounted else value)
    settings = load(bus=ROOT)
    client = settings.kafka.client()

    assert [] == unknown_variables(told)
    assert "western-indian-ocean-kafka-bootstrap:9093" == client["bootstrap.servers"]
    assert ("0.0.0.0", 9100) == (settings.metrics_address, settings.metrics_port)  # noqa: S104 - inside a pod
    assert (3, 2) == (settings.kafka.replication, settings.kafka.min_isr)
    if authentication == "tls":
        assert "SSL" == client["security.protocol"]
        assert client["ssl.certificate.location"].endswith("user.crt")
    else:
        assert ("SASL_SSL", "bus.release", "secret") == (
            client["security.protocol"],
            client["sasl.username"],
            client["sasl.password"],
        )


def test_what_must_last_lies_in_a_claim_and_is_used() -> None:
    """
    Keys, the vault and what followers remember are claims that are mounted; what only its pod has is what a changelog holds too.
    """
    pods = {name: one["spec"]["template"]["spec"] for name, one in of("Deployment").items()}
    claimed = {
        name: {one["persistentVolumeClaim"]["claimName"] for one in pod["volumes"] if "persistentVolumeClaim" in one}
        for name, pod in pods.items()
    }
    readers = {
        name
        for name, pod in pods.items()
        if next(one for one in pod["containers"][0]["volumeMounts"] if one["name"] == "keys")["readOnly"]
    }

    assert SIZES.keys() == of("PersistentVolumeClaim").keys() == set.union(*claimed.values())
    assert {"boutre-keys", "boutre-vault"} == claimed["release"] == claimed["cases"]
    assert {"boutre-keys", "boutre-answers"} == claimed["answers"]
    assert {"boutre-keys", "boutre-audit"} == claimed["audit"]
    assert pods.keys() - {"audit"} == readers
    # The claims are for one node, so all go where the first went.
    assert all("podAffinity" in pod["affinity"] for pod in pods.values())


@pytest.mark.parametrize("part", ["kafka", "topics", "users", "processes"])
def test_a_part_is_what_it_is_in_the_whole(part: str) -> None:
    """
    The parts together are the whole, each resource once.
    """
    others = [one for name in ("kafka", "topics", "users", "processes") if name != part for one in written("--part", name)]
    whole = written()

    assert len(whole) == len({(one["kind"], one["metadata"]["name"]) for one in whole})
    assert sorted(map(json.dumps, whole)) == sorted(map(json.dumps, [*written("--part", part), *others]))
