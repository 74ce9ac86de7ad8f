"""
Looks at a cluster for the clocks: when the last record came from each feed, and who has not read their alerts.

It asks for offsets and times alone, as whoever may describe topics and groups can: of a record nothing but its timestamp is known,
and of what recipients are given nothing is read.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from confluent_kafka import KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._listoffsets import OffsetSpec

from boutre.connectors.feeds import Feed
from boutre.errors import Unavailable
from boutre.ops.clocks.look import AlertsSeen, FeedSeen, ReaderSeen
from boutre.ops.lag.declared import LagFile
from boutre.ops.lag.evaluator import Evaluator
from boutre.ops.lag.groups import Group, owner_of
from boutre.ops.lag.report import GroupLag
from boutre.ops.lag_bus import ABSENT, DENIED, LagBus, watching
from boutre.processors.patterns import NATIONAL, VIEWS
from boutre.topics.bus import Declarations

ANSWER_S: Final = 8.0
"""Seconds that the cluster may take for one question."""

NEWEST: Final[OffsetSpec] = OffsetSpec.max_timestamp()  # type: ignore[no-untyped-call] # of a library that has types elsewhere

NOBODY: Final = "{recipient}.nobody"
"""A group that a recipient never has: what it would have to read is all that is there."""


def nobody(recipient: str) -> str:
    """
    Name the group that a recipient never has.
    """
    return NOBODY.format(recipient=recipient)


@dataclass(slots=True)
class ClocksBus:
    """
    One cluster, reached by librdkafka's settings; made by ``asking``.
    """

    client: Mapping[str, Any]
    lag: LagBus
    evaluator: Evaluator
    declarations: Declarations
    feeds: Sequence[Feed]
    now: Callable[[], float] = time.time
    _admin: AdminClient | None = field(default=None)

    def look(self) -> tuple[tuple[FeedSeen, ...], tuple[AlertsSeen, ...]]:
        """
        Ask for feeds and alerts. Raises Unavailable where the cluster does not answer.
        """
        report = self.evaluator.take(self.lag.look())
        alerts = tuple(
            alerts_seen(recipient, topic, report.groups, report.undeclared)
            for recipient, topic in alert_topics(self.declarations).items()
        )
        try:
            return feeds_seen(self.feeds, self._newest()), alerts
        except KafkaException as error:
            self._admin = None
            raise Unavailable(f"Kafka does not answer: {error.args[0].name()}; look at BOUTRE_KAFKA__*") from None

    def _newest(self) -> dict[str, float]:
        """Give for each national topic the time of its newest record; of one that is empty or not there, nothing."""
        if self._admin is None:
            quiet: Any = lambda _error: None  # noqa: E731 - the stubs allow no functions among the settings
            self._admin = AdminClient({**self.client, "log_level": 0, "error_cb": quiet})
        wanted = {
            TopicPartition(name, number): NEWEST
            for name, topic in self.declarations.topics.items()
            if topic.pattern == NATIONAL
            for number in range(topic.partitions)
        }
        found: dict[str, float] = {}
        told = self._admin.list_offsets(wanted, request_timeout=ANSWER_S) if wanted else {}
        for place, future in told.items():
            try:
                timestamp = int(future.result(ANSWER_S).timestamp)
            except KafkaException as error:
                if error.args[0].code() not in ABSENT | DENIED:
                    raise
                continue
            if timestamp >= 0:
                found[str(place.topic)] = max(found.get(str(place.topic), 0.0), timestamp / 1000)
        return found


def feeds_seen(feeds: Sequence[Feed], newest: Mapping[str, float]) -> tuple[FeedSeen, ...]:
    """
    Give what is known of each feed by the *newest* record of its topics, in seconds since 1970.
    """
    written = {one.id: frozenset(f"national.{one.member}.{kind}" for kind in one.kinds) for one in feeds}
    return tuple(
        FeedSeen(
            one.id,
            one.member,
            None if one.rhythm is None else one.rhythm.total_seconds(),
            max((newest[topic] for topic in written[one.id] if topic in newest), default=None),
            shared=any(other.id != one.id and not written[one.id].isdisjoint(written[other.id]) for other in feeds),
        )
        for one in feeds
    )


def alerts_seen(recipient: str, topic: str, declared: Sequence[GroupLag], others: Sequence[GroupLag]) -> AlertsSeen:
    """
    Give who reads the alerts of *recipient*, which stand on *topic*: groups that are *declared*, and *others* that are its own.
    """
    readers = []
    there, first_s = 0, None
    for group in (*declared, *others):
        mine = [one for one in group.partitions if one.place[0] == topic]
        if group.group.owner != recipient or not mine:
            continue
        unread = sum(one.lag for one in mine)
        ages = [one.seconds for one in mine if one.lag]
        oldest_s = None if None in ages else max((age for age in ages if age is not None), default=0.0)
        if group.group.name == nobody(recipient):
            there, first_s = unread, oldest_s
        elif group.seen:
            readers.append(ReaderSeen(group.group.name, any(group is one for one in declared), unread, oldest_s))
    return AlertsSeen(recipient, tuple(readers), there, first_s)


def alert_topics(declarations: Declarations) -> dict[str, str]:
    """
    Give the topic of each recipient's alerts.
    """
    views = (topic for topic in declarations.topics.values() if topic.pattern == VIEWS and topic.kind == "alert")
    return {str(topic.recipient): topic.name for topic in views}


@contextmanager
def asking(client: Mapping[str, Any], declarations: Declarations, feeds: Sequence[Feed], lag: LagFile) -> Iterator[ClocksBus]:
    """
    Give what asks the cluster that *client* reaches.
    """
    topics = alert_topics(declarations)
    expected = [
        Group(one.name, "recipient", one.recipient, (topics[one.recipient],), round(one.rests_hours * 3600))
        for one in lag.group
        if one.recipient in topics and (not one.kinds or "alert" in one.kinds)
    ]
    groups = [*expected, *(Group(nobody(recipient), "recipient", recipient, (topic,)) for recipient, topic in topics.items())]
    evaluator = Evaluator(groups, lag, lambda name: owner_of(declarations, name))
    with watching(client, tuple(topics.values()), groups) as looking:
        yield ClocksBus(client, looking, evaluator, declarations, feeds)
