"""
Checks across fields: positions, times, counts and identities, as a person at a centre would doubt them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any


SKEW = timedelta(minutes=10)
"""How far a member's clock may be ahead of the bus: beyond it, an event lies in the future."""

EARLIEST = datetime(1900, 1, 1, tzinfo=UTC)
"""No report of this bus speaks of an earlier event."""

WIDTHS = {
    "second": timedelta(seconds=1),
    "minute": timedelta(minutes=1),
    "hour": timedelta(hours=1),
    "day": timedelta(days=1),
    "month": timedelta(days=31),
    "year": timedelta(days=366),
}
"""How long the interval is that a precision stands for, at most."""

PLACEHOLDERS = frozenset({"", "-", "--", "0", "NONE", "NIL", "N/A", "NA", "UNKNOWN", "UNK", "INCONNU", "XXX", "TEST", "?"})
"""What people and machines write where they know no identity; it must never link two craft (MonitorFish #2849)."""

PLACEHOLDER_MMSI = frozenset({"123456789", "987654321", "012345678"} | {str(digit) * 9 for digit in range(10)})
IMO_WEIGHTS = range(7, 1, -1)


@dataclass(frozen=True, slots=True)
class Problem:
    """
    One thing that is wrong: a code of the vocabulary ``reject-reason``, the field's path, what was expected.

    It never holds the value itself.
    """

    code: str
    field: str | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Area:
    """
    A box in degrees WGS 84; *west* greater than *east* means that it crosses the antimeridian.
    """

    west: float
    south: float
    east: float
    north: float

    def holds(self, latitude: float, longitude: float) -> bool:
        """Say whether the point lies in the box; its edge belongs to it."""
        if not self.south <= latitude <= self.north:
            return False
        if self.west <= self.east:
            return self.west <= longitude <= self.east
        return longitude >= self.west or longitude <= self.east


def sense(kind: str, value: Mapping[str, Any], now: datetime, area: Area | None) -> Iterator[Problem]:
    """
    Give what is wrong across the fields of one record.
    """
    position = _group(value, "position")
    if position:
        yield from _position(position, area)
    yield from _times(_group(value, "times"), now)
    claims = value.get("claims")
    for claim in claims if isinstance(claims, list) else []:
        yield from _claim(claim)
    yield from _ranges(value, "")
    persons = _group(value, "persons")
    if persons:
        yield from _counts(persons)
    if kind == "alert":
        yield from _warning(_group(value, "warning"))


def _group(value: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    group = value.get(name)
    return group if isinstance(group, Mapping) else {}


def _position(position: Mapping[str, Any], area: Area | None) -> Iterator[Problem]:
    latitude, longitude = position.get("latitude"), position.get("longitude")
    if latitude is None or longitude is None:
        return
    if abs(latitude) > 90 or abs(longitude) > 180:  # noqa: PLR2004 - degrees
        swapped = abs(longitude) <= 90 and abs(latitude) <= 180  # noqa: PLR2004
        code = "latitude-longitude-swapped" if swapped else "out-of-range"
        yield Problem(code, "position.latitude", "-90 to 90, and longitude -180 to 180")
    elif area is not None and not area.holds(latitude, longitude):
        inside = area.holds(longitude, latitude)
        yield Problem("latitude-longitude-swapped" if inside else "outside-area", "position.latitude")


def _times(times: Mapping[str, Any], now: datetime) -> Iterator[Problem]:
    moments = {name: times.get(name) for name in ("observed", "observed_until", "reported")}
    known = {name: moment for name, moment in moments.items() if moment and moment.get("at") is not None}
    for name, moment in known.items():
        if moment["at"] > now + SKEW:
            yield Problem("future-time", f"times.{name}")
        elif moment["at"] < EARLIEST:
            yield Problem("impossible-time", f"times.{name}", "not before 1900")
    if "observed" not in known:
        return
    begin = known["observed"]["at"]
    for name in ("observed_until", "reported"):
        if name in known and known[name]["at"] + WIDTHS.get(known[name].get("precision") or "", timedelta()) < begin - SKEW:
            yield Problem("impossible-time", f"times.{name}", "not before the event was seen")


def _claim(claim: Mapping[str, Any]) -> Iterator[Problem]:
    attribute, text = claim.get("attribute"), str(claim.get("value") or "").strip()
    if text.upper() in PLACEHOLDERS:
        yield Problem("placeholder-identifier", f"claims.{attribute}")
    elif attribute == "mmsi":
        if text in PLACEHOLDER_MMSI:
            yield Problem("placeholder-identifier", "claims.mmsi")
        elif not re.fullmatch(r"[0-9]{9}", text):
            yield Problem("bad-identifier", "claims.mmsi", "nine digits")
    elif attribute == "imo":
        yield from _imo(text)


def _imo(text: str) -> Iterator[Problem]:
    """An IMO number has seven digits, the last of them the check digit: the others times 7 to 2, modulo 10."""
    if re.fullmatch(r"0{7}", text):
        yield Problem("placeholder-identifier", "claims.imo")
    elif not re.fullmatch(r"[0-9]{7}", text) or (
        sum(int(digit) * weight for digit, weight in zip(text, IMO_WEIGHTS, strict=False)) % 10 != int(text[6])
    ):
        yield Problem("bad-identifier", "claims.imo", "seven digits with a valid check digit")


def _ranges(value: Any, path: str) -> Iterator[Problem]:
    if isinstance(value, Mapping):
        if {"min", "max"} <= value.keys():
            if value["min"] is not None and value["max"] is not None and value["min"] > value["max"]:
                yield Problem("inconsistent-count", path, "the least is not above the most")
            return
        for name, item in value.items():
            yield from _ranges(item, f"{path}.{name}" if path else name)
    elif isinstance(value, list):
        for item in value:
            yield from _ranges(item, path)


def _counts(persons: Mapping[str, Any]) -> Iterator[Problem]:
    total = (persons.get("total") or {}).get("max")
    if total is None:
        return
    parts = [(persons.get(name) or {}).get("min") or 0 for name in ("survivors", "dead", "missing")]
    if sum(parts) > total:
        yield Problem("inconsistent-count", "persons.total", "survivors, dead and missing are not more than all")


def _warning(warning: Mapping[str, Any]) -> Iterator[Problem]:
    onset, expires = warning.get("onset"), warning.get("expires")
    if onset is not None and expires is not None and expires < onset:
        yield Problem("impossible-time", "warning.expires", "not before its onset")
