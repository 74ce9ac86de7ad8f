"""
The writer of this project against fastavro: the same bytes for every value, and a refusal where fastavro would guess.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from functools import partial
from io import BytesIO
from typing import Any

import fastavro
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from boutre.errors import Refuse
from boutre.schemas import lock
from boutre.schemas.codec import Codec
from boutre.schemas.marks import Sealed, Withheld
from boutre.schemas.writing import make_writer, zigzag

LOCK = lock.load()
SCHEMAS = {kind: LOCK.latest(kind).schema for kind in sorted(LOCK.kinds)}
WRITERS = {kind: make_writer(schema) for kind, schema in SCHEMAS.items()}
PARSED = {kind: fastavro.parse_schema(schema) for kind, schema in SCHEMAS.items()}
MOMENTS = st.integers(-(10**12), 10**13).map(lambda ms: datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=ms))
EDGES = st.sampled_from([0, -1, 1, 63, 64, 1023, 1024, -64, -65, 2**31, -(2**63), 2**63 - 1])

LEAVES: Mapping[str, st.SearchStrategy[Any]] = {
    "string": st.text(max_size=80) | st.just("é" * 600),
    "bytes": st.binary(max_size=80),
    "boolean": st.booleans(),
    "double": st.floats(allow_nan=False, allow_infinity=False),
    "long": EDGES | st.integers(-(2**63), 2**63 - 1),
    "timestamp-millis": MOMENTS,
    "date": st.dates(date(1900, 1, 1), date(2100, 1, 1)),
}


def marked(name: str, drawn: dict[str, Any]) -> Any:
    """
    Give the mark of the bus that a record stands for, or the record itself.
    """
    if name == "Withheld":
        return Withheld(**drawn)
    return Sealed(**{**drawn, "keys": tuple(drawn["keys"])}) if name == "Sealed" else drawn


def values(schema: Any, named: dict[str, Any]) -> st.SearchStrategy[Any]:
    """
    Draw values of a schema, marks of the bus where they may stand.
    """
    if isinstance(schema, list):
        return st.one_of(*(st.none() if branch == "null" else values(branch, named) for branch in schema))
    if isinstance(schema, str):
        return LEAVES[schema] if schema in LEAVES else values(named[schema.rpartition(".")[2]], named)
    if schema["type"] == "array":
        return st.lists(values(schema["items"], named), max_size=3)
    if schema["type"] == "record":
        named[schema["name"]] = schema
        fields = st.fixed_dictionaries({field["name"]: values(field["type"], named) for field in schema["fields"]})
        return fields.map(partial(marked, schema["name"]))
    return LEAVES[schema.get("logicalType", schema["type"])]


def hinted(value: Any, schema: Any, named: dict[str, Any]) -> Any:
    """
    Give *value* with the names of records in unions that fastavro needs.
    """
    if isinstance(schema, list):
        for branch in schema:
            record = branch if isinstance(branch, dict) else named.get(str(branch).rpartition(".")[2], {})
            name = record.get("name")
            fits = (
                isinstance(value, Withheld | Sealed)
                if name in ("Withheld", "Sealed")
                else isinstance(value, dict)
                if record.get("type") == "record"
                else isinstance(value, list) == (record.get("type") == "array")
            )
            if (
                branch != "null"
                and fits
                and value is not None
                and (name in (None, type(value).__name__) or isinstance(value, dict))
            ):
                inner = hinted(value, branch, named)
                return (f"boutre.{name}", inner) if name and record["type"] == "record" else inner
        return None
    if isinstance(schema, str):
        return hinted(value, named[schema.rpartition(".")[2]], named) if schema.rpartition(".")[2] in named else value
    if schema["type"] == "array":
        return [hinted(item, schema["items"], named) for item in value]
    if schema["type"] == "record":
        named[schema["name"]] = schema
        get = value.get if isinstance(value, dict) else lambda name: getattr(value, name)
        return {field["name"]: hinted(get(field["name"]), field["type"], named) for field in schema["fields"]}
    return value


@pytest.mark.parametrize("kind", SCHEMAS)
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_the_bytes_are_those_of_fastavro(kind: str, data: st.DataObject) -> None:
    """
    For every value of every schema the writer gives what fastavro gives, and the codec reads the same value back.
    """
    value = data.draw(values(SCHEMAS[kind], {}))
    expected = BytesIO()
    named: dict[str, Any] = {}
    _collect(SCHEMAS[kind], named)
    fastavro.schemaless_writer(expected, PARSED[kind], hinted(value, SCHEMAS[kind], named))
    codec = Codec(LOCK)

    assert expected.getvalue() == WRITERS[kind](value)
    assert value == codec.decode(codec.encode(kind, value)).value


def _collect(schema: Any, named: dict[str, Any]) -> None:
    for branch in schema if isinstance(schema, list) else [schema]:
        if isinstance(branch, dict) and branch["type"] == "record":
            named[branch["name"]] = branch
            for field in branch["fields"]:
                _collect(field["type"], named)
        elif isinstance(branch, dict) and branch["type"] == "array":
            _collect(branch["items"], named)


@given(EDGES | st.integers(-(2**63), 2**63 - 1))
def test_longs_are_zigzag(number: int) -> None:
    """
    A long is written as fastavro writes it, at every edge of its length.
    """
    expected = BytesIO()
    fastavro.schemaless_writer(expected, "long", number)

    assert expected.getvalue() == zigzag(number)


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "record", "name": "A", "fields": [{"name": "a", "type": ["string", "null"]}]},
        {"type": "record", "name": "A", "fields": [{"name": "a", "type": ["null", "string", "long"]}]},
        {"type": "record", "name": "A", "fields": [{"name": "a", "type": ["null"]}]},
        {"type": "record", "name": "A", "fields": [{"name": "a", "type": {"type": "map", "values": "string"}}]},
    ],
)
def test_a_shape_that_is_not_known_is_refused_when_the_writer_is_made(schema: dict[str, Any]) -> None:
    """
    A schema with a shape that the Python type could not tell apart never gets a writer, so that no branch is ever guessed.
    """
    with pytest.raises((KeyError, ValueError)):
        make_writer(schema)


def test_a_missing_field_takes_its_default_or_is_refused() -> None:
    """
    What may be missing is written as its default; what may not is named.
    """
    encode = make_writer(
        {
            "type": "record",
            "name": "A",
            "fields": [
                {"name": "needed", "type": "string"},
                {"name": "flag", "type": "boolean", "default": False},
                {"name": "list", "type": {"type": "array", "items": "string"}, "default": []},
                {"name": "maybe", "type": ["null", "string"], "default": None},
            ],
        }
    )

    assert b"\x02x\x00\x00\x00" == encode({"needed": "x"})
    with pytest.raises(Refuse) as caught:
        encode({"flag": True})
    assert ("wrong-type", "needed") == (caught.value.code, caught.value.field)
