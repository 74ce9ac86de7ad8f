"""
Distances and times between two reports, with how far each position and instant is known.
"""

from __future__ import annotations

import math
from typing import Final

from boutre.processors.matching.sighted import Sighted

EARTH_KM: Final = 6371.0088
"""Mean radius of the earth (IUGG). On a sphere distances err by half a per cent, less than any position that is compared here."""

KM_PER_NMI: Final = 1.852

KM_PER_DEG: Final = 111.19
"""Kilometres of a degree of latitude on that sphere, rounded down: a cell is never narrower than a block."""

DAY_S: Final = 86_400.0


def kilometres(latitude: float, longitude: float, other_latitude: float, other_longitude: float) -> float:
    """
    Give the great-circle distance of two places (degrees WGS 84) in kilometres.
    """
    one, two = math.radians(latitude), math.radians(other_latitude)
    half = math.sin((two - one) / 2) ** 2
    half += math.cos(one) * math.cos(two) * math.sin(math.radians(other_longitude - longitude) / 2) ** 2
    return 2 * EARTH_KM * math.asin(min(1.0, math.sqrt(half)))


def apart_km(one: Sighted, other: Sighted) -> float | None:
    """
    Give how far apart two reports place what they saw, in kilometres; None where one does not place it.
    """
    if one.latitude is None or one.longitude is None or other.latitude is None or other.longitude is None:
        return None
    return kilometres(one.latitude, one.longitude, other.latitude, other.longitude)


def days_apart(one: Sighted, other: Sighted) -> int | None:
    """
    Give how many days of the calendar (UTC) lie between two reports; None where one tells no time.
    """
    if one.at is None or other.at is None:
        return None
    return abs(math.floor(one.at / DAY_S) - math.floor(other.at / DAY_S))


def most_s(one: Sighted, other: Sighted) -> float | None:
    """
    Give the most seconds that may lie between two reports, as far as their instants are known; None where one tells no time.
    """
    if one.at is None or other.at is None:
        return None
    return abs(one.at - other.at) + one.within_s + other.within_s


def uncertain_km(one: Sighted, other: Sighted, unknown_km: float) -> float:
    """
    Give by how much the distance of two reports may err with 95 % probability, in kilometres; *unknown_km* where one does not say.

    Errors of two observers are independent: their squares add.
    """
    return math.hypot(*(unknown_km if each.accuracy_m is None else each.accuracy_m / 1000 for each in (one, other)))
