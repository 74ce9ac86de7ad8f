"""
What one look at a cluster saw: plain values, as they go from the Kafka rim to the evaluator.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

Place = tuple[str, int]
"""A topic and one of its partitions."""


class Bounds(NamedTuple):
    """
    Where a partition begins, how far it may be read, and where it ends; the last two differ while a transaction is open.
    """

    begin: int
    stable: int
    end: int


class Next(NamedTuple):
    """
    The first record that a reader would get from somewhere: where it stands, and its timestamp, in ms since 1970.
    """

    offset: int
    timestamp: int


@dataclass(frozen=True, slots=True)
class Partition:
    """
    Who keeps a partition: the leader's id (-1: nobody), all copies, and those that are complete.
    """

    leader: int
    replicas: tuple[int, ...]
    in_sync: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class SeenTopic:
    """
    A topic as the cluster has it; *identity* is another one where it was deleted and made again.

    *retention_ms* is after how long records may go, None where they do not go by time; *by_size* says that size may take them too.
    """

    identity: str
    partitions: tuple[Partition, ...]
    retention_ms: int | None = None
    by_size: bool = False


@dataclass(frozen=True, slots=True)
class SeenGroup:
    """
    A group as the cluster has it: what it has committed, its members, and which partitions these have.

    *owned* is None where the members' partitions are not known. A group that the cluster does not know has no members.
    """

    committed: Mapping[Place, int]
    members: int = 0
    owned: frozenset[Place] | None = None
    state: str = "unknown"

    def alive_at(self, place: Place) -> bool:
        """
        Whether a member has this partition.
        """
        return self.members > 0 and (self.owned is None or place in self.owned)


@dataclass(frozen=True, slots=True)
class Look:
    """
    One look, at *at* ms since 1970.

    *nexts* has, for a place and an offset, the first record that a reader gets from there, or None where there is none before the
    place's ``stable``; what is not there could not be found out. Bounds were asked for after offsets, so that none is before them.
    *unseen* names groups whose offsets could not be asked for, *foreign* topics that nobody declared and an undeclared group reads.
    """

    at: int
    brokers: int
    topics: Mapping[str, SeenTopic]
    bounds: Mapping[Place, Bounds]
    groups: Mapping[str, SeenGroup]
    nexts: Mapping[tuple[Place, int], Next | None] = field(default_factory=dict)
    unseen: frozenset[str] = frozenset()
    foreign: frozenset[str] = frozenset()
