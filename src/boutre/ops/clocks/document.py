"""
A report as it is shown: rows of a table for people, and one JSON document for programs.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any, Final

from boutre.ops.clocks.report import Report
from boutre.ops.lag.document import duration

HEAD: Final = ("clock", "of", "state", "since", "what")

Row = tuple[str, str, str, str, str]


def rows(report: Report) -> Iterator[Row]:
    """
    Give the rows of the table: alerts first, then the probe, feeds, senders' clocks, and what ends.
    """
    for alert in report.undelivered:
        state = "late" if alert.late else "delivered" if not alert.unread else "under way"
        told = f"{alert.unread} alerts not read by {alert.reader or 'anybody'}" if alert.unread else ""
        yield "alerts delivered", alert.recipient, state, duration(alert.oldest_s) if alert.unread else "", told
    for one in report.waiting:
        if one.waiting or one.expired:
            told = f"{one.waiting} wait, {one.overdue} overdue, {one.expired} ended without an answer"
            state = "overdue" if one.overdue else "waiting"
            yield f"alerts answered ({one.deadline})", one.recipient, state, duration(one.oldest_s), told
    for probe in report.probes:
        seen = probe.seen
        told = f"{seen.arrived} arrived, {seen.late} late, {seen.lost} lost, {seen.unsent} not sent"
        yield "probe", f"{seen.feed} to {seen.recipient}", probe.state, duration(probe.since_s), told
    for feed in report.feeds:
        every = "" if feed.rhythm_s is None else f"every {duration(feed.rhythm_s)}"
        told = ", ".join(filter(None, (every, "shares its topics" if feed.shared else "")))
        yield "feed", f"{feed.feed} of {feed.member}", feed.state, "" if feed.silent_s is None else duration(feed.silent_s), told
    for sender in report.senders:
        state = ("ahead" if sender.ahead_s > 0 else "behind") if sender.wrong else "right"
        yield "clock", sender.member, state, duration(abs(sender.ahead_s)) if sender.wrong else "", ""
    for term in report.terms:
        left = "none is in force" if term.left_s is None else f"{'ended' if term.left_s <= 0 else 'ends'} {_moment(term.ends)}"
        yield term.kind, term.name, term.state, "", left


def document(report: Report) -> dict[str, Any]:
    """
    Give the report as JSON has it: times in ISO 8601, lengths of time in seconds; what is not known is null.
    """
    return {
        "at": _moment(report.at),
        "wrong": report.wrong,
        "alerts_undelivered": [asdict(one) for one in report.undelivered],
        "alerts_waiting": [{**asdict(one), "heard": _moment(one.heard)} for one in report.waiting],
        "feeds": [{**asdict(one), "last": _moment(one.last)} for one in report.feeds],
        "terms": [{**asdict(one), "ends": _moment(one.ends)} for one in report.terms],
        "probes": [
            {
                **{name: value for name, value in asdict(one.seen).items() if name not in {"heard", "succeeded"}},
                "state": one.state,
                "since_s": one.since_s,
                "succeeded": _moment(one.seen.succeeded or None),
                "heard": _moment(one.seen.heard),
            }
            for one in report.probes
        ],
        "senders": [asdict(one) for one in report.senders],
        "unheard": list(report.unheard),
    }


def _moment(seconds: float | None) -> str | None:
    return None if seconds is None else time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))
