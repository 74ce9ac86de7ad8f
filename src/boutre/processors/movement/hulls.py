"""
One identity and the hulls that use it: each report goes to a hull that can have got there, and what none can have is a jump.
"""

from __future__ import annotations

import math

from msgspec import Struct

from boutre.processors.matching.distances import kilometres
from boutre.processors.movement.detection import HULLS, JUMP, Detection, found
from boutre.processors.movement.places import ahead, apart_km, knots
from boutre.processors.movement.report import Report
from boutre.processors.movement.thresholds import MINUTE_S, JumpRule, Thresholds


class Dwell(Struct, frozen=True):
    """
    That a hull has been slow around *anchor* since then: so many reports, the farthest of them so far off, how many at anchor.
    """

    anchor: Report
    count: int = 1
    farthest_km: float = 0.0
    at_anchor: int = 0
    told: bool = False


class Hull(Struct, frozen=True):
    """
    One hull under an identity: its *first* time, its *last* report, how many, and what is remembered for each kind of detection.

    *met* are the firsts of hulls that it was told apart from, *gap* is its silence if that was told and is not over,
    *rhythm_s* how many seconds its reports are usually apart, *ring* its last places as (time, latitude, longitude), *zones* the
    zones that it is in.
    """

    first: float
    last: Report
    count: int = 1
    met: tuple[float, ...] = ()
    gap: Detection | None = None
    rhythm_s: float = 0.0
    dwell: Dwell | None = None
    ring: tuple[tuple[float, float, float], ...] = ()
    circling: bool = False
    zones: tuple[str, ...] = ()


def implied_kn(one: Report, other: Report, rule: JumpRule) -> float:
    """
    Give the least speed in knots by which one craft can have sent both: the errors of both places and times are given to it.

    It is 0 where the places are too near to each other to say anything.
    """
    km = apart_km(one, other)
    if km < rule.least_km:
        return 0.0
    return knots(max(0.0, km - rule.slack_km), abs(other.at - one.at) + rule.slack_s)


def possible(one: Report, other: Report, rule: JumpRule) -> bool:
    """
    Whether one craft can have sent both, by the fastest kind that it says it is.
    """
    return implied_kn(one, other, rule) <= max(rule.fastest(one.craft), rule.fastest(other.craft))


def assign(hulls: tuple[Hull, ...], report: Report, rule: JumpRule) -> int | None:
    """
    Give the place in *hulls* of the one that this report is of: of those that can be there, the one expected nearest; else None.
    """
    best, nearest = None, math.inf
    for number, hull in enumerate(hulls):
        if not possible(hull.last, report, rule):
            continue
        latitude, longitude = ahead(hull.last, report.at - hull.last.at)
        still = apart_km(hull.last, report)
        km = min(still, kilometres(latitude, longitude, report.latitude, report.longitude))
        if km < nearest:
            best, nearest = number, km
    return best


def jump(hull: Hull, report: Report, rules: Thresholds) -> Detection:
    """
    Say that *report* is where the hull heard last cannot be.
    """
    return found(
        JUMP,
        rules.version,
        report,
        begin=hull.last.at,
        end=report.at,
        certainty=rules.jump.certainty,
        evidence=_apart(hull.last, report),
        thresholds=(("fastest", max(rules.jump.fastest(hull.last.craft), rules.jump.fastest(report.craft)), "kn"), *_slack(rules)),
        records=(hull.last.id,),
    )


def two_hulls(before: Hull, hull: Hull, report: Report, rules: Thresholds) -> Detection:
    """
    Say that two hulls use one identity: *before* was heard last, and now *hull* is again, at *report*.
    """
    return found(
        HULLS,
        rules.version,
        report,
        begin=max(before.first, hull.first),
        end=report.at,
        certainty=rules.hulls.certainty,
        evidence=(
            *_apart(before.last, report),
            ("reports_here", hull.count + 1, "count"),
            ("reports_there", before.count, "count"),
        ),
        thresholds=(
            ("fastest", max(rules.jump.fastest(before.last.craft), rules.jump.fastest(report.craft)), "kn"),
            ("least_reports", rules.hulls.least_reports, "count"),
            *_slack(rules),
        ),
        records=(before.last.id, hull.last.id),
    )


def _apart(there: Report, here: Report) -> tuple[tuple[str, float, str], ...]:
    km, seconds = apart_km(there, here), here.at - there.at
    speed = knots(km, seconds)
    return (
        ("distance", km, "km"),
        ("gap", seconds / MINUTE_S, "min"),
        # At one instant there is no speed; the number is that of a second, the finest that these times are.
        ("implied_speed", speed if math.isfinite(speed) else knots(km, 1.0), "kn"),
        ("from_latitude", there.latitude, "deg"),
        ("from_longitude", there.longitude, "deg"),
        ("to_latitude", here.latitude, "deg"),
        ("to_longitude", here.longitude, "deg"),
    )


def _slack(rules: Thresholds) -> tuple[tuple[str, float, str], ...]:
    return (("least", rules.jump.least_km, "km"), ("slack", rules.jump.slack_km, "km"), ("slack_time", rules.jump.slack_s, "s"))
