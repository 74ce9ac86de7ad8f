"""
What runs a sink: batches, positions, retries, dead letters; and how sinks are declared and found.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from boutre.connectors.delivery import BadDelivery, Delivery, Polled, open_up
from boutre.connectors.plain import plain
from boutre.connectors.sinks.contract import SHIPPED, Write, find, names, sink
from boutre.connectors.sinks.dead_letters import open_dead_letters
from boutre.connectors.sinks.lines import Lines
from boutre.connectors.sinks.runner import Counts, Limits, Runner
from boutre.connectors.sinks.trial import RELEASED, codec, delivery, view
from boutre.errors import DeclarationError, Refuse, Retry, Unavailable
from sealed import proving, signed

BAD = BadDelivery("rcoc", "sighting", "undecodable", b"\x01", "for.rcoc.sighting", 0, 99, RELEASED)


@dataclass
class Feed:
    """
    Messages in order, and what was said of them: a consumer without a broker.
    """

    messages: list[Delivery | BadDelivery]
    settled: list[Delivery | BadDelivery] = field(default_factory=list)
    committed: int = 0
    rested: list[float] = field(default_factory=list)
    given: int = 0

    @property
    def finished(self) -> bool:
        """Whether all were given out."""
        return self.given == len(self.messages)

    def poll(self, _: float) -> Delivery | BadDelivery | None:
        """Give the next."""
        self.given += 1
        return self.messages[self.given - 1]

    def done(self, message: Delivery | BadDelivery) -> None:
        """Note it."""
        self.settled.append(message)

    def commit(self) -> None:
        """Note how many were done."""
        self.committed = len(self.settled)

    def rest(self, seconds: float) -> None:
        """Note it."""
        self.rested.append(seconds)


def views(count: int) -> list[Delivery | BadDelivery]:
    """Give so many views."""
    return [delivery("sighting", number) for number in range(count)]


def run(folder: Path, feed: Feed, write: Write, **limits: Any) -> tuple[Counts, list[dict[str, Any]]]:
    """Run a sink over *feed*; gives its counts and its dead letters."""
    path = folder / "dead.jsonl"
    with open_dead_letters(path) as dead:
        counts = Runner("trial", feed, write, dead, Limits(**limits)).run()
    return counts, [json.loads(line) for line in path.read_text().splitlines()]


def test_views_come_in_batches_and_the_position_moves_after_them(tmp_path: Path) -> None:
    """No batch is larger than said, none is committed before it was written, and nothing is left out."""
    feed = Feed(views(7))
    batches: list[tuple[int, int]] = []
    counts, dead = run(tmp_path, feed, lambda batch: batches.append((len(batch), feed.committed)), most=3)

    assert batches == [(3, 0), (3, 3), (1, 6)]
    assert feed.messages == feed.settled
    assert (counts, dead, feed.committed) == (Counts(delivered=7), [], 7)


def test_a_batch_that_can_not_be_written_now_comes_again(tmp_path: Path) -> None:
    """The runner rests as long as it was asked to, gives the same batch again, and moves no position meanwhile."""
    feed = Feed(views(3))
    seen: list[list[str]] = []

    def write(batch: Sequence[Delivery]) -> None:
        seen.append([each.id for each in batch])
        if len(seen) < 3:
            assert feed.committed == 0
            raise Retry("away", after=2.5)

    counts, _ = run(tmp_path, feed, write)

    assert [seen[0]] * 3 == seen
    assert 5.0 == sum(feed.rested)
    assert 0.5 >= max(feed.rested)
    assert counts.delivered == 3


@given(refused=st.sets(st.integers(0, 9)), bad=st.sets(st.integers(0, 9)), most=st.integers(1, 11))
def test_every_message_ends_somewhere(
    tmp_path_factory: pytest.TempPathFactory, refused: set[int], bad: set[int], most: int
) -> None:
    """Whatever a sink refuses and wherever batches end: each message is delivered once or is a dead letter, never both."""
    feed = Feed([BAD if number in bad else delivery("sighting", number) for number in range(10)])
    delivered: list[int] = []

    def write(batch: Sequence[Delivery]) -> None:
        if {each.offset for each in batch} & refused:
            raise Refuse("not-storable", field="craft")
        delivered.extend(each.offset for each in batch)

    counts, dead = run(tmp_path_factory.mktemp("sink"), feed, write, most=most)

    assert sorted(set(range(10)) - refused - bad) == delivered
    assert sorted(refused - bad) == sorted(each["offset"] for each in dead if each["code"] == "not-storable")
    assert Counts(len(delivered), len(refused - bad), len(bad)) == counts
    assert feed.committed == 10


def test_a_dead_letter_says_why_and_holds_what_was_given(tmp_path: Path) -> None:
    """A refused view is there as plain data, bytes that are no view as base64; each with its place, reason and kind."""
    feed = Feed([*views(1), BAD])

    def write(_: Sequence[Delivery]) -> None:
        raise Refuse("not-storable", "no room", field="craft")

    _, dead = run(tmp_path, feed, write)
    by_code = {letter["code"]: letter for letter in dead}

    assert plain(delivery().value) == by_code["not-storable"]["view"]
    assert (by_code["not-storable"]["field"], by_code["not-storable"]["detail"]) == ("craft", "no room")
    assert base64.b64decode(by_code["undecodable"]["content"]) == b"\x01"
    assert by_code["undecodable"]["id"] == "for.rcoc.sighting/0/99"
    assert (tmp_path / "dead.jsonl").stat().st_mode & 0o777 == 0o600


def test_a_dead_letter_that_comes_again_is_there_once(tmp_path: Path) -> None:
    """After a crash before the commit the same message is put aside again, and stands in the file once."""
    run(tmp_path, Feed([BAD]), lambda _: None)
    _, dead = run(tmp_path, Feed([BAD]), lambda _: None)

    assert len(dead) == 1


def test_a_dead_letter_waits_for_room_on_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that is full for a while stops no sink: what cannot be put aside now is put aside later; nothing is passed over."""
    feed = Feed([*views(1), BAD])
    full = [True, True, False, True, False]
    real = Lines.add

    def add(lines: Lines, some: Iterable[tuple[str, str]]) -> int:
        if full.pop(0):
            assert feed.committed == 0
            raise Retry("no room", after=5.0)
        return real(lines, some)

    def write(_: Sequence[Delivery]) -> None:
        raise Refuse("not-storable")

    monkeypatch.setattr(Lines, "add", add)
    counts, dead = run(tmp_path, feed, write)

    assert (Counts(refused=1, bad=1), 2, 2) == (counts, len(dead), feed.committed)
    assert 15.0 == sum(feed.rested)


def test_a_sink_that_refuses_everything_stops(tmp_path: Path) -> None:
    """A long run of refusals is no fault of the views: the sink stops, and the position stays before the batch."""
    feed = Feed(views(10))

    def write(_: Sequence[Delivery]) -> None:
        raise Refuse("not-storable")

    with pytest.raises(Unavailable, match="4 views in a row"):
        run(tmp_path, feed, write, refusals=4)

    assert feed.committed == 0


def test_an_error_of_a_sinks_own_stops_it_and_tells_no_value(tmp_path: Path) -> None:
    """The position stays before the batch; the message says where it failed, and nothing of what the view holds."""
    feed = Feed(views(1))

    def write(batch: Sequence[Delivery]) -> None:
        raise ValueError(f"cannot write {batch[0].value}")

    with pytest.raises(Unavailable, match=r"ValueError at .*test_sink_runner.py") as failed:
        run(tmp_path, feed, write)

    assert "kwassa" not in str(failed.value)
    assert failed.value.__suppress_context__
    assert feed.committed == 0


def test_a_sink_that_is_stopped_while_it_waits_commits_nothing(tmp_path: Path) -> None:
    """Told to stop while a sink asks for later, the runner ends with the position before the batch."""
    feed = Feed(views(2))

    def write(_: Sequence[Delivery]) -> None:
        raise Retry("away")

    with open_dead_letters(tmp_path / "dead.jsonl") as dead:
        counts = Runner("trial", feed, write, dead, stop=lambda: bool(feed.rested)).run()

    assert (counts, feed.committed, feed.settled) == (Counts(), 0, [])


# --- what is no view of this recipient's --------------------------------------------------------------------------------------


def polled(data: bytes | None) -> Polled:
    """A message with these bytes, which the bus has signed."""
    at = round(RELEASED.timestamp() * 1000)
    return Polled("for.rcoc.sighting", 0, 7, RELEASED, None, data, signed("for.rcoc.sighting", data or b"", at=at))


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (None, "undecodable"),
        (b"", "undecodable"),
        (b"\x00\x00\x00\x00\x63hello", "unknown-schema"),
        (codec().encode("alert", view("alert")), "wrong-kind"),
        (codec().encode("sighting", view("sighting", recipient="france")), "not-a-view"),
        (codec().encode("sighting", {**view("sighting"), "view": None}), "not-a-view"),
    ],
)
def test_what_is_no_view_of_ours_is_bad(data: bytes | None, code: str) -> None:
    """Bytes that do not decode, another kind, a whole record, and a view for somebody else are not passed on."""
    found = open_up(polled(data), "rcoc", "sighting", codec(), proving())

    assert isinstance(found, BadDelivery)
    assert (found.code, found.content, found.place) == (code, data, "for.rcoc.sighting, partition 0, offset 7")


def test_a_view_knows_its_names_and_its_place() -> None:
    """The view's own id, the record's name for this recipient, and where it stood; its value is not in its repr."""
    made = view("sighting")
    found = open_up(polled(codec().encode("sighting", made)), "rcoc", "sighting", codec(), proving())

    assert isinstance(found, Delivery)
    assert (found.id, found.of, found.offset) == (made["id"], made["view"]["of"], 7)
    assert "kwassa" not in repr(found)


# --- declaring -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Options:
    """
    A sink that keeps ids in a list.
    """

    kept: list[str]


@contextmanager
def open_list(options: Options) -> Iterator[list[str]]:
    """Give the list."""
    yield options.kept
    options.kept.append("closed")


def test_a_sink_is_a_function_and_its_options() -> None:
    """Without anything to hold open the function gets the options; their class and the first sentence are found."""

    @sink("bell", options=Options)
    def bell(options: Options, batch: Sequence[Delivery]) -> None:
        """Ring once for each view."""
        options.kept.extend(each.id for each in batch)

    options = Options([])
    with bell.open(options) as write:
        write([delivery()])

    assert (bell.name, bell.options, bell.summary) == ("bell", Options, "Ring once for each view.")
    assert [delivery().id] == options.kept


def test_what_a_sink_holds_open_is_closed() -> None:
    """The function gets what the context manager gives, whose first parameter names the options."""

    @sink("list", opens=open_list)
    def keep(kept: list[str], batch: Sequence[Delivery]) -> None:
        kept.extend(each.id for each in batch)

    options = Options([])
    with keep.open(options) as write:
        write([delivery()])

    assert keep.options is Options
    assert [delivery().id, "closed"] == options.kept


def test_a_sink_without_options_is_a_fault() -> None:
    """A sink whose options cannot be found is told so when it is declared."""
    with pytest.raises(DeclarationError, match="dataclass of options"):

        @sink("nothing")
        def nothing(*_: Any) -> None:
            pass


def test_the_sinks_that_ship_are_found() -> None:
    """Each is found by its name, and says in a sentence what it does; another name is told which there are."""
    found = [find(name) for name in SHIPPED]

    assert set(SHIPPED) <= set(names())
    assert [each.name for each in found] == list(SHIPPED)
    assert all(each.summary for each in found)
    with pytest.raises(DeclarationError, match="jsonl"):
        find("jsnol")
