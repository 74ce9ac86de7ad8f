"""
Comparisons of where craft go: how far two reports lie apart for the time between them, and from where one would have sailed on.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Final

from boutre.processors.matching.distances import KM_PER_DEG, KM_PER_NMI, apart_km, kilometres, uncertain_km
from boutre.processors.matching.ground import Ground
from boutre.processors.matching.ladders import ladder
from boutre.processors.matching.sighted import Sighted
from boutre.processors.matching.terms import Terms

USUAL_KN: Final = 12.0
"""Knots of a small boat of which nobody told the speed: a loaded kwassa at night makes eight to sixteen."""

SPEED_ERRS: Final = 0.15
"""By which share a speed that was told errs an hour later: a craft slows down for waves, and nobody reads it well."""

UNTOLD_ERRS: Final = 0.5
"""The same of a speed that nobody told."""

COURSE_ERRS_RAD: Final = math.radians(20)
"""By how much a course errs, of an hour and more: a craft goes round reefs, and back for a light."""

LEAST_KM: Final = 0.3
"""No two positions are known better than this together."""


def spread(one: Sighted, other: Sighted, terms: Terms, _: Ground) -> str | None:
    """
    How far apart for the time between: hours on the ladder *edges*, kilometres on the ladder *across*.

    Both at once, since neither says much alone: ten kilometres are nothing after an hour, and too far after five minutes.
    """
    apart = apart_km(one, other)
    if apart is None or one.at is None or other.at is None:
        return None
    return f"{ladder(abs(one.at - other.at) / 3600, terms.edges)} h {ladder(apart, terms.across)} km"


def ahead(one: Sighted, other: Sighted, terms: Terms, _: Ground) -> str | None:
    """
    How far from where the course of one leads the other was seen, as a multiple of what both may err by.

    Where both tell a course the worse of the two counts. Silent where nobody tells one.
    """
    if not one.placed or not other.placed:
        return None
    first, second = (one, other) if (one.at or 0.0, one.id) <= (other.at or 0.0, other.id) else (other, one)
    errors = [*_missed(first, second, 1.0, terms), *_missed(second, first, -1.0, terms)]
    return ladder(max(errors), terms.edges) if errors else None


def _missed(of: Sighted, seen: Sighted, way: float, terms: Terms) -> Iterator[float]:
    """Sail on from *of* (or back, with *way* -1) to the time of *seen*, and give by how many errors that place was missed."""
    if of.course_deg is None or of.latitude is None or of.longitude is None or seen.latitude is None or seen.longitude is None:
        return
    per_hour = (USUAL_KN if of.speed_kn is None else of.speed_kn) * KM_PER_NMI
    sailed = per_hour * abs((of.at or 0.0) - (seen.at or 0.0)) / 3600
    course = math.radians(of.course_deg)
    latitude = of.latitude + way * sailed * math.cos(course) / KM_PER_DEG
    narrow = max(0.1, math.cos(math.radians(of.latitude)))
    longitude = of.longitude + way * sailed * math.sin(course) / (KM_PER_DEG * narrow)
    missed = kilometres(latitude, longitude, seen.latitude, seen.longitude)
    errs = SPEED_ERRS if of.speed_kn is not None else UNTOLD_ERRS
    clock = per_hour * (of.within_s + seen.within_s) / 3600
    # What positions err by is told with 95 % probability: twice what the others are.
    place = uncertain_km(of, seen, terms.uncertain_km) / 2
    yield missed / math.hypot(place, errs * sailed, COURSE_ERRS_RAD * sailed, clock, LEAST_KM)
