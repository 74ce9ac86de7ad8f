"""
The run: keeps publishing, does one scenario after the other at random moments, starts again what was killed, waits, and judges.
"""

from __future__ import annotations

import heapq
import itertools
import statistics
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final

from confluent_kafka import Producer

from boutre.errors import Unavailable
from boutre.ops.drained import read_to_end
from boutre.processors.groups import group_of
from chaos import feeds as feeding
from chaos.ground import Ground
from chaos.scenarios import Hand, deck
from chaos.watching import Moves, Positions, Watch

TICK_S: Final = 0.05
SHOW_S: Final = 0.5
SPARE: Final = 1.5
"""How many scenarios come on one kill, about: some kill nobody."""

FIRST: Final = 0.03
"""The part of the lines that stand there before the first kill."""

FENCED: Final = ("ProducerFenced", "InvalidProducerEpoch", "ProducerFencedError", "InvalidProducerEpochError")


@dataclass(slots=True)
class Plan:
    """
    What is asked for: so many *kills* and one turn of each of *scenarios*, one every *pace* seconds on average.

    *patience* is how long (seconds) nothing may move before what is missing counts as lost; *strays* how many messages are put on
    members' topics that no connector wrote.
    """

    kills: int
    scenarios: tuple[str, ...]
    seed: int
    pace: float = 4.0
    patience: float = 120.0
    strays: int = 5


@dataclass(slots=True)
class Storm:
    """
    One run on a *ground* that stands.
    """

    ground: Ground
    plan: Plan
    say: Callable[[str], None]
    strays: set[bytes] = field(default_factory=set)
    restarts: Counter[str] = field(default_factory=Counter)
    _due: list[tuple[float, int, Callable[[], None]]] = field(default_factory=list)
    _number: itertools.count[int] = field(default_factory=itertools.count)
    _shown: float = 0.0
    _told: float = 0.0

    def run(self) -> dict[str, Any]:
        """Do all of it up to the last record; gives what was done and measured, for the verdict to be added."""
        rng = Random(self.plan.seed)  # noqa: S311 - the same storm for the same seed is what is wanted
        ground = self.ground
        watch = Watch(ground.assembly.declarations, ground.assembly.codec, ground.client)
        positions = Positions(ground.client)
        producer = Producer({**ground.settings.kafka.producer(), "log_level": 2})
        begun = time.monotonic()
        with watch, Moves(ground.client) as moves:
            hand = Hand(
                ground, watch, moves, rng, self._later, self.say, positions, lambda: self._publish(self._left(hand), producer, rng)
            )
            self._begin(watch)
            self._rage(hand, producer, rng)
            self.say(f"{hand.tally.kills} kills are done; waiting until every record is accounted for")
            self._calm(watch, positions, producer)
        positions.close()
        return {
            "kills": hand.tally.kills,
            "in_flight_kills": hand.tally.in_flight,
            "in_transaction_kills": hand.tally.in_transaction,
            "scenarios": dict(sorted(hand.tally.acts.items())),
            "takeover_s": _figures(moves.seconds),
            "takeover_disturbed_s": _figures(moves.disturbed),
            "fenced": sum(each.counted(*FENCED) for each in ground.processes if each.role == "worker"),
            "ended_by_themselves": dict(sorted(self.restarts.items())),
            "failures": hand.tally.failures,
            "seconds": round(time.monotonic() - begun, 1),
        }

    def _begin(self, watch: Watch) -> None:
        """Publish a little, and wait until the bus works."""
        for feed in self.ground.feeds:
            feed.show(max(1, round(FIRST * len(feed.lines))))
        until = time.monotonic() + self.plan.patience
        while not watch.released:
            self._supervise()
            if time.monotonic() > until:
                raise Unavailable("nothing has come out of the bus yet; look at the logs of the workers")
            time.sleep(TICK_S)
        self.say("the first records have come out")

    def _rage(self, hand: Hand, producer: Producer, rng: Random) -> None:
        """Do one scenario after the other, until there were as many kills as are wanted and everything runs again."""
        cards = deck(self.plan.scenarios, rng)
        postponed: list[str] = []
        at = time.monotonic()
        while (left := self._left(hand)) or self._due or hand.nodes_busy.is_set():
            self._publish(left, producer, rng)
            self._look_after()
            if left and time.monotonic() >= at:
                # What cannot be done now comes before the next card, as soon as it can.
                done = next((name for name in postponed if hand.act(name)), None)
                if done is not None:
                    postponed.remove(done)
                elif not hand.act(card := next(cards)) and card not in postponed:
                    postponed.append(card)
                at = time.monotonic() + rng.uniform(0.25, 1.75) * self.plan.pace
            self._tell(hand.watch)
            time.sleep(TICK_S)

    def _left(self, hand: Hand) -> float:
        """Give about how many seconds of killing are left; 0 when it is done."""
        undone = sum(1 for name in self.plan.scenarios if not hand.tally.acts[name])
        return max(undone, round(SPARE * (self.plan.kills - hand.tally.kills))) * self.plan.pace

    def _calm(self, watch: Watch, positions: Positions, producer: Producer) -> None:
        """Publish what is left, and wait until every record is accounted for; or until nothing moves any more."""
        for feed in self.ground.feeds:
            feed.show(feed.rest)
        while len(self.strays) < self.plan.strays:
            self._stray(producer, Random(len(self.strays)))  # noqa: S311 - where it goes does not matter
        producer.flush(self.plan.patience)
        watch.moved, before = time.monotonic(), ""
        while missing := self._missing(watch, positions):
            if missing != before:
                # A sink that works off what it is behind moves as well, long after the last record was released.
                watch.moved, before = time.monotonic(), missing
            self._look_after()
            self._tell(watch, missing)
            if time.monotonic() - watch.moved > self.plan.patience:
                self.say(f"nothing has moved for {self.plan.patience:.0f} s; missing: {missing}")
                return
            time.sleep(SHOW_S)
        self.say("every record is accounted for")

    def _missing(self, watch: Watch, positions: Positions) -> str:
        """Say what has not come yet; nothing where all has."""
        written = feeding.written(self.ground.feeds, frozenset(self.strays))
        recipients = len(watch.declarations.recipients)
        late = sum(1 for one in written.accepted if watch.receipts[one] < recipients)
        refused = len(written.refused - watch.refused)
        rejects = max(0, len(written.contradicted) + len(written.strays) - watch.refusals)
        if late or refused or rejects:
            never = len(written.accepted - watch.arrived)
            return f"receipts of {late} records ({never} never published), {refused} connectors' rejects, {rejects} of the bus"
        ground = self.ground
        # In the order in which a record meets them. Kafka is asked: of what they read the watch sees a part, and some of it late.
        readers = {(group_of(edge.name), tuple(edge.reads)): edge.name for edge in ground.assembly.pipeline.edges}
        readers |= {(ground.group(each), tuple(ground.reads(each))): each.name for each in ground.processes if each.role == "sink"}
        for (group, topics), name in readers.items():
            # What stands behind an open transaction is not seen by who asks how far a group has read.
            open_ = positions.undecided((topic, each) for topic in topics for each in range(ground.partitions(topic)))
            if open_ or not read_to_end(ground.client, watch.declarations, group, topics):
                return f"what {name} has not read"
        return ""

    def _publish(self, seconds: float, producer: Producer, rng: Random) -> None:
        """Let more lines stand in the files, so that the last ones come about with the last kill, *seconds* from now."""
        producer.poll(0)
        now = time.monotonic()
        if now - self._shown < SHOW_S:
            return
        self._shown = now
        for feed in self.ground.feeds:
            feed.show(-(-feed.rest // max(1, round(seconds / SHOW_S))))
        if len(self.strays) < self.plan.strays and rng.random() < SHOW_S:
            self._stray(producer, rng)

    def _stray(self, producer: Producer, rng: Random) -> None:
        content = f"stray {len(self.strays)} of {self.plan.seed}".encode()
        self.strays.add(content)
        producer.produce(f"national.{rng.choice(('mauritius', 'comoros'))}.sighting", content, f"{len(self.strays)}".encode())

    def _look_after(self) -> None:
        now = time.monotonic()
        while self._due and self._due[0][0] <= now:
            heapq.heappop(self._due)[2]()
        self._supervise()

    def _supervise(self) -> None:
        """Start again what ended by itself, as whatever watches over these processes would."""
        for process in self.ground.processes:
            if process.wanted and not process.running:
                self.restarts[process.name] += 1
                self.say(f"{process.name} ended by itself with status {process.status}; it is started again")
                process.wanted = False
                self._later(1.0, process.start)

    def _later(self, seconds: float, action: Callable[[], None]) -> None:
        heapq.heappush(self._due, (time.monotonic() + seconds, next(self._number), action))

    def _tell(self, watch: Watch, missing: str = "") -> None:
        now = time.monotonic()
        if now - self._told > 10.0:
            self._told = now
            shown = sum(feed.shown for feed in self.ground.feeds)
            self.say(f"{shown} lines written, {watch.released} records released" + f"; missing: {missing}" * bool(missing))


def _figures(seconds: list[float]) -> dict[str, Any]:
    if not seconds:
        return {"measured": 0}
    return {"measured": len(seconds), "median": round(statistics.median(seconds), 2), "max": round(max(seconds), 2)}
