"""
The faults, each injected for real and then mended, with what must be said of it.
"""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.admin import AdminClient

from boutre.ops.apply import bring
from boutre.topics.bus import load
from broker.bad_input.bus import now_ms
from broker.bad_input.sealing import as_sent
from canaries import valid_canary
from faults.ground import FLOOD, MEMBER, QUIET, RHYTHM_S, Ground, filled
from faults.tide import Tide, connector

SENT: Final = 2_400
"""Records of a flood: some seconds of making them, which is two hundred times its member's share."""

GROUP: Final = "console-of-somebody"
TOPIC: Final = "for.rcoc.interception"
LEFT: Final = 64 << 20
"""Bytes that are left free of a disk that is filled at first; then none are."""

FILL: Final = "filled-by-somebody"


@dataclass(frozen=True)
class Trial:
    """
    One fault. *tried* injects it, and mends it when it is left; what must then be said is one of *codes*, of *subject*.

    *alarm* is the one that must be given, with a part of its labels. *fires*: whether it is waited for until it is given; where its
    rule asks for many minutes, that it is pending is enough. *lead_s*: seconds that belong to the fault itself.
    """

    name: str
    tried: Callable[[Ground, Tide], Iterator[None]]
    codes: tuple[str, ...]
    alarm: tuple[str, str]
    subject: str = ""
    fires: bool = True
    lead_s: float = 0.0


def gone(ground: Ground, _tide: Tide) -> Iterator[None]:
    """The broker is killed, and started again."""
    ground.broker.kill()
    yield
    ground.broker.restart()


def _stopped(ground: Ground) -> int:
    assert ground.broker.pid is not None
    return ground.broker.pid


def hangs(ground: Ground, _tide: Tide) -> Iterator[None]:
    """The broker stands still: it takes connections, and answers nothing."""
    os.kill(_stopped(ground), signal.SIGSTOP)
    yield
    os.kill(_stopped(ground), signal.SIGCONT)


def slow(ground: Ground, _tide: Tide) -> Iterator[None]:
    """The broker stands still nine tenths of the time."""
    ended, pid = threading.Event(), _stopped(ground)

    def halting() -> None:
        while not ended.is_set():
            os.kill(pid, signal.SIGSTOP)
            ended.wait(3.2)
            os.kill(pid, signal.SIGCONT)
            ended.wait(0.4)

    thread = threading.Thread(target=halting)
    thread.start()
    yield
    ended.set()
    thread.join()


def full(ground: Ground, _tide: Tide) -> Iterator[None]:
    """The disk of the broker fills up, at first nearly, then wholly: Kafka cannot write and ends."""
    stat = os.statvfs(ground.disk)
    wanted = stat.f_bavail * stat.f_frsize - LEFT
    subprocess.run(["fallocate", "-l", str(wanted), str(ground.disk / FILL)], check=True)
    yield
    (ground.disk / FILL).unlink()
    (ground.disk / f"{FILL}-rest").unlink(missing_ok=True)
    ground.broker.restart()


def brimming(ground: Ground, _tide: Tide) -> Iterator[None]:
    """The rest of that disk is filled as well."""
    for _ in full(ground, _tide):
        rest = ground.disk / f"{FILL}-rest"
        with rest.open("wb") as file:
            try:
                while True:
                    file.write(bytes(1 << 20))
                    file.flush()
            except OSError:
                pass
        yield


def registry(ground: Ground, _tide: Tide) -> Iterator[None]:
    """The registry ends, and comes back empty; then it is given what is locked."""
    ground.registry.stop()
    yield
    ground.registry.start()
    filled(ground.registry)


def clock(off: timedelta) -> Callable[[Ground, Tide], Iterator[None]]:
    """A member's machine has a clock that is *off*, and is set right."""

    def tried(ground: Ground, _tide: Tide) -> Iterator[None]:
        connector(ground, "room", f"off-{off.total_seconds():.0f}", off)
        yield
        connector(ground, "room", f"right-{off.total_seconds():.0f}", timedelta())

    return tried


def undeclared(ground: Ground, _tide: Tide) -> Iterator[None]:
    """Somebody reads with a group that is in no declaration; then it is deleted."""
    consumer = Consumer({"bootstrap.servers": ground.broker.bootstrap, "group.id": GROUP, "log_level": 0})
    consumer.commit(offsets=[TopicPartition("bus.receipt", 0, 0)], asynchronous=False)
    consumer.close()
    yield
    admin = AdminClient({"bootstrap.servers": ground.broker.bootstrap, "log_level": 0})
    admin.delete_consumer_groups([GROUP])[GROUP].result(30)


def deleted(ground: Ground, tide: Tide) -> Iterator[None]:
    """Somebody deletes a topic to which views go, and a record for it comes; then it is made anew."""
    admin = AdminClient({"bootstrap.servers": ground.broker.bootstrap, "log_level": 0})
    admin.delete_topics([TOPIC])[TOPIC].result(30)
    tide.send(as_sent("interception", valid_canary("interception", "seychelles", f"deleted-{now_ms()}"), at=now_ms()))
    yield
    bring(load(ground.root), ground.bus.standing.settings)


def floods(_ground: Ground, tide: Tide) -> Iterator[None]:
    """A member sends two hundred times its share at once."""
    tide.flood(SENT, f"flood-{now_ms()}")
    yield


def killed(ground: Ground, _tide: Tide) -> Iterator[None]:
    """The only worker of release is killed, and started again."""
    os.kill(ground.bus.worker("release").pid, signal.SIGKILL)
    yield
    ground.bus.standing.again("release")


def silent(_ground: Ground, tide: Tide) -> Iterator[None]:
    """Nothing comes of a feed any more, for longer than its rhythm; then it goes on."""
    tide.quiet = True
    yield
    tide.quiet = False


@contextmanager
def during(trial: Trial, ground: Ground, tide: Tide) -> Iterator[None]:
    """
    Inject a fault, and mend it at the end.
    """
    going = trial.tried(ground, tide)
    next(going)
    time.sleep(0)
    try:
        yield
    finally:
        for _ in going:
            raise AssertionError(f"{trial.name} was injected twice")


TRIALS: Final = (
    Trial("broker gone", gone, ("broker-gone",), ("LagBlind", "")),
    Trial("broker hangs", hangs, ("broker-gone",), ("LagBlind", "")),
    Trial("broker slow", slow, ("broker-slow", "broker-gone"), ("BrokerSlow", "")),
    Trial("broker full: its disk, nearly", full, ("disk-full",), ("DiskFull", "kafka")),
    Trial("broker full: its disk, wholly", brimming, ("broker-gone",), ("LagBlind", "")),
    Trial("registry gone", registry, ("registry-gone",), ("RegistryGone", ""), fires=False),
    Trial("clock of a member an hour ahead", clock(timedelta(hours=1)), ("clock-ahead",), ("ClockWrong", MEMBER), MEMBER),
    Trial("clock of a member an hour behind", clock(timedelta(hours=-1)), ("clock-behind",), ("ClockWrong", MEMBER), MEMBER),
    Trial("a group nobody declared", undeclared, ("group-undeclared",), ("GroupUndeclared", ""), GROUP, fires=False),
    Trial("a topic deleted", deleted, ("topic-missing",), ("TopicMissing", ""), TOPIC),
    Trial("a member floods", floods, ("member-floods",), ("MemberFloods", ""), FLOOD, fires=False),
    Trial("a worker killed", killed, ("process-silent", "group-stopped"), ("GroupStopped", "release"), "release"),
    Trial("a feed silent", silent, ("feed-silent",), ("FeedSilent", QUIET), QUIET, fires=False, lead_s=RHYTHM_S),
)
