"""
Hostile Avro against the codec: whatever comes, an answer comes, and memory stays bounded.

The corpus is what fastavro 1.13 by itself takes in, or dies of: bombs of items that take no bytes, deep nesting, negative
indexes, overlong numbers, trailing bytes, keys twice.
"""

from __future__ import annotations

import copy
import json
import math
import struct
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from boutre.errors import DeclarationError, Refuse
from boutre.schemas.codec import FRAME, MAX_BYTES, Codec
from boutre.schemas.hazards import MAX_DEPTH, hazards
from boutre.schemas.lock import core, load
from boutre.schemas.marks import Sealed
from boutre.schemas.normal import Normal, Type, kind_of, normal
from hostile_frames import CODEC, DOUBLES, HEAD, LOCK, REST, SIGHTING, claims, number, place, right, spoilt

T = TypeVar("T")
READER = Path(__file__).with_name("hostile_reader.py")
BOUND = 256_000_000
"""Bytes that reading one frame may take, whatever is in it."""


def test_the_corpus_is_built_on_what_is_right() -> None:
    """The hand-made bytes around the hostile part are those of the codec, so that each row fails for its own reason."""
    one = claims(number(1), b"\x02a\x02b\0\0\0\0")

    assert CODEC.decode(one).value["claims"] == [
        {"attribute": "a", "value": "b", "source": None, "first_seen": None, "last_seen": None}
    ]
    assert CODEC.decode(place("position", DOUBLES + b"\0" * 5)).value["position"]["latitude"] == 1.0
    assert HEAD + b"\x02x" + REST == SIGHTING


@pytest.mark.parametrize("name", sorted(right()))
def test_what_is_right_comes_back(name: str) -> None:
    """A frame of any kind, full, bare, withheld or sealed, is read and written again as the same bytes."""
    frame = right()[name]
    decoded = CODEC.decode(frame)

    assert frame == CODEC.encode(decoded.kind, decoded.value)


# --- Frames that are not -----------------------------------------------------------------------------------------------------

CORPUS: dict[str, tuple[bytes, str]] = {
    "nothing": (b"", "undecodable"),
    "one byte": (b"\0", "undecodable"),
    "a head without a body": (HEAD, "undecodable"),
    "half a head": (HEAD[:4], "undecodable"),
    "another magic byte": (b"\1" + SIGHTING[1:], "undecodable"),
    "JSON": (b'{"id": "x"}', "undecodable"),
    "a container file": (b"Obj\x01" + SIGHTING, "undecodable"),
    "an unknown id": (FRAME.pack(0, 4) + SIGHTING[FRAME.size :], "unknown-schema"),
    "the greatest id": (FRAME.pack(0, 2**32 - 1) + SIGHTING[FRAME.size :], "unknown-schema"),
    "a byte too many for a frame": (SIGHTING + b"\0" * (MAX_BYTES + 1 - len(SIGHTING)), "too-large"),
    "trailing byte": (SIGHTING + b"\0", "not-canonical"),
    "a second record behind the first": (SIGHTING + SIGHTING, "not-canonical"),
    "the last byte missing": (SIGHTING[:-1], "undecodable"),
    "boolean 2": (HEAD + b"\x02x\x02" + REST[1:], "not-canonical"),
    "a union index of -1": (HEAD + b"\x02x" + REST[:-1] + number(-1) + b"\0" * 5, "not-canonical"),
    "a union index of -2": (HEAD + b"\x02x" + REST[:-1] + number(-2), "not-canonical"),
    "a union index of -3": (HEAD + b"\x02x" + REST[:-1] + number(-3), "undecodable"),
    "a union index beyond the last": (HEAD + b"\x02x" + REST[:-1] + number(2), "undecodable"),
    "a union index of 2**62": (HEAD + b"\x02x" + REST[:-1] + number(2**62), "undecodable"),
    "an overlong union index": (HEAD + b"\x02x" + REST[:-1] + b"\x80\x00", "not-canonical"),
    "an overlong number of 20 bytes": (HEAD + b"\x82" + b"\x80" * 18 + b"\0x" + REST, "not-canonical"),
    "an overlong number of 900,000 bytes": (HEAD + b"\x82" + b"\x80" * 900_000 + b"\0x" + REST, "not-canonical"),
    "a number that never ends": (HEAD + b"\xff" * 900_000, "undecodable"),
    "a string of 2**40 bytes": (HEAD + number(2**40) + b"x" + REST, "undecodable"),
    "a string of 2**62 bytes": (HEAD + number(2**62) + b"x" + REST, "undecodable"),
    "a string of -1 bytes": (HEAD + number(-1) + b"x" + REST, "undecodable"),
    "a string of -2**62 bytes": (HEAD + number(-(2**62)) + b"x" + REST, "undecodable"),
    "no UTF-8": (HEAD + b"\x02\xff" + REST, "undecodable"),
    "a surrogate in UTF-8": (HEAD + b"\x06\xed\xa0\x80" + REST, "undecodable"),
    "an overlong slash in UTF-8": (HEAD + b"\x04\xc0\xaf" + REST, "undecodable"),
    "a list of 2**40 items": (claims(number(2**40)), "undecodable"),
    "a list of 2,000,000,000 items": (claims(number(2_000_000_000)), "undecodable"),
    "a list of -2**40 items": (claims(number(-(2**40)) + number(0)), "undecodable"),
    "a list in a block with its size": (claims(number(-1) + number(8), b"\x02a\x02b\0\0\0\0"), "not-canonical"),
    "a list in two blocks": (claims(number(1), b"\x02a\x02b\0\0\0" + number(1) + b"\x02a\x02b\0\0\0\0"), "not-canonical"),
    "a moment in the year 60,000": (place("times", b"\2\0\0\0\2" + number(1_831_305_600_000_000) + b"\0\0"), "undecodable"),
    "a moment of 2**63 - 1": (place("times", b"\2\0\0\0\2" + number(2**63 - 1) + b"\0\0"), "undecodable"),
}


def answers(frames: list[bytes]) -> Iterator[tuple[str, int]]:
    """What a process of its own says to each frame; fewer answers than frames mean that it died of the next one."""
    done = subprocess.run(
        [sys.executable, str(READER)],
        input="".join(f"{frame.hex()}\n" for frame in frames),
        capture_output=True,
        text=True,
        check=False,
        timeout=240,  # against hanging for ever; how fast it is, is no matter of this test
    )
    for line in done.stdout.splitlines():
        answer, taken = line.split()
        yield answer, int(taken)


@cache
def corpus_answers() -> list[tuple[str, int]]:
    """One process reads the whole corpus."""
    return list(answers([frame for frame, _ in CORPUS.values()]))


@pytest.mark.parametrize("name", list(CORPUS))
def test_hostile_frames_are_refused(name: str) -> None:
    """Each is refused with its code, in bounded memory, and the process goes on with the next."""
    at = list(CORPUS).index(name)
    told = corpus_answers()

    assert len(told) > at, f"the reader died of: {list(CORPUS)[len(told)]}"
    answer, taken = told[at]
    assert CORPUS[name][1] == answer
    assert taken < BOUND


def bombs() -> dict[str, bytes]:
    """For each list that a group of a record is, the frame of the greatest size with the most items that fit into it."""
    found = {}
    for entry in LOCK.entries:
        whole = normal(entry.schema)
        root = whole.type(whole.root)
        assert isinstance(root, dict)
        least = [_least(whole, field["type"]) for field in root["fields"]]
        for at, field in enumerate(root["fields"]):
            branches = field["type"] if isinstance(field["type"], list) else [field["type"]]
            for index, branch in enumerate(branches):
                if kind_of(branch) != "array":
                    continue
                item = _least(whole, branch["items"])
                room = MAX_BYTES - FRAME.size - sum(map(len, least)) - 10
                count = room // len(item)
                chosen = number(index) if isinstance(field["type"], list) else b""
                body = chosen + number(count) + item * count + b"\0"
                frame = FRAME.pack(0, entry.id) + b"".join(least[:at]) + body + b"".join(least[at + 1 :])
                found[f"{entry.kind}.{field['name']}"] = frame
    return found


def _least(whole: Normal, at: Type) -> bytes:
    """The fewest bytes that a value of this type takes."""
    at = whole.type(at)
    if isinstance(at, list):
        return min((number(index) + _least(whole, branch) for index, branch in enumerate(at)), key=len)
    if isinstance(at, dict) and at["type"] == "record":
        return b"".join(_least(whole, field["type"]) for field in at["fields"])
    return {"null": b"", "double": b"\0" * 8}.get(kind_of(at), b"\0")


def test_the_most_that_a_frame_can_ask_for_is_bounded() -> None:
    """The greatest frame with the most and smallest items that the schemas allow is read within the bound."""
    made = bombs()
    told = list(answers(list(made.values())))

    assert len(made) == len(told)
    assert [name.partition(".")[0] for name in made] == [answer for answer, _ in told]
    assert max(taken for _, taken in told) < BOUND


def test_a_frame_of_the_greatest_size_is_read() -> None:
    """The cap refuses one byte more, not one less."""
    length = MAX_BYTES - len(HEAD) - len(number(MAX_BYTES)) - len(REST)
    frame = HEAD + number(length) + b"x" * length + REST

    assert len(frame) == MAX_BYTES
    assert length == len(CODEC.decode(frame).value["id"])


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf], ids=str)
def test_numbers_that_are_none_go_no_further(value: float) -> None:
    """NaN and infinity are bytes like others, and no value of any field: they are refused when read and when written."""
    frame = place("position", number(1) + number(1) + struct.pack("<d", value) + b"\0" * 5)

    for refused in (lambda: CODEC.decode(frame), lambda: CODEC.encode("sighting", {"id": "x", "position": {"latitude": value}})):
        with pytest.raises(Refuse, match="out-of-range") as caught:
            refused()
        assert caught.value.field == "position.latitude"


@pytest.mark.parametrize(
    ("value", "code", "field"),
    [
        ({"times": {"received_at": datetime(2024, 1, 1)}}, "naive-time", "times.received_at"),  # noqa: DTZ001 - the point
        ({"position": {"latitude": 1.0, "latitud": 2.0}}, "wrong-type", "position.latitud"),
        ({"latitude": 1.0}, "wrong-type", "latitude"),
        ({"lifecycle": {"revision": 2**63}}, "wrong-type", "lifecycle.revision"),
        ({"lifecycle": {"revision": True}}, "wrong-type", "lifecycle.revision"),
        ({"position": {"latitude": "1.0"}}, "wrong-type", "position.latitude"),
        ({"position": {"latitude": True}}, "wrong-type", "position.latitude"),
        ({"event": Sealed("a", "b", b"", b"")}, "wrong-type", "event"),
        ({"id": "\ud800"}, "wrong-type", "id"),
        ({"id": None}, "wrong-type", "id"),
        ({"unmapped": [{"name": "a", "value": "x" * MAX_BYTES}]}, "too-large", None),
    ],
)
def test_what_does_not_fit_is_not_written(value: dict[str, Any], code: str, field: str | None) -> None:
    """Nothing is dropped, cut or guessed on the way out; the field is named, its value is not."""
    with pytest.raises(Refuse) as caught:
        CODEC.encode("sighting", {"id": "x"} | value)

    assert (code, field) == (caught.value.code, caught.value.field)
    assert caught.value.__cause__ is None


def test_a_kind_that_may_not_stand_there_is_refused() -> None:
    """A frame of another kind than a topic's is refused before its body is read."""
    with pytest.raises(Refuse, match="wrong-kind"):
        CODEC.decode(HEAD + b"\xff" * 20, frozenset({"alert"}))


# --- Fuzz --------------------------------------------------------------------------------------------------------------------


def outcome(act: Callable[[], T]) -> tuple[T | None, Refuse | None]:
    """What comes of it: a value, or a refusal; any other exception is a failure of the codec."""
    try:
        return act(), None
    except Refuse as refused:
        return None, refused


@settings(max_examples=600, deadline=None)
@given(spoilt())
def test_spoilt_frames_are_refused_or_mean_what_they_say(frame: bytes) -> None:
    """Whatever becomes of a frame's bytes: it is refused, or it is exactly what writing its value gives."""
    decoded, refused = outcome(lambda: CODEC.decode(frame))
    if decoded is None:
        assert refused is not None
        assert refused.code in {"undecodable", "unknown-schema", "not-canonical", "too-large"}
        assert str(refused) == refused.code
        assert refused.__cause__ is None
        return
    again, unwritten = outcome(lambda: CODEC.encode(decoded.kind, decoded.value))

    # A number that is not finite is the one thing that is read and not written.
    assert frame == again or (unwritten is not None and unwritten.code == "out-of-range")


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(sorted({entry.id for entry in LOCK.entries})), st.binary(max_size=200))
def test_noise_behind_a_known_id_is_refused_or_means_what_it_says(schema_id: int, body: bytes) -> None:
    """The same for bytes that were never a record."""
    frame = FRAME.pack(0, schema_id) + body
    decoded, refused = outcome(lambda: CODEC.decode(frame))

    assert refused is not None or (decoded and frame == CODEC.encode(decoded.kind, decoded.value))


# --- Schemas that are hostile ------------------------------------------------------------------------------------------------


def of(field_type: Any, **more: Any) -> dict[str, Any]:
    """A record with one field of this type."""
    return {"type": "record", "name": "R", "namespace": "t", "fields": [{"name": "x", "type": field_type}], **more}


def deep(levels: int) -> dict[str, Any]:
    """Records in records."""
    inner: Any = "long"
    for level in range(levels):
        inner = {"type": "record", "name": f"L{level}", "fields": [{"name": "x", "type": inner}]}
    return of(inner)


EMPTY = {"type": "record", "name": "E", "fields": []}


@pytest.mark.parametrize(
    ("schema", "path", "message"),
    [
        (of({"type": "array", "items": "null"}), "x", "take no bytes"),
        (of({"type": "array", "items": EMPTY}), "x", "take no bytes"),
        (of({"type": "array", "items": of(EMPTY, name="N")}), "x", "take no bytes"),
        (of(["null", {"type": "array", "items": "null"}]), "x", "take no bytes"),
        (of({"type": "array", "items": {"type": "array", "items": "null"}}), "x[]", "take no bytes"),
        (of({"type": "array", "items": {"type": "fixed", "name": "F", "size": 0}}), "x", "take no bytes"),
        (of(["null", "R"]), "x", "holds itself"),
        (of({"type": "array", "items": "R"}), "x[]", "holds itself"),
        (of({"type": "map", "values": "R"}), "x", "is a map"),
        (deep(MAX_DEPTH + 1), ".".join("x" * (MAX_DEPTH + 1)), "types deep"),
        (of({"type": "enum", "name": "E", "symbols": ["A"]}), "x", "is a enum"),
        (of({"type": "bytes", "logicalType": "decimal", "precision": 100_000}), "x", "decimal"),
        (of({"type": "string", "logicalType": "timestamp-millis"}), "x", "timestamp-millis"),
        (of("long", name="a name"), "", "name of the record"),
        (of("long", name="R\n"), "", "name of the record"),
        ({"type": "record", "name": "t.R", "fields": [{"name": "a b", "type": "long"}]}, "a b", "name of the field"),
        (of("long", __fastavro_parsed=True, name="a name"), "__fastavro_parsed", "decoder's own memory"),
        (of(of("long", name="N", __fastavro_parsed=True)), "fields.type.__fastavro_parsed", "decoder's own memory"),
        (of("long", __named_schemas={}), "__named_schemas", "decoder's own memory"),
    ],
)
def test_a_schema_that_could_hurt_is_found(schema: dict[str, Any], path: str, message: str) -> None:
    """What would let a few bytes take all memory, time or the process itself is never locked: each is found where it stands."""
    assert [(each.path, message in each.message) for each in hazards(schema)][:1] == [(path, True)]


def test_harmless_schemas_are_not_accused() -> None:
    """Lists of what takes a byte, records named twice and types less deep than the limit are what the core is made of."""
    twice = of({"type": "array", "items": ["null", EMPTY]})
    twice["fields"].append({"name": "y", "type": ["null", "E"]})

    assert hazards(twice) == []
    assert hazards(deep(MAX_DEPTH - 1)) == []
    assert hazards(of({"type": "long", "logicalType": "timestamp-millis"})) == []


@pytest.mark.parametrize("schema", [[], {}, {"type": "record"}, of("Nobody"), of({"type": "array"}), of(None), 5])
def test_what_is_no_schema_is_a_declaration_error(schema: Any) -> None:
    """A file that holds no schema is named, not tripped over."""
    if schema == []:
        assert hazards(schema) == []
        return
    with pytest.raises(DeclarationError, match=r"^here\.avsc"):
        hazards(schema, "here.avsc")


def test_a_locked_schema_carries_no_decoder_memory() -> None:
    """Making a codec leaves the locked schemas as they were: fastavro's own keys never get into what is shown or pushed."""
    before = json.dumps([entry.schema for entry in load(core()).entries])
    fresh = load(core())
    Codec(fresh).decode(copy.copy(SIGHTING))

    assert before == json.dumps([entry.schema for entry in fresh.entries])
