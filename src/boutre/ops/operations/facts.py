"""
What is declared of a bus and shown whether or not anything is heard of it: a row that is missing would look like calm.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from boutre.connectors.feeds import Feed
from boutre.processors.patterns import VIEWS
from boutre.topics.bus import Declarations


@dataclass(frozen=True, slots=True)
class Fed:
    """
    A feed of a member; *rhythm_s* is within how many seconds something is expected, None where nothing is promised.
    """

    member: str
    feed: str
    rhythm_s: float | None


@dataclass(frozen=True, slots=True)
class Facts:
    """
    The feeds, the recipients with the topics of their alerts, the owners of rejects by topic, and all topics.

    *rates*: bytes a second that each member may send to a broker.
    """

    feeds: tuple[Fed, ...]
    members: tuple[str, ...]
    recipients: Mapping[str, tuple[str, ...]]
    alerts: Mapping[str, str]
    rejects: Mapping[str, str]
    topics: tuple[str, ...] = ()
    rates: Mapping[str, int] = field(default_factory=dict)


def facts_of(bus: Declarations, feeds: tuple[Feed, ...]) -> Facts:
    """
    Take them from what is declared.
    """
    views = [topic for topic in bus.topics.values() if topic.pattern == VIEWS and topic.recipient is not None]
    return Facts(
        tuple(Fed(one.member, one.id, None if one.rhythm is None else one.rhythm.total_seconds()) for one in feeds),
        tuple(bus.members),
        {one: tuple(topic.name for topic in views if topic.recipient == one) for one in bus.recipients},
        {str(topic.recipient): topic.name for topic in views if topic.kind == "alert"},
        {topic.name: topic.member or topic.owner for topic in bus.topics.values() if topic.kind == "reject"},
        tuple(bus.topics),
        {name: one.rate for name, one in bus.members.items()},
    )
