"""
All that is known of the bus as one document of plain values: what the page, ``/state.json`` and ``boutre top`` show.

Times are UTC in seconds since 1970; what is not known is None. A row has a ``state``, one of ``STATES``, and its ``level``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from boutre import __version__
from boutre.ops.doctor.late import Answered
from boutre.ops.findings import everything, wording
from boutre.ops.findings.everything import Known, Memory
from boutre.ops.findings.finding import SEVERITIES, Finding
from boutre.ops.findings.heard import Heard
from boutre.ops.findings.of_lag import HELD_S, name_of
from boutre.ops.lag.report import GroupLag, Report
from boutre.ops.lag.rules import Status
from boutre.ops.operations.facts import Facts
from boutre.ops.operations.rejected import Counted

STATES: Final[Mapping[str, str]] = {
    "ok": "ok",
    "behind": "warning",
    "rewound": "warning",
    "silent": "warning",
    "unready": "warning",
    "stalled": "error",
    "stopped": "error",
    "gone": "error",
    "unhealthy": "error",
    "unread": "unknown",
    "elsewhere": "unknown",
    "free": "ok",
    "never": "unknown",
    "unknown": "unknown",
    "waiting": "unknown",
    "old": "unknown",
}
"""Words for how something is, each with its level: ok, warning, error or unknown."""

OF_STATUS: Final[Mapping[Status, str]] = {
    Status.OK: "ok",
    Status.WARN: "behind",
    Status.STOP: "stopped",
    Status.STALL: "stalled",
    Status.REWIND: "rewound",
}

OF_FEED: Final[Mapping[str, str]] = {"heard": "ok", "silent": "silent", "never": "never", "unexpected": "free"}

LASTING: Final[Mapping[str, float]] = {"transaction-open": HELD_S, "worker-missing": 15.0, "workers-missing": 15.0}
"""For how many seconds something must be there before it is told: what comes and goes with every batch or restart is nothing."""

Row = dict[str, Any]


@dataclass(slots=True)
class State:
    """
    Makes the document again and again, and remembers since when things are as they are.
    """

    facts: Facts
    memory: Memory = field(default_factory=Memory)

    def document(self, known: Known, now: float, more: Iterable[Finding] = ()) -> dict[str, Any]:
        """
        Give the document as of *now*.
        """
        found = self.memory.take(everything.findings(known, now, more), now, LASTING)
        report = known.lag.value
        return {
            "version": __version__,
            "at": now,
            "began": known.broker.began,
            "counts": {severity: sum(one.severity == severity for one in found) for severity in SEVERITIES},
            "findings": [self._finding(one, known, now) for one in found],
            "sources": [_source(one, now) for one in known.sources],
            "members": list(self._members(known, now)),
            "processors": [] if report is None else list(self._processors(report, now)),
            "recipients": list(self._recipients(known, now)),
            "rejects": list(self._rejects(known.rejects)),
            "processes": [_process(one, known.processes.answered) for one in known.processes.value or ()],
        }

    def _finding(self, one: Finding, known: Known, now: float) -> Row:
        of = next((heard for heard in known.sources if heard.name == one.source), None)
        told_by_silence = one.code in {"broker-gone", "source-silent", "registry-gone", "source-waiting"}
        return {
            "key": "/".join(one.key),
            "code": one.code,
            "kind": one.kind,
            "subject": one.subject,
            "severity": one.severity,
            "since": one.since,
            "stale_since": of.answered if of is not None and of.silent(now) and not told_by_silence else None,
            "figures": dict(one.figures),
            "command": wording.command(one),
            **wording.both(one),
        }

    def _members(self, known: Known, now: float) -> Iterator[Row]:
        """The feeds by their members: as the clocks say, else as the connectors do that run on this machine."""
        if known.clocks is not None and known.clocks.value is not None:
            for clock in known.clocks.value.feeds:
                key, state = f"{clock.member}/{clock.feed}", "never" if clock.last is None else OF_FEED[clock.state]
                told = {"member": clock.member, "feed": clock.feed, "rhythm_s": clock.rhythm_s}
                yield _row(key, state, **told, acknowledged=None if clock.last is None else round(clock.last))
            return
        connectors = [one for one in known.processes.value or () if one.kind == "connector"]
        asked = known.processes.answered
        for fed in self.facts.feeds:
            one = next((each for each in connectors if fed.feed in each.name.split(", ")), None)
            since = None if one is None or one.body is None else dict(one.body.get("seconds_since", {})).get("last_acknowledgement")
            at = None if since is None or asked is None else round(asked - float(since))
            state = "elsewhere" if one is None else "gone" if one.body is None else "ok"
            if state == "ok" and fed.rhythm_s is not None and at is not None and now - at > fed.rhythm_s:
                state = "silent"
            yield _row(f"{fed.member}/{fed.feed}", state, member=fed.member, feed=fed.feed, rhythm_s=fed.rhythm_s, acknowledged=at)

    def _processors(self, report: Report, now: float) -> Iterator[Row]:
        for one in report.groups:
            if one.group.kind in {"processor", "follower"}:
                yield self._reader(one, report.at / 1000, now)

    def _recipients(self, known: Known, now: float) -> Iterator[Row]:
        report, clocks = known.lag.value, None if known.clocks is None else known.clocks.value
        every = [] if report is None else [*report.groups, *report.undeclared]
        at = now if report is None else report.at / 1000
        for recipient in self.facts.recipients:
            readers = [one for one in every if one.group.owner == recipient]
            told: Row = {"recipient": recipient, "alert": None, "overdue": None}
            if clocks is not None:
                ages = [one.oldest_s for one in clocks.undelivered if one.recipient == recipient and one.unread]
                told["alert"] = None if not ages or None in ages else round(clocks.at - max(age for age in ages if age is not None))
                told["overdue"] = sum(one.overdue for one in clocks.waiting if one.recipient == recipient)
            if not readers:
                yield _row(f"{recipient}/", "unknown" if report is None else "unread", name=recipient, reader=None, **told)
            for one in readers:
                alert = told["alert"] if clocks is not None else _alert(one, self.facts.alerts.get(recipient), at)
                yield {**self._reader(one, at, now), **told, "reader": one.group.name, "alert": alert}

    def _reader(self, one: GroupLag, at: float, now: float) -> Row:
        worst = one.worst
        state = "unknown" if not one.seen else OF_STATUS[Status.OK if worst is None else worst.status]
        if one.seen and one.group.kind == "processor" and one.members == 0 and state == "ok":
            state = "stopped"
        bad = worst is not None and state not in {"ok", "unknown"} and one.lag > 0
        return _row(
            one.group.name,
            state,
            name=name_of(one),
            kind=one.group.kind,
            since=self.memory.since(f"group {one.group.name}", state, now),
            unread=one.lag if one.seen else None,
            oldest=at - one.seconds if one.lag and one.seconds is not None else None,
            members=one.members if one.seen and one.group.kind != "follower" else None,
            produced=one.produced,
            consumed=one.consumed,
            left_s=one.headroom_s if one.lag else None,
            place=f"{worst.place[0]}/{worst.place[1]}" if bad and worst is not None else None,
        )

    def _rejects(self, heard: Heard[tuple[Counted, ...]] | None) -> Iterator[Row]:
        counted = {} if heard is None or heard.value is None else {one.topic: one for one in heard.value}
        for topic, owner in self.facts.rejects.items():
            one = counted.get(topic)
            if one is None:
                yield _row(topic, "waiting" if heard is not None else "unknown", owner=owner)
            else:
                yield _row(
                    topic,
                    "ok" if one.whole else "waiting",
                    owner=owner,
                    hour=one.hour,
                    day=one.day,
                    kept=one.kept,
                    newest=one.newest,
                )


def _alert(one: GroupLag, topic: str | None, at: float) -> float | None:
    """Without clocks: since when the oldest alert waits that a reader was given and has not read."""
    ages = [each.seconds for each in one.partitions if each.place[0] == topic and each.lag and each.seconds is not None]
    return at - max(ages) if ages else None


def _process(one: Answered, asked: float | None) -> Row:
    told = one.as_json()
    moments = {
        name: None if asked is None or told[f"last_{name}_seconds"] is None else round(asked - float(told[f"last_{name}_seconds"]))
        for name in ("success", "acknowledgement")
    }
    state = "gone" if one.body is None else "unhealthy" if not one.healthy else "ok" if one.ready else "unready"
    return _row(
        f"{one.kind} {one.name} {one.address}",
        state,
        kind=one.kind,
        name=one.name,
        address=one.address,
        why=list(one.why),
        success=moments["success"],
        acknowledged=moments["acknowledgement"],
        partitions=told["partitions"],
    )


def _source(heard: Heard[Any], now: float) -> Row:
    state = "waiting" if heard.answered is None and not heard.silent(now) else "gone" if heard.silent(now) else "ok"
    return _row(heard.name, state, answered=heard.answered, every_s=heard.every_s, took_s=round(heard.took_s, 3), why=heard.why)


def _row(key: str, state: str, **values: Any) -> Row:
    return {"key": key, "state": state, "level": STATES[state], **values}
