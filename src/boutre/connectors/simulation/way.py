"""
The way of a boat: where it truly was and when, bent and slowed as open boats are.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from random import Random
from typing import Final, NamedTuple

from boutre.connectors.simulation.chance import chance
from boutre.connectors.simulation.sea import KM_H_PER_KN, Point

HOUR_S: Final = 3_600.0
LONG_LEG_KM: Final = 12.0
"""A leg longer than this is not gone straight."""

STILL_KN: Final = 1.5
"""Slower than this a boat drifts."""


class Fix(NamedTuple):
    """
    Where a boat truly was: seconds since 1970 UTC, and a point.
    """

    at: float
    where: Point


class Going(NamedTuple):
    """
    Where a boat truly is, its course in degrees true and its speed in knots.
    """

    where: Point
    course_deg: float
    speed_kn: float


def way(
    rng: Random, begin: float, ends: Sequence[Point], speed_kn: float, *, detour_km: float, stop_share: float = 0.0
) -> tuple[Fix, ...]:
    """
    Give a way through *ends*: long legs are bent, each leg has a speed of its own, and an engine may fail for a while.
    """
    points = [ends[0]]
    for one, two in pairwise(ends):
        parts = int(one.km(two) // LONG_LEG_KM)
        for part in range(1, parts + 1):
            share = part / (parts + 1)
            straight = Point(one.east + share * (two.east - one.east), one.north + share * (two.north - one.north))
            points.append(straight.beside(rng.gauss(0, detour_km), rng.gauss(0, detour_km)))
        points.append(two)
    fixes, at = [Fix(begin, points[0])], begin
    stop = rng.randrange(1, len(points)) if chance(rng, stop_share) else None
    for number, (one, two) in enumerate(pairwise(points), 1):
        at += max(one.km(two), 0.01) / (speed_kn * rng.uniform(0.8, 1.15) * KM_H_PER_KN) * HOUR_S
        fixes.append(Fix(at, two))
        if number == stop and number < len(points) - 1:
            at += rng.uniform(600, 3_000)
            fixes.append(Fix(at, two.beside(rng.gauss(0, 0.4), rng.gauss(0, 0.4))))
    return tuple(fixes)
