"""
A report as it is shown: rows of a table for people, and one JSON document for programs.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any, Final

from boutre.ops.lag.board import Standing
from boutre.ops.lag.report import GroupLag, PartitionLag

HEAD: Final = ("group", "status", "unread", "oldest", "members", "in/s", "out/s", "done in", "lost in", "look at")

_UNITS: Final = ((86400, "d"), (3600, "h"), (60, "min"))


def duration(seconds: float | None) -> str:
    """
    Give a length of time in one unit, such as ``3.2 h``; ``?`` where it is not known.
    """
    if seconds is None:
        return "?"
    for size, unit in _UNITS:
        if abs(seconds) >= size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds:.0f} s"


def row(one: GroupLag) -> tuple[str, ...]:
    """
    Give the row of a group.
    """
    if not one.seen:
        return (one.group.name, "unknown", *("?",) * 7, "where it stands cannot be asked from here")
    behind = one.lag > 0
    return (
        one.group.name,
        one.status.name,
        str(one.lag),
        duration(one.seconds) if behind else "",
        str(one.members),
        _pace(one.produced),
        _pace(one.consumed),
        _done_in(one) if behind else "",
        duration(one.headroom_s) if behind and one.headroom_s is not None else "",
        look_at(one),
    )


def look_at(one: GroupLag) -> str:
    """
    Say where to look first, where something is wrong.
    """
    said = []
    if one.missing:
        said.append(f"not there: {', '.join(one.missing)}")
    if one.silent:
        said.append(f"do not answer: {', '.join(f'{topic}/{number}' for topic, number in one.silent[:3])}")
    if one.lost:
        said.append(f"{one.lost} offsets were lost to retention")
    if (worst := one.worst) is not None and (worst.status > 1 or worst.ahead):
        said.append(f"{worst.place[0]}/{worst.place[1]} {worst.status.name}{', past its end' if worst.ahead else ''}")
    if held := max((each.held for each in one.partitions), default=0):
        said.append(f"{held} offsets behind an open transaction")
    return "; ".join(said)


def _done_in(one: GroupLag) -> str:
    if one.catch_up_s is not None:
        return duration(one.catch_up_s)
    return "?" if one.consumed is None or one.produced is None else "never"


def _pace(number: float | None) -> str:
    return "?" if number is None else f"{number:.1f}"


def document(standing: Standing) -> dict[str, Any]:
    """
    Give all that is known as JSON has it; what is not known is null.
    """
    report = standing.report
    return {
        "up": standing.up,
        "at": None if report is None else _moment(report.at / 1000),
        "brokers": None if report is None else report.brokers,
        "missing_topics": [] if report is None else list(report.missing),
        "groups": [] if report is None else [_group(one) for one in report.groups],
        "undeclared": [] if report is None else [_group(one) for one in report.undeclared],
    }


def _group(one: GroupLag) -> dict[str, Any]:
    return {
        "group": one.group.name,
        "kind": one.group.kind,
        "owner": one.group.owner,
        "seen": one.seen,
        "status": one.status.name if one.seen else None,
        "complete": round(one.complete, 3),
        "members": one.members,
        "state": one.state,
        "lag": one.lag,
        "lag_seconds": one.seconds,
        "produced_per_second": one.produced,
        "consumed_per_second": one.consumed,
        "catch_up_seconds": one.catch_up_s,
        "retention_headroom_seconds": one.headroom_s,
        "lost_offsets": one.lost,
        "missing_topics": list(one.missing),
        "silent_partitions": [list(place) for place in one.silent],
        "partitions": list(_partitions(one)),
    }


def _partitions(group: GroupLag) -> Iterator[dict[str, Any]]:
    for one in group.partitions:
        if one.lag or one.committed is not None or one.lost:
            yield _partition(one)


def _partition(one: PartitionLag) -> dict[str, Any]:
    return {
        "topic": one.place[0],
        "partition": one.place[1],
        "status": one.status.name,
        "complete": round(one.complete, 3),
        "committed": one.committed,
        "begin": one.bounds.begin,
        "readable_end": one.bounds.stable,
        "end": one.bounds.end,
        "lag": one.lag,
        "lag_seconds": one.seconds,
        "retention_headroom_seconds": one.headroom_s,
        "catch_up_seconds": one.catch_up_s,
        "lost_offsets": one.lost,
        "past_the_end": one.ahead,
    }


def _moment(seconds: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))
