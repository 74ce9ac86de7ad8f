"""
AIS as NMEA sentences: from a file, from a TCP server, or as UDP datagrams that are sent here.

A file is read from its start each time, without giving again what stands before the cursor: the cost is some seconds for each
hundred thousand lines, the gain is that a report does not depend on where reading was broken off. What comes by the network goes
through a spool.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from boutre.connectors.sdk import Bad, Idle, Noted, Raw, source
from boutre.connectors.sources import ais_network
from boutre.connectors.sources.ais_reader import Cursor, Reader, parse
from boutre.connectors.sources.nmea import MAX_LINE
from boutre.connectors.sources.nmea_assembly import Line
from boutre.connectors.sources.spool import Gap, Spool
from boutre.errors import DeclarationError, Fault, Retry, Unavailable

RECALL_S: Final = 600.0
"""
How far before its cursor a reading of a spool begins, in seconds: class A stations say who they are every six minutes.
"""
_POLL_S: Final = 0.5
_AGAIN_S: Final = 5.0  # a reading that starts anew goes through what is kept of the last minutes, so not too often
_CHUNK: Final = 65536
_PORTS: Final = range(1, 65536)
_SMALLEST_SPOOL: Final = 64 * 1024


@dataclass(frozen=True, slots=True)
class Options:
    """
    Where the sentences come from: exactly one of *path*, *tcp* and *udp*.

    *path* is a log; with *follow* it is read on as it grows. *tcp* is a server to connect to, *udp* an address to listen on, both
    as ``host:port``; what they bring is kept in the file *spool* of about *spool_bytes* until the bus has it.
    """

    path: Path | None = None
    follow: bool = False
    tcp: str | None = None
    udp: str | None = None
    spool: Path | None = None
    spool_bytes: int = 64 * 1024 * 1024

    def __post_init__(self) -> None:
        """
        Raise DeclarationError with all that is wrong.
        """
        faults = []
        network = [name for name in ("tcp", "udp") if getattr(self, name) is not None]
        if len(network) + (self.path is not None) != 1:
            faults.append(Fault("ais", "path, tcp, udp", "give exactly one of the three"))
        wrong = [name for name in network if _address(getattr(self, name)) is None]
        faults.extend(Fault("ais", name, "is a host and a port, as in localhost:10110 or [::1]:10110") for name in wrong)
        if network and self.spool is None:
            faults.append(Fault("ais", "spool", "is missing: name the file that keeps what comes while the bus is away"))
        if network and self.follow:
            faults.append(Fault("ais", "follow", "is for files; what comes by the network is always followed"))
        if self.spool_bytes < _SMALLEST_SPOOL:
            faults.append(Fault("ais", "spool_bytes", f"is at least {_SMALLEST_SPOOL}"))
        if faults:
            raise DeclarationError(faults)


@source("ais")
def read(options: Options, after: str | None) -> Iterator[Raw | Bad | Noted | Idle]:
    """
    AIS position reports as sightings, with what each craft says of itself joined to them.
    """
    if options.path is not None:
        yield from _file(options.path, after, follow=options.follow)
        return
    protocol = "udp" if options.udp else "tcp"
    address = _address(options.udp or options.tcp or "")
    assert address is not None
    assert options.spool is not None
    host, port = address
    try:
        receiver = ais_network.receiver(protocol, host, port, options.spool, options.spool_bytes)
        yield from _stream(receiver, f"{protocol}-{port}", after)
    except Unavailable as error:
        raise Retry(str(error), after=ais_network.LONGEST_WAIT_S) from error


def _stream(receiver: ais_network.Receiver, name: str, after: str | None) -> Iterator[Raw | Bad | Noted | Idle]:
    spool = receiver.spool
    cursor = parse(after, spool.identity)
    reader = Reader(spool.identity, cursor, name)
    number = spool.recall(cursor.line, RECALL_S)
    while True:
        for entry in spool.read(number):
            if isinstance(entry, Gap):
                number = entry.last
                if number > cursor.line:
                    yield _lost(spool, name, Gap(max(entry.first, cursor.line + 1), entry.last))
                continue
            number = entry.number
            for content in entry.content.splitlines():
                yield from reader.take(Line(entry.number, content, entry.sender, entry.at))
        yield Idle()
        if not receiver.wait(_POLL_S) and receiver.trouble is not None:
            raise Retry(receiver.trouble, after=_AGAIN_S)


def _lost(spool: Spool, name: str, gap: Gap) -> Bad:
    return Bad(
        code="spool-full",
        content=b"",
        reference=f"{spool.identity}:{gap.first}-{gap.last}",
        cursor=Cursor(gap.last).text(spool.identity),
        detail=f"{gap.count} lines or datagrams were dropped before they could be read, at {name}",
        count=gap.count,
    )


def _address(text: str) -> tuple[str, int] | None:
    host, colon, port = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not colon or not host or not port.isdecimal() or int(port) not in _PORTS:
        return None
    return host, int(port)


def _file(path: Path, after: str | None, *, follow: bool) -> Iterator[Raw | Bad | Noted | Idle]:
    reader: Reader | None = None
    number = 0
    for content in _lines(path, follow=follow):
        if content is None:
            yield Idle()
            continue
        if reader is None:
            # A log that was rotated has another first line; its cursor says nothing about this one.
            stream = hashlib.sha256(content).hexdigest()[:12]
            reader = Reader(stream, parse(after, stream), path.name)
        number += 1
        yield from reader.take(Line(number, content))
    if reader is not None:
        yield from reader.flush()
    elif parse(after, "empty") == Cursor():
        yield Bad("empty-file", b"", f"{path.name}:empty", Cursor(0, 1).text("empty"))


def _lines(path: Path, *, follow: bool) -> Iterator[bytes | None]:
    """
    The lines of a file, of which no more than one byte too many is kept; None now and then while waiting for more.
    """
    try:
        with path.open("rb") as file:
            begun = b""
            while True:
                found = begun + file.readline(MAX_LINE + 2 - len(begun))
                if found.endswith(b"\n"):
                    yield found.rstrip(b"\r\n")
                    begun = b""
                elif len(found) > MAX_LINE:
                    _skip(file)
                    yield found[: MAX_LINE + 1]
                    begun = b""
                elif not follow:
                    if found:
                        yield found
                    return
                else:
                    begun = found
                    time.sleep(_POLL_S)
                    yield None
    except OSError as error:
        raise Retry(f"{path.name} cannot be read: {error.strerror}", after=ais_network.LONGEST_WAIT_S) from error


def _skip(file: BinaryIO) -> None:
    """
    Go on behind the end of this line, however long it is.
    """
    while (rest := file.readline(_CHUNK)) and not rest.endswith(b"\n"):
        pass
