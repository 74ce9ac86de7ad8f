"""
Scenes at sea as position reports, for the tests of movements: steady ways, two hulls, a burst after days of silence.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any, Final

import shapely

from boutre.processors.movement.detection import Detection
from boutre.processors.movement.fleet import Fleet
from boutre.processors.movement.report import Report
from boutre.processors.movement.thresholds import Thresholds, load
from boutre.processors.movement.track import Watch
from boutre.topics.zones import Claim, Zone, Zones
from records import ROOT

NIGHT: Final = 1_750_000_000.0 // 1800 * 1800
"""A beginning of a slot of reception, in seconds since 1970."""

KM: Final = 1 / 111.195
"""A kilometre in degrees of latitude."""

ONE, OTHER, THIRD = "mmsi:620111111", "mmsi:660222222", "mmsi:645333333"
OFFING: Final = (-11.0, 46.0)
"""Away from all ports and in no zone of these tests."""
NEAR: Final = (-11.1, 46.1)
"""Some 16 km from there."""

SEA: Final = Zones(
    [
        Zone("west", "West Sea", (Claim(state="COM", kind="jurisdiction"),), shapely.box(40, -14, 45, -12)),
        Zone(
            "isle",
            "Isle",
            (Claim(state="FRA", kind="administration"), Claim(state="COM", kind="sovereignty")),
            shapely.box(45, -14, 46, -12),
        ),
    ]
)


@cache
def rules() -> Thresholds:
    """Give the thresholds that this repository declares."""
    faults: list[object] = []
    found = load(ROOT, faults)  # type: ignore[arg-type]  # a list of faults is a list of anything
    assert [] == faults
    assert found is not None
    return found


def at(minute: float, latitude: float, longitude: float, subject: str = ONE, speed: float | None = 8.0, **more: Any) -> Report:
    """Make a report *minute* minutes into the night."""
    return Report(subject, NIGHT + minute * 60, latitude, longitude, speed, source=str(more.pop("source", "north")), **more)


def way(  # a scene is told by its numbers
    begin: float,
    end: float,
    place: tuple[float, float],
    *,
    subject: str = ONE,
    speed: float = 8.0,
    course: float = 90.0,
    every: float = 5.0,
    source: str = "north",
) -> Iterator[Report]:
    """Sail steadily from minute *begin* to *end*, a report each *every* minutes."""
    for count in range(round((end - begin) / every) + 1):
        km = speed * 1.852 * count * every / 60
        north, east = km * math.cos(math.radians(course)), km * math.sin(math.radians(course))
        wide = math.cos(math.radians(place[0]))
        yield at(
            begin + count * every,
            place[0] + north * KM,
            place[1] + east * KM / wide,
            subject,
            speed,
            course_deg=course,
            source=source,
        )


def still(  # the rest are fields of a report
    begin: float, end: float, place: tuple[float, float], subject: str = ONE, *, every: float = 5.0, **more: Any
) -> list[Report]:
    """Lie still from minute *begin* to *end*, a report each *every* minutes."""
    return [at(begin + every * count, *place, subject, 0.3, **more) for count in range(round((end - begin) / every) + 1)]


def others(begin: float, end: float, place: tuple[float, float], source: str = "north") -> list[Report]:
    """Let five craft be heard around a place all the time: that somebody receives there."""
    return [
        report
        for number in range(5)
        for report in way(
            begin,
            end,
            (place[0] + 0.05 * number - 0.1, place[1] + 0.1),
            subject=f"mmsi:23500000{number}",
            speed=0.5 + number / 10,
            course=0.0,
            every=10.0,
            source=source,
        )
    ]


def fleet(reports: Iterable[Report], zones: Zones = SEA, thresholds: Thresholds | None = None) -> list[Detection]:
    """Give all that a fleet finds in reports, in the order in which it finds it."""
    found = Fleet(Watch(thresholds or rules(), zones))
    told = [one for report in reports for one in found.take(report)]
    return [*told, *found.close()]


def merged(*parts: Iterable[Report]) -> list[Report]:
    """Give the reports of several scenes in order of time."""
    return sorted((one for part in parts for one in part), key=lambda one: (one.at, one.subject))


def of(told: Iterable[Detection], type_: str, subject: str | None = None) -> list[Detection]:
    """Give the detections of one type, and of one subject."""
    return [one for one in told if one.type == type_ and subject in (None, one.subject)]
