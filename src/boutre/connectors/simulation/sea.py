"""
The waters between Anjouan and Mayotte: places, ways around the land, and a plane in kilometres to reckon on.

Places and outlines were set by hand from general knowledge, good to a kilometre or two. They are for boats that never were; no
zone, no claim and no distance from a coast follows from them.
"""

from __future__ import annotations

import math
from typing import Final, NamedTuple

LATITUDE: Final = -12.55
LONGITUDE: Final = 44.8
KM_NORTH: Final = 110.6
"""Kilometres of a degree of latitude at this latitude (WGS 84)."""

KM_EAST: Final = 111.32 * math.cos(math.radians(LATITUDE))
"""Kilometres of a degree of longitude; within the corridor it changes by less than two in a thousand."""

KM_H_PER_KN: Final = 1.852


class Point(NamedTuple):
    """
    Kilometres east and north of the middle of the corridor.
    """

    east: float
    north: float

    def km(self, other: Point) -> float:
        """Give the distance to another point in kilometres."""
        return math.hypot(other.east - self.east, other.north - self.north)

    def beside(self, east: float, north: float) -> Point:
        """Give the point that lies this many kilometres further east and north."""
        return Point(self.east + east, self.north + north)


def point(latitude: float, longitude: float) -> Point:
    """
    Give the point of a place in degrees WGS 84.
    """
    return Point((longitude - LONGITUDE) * KM_EAST, (latitude - LATITUDE) * KM_NORTH)


def degrees(where: Point, digits: int = 5) -> tuple[float, float]:
    """
    Give latitude and longitude (WGS 84) of a point, to this many decimals: five are a metre.
    """
    return round(LATITUDE + where.north / KM_NORTH, digits), round(LONGITUDE + where.east / KM_EAST, digits)


class Place(NamedTuple):
    """
    A place with its names, and the points by which boats go around land between it and the open corridor.
    """

    fr: str
    en: str
    at: Point
    around: tuple[Point, ...] = ()


BEACHES: Final = (
    Place("Domoni", "Domoni", point(-12.262, 44.540)),
    Place("Bambao Mtsanga", "Bambao Mtsanga", point(-12.215, 44.528)),
    Place("Mrémani", "Mremani", point(-12.345, 44.520)),
    Place("Moya", "Moya", point(-12.310, 44.437), (point(-12.420, 44.510),)),
    Place("Pomoni", "Pomoni", point(-12.285, 44.405), (point(-12.400, 44.440), point(-12.425, 44.515))),
)
"""Where they leave Anjouan."""

LANDINGS: Final = (
    Place("Mtsamboro", "Mtsamboro", point(-12.690, 45.045)),
    Place("Acoua", "Acoua", point(-12.725, 45.045)),
    Place("Sada", "Sada", point(-12.855, 45.090), (point(-12.800, 44.960),)),
    Place("Kani-Kéli", "Kani-Keli", point(-12.965, 45.100), (point(-12.910, 44.960),)),
    Place("plage de Saziley", "Saziley beach", point(-12.988, 45.190), (point(-12.960, 44.980), point(-13.060, 45.100))),
    Place("Koungou", "Koungou", point(-12.725, 45.205), (point(-12.590, 45.100),)),
    Place("Petite-Terre", "Petite-Terre", point(-12.785, 45.300), (point(-12.590, 45.150), point(-12.700, 45.340))),
)
"""Where they go ashore on Mayotte."""

GROUNDS: Final = (
    Place("au large de Domoni", "off Domoni", point(-12.290, 44.620)),
    Place("au large de Mrémani", "off Mremani", point(-12.410, 44.600)),
    Place("entre Anjouan et Mayotte", "between Anjouan and Mayotte", point(-12.490, 44.810)),
    Place("au large de Mtsamboro", "off Mtsamboro", point(-12.600, 44.980)),
    Place("récif de l'ouest", "western reef", point(-12.800, 44.960)),
    Place("récif du sud", "southern reef", point(-13.040, 45.080)),
    Place("récif du nord", "northern reef", point(-12.590, 45.140)),
    Place("à l'est de Petite-Terre", "east of Petite-Terre", point(-12.770, 45.360)),
)
"""Where people fish, and what they call it."""

RADARS: Final = (
    Place("Radar nord", "Northern radar", point(-12.660, 45.080)),
    Place("Radar est", "Eastern radar", point(-12.790, 45.285)),
)
"""Stations of an invented coastal radar."""

MUTSAMUDU: Final = Place("Mutsamudu", "Mutsamudu", point(-12.155, 44.397), (point(-12.060, 44.500),))
LONGONI: Final = Place("Longoni", "Longoni", point(-12.714, 45.160), (point(-12.600, 45.120),))

ANJOUAN: Final = tuple(
    point(latitude, longitude)
    for latitude, longitude in (
        (-12.19, 44.22),
        (-12.17, 44.30),
        (-12.16, 44.40),
        (-12.08, 44.47),
        (-12.15, 44.50),
        (-12.21, 44.52),
        (-12.26, 44.53),
        (-12.33, 44.51),
        (-12.39, 44.52),
        (-12.36, 44.47),
        (-12.30, 44.43),
        (-12.27, 44.39),
        (-12.25, 44.30),
    )
)
"""A coarse outline, for pictures alone."""

MAYOTTE: Final = tuple(
    point(latitude, longitude)
    for latitude, longitude in (
        (-12.65, 45.09),
        (-12.67, 45.06),
        (-12.73, 45.06),
        (-12.79, 45.11),
        (-12.85, 45.10),
        (-12.89, 45.07),
        (-12.95, 45.09),
        (-12.96, 45.13),
        (-12.99, 45.18),
        (-12.93, 45.19),
        (-12.86, 45.19),
        (-12.79, 45.23),
        (-12.73, 45.20),
        (-12.68, 45.13),
    )
)
"""A coarse outline of Grande-Terre, for pictures alone."""

PETITE_TERRE: Final = tuple(
    point(latitude, longitude) for latitude, longitude in ((-12.77, 45.27), (-12.77, 45.29), (-12.80, 45.295), (-12.81, 45.26))
)
"""A coarse outline, for pictures alone."""
