"""
What Prometheus would see around the boundary of each alarm, and when it must be given: for ``promtool test rules``.
"""

from __future__ import annotations

from typing import Final

from alarm_case import Case, counted, passes, seen

GROUP: Final = 'consumergroup="boutre-release"'
PLACE: Final = f'{GROUP}, topic="bus.incident", partition="0"'
RELEASE: Final = {"consumergroup": "boutre-release"}
STATUS: Final = f"boutre_consumergroup_partition_status{{{PLACE}}}"


def turned(alarm: str, code: int, least: int) -> tuple[Case, Case]:
    """A status of a partition: for as long as it must last, and for one look less."""
    return (
        Case(alarm, "it lasts", {STATUS: seen((1, 4), (code, least + 4), (1, 20))}, 4, least + 8, RELEASE),
        Case(alarm, "it passes", {STATUS: seen((1, 4), (code, least), (1, 40))}, labels=RELEASE),
    )


UNREAD: Final = f"kafka_consumergroup_lag{{{PLACE}}}"
COARSE: Final = seen((0, 30), (3, 59), (0, 1), (3, 20))
"""Something is unread, and all is read again before a quarter of an hour is over."""


def unread(times: int, kind: str = "processor") -> dict[str, str]:
    """That a group is declared, and something unread."""
    declared = f'boutre_consumergroup_expected{{{GROUP}, kind="{kind}", owner="bus"}}'
    return {declared: seen((1, 110)), UNREAD: seen((3, times))}


LAG_S: Final = f"boutre_consumergroup_lag_seconds{{{PLACE}}}"
HEADROOM_S: Final = f"boutre_consumergroup_retention_headroom_seconds{{{GROUP}}}"
HELD: Final = 'boutre_topic_partition_held_offsets{topic="bus.incident", partition="0"}'
END: Final = 'kafka_topic_partition_current_offset{topic="bus.incident", partition="0"}'
START: Final = "boutre_process_start_timestamp_seconds"
ABORTED: Final = 'boutre_transactions_total{stage="release", end="aborted"}'
COMMITTED: Final = 'boutre_transactions_total{stage="release", end="committed"}'
PARTITIONS: Final = 'boutre_worker_partitions{stage="release", instance="a:1"}'
REJECTED: Final = 'boutre_records_total{stage="connector", outcome="rejected"}'
KEYS: Final = 'boutre_case_keys_waiting{member="comoros"}'
FREE: Final = 'boutre_disk_free_bytes{instance="a:1"}'
SIZE: Final = 'boutre_disk_size_bytes{instance="a:1"}'
FEED: Final = 'boutre_spool_dropped_total{feed="ais-demonstration"}'
TOPIC: Final = {"topic": "bus.incident"}
STAGE: Final = {"stage": "release"}
GIB: Final = 1 << 30

SLOW: Final = 'boutre_finding{code="broker-slow"}'
CLOCK: Final = 'boutre_sender_clock_ahead_seconds{member="comoros", kind="sighting"}'
MISSED: Final = 'boutre_deadlines_total{member="comoros", kind="incident", class="first-report", outcome="missed"}'
UNDELIVERED: Final = 'boutre_alert_undelivered_oldest_seconds{recipient="rcoc"}'
ALERTS: Final = 'boutre_alert_undelivered{recipient="rcoc"}'
LAIN: Final = {"boutre_alert_undelivered_limit_seconds": seen((900, 110)), ALERTS: seen((1, 72), (0, 38))}
PROBED: Final = 'boutre_probe_last_success_timestamp_seconds{feed="probe", recipient="rcoc"}'
TERM: Final = 'boutre_term_ends_timestamp_seconds{kind="agreement", name="indian-ocean", party="rcoc"}'
DAY: Final = 86_400
CONNECTOR: Final = {"stage": "connector"}
RCOC: Final = {"recipient": "rcoc"}
COMOROS: Final = {"member": "comoros"}
WORKER: Final = {"name": "release"}
HERE: Final = {"instance": "a:1"}
AGREEMENT: Final = {"name": "indian-ocean"}

LAG: Final = (
    *turned("GroupStopped", 4, 4),
    *turned("GroupStalled", 5, 8),
    *turned("GroupBehind", 2, 40),
    *turned("GroupRewound", 6, 4),
    Case("GroupLate", "15 minutes", {LAG_S: seen((900, 64), (900.5, 26), (899, 20)), **unread(110)}, 64, 90, RELEASE, lasts=110),
    Case("GroupLate", "just not", {LAG_S: seen((900, 110)), **unread(110)}, labels=RELEASE, lasts=110),
    Case("GroupLate", "a time made coarse", {LAG_S: seen((15000, 110)), **unread(30), UNREAD: COARSE}, labels=RELEASE, lasts=110),
    Case("GroupLate", "it could not be read", {LAG_S: seen(("NaN", 110)), **unread(110)}, labels=RELEASE, lasts=110),
    Case("GroupLate", "a recipient may rest", {LAG_S: seen((90000, 110)), **unread(110, "recipient")}, labels=RELEASE, lasts=110),
    *passes("RetentionNear", HEADROOM_S, 10800, 10799.5, 4, RELEASE),
    Case("RetentionNear", "it may go now", {HEADROOM_S: seen((-1, 30))}, 0, 30, RELEASE, lasts=30),
    Case("RetentionNear", "nothing goes by time", {HEADROOM_S: seen(("+Inf", 80))}, labels=RELEASE),
    Case(
        "RecordsLost",
        "seen once, told for an hour",
        {f"boutre_consumergroup_lost_offsets{{{GROUP}}}": seen((0, 4), (1, 1), (0, 300))},
        4,
        245,
        RELEASE,
        lasts=260,
    ),
    Case("RecordsLost", "none", {f"boutre_consumergroup_lost_offsets{{{GROUP}}}": seen((0, 80))}, labels=RELEASE),
    *passes("GroupTopicMissing", f'boutre_consumergroup_topic_missing{{{GROUP}, topic="bus.incident"}}', 0, 1, 4, TOPIC),
    *passes("GroupUnseen", f'boutre_consumergroup_expected{{{GROUP}, kind="processor", owner="bus"}}', 1, 0, 60, RELEASE),
    *passes("GroupUnseen", f"boutre_consumergroup_silent_partitions{{{GROUP}}}", 0, 1, 60, RELEASE),
    Case(
        "GroupUnseen",
        "a store elsewhere",
        {'boutre_consumergroup_expected{consumergroup="boutre.audit", kind="follower"}': seen((0, 90))},
    ),
    *passes("GroupUndeclared", 'boutre_consumergroups_undeclared{owner="rcoc"}', 0, 1, 60, {"owner": "rcoc"}),
    *passes("LagBlind", "boutre_lag_up", 1, 0, 2, {}),
    Case(
        "LagBlind",
        "the clock stands",
        {"boutre_lag_last_success_timestamp_seconds": seen((0, 5), (60, 4), (120, 20))},
        13,
        25,
        lasts=25,
    ),
    Case("LagBlind", "it looks every ten seconds", {"boutre_lag_last_success_timestamp_seconds": "0+15x80"}),
)

PROCESSES: Final = (
    Case("LagUnwatched", "it ends", {"boutre_lag_up": seen((1, 4), ("stale", 1), ("_", 15), (1, 20))}, 4, 20),
    Case("LagUnwatched", "it is started anew", {"boutre_lag_up": seen((1, 4), ("stale", 1), ("_", 6), (1, 40))}),
    Case("ClocksBlind", "it ends", {"boutre_clocks_up": seen((1, 4), ("stale", 1), ("_", 15), (1, 20))}, 4, 20),
    *passes("ClocksBlind", "boutre_clocks_up", 1, 0, 8, {}),
    *passes("ProcessGone", 'up{job="boutre", instance="a:1"}', 1, 0, 8, HERE),
    Case("ProcessGone", "of another job", {'up{job="node", instance="a:1"}': seen((0, 60))}),
    Case(
        "ProcessorGone",
        "it ends",
        {f'{START}{{kind="worker", name="release"}}': seen((9, 4), ("stale", 1), ("_", 15), (9, 20))},
        4,
        20,
        {"name": "release"},
    ),
    Case(
        "ProcessorGone",
        "it is started anew",
        {f'{START}{{kind="worker", name="release"}}': seen((9, 4), ("stale", 1), ("_", 6), (9, 40))},
        labels=WORKER,
    ),
    Case("ProcessorGone", "it never was", {"up": seen((1, 60))}, 0, 60, {"name": "correlate"}),
    Case(
        "FollowerGone",
        "it ends",
        {f'{START}{{kind="follower", name="cases"}}': seen((9, 4), ("stale", 1), ("_", 25), (9, 20))},
        4,
        30,
        {"name": "cases"},
    ),
    Case(
        "FollowerGone",
        "it is started anew",
        {f'{START}{{kind="follower", name="cases"}}': seen((9, 4), ("stale", 1), ("_", 18), (9, 40))},
        labels={"name": "cases"},
    ),
    Case(
        "ProcessRestarts",
        "four times",
        {f'{START}{{kind="worker", name="release"}}': seen((1, 4), (2, 4), (3, 4), (4, 4), (5, 80))},
        16,
        64,
        {"name": "release"},
        lasts=80,
    ),
    Case(
        "ProcessRestarts",
        "three times",
        {f'{START}{{kind="worker", name="release"}}': seen((1, 4), (2, 4), (3, 4), (4, 80))},
        labels=WORKER,
    ),
    *passes("ProcessorWithoutPartitions", PARTITIONS, 1, 0, 20, STAGE),
    Case(
        "ProcessorWithoutPartitions",
        "another worker has them",
        {PARTITIONS: seen((0, 80)), PARTITIONS.replace("a:1", "b:1"): seen((3, 80))},
        labels=STAGE,
    ),
    Case("WorkerIdle", "half an hour", {PARTITIONS: seen((1, 4), (0, 130), (1, 20))}, 4, 134, HERE, lasts=150),
    Case("WorkerIdle", "just not", {PARTITIONS: seen((1, 4), (0, 120), (1, 40))}, labels=HERE, lasts=160),
    Case("TransactionsFail", "all are undone", {ABORTED: counted((0, 4), (1, 60)), COMMITTED: counted((0, 64))}, 4, 60, STAGE),
    Case(
        "TransactionsFail",
        "one is committed",
        {ABORTED: counted((0, 4), (1, 60)), COMMITTED: counted((0, 4), (1, 1), (0, 16), (1, 1), (0, 42))},
        labels=STAGE,
    ),
    Case("TransactionsFail", "there are none", {ABORTED: counted((0, 80)), COMMITTED: counted((0, 80))}, labels=STAGE),
    Case("TransactionsAborted", "seven in ten minutes", {ABORTED: counted((0, 5), (7, 1), (0, 70))}, 5, 45, STAGE),
    Case("TransactionsAborted", "four in ten minutes", {ABORTED: counted((0, 5), (4, 1), (0, 70))}, labels=STAGE),
    Case(
        "StateFull",
        "one",
        {'boutre_state_forgotten_total{stage="release", why="most"}': counted((0, 4), (1, 1), (0, 300))},
        4,
        244,
        STAGE,
        lasts=260,
    ),
    Case(
        "StateFull",
        "their days were over",
        {'boutre_state_forgotten_total{stage="release", why="window"}': counted((5, 60))},
        labels=STAGE,
    ),
    *passes("DiskLow", FREE, 2 * GIB, 2 * GIB - 1, 20, HERE, **{SIZE.replace("=", "__"): seen((3 * GIB, 90))}),
    *passes("DiskLow", FREE, 10 * GIB, 10 * GIB - 65536, 20, HERE, **{SIZE.replace("=", "__"): seen((100 * GIB, 90))}),
    Case("DiskLow", "nothing is known", {FREE: seen(("NaN", 60)), SIZE: seen(("NaN", 60))}, labels=HERE),
    *passes("DiskFull", FREE, GIB // 2, GIB // 2 - 1, 4, HERE),
    *passes("DiskFull", 'boutre_operations_disk_free_bytes{disk="kafka"}', GIB // 2, GIB // 2 - 1, 4, {"disk": "kafka"}),
)

KAFKA: Final = (
    Case("BrokerSlow", "now and then", {SLOW: seen((0, 4), *[(1, 1), (0, 2)] * 5, (0, 40))}, 4, 21),
    Case("BrokerSlow", "once", {SLOW: seen((0, 4), (1, 1), (0, 60))}),
    *passes("TopicMissing", 'boutre_finding{code="topic-missing"}', 0, 1, 4, {}),
    *passes("RegistryGone", 'boutre_operations_source_up{source="registry"}', 1, 0, 20, {}),
    Case("RegistryGone", "nobody looks at one", {'boutre_operations_source_up{source="lag"}': seen((0, 80))}),
    *passes("PartitionsWithoutLeader", 'kafka_topic_partition_leader{topic="bus.incident", partition="0"}', 0, -1, 4, TOPIC),
    *passes(
        "UnderReplicated", 'kafka_topic_partition_under_replicated_partition{topic="bus.incident", partition="0"}', 0, 1, 20, {}
    ),
    *passes("BrokerGone", "kafka_brokers", 3, 2, 8, {}),
    Case(
        "TransactionHangs",
        "it never ends",
        {HELD: seen((0, 4), (1, 1), (2, 1), (3, 60)), END: seen((9, 4), (10, 1), (11, 1), (12, 60))},
        4,
        60,
        {"partition": "0"},
    ),
    Case("TransactionHangs", "always another one is open", {HELD: seen((3, 80)), END: "9+3x80"}),
    Case("TransactionHangs", "none is open", {HELD: seen((0, 80)), END: seen((9, 80))}),
)

PARTIES: Final = (
    Case("RejectsRise", "a feed that never had any", {REJECTED: counted((0, 5), (12, 1), (0, 100))}, 5, 65, CONNECTOR),
    Case("RejectsRise", "nine", {REJECTED: counted((0, 5), (9, 1), (0, 80))}, labels=CONNECTOR),
    Case("RejectsRise", "as many as always", {REJECTED: "0+5x700"}, labels=CONNECTOR, every_s=150, after=590, lasts=690),
    Case("RejectsRise", "five times as many", {REJECTED: "0+5x600 3026+26x24"}, 603, 624, CONNECTOR, every_s=150, lasts=624),
    Case("RejectsRise", "twice as many", {REJECTED: "0+5x600 3010+10x24"}, labels=CONNECTOR, every_s=150, after=590, lasts=624),
    Case("SpoolDrops", "one", {FEED: counted((0, 4), (1, 1), (0, 100))}, 4, 64, {"feed": "ais-demonstration"}, lasts=80),
    Case("SpoolDrops", "none", {FEED: counted((0, 80))}, labels={"feed": "ais-demonstration"}),
    *passes("CaseKeysLow", KEYS, 100, 99, 40, COMOROS),
    *passes(
        "FeedSilent", 'boutre_feed_silent{feed="incidents-imb", member="observatory-imb"}', 0, 1, 40, {"feed": "incidents-imb"}
    ),
    Case("ClockWrong", "ahead", {CLOCK: seen((300, 4), (301, 10), (0, 40))}, 4, 14, COMOROS),
    Case("ClockWrong", "behind", {CLOCK: seen((-300, 4), (-301, 10), (0, 40))}, 4, 14, COMOROS),
    Case("ClockWrong", "it waited", {CLOCK: seen((-120, 80))}, labels=COMOROS),
    *passes("MemberFloods", 'boutre_finding{code="member-floods"}', 0, 1, 40, {}),
    Case("DeadlineMissed", "one", {MISSED: counted((0, 4), (1, 1), (0, 300))}, 4, 244, COMOROS, lasts=260),
    Case("DeadlineMissed", "it was met", {MISSED.replace("missed", "met"): counted((1, 80))}, labels=COMOROS),
    Case("AlertUndelivered", "16 minutes", LAIN | {UNDELIVERED: seen((900, 64), (901, 8), (0, 20))}, 64, 72, RCOC, lasts=90),
    Case("AlertUndelivered", "just not", LAIN | {UNDELIVERED: seen((900, 90))}, labels=RCOC, lasts=90),
    Case("AlertUndelivered", "read now and then", LAIN | {UNDELIVERED: seen((15000, 110)), ALERTS: COARSE}, labels=RCOC, lasts=110),
    Case("AlertUndelivered", "nobody knows", LAIN | {UNDELIVERED: seen(("NaN", 90))}, lasts=90),
    *passes("AlertsOverdue", 'boutre_alerts_overdue{recipient="rcoc", class="first-report"}', 0, 1, 20, RCOC),
    Case("ProbeLost", "it stands", {PROBED: seen((0, 1), (15, 89), (1350, 20))}, 62, 90, RCOC, lasts=100),
    Case(
        "ProbeLost",
        "every five minutes",
        {PROBED: " ".join(str(15 * (at - at % 20)) for at in range(200))},
        labels=RCOC,
        lasts=200,
    ),
    Case("TermEnds", "two weeks", {TERM: seen((14 * DAY + 60, 60))}, 5, 60, AGREEMENT, lasts=60),
    Case("TermEnds", "two weeks and a quarter of an hour", {TERM: seen((14 * DAY + 900, 60))}, labels=AGREEMENT),
    Case("TermEnds", "it is over", {TERM: seen((0, 60))}, labels=AGREEMENT),
    Case("TermOver", "it ends", {TERM: seen((60, 30), (9 * DAY, 20))}, 4, 30, AGREEMENT),
    Case("TermOver", "none is in force", {TERM: seen((0, 30), (9 * DAY, 20))}, 0, 30, AGREEMENT),
    Case("TermOver", "just not", {TERM: seen((901, 60))}, labels=AGREEMENT),
    Case("CaseKeysLow", "it never had a pool", {KEYS: seen((0, 80))}, labels=COMOROS),
)

CASES: Final = LAG + PROCESSES + KAFKA + PARTIES
