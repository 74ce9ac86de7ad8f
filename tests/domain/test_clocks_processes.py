"""
What only processes know is asked of them, added up, and kept while they do not answer; feeds and readers are made of metadata.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry, Counter, Gauge, generate_latest

from boutre.connectors import feeds
from boutre.connectors.feeds import Feed
from boutre.ops.clocks.look import FeedSeen, SenderSeen, WaitingSeen
from boutre.ops.clocks_bus import alerts_seen, feeds_seen, nobody
from boutre.ops.clocks_processes import ProcessClocks
from boutre.ops.lag.groups import Group
from boutre.ops.lag.look import Bounds
from boutre.ops.lag.report import GroupLag, PartitionLag
from boutre.ops.lag.rules import Status
from boutre.ops.running import FOLDER, Running
from records import ROOT


def worker(waiting: int, overdue: int, oldest_s: float) -> str:
    """The page of a worker that keeps alerts."""
    registry = CollectorRegistry()
    for name, value in (("waiting", waiting), ("overdue", overdue), ("expired", 0), ("oldest_waiting_seconds", oldest_s)):
        Gauge(f"boutre_alerts_{name}", "x", ("recipient", "class"), registry=registry).labels("rcoc", "distress").set(value)
    return generate_latest(registry).decode()


def probe(arrived: int, succeeded: float) -> str:
    """The page of a probe."""
    registry = CollectorRegistry()
    rounds = Counter("boutre_probe_rounds", "x", ("feed", "recipient", "outcome"), registry=registry)
    rounds.labels("probe", "rcoc", "arrived").inc(arrived)
    rounds.labels("probe", "rcoc", "lost").inc(2)
    Gauge("boutre_probe_last_success_timestamp_seconds", "x", ("feed", "recipient"), registry=registry).labels("probe", "rcoc").set(
        succeeded
    )
    Gauge("boutre_probe_last_seconds", "x", ("feed", "recipient"), registry=registry).labels("probe", "rcoc").set(0.75)
    return generate_latest(registry).decode()


def sender(**ahead: float) -> str:
    """The page of a process that says how far senders' clocks are ahead, by member."""
    registry = CollectorRegistry()
    gauge = Gauge("boutre_sender_clock_ahead_seconds", "x", ("member", "kind"), registry=registry)
    for member, seconds in ahead.items():
        gauge.labels(member, "sighting").set(seconds)
    return generate_latest(registry).decode()


@dataclass
class Machine:
    """Processes that are written down in a folder, and what each answers; without an answer it is gone."""

    state: Path
    answers: dict[str, str] = field(default_factory=dict)

    def runs(self, kind: str, name: str, address: str) -> None:
        """Write a process down."""
        folder = self.state / FOLDER
        folder.mkdir(exist_ok=True)
        told = {"kind": kind, "name": name, "address": address, "pid": 1}
        (folder / f"{address}.json").write_text(json.dumps(told), encoding="utf-8")

    def ask(self, one: Running) -> str:
        """Answer."""
        if one.address not in self.answers:
            raise ConnectionRefusedError
        return self.answers[one.address]


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """A machine on which nothing runs."""
    return Machine(tmp_path)


def test_workers_are_added_up(machine: Machine) -> None:
    """Each has partitions of its own; the oldest of all is the oldest."""
    machine.runs("worker", "correlate", "a")
    machine.runs("worker", "correlate", "b")
    machine.answers = {"a": worker(2, 1, 50.0), "b": worker(3, 0, 900.0)}

    said = ProcessClocks(machine.state, machine.ask).look(1000.0)

    assert (WaitingSeen("rcoc", "distress", 5, 1, 0, 900.0, 1000.0),) == said.waiting
    assert ((), (), ()) == said[1:]


def test_what_a_worker_said_stays_while_it_is_gone(machine: Machine) -> None:
    """With when it said so, and the worker is named; one that begins anew speaks for itself."""
    machine.runs("worker", "correlate", "a")
    machine.answers = {"a": worker(2, 1, 50.0)}
    clocks = ProcessClocks(machine.state, machine.ask)
    clocks.look(1000.0)
    machine.answers = {}

    waiting, _, unheard, _ = clocks.look(2000.0)
    assert ((2, 1000.0), ("worker correlate",)) == ((waiting[0].waiting, waiting[0].heard), unheard)

    machine.runs("worker", "correlate", "b")
    machine.answers = {"b": worker(1, 0, 5.0)}
    waiting = clocks.look(3000.0).waiting
    assert [(1, 3000.0)] == [(one.waiting, one.heard) for one in waiting]


def test_of_a_member_the_clock_counts_that_is_furthest_off(machine: Machine) -> None:
    """Whether it is ahead or behind, and whoever says so: the connector itself, or the worker that accepts."""
    machine.runs("connector", "forms", "a")
    machine.runs("worker", "accept-reports", "b")
    machine.answers = {"a": sender(comoros=0.0, mauritius=3.0), "b": sender(comoros=-3600.0, mauritius=-2.0)}

    seen = ProcessClocks(machine.state, machine.ask).look(1000.0).senders

    assert (SenderSeen("comoros", -3600.0), SenderSeen("mauritius", 3.0)) == seen


def test_what_is_no_page_of_metrics_is_no_answer(machine: Machine) -> None:
    """Another program may have the port by now."""
    machine.runs("worker", "correlate", "a")
    machine.answers = {"a": "<html>not here</html>"}

    assert ((), (), ("worker correlate",), ()) == ProcessClocks(machine.state, machine.ask).look(1000.0)


def test_a_probe_tells_its_rounds(machine: Machine) -> None:
    """By outcome, and when one last arrived; before the first nobody knows how long one takes."""
    machine.runs("probe", "probe to rcoc", "a")
    machine.runs("sink", "jsonl of rcoc", "not asked")
    machine.answers = {"a": probe(7, 990.0)}
    clocks = ProcessClocks(machine.state, machine.ask)

    _, (seen,), unheard, _ = clocks.look(1000.0)
    assert (7, 0, 2, 0, 990.0, 0.75) == (seen.arrived, seen.late, seen.lost, seen.unsent, seen.succeeded, seen.last_s)
    assert () == unheard

    machine.answers = {"a": probe(0, 0.0)}
    (seen,) = clocks.look(1001.0).probes
    assert (0.0, None) == (seen.succeeded, seen.last_s)


def test_a_feed_is_heard_by_the_newest_record_of_its_own_topics() -> None:
    """Of all its kinds; where two feeds write to one topic, either hides the silence of the other, and that is told."""
    one = next(iter(feeds.load(ROOT)))

    def feed(name: str, member: str, *kinds: str, hours: int | None = None) -> Feed:
        return Feed(name, member, kinds, one.source, None, {}, rhythm=None if hours is None else timedelta(hours=hours))

    every = [
        feed("a", "m", "sighting", "interception", hours=2),
        feed("b", "m", "alert"),
        feed("c", "n", "sighting"),
        feed("d", "n", "sighting"),
    ]
    newest = {"national.m.sighting": 10.0, "national.m.interception": 20.0, "national.n.sighting": 5.0}

    assert (
        FeedSeen("a", "m", 7200.0, 20.0),
        FeedSeen("b", "m", None, None),
        FeedSeen("c", "n", None, 5.0, shared=True),
        FeedSeen("d", "n", None, 5.0, shared=True),
    ) == feeds_seen(every, newest)


def lag(name: str, owner: str, topic: str, unread: int, seconds: float | None, *, seen: bool = True) -> GroupLag:
    """A group on a topic of one partition."""
    part = PartitionLag(
        (topic, 0), 0, Bounds(0, unread, unread), unread, seconds, Status.OK, 1.0, 0, 0,
        ahead=False, produced=None, consumed=None, catch_up_s=None, headroom_s=None,
    )  # fmt: skip
    return GroupLag(Group(name, "recipient", owner, (topic,)), seen, 1, "stable", Status.OK, 1.0, (part,), ())


def test_readers_are_the_recipients_own_groups() -> None:
    """Not another party's, not one on another topic; the group that nobody has tells what is there at all."""
    alerts = "for.rcoc.alert"
    declared = [lag("rcoc.desk", "rcoc", alerts, 2, 30.0), lag(nobody("rcoc"), "rcoc", alerts, 9, 8000.0)]
    others = [
        lag("rcoc.map", "rcoc", alerts, 0, 0.0),
        lag("rcoc.other", "rcoc", "for.rcoc.sighting", 4, 1.0),
        lag("rmifc.spy", "rmifc", alerts, 0, 0.0),
        lag("rcoc.hidden", "rcoc", alerts, 0, 0.0, seen=False),
    ]
    found = alerts_seen("rcoc", alerts, declared, others)

    assert [("rcoc.desk", True, 2, 30.0), ("rcoc.map", False, 0, 0.0)] == [
        (one.group, one.declared, one.unread, one.oldest_s) for one in found.readers
    ]
    assert (9, 8000.0) == (found.there, found.first_s)


def test_an_age_that_could_not_be_read_is_unknown() -> None:
    """Unknown is not young."""
    found = alerts_seen("rcoc", "for.rcoc.alert", [], [lag("rcoc.map", "rcoc", "for.rcoc.alert", 3, None)])

    assert [None] == [one.oldest_s for one in found.readers]
