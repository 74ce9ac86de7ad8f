"""
What every field of every schema means: its doc, its unit, its sharing category; and how the schema files fit together.

Each kind of record stands in ``<kind>.avsc``. A type that several kinds use stands in ``types/<name in lower case>.avsc`` and is
named there and elsewhere by its bare name. Beside what Avro knows, a field carries

- ``unit`` and ``category``, each from a closed set (``meanings``), or ``inherited``: that of the field which holds it;
- ``vocabulary``, where its value is a code: ``scheme@version``;
- ``presence``: ``required`` where a member's record must have it (Avro itself lets it be null, so that a view can leave it out);
- ``reference``: ``record`` where its value is the id of another record.

Only this module knows that; others ask ``read``, ``walk`` and ``faults``.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from boutre.errors import DeclarationError, Fault
from boutre.schemas.hazards import hazards
from boutre.schemas.meanings import CATEGORIES, UNITS
from boutre.schemas.vocabulary import Vocabularies

INHERITED: Final = "inherited"
STATES: Final = frozenset({"Withheld", "Sealed"})
"""
The types that stand in a group's place and are not the group: not given, or given to the holders of a key only.
"""

_SCALARS: Final = frozenset({"null", "boolean", "int", "long", "double", "string", "bytes"})
_PROPERTIES: Final = frozenset({"name", "type", "default", "doc", "unit", "category", "vocabulary", "presence", "reference"})

Schema = dict[str, Any]


@dataclass(frozen=True, slots=True)
class FieldInfo:
    """
    One field of a schema, found by its *path*: the names from the top, dots between them, whatever unions or arrays lie between.

    *type_name* is the name of the value's type: an Avro primitive, ``timestamp-millis``, ``date``, or a type of ours such as
    ``Range``; of the items where *many* is true. *category* and *unit* are the effective ones, never ``inherited``.
    *withholdable* and *sealable* say which states may stand in its place.
    """

    path: str
    name: str
    type_name: str
    category: str
    unit: str
    doc: str
    vocabulary: str | None
    required: bool
    reference: str | None
    nullable: bool
    many: bool = False
    withholdable: bool = False
    sealable: bool = False

    @property
    def top(self) -> str:
        """
        The top-level group that it stands in, or is.
        """
        return self.path.partition(".")[0]


# --- Reading ---------------------------------------------------------------------------------------------------------------


def read(folder: Path) -> dict[str, Schema]:
    """
    Give the whole schema of each kind: a type of ours written out where it comes first, and by its full name after that.

    Raises DeclarationError with all that is wrong with the files; what is wrong with the fields, ``faults`` says.
    """
    found: list[Fault] = []
    types = {path.stem: schema for path in sorted((folder / "types").glob("*.avsc")) if (schema := _load(path, folder, found))}
    kinds = {path.stem: schema for path in sorted(folder.glob("*.avsc")) if (schema := _load(path, folder, found))}
    if not kinds and not found:
        found.append(Fault(folder.name, "", "no *.avsc stands here; name the folder that holds the schemas"))
    resolved = {kind: _expand(schema, types, set(), f"{kind}.avsc", found) for kind, schema in kinds.items()}
    if found:
        raise DeclarationError(sorted(set(found), key=str))
    return resolved


def _load(path: Path, folder: Path, found: list[Fault]) -> Schema | None:
    where = f"{folder.name}/{path.relative_to(folder).as_posix()}"
    try:
        schema = json.loads(path.read_text(encoding="utf-8"), object_pairs_hook=_pairs)
    except (OSError, ValueError) as error:
        found.append(Fault(where, "", f"cannot be read as JSON: {error}"))
        return None
    if not isinstance(schema, dict) or schema.get("type") != "record" or not isinstance(schema.get("fields"), list):
        found.append(Fault(where, "type", "a file holds one record with its fields"))
        return None
    if str(schema.get("name", "")).lower() != path.stem:
        found.append(Fault(where, "name", f"a file is named for its record in lower case; this one is not {path.stem}"))
        return None
    if not all(isinstance(field, dict) and isinstance(field.get("name"), str) for field in schema["fields"]):
        found.append(Fault(where, "fields", "each field is an object with a name"))
        return None
    return schema


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    # Python keeps the last of two equal keys without a word; a second "category" would silently win.
    value = dict(pairs)
    if len(value) != len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"the key {next(name for name in names if names.count(name) > 1)} stands twice in one object")
    return value


def _expand(schema: Any, types: Mapping[str, Schema], seen: set[str], file: str, found: list[Fault]) -> Any:
    """
    Write out every type of ours where it comes first in reading order, as Avro needs it; *seen* holds those written so far.
    """
    match schema:
        case str():
            return _named(schema, types, seen, file, found)
        case list():
            return [_expand(arm, types, seen, file, found) for arm in schema]
        case {"type": "record", "fields": list(fields)}:
            seen.add(schema.get("name", ""))
            return schema | {"fields": [field | {"type": _expand(field.get("type"), types, seen, file, found)} for field in fields]}
        case {"type": "array", "items": items}:
            return schema | {"items": _expand(items, types, seen, file, found)}
    return schema


def _named(name: str, types: Mapping[str, Schema], seen: set[str], file: str, found: list[Fault]) -> Any:
    short = name.removeprefix("boutre.")
    if name in _SCALARS:
        return name
    if short in seen:
        return f"boutre.{short}"
    declared = types.get(short.lower())
    if declared is None or declared["name"] != short:
        found.append(Fault(f"schemas/{file}", short, f"no such type; it would stand in types/{short.lower()}.avsc"))
        return name
    return _expand(declared, types, seen, f"types/{short.lower()}.avsc", found)


# --- Walking ---------------------------------------------------------------------------------------------------------------


def walk(resolved: Schema, *, states: bool = False) -> Iterator[FieldInfo]:
    """
    Every field of a schema that ``read`` gave, each group before what it holds.

    The fields of Withheld and Sealed are left out unless *states*: they never stand beside those of the group.
    """
    yield from _walk(resolved, definitions(resolved), "", (INHERITED, INHERITED), frozenset(), states=states)


def _walk(
    record: Schema,
    known: Mapping[str, Schema],
    prefix: str,
    holder: tuple[str, str],
    above: frozenset[str],
    *,
    states: bool,
) -> Iterator[FieldInfo]:
    for field in record["fields"]:
        arms = [(arm, many) for arm, many in _arms(field.get("type"))]
        names = {_name(arm) for arm, _ in arms}
        value, many = next(((arm, many) for arm, many in arms if _name(arm) not in STATES | {"null"}), ("null", False))
        own = (_effective(field, "category", holder[0]), _effective(field, "unit", holder[1]))
        path = f"{prefix}{field['name']}"
        yield FieldInfo(
            path=path,
            name=field["name"],
            type_name=_name(value),
            category=own[0],
            unit=own[1],
            doc=field.get("doc", ""),
            vocabulary=field.get("vocabulary"),
            required=field.get("presence") == "required",
            reference=field.get("reference"),
            nullable="null" in names,
            many=many,
            withholdable="Withheld" in names,
            sealable="Sealed" in names,
        )
        for arm, _ in arms:
            name = _name(arm)
            # A recursive type would never end; that it is recursive is one of the faults.
            if name in known and name not in above and (states or name not in STATES):
                yield from _walk(known[name], known, f"{path}.", own, above | {name}, states=states)


def _effective(field: Schema, key: str, held: str) -> str:
    own = field.get(key, "")
    return held if own == INHERITED else own


def _arms(schema: Any) -> list[tuple[Any, bool]]:
    """
    Every type that a value may be of, without unions and arrays, and whether it stands in an array.
    """
    match schema:
        case list():
            return [pair for arm in schema for pair in _arms(arm)]
        case {"type": "array"}:
            return [(arm, True) for arm, _ in _arms(schema.get("items"))]
        case _:
            return [(schema, False)]


def _name(schema: Any) -> str:
    if isinstance(schema, dict):
        return str(schema.get("logicalType") or schema.get("name") or schema.get("type", "")).removeprefix("boutre.")
    return str(schema).removeprefix("boutre.")


def definitions(resolved: Any) -> dict[str, Schema]:
    """
    The records that a schema writes out, by bare name, itself the first.
    """
    match resolved:
        case list():
            return {name: record for arm in resolved for name, record in definitions(arm).items()}
        case {"type": "array"}:
            return definitions(resolved.get("items"))
        case {"type": "record", "fields": list(fields)}:
            inner = {name: record for field in fields for name, record in definitions(field.get("type")).items()}
            return {_name(resolved): resolved} | inner
        case _:
            return {}


# --- Checking --------------------------------------------------------------------------------------------------------------


def faults(schemas: Mapping[str, Schema], vocabularies: Vocabularies) -> list[Fault]:
    """
    All that is wrong with the fields of *schemas*, as ``read`` gives them; empty where every field says what it means.

    A type is looked at once, in its own file; what it inherits is looked at in each kind. What no schema may hold, since bytes
    made for it could hurt a reader (enums and maps, recursion, items of no bytes), ``hazards`` knows.
    """
    found: list[Fault] = []
    for kind, schema in schemas.items():
        file = f"schemas/{kind}.avsc"
        for name, record in definitions(schema).items():
            where = file if record is schema else f"schemas/types/{name.lower()}.avsc"
            if not _says(record.get("doc")):
                found.append(Fault(where, "doc", "is missing; say in a sentence what the record is for"))
            for field in record["fields"]:
                key = str(field.get("name", "?"))
                found.extend(Fault(where, key, message) for message in _field_faults(field, vocabularies))
        dangers = hazards(schema, file)
        found.extend(Fault(file, problem.path, problem.message) for problem in dangers)
        if not dangers:
            found.extend(_inheritance(file, schema))
    return sorted(set(found), key=lambda fault: (fault.file, fault.key, fault.message))


def _field_faults(field: Schema, vocabularies: Vocabularies) -> Iterator[str]:
    if unknown := field.keys() - _PROPERTIES:
        yield f"has properties that nobody reads: {', '.join(sorted(unknown))}"
    if not _says(field.get("doc")):
        yield "has no doc; say in a sentence what it means"
    for key, known in (("unit", UNITS), ("category", CATEGORIES)):
        own = field.get(key)
        if own is None:
            yield f"has no {key}; known: {', '.join(known)}"
        elif own != INHERITED and own not in known:
            yield f"has an unknown {key}, {own}; known: {', '.join(known)}"
    if field.get("presence", "required") != "required":
        yield "has a presence other than required; leave the property out"
    if field.get("reference", "record") != "record":
        yield "has a reference other than record; leave the property out"
    yield from _type_faults(field)
    vocabulary = field.get("vocabulary")
    if vocabulary is not None and vocabulary not in vocabularies:
        yield f"names the vocabulary {vocabulary}, which does not exist"
    coded = {_name(arm) for arm, _ in _arms(field.get("type"))} - {"null"} == {"string"} and field.get("unit") == "code"
    if vocabulary is not None and not coded:
        yield "has a vocabulary, but is no string with the unit code"


def _type_faults(field: Schema) -> Iterator[str]:
    schema = field.get("type")
    arms = [_name(arm) for arm, _ in _arms(schema)]
    if len(set(arms) - STATES - {"null"}) > 1:
        yield "may be of several types; beside null, Withheld and Sealed there is one"
    if "null" in arms and not (isinstance(schema, list) and schema[0] == "null" and field.get("default", "") is None):
        # Only so does a reader with an older or a newer schema get along without the field.
        yield "may be null, so null comes first and is its default"
    if isinstance(schema, dict) and schema.get("type") == "array" and field.get("default") != []:
        yield "is an array, so its default is the empty one"


def _inheritance(file: str, schema: Schema) -> Iterator[Fault]:
    known = definitions(schema)
    infos = list(walk(schema, states=True))
    # A quantity (a range of metres, say) has no unit of its own and takes that of the field which holds it.
    measures = {name for name, record in known.items() if any(field.get("unit") == INHERITED for field in record["fields"])}
    for info in infos:
        if "" in (info.unit, info.category):
            continue  # not said at all, which is a fault already
        if INHERITED in (info.unit, info.category):
            yield Fault(file, info.path, "inherits, but no field holds it")
        grouped = info.type_name in known and info.type_name not in measures
        if grouped and info.unit != "group":
            yield Fault(file, info.path, f"holds fields, so its unit is group, not {info.unit}")
        if not grouped and info.unit == "group":
            yield Fault(file, info.path, f"is a {info.type_name}; the unit group is for what holds fields")


def _says(doc: object) -> bool:
    return isinstance(doc, str) and bool(doc.strip())
