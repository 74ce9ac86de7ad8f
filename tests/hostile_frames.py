"""
Frames that are right, of every kind, what becomes of them when their bytes are spoilt, and what a second implementation reads.
"""

from __future__ import annotations

import struct
from datetime import UTC, date, datetime
from functools import cache
from io import BytesIO
from typing import Any

import fastavro
from hypothesis import strategies as st

from boutre.errors import Refuse
from boutre.schemas.codec import FRAME, Codec
from boutre.schemas.lock import Locked, core, load
from boutre.schemas.marks import Sealed, Withheld
from boutre.schemas.normal import Normal, Type, kind_of, normal
from boutre.schemas.writing import make_writer

LOCK = load(core())
CODEC = Codec(LOCK)
WITHHELD = Withheld("agreement-1", "default-deny", None)
SEALED = Sealed("hpke", "case-1", b"n", b"c", ({"recipient": "rcoc", "key_id": "k", "encapsulated": b"e", "wrapped": b"w"},))


def number(value: int) -> bytes:
    """A number as Avro writes it: zig-zag, seven bits a byte, the least first."""
    rest = (value << 1) ^ (value >> 63)
    out = bytearray()
    while rest > 0x7F:
        out.append(rest & 0x7F | 0x80)
        rest >>= 7
    return bytes([*out, rest])


def filled(whole: Normal, at: Type) -> Any:
    """A value of a type with every field given and two items in every list."""
    at = whole.type(at)
    if isinstance(at, list):
        return filled(whole, at[1])
    if isinstance(at, dict) and at.get("logicalType") == "timestamp-millis":
        return datetime(2024, 5, 6, 7, 8, 9, 123000, tzinfo=UTC)
    if isinstance(at, dict) and at.get("logicalType") == "date":
        return date(1990, 1, 2)
    if isinstance(at, dict) and at["type"] == "array":
        return [filled(whole, at["items"])] * 2
    if isinstance(at, dict) and at["type"] == "record":
        return {field["name"]: filled(whole, field["type"]) for field in at["fields"]}
    return {"string": "é", "bytes": b"\0\xff", "long": -(2**63), "double": -0.0, "boolean": True}[kind_of(at)]


@cache
def right() -> dict[str, bytes]:
    """Frames of every kind: every field empty, every field given, every group withheld, every personal one sealed."""
    frames = {}
    for kind in sorted(LOCK.kinds):
        whole = normal(LOCK.latest(kind).schema)
        root = whole.type(whole.root)
        assert isinstance(root, dict)
        full = filled(whole, whole.root)
        frames[f"{kind} full"] = CODEC.encode(kind, full)
        bare = {field["name"]: full[field["name"]] for field in root["fields"] if "default" not in field}
        frames[f"{kind} bare"] = CODEC.encode(kind, bare)
        for name, mark in (("boutre.Withheld", WITHHELD), ("boutre.Sealed", SEALED)):
            marked = [field["name"] for field in root["fields"] if name in field["type"]]
            frames[f"{kind} {name}"] = CODEC.encode(kind, full | dict.fromkeys(marked, mark))
    return frames


SIGHTING = CODEC.encode("sighting", {"id": "x"})
HEAD = SIGHTING[: FRAME.size]
REST = SIGHTING[FRAME.size + 2 :]


def place(name: str, group: bytes) -> bytes:
    """The bare sighting with the bytes *group* in the place of one of its null fields."""
    fields = [field["name"] for field in LOCK.latest("sighting").schema["fields"]]
    at = FRAME.size + 2 + fields.index(name) - 1
    assert SIGHTING[at] == 0
    return SIGHTING[:at] + group + SIGHTING[at + 1 :]


def claims(count: bytes, body: bytes = b"") -> bytes:
    """A sighting whose claims are a list with this *count* and *body*."""
    return place("claims", number(1) + count + body)


DOUBLES = number(1) + number(1) + struct.pack("<d", 1.0)


@st.composite
def spoilt(draw: st.DrawFn) -> bytes:
    """A right frame with up to four bytes changed, overlong, put in, taken out, or parts of it doubled or dropped."""
    frame = bytearray(right()[draw(st.sampled_from(sorted(right())))])
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(frame)))
        to = draw(st.integers(at, min(len(frame), at + 40)))
        match draw(st.sampled_from(["change", "overlong", "insert", "delete", "double", "drop", "cut"])):
            case "change" if at < len(frame):
                frame[at] ^= 1 << draw(st.integers(0, 7))
            case "overlong" if at < len(frame):
                frame[at : at + 1] = bytes((frame[at] | 0x80, 0))
            case "insert":
                frame[at:at] = draw(st.binary(min_size=1, max_size=10))
            case "delete":
                del frame[at : at + 1]
            case "double":
                frame[at:at] = frame[at:to]
            case "drop":
                del frame[at:to]
            case "cut":
                del frame[at:]
    return bytes(frame)


class Second:
    """
    Reads by fastavro, and proves a frame canonical by writing what it read again: slow, and not made from the text of a function.
    """

    def __init__(self, locked: Locked) -> None:
        self.schema: Any = fastavro.parse_schema(locked.schema)
        self.groups = [each["name"] for each in locked.schema["fields"] if "Withheld" in str(each["type"])]
        self.write = make_writer(locked.schema, FRAME.pack(0, locked.id))

    def __call__(self, frame: bytes) -> dict[str, Any]:
        """Give what the frame holds; Refuse where it is not canonical."""
        body = BytesIO(frame)
        body.seek(FRAME.size)
        try:
            read = fastavro.schemaless_reader(body, self.schema, None, return_record_name=True, return_record_name_override=True)
            assert isinstance(read, dict)
            value = {name: self._marked(name, group) for name, group in read.items()}
            canonical = body.tell() == len(frame) and self.write(value) == frame
        except Refuse:
            raise
        except Exception:  # noqa: BLE001 - whatever fastavro raises of hostile bytes
            raise Refuse("undecodable") from None
        if not canonical:
            raise Refuse("not-canonical")
        return value

    def _marked(self, name: str, group: Any) -> Any:
        if name not in self.groups:
            return group
        record, fields = group if type(group) is tuple else ("", group)
        if record == "boutre.Sealed":
            return Sealed(**{**fields, "keys": tuple(fields["keys"])})
        if record == "boutre.Withheld" or (type(fields) is dict and "agreement" in fields):
            return Withheld(**fields)
        return fields


@cache
def second(schema_id: int) -> Second:
    """The second implementation for one locked schema."""
    return Second(next(entry for entry in LOCK.entries if entry.id == schema_id))
