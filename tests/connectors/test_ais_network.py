"""
AIS by real sockets: what comes while nobody reads, what is too much, servers that go away, and a process that starts again.
"""

from __future__ import annotations

import socket
import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path

import pytest

from boutre.connectors.sdk import Bad, Idle, Noted, Raw
from boutre.connectors.sources import ais_network
from boutre.connectors.sources.ais import Options, read
from boutre.errors import Retry, Unavailable

SAMPLE = Path(__file__).parents[2] / "samples" / "ais" / "denmark_2010.nmea"
LINES = SAMPLE.read_bytes().splitlines(keepends=True)
LOCAL = "127.0.0.1"


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    """
    No receiver outlives its test.
    """
    yield
    ais_network.close()


def free_port(kind: socket.SocketKind) -> int:
    """
    A port that nobody holds now.
    """
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind((LOCAL, 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def udp(tmp_path: Path) -> Options:
    """
    Options that listen on a free port.
    """
    return Options(udp=f"{LOCAL}:{free_port(socket.SOCK_DGRAM)}", spool=tmp_path / "spool" / "ais.sqlite")


def send(options: Options, *datagrams: bytes) -> None:
    """
    Send *datagrams* to where *options* listen.
    """
    assert options.udp is not None
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for datagram in datagrams:
            sender.sendto(datagram, (LOCAL, int(options.udp.rpartition(":")[2])))


def take(options: Options, count: int, after: str | None = None) -> list[Raw | Bad | Noted]:
    """
    The next *count* items after the cursor; fails where nothing comes for a minute.
    """
    found: list[Raw | Bad | Noted] = []
    turns = 0
    source = read.read(options, after)
    while len(found) < count:
        item = next(source)
        if isinstance(item, Idle):
            turns += 1
            assert turns < 120, f"only {len(found)} of {count} items came"
        else:
            found.append(item)
    return found


def listening(options: Options) -> None:
    """
    Start to listen without reading anything.
    """
    next(read.read(options, None))


def test_datagrams_become_reports(udp: Options) -> None:
    """Datagrams with one line or several give the same reports as a file, with the time that their wrappers tell."""
    listening(udp)
    send(udp, b"".join(LINES[6:8]), LINES[8], LINES[9])

    expected = list(read(Options(path=SAMPLE)))[3:5]
    found = take(udp, 2)
    assert [each.value for each in expected if isinstance(each, Raw)] == [each.value for each in found if isinstance(each, Raw)]
    assert [each.reference for each in expected] == [each.reference for each in found]


def test_what_comes_while_nobody_reads_is_there_later(udp: Options) -> None:
    """While the bus is away datagrams go on into the spool, and reading goes on behind its cursor."""
    listening(udp)
    send(udp, *LINES[6:8])
    (first,) = take(udp, 1)
    send(udp, *LINES[8:12])

    second, third = take(udp, 2, first.cursor)

    assert 3 == len({first.reference, second.reference, third.reference})
    assert [third] == take(udp, 1, second.cursor)


def test_the_spool_survives_the_process(udp: Options) -> None:
    """What was received and not read before the process ended is read after it started again."""
    listening(udp)
    send(udp, *LINES[6:10])
    (first, _) = take(udp, 2)
    ais_network.close()

    (second,) = take(udp, 1, first.cursor)

    assert isinstance(second, Raw)
    assert first.cursor != second.cursor


def test_a_message_whose_parts_lie_around_a_restart_is_whole(udp: Options) -> None:
    """A second part that comes after a restart finds the first part, which was read before."""
    start = next(number for number, line in enumerate(LINES) if line.startswith(b"!AIVDM,2,1"))
    listening(udp)
    send(udp, *LINES[6:8], *LINES[start - 1 : start + 1])
    (before,) = take(udp, 1)
    ais_network.close()
    source = read.read(udp, before.cursor)
    next(source)
    send(udp, LINES[start + 1])

    found = next(item for item in source if not isinstance(item, Idle))

    assert isinstance(found, Noted)
    assert "static-data" == found.reason


def test_what_a_full_spool_drops_is_told(tmp_path: Path) -> None:
    """More than the spool holds, and the first thing that is read says how many were dropped; kept and dropped are all."""
    limit = 65_536
    options = Options(udp=f"{LOCAL}:{free_port(socket.SOCK_DGRAM)}", spool=tmp_path / "spool", spool_bytes=limit)
    listening(options)
    receiver = next(iter(ais_network._running.values()))
    count = 2_000
    for number in range(0, count, 50):
        send(options, *[b"# " + str(n).encode() for n in range(number, number + 50)])
        receiver.wait(0.2)
    while receiver.spool.recall(count, 0) < count - 1 and receiver.wait(2.0):
        pass

    first = take(options, 1)[0]

    assert isinstance(first, Bad)
    assert "spool-full" == first.code
    assert 0 < first.count < count
    rest = take(options, count - first.count, first.cursor)
    assert ["comment"] * (count - first.count) == [each.reason for each in rest if isinstance(each, Noted)]


def test_a_port_that_is_taken_is_said(udp: Options, tmp_path: Path) -> None:
    """Where another program holds the port, the source asks to be called again and says which port it is."""
    assert udp.udp is not None
    port = int(udp.udp.rpartition(":")[2])
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as holder:
        holder.bind((LOCAL, port))

        with pytest.raises(Retry, match=str(port)):
            next(read.read(udp, None))

    assert not (tmp_path / "spool" / "ais.sqlite-wal").exists()


def test_what_the_disk_refuses_is_counted(udp: Options, monkeypatch: pytest.MonkeyPatch) -> None:
    """Datagrams that the spool could not take are a gap before the next that it can."""
    listening(udp)
    receiver = next(iter(ais_network._running.values()))
    append = receiver.spool.append
    refused = threading.Event()

    def full(*_: object, **__: object) -> None:
        refused.set()
        raise Unavailable("the spool cannot be used: disk full")

    monkeypatch.setattr(receiver.spool, "append", full)
    send(udp, b"# lost")
    assert refused.wait(10)
    monkeypatch.setattr(receiver.spool, "append", append)
    send(udp, b"# kept")

    bad, noted = take(udp, 2)

    assert isinstance(bad, Bad)
    assert isinstance(noted, Noted)
    assert ("spool-full", 1, "comment") == (bad.code, bad.count, noted.reason)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells how many datagrams it dropped")
def test_what_the_system_drops_is_counted(udp: Options, monkeypatch: pytest.MonkeyPatch) -> None:
    """Datagrams for which the system has no room are gaps: what was kept and what was dropped is all that was sent."""
    monkeypatch.setattr(ais_network, "BUFFER", 1)
    listening(udp)
    receiver = next(iter(ais_network._running.values()))
    append, stuck, go = receiver.spool.append, threading.Event(), threading.Event()

    def slow(entries: Iterable[tuple[datetime, str, bytes]], *, lost: int = 0) -> None:
        stuck.set()
        assert go.wait(30)
        append(entries, lost=lost)

    monkeypatch.setattr(receiver.spool, "append", slow)
    send(udp, b"# first")
    assert stuck.wait(10)
    send(udp, *[b"# flood"] * 2_000)
    go.set()
    found = take(udp, 2)
    while receiver.wait(1.0):  # until what the system kept has been read: then there is room for the last
        pass
    send(udp, b"# last")
    while sum(each.count for each in found if isinstance(each, Bad | Noted)) < 2_002:
        found += take(udp, 1, found[-1].cursor)

    assert 2_002 == sum(each.count for each in found if isinstance(each, Bad | Noted))
    assert any(isinstance(each, Bad) and each.code == "spool-full" for each in found)


class Server:
    """
    A server that gives each caller the next of *answers* and hangs up.
    """

    def __init__(self, *answers: bytes) -> None:
        self._socket = socket.create_server((LOCAL, 0))
        self.port = int(self._socket.getsockname()[1])
        self._answers = answers
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        with suppress(OSError):
            for answer in self._answers:
                caller, _ = self._socket.accept()
                with caller:
                    caller.sendall(answer)

    def close(self) -> None:
        """
        Take no more calls.
        """
        self._socket.close()
        self._thread.join(10)


def taken_with_retries(options: Options, count: int) -> list[Raw | Bad | Noted]:
    """
    The first *count* items, calling the source again as the runner does when it asks for that.
    """
    found: list[Raw | Bad | Noted] = []
    for _ in range(40):
        with suppress(Retry):
            for item in read.read(options, found[-1].cursor if found else None):
                if not isinstance(item, Idle):
                    found.append(item)
                if len(found) == count:
                    return found
    raise AssertionError(f"only {len(found)} of {count} items came")


def test_a_server_that_hangs_up_is_called_again(tmp_path: Path) -> None:
    """Lines of one connection and of the next are read in order; what was half said when it broke is not joined to the next."""
    server = Server(b"".join(LINES[6:8]) + b"!AIVDM,1,1", b"".join(LINES[8:10]))
    options = Options(tcp=f"{LOCAL}:{server.port}", spool=tmp_path / "spool")
    try:
        first, broken, second = taken_with_retries(options, 3)
    finally:
        server.close()

    assert isinstance(first, Raw)
    assert isinstance(broken, Bad)
    assert isinstance(second, Raw)
    assert "malformed-line" == broken.code


def test_a_server_that_is_not_there_is_said(tmp_path: Path) -> None:
    """Where nobody answers, the source asks to be called again and names the server."""
    port = free_port(socket.SOCK_STREAM)
    options = Options(tcp=f"{LOCAL}:{port}", spool=tmp_path / "spool")

    with pytest.raises(Retry, match=f"{LOCAL}:{port}"):
        for _ in read.read(options, None):
            pass


def test_a_line_without_end_from_a_server_is_cut(tmp_path: Path) -> None:
    """A server that never ends its line does not fill the memory or the spool, and the line after it is read."""
    server = Server(b"x" * 3_000_000 + b"\n# comment\n")
    options = Options(tcp=f"{LOCAL}:{server.port}", spool=tmp_path / "spool")
    try:
        bad, noted = taken_with_retries(options, 2)
    finally:
        server.close()

    assert isinstance(bad, Bad)
    assert isinstance(noted, Noted)
    assert ("too-large", 1025, "comment") == (bad.code, len(bad.content), noted.reason)
