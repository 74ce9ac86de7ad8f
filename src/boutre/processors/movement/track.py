"""
The track of one identity: a small state, and a step for each report that gives the next state and what was found.

    state, told, _ = step(state, report, Watch(rules, zones), reception)

Reports may come out of order within ``track.late_s``, and more than once; later ones are not used. All is decided by the times in
the reports. The state is a value of JSON, bounded by the thresholds, for one key.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from boutre.processors.movement.circling import circling
from boutre.processors.movement.claims import Claim, claiming
from boutre.processors.movement.detection import GAP, Detection
from boutre.processors.movement.dwelling import begin_dwell, dwell
from boutre.processors.movement.entering import entering
from boutre.processors.movement.hulls import Hull, assign, jump, two_hulls
from boutre.processors.movement.reception import Reception
from boutre.processors.movement.report import Report
from boutre.processors.movement.silence import closed, opened, rhythm
from boutre.processors.movement.thresholds import MINUTE_S, Thresholds
from boutre.processors.movement.waiting import LATE, Arrived, Waiting, arrive, release
from boutre.topics.zones import Zones

DAY_S = 86_400.0


@dataclass(frozen=True, slots=True)
class Watch:
    """
    By what tracks are judged: the thresholds and the zones of a bus.
    """

    rules: Thresholds
    zones: Zones


class Track(Struct, frozen=True):
    """
    What is remembered of one identity: reports that wait, the hulls under it (the one heard last at the end), what it claims.

    *jumped* is when a jump of it was told last (seconds since 1970), *gap* the last silence that was told as over.
    """

    waiting: Waiting = Waiting()
    hulls: tuple[Hull, ...] = ()
    claims: tuple[Claim, ...] = ()
    jumped: float = -math.inf
    gap: Detection | None = None


class Stepped(NamedTuple):
    """
    The next state, what was found, the reports that were used now, in order, and why the report in hand was not, if it was not.
    """

    track: Track
    detections: tuple[Detection, ...]
    used: tuple[Report, ...] = ()
    ignored: str | None = None


def step(track: Track | None, report: Report, watch: Watch, reception: Reception) -> Stepped:
    """
    Take one report of the identity that *track* is of.
    """
    rule, track = watch.rules.track, track or Track()
    arrived = arrive(track.waiting, report, rule, rule.most_waiting)
    gap = track.gap
    if arrived.ignored == LATE and gap is not None and gap.begin < report.at < gap.end:
        # It comes too late to be used, and yet it shows that there was no silence.
        return Stepped(replace(track, gap=None), (_withdrawn(gap),), (), LATE)
    return _go_on(track, arrived, watch, reception)


def settle(track: Track, until: float, watch: Watch, reception: Reception) -> Stepped:
    """
    Take note that all reports before *until* have come (seconds since 1970): use those that waited, and tell silences.

    *until* must be what reports say, as the latest of all that a partition has seen, less the lateness that is allowed for; never
    a clock: when a feed is down for days, its craft are not silent for days.
    """
    stepped = _go_on(track, release(track.waiting, until, watch.rules.track.every_s), watch, reception)
    hulls = stepped.track.hulls
    if not hulls or stepped.track.waiting.reports:  # what waits was heard
        return stepped
    # Of several hulls under one identity only the one heard last is waited for: the others may have been no hulls at all.
    gap = opened(hulls[-1], until, reception, watch.rules)
    if gap is None:
        return stepped
    quiet = replace(stepped.track, hulls=(*hulls[:-1], replace(hulls[-1], gap=gap)))
    return Stepped(quiet, (*stepped.detections, gap), stepped.used)


def _go_on(track: Track, arrived: Arrived, watch: Watch, reception: Reception) -> Stepped:
    track = replace(track, waiting=arrived.waiting) if arrived.waiting is not track.waiting else track
    told: list[Detection] = []
    for report in arrived.due:
        track, found = _use(track, report, watch, reception)
        told.extend(found)
    return Stepped(track, tuple(told), arrived.due, arrived.ignored)


def _use(track: Track, report: Report, watch: Watch, reception: Reception) -> tuple[Track, tuple[Detection, ...]]:
    rules = watch.rules
    forgotten = report.at - rules.track.forget_days * DAY_S
    hulls = tuple(hull for hull in track.hulls if hull.last.at > forgotten)
    claims, told = claiming(track.claims, report, rules)
    report = report.bare
    number = assign(hulls, report, rules.jump)
    if number is None:
        jumped = track.jumped
        if hulls and report.at - jumped >= rules.jump.again_min * MINUTE_S:
            told, jumped = (*told, jump(hulls[-1], report, rules)), report.at
        zones = watch.zones.at(report.latitude, report.longitude)
        hulls = (*hulls, _begin(report, zones, rules))[-rules.track.most_hulls :]
        return replace(track, hulls=hulls, claims=claims, jumped=jumped), told
    hull, others = hulls[number], (*hulls[:number], *hulls[number + 1 :])
    hull, found = _follow(hull, others, report, watch, reception)
    gap = next((one for one in found if one.type == GAP and one.phase == "closed"), track.gap)
    return replace(track, hulls=(*others, hull), claims=claims, gap=gap), (*told, *found)


def _begin(report: Report, zones: tuple[str, ...], rules: Thresholds) -> Hull:
    # Where a hull is heard first it has entered nothing: nobody knows since when it is there.
    return Hull(report.at, report, dwell=begin_dwell(report, report, rules), zones=zones)


def _follow(
    hull: Hull, others: tuple[Hull, ...], report: Report, watch: Watch, reception: Reception
) -> tuple[Hull, tuple[Detection, ...]]:
    rules = watch.rules
    told: list[Detection] = []
    met = hull.met
    latest = others[-1] if others else None
    if latest is not None and latest.last.at >= hull.last.at:
        enough = min(latest.count, hull.count + 1) >= rules.hulls.least_reports
        if enough and latest.first not in met and hull.first not in latest.met:
            told.append(two_hulls(latest, hull, report, rules))
            met = (*met, latest.first)[-rules.track.most_hulls :]
    elif (gap := closed(hull, report, reception, rules)) is not None:
        told.append(gap)
    elif hull.gap is not None:
        # Its reports were only late: a feed that was down has brought what it had kept.
        told.append(_withdrawn(hull.gap))
    dwelt, loitering = dwell(hull, report, rules)
    ring, round_, circles = circling(hull, report, rules)
    zones, entered = entering(hull, report, watch.zones, rules)
    follows = Hull(hull.first, report, hull.count + 1, met, None, rhythm(hull, report), dwelt, ring, round_, zones)
    return follows, (*told, *loitering, *circles, *entered)


def _withdrawn(gap: Detection) -> Detection:
    return replace(gap, phase="withdrawn", certainty=0.0)
