"""
What goes over the bus while faults are tried: reports of several members, one a second each, and at the end the account of all.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from confluent_kafka import Consumer, Producer, TopicPartition

from boutre.processors.decision import Outbound
from broker.bad_input.bus import now_ms, sighting
from faults.ground import FLOOD, QUIET, Ground
from records import ROOT, national

STEADY: Final = (QUIET, "seychelles")
CONNECTOR_S: Final = 120.0
TOLD: Final = ("inputs", "rejected", "views_by_recipient_and_kind", "in_flight", "contradictions", "unreadable_rejects", "adds_up")


class Tide:
    """
    Publishes until it is told to stop; a broker that is away is waited for, as connectors do.
    """

    def __init__(self, ground: Ground) -> None:
        self.ground = ground
        self.quiet = False
        self.sent = self.acknowledged = self.refused = 0
        client = ground.bus.standing.settings.kafka.client()
        told = {"delivery.timeout.ms": 1_200_000, "enable.idempotence": True, "partitioner": "murmur2_random", "log_level": 0}
        self._producer = Producer({**client, **told})
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._go_on, daemon=True)

    def begin(self) -> None:
        """Begin."""
        self._thread.start()

    def _go_on(self) -> None:
        for turn in range(1_000_000):
            if self._ended.wait(1.0):
                return
            for member in STEADY:
                if not (self.quiet and member == QUIET):
                    self.send(national("sighting", sighting(f"steady-{member}-{turn}", member), at=now_ms()))

    def send(self, out: Outbound) -> None:
        """Send one record; it is awaited by ``end``."""
        self.sent += 1
        self._producer.produce(out.topic, out.value, out.key, headers=list(out.headers), on_delivery=self._delivered)
        self._producer.poll(0)

    def flood(self, number: int, tag: str) -> None:
        """Send so many records of one member, as fast as they can be made."""
        for one in range(number):
            self.send(national("sighting", sighting(f"{tag}-{one}", FLOOD), at=now_ms()))

    def _delivered(self, error: Any, _message: Any) -> None:
        self.acknowledged += error is None
        self.refused += error is not None

    def end(self) -> dict[str, Any]:
        """Stop, wait for acknowledgements, read the whole bus anew, and give the account; it fails where something is missing."""
        self._ended.set()
        self._thread.join()
        left = self._producer.flush(300)
        bus, standing = self.ground.bus, self.ground.bus.standing
        topics = standing.assembly.declarations.topics.values()
        reader = {"group.id": "everything-anew", "isolation.level": "read_committed", "enable.auto.commit": False}
        bus.consumer.close()
        bus.consumer = Consumer({**standing.settings.kafka.client(), **reader, "auto.offset.reset": "earliest", "log_level": 0})
        bus.consumer.assign([TopicPartition(topic.name, number, 0) for topic in topics for number in range(topic.partitions)])
        bus.follow(lambda: len(bus.account.identifiers) >= self.acknowledged, "all that was acknowledged")
        bus.settled()
        whole = bus.account.summary()
        account = {name: whole[name] for name in TOLD}
        return {
            "sent": self.sent,
            "acknowledged": self.acknowledged,
            "refused": self.refused,
            "unacknowledged": left,
            "account": account,
        }


def line(reference: str, when: datetime) -> str:
    """
    A report as an operations room writes it into its file.
    """
    value = {
        "reference": reference,
        "kind": "sighting",
        "times": {"observed": {"at": when.isoformat(timespec="seconds"), "precision": "second"}},
        "event": {"type": "irregular-migration"},
        "position": {"latitude": -20.4, "longitude": 57.9},
    }
    return json.dumps(value) + "\n"


def connector(ground: Ground, feed: str, tag: str, off: timedelta) -> str:
    """
    Run a member's connector on a machine whose clock is *off*, over three reports of two hours ago; gives what it says.
    """
    file: Path = ground.root / f"{feed}.jsonl"
    with file.open("a", encoding="utf-8") as written:
        for number in range(3):
            written.write(line(f"{tag}-{number}", datetime.now(UTC) - timedelta(hours=2, minutes=number)))
    told = subprocess.run(
        [sys.executable, "-m", "faults.off", f"{off.total_seconds():.0f}", "connector", "run", feed, "--once"],
        cwd=ground.folder, env={**ground.environment, "PYTHONPATH": str(ROOT / "tests")},
        capture_output=True, text=True, timeout=CONNECTOR_S, check=False,
    )  # fmt: skip
    assert 0 == told.returncode, told.stdout + told.stderr
    return told.stdout + told.stderr


def quiet_since(tide: Tide) -> float:
    """
    Let the quiet member fall silent; gives when (s, monotonic).
    """
    tide.quiet = True
    return time.monotonic()
