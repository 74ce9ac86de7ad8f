"""
Writes values of a schema as Avro, by functions that are made once from the schema, one straight line each.

fastavro finds the branch of a union by validating the value against each branch, at every depth again; a record of this bus is a
tree of such unions, most of them null. Here the branch follows from the value's Python type, so that each field is looked at once.
The bytes are those of fastavro, to the bit: a test draws values and compares. What fastavro would write without a word is refused:
a naive time, a number that is not finite, a field that the schema does not have. The made functions say yes or raise, whatever;
``misfit`` then names the field and what is wrong with it.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from typing import Any, TypeAlias, cast

import msgspec

from boutre.schemas.generate import DEEPEST, Text
from boutre.schemas.marks import Sealed, Withheld
from boutre.schemas.misfit import misfit, parts_of
from boutre.schemas.shape import Array, Field, Leaf, Record, Shape, Union, several, shape

Encode: TypeAlias = Callable[[Mapping[str, Any]], bytes]

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
DAY_ZERO = date(1970, 1, 1).toordinal()
MOST_MOMENTS = 4096
"""Times that are remembered with their bytes: many fields of many records hold the same ones."""

TOGETHER = 5
"""Optional fields in a row of which it is asked at once whether all of them are null."""

_moments: dict[datetime, bytes] = {}


class Prepared(msgspec.Struct, frozen=True, gc=False):
    """
    A field of a record, written before the record is: its Avro bytes, the index in its union before them.

    May stand in the place of that top-level field in any number of values of the same schema.
    """

    data: bytes


class Unwritable(Exception):  # noqa: N818 - it never leaves this module
    """
    A value that does not fit.
    """


def zigzag(number: int) -> bytes:
    """
    Write a long as Avro does: zigzag, seven bits a byte, the lowest first.
    """
    rest = (number << 1) ^ (number >> 63)
    out = bytearray()
    while rest > 0x7F:  # noqa: PLR2004 - seven bits
        out.append(rest & 0x7F | 0x80)
        rest >>= 7
    out.append(rest)
    return bytes(out)


HEADS = 1024
"""Numbers whose bytes are ready."""

SMALL = tuple(zigzag(number) for number in range(HEADS))


def moment(at: Any) -> bytes:
    """
    Write a time as milliseconds since 1970 UTC; what is below a millisecond is cut off.
    """
    if not isinstance(at, datetime):
        raise Unwritable
    # Naive times cannot be subtracted, and raise.
    since = at - EPOCH
    written = zigzag((since.days * 86_400 + since.seconds) * 1000 + since.microseconds // 1000)
    if len(_moments) >= MOST_MOMENTS:
        _moments.clear()
    _moments[at] = written
    return written


def plain(value: Any) -> dict[str, Any]:
    """
    Give a record that is no dict as one.
    """
    if not isinstance(value, Mapping):
        raise Unwritable
    return dict(value)


KNOWN: Mapping[str, Any] = {
    "Unwritable": Unwritable,
    "Prepared": Prepared,
    "Withheld": Withheld,
    "Sealed": Sealed,
    "parts_of": parts_of,
    "plain": plain,
    "zigzag": zigzag,
    "SMALL": SMALL,
    "OPTIONAL": tuple(SMALL[1] + each for each in SMALL),
    "moment": moment,
    "MOMENTS": _moments,
    "double": struct.Struct("<d").pack,
    "optional_double": struct.Struct("<Bd").pack,
    "date": date,
    "datetime": datetime,
}
"""What the made functions call."""


def make_writer(schema: Mapping[str, Any], head: bytes = b"") -> Encode:
    """
    Make the function that writes *head* and a value of *schema*, a record whose named types are written out at their first use.

    What it makes raises ``Refuse`` with ``wrong-type``, ``naive-time`` or ``out-of-range`` and the field's path. Raises ValueError
    itself where the schema has a shape that is not known.
    """
    root = shape(schema)
    write = _Writer(root).made(head)

    def encode(value: Mapping[str, Any]) -> bytes:
        try:
            return write(value)
        except Exception:  # noqa: BLE001, S110 - the made function says only that the value does not fit
            pass
        raise misfit(root, value, written=Prepared)

    return encode


def make_preparer(schema: Mapping[str, Any], field: str) -> Callable[[Any], Prepared]:
    """
    Make the function that writes the top-level *field* of *schema* by itself; KeyError where it has no such field.
    """
    root = shape(schema)
    declared = {each.name: each.type for each in root.fields}[field]
    write = _Writer(root).made(b"", declared)

    def prepare(value: Any) -> Prepared:
        if type(value) is Prepared:
            return value
        try:
            return Prepared(write(value))
        except Exception:  # noqa: BLE001, S110 - the same
            pass
        raise misfit(declared, value, field)

    return prepare


class _Writer:
    """Writes the text of a writer: *out* takes the bytes, *v* and *x…* are values at hand, *n* a length."""

    def __init__(self, root: Record) -> None:
        self.text = Text()
        self.root = root
        self.apart = several(root)
        self.wanted: dict[str, Record] = {}

    def made(self, head: bytes, part: Shape | None = None) -> Callable[[Any], bytes]:
        """Make the function that writes *head* and the whole record, or only the value of one *part* of it."""
        text = self.text
        with text.block("def write(v):"):
            text.add(f"out = [{head!r}]")
            if part is None:
                self._fields(self.root, "v", 0, top=True)
            else:
                self._write(part, "v", b"", 0)
            text.add("return b''.join(out)")
        done: set[str] = set()
        while missing := [record for name, record in self.wanted.items() if name not in done]:
            for record in missing:
                done.add(record.name)
                with text.block(f"def write_{record.name}(v, out):"):
                    self._fields(record, "v", 0)
        return cast("Callable[[Any], bytes]", text.made(f"writer of {self.root.name}", KNOWN)["write"])

    def _fields(self, record: Record, value: str, depth: int, *, top: bool = False) -> None:
        text = self.text
        empty = text.constant("empty", {field.name: field.default for field in record.fields})
        text.add(f"if type({value}) is not dict: {value} = plain({value})")
        with text.block(f"if len({value}) != {len(record.fields)}:"):
            text.add(f"{value} = {empty} | {value}")
            text.add(f"if len({value}) != {len(record.fields)}: raise Unwritable")
        for run in _runs(record.fields):
            names = [text.fresh("x") for _ in run]
            text.add(*(f"{name} = {value}[{field.name!r}]" for name, field in zip(names, run, strict=True)))
            if len(run) == 1:
                self._field(run[0], names[0], depth, top=top)
                continue
            with text.block(f"if {' and '.join(f'{name} is None' for name in names)}:"):
                text.add(f"out.append({bytes(len(run))!r})")
            with text.block("else:"):
                for name, field in zip(names, run, strict=True):
                    self._field(field, name, depth, top=top)

    def _field(self, field: Field, value: str, depth: int, *, top: bool) -> None:
        if not top or isinstance(field.type, Union):
            self._write(field.type, value, b"", depth, top=top)
            return
        self.text.add(f"if type({value}) is Prepared: out.append({value}.data)")
        with self.text.block("else:"):
            self._write(field.type, value, b"", depth)

    def _write(self, at: Shape, value: str, head: bytes, depth: int, *, top: bool = False) -> None:
        """Write *value*, behind the constant *head*, which is its place in a union."""
        match at:
            case Union():
                self._union(at, value, depth, top=top)
            case Array():
                self._array(at, value, head, depth)
            case Record():
                self._record(at, value, head, depth)
            case Leaf():
                self._leaf(at.kind, value, head)

    def _union(self, union: Union, value: str, depth: int, *, top: bool) -> None:
        text = self.text
        text.add(f"if {value} is None: out.append(b'\\0')")
        if top:
            text.add(f"elif type({value}) is Prepared: out.append({value}.data)")
        for index, mark in union.marks:
            with text.block(f"elif type({value}) is {mark.name}:"):
                text.add(f"{value} = parts_of({value})")
                self._record(mark, value, SMALL[index], DEEPEST)
        with text.block("else:"):
            self._write(union.plain, value, SMALL[union.index], depth)

    def _record(self, record: Record, value: str, head: bytes, depth: int) -> None:
        if head:
            self.text.add(f"out.append({head!r})")
        if record.name in self.apart or depth >= DEEPEST:
            self.wanted[record.name] = record
            self.text.add(f"write_{record.name}({value}, out)")
        else:
            self._fields(record, value, depth + 1)

    def _array(self, array: Array, value: str, head: bytes, depth: int) -> None:
        text = self.text
        text.add(f"if type({value}) is not list and not isinstance({value}, (list, tuple)): raise Unwritable")
        with text.block(f"if {value}:"):
            text.add(f"n = len({value})", self._count(head))
            item = text.fresh("x")
            with text.block(f"for {item} in {value}:"):
                self._write(array.items, item, b"", depth + 1)
            text.add("out.append(b'\\0')")
        text.add(f"else: out.append({head + SMALL[0]!r})")

    @staticmethod
    def _count(head: bytes, least: str = "") -> str:
        """Write the number *n*, which may be negative where *least* asks."""
        if head in (b"", SMALL[1]):
            return f"out.append({'OPTIONAL' if head else 'SMALL'}[n] if {least}n < {HEADS} else {head!r} + zigzag(n))"
        return f"out.append({head!r} + zigzag(n))"

    def _leaf(self, kind: str, value: str, head: bytes) -> None:
        text = self.text
        match kind:
            case "string":
                text.add(f"if type({value}) is not str: raise Unwritable", f"x = {value}.encode()")
                text.add("n = len(x)", self._count(head), "out.append(x)")
            case "bytes":
                text.add(f"if not isinstance({value}, (bytes, bytearray)): raise Unwritable")
                text.add(f"n = len({value})", self._count(head), f"out.append(bytes({value}))")
            case "boolean":
                text.add(f"if {value} is True: out.append({head + bytes((1,))!r})")
                text.add(f"elif {value} is False: out.append({head + bytes((0,))!r})", "else: raise Unwritable")
            case "double":
                text.add(f"if type({value}) is not float and type({value}) is not int or {value} - {value}: raise Unwritable")
                text.add(f"out.append({f'optional_double(2, {value})' if head == SMALL[1] else f'{head!r} + double({value})'})")
            case "timestamp-millis":
                text.add(f"out.append({head!r} + (MOMENTS.get({value}) or moment({value})))")
            case "date":
                text.add(f"if not isinstance({value}, date) or isinstance({value}, datetime): raise Unwritable")
                text.add(f"out.append({head!r} + zigzag({value}.toordinal() - {DAY_ZERO}))")
            case _:
                most = 2 ** (31 if kind == "int" else 63)
                text.add(f"if type({value}) is not int or not {-most} <= {value} < {most}: raise Unwritable")
                text.add(f"n = {value}", self._count(head, "0 <= "))


def _runs(fields: tuple[Field, ...]) -> list[list[Field]]:
    """Cut the fields into runs of unions, at most as many as are asked at once, and single others."""
    runs: list[list[Field]] = []
    for field in fields:
        union = isinstance(field.type, Union)
        if union and runs and len(runs[-1]) < TOGETHER and isinstance(runs[-1][0].type, Union):
            runs[-1].append(field)
        else:
            runs.append([field])
    return runs
