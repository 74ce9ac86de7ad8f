"""
Reports that come out of order, put in order: each waits until none before it is expected any more.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from typing import Final

from msgspec import Struct

from boutre.processors.movement.report import Report, order
from boutre.processors.movement.thresholds import TrackRule

AHEAD: Final = "ahead"
LATE: Final = "late"
REPEAT: Final = "repeat"
UNSOUND: Final = "unsound"


class Waiting(Struct, frozen=True):
    """
    What waits, in order; all slots before *passed* have been given on, and *newest* is the latest time seen (seconds since 1970).
    """

    reports: tuple[Report, ...] = ()
    passed: float = -math.inf
    newest: float = -math.inf


class Arrived(Struct, frozen=True):
    """
    What waits now, what is *due* in order, and why the report was *ignored*, if it was.
    """

    waiting: Waiting
    due: tuple[Report, ...] = ()
    ignored: str | None = None


def arrive(waiting: Waiting, report: Report, rule: TrackRule, most: int) -> Arrived:
    """
    Take one report; give those for which no earlier one can come, as none comes later than the rule allows.

    Of reports of one subject in one slot of a few seconds at one place (to some hundred metres) the least is kept, whichever
    came first. More than *most* are not held: then the oldest are given on early.
    """
    late_s, ahead_s, every_s = rule.late_s, rule.ahead_s, rule.every_s
    if not report.sound:
        return Arrived(waiting, ignored=UNSOUND)
    if report.received is not None and report.at > report.received + ahead_s:
        return Arrived(waiting, ignored=AHEAD)
    if report.at < waiting.passed:
        return Arrived(waiting, ignored=LATE)
    slot, reports = _slot(report.at, every_s), waiting.reports
    begin, end = (bisect_left(reports, float((slot + more) * every_s), key=_at) for more in (0, 1))
    same = next((one for one in reports[begin:end] if _same_place(one, report)), None)
    if same is not None and order(same) <= order(report):
        return Arrived(waiting, ignored=REPEAT)
    within = sorted((*(one for one in reports[begin:end] if one is not same), report), key=order)
    reports = (*reports[:begin], *within, *reports[end:])
    newest = max(waiting.newest, report.at)
    passed = newest - late_s
    if len(reports) > most:
        passed = max(passed, reports[len(reports) - most - 1].at + every_s)
    return release(Waiting(reports, waiting.passed, newest), passed, every_s)


def release(waiting: Waiting, until: float, every_s: float) -> Arrived:
    """
    Give on what is in slots that are over at *until*.

    No time passes by itself: what comes later, of days ago, is still taken, as long as nothing newer of its subject was given on.
    """
    if not waiting.reports or until == -math.inf:
        return Arrived(waiting)
    over = _slot(until, every_s) * every_s
    due = tuple(one for one in waiting.reports if one.at < over)
    if not due:
        return Arrived(waiting)
    passed = max(waiting.passed, (_slot(due[-1].at, every_s) + 1) * every_s)
    return Arrived(Waiting(waiting.reports[len(due) :], passed, waiting.newest), due)


def _slot(at: float, every_s: float) -> int:
    return math.floor(at / every_s)


def _at(report: Report) -> float:
    return report.at


def _same_place(one: Report, other: Report) -> bool:
    return one.subject == other.subject and _rounded(one) == _rounded(other)


def _rounded(report: Report) -> tuple[float, float]:
    return round(report.latitude, 2), round(report.longitude, 2)
