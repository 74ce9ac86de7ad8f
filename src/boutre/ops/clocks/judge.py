"""
Judges a look by what is declared: at the very second of a limit nothing is late yet, and behind it everything is.
"""

from __future__ import annotations

from typing import Final

from boutre.ops.clocks.declared import ClocksFile
from boutre.ops.clocks.look import AlertsSeen, FeedSeen, Look, ProbeSeen, ReaderSeen, TermSeen
from boutre.ops.clocks.report import (
    FeedClock,
    FeedState,
    ProbeClock,
    ProbeState,
    Report,
    SenderClock,
    TermClock,
    TermState,
    Undelivered,
)

DAY_S: Final = 86_400.0
MISSED_ROUNDS: Final = 2
"""Rounds of a probe without which it is taken for stopped."""


def judge(look: Look, file: ClocksFile) -> Report:
    """
    Give what *look* comes to.
    """
    return Report(
        look.at,
        tuple(_feed(one, look.at, file.rhythms) for one in look.feeds),
        tuple(_undelivered(one, file.undelivered_minutes * 60) for one in look.alerts),
        look.waiting,
        tuple(_term(one, look.at, file.soon_days * DAY_S) for one in look.terms),
        tuple(_probe(one, look.at, file) for one in look.probes),
        look.unheard,
        tuple(SenderClock(one.member, one.ahead_s, abs(one.ahead_s) > file.clock_minutes * 60) for one in look.senders),
    )


def _feed(one: FeedSeen, at: float, rhythms: float) -> FeedClock:
    # A broker's clock that is ahead of this one's is no silence.
    silent_s = None if one.last is None else max(0.0, at - one.last)
    state: FeedState = "heard"
    if one.rhythm_s is None:
        state = "unexpected"
    elif silent_s is None:
        state = "never"
    elif silent_s > one.rhythm_s * rhythms:
        state = "silent"
    return FeedClock(one.feed, one.member, state, one.rhythm_s, one.last, silent_s, one.shared)


def _undelivered(one: AlertsSeen, limit_s: float) -> Undelivered:
    declared = [reader for reader in one.readers if reader.declared]
    if declared:
        # Each of them is expected: the one that is furthest behind counts.
        chosen = max(declared, key=_behind)
    elif one.readers:
        # Nobody said who should read: the recipient has what any of its groups has.
        chosen = min(one.readers, key=_behind)
    else:
        chosen = ReaderSeen("", declared=False, unread=one.there, oldest_s=one.first_s if one.there else 0.0)
    late = chosen.unread > 0 and (chosen.oldest_s is None or chosen.oldest_s > limit_s)
    return Undelivered(one.recipient, chosen.group, len(one.readers), chosen.unread, chosen.oldest_s, late)


def _behind(one: ReaderSeen) -> tuple[bool, float]:
    """Order readers by how long the oldest alert waits for them; one of which nobody can say is behind all others."""
    return one.oldest_s is None, one.oldest_s or 0.0


def _term(one: TermSeen, at: float, soon_s: float) -> TermClock:
    left_s = None if one.ends is None else one.ends - at
    state: TermState = "in-force"
    if left_s is None or left_s <= 0:
        state = "ended"
    elif one.begins is not None and at < one.begins:
        state = "to-begin"
    elif left_s <= soon_s:
        state = "ends-soon"
    return TermClock(one.kind, one.name, one.party, state, one.ends, left_s)


def _probe(one: ProbeSeen, at: float, file: ClocksFile) -> ProbeClock:
    since_s = max(0.0, at - one.succeeded) if one.succeeded else None
    told = file.probe
    every_s, late_s, lost_s = (DAY_S, DAY_S, DAY_S) if told is None else (told.every_s, told.late_s, told.lost_s)
    state: ProbeState = "arrives"
    if at - one.heard > MISSED_ROUNDS * every_s:
        state = "unheard"
    elif since_s is None:
        state = "lost" if one.lost or one.unsent else "begun"
    elif since_s > every_s + lost_s:
        state = "lost"
    elif one.last_s is not None and one.last_s > late_s:
        state = "late"
    return ProbeClock(one, state, since_s)
