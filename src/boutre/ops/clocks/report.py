"""
What is said of a bus after a look: each clock with what it came to.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from boutre.ops.clocks.look import Ends, ProbeSeen, WaitingSeen

FeedState = Literal["heard", "silent", "never", "unexpected"]
"""Heard within its rhythm, silent beyond it, never heard, or without a rhythm: then nothing is expected of it."""

TermState = Literal["to-begin", "in-force", "ends-soon", "ended"]

ProbeState = Literal["begun", "arrives", "late", "lost", "unheard"]
"""Not known yet, in time, late, lost (nothing has arrived for a round and its time), or its process does not say."""


@dataclass(frozen=True, slots=True)
class FeedClock:
    """
    A feed: for how many seconds nothing came (None: never), and whether that is longer than it should be.
    """

    feed: str
    member: str
    state: FeedState
    rhythm_s: float | None
    last: float | None
    silent_s: float | None
    shared: bool

    @property
    def wrong(self) -> bool:
        """Whether somebody should ask its member."""
        return self.state in {"silent", "never"}


@dataclass(frozen=True, slots=True)
class Undelivered:
    """
    A recipient's alerts that it has not read: how many, and since how many seconds the oldest waits (None: not to be found out).

    *reader* is the group by which it is judged, "" where nobody is known to read; *readers* is how many groups there are.
    """

    recipient: str
    reader: str
    readers: int
    unread: int
    oldest_s: float | None
    late: bool


@dataclass(frozen=True, slots=True)
class TermClock:
    """
    Something that ends: *left_s* seconds from now, negative where it has ended, None where none is in force.
    """

    kind: Ends
    name: str
    party: str
    state: TermState
    ends: float | None
    left_s: float | None

    @property
    def wrong(self) -> bool:
        """Whether it has ended."""
        return self.state == "ended"


@dataclass(frozen=True, slots=True)
class ProbeClock:
    """
    A probe, and what it came to.
    """

    seen: ProbeSeen
    state: ProbeState
    since_s: float | None

    @property
    def wrong(self) -> bool:
        """Whether the bus, or the probe, does not do its work."""
        return self.state not in {"begun", "arrives"}


@dataclass(frozen=True, slots=True)
class SenderClock:
    """
    The clock of a member's machine: *ahead_s* seconds before the broker's, or behind it where that is below 0.
    """

    member: str
    ahead_s: float
    wrong: bool


@dataclass(frozen=True, slots=True)
class Report:
    """
    What one look came to, at *at* (seconds since 1970 UTC).
    """

    at: float
    feeds: tuple[FeedClock, ...]
    undelivered: tuple[Undelivered, ...]
    waiting: tuple[WaitingSeen, ...]
    terms: tuple[TermClock, ...]
    probes: tuple[ProbeClock, ...]
    unheard: tuple[str, ...]
    senders: tuple[SenderClock, ...] = ()

    @property
    def wrong(self) -> bool:
        """Whether something is late, silent or at its end."""
        return (
            any(feed.wrong for feed in self.feeds)
            or any(term.wrong for term in self.terms)
            or any(probe.wrong for probe in self.probes)
            or any(sender.wrong for sender in self.senders)
            or any(one.late for one in self.undelivered)
            or any(one.overdue for one in self.waiting)
        )
