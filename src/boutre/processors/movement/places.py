"""
Places on the sea: how far, how fast, where a craft would be by now, and the coarse cell that a place lies in.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Final, TypeAlias

from boutre.processors.matching.distances import KM_PER_NMI, kilometres
from boutre.processors.movement.report import Report

HOUR_S: Final = 3600.0
KM_PER_DEGREE: Final = 111.195
"""Of latitude, on a sphere of the mean radius."""

Cell: TypeAlias = tuple[int, int]
"""Row and column of a cell, counted from the equator and the meridian of Greenwich."""


def apart_km(one: Report, other: Report) -> float:
    """
    Give the great-circle distance of two reports in kilometres.
    """
    return kilometres(one.latitude, one.longitude, other.latitude, other.longitude)


def knots(km: float, seconds: float) -> float:
    """
    Give the speed that covers *km* in *seconds*; no time at all makes it infinite, unless there is no way either.
    """
    if seconds <= 0:
        return math.inf if km > 0 else 0.0
    return km / KM_PER_NMI / (seconds / HOUR_S)


def ahead(report: Report, seconds: float) -> tuple[float, float]:
    """
    Give where a craft is (latitude, longitude) that holds its course and speed for *seconds*; where it was, if they are not told.

    On a flat earth around the craft: meant for some hours.
    """
    if report.speed_kn is None or report.course_deg is None:
        return report.latitude, report.longitude
    degrees = report.speed_kn * KM_PER_NMI * seconds / HOUR_S / KM_PER_DEGREE
    course = math.radians(report.course_deg)
    latitude = max(-90.0, min(90.0, report.latitude + degrees * math.cos(course)))
    wide = max(0.01, math.cos(math.radians(report.latitude)))
    return latitude, around(report.longitude + degrees * math.sin(course) / wide)


def around(longitude: float) -> float:
    """
    Give a longitude as one from -180 to 180 degrees; one that is such already is not touched.
    """
    return longitude if -180 <= longitude <= 180 else (longitude + 180) % 360 - 180  # noqa: PLR2004 - once around


def cell(latitude: float, longitude: float, size: float) -> Cell:
    """
    Give the cell of *size* degrees that holds a place: its south and west edges are its own.
    """
    columns = round(360 / size)
    return math.floor(latitude / size), (math.floor(longitude / size) + columns // 2) % columns - columns // 2


def cells_near(latitude: float, longitude: float, km: float, size: float) -> tuple[Cell, ...]:
    """
    Give all cells of *size* degrees that come within *km* of a place, its own among them, in order.
    """
    high = km / KM_PER_DEGREE
    wide = high / max(0.01, math.cos(math.radians(min(89.0, abs(latitude) + high))))
    rows = range(math.floor((latitude - high) / size), math.floor((latitude + high) / size) + 1)
    columns = range(math.floor((longitude - wide) / size), math.floor((longitude + wide) / size) + 1)
    return tuple(sorted({cell((row + 0.5) * size, (column + 0.5) * size, size) for row in rows for column in columns}))


def beside(middle: Cell, size: float) -> Iterator[Cell]:
    """
    Give a cell and its eight neighbours.
    """
    row, column = middle
    for up in (-1, 0, 1):
        for right in (-1, 0, 1):
            yield cell((row + up + 0.5) * size, (column + right + 0.5) * size, size)


def cells_between(begin: tuple[float, float], end: tuple[float, float], size: float) -> tuple[Cell, ...]:
    """
    Give the cells on the straight way between two places (latitude, longitude), each once; of a long way, at most some hundred.
    """
    (one, east), (two, other) = begin, end
    turn = around(other - east)
    steps = min(200, 1 + math.ceil(max(abs(two - one), abs(turn)) / size * 2))
    found = (cell(one + (two - one) * at / steps, around(east + turn * at / steps), size) for at in range(steps + 1))
    return tuple(dict.fromkeys(found))
