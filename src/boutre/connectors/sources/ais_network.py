"""
AIS by the network: what listens on a UDP port or reads from a TCP server, and puts all that comes into a spool.

A receiver lives as long as the process and not as long as one reading of its source: while the bus is away, or the runner starts
the source anew, it goes on receiving. What the operating system drops before a receiver gets it is counted where the system tells
(Linux does, for UDP), what the disk refuses is counted too; both are holes in the numbers of the spool.
"""

from __future__ import annotations

import atexit
import select
import socket
import struct
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from boutre.connectors.sources.nmea import MAX_LINE
from boutre.connectors.sources.spool import Spool
from boutre.errors import Unavailable

BUFFER: Final = 4 * 1024 * 1024
"""
Bytes that are asked of the system for datagrams that wait; it may grant less.
"""
SILENCE_S: Final = 300.0
"""
A TCP server that says nothing for this long is taken for dead and connected to anew.
"""
LONGEST_WAIT_S: Final = 60.0
"""
The longest time between two attempts to connect; it begins with a second and doubles.
"""
_POLL_S: Final = 0.5
_DRAIN: Final = 256
_LARGEST: Final = 65536
_SO_RXQ_OVFL: Final = 40  # Linux: each datagram tells how many were dropped before it; Python has no name for it
_UINT32: Final = 2**32

Clock = Callable[[], datetime]


def now() -> datetime:
    """
    The time of day in UTC: when something arrived.
    """
    return datetime.now(UTC)


class Receiver(ABC):
    """
    A thread that receives into *spool* until it is closed; *trouble* says in a sentence what is wrong at the moment, if anything.
    """

    def __init__(self, spool: Spool, clock: Clock = now) -> None:
        self.spool = spool
        self.trouble: str | None = None
        self._clock = clock
        self._lost = 0
        self._arrived = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=type(self).__name__, daemon=True)

    @property
    def alive(self) -> bool:
        """
        Whether its thread runs.
        """
        return self._thread.is_alive()

    def start(self) -> None:
        """
        Begin to receive.
        """
        self._thread.start()

    def wait(self, seconds: float) -> bool:
        """
        Wait at most *seconds* for something to arrive; say whether it did.
        """
        came = self._arrived.wait(seconds)
        self._arrived.clear()
        return came

    def close(self) -> None:
        """
        Stop receiving and close the spool with all that came.
        """
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()
        self.spool.close()

    def _run(self) -> None:
        try:
            self._receive()
        except Exception as error:  # noqa: BLE001 - a thread that ends silently loses all that comes after
            self.trouble = f"receiving has stopped: {type(error).__name__}"
        self._arrived.set()

    @abstractmethod
    def _receive(self) -> None:
        """Receive and store until told to stop."""

    def _store(self, entries: list[tuple[datetime, str, bytes]]) -> None:
        try:
            self.spool.append(entries, lost=self._lost)
        except Unavailable as error:
            self._lost += len(entries)
            self.trouble = str(error)
        else:
            self._lost = 0
            self.trouble = None
        self._arrived.set()


class UdpReceiver(Receiver):
    """
    Listens on *host*, *port* and stores each datagram; raises Unavailable where the port cannot be had.
    """

    def __init__(self, host: str, port: int, spool: Spool, clock: Clock = now) -> None:
        super().__init__(spool, clock)
        try:
            self._socket = _bound(host, port)
        except OSError as error:
            spool.close()
            raise Unavailable(f"UDP port {port} cannot be listened on: {error.strerror}; see who holds it") from error
        self._socket.settimeout(0.0)  # never waits
        self._dropped = 0
        with suppress(OSError):  # another system than Linux: what it drops cannot be counted
            self._socket.setsockopt(socket.SOL_SOCKET, _SO_RXQ_OVFL, 1)

    def _receive(self) -> None:
        while not self._stopping.is_set():
            if not select.select([self._socket], [], [], _POLL_S)[0]:
                continue
            entries: list[tuple[datetime, str, bytes]] = []
            with suppress(BlockingIOError):
                while len(entries) < _DRAIN:
                    entries.append(self._datagram())
            if entries:
                self._store(entries)

    def close(self) -> None:
        """
        Stop receiving, give the port back and close the spool with all that came.
        """
        super().close()
        self._socket.close()

    def _datagram(self) -> tuple[datetime, str, bytes]:
        content, extra, _, sender = self._socket.recvmsg(_LARGEST, socket.CMSG_SPACE(4))
        for level, kind, data in extra:
            if level == socket.SOL_SOCKET and kind == _SO_RXQ_OVFL:
                (total,) = struct.unpack("=I", data[:4])
                self._lost += (total - self._dropped) % _UINT32
                self._dropped = total
        return self._clock(), str(sender[0]), content


def _bound(host: str, port: int) -> socket.socket:
    family, kind, proto, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0]
    made = socket.socket(family, kind, proto)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
        made.bind(address)
    except OSError:
        made.close()
        raise
    return made


class TcpReceiver(Receiver):
    """
    Reads lines from the server at *host*, *port*, and connects again when the connection ends, waiting longer each time.
    """

    def __init__(self, host: str, port: int, spool: Spool, clock: Clock = now) -> None:
        super().__init__(spool, clock)
        self._host = host
        self._port = port

    def _receive(self) -> None:
        wait = 1.0
        while not self._stopping.is_set():
            try:
                with socket.create_connection((self._host, self._port), timeout=10) as connection:
                    self.trouble = None
                    if self._lines(connection):
                        wait = 1.0
                self.trouble = f"{self._host}:{self._port} has closed the connection"
            except OSError as error:
                self.trouble = f"{self._host}:{self._port} cannot be read: {error.strerror or 'no answer'}"
            self._arrived.set()
            self._stopping.wait(wait)
            wait = min(2 * wait, LONGEST_WAIT_S)

    def _lines(self, connection: socket.socket) -> bool:
        """
        Store lines until the connection ends; say whether any came.
        """
        connection.settimeout(_POLL_S)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        rest, quiet = b"", 0.0
        skipping = came = False
        while not self._stopping.is_set() and quiet < SILENCE_S:
            try:
                content = connection.recv(_LARGEST)
            except TimeoutError:
                quiet += _POLL_S
                continue
            at, quiet = self._clock(), 0.0
            *lines, rest = (rest + content).split(b"\n")
            if skipping and lines:  # the end of a line of which the beginning was stored as too long
                del lines[0]
                skipping = False
            if len(rest) > MAX_LINE:
                if not skipping:
                    lines.append(rest[: MAX_LINE + 1])
                rest, skipping = b"", True
            if not content and rest and not skipping:
                lines.append(rest)
            if lines:
                came = True
                self._store([(at, self._host, line[: MAX_LINE + 1]) for line in lines])
            if not content:
                break
        return came


_running: dict[tuple[str, str, int], Receiver] = {}
_starting = threading.Lock()


def receiver(protocol: str, host: str, port: int, spool: Path, limit: int) -> Receiver:
    """
    The receiver for *protocol* (``udp`` or ``tcp``), *host* and *port*: the one that runs, else a new one with the *spool* file.
    """
    key = (protocol, host, port)
    with _starting:
        found = _running.get(key)
        if found is not None and found.alive:
            return found
        if found is not None:
            del _running[key]
            found.close()
        store = Spool(spool, limit)
        made: Receiver = UdpReceiver(host, port, store) if protocol == "udp" else TcpReceiver(host, port, store)
        made.start()
        _running[key] = made
        return made


@atexit.register
def close() -> None:
    """
    Close every receiver of this process.
    """
    with _starting:
        while _running:
            _running.popitem()[1].close()
