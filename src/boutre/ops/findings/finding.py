"""
A finding: what is not as it should be, of what, since when, and the figures with which it is told.

A finding holds no sentence: ``wording`` says it in either language. None of its parts is a value of a record.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias

Severity: TypeAlias = Literal["error", "warning", "note"]
"""
An *error* stops work or loses something now, a *warning* will or may, a *note* is worth knowing.
"""

SEVERITIES: Final[tuple[Severity, ...]] = ("error", "warning", "note")

Kind: TypeAlias = Literal[
    "source",
    "cluster",
    "topic",
    "processor",
    "follower",
    "recipient",
    "group",
    "member",
    "feed",
    "process",
    "disk",
    "agreement",
    "key",
]
"""What a finding is about."""

Figure: TypeAlias = float | int | str


@dataclass(frozen=True, slots=True)
class Code:
    """
    One thing that can be found: the source that tells of it, the command to type, and the runbook to open, with its part.

    A command may hold ``{subject}`` and names of figures.
    """

    source: str
    command: str = ""
    runbook: str = ""


CODES: Final[Mapping[str, Code]] = {
    # In the order in which to look at them, where they are as bad as one another: first what explains the rest.
    "broker-gone": Code("broker", "boutre doctor", "alarms-lag#lagblind"),
    "broker-slow": Code("broker", "boutre doctor"),
    "disk-full": Code("disks", "df -h {path}", "full-disk"),
    "disk-low": Code("disks", "df -h {path}", "full-disk"),
    "partition-leaderless": Code("lag", "boutre doctor", "alarms-kafka#partitionswithoutleader"),
    "partition-unwritable": Code("lag", "boutre doctor", "alarms-kafka#underreplicated"),
    "topic-missing": Code("lag", "boutre topics apply", "alarms-lag#grouptopicmissing"),
    "topics-missing": Code("lag", "boutre topics apply", "alarms-lag#grouptopicmissing"),
    "source-silent": Code("", "boutre doctor"),
    "group-lost": Code("lag", "boutre lag", "alarms-lag#recordslost"),
    "group-expiring": Code("lag", "boutre lag", "alarms-lag#retentionnear"),
    "probe-lost": Code("clocks", "boutre probe --rounds 1", "alarms-parties#probelost"),
    "alert-undelivered": Code("clocks", "boutre clocks", "alarms-parties#alertundelivered"),
    "alerts-overdue": Code("clocks", "boutre answers read --recipient {name}", "alarms-parties#alertsoverdue"),
    "group-stopped": Code("lag", "boutre worker {name}", "alarms-lag#groupstopped"),
    "reader-stopped": Code("lag", "boutre lag", "alarms-lag#groupstopped"),
    "group-stalled": Code("lag", "boutre status", "alarms-lag#groupstalled"),
    "group-rewound": Code("lag", "boutre lag --output json", "alarms-lag#grouprewound"),
    "process-silent": Code("processes", "boutre status", "alarms-processes#processgone"),
    "process-unhealthy": Code("processes", "boutre status"),
    "process-unready": Code("processes", "boutre status"),
    "worker-missing": Code("lag", "boutre worker {name}", "alarms-processes#processorgone"),
    "workers-missing": Code("lag", "boutre status", "alarms-processes#processorgone"),
    "transaction-open": Code("lag", "boutre status", "alarms-kafka#transactionhangs"),
    "clock-ahead": Code("clocks", "boutre clocks", "alarms-parties#clockwrong"),
    "clock-behind": Code("clocks", "boutre clocks", "alarms-parties#clockwrong"),
    "member-floods": Code("lag", "boutre lag --watch", "alarms-parties#memberfloods"),
    "group-behind": Code("lag", "boutre lag --watch", "alarms-lag#groupbehind"),
    "feed-silent": Code("clocks", "boutre connector run {subject}", "alarms-parties#feedsilent"),
    "probe-late": Code("clocks", "boutre lag"),
    "probe-unheard": Code("clocks", "boutre status"),
    "agreement-ended": Code("clocks", "boutre check", "alarms-parties#termover"),
    "agreement-ends": Code("clocks", "boutre check", "alarms-parties#termends"),
    "certificate-ended": Code("clocks", "boutre doctor", "alarms-parties#termover"),
    "certificate-ends": Code("clocks", "boutre doctor", "alarms-parties#termends"),
    "key-ended": Code("clocks", "boutre keys list", "alarms-parties#termover"),
    "key-ends": Code("clocks", "boutre keys list", "alarms-parties#termends"),
    "registry-gone": Code("registry", "boutre schemas registry check --url {url}"),
    "registry-differs": Code("registry", "boutre schemas registry check --url {url}"),
    "partitions-silent": Code("lag", "boutre doctor"),
    "partition-thin": Code("lag", "boutre doctor", "alarms-kafka#underreplicated"),
    "group-undeclared": Code("lag", "boutre lag", "alarms-lag#groupundeclared"),
    "groups-undeclared": Code("lag", "boutre lag", "alarms-lag#groupundeclared"),
    "groups-unseen": Code("lag", "boutre lag", "alarms-lag#groupunseen"),
    "feed-never": Code("clocks", "boutre connector run {subject}"),
    "source-waiting": Code(""),
}
"""Every code. Each has two texts in the catalogue: ``finding.CODE.what`` and ``finding.CODE.do``."""

RANKS: Final[Mapping[str, int]] = {code: place for place, code in enumerate(CODES)}


@dataclass(frozen=True, slots=True)
class Finding:
    """
    One finding, about *subject*, a declared name of the kind *kind*.

    *since* is UTC in seconds since 1970, None until somebody remembers when it was first seen. *figures* are numbers, declared
    names, and words of processes about themselves; a name that ends in ``_s`` is a length of time in seconds.
    """

    code: str
    kind: Kind
    subject: str
    severity: Severity
    since: float | None = None
    figures: Mapping[str, Figure] = field(default_factory=dict)

    @property
    def source(self) -> str:
        """The source that told of it."""
        return CODES[self.code].source or self.subject

    @property
    def key(self) -> tuple[str, str, str]:
        """By what it is known again at the next look."""
        return self.code, self.kind, self.subject


def first(found: Finding) -> tuple[int, int, float, str]:
    """
    Give the order in which findings are looked at: the worst, then what explains others, then the oldest, then by name.
    """
    since = float("inf") if found.since is None else found.since
    return SEVERITIES.index(found.severity), RANKS[found.code], since, found.subject
