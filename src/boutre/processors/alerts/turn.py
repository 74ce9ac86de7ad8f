"""
One input on its way through a thread, and what a thread does by itself: it tells, asks others when nobody answers, and expires.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from msgspec.structs import replace

from boutre.processors.alerts.changes import RISES, changes, rests, told_now
from boutre.processors.alerts.inputs import Seen
from boutre.processors.alerts.message import ALERT, CANCEL, UPDATE, Message, Sending
from boutre.processors.alerts.rule import SECONDS, Rule, Verdict
from boutre.processors.alerts.rules import Rules
from boutre.processors.alerts.situation import HOUR_S
from boutre.processors.alerts.thread import (
    CANCELLED,
    EXPIRED,
    LATE,
    NOT_ASKED,
    OPEN,
    PROPOSED,
    WAITING,
    Thread,
    key_of,
    slot_of,
    thread_id,
)
from boutre.processors.alerts.wording import compose


def begin(rules: Rules, rule: Rule, given: Seen, verdict: Verdict, before: Thread | None = None) -> Thread:
    """
    Make the thread of a situation of which *rule* speaks, or the next round of the one *before*; nothing is told yet.
    """
    situation = given.situation
    group = before.group if before is not None else LATE if verdict.late else rule.group
    key = before.key if before is not None else key_of(group, situation, rules.scales.day_begins_s)
    round_ = 0 if before is None else before.round + 1
    gone = () if before is None else before.gone
    slot = slot_of(situation.recipient, rule.id, situation.exercise, group, key)
    return Thread(
        id=thread_id(slot, round_),
        rule=rule.id,
        recipient=situation.recipient,
        exercise=situation.exercise,
        group=group,
        key=key,
        round=round_,
        state=WAITING,
        validation=PROPOSED if rule.validate_first else NOT_ASKED,
        occurrences=(tuple(record for record in situation.records if record not in gone),),
        situation=situation,
        severity=verdict.severity,
        urgency=_urgency(rules, verdict),
        certainty=verdict.certainty,
        opened=given.at,
        due=given.at + deadline_s(rules, rule, group),
        asked=given.at,
        seen=given.at,
        now=given.at,
        gone=gone,
    )


def deadline_s(rules: Rules, rule: Rule, group: str) -> float:
    """
    Give the seconds within which somebody must have dealt with an alert.
    """
    return rules.scales.deadline_s(rules.scales.late.deadline if group == LATE else rule.deadline)


def _urgency(rules: Rules, verdict: Verdict) -> float:
    return min(verdict.urgency, rules.scales.late.urgency) if verdict.late else verdict.urgency


@dataclass(slots=True)
class Turn:
    """
    One input on its way through a thread: the thread as it is by now, and the messages so far.
    """

    rules: Rules
    rule: Rule
    thread: Thread
    at: float
    messages: list[Message] = field(default_factory=list)

    def pass_time(self) -> None:
        """Let expire what has expired, and end a silence that is over: then escalation counts anew from its end."""
        thread = self.thread
        if thread.live and thread.expires is not None and self.at >= thread.expires:
            thread = replace(thread, state=EXPIRED, ended=thread.expires, silenced=False, silenced_until=None)
        if thread.silenced_until is not None and self.at >= thread.silenced_until:
            thread = replace(thread, silenced_until=None, asked=thread.silenced_until)
        self.thread = thread

    def tell(self) -> None:
        """Send what is due: the first message when it has waited long enough, or an update that matters and need not rest."""
        thread = self.thread
        if thread.state == WAITING:
            if self.at >= thread.opened + self.rule.delay_s(thread.situation.body):
                due = self.at + deadline_s(self.rules, self.rule, thread.group)  # nobody can act before being told
                self.thread = replace(thread, state=OPEN, asked=self.at, due=due)
                self.send(ALERT, ("raised",))
            return
        if not thread.live:
            return
        reasons = changes(self.rules, self.rule, thread)
        rises = not RISES.isdisjoint(reasons)
        if reasons and (rises or not (thread.quiet or rests(self.rule, thread, self._digest_s, self.at))):
            if rises:
                self.ask_again(rises=True)
            self.send(UPDATE, reasons)

    def escalate(self) -> None:
        """Go to whom the rule names for each step whose time has come while nobody answered; all in one message."""
        thread = self.thread
        if thread.state != OPEN or thread.quiet or thread.late:
            return
        reached = sum(self.at >= thread.asked + step.after_minutes * SECONDS for step in self.rule.escalate)
        if reached > thread.level:
            new = self.rule.escalate[thread.level : reached]
            self.thread = replace(thread, level=reached)
            self.send(UPDATE, ("unanswered",), to=tuple(step.to.model_dump() for step in new), fresh=False)

    def ask_again(self, *, rises: bool) -> None:
        """
        Open it anew: silence and answer are over, escalation counts from now. Who validated less has not validated what rises.
        """
        thread = self.thread
        due = thread.due if thread.live and thread.answered is None else self.at + deadline_s(self.rules, self.rule, thread.group)
        validation = PROPOSED if rises and self.rule.validate_first else thread.validation
        thread = replace(thread, state=OPEN, validation=validation, asked=self.at, level=0, due=due, answered=None, ended=None)
        self.thread = replace(thread, silenced=False, silenced_until=None)

    @property
    def _digest_s(self) -> float:
        return self.rules.scales.late.digest_minutes * SECONDS

    def cancel(self, reason: str, state: str = CANCELLED) -> None:
        """End it, and say so to whoever was told."""
        if self.thread.told is not None:
            self.send(CANCEL, (reason,))
        self.thread = replace(self.thread, state=state, ended=self.at, silenced=False, silenced_until=None)

    def send(self, kind: str, reasons: tuple[str, ...], to: tuple[dict[str, str], ...] = (), *, fresh: bool = True) -> None:
        """Send the next message; *fresh* where it tells something new, so that it holds for the rule's time from now."""
        thread = self.thread
        expires = self.at + self.rule.expires_hours * HOUR_S if fresh or thread.expires is None else thread.expires
        told = thread.told if kind == CANCEL else told_now(self.rules, thread)
        self.messages.append(compose(self.rules, self.rule, thread, Sending(kind, reasons, self.at, expires, to)))
        self.thread = replace(thread, serial=thread.serial + 1, last=self.at, expires=expires, told=told)
