"""
Watches a bus while it runs: what has come, what is in flight at a moment, and how long partitions take to move on.

It decides when to kill and when to stop waiting, and nothing else: the verdict reads everything anew.
"""

from __future__ import annotations

import threading
import time
import uuid
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Self

from confluent_kafka import Consumer, KafkaException, Message, TopicPartition

from boutre.schemas.codec import Codec
from boutre.topics.bus import Declarations
from chaos.reading import RECEIPTS, Ends, headers, names, refusal
from chaos.verdict import CONNECTOR

ANSWER_S: Final = 3.0
POLL_S: Final = 0.1
SETTLED_S: Final = 0.3
"""Seconds after a kill in which the broker may still take what the killed process had sent."""

GIVEN_UP_S: Final = 60.0

Place = tuple[str, int]


@dataclass(slots=True)
class Watch:
    """
    Follows members' topics, receipts, rejects and views as they are committed; *ends* are the positions behind the last records.
    """

    declarations: Declarations
    codec: Codec
    client: Mapping[str, Any]
    arrived: set[str] = field(default_factory=set)
    receipts: Counter[str] = field(default_factory=Counter)
    refused: set[str] = field(default_factory=set)
    refusals: int = 0
    ends: dict[Place, int] = field(default_factory=dict)
    moved: float = 0.0
    _stop: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        """Begin to follow."""
        self.moved = time.monotonic()
        self._thread = threading.Thread(target=self._follow, name="watch", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop following."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()

    @property
    def released(self) -> int:
        """How many records have a receipt for every recipient."""
        return sum(1 for count in list(self.receipts.values()) if count >= len(self.declarations.recipients))

    def _follow(self) -> None:
        told = {"group.id": f"chaos-watch-{uuid.uuid4().hex}", "isolation.level": "read_committed", "enable.auto.commit": False}
        consumer = Consumer({**self.client, **told, "auto.offset.reset": "earliest", "log_level": 2})
        topics = names(
            self.declarations, "national.{member}.{kind}", "for.{recipient}.{kind}", "rejects.{member}", "rejects.bus", "bus.{kind}"
        )
        declared = [self.declarations.topics[name] for name in (*topics, RECEIPTS)]
        consumer.assign([TopicPartition(topic.name, number, 0) for topic in declared for number in range(topic.partitions)])
        while not self._stop.is_set():
            # What is there, at once: who waits for a thousand learns of the first one late.
            first = consumer.poll(0.2)
            for message in [] if first is None else [first, *consumer.consume(1_000, 0)]:
                if message.error() is None:
                    self._take(message)
        consumer.close()

    def _take(self, message: Message) -> None:
        topic = str(message.topic())
        self.moved = time.monotonic()
        self.ends[topic, int(message.partition() or 0)] = int(message.offset() or 0) + 1
        if topic == RECEIPTS:
            self.receipts[(message.key() or b"").decode()] += 1
        elif topic.startswith("rejects."):
            told = refusal(self.codec, message.value())
            if told.stage == CONNECTOR:
                self.refused.add(told.input)
            else:
                self.refusals += 1
        elif topic.startswith("national."):
            self.arrived.add(headers(message).get("ce_id", b"").decode())


@dataclass(slots=True)
class Positions:
    """
    Asks Kafka how far groups have read; None where it does not answer now.
    """

    client: Mapping[str, Any]
    _askers: dict[str, Consumer] = field(default_factory=dict)
    _ends: Ends | None = None

    def committed(self, group: str, places: Iterable[Place]) -> dict[Place, int] | None:
        """Give the committed positions of a group, 0 where there is none."""
        asker = self._askers.get(group)
        if asker is None:
            asker = self._askers[group] = Consumer({**self.client, "group.id": group, "log_level": 2})
        try:
            told = asker.committed([TopicPartition(*place) for place in places], timeout=ANSWER_S)
        except KafkaException:
            return None
        return {(each.topic, each.partition): max(0, each.offset) for each in told}

    def undecided(self, places: Iterable[Place]) -> bool:
        """Whether a transaction is open on one of these partitions; False where Kafka does not answer."""
        self._ends = self._ends or Ends(self.client)
        try:
            return any(self._ends.undecided(place) for place in places)
        except KafkaException:
            return False

    def close(self) -> None:
        """Leave."""
        for asker in self._askers.values():
            asker.close()
        self._askers.clear()
        if self._ends is not None:
            self._ends.close()


@dataclass(slots=True)
class Move:
    """
    A partition whose owner was killed: *begun* is the moment of the kill (monotonic seconds).

    It is *disturbed* where another worker of the group or a Kafka node was away as well, or went before it was over.
    """

    group: str
    partition: int
    places: tuple[Place, ...]
    begun: float
    disturbed: bool = False
    before: dict[Place, int] | None = None


@dataclass(slots=True)
class Moves:
    """
    Measures, for each partition of a killed worker, the seconds from the kill to the first commit of its next owner.

    A partition to which nothing comes for a minute is not counted: nobody can commit there.
    """

    client: Mapping[str, Any]
    seconds: list[float] = field(default_factory=list)
    disturbed: list[float] = field(default_factory=list)
    waiting: list[Move] = field(default_factory=list)
    _stop: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        """Begin to measure."""
        self._thread = threading.Thread(target=self._measure, name="moves", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop measuring."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()

    def disturb(self, group: str | None = None) -> None:
        """Note that something else happened to a group, or to all of them."""
        for move in list(self.waiting):
            move.disturbed = move.disturbed or group is None or move.group == group

    def _measure(self) -> None:
        positions = Positions(self.client)
        while not self._stop.wait(POLL_S):
            for move in list(self.waiting):
                since = time.monotonic() - move.begun
                if since < SETTLED_S:
                    continue
                now = positions.committed(move.group, move.places)
                if now is None:
                    continue
                if move.before is None:
                    move.before = now
                elif any(now[place] > move.before[place] for place in move.places):
                    (self.disturbed if move.disturbed else self.seconds).append(time.monotonic() - move.begun)
                    self.waiting.remove(move)
                elif since > GIVEN_UP_S:
                    self.waiting.remove(move)
        positions.close()
