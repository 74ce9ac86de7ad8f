"""
The writer of this project against fastavro: the same bytes for every value, and a refusal where fastavro would guess.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta, timezone
from functools import partial
from io import BytesIO
from typing import Any

import fastavro
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from boutre.errors import Refuse
from boutre.schemas import lock, writing
from boutre.schemas.codec import Codec
from boutre.schemas.marks import Sealed, Withheld
from boutre.schemas.reading import make_reader
from boutre.schemas.writing import make_writer, zigzag
from hostile_values import odd
from records import KINDS

LOCK = lock.load()
CODEC = Codec(LOCK)
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

    assert expected.getvalue() == WRITERS[kind](value)
    assert value == CODEC.decode(CODEC.encode(kind, value)).value


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


def of(kind: Any) -> dict[str, Any]:
    """A record with one field of this type."""
    return {"type": "record", "name": "A", "fields": [{"name": "a", "type": kind}]}


@pytest.mark.parametrize(
    ("schema", "message"),
    [
        (of(["string", "null"]), "^a: a union is of null"),
        (of(["null", "string", "long"]), "^a: a union is of null"),
        (of(["null"]), "^a: a union is of null"),
        (of([]), "^a: a union is of null"),
        (of({"type": "map", "values": "string"}), "^a: the type map"),
        (of("null"), "^a: the type null"),
        (of("float"), "^a: the type float"),
        (of("B"), "^a: the type B"),
        (of(["null", "A"]), "^a: A holds itself"),
        (of({"type": "array", "items": {"type": "record", "name": "B", "fields": []}}), "^a: the items of a list take no bytes"),
        (of({"type": "record", "name": "B", "fields": [{"name": "b", "type": "float"}]}), "^a.b: the type float"),
    ],
)
def test_a_shape_that_is_not_known_is_refused_when_the_writer_is_made(schema: dict[str, Any], message: str) -> None:
    """
    A schema with a shape that the Python type could not tell apart gets neither writer nor reader: no branch is ever guessed.
    """
    with pytest.raises(ValueError, match=message):
        make_writer(schema)
    with pytest.raises(ValueError, match=message):
        make_reader(schema)


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


def outcome(act: Callable[[], bytes]) -> tuple[bytes | None, Refuse | None]:
    """What comes of it: bytes, or a refusal."""
    try:
        return act(), None
    except Refuse as refused:
        return None, refused


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_what_is_refused_is_told_by_its_field(kind: str, data: st.DataObject) -> None:
    """
    A record with something odd in it is written as fastavro reads it, or refused, and then the field can be named.
    """
    value = data.draw(odd(kind))
    written, refused = outcome(lambda: WRITERS[kind](value))
    if refused is not None:
        assert refused.field is not None
        assert refused.code in {"wrong-type", "naive-time", "out-of-range"}
        assert refused.__context__ is None
        return
    assert written is not None
    body = BytesIO(written)
    fastavro.schemaless_reader(body, PARSED[kind], None)

    assert len(written) == body.tell()


def test_the_times_that_are_remembered_are_bounded() -> None:
    """
    However many there were, a writer remembers so many and no more.
    """
    encode = make_writer(
        {"type": "record", "name": "A", "fields": [{"name": "x", "type": {"type": "long", "logicalType": "timestamp-millis"}}]}
    )
    for further in range(writing.MOST_MOMENTS + 10):
        encode({"x": datetime(2026, 9, 20, tzinfo=UTC) + timedelta(seconds=further)})

    assert 0 < len(writing.KNOWN["MOMENTS"]) <= writing.MOST_MOMENTS


def test_one_instant_is_written_alike_in_every_zone() -> None:
    """
    What is remembered of a time is of the instant, and what is below a millisecond is cut off, not rounded.
    """
    encode = make_writer(
        {"type": "record", "name": "A", "fields": [{"name": "x", "type": {"type": "long", "logicalType": "timestamp-millis"}}]}
    )
    at = datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)

    assert zigzag(-1) == encode({"x": at}) == encode({"x": at.astimezone(timezone(timedelta(hours=4)))})
    with pytest.raises(Refuse, match="naive-time"):
        encode({"x": at.replace(tzinfo=None)})
