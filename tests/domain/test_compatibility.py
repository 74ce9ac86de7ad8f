"""
The project's own check of FULL_TRANSITIVE compatibility, held against what fastavro really reads.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import fastavro
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from boutre.errors import DeclarationError
from boutre.schemas.compatibility import full_transitive, problems

CASES = json.loads(Path(__file__).with_name("compatibility_cases.json").read_text(encoding="utf-8"))["cases"]

# --- Schemas and their values, drawn -------------------------------------------------------------------------------------

SCALARS: list[Any] = [
    "boolean",
    "int",
    "long",
    "float",
    "double",
    "string",
    "bytes",
    {"type": "long", "logicalType": "timestamp-millis"},
]
UNITS = ["metre", "person", "text"]


def record_of(name: str, fields: list[dict[str, Any]]) -> dict[str, Any]:
    """A record of the namespace ``test``."""
    return {"type": "record", "name": name, "namespace": "test", "fields": fields}


@st.composite
def types(draw: st.DrawFn, names: Iterator[int], depth: int) -> Any:  # noqa: PLR0911 - one answer for each sort
    """A type: scalar, nullable, list, map, enum, fixed or record, with records in unions as the core schemas have them."""
    sorts = ["scalar", "nullable", "enum", "fixed"]
    sort = draw(st.sampled_from([*sorts, "array", "map", "record", "states"] if depth else sorts))
    match sort:
        case "scalar":
            return draw(st.sampled_from(SCALARS))
        case "nullable":
            return ["null", draw(st.sampled_from(SCALARS))]
        case "enum":
            symbols = draw(st.lists(st.sampled_from("ABCD"), min_size=1, unique=True))
            return {"type": "enum", "name": f"E{next(names)}", "symbols": symbols}
        case "fixed":
            return {"type": "fixed", "name": f"F{next(names)}", "size": draw(st.integers(1, 3))}
        case "array":
            return {"type": "array", "items": draw(types(names, depth - 1))}
        case "map":
            return {"type": "map", "values": draw(types(names, depth - 1))}
        case "record":
            return draw(records(names, depth - 1))
        case _:
            return ["null", draw(records(names, depth - 1)), draw(records(names, depth - 1))]


@st.composite
def records(draw: st.DrawFn, names: Iterator[int], depth: int) -> dict[str, Any]:
    """A record of up to four fields, each nullable one with a default."""
    fields = []
    for letter in draw(st.lists(st.sampled_from("abcdefg"), min_size=1, max_size=4, unique=True)):
        field = {"name": letter, "type": draw(types(names, depth)), "unit": draw(st.sampled_from(UNITS))}
        if isinstance(field["type"], list):
            field["default"] = None
        elif field["type"] == "string":
            field["default"] = "default"
        fields.append(field)
    return record_of(f"R{next(names)}", fields)


def schemas() -> st.SearchStrategy[dict[str, Any]]:
    """Whole schemas, three types deep; each draw counts its names from zero."""
    return st.deferred(lambda: st.builds(lambda: iter(range(1000))).flatmap(lambda names: records(names, 2)))


def values(at: Any) -> st.SearchStrategy[Any]:  # noqa: PLR0911 - one answer for each sort of type
    """Every value that fastavro writes for a type, numbers near their limits among them."""
    kind = at if isinstance(at, str) else "union" if isinstance(at, list) else at["type"]
    if isinstance(at, dict) and "logicalType" in at:
        # Milliseconds, as the type says.
        moments = st.datetimes(datetime(1970, 1, 1), datetime(2100, 1, 1))  # noqa: DTZ001 - hypothesis wants naive bounds
        return moments.map(lambda at: at.replace(microsecond=at.microsecond // 1000 * 1000, tzinfo=UTC))
    match kind:
        case "union":
            return st.one_of([branches(branch) for branch in at])
        case "enum":
            return st.sampled_from(at["symbols"])
        case "fixed":
            return st.binary(min_size=at["size"], max_size=at["size"])
        case "array":
            return st.lists(values(at["items"]), max_size=3)
        case "map":
            return st.dictionaries(st.text(max_size=3), values(at["values"]), max_size=3)
        case "record":
            return st.fixed_dictionaries({field["name"]: values(field["type"]) for field in at["fields"]})
        case _:
            return SCALAR_VALUES[kind]


def branches(branch: Any) -> st.SearchStrategy[Any]:
    """The values of one branch of a union; those of a record with its name, since two may stand there."""
    if isinstance(branch, dict) and branch["type"] == "record":
        return st.tuples(st.just(f"test.{branch['name']}"), values(branch))
    return values(branch)


SCALAR_VALUES: dict[str, st.SearchStrategy[Any]] = {
    "null": st.none(),
    "boolean": st.booleans(),
    "int": st.integers(-(2**31), 2**31 - 1),
    "long": st.integers(-(2**63), 2**63 - 1),
    "float": st.floats(width=32, allow_nan=False),
    "double": st.floats(allow_nan=False),
    "string": st.text(max_size=5),
    "bytes": st.binary(max_size=5),
}


# --- What may be done to a schema, and what may not ------------------------------------------------------------------------

Change = Callable[[dict[str, Any], dict[str, Any], st.DataObject], None]


def every_record(schema: Any) -> Iterator[dict[str, Any]]:
    """All records of a schema, itself the first."""
    if isinstance(schema, list):
        for branch in schema:
            yield from every_record(branch)
    elif isinstance(schema, dict):
        if schema["type"] == "record":
            yield schema
            for field in schema["fields"]:
                yield from every_record(field["type"])
        yield from every_record(schema.get("items"))
        yield from every_record(schema.get("values"))


def a_field(record: dict[str, Any], data: st.DataObject, fits: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """One of a record's fields that *fits*; the example is dropped where none does."""
    fitting = [field for field in record["fields"] if fits(field)]
    assume(fitting)
    found: dict[str, Any] = data.draw(st.sampled_from(fitting))
    return found


def unused(record: dict[str, Any]) -> str:
    """A name that no field of a record has."""
    names = {each["name"] for each in record["fields"]}
    return next(name for name in (f"new{number}" for number in range(len(names) + 1)) if name not in names)


def add_nullable(_: dict[str, Any], record: dict[str, Any], __: st.DataObject) -> None:
    """A field with a default comes."""
    record["fields"].append({"name": unused(record), "type": ["null", "long"], "default": None})


def add_list(_: dict[str, Any], record: dict[str, Any], __: st.DataObject) -> None:
    """A list comes, empty by default."""
    new = {"name": unused(record), "type": {"type": "array", "items": "string"}, "default": []}
    record["fields"].insert(0, new)


def remove_optional(_: dict[str, Any], record: dict[str, Any], data: st.DataObject) -> None:
    """A field with a default goes."""
    record["fields"].remove(a_field(record, data, lambda field: "default" in field))


def reorder(_: dict[str, Any], record: dict[str, Any], data: st.DataObject) -> None:
    """The fields stand in another order."""
    record["fields"] = data.draw(st.permutations(record["fields"]))


def document(_: dict[str, Any], record: dict[str, Any], data: st.DataObject) -> None:
    """A field is explained better."""
    a_field(record, data, lambda _: True)["doc"] = "Better."


def rename_with_alias(_: dict[str, Any], record: dict[str, Any], data: st.DataObject) -> None:
    """A field with a default gets another name and keeps the old one as an alias."""
    field = a_field(record, data, lambda field: "default" in field)
    field["aliases"], field["name"] = [field["name"]], field["name"] + "_renamed"


def reorder_branches(_: dict[str, Any], record: dict[str, Any], data: st.DataObject) -> None:
    """A union without a default lists its branches the other way round."""
    field = a_field(record, data, lambda field: isinstance(field["type"], list))
    field["type"].reverse()
    field.pop("default", None)


HARMLESS: list[Change] = [add_nullable, add_list, remove_optional, reorder, document, rename_with_alias]


def add_required(_: dict[str, Any], record: dict[str, Any], __: st.DataObject) -> None:
    """A field without a default comes."""
    record["fields"].append({"name": unused(record), "type": "long"})


def remove_required(_: dict[str, Any], record: dict[str, Any], data: st.DataObject) -> None:
    """A field without a default goes."""
    record["fields"].remove(a_field(record, data, lambda field: "default" not in field))


def rename_required(_: dict[str, Any], record: dict[str, Any], data: st.DataObject) -> None:
    """A field without a default gets another name."""
    a_field(record, data, lambda field: "default" not in field)["name"] += "_renamed"


def change_type(_: dict[str, Any], record: dict[str, Any], data: st.DataObject) -> None:
    """A scalar becomes another scalar."""
    field = a_field(record, data, lambda field: field["type"] in SCALARS)
    field["type"] = data.draw(st.sampled_from([each for each in SCALARS if each != field["type"]]))
    field.pop("default", None)


def add_branch(_: dict[str, Any], record: dict[str, Any], data: st.DataObject) -> None:
    """A union gets a branch."""
    a_field(record, data, lambda field: isinstance(field["type"], list))["type"].append({"type": "map", "values": "long"})


def remove_branch(_: dict[str, Any], record: dict[str, Any], data: st.DataObject) -> None:
    """A union loses a branch."""
    a_field(record, data, lambda field: isinstance(field["type"], list) and len(field["type"]) > 1)["type"].pop()


def rename_record(_: dict[str, Any], record: dict[str, Any], __: st.DataObject) -> None:
    """A record gets another name."""
    record["name"] += "x"


def change_unit(_: dict[str, Any], record: dict[str, Any], data: st.DataObject) -> None:
    """A field is in another unit."""
    a_field(record, data, lambda _: True)["unit"] = "fathom"


def require(_: dict[str, Any], record: dict[str, Any], data: st.DataObject) -> None:
    """A field becomes required."""
    a_field(record, data, lambda _: True)["presence"] = "required"


def grow_fixed(_: dict[str, Any], record: dict[str, Any], data: st.DataObject) -> None:
    """A fixed gets a byte more."""
    a_field(record, data, lambda field: isinstance(field["type"], dict) and field["type"]["type"] == "fixed")["type"]["size"] += 1


def add_symbol(_: dict[str, Any], record: dict[str, Any], data: st.DataObject) -> None:
    """An enum without a default gets a symbol."""
    field = a_field(record, data, lambda field: isinstance(field["type"], dict) and field["type"]["type"] == "enum")
    field["type"]["symbols"].append("NEW")


HARMFUL: list[Change] = [
    add_required,
    remove_required,
    rename_required,
    change_type,
    add_branch,
    remove_branch,
    rename_record,
    change_unit,
    require,
    grow_fixed,
    add_symbol,
]


def changed(old: dict[str, Any], change: Change, data: st.DataObject) -> dict[str, Any]:
    """A copy of *old* with one change in one of its records."""
    new = copy.deepcopy(old)
    change(new, data.draw(st.sampled_from(list(every_record(new)))), data)
    return new


def written(schema: dict[str, Any], value: Any) -> bytes:
    """The bytes of a value."""
    body = BytesIO()
    fastavro.schemaless_writer(body, fastavro.parse_schema(copy.deepcopy(schema)), value)
    return body.getvalue()


def read(data: bytes, writer: dict[str, Any], reader: dict[str, Any] | None = None) -> dict[str, Any]:
    """The value in *data*, resolved to the reader's schema."""
    parsed = fastavro.parse_schema(copy.deepcopy(reader)) if reader else None
    value = fastavro.schemaless_reader(BytesIO(data), fastavro.parse_schema(copy.deepcopy(writer)), parsed)
    assert isinstance(value, dict)
    return value


DRAWN = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))


# --- The laws --------------------------------------------------------------------------------------------------------------


@DRAWN
@given(old=schemas(), data=st.data())
def test_what_passes_is_read_in_both_directions(old: dict[str, Any], data: st.DataObject) -> None:
    """Whatever is done to a schema: where nothing is found, each version's bytes are read by the other, and mean the same."""
    new = old
    for change in data.draw(st.lists(st.sampled_from([*HARMLESS, *HARMFUL, reorder_branches]), min_size=1, max_size=3)):
        new = changed(new, change, data)
    assume(not full_transitive(new, {1: old}))

    for writer, reader in ((old, new), (new, old)):
        frame = written(writer, data.draw(values(writer)))

        assert agree(read(frame, writer), read(frame, writer, reader))


def agree(own: Any, other: Any) -> bool:
    """Whether two readings of one value tell the same, as far as both tell it."""
    if isinstance(own, dict) and isinstance(other, dict):
        return all(agree(own[name], other[name]) for name in own.keys() & other.keys())
    if isinstance(own, list) and isinstance(other, list):
        return len(own) == len(other) and all(agree(*pair) for pair in zip(own, other, strict=True))
    return bool(own == other)


@DRAWN
@given(old=schemas(), change=st.sampled_from(HARMLESS), data=st.data())
def test_harmless_changes_pass(old: dict[str, Any], change: Change, data: st.DataObject) -> None:
    """A schema can grow: what every reader survives is not forbidden."""
    assert full_transitive(changed(old, change, data), {1: old}) == []


@DRAWN
@given(old=schemas(), change=st.sampled_from(HARMFUL), data=st.data())
def test_harmful_changes_are_found(old: dict[str, Any], change: Change, data: st.DataObject) -> None:
    """What breaks a reader, or tells it something else, is found wherever in the schema it is done."""
    assert full_transitive(changed(old, change, data), {1: old})


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_table(case: dict[str, Any]) -> None:
    """Each named change is let through or refused as the table says; the registry is held to the same table."""
    identity = {"name": "id", "type": "string"}
    old, new = (record_of("Case", [identity, *case[side]]) for side in ("old", "new"))

    assert case["ours"] == (not full_transitive(new, {1: old}))


# --- What is said, and the corners -----------------------------------------------------------------------------------------


def test_every_old_version_is_asked() -> None:
    """A field that went and comes back in another unit passes against the last version and is found against the first."""
    metres = record_of("R", [{"name": "x", "type": ["null", "double"], "default": None, "unit": "metre"}])
    without = record_of("R", [])
    feet = record_of("R", [{"name": "x", "type": ["null", "double"], "default": None, "unit": "foot"}])

    found = full_transitive(feet, {1: metres, 2: without})

    assert full_transitive(feet, {2: without}) == []
    assert [("x", True)] * 2 == [(each.path, "version 1" in each.message) for each in found]


def test_paths_lead_to_the_field() -> None:
    """A problem names the field by its path from the top, through lists and unions."""
    inner = record_of("I", [{"name": "y", "type": "long", "unit": "metre"}])
    old = record_of("R", [{"name": "x", "type": ["null", {"type": "array", "items": inner}], "default": None}])
    new = copy.deepcopy(old)
    new["fields"][0]["type"][1]["items"]["fields"][0]["unit"] = "foot"

    assert [("x[].y", "the unit is metre for the writer and foot for the reader")] == [
        (each.path, each.message) for each in problems(new, old)
    ]


def test_records_that_hold_themselves_are_compared() -> None:
    """A recursive schema is compared to its end; that it is recursive is for another check to refuse."""
    old = record_of("R", [{"name": "x", "type": "long"}, {"name": "next", "type": ["null", "R"], "default": None}])
    new = copy.deepcopy(old)
    new["fields"][0]["type"] = "string"

    assert problems(old, old) == []
    assert {"x"} == {each.path for each in problems(new, old)}


def test_names_mean_the_same_in_whatever_words() -> None:
    """A namespace written once or in every name, a type written out or named, make no difference."""
    inner = {"type": "record", "name": "I", "fields": []}
    short = record_of("R", [{"name": "x", "type": inner}, {"name": "y", "type": "I"}])
    long = {
        "type": "record",
        "name": "test.R",
        "fields": [
            {"name": "x", "type": {"type": "record", "name": "test.I", "fields": []}},
            {"name": "y", "type": {"type": "test.I"}},
        ],
    }

    assert full_transitive(short, {1: long}) == []


def test_a_name_that_nobody_defines_is_an_error() -> None:
    """What is no schema is refused with the place where it is none, not compared."""
    with pytest.raises(DeclarationError, match=r"reader: x: names the type test\.Nobody"):
        problems(record_of("R", [{"name": "x", "type": "Nobody"}]), record_of("R", []))


def test_one_record_that_stands_for_two_is_compared_with_both() -> None:
    """A record whose aliases take in two old ones must fit each of them, not only the first that is met."""
    one = {"type": "record", "name": "A", "fields": [{"name": "v", "type": "long"}]}
    two = {"type": "record", "name": "B", "fields": [{"name": "v", "type": "string"}]}
    both = {"type": "record", "name": "C", "aliases": ["A", "B"], "fields": [{"name": "v", "type": "long"}]}
    old = record_of("R", [{"name": "x", "type": one}, {"name": "y", "type": two}])
    new = record_of("R", [{"name": "x", "type": both}, {"name": "y", "type": "C"}])

    assert ["y.v"] == [each.path for each in problems(new, old)]


def test_a_branch_that_another_library_would_take_must_do_as_well() -> None:
    """Where one library takes the first branch that fits and another the same type, both readings must be right."""
    moment = {"type": "long", "logicalType": "timestamp-millis"}
    old = record_of("R", [{"name": "x", "type": ["null", moment]}])
    new = record_of("R", [{"name": "x", "type": ["null", "double", moment]}])

    assert ["the logical type is timestamp-millis for the writer and none for the reader"] == [
        each.message for each in problems(new, old)
    ]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ([{"name": "y", "aliases": ["x"], "type": "long"}, {"name": "x", "type": "long"}], "claimed by y already"),
        ([{"name": "y", "aliases": ["x", "z"], "type": "long"}], "several fields under its names: x, z"),
    ],
)
def test_aliases_that_leave_a_doubt_are_refused(fields: list[dict[str, Any]], message: str) -> None:
    """Where libraries would take one old field for another, nothing is guessed."""
    old = record_of("R", [{"name": "x", "type": "long"}, {"name": "z", "type": "long"}])

    assert any(message in each.message for each in problems(record_of("R", fields), old))


@pytest.mark.parametrize(
    ("kind", "default", "portable"),
    [
        (["null", "long"], None, True),
        (["long", "null"], None, False),
        ("long", 2**63 - 1, True),
        ("long", 2**63, False),
        ("int", -(2**31), True),
        ("int", -(2**31) - 1, False),
        ("long", True, False),
        ("double", 1, True),
        ("double", float("nan"), False),
        ("boolean", False, True),
        ("boolean", 0, False),
        ("string", "", True),
        ("bytes", "", False),
        ({"type": "long", "logicalType": "timestamp-millis"}, 0, False),
        ({"type": "array", "items": "long"}, [1, 2], True),
        ({"type": "array", "items": "long"}, ["1"], False),
        ({"type": "map", "values": "string"}, {"a": "b"}, True),
        ({"type": "map", "values": "string"}, {"a": 1}, False),
        ({"type": "enum", "name": "E", "symbols": ["A"]}, "A", True),
        ({"type": "enum", "name": "E", "symbols": ["A"]}, "B", False),
        (record_of("I", [{"name": "a", "type": "long"}]), {"a": 1}, True),
        (record_of("I", [{"name": "a", "type": "long"}]), {}, False),
    ],
)
def test_defaults_that_come_into_play_are_portable(kind: Any, default: Any, portable: bool) -> None:  # noqa: FBT001 - a table's column
    """A default that is not of its type, or that a library gives back otherwise, is no default to rely on."""
    new = record_of("R", [{"name": "x", "type": kind, "default": default}])

    assert portable == (problems(new, record_of("R", [])) == [])
