"""
Who holds an identifier: how many hulls, whether one ship could have been at all of its places, and what one hull claimed when.

One number on two hulls and several numbers on one hull are both daily bread: copied transmitters, sold boats, changed flags. So an
identity is a list of claims with times and sources, never one row, and a number that too many hold links nobody.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from boutre.processors.matching.distances import DAY_S, KM_PER_NMI, kilometres
from boutre.processors.matching.placeholders import HolderRules

HOUR_S: Final = 3600.0

MOST_CLAIMS: Final = 64
"""Claims of one hull that are kept, the newest first; a hull that changes its name weekly is known by what it does."""


class Use(Struct, frozen=True):
    """
    That *subject* (a hull, or a report that stands alone) used an identifier *at* a time, seconds since 1970 UTC, and where.

    *within_s* and *accuracy_m* say how far time and place are known; degrees are WGS 84, None where it was not placed.
    """

    subject: str
    at: float
    latitude: float | None = None
    longitude: float | None = None
    within_s: float = 0.0
    accuracy_m: float = 0.0


class Holders(Struct, frozen=True):
    """
    The newest use by each subject, the newest first, no more of them than it takes to say that there are too many.

    The value is the same in whichever order uses came in.
    """

    uses: tuple[Use, ...] = ()


def used(holders: Holders, use: Use, rules: HolderRules) -> Holders:
    """
    Give *holders* with one more use remembered.
    """
    newest = {one.subject: one for one in holders.uses}
    known = newest.get(use.subject)
    if known is None or _order(use) > _order(known):
        newest[use.subject] = use
    return Holders(tuple(sorted(newest.values(), key=_order, reverse=True)[: rules.subjects + 1]))


def too_many(holders: Holders, rules: HolderRules) -> bool:
    """
    Whether more subjects than declared used an identifier within the window that ends with its newest use. Then it links nobody.
    """
    if not holders.uses:
        return False
    begin = holders.uses[0].at - rules.window_days * DAY_S
    return sum(use.at >= begin for use in holders.uses) > rules.subjects


def elsewhere(holders: Holders, use: Use, rules: HolderRules) -> tuple[Use, ...]:
    """
    Give the uses by which *use* cannot be of the same hull: too far for the time, whatever the errors of both.
    """
    return tuple(one for one in holders.uses if one != use and not reachable(one, use, rules.fastest_kn))


def reachable(one: Use, other: Use, fastest_kn: float) -> bool:
    """
    Whether a craft of *fastest_kn* knots can have been at both; what was not placed could have been anywhere.

    A straight line over land counts as a way, so that it errs towards one hull.
    """
    if one.latitude is None or one.longitude is None or other.latitude is None or other.longitude is None:
        return True
    apart = kilometres(one.latitude, one.longitude, other.latitude, other.longitude) - (one.accuracy_m + other.accuracy_m) / 1000
    seconds = abs(one.at - other.at) + one.within_s + other.within_s
    return apart <= fastest_kn * KM_PER_NMI * seconds / HOUR_S


class Claimed(Struct, frozen=True):
    """
    That *source* knows a hull by *value* from *first* to *last*, seconds since 1970 UTC.
    """

    attribute: str
    value: str
    source: str
    first: float
    last: float


def claimed(claims: tuple[Claimed, ...], new: Iterable[Claimed]) -> tuple[Claimed, ...]:
    """
    Give the claims of one hull with *new* among them: one for each value and source, its times widened, the newest first.
    """
    merged = {(one.attribute, one.value, one.source): one for one in claims}
    for one in new:
        key = (one.attribute, one.value, one.source)
        known = merged.get(key, one)
        merged[key] = replace(known, first=min(known.first, one.first), last=max(known.last, one.last))
    ordered = sorted(merged.values(), key=lambda one: (-one.last, one.attribute, one.value, one.source))
    return tuple(ordered[:MOST_CLAIMS])


def values_at(claims: Iterable[Claimed], attribute: str, at: float) -> tuple[str, ...]:
    """
    Give the values of *attribute* that somebody claimed for a hull at a time, each once.

    Several are not an error: sources disagree.
    """
    return tuple(sorted({one.value for one in claims if one.attribute == attribute and one.first <= at <= one.last}))


def _order(use: Use) -> tuple[float, str, float, float, float, float]:
    place = (91.0, 181.0) if use.latitude is None or use.longitude is None else (use.latitude, use.longitude)
    return (use.at, use.subject, *place, use.within_s, use.accuracy_m)
