"""
How things stand, and what was taken back: whether a thread goes on, is taken up again, or no longer holds.
"""

from __future__ import annotations

from msgspec.structs import replace

from boutre.processors.alerts.changes import RISES, changes
from boutre.processors.alerts.inputs import Joined, Retracted, Seen
from boutre.processors.alerts.rule import SECONDS, Verdict
from boutre.processors.alerts.situation import Situation
from boutre.processors.alerts.thread import CANCELLED, CRAFT, DISMISSED, EXPIRED, LATE, MOST, WAITING, Thread
from boutre.processors.alerts.turn import Turn, begin


def seen(turn: Turn, given: Seen) -> None:
    """
    Take how things stand.
    """
    thread, situation = turn.thread, given.situation
    records = set(situation.records)
    known = thread.records.union(thread.gone)
    if records <= set(thread.gone) or _stale(turn, given, records, known):
        return
    verdict = turn.rule.judge(situation, reasons=False)
    if not verdict.holds:
        _holds_no_more(turn, given)
        return
    new = not records <= known
    if thread.live or thread.state == WAITING:
        _goes_on(turn, given, verdict)
    elif thread.state == CANCELLED or (new and thread.group in {CRAFT, LATE} and _cool(turn)):
        turn.thread = begin(turn.rules, turn.rule, given, verdict, thread)
    else:
        _ended_and_seen(turn, given, verdict)


def _stale(turn: Turn, given: Seen, records: set[str], known: frozenset[str]) -> bool:
    """Say whether this is how an event stood before: nothing of it is new, and it is older, or less at the same instant."""
    if turn.thread.many:
        return False
    return (given.at < turn.thread.seen and records <= known) or (given.at == turn.thread.seen and records < turn.thread.records)


def _cool(turn: Turn) -> bool:
    return turn.thread.ended is not None and turn.at >= turn.thread.ended + turn.rule.cooldown_minutes * SECONDS


def _goes_on(turn: Turn, given: Seen, verdict: Verdict) -> None:
    thread, situation = turn.thread, given.situation
    parts = {"occurrences": _occurrences(thread, situation), "seen": max(given.at, thread.seen)}
    if thread.many:
        # The gravest of many stands for them; what it was stays, though the one event be taken back.
        graver = verdict.severity >= thread.severity
        lives = situation.lives_at_risk is True and thread.situation.lives_at_risk is not True
        turn.thread = replace(
            thread,
            situation=situation if graver or lives else thread.situation,
            severity=max(thread.severity, verdict.severity),
            urgency=thread.urgency if thread.late else max(thread.urgency, verdict.urgency),
            certainty=max(thread.certainty, verdict.certainty),
            **parts,
        )
        return
    turn.thread = replace(
        thread,
        situation=situation,
        severity=verdict.severity,
        urgency=verdict.urgency,
        certainty=verdict.certainty,
        **parts,
    )


def _ended_and_seen(turn: Turn, given: Seen, verdict: Verdict) -> None:
    """What has ended by a person is taken up again only where it rises; what has expired, where anything matters."""
    before = turn.thread
    _goes_on(turn, given, verdict)
    reasons = set(changes(turn.rules, turn.rule, turn.thread))
    if not (reasons & RISES or (reasons and before.state == EXPIRED)):
        turn.thread = replace(before, seen=turn.thread.seen, occurrences=turn.thread.occurrences)
        return
    if before.state == DISMISSED:
        # What was cancelled stays so: there is a new thread.
        turn.thread = begin(turn.rules, turn.rule, given, verdict, before)
        return
    turn.ask_again(rises=bool(reasons & RISES))
    # It does not expire before it is told.
    turn.thread = replace(turn.thread, expires=None)


def _holds_no_more(turn: Turn, given: Seen) -> None:
    thread, situation = turn.thread, given.situation
    if not thread.continued_by(situation):
        return
    records = set(situation.records)
    left = tuple(one for one in thread.occurrences if records.isdisjoint(one)) if thread.many else ()
    turn.thread = replace(thread, seen=max(given.at, thread.seen))
    if left:
        turn.thread = _without(replace(turn.thread, occurrences=left))
    elif thread.live or thread.state == WAITING:
        turn.thread = replace(turn.thread, situation=situation)
        turn.cancel("holds-no-more")


def joined(turn: Turn, given: Joined) -> None:
    """
    End what an earlier thread goes on with.
    """
    turn.thread = replace(turn.thread, seen=max(given.at, turn.thread.seen))
    if turn.thread.state not in {CANCELLED, DISMISSED}:
        turn.cancel("joined")


def retracted(turn: Turn, given: Retracted) -> None:
    """
    Take back what was taken back; where nothing is left, its recipient is told, also where the thread had ended.
    """
    thread, gone = turn.thread, set(given.records)
    if gone.isdisjoint(thread.records):
        return
    left = tuple(tuple(record for record in one if record not in gone) for one in thread.occurrences)
    known = thread.gone + tuple(record for record in given.records if record in thread.records and record not in thread.gone)
    parts = {"occurrences": tuple(one for one in left if one), "gone": known[-MOST:], "seen": max(given.at, thread.seen)}
    turn.thread = _without(replace(thread, **parts))
    if not turn.thread.occurrences and thread.state not in {CANCELLED, DISMISSED}:
        turn.cancel("retracted")


def _occurrences(thread: Thread, situation: Situation) -> tuple[tuple[str, ...], ...]:
    own = tuple(record for record in situation.records if record not in thread.gone)
    if not thread.many:
        return (own,)
    records = set(own)
    others = tuple(one for one in thread.occurrences if records.isdisjoint(one))
    # In its own place where it was there before, so that nothing changes by being told again.
    if len(others) == len(thread.occurrences):
        return (*others, own) if len(others) < MOST else others
    placed = [own if not records.isdisjoint(one) else one for one in thread.occurrences]
    return tuple(dict.fromkeys(placed))


def _without(thread: Thread) -> Thread:
    """
    Forget what was known by records that are gone: nothing of it is told any more, nor kept.

    Where others of one event are left, the caller says how it stands without them.
    """
    was, told = thread.situation, thread.told
    if thread.occurrences and not (thread.many and thread.records.isdisjoint(was.records)):
        return thread
    records = thread.occurrences[0] if thread.occurrences else was.records
    bare = Situation(recipient=was.recipient, body=was.body, exercise=was.exercise, records=records, at=was.at)
    if told is not None:
        told = replace(told, persons=None, latitude=None, longitude=None, observed=None, outcomes=())
    return replace(thread, situation=bare, told=told)
