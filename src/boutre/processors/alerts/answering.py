"""
What people say of an alert: acknowledged, validated, dismissed, silenced, closed.
"""

from __future__ import annotations

from msgspec.structs import replace

from boutre.processors.alerts.inputs import Said, Seen
from boutre.processors.alerts.message import ALERT, UPDATE
from boutre.processors.alerts.rule import SECONDS
from boutre.processors.alerts.thread import ACKNOWLEDGED, CANCELLED, CLOSED, DISMISSED, EXPIRED, PROPOSED, VALIDATED, Thread
from boutre.processors.alerts.turn import Turn, begin


def said(turn: Turn, given: Said) -> None:
    """
    Take what a person says. What is said of another thread, before anybody was told, or before the last word, is nothing.
    """
    thread = turn.thread
    if given.thread != thread.id or thread.told is None or not _is_news(turn, given):
        return
    thread = replace(thread, judged=given.at, words=(*(thread.words if given.at == thread.judged else ()), given.word))
    answered = turn.at if thread.answered is None else thread.answered
    match given.word:
        case "acknowledged":
            turn.thread = replace(thread, state=ACKNOWLEDGED if thread.live else thread.state, answered=answered)
        case "validated":
            turn.thread = thread
            _validated(turn, answered)
        case "dismissed" if thread.state not in {CANCELLED, DISMISSED}:
            turn.thread = replace(thread, answered=answered)
            turn.cancel("dismissed", DISMISSED)
        case "closed" if thread.live or thread.state == EXPIRED:
            turn.thread = replace(thread, state=CLOSED, ended=turn.at, answered=answered, silenced=False, silenced_until=None)
        case "silenced" if thread.live:
            _silenced(turn, thread, given)


def _is_news(turn: Turn, given: Said) -> bool:
    judged = turn.thread.judged
    return judged is None or given.at > judged or (given.at == judged and given.word not in turn.thread.words)


def _validated(turn: Turn, answered: float) -> None:
    thread = turn.thread
    if thread.state == DISMISSED and thread.occurrences:
        # On second thoughts it is so. What was cancelled stays so, and there is a new thread that is validated from its start.
        verdict = turn.rule.judge(thread.situation)
        again = begin(turn.rules, turn.rule, Seen(turn.at, thread.situation), verdict, thread)
        said = {"validation": VALIDATED, "answered": turn.at, "judged": thread.judged, "words": thread.words}
        grades = {"severity": thread.severity, "urgency": thread.urgency, "certainty": thread.certainty}
        turn.thread = replace(again, state=ACKNOWLEDGED, occurrences=thread.occurrences, **said, **grades)
        turn.send(ALERT, ("validated",))
    elif thread.live:
        news = thread.validation == PROPOSED
        turn.thread = replace(
            thread,
            state=ACKNOWLEDGED,
            answered=answered,
            validation=VALIDATED if news else thread.validation,
            silenced=False,
            silenced_until=None,
        )
        if news:
            turn.send(UPDATE, ("validated",))


def _silenced(turn: Turn, thread: Thread, given: Said) -> None:
    silence = turn.rule.silence
    most = given.at + silence.most_minutes * SECONDS
    if given.until is None and silence.occurrence:
        turn.thread = replace(thread, silenced=True, silenced_until=None)
    elif (end := most if given.until is None else min(given.until, most)) > turn.at:
        # Longer than the rule allows is as long as it allows.
        turn.thread = replace(thread, silenced=False, silenced_until=end)
