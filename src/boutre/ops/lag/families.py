"""
The metrics of lag, each declared once: name, labels, meaning, and where its values come from.

Those that begin with ``kafka_`` have the names and labels of kafka_exporter (github.com/danielqsj/kafka_exporter), so that
dashboards and rules made for it work. Labels are names that the bus declares: topics, groups, parties.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, TypeAlias

from boutre.ops.lag.report import GroupLag, PartitionLag, Report
from boutre.ops.lag.rules import Status

Values: TypeAlias = Iterator[tuple[tuple[str, ...], float]]
"""Of each series its labels, and where it stands."""

GROUP: Final = ("consumergroup",)
TOPIC: Final = ("topic",)
GROUP_TOPIC: Final = ("consumergroup", "topic")
PLACE: Final = ("topic", "partition")
GROUP_PLACE: Final = ("consumergroup", "topic", "partition")
STATUSES: Final = (Status.OK, Status.WARN, Status.ERR)


@dataclass(frozen=True, slots=True)
class Family:
    """
    One gauge: of all that is said in a report, the series that it has.
    """

    name: str
    labels: tuple[str, ...]
    meaning: str
    of: Callable[[Report], Values]


def _places(value: Callable[[Report, tuple[str, int]], float]) -> Callable[[Report], Values]:
    def of(report: Report) -> Values:
        for place in report.bounds:
            yield (place[0], str(place[1])), value(report, place)

    return of


def _groups(value: Callable[[GroupLag], float | None], unknown: float = math.nan) -> Callable[[Report], Values]:
    def of(report: Report) -> Values:
        for one in report.groups:
            if one.seen:
                found = value(one)
                yield (one.group.name,), unknown if found is None else found

    return of


def _shares(value: Callable[[PartitionLag], float | None]) -> Callable[[Report], Values]:
    def of(report: Report) -> Values:
        for group in report.groups:
            for one in group.partitions:
                if (found := value(one)) is not None:
                    yield (group.group.name, one.place[0], str(one.place[1])), found

    return of


def _sums(value: Callable[[PartitionLag], float]) -> Callable[[Report], Values]:
    def of(report: Report) -> Values:
        for group in report.groups:
            sums = dict.fromkeys(group.group.topics if group.seen else (), 0.0)
            for one in group.partitions:
                sums[one.place[0]] += value(one)
            for topic, found in sums.items():
                yield (group.group.name, topic), found

    return of


def _copies(report: Report, place: tuple[str, int]) -> tuple[int, ...]:
    return report.topics[place[0]].partitions[place[1]].replicas


def _in_sync(report: Report, place: tuple[str, int]) -> tuple[int, ...]:
    return report.topics[place[0]].partitions[place[1]].in_sync


def _leader(report: Report, place: tuple[str, int]) -> int:
    return report.topics[place[0]].partitions[place[1]].leader


def _preferred(report: Report, place: tuple[str, int]) -> float:
    return float(_copies(report, place)[:1] == (_leader(report, place),))


def _known_topics(report: Report) -> Values:
    for name, topic in report.topics.items():
        yield (name,), len(topic.partitions)


def _statuses(report: Report) -> Values:
    for one in report.groups:
        for status in STATUSES if one.seen else ():
            yield (one.group.name, status.name), float(one.status is status)


def _kinds(report: Report) -> Values:
    for one in report.groups:
        yield (one.group.name, one.group.kind, one.group.owner), float(one.seen)


def _catch_up(one: GroupLag) -> float:
    if one.catch_up_s is not None:
        return one.catch_up_s
    return math.nan if one.consumed is None or one.produced is None else math.inf


def _missing(report: Report) -> Values:
    for group in report.groups:
        for topic in group.group.topics:
            yield (group.group.name, topic), float(topic in group.missing)


FAMILIES: Final = (
    Family("kafka_brokers", (), "Brokers of the cluster.", lambda report: iter([((), float(report.brokers))])),
    Family("kafka_topic_partitions", TOPIC, "Partitions of a topic.", _known_topics),
    Family(
        "kafka_topic_partition_current_offset",
        PLACE,
        "End of a partition: the offset that its next record will have.",
        _places(lambda report, place: report.bounds[place].end),
    ),
    Family(
        "kafka_topic_partition_oldest_offset",
        PLACE,
        "Offset of the first record that a partition still has.",
        _places(lambda report, place: report.bounds[place].begin),
    ),
    Family("kafka_topic_partition_leader", PLACE, "Id of the broker that leads a partition; -1: none.", _places(_leader)),
    Family("kafka_topic_partition_replicas", PLACE, "Copies of a partition.", _places(lambda *at: len(_copies(*at)))),
    Family("kafka_topic_partition_in_sync_replica", PLACE, "Copies that are complete.", _places(lambda *at: len(_in_sync(*at)))),
    Family("kafka_topic_partition_leader_is_preferred", PLACE, "1 where the first of the copies leads.", _places(_preferred)),
    Family(
        "kafka_topic_partition_under_replicated_partition",
        PLACE,
        "1 where not all copies are complete.",
        _places(lambda *at: float(len(_in_sync(*at)) < len(_copies(*at)))),
    ),
    Family("kafka_consumergroup_members", GROUP, "Members of a group.", _groups(lambda one: one.members)),
    Family(
        "kafka_consumergroup_current_offset",
        GROUP_PLACE,
        "Offset that a group has committed; -1 where it has committed none.",
        _shares(lambda one: -1.0 if one.committed is None else one.committed),
    ),
    Family(
        "kafka_consumergroup_current_offset_sum",
        GROUP_TOPIC,
        "The same, all partitions of a topic together.",
        _sums(lambda one: one.committed or 0),
    ),
    Family(
        "kafka_consumergroup_lag",
        GROUP_PLACE,
        "Offsets from the first unread record to the end that may be read; 0 where no record is left.",
        _shares(lambda one: one.lag),
    ),
    Family("kafka_consumergroup_lag_sum", GROUP_TOPIC, "The same, all partitions of a topic together.", _sums(lambda one: one.lag)),
    Family(
        "boutre_consumergroup_lag_seconds",
        GROUP_PLACE,
        "How long the first unread record has waited; 0 where none is unread, NaN where it could not be read.",
        _shares(lambda one: math.nan if one.seconds is None else one.seconds),
    ),
    Family("boutre_consumergroup_status", ("consumergroup", "status"), "1 for the status of a group: OK, WARN or ERR.", _statuses),
    Family(
        "boutre_consumergroup_partition_status",
        GROUP_PLACE,
        "Status on one partition: 1 OK, 2 WARN, 4 STOP, 5 STALL, 6 REWIND.",
        _shares(lambda one: float(one.status)),
    ),
    Family(
        "boutre_consumergroup_complete_ratio",
        GROUP,
        "Share of a group's partitions of which enough was seen to judge them whole.",
        _groups(lambda one: one.complete),
    ),
    Family(
        "boutre_consumergroup_expected",
        ("consumergroup", "kind", "owner"),
        "A declared group, of a processor, a follower or a recipient: 1 where its offsets could be had, 0 where they could not.",
        _kinds,
    ),
    Family(
        "boutre_consumergroup_topic_missing",
        GROUP_TOPIC,
        "1 where a topic that a group reads is not on the cluster.",
        _missing,
    ),
    Family(
        "boutre_consumergroup_silent_partitions",
        GROUP,
        "Partitions whose ends could not be asked for.",
        _groups(lambda one: len(one.silent)),
    ),
    Family(
        "boutre_consumergroup_produced_per_second",
        GROUP,
        "Offsets a second that are added to what a group reads.",
        _groups(lambda one: one.produced),
    ),
    Family(
        "boutre_consumergroup_consumed_per_second",
        GROUP,
        "Offsets a second by which a group goes on.",
        _groups(lambda one: one.consumed),
    ),
    Family(
        "boutre_consumergroup_catch_up_seconds",
        GROUP,
        "Seconds until nothing is unread, at this pace; +Inf where it does not come nearer, NaN after the first look.",
        _groups(_catch_up),
    ),
    Family(
        "boutre_consumergroup_retention_headroom_seconds",
        GROUP,
        "Seconds until retention may take the first unread record; +Inf where nothing unread goes by time.",
        _groups(lambda one: one.headroom_s, math.inf),
    ),
    Family(
        "boutre_consumergroup_lost_offsets",
        GROUP,
        "Offsets that retention took before a group came to them.",
        _groups(lambda one: one.lost),
    ),
    Family(
        "boutre_topic_partition_held_offsets",
        PLACE,
        "Offsets that nobody may read yet, since a transaction before them is open.",
        _places(lambda report, place: report.bounds[place].end - report.bounds[place].stable),
    ),
)
"""What a report says."""

ABOUT: Final = (
    ("boutre_lag_up", (), "1 while the cluster answers; at 0 all other series of lag stand as they last did."),
    ("boutre_lag_last_success_timestamp_seconds", (), "When the cluster last answered, in seconds since 1970; 0: never."),
    ("boutre_lag_look_seconds", (), "How long the last look took."),
    ("boutre_consumergroups_undeclared", ("owner",), "Groups that nobody declared, by whose prefix their names have."),
)
"""What is said of the looks themselves, and of what has no series of its own."""
