"""
Frames taken apart byte by byte, for the pages that explain them: by a reader that owes nothing to the bus nor to a library of Avro.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from boutre.schemas.lock import core, load
from boutre.schemas.normal import Normal, Type, normal

LOCK = load(core())


@dataclass(frozen=True)
class Part:
    """Some bytes of the frame: where, which, whose, and what they say."""

    at: int
    data: bytes
    path: str
    says: str


class Reader:
    """Takes a frame apart, byte by byte."""

    def __init__(self, frame: bytes, whole: Normal) -> None:
        self.frame = frame
        self.whole = whole
        self.at = 5

    def take(self, count: int) -> bytes:
        """The next bytes."""
        assert self.at + count <= len(self.frame)
        self.at += count
        return self.frame[self.at - count : self.at]

    def number(self) -> tuple[int, bytes]:
        """A number and the bytes that it was written in."""
        raw = b""
        while not raw or raw[-1] & 0x80:
            raw += self.take(1)
        zigzag = sum((byte & 0x7F) << (7 * place) for place, byte in enumerate(raw))
        return (zigzag >> 1) ^ -(zigzag & 1), raw

    def parts(self, at: Type, path: str, before: tuple[bytes, str] = (b"", "")) -> Iterator[Part]:
        """Every part of a value; *before* is the choice of a union, told together with what was chosen."""
        at = self.whole.type(at)
        start = self.at - len(before[0])
        if isinstance(at, list):
            index, raw = self.number()
            chosen = at[index]
            if chosen == "null":
                yield Part(start, raw, path, "null")
            else:
                yield from self.parts(chosen, path, (raw, f"branch {index}: "))
            return
        name = at if isinstance(at, str) else at["type"]
        if name == "record":
            assert isinstance(at, dict)
            if before[0]:
                yield Part(start, before[0], path, f"{before[1]}{at['name'].removeprefix('boutre.')}, field by field:")
            for field in at["fields"]:
                yield from self.parts(field["type"], f"{path}.{field['name']}".lstrip("."))
        elif name == "array":
            assert isinstance(at, dict)
            count, raw = self.number()
            yield Part(start, before[0] + raw, path, f"{before[1]}{count} items" if count else f"{before[1]}no items")
            for item in range(count):
                yield from self.parts(at["items"], f"{path}[{item}]")
            if count:
                yield Part(self.at, self.take(1), path, "end of the items")
        else:
            data, says = self.scalar(name, isinstance(at, dict) and at.get("logicalType") == "timestamp-millis")
            yield Part(start, before[0] + data, path, f"{before[1]}{says}")

    def scalar(self, name: str, moment: bool) -> tuple[bytes, str]:  # noqa: FBT001 - one of two readings of a long
        """The bytes of a text, a number or a truth, and what they say."""
        if name == "string":
            length, raw = self.number()
            data = self.take(length)
            return raw + data, f'{length} bytes: "{data.decode()}"'
        if name == "boolean":
            data = self.take(1)
            return data, "true" if data[0] else "false"
        if name == "double":
            data = self.take(8)
            return data, f"{struct.unpack('<d', data)[0]}"
        assert name == "long"
        value, raw = self.number()
        shown = f" = {datetime.fromtimestamp(value / 1000, UTC).isoformat(timespec='milliseconds')}" if moment else ""
        return raw, f"{value}{shown}"


def taken_apart(frame: bytes) -> list[Part]:
    """The parts of a frame, its head among them."""
    entry = LOCK.by_id(int.from_bytes(frame[1:5], "big"))
    assert entry is not None
    whole = normal(entry.schema)
    head = [
        Part(0, frame[:1], "", "the frame's magic byte"),
        Part(1, frame[1:5], "", f"schema id {entry.id}: {entry.kind}, version {entry.version}"),
    ]
    return [*head, *Reader(frame, whole).parts(whole.root, "")]


def dump(data: bytes) -> Iterator[str]:
    """Sixteen bytes a line, with their place before and their letters behind them."""
    for at in range(0, len(data), 16):
        line = data[at : at + 16]
        yield f"{at:04x}  {line.hex(' '):<47}  {''.join(chr(byte) if 32 < byte < 127 else '.' for byte in line)}"
