"""
A whole bus for a run: Kafka, this repository's topics and keys, and real processes of every sort; nothing of it is an imitation.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Self

from boutre.ops.apply import bring
from boutre.ops.assembly import Assembly, assemble, keys_of
from boutre.ops.broker import Broker
from boutre.ops.nodes import Nodes
from boutre.ops.settings import Kafka, Settings
from boutre.processors.edges import Edge
from chaos import feeds
from chaos.effects import Effect
from chaos.feeds import Feed
from chaos.processes import Process

WORKERS: Final = 2
"""Workers of each processor, so that there is somebody to whom partitions can move."""

STOP_S: Final = 30.0


@dataclass(slots=True)
class Ground:
    """
    What runs, in one *folder*: logs, data, files of the sinks.

    *nodes* is how many Kafka nodes there are; *unwilling* are processes that did not stop when they were told to.
    """

    folder: Path
    feeds: tuple[Feed, ...]
    effects: tuple[Effect, ...]
    nodes: int = 1
    say: Callable[[str], None] = lambda _line: None
    processes: list[Process] = field(default_factory=list)
    unwilling: list[str] = field(default_factory=list)
    _kafka: Broker | Nodes | None = None
    _settings: Settings | None = None
    _assembly: Assembly | None = None
    _environment: dict[str, str] = field(default_factory=dict)

    def start(self) -> Self:
        """Start it; ``Unavailable`` where Kafka cannot be had."""
        home = self.folder / "kafka"
        self._kafka = Nodes(self.nodes, home) if self.nodes > 1 else Broker(home)
        self._kafka.start()
        copies, in_sync = (self._kafka.replication, self._kafka.min_isr) if isinstance(self._kafka, Nodes) else (1, 1)
        told = Kafka(bootstrap_servers=self._kafka.bootstrap, replication_factor=copies, min_insync_replicas=in_sync)
        state, keys = self.folder / "state", self.folder / "keys"
        # Not read from the environment, where another bus may be named.
        self._settings = Settings.model_construct(bus=self.bus, state=state, keys=keys, kafka=told)
        self._assembly = assemble(self.bus)
        bring(self.assembly.declarations, self.settings)
        keys_of(self.settings).development(self.assembly.declarations.members, self.assembly.declarations.recipients)
        kafka = {
            "BOUTRE_KAFKA__BOOTSTRAP_SERVERS": self._kafka.bootstrap,
            "BOUTRE_KAFKA__REPLICATION_FACTOR": str(copies),
            "BOUTRE_KAFKA__MIN_INSYNC_REPLICAS": str(in_sync),
        }
        self._environment = feeds.environment(self.bus, state, keys, kafka)
        self.say(f"Kafka runs at {self._kafka.bootstrap}, with its topics")
        for processor in self.processors:
            for _ in range(WORKERS):
                self.add_worker(processor)
        for feed in self.feeds:
            self._add("connector", feed.id, feed.id, ("connector", "run", feed.id))
        for effect in self.effects:
            name = f"{effect.name}-{effect.recipient}"
            self._add("sink", name, effect.recipient, ("sink", "run", effect.sink, effect.recipient, *effect.options))
        for process in self.processes:
            process.start()
        self.say(f"{len(self.processes)} processes are started")
        return self

    def stop(self) -> None:
        """Stop all of it, workers before Kafka."""
        self.leave(*self.processes)
        if self._kafka is not None:
            self._kafka.close()

    def leave(self, *processes: Process) -> None:
        """Have these processes stop in order."""
        for process in processes:
            if process.frozen:
                process.thaw()
            process.leave()
        until = time.monotonic() + STOP_S
        for process in processes:
            if not process.end(until - time.monotonic()):
                self.say(f"{process.name} does not stop, and is killed")
                self.unwilling.append(process.name)

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

    @property
    def bus(self) -> Path:
        """The bus folder."""
        return self.folder / "bus"

    @property
    def brokers(self) -> tuple[Broker, ...]:
        """The Kafka nodes."""
        return self._kafka.brokers if isinstance(self._kafka, Nodes) else (self._kafka,) if self._kafka else ()

    def whole(self) -> bool:
        """Whether every Kafka node is there and has all that it keeps."""
        return self._kafka.whole() if isinstance(self._kafka, Nodes) else all(broker.pid for broker in self.brokers)

    @property
    def settings(self) -> Settings:
        """The settings, once it runs."""
        assert self._settings is not None
        return self._settings

    @property
    def assembly(self) -> Assembly:
        """All that is declared, once it runs."""
        assert self._assembly is not None
        return self._assembly

    @property
    def client(self) -> dict[str, Any]:
        """What a client of Kafka is told."""
        return self.settings.kafka.client()

    @property
    def processors(self) -> list[str]:
        """The processors of the pipeline."""
        return [edge.name for edge in self.assembly.pipeline.edges]

    def group(self, process: Process) -> str:
        """Give the consumer group that a worker or a sink is a member of."""
        if process.role == "worker":
            return f"boutre-{process.stage}"
        return f"{process.stage}.{process.arguments[2]}"

    def reads(self, process: Process) -> list[str]:
        """Give the topics that a worker or a sink reads."""
        if process.role == "worker":
            return list(self._edge(process).reads)
        kinds = self.assembly.declarations.recipients[process.stage].kinds
        return [f"for.{process.stage}.{kind}" for kind in kinds]

    def partitions(self, topic: str) -> int:
        """How many partitions a topic has."""
        return self.assembly.declarations.topics[topic].partitions

    def changelog(self, process: Process) -> str:
        """Give the topic in which a worker's every transaction writes."""
        return self._edge(process).changelog

    def add_worker(self, processor: str, *, extra: bool = False) -> Process:
        """Add one worker of a processor, which is not started yet."""
        number = 1 + sum(1 for each in self.processes if each.role == "worker" and each.stage == processor)
        name = f"{processor}-{number}"
        data = str(self.folder / "data" / name)
        process = self._add("worker", name, processor, ("worker", processor, "--data", data))
        process.extra = extra
        return process

    def _edge(self, process: Process) -> Edge:
        return next(edge for edge in self.assembly.pipeline.edges if edge.name == process.stage)

    def _add(self, role: Any, name: str, stage: str, arguments: tuple[str, ...]) -> Process:
        process = Process(name, role, stage, arguments, self._environment, self.folder)
        self.processes.append(process)
        return process
