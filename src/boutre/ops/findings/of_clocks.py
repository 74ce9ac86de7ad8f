"""
Findings of the clocks: what is late for people, silent, or at its end.
"""

from __future__ import annotations

from collections.abc import Iterator

from boutre.ops.clocks.report import FeedClock, ProbeClock, Report, TermClock
from boutre.ops.findings.finding import Figure, Finding, Kind


def of_clocks(report: Report) -> Iterator[Finding]:
    """
    Judge nothing anew: say what the clocks found.
    """
    for one in report.undelivered:
        if one.late:
            told: dict[str, Figure] = {"unread": one.unread, "reader": one.reader or "-"}
            since = None if one.oldest_s is None else report.at - one.oldest_s
            yield Finding("alert-undelivered", "recipient", one.recipient, "error", since, told)
    for each in report.waiting:
        if each.overdue:
            overdue: dict[str, Figure] = {"name": each.recipient, "count": each.overdue, "class": each.deadline}
            yield Finding("alerts-overdue", "recipient", f"{each.recipient} {each.deadline}", "error", None, overdue)
    for feed in report.feeds:
        yield from _feed(feed)
    for sender in report.senders:
        if sender.wrong:
            code = "clock-ahead" if sender.ahead_s > 0 else "clock-behind"
            yield Finding(code, "member", sender.member, "warning", None, {"wrong_s": abs(sender.ahead_s)})
    for term in report.terms:
        yield from _term(term)
    for probe in report.probes:
        yield from _probe(probe)


def _feed(one: FeedClock) -> Iterator[Finding]:
    if not one.wrong:
        return
    told: dict[str, Figure] = {"member": one.member, "rhythm_s": one.rhythm_s or 0.0}
    if one.state == "never":
        yield Finding("feed-never", "feed", one.feed, "note", None, told)
    else:
        yield Finding("feed-silent", "feed", one.feed, "warning", one.last, told)


def _term(one: TermClock) -> Iterator[Finding]:
    kind: Kind = "agreement" if one.kind == "agreement" else "key"
    told: dict[str, Figure] = {"party": one.party}
    if one.state == "ended":
        yield Finding(f"{one.kind}-ended", kind, one.name, "error", one.ends, told)
    elif one.state == "ends-soon":
        yield Finding(f"{one.kind}-ends", kind, one.name, "warning", None, {**told, "left_s": one.left_s or 0.0})


def _probe(one: ProbeClock) -> Iterator[Finding]:
    if not one.wrong:
        return
    seen = one.seen
    told: dict[str, Figure] = {"recipient": seen.recipient, "lost": seen.lost}
    if seen.last_s is not None:
        told["took_s"] = seen.last_s
    code = {"late": "probe-late", "lost": "probe-lost"}.get(one.state, "probe-unheard")
    yield Finding(code, "feed", seen.feed, "error" if code == "probe-lost" else "warning", seen.succeeded or None, told)
