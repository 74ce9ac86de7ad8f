"""
Which groups are expected to read, and whose any other one is.

    groups_of(declarations, pipeline.edges, file)

The one place where the names of groups follow from what is declared: a processor's from the graph, a recipient's from
``processors/lag.toml``, a follower's from ``boutre.ops.access``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from boutre.ops.access import FOLLOWERS, member, recipient
from boutre.ops.lag.declared import LagFile
from boutre.processors.edges import Edge
from boutre.processors.groups import group_of
from boutre.processors.patterns import VIEWS
from boutre.topics.bus import Declarations
from boutre.topics.members import BUS, OPERATIONS

Kind = Literal["processor", "follower", "recipient", "other"]

NOBODY = "nobody"
"""Whose a group is that begins as no party's groups do."""


@dataclass(frozen=True, slots=True)
class Group:
    """
    A group that reads *topics*: of a processor, of a follower (which keeps its offsets itself and commits none), of a recipient.

    *rests_s* is for how many seconds it may be away with something to read, where it is one that is run now and then.
    """

    name: str
    kind: Kind
    owner: str
    topics: tuple[str, ...]
    rests_s: int = 0


def groups_of(bus: Declarations, edges: Sequence[Edge], file: LagFile) -> tuple[Group, ...]:
    """
    Give every group that is expected to read, in the order in which a record meets them.
    """
    processors = (Group(group_of(edge.name), "processor", BUS, edge.reads) for edge in edges)
    followers = (Group(follower_group(name), "follower", BUS, tuple(reads(bus))) for name, (reads, _) in FOLLOWERS.items())
    recipients = (
        Group(one.name, "recipient", one.recipient, tuple(_views(bus, one.recipient, one.kinds)), round(one.rests_hours * 3600))
        for one in file.group
    )
    return (*processors, *followers, *recipients)


def follower_group(name: str) -> str:
    """
    Give the name by which a follower is known; nothing is committed by it.
    """
    return f"boutre.{name}"


def owner_of(bus: Declarations, group: str) -> str:
    """
    Say whose an undeclared group is, by how its name begins: a recipient, a member, ``operations``, the bus, or nobody.
    """
    if group.startswith(("boutre.", "boutre-")):
        return BUS
    if group.startswith(f"{OPERATIONS}."):
        return OPERATIONS
    parties = ((f"{one}.", one) for one in bus.recipients)
    members = ((f"{member(one)}.", one) for one in bus.members)
    principals = ((f"{recipient(one)}.", one) for one in bus.recipients)
    return next((party for prefix, party in (*members, *principals, *parties) if group.startswith(prefix)), NOBODY)


def owners(bus: Declarations) -> tuple[str, ...]:
    """
    Give all that ``owner_of`` may answer.
    """
    return tuple(dict.fromkeys((BUS, OPERATIONS, *bus.members, *bus.recipients, NOBODY)))


def _views(bus: Declarations, who: str, kinds: Sequence[str]) -> Iterable[str]:
    for name, topic in bus.topics.items():
        if topic.pattern == VIEWS and topic.recipient == who and (not kinds or topic.kind in kinds):
            yield name
