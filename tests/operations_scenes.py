"""
Moments of a bus as its sources might tell them, for the page of operations and `boutre top`: calm, in trouble, without its broker.

Everything is made up, from declared names; the clock stands.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

from boutre.ops.clocks.look import ProbeSeen, WaitingSeen
from boutre.ops.clocks.report import FeedClock, ProbeClock, TermClock, Undelivered
from boutre.ops.clocks.report import Report as Clocks
from boutre.ops.doctor.late import Answered
from boutre.ops.findings.everything import Known
from boutre.ops.findings.heard import Heard
from boutre.ops.findings.of_sources import Disk, RegistrySeen
from boutre.ops.lag.groups import Group
from boutre.ops.lag.look import Bounds, Partition, SeenTopic
from boutre.ops.lag.report import GroupLag, PartitionLag, Report
from boutre.ops.lag.rules import Status, of_group
from boutre.ops.operations.facts import Facts, Fed
from boutre.ops.operations.rejected import Counted
from boutre.ops.operations.state import State

NOW: Final = 1_790_000_000.0
BEGAN: Final = NOW - 7200
HOUR: Final = 3600.0

FACTS: Final = Facts(
    feeds=(Fed("mauritius", "mauritius-ops-room", 24 * HOUR), Fed("comoros", "forms-comoros", 24 * HOUR)),
    members=("mauritius", "comoros"),
    recipients={"rcoc": ("for.rcoc.alert", "for.rcoc.sighting"), "rmifc": ("for.rmifc.alert",), "seychelles": ()},
    alerts={"rcoc": "for.rcoc.alert", "rmifc": "for.rmifc.alert"},
    rejects={"rejects.mauritius": "mauritius", "rejects.comoros": "comoros", "rejects.bus": "operations"},
)


def partition(
    topic: str,
    status: Status = Status.OK,
    *,
    lag: int = 0,
    seconds: float | None = 0.0,
    headroom: float | None = None,
    lost: int = 0,
) -> PartitionLag:
    """One group on one partition of a topic that began at nought."""
    bounds = Bounds(0, 1000, 1000)
    pace = (2.0, 0.0 if status in {Status.STOP, Status.STALL} else 2.0)
    return PartitionLag(
        (topic, 0), 1000 - lag, bounds, lag, seconds, status, 1.0, lost, 0, ahead=False, produced=pace[0], consumed=pace[1],
        catch_up_s=0.0, headroom_s=headroom,
    )  # fmt: skip


def group(
    name: str, kind: Any, *partitions: PartitionLag, owner: str = "bus", members: int = 2, seen: bool = True, silent: int = 0
) -> GroupLag:
    """A group on these partitions."""
    topics = tuple(one.place[0] for one in partitions)
    status = of_group([one.status for one in partitions])
    absent = tuple((topics[0] if topics else "t", number) for number in range(silent))
    return GroupLag(Group(name, kind, owner, topics), seen, members, "stable", status, 1.0, partitions, (), absent)


def report(*groups: GroupLag, undeclared: Sequence[GroupLag] = (), missing: Sequence[str] = (), copies: int = 1) -> Report:
    """A look of five seconds ago."""
    topics = {
        one.place[0]: SeenTopic("id", (Partition(1, tuple(range(copies)), tuple(range(copies))),))
        for each in groups
        for one in each.partitions
    }
    bounds = {one.place: one.bounds for each in groups for one in each.partitions}
    return Report(round((NOW - 5) * 1000), 1, topics, bounds, tuple(missing), groups, tuple(undeclared))


def answered(kind: str, name: str, *why: str, ready: bool = True, healthy: bool = True, gone: bool = False) -> Answered:
    """What a process said of itself two seconds ago."""
    since = {"last_success": 1.2, "last_acknowledgement": 1.2, "oldest_work_waiting": None, "broker_answered": 1.0}
    body = None if gone else {"seconds_since": since}
    return Answered(
        kind, name, "127.0.0.1:9101", ready and not gone, healthy and not gone, body, why or (("does not answer",) if gone else ())
    )


def heard(name: str, value: Any, *, age: float = 2.0, every: float = 10.0) -> Heard[Any]:
    """A source that answered a moment ago."""
    return Heard(name, every, BEGAN, value, NOW - age, NOW - age, took_s=0.02)


def feed(
    name: str, member: str, state: Any = "heard", *, silent: float | None = 600.0, rhythm: float | None = 24 * HOUR
) -> FeedClock:
    """A feed of which something came ten minutes ago."""
    return FeedClock(name, member, state, rhythm, None if silent is None else NOW - silent, silent, shared=False)


PROCESSORS: Final = ("accept-reports", "accept-ais", "correlate", "release")
CALM_CLOCKS: Final = Clocks(
    NOW - 4,
    (feed("mauritius-ops-room", "mauritius"), feed("forms-comoros", "comoros", silent=7 * HOUR)),
    (Undelivered("rcoc", "rcoc.sink", 1, 0, 0.0, late=False), Undelivered("rmifc", "rmifc.sink", 1, 0, 0.0, late=False)),
    (WaitingSeen("rcoc", "urgent", 1, 0, 0, 300.0, NOW - 4),),
    (TermClock("agreement", "rcoc-2026", "rcoc", "in-force", NOW + 90 * 86_400, 90 * 86_400),),
    (),
    (),
)
CALM: Final = Known(
    broker=heard("broker", "cluster-id", every=5),
    lag=heard(
        "lag",
        report(
            *(group(f"boutre-{name}", "processor", partition(f"in.{name}")) for name in PROCESSORS),
            group("boutre.audit", "follower", partition("bus.receipt"), members=1),
            group("rcoc.sink", "recipient", partition("for.rcoc.alert"), partition("for.rcoc.sighting"), owner="rcoc", members=1),
            group("rmifc.sink", "recipient", partition("for.rmifc.alert"), owner="rmifc", members=1),
        ),
        age=5,
    ),
    processes=heard("processes", (*(answered("worker", name) for name in PROCESSORS), answered("follower", "audit")), every=5),
    disks=heard("disks", (), age=12, every=30),
    rejects=heard(
        "rejects",
        (
            Counted("rejects.mauritius", 0, 3, 41, NOW - 5 * HOUR),
            Counted("rejects.comoros", 0, 0, 0, None),
            Counted("rejects.bus", 0, 0, 2, NOW - 90 * HOUR),
        ),
        every=15,
    ),
    clocks=heard("clocks", CALM_CLOCKS, age=4, every=30),
    address="kafka-1.example.org:9093",
)
"""All is well: the registry is looked at by nobody."""

TROUBLE: Final = replace(
    CALM,
    lag=heard(
        "lag",
        report(
            group("boutre-accept-reports", "processor", partition("in.accept-reports")),
            group("boutre-accept-ais", "processor", partition("in.accept-ais", Status.WARN, lag=412, seconds=95.0)),
            group("boutre-correlate", "processor", partition("in.correlate", Status.STALL, lag=38, seconds=840.0)),
            group("boutre-release", "processor", partition("in.release", Status.STOP, lag=1_204, seconds=2_820.0), members=0),
            group("boutre.audit", "follower", partition("bus.receipt"), members=1),
            group(
                "rcoc.sink",
                "recipient",
                partition("for.rcoc.alert", Status.STOP, lag=3, seconds=5_400.0, headroom=2.2 * HOUR),
                partition("for.rcoc.sighting", lag=0),
                owner="rcoc",
                members=0,
            ),
            group("rmifc.sink", "recipient", partition("for.rmifc.alert"), owner="rmifc", members=1),
            undeclared=(group("console-7f", "other", partition("bus.receipt", lag=12, seconds=30.0), owner="nobody", members=1),),
            missing=("for.seychelles.alert",),
        ),
        age=5,
    ),
    processes=heard(
        "processes",
        (
            answered("worker", "accept-reports"),
            answered("worker", "accept-ais"),
            answered(
                "worker",
                "correlate",
                "partition 0: work waits, and nothing came to an end for 840 s; the limit is 120 s",
                healthy=False,
            ),
            answered("worker", "release", gone=True),
            answered("follower", "audit"),
            answered("connector", "mauritius-ops-room"),
        ),
        every=5,
    ),
    clocks=heard(
        "clocks",
        replace(
            CALM_CLOCKS,
            feeds=(feed("mauritius-ops-room", "mauritius"), feed("forms-comoros", "comoros", "silent", silent=31 * HOUR)),
            undelivered=(Undelivered("rcoc", "rcoc.sink", 1, 3, 5_400.0, late=True), CALM_CLOCKS.undelivered[1]),
            waiting=(WaitingSeen("rcoc", "urgent", 3, 2, 0, 5_400.0, NOW - 4),),
            terms=(TermClock("agreement", "rcoc-2026", "rcoc", "ends-soon", NOW + 12 * 86_400, 12 * 86_400),),
            probes=(ProbeClock(ProbeSeen("probe", "rmifc", 40, 2, 0, 0, NOW - 300, 41.0, NOW - 9), "late", 300.0),),
        ),
        age=4,
        every=30,
    ),
    disks=heard("disks", (Disk("state", "/var/lib/boutre", 1_900_000_000, 64_000_000_000, full=False),), age=12, every=30),
    registry=Heard("registry", 10, BEGAN, RegistrySeen("https://registry.example.org", 0), NOW - 300, NOW - 4, failed=True),
    registry_url="https://registry.example.org",
)
"""Much at once."""

GONE: Final = replace(
    TROUBLE,
    **{
        name: replace(getattr(TROUBLE, name), failed=True, answered=NOW - 47, why="the Kafka cluster does not answer")
        for name in ("broker", "lag", "rejects", "clocks")
    },
)
"""The same, and the broker has been gone for 47 seconds."""


def document(known: Known) -> dict[str, Any]:
    """The document of a moment, of whose lasting matters each was there before."""
    state = State(FACTS)
    state.document(known, NOW - 120)
    return state.document(known, NOW)
