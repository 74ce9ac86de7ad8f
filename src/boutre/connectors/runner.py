"""
Runs a feed: reads its source, makes records, sends them, and moves the cursor when, and only when, they are safe.

One thread; for a feed that signs in batches a second one sends what has waited, never at the same time. The promise: every item
that a source gives reaches the broker at least once, as a record or as a reject, through any number of crashes; ids make "at least
once" the same as once for everybody behind. So the cursor follows the acknowledgements of the broker in the order of the source,
and is saved at most once a second and at the end: after a crash a second's worth is sent again.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from threading import RLock
from typing import Final

import stamina

from boutre import metrics
from boutre.connectors.cursor import Cursors, Ticket, Window
from boutre.connectors.feeds import Feed
from boutre.connectors.kept import Keeping, Kept
from boutre.connectors.record import STAGE, Made, Maker
from boutre.connectors.runner_signing import Gathered, beat
from boutre.connectors.runner_stop import Interrupted, Stop
from boutre.connectors.sdk import Bad, Idle, Noted, Raw
from boutre.connectors.transport import NotDelivered, Transport
from boutre.errors import Retry, Unavailable
from boutre.health import OWN

Clock = Callable[[], datetime]
"""Gives the time as a datetime that knows its zone (UTC)."""

SAVE_EVERY: Final = timedelta(seconds=1)
ATTEMPTS: Final = 8
"""How often in a row a source may ask to be called again before a run that is to end gives up; a follower never does."""


SOURCE, SENT = "source", "what was sent"


@dataclass(frozen=True, slots=True)
class Published:
    """
    What a run came to: records that the broker has, inputs that were rejected, inputs that were understood and are no report.

    The three together are all that the source gave; the latter two also by reason.
    """

    records: int = 0
    rejects: int = 0
    noted: int = 0
    reasons: Mapping[str, int] = field(default_factory=dict)
    notes: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Runner:
    """
    What all feeds of one process share.

    *in_flight* bounds the items that are sent and not acknowledged, *patience* (seconds) how long the broker may take for them
    at the end. What is refused is *kept* on this machine: its reject holds nothing of it.
    """

    maker: Maker
    transport: Transport
    cursors: Cursors
    clock: Clock
    kept: Kept = field(default_factory=lambda: Kept(None))
    in_flight: int = 5_000
    patience: float = 120.0

    def run(self, feed: Feed, *, follow: bool = False, stop: Stop | None = None) -> Published:
        """
        Read *feed* from where it stopped to its end; with *follow* go on until *stop* is asked.

        Raises ``Unavailable`` when the broker does not take what it is given, or the source asks for another attempt too often;
        and what a source raises by mistake. In each case all that is safe counts, and the next run goes on behind it.
        """
        stop = stop or Stop()
        with self.cursors.hold(feed.id) as cursor:
            session = _Session(self, feed, cursor, stop)
            try:
                with session.beat():
                    while not stop.asked:
                        session.read(follow=follow)
                        if not follow:
                            break
                        session.turn()
                        stop.sleep(feed.poll_s)
            except Interrupted:
                pass
            finally:
                session.settle()
            session.check()
            return session.published()


class _Session:
    """
    One run of one feed. Its lock is held wherever something is sent, acknowledged or counted, and never while the source is read.
    """

    def __init__(self, runner: Runner, feed: Feed, cursor: str | None, stop: Stop) -> None:
        self.runner = runner
        self.feed = feed
        self.stop = stop
        self.after = cursor
        self.window = Window(cursor)
        self.saved_at: datetime | None = None
        self.keeping = Keeping(runner.kept, feed.id, feed.keep_rejected_days)
        self.keeping.expire(runner.clock())
        self.lock = RLock()
        self.gathered = Gathered(feed.sign_batch)
        self.failure: NotDelivered | None = None
        self.mistake: Exception | None = None
        self.records = 0
        self.reasons: Counter[str] = Counter()
        self.notes: Counter[str] = Counter()

    def read(self, *, follow: bool) -> None:
        """Read the source to its end, again where it asks for that."""
        pause: float | None = 0.0
        try:
            while pause is not None:
                self.stop.sleep(pause)
                pause = self._attempted(follow=follow)
        except Retry as retry:
            raise Unavailable(f"feed {self.feed.id}: {retry}") from retry

    def _attempted(self, *, follow: bool) -> float | None:
        """Read on, with some attempts; gives how long to wait (seconds) where the source got on and then asked for another."""
        for attempt in self._attempts(follow=follow):
            before = self.after
            with attempt:
                try:
                    OWN.begun(SOURCE)
                    self._through()
                    OWN.idle(SOURCE)
                except Retry as retry:
                    # What is on its way is made safe first: the pause can be long.
                    self.settle()
                    self.check()
                    if self.after == before:
                        raise
                    return retry.after
        return None

    def _attempts(self, *, follow: bool) -> Iterator[stamina.Attempt]:
        attempts = iter(stamina.retry_context(_asked, attempts=None if follow else ATTEMPTS, timeout=None))
        while True:
            with self.stop.waiting():
                attempt = next(attempts, None)
            if attempt is None:
                return
            yield attempt

    def _through(self) -> None:
        items = self.feed.source.read(self.feed.options, self.after)
        while not self.stop.asked:
            with self.stop.waiting():
                item = next(items, None)
            OWN.succeeded(SOURCE)
            if item is None:
                with self.lock:
                    self._send()
                return
            if isinstance(item, Idle):
                self.turn()
            elif isinstance(item, Noted):
                self._note(item)
            else:
                self._take(item)

    def _note(self, item: Noted) -> None:
        """Count what is no report; the cursor passes it when everything before it is safe."""
        with self.lock:
            self.window.settle(self.window.enter(item.cursor))
            self.after = item.cursor
            self.notes[item.reason] += item.count
            metrics.RECORDS.labels(stage=STAGE, outcome="noted").inc(item.count)
            metrics.REASONS.labels(stage=STAGE, outcome="noted", reason=item.reason).inc(item.count)
            self.turn()

    def _take(self, item: Raw | Bad) -> None:
        with self.lock:
            while len(self.window) >= self.runner.in_flight:
                self._send()
                self.turn(wait=0.1)
            begun = time.monotonic()
            draft = self.runner.maker.draft(self.feed, item, self.runner.clock())
            self.gathered.add(self.window.enter(item.cursor), draft)
            self.after = item.cursor
            metrics.STEP_SECONDS.labels(stage=STAGE).inc(time.monotonic() - begun)
            if self.gathered.full:
                self._send()
            self.turn()

    def beat(self) -> AbstractContextManager[None]:
        """Send what has waited long enough for others to be signed with, as long as this lasts."""
        return beat(self._waited) if self.feed.sign_batch > 1 else nullcontext()

    def _waited(self) -> None:
        with self.lock:
            if not self.gathered.late:
                return
            try:
                self._send()
            except Exception as error:  # noqa: BLE001 - in another thread: the one that reads raises it at its next turn
                self.mistake = self.mistake or error

    def _send(self) -> None:
        """
        Sign what waits and send it, in order; nothing behind what was refused: that is sent again by the next run.
        """
        begun, waiting = time.monotonic(), self.gathered.take()
        self.keeping.keep([draft.refused for _, draft in waiting if draft.refused is not None], self.runner.clock())
        signed = self.runner.maker.signed([draft for _, draft in waiting])
        metrics.STEP_SECONDS.labels(stage=STAGE).inc(time.monotonic() - begun)
        for (ticket, _), made in zip(waiting, signed, strict=True):
            if self.failure is not None:
                return
            OWN.begun(SENT)
            self.runner.transport.send(made.message, partial(self._acknowledged, ticket, made))

    def _acknowledged(self, ticket: Ticket, made: Made, error: NotDelivered | None) -> None:
        if error is not None:
            # The first failure ends the run. Its ticket stays open, and so the cursor stays before it.
            self.failure = self.failure or error
            return
        self.window.settle(ticket)
        OWN.acknowledged(SENT)
        if not len(self.window):
            OWN.idle(SENT)
        metrics.CONNECTOR_LAST_SUCCESS.labels(feed=self.feed.id).set(self.runner.clock().timestamp())
        if made.reason is None:
            self.records += 1
            metrics.RECORDS.labels(stage=STAGE, outcome="published").inc()
            return
        self.reasons[made.reason] += made.count
        metrics.RECORDS.labels(stage=STAGE, outcome="rejected").inc(made.count)
        metrics.REASONS.labels(stage=STAGE, outcome="rejected", reason=made.reason).inc(made.count)
        if made.reason == "spool-full":
            metrics.SPOOL_DROPPED.labels(feed=self.feed.id).inc(made.count)

    def turn(self, wait: float = 0.0) -> None:
        """Take acknowledgements, save the cursor when it is time, and stop where something was not delivered."""
        with self.lock:
            self.runner.transport.poll(wait if len(self.window) else 0)
            now = self.runner.clock()
            self.keeping.expire(now)
            if self.window.moved and (self.saved_at is None or now - self.saved_at >= SAVE_EVERY):
                self._save(now)
            self.check()

    def settle(self) -> None:
        """Send what waits, wait for what is on its way, and save how far everything is safe."""
        with self.lock:
            self._send()
            self.runner.transport.flush(self.stop.patience(self.runner.patience))
            if self.window.moved:
                self._save(self.runner.clock())

    def check(self) -> None:
        """Raise where something is not safe."""
        if self.mistake is not None:
            raise self.mistake
        if self.failure is not None:
            raise Unavailable(
                f"feed {self.feed.id}: Kafka did not take a message for {self.failure}; what came before it is safe, "
                "and the next run goes on from there"
            )

    def published(self) -> Published:
        """Give what the broker has; ``Unavailable`` where it has not answered for all."""
        if len(self.window):
            raise Unavailable(
                f"feed {self.feed.id}: Kafka has not acknowledged {len(self.window)} messages in time; they are sent again "
                "by the next run"
            )
        reasons, notes = dict(sorted(self.reasons.items())), dict(sorted(self.notes.items()))
        return Published(self.records, self.reasons.total(), self.notes.total(), reasons, notes)

    def _save(self, now: datetime) -> None:
        self.keeping.sync(now)
        if self.window.cursor is not None:
            self.runner.cursors.save(self.feed.id, self.window.cursor)
        self.window.moved = False
        self.saved_at = now


def _asked(error: Exception) -> bool | float:
    """Tell stamina how long to wait: as long as the source said; whatever else is raised is no request."""
    return error.after if isinstance(error, Retry) else False
