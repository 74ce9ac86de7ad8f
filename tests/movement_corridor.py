"""
Ten hours at sea between Anjouan, Mayotte and Madagascar, made up, in which everything is found that movements can show.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from msgspec.structs import replace

from boutre.processors.movement.report import Report
from movement_scenes import KM, at, merged, still, way

MINUTES = 600.0


def corridor() -> list[Report]:
    """Give all reports of the night, in order of time."""
    return merged(*_traffic(), *_detections())


def _traffic() -> Iterator[list[Report]]:
    # Steady ships: where they are heard, there is reception.
    for number, (place, course, speed) in enumerate(
        [
            ((-12.9, 44.2), 75.0, 6.0),
            ((-12.0, 44.6), 130.0, 5.5),
            ((-13.3, 44.4), 60.0, 8.0),
            ((-13.1, 46.2), 285.0, 9.0),
        ]
    ):
        yield list(way(0, MINUTES, place, subject=f"mmsi:23500000{number}", speed=speed, course=course, every=10))


def _detections() -> Iterator[list[Report]]:
    # Two hulls on one number: off Anjouan, and off Nosy Be.
    yield list(way(0, MINUTES, (-12.05, 44.55), subject="mmsi:620111111", speed=3, course=45, every=10))
    yield list(way(5, MINUTES - 5, (-13.1, 47.6), subject="mmsi:620111111", speed=3, course=300, every=10))
    # Silent for three hours where others are heard, and for three hours where nobody is.
    sails = way(0, MINUTES, (-12.75, 44.0), subject="mmsi:660222222", speed=7, course=85, every=5)
    yield [one for one in sails if not 120 < _minute(one) < 300]
    lonely = way(0, MINUTES, (-11.2, 46.6), subject="mmsi:645333333", speed=9, course=100, every=5, source="east")
    yield [one for one in lonely if not 150 < _minute(one) < 330]
    # Lies still for six hours, and a radar sees somebody beside it.
    yield still(60, MINUTES, (-13.55, 44.75), "mmsi:647444444", every=6)
    yield still(200, 245, (-13.55 + 0.9 * KM, 44.75), "radar:R1-17", every=5, source="radar")
    # Two that meet for three hours, and part.
    yield [*still(90, 270, (-12.62, 44.62), "mmsi:616555555", every=6), *_leaves("mmsi:616555555", 200.0)]
    yield [*still(90, 270, (-12.62 + 0.3 * KM, 44.62), "mmsi:650666666", every=6), *_leaves("mmsi:650666666", 60.0)]
    # Says another name from midnight on; another goes on under another number.
    renamed = way(0, MINUTES, (-13.75, 45.2), subject="mmsi:634777777", speed=5, course=60, every=10)
    yield [replace(one, claims=(("name", "NYOTA" if _minute(one) < 300 else "MWEZI YA TATU"),)) for one in renamed]
    hull = list(way(0, MINUTES, (-11.9, 45.9), subject="mmsi:674888888", speed=6, course=200, every=10))
    said = [replace(one, claims=(("imo", "9074729"),)) for one in hull]
    yield [one if _minute(one) < 240 else replace(one, subject="mmsi:674888889") for one in said if not 240 <= _minute(one) < 290]
    # Round and round at twelve knots, as no craft sails.
    yield [_round(minute) for minute in range(int(MINUTES) - 60, int(MINUTES))]


def _leaves(subject: str, course: float) -> list[Report]:
    return list(way(276, MINUTES, (-12.62, 44.62), subject=subject, speed=6, course=course, every=6))


def _round(minute: int) -> Report:
    angle = 2 * math.pi * minute / 11
    return at(
        minute,
        -11.6 + 3 * KM * math.sin(angle),
        44.2 + 3 * KM * math.cos(angle) / math.cos(math.radians(11.6)),
        "mmsi:256999999",
        12.0,
    )


def _minute(report: Report) -> float:
    return (report.at - at(0, 0, 0).at) / 60
