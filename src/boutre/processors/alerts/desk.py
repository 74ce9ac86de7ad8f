"""
All alerts of one recipient: which thread an input belongs to, and which threads turn out to be one.

    changed, messages = take(rules, threads, Seen(at, situation))

*threads* are by slot (``Thread.slot``), and so is what changed. The caller says how each event stands that an input has changed:
when records join it, when a link is made or withdrawn, and, after ``Retracted``, how it stands without what was taken back, in
the same transaction. ``at`` is the bus's time of what caused it; whether lives are at risk is what ``safety_of_life`` of the bus
says. A thread needs a tick when ``deadlines.next_tick`` says so, and no earlier.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from boutre.processors.alerts.inputs import Input, Joined, Retracted, Said, Seen, Tick, bounded
from boutre.processors.alerts.lifecycle import step
from boutre.processors.alerts.message import Message
from boutre.processors.alerts.rule import Rule, Verdict
from boutre.processors.alerts.rules import Rules
from boutre.processors.alerts.situation import Situation
from boutre.processors.alerts.thread import CANCELLED, EVENT, LATE, WAITING, Thread, key_of, slot_of


def take(rules: Rules, threads: Mapping[str, Thread], given: Input) -> tuple[dict[str, Thread], tuple[Message, ...]]:
    """
    Give the threads that *given* changed, and what is told.

    A thread whose rule is declared no more stays as it is.
    """
    possible = bounded(given)
    if possible is None:
        return {}, ()
    changed: dict[str, Thread] = {}
    messages: list[Message] = []
    for rule in rules.every:
        mine = [thread for thread in threads.values() if thread.rule == rule.id]
        for thread, one in _routes(rules, rule, mine, threads, possible):
            after, told = step(rules, rule, thread, one)
            if after is not None and after != thread:
                changed[after.slot] = after
            messages.extend(told)
    return changed, tuple(messages)


def _routes(
    rules: Rules, rule: Rule, mine: Iterable[Thread], threads: Mapping[str, Thread], given: Input
) -> Iterable[tuple[Thread | None, Input]]:
    match given:
        case Seen():
            return _seen(rules, rule, mine, threads, given)
        case Said():
            return [(thread, given) for thread in mine if thread.id == given.thread]
        case Retracted():
            return [(thread, given) for thread in mine if not thread.records.isdisjoint(given.records)]
        case Tick() | Joined():
            return [(thread, given) for thread in mine]


def _seen(
    rules: Rules, rule: Rule, mine: Iterable[Thread], threads: Mapping[str, Thread], given: Seen
) -> Iterable[tuple[Thread | None, Input]]:
    situation = given.situation
    if not situation.records:
        return
    verdict = rule.judge(situation, reasons=False)
    own = [thread for thread in mine if _same_reader(thread, situation) and thread.continued_by(situation)]
    if not verdict.holds:
        yield from ((thread, given) for thread in own)
        return
    goes_on = _goes_on(own, verdict) or threads.get(_slot(rules, rule, situation, verdict))
    # What turned out to be one event has one thread: that which was first.
    for thread in own:
        if thread is not goes_on and thread.group == EVENT and (thread.live or thread.state == WAITING):
            yield thread, Joined(given.at)
    yield goes_on, given


def _same_reader(thread: Thread, situation: Situation) -> bool:
    """An exercise never goes on in a real thread, nor the other way round."""
    return thread.recipient == situation.recipient and thread.exercise == situation.exercise


def _goes_on(own: Iterable[Thread], verdict: Verdict) -> Thread | None:
    """
    Give the thread that knows what was seen: a live one before others, then the earliest.

    What comes late joins the thread that knows its event; what comes in time leaves the digest of what came late.
    """
    known = [
        thread for thread in own if thread.late is verdict.late or (verdict.late and thread.state != CANCELLED and not thread.late)
    ]
    return min(known, key=_order, default=None)


def _order(thread: Thread) -> tuple[bool, bool, bool, float, str]:
    return thread.late, thread.state == CANCELLED, not (thread.live or thread.state == WAITING), thread.opened, thread.id


def _slot(rules: Rules, rule: Rule, situation: Situation, verdict: Verdict) -> str:
    group = LATE if verdict.late else rule.group
    key = key_of(group, situation, rules.scales.day_begins_s)
    return slot_of(situation.recipient, rule.id, situation.exercise, group, key)
