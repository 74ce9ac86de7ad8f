"""
The clocks that operations watch: which alerts nobody has dealt with, until when somebody must, and when a thread next needs a tick.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from boutre.processors.alerts.changes import changes, rests
from boutre.processors.alerts.rule import SECONDS, Rule
from boutre.processors.alerts.rules import Rules
from boutre.processors.alerts.thread import EXPIRED, OPEN, WAITING, Thread


@dataclass(frozen=True, slots=True, order=True)
class Due:
    """
    One alert that waits for a person: seconds that are left (less than 0: overdue), and how often it was escalated.

    It holds nothing of a record, so that operations can see it.
    """

    left_s: float
    thread: str
    recipient: str
    rule: str
    deadline: str
    due: float
    level: int
    silenced: bool
    expired: bool

    @property
    def overdue(self) -> bool:
        """Whether its time is up: at the very second it is not yet."""
        return self.left_s < 0


def due(rules: Rules, threads: Iterable[Thread], at: float) -> tuple[Due, ...]:
    """
    Give what waits for a person at *at*, by what is left. What expired without an answer stays; a silence stops no clock.
    """
    found = []
    for thread in threads:
        rule = rules.named(thread.rule)
        if rule is None or thread.answered is not None or thread.state not in {OPEN, EXPIRED}:
            continue
        expired = thread.state == EXPIRED or (thread.expires is not None and at >= thread.expires)
        deadline = rules.scales.late.deadline if thread.late else rule.deadline
        quiet = thread.silenced or (thread.silenced_until is not None and at < thread.silenced_until)
        found.append(
            Due(thread.due - at, thread.id, thread.recipient, thread.rule, deadline, thread.due, thread.level, quiet, expired)
        )
    return tuple(sorted(found))


def next_tick(rules: Rules, rule: Rule, thread: Thread) -> float | None:
    """
    Give when time alone changes this thread next; None where it never does. A tick before changes nothing.
    """
    times: list[float] = []
    if thread.state == WAITING:
        return thread.opened + rule.delay_s(thread.situation.body)
    if not thread.live:
        return None
    if thread.expires is not None:
        times.append(thread.expires)
    if thread.silenced_until is not None:
        times.append(thread.silenced_until)
    if thread.state == OPEN and not thread.quiet and not thread.late:
        times.extend(thread.asked + step.after_minutes * SECONDS for step in rule.escalate[thread.level : thread.level + 1])
    digest_s = rules.scales.late.digest_minutes * SECONDS
    if not thread.quiet and changes(rules, rule, thread) and rests(rule, thread, digest_s, thread.now):
        times.append(thread.last + (digest_s if thread.late else rule.update.least_minutes * SECONDS))
    return max(min(times), thread.now) if times else None
