"""
The alerts of the bus that wait for a person, as whoever keeps their threads knows them: by recipient and class of deadline.

Nothing but a thread's times leaves this room, as figures. An exercise is not among them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from typing import Final

import msgspec

from boutre import metrics
from boutre.lateness import Tally
from boutre.processors.alerts.deadlines import Due, due
from boutre.processors.alerts.rules import Rules
from boutre.processors.alerts.thread import EXPIRED, OPEN, Thread
from boutre.processors.correlation.raising import Filed
from boutre.processors.own_records import ALERTS

KEPT: Final = "thread"
"""The class of keys under which threads are remembered."""


class Waiting:
    """
    The threads that nobody has answered, of all partitions that this process has; *recipients* are all who may have alerts.
    """

    def __init__(self, rules: Rules, recipients: Iterable[str]) -> None:
        self._rules = rules
        self._pairs = [(recipient, name) for recipient in recipients for name in rules.scales.deadline_minutes]
        self._threads: dict[int, dict[str, Thread]] = {}

    def begin(self, partition: int, rows: Iterable[tuple[str, bytes]]) -> None:
        """Take what is remembered of a partition: *rows* are keys of the class ``KEPT``, each with its JSON."""
        found = ((key, _thread(value)) for key, value in rows)
        self._threads[partition] = {key: thread for key, thread in found if thread is not None and _waits(thread)}

    def take(self, partition: int, rows: Iterable[tuple[str, bytes | None]]) -> None:
        """Take what was committed: keys, each with its JSON, or None where it was forgotten."""
        here, answered = self._threads.setdefault(partition, {}), dict[str, Tally]()
        for key, value in rows:
            if not key.startswith(f"{KEPT}:"):
                continue
            before, thread = here.pop(key, None), _thread(value)
            if thread is None:
                continue
            if _waits(thread):
                here[key] = thread
            elif before is not None and before.id == thread.id and thread.answered is not None and not thread.exercise:
                answered.setdefault(thread.recipient, Tally()).add(thread.answered - self._began(before))
        for recipient, tally in answered.items():
            metrics.late("acknowledged", tally, recipient=recipient, kind=ALERTS)

    def only(self, partitions: Collection[int]) -> None:
        """Forget all other partitions: others have them now."""
        self._threads = {partition: here for partition, here in self._threads.items() if partition in partitions}

    def tell(self, at: float) -> None:
        """Set the gauges as things stand at *at*, seconds since 1970 UTC."""
        waiting, overdue, expired = Counter[tuple[str, str]](), Counter[tuple[str, str]](), Counter[tuple[str, str]]()
        oldest: dict[tuple[str, str], float] = {}
        for one in due(self._rules, self._real(), at):
            pair = one.recipient, one.deadline
            if one.expired:
                expired[pair] += 1
                continue
            waiting[pair] += 1
            overdue[pair] += one.overdue
            oldest[pair] = max(oldest.get(pair, 0.0), at - self._since(one))
        for pair in self._pairs:
            metrics.ALERTS_WAITING.labels(*pair).set(waiting[pair])
            metrics.ALERTS_OVERDUE.labels(*pair).set(overdue[pair])
            metrics.ALERTS_EXPIRED.labels(*pair).set(expired[pair])
            metrics.ALERTS_OLDEST.labels(*pair).set(oldest.get(pair, 0.0))

    def _real(self) -> Iterable[Thread]:
        return (thread for here in self._threads.values() for thread in here.values() if not thread.exercise)

    def _since(self, one: Due) -> float:
        return one.due - self._rules.scales.deadline_s(one.deadline)

    def _began(self, thread: Thread) -> float:
        """Give when the clock of its deadline began; of a rule that is declared no more, when it was opened."""
        found = due(self._rules, [thread], thread.now)
        return self._since(found[0]) if found else thread.opened


def _waits(thread: Thread) -> bool:
    return thread.answered is None and thread.state in {OPEN, EXPIRED}


def _thread(value: bytes | None) -> Thread | None:
    return None if value is None else msgspec.json.decode(value, type=Filed).thread
