"""
What one hull's identifier says of the numbers that carry it: one number after another, or two at once.

A value for each IMO number, and for each call sign together with its name. A name alone, or being at the same place, joins
nothing: names are shared by many, and in traffic somebody is always near.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct
from msgspec.structs import replace

from boutre.processors.movement.claims import compared
from boutre.processors.movement.detection import SHARED, SUCCESSOR, Detection, found
from boutre.processors.movement.hulls import possible
from boutre.processors.movement.places import HOUR_S, apart_km, knots
from boutre.processors.movement.report import Report
from boutre.processors.movement.thresholds import MINUTE_S, Thresholds


class Holder(Struct, frozen=True):
    """
    A number that carries the identifier: its *first* and *last* reports, how many, and the numbers that were told beside it.
    """

    first: Report
    last: Report
    count: int = 1
    told: tuple[str, ...] = ()


class Holders(Struct, frozen=True):
    """
    The numbers that carry one identifier, the one heard last at the end.
    """

    holders: tuple[Holder, ...] = ()


def identifiers(report: Report) -> Iterator[tuple[str, str]]:
    """
    Give the identifiers of a hull that a report carries, each as attribute and value: what its key is made of.
    """
    given = {attribute: compared(attribute, value) for attribute, value in report.claims}
    if given.get("imo"):
        yield "imo", str(given["imo"])
    if given.get("call-sign") and given.get("name"):
        yield "call-sign", f"{given['call-sign']}/{given['name']}"


def carry(
    holders: Holders | None, identifier: tuple[str, str], report: Report, rules: Thresholds
) -> tuple[Holders, tuple[Detection, ...]]:
    """
    Go on with one *identifier* by a report that carries it.
    """
    report = report.bare
    known = {one.last.subject: one for one in (holders or Holders()).holders}
    mine = known.pop(report.subject, None)
    if mine is None:
        mine = Holder(report, report)
    else:
        first = min(mine.first, report, key=_at)
        mine = replace(mine, first=first, last=max(mine.last, report, key=_at), count=mine.count + 1)
    told: list[Detection] = []
    for other in tuple(known.values()):
        if mine.count < rules.identity.least_reports or other.last.subject in mine.told:
            continue
        answer = _between(other, mine, identifier, report, rules)
        if answer is not None:
            mine = replace(mine, told=(*mine.told, other.last.subject)[-rules.identity.most_values :])
            told.append(answer)
            # Told from both sides it would be told twice.
            known[other.last.subject] = replace(other, told=(*other.told, report.subject)[-rules.identity.most_values :])
    kept = sorted((*known.values(), mine), key=lambda one: (one.last.at, one.last.subject))
    return Holders(tuple(kept[-rules.identity.most_values :])), tuple(told)


def _at(report: Report) -> float:
    return report.at


def _between(other: Holder, mine: Holder, identifier: tuple[str, str], report: Report, rules: Thresholds) -> Detection | None:
    if other.last.at < mine.first.at:
        # Whoever was silent for a moment may come again: only when it stays silent is this its successor.
        if report.at - other.last.at < rules.identity.quiet_min * MINUTE_S:
            return None
        return _told(
            SUCCESSOR if possible(other.last, mine.first, rules.jump) else SHARED, other, mine, report, rules=rules, by=identifier
        )
    if mine.last.at < other.first.at or other.count < rules.identity.least_reports:
        return None
    # Two numbers that could be one craft are taken for one with two transponders.
    return None if possible(other.last, report, rules.jump) else _told(SHARED, other, mine, report, rules=rules, by=identifier)


def _told(type_: str, other: Holder, mine: Holder, report: Report, *, rules: Thresholds, by: tuple[str, str]) -> Detection:
    successor = type_ == SUCCESSOR
    both = (mine.last.subject, other.last.subject)
    here = mine.first if successor else report
    km, seconds = apart_km(other.last, here), here.at - other.last.at
    return found(
        type_,
        rules.version,
        here,
        subject=mine.last.subject if successor else min(both),
        begin=mine.first.at if successor else max(mine.first.at, other.first.at),
        end=report.at,
        certainty=rules.identity.certainty if successor else rules.identity.shared,
        others=(other.last.subject if successor else max(both),),
        evidence=(
            ("distance", km, "km"),
            ("between", seconds / HOUR_S, "h"),
            *((("implied_speed", knots(km, seconds), "kn"),) if seconds > 0 else ()),
            ("reports_of_other", other.count, "count"),
            ("reports", mine.count, "count"),
        ),
        facts={"attribute": by[0], "value": by[1]},
        thresholds=(
            ("quiet", rules.identity.quiet_min, "min"),
            ("least_reports", rules.identity.least_reports, "count"),
        ),
        records=(other.last.id, mine.first.id),
        of=by[0],
    )
