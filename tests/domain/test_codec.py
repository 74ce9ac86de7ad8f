"""
The codec: what is written is read as it was, and what does not fit is refused by its field, never by its value.
"""

from __future__ import annotations

import struct
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from boutre.errors import Refuse
from boutre.schemas.codec import FRAME, MAX_BYTES, Codec
from boutre.schemas.lock import Lock, Locked
from boutre.schemas.marks import Sealed, Withheld
from records import CODEC, KINDS, LOCK, Value, any_record, attack, below, kwassa

WITHHELD = Withheld("a@1", "default-deny", "somebody")
WRAPPED = {"recipient": "r", "key_id": "k", "encapsulated": b"e", "wrapped": b"w"}
SEALED = Sealed("hpke", "case-1", b"nonce", b"\x00\xff", (WRAPPED,))


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data())
@settings(max_examples=15, deadline=None)
def test_what_is_written_is_read_as_it_was(kind: str, data: st.DataObject) -> None:
    """
    Any record, and any of its groups withheld or sealed.
    """
    value = data.draw(any_record(kind))
    for info in below(kind):
        marks = [WITHHELD] * info.withholdable + [SEALED] * info.sealable
        if marks and data.draw(st.integers(0, 4)) == 0:
            value[info.name] = data.draw(st.sampled_from(marks))
    read = CODEC.decode(CODEC.encode(kind, value))

    assert (kind, value) == (read.kind, read.value)
    assert CODEC.encode(kind, value) == CODEC.encode(kind, read.value)


def test_a_frame_is_a_zero_an_id_and_a_body() -> None:
    """
    Confluent's frame, with the locked id of the newest version.
    """
    frame = CODEC.encode("sighting", attack())

    assert struct.pack(">bI", 0, LOCK.latest("sighting").id) == frame[: FRAME.size]


def test_an_id_can_be_made_of_what_it_names() -> None:
    """
    The frame with the id is the one that would be written with it, and the id was made of the one without.
    """
    seen: list[bytes] = []

    def make(content: bytes) -> str:
        seen.append(content)
        return "made"

    identifier, frame = CODEC.identify("sighting", attack(), make)

    assert "made" == identifier
    assert [CODEC.encode("sighting", {**attack(), "id": ""})] == seen
    assert CODEC.encode("sighting", {**attack(), "id": "made"}) == frame
    with pytest.raises(Refuse):
        CODEC.identify("sighting", attack(), lambda _: "x" * 64)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"canary": 1}, "canary"),
        ({"position": {"latitude": "canary", "longitude": 1.0}}, "position"),
        ({"position": "canary"}, "position"),
        ({"claims": [{"attribute": "name"}]}, "claims"),
        ({"narrative": [{"language": "en", "text": None}]}, "narrative"),
        ({"exercise": "canary"}, "exercise"),
        ({"lifecycle": {"status": 7}}, "lifecycle"),
    ],
)
def test_what_does_not_fit_is_told_by_its_field(change: Value, field: str) -> None:
    """
    Not by its value: the error is shown and logged.
    """
    with pytest.raises(Refuse) as error:
        CODEC.encode("sighting", {**attack(), **change})

    assert "wrong-type" == error.value.code
    assert str(error.value.field).split(".")[0] == field
    assert "canary" not in str(error.value).replace("canary", "", field == "canary")
    assert error.value.__cause__ is None


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (None, "undecodable"),
        (b"", "undecodable"),
        (b"\x00\x00\x00\x00", "undecodable"),
        (b"\x01" + CODEC.encode("sighting", attack())[1:], "undecodable"),
        (b"\x00\xff\xff\xff\xff", "unknown-schema"),
        (CODEC.encode("interception", kwassa()), "wrong-kind"),
        (CODEC.encode("sighting", attack()) + b"\x00", "not-canonical"),
        (CODEC.encode("sighting", attack())[:-1], "undecodable"),
        (b"\x00" * (MAX_BYTES + 1), "too-large"),
    ],
)
def test_bytes_that_are_no_record_of_the_kind_are_refused(data: bytes | None, code: str) -> None:
    """
    Each with its code.
    """
    with pytest.raises(Refuse) as error:
        CODEC.decode(data, frozenset({"sighting"}))

    assert code == error.value.code


def test_a_record_that_would_be_too_large_is_not_written() -> None:
    """
    To the byte: the limit counts the frame.
    """

    def sized(length: int) -> Any:
        return attack(narrative=[{"language": "en", "text": "x" * length}])

    room = MAX_BYTES - len(CODEC.encode("sighting", sized(500_000))) + 500_000

    assert MAX_BYTES == len(CODEC.encode("sighting", sized(room)))
    with pytest.raises(Refuse, match="too-large"):
        CODEC.encode("sighting", sized(room + 1))
    with pytest.raises(Refuse, match="wrong-kind"):
        CODEC.encode("invented", attack())


# --- Parts -------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data())
@settings(max_examples=10, deadline=None)
def test_a_field_can_be_written_before_its_record(kind: str, data: st.DataObject) -> None:
    """
    Whatever field, from a value or as it stood in a frame: the record is the same as if it were written at once.
    """
    value = data.draw(any_record(kind))
    frame = CODEC.encode(kind, value)
    decoded = CODEC.decode(frame)
    prepared = {name: CODEC.prepare(kind, name, group) for name, group in value.items()}

    assert prepared == {name: decoded.part(name) for name in value}
    assert frame == CODEC.encode(kind, prepared)
    name = data.draw(st.sampled_from(sorted(value)))
    assert frame == CODEC.encode(kind, {**value, name: prepared[name]})
    assert prepared[name] == CODEC.prepare(kind, name, prepared[name])


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data())
@settings(max_examples=10, deadline=None)
def test_a_frame_is_given_again_with_other_fields(kind: str, data: st.DataObject) -> None:
    """
    With any fields of another record in their place it is the frame of the record so changed.
    """
    value, other = data.draw(any_record(kind)), data.draw(any_record(kind))
    names = data.draw(st.sets(st.sampled_from(sorted(value))))
    changes = {name: other[name] for name in names}
    decoded = CODEC.decode(CODEC.encode(kind, value))

    assert CODEC.encode(kind, {**value, **changes}) == decoded.frame_with(changes)
    assert CODEC.encode(kind, value) == decoded.frame_with({})


def test_what_does_not_fit_is_no_part() -> None:
    """
    Nor is a part that stands anywhere but in the place of a whole field, and each is told by its path.
    """
    decoded = CODEC.decode(CODEC.encode("sighting", attack()))
    part = decoded.part("position")

    for act, field in (
        (lambda: CODEC.prepare("sighting", "position", {"latitude": "1.0"}), "position.latitude"),
        (lambda: CODEC.prepare("sighting", "id", None), "id"),
        (lambda: decoded.frame_with({"position": {"latitude": True}}), "position.latitude"),
        (lambda: decoded.frame_with({"canary": 1}), "canary"),
        (lambda: CODEC.encode("sighting", {**attack(), "claims": [part]}), "claims"),
        (lambda: CODEC.encode("sighting", {**attack(), "event": {"type": part}}), "event.type"),
    ):
        with pytest.raises(Refuse, match="wrong-type") as error:
            act()
        assert field == error.value.field
    with pytest.raises(KeyError):
        decoded.part("canary")
    with pytest.raises(KeyError):
        CODEC.prepare("sighting", "canary", 1)


def test_a_frame_with_other_fields_is_not_too_large() -> None:
    """
    It is held to the same limit as one that is written at once.
    """
    decoded = CODEC.decode(CODEC.encode("sighting", attack()))

    with pytest.raises(Refuse, match="too-large"):
        decoded.frame_with({"narrative": [{"language": "en", "text": "x" * MAX_BYTES}]})


def test_what_an_older_version_wrote_has_the_parts_of_the_newest() -> None:
    """
    Its value is read in the form of the newest version, and its fields are written anew by it.
    """
    older = LOCK.latest("sighting")
    schema = deepcopy(older.schema)
    schema["fields"].insert(1, {"name": "novel", "type": {"type": "array", "items": "string"}, "default": ["a"], "unit": "text"})
    newest = Locked(0x7FFFFFF0, "sighting", older.version + 1, schema, "")
    codec = Codec(Lock((older, newest)))
    decoded = codec.decode(CODEC.encode("sighting", attack()))

    assert (older.version, ["a"]) == (decoded.version, decoded.value["novel"])
    assert codec.prepare("sighting", "novel", ["a"]) == decoded.part("novel")
    assert codec.encode("sighting", {**attack(), "exercise": True}) == decoded.frame_with({"exercise": True})
    decoded.value["novel"].append("mine")
    assert ["a"] == codec.decode(CODEC.encode("sighting", attack())).value["novel"]
    with pytest.raises(Refuse, match="not-canonical"):
        codec.decode(CODEC.encode("sighting", attack()) + b"\0")
