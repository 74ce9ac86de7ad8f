"""
What every transport must keep to, and what the runner promises on top of it: one suite for the bus in memory and for Kafka.

A test class inherits `TransportContract` and has a fixture ``bench`` that gives a `Bench`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar, Protocol

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from boutre.connectors.cursor import Cursors
from boutre.connectors.feeds import Feed
from boutre.connectors.memory import Stored, partition_of
from boutre.connectors.record import Maker
from boutre.connectors.runner import Runner
from boutre.connectors.sdk import Bad, Raw, source
from boutre.connectors.transport import Acknowledged, Message, NotDelivered, Transport
from boutre.errors import Unavailable
from boutre.schemas import lock, vocabulary
from boutre.schemas.codec import Codec
from boutre.schemas.signature import PROOF_HEADER, Keyring, key_id
from boutre.schemas.validation import Validator

NOW = datetime(2024, 3, 1, 12, tzinfo=UTC)
PATIENCE = 30.0
"""Seconds that a broker may take; nothing waits so long when all is well."""


class Bench(Protocol):
    """
    A broker to try a transport on: *member* is a name of this test's own.
    """

    member: str

    def transport(self, room: int | None = None) -> Transport:
        """Give a new transport to the same broker; *room* bounds what may wait in it."""

    def create(self, topic: str, partitions: int = 1) -> str:
        """Make a topic and give its name back."""

    def read(self, topic: str) -> list[Stored]:
        """Give all that a topic holds, partition by partition."""


@dataclass(frozen=True)
class Options:
    """
    A source of *count* reports, each third of which is bad where *bad* is set; it fails at number *fails*.
    """

    count: int
    bad: bool = False
    fails: int | None = None


@source("numbers")
def numbers(options: Options, after: str | None) -> Iterator[Raw | Bad]:
    """A report for each number."""
    for number in range(int(after) + 1 if after else 0, options.count):
        if number == options.fails:
            raise OSError("the source broke")
        if options.bad and number % 3 == 2:  # noqa: PLR2004 - each third
            yield Bad("malformed-line", b"?", f"bad-{number}", str(number))
        else:
            moment = {"at": NOW, "precision": "minute", "uncertainty_s": None}
            value: dict[str, Any] = {"times": {"observed": moment}, "event": {"type": "attack"}}
            yield Raw("sighting", value, f"n-{number}", str(number))


class Losing:
    """
    A transport that acknowledges the first *kept* messages of each topic and then nothing, as when a process is killed.
    """

    def __init__(self, inner: Transport, kept: int) -> None:
        self.inner = inner
        self.left = kept

    def send(self, message: Message, acknowledged: Acknowledged) -> None:
        """Send it, and keep the answer back from a point on."""
        self.left -= 1
        self.inner.send(message, acknowledged if self.left >= 0 else lambda _: None)

    def poll(self, seconds: float) -> None:
        """Poll."""
        self.inner.poll(seconds)

    def flush(self, seconds: float) -> int:
        """Flush."""
        return self.inner.flush(seconds)


class TransportContract:
    """
    The promises of a transport, alone and under the runner.
    """

    private: ClassVar[Ed25519PrivateKey] = Ed25519PrivateKey.generate()
    sign_batch: ClassVar[int] = 1
    """How many records the feeds of these tests sign together: a class of its own with more keeps to the same promises."""

    # --- a transport alone --------------------------------------------------------------------------------------------

    def test_what_is_acknowledged_is_there_as_it_was_sent(self, bench: Bench) -> None:
        """Key, value and headers come out as they went in, in the order in which they were sent."""
        topic, transport = bench.create(f"plain.{bench.member}"), bench.transport()
        sent = [Message(topic, b"key", bytes([number]), (("name", b"\x00\xff"), ("name", b"2"))) for number in range(5)]
        answers: list[object] = []

        for message in sent:
            transport.send(message, answers.append)
        left = transport.flush(PATIENCE)

        assert left == 0
        assert answers == [None] * 5
        assert [(m.key, m.value, m.headers) for m in sent] == [(s.key, s.value, s.headers) for s in bench.read(topic)]

    def test_a_key_stands_where_every_program_looks_for_it(self, bench: Bench) -> None:
        """The partition is Kafka's murmur2 of the key, so that a record and its revision stand in one partition."""
        topic, transport = bench.create(f"keyed.{bench.member}", 3), bench.transport()
        keys = [f"key-{number}".encode() for number in range(40)] + [b"", b"\xff" * 7]

        for key in keys:
            transport.send(Message(topic, key, b"x"), _must)
        transport.flush(PATIENCE)

        found = {stored.key: stored.partition for stored in bench.read(topic)}
        # An empty key is a key for some clients and none for others: no record of the bus has one.
        assert {key: partition_of(key, 3) for key in keys if key} == {key: at for key, at in found.items() if key}

    def test_what_cannot_be_delivered_is_said_and_not_raised(self, bench: Bench) -> None:
        """A topic that nobody declared and a message that is too large are answered with a reason, each once."""
        topic, transport = bench.create(f"small.{bench.member}"), bench.transport()
        answers: list[NotDelivered | None] = []

        transport.send(Message(f"nowhere.{bench.member}", b"k", b"x"), answers.append)
        transport.send(Message(topic, b"k", bytes(3_000_000)), answers.append)
        transport.flush(PATIENCE)

        assert len(answers) == 2  # noqa: PLR2004 - two were sent
        reasons = {answer.reason.lstrip("_") for answer in answers if answer is not None}
        assert reasons <= {"UNKNOWN_TOPIC_OR_PART", "UNKNOWN_TOPIC", "MSG_SIZE_TOO_LARGE"}
        assert None not in answers
        assert bench.read(topic) == []

    def test_a_full_queue_waits_and_loses_nothing(self, bench: Bench) -> None:
        """Where there is no room the sender waits; everything arrives, once and in order."""
        topic, transport = bench.create(f"full.{bench.member}"), bench.transport(room=10)
        answers: list[object] = []

        for number in range(500):
            transport.send(Message(topic, b"k", str(number).encode()), answers.append)
        left = transport.flush(PATIENCE)

        assert left == 0
        assert answers == [None] * 500
        assert [str(number).encode() for number in range(500)] == [stored.value for stored in bench.read(topic)]

    # --- the runner on it ---------------------------------------------------------------------------------------------

    def test_a_feed_arrives_whole_and_signed(self, bench: Bench, tmp_path: Path) -> None:
        """Each report is a record or a reject, counted, signed by its member, with the headers that the wire page names."""
        run = self._runs(bench, tmp_path, Options(30, bad=True))

        published = run(bench.transport())

        assert (published.records, published.rejects, published.reasons) == (20, 10, {"malformed-line": 10})
        records, rejects = bench.read(f"national.{bench.member}.sighting"), bench.read(f"rejects.{bench.member}")
        assert (len(records), len(rejects)) == (20, 10)
        ring = Keyring({key_id(self.private.public_key()): (bench.member, self.private.public_key())})
        for stored in [*records, *rejects]:
            ring.verify(bench.member, stored.topic, stored.value, dict(stored.headers))
            assert (PROOF_HEADER in dict(stored.headers)) == (self.sign_batch > 1)
        headers = dict(records[0].headers)
        assert headers["ce_id"] == records[0].key
        assert headers["ce_type"] == b"boutre.sighting"
        assert headers["ce_source"] == f"/{bench.member}/numbers".encode()

    def test_the_next_run_goes_on_where_the_last_one_stopped(self, bench: Bench, tmp_path: Path) -> None:
        """What was read is not sent again; what was added is."""
        first = self._runs(bench, tmp_path, Options(10))(bench.transport())
        again = self._runs(bench, tmp_path, Options(10))(bench.transport())
        more = self._runs(bench, tmp_path, Options(14))(bench.transport())

        assert (first.records, again.records, more.records) == (10, 0, 4)
        assert self._all(14) == self._references(bench)

    def test_a_source_that_breaks_loses_nothing(self, bench: Bench, tmp_path: Path) -> None:
        """What came before the break is sent and its cursor kept; the next run gives the rest and no more."""
        broken = self._runs(bench, tmp_path, Options(20, fails=7))
        try:
            broken(bench.transport())
        except OSError:
            cursor = Cursors(tmp_path).load("numbers")
        rest = self._runs(bench, tmp_path, Options(20))(bench.transport())

        assert cursor == "6"
        assert rest.records == 13  # noqa: PLR2004 - 20 without the 7 before the break
        assert self._all(20) == self._references(bench)

    def test_the_cursor_stays_before_what_is_not_acknowledged(self, bench: Bench, tmp_path: Path) -> None:
        """Killed between sending and the broker's answer: the cursor has not moved, and the next run sends those again."""
        run = self._runs(bench, tmp_path, Options(10), patience=8.0)
        try:
            run(Losing(bench.transport(), kept=4))
        except Unavailable:
            cursor = Cursors(tmp_path).load("numbers")
        after = self._runs(bench, tmp_path, Options(10))(bench.transport())

        assert cursor == "3"
        assert after.records == 6  # noqa: PLR2004 - those that were not acknowledged
        assert self._all(10) == self._references(bench)

    def test_what_is_not_delivered_stops_the_run_before_it(self, bench: Bench, tmp_path: Path) -> None:
        """Where the topic for rejects is missing, the run ends with a sentence, and the cursor stays before the first reject."""
        bench.create(f"national.{bench.member}.sighting")
        run = self._runs(bench, tmp_path, Options(9, bad=True), topics=False)
        try:
            run(bench.transport())
        except Unavailable as error:
            said = str(error)

        assert f"rejects.{bench.member}" in said
        assert Cursors(tmp_path).load("numbers") in {None, "0", "1"}

    def _runs(
        self, bench: Bench, folder: Path, options: Options, *, topics: bool = True, patience: float = PATIENCE
    ) -> Callable[[Transport], Any]:
        if topics and not hasattr(self, "_made"):
            bench.create(f"national.{bench.member}.sighting", 2)
            bench.create(f"rejects.{bench.member}")
            self._made = True
        codec = Codec(lock.load())
        check = Validator(codec.lock, vocabulary.load(lock.core() / "vocabularies").has).check
        maker = Maker(codec, check, self.private)
        feed = Feed("numbers", bench.member, ("sighting",), numbers, options, {"tlp": "GREEN"}, sign_batch=self.sign_batch)
        return lambda transport: Runner(maker, transport, Cursors(folder), lambda: NOW, patience=patience).run(feed)

    def _references(self, bench: Bench) -> set[str]:
        codec = Codec(lock.load())
        stored = bench.read(f"national.{bench.member}.sighting")
        return {codec.decode(one.value).value["origin"]["reference"] for one in stored}

    def _all(self, count: int) -> set[str]:
        return {f"n-{number}" for number in range(count)}


def _must(error: NotDelivered | None) -> None:
    assert error is None
