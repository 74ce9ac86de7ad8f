"""
One line of an NMEA log or stream, read as what it is: an AIS sentence, a ``$PGHP`` wrapper, another sentence, or not NMEA.

Frames after IEC 61162-1 (sentences) and NMEA 0183 4.10 (tag blocks); ``$PGHP`` is the wrapper of Gatehouse receivers, which
stands on a line of its own before the sentences it speaks of. Some loggers add fields after the checksum, the last of them the
time of receipt in seconds since 1970. Nothing here raises, whatever the bytes; the AIS payload is not looked into.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import reduce
from operator import xor
from typing import Final, TypeAlias

MAX_LINE: Final = 1024
"""
Bytes of the longest line that is read; IEC 61162-1 allows 82 for a sentence, and tag blocks add some hundred.
"""

_FRAME: Final = re.compile(rb"([!$])([^*]*)\*([0-9A-Fa-f]{2})((?:,[^,]*)*)")
_AIS: Final = re.compile(rb"([!-~]{2})(VDM|VDO),([1-9]),([1-9]),([0-9]?),([^,]{0,2}),([0-W`-w]*),([0-5])")
_AIS_HEAD: Final = re.compile(rb"..VD[MO],", re.DOTALL)
_WRAPPER: Final = re.compile(
    rb"PGHP,1,(\d{4}),(\d{1,2}),(\d{1,2}),(\d{1,2}),(\d{1,2}),(\d{1,2}),(\d{1,3}),"
    rb"(\d{0,9}),(\d{0,9}),(\d{0,9}),([01]?),([0-9A-Fa-f]{1,2})"
)
_TAG_BLOCK: Final = re.compile(rb"\\([^\\]*)\\(.*)", re.DOTALL)
_GROUP: Final = re.compile(r"([1-9]\d?)-([1-9]\d?)-(\d{1,9})")
_DIGITS: Final = re.compile(r"\d{9,13}")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECONDS: Final = 10**11  # tag blocks count seconds; receivers that count milliseconds give more than this since 1973
_HEX: Final = 16


@dataclass(frozen=True, slots=True)
class Sentence:
    """
    One AIS sentence: part *number* of *total* of a message whose six-bit characters are *payload*.

    *fill* is how many bits at its end are padding. *at* (UTC) and *station* are what the line itself tells of its receipt, by tag
    block or by fields after the checksum. *group* is the tag block's: number, total, identifier.
    """

    talker: str
    formatter: str
    total: int
    number: int
    sequence: str
    channel: str
    payload: str
    fill: int
    checksum: int
    at: datetime | None = None
    station: str = ""
    group: tuple[int, int, str] | None = None


@dataclass(frozen=True, slots=True)
class Wrapper:
    """
    What a receiver chain says of the message on the next lines: when (UTC, to the millisecond) and by which station it was heard.

    *station* is the MMSI of the base station, nine digits, or empty. *checksum* is that of the sentence, of several parts all of
    them XORed together; 0 where the chain does not give it, as with what a station sends itself.
    """

    at: datetime
    country: str
    region: str
    station: str
    checksum: int


@dataclass(frozen=True, slots=True)
class Other:
    """
    A sound line that holds no AIS: another sentence, a comment, or nothing at all.
    """

    reason: str


@dataclass(frozen=True, slots=True)
class Flaw:
    """
    Why a line cannot be used: a code of the vocabulary reject-reason, and what was expected.
    """

    code: str
    detail: str
    field: str | None = None


Line: TypeAlias = Sentence | Wrapper | Other | Flaw

BLANK: Final = Other("blank-line")


def parse(line: bytes) -> Line:
    """
    Read one *line*, with or without its end.
    """
    if len(line) > MAX_LINE:
        return Flaw("too-large", f"a line has at most {MAX_LINE} bytes")
    line = line.strip(b" \t\r\n\0")
    if not line:
        return BLANK
    if not line.isascii():
        return Flaw("malformed-line", "NMEA is ASCII only")
    if line.startswith(b"#"):
        return Other("comment")
    if line.startswith(b"\\"):
        return _tagged(line)
    return _sentence(line)


def checksum(content: bytes) -> int:
    """
    XOR of all bytes, as NMEA counts it between ``!`` or ``$`` and ``*``.
    """
    return reduce(xor, content, 0)


def _sentence(line: bytes) -> Line:
    frame = _FRAME.fullmatch(line)
    if frame is None:
        return Flaw("malformed-line", "a sentence begins with ! or $ and ends with * and two hexadecimal digits")
    start, content, given, rest = frame.groups()
    if checksum(content) != int(given, _HEX):
        return Flaw("bad-checksum", "the checksum does not fit the sentence", "checksum")
    if start == b"$" and content.startswith(b"PGHP,1,"):
        return _wrapper(content)
    if start == b"$" or _AIS_HEAD.match(content) is None:
        return Other("other-sentence")
    return _ais(content, given, rest)


def _ais(content: bytes, given: bytes, rest: bytes) -> Line:
    found = _AIS.fullmatch(content)
    if found is None:
        return Flaw("malformed-line", "an AIS sentence has seven fields: parts, part, sequence, channel, payload, fill bits")
    talker, formatter, total, number, sequence, channel, payload, fill = (part.decode("ascii") for part in found.groups())
    if int(number) > int(total):
        return Flaw("malformed-line", "a part's number is not above the number of parts", "part")
    if fill != "0" and number != total:
        return Flaw("malformed-line", "only the last part has fill bits", "fill bits")
    at, station = _logged(rest)
    return Sentence(
        talker, formatter, int(total), int(number), sequence, channel, payload, int(fill), int(given, _HEX), at, station
    )


def _logged(rest: bytes) -> tuple[datetime | None, str]:
    """
    What loggers add after the checksum: the time last, and a station (``r`` or ``b`` and digits) before it.
    """
    fields = [part.decode("ascii") for part in rest.split(b",")[1:]]
    at = _instant(fields[-1]) if fields else None
    station = next((name for name in fields if re.fullmatch(r"[rb]\d{6,12}", name)), "")
    return at, station


def _instant(text: str) -> datetime | None:
    if _DIGITS.fullmatch(text) is None:
        return None
    count = int(text)
    return _EPOCH + (timedelta(milliseconds=count) if count > _MILLISECONDS else timedelta(seconds=count))


def _wrapper(content: bytes) -> Line:
    found = _WRAPPER.fullmatch(content)
    if found is None:
        return Flaw("malformed-line", "$PGHP has a date, a time, country, region, station, online flag and checksum", "$PGHP")
    *moment, country, region, station, _online, given = (part.decode("ascii") for part in found.groups())
    year, month, day, hour, minute, second, millisecond = map(int, moment)
    try:
        at = datetime(year, month, day, hour, minute, second, millisecond * 1000, tzinfo=UTC)
    except ValueError:
        return Flaw("impossible-time", "$PGHP gives a date and time that the calendar has", "$PGHP")
    # Stations are coast stations, whose MMSI begins with 00; the chain writes it as a number and so loses the zeros.
    return Wrapper(at, country, region, station.zfill(9) if station.strip("0") else "", int(given, _HEX))


def _tagged(line: bytes) -> Line:
    found = _TAG_BLOCK.fullmatch(line)
    if found is None:
        return Flaw("malformed-line", "a tag block stands between two backslashes", "tag block")
    block, rest = found.groups()
    content, _, given = block.rpartition(b"*")
    if re.fullmatch(rb"[0-9A-Fa-f]{1,2}", given) is None or checksum(content) != int(given, _HEX):
        return Flaw("bad-checksum", "the checksum does not fit the tag block", "tag block")
    if not rest:
        return Other("tag-block-alone")
    inner = _sentence(rest)  # and not parse: blocks within blocks would go as deep as the line is long
    if not isinstance(inner, Sentence):
        return inner
    fields = dict(part.split(":", 1) for part in content.decode("ascii").split(",") if ":" in part)
    at, group = inner.at, None
    if "c" in fields:
        at = _instant(fields["c"])
        if at is None:
            return Flaw("impossible-time", "c: holds seconds or milliseconds since 1970", "tag block")
    if "g" in fields and (parts := _GROUP.fullmatch(fields["g"])):
        group = (int(parts[1]), int(parts[2]), parts[3])
    # Spelt out, since dataclasses.replace takes three times as long and this is the firehose.
    return Sentence(
        inner.talker,
        inner.formatter,
        inner.total,
        inner.number,
        inner.sequence,
        inner.channel,
        inner.payload,
        inner.fill,
        inner.checksum,
        at,
        fields.get("s", inner.station),
        group,
    )
