"""
A cluster of several embedded Kafka nodes: what one broker cannot show, the loss of another.

    with Nodes(3) as nodes:
        nodes.brokers[1].kill()         # the other two go on
        nodes.brokers[1].start()
        nodes.await_in_sync()

Each node is broker and controller in a process of its own. Every topic has as many copies as there are nodes, up to three, and a
record counts as written once all copies but one have it: also Kafka's own topics of offsets and transactions.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from boutre.errors import Unavailable
from boutre.ops import jars, storage
from boutre.ops.broker import Broker, free_port
from boutre.ops.embedded import CLIENT, CONTROLLER, HOST

# Mebibytes: a node of three needs less than one that does all by itself.
_HEAP_MB: Final = 256

_MOST_COPIES: Final = 3

# Seconds. Three virtual machines that start at once on a small machine take longer than one.
_START: Final = 180.0
_SYNC: Final = 120.0
_ASK: Final = 0.5


class Nodes:
    """
    Several embedded Kafka nodes that are one cluster, started and stopped by this process.

    Args:
        count: how many; three keep a majority when one is lost.
        home: the folder for their data and logs, one folder for each within. Without one it is a temporary one, which goes with it.
        heap_mb: the most memory of each node's heap, in mebibytes.
        progress: told what goes on, in lines for people.
        cache: the folder of the jars; without it, `jars.cache_folder()`.
        repository: a Maven repository in place of Maven Central.
    """

    def __init__(
        self,
        count: int = 3,
        home: Path | None = None,
        *,
        heap_mb: int = _HEAP_MB,
        progress: jars.Progress = jars.silent,
        cache: Path | None = None,
        repository: str | None = None,
    ) -> None:
        self._temporary = home is None
        self.home = home.absolute() if home is not None else Path(tempfile.mkdtemp(prefix="boutre-kafka-"))
        self._progress = progress
        self._cache = cache
        self._repository = repository
        data = self.home / "node-1" / "data"
        cluster = storage.cluster_id(data) if storage.formatted(data) else storage.new_cluster_id()
        ports = [{CLIENT: free_port(), CONTROLLER: free_port()} for _ in range(count)]
        voters = ",".join(f"{number}@{HOST}:{each[CONTROLLER]}" for number, each in enumerate(ports, 1))
        self.replication = min(count, _MOST_COPIES)
        self.min_isr = max(1, self.replication - 1)
        self.brokers = tuple(
            Broker(
                self.home / f"node-{number}",
                ports=each,
                properties={"node.id": str(number), "controller.quorum.voters": voters, **self._copies()},
                heap_mb=heap_mb,
                cluster_id=cluster,
                progress=progress,
                cache=cache,
                repository=repository,
            )
            for number, each in enumerate(ports, 1)
        )

    @property
    def bootstrap(self) -> str:
        """
        The addresses for clients, those of all nodes: one may be away when a client starts.
        """
        return ",".join(broker.bootstrap for broker in self.brokers)

    def start(self) -> Self:
        """
        Start all nodes at once, since none answers before most of them are there, and wait until each has all that it keeps.

        Raises:
            Unavailable: Java or the jars cannot be had, or the cluster did not form in time.
        """
        jars.kafka(self._progress, cache=self._cache, repository=self._repository)  # once, and not by all at the same time
        try:
            with ThreadPoolExecutor(len(self.brokers)) as pool:
                list(pool.map(lambda broker: broker.start(_START), self.brokers))
        except BaseException:
            self.stop()
            raise
        return self

    def whole(self) -> bool:
        """
        Whether every copy of every partition has all that was written, Kafka's own topics too; False where nobody answers.
        """
        try:
            told = AdminClient({"bootstrap.servers": self.bootstrap, "log_level": 0}).list_topics(timeout=5)
        except KafkaException:
            return False
        partitions = [each for topic in told.topics.values() for each in topic.partitions.values()]
        return len(told.brokers) == len(self.brokers) and all(
            each.leader >= 0 and len(each.isrs) == len(each.replicas) for each in partitions
        )

    def await_in_sync(self, timeout: float = _SYNC) -> None:
        """
        Wait until the cluster is `whole` again, so that it can lose another node.

        Raises:
            Unavailable: it is not within *timeout* seconds.
        """
        until = time.monotonic() + timeout
        while not self.whole():
            if time.monotonic() > until:
                raise Unavailable(f"some partition lacks a copy after {timeout:.0f} s; look at the kafka.log of each node")
            time.sleep(_ASK)

    def stop(self) -> None:
        """
        Stop all nodes; the data stay.
        """
        # At once: the last of them could not stop in order, since there is no majority left to tell.
        with ThreadPoolExecutor(len(self.brokers)) as pool:
            list(pool.map(Broker.stop, self.brokers))

    def close(self) -> None:
        """
        Stop all nodes, and remove their folder when that was a temporary one.
        """
        self.stop()
        if self._temporary:
            shutil.rmtree(self.home, ignore_errors=True)

    def __enter__(self) -> Self:
        try:
            return self.start()
        except BaseException:
            self.close()
            raise

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def _copies(self) -> dict[str, str]:
        copies, in_sync = str(self.replication), str(self.min_isr)
        return {
            "default.replication.factor": copies,
            "min.insync.replicas": in_sync,
            "offsets.topic.replication.factor": copies,
            "transaction.state.log.replication.factor": copies,
            "transaction.state.log.min.isr": in_sync,
            "share.coordinator.state.topic.replication.factor": copies,
            "share.coordinator.state.topic.min.isr": in_sync,
        }
