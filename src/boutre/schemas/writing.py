"""
Writes values of a schema as Avro, by functions that are made once from the schema.

fastavro finds the branch of a union by validating the value against each branch, at every depth again; a record of this bus is a
tree of such unions, most of them null. Here the branch follows from the value's Python type, so that each field is looked at once.
The bytes are those of fastavro, to the bit: a test draws values and compares. What fastavro would write without a word is refused:
a naive time, a number that is not finite, a field that the schema does not have.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, TypeAlias

from boutre.errors import Refuse
from boutre.schemas.marks import Sealed, Withheld

Append: TypeAlias = Callable[[bytes], None]
Write: TypeAlias = Callable[[Any, Append], None]

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
DAY_ZERO = date(1970, 1, 1).toordinal()
INT_MAX = 2**31
LONG_MAX = 2**63
DOUBLE = struct.Struct("<d").pack
MISSING = object()


@dataclass(frozen=True, slots=True)
class Prepared:
    """
    An array that is the same in many records, written once: its Avro bytes, to be put in where the array stands.
    """

    data: bytes


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


SMALL = tuple(zigzag(number) for number in range(1024))


def make_writer(schema: Mapping[str, Any]) -> Callable[[Mapping[str, Any]], bytes]:
    """
    Make the function that writes a value of *schema*, a record whose named types are written out at their first use.

    What it makes raises ``Refuse`` with ``wrong-type``, ``naive-time`` or ``out-of-range`` and the field's path.
    """
    write = _record(schema, {}, "")

    def encode(value: Mapping[str, Any]) -> bytes:
        parts: list[bytes] = []
        write(value, parts.append)
        return b"".join(parts)

    return encode


def prepare(schema: Mapping[str, Any], field: str, value: Sequence[Any]) -> Prepared:
    """
    Write the array *field* of the record *schema* once, for many records.
    """
    named: dict[str, Mapping[str, Any]] = {}
    # Made whole, so that types which are written out further up are known.
    _record(schema, named, "")
    declared = next(one for one in schema["fields"] if one["name"] == field)
    parts: list[bytes] = []
    _make(declared["type"], named, field)(value, parts.append)
    return Prepared(b"".join(parts))


def _wrong(path: str) -> Refuse:
    return Refuse("wrong-type", field=path or None)


def _make(schema: Any, named: dict[str, Mapping[str, Any]], path: str) -> Write:
    if isinstance(schema, list):
        return _union(schema, named, path)
    if isinstance(schema, str):
        return LEAVES[schema](path) if schema in LEAVES else _record(named[schema.rpartition(".")[2]], named, path)
    kind = schema["type"]
    if kind == "record":
        return _record(schema, named, path)
    if kind == "array":
        return _array(schema["items"], named, path)
    return LEAVES[schema.get("logicalType", kind)](path)


def _record(schema: Mapping[str, Any], named: dict[str, Mapping[str, Any]], path: str) -> Write:
    named[schema["name"].rpartition(".")[2]] = schema
    below = f"{path}." if path else ""
    fields = tuple(
        (field["name"], _make(field["type"], named, below + field["name"]), field.get("default", MISSING))
        for field in schema["fields"]
    )
    names = frozenset(name for name, _, _ in fields)

    def write(value: Any, append: Append) -> None:
        if not isinstance(value, Mapping):
            raise _wrong(path)
        if not names.issuperset(value):
            raise _wrong(below + str(next(name for name in value if name not in names)))
        get = value.get
        for name, inner, default in fields:
            given = get(name, default)
            if given is MISSING:
                raise _wrong(below + name)
            inner(given, append)

    return write


def _union(branches: list[Any], named: dict[str, Mapping[str, Any]], path: str) -> Write:
    """Null, one plain type, and the marks that may stand in its place: the Python type tells which."""
    marks: dict[type, tuple[bytes, Write]] = {}
    plain: list[tuple[bytes, Write]] = []
    for index, branch in enumerate(branches[1:], 1):
        name = str(branch.get("name", "") if isinstance(branch, Mapping) else branch).rpartition(".")[2]
        writer = _make(branch, named, path)
        if name in MARKS:
            marks[MARKS[name][0]] = (SMALL[index], _mark(writer, MARKS[name][1]))
        else:
            plain.append((SMALL[index], writer))
    if branches[0] != "null" or len(plain) != 1:
        message = f"{path}: a union is of null, one plain type, and marks"
        raise ValueError(message)
    return _group(*plain[0], marks) if marks else _optional(*plain[0])


def _optional(head: bytes, inner: Write) -> Write:
    def write(value: Any, append: Append) -> None:
        if value is None:
            append(b"\0")
        else:
            append(head)
            inner(value, append)

    return write


def _group(head: bytes, inner: Write, marks: Mapping[type, tuple[bytes, Write]]) -> Write:
    def write(value: Any, append: Append) -> None:
        if value is None:
            append(b"\0")
            return
        branch, writer = marks.get(type(value), (head, inner))
        append(branch)
        writer(value, append)

    return write


def _mark(writer: Write, fields: Callable[[Any], dict[str, Any]]) -> Write:
    return lambda value, append: writer(fields(value), append)


def _array(items: Any, named: dict[str, Mapping[str, Any]], path: str) -> Write:
    inner = _make(items, named, path)

    def write(value: Any, append: Append) -> None:
        if type(value) is Prepared:
            append(value.data)
            return
        if not isinstance(value, list | tuple):
            raise _wrong(path)
        if value:
            append(SMALL[len(value)] if len(value) < len(SMALL) else zigzag(len(value)))
            for item in value:
                inner(item, append)
        append(b"\0")

    return write


def _string(path: str) -> Write:
    def write(value: Any, append: Append) -> None:
        if type(value) is not str:
            raise _wrong(path)
        try:
            text = value.encode()
        except UnicodeEncodeError:
            raise _wrong(path) from None
        append(SMALL[len(text)] if len(text) < len(SMALL) else zigzag(len(text)))
        append(text)

    return write


def _bytes(path: str) -> Write:
    def write(value: Any, append: Append) -> None:
        if not isinstance(value, bytes | bytearray):
            raise _wrong(path)
        append(zigzag(len(value)))
        append(bytes(value))

    return write


def _boolean(path: str) -> Write:
    def write(value: Any, append: Append) -> None:
        if type(value) is not bool:
            raise _wrong(path)
        append(b"\1" if value else b"\0")

    return write


def _double(path: str) -> Write:
    def write(value: Any, append: Append) -> None:
        if type(value) is not float and type(value) is not int:
            raise _wrong(path)
        try:
            number = float(value)
        except OverflowError:
            raise Refuse("out-of-range", field=path) from None
        if not math.isfinite(number):
            raise Refuse("out-of-range", field=path)
        append(DOUBLE(number))

    return write


def _long(path: str, most: int = LONG_MAX) -> Write:
    def write(value: Any, append: Append) -> None:
        if type(value) is not int or not -most <= value < most:
            raise _wrong(path)
        append(SMALL[value] if 0 <= value < len(SMALL) else zigzag(value))

    return write


def _moment(path: str) -> Write:
    def write(value: Any, append: Append) -> None:
        if not isinstance(value, datetime):
            raise _wrong(path)
        if value.tzinfo is None:
            raise Refuse("naive-time", field=path)
        since = value - EPOCH
        append(zigzag((since.days * 86_400 + since.seconds) * 1000 + since.microseconds // 1000))

    return write


def _day(path: str) -> Write:
    def write(value: Any, append: Append) -> None:
        if not isinstance(value, date) or isinstance(value, datetime):
            raise _wrong(path)
        append(zigzag(value.toordinal() - DAY_ZERO))

    return write


LEAVES: Mapping[str, Callable[[str], Write]] = {
    "string": _string,
    "bytes": _bytes,
    "boolean": _boolean,
    "double": _double,
    "long": _long,
    "int": lambda path: _long(path, INT_MAX),
    "timestamp-millis": _moment,
    "date": _day,
}
"""The leaves that the schemas of a bus may have; another is refused where a schema is locked."""

MARKS: Mapping[str, tuple[type, Callable[[Any], dict[str, Any]]]] = {
    "Withheld": (Withheld, lambda mark: {"agreement": mark.agreement, "clause": mark.clause, "ask": mark.ask}),
    "Sealed": (
        Sealed,
        lambda mark: {
            "algorithm": mark.algorithm,
            "content_key_id": mark.content_key_id,
            "nonce": mark.nonce,
            "ciphertext": mark.ciphertext,
            "keys": list(mark.keys),
        },
    ),
}
