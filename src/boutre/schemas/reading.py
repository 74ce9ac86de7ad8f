"""
Reads Avro by functions that are made from a locked schema, one straight line each, and takes in canonical bytes only.

What is read is exactly what the writer would write: the shortest numbers, lists in one block, unions and booleans of the declared
values, UTF-8, finite numbers, and nothing behind the last field. So no record has to be written again to prove it. The functions
say yes or raise, whatever: why something is no record is for the codec to name. A length that reaches beyond the end needs no
question of its own, since the place only moves on: no byte stands there to be read, nor is it the end.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any, TypeAlias, cast

from boutre.schemas.generate import DEEPEST, Text
from boutre.schemas.marks import Sealed, Withheld
from boutre.schemas.shape import Array, Field, Leaf, Record, Shape, Union, several, shape

Read: TypeAlias = Callable[[bytes, int], tuple[dict[str, Any], tuple[int, ...]]]
"""Reads the record from a place to the end: its value, and where each of its fields begins, and the end."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
DAY_ZERO = date(1970, 1, 1).toordinal()
MOMENT_BYTES = 6
"""Bytes of a time in milliseconds from July 1970 to 2039."""

MOST_MOMENTS = 4096
"""Times that are remembered with their bytes: the times of reports repeat, and to make one costs more than to find it."""

TOGETHER = 4
"""Fields in a row of which it is asked at once whether all of them are empty."""

_moments: dict[bytes, datetime] = {}


class Malformed(Exception):  # noqa: N818 - it never leaves the codec
    """
    No canonical bytes of this schema.
    """


def number(data: bytes, place: int) -> tuple[int, int]:
    """
    Read a number as it stands, before its zigzag is undone, in its shortest form; and give the place behind it.
    """
    result = shift = 0
    while (byte := data[place]) > 0x7F:  # noqa: PLR2004 - seven bits
        result |= (byte & 0x7F) << shift
        shift += 7
        place += 1
        if shift > 63:  # noqa: PLR2004 - a long has 64 bits, the last of them in the tenth byte
            raise Malformed
    result |= byte << shift
    if (shift and not byte) or result >> 64:
        raise Malformed
    return result, place + 1


def length(data: bytes, place: int) -> tuple[int, int]:
    """
    Read how many there are of something, which is never negative.
    """
    result, place = number(data, place)
    if result & 1:
        raise Malformed
    return result >> 1, place


def moment(data: bytes, place: int) -> tuple[datetime, int]:
    """
    Read a time in milliseconds.
    """
    result, end = number(data, place)
    at = EPOCH + timedelta(milliseconds=(result >> 1) ^ -(result & 1))
    if end - place == MOMENT_BYTES:
        if len(_moments) >= MOST_MOMENTS:
            _moments.clear()
        _moments[data[place:end]] = at
    return at, end


def sealed(fields: Mapping[str, Any]) -> Sealed:
    """
    Give the mark of a sealed group.
    """
    return Sealed(**{**fields, "keys": tuple(fields["keys"])})


KNOWN: Mapping[str, Any] = {
    "Malformed": Malformed,
    "number": number,
    "length": length,
    "moment": moment,
    "MOMENTS": _moments,
    "double": struct.Struct("<d").unpack_from,
    "from_day": date.fromordinal,
    "Withheld": lambda fields: Withheld(**fields),
    "Sealed": sealed,
}
"""What the made functions call."""


def make_reader(schema: Mapping[str, Any]) -> Read:
    """
    Make the function that reads a record of *schema*; ValueError where the schema has a shape that is not known.
    """
    return cast("Read", _Reader(shape(schema)).made())


class _Reader:
    """Writes the text of a reader: *p* is the place, *v…* a record's value, *n* and *b* a number and a byte at hand."""

    def __init__(self, root: Record) -> None:
        self.text = Text()
        self.root = root
        self.apart = several(root)
        self.wanted: dict[str, Record] = {}

    def made(self) -> Any:
        text = self.text
        with text.block("def read(data, p):"):
            ends = self._fields(self.root, "v", 0, placed=True)
            with text.block("if p != len(data):"):
                text.add("raise Malformed")
            text.add(f"return v, ({', '.join(ends)}, p)")
        done: set[str] = set()
        while missing := [record for name, record in self.wanted.items() if name not in done]:
            for record in missing:
                done.add(record.name)
                with text.block(f"def read_{record.name}(data, p):"):
                    self._fields(record, "v", 0)
                    text.add("return v, p")
        return text.made(f"reader of {self.root.name}", KNOWN)["read"]

    def _fields(self, record: Record, value: str, depth: int, *, placed: bool = False) -> list[str]:
        """Read the fields into a copy of the empty record; *placed* to keep where each begins."""
        text = self.text
        empty = text.constant("empty", {field.name: None for field in record.fields})
        text.add(f"{value} = {empty}.copy()")
        begins = [f"o{index}" for index in range(len(record.fields))] if placed else []
        for run in _runs(record.fields):
            if len(run) < TOGETHER:
                for index in run:
                    self._field(record.fields[index], value, begins[index] if placed else "", depth)
                continue
            with text.block(f"if data[p:p + {len(run)}] == {bytes(len(run))!r}:"):
                lists = [record.fields[index] for index in run if isinstance(record.fields[index].type, Array)]
                text.add(*(f"{value}[{field.name!r}] = []" for field in lists))
                text.add(*(f"{begins[index]} = p + {further}" for further, index in enumerate(run) if placed))
                text.add(f"p += {len(run)}")
            with text.block("else:"):
                for index in run:
                    self._field(record.fields[index], value, begins[index] if placed else "", depth)
        return begins

    def _field(self, field: Field, value: str, begin: str, depth: int) -> None:
        if begin:
            self.text.add(f"{begin} = p")
        self._read(field.type, f"{value}[{field.name!r}]", depth)

    def _read(self, at: Shape, target: str, depth: int) -> None:
        match at:
            case Union():
                self._union(at, target, depth)
            case Array():
                self._array(at, target, depth)
            case Record():
                self._record(at, target, depth)
            case Leaf():
                self._leaf(at.kind, target)

    def _union(self, union: Union, target: str, depth: int) -> None:
        text = self.text
        text.add("b = data[p]")
        text.add("p += 1")
        with text.block(f"if b == {union.index * 2}:"):
            self._read(union.plain, target, depth)
        for index, mark in union.marks:
            with text.block(f"elif b == {index * 2}:"):
                self._record(mark, target, DEEPEST)
                text.add(f"{target} = {mark.name}({target})")
        with text.block("elif b:"):
            text.add("raise Malformed")

    def _record(self, record: Record, target: str, depth: int) -> None:
        if record.name in self.apart or depth >= DEEPEST:
            self.wanted[record.name] = record
            self.text.add(f"{target}, p = read_{record.name}(data, p)")
            return
        value = self.text.fresh("v")
        self._fields(record, value, depth + 1)
        self.text.add(f"{target} = {value}")

    def _array(self, array: Array, target: str, depth: int) -> None:
        """Read a list: one block of items and the zero that ends it, or that zero alone."""
        text = self.text
        items, item = text.fresh("a"), text.fresh("i")
        text.add(f"{target} = {items} = []")
        with text.block("if data[p]:"):
            self._length()
            with text.block("for _ in range(n):"):
                self._read(array.items, item, depth + 1)
                text.add(f"{items}.append({item})")
            with text.block("if data[p]:"):
                text.add("raise Malformed")
        text.add("p += 1")

    def _length(self) -> None:
        text = self.text
        text.add("n = data[p]")
        with text.block("if n & 129:"):
            text.add("n, p = length(data, p)")
        with text.block("else:"):
            text.add("n >>= 1", "p += 1")

    def _leaf(self, kind: str, target: str) -> None:
        text = self.text
        match kind:
            case "string" | "bytes":
                self._length()
                text.add(f"{target} = {'data[p:(p := p + n)].decode()' if kind == 'string' else 'data[p:(p := p + n)]'}")
            case "boolean":
                text.add("b = data[p]")
                with text.block("if b > 1:"):
                    text.add("raise Malformed")
                text.add(f"{target} = b == 1", "p += 1")
            case "double":
                text.add("d, = double(data, p)")
                with text.block("if d - d:"):
                    text.add("raise Malformed")
                text.add(f"{target} = d", "p += 8")
            case "timestamp-millis":
                text.add(f"m = MOMENTS.get(data[p:p + {MOMENT_BYTES}])")
                with text.block("if m is None:"):
                    text.add(f"{target}, p = moment(data, p)")
                with text.block("else:"):
                    text.add(f"{target} = m", f"p += {MOMENT_BYTES}")
            case _:
                text.add("n, p = number(data, p)", "n = (n >> 1) ^ -(n & 1)")
                if kind == "int":
                    with text.block(f"if not {-(2**31)} <= n < {2**31}:"):
                        text.add("raise Malformed")
                text.add(f"{target} = {'n' if kind != 'date' else f'from_day(n + {DAY_ZERO})'}")


def _runs(fields: tuple[Field, ...]) -> list[list[int]]:
    """Cut the fields into runs of those that may begin with a zero, at most as many as are asked of at once, and single others."""
    runs: list[list[int]] = []
    for index, field in enumerate(fields):
        empty = isinstance(field.type, Union | Array)
        if empty and runs and len(runs[-1]) < TOGETHER and isinstance(fields[runs[-1][0]].type, Union | Array):
            runs[-1].append(index)
        else:
            runs.append([index])
    return runs
