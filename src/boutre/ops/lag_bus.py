"""
Looks at a cluster for the lag evaluator: offsets, members, ends, and the first unread record of whoever is behind.

It reads committed records only, in no group, and commits nothing. Of a record it takes the timestamp; key and value are dropped.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

import structlog
from confluent_kafka import (
    ConsumerGroupTopicPartitions,
    IsolationLevel,
    KafkaError,
    KafkaException,
    TopicCollection,
    TopicPartition,
)
from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._config import ConfigResource
from confluent_kafka.admin._listoffsets import OffsetSpec
from confluent_kafka.admin._resource import ResourceType

from boutre.errors import Unavailable
from boutre.ops.lag.groups import Group
from boutre.ops.lag.look import Bounds, Look, Next, Partition, Place, SeenGroup, SeenTopic
from boutre.ops.lag.unread import wanted
from boutre.ops.lag_reader import LagReader

log = structlog.get_logger()

ANSWER_S: Final = 8.0
"""Seconds that the cluster may take for one question: a look that fails is told within two intervals of ten seconds."""

ATTEMPTS: Final = 4
PAUSE_S: Final = 0.5
"""How often a partition is asked for its end in one look, and seconds between."""

CONFIG_S: Final = 60.0
"""Seconds after which the retention of topics is asked for again."""

MOST_OTHERS: Final = 200
"""Groups that nobody declared, of which more than the name is looked at."""

DENIED: Final = frozenset({
    KafkaError.GROUP_AUTHORIZATION_FAILED,
    KafkaError.TOPIC_AUTHORIZATION_FAILED,
    KafkaError.CLUSTER_AUTHORIZATION_FAILED,
})  # fmt: skip
ABSENT: Final = frozenset({
    KafkaError.UNKNOWN_TOPIC_OR_PART,
    KafkaError._UNKNOWN_TOPIC,  # noqa: SLF001 - the client's own error; part of its interface
})  # fmt: skip

Positions = Callable[[], Mapping[str, Mapping[Place, int]]]
"""Gives the offsets of groups that commit none to Kafka, by group; of those that cannot be had it says nothing."""

# Functions without types, of a library that has types elsewhere.
EARLIEST: Final[OffsetSpec] = OffsetSpec.earliest()  # type: ignore[no-untyped-call]
LATEST: Final[OffsetSpec] = OffsetSpec.latest()  # type: ignore[no-untyped-call]

T = TypeVar("T")


@dataclass(slots=True)
class LagBus:
    """
    One cluster, reached by librdkafka's settings (``settings.kafka.client()``); made by ``watching``.

    *topics* are the declared ones, *groups* those that are expected to read.
    """

    client: Mapping[str, Any]
    reader: LagReader
    topics: Sequence[str]
    groups: Sequence[Group]
    positions: Positions = dict
    now: Callable[[], float] = time.time
    _configs: dict[str, dict[str, str]] = field(default_factory=dict)
    _asked: float = 0.0
    _admin: AdminClient | None = None

    @property
    def admin(self) -> AdminClient:
        """
        The admin client of this look, and of those before it since one failed.
        """
        if self._admin is None:
            quiet: Any = lambda _error: None  # noqa: E731 - the stubs allow no functions among the settings
            self._admin = AdminClient({**self.client, "log_level": 0, "error_cb": quiet})
        return self._admin

    def look(self) -> Look:
        """
        Look once. Raises Unavailable where the cluster does not answer.
        """
        try:
            return self._look()
        except Unavailable:
            # After a broker was away and came back, questions to coordinators are never answered again by librdkafka 2.16: the next
            # look has clients of its own.
            self._admin = None
            self.reader.drop()
            raise

    def _look(self) -> Look:
        with _answering():
            kept = self.positions()
            seen, unseen = self._groups(kept)
            others = {topic for name, one in seen.items() for topic, _ in one.committed} - set(self.topics)
            topics = self._topics([*self.topics, *sorted(others)])
            bounds = self._bounds((name, number) for name, topic in topics.items() for number in range(len(topic.partitions)))
            reads: dict[str, Iterable[str]] = {group.name: group.topics for group in self.groups if group.name not in unseen}
            reads |= {name: {topic for topic, _ in one.committed} for name, one in seen.items() if name not in reads}
            nexts = self.reader.nexts(wanted(topics, bounds, reads, seen), bounds, self._first_of)
            brokers = len(self.admin.list_topics(self.topics[0] if self.topics else None, timeout=ANSWER_S).brokers)
        return Look(round(self.now() * 1000), brokers, topics, bounds, seen, nexts, unseen, frozenset(others))

    def _groups(self, kept: Mapping[str, Mapping[Place, int]]) -> tuple[dict[str, SeenGroup], frozenset[str]]:
        declared = {group.name for group in self.groups if group.kind != "follower"}
        followers = {group.name for group in self.groups if group.kind == "follower"}
        listed = self.admin.list_consumer_groups(request_timeout=ANSWER_S).result(ANSWER_S)
        if listed.errors:  # else a broker that is away would be one without groups
            raise KafkaException(listed.errors[0])
        there = {one.group_id for one in listed.valid}
        others = sorted(there - declared - followers)
        names = [*sorted(there & declared), *others[:MOST_OTHERS]]
        seen = {name: SeenGroup({}, state="not looked at") for name in others[MOST_OTHERS:]}
        seen |= {name: SeenGroup(places, members=1, state="store") for name, places in kept.items() if name in followers}
        unseen = followers - kept.keys()
        # Asked for offsets before ends, and for members before offsets: who has moved since had a member.
        described = self.admin.describe_consumer_groups(names, request_timeout=ANSWER_S) if names else {}
        told = {name: _allowed(described[name]) for name in names}
        asked = {
            name: self.admin.list_consumer_group_offsets(
                [ConsumerGroupTopicPartitions(name)], require_stable=False, request_timeout=ANSWER_S
            )[name]
            for name in names
        }
        for name in names:
            description, offsets = told[name], _allowed(asked[name])
            if description is None or offsets is None:
                unseen.add(name)
                continue
            committed = {
                (str(one.topic), int(one.partition)): int(one.offset) for one in offsets.topic_partitions if one.offset >= 0
            }
            seen[name] = SeenGroup(committed, len(description.members), _owned(description.members), description.state.name.lower())
        return seen, frozenset(unseen)

    def _topics(self, names: Sequence[str]) -> dict[str, SeenTopic]:
        asked = self.admin.describe_topics(TopicCollection(list(names)), request_timeout=ANSWER_S)
        found = {}
        for name in names:
            try:
                found[name] = asked[name].result(ANSWER_S)
            except KafkaException as error:
                if _code(error) not in ABSENT | DENIED:
                    raise
        self._configure(found)
        return {name: _topic(topic, self._configs.get(name, {})) for name, topic in found.items()}

    def _configure(self, names: Iterable[str]) -> None:
        """Ask for the retention of topics now and then, and at once of one that is new."""
        names = frozenset(names)
        if self.now() - self._asked < CONFIG_S and names <= self._configs.keys():
            return
        resources = [ConfigResource(ResourceType.TOPIC, name) for name in names]
        told = self.admin.describe_configs(resources, request_timeout=ANSWER_S) if resources else {}
        entries = {resource.name: _allowed(future, also=ABSENT) or {} for resource, future in told.items()}
        self._configs = {name: {key: str(entry.value) for key, entry in found.items()} for name, found in entries.items()}
        self._asked = self.now()

    def _bounds(self, places: Iterable[Place]) -> dict[Place, Bounds]:
        wanted_places = list(places)
        begins = self._offsets(wanted_places, EARLIEST, IsolationLevel.READ_UNCOMMITTED)
        # What may be read first, and the end after it, so that neither is before what was asked for earlier.
        stable = self._offsets(wanted_places, LATEST, IsolationLevel.READ_COMMITTED)
        ends = self._offsets(wanted_places, LATEST, IsolationLevel.READ_UNCOMMITTED)
        return {
            place: Bounds(begins[place], max(begins[place], stable[place]), max(stable[place], ends[place]))
            for place in wanted_places
            if place in begins and place in stable and place in ends
        }

    def _first_of(self, moments: Mapping[Place, int]) -> dict[Place, Next]:
        """Give the first record of a time in each place, where there is one."""
        told = self.admin.list_offsets(
            {TopicPartition(*place): OffsetSpec.for_timestamp(moment) for place, moment in moments.items()},
            isolation_level=IsolationLevel.READ_COMMITTED,
            request_timeout=ANSWER_S,
        )
        found = {(str(one.topic), int(one.partition)): _allowed(future, also=ABSENT) for one, future in told.items()}
        return {
            place: Next(int(one.offset), int(one.timestamp)) for place, one in found.items() if one is not None and one.offset >= 0
        }

    def _offsets(self, places: Sequence[Place], spec: OffsetSpec, isolation: IsolationLevel) -> dict[Place, int]:
        """Ask all partitions; those that do not answer, as of a topic that has just been made, once more, and once more."""
        found: dict[Place, int] = {}
        failed: KafkaException | None = None
        for attempt in range(ATTEMPTS):
            left = [place for place in places if place not in found]
            if not left:
                return found
            if attempt:
                time.sleep(PAUSE_S)
            told = self.admin.list_offsets(
                {TopicPartition(*place): spec for place in left}, isolation_level=isolation, request_timeout=ANSWER_S
            )
            for place, future in told.items():
                try:
                    found[str(place.topic), int(place.partition)] = int(future.result(ANSWER_S).offset)
                except KafkaException as error:
                    failed = error
        if failed is not None:
            if not found:
                raise failed
            log.warning("lag.ends-unknown", partitions=len(places) - len(found), error=failed.args[0].name())
        return found


@contextmanager
def watching(
    client: Mapping[str, Any], topics: Sequence[str], groups: Sequence[Group], positions: Positions = dict
) -> Iterator[LagBus]:
    """
    Give what looks at the cluster that *client* reaches.
    """
    reader = LagReader(client)
    try:
        yield LagBus(client, reader, tuple(topics), tuple(groups), positions)
    finally:
        reader.drop()


@contextmanager
def _answering() -> Iterator[None]:
    try:
        yield
    except (KafkaException, TimeoutError) as error:
        first = error.args[0] if error.args else error
        said = first.name() if isinstance(first, KafkaError) else type(error).__name__
        raise Unavailable(
            f"the Kafka cluster does not answer ({said}); lag stays as it was at the last look. "
            "See whether it runs, and `boutre settings` for how it is reached"
        ) from None


def _code(error: KafkaException) -> int | None:
    first = error.args[0] if error.args else None
    return int(first.code()) if isinstance(first, KafkaError) else None


def _allowed(future: Future[T], also: frozenset[int] = frozenset()) -> T | None:
    """Give an answer, or None where it is not ours to have."""
    try:
        return future.result(ANSWER_S)
    except KafkaException as error:
        if _code(error) not in DENIED | also:
            raise
        return None


def _owned(members: Sequence[Any]) -> frozenset[Place] | None:
    """The partitions of all members; None where none is told, as of a protocol that Kafka does not know."""
    places = {
        (str(one.topic), int(one.partition))
        for member in members
        if member.assignment is not None
        for one in member.assignment.topic_partitions or ()
    }
    return frozenset(places) or None


def _topic(described: Any, config: Mapping[str, str]) -> SeenTopic:
    deletes = "delete" in config.get("cleanup.policy", "")
    kept = int(config.get("retention.ms", -1))
    return SeenTopic(
        str(described.topic_id),
        tuple(
            Partition(
                -1 if one.leader is None else int(one.leader.id),
                tuple(int(node.id) for node in one.replicas),
                tuple(int(node.id) for node in one.isr),
            )
            for one in sorted(described.partitions, key=lambda one: one.id)
        ),
        kept if deletes and kept >= 0 else None,
        deletes and int(config.get("retention.bytes", -1)) >= 0,
    )
