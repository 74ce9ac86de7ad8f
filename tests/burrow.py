"""
LinkedIn's Burrow beside a Kafka that is too new for it, as a second opinion on lag.

Debian's Burrow 1.2.1 is of 2019. It wants ZooKeeper, asks for ends by a request that Kafka 4 no longer answers, and knows commits
only as Kafka writes them for clients that set how long they are kept. So it gets a ZooKeeper that only says yes, a proxy that
writes that one request and its answer anew (``OldKafka``), and tests commit as such clients do (``commit``). What Burrow makes of
it is its own.
"""

from __future__ import annotations

import json
import socket
import socketserver
import struct
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

PROGRAM: Final = Path("/usr/bin/Burrow")
"""Where Debian's package puts it."""

LIST_OFFSETS: Final = 2
OFFSET_COMMIT: Final = 8
FIND_COORDINATOR: Final = 10

COORDINATOR_MOVES: Final = frozenset({14, 15, 16})
"""Codes of a coordinator that is being found or loaded."""

CLUSTER: Final = "bus"

CONFIG: Final = """
[general]
pidfile="{folder}/burrow.pid"
[logging]
filename="{folder}/burrow.log"
level="error"
[zookeeper]
servers=["127.0.0.1:{zookeeper}"]
timeout=6
root-path="/burrow"
[client-profile.old]
client-id="burrow"
kafka-version="2.1.0"
[cluster.bus]
class-name="kafka"
servers=["127.0.0.1:{kafka}"]
client-profile="old"
topic-refresh=1
offset-refresh=1
[consumer.bus]
class-name="kafka"
cluster="bus"
servers=["127.0.0.1:{kafka}"]
client-profile="old"
[httpserver.default]
address="127.0.0.1:{http}"
[storage.default]
class-name="inmemory"
workers=1
intervals={window}
expire-group=604800
min-distance={distance}
[evaluator.default]
class-name="caching"
expire-cache=1
minimum-complete=0.5
"""


def exactly(stream: socket.socket, count: int) -> bytes:
    """Read so many bytes; raises ConnectionError where the other side has gone."""
    found = b""
    while len(found) < count:
        part = stream.recv(count - len(found))
        if not part:
            raise ConnectionError
        found += part
    return found


def framed(stream: socket.socket) -> bytes:
    """Read one message behind its length."""
    return exactly(stream, struct.unpack(">i", exactly(stream, 4))[0])


def send(stream: socket.socket, message: bytes) -> None:
    """Send one message behind its length."""
    stream.sendall(struct.pack(">i", len(message)) + message)


class Server(socketserver.ThreadingTCPServer):
    """A server on a free port of this machine, or on the one that is asked for."""

    allow_reuse_address = True
    daemon_threads = True
    kafka: tuple[str, int] = ("", 0)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: clients come and go."""


class ZooKeeper(socketserver.BaseRequestHandler):
    """
    A ZooKeeper in which everything is there already: what Burrow would make at its start.
    """

    def handle(self) -> None:
        """Answer until the client goes."""
        with suppress(ConnectionError, OSError):
            framed(self.request)
            send(self.request, struct.pack(">iiqi", 0, 6000, 1, 16) + bytes(16))
            while True:
                xid, what = struct.unpack(">ii", framed(self.request)[:8])
                node_exists, ping = -110, 11
                send(self.request, struct.pack(">iqi", xid, 1, 0 if what == ping else node_exists))


class OldKafka(socketserver.BaseRequestHandler):
    """
    Passes everything on to Kafka, but ListOffsets of version 0, which goes as version 1, and comes back as version 0.
    """

    def handle(self) -> None:
        """Pass on until either side goes."""
        assert isinstance(self.server, Server)
        asked: set[int] = set()
        with socket.create_connection(self.server.kafka) as kafka:
            back = threading.Thread(target=self.answers, args=(kafka, asked), daemon=True)
            back.start()
            with suppress(ConnectionError, OSError):
                while True:
                    send(kafka, newer(framed(self.request), asked))
            with suppress(OSError):
                kafka.shutdown(socket.SHUT_RDWR)
            back.join(5)

    def answers(self, kafka: socket.socket, asked: set[int]) -> None:
        """Pass answers back."""
        with suppress(ConnectionError, OSError):
            while True:
                send(self.request, older(framed(kafka), asked))
        with suppress(OSError):
            self.request.shutdown(socket.SHUT_RDWR)


class Parts:
    """Reads the parts of a message of Kafka's in their order."""

    def __init__(self, message: bytes) -> None:
        self.message = message
        self.at = 0

    def take(self, form: str) -> tuple[Any, ...]:
        """Give what *form* (of ``struct``) says is next."""
        found = struct.unpack_from(form, self.message, self.at)
        self.at += struct.calcsize(form)
        return found

    def text(self) -> bytes:
        """Give a string as it stands, its length before it; one of length -1 is null."""
        begin = self.at
        (length,) = self.take(">h")
        self.at += max(0, length)
        return self.message[begin : self.at]


def newer(request: bytes, asked: set[int]) -> bytes:
    """Give a request as Kafka 4 takes it; *asked* notes those that were changed."""
    parts = Parts(request)
    api, version, correlation = parts.take(">hhi")
    if (api, version) != (LIST_OFFSETS, 0):
        return request
    asked.add(correlation)
    made = struct.pack(">hhi", api, 1, correlation) + parts.text()
    made += struct.pack(">i", *parts.take(">i"))
    (topics,) = parts.take(">i")
    made += struct.pack(">i", topics)
    for _ in range(topics):
        made += parts.text()
        (partitions,) = parts.take(">i")
        made += struct.pack(">i", partitions)
        for _ in range(partitions):
            number, moment, _ = parts.take(">iqi")
            made += struct.pack(">iq", number, moment)
    return made


def older(answer: bytes, asked: set[int]) -> bytes:
    """Give an answer as the client expects it."""
    parts = Parts(answer)
    (correlation,) = parts.take(">i")
    if correlation not in asked:
        return answer
    asked.discard(correlation)
    (topics,) = parts.take(">i")
    made = struct.pack(">ii", correlation, topics)
    for _ in range(topics):
        made += parts.text()
        (partitions,) = parts.take(">i")
        made += struct.pack(">i", partitions)
        for _ in range(partitions):
            number, error, _, offset = parts.take(">ihqq")
            made += struct.pack(">ihiq", number, error, 1, offset)
    return made


def text(value: str) -> bytes:
    """Give a string as Kafka writes it."""
    return struct.pack(">h", len(value)) + value.encode()


@dataclass(frozen=True, slots=True)
class Member:
    """Who commits: a member of its group's generation, or with the defaults somebody outside of it."""

    identity: str = ""
    generation: int = -1


def commit(address: str, group: str, topic: str, offsets: Sequence[tuple[int, int]], member: Member = Member()) -> None:
    """
    Commit (partition, offset) as a client that says how long it is to be kept: so Kafka writes it in the form that Burrow reads.
    """
    week = 7 * 24 * 3600 * 1000
    body = text(group) + struct.pack(">i", member.generation) + text(member.identity) + struct.pack(">qi", week, 1) + text(topic)
    body += struct.pack(">i", len(offsets)) + b"".join(struct.pack(">iq", *one) + text("") for one in offsets)
    until = time.monotonic() + 20
    while (codes := _commit(address, group, body)) & COORDINATOR_MOVES and time.monotonic() < until:
        time.sleep(0.1)
    assert codes == {0}, codes


def _commit(address: str, group: str, body: bytes) -> set[int]:
    """Commit once; gives the error codes of the partitions."""
    host, port = address.split(":")
    with socket.create_connection((host, int(port))) as stream:
        send(stream, struct.pack(">hhi", FIND_COORDINATOR, 0, 1) + text("old") + text(group))  # makes the topic of offsets, too
        framed(stream)
        send(stream, struct.pack(">hhi", OFFSET_COMMIT, 2, 2) + text("old") + body)
        parts = Parts(framed(stream))
    parts.take(">ii")
    parts.text()
    return {parts.take(">ih")[1] for _ in range(parts.take(">i")[0])}


@dataclass(frozen=True, slots=True)
class Burrow:
    """
    A Burrow that runs, asked over HTTP.
    """

    port: int

    def ask(self, path: str) -> dict[str, Any]:
        """Ask for ``/v3/kafka/bus`` and what follows; what is not there is an empty answer."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/v3/kafka/{CLUSTER}{path}", timeout=5) as answer:
                told: dict[str, Any] = json.load(answer)
        except urllib.error.HTTPError as error:
            error.close()
            return {}
        return told

    def group(self, name: str) -> dict[str, Any]:
        """Give what it says of a group and of each of its partitions."""
        told: dict[str, Any] = self.ask(f"/consumer/{name}/lag").get("status", {})
        return told


def old_kafka(port: int, kafka: str) -> Server:
    """Make the proxy on *port*, before the listener *kafka* whose advertised address it is."""
    host, _, number = kafka.partition(":")
    server = Server(("127.0.0.1", port), OldKafka)
    server.kafka = (host, int(number))
    return server


@contextmanager
def serving(server: Server) -> Iterator[int]:
    """Let a server serve; gives its port."""
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True)
    thread.start()
    try:
        yield int(server.server_address[1])
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


@contextmanager
def burrow(folder: Path, kafka: int, http: int, *, window: int, distance: int) -> Iterator[Burrow]:
    """
    Run Burrow against the proxy on port *kafka*; *window* commits are judged together, *distance* seconds apart at the least.
    """
    with serving(Server(("127.0.0.1", 0), ZooKeeper)) as zookeeper:
        file = CONFIG.format(folder=folder, zookeeper=zookeeper, kafka=kafka, http=http, window=window, distance=distance)
        (folder / "burrow.toml").write_text(file, encoding="utf-8")
        with (folder / "burrow.out").open("wb") as out:
            process = subprocess.Popen([str(PROGRAM), "--config-dir", str(folder)], stdout=out, stderr=out)
            try:
                asked = Burrow(http)
                until = time.monotonic() + 20
                while True:
                    with suppress(OSError):
                        if asked.ask("/topic").get("topics"):
                            break
                    if process.poll() is not None or time.monotonic() > until:
                        raise RuntimeError((folder / "burrow.log").read_text(encoding="utf-8")[-2000:])
                    time.sleep(0.2)
                yield asked
            finally:
                process.terminate()
                process.wait(10)
