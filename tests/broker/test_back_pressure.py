"""
Back-pressure on the real bus with its real workers: whoever is slow or sends much at once keeps nobody else waiting.

Told in places on topics, never in seconds: a place is the same on a fast machine and on a slow one.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Producer

from boutre.ops.broker import Broker
from boutre.schemas.identity import pseudonym
from broker.bad_input.bus import Bus, ago, now_ms, running, sighting
from broker.conftest import started
from records import ROOT, Value, national

BURST = 4_000
SILENCE = {"days": 9}
BEHIND = 1_000
"""Records of another member's burst behind which a record may stand, at most."""

SILENT, OTHER = "mauritius", "seychelles"
"""Two members whose records share a partition of the bus, so that one could stand in the other's way."""


@pytest.fixture(scope="module")
def bus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bus]:
    """
    One bus for all of these; at its end everything that was sent to it must have come out, and the account must add up.
    """
    broker = started(Broker())
    try:
        with running(broker.bootstrap, tmp_path_factory.mktemp("bus"), {}) as made:
            # Nobody links: that delays links and alerts of them, and no view of anybody.
            linking = made.worker("correlate")
            linking.stop()
            made.standing.workers.remove(linking)
            yield made
            made.settled()
    finally:
        broker.close()


def publish(bus: Bus, values: Sequence[Value]) -> None:
    """Have members publish these sightings, as fast as Kafka takes them."""
    told = [national("sighting", value, at=now_ms()) for value in values]
    producer = Producer({**bus.standing.settings.kafka.client(), "partitioner": "murmur2_random", "linger.ms": 5})
    for out in told:
        producer.produce(out.topic, out.value, out.key, headers=list(out.headers))
    assert producer.flush(60) == 0


@contextmanager
def frozen(bus: Bus, name: str) -> Iterator[None]:
    """Freeze a worker as long as the block lasts."""
    process = bus.worker(name).pid
    os.kill(process, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(process, signal.SIGCONT)


def burst(tag: str) -> list[Value]:
    """What a member sends at once that has been silent for nine days."""
    old = ago(**SILENCE)
    return [sighting(f"{tag}-{number}", SILENT, times={"observed": old}) for number in range(BURST)]


def through(bus: Bus, values: Sequence[Value], recipient: str = "rmifc") -> None:
    """Read on until a recipient has a view of each of these, and nothing is in flight for anybody."""
    key = bus.keys.recipient(recipient)
    wanted = {(recipient, "sighting", pseudonym(key, value["id"])) for value in values}
    bus.follow(lambda: wanted <= bus.collector.views.keys() and bus.account.in_flight == 0, "what was published")


@dataclass(frozen=True, slots=True)
class Came:
    """
    Where on a topic the records of a burst and one other stand.
    """

    burst: tuple[Value, ...]
    before: int
    other: Value


def came(bus: Bus, topic: str, name: Any, many: Sequence[Value], other: Value) -> Came:
    """
    Find the records of a burst on *topic*, each of which must be there once, and how many of them stand before the *other*.

    *name* gives the id by which a record is known on that topic.
    """
    wanted = {name(value) for value in many}
    found = []
    places: dict[tuple[str, int], list[Value]] = {}
    for message in bus.messages:
        if message.place[0] == topic:
            value = bus.collector.codec.decode(message.value).value
            places.setdefault(message.place[:2], []).append(value)
    for values in places.values():
        ids = [known(value) for value in values]
        found += [value for value, its in zip(values, ids, strict=True) if its in wanted]
        if name(other) in ids:
            at = ids.index(name(other))
            before, its = sum(its in wanted for its in ids[:at]), values[at]
    assert sorted(wanted) == sorted(known(value) for value in found)
    return Came(tuple(found), before, its)


def known(value: Value) -> str:
    """The id of a record on the bus, or of the record that a view was cut from as its recipient knows it."""
    return str(value["view"]["of"] if value.get("view") else value["id"])


def holds(bus: Bus, many: Sequence[Value], other: Value) -> None:
    """
    Hold that of a burst and another record all come out once, the other one in time; the burst is late, the other is not.
    """
    through(bus, [*many, other])
    key = bus.keys.recipient("rmifc")
    accepted = came(bus, "bus.sighting", lambda value: value["id"], many, other)
    released = came(bus, "for.rmifc.sighting", lambda value: pseudonym(key, value["id"]), many, other)

    assert accepted.before <= BEHIND, f"{accepted.before} of {BURST} were accepted before it"
    assert released.before <= BEHIND, f"{released.before} of {BURST} were released before it"
    assert {True} == {value["times"]["late"] for value in (*accepted.burst, *released.burst)}
    assert [False, False] == [accepted.other["times"]["late"], released.other["times"]["late"]]


def test_a_burst_after_silence_does_not_starve_another_member_at_accept(bus: Bus) -> None:
    """
    A member publishes 4,000 records of nine days ago at once, then another publishes one of now, while accept does not run.

    Once it runs, the fresh one is accepted and released behind at most 1,000 of the burst; the burst is marked late, it is not.
    """
    many, fresh = burst("silent-accept"), sighting("fresh-accept", OTHER)
    with frozen(bus, "accept-reports"):
        publish(bus, many)
        publish(bus, [fresh])

    holds(bus, many, fresh)


def test_a_burst_after_silence_does_not_starve_another_member_at_release(bus: Bus) -> None:
    """
    The same while release does not run: accept lets no more of the burst through than release can bear, and the fresh one it does.
    """
    many, fresh = burst("silent-release"), sighting("fresh-release", OTHER)
    with frozen(bus, "release"):
        publish(bus, many)
        settle(bus, "bus.sighting")
        publish(bus, [fresh])
        settle(bus, "bus.sighting")

    holds(bus, many, fresh)


def settle(bus: Bus, topic: str) -> None:
    """Read on until nothing more comes onto *topic* for a while: whoever writes to it has done all that it does for now."""
    seen, since = -1, time.monotonic()
    while time.monotonic() - since < 1.5:
        for message in bus.consumer.consume(1000, 0.1):
            assert message.error() is None, message.error()
            bus._take(message)
        count = sum(message.place[0] == topic for message in bus.messages)
        if count != seen:
            seen, since = count, time.monotonic()


def sink(bus: Bus, folder: Path, recipient: str, *more: str) -> subprocess.Popen[str]:
    """Start the sink to files for a recipient."""
    own = {"KAFKA__BOOTSTRAP_SERVERS": bus.bootstrap, "STATE": str(folder / "state"), "KEYS": str(bus.keys.path)}
    environment = {**os.environ, **{f"BOUTRE_{name}": value for name, value in own.items()}}
    command = [sys.executable, "-m", "boutre", "--bus", str(ROOT), "sink", "run", "jsonl", recipient]
    command += ["--set", f"folder={folder}", "--kind", "sighting", *more]
    return subprocess.Popen(
        command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )  # fmt: skip


def lines(folder: Path, recipient: str) -> list[str]:
    """The ids of the records whose views stand in a recipient's file, each as often as it stands there."""
    path = folder / recipient / "sighting.jsonl"
    # The sink may be in the middle of its last line.
    whole = path.read_text().rpartition("\n")[0] if path.exists() else ""
    return [json.loads(line)["view"]["of"] for line in whole.splitlines()]


def test_a_sink_that_stands_still_holds_back_nobody(bus: Bus, tmp_path: Path) -> None:
    """
    One recipient's sink is frozen, and another recipient never reads at all: everybody else gets everything meanwhile.

    The frozen one, when it goes on, misses nothing and writes nothing twice.
    """
    first = [sighting("before-it-froze", OTHER)]
    publish(bus, first)
    frozen_sink = sink(bus, tmp_path, "rcoc")
    try:
        names = {who: [pseudonym(bus.keys.recipient(who), value["id"]) for value in first] for who in ("rcoc", "rmifc")}
        until = time.monotonic() + 60
        while not set(names["rcoc"]) <= set(lines(tmp_path, "rcoc")):
            assert time.monotonic() < until
            time.sleep(0.1)
        frozen_sink.send_signal(signal.SIGSTOP)
        many = [sighting(f"meanwhile-{number}", OTHER) for number in range(300)]
        publish(bus, many)
        through(bus, many)
        done = sink(bus, tmp_path, "rmifc", "--once")
        done.communicate(timeout=100)
        meanwhile = {who: {pseudonym(bus.keys.recipient(who), value["id"]) for value in many} for who in names}

        assert done.returncode == 0
        assert meanwhile["rmifc"] <= set(lines(tmp_path, "rmifc"))
        assert set() == meanwhile["rcoc"] & set(lines(tmp_path, "rcoc"))

        frozen_sink.send_signal(signal.SIGCONT)
        until = time.monotonic() + 60
        while not meanwhile["rcoc"] <= set(lines(tmp_path, "rcoc")):
            assert time.monotonic() < until
            time.sleep(0.1)
        frozen_sink.send_signal(signal.SIGTERM)
        frozen_sink.communicate(timeout=60)
        found = lines(tmp_path, "rcoc")
        assert sorted(set(found)) == sorted(found)
    finally:
        frozen_sink.kill()
        frozen_sink.communicate()
