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
IDENTITIES = frozenset({"mmsi", "imo", "call-sign", "name", "flag", "registration"})
"""Attributes by which a problem may be told; any other is a value of the record, and is not told."""

NORTH, EAST = 90, 180
"""The greatest latitude and longitude, in degrees."""

NINE_DIGITS = re.compile(r"[0-9]{9}").fullmatch
"""An MMSI."""

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
    for path, group in _groups(value, ""):
        yield from _place(path, group, area if path == "position" else None)
        yield from _range(path, group)
    yield from _times(_group(value, "times"), now)
    claims = value.get("claims")
    for claim in claims if isinstance(claims, list) else []:
        yield from _claim(claim)
    persons = _group(value, "persons")
    if persons:
        yield from _counts(persons)
    if kind == "alert":
        yield from _warning(_group(value, "warning"))
    if kind == "retraction":
        yield from _recall(_group(value, "recall"))


def plausible(kind: str, value: Mapping[str, Any], now: datetime) -> bool:
    """
    Say whether surely nothing is wrong across the fields of a record whose groups are sound, each by itself.
    """
    times = value.get("times")
    if times is not None and not _in_order(times, now):
        return False
    claims = value.get("claims")
    if isinstance(claims, list) and any(any(_claim(claim)) for claim in claims):
        return False
    persons = _group(value, "persons")
    return not (
        (persons and any(_counts(persons)))
        or (kind == "alert" and any(_warning(_group(value, "warning"))))
        or (kind == "retraction" and any(_recall(_group(value, "recall"))))
    )


def _in_order(times: Mapping[str, Any], now: datetime) -> bool:
    """Say whether the times surely are none of the future, and none before the event."""
    begin: datetime | None = None
    for name in ("observed", "observed_until", "reported"):
        moment = times.get(name)
        at = moment.get("at") if moment else None
        if at is None:
            continue
        if at < EARLIEST or (at > now and at - now > SKEW):
            return False
        if begin is not None and at < begin:
            # How exact the two are decides.
            return not any(_times(times, now))
        begin = at if name == "observed" else begin
    return True


def _group(value: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    group = value.get(name)
    return group if isinstance(group, Mapping) else {}


def _groups(value: Any, path: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Give every group at any depth with its path."""
    if isinstance(value, Mapping):
        yield path, value
        for name, item in value.items():
            yield from _groups(item, f"{path}.{name}" if path else name)
    elif isinstance(value, list):
        for item in value:
            yield from _groups(item, path)


def _place(path: str, place: Mapping[str, Any], area: Area | None) -> Iterator[Problem]:
    latitude, longitude = place.get("latitude"), place.get("longitude")
    if latitude is None or longitude is None:
        return
    if abs(latitude) > NORTH:
        swapped = abs(longitude) <= NORTH and abs(latitude) <= EAST
        code = "latitude-longitude-swapped" if swapped else "out-of-range"
        yield Problem(code, f"{path}.latitude", "-90 to 90, and longitude -180 to 180")
    elif abs(longitude) > EAST:
        yield Problem("out-of-range", f"{path}.longitude", "-180 to 180, and latitude -90 to 90")
    elif area is not None and not area.holds(latitude, longitude):
        inside = area.holds(longitude, latitude)
        yield Problem("latitude-longitude-swapped" if inside else "outside-area", f"{path}.latitude")


def _times(times: Mapping[str, Any], now: datetime) -> Iterator[Problem]:
    moments = {name: times.get(name) for name in ("observed", "observed_until", "reported")}
    known = {name: moment for name, moment in moments.items() if moment and moment.get("at") is not None}
    found = [problem for name, moment in known.items() if (problem := _when(name, moment["at"], now))]
    if found or "observed" not in known:
        yield from found
        return
    begin = known["observed"]["at"]
    for name in ("observed_until", "reported"):
        if name in known and known[name]["at"] + WIDTHS.get(known[name].get("precision") or "", timedelta()) < begin - SKEW:
            yield Problem("impossible-time", f"times.{name}", "not before the event was seen")


def _when(name: str, at: datetime, now: datetime) -> Problem | None:
    # Compared from the side of *now*, which is a time that a broker can have, so that no calendar ends in between.
    if at > now and at - now > SKEW:
        return Problem("future-time", f"times.{name}")
    return Problem("impossible-time", f"times.{name}", "not before 1900") if at < EARLIEST else None


def _claim(claim: Mapping[str, Any]) -> Iterator[Problem]:
    attribute, text = claim.get("attribute"), str(claim.get("value") or "").strip()
    if text.upper() in PLACEHOLDERS:
        yield Problem("placeholder-identifier", f"claims.{attribute}" if attribute in IDENTITIES else "claims.value")
    elif attribute == "mmsi":
        if text in PLACEHOLDER_MMSI:
            yield Problem("placeholder-identifier", "claims.mmsi")
        elif not NINE_DIGITS(text):
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


def _range(path: str, group: Mapping[str, Any]) -> Iterator[Problem]:
    least, most = group.get("min"), group.get("max")
    if least is not None and most is not None and least > most:
        yield Problem("inconsistent-count", path, "the least is not above the most")


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


def _recall(recall: Mapping[str, Any]) -> Iterator[Problem]:
    """A subject is an MMSI: it becomes part of a key, which has to find the record that is taken back."""
    subject = recall.get("subject")
    if subject is not None and not NINE_DIGITS(subject):
        yield Problem("bad-identifier", "recall.subject", "nine digits")
