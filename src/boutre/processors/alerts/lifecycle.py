"""
What becomes of a thread with each input: an initial message, updates that matter, a cancellation; what people and time do to it.

    thread, messages = step(rules, rule, thread, given)

Time never goes back in a thread: an input that is older than the last is taken as if it came with it. The same inputs in the same
order give the same thread and the same messages; what was told is not told again.
"""

from __future__ import annotations

from typing import assert_never

from msgspec.structs import replace

from boutre.processors.alerts.answering import said
from boutre.processors.alerts.inputs import Input, Joined, Retracted, Said, Seen, Tick, bounded
from boutre.processors.alerts.message import Message
from boutre.processors.alerts.rule import Rule
from boutre.processors.alerts.rules import Rules
from boutre.processors.alerts.standing import joined, retracted, seen
from boutre.processors.alerts.thread import Thread
from boutre.processors.alerts.turn import Turn, begin


def step(rules: Rules, rule: Rule, thread: Thread | None, given: Input) -> tuple[Thread | None, tuple[Message, ...]]:
    """
    Give the thread after *given*, and what its recipient is told.

    Without a thread only a situation of which *rule* speaks begins one. Never raises.
    """
    possible = bounded(given)
    if possible is None:
        return thread, ()
    return _step(rules, rule, thread, possible)


def _step(rules: Rules, rule: Rule, thread: Thread | None, given: Input) -> tuple[Thread | None, tuple[Message, ...]]:
    if thread is None:
        if not isinstance(given, Seen):
            return None, ()
        verdict = rule.judge(given.situation, reasons=False)
        if not verdict.holds:
            return None, ()
        turn = Turn(rules, rule, begin(rules, rule, given, verdict), given.at)
    else:
        turn = Turn(rules, rule, thread, max(given.at, thread.now))
        turn.pass_time()
        _take(turn, given)
    turn.tell()
    turn.escalate()
    return replace(turn.thread, now=turn.at), tuple(turn.messages)


def _take(turn: Turn, given: Input) -> None:
    match given:
        case Seen():
            seen(turn, given)
        case Retracted():
            retracted(turn, given)
        case Said():
            said(turn, given)
        case Joined():
            joined(turn, given)
        case Tick():
            pass
        case _:
            assert_never(given)
