"""
Whether one craft could have been at two places: the speed that it would have needed, round the coasts that lie between.

The way round a convex coast is the shorter half of the hull round both places and the coast. Limits: coasts are declared coarsely,
each by itself, and two in one way are gone round one by one, the longest detour counting; a strait may look narrower than it is.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

from shapely import LineString, MultiPoint, Point, Polygon, prepare
from shapely.affinity import scale

from boutre.processors.matching.distances import KM_PER_NMI, apart_km, kilometres, most_s, uncertain_km
from boutre.processors.matching.sighted import Sighted

FASTEST_GAP_S = 60.0
"""Seconds below which a gap counts as this: two reports of one minute are not divided by nothing."""

LEAST_DETOUR_KM = 1.0
"""A way that is longer than the straight one by less crosses no coast: positions are not better than that."""


class Coasts:
    """
    Land that no craft crosses: convex outlines, each a sequence of (longitude, latitude), degrees WGS 84.
    """

    __slots__ = ("_outlines",)

    def __init__(self, outlines: Sequence[Sequence[tuple[float, float]]] = ()) -> None:
        """Raise ValueError where an outline is no polygon."""
        self._outlines = tuple(MultiPoint(outline).convex_hull for outline in outlines)
        if not all(isinstance(each, Polygon) for each in self._outlines):
            message = "an outline of a coast encloses nothing"
            raise ValueError(message)
        for each in self._outlines:
            prepare(each)

    def way_km(self, one: tuple[float, float], other: tuple[float, float]) -> float:
        """
        Give the length in kilometres of the way by sea between two places (longitude, latitude), degrees WGS 84.

        A place within an outline lies on its beach: from there the way is straight.
        """
        straight = kilometres(one[1], one[0], other[1], other[0])
        line = LineString((one, other))
        ways = (
            _round(outline, one, other)
            for outline in self._outlines
            if outline.intersects(line) and not (outline.covers(Point(one)) or outline.covers(Point(other)))
        )
        return max((straight, *ways))


def _round(outline: Polygon, one: tuple[float, float], other: tuple[float, float]) -> float:
    """Give the shorter of the two ways round *outline*, measured along the hull of it and both places."""
    # Degrees of longitude are shorter than those of latitude: the hull is drawn where both are equal, or the wrong side is shorter.
    narrow = math.cos(math.radians(outline.centroid.y))
    hull = scale(outline, narrow, 1.0, origin=(0, 0)).union(MultiPoint([(x * narrow, y) for x, y in (one, other)])).convex_hull
    if not isinstance(hull, Polygon):
        return 0.0
    corners = [(x / narrow, y) for x, y in hull.exterior.coords[:-1]]
    places = [_nearest(corners, place) for place in (one, other)]
    first, second = sorted(places)
    along = _length(corners[first : second + 1])
    back = _length([*corners[second:], *corners[: first + 1]])
    return min(along, back)


def _nearest(corners: Sequence[tuple[float, float]], place: tuple[float, float]) -> int:
    return min(range(len(corners)), key=lambda at: math.dist(corners[at], place))


def _length(corners: Sequence[tuple[float, float]]) -> float:
    return sum(kilometres(a[1], a[0], b[1], b[0]) for a, b in pairwise(corners))


def knots_needed(one: Sighted, other: Sighted, unknown_km: float, coasts: Coasts) -> float | None:
    """
    Give the least speed in knots by which a craft could have been at both places; 0 where they may be one place.

    Off the way comes what both positions may err by, *unknown_km* where one does not say; to the time between comes how far each
    instant is known. None where one report is without place or time.
    """
    apart, between = apart_km(one, other), most_s(one, other)
    if apart is None or between is None or one.longitude is None or other.longitude is None:
        return None
    assert one.latitude is not None
    assert other.latitude is not None
    way = coasts.way_km((one.longitude, one.latitude), (other.longitude, other.latitude))
    if way < apart + LEAST_DETOUR_KM:
        way = apart
    rest = max(0.0, way - uncertain_km(one, other, unknown_km))
    return rest / KM_PER_NMI / (max(between, FASTEST_GAP_S) / 3600)
