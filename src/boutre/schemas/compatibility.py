"""
Whether readers and writers of two versions of a schema understand each other, in both directions and for good.

Two things are asked. First, by the rules of schema resolution of the Avro specification: can every value of the writer be
read by the reader? Where libraries are known to differ, only what all of them read passes. Second, by a rule of the bus that
Avro does not know: does what is read still mean the same? A unit that changes breaks no decoder and drowns people.

Stricter than Avro on purpose:

- ``unit``, ``category``, ``reference`` and the scheme of ``vocabulary`` of a field never change (a scheme's edition may);
- a reader must not require (``presence``) what the writer need not give;
- a logical type never changes, since the same number would be another moment;
- ``bytes`` are not read as ``string``: bytes that are no UTF-8 break the reader;
- names are compared in full, and one old field is never claimed by two new ones;
- a default that comes into play is one that all libraries give back alike: none for bytes, fixed and logical types but null.

What this cannot see: a field that is taken out with its default and comes back under the same name with another meaning is
found only while the old version is among those compared; so versions are never unlocked. A field that is renamed is readable
by old readers, and they miss its value.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from boutre.schemas.normal import Normal, Schema, Type, kind_of, normal

MEANING: Final = ("unit", "category", "reference")
"""Attributes of a field that say what its value means; they never change."""

_PROMOTIONS: Final = frozenset(
    {
        ("int", "long"),
        ("int", "float"),
        ("int", "double"),
        ("long", "float"),
        ("long", "double"),
        ("float", "double"),
        ("string", "bytes"),
    }
)
_PYTHON: Final[Mapping[str, type | tuple[type, ...]]] = {
    "boolean": bool,
    "int": int,
    "long": int,
    "float": (int, float),
    "double": (int, float),
    "string": str,
}
_BITS: Final = {"int": 31, "long": 63}


@dataclass(frozen=True, slots=True)
class Problem:
    """
    One thing that stands in the way: the field's path (dots between its parts, ``[]`` for items) and what is wrong.
    """

    path: str
    message: str

    def __str__(self) -> str:
        return f"{self.path}: {self.message}" if self.path else self.message


def problems(reader: Schema, writer: Schema) -> list[Problem]:
    """
    Give all that keeps a reader from understanding every record of a writer; empty where nothing does.
    """
    pair = _Pair(normal(reader, "reader"), normal(writer, "writer"))
    return list(dict.fromkeys(pair.types(pair.reader.root, pair.writer.root, "")))


def full_transitive(new: Schema, old: Mapping[int, Schema]) -> list[Problem]:
    """
    Give all that keeps *new* and any of the *old* versions from reading each other, for each version and direction.
    """
    found = []
    for version, schema in sorted(old.items()):
        for reader, writer, says in (
            (new, schema, f"the new schema cannot read version {version}"),
            (schema, new, f"version {version} cannot read the new schema"),
        ):
            found += [Problem(each.path, f"{says}: {each.message}") for each in problems(reader, writer)]
    return found


class _Pair:
    """
    A reader and a writer, compared type by type; each pair of records once, since records may hold themselves.
    """

    def __init__(self, reader: Normal, writer: Normal) -> None:
        self.reader = reader
        self.writer = writer
        self._seen: set[tuple[str, str]] = set()

    def types(self, reader: Type, writer: Type, path: str) -> Iterator[Problem]:
        """Compare two types, each of which may be a union or a name."""
        reader, writer = self.reader.type(reader), self.writer.type(writer)
        if isinstance(writer, list):
            for branch in writer:
                yield from self._branch(reader, self.writer.type(branch), path)
        else:
            yield from self._branch(reader, writer, path)

    def _branch(self, reader: Type, writer: Type, path: str) -> Iterator[Problem]:
        if not isinstance(reader, list):
            yield from self._single(reader, writer, path)
            return
        fitting = [branch for branch in map(self.reader.type, reader) if self._fits(branch, writer)]
        if not fitting:
            yield Problem(path, f"the writer's {_named(writer)} is no branch of the reader's union")
            return
        # By the specification the first branch that fits is taken; some libraries look for the same type first. Both must do.
        exact = [branch for branch in fitting if kind_of(branch) == kind_of(writer)]
        for branch in [fitting[0], *(each for each in exact[:1] if each is not fitting[0])]:
            yield from self._single(branch, writer, path)

    def _fits(self, reader: Type, writer: Type) -> bool:
        mine, theirs = kind_of(reader), kind_of(writer)
        if isinstance(reader, dict) and isinstance(writer, dict) and "name" in reader and mine == theirs:
            return _same_name(reader, writer)
        return mine == theirs or (theirs, mine) in _PROMOTIONS

    def _single(self, reader: Type, writer: Type, path: str) -> Iterator[Problem]:
        mine, theirs = kind_of(reader), kind_of(writer)
        if mine != theirs and (theirs, mine) not in _PROMOTIONS:
            yield Problem(path, f"the writer's {_named(writer)} is not read as {_named(reader)}")
            return
        if (left := _logical(reader)) != (right := _logical(writer)):
            yield Problem(path, f"the logical type is {right or 'none'} for the writer and {left or 'none'} for the reader")
        if not isinstance(reader, dict) or not isinstance(writer, dict):
            return
        if mine == "array":
            yield from self.types(reader["items"], writer["items"], f"{path}[]")
        elif mine == "map":
            yield from self.types(reader["values"], writer["values"], f"{path}{{}}")
        elif "name" in reader:
            yield from self._named_types(reader, writer, path)

    def _named_types(self, reader: dict[str, Any], writer: dict[str, Any], path: str) -> Iterator[Problem]:
        if not _same_name(reader, writer):
            yield Problem(path, f"the writer's {writer['name']} is not the reader's {reader['name']}, nor an alias of it")
            return
        if (pair := (reader["name"], writer["name"])) in self._seen:
            return
        self._seen.add(pair)
        match kind_of(reader):
            case "fixed":
                if reader["size"] != writer["size"]:
                    yield Problem(path, f"a fixed of {writer['size']} bytes is not read as one of {reader['size']}")
            case "enum":
                unknown = [symbol for symbol in writer["symbols"] if symbol not in reader["symbols"]]
                if unknown and "default" not in reader:
                    yield Problem(path, f"the reader does not know the symbols {', '.join(unknown)} and has no default")
            case _:
                yield from self._fields(reader, writer, path)

    def _fields(self, reader: dict[str, Any], writer: dict[str, Any], path: str) -> Iterator[Problem]:
        written = {field["name"]: field for field in writer["fields"]}
        claimed: dict[str, str] = {}
        for field in reader["fields"]:
            here = f"{path}.{field['name']}".lstrip(".")
            known = [name for name in (field["name"], *field.get("aliases", [])) if name in written]
            for name in known:
                if name in claimed:
                    yield Problem(here, f"the writer's field {name} is claimed by {claimed[name]} already")
                claimed[name] = field["name"]
            if len(known) > 1:
                yield Problem(here, f"the writer has several fields under its names: {', '.join(known)}")
            if known:
                yield from self._meaning(field, written[known[0]], here)
                yield from self.types(field["type"], written[known[0]]["type"], here)
            elif "default" not in field:
                yield Problem(here, "the writer does not have this field, and it has no default")
            elif not self._default(field["type"], field["default"]):
                yield Problem(here, "its default is not of its type, or not read alike by all libraries")
            if not known and _required(field):
                yield Problem(here, "the reader requires it, and the writer does not have this field")

    def _meaning(self, reader: Mapping[str, Any], writer: Mapping[str, Any], path: str) -> Iterator[Problem]:
        for name in MEANING:
            if (mine := reader.get(name)) != (theirs := writer.get(name)):
                yield Problem(path, f"the {name} is {theirs or 'none'} for the writer and {mine or 'none'} for the reader")
        mine, theirs = _scheme(reader), _scheme(writer)
        if mine != theirs:
            yield Problem(path, f"the vocabulary is {theirs or 'none'} for the writer and {mine or 'none'} for the reader")
        if _required(reader) and not _required(writer):
            yield Problem(path, "the reader requires it, and the writer need not give it")

    def _default(self, at: Type, value: Any) -> bool:  # noqa: PLR0911 - one answer for each sort of type
        """Say whether *value*, as JSON, stands for the same value of the type in every library."""
        at = self.reader.type(at)
        if isinstance(at, list):
            # Older libraries look at the first branch only.
            return bool(at) and self._default(at[0], value)
        kind = kind_of(at)
        if kind == "null":
            return value is None
        if kind in {"bytes", "fixed"} or _logical(at):
            return False
        if kind in _PYTHON:
            return _plain(kind, value)
        assert isinstance(at, dict)
        if kind == "array":
            return isinstance(value, list) and all(self._default(at["items"], item) for item in value)
        if kind == "map":
            return isinstance(value, dict) and all(self._default(at["values"], item) for item in value.values())
        if kind == "enum":
            return value in at["symbols"]
        return (
            isinstance(value, dict)
            and {field["name"] for field in at["fields"]} == set(value)
            and all(self._default(field["type"], value[field["name"]]) for field in at["fields"])
        )


def _plain(kind: str, value: Any) -> bool:
    if kind != "boolean" and isinstance(value, bool):
        return False
    if not isinstance(value, _PYTHON[kind]) or (isinstance(value, float) and not math.isfinite(value)):
        return False
    return kind not in _BITS or -(2 ** _BITS[kind]) <= value < 2 ** _BITS[kind]


def _same_name(reader: Mapping[str, Any], writer: Mapping[str, Any]) -> bool:
    return writer["name"] == reader["name"] or writer["name"] in reader.get("aliases", [])


def _logical(at: Type) -> str:
    if not isinstance(at, dict) or "logicalType" not in at:
        return ""
    numbers = [f"{at[name]}" for name in ("precision", "scale") if name in at]
    return f"{at['logicalType']}({','.join(numbers)})" if numbers else str(at["logicalType"])


def _named(at: Type) -> str:
    if isinstance(at, dict) and "name" in at:
        return str(at["name"])
    return _logical(at) or kind_of(at)


def _required(field: Mapping[str, Any]) -> bool:
    return field.get("presence") == "required"


def _scheme(field: Mapping[str, Any]) -> str:
    return str(field.get("vocabulary", "")).partition("@")[0]
