"""
What one look at a bus saw: plain values, as they go from the rim to the judge. Times are seconds since 1970 UTC.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Ends = Literal["agreement", "key", "certificate"]
"""What ends by a date."""


@dataclass(frozen=True, slots=True)
class FeedSeen:
    """
    A feed: when the broker last took a record from it, None where it has none that came from it.

    *rhythm_s* is how often something is expected, None where nobody declared it. *shared* says that other feeds of its member write
    to the same topics, so that one of them hides the silence of another.
    """

    feed: str
    member: str
    rhythm_s: float | None
    last: float | None
    shared: bool = False


@dataclass(frozen=True, slots=True)
class ReaderSeen:
    """
    A consumer group that reads a recipient's alerts: how many it has not read, and how long the oldest of them waits (seconds).

    *oldest_s* is None where that could not be found out. *declared* groups are expected in ``processors/lag.toml``.
    """

    group: str
    declared: bool
    unread: int
    oldest_s: float | None


@dataclass(frozen=True, slots=True)
class AlertsSeen:
    """
    A recipient's alerts: who reads them, and, for where nobody does, how many there are and how old the first is (seconds).
    """

    recipient: str
    readers: tuple[ReaderSeen, ...]
    there: int = 0
    first_s: float | None = None


@dataclass(frozen=True, slots=True)
class WaitingSeen:
    """
    Alerts of one recipient and class of deadline that wait for a person, as the workers say that keep them.

    *heard* is when they last said so: what a worker said stays when it does not answer.
    """

    recipient: str
    deadline: str
    waiting: int
    overdue: int
    expired: int
    oldest_s: float
    heard: float


@dataclass(frozen=True, slots=True)
class TermSeen:
    """
    Something that is in force from *begins* until *ends*; *ends* is None where nothing of it is in force at all.
    """

    kind: Ends
    name: str
    party: str
    begins: float | None
    ends: float | None


@dataclass(frozen=True, slots=True)
class ProbeSeen:
    """
    What the process of a probe says: rounds by outcome, when one last arrived in time (0: never), and when it said so.

    *last_s* is how long the round took that arrived last, in seconds; None where none has.
    """

    feed: str
    recipient: str
    arrived: int
    late: int
    lost: int
    unsent: int
    succeeded: float
    last_s: float | None
    heard: float


@dataclass(frozen=True, slots=True)
class SenderSeen:
    """
    How many seconds ahead of the broker's the clock was of the machine that last sent something of *member*; below 0: behind.

    Of several machines of a member it is the one furthest off, as far as anybody says.
    """

    member: str
    ahead_s: float


@dataclass(frozen=True, slots=True)
class Look:
    """
    One look. *unheard* names processes that were asked and did not answer.
    """

    at: float
    feeds: tuple[FeedSeen, ...] = ()
    alerts: tuple[AlertsSeen, ...] = ()
    waiting: tuple[WaitingSeen, ...] = ()
    terms: tuple[TermSeen, ...] = ()
    probes: tuple[ProbeSeen, ...] = ()
    unheard: tuple[str, ...] = ()
    senders: tuple[SenderSeen, ...] = ()
