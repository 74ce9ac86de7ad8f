"""
How a value is made less exact: each way declared, applied to one type of the schema, and ordered by strictness.

A coarse value depends on the exact one only through the cell, interval or band in which it lies, and says how coarse it is.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any

from boutre.schemas.validation import COUNTED
from boutre.topics.regions import Regions

METRES_PER_DEGREE = 111_320.0
"""
Length of a degree of longitude on the equator (WGS 84, rounded up). Nearer the poles a degree of latitude is up to 0.4 % longer and
one of longitude shorter by more, so that the radius of a square cell made from it is never short.
"""

NEAR_AN_EDGE = 1e-6
"""In cells: a thousand times the error of a division of doubles, at the smallest cells that an agreement may name."""

PRECISIONS = ("second", "minute", "hour", "day", "month", "year")
FINENESS: Mapping[str | None, int] = {name: degree for degree, name in enumerate(PRECISIONS)}
"""The degree of each precision, the finest first."""

BANDS = (0, 1, 5, 10, 20, 50, 100, 500)
"""Where bands begin; a width of 2 joins two of them and one of 3 four, so that every wider band is made of whole narrower ones."""


@dataclass(frozen=True, slots=True)
class Coarsen:
    """
    One way to coarsen: *method* of METHODS and its *degree*; a greater degree is coarser. *regions* are for the method *region*.
    """

    method: str
    degree: float
    regions: Regions | None = None

    def __call__(self, value: Any) -> Any:
        """Give the coarse value; None stays None."""
        if value is None:
            return None
        if self.regions is not None:
            return _region(value, int(self.degree), self.regions)
        return METHODS[self.method].apply(value, self.degree)

    def stricter(self, other: Coarsen) -> Coarsen | None:
        """Give the coarser of two, or None where they cannot be compared: then nothing is given."""
        if self.method != other.method:
            return None
        return self if self.degree >= other.degree else other

    def finer(self, other: Coarsen) -> Coarsen | None:
        """Give the finer of two, or None where they cannot be compared."""
        coarser = self.stricter(other)
        return coarser and (other if coarser is self else self)

    def __str__(self) -> str:
        return METHODS[self.method].say(self.degree)


@dataclass(frozen=True, slots=True)
class Method:
    """
    A way to coarsen: the types of the schema that it is for, what it does, how it is told.
    """

    types: frozenset[str]
    apply: Callable[[Any, float], Any]
    say: Callable[[float], str]
    gives: frozenset[str] = frozenset()
    """The fields of the group that have a value after it."""

    made_of: frozenset[str] = frozenset()
    """The fields of the group that it reads, beside those that have a value after it."""

    units: frozenset[str] | None = None
    """The units that it is for, where it is not for all."""


def _grid(position: Mapping[str, Any], degrees: float) -> dict[str, Any] | None:
    """
    Give the centre of the cell of *degrees* and the radius of the circle around the whole cell.

    Where the report itself is less exact than that, the radius is doubled until it covers it: a cell claims no more than was known.
    """
    latitude, longitude = position.get("latitude"), position.get("longitude")
    if latitude is None or longitude is None:
        return None
    radius = _radius(degrees)
    return {
        **dict.fromkeys(position),
        "latitude": _centre(latitude, degrees, 90),
        "longitude": _centre(longitude, degrees, 180),
        "accuracy_m": radius * 2 ** max(0, math.ceil(math.log2(max(position.get("accuracy_m") or 0, radius) / radius))),
    }


def _region(position: Mapping[str, Any], level: int, regions: Regions) -> dict[str, Any] | None:
    """Give the name of the region and nothing else of a position; nothing, where it lies in none."""
    latitude, longitude = position.get("latitude"), position.get("longitude")
    found = None if latitude is None or longitude is None else regions.at(level, latitude, longitude)
    return None if found is None else {**dict.fromkeys(position), "place": found.label}


def _nowhere(value: Any, degree: float) -> Any:
    """Without regions nothing can be told of a place."""
    del value, degree


@lru_cache(maxsize=1024)
def _radius(degrees: float) -> float:
    return float(math.ceil(degrees / 2 * math.sqrt(2) * METRES_PER_DEGREE))


def _centre(value: float, degrees: float, limit: int) -> float:
    return _middle(_cell(value, degrees, limit), degrees, limit)


def _cell(value: float, degrees: float, limit: int) -> int:
    """Number the cells from the equator and from Greenwich. The last begins below *limit*, so that a pole lies in a cell."""
    near = value / degrees
    # In decimals where it lies near an edge, so that 0.3 is the edge of a tenth which it looks like; what lies further from every
    # edge than any error of a division lies in the same cell either way.
    exact = abs(near - round(near)) < NEAR_AN_EDGE
    cell = math.floor(Decimal(str(value)) / Decimal(str(degrees))) if exact else math.floor(near)
    return min(cell, _cells(degrees, limit) - 1)


@lru_cache(maxsize=1024)
def _cells(degrees: float, limit: int) -> int:
    return math.ceil(limit / Decimal(str(degrees)))


@lru_cache(maxsize=65_536)
def _middle(cell: int, degrees: float, limit: int) -> float:
    """A cell that would reach beyond a pole or the antimeridian ends there. What is kept here is coarse: cells, and no place."""
    size = Decimal(str(degrees))
    return float(round((max(cell * size, Decimal(-limit)) + min((cell + 1) * size, Decimal(limit))) / 2, 6))


ZEROED: tuple[dict[str, Any], ...] = (
    {"microsecond": 0},
    {"microsecond": 0, "second": 0},
    {"microsecond": 0, "second": 0, "minute": 0},
    {"microsecond": 0, "second": 0, "minute": 0, "hour": 0},
    {"microsecond": 0, "second": 0, "minute": 0, "hour": 0, "day": 1},
    {"microsecond": 0, "second": 0, "minute": 0, "hour": 0, "day": 1, "month": 1},
)
"""For each of PRECISIONS the parts of a time that are finer, as they are where it begins."""


def _truncate(moment: datetime, degree: float) -> datetime:
    return (moment if moment.tzinfo is UTC else moment.astimezone(UTC)).replace(**ZEROED[int(degree)])


def _moment(value: Any, degree: float) -> Any:
    if isinstance(value, datetime):
        return _truncate(value, degree)
    at = value.get("at")
    if at is None:
        return None
    coarse = max(FINENESS.get(value.get("precision"), 0), int(degree))
    return {**dict.fromkeys(value), "at": _truncate(at, coarse), "precision": PRECISIONS[coarse]}


def _band(value: Mapping[str, Any], degree: float) -> dict[str, Any] | None:
    """Give the band in which the least lies, up to the end of the band in which the most lies."""
    bands = BANDS[:: 2 ** (int(degree) - 1)]
    low, high = value.get("min"), value.get("max")
    least = None if low is None else float(max(edge for edge in bands if edge <= max(low, 0)))
    most = None if high is None else _band_end(high, bands)
    return None if least is None and most is None else {**dict.fromkeys(value), "min": least, "max": most, "estimated": True}


def _band_end(value: float, bands: tuple[int, ...]) -> float | None:
    """Counts are whole, so a band ends one before the next; the last is open: its end is not known."""
    return next((float(max(edge - 1, math.ceil(value))) for edge in bands if edge > value), None)


METHODS: dict[str, Method] = {
    "grid": Method(
        types=frozenset({"Position"}),
        apply=_grid,
        say=lambda degrees: f"grid {degrees:g} degree",
        gives=frozenset({"latitude", "longitude", "accuracy_m"}),
    ),
    "region": Method(
        types=frozenset({"Position"}),
        apply=_nowhere,
        say=lambda degree: f"region {int(degree)}",
        gives=frozenset({"place"}),
        made_of=frozenset({"latitude", "longitude"}),
    ),
    "time": Method(
        types=frozenset({"Moment", "timestamp-millis"}),
        apply=_moment,
        say=lambda degree: f"time {PRECISIONS[int(degree)]}",
        gives=frozenset({"at", "precision"}),
    ),
    "band": Method(
        types=frozenset({"Range"}),
        apply=_band,
        say=lambda degree: f"band {int(degree)}",
        gives=frozenset({"min", "max", "estimated"}),
        units=COUNTED,
    ),
}
