"""
The bus on containers, as far as it can be judged without any: what the files say fits the specification, the command and the bus.
"""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import click
import pytest
from ruamel.yaml import YAML

from boutre import __version__
from boutre.connectors.sinks.contract import find
from boutre.health import HEALTHY, READY
from boutre.ops.access import FOLLOWERS
from boutre.ops.assembly import assemble
from boutre.ops.settings import load, unknown_variables
from boutre.ops.sink_command import options_of
from boutre.topics import bus
from spoken import parsed

ROOT: Final = Path(__file__).parents[2]
COMPOSE: Final = ROOT / "docker-compose.yml"
CONTAINERFILE: Final = ROOT / "Containerfile"
PORT: Final = 9100


def plain(value: Any) -> Any:
    """
    Put defaults in the place of variables, as compose does where none is set.
    """
    if isinstance(value, dict):
        return {name: plain(part) for name, part in value.items()}
    if isinstance(value, list):
        return [plain(part) for part in value]
    if isinstance(value, str):
        return re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", value).replace("$$", "$")
    return value


MODEL: Final[dict[str, Any]] = plain(YAML(typ="safe").load(COMPOSE.read_text(encoding="utf-8")))
SERVICES: Final[dict[str, dict[str, Any]]] = MODEL["services"]
OURS: Final = {name: service for name, service in SERVICES.items() if "build" in service}
JOBS: Final = {name for name, service in SERVICES.items() if service["restart"] == "no"}


def arguments(service: dict[str, Any]) -> list[str]:
    """
    What a service of the bus says to the command `boutre`, also where a shell stands before it.
    """
    if "entrypoint" not in service:
        return list(service["command"])
    words = shlex.split(service["command"][0])
    return words[words.index("boutre") + 1 :]


def instructions(name: str) -> Iterator[list[str]]:
    """
    The words of each instruction of that name in the Containerfile.
    """
    text = CONTAINERFILE.read_text(encoding="utf-8").replace("\\\n", " ")
    yield from (line.split()[1:] for line in text.splitlines() if line.split()[:1] == [name])


def test_the_file_is_valid_by_the_compose_specification() -> None:
    """
    The JSON schema of the specification accepts docker-compose.yml.
    """
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", str(COMPOSE)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)

    assert 0 == done.returncode, done.stdout + done.stderr


def test_the_specification_would_refuse_a_mistake(tmp_path: Path) -> None:
    """
    The schema at hand is one that can say no: a mistyped key is refused.
    """
    wrong = tmp_path / "docker-compose.yml"
    wrong.write_text("services: {kafka: {image: 'apache/kafka:4.1.1', healtcheck: {}}}\n", encoding="utf-8")
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", str(wrong)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)

    assert 1 == done.returncode
    assert "healtcheck" in done.stdout


@pytest.mark.parametrize("name", OURS)
def test_every_command_is_understood(name: str) -> None:
    """
    Each service of the bus calls a command that exists, with options that it knows.
    """
    assert parsed(arguments(OURS[name])).command.name


def test_a_command_that_does_not_exist_would_be_found() -> None:
    """
    The reading of commands can say no.
    """
    with pytest.raises(click.UsageError):
        parsed(["worker", "--no-such-option"])
    with pytest.raises(click.UsageError):
        parsed(["topics", "delete"])


@pytest.mark.parametrize("name", OURS)
def test_every_variable_is_a_setting(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    What a container is told is read by the settings, and arrives.
    """
    told = {word.partition("=")[0]: word.partition("=")[2] for words in instructions("ENV") for word in words}
    told |= OURS[name]["environment"]
    ours = {variable: value for variable, value in told.items() if variable.startswith("BOUTRE_")}
    for variable, value in ours.items():
        monkeypatch.setenv(variable, value)
    settings = load()

    assert [] == unknown_variables(ours)
    assert "kafka:19092" == settings.kafka.bootstrap_servers
    assert (1, 1) == (settings.kafka.replication, settings.kafka.min_isr)
    assert ("0.0.0.0", PORT) == (settings.metrics_address, settings.metrics_port)  # noqa: S104 - inside a container
    assert Path("/bus") == settings.bus


def test_every_processor_has_its_workers() -> None:
    """
    For each edge of the graph there is one service of its name, started without any profile; and no other worker.
    """
    names = {edge.name for edge in assemble(ROOT).pipeline.edges}
    workers = {name: arguments(service)[1:] for name, service in OURS.items() if arguments(service)[0] == "worker"}

    assert {name: [name] for name in names} == workers
    assert all("profiles" not in OURS[name] for name in names)


def test_the_page_of_operations_asks_whoever_goes_on() -> None:
    """
    Every worker and every follower is named to it, since it sees no other machine's processes by itself.
    """
    asked = {word.removeprefix("--at=") for word in arguments(OURS["operations"]) if word.startswith("--at=")}
    names = {edge.name for edge in assemble(ROOT).pipeline.edges} | set(FOLLOWERS)

    assert {f"{name}:{PORT}" for name in names} == asked


def test_every_follower_runs_once_and_keeps_what_it_knows() -> None:
    """
    What follows beside the processors has one service of its name, without any profile, and a volume of its own for what it writes.
    """
    services = {name: service for name, service in OURS.items() if arguments(service)[1:] == ["follow"]}
    writes = {name: SERVICES[name]["volumes"] for name in FOLLOWERS}

    assert {name: [name, "follow"] for name in FOLLOWERS} == {name: arguments(service) for name, service in services.items()}
    assert all("profiles" not in service for service in services.values())
    assert "vault:/var/lib/boutre/vault" in writes["cases"]
    assert all(f"{name}:/var/lib/boutre/state" in writes[name] for name in ("answers", "audit"))


def test_the_vault_is_where_it_is_needed_and_nowhere_else() -> None:
    """
    Workers, the follower and the development connectors have the volume of the vault; it is no part of the volume of keys.
    """
    has = {name for name, service in OURS.items() if "vault:/var/lib/boutre/vault" in service.get("volumes", ())}
    needs = {name for name, service in OURS.items() if arguments(service)[0] in {"worker", "connector", "cases", "keys"}}

    assert needs == has
    assert ["BOUTRE_VAULT=/var/lib/boutre/vault"] == [
        word for words in instructions("ENV") for word in words if word.startswith("BOUTRE_VAULT")
    ]


def test_every_feed_has_its_connector() -> None:
    """
    For each feed that is declared there is one service of its name in the profile demo; and no other.
    """
    feeds = {path.stem for path in (ROOT / "connectors").glob("*.toml")}
    running = {name: arguments(service)[2:] for name, service in OURS.items() if arguments(service)[:2] == ["connector", "run"]}

    assert {name: [name] for name in feeds} == running
    assert all(["demo"] == OURS[name]["profiles"] for name in feeds)


def test_every_sink_is_one_that_exists() -> None:
    """
    A sink runs by its own name, for a recipient of this bus, with options that it has.
    """
    recipients = bus.load(ROOT).recipients
    contexts = [parsed(arguments(service)) for service in OURS.values() if arguments(service)[:2] == ["sink", "run"]]

    assert contexts
    for context in contexts:
        assert context.params["recipient"] in recipients
        assert options_of(find(context.params["name"]), context.params["pairs"])


@pytest.mark.parametrize("name", [name for name in SERVICES if name not in JOBS])
def test_every_service_that_goes_on_says_how_it_is(name: str) -> None:
    """
    A long-running service has a health check with time to start, and is started again when it ends.
    """
    service = SERVICES[name]

    assert {"test", "interval", "timeout", "retries", "start_period"} == service["healthcheck"].keys()
    assert "unless-stopped" == service["restart"]
    if name in OURS:
        for page in (READY, HEALTHY):
            assert f"http://127.0.0.1:{PORT}{page}'" in service["healthcheck"]["test"][-1]
        compile(service["healthcheck"]["test"][-1], "health check", "exec")


def test_services_wait_for_what_they_need() -> None:
    """
    Who is waited for exists, is started by the same profiles, and can become what is waited for.
    """
    for name, service in SERVICES.items():
        for needed, how in service.get("depends_on", {}).items():
            other = SERVICES[needed]

            assert other.get("profiles", service.get("profiles")) == service.get("profiles"), (name, needed)
            assert ("service_completed_successfully" if needed in JOBS else "service_healthy") == how["condition"]
            assert needed in JOBS or "healthcheck" in other
    for name, service in OURS.items():
        if arguments(service)[0] in {"worker", "connector"}:
            assert {"kafka", "topics", "keys"} == service["depends_on"].keys(), name


def test_every_image_is_pinned() -> None:
    """
    No image moves by itself: each has a tag that begins with a version, and ours is that of this version.
    """
    tags = [service["image"].rpartition(":")[2] for service in SERVICES.values()]
    bases = [words[0] for words in instructions("FROM")]

    assert all(re.match(r"v?\d+(\.\d+)+|\d+-\d", tag) for tag in tags), tags
    assert {f"boutre:{__version__}"} == {service["image"] for service in OURS.values()}
    assert ["python:3.11-slim-bookworm"] * 2 == bases


def test_secrets_stand_in_files_and_ports_on_this_machine() -> None:
    """
    No password stands in a variable, every secret is a file that git does not see, and nothing listens to the world.
    """
    ignored = (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()

    for name, service in SERVICES.items():
        secret = [variable for variable in service.get("environment", {}) if re.search("PASSWORD|SECRET|TOKEN", variable)]
        assert all(variable.endswith("_FILE") for variable in secret), name
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", ())), name
        assert set(service.get("secrets", ())) <= MODEL["secrets"].keys(), name
    for secret in MODEL["secrets"].values():
        assert f"{Path(secret['file']).parts[0]}/" in ignored


def test_volumes_are_declared_and_used() -> None:
    """
    What must outlive a container lies in a volume with a name, and no volume is declared in vain.
    """
    mounted = {volume.partition(":")[0] for service in SERVICES.values() for volume in service.get("volumes", ())}

    assert MODEL["volumes"].keys() == {volume for volume in mounted if not volume.startswith(".")}
    assert all((ROOT / volume).exists() for volume in mounted if volume.startswith("."))


def test_prometheus_asks_every_process_of_the_bus() -> None:
    """
    What serves /metrics is asked for it, and nothing else.
    """
    asked = YAML(typ="safe").load((ROOT / "ops" / "prometheus" / "prometheus.yml").read_text(encoding="utf-8"))
    (job,) = asked["scrape_configs"]
    (found,) = job["dns_sd_configs"]
    (other,) = job["static_configs"]

    # The page of operations answers to its name alone, so it is asked by that.
    assert [f"operations:{PORT}"] == other["targets"]
    assert "--name=operations" in arguments(OURS["operations"])
    assert set(OURS) - JOBS - {"operations"} == set(found["names"])
    assert PORT == found["port"]
    assert all([str(PORT)] == OURS[name]["expose"] for name in found["names"])


def test_the_image_is_made_of_what_it_needs() -> None:
    """
    All that the Containerfile copies is there and not kept out, it holds what the build reads, and nothing runs as root.
    """
    let_in = {line[1:] for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines() if line.startswith("!")}
    copied = {word for words in instructions("COPY") if not words[0].startswith("--") for word in words[:-1]}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    build = project["tool"]["hatch"]["build"]["targets"]["wheel"]
    needed = {"pyproject.toml", project["project"]["readme"], *project["project"]["license-files"], *build["force-include"], "src"}
    lines = [line.split()[0] for line in CONTAINERFILE.read_text(encoding="utf-8").splitlines() if line.strip()]

    assert let_in == copied
    assert all(copied & {one, *map(str, Path(one).parents)} for one in needed)
    assert {"topics", "schemas", "processors", "connectors"} <= copied
    assert all((ROOT / name).exists() for name in copied)
    assert [["boutre"]] == list(instructions("USER"))
    assert lines.index("USER") < lines.index("ENTRYPOINT")
