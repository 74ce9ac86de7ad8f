"""
What one line of an NMEA log is read as.
"""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from boutre.connectors.sources.nmea import BLANK, MAX_LINE, Flaw, Other, Sentence, Wrapper, checksum, parse

POSITION = b"!BSVDM,1,1,,A,13:WB@0vC2PmgjpP`WO=DbdF0<0U,0*5D"
WRAPPER = b"$PGHP,1,2010,6,11,11,46,12,470,219,,2190064,1,5D*57"


def framed(content: bytes, start: bytes = b"!") -> bytes:
    """
    *content* as a sentence, with the checksum that fits it.
    """
    return start + content + b"*%02X" % checksum(content)


def tagged(block: bytes, rest: bytes) -> bytes:
    """
    *rest* behind the tag block *block*, with the checksum that fits the block.
    """
    return b"\\" + block + b"*%02X" % checksum(block) + b"\\" + rest


def test_a_sentence_is_read_field_by_field() -> None:
    """An AIS sentence gives its talker, its place among its parts, its channel, payload and fill bits."""
    expected = Sentence("BS", "VDM", 1, 1, "", "A", "13:WB@0vC2PmgjpP`WO=DbdF0<0U", 0, 0x5D)

    assert expected == parse(POSITION + b"\r\n")


def test_a_wrapper_gives_time_and_station() -> None:
    """A $PGHP line gives the receipt to the millisecond in UTC, and the station with the zeros that the chain lost."""
    expected = Wrapper(datetime(2010, 6, 11, 11, 46, 12, 470_000, tzinfo=UTC), "219", "", "002190064", 0x5D)

    assert expected == parse(WRAPPER)


@pytest.mark.parametrize("talker", [b"AI", b"AB", b"BS", b"BY", b"SS", b"--"])
@pytest.mark.parametrize("formatter", [b"VDM", b"VDO"])
def test_every_talker_is_heard(talker: bytes, formatter: bytes) -> None:
    """Whoever talks, and whether of others or of itself, the sentence is AIS; some receivers write no talker at all."""
    assert isinstance(parse(framed(talker + formatter + b",1,1,,A,1000000000,0")), Sentence)


@pytest.mark.parametrize(
    ("count", "expected"),
    [
        (b"1276256770", datetime(2010, 6, 11, 11, 46, 10, tzinfo=UTC)),
        (b"1276256770390", datetime(2010, 6, 11, 11, 46, 10, 390_000, tzinfo=UTC)),
        (b"100000000000", datetime(5138, 11, 16, 9, 46, 40, tzinfo=UTC)),
    ],
)
def test_a_tag_block_gives_time_and_station(count: bytes, expected: datetime) -> None:
    """The time of a tag block is read whether it counts seconds or milliseconds, and so is its station."""
    found = parse(tagged(b"s:r003669945,c:" + count, POSITION))

    assert isinstance(found, Sentence)
    assert (expected, "r003669945") == (found.at, found.station)


def test_fields_behind_the_checksum_are_read() -> None:
    """Loggers add the time of receipt, and some the station, behind the checksum."""
    found = parse(POSITION + b",r003669945,1276256770")

    assert isinstance(found, Sentence)
    assert (datetime(2010, 6, 11, 11, 46, 10, tzinfo=UTC), "r003669945") == (found.at, found.station)


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (POSITION.replace(b"13:W", b"13:X"), "bad-checksum"),
        (POSITION[:-3], "malformed-line"),
        (b"noise", "malformed-line"),
        (b"!AIVDM\xff,1*00", "malformed-line"),
        (framed(b"AIVDM,1,2,,A,1000,0"), "malformed-line"),
        (framed(b"AIVDM,2,1,1,A,1000,2"), "malformed-line"),
        (framed(b"AIVDM,1,1,,A,10X0,0"), "malformed-line"),
        (framed(b"AIVDM,1,1,,A,1000,6"), "malformed-line"),
        (framed(b"AIVDM,1,1,,A,1000"), "malformed-line"),
        (framed(b"PGHP,1,2010,2,30,11,46,12,470,219,,2190064,1,5D", b"$"), "impossible-time"),
        (framed(b"PGHP,1,2010,6,11", b"$"), "malformed-line"),
        (b"\\s:station\\" + POSITION, "bad-checksum"),
        (b"\\s:station*00\\" + POSITION, "bad-checksum"),
        (tagged(b"c:12", POSITION), "impossible-time"),
        (b"\\s:station" + POSITION, "malformed-line"),
        (b"!" + b"A" * MAX_LINE, "too-large"),
        (tagged(b"s:a", tagged(b"s:b", POSITION)), "malformed-line"),
    ],
)
def test_what_is_wrong_is_said(line: bytes, code: str) -> None:
    """A damaged line is a flaw with the code of what is wrong, and its detail holds nothing of the line."""
    found = parse(line)

    assert isinstance(found, Flaw)
    assert code == found.code
    assert "13:" not in found.detail


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (framed(b"GPGGA,114612,5530.1,N,01234.5,E,1,8,1.0,5,M,,M,,", b"$"), "other-sentence"),
        (framed(b"AIVSI,r003669945,1,114612.0,0,-100,20"), "other-sentence"),
        (b"# a comment", "comment"),
        (tagged(b"s:station", b""), "tag-block-alone"),
        (b" \r\n", BLANK.reason),
    ],
)
def test_what_is_no_ais_is_named(line: bytes, reason: str) -> None:
    """A sound line that holds no AIS is named for what it is, and is no flaw."""
    assert Other(reason) == parse(line)


lines = st.one_of(
    st.binary(max_size=MAX_LINE + 2),
    st.text(alphabet="!$\\*,:AIVDMPGHPBSO0123456789abcghsw-", max_size=120).map(str.encode),
    st.text(alphabet="AIVDMPGHP,0123456789", max_size=80).map(lambda text: framed(text.encode())),
    st.text(alphabet="sgcdnrt:,-0123456789", max_size=80).map(lambda text: tagged(text.encode(), POSITION)),
)


@given(lines)
def test_no_line_raises(line: bytes) -> None:
    """Whatever the bytes are, a line is read as something."""
    assert isinstance(parse(line), Sentence | Wrapper | Other | Flaw)


@given(st.integers(0, len(POSITION) - 4), st.integers(1, 127))
def test_one_garbled_byte_is_never_taken_for_the_sentence(place: int, garbling: int) -> None:
    """A sentence in which one byte came wrong is not read as a sound one: XOR finds every single error."""
    garbled = bytearray(POSITION)
    garbled[place] ^= garbling

    assert not isinstance(parse(bytes(garbled)), Sentence)
