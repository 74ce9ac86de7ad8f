"""
The comparisons of two reports: each gives the level to which they agree, or None where one of them says nothing of it.

What nobody tells is no evidence, neither for nor against. What each level says is not here but in the weights, which are data.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Final, TypeAlias

from boutre.processors.matching.distances import apart_km, days_apart
from boutre.processors.matching.ground import Ground
from boutre.processors.matching.identifiers import ABSENT
from boutre.processors.matching.ladders import ladder
from boutre.processors.matching.motion import ahead, spread
from boutre.processors.matching.names import ABSENT as UNNAMED
from boutre.processors.matching.reach import knots_needed
from boutre.processors.matching.sighted import Sighted, Span
from boutre.processors.matching.terms import Terms

Compare: TypeAlias = Callable[[Sighted, Sighted, Terms, Ground], str | None]

NEAR_DEG: Final = 0.02
"""Degrees within which two coordinates count as the same: a mile, the last digit of most reports."""

TOLD_WITHIN_S: Final = 600.0
"""Seconds to either side within which an instant must be known for the time of day to be told."""

SLIP_KM: Final = 3.0
"""Below this distance nobody has slipped."""


def distance(one: Sighted, other: Sighted, terms: Terms, ground: Ground) -> str | None:
    """
    How far apart, in kilometres. A position that its source gives to everything is none, unless both stand exactly there.
    """
    apart = apart_km(one, other)
    if apart is None:
        return None
    if apart > terms.edges[1] and (ground.stock(one) or ground.stock(other)):
        return "stock"
    return ladder(apart, terms.edges)


def days(one: Sighted, other: Sighted, terms: Terms, _: Ground) -> str | None:
    """
    How many days of the calendar lie between.
    """
    apart = days_apart(one, other)
    return None if apart is None else ladder(apart, terms.edges)


def clock(one: Sighted, other: Sighted, terms: Terms, _: Ground) -> str | None:
    """
    How many hours lie between, where both tell the time of day: of two attacks on one day in one strait it tells which is which.
    """
    if one.at is None or other.at is None or max(one.within_s, other.within_s) > TOLD_WITHIN_S:
        return None
    return ladder(abs(one.at - other.at) / 3600, terms.edges)


def slip(one: Sighted, other: Sighted, _terms: Terms, _: Ground) -> str | None:
    """
    Whether somebody slipped as positions were copied: one coordinate is the same, and the other off, perhaps by whole degrees.
    """
    apart = apart_km(one, other)
    if apart is None or one.latitude is None or other.latitude is None or one.longitude is None or other.longitude is None:
        return None
    if apart < SLIP_KM:
        return None
    off = abs(one.latitude - other.latitude), abs(one.longitude - other.longitude)
    if min(off) > NEAR_DEG:
        return "none"
    whole = max(off)
    return "whole-degrees" if round(whole) >= 1 and abs(whole - round(whole)) < NEAR_DEG else "one-coordinate"


def heads(one: Sighted, other: Sighted, terms: Terms, _: Ground) -> str | None:
    """
    What became of it, in the words of each source, brought under declared heads.
    """
    first, second = terms.head(one), terms.head(other)
    return None if first is None or second is None else "+".join(sorted((first, second)))


def doing(one: Sighted, other: Sighted, terms: Terms, _: Ground) -> str | None:
    """
    What the craft was doing by one report, and what became of it by the other: who lies at anchor is not approached at sea.
    """
    sides = ((terms.doing(first), terms.head(second)) for first, second in ((one, other), (other, one)))
    # Where both tell both, one of them counts, and always the same.
    return min((f"{state}+{head}" for state, head in sides if state is not None and head is not None), default=None)


def families(one: Sighted, other: Sighted, terms: Terms, _: Ground) -> str | None:
    """
    What kind of craft: the same, of one family, or different.
    """
    if one.craft is None or other.craft is None or terms.vague_code(one.craft) or terms.vague_code(other.craft):
        return None
    if one.craft == other.craft:
        return "same"
    return "family" if terms.related(one.craft, other.craft) else "differs"


def names(one: Sighted, other: Sighted, _: Terms, ground: Ground) -> str | None:
    """
    Whether one of the names that each gives is the same, written this way or that.
    """
    level = ground.names.best(one.claimed("name"), other.claimed("name"), ground.rarity).level
    return None if level == UNNAMED else level


def colours(one: Sighted, other: Sighted, terms: Terms, _: Ground) -> str | None:
    """
    Colours of the hull: the main one the same, one in common, alike at night, or different.
    """
    ours = tuple(each for each in one.colours if not terms.vague_code(each))
    theirs = tuple(each for each in other.colours if not terms.vague_code(each))
    if not ours or not theirs:
        return None
    if ours[0] == theirs[0]:
        return "same"
    if not set(ours).isdisjoint(theirs):
        return "shared"
    return "alike" if any(terms.related(each, their) for each in ours for their in theirs) else "differs"


def spans(field: str) -> Compare:
    """
    Make a comparison of a number known between two bounds: how far apart its spans lie, as a share of the larger.
    """

    def compare(one: Sighted, other: Sighted, terms: Terms, _: Ground) -> str | None:
        """A number that each knows between two bounds: how far apart its middles lie, as a share of the larger."""
        ours, theirs = getattr(one, field), getattr(other, field)
        if not isinstance(ours, Span) or not isinstance(theirs, Span) or ours.middle is None or theirs.middle is None:
            return None
        larger = max(abs(ours.middle), abs(theirs.middle))
        return ladder(0.0 if larger == 0 else abs(ours.middle - theirs.middle) / larger, terms.edges)

    return compare


def course(one: Sighted, other: Sighted, terms: Terms, _: Ground) -> str | None:
    """
    How far the courses point apart, in degrees.
    """
    if one.course_deg is None or other.course_deg is None:
        return None
    turned = abs(one.course_deg - other.course_deg) % 360
    return ladder(min(turned, 360 - turned), terms.edges)


def bearing(one: Sighted, other: Sighted, terms: Terms, _: Ground) -> str | None:
    """
    How far, in degrees, the course that the earlier report gives points away from where the later one saw it.
    """
    if not one.placed or not other.placed:
        return None
    first, second = (one, other) if (one.at or 0.0, one.id) <= (other.at or 0.0, other.id) else (other, one)
    apart = apart_km(first, second)
    if first.course_deg is None or apart is None or apart < terms.edges[0] / 10:
        return None
    assert first.latitude is not None
    assert first.longitude is not None
    assert second.latitude is not None
    assert second.longitude is not None
    east = math.radians(second.longitude - first.longitude) * math.cos(math.radians((first.latitude + second.latitude) / 2))
    north = math.radians(second.latitude - first.latitude)
    turned = abs(math.degrees(math.atan2(east, north)) % 360 - first.course_deg) % 360
    return ladder(min(turned, 360 - turned), terms.edges)


def reach(one: Sighted, other: Sighted, terms: Terms, ground: Ground) -> str | None:
    """
    The least speed, in knots, by which one craft could have been at both places, round the coasts and with what is uncertain.
    """
    needed = knots_needed(one, other, terms.uncertain_km, ground.coasts)
    return None if needed is None else ladder(needed, terms.edges)


def elapsed(one: Sighted, other: Sighted, terms: Terms, _: Ground) -> str | None:
    """
    The hours between the two, from middle to middle.
    """
    return None if one.at is None or other.at is None else ladder(abs(one.at - other.at) / 3600, terms.edges)


def events(one: Sighted, other: Sighted, _terms: Terms, _: Ground) -> str | None:
    """
    Whether both speak of one type of event.
    """
    if one.event is None or other.event is None:
        return None
    return "same" if one.event == other.event else "differs"


def marks(one: Sighted, other: Sighted, _: Terms, ground: Ground) -> str | None:
    """
    Markings as read from the hull; what is too short to tell hulls apart is none.
    """
    ours, theirs = (tuple(("marking", mark) for mark in side.markings) for side in (one, other))
    return _identified("marking", ours, theirs, ground)


def identifiers(attribute: str) -> Compare:
    """
    Make a comparison of what each claims as one *attribute* of ``identity-attribute``.
    """

    def compare(one: Sighted, other: Sighted, _: Terms, ground: Ground) -> str | None:
        """One attribute by which a hull may be known, each in its normal form."""
        return _identified(attribute, one.identifiers, other.identifiers, ground)

    return compare


def _identified(attribute: str, ours: Sequence[tuple[str, str]], theirs: Sequence[tuple[str, str]], ground: Ground) -> str | None:
    if not ours or not theirs:
        return None
    level = ground.identifiers.compare(ours, theirs, ground.too_common)[attribute]
    return None if level == ABSENT else level


BY_NAME: Final[Mapping[str, Compare]] = {
    "distance": distance,
    "days": days,
    "clock": clock,
    "slip": slip,
    "heads": heads,
    "doing": doing,
    "families": families,
    "names": names,
    "colours": colours,
    "length": spans("length_m"),
    "engines": spans("engines"),
    "power": spans("power_kw"),
    "persons": spans("persons"),
    "course": course,
    "bearing": bearing,
    "reach": reach,
    "elapsed": elapsed,
    "spread": spread,
    "ahead": ahead,
    "events": events,
    "markings": marks,
    "mmsi": identifiers("mmsi"),
    "imo": identifiers("imo"),
    "call-sign": identifiers("call-sign"),
    "registration": identifiers("registration"),
}
"""The comparisons that a model may name."""

LEAST_EDGES: Final[Mapping[str, int]] = {
    "distance": 2,
    **dict.fromkeys(("days", "clock", "length", "engines", "power", "persons", "course", "bearing"), 1),
    **dict.fromkeys(("reach", "elapsed", "spread", "ahead"), 1),
}
"""How many rungs a comparison needs whose levels are a ladder."""
