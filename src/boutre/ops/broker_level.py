"""
Which release of Kafka a broker is: asked by one ApiVersions request, that every broker answers before anybody signs in.

Clients hide the answer. It names the levels of ``metadata.version`` that the broker knows and the one in force (KIP-584), in
version 3 of the request: https://kafka.apache.org/protocol#The_Messages_ApiVersions
"""

from __future__ import annotations

import socket
import ssl
import struct
from dataclasses import dataclass
from typing import Final

from boutre import __version__

_FEATURE: Final = "metadata.version"
_LARGEST: Final = 1 << 20
_API, _VERSION, _CORRELATION = 18, 3, 1
_SUPPORTED, _FINALIZED = 0, 2
_PORT: Final = 9092


@dataclass(slots=True)
class _Answer:
    # The bytes of an answer, and how far they were read.

    data: bytes
    at: int = 0

    def number(self, form: str) -> int:
        (found,) = struct.unpack_from(f">{form}", self.data, self.at)
        self.at += struct.calcsize(f">{form}")
        return int(found)

    def varint(self) -> int:
        found, shift = 0, 0
        while True:
            byte = self.data[self.at]
            self.at += 1
            found |= (byte & 0x7F) << shift
            if byte < 0x80:  # noqa: PLR2004 - the bit that says that more follows
                return found
            shift += 7

    def text(self) -> str:
        length = self.varint() - 1
        found = self.data[self.at : self.at + length]
        self.at += length
        return found.decode("utf-8", "replace")

    def skip_tags(self) -> None:
        for _ in range(self.varint()):
            self.varint()
            self.at += self.varint()


def levels(server: str, trust: ssl.SSLContext | None, timeout: float) -> tuple[int | None, int | None]:
    """
    Give the newest level that the broker at *server* (``host:port``) knows, and the one in force; None where it did not say.

    *trust* is what TLS needs, None without TLS. Raises OSError where it does not answer within *timeout* seconds, and ValueError
    where what answers is no broker.
    """
    host, _, port = server.rpartition(":")
    with socket.create_connection((host.strip("[]"), int(port or _PORT)), timeout) as plain:
        if trust is None:
            return read(_asked(plain))
        with trust.wrap_socket(plain, server_hostname=host.strip("[]")) as wrapped:
            return read(_asked(wrapped))


def read(answer: bytes) -> tuple[int | None, int | None]:
    """
    Read an answer; raises ValueError where it is none.
    """
    try:
        return _read(_Answer(answer))
    except (struct.error, IndexError) as error:
        raise ValueError("no answer of a broker") from error


def _read(told: _Answer) -> tuple[int | None, int | None]:
    if told.number("i") != _CORRELATION or told.number("h") != 0:
        raise ValueError("no answer of a broker")
    for _ in range(told.varint() - 1):
        told.at += 6  # a request, and the versions of it that are understood
        told.skip_tags()
    told.number("i")  # for how long it holds us back
    knows = level = None
    for _ in range(told.varint()):
        tag, size = told.varint(), told.varint()
        end = told.at + size
        if tag in {_SUPPORTED, _FINALIZED}:
            for _ in range(told.varint() - 1):
                name, first, second = told.text(), told.number("h"), told.number("h")
                told.skip_tags()
                if name == _FEATURE:
                    # Least before most where it is what is known, the other way where it is what is in force.
                    knows, level = (second, level) if tag == _SUPPORTED else (knows, first)
        told.at = end
    return knows, level


def _asked(connection: socket.socket) -> bytes:
    def text(word: str) -> bytes:
        return bytes([len(word) + 1]) + word.encode()

    head = struct.pack(">hhih", _API, _VERSION, _CORRELATION, -1) + b"\0"
    request = head + text("boutre") + text(__version__) + b"\0"
    connection.sendall(struct.pack(">i", len(request)) + request)
    (size,) = struct.unpack(">i", _exactly(connection, 4))
    if not 0 < size <= _LARGEST:
        raise ValueError("no answer of a broker")
    return _exactly(connection, size)


def _exactly(connection: socket.socket, count: int) -> bytes:
    found = b""
    while len(found) < count:
        piece = connection.recv(count - len(found))
        if not piece:
            raise ValueError("the connection ended before the answer")
        found += piece
    return found
