"""
Gaps: a craft that was not heard for long, told with what was received of others around it meanwhile.

A craft that is not heard has switched off, or sailed out of range, or its receiver is down. Only the first is news, and only
reception tells it from the others; so it is part of every gap, and decides how sure it is.
"""

from __future__ import annotations

from typing import Final

from boutre.processors.movement.detection import GAP, Detection, Phase, found
from boutre.processors.movement.hulls import Hull
from boutre.processors.movement.places import HOUR_S, ahead, apart_km, cells_between, knots
from boutre.processors.movement.reception import Around, Reception, around
from boutre.processors.movement.report import Report
from boutre.processors.movement.thresholds import MINUTE_S, Thresholds

_DAY_S: Final = 86_400.0


def closed(hull: Hull, report: Report, reception: Reception, rules: Thresholds) -> Detection | None:
    """
    Tell the gap between the last report of *hull* and *report*, if there is one.

    Looked at is the straight way between the two: a craft that sailed through waters where nobody is heard was in no gap there.
    """
    if not _long(hull, report.at, rules):
        return None
    return _gap(hull, report, report.at, reception, rules)


def opened(hull: Hull, until: float, reception: Reception, rules: Thresholds) -> Detection | None:
    """
    Tell that *hull* has not been heard up to *until* (seconds since 1970), if that is a gap and was not told.

    Looked at is the way on which it was.
    """
    if hull.gap is not None or not _long(hull, until, rules):
        return None
    return _gap(hull, hull.last, until, reception, rules)


def rhythm(hull: Hull, report: Report) -> float:
    """
    Give how many seconds the reports of a hull are usually apart, with its next one: a mean that forgets, by an eighth each time.
    """
    seconds = min(report.at - hull.last.at, _DAY_S)
    return seconds if hull.count == 1 else hull.rhythm_s + (seconds - hull.rhythm_s) / 8


def _long(hull: Hull, end: float, rules: Thresholds) -> bool:
    # Who was heard once has no rhythm to fall out of; who is in port may switch off.
    least = max(rules.gap.after_s, rules.gap.rhythm * hull.rhythm_s)
    return hull.count > 1 and end - hull.last.at >= least and rules.port_at(hull.last.latitude, hull.last.longitude) is None


def _gap(hull: Hull, on: Report, end: float, reception: Reception, rules: Thresholds) -> Detection:
    phase: Phase = "open" if on is hull.last else "closed"
    begin, rule = hull.last.at, rules.gap
    size = rules.reception.cell_degrees
    there = (on.latitude, on.longitude) if phase == "closed" else ahead(hull.last, end - begin)
    cells = cells_between((hull.last.latitude, hull.last.longitude), there, size)
    heard = around(reception, cells, hull.last, end, rules.reception)
    how = answer(heard, rules)
    regular = hull.count >= rule.regular_reports
    certainty = getattr(rule.certainty, how)
    return found(
        GAP,
        rules.version,
        hull.last,
        begin=begin,
        end=end,
        # Heard once or twice before, a craft was at the edge of what is received, and its silence says little.
        certainty=certainty if regular else min(certainty, rule.certainty.unknown),
        phase=phase,
        evidence=(
            ("duration", (end - begin) / HOUR_S, "h"),
            ("others_during", heard.during, "count"),
            ("others_before", heard.before, "count"),
            ("heard_share", heard.share, "share"),
            ("own_share", heard.own, "share"),
            ("others_as_long", heard.seldom, "share"),
            ("others_compared", heard.compared, "count"),
            ("cells", len(cells), "count"),
            ("reports_before", hull.count, "count"),
            ("rhythm", hull.rhythm_s / MINUTE_S, "min"),
            *(_again(hull.last, on) if phase == "closed" else ()),
        ),
        facts={"reception": how},
        thresholds=(
            ("after", rule.after_min, "min"),
            ("rhythm", rule.rhythm, "count"),
            ("heard", rule.heard.most, "share"),
            ("partly", rule.heard.some, "share"),
            ("seldom", rule.heard.seldom, "share"),
            ("slot", rules.reception.slot_s / MINUTE_S, "min"),
            ("cell", size, "deg"),
        ),
        records=(hull.last.id, on.id),
    )


def _again(before: Report, on: Report) -> tuple[tuple[str, float, str], ...]:
    km = apart_km(before, on)
    return (
        ("distance", km, "km"),
        ("implied_speed", knots(km, on.at - before.at), "kn"),
        ("to_latitude", on.latitude, "deg"),
        ("to_longitude", on.longitude, "deg"),
    )


def answer(heard: Around, rules: Thresholds) -> str:
    """
    Say in a word how reception was; the same words are certainties in ``gap.certainty``.

    ``heard`` and ``partly`` are by the receiver that had heard the craft, ``elsewhere`` by others only; ``silent`` is that somebody
    was heard before and hardly anybody meanwhile, ``unknown`` all else. Where others are heard now and then only, such a silence is
    nothing special, and ``partly`` at best.
    """
    rule = rules.gap.heard
    if heard.share >= rule.some and heard.during:
        if heard.own < rule.some:
            return "elsewhere"
        return "heard" if heard.own >= rule.most and heard.compared >= rule.least and heard.seldom <= rule.seldom else "partly"
    return "silent" if heard.before else "unknown"
