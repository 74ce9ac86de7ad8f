"""
What a schema may not hold, since a few bytes made for it could hurt whoever reads them.

A decoder does what the schema says. An array of items that take no bytes lets five bytes ask for a thousand million of them; a
record that holds itself lets a hundred kilobytes nest so deep that the process dies; a decimal of many digits takes seconds.
No cap on the size of a frame helps against these, so such a schema is never locked, nor taken from a registry.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from boutre.schemas.compatibility import Problem
from boutre.schemas.normal import Normal, Schema, Type, kind_of, normal

MAX_DEPTH: Final = 24
"""How deep types may stand in one another; the core schemas need less than ten."""

LOGICAL: Final = {"timestamp-millis": "long", "date": "int"}
"""Logical types that every client is known to read alike, with the type that carries them."""

_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_FULL_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*\Z")
_PRIVATE: Final = ("__fastavro_", "__named_schemas")


def hazards(schema: Schema, file: str = "schema") -> list[Problem]:
    """
    Give all that makes *schema* unsafe to read by; empty where nothing does.

    Raises ``DeclarationError``, naming *file*, for what is no schema at all.
    """
    found = [Problem(path, "a key that only a decoder's own memory has; take it out") for path in _private(schema, "")]
    if found:
        # Such a key makes fastavro skip its own checks, so nothing else is asked of the schema.
        return found
    whole = normal(schema, file)
    return list(dict.fromkeys(_at(whole, whole.root, "", ())))


def _private(part: Any, path: str) -> Iterator[str]:
    if isinstance(part, dict):
        for key, inner in part.items():
            here = f"{path}.{key}".lstrip(".")
            if str(key).startswith(_PRIVATE):
                yield here
            yield from _private(inner, here)
    elif isinstance(part, list):
        for inner in part:
            yield from _private(inner, path)


def _at(whole: Normal, at: Type, path: str, above: tuple[str, ...]) -> Iterator[Problem]:
    at = whole.type(at)
    if len(above) > MAX_DEPTH:
        yield Problem(path, f"stands more than {MAX_DEPTH} types deep")
        return
    if isinstance(at, list):
        for branch in at:
            yield from _at(whole, branch, path, above)
        return
    kind = kind_of(at)
    if not isinstance(at, dict):
        return
    logical = at.get("logicalType")
    if logical is not None and LOGICAL.get(logical) != kind:
        yield Problem(path, f"the logical type {logical} on {kind} is none of {', '.join(sorted(LOGICAL))}")
    if kind in {"enum", "map", "fixed", "error"}:
        yield Problem(path, f"is a {kind}: codes are strings, fields have names, and clients differ in the rest")
    elif kind == "array":
        if not _least_bytes(whole, at["items"], ()):
            yield Problem(path, "its items take no bytes, so that a few bytes can ask for any number of them")
        yield from _at(whole, at["items"], f"{path}[]", (*above, "array"))
    elif kind == "record":
        yield from _record(whole, at, path, above)


def _record(whole: Normal, record: dict[str, Any], path: str, above: tuple[str, ...]) -> Iterator[Problem]:
    name = record["name"]
    if name in above:
        yield Problem(path, f"{name} holds itself, so that a value can be of any depth")
        return
    if not _FULL_NAME.match(name):
        yield Problem(path, "the name of the record is not one that Avro allows")
    for field in record["fields"]:
        here = f"{path}.{field.get('name')}".lstrip(".")
        if not _NAME.match(str(field.get("name"))):
            yield Problem(here, "the name of the field is not one that Avro allows")
        yield from _at(whole, field["type"], here, (*above, name))


def _least_bytes(whole: Normal, at: Type, above: tuple[str, ...]) -> int:
    """Give 0 where a value can take no bytes at all, else 1."""
    at = whole.type(at)
    if isinstance(at, dict) and at["type"] == "record":
        if at["name"] in above:
            return 1
        return max((_least_bytes(whole, field["type"], (*above, at["name"])) for field in at["fields"]), default=0)
    if isinstance(at, dict) and at["type"] == "fixed":
        return min(int(at["size"]), 1)
    return int(kind_of(at) != "null")
