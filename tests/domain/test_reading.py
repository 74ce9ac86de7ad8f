"""
The reader made from a schema against the second implementation: the same value or the same refusal for every sequence of bytes.
"""

from __future__ import annotations

import math
import struct
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from boutre.errors import Refuse
from boutre.schemas import reading
from boutre.schemas.codec import FRAME
from boutre.schemas.reading import make_reader
from boutre.schemas.writing import zigzag
from hostile_frames import CODEC, LOCK, SEALED, WITHHELD, right, second, spoilt
from records import attack, track

READERS = {entry.id: make_reader(entry.schema) for entry in LOCK.entries}
ORDINARY = {
    "attack": CODEC.encode("sighting", attack(narrative=[{"language": "en", "text": "x" * 70}])),
    "track": CODEC.encode("sighting", track("t1")),
    "withheld": CODEC.encode("sighting", attack(craft=WITHHELD, victims=WITHHELD)),
    "sealed": CODEC.encode("sighting", attack(victims=SEALED)),
    "receipt": right()["receipt full"],
}
EDGES = [0, -1, 1, 63, 64, -64, -65, 2**31, -(2**31), 2**63 - 1, -(2**63)]


def told(frame: bytes) -> tuple[str, Any]:
    """What the codec says of a frame: its value, or the code of the refusal."""
    try:
        return "", CODEC.decode(frame).value
    except Refuse as refused:
        return refused.code, refused.field


def told_by_the_second(frame: bytes) -> tuple[str, Any]:
    """What the second implementation says."""
    try:
        return "", second(FRAME.unpack_from(frame)[1])(frame)
    except Refuse as refused:
        return refused.code, refused.field


def taken(frame: bytes) -> bool:
    """Whether the reader by itself takes the frame, with nobody asked why."""
    try:
        READERS[FRAME.unpack_from(frame)[1]](frame, FRAME.size)
    except Exception:  # noqa: BLE001 - anything that it raises is a refusal
        return False
    return True


def known(frame: bytes) -> bool:
    """Whether the head is that of a locked schema, so that there is a body to speak of."""
    return len(frame) >= FRAME.size and frame[0] == 0 and FRAME.unpack_from(frame)[1] in READERS


def spoilings(frame: bytes, at: int) -> list[bytes]:
    """The frame with the byte at a place turned, overlong, one more, gone, doubled, or the last."""
    before, byte, behind = frame[:at], frame[at], frame[at + 1 :]
    turned = [before + bytes((byte ^ 1 << bit,)) + behind for bit in range(8)]
    one_more, gone, doubled = frame[:at] + b"\0" + frame[at:], before + behind, frame[: at + 1] + frame[at:]
    return [*turned, before + bytes((byte | 0x80, 0)) + behind, before + b"\2" + behind, one_more, gone, doubled, before]


@pytest.mark.parametrize("name", sorted(right()))
def test_frames_of_every_kind_are_read_as_by_the_second(name: str) -> None:
    """
    Full, bare, withheld and sealed: the same value, of the same types, and by the reader alone.
    """
    frame = right()[name]

    assert told_by_the_second(frame) == told(frame)
    assert repr(told_by_the_second(frame)) == repr(told(frame))
    assert taken(frame)


@pytest.mark.parametrize("name", ORDINARY)
def test_each_byte_counts(name: str) -> None:
    """
    Whatever becomes of any one byte of an ordinary frame, both say the same, and the reader takes exactly what is canonical.
    """
    frame = ORDINARY[name]
    for at in range(FRAME.size, len(frame)):
        for other in spoilings(frame, at):
            expected = told_by_the_second(other)

            assert expected == told(other), at
            assert (expected[0] == "") == taken(other), at


@settings(max_examples=300, deadline=None)
@given(spoilt().filter(known))
def test_spoilt_frames_are_told_as_by_the_second(frame: bytes) -> None:
    """
    Whatever becomes of up to four places of any frame, both say the same.
    """
    expected = told_by_the_second(frame)

    assert expected == told(frame)
    assert (expected[0] == "") == taken(frame)


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(sorted(READERS)), st.binary(max_size=120))
def test_noise_is_told_as_by_the_second(schema_id: int, body: bytes) -> None:
    """
    The same for bytes that were never a record.
    """
    frame = FRAME.pack(0, schema_id) + body

    assert told_by_the_second(frame) == told(frame)


# --- Every type by itself ----------------------------------------------------------------------------------------------------


def of(kind: Any) -> reading.Read:
    """A reader of a record of one field *x*."""
    return make_reader({"type": "record", "name": "R", "fields": [{"name": "x", "type": kind}]})


def refused(read: reading.Read, data: bytes) -> bool:
    """Whether a reader refuses the bytes."""
    try:
        read(data, 0)
    except Exception:  # noqa: BLE001 - the same
        return True
    return False


WORDS = {"type": "array", "items": "string"}
MAYBE = ["null", "string"]


@pytest.mark.parametrize(
    ("kind", "right", "wrong"),
    [
        ("boolean", b"\1", (b"\2", b"\x81", b"\x80\0", b"\1\0", b"")),
        ("string", b"\2a", (b"\1", b"\3a", b"\4a", b"\2\xff", b"\2a\0", b"\x82\0a", b"\2", b"")),
        ("bytes", b"\2a", (b"\1", b"\3a", b"\4a", b"\2a\0", b"\x82\0a", b"\2", b"")),
        (
            "double",
            struct.pack("<d", 1.5),
            (b"\0" * 7, b"\0" * 9, *(struct.pack("<d", x) for x in (math.inf, -math.inf, math.nan))),
        ),
        (MAYBE, b"\2\2a", (b"\1", b"\3", b"\4", b"\6\2a", b"\x80\0", b"\x82\0\2a", b"\2", b"\0\0", b"")),
        (
            WORDS,
            b"\4\2a\2b\0",
            (b"\2\2a\2\2b\0", b"\3\4\2a\2b\0", b"\4\2a\2b", b"\4\2a\2b\1", b"\6\2a\2b\0", b"\x80\0", b"\0\0", b""),
        ),
        ({"type": "long", "logicalType": "timestamp-millis"}, zigzag(10**12), (zigzag(10**15), zigzag(2**63 - 1), b"\x80\0", b"")),
        ({"type": "int", "logicalType": "date"}, zigzag(-1), (zigzag(2**31), zigzag(10**7), zigzag(-(10**6)), b"\x80\0", b"")),
    ],
    ids=["boolean", "string", "bytes", "double", "union", "list", "time", "date"],
)
def test_only_what_would_be_written_is_read(kind: Any, right: bytes, wrong: tuple[bytes, ...]) -> None:
    """
    Of each type the reader takes the one sequence of bytes that stands for a value, and no other.
    """
    assert not refused(of(kind), right)
    for data in wrong:
        assert refused(of(kind), data), data


@given(st.sampled_from(EDGES) | st.integers(-(2**63), 2**63 - 1))
@example(2**62)
def test_a_long_is_read_in_its_shortest_form_only(number: int) -> None:
    """
    At every edge of its length; with a byte more that says nothing it is refused.
    """
    data = zigzag(number)
    overlong = data[:-1] + bytes((data[-1] | 0x80, 0))

    assert ({"x": number}, (0, len(data))) == of("long")(data, 0)
    assert refused(of("long"), overlong)
    assert refused(of("long"), data[:-1])
    assert refused(of("long"), data + b"\0")


@pytest.mark.parametrize("data", [b"\xff" * 9 + b"\x02", b"\xff" * 10 + b"\x01", b"\xff" * 900_000, b"\x80" * 9 + b"\x00"])
def test_a_number_of_more_than_64_bits_is_refused(data: bytes) -> None:
    """
    However long it goes on.
    """
    assert not refused(of("long"), b"\xff" * 9 + b"\x01")
    assert refused(of("long"), data)
    assert refused(of("string"), data)
    assert refused(of({"type": "array", "items": "string"}), data)


@pytest.mark.parametrize("number", [-(2**31) - 1, 2**31])
def test_an_int_has_32_bits(number: int) -> None:
    """
    One more or less is no int.
    """
    inside = number - 1 if number > 0 else number + 1

    assert {"x": inside} == of("int")(zigzag(inside), 0)[0]
    assert refused(of("int"), zigzag(number))


@given(st.integers(-62_135_596_800_000, 253_402_300_799_999))
@example(2**34 - 1)
@example(2**34)
@example(2**41 - 1)
@example(2**41)
@example(-1)
def test_a_time_is_read_to_the_millisecond(milliseconds: int) -> None:
    """
    In every year that a calendar has, and the second time as the first.
    """
    read = of({"type": "long", "logicalType": "timestamp-millis"})
    at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=milliseconds)

    for _ in range(2):
        assert {"x": at} == read(zigzag(milliseconds), 0)[0]
        assert refused(read, zigzag(milliseconds) + b"\0")


def test_the_times_that_are_remembered_are_bounded() -> None:
    """
    However many there were, a reader remembers so many and no more.
    """
    read = of({"type": "long", "logicalType": "timestamp-millis"})
    for further in range(reading.MOST_MOMENTS + 10):
        read(zigzag(10**12 + further), 0)

    assert 0 < len(reading.KNOWN["MOMENTS"]) <= reading.MOST_MOMENTS


def test_where_each_field_stands_is_told() -> None:
    """
    From the beginning of the first to the end of the last, in a frame of any kind.
    """
    for frame in right().values():
        decoded = CODEC.decode(frame)
        assert decoded.begins is not None
        pieces = [frame[begin:end] for begin, end in zip(decoded.begins, decoded.begins[1:], strict=False)]

        assert frame == frame[: FRAME.size] + b"".join(pieces)
        assert pieces == [CODEC.prepare(decoded.kind, name, group).data for name, group in decoded.value.items()]


@pytest.mark.parametrize("deep", [1, 7, 23])
def test_records_in_records_are_read_however_deep(deep: int) -> None:
    """
    As deep as a schema may be, also in lists, of which Python allows only so many in one function.
    """
    inner: Any = "long"
    for level in range(deep):
        inner = {"type": "array", "items": {"type": "record", "name": f"L{level}", "fields": [{"name": "x", "type": inner}]}}
    expected: Any = 7
    for _ in range(deep):
        expected = [{"x": expected}]

    assert {"x": expected} == of(inner)(b"\2" * deep + b"\x0e" + b"\0" * deep, 0)[0]


def test_what_reads_the_same_is_made_once_and_shares_nothing() -> None:
    """
    Two values never share a list, nor does a value change what is read after it.
    """
    read = of({"type": "array", "items": "string"})
    read(b"\0", 0)[0]["x"].append("mine")

    assert {"x": []} == read(b"\0", 0)[0]
