"""
Clocks on a real broker: a probe through the whole bus, alerts that nobody reads, feeds that are silent.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner
from confluent_kafka import Consumer, Producer, TopicPartition
from prometheus_client import generate_latest
from prometheus_client.registry import CollectorRegistry

from boutre.errors import Unavailable
from boutre.ops.broker import Broker
from boutre.ops.clocks.report import Report, Undelivered
from boutre.ops.clocks.rounds import Ended
from boutre.ops.clocks_probe import probing
from boutre.ops.clocks_watch import ClocksWatch, clocks_watch
from boutre.ops.command import main
from boutre.ops.connector_command import Desk
from boutre.ops.settings import load as settings
from boutre.topics.bus import load
from whole_bus import ROOT, made_ready, started

PROCESSES = (("worker", "accept-reports"), ("worker", "release"), ("worker", "correlate"), ("probe", "--output", "json"))
HOUR = 3600.0
PATIENCE_S = 60.0


@pytest.fixture
def folder(own_broker: Broker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in which a whole bus is ready to be started."""
    return made_ready(own_broker, tmp_path, monkeypatch)


def looked(watch: ClocksWatch, until: Callable[[Report], bool]) -> Report:
    """Look until it is so."""
    end = time.monotonic() + PATIENCE_S
    while not until(report := watch.look()):
        assert end > time.monotonic(), report
        time.sleep(0.2)
    return report


def of(report: Report, recipient: str) -> Undelivered:
    """What a recipient has not read."""
    return next(one for one in report.undelivered if one.recipient == recipient)


def count(broker: Broker, topic: str) -> int:
    """How many records a topic has; its marks of transactions are none."""
    client = Consumer({"bootstrap.servers": broker.bootstrap, "group.id": "x", "enable.partition.eof": True})
    try:
        numbers = client.list_topics(topic).topics[topic].partitions
        client.assign([TopicPartition(topic, number, 0) for number in numbers])
        found, left = 0, set(numbers)
        while left:
            message = client.poll(10)
            assert message is not None
            if message.error() is None:
                found += 1
            else:
                left.discard(message.partition())  # more than once, where records come meanwhile
        return found
    finally:
        client.close()


def test_a_probe_goes_through_the_bus_to_its_recipient_alone(folder: Path, own_broker: Broker) -> None:
    """
    Without workers a round is lost; with them it comes after all, and those behind it in time. Nobody else is given any.

    The worker of release tells how late it was for that recipient, as an exercise it keeps no deadline, and no alert follows.
    """
    told = settings()
    with clocks_watch(told) as watch:
        declared = watch.file.probe
        assert declared is not None
        ends: list[Ended] = []
        brief = declared.model_copy(update={"late_s": 1.0, "lost_s": 2.0})
        with probing(Desk.of(told), brief, told.kafka.producer(), ends.append) as probe:
            probe.send()
            end = time.monotonic() + PATIENCE_S
            while not ends:
                probe.look()
                assert end > time.monotonic()
            assert ["lost"] == [one.outcome for one in ends]
            with started(folder, *PROCESSES) as processes:
                accept, release, correlate, sender = processes
                while len(ends) < 2:
                    probe.look()
                    assert end + PATIENCE_S > time.monotonic()
                assert ["lost", "late"] == [one.outcome for one in ends]
                for one in (accept, release, correlate):
                    one.await_ready()
                asked = CliRunner().invoke(main, ["probe", "--rounds", "2", "--output", "json"])
                assert 0 == asked.exit_code, asked.output
                rounds = [json.loads(line) for line in asked.stdout.splitlines()]
                assert ["arrived"] * 2 == [one["outcome"] for one in rounds]
                print(f"rounds: {[round(one['seconds'], 2) for one in rounds]} s")  # noqa: T201 - told, not judged
                report = looked(watch, lambda report: any(one.seen.arrived + one.seen.late for one in report.probes))
                (clock,) = report.probes
                # Whoever keeps alerts says of each recipient and class that none waits, and the exercise is none.
                assert ("rcoc", "distress") in {(one.recipient, one.deadline) for one in report.waiting}
                assert {(0, 0)} == {(one.waiting, one.overdue) for one in report.waiting}
                assert ("probe", "rcoc", 0) == (clock.seen.feed, clock.seen.recipient, clock.seen.unsent)
                page = release.page("/metrics")[1]
                assert 'boutre_lateness_seconds_count{hop="released",kind="sighting",member="",recipient="rcoc"}' in page
                assert "boutre_deadlines_total{" not in accept.page("/metrics")[1]
                assert {0} == {one.stop() for one in (sender, accept, release, correlate)}
    assert 4 == count(own_broker, "for.rcoc.sighting")
    others = [name for name in load(ROOT).topics if name.startswith("for.") and not name.startswith("for.rcoc.")]
    assert {0} == {count(own_broker, name) for name in (*others, "for.rcoc.alert")}


def test_alerts_that_nobody_reads_are_late_until_somebody_does(folder: Path, own_broker: Broker) -> None:
    """
    Known by offsets and times alone; a feed is silent by the newest record of its topic, and all stays told when Kafka goes.
    """
    assert folder.exists()
    now = time.time()
    producer = Producer({"bootstrap.servers": own_broker.bootstrap})
    producer.produce("for.rcoc.alert", b"v", timestamp=round((now - HOUR) * 1000))
    producer.produce("national.comoros.interception", b"v")
    assert 0 == producer.flush(30)
    registry = CollectorRegistry()
    with clocks_watch(settings()) as watch:
        registry.register(watch.series)
        report = looked(watch, lambda report: of(report, "rcoc").unread == 1)
        waits = of(report, "rcoc")
        assert (True, "", 0) == (waits.late, waits.reader, waits.readers)
        assert waits.oldest_s == pytest.approx(HOUR, abs=PATIENCE_S)
        assert [0] == sorted({one.unread for one in report.undelivered if one.recipient != "rcoc"})
        states = {one.feed: one.state for one in report.feeds}
        assert ("heard", "never", "unexpected") == tuple(
            states[name] for name in ("forms-comoros", "mauritius-ops-room", "incidents-imb")
        )
        asked = CliRunner().invoke(main, ["clocks", "--output", "json"])
        assert (1, True) == (asked.exit_code, json.loads(asked.stdout)["wrong"])

        reader = Consumer({"bootstrap.servers": own_broker.bootstrap, "group.id": "rcoc.desk"})
        reader.commit(offsets=[TopicPartition("for.rcoc.alert", 0, 1)], asynchronous=False)
        reader.close()
        report = looked(watch, lambda report: not of(report, "rcoc").late)
        assert ("rcoc.desk", 1, 0) == (of(report, "rcoc").reader, of(report, "rcoc").readers, of(report, "rcoc").unread)

        before = generate_latest(registry).decode()
        own_broker.close()
        begun = time.monotonic()
        with pytest.raises(Unavailable):
            watch.look()
        print(f"told as away after {time.monotonic() - begun:.1f} s")  # noqa: T201 - told, not judged
        assert "boutre_clocks_up 1.0" in before
        after = generate_latest(registry).decode()
        assert before.replace("boutre_clocks_up 1.0", "boutre_clocks_up 0.0") == after
