"""
Loitering: a craft that is slow around one place for hours, away from ports.
"""

from __future__ import annotations

from typing import Final

from msgspec.structs import replace

from boutre.processors.movement.detection import LOITERING, Detection, Phase, found
from boutre.processors.movement.hulls import Dwell, Hull
from boutre.processors.movement.places import HOUR_S, apart_km, knots
from boutre.processors.movement.report import Report
from boutre.processors.movement.thresholds import Thresholds

_STILL: Final = frozenset({"1", "5", "6"})  # navigational status: at anchor, moored, aground


FAR_KM: Final = 500.0
"""A port further off than this says nothing, but that the ports of these waters are not declared."""


def dwell(hull: Hull, report: Report, rules: Thresholds) -> tuple[Dwell | None, tuple[Detection, ...]]:
    """
    Go on with the dwelling of *hull* by its next *report*; say it once when it is long enough, and again when it is over.

    A silence as long as a gap ends it: nobody knows what was meanwhile. It begins nowhere in a port, and ends where one begins.
    """
    rule, before = rules.loitering, hull.dwell
    begun = begin_dwell(hull.last, report, rules)
    if before is None:
        return begun, ()
    km = apart_km(before.anchor, report)
    if begun is None or km > rule.within_km or report.at - hull.last.at >= rules.gap.after_s:
        return begun, (_loitering(before, hull.last, rules, "closed"),) if before.told else ()
    now = replace(
        before, count=before.count + 1, farthest_km=max(before.farthest_km, km), at_anchor=before.at_anchor + begun.at_anchor
    )
    if before.told or report.at - before.anchor.at < rule.hours * HOUR_S:
        return now, ()
    return replace(now, told=True), (_loitering(now, report, rules, "open"),)


def begin_dwell(last: Report, report: Report, rules: Thresholds) -> Dwell | None:
    """
    Give a dwelling that begins with *report*, as *last* is the one before; None where the craft is fast, or in port.
    """
    if speed(last, report) > rules.loitering.slow_kn or rules.port_at(report.latitude, report.longitude) is not None:
        return None
    return Dwell(report, at_anchor=int(report.status in _STILL))


def speed(before: Report, report: Report) -> float:
    """
    Give a craft's speed in knots: as it is told, or else as the way from its last report implies; none for its first.
    """
    return report.speed_kn if report.speed_kn is not None else knots(apart_km(before, report), report.at - before.at)


def _loitering(dwelt: Dwell, last: Report, rules: Thresholds, phase: Phase) -> Detection:
    rule = rules.loitering
    share = dwelt.at_anchor / dwelt.count
    to_port = rules.to_port_km(last.latitude, last.longitude)
    return found(
        LOITERING,
        rules.version,
        last,
        begin=dwelt.anchor.at,
        end=last.at,
        certainty=rule.at_anchor if share > 0.5 else rule.certainty,  # noqa: PLR2004 - mostly
        phase=phase,
        evidence=(
            ("duration", (last.at - dwelt.anchor.at) / HOUR_S, "h"),
            ("farthest", dwelt.farthest_km, "km"),
            ("reports", dwelt.count, "count"),
            ("at_anchor", share, "share"),
            *((("to_port", to_port, "km"),) if to_port is not None and to_port <= FAR_KM else ()),
        ),
        thresholds=(("slow", rule.slow_kn, "kn"), ("within", rule.within_km, "km"), ("hours", rule.hours, "h")),
        records=(dwelt.anchor.id,),
    )
