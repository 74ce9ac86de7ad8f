"""
The runner: what it promises beside what the contract of transports holds it to.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import stamina
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from boutre import metrics
from boutre.connectors.cursor import Cursors
from boutre.connectors.feeds import Feed
from boutre.connectors.memory import MemoryTransport
from boutre.connectors.record import Maker
from boutre.connectors.runner import Published, Runner
from boutre.connectors.runner_stop import Stop
from boutre.connectors.sdk import Bad, Idle, Noted, Raw, source
from boutre.connectors.transport import Acknowledged, Message, NotDelivered
from boutre.errors import Retry, Unavailable
from boutre.schemas import lock, vocabulary
from boutre.schemas.codec import Codec
from boutre.schemas.validation import Validator

NOW = datetime(2024, 3, 1, 12, tzinfo=UTC)
CODEC = Codec(lock.load())
CHECK = Validator(CODEC.lock, vocabulary.load(lock.core() / "vocabularies").has).check
TOPICS = {"national.comoros.sighting": 1, "rejects.comoros": 1}


@dataclass(frozen=True)
class Script:
    """What a source gives at each call: items, or something to raise or call."""

    calls: list[list[Any]] = field(default_factory=list)
    afters: list[str | None] = field(default_factory=list)


@source("script")
def script(options: Script, after: str | None) -> Iterator[Raw | Bad | Noted | Idle]:
    """What the test wrote down."""
    options.afters.append(after)
    for item in options.calls.pop(0) if options.calls else []:
        if isinstance(item, BaseException):
            raise item
        if callable(item):
            item()
        else:
            yield item


def raw(number: int) -> Raw:
    """A report."""
    moment = {"at": NOW, "precision": "minute", "uncertainty_s": None}
    return Raw("sighting", {"times": {"observed": moment}, "event": {"type": "attack"}}, f"n-{number}", str(number))


def feed(*calls: list[Any], **more: Any) -> Feed:
    """A feed of that source."""
    return Feed("script", "comoros", ("sighting",), script, Script(list(calls)), {"tlp": "GREEN"}, poll_s=0.001, **more)


def runner(folder: Path | None, transport: Any = None, clock: Callable[[], datetime] = lambda: NOW, **more: Any) -> Runner:
    """A runner on a bus in memory."""
    maker = Maker(CODEC, CHECK, Ed25519PrivateKey.generate())
    return Runner(maker, transport or MemoryTransport(TOPICS, clock), Cursors(folder), clock, **{"patience": 1.0, **more})


@pytest.fixture(autouse=True)
def _no_waiting() -> Iterator[None]:
    """Stamina's own switch for tests: as many attempts as asked for, and no pause between them."""
    with stamina.set_testing(True, attempts=5, cap=True):
        yield


def test_everything_that_a_source_gives_is_counted() -> None:
    """Records, rejects by reason with what each stands for, and what was no report: together all that came in."""
    items = [
        raw(1),
        Bad("malformed-line", b"", "b", "2"),
        Noted("base-station", "x", "3", 4),
        Bad("spool-full", b"", "s", "4", count=9),
        raw(5),
    ]

    published = runner(None).run(feed(items))

    assert Published(2, 10, 4, {"malformed-line": 1, "spool-full": 9}, {"base-station": 4}) == published


def test_metrics_tell_the_same() -> None:
    """Published, rejected, noted, dropped, and when the broker last acknowledged something."""

    def sample(name: str, **labels: str) -> float:
        return metrics.REGISTRY.get_sample_value(name, labels) or 0.0

    names = [("published", 1.0), ("rejected", 9.0), ("noted", 4.0)]
    before = [sample("boutre_records_total", stage="connector", outcome=outcome) for outcome, _ in names]

    runner(None).run(feed([raw(1), Noted("base-station", "x", "2", 4), Bad("spool-full", b"", "s", "3", count=9)]))

    after = [sample("boutre_records_total", stage="connector", outcome=outcome) for outcome, _ in names]
    assert [by for _, by in names] == [late - early for early, late in zip(before, after, strict=True)]
    assert NOW.timestamp() == sample("boutre_connector_last_success_timestamp_seconds", feed="script")
    assert sample("boutre_spool_dropped_total", feed="script") >= 9


def test_what_is_no_report_moves_the_cursor_in_its_turn(tmp_path: Path) -> None:
    """A cursor behind the last report is kept too, or a quiet source would be read again and again."""
    runner(tmp_path).run(feed([raw(1), Noted("comment", "x", "2")]))

    assert Cursors(tmp_path).load("script") == "2"


def test_a_source_that_asks_for_another_attempt_goes_on_where_it_was(tmp_path: Path) -> None:
    """After each request it is called with the last cursor that it gave."""
    found = feed([raw(1), raw(2), Retry("away", after=0)], [Retry("away")], [raw(3)])

    published = runner(tmp_path).run(found)

    assert published.records == 3
    assert [None, "2", "2"] == found.options.afters


def test_what_is_safe_is_saved_before_a_long_wait(tmp_path: Path) -> None:
    """A source that is away for hours does not hold back what came before."""
    seen: list[str | None] = []

    def look() -> None:
        seen.append(Cursors(tmp_path).load("script"))

    runner(tmp_path, in_flight=100).run(feed([raw(1), raw(2), Retry("away", after=0)], [look, raw(3)]))

    assert ["2"] == seen


def test_a_source_that_stays_away_ends_the_run_with_a_sentence(tmp_path: Path) -> None:
    """A run that is to end does not wait for ever; what came before is kept."""
    calls = [[raw(1), Retry("port 4001 does not answer", after=0)]] + [[Retry("port 4001 does not answer", after=0)]] * 20

    with pytest.raises(Unavailable, match="feed script: port 4001 does not answer"):
        runner(tmp_path).run(feed(*calls))

    assert Cursors(tmp_path).load("script") == "1"


def test_a_mistake_of_a_source_is_not_hidden(tmp_path: Path) -> None:
    """What it raises by mistake ends the run as it is, with all that came before safe."""
    with pytest.raises(ZeroDivisionError):
        runner(tmp_path).run(feed([raw(1), ZeroDivisionError()]))

    assert Cursors(tmp_path).load("script") == "1"


def test_a_follower_reads_again_until_it_is_asked_to_stop(tmp_path: Path) -> None:
    """At the end of a file it waits and reads on behind its cursor."""
    stop = Stop()
    found = feed([raw(1)], [], [raw(2), stop.ask], [raw(3)])

    published = runner(tmp_path).run(found, follow=True, stop=stop)

    assert published.records == 2
    assert [None, "1", "1"] == found.options.afters
    assert Cursors(tmp_path).load("script") == "2"


def test_an_idle_source_lets_the_runner_stop_and_save(tmp_path: Path) -> None:
    """A source that waits on a socket gives the runner its turn."""
    stop = Stop()
    seen: list[str | None] = []

    def look() -> None:
        seen.append(Cursors(tmp_path).load("script"))

    runner(tmp_path).run(feed([raw(1), Idle(), look, stop.ask, Idle(), raw(2)]), follow=True, stop=stop)

    assert ["1"] == seen
    assert Cursors(tmp_path).load("script") == "1"


def test_a_signal_ends_a_source_that_waits(tmp_path: Path) -> None:
    """SIGTERM while a source blocks: what was sent is safe, the cursor saved, and nothing is raised."""

    def block() -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        threading.Event().wait(60)

    with Stop().on_signals() as stop:
        published = runner(tmp_path).run(feed([raw(1), block, raw(2)]), follow=True, stop=stop)

    assert (1, True) == (published.records, stop.asked)
    assert Cursors(tmp_path).load("script") == "1"


def test_a_stop_that_was_asked_for_early_reads_nothing(tmp_path: Path) -> None:
    """Between starting and reading."""
    stop = Stop()
    stop.ask()

    assert Published() == runner(tmp_path).run(feed([raw(1)]), stop=stop)


def test_signals_are_given_back() -> None:
    """Whoever had a handler before has it again."""
    before = signal.getsignal(signal.SIGTERM)
    with Stop().on_signals():
        assert before != signal.getsignal(signal.SIGTERM)

    assert before == signal.getsignal(signal.SIGTERM)


class Counting(Cursors):
    """
    Counts how often a cursor is saved.
    """

    saves = 0

    def save(self, feed: str, cursor: str) -> None:
        """Count and save."""
        self.saves += 1
        super().save(feed, cursor)


@pytest.mark.parametrize(("step", "saves"), [(timedelta(0), 2), (timedelta(milliseconds=1), 2), (timedelta(seconds=1), 20)])
def test_the_cursor_is_saved_once_a_second_and_at_the_end(tmp_path: Path, step: timedelta, saves: int) -> None:
    """Each save waits for the disk: not for each record, but never more than a second behind."""
    now = [NOW]

    def clock() -> datetime:
        return now[0]

    def on() -> None:
        now[0] += step

    items = [thing for number in range(20) for thing in (on, raw(number))]
    cursors = Counting(tmp_path)
    maker = Maker(CODEC, CHECK, Ed25519PrivateKey.generate())
    Runner(maker, MemoryTransport(TOPICS, clock), cursors, clock, patience=1.0).run(feed(items))

    assert saves == cursors.saves
    assert cursors.load("script") == "19"


class Slow:
    """
    Acknowledges one message for each poll, the last sent first, and remembers how many ever waited.
    """

    def __init__(self) -> None:
        self.waiting: list[Acknowledged] = []
        self.most = 0

    def send(self, message: Message, acknowledged: Acknowledged) -> None:  # noqa: ARG002 - what it says is of no interest
        """Take it."""
        self.waiting.append(acknowledged)
        self.most = max(self.most, len(self.waiting))

    def poll(self, seconds: float) -> None:
        """Answer one, where the runner waits for it."""
        if seconds and self.waiting:
            self.waiting.pop()(None)

    def flush(self, seconds: float) -> int:  # noqa: ARG002 - nothing here takes time
        """Answer all, backwards."""
        while self.waiting:
            self.waiting.pop()(None)
        return 0


@pytest.mark.parametrize("bound", [1, 3, 100])
def test_what_is_in_flight_is_bounded(tmp_path: Path, bound: int) -> None:
    """A source that is faster than the broker waits; answers in any order leave the cursor right."""
    slow = Slow()

    published = runner(tmp_path, slow, in_flight=bound).run(feed([raw(number) for number in range(30)]))

    assert published.records == 30
    assert slow.most <= bound
    assert Cursors(tmp_path).load("script") == "29"


class Refusing(Slow):
    """
    Does not take the third message.
    """

    sent = 0

    def send(self, message: Message, acknowledged: Acknowledged) -> None:
        """Refuse the third."""
        self.sent += 1
        if self.sent == 3:
            acknowledged(NotDelivered(message.topic, "TOPIC_AUTHORIZATION_FAILED"))
        else:
            super().send(message, acknowledged)


def test_a_broker_that_refuses_is_told_with_topic_and_reason(tmp_path: Path) -> None:
    """The run ends, the sentence names the topic and the broker's reason, and the cursor stays before the refused one."""
    with pytest.raises(Unavailable, match=r"national\.comoros\.sighting: TOPIC_AUTHORIZATION_FAILED"):
        runner(tmp_path, Refusing()).run(feed([raw(number) for number in range(9)]))

    assert Cursors(tmp_path).load("script") == "1"
