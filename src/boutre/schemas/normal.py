"""
Avro schemas with every name in full, so that two of them can be compared whatever they leave unsaid.

Avro lets a schema say a type once and name it afterwards, leave out a namespace that is the one around it, and write
`{"type": "string"}` for `"string"`. Here each named type stands once under its full name, and everything else refers to it.
Attributes that Avro does not know (unit, category ...) are kept.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from boutre.errors import DeclarationError, Fault

Schema: TypeAlias = Mapping[str, Any]
Type: TypeAlias = str | list[Any] | dict[str, Any]

PRIMITIVE: Final = frozenset({"null", "boolean", "int", "long", "float", "double", "bytes", "string"})
NAMED: Final = frozenset({"record", "error", "enum", "fixed"})


@dataclass(frozen=True, slots=True)
class Normal:
    """
    A schema in normal form: its root, and each named type once under its full name.
    """

    root: Type
    names: Mapping[str, dict[str, Any]]

    def type(self, at: Type) -> Type:
        """Give what *at* stands for: the definition where it is the name of one, else itself."""
        return self.names.get(at, at) if isinstance(at, str) else at

    @property
    def fingerprint(self) -> str:
        """
        SHA-256 of all that the schema says to a program, units and categories too, in whatever words it says it.

        Docs are left out: they bind no program, and some registries take two schemas that differ in them for one.
        """
        whole = json.dumps(_undocumented([self.root, self.names]), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(whole.encode()).hexdigest()


def normal(schema: Schema | Type, file: str = "schema") -> Normal:
    """
    Bring *schema* into normal form.

    Raises ``DeclarationError`` for what is no schema, naming *file* and where in it.
    """
    names: dict[str, dict[str, Any]] = {}
    root = _Reader(file, names).read(schema, "", "")
    return Normal(root, names)


def kind_of(at: Type) -> str:
    """
    Give the sort of a type: "union", "record", "array", "string" ...
    """
    if isinstance(at, list):
        return "union"
    return at if isinstance(at, str) else str(at["type"])


class _Reader:
    def __init__(self, file: str, names: dict[str, dict[str, Any]]) -> None:
        self.file = file
        self.names = names

    def read(self, schema: Any, namespace: str, path: str) -> Type:  # noqa: PLR0911 - one answer for each sort of type
        if isinstance(schema, str):
            return self._name(schema, namespace, path)
        if isinstance(schema, list):
            return [self.read(branch, namespace, path) for branch in schema]
        if not isinstance(schema, Mapping) or "type" not in schema:
            raise self._wrong(path, "is no Avro type")
        kind = schema["type"]
        if isinstance(kind, list | Mapping):
            return self.read(kind, namespace, path)
        if kind in NAMED:
            return self._definition(schema, namespace, path)
        if kind == "array" and "items" in schema:
            return {**schema, "items": self.read(schema["items"], namespace, f"{path}[]")}
        if kind == "map" and "values" in schema:
            return {**schema, "values": self.read(schema["values"], namespace, f"{path}{{}}")}
        if isinstance(kind, str) and kind in PRIMITIVE:
            return dict(schema) if len(schema) > 1 else kind
        return self._name(str(kind), namespace, path)

    def _name(self, name: str, namespace: str, path: str) -> str:
        if name in PRIMITIVE:
            return name
        full = _full(name, namespace)
        if full not in self.names:
            raise self._wrong(path, f"names the type {full}, which is defined nowhere before")
        return full

    def _definition(self, schema: Schema, namespace: str, path: str) -> str:
        name = schema.get("name")
        if not isinstance(name, str) or not name:
            raise self._wrong(path, f"is a {schema['type']} without a name")
        full = _full(name, schema.get("namespace", namespace))
        if full in self.names:
            raise self._wrong(path, f"defines {full} a second time")
        inner = full.rpartition(".")[0]
        definition = {key: value for key, value in schema.items() if key != "namespace"}
        definition["name"] = full
        if "aliases" in schema:
            definition["aliases"] = [_full(alias, inner) for alias in schema["aliases"]]
        # Known before its fields are read, since a field may hold its own record.
        self.names[full] = definition
        if schema["type"] in {"record", "error"}:
            definition["fields"] = [
                {**field, "type": self.read(field.get("type"), inner, f"{path}.{field.get('name')}".lstrip("."))}
                for field in schema.get("fields", [])
            ]
        return full

    def _wrong(self, path: str, message: str) -> DeclarationError:
        return DeclarationError([Fault(self.file, path, message)])


def _full(name: str, namespace: str) -> str:
    return name if "." in name or not namespace else f"{namespace}.{name}"


def _undocumented(part: Any) -> Any:
    if isinstance(part, Mapping):
        # Below "default" stands a value and no schema: there, "doc" may be the name of a field.
        return {key: inner if key == "default" else _undocumented(inner) for key, inner in part.items() if key != "doc"}
    return [_undocumented(inner) for inner in part] if isinstance(part, list) else part
