"""
Dates and times as sources write them, read into moments that say how fine they are known.

The precision follows from the format: what is written as a day is known to a day, and is no midnight. A clock time without a
known zone is not made up: only its day counts then.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Any, Final
from zoneinfo import ZoneInfo

DIRECTIVES: Final[Mapping[str, str]] = {
    "%f": "second",
    "%S": "second",
    "%M": "minute",
    "%H": "hour",
    "%I": "hour",
    "%d": "day",
    "%j": "day",
    "%m": "month",
    "%b": "month",
    "%B": "month",
    "%Y": "year",
    "%y": "year",
}
"""The directives of ``strptime`` that a format may hold, the finest first, and the precision that each stands for."""

BESIDE: Final = frozenset({"%z", "%p", "%%"})
"""Directives that say nothing of the precision."""

CLOCK: Final = re.compile(r"(?P<clock>[^A-Za-z+]*[^A-Za-z+\s])\s*(?P<zone>[A-Za-z+].*)?")
"""A clock time and what stands behind it: ``09:00 UTC``."""


class UnreadableError(ValueError):
    """The text has none of the declared forms."""


class ImpossibleError(ValueError):
    """The text has a declared form, and no calendar or clock has what it says."""


def zone_of(name: str) -> tzinfo:
    """
    Give the zone with this IANA name; ValueError where there is none.
    """
    if name == "UTC":
        return UTC
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ValueError(f"{name} is no zone of the IANA database; write one such as Indian/Mayotte, or UTC") from None


def precision_of(form: str) -> str:
    """
    Give the precision of a format; ValueError where it holds a directive that is not known here, or no year at all.
    """
    used = re.findall(r"%.", form)
    if odd := sorted(set(used) - set(DIRECTIVES) - BESIDE):
        raise ValueError(f"{', '.join(odd)} is not known here; known: {' '.join(sorted([*DIRECTIVES, *BESIDE]))}")
    if not {"%Y", "%y"} & set(used):
        raise ValueError("a date has a year: %Y, or %y where the source writes two digits")
    return next(precision for directive, precision in DIRECTIVES.items() if directive in used)


def tells_time(form: str) -> bool:
    """
    Whether a format holds a clock time, which means nothing without a zone.
    """
    return any(directive in form for directive in ("%H", "%I"))


def parse(text: str, forms: Iterable[str]) -> tuple[datetime, str]:
    """
    Read *text* by the first of *forms* that fits; gives what it says, and that form.

    Raises ``ImpossibleError`` where the text looks like one of them but cannot be (the 30th of February), else ``UnreadableError``.
    """
    shaped = False
    for form in forms:
        try:
            return datetime.strptime(text, form), form  # noqa: DTZ007 - the zone is declared beside the format
        except ValueError:
            shaped = shaped or _shaped(text, form)
    if shaped:
        raise ImpossibleError
    raise UnreadableError


def moment(text: str, forms: Iterable[str], zone: tzinfo | None) -> dict[str, Any]:
    """
    Read a date, or a date with its time, into a moment (UTC).

    *zone* is that of times which do not tell their own; without it such a text is ``UnreadableError``.
    """
    read, form = parse(text, forms)
    if read.tzinfo is None and tells_time(form):
        if zone is None:
            raise UnreadableError
        read = read.replace(tzinfo=zone)
    elif read.tzinfo is None:
        # A day has no zone: the schema writes it as its first millisecond in UTC.
        read = read.replace(tzinfo=UTC)
    return _moment(read, precision_of(form))


def with_clock(day: Mapping[str, Any], text: str, forms: Iterable[str], zones: Mapping[str, tzinfo]) -> dict[str, Any] | None:
    """
    Add the clock time *text* (``09:00 UTC``) to a moment known to the day; None where its zone is not declared in *zones*.

    *zones* has the words behind a time in lower case; the empty word stands for a time without one.
    """
    found = CLOCK.fullmatch(text)
    if found is None:
        raise UnreadableError
    clock, form = parse(found["clock"], forms)
    zone = zones.get((found["zone"] or "").lower())
    if zone is None:
        return None
    at: datetime = day["at"]
    read = datetime.combine(date(at.year, at.month, at.day), clock.time(), tzinfo=zone)
    return _moment(read, next(precision for directive, precision in DIRECTIVES.items() if directive in form))


def _moment(read: datetime, precision: str) -> dict[str, Any]:
    try:
        at = read.astimezone(UTC)
    except OverflowError:
        raise ImpossibleError from None
    # The wire has milliseconds; what it cannot hold is cut here and not by the encoder.
    at -= timedelta(microseconds=at.microsecond % 1000)
    return {"at": at, "precision": precision, "uncertainty_s": None}


def _shaped(text: str, form: str) -> bool:
    """Whether *text* has figures and letters where *form* has them."""
    shape = ""
    for part in re.split(r"(%.)", form):
        if part in {"%b", "%B", "%p"}:
            shape += "[A-Za-z]+"
        elif part == "%z":
            shape += r"(Z|[+-]\d\d:?\d\d)"
        elif part in DIRECTIVES:
            shape += r"\d{1,6}"
        else:
            shape += re.escape(part)
    return re.fullmatch(shape, text) is not None
