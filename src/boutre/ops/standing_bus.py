"""
A whole bus on this machine: broker, topics, keys and workers, started and stopped together.

The broker is the embedded one unless the settings name a cluster. Workers are processes of their own, each with its ``/metrics``;
what is started attached ends with this process, however that ends.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from prometheus_client.parser import text_string_to_metric_families

from boutre.errors import Unavailable
from boutre.ops.apply import bring
from boutre.ops.assembly import Assembly, keys_of
from boutre.ops.broker import Broker, alive, free_port
from boutre.ops.guard import Guard
from boutre.ops.settings import Settings
from boutre.ops.standing import Standing, standing

UP_FILE = "up.json"
CASES = "cases"
"""The name of the process that destroys the case keys of what is erased."""

START_S = 60.0
STOP_S = 15.0


@dataclass(slots=True)
class Worker:
    """
    One process of the bus: a worker by its processor, or the follower of case keys; its process and metrics port.
    """

    name: str
    port: int
    pid: int
    log: str
    process: subprocess.Popen[bytes] | None = None
    guard: Guard | None = None

    def alive(self) -> bool:
        """Say whether it runs."""
        return alive(self.pid) if self.process is None else self.process.poll() is None

    def stop(self) -> None:
        """Ask it to stop, and kill it where it does not."""
        for how, patience in ((signal.SIGTERM, STOP_S), (signal.SIGKILL, 5.0)):
            if not self.alive():
                break
            os.kill(self.pid, how)
            until = time.monotonic() + patience
            while self.alive() and time.monotonic() < until:
                time.sleep(0.05)
        if self.guard is not None:
            self.guard.release()


@dataclass(slots=True)
class StandingBus:
    """
    What runs; *detached* processes outlive the one that started them.
    """

    settings: Settings
    assembly: Assembly
    detached: bool = False
    say: Callable[[str], None] = lambda _line: None
    broker: Broker | None = None
    workers: list[Worker] = field(default_factory=list)

    def start(self) -> Self:
        """Start what does not run yet: broker, topics, keys, workers; gives the bus once every worker has its partitions."""
        self._broker()
        bring(self.assembly.declarations, self.settings)
        keys_of(self.settings).development(self.assembly.declarations.members, self.assembly.declarations.recipients)
        self.say("topics and keys are there")
        self.workers = [self._process(edge.name, "worker", edge.name) for edge in self.assembly.pipeline.edges]
        # Without it nothing would be erased on a bus that runs.
        self.workers.append(self._process(CASES, "cases", "follow"))
        self._await_workers()
        if self.detached:
            rows = [{"name": one.name, "port": one.port, "pid": one.pid, "log": one.log} for one in self.workers]
            (self.settings.state / UP_FILE).write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")
        return self

    def stop(self) -> None:
        """Stop all that was started here, workers first."""
        for worker in self.workers:
            worker.stop()
        if self.broker is not None:
            self.broker.close()
        self.workers, self.broker = [], None

    def __enter__(self) -> Self:
        """Start it, and stop what did start where something does not."""
        try:
            return self.start()
        except BaseException:
            self.stop()
            raise

    def __exit__(self, *_: object) -> None:
        """Stop it."""
        self.stop()

    def again(self, name: str) -> Worker:
        """Start one worker that was stopped, and give it once it has its partitions; ``Unavailable`` where it does not get them."""
        worker = self._process(name, "worker", name)
        self.workers = [one for one in self.workers if one.name != name] + [worker]
        self._await([worker])
        return worker

    def samples(self, name: str) -> list[tuple[dict[str, str], float]]:
        """Give all samples of a metric of all workers, each with its labels; a worker that does not answer is left out."""
        found = []
        for worker in self.workers:
            for family in text_string_to_metric_families(_scrape(worker.port) or ""):
                found += [(dict(sample.labels), sample.value) for sample in family.samples if sample.name == name]
        return found

    def _broker(self) -> None:
        kafka = self.settings.kafka
        if kafka.bootstrap_servers:
            self.say(f"Kafka at {kafka.bootstrap_servers}")
            return
        state = self.settings.state
        self.broker = Broker(
            state / "kafka",
            detached=self.detached,
            progress=self.say,
            cache=self.settings.broker.cache,
            repository=self.settings.broker.repository,
        ).start()
        self.settings = self.settings.using(self.broker.bootstrap)
        if self.detached:
            assert self.broker.pid is not None
            Standing(self.broker.pid, self.broker.bootstrap, self.broker.cluster_id, str(self.broker.home)).write(state)
        self.say(f"Kafka runs at {self.broker.bootstrap}")

    def _process(self, name: str, *words: str) -> Worker:
        folder = self.settings.state / "workers" / name
        folder.mkdir(parents=True, exist_ok=True)
        port = free_port()
        log = folder / "worker.log"
        environment = {
            **os.environ,
            "BOUTRE_KEYS": str(self.settings.keys.resolve()),
            "BOUTRE_STATE": str(self.settings.state.resolve()),
            "BOUTRE_VAULT": str(keys_of(self.settings).cases.vault.resolve()),
            "BOUTRE_METRICS_PORT": str(port),
        }
        if self.settings.kafka.embedded:
            environment["BOUTRE_KAFKA__BOOTSTRAP_SERVERS"] = self.settings.kafka.bootstrap_servers
        command = [sys.executable, "-m", "boutre", "--bus", str(self.assembly.root), *words]
        with log.open("ab") as file:
            process = subprocess.Popen(  # noqa: S603 - our own command, with names from our own declarations
                command, stdin=subprocess.DEVNULL, stdout=file, stderr=file, env=environment, start_new_session=True
            )
        guard = None if self.detached else Guard(process.pid)
        return Worker(name, port, process.pid, str(log), process, guard)

    def _await_workers(self) -> None:
        self._await(list(self.workers))
        self.say(f"{len(self.workers) - 1} workers are ready, and the follower of case keys")

    @staticmethod
    def _await(waiting: list[Worker]) -> None:
        until = time.monotonic() + START_S
        while waiting:
            for worker in waiting:
                if not worker.alive():
                    raise Unavailable(f"the worker {worker.name} ended at once; its log: {worker.log}")
            waiting = [worker for worker in waiting if not _ready(worker)]
            if waiting and time.monotonic() > until:
                raise Unavailable(
                    f"the worker {waiting[0].name} has no partitions after {START_S:.0f} s; its log: {waiting[0].log}"
                )
            if waiting:
                time.sleep(0.1)


def running(settings: Settings) -> list[Worker]:
    """
    Give the workers that ``boutre up`` left running.
    """
    path = settings.state / UP_FILE
    if not path.is_file():
        return []
    return [Worker(**row) for row in json.loads(path.read_text(encoding="utf-8")) if _is_worker(row["pid"])]


def take_down(settings: Settings) -> list[str]:
    """
    Stop the workers and the broker that ``boutre up`` left running; gives what was stopped. Data stay.
    """
    stopped = []
    for worker in running(settings):
        worker.stop()
        stopped.append(worker.name)
    (settings.state / UP_FILE).unlink(missing_ok=True)
    broker = standing(settings.state)
    if broker is not None:
        broker.stop()
        stopped.append("kafka")
    return stopped


def _is_worker(pid: int) -> bool:
    """Say whether this process is a worker of ours: process ids come again."""
    try:
        command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return alive(pid)
    return b"boutre" in command and not {b"worker", b"follow"}.isdisjoint(command)


def _scrape(port: int) -> str | None:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=2) as answer:
            return str(answer.read().decode())
    except (OSError, urllib.error.URLError):
        return None


def _ready(worker: Worker) -> bool:
    page = _scrape(worker.port)
    if page is None or worker.name == CASES:
        return page is not None
    return any(
        sample.value > 0
        for family in text_string_to_metric_families(page)
        for sample in family.samples
        if sample.name == "boutre_worker_partitions"
    )
