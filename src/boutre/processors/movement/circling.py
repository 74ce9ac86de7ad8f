"""
Circle spoofing: positions that run around a circle, round after round, as falsified satellite navigation gives them.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import NamedTuple

from boutre.processors.movement.detection import CIRCLE, Detection, found
from boutre.processors.movement.hulls import Hull
from boutre.processors.movement.places import KM_PER_DEGREE
from boutre.processors.movement.report import Report
from boutre.processors.movement.thresholds import CircleRule, Thresholds

Ring = tuple[tuple[float, float, float], ...]


class Circle(NamedTuple):
    """
    A circle through places: its radius in km, how far they lie from it (root mean square, km), and how often they go around.
    """

    radius_km: float
    off_km: float
    turns: float


def circling(hull: Hull, report: Report, rules: Thresholds) -> tuple[Ring, bool, tuple[Detection, ...]]:
    """
    Add a place to the ring of *hull*, and say once that it goes around, until it does so no more.
    """
    rule = rules.circle
    if hull.ring and report.at - hull.ring[-1][0] < rule.every_s:
        return hull.ring, hull.circling, ()
    ring = (*hull.ring, (report.at, report.latitude, report.longitude))[-rule.points :]
    circle = fit(ring) if len(ring) == rule.points else None
    if circle is None or not _false(circle, rule):
        return ring, False, ()
    if hull.circling:
        return ring, True, ()
    told = found(
        CIRCLE,
        rules.version,
        report,
        begin=ring[0][0],
        end=report.at,
        certainty=rule.certainty,
        evidence=(
            ("radius", circle.radius_km, "km"),
            ("off", circle.off_km, "km"),
            ("turns", abs(circle.turns), "count"),
            ("duration", (report.at - ring[0][0]) / 60, "min"),
        ),
        thresholds=(
            ("turns", rule.turns, "count"),
            ("least", rule.least_km, "km"),
            ("most", rule.most_km, "km"),
            ("off_share", rule.off_share, "share"),
        ),
        records=(hull.last.id,),
    )
    return ring, True, (told,)


def _false(circle: Circle, rule: CircleRule) -> bool:
    return (
        rule.least_km <= circle.radius_km <= rule.most_km
        and circle.off_km <= rule.off_share * circle.radius_km
        and abs(circle.turns) >= rule.turns
    )


def fit(ring: Ring) -> Circle | None:
    """
    Fit a circle to places by least squares (Kåsa, 1976); None where they lie on a line or in one point.
    """
    latitude = sum(one[1] for one in ring) / len(ring)
    wide = KM_PER_DEGREE * max(0.01, math.cos(math.radians(latitude)))
    east, north = [(one[2] - ring[0][2]) * wide for one in ring], [(one[1] - latitude) * KM_PER_DEGREE for one in ring]
    middle_east, middle_north = sum(east) / len(ring), sum(north) / len(ring)
    points = [(x - middle_east, y - middle_north) for x, y in zip(east, north, strict=True)]
    xx, yy, xy = (sum(each) for each in zip(*((x * x, y * y, x * y) for x, y in points), strict=True))
    right_x = sum(x * (x * x + y * y) for x, y in points) / 2
    right_y = sum(y * (x * x + y * y) for x, y in points) / 2
    determinant = xx * yy - xy * xy
    if determinant <= 1e-9 * (xx + yy) ** 2 or xx + yy == 0:
        return None
    x0, y0 = (right_x * yy - right_y * xy) / determinant, (right_y * xx - right_x * xy) / determinant
    radius = math.sqrt(x0 * x0 + y0 * y0 + (xx + yy) / len(ring))
    off = math.sqrt(sum((math.hypot(x - x0, y - y0) - radius) ** 2 for x, y in points) / len(points))
    angles = [math.atan2(y - y0, x - x0) for x, y in points]
    turned = sum((to - at + math.pi) % (2 * math.pi) - math.pi for at, to in pairwise(angles))
    return Circle(radius, off, turned / (2 * math.pi))
