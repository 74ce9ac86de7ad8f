"""
What is said of every group after a look.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from boutre.ops.lag.groups import Group
from boutre.ops.lag.look import Bounds, Place, SeenTopic
from boutre.ops.lag.rules import Status


@dataclass(frozen=True, slots=True)
class PartitionLag:
    """
    One group on one partition.

    *lag* counts offsets from the first unread record to the end that may be read; marks of transactions between records count, and
    where no record is left it is 0. *seconds* is how long the first unread record has waited: 0.0 where nothing is
    unread, None where it could not be read. *lost*: offsets that retention took before the group came. *held*: offsets behind an
    open transaction, which nobody may read yet. *ahead*: the group stands past the end. *produced* and *consumed*: offsets a
    second; *lately* as produced, over the last looks alone. *catch_up_s*: 0.0 where nothing is unread, None where it does not get
    nearer. *headroom_s*: seconds until retention may take the first unread record; negative where it already may, None where
    nothing is unread or nothing goes by time.
    """

    place: Place
    committed: int | None
    bounds: Bounds
    lag: int
    seconds: float | None
    status: Status
    complete: float
    lost: int
    held: int
    ahead: bool
    produced: float | None
    consumed: float | None
    catch_up_s: float | None
    headroom_s: float | None
    lately: float | None = None


@dataclass(frozen=True, slots=True)
class GroupLag:
    """
    One group, on all partitions of what it reads.

    *complete* is the share of them whose windows are full; *missing* names topics that are not there, *silent* partitions whose
    ends could not be asked for. *seen* is whether its offsets could be asked for: of a follower they stand in its store, which may
    be on another machine.
    """

    group: Group
    seen: bool
    members: int
    state: str
    status: Status
    complete: float
    partitions: tuple[PartitionLag, ...]
    missing: tuple[str, ...]
    silent: tuple[Place, ...] = ()

    @property
    def lag(self) -> int:
        """Unread, all partitions together."""
        return sum(one.lag for one in self.partitions)

    @property
    def seconds(self) -> float | None:
        """The age of the oldest unread record; None where one of those that are behind could not be read."""
        ages = [one.seconds for one in self.partitions]
        return max((age for age in ages if age is not None), default=0.0) if None not in ages else None

    @property
    def lost(self) -> int:
        """Offsets that retention took before the group came."""
        return sum(one.lost for one in self.partitions)

    @property
    def produced(self) -> float | None:
        """Offsets a second that are added to what it reads; None before the second look."""
        return _sum(one.produced for one in self.partitions)

    @property
    def consumed(self) -> float | None:
        """Offsets a second by which it goes on."""
        return _sum(one.consumed for one in self.partitions)

    @property
    def catch_up_s(self) -> float | None:
        """Seconds until its slowest partition has nothing unread, at this pace; None where that does not come."""
        times = [one.catch_up_s for one in self.partitions]
        return max((time for time in times if time is not None), default=0.0) if None not in times else None

    @property
    def headroom_s(self) -> float | None:
        """Seconds until retention may take something unread; None where it takes nothing of it by time."""
        return min((one.headroom_s for one in self.partitions if one.headroom_s is not None), default=None)

    @property
    def worst(self) -> PartitionLag | None:
        """The partition to look at first: the worst state, then the oldest, then the most."""
        return max(self.partitions, key=lambda one: (one.status, one.seconds or 0.0, one.lag), default=None)


@dataclass(frozen=True, slots=True)
class Report:
    """
    All groups at one moment, *at* ms since 1970: those that are declared, and those that are not; and all topics that are declared.
    """

    at: int
    brokers: int
    topics: Mapping[str, SeenTopic]
    bounds: Mapping[Place, Bounds]
    missing: tuple[str, ...]
    groups: tuple[GroupLag, ...]
    undeclared: tuple[GroupLag, ...]


def _sum(numbers: Iterable[float | None]) -> float | None:
    known = [one for one in numbers if one is not None]
    return sum(known) if known else None
