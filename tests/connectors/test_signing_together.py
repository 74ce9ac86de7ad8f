"""
A feed that signs many records together: nothing waits for long, nothing is lost, and each record is proved by itself.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import stamina
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from boutre.connectors.cursor import Cursors, Ticket
from boutre.connectors.feeds import Feed
from boutre.connectors.memory import MemoryTransport, Stored
from boutre.connectors.record import Draft, Maker
from boutre.connectors.runner import Runner
from boutre.connectors.runner_signing import MOST_BYTES, Gathered
from boutre.connectors.runner_stop import Stop
from boutre.connectors.sdk import Bad, Idle, Noted, Raw, source
from boutre.connectors.transport import Acknowledged, Message, NotDelivered
from boutre.errors import Retry, Unavailable
from boutre.schemas import lock, vocabulary
from boutre.schemas.codec import Codec
from boutre.schemas.signature import PROOF_HEADER, SIGNATURE_HEADER, Keyring, key_id
from boutre.schemas.validation import Validator

NOW = datetime(2024, 3, 1, 12, tzinfo=UTC)
CODEC = Codec(lock.load())
CHECK = Validator(CODEC.lock, vocabulary.load(lock.core() / "vocabularies").has).check
PRIVATE = Ed25519PrivateKey.generate()
RING = Keyring({key_id(PRIVATE.public_key()): ("comoros", PRIVATE.public_key())})
TOPIC, REJECTS = "national.comoros.sighting", "rejects.comoros"
ENOUGH_S = 30.0
"""How long a test waits for what must happen; nothing waits so long when all is well."""


@dataclass(frozen=True)
class Script:
    """What a source gives at each call: items, or something to raise or call."""

    calls: list[list[Any]] = field(default_factory=list)


@source("script")
def script(options: Script, after: str | None) -> Iterator[Raw | Bad | Noted | Idle]:  # noqa: ARG001 - the test knows
    """What the test wrote down."""
    for item in options.calls.pop(0) if options.calls else []:
        if isinstance(item, BaseException):
            raise item
        if callable(item):
            item()
        else:
            yield item


class Watched(MemoryTransport):
    """
    A bus in memory that tells when *count* messages were sent to it.
    """

    def __init__(self, count: int = 1) -> None:
        super().__init__({TOPIC: 1, REJECTS: 1}, lambda: NOW)
        self.arrived = threading.Event()
        self.sent: list[Message] = []
        self.count = count

    def send(self, message: Message, acknowledged: Acknowledged) -> None:
        """Take it, and tell."""
        super().send(message, acknowledged)
        self.sent.append(message)
        if len(self.sent) >= self.count:
            self.arrived.set()


def raw(number: int) -> Raw:
    """A report."""
    moment = {"at": NOW, "precision": "minute", "uncertainty_s": None}
    return Raw("sighting", {"times": {"observed": moment}, "event": {"type": "attack"}}, f"n-{number}", str(number))


def bad(number: int) -> Bad:
    """What is no report."""
    return Bad("malformed-line", b"?", f"bad-{number}", str(number))


def feed(*calls: list[Any], sign_batch: int = 4) -> Feed:
    """A feed of that source."""
    script_of = Script(list(calls))
    return Feed("script", "comoros", ("sighting",), script, script_of, {"tlp": "GREEN"}, poll_s=0.001, sign_batch=sign_batch)


def runner(folder: Path | None, transport: Any, **more: Any) -> Runner:
    """A runner on a bus in memory."""
    return Runner(Maker(CODEC, CHECK, PRIVATE), transport, Cursors(folder), lambda: NOW, **{"patience": 1.0, **more})


def proved(stored: Stored | Message) -> tuple[bytes, bool]:
    """The signature of a message that is its member's, and whether it is for others too."""
    headers = dict(stored.headers)
    RING.verify("comoros", stored.topic, stored.value, headers)
    return headers[SIGNATURE_HEADER], PROOF_HEADER in headers


@pytest.fixture(autouse=True)
def _no_waiting() -> Iterator[None]:
    """Stamina's own switch for tests: as many attempts as asked for, and no pause between them."""
    with stamina.set_testing(True, attempts=5, cap=True):
        yield


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A beat that does not come in time: what these tests see is sent for another reason."""
    monkeypatch.setattr("boutre.connectors.runner_signing.LONGEST_WAIT_S", 60.0)


@pytest.mark.usefixtures("patient")
@pytest.mark.parametrize(("count", "size", "signatures"), [(9, 4, 3), (8, 4, 2), (3, 4, 1), (5, 2, 3), (3, 1, 3), (0, 4, 0)])
def test_as_many_signatures_as_batches(count: int, size: int, signatures: int) -> None:
    """Records and rejects of a feed are signed together, in their order; one that is left alone is signed as it is."""
    bus = Watched()

    published = runner(None, bus).run(feed([bad(n) if n % 3 == 2 else raw(n) for n in range(count)], sign_batch=size))

    found = [proved(message) for message in bus.sent]
    assert count == published.records + published.rejects == len(bus.sent)
    assert signatures == len({signature for signature, _ in found})
    assert [count - at > 1 and size > 1 for at in range(0, count, size)] == [found[at][1] for at in range(0, count, size)]


def test_a_record_that_comes_alone_does_not_wait_for_others() -> None:
    """A source that gives one report and then waits without a word: the report is sent while it waits."""
    bus = Watched()

    def wait() -> None:
        assert bus.arrived.wait(ENOUGH_S)

    published = runner(None, bus).run(feed([raw(1), wait, raw(2)]))

    assert (2, 0) == (published.records, published.rejects)
    assert [False, False] == [proved(message)[1] for message in bus.sent]


def test_what_came_in_part_of_a_batch_goes_on_at_the_next_attempt(tmp_path: Path) -> None:
    """Before a pause that a source asks for, what waits is sent and its cursor saved."""
    bus, seen = Watched(), []

    def look() -> None:
        seen.append((len(bus.sent), Cursors(tmp_path).load("script")))

    runner(tmp_path, bus).run(feed([raw(1), raw(2), Retry("away", after=0)], [look, raw(3)], sign_batch=64))

    assert [(2, "2")] == seen


@pytest.mark.usefixtures("patient")
def test_a_source_that_breaks_leaves_nothing_behind(tmp_path: Path) -> None:
    """What it gave before is signed, sent and safe."""
    bus = Watched()
    with pytest.raises(ZeroDivisionError):
        runner(tmp_path, bus).run(feed([raw(1), raw(2), ZeroDivisionError()], sign_batch=64))

    assert [True, True] == [proved(message)[1] for message in bus.sent]
    assert Cursors(tmp_path).load("script") == "2"


@pytest.mark.usefixtures("patient")
def test_a_stop_leaves_nothing_behind(tmp_path: Path) -> None:
    """Asked to stop in the middle of a batch, a follower sends what it has."""
    bus, stop = Watched(), Stop()

    published = runner(tmp_path, bus).run(feed([raw(1), raw(2), stop.ask, Idle()], sign_batch=64), follow=True, stop=stop)

    assert (2, 2) == (published.records, len(bus.sent))
    assert Cursors(tmp_path).load("script") == "2"


@pytest.mark.usefixtures("patient")
def test_a_follower_sends_what_it_has_before_it_sleeps(tmp_path: Path) -> None:
    """At the end of what there is, a batch is as large as it is."""
    bus, stop, seen = Watched(), Stop(), []

    def look() -> None:
        seen.append(len(bus.sent))
        stop.ask()

    runner(tmp_path, bus).run(feed([raw(1), raw(2)], [look, Idle()], sign_batch=64), follow=True, stop=stop)

    assert [2] == seen


@pytest.mark.usefixtures("patient")
@pytest.mark.parametrize("bound", [1, 3, 64])
def test_what_waits_counts_as_in_flight(tmp_path: Path, bound: int) -> None:
    """A batch that is larger than what may be in flight is sent in parts, and nobody waits for ever."""
    bus = Watched()

    published = runner(tmp_path, bus, in_flight=bound).run(feed([raw(number) for number in range(30)], sign_batch=64))

    assert published.records == 30
    assert Cursors(tmp_path).load("script") == "29"
    assert bound >= max(sum(1 for other in bus.sent if proved(other)[0] == proved(one)[0]) for one in bus.sent)


@pytest.mark.usefixtures("patient")
def test_what_is_no_report_waits_for_what_came_before(tmp_path: Path) -> None:
    """A cursor does not pass a record that waits to be signed: killed there, the next run reads it again."""
    seen: list[str | None] = []
    bus = Watched()

    def look() -> None:
        seen.append(Cursors(tmp_path).load("script"))

    runner(tmp_path, bus).run(feed([Noted("comment", "x", "1"), raw(2), Noted("comment", "y", "3"), look], sign_batch=64))

    assert ["1"] == seen
    assert Cursors(tmp_path).load("script") == "3"


class Refusing(Watched):
    """
    Does not take the third message.
    """

    def send(self, message: Message, acknowledged: Acknowledged) -> None:
        """Refuse the third."""
        if len(self.sent) == 2:
            self.sent.append(message)
            acknowledged(NotDelivered(message.topic, "TOPIC_AUTHORIZATION_FAILED"))
        else:
            super().send(message, acknowledged)


def test_nothing_is_sent_behind_what_was_refused(tmp_path: Path) -> None:
    """In the middle of a batch: the rest of it stays for the next run, and the cursor before the refused one."""
    bus = Refusing()
    with pytest.raises(Unavailable, match=r"national\.comoros\.sighting: TOPIC_AUTHORIZATION_FAILED"):
        runner(tmp_path, bus).run(feed([raw(number) for number in range(9)], sign_batch=8))

    assert 3 == len(bus.sent)
    assert Cursors(tmp_path).load("script") == "1"


class Broken(Watched):
    """
    Raises by mistake.
    """

    def send(self, message: Message, acknowledged: Acknowledged) -> None:  # noqa: ARG002 - it comes to nothing
        """Raise."""
        self.arrived.set()
        raise ZeroDivisionError


def test_a_mistake_while_a_source_waits_is_not_hidden(tmp_path: Path) -> None:
    """What is raised where nobody reads is raised at the next turn of the runner, and the cursor has not moved."""
    bus = Broken()

    def wait() -> None:
        assert bus.arrived.wait(ENOUGH_S)

    with pytest.raises(ZeroDivisionError):
        runner(tmp_path, bus).run(feed([raw(1), wait, Idle(), raw(2)], sign_batch=64))

    assert Cursors(tmp_path).load("script") is None


def test_no_thread_stays_behind() -> None:
    """When a run ends, so does its beat, and a feed that signs each record by itself has none."""
    before = set(threading.enumerate())
    during: list[int] = []

    def look() -> None:
        during.append(len(set(threading.enumerate()) - before))

    runner(None, Watched()).run(feed([raw(1), look], sign_batch=2))
    runner(None, Watched()).run(feed([raw(1), look], sign_batch=1))

    assert [1, 0] == during
    assert set(threading.enumerate()) <= before


def test_records_that_are_large_do_not_gather() -> None:
    """What waits is bounded in bytes too."""
    gathered = Gathered(64)
    draft = Draft(Message(TOPIC, b"k", bytes(MOST_BYTES // 2)), "id")
    gathered.add(Ticket("1"), draft)

    assert not gathered.full
    gathered.add(Ticket("2"), draft)
    assert gathered.full
    assert ["1", "2"] == [ticket.cursor for ticket, _ in gathered.take()]
    assert not gathered.full
    assert not gathered.late
