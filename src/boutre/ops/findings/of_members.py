"""
Findings of those who send: who sends more than is its share.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Final

from boutre.ops.findings.finding import Finding
from boutre.ops.lag.report import Report

NATIONAL: Final = "national."

REPORT_BYTES: Final = 2_048
"""Bytes of a report on the wire, rather more than less: by it a declared rate is so many reports a second."""

WAITING: Final = 1_000
"""Records of a member from which on its own later ones wait long enough to be more than a note."""


def shares(rates: Mapping[str, int]) -> Mapping[str, float]:
    """
    Give for each member how many reports a second are its share, by the bytes a second that it may send to a broker.
    """
    return {member: rate / REPORT_BYTES for member, rate in rates.items()}


def of_members(report: Report, most: Mapping[str, float]) -> Iterator[Finding]:
    """
    Judge how much each member sends now, by its share (*most*, in reports a second), and how much of it is not accepted yet.
    """
    arriving: dict[str, float] = {}
    unread = Counter[str]()
    for group in report.groups:
        for one in group.partitions:
            if group.group.kind == "processor" and one.place[0].startswith(NATIONAL):
                member = one.place[0].split(".")[1]
                arriving[member] = arriving.get(member, 0.0) + (one.lately or 0.0)
                unread[member] += one.lag
    for member, pace in sorted(arriving.items()):
        if pace > most.get(member, float("inf")):
            told = {"rate": round(pace), "share": round(most[member]), "unread": unread[member]}
            yield Finding("member-floods", "member", member, "warning" if unread[member] > WAITING else "note", None, told)
