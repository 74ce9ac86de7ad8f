"""
The ground on which faults are tried: a whole bus on a Kafka of its own, its page, `boutre top`, a registry and a Prometheus.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from boutre.ops.broker import Broker, free_port
from boutre.ops.registry import EmbeddedRegistry
from boutre.schemas import lock
from boutre.schemas.registry import Registry, push
from broker.bad_input.bus import Bus, running
from records import ROOT

DECLARED: Final = ("topics", "schemas", "processors", "samples")
MEMBER: Final = "mauritius"
"""The member that has a connector; the others publish as clients of Kafka do."""

QUIET: Final = "comoros"
"""The member of which something comes each second, until its feed falls silent."""

FLOOD: Final = "madagascar"
RHYTHM_S: Final = 40
SHARE_BYTES: Final = 20_480
"""Bytes a second of whoever floods: ten reports, so that a flood need not be large."""

SPACE_GIB: Final = 4
RULES: Final = ROOT / "ops" / "prometheus" / "alarms.yml"
START_S: Final = 120.0

FEED: Final = """\
member = "{member}"
kinds = ["sighting"]
source = "lines"
{rhythm}
[options]
path = "{path}"

[handling]
tlp = "AMBER"
purposes = ["SAR"]
legal_basis = "Faults that are tried"
retention_days = 30
"""


def declared(folder: Path) -> Path:
    """
    Copy what is declared, with two feeds in place of the samples' and a small share for whoever will flood.
    """
    for name in DECLARED:
        shutil.copytree(ROOT / name, folder / name)
    (folder / "connectors").mkdir()
    for feed, member, rhythm in (("room", MEMBER, ""), ("forms", QUIET, f"rhythm_hours = {RHYTHM_S / 3600}")):
        told = FEED.format(member=member, rhythm=rhythm, path=folder / f"{feed}.jsonl")
        (folder / "connectors" / f"{feed}.toml").write_text(told, encoding="utf-8")
        (folder / f"{feed}.jsonl").touch()
    members = folder / "topics" / "members.toml"
    before, found, behind = members.read_text(encoding="utf-8").partition(f'id = "{FLOOD}"\n')
    members.write_text(f"{before}{found}rate = {SHARE_BYTES}\n{behind}", encoding="utf-8")
    return folder


@contextmanager
def disk(folder: Path, place: Path) -> Iterator[Path]:
    """
    A disk of its own at *place*, small enough to be filled: a file in *folder* with a file system in it. Needs root.
    """
    image = folder / "disk.ext4"
    with image.open("wb") as file:
        file.truncate(SPACE_GIB << 30)
    subprocess.run(["mkfs.ext4", "-q", "-m", "0", "-F", str(image)], check=True)
    place.mkdir(parents=True)
    subprocess.run(["mount", "-o", "loop", str(image), str(place)], check=True)
    try:
        yield place
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)


@dataclass
class Ground:
    """
    What runs: the bus with its Kafka, and where the page and Prometheus answer.
    """

    folder: Path
    root: Path
    broker: Broker
    disk: Path
    registry: EmbeddedRegistry
    bus: Bus
    page: str
    prometheus: str
    top: subprocess.Popen[str]

    @property
    def environment(self) -> Mapping[str, str]:
        """What processes of this bus are told."""
        return environment(self.folder, self.root, self.broker)


def environment(folder: Path, root: Path, broker: Broker) -> dict[str, str]:
    """
    What processes of this bus are told.
    """
    return {
        **os.environ,
        "BOUTRE_BUS": str(root),
        "BOUTRE_STATE": str(folder / "state"),
        "BOUTRE_KEYS": str(folder / "keys"),
        "BOUTRE_KAFKA__BOOTSTRAP_SERVERS": broker.bootstrap,
        "BOUTRE_KAFKA__EMBEDDED": "true",
    }


def filled(registry: EmbeddedRegistry) -> None:
    """
    Give a registry what is locked.
    """
    push(Registry(registry.url), lock.load(lock.folder_of(ROOT)))


@contextmanager
def process(folder: Path, told: Mapping[str, str], *words: str) -> Iterator[int]:
    """
    A process of the bus that serves a page of its own; gives the port.
    """
    port, log = free_port(), folder / f"{'-'.join(words[:2])}.log"
    more = {"BOUTRE_METRICS_PORT": str(port)}
    with log.open("wb") as out:
        one = subprocess.Popen([sys.executable, "-m", "boutre", *words], cwd=folder, stdout=out, stderr=out, env={**told, **more})
    try:
        if words[0] == "operations":
            until = time.monotonic() + START_S
            while (found := re.search(r"^operations: http://[\d.]+:(\d+)/$", log.read_text(), re.MULTILINE)) is None:
                assert one.poll() is None, log.read_text()
                assert time.monotonic() < until, log.read_text()
                time.sleep(0.1)
            port = int(found[1])
        yield port
    finally:
        one.terminate()
        with suppress(subprocess.TimeoutExpired):
            one.wait(20)
        one.kill()


@contextmanager
def prometheus(folder: Path, ports: Mapping[str, int]) -> Iterator[str]:
    """
    A Prometheus that asks all of them every five seconds, with the rules of this bus.
    """
    port = free_port()
    targets = "".join(
        f"\n      - targets: ['127.0.0.1:{each}']\n        labels: {{service: {name}}}" for name, each in ports.items()
    )
    (folder / "prometheus.yml").write_text(
        "global: {scrape_interval: 5s, evaluation_interval: 5s}\n"
        f"rule_files: [{RULES}]\nscrape_configs:\n  - job_name: boutre\n    static_configs:{targets}\n"
    )
    command = ["prometheus", f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/tsdb"]
    with (folder / "prometheus.log").open("wb") as out:
        one = subprocess.Popen([*command, f"--web.listen-address=127.0.0.1:{port}"], stdout=out, stderr=out)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        one.terminate()
        one.wait(20)


@contextmanager
def top(folder: Path, page: str) -> Iterator[subprocess.Popen[str]]:
    """
    The terminal of operations in a process of its own, which tells what it shows.
    """
    with (folder / "top.log").open("wb") as out:
        command = [sys.executable, "-m", "faults.top", page]
        told = {**os.environ, "PYTHONPATH": str(ROOT / "tests")}
        one = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=out, text=True, env=told)
    try:
        yield one
    finally:
        one.kill()
        one.wait()


@contextmanager
def ground() -> Iterator[Ground]:
    """
    Bring it all up, and take it down.
    """
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="faults-", ignore_cleanup_errors=True)))
        root = declared(folder / "bus")
        place = stack.enter_context(disk(folder, folder / "state" / "kafka"))
        broker = Broker(place / "broker").start()
        stack.callback(broker.close)
        registry = stack.enter_context(EmbeddedRegistry())
        filled(registry)
        bus = stack.enter_context(running(broker.bootstrap, folder, {}, root))
        told = environment(folder, root, broker)
        ports = {one.name: one.port for one in bus.standing.workers}
        for name in ("audit", "answers"):
            ports[name] = stack.enter_context(process(folder, told, name, "follow"))
        words = ("operations", "--port", "0", "--registry", registry.url)
        ports["operations"] = stack.enter_context(process(folder, told, *words))
        page = f"http://127.0.0.1:{ports['operations']}"
        scraping = stack.enter_context(prometheus(folder, ports))
        yield Ground(folder, root, broker, place, registry, bus, page, scraping, stack.enter_context(top(folder, page)))
