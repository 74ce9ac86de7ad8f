"""
A position report: one craft, or one radar contact, at one place and instant.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import replace

MMSI: Final = "mmsi"
"""How the subject of a craft that says who it is begins: ``mmsi:620123456``."""

_AIS: Final = "AutomaticIdentificationSystem"
_CONTACTS: Final[Mapping[str, str]] = {
    "MaritimeRadar": "radar",
    "SyntheticApertureRadar": "radar",
    "EOIROptronicSystem": "visual",
    "Sighting": "visual",
}
"""How the subjects of contacts begin, by the sensor (codes of the vocabulary ``sensor``) that has them."""


_LATEST: Final = 7.0e9  # in the year 2191
_MOST: Final = 1.0e7


class Report(Struct, frozen=True, array_like=True):
    """
    Where *subject* was *at* (seconds since 1970 UTC), in degrees WGS 84; course in degrees true, speed in knots.

    *subject* is ``mmsi:`` and nine digits, or ``radar:`` or ``visual:`` and what its sensor calls the contact. *source* is the
    station, receiver or feed that has it, *received* when the bus accepted it. *craft* and *status* are codes of the vocabularies
    ``craft`` and ``navigational-status``; *claims* are (attribute, value) as the craft gives them; *id* is the record's.
    """

    subject: str
    at: float
    latitude: float
    longitude: float
    speed_kn: float | None = None
    course_deg: float | None = None
    source: str = ""
    craft: str | None = None
    status: str | None = None
    accuracy_m: float | None = None
    received: float | None = None
    claims: tuple[tuple[str, str], ...] = ()
    id: str = ""

    @property
    def identified(self) -> bool:
        """Whether it says of itself who it is."""
        return self.subject.startswith(f"{MMSI}:")

    @property
    def sound(self) -> bool:
        """Whether time and place, and all other numbers, are such as there are: what is decoded from radio is anybody's."""
        numbers = (self.speed_kn, self.course_deg, self.accuracy_m)
        return (
            0 <= self.at <= _LATEST
            and abs(self.latitude) <= 90  # noqa: PLR2004 - the whole Earth
            and abs(self.longitude) <= 180  # noqa: PLR2004 - the same
            and all(number is None or 0 <= number <= _MOST for number in numbers)
        )

    @property
    def bare(self) -> Report:
        """The same without its claims, which are kept by themselves."""
        return replace(self, claims=()) if self.claims else self


def order(report: Report) -> tuple[Any, ...]:
    """
    Give by what reports are sorted: time, and then all that tells two of them apart, so that order of arrival never matters.
    """
    speed = -1.0 if report.speed_kn is None else report.speed_kn
    course = -1.0 if report.course_deg is None else report.course_deg
    return (report.at, report.latitude, report.longitude, report.source, report.id, speed, course, report.claims)


def from_sighting(value: Mapping[str, Any], received: float | None = None) -> Report | None:
    """
    Make a report of a sighting record, or of a view of one; None where it has no time, no place, or nobody to follow.

    A craft is followed by its MMSI, a radar or visual contact by its reference at the feed that has it. Distress beacons are
    followed by nobody: they drift, and are alerts of their own.
    """
    position, movement, craft = (_group(value, name) for name in ("position", "movement", "craft"))
    at = _group(_group(value, "times"), "observed").get("at")
    latitude, longitude = _number(position.get("latitude")), _number(position.get("longitude"))
    subject, claims = _subject(value)
    if at is None or latitude is None or longitude is None or subject is None:
        return None
    sensor, origin = _group(value, "sensor"), _group(value, "origin")
    return Report(
        subject=subject,
        at=at.timestamp(),
        latitude=latitude,
        longitude=longitude,
        speed_kn=_number(movement.get("speed_kn")),
        course_deg=_number(movement.get("course_deg")),
        source=str(sensor.get("name") or origin.get("feed") or ""),
        craft=craft.get("kind") if isinstance(craft.get("kind"), str) else None,
        status=movement.get("navigational_status") if isinstance(movement.get("navigational_status"), str) else None,
        accuracy_m=_number(position.get("accuracy_m")),
        received=received,
        claims=claims,
        id=str(value.get("id") or ""),
    )


def _subject(value: Mapping[str, Any]) -> tuple[str | None, tuple[tuple[str, str], ...]]:
    given = value.get("claims")
    claims = tuple((str(one["attribute"]), str(one["value"])) for one in given) if isinstance(given, list) else ()
    if _group(value, "event").get("type") == "distress":
        return None, ()
    kind = _group(value, "sensor").get("kind")
    mmsi = next((text for attribute, text in claims if attribute == MMSI), None)
    if kind == _AIS:
        return (None if mmsi is None else f"{MMSI}:{mmsi}"), tuple(one for one in claims if one[0] != MMSI)
    contact = _CONTACTS.get(str(kind))
    name = _group(value, "origin").get("reference") or value.get("id")
    # A contact whose MMSI an observer has read is no unidentified one, and is left to the craft's own track.
    return (f"{contact}:{name}" if contact and name and mmsi is None else None), ()


def _group(value: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    group = value.get(name)
    return group if isinstance(group, Mapping) else {}


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
