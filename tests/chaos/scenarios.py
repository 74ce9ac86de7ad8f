"""
What is done to a bus that runs, each at a moment that a seed chooses.

A kill counts as *in flight* when, with the process stopped in its tracks and a moment before SIGKILL, there was work that it had
begun or that waited for it: for a worker, records committed on the topics of its partitions behind the position of its group; for a
sink the same of its recipient's views; for a connector, lines of its file that its saved cursor has not passed, which are sent
again; for a Kafka node, records that had not come out for every recipient. It counts as *in a transaction* when Kafka held a
transaction of that worker of which nothing was decided.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from random import Random
from time import monotonic, sleep
from typing import Final

from boutre.errors import BusError
from boutre.ops.broker import Broker
from chaos.feeds import lines_behind
from chaos.ground import Ground
from chaos.processes import Process, Role
from chaos.watching import Move, Moves, Positions, Watch

FREEZE_S: Final = 12.0
"""Seconds for which a worker is frozen: longer than any session of the project, so that its partitions are somebody else's."""

AWAY_S: Final = 12.0
"""Seconds for which a node of several is away: longer than a session, so that the others elect new leaders and go on."""

RESTART_S: Final = 3.0
"""At most so many seconds pass until a supervisor starts again what was killed."""

CATCH_S: Final = 3.0
"""Seconds in which a moment with work in flight is waited for."""

DECIDE_S: Final = 0.03
"""Seconds in which Kafka writes down a commit that a process had asked for before it was stopped: asked again, it is decided."""

IN_TRANSACTION: Final = 0.5
"""The part of the workers for which a moment inside a transaction is waited for; the others have work in flight of any sort."""

MOST_EXTRA: Final = 2
"""Workers that may have joined beside those that were there at the start."""

SYNC_S: Final = 120.0


@dataclass(slots=True)
class Tally:
    """
    What was done: *kills* are SIGKILLs, of processes and of Kafka nodes; *acts* counts every scenario by name.
    """

    kills: int = 0
    in_flight: int = 0
    in_transaction: int = 0
    acts: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Hand:
    """
    What does it. *later* has something done after so many seconds, *meanwhile* keeps records coming while a moment is waited for.
    """

    ground: Ground
    watch: Watch
    moves: Moves
    rng: Random
    later: Callable[[float, Callable[[], None]], None]
    say: Callable[[str], None]
    positions: Positions
    meanwhile: Callable[[], None]
    tally: Tally = field(default_factory=Tally)
    nodes_busy: threading.Event = field(default_factory=threading.Event)

    def act(self, scenario: str) -> bool:
        """Do it, or say that it cannot be done right now."""
        done = SCENARIOS[scenario](self)
        self.tally.acts[scenario] += done
        return done

    def pick(self, role: Role, *, busy: bool = True) -> Process | None:
        """Choose a process that runs; with *busy* one of those that have partitions to lose."""
        there = [each for each in self.ground.processes if each.role == role and each.wanted and each.running and not each.frozen]
        if role == "worker" and busy:
            there = [each for each in there if each.partitions()]
        return self.rng.choice(there) if there else None

    def catch(self, process: Process) -> tuple[bool, bool]:
        """
        Stop a process in its tracks at a moment when it has work in flight, half of the workers in a transaction; gives both.

        Where no such moment comes within a few seconds, it is stopped at any.
        """
        owned = process.partitions() if process.role == "worker" else frozenset[int]()
        wanted = process.role == "worker" and self.rng.random() < IN_TRANSACTION
        until = monotonic() + CATCH_S
        while True:
            process.freeze()
            in_flight, in_transaction = self._behind(process, owned), self._undecided(process, owned)
            if in_transaction or (in_flight and not wanted) or monotonic() > until or not process.running:
                return in_flight or in_transaction, in_transaction
            process.thaw()
            self.meanwhile()
            sleep(self.rng.uniform(0.005, 0.1))

    def kill(self, process: Process, scenario: str) -> None:
        """Kill a process, and note what it had in hand."""
        owned = process.partitions() if process.role == "worker" else frozenset[int]()
        in_flight, in_transaction = self.catch(process)
        begun = monotonic()
        process.kill()
        self._count(in_flight=in_flight, in_transaction=in_transaction)
        self.say(f"{scenario} {process.name}" + ", in flight" * in_flight + ", in a transaction" * in_transaction)
        if process.role == "worker":
            self.disturbed(process)
            others = [each for each in self.ground.processes if each.stage == process.stage and each is not process]
            alone = self.nodes_busy.is_set() or any(each.frozen or not each.running for each in others)
            for partition in owned:
                places = tuple(place for place in self._places(process) if place[1] == partition)
                self.moves.waiting.append(Move(self.ground.group(process), partition, places, begun, alone))

    def kill_node(self, scenario: str, away: float) -> bool:
        """Kill a Kafka node, and start it again after *away* seconds; not while another one is away or behind."""
        if self.nodes_busy.is_set():
            return False
        self.nodes_busy.set()
        broker = self.rng.choice(self.ground.brokers)
        self._count(in_flight=len(self.watch.arrived) > self.watch.released, in_transaction=False)
        self.moves.disturb()
        broker.kill()
        self.say(f"{scenario} {self.ground.brokers.index(broker) + 1}")
        threading.Thread(target=self._node_back, args=(broker, away), name="node", daemon=True).start()
        return True

    def _node_back(self, broker: Broker, away: float) -> None:
        try:
            sleep(away)
            broker.start()
            until = monotonic() + SYNC_S
            while not self.ground.whole() and monotonic() < until:
                sleep(0.5)
            self.say("the node is back")
        except BusError as error:
            self.tally.failures.append(str(error))
        finally:
            self.nodes_busy.clear()

    def disturbed(self, process: Process) -> None:
        """Note that the partitions of this worker's group move for another reason than a kill that is being measured."""
        self.moves.disturb(self.ground.group(process))

    def _count(self, *, in_flight: bool, in_transaction: bool) -> None:
        self.tally.kills += 1
        self.tally.in_flight += in_flight
        self.tally.in_transaction += in_transaction

    def _places(self, process: Process) -> Iterator[tuple[str, int]]:
        for topic in self.ground.reads(process):
            yield from ((topic, number) for number in range(self.ground.partitions(topic)))

    def _behind(self, process: Process, owned: frozenset[int]) -> bool:
        if process.role == "connector":
            feed = next(feed for feed in self.ground.feeds if feed.id == process.stage)
            return lines_behind(feed, self.ground.folder / "state" / "connectors" / f"{feed.id}.cursor") > 0
        places = [place for place in self._places(process) if process.role == "sink" or place[1] in owned]
        passed = self.positions.committed(self.ground.group(process), places) if places else {}
        return passed is not None and any(self.watch.ends.get(place, 0) > position for place, position in passed.items())

    def _undecided(self, process: Process, owned: frozenset[int]) -> bool:
        if process.role != "worker" or not owned:
            return False
        places = [(self.ground.changelog(process), number) for number in sorted(owned)]
        if not self.positions.undecided(places):
            return False
        sleep(DECIDE_S)
        return self.positions.undecided(places)


def _kill(role: Role, *, wipe: bool = False) -> Callable[[Hand], bool]:
    def act(hand: Hand) -> bool:
        process = hand.pick(role)
        if process is None:
            return False
        hand.kill(process, "wipe-disk" if wipe else f"kill-{role}")
        if wipe:
            process.wipe()
        hand.later(hand.rng.uniform(0.0, RESTART_S), process.start)
        return True

    return act


def _freeze(hand: Hand) -> bool:
    process = hand.pick("worker")
    if process is None:
        return False
    hand.disturbed(process)
    in_flight, in_transaction = hand.catch(process)
    hand.say(f"freeze-worker {process.name}" + ", in flight" * in_flight + ", in a transaction" * in_transaction)

    def thaw() -> None:
        if process.frozen:
            process.thaw()
            hand.say(f"{process.name} goes on")

    hand.later(FREEZE_S, thaw)
    return True


def _join(hand: Hand) -> bool:
    there = [each for each in hand.ground.processes if each.extra and each.wanted]
    if len(there) >= MOST_EXTRA:
        return False
    process = hand.ground.add_worker(hand.rng.choice(hand.ground.processors), extra=True)
    hand.disturbed(process)
    hand.say(f"worker-joins {process.name}")
    process.start()
    return True


def _leave(hand: Hand) -> bool:
    process = hand.pick("worker", busy=False)
    if process is None:
        return False
    hand.disturbed(process)
    hand.say(f"worker-leaves {process.name}")
    process.leave()

    def again() -> None:
        process.end(RESTART_S)
        process.start()

    if not process.extra:
        hand.later(hand.rng.uniform(RESTART_S, 3 * RESTART_S), again)
    return True


SCENARIOS: Final[dict[str, Callable[[Hand], bool]]] = {
    "kill-worker": _kill("worker"),
    "freeze-worker": _freeze,
    "broker-restart": lambda hand: hand.kill_node("broker-restart", 0.0),
    "worker-joins": _join,
    "worker-leaves": _leave,
    "kill-connector": _kill("connector"),
    "kill-sink": _kill("sink"),
    "wipe-disk": _kill("worker", wipe=True),
    "lose-a-node": lambda hand: hand.kill_node("lose-a-node", AWAY_S),
}
"""What can be done; the last one needs several nodes."""

WEIGHTS: Final = {"kill-worker": 6, "freeze-worker": 2, "kill-connector": 3, "kill-sink": 3, "wipe-disk": 2}
"""How often each is in the deck; the others once."""


def deck(chosen: tuple[str, ...], rng: Random) -> Iterator[str]:
    """
    Give scenarios without end: first each of *chosen* once, in any order, then as often as the weights say.
    """
    first = list(chosen)
    rng.shuffle(first)
    yield from first
    cards = [name for name in chosen for _ in range(WEIGHTS.get(name, 1))]
    while True:
        rng.shuffle(cards)
        yield from cards
