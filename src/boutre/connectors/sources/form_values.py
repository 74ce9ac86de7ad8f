"""
What a person wrote into a box of a form, read as what the box asks for, or the reason why it cannot be.

Written for hands and not for machines: decimal commas, degrees and minutes, "about 30", labels in either language. But nothing is
guessed: what can be read in two ways is refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from types import MappingProxyType
from typing import Any, Final

from boutre.connectors.sources.form_choices import code_of
from boutre.connectors.sources.form_fields import Box, folded
from boutre.connectors.sources.moments import zone_of

_NUMBER: Final = re.compile(r"[+-]?\d{1,9}(?:[.,]\d{1,9})?")
_UNSIGNED: Final = r"(\d{1,9}(?:[.,]\d{1,9})?)"
_RANGE: Final = re.compile(rf"{_UNSIGNED}\s*(?:-|\u2013|à|to|a)\s*{_UNSIGNED}")
_ABOUT: Final = re.compile(rf"(?:about|environ|env\.?|around|approx\.?|vers|~|≈|c\.)\s*{_UNSIGNED}")
_LEAST: Final = re.compile(
    rf"(?:at least|au moins|more than|plus de|>=?|≥|min\.?)\s*{_UNSIGNED}|{_UNSIGNED}\s*(?:\+|ou plus|or more)"
)
_DOZENS: Final[Mapping[str, int]] = MappingProxyType(
    {
        "dizaine": 10,
        "douzaine": 12,
        "quinzaine": 15,
        "vingtaine": 20,
        "trentaine": 30,
        "quarantaine": 40,
        "cinquantaine": 50,
        "soixantaine": 60,
        "centaine": 100,
    }
)
_MOST: Final = re.compile(rf"(?:at most|au plus|up to|jusqu'à|<=?|≤|max\.?)\s*{_UNSIGNED}")
_DATE: Final = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})|(\d{1,2})[/.](\d{1,2})[/.](\d{4})")
_TIME: Final = re.compile(r"(\d{1,2})\s*[:hH]\s*(\d{2})?(?:\s*[:m]\s*(\d{2}))?|(\d{2})(\d{2})")
_OFFSET: Final = re.compile(r"(?:UTC|GMT)?\s*([+-])(\d{1,2})(?::?(\d{2}))?", re.IGNORECASE)
_PART: Final = r"(\d{1,3}(?:[.,]\d{1,9})?)"
# Between the numbers a mark or a space must stand: 1255 is neither 12°55' nor 125°5'.
_ANGLE: Final = re.compile(
    rf"([NSEWO])?\s*([+-])?\s*{_PART}\s*[°ºd]?"
    rf"(?:\s*(?<=[\s°ºd]){_PART}\s*['\u2032\u2019]?(?:\s*(?<=[\s'\u2032\u2019]){_PART}\s*(?:[\"\u2033\u201d]|'')?)?)?"
    r"\s*([NSEWO])?",
    re.IGNORECASE,
)
_YES: Final = frozenset({"yes", "oui", "y", "o", "true", "vrai", "x"})
_NO: Final = frozenset({"no", "non", "n", "false", "faux"})
_SIXTY: Final = 60
_FARTHEST: Final = timedelta(hours=14)  # from UTC


@dataclass(frozen=True, slots=True)
class Unfit(Exception):  # noqa: N818 - named for what the value is
    """
    The value is not what the box asks for: a code of the vocabulary reject-reason, and a text of the catalogue that says what is.
    """

    code: str
    expected: str


def read(box: Box, values: Sequence[object]) -> Any:
    """
    Read what stands in the cells of *box*, of which there is at least one that is not empty.

    Raises Unfit.
    """
    if box.many:
        parts = [part for value in values for part in _parts(value)]
        return [_code(box, part) for part in parts] if box.read == "codes" else parts
    if len(values) != 1:
        raise Unfit("wrong-type", "one-value")
    return _READERS[box.read](box, values[0])


def _text(_: Box, value: object) -> str:
    if isinstance(value, bool | datetime | date | time | timedelta):
        raise Unfit("wrong-type", "text")
    if isinstance(value, float) and value.is_integer():
        value = int(value)  # a spreadsheet keeps every number as a fraction; a registration is none
    return str(value).strip()


def _parts(value: object) -> list[str]:
    text = _text(Box("", "text"), value)
    return [part.strip() for part in re.split(r"[;|\n]", text) if part.strip()]


def _code(box: Box, value: object) -> str:
    found = code_of(box, _text(box, value))
    if found is None:
        raise Unfit("unknown-code", "code")
    return found


def _yes_no(_: Box, value: object) -> bool:
    if isinstance(value, bool):
        return value
    word = folded(str(value))
    if word in _YES or word in _NO:
        return word in _YES
    raise Unfit("wrong-type", "yes-no")


def _number(_: Box, value: object) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    if isinstance(value, str) and _NUMBER.fullmatch(value.strip()):
        return float(value.strip().replace(",", "."))
    raise Unfit("wrong-type", "number")


def _whole(box: Box, value: object) -> int:
    number = _number(box, value)
    if not number.is_integer():
        raise Unfit("wrong-type", "whole")
    return int(number)


def _range(box: Box, value: object) -> dict[str, Any]:
    if not isinstance(value, str):
        number = _number(box, value)
        return {"min": number, "max": number, "estimated": False}
    text = " ".join(value.casefold().split())
    for pattern, estimated in ((_NUMBER, False), (_ABOUT, True)):
        if found := pattern.fullmatch(text):
            number = _plain(found[1] if estimated else found[0])
            return {"min": number, "max": number, "estimated": estimated}
    if text.startswith("une ") and (dozen := _DOZENS.get(text[4:])):
        return {"min": float(dozen), "max": float(dozen), "estimated": True}
    if (found := _RANGE.fullmatch(text)) and _plain(found[1]) <= _plain(found[2]):
        return {"min": _plain(found[1]), "max": _plain(found[2]), "estimated": True}
    if found := _LEAST.fullmatch(text):
        return {"min": _plain(found[1] or found[2]), "max": None, "estimated": True}
    if found := _MOST.fullmatch(text):
        return {"min": None, "max": _plain(found[1]), "estimated": True}
    raise Unfit("wrong-type", "range")


def _plain(text: str) -> float:
    return float(text.replace(",", "."))


def _date(_: Box, value: object) -> date:
    if isinstance(value, datetime) and value.time() == time():
        return value.date()
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    found = _DATE.fullmatch(value.strip()) if isinstance(value, str) else None
    if found is None:
        raise Unfit("wrong-type", "date")
    year, month, day = (found[1], found[2], found[3]) if found[1] else (found[6], found[5], found[4])
    try:
        return date(int(year), int(month), int(day))
    except ValueError:
        raise Unfit("impossible-time", "date") from None


def _time(_: Box, value: object) -> time:
    if isinstance(value, datetime):
        value = value.time()
    if isinstance(value, time):
        return value.replace(microsecond=0)
    found = _TIME.fullmatch(value.strip()) if isinstance(value, str) else None
    if found is None:
        raise Unfit("wrong-type", "time")
    hour, minute, second = (found[1], found[2] or 0, found[3] or 0) if found[1] else (found[4], found[5], 0)
    try:
        return time(int(hour), int(minute), int(second))
    except ValueError:
        raise Unfit("impossible-time", "time") from None


def _zone(_: Box, value: object) -> tzinfo:
    text = str(value).strip()
    if found := _OFFSET.fullmatch(text):
        sign, hours, minutes = found.groups()
        offset = timedelta(hours=int(hours), minutes=int(minutes or 0))
        if offset > _FARTHEST or int(minutes or 0) >= _SIXTY:
            raise Unfit("impossible-time", "zone")
        return timezone(-offset if sign == "-" else offset)
    try:
        return zone_of(text.split(" ")[0])  # the list shows the offset behind the name
    except ValueError:
        raise Unfit("wrong-type", "zone") from None


def _latitude(_: Box, value: object) -> float:
    return _angle(value, "NS", 90, "latitude")


def _longitude(_: Box, value: object) -> float:
    return _angle(value, "EWO", 180, "longitude")


def _angle(value: object, letters: str, limit: float, expected: str) -> float:
    """
    Degrees, or degrees with minutes and seconds, with a letter or a sign; ``O`` is the French west.
    """
    match value:
        case bool():
            raise Unfit("wrong-type", expected)
        case int() | float():
            degrees = float(value)
        case _:
            degrees = _written(value, letters, expected)
    if abs(degrees) > limit:
        raise Unfit("out-of-range", expected)
    return round(degrees, 7)


def _written(value: object, letters: str, expected: str) -> float:
    found = _ANGLE.fullmatch(value.strip()) if isinstance(value, str) else None
    if found is None:
        raise Unfit("wrong-type", expected)
    before, sign, degrees, minutes, seconds, after = found.groups()
    letter = (before or after or "").upper()
    given = [part for part in (degrees, minutes, seconds) if part is not None]
    broken = any(re.search("[.,]", part) for part in given[:-1])  # only the last of them can have a fraction
    if (before and after) or (letter and sign) or broken:
        raise Unfit("wrong-type", expected)
    if letter and letter not in letters:
        raise Unfit("latitude-longitude-swapped", expected)
    parts = [_plain(part or "0") for part in (degrees, minutes, seconds)]
    if parts[1] >= _SIXTY or parts[2] >= _SIXTY:
        raise Unfit("wrong-type", expected)
    found_degrees = parts[0] + parts[1] / _SIXTY + parts[2] / _SIXTY**2
    return -found_degrees if sign == "-" or letter in {"S", "W", "O"} else found_degrees


def _state(box: Box, value: object) -> str:
    word = _text(box, value).split(" ")[0].upper()
    if not re.fullmatch("[A-Z]{3}", word):
        raise Unfit("wrong-type", "state")
    return word


_READERS: Final[Mapping[str, Callable[[Box, object], Any]]] = MappingProxyType(
    {
        "text": _text,
        "long-text": _text,
        "code": _code,
        "yes-no": _yes_no,
        "whole": _whole,
        "number": _number,
        "range": _range,
        "date": _date,
        "time": _time,
        "zone": _zone,
        "latitude": _latitude,
        "longitude": _longitude,
        "state": _state,
    }
)


def moment(day: date, clock: time | None, zone: tzinfo) -> dict[str, Any]:
    """
    A moment (UTC) of the record: to the day where no time was given, else to the minute, or to the second where that was given.
    """
    if clock is None:
        # A day has no zone: the schema writes it as its first millisecond in UTC.
        return {"at": datetime(day.year, day.month, day.day, tzinfo=UTC), "precision": "day", "uncertainty_s": None}
    precision = "second" if clock.second else "minute"
    try:
        at = datetime.combine(day, clock, tzinfo=zone).astimezone(UTC)
    except OverflowError:
        raise Unfit("impossible-time", "date") from None
    return {"at": at, "precision": precision, "uncertainty_s": None}
