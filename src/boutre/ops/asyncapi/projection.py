"""
A reader's Avro schema that holds some fields of a locked one and no others.

By Avro's schema resolution (specification 1.12, "Schema Resolution") who reads with it passes over every other field of what was
written. A type that is cut differently at two places stands there twice: by the same name in two name spaces, since records are
matched by their unqualified name. The first keeps its own name space.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Mapping
from typing import Any, Final

from boutre.schemas.fields import STATES, Schema, definitions

NAMESPACE: Final = "boutre"


def project(schema: Schema, paths: Collection[str]) -> Schema:
    """
    Give *schema* with the fields at *paths* alone; a group is in it where its own path is.

    What stands in a group's place (``Withheld``, ``Sealed``) stays whole.
    """
    made = _Projection(definitions(schema), frozenset(paths)).of(schema, "")
    if not isinstance(made, dict):  # pragma: no cover - the outermost is written out, being the first
        raise TypeError
    return made


class _Projection:
    """One schema as it is cut; what is written out once is named after that."""

    def __init__(self, known: Mapping[str, Schema], paths: frozenset[str]) -> None:
        self._known = known
        self._paths = paths
        self._written: dict[tuple[str, Hashable], str] = {}

    def of(self, schema: Any, path: str) -> Any:
        """Give a type as it is at *path*; the outermost record is at the empty one."""
        match schema:
            case list():
                return [self.of(arm, path) for arm in schema]
            case {"type": "array", "items": items}:
                return schema | {"items": self.of(items, path)}
        record = self._record(schema)
        return schema if record is None else self._cut(record, path)

    def _record(self, schema: Any) -> Schema | None:
        if isinstance(schema, dict):
            return schema if schema.get("type") == "record" else None
        return self._known.get(schema.removeprefix(f"{NAMESPACE}.")) if isinstance(schema, str) else None

    def _cut(self, record: Schema, path: str) -> Any:
        name = record["name"].rpartition(".")[2]
        shape = self._shape(record, path)
        there = self._written.get((name, shape))
        if there is not None:
            return there
        first = all(other != name for other, _ in self._written)
        space = NAMESPACE if first else f"{NAMESPACE}.{path}"
        self._written[name, shape] = f"{space}.{name}"
        fields = [one | {"type": self.of(one["type"], _below(path, one["name"]))} for one in self._fields(record, path)]
        return record | {"name": name, "namespace": space, "fields": fields}

    def _fields(self, record: Schema, path: str) -> list[Schema]:
        whole = record["name"].rpartition(".")[2] in STATES
        return [one for one in record["fields"] if whole or _below(path, one["name"]) in self._paths]

    def _shape(self, schema: Any, path: str) -> Hashable:
        """What two places of one type have in common where they can be one definition."""
        match schema:
            case list():
                return tuple(self._shape(arm, path) for arm in schema)
            case {"type": "array", "items": items}:
                return self._shape(items, path)
        record = self._record(schema)
        if record is None:
            return None
        inner = ((one["name"], self._shape(one["type"], _below(path, one["name"]))) for one in self._fields(record, path))
        return (record["name"].rpartition(".")[2], *inner)


def _below(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
