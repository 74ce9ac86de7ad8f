"""
Runs a sink: reads a recipient's views, gives them to the sink in batches, and moves the position once they have had their effect.

What a sink refuses, and what is no view at all, goes to a file of dead letters with the reason; the rest goes on. A long run of
refusals stops the sink instead: then not the views are wrong, and a whole topic must not become dead letters.
"""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Final, Protocol

import structlog

from boutre.connectors.delivery import EPOCH, BadDelivery, Delivery
from boutre.connectors.sinks.contract import Write
from boutre.connectors.sinks.dead_letters import DeadLetters
from boutre.errors import BusError, Refuse, Retry, Unavailable
from boutre.health import OWN
from boutre.lateness import Tally, since
from boutre.metrics import REASONS, RECORDS, late

log = structlog.get_logger(__name__)

MILLISECOND: Final = timedelta(milliseconds=1)

LEAST_WAIT: Final = 0.05
MOST: Final = 500

LONGEST_REST: Final = 0.5
"""Seconds of rest in one piece: so long a sink may take to hear that it is to stop."""

VIEWS: Final = "views"
"""What the health of a sink is told of."""


class Views(Protocol):
    """
    What a runner reads from: a ``boutre.connectors.consumer.Consumer`` that is open.
    """

    @property
    def finished(self) -> bool:
        """Whether nothing more will come."""

    def poll(self, seconds: float) -> Delivery | BadDelivery | None:
        """Give the next message."""

    def done(self, message: Delivery | BadDelivery) -> None:
        """Note that its effect is there."""

    def commit(self) -> None:
        """Remember what is done."""

    def rest(self, seconds: float) -> None:
        """Wait."""


@dataclass(frozen=True, slots=True)
class Limits:
    """
    How many views a batch has at most, how many seconds it is waited for, and after how many refusals in a row a sink stops.
    """

    most: int = MOST
    seconds: float = 1.0
    refusals: int = 100


@dataclass(slots=True)
class Counts:
    """
    What became of the messages: delivered by the sink, refused by it, or no views at all.
    """

    delivered: int = 0
    refused: int = 0
    bad: int = 0


@dataclass(slots=True)
class Runner:
    """
    One sink of one recipient; *name* is the sink's, for metrics and logs.
    """

    name: str
    views: Views
    write: Write
    dead: DeadLetters
    limits: Limits = field(default_factory=Limits)
    stop: Callable[[], bool] = field(default=lambda: False)
    counts: Counts = field(default_factory=Counts)
    _in_a_row: int = 0

    def run(self) -> Counts:
        """
        Go on until *stop* says so, or everything was given out.

        Raises Unavailable where the sink refuses all that comes or fails in a way of its own; the position stays before the batch.
        """
        while not self.stop() and not self.views.finished:
            batch = self._gather()
            if batch:
                OWN.begun(VIEWS)
                if not self._settle(batch):
                    break
            for message in batch:
                self.views.done(message)
            self.views.commit()
            if batch:
                OWN.succeeded(VIEWS)
                OWN.idle(VIEWS)
        return self.counts

    def _gather(self) -> list[Delivery | BadDelivery]:
        until = time.monotonic() + self.limits.seconds
        batch: list[Delivery | BadDelivery] = []
        while len(batch) < self.limits.most and (left := until - time.monotonic()) > 0 and not self.views.finished:
            message = self.views.poll(min(left, self.limits.seconds))
            if message is not None:
                batch.append(message)
        return batch

    def _settle(self, batch: Sequence[Delivery | BadDelivery]) -> bool:
        """Have every message of *batch* end somewhere; False where the runner was stopped before that."""
        for message in batch:
            if isinstance(message, BadDelivery):
                if not self._patiently(partial(self.dead.add_bad, message), 1):
                    return False
                self.counts.bad += 1
                self._count("bad", message.code)
        return self._deliver([message for message in batch if isinstance(message, Delivery)])

    def _deliver(self, views: Sequence[Delivery]) -> bool:
        if not views:
            return True
        try:
            if not self._patiently(partial(self._write, views), len(views)):
                return False
        except Refuse as refusal:
            return self._refused(views[0], refusal) if len(views) == 1 else all(self._deliver([view]) for view in views)
        self.counts.delivered += len(views)
        self._in_a_row = 0
        RECORDS.labels("sink", "delivered").inc(len(views))
        _late(views, time.time())
        return True

    def _patiently(self, act: Callable[[], None], count: int) -> bool:
        """Do something as often as it asks for it; False where the runner was stopped before it was done."""
        while True:
            try:
                act()
            except Retry as asked:
                log.warning("sink.retry", sink=self.name, views=count, after=asked.after, reason=str(asked))
                if not self._rested(max(LEAST_WAIT, asked.after)):
                    return False
            else:
                return True

    def _rested(self, seconds: float) -> bool:
        """Wait, as long as nobody says stop; False where somebody did."""
        while not self.stop() and seconds > 0:
            piece = min(seconds, LONGEST_REST)
            self.views.rest(piece)
            seconds -= piece
        return not self.stop()

    def _write(self, views: Sequence[Delivery]) -> None:
        try:
            self.write(views)
        except BusError:
            raise
        except Exception as failure:  # noqa: BLE001 - a sink is somebody's own code, and its exceptions may hold values
            last = traceback.extract_tb(failure.__traceback__)[-1]
            what = f"{type(failure).__name__} at {last.filename}:{last.lineno}"
            raise Unavailable(f"the sink {self.name} failed: {what}; what it was given comes again") from None

    def _refused(self, view: Delivery, refusal: Refuse) -> bool:
        if not self._patiently(partial(self.dead.add, view, refusal), 1):
            return False
        self.counts.refused += 1
        self._count("refused", refusal.code)
        self._in_a_row += 1
        if self._in_a_row >= self.limits.refusals:
            raise Unavailable(
                f"the sink {self.name} refused {self._in_a_row} views in a row, the last for {refusal.code}; "
                f"look at {self.dead.path}, mend the sink, and start it again"
            )
        return True

    def _count(self, outcome: str, code: str) -> None:
        RECORDS.labels("sink", outcome).inc()
        REASONS.labels("sink", outcome, code).inc()
        log.warning("sink.dead_letter", sink=self.name, outcome=outcome, reason=code, file=str(self.dead.path))


def _late(views: Sequence[Delivery], now: float) -> None:
    """Count how late views were delivered that the sink has at *now*."""
    tallies: dict[tuple[str, str], Tally] = {}
    for view in views:
        tally = tallies.setdefault((view.recipient, view.kind), Tally())
        tally.add(since((view.timestamp - EPOCH) // MILLISECOND, now))
    for (recipient, kind), tally in tallies.items():
        late("delivered", tally, recipient=recipient, kind=kind)
