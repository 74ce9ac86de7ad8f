"""
A real Apache Kafka that the bus starts by itself: for the laptop, the demo and the tests.

    with Broker() as broker:
        Producer({"bootstrap.servers": broker.bootstrap})

One KRaft node on free ports of this machine, with a data folder of its own. As a context manager it dies with its owner,
even with one that is killed; detached (`boutre kafka start`) it lives on.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from boutre.errors import Unavailable
from boutre.ops import jars, storage
from boutre.ops.cluster import cluster_id_at
from boutre.ops.embedded import CLIENT, CONTROLLER, HOST, LOG4J, Node
from boutre.ops.guard import Guard

_HEAP_MB: Final = 512
_JVM: Final = (
    "-Xms64m",
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-XX:-UsePerfData",
    "-Djava.awt.headless=true",
    "--enable-native-access=ALL-UNNAMED",
)

# Seconds. The first start on a busy machine takes far longer than the usual four.
_START: Final = 90.0
_STOP: Final = 20.0
_POLL: Final = 0.05


class Broker:
    """
    One embedded Kafka, started and stopped by this process.

    Args:
        home: the folder for its data, its configuration and its log. Without one it gets a temporary folder, which goes
            with it. A folder used before keeps its data and its cluster id.
        ports: the ports to listen on, by listener (`CLIENT`, `CONTROLLER`, and those of *listeners*); the rest are free
            ones.
        listeners: further listeners by name, each with its protocol (`{"SECURE": "SASL_SSL"}`).
        properties: what Kafka is told beside, or instead of, the defaults.
        users: who may sign in by SCRAM-SHA-512 from the first start on, each with its password; see `storage.prepare`.
        detached: let it live on when this process ends.
        heap_mb: the most memory of its heap, in mebibytes.
        cluster_id: the cluster that a fresh data folder is formatted for, where several nodes are one; else a new one.
        progress: told what goes on, in lines for people.
        cache: the folder of the jars; without it, `jars.cache_folder()`.
        repository: a Maven repository in place of Maven Central.
    """

    def __init__(
        self,
        home: Path | None = None,
        *,
        ports: Mapping[str, int] | None = None,
        listeners: Mapping[str, str] | None = None,
        properties: Mapping[str, str] | None = None,
        users: Mapping[str, str] | None = None,
        detached: bool = False,
        heap_mb: int = _HEAP_MB,
        cluster_id: str | None = None,
        progress: jars.Progress = jars.silent,
        cache: Path | None = None,
        repository: str | None = None,
    ) -> None:
        self._temporary = home is None
        self.home = home.absolute() if home is not None else Path(tempfile.mkdtemp(prefix="boutre-kafka-"))
        self._protocols = dict(listeners or {})
        self._asked = dict(ports or {})
        self._ports: dict[str, int] = {}
        self._properties = dict(properties or {})
        self._users = dict(users or {})
        self._detached = detached
        self._heap_mb = heap_mb
        self._asked_id = cluster_id
        self._progress = progress
        self._cache = cache
        self._repository = repository
        self._process: subprocess.Popen[bytes] | None = None
        self._guard: Guard | None = None

    @property
    def bootstrap(self) -> str:
        """
        The address for clients, `host:port`.
        """
        return self.address(CLIENT)

    def address(self, listener: str) -> str:
        """
        The address of one listener, `host:port`.
        """
        return f"{HOST}:{self._ports[listener]}"

    @property
    def ports(self) -> Mapping[str, int]:
        """
        The port of each listener, once started.
        """
        return dict(self._ports)

    @property
    def pid(self) -> int | None:
        """
        The process id while it runs.
        """
        return self._process.pid if self._process is not None and self._process.poll() is None else None

    @property
    def cluster_id(self) -> str:
        """
        The cluster id that the data folder was formatted with.
        """
        return storage.cluster_id(self._data)

    @property
    def log(self) -> Path:
        """
        What the broker has to say, warnings and worse.
        """
        return self.home / "kafka.log"

    def tell(self, properties: Mapping[str, str]) -> None:
        """
        Tell Kafka more, from its next start on: for properties that name files of its folder.
        """
        self._properties.update(properties)

    def start(self, timeout: float = _START) -> Self:
        """
        Start it, and return once it answers as the cluster that was formatted here.

        Args:
            timeout: seconds until it is given up.

        Raises:
            Unavailable: Java or the jars cannot be had, the broker ended, or it did not answer in time.
        """
        if self.pid is not None:
            return self
        java, classpath = jars.java(), jars.kafka(self._progress, cache=self._cache, repository=self._repository)
        listeners = (CLIENT, CONTROLLER, *self._protocols)
        # A port stays the same over a restart, since clients hold on to it.
        self._ports = {name: self._ports.get(name) or self._asked.get(name) or free_port() for name in listeners}
        self._write_configuration()
        command = [str(java), *_JVM, f"-Xmx{self._heap_mb}m", f"-Dlog4j2.configurationFile={self.home / 'log4j2.properties'}"]
        command += [f"-Dboutre.log={self.log}", "-cp", ":".join(str(jar) for jar in classpath)]
        if not storage.formatted(self._data):
            cluster = self._asked_id or storage.new_cluster_id()
            storage.prepare(command, self._data, self.home / "server.properties", cluster, self._users)
        with (self.home / "stdout.log").open("ab") as out:
            self._process = subprocess.Popen(  # noqa: S603 - Java and jars from the cache, files of this folder
                [*command, "kafka.Kafka", str(self.home / "server.properties")],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C is for the owner, who then stops this in order
            )
        if not self._detached:
            self._guard = Guard(self._process.pid)
        try:
            self._await(timeout)
        except BaseException:
            self.kill()
            raise
        return self

    def stop(self) -> None:
        """
        Stop it in order (SIGTERM), or kill it when it does not go; the data stay.
        """
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """
        Kill it as a power cut would (SIGKILL); the data stay.
        """
        self._end(signal.SIGKILL)

    def restart(self, timeout: float = _START) -> None:
        """
        Stop it if it runs, and start it on the same ports and data.
        """
        self.stop()
        self.start(timeout)

    def close(self) -> None:
        """
        Stop it, and remove its folder when that was a temporary one.
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

    @property
    def _data(self) -> Path:
        return self.home / "data"

    def _write_configuration(self) -> None:
        self._data.mkdir(parents=True, exist_ok=True)
        node = Node(self._data, self._ports, self._protocols, self._properties)
        (self.home / "log4j2.properties").write_text(LOG4J, encoding="utf-8")
        server = self.home / "server.properties"
        server.touch(mode=0o600)  # it may hold passwords of listeners
        server.write_text(node.server_properties(), encoding="utf-8")

    def _await(self, timeout: float) -> None:
        expected = self.cluster_id
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            if self.pid is None:
                raise Unavailable(f"the embedded Kafka ended while it started; why stands in {self.log}")
            if _listens(self._ports[CLIENT]) and (found := cluster_id_at(self.bootstrap)) is not None:
                if found != expected:  # somebody else was faster on this port
                    raise Unavailable(f"another Kafka answers at {self.bootstrap}; stop it, or choose another port")
                return
            time.sleep(_POLL)
        raise Unavailable(f"the embedded Kafka did not answer within {timeout:.0f} s; see {self.log}")

    def _end(self, how: signal.Signals) -> None:
        process, self._process = self._process, None
        guard, self._guard = self._guard, None
        if process is not None:
            process.send_signal(how)
            try:
                process.wait(_STOP)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        if guard is not None:
            guard.release()


def free_port() -> int:
    """
    A port that nobody listens on right now. Another process may take it before it is used: the start then says so.
    """
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def port_is_free(port: int) -> bool:
    """
    Whether nobody listens on a port of this machine right now.
    """
    return not _listens(port)


def alive(pid: int) -> bool:
    """
    Whether a process of this id runs (it may be somebody else's).
    """
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((HOST, port)) == 0
