"""
Records in which every value occurs only once in the world, and how such a value stands in bytes.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from boutre.schemas.fields import FieldInfo
from records import Drawn, Value


class Canaries(Drawn):
    """
    A record in which every value of every field occurs only once in the world.

    With *valid* it is one that accept lets through: codes are codes, and numbers that must be in some range are drawn like any.
    """

    def __init__(self, *, valid: bool = False, salt: str = "") -> None:
        super().__init__(Random(7), 1.0)  # noqa: S311 - a test
        self.number = 0
        self.valid = valid
        self.salt = salt

    def leaf(self, info: FieldInfo) -> Any:
        """A value that nothing else has."""
        self.number += 1
        if self.valid and (info.type_name != "string" or info.vocabulary or info.path == "handling.release_to"):
            return super().leaf(info)
        match info.type_name:
            case "string":
                return f"canary{self.salt} {info.path} {self.number}"
            case "double":
                return 10 + self.number * 0.012345678
            case "long":
                return 7_000_000_000 + self.number * 7_919
            case "timestamp-millis":
                return datetime(2025, 1, 1, tzinfo=UTC) + timedelta(milliseconds=self.number * 7_654_321)
        return super().leaf(info)


def canary(kind: str, type_: str = "irregular-migration") -> Value:
    """A record full of canaries that the real agreements let through."""
    value = Canaries().record(kind, "observatory-ais" if type_ == "ais" else "observatory-imb")
    _open(value, type_)
    for observed in leaves_named(value, "precision"):
        observed["precision"] = "second"
    # A record that makes sense was drawn with one moment for these.
    for number, name in enumerate(("observed_until", "reported"), 1):
        value["times"][name]["at"] += number * timedelta(minutes=7, milliseconds=11)
    return value


def valid_canary(kind: str, member: str, salt: str) -> Value:
    """A record full of canaries in its texts that accept lets through; *salt* tells them from those of any other record."""
    value = Canaries(valid=True, salt=salt).record(kind, member)
    _open(value, "irregular-migration")
    return value


def _open(value: Value, type_: str) -> None:
    value["handling"] |= {"tlp": "GREEN", "purposes": [], "release_to": [], "handling_codes": []}
    if "event" in value:
        value["event"]["type"] = type_


def leaves_named(value: Any, name: str) -> Iterator[Value]:
    """Every group that has a field of this name."""
    if isinstance(value, dict):
        if name in value:
            yield value
        for item in value.values():
            yield from leaves_named(item, name)
    elif isinstance(value, list):
        for item in value:
            yield from leaves_named(item, name)


def zigzag(number: int) -> bytes:
    """A long as Avro writes it."""
    rest, out = (number << 1) ^ (number >> 63), bytearray()
    while rest > 0x7F:
        out.append(rest & 0x7F | 0x80)
        rest >>= 7
    return bytes([*out, rest])


def as_bytes(value: Any) -> bytes | None:
    """How a value stands in a frame, where it is long enough not to stand there by chance."""
    match value:
        case str():
            return value.encode() if value.startswith("canary") else None
        case float():
            return struct.pack("<d", value)
        case datetime():
            return zigzag(round(value.timestamp() * 1000))
        case int():
            return zigzag(value) if value > 1e9 else None
    return None
