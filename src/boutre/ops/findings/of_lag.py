"""
Findings of the cluster as the lag evaluator last saw it: topics, partitions, and who is behind.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator
from typing import Final

from boutre.ops.findings.finding import Figure, Finding, Kind, Severity
from boutre.ops.lag.groups import NOBODY
from boutre.ops.lag.report import GroupLag, Report
from boutre.ops.lag.rules import Status
from boutre.topics.members import BUS

NEAR_S: Final = 3 * 3600.0
"""Seconds until retention may take what is unread, below which it is told."""

MANY: Final = 5
"""Names of a kind that are told one by one; of more, how many there are."""

FEW: Final = 2
"""Processors without a worker that are told one by one; where more are, all have the same cause."""

HELD_S: Final = 60.0
"""Seconds for which a transaction may be open before it is told: most are open for a part of one."""

DOCTOR: Final = "boutre.doctor"
"""The group with which the doctor measures the clock: there for a moment, and nobody's lag."""


def of_lag(report: Report, min_isr: int, declared: Collection[str] = ()) -> Iterator[Finding]:
    """
    Judge a report; *min_isr* copies must have a record before it counts as written, *declared* are all topics that should be there.
    """
    yield from _topics(report, declared)
    yield from _partitions(report, min_isr)
    yield from _held(report)
    for one in report.groups:
        if one.seen:
            yield from _group(one, report.at / 1000)
    yield from _absent(report)
    yield from _undeclared(report)


def _topics(report: Report, declared: Collection[str]) -> Iterator[Finding]:
    missing = sorted({*report.missing, *(name for name in declared if name not in report.topics)})
    if len(missing) > MANY:
        yield Finding("topics-missing", "cluster", "kafka", "error", None, {"count": len(missing), "first": missing[0]})
        return
    for name in missing:
        readers = [one.group.name for one in report.groups if name in one.group.topics]
        yield Finding("topic-missing", "topic", name, "error", None, {"readers": ", ".join(readers) or "-"})


def _partitions(report: Report, min_isr: int) -> Iterator[Finding]:
    found: dict[str, list[str]] = {"partition-leaderless": [], "partition-unwritable": [], "partition-thin": []}
    for name, topic in report.topics.items():
        for number, one in enumerate(topic.partitions):
            if one.leader < 0:
                found["partition-leaderless"].append(f"{name}/{number}")
            elif len(one.in_sync) < min(min_isr, len(one.replicas)):
                found["partition-unwritable"].append(f"{name}/{number}")
            elif len(one.in_sync) < len(one.replicas):
                found["partition-thin"].append(f"{name}/{number}")
    for code, places in found.items():
        if places:
            severity: Severity = "warning" if code == "partition-thin" else "error"
            yield Finding(code, "cluster", "kafka", severity, None, {"count": len(places), "first": places[0]})


def _held(report: Report) -> Iterator[Finding]:
    held: Counter[str] = Counter()
    for (name, _), bounds in report.bounds.items():
        held[name] += bounds.end - bounds.stable
    for name, offsets in held.items():
        if offsets:
            yield Finding("transaction-open", "topic", name, "warning", None, {"offsets": offsets})


def _absent(report: Report) -> Iterator[Finding]:
    """Processors without a worker and with nothing to read yet, and groups of which nothing can be known from here."""
    idle = [name_of(one) for one in report.groups if one.group.kind == "processor" and one.seen and not (one.members or one.lag)]
    if len(idle) > FEW:
        yield Finding("workers-missing", "cluster", "kafka", "warning", None, {"count": len(idle), "names": ", ".join(idle)})
    else:
        for name in idle:
            yield Finding("worker-missing", "processor", name, "warning", None, {"name": name})
    if unseen := [name_of(one) for one in report.groups if not one.seen]:
        yield Finding("groups-unseen", "cluster", "kafka", "note", None, {"names": ", ".join(unseen)})


def _group(one: GroupLag, at: float) -> Iterator[Finding]:
    group = one.group
    kind: Kind = group.kind if group.kind != "other" else "group"
    told: dict[str, Figure] = {"name": name_of(one), "owner": group.owner, "unread": one.lag, "members": one.members}
    since = None
    if one.lag and one.seconds is not None:
        told["oldest_s"], since = one.seconds, at - one.seconds
    if (worst := one.worst) is not None:
        told["place"] = f"{worst.place[0]}/{worst.place[1]}"
    if one.lost:
        yield Finding("group-lost", kind, group.name, "error", None, {**told, "lost": one.lost})
    if one.lag and one.headroom_s is not None and one.headroom_s < NEAR_S:
        left: dict[str, Figure] = {**told, "left_s": one.headroom_s}
        yield Finding("group-expiring", kind, group.name, "error" if one.headroom_s <= 0 else "warning", since, left)
    if one.silent:
        first = f"{one.silent[0][0]}/{one.silent[0][1]}"
        yield Finding("partitions-silent", kind, group.name, "warning", None, {"count": len(one.silent), "first": first})
    found = _judged(one, kind)
    if found is not None:
        yield Finding(found[0], kind, group.name, found[1], since, told)


def _judged(one: GroupLag, kind: Kind) -> tuple[str, Severity] | None:
    ours = kind in {"processor", "follower"}
    worst = Status.OK if one.worst is None else one.worst.status
    found: tuple[str, Severity] | None = None
    if worst is Status.REWIND:
        found = "group-rewound", "warning"
    elif worst is Status.STALL:
        found = "group-stalled", "error" if ours else "warning"
    elif worst is Status.STOP:
        found = ("group-stopped", "error") if kind == "processor" else ("reader-stopped", "error" if ours else "warning")
    elif worst is Status.WARN:
        found = "group-behind", "warning"
    return found


def _undeclared(report: Report) -> Iterator[Finding]:
    found = [one for one in report.undeclared if one.group.name != DOCTOR]
    counts = Counter(one.group.owner for one in found)
    for owner, count in counts.items():
        if count > MANY:
            yield Finding(
                "groups-undeclared", "group", owner, "warning", None, {"count": count, "owner": "-" if owner == NOBODY else owner}
            )
    for one in found:
        if counts[one.group.owner] <= MANY:
            # Whoever watches views makes a group of its own; one that nobody's name stands before is for nobody to make.
            severity: Severity = "warning" if one.group.owner in {NOBODY, BUS} else "note"
            owner = "-" if one.group.owner == NOBODY else one.group.owner
            told: dict[str, Figure] = {"owner": owner, "unread": one.lag, "members": one.members}
            yield Finding("group-undeclared", "group", one.group.name, severity, None, told)


def name_of(one: GroupLag) -> str:
    """
    Give the name by which people know a group: of a processor without what begins the names of the bus's groups.
    """
    return one.group.name.removeprefix("boutre-").removeprefix("boutre.") if one.group.owner == BUS else one.group.name
