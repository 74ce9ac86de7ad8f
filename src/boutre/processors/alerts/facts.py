"""
What rules of alerts need of each record that a recipient has, and the situation that follows from several of one event.

Nobody's name is among it, and of what groups that may hold names say nothing is taken: see ``processors/offers.py``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import replace

from boutre.processors.alerts.situation import Situation
from boutre.processors.links.provenance import Told, confirmation
from boutre.processors.links.provenance import told as source_of
from boutre.processors.matching.sighted import Sighted, Span
from boutre.processors.movement.detection import SCHEME as DETECTED

CREDIBILITY: Final[Mapping[str, float]] = {"1": 1.0, "2": 0.75, "3": 0.5, "4": 0.25, "5": 0.0}
"""Admiralty credibility as a number, as MISP's taxonomy has it; 6, *cannot be judged*, is not known rather than a half."""

HULLS: Final = ("imo", "mmsi", "registration", "name")
"""What a craft is called by, the surest first."""

Zones = Callable[[float, float], Iterable[str]]
"""The zones that hold a position, degrees WGS 84."""


class Facts(Struct, frozen=True, omit_defaults=True):
    """
    One record: *report* as matching sees it, and beside it what only rules ask. *accepted* in seconds since 1970 UTC.

    *told* says where it comes from, *member* who reports, as far as it may be told; *withheld* are the paths of fields, or of
    their groups, that its recipient was not given.
    """

    report: Sighted
    told: Told
    accepted: float
    late: bool | None = None
    member: str | None = None
    people: tuple[str, ...] = ()
    credibility: float | None = None
    detections: tuple[str, ...] = ()
    withheld: tuple[str, ...] = ()


def facts(report: Sighted, value: Mapping[str, Any], accepted: float) -> Facts:
    """
    Give what a view, or an offer of one, says; *report* is the same as matching sees it.
    """
    origin, times, persons, assessment = (_group(value, name) for name in ("origin", "times", "persons", "assessment"))
    rows = (value.get("view") or {}).get("fields") or ()
    late, member = times.get("late"), origin.get("member")
    return Facts(
        report,
        # What it takes the place of is the same report under another name, and no source of it.
        source_of(replace(report, revises=None), value),
        accepted,
        late if isinstance(late, bool) else None,
        member if isinstance(member, str) else None,
        tuple(sorted({str(one["condition"]) for one in persons.get("counts") or () if one.get("condition")})),
        CREDIBILITY.get(str(assessment.get("credibility"))),
        tuple(sorted({code for scheme, code in report.classes if scheme == DETECTED})),
        tuple(sorted({str(row["field"]) for row in rows if row["state"] == "withheld"})),
    )


def situation(
    recipient: str,
    body: str,
    known: Sequence[tuple[str, Facts]],
    *,
    zones_at: Zones,
    probability: float | None,
    at_risk: frozenset[str],
    exercise: bool,
) -> Situation:
    """
    Take records of one event together: *known* are their names and facts, *probability* the least of the links that bind them.

    Types *at_risk* are those by which lives are at risk. Where reports differ, the newest says where it is, and numbers of people
    are told from the least to the most.
    """
    rows = [one for _, one in known]
    newest = max(known, key=lambda each: (each[1].report.at or float("-inf"), each[1].accepted, each[0]))[1]
    placed = [one.report for one in rows if one.report.placed]
    where = max(placed, key=lambda each: (each.at or 0.0, -(each.accuracy_m or 0.0), each.id), default=None)
    types = _all(one.report.event for one in rows)
    people = [one.report.persons for one in rows if one.report.persons is not None]
    rests_on = confirmation((one.report.id for one in rows), {one.report.id: one.told for one in rows})
    return Situation(
        recipient=recipient,
        body=body,
        records=tuple(sorted(name for name, _ in known)),
        at=max(one.accepted for one in rows),
        observed=newest.report.at,
        within_s=newest.report.within_s,
        # Late is what came late altogether: one report in time is enough to be in time.
        late=all(one.late for one in rows) if all(one.late is not None for one in rows) else None,
        exercise=exercise,
        types=types,
        outcomes=_all(one.report.outcome for one in rows),
        activities=_all(one.report.activity for one in rows),
        crafts=_all(one.report.craft for one in rows),
        craft=min((name for one in rows if (name := _called(one.report)) is not None), default=None),
        length_m=_length(rows),
        persons_least=min((end for one in people if (end := _end(one.least, one.most)) is not None), default=None),
        persons_most=max((end for one in people if (end := _end(one.most, one.least)) is not None), default=None),
        people=_all(code for one in rows for code in one.people),
        lives_at_risk=True if at_risk.intersection(types) else None,
        detections=_all(code for one in rows for code in one.detections),
        zones=() if where is None else tuple(sorted(zones_at(where.latitude or 0.0, where.longitude or 0.0))),
        latitude=None if where is None else where.latitude,
        longitude=None if where is None else where.longitude,
        accuracy_m=None if where is None else where.accuracy_m,
        course_deg=None if where is None else where.course_deg,
        roots=len(rests_on.independent) or None,
        probability=probability,
        credibility=max((one.credibility for one in rows if one.credibility is not None), default=None),
        sources=_all(one.member for one in rows),
        withheld=_all(path for one in rows for path in one.withheld),
    )


def _group(value: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    group = value.get(name)
    return group if isinstance(group, Mapping) else {}


def _all(codes: Iterable[str | None]) -> tuple[str, ...]:
    return tuple(sorted({code for code in codes if code is not None}))


def _called(report: Sighted) -> str | None:
    return next((f"{kind}:{min(found)}" for kind in HULLS if (found := report.claimed(kind))), None)


def _end(one: float | None, other: float | None) -> float | None:
    return other if one is None else one


def _length(rows: Iterable[Facts]) -> float | None:
    """The middle of what the newest report says that says anything: the mean of several would be nobody's."""
    told: list[tuple[float, str, Span]] = [
        (one.report.at or 0.0, one.report.id, one.report.length_m) for one in rows if one.report.length_m is not None
    ]
    return max(told, key=lambda each: each[:2])[2].middle if told else None
