"""
The shape of a locked schema: its types with their names resolved, as far as the codec knows them.

What has another shape is refused here, when a schema is locked or a codec is made, so that the code that is made from a shape never
has to guess: a union is of null first, one plain type, and marks; a list's items take a byte at least; nothing holds itself.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

MISSING = object()
"""In the place of a default that a field does not have."""

LEAVES = frozenset({"string", "bytes", "boolean", "double", "long", "int", "timestamp-millis", "date"})
"""The leaves that the schemas of a bus may have."""

MARKS = frozenset({"Withheld", "Sealed"})
"""Records of the bus that may stand in the place of a group."""


@dataclass(frozen=True, slots=True)
class Leaf:
    """
    A type without parts: the name of its logical type, or of the type itself.
    """

    kind: str


@dataclass(frozen=True, slots=True)
class Record:
    """
    A record, by its name without a namespace.
    """

    name: str
    fields: tuple[Field, ...]


@dataclass(frozen=True, slots=True)
class Array:
    """
    A list of items of one type, each of which takes a byte at least.
    """

    items: Shape


@dataclass(frozen=True, slots=True)
class Union:
    """
    Null, or a *plain* type, or a mark in its place; *index* and the numbers of *marks* are their places in the union.
    """

    index: int
    plain: Shape
    marks: tuple[tuple[int, Record], ...]


Shape: TypeAlias = "Leaf | Record | Array | Union"


@dataclass(frozen=True, slots=True)
class Field:
    """
    A field of a record; its default is that of the schema, or ``MISSING``.
    """

    name: str
    type: Shape
    default: Any


def shape(schema: Mapping[str, Any]) -> Record:
    """
    Give the shape of a record whose named types are written out at their first use; ValueError for any other.
    """
    return _record(schema, {}, "")


def several(root: Record) -> frozenset[str]:
    """
    Give the names of the records that stand in more than one place of *root*.
    """
    return frozenset(name for name, count in Counter(record.name for record in _records(root)).items() if count > 1)


def _records(at: Shape) -> Iterator[Record]:
    match at:
        case Record():
            yield at
            for field in at.fields:
                yield from _records(field.type)
        case Array():
            yield from _records(at.items)
        case Union():
            yield from _records(at.plain)
            for _, record in at.marks:
                yield from _records(record)


def _short(name: str) -> str:
    return name.rpartition(".")[2]


def _shape(schema: Any, named: dict[str, Record | None], path: str) -> Shape:
    if isinstance(schema, list):
        return _union(schema, named, path)
    if isinstance(schema, str):
        return Leaf(schema) if schema in LEAVES else _known(_short(schema), named, path)
    kind = schema["type"]
    if kind == "record":
        return _record(schema, named, path)
    if kind == "array":
        items = _shape(schema["items"], named, path)
        if not _takes_bytes(items):
            raise _unknown(path, "the items of a list take no bytes, so that a few bytes can ask for any number of them")
        return Array(items)
    leaf = schema.get("logicalType", kind)
    if leaf not in LEAVES:
        raise _unknown(path, f"the type {leaf}")
    return Leaf(leaf)


def _known(name: str, named: Mapping[str, Record | None], path: str) -> Record:
    record = named.get(name)
    if record is None:
        raise _unknown(path, f"{name} holds itself" if name in named else f"the type {name}")
    return record


def _record(schema: Mapping[str, Any], named: dict[str, Record | None], path: str) -> Record:
    name = _short(schema["name"])
    named[name] = None
    below = f"{path}." if path else ""
    record = named[name] = Record(
        name,
        tuple(
            Field(each["name"], _shape(each["type"], named, below + each["name"]), each.get("default", MISSING))
            for each in schema["fields"]
        ),
    )
    return record


def _union(branches: list[Any], named: dict[str, Record | None], path: str) -> Union:
    wrong = _unknown(path, "a union is of null, one plain type, and marks")
    if branches[:1] != ["null"]:
        raise wrong
    plain: list[tuple[int, Shape]] = []
    marks: list[tuple[int, Record]] = []
    for index, branch in enumerate(branches[1:], 1):
        inner = _shape(branch, named, path)
        if isinstance(inner, Record) and inner.name in MARKS:
            marks.append((index, inner))
        else:
            plain.append((index, inner))
    if len(plain) != 1 or isinstance(plain[0][1], Union):
        raise wrong
    return Union(*plain[0], tuple(marks))


def _unknown(path: str, message: str) -> ValueError:
    return ValueError(f"{path}: {message}" if path else message)


def _takes_bytes(at: Shape) -> bool:
    return any(_takes_bytes(field.type) for field in at.fields) if isinstance(at, Record) else True
