"""
What the embedded Kafka is told: one node that is broker and controller, tuned for a laptop and for tests.

Pure: text in, text out. Production brokers are not configured here, see `ops/kafka/`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

# Kafka listens on this machine only: the embedded broker knows no passwords unless it is told some.
HOST: Final = "127.0.0.1"

# The listener of clients, and that of the controller quorum.
CLIENT: Final = "CLIENT"
CONTROLLER: Final = "CONTROLLER"

# Quick to start, quick to let groups in, small in memory; nothing here weakens what the bus promises.
_LAPTOP: Final[Mapping[str, str]] = {
    "auto.create.topics.enable": "false",  # topics are declared
    # A node that was killed may only register again once its old session is over: 9 s unless told otherwise.
    "broker.heartbeat.interval.ms": "500",
    "broker.session.timeout.ms": "4000",
    "default.replication.factor": "1",
    "group.initial.rebalance.delay.ms": "0",
    "log.cleaner.dedupe.buffer.size": "8388608",
    "log.index.size.max.bytes": "1048576",
    "message.max.bytes": "1048588",  # 1 MiB of records and the frame of their batch
    "min.insync.replicas": "1",
    "num.io.threads": "4",
    "num.network.threads": "2",
    "num.partitions": "1",
    "offsets.topic.num.partitions": "8",
    "offsets.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
    "share.coordinator.state.topic.num.partitions": "1",
    "share.coordinator.state.topic.replication.factor": "1",
    "transaction.abort.timed.out.transaction.cleanup.interval.ms": "1000",
    "transaction.max.timeout.ms": "900000",
    "transaction.state.log.min.isr": "1",
    "transaction.state.log.num.partitions": "4",
    "transaction.state.log.replication.factor": "1",
}

LOG4J: Final = """\
status = error
name = boutre-embedded-kafka
appender.file.type = File
appender.file.name = file
appender.file.fileName = ${sys:boutre.log}
appender.file.layout.type = PatternLayout
appender.file.layout.pattern = %d{yyyy-MM-dd'T'HH:mm:ss.SSSX}{UTC} %p %c{1} %m%n
rootLogger.level = warn
rootLogger.appenderRef.file.ref = file
logger.server.name = kafka.server.KafkaRaftServer
logger.server.level = info
"""


@dataclass(frozen=True, slots=True)
class Node:
    """
    One embedded Kafka node: where its data lie, which ports it listens on, and what it is told beside the defaults.

    *ports* maps each listener to its port; *protocols* each listener that is not PLAINTEXT to its protocol
    (`SASL_SSL`, ...). *properties* win over the defaults.
    """

    data: Path
    ports: Mapping[str, int]
    protocols: Mapping[str, str] = field(default_factory=dict)
    properties: Mapping[str, str] = field(default_factory=dict)

    def server_properties(self) -> str:
        """
        The text of this node's `server.properties`.
        """
        clients = [listener for listener in self.ports if listener != CONTROLLER]
        told = {
            "process.roles": "broker,controller",
            "node.id": "1",
            "controller.listener.names": CONTROLLER,
            "controller.quorum.voters": f"1@{HOST}:{self.ports[CONTROLLER]}",
            "inter.broker.listener.name": CLIENT,
            "listeners": ",".join(f"{listener}://{HOST}:{port}" for listener, port in self.ports.items()),
            "advertised.listeners": ",".join(f"{listener}://{HOST}:{self.ports[listener]}" for listener in clients),
            "listener.security.protocol.map": ",".join(
                f"{listener}:{self.protocols.get(listener, 'PLAINTEXT')}" for listener in self.ports
            ),
            "log.dirs": str(self.data),
            **_LAPTOP,
            **self.properties,
        }
        return "".join(f"{key}={_escaped(value)}\n" for key, value in told.items())


def _escaped(value: str) -> str:
    # Java reads a backslash and a line's end in a .properties file as its own.
    return value.replace("\\", "\\\\").replace("\n", "\\n")
