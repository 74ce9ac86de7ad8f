"""
What the chaos runs expect is right: the feeds hold what they say, and the expectation is what the bus in memory does.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from boutre.connectors import feeds as declared
from boutre.connectors.record import Made, Maker
from boutre.connectors.sdk import Bad, Raw
from boutre.processors.decision import Inbound, Outbound
from boutre.schemas.validation import Validator
from chaos import feeds
from chaos.expectation import Expectation
from chaos.reading import OWN, RECEIPTS, receipt, refusal
from chaos.verdict import CONNECTOR, Expected, Found, Refusal, View, judge
from records import CODEC, LOCK, RECIPIENTS, handlers, local_bus, private, words

RECEIVED = datetime(2026, 11, 22, 8, 30, tzinfo=UTC)
LINES = 400


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[feeds.Feed, ...]:
    """
    Feeds of a run, all of whose lines stand in their files.
    """
    found = feeds.folder(tmp_path_factory.mktemp("chaos") / "bus", LINES, seed=11)
    for feed in found:
        feed.show(feed.rest)
    return found


def sent(feed: feeds.Feed) -> list[Made]:
    """What the real source and the real maker make of a feed's file."""
    known = declared.one(feed.path.parent, feed.id)
    maker = Maker(CODEC, Validator(LOCK, words().has).check, private(feed.member))
    items = [item for item in known.source.read(known.options, None) if isinstance(item, Raw | Bad)]
    return [maker.make(known, item, RECEIVED) for item in items]


def test_the_feeds_hold_what_they_say(made: tuple[feeds.Feed, ...]) -> None:
    """
    A connector makes a record of every line that is to be accepted and refuses the others, under the ids that were foretold.
    """
    for feed in made:
        messages = sent(feed)

        assert feed.accepted == {each.input_id for each in messages if each.reason is None}
        assert feed.refused == {each.input_id for each in messages if each.reason is not None}
        assert len(feed.lines) == len(messages)


def test_the_same_seed_gives_the_same_lines(made: tuple[feeds.Feed, ...], tmp_path: Path) -> None:
    """
    A run can be made again by its seed; another seed gives other lines.
    """
    again = feeds.folder(tmp_path / "again", LINES, seed=11)
    others = feeds.folder(tmp_path / "others", LINES, seed=12)

    assert [feed.lines for feed in made] == [feed.lines for feed in again]
    assert [feed.lines for feed in made] != [feed.lines for feed in others]


def test_no_reader_sees_half_a_line(made: tuple[feeds.Feed, ...], tmp_path: Path) -> None:
    """
    Lines are shown in order, whole, none twice; what a cursor has not passed is told.
    """
    for feed in feeds.folder(tmp_path / "bus", LINES, seed=11):
        whole = next(each for each in made if each.id == feed.id).path.read_bytes()
        for count in (1, 3, 0, 10**6):
            feed.show(count)
            assert whole.startswith(feed.path.read_bytes())
        assert whole == feed.path.read_bytes()
        assert len(whole.splitlines()) == feeds.lines_behind(feed, tmp_path / "no.cursor")


def test_the_expectation_is_what_the_bus_in_memory_does(made: tuple[feeds.Feed, ...]) -> None:
    """
    Receipts and rejects are the same, record for record; what was contradicted and what strayed in is told; it is judged good.
    """
    stray = Outbound("national.mauritius.sighting", b"1", b"no record", 0)
    records = [each.message for feed in made for each in sent(feed) if each.reason is None]
    bus, expectation, offsets = local_bus(), Expectation(handlers(), CODEC), dict[str, int]()
    sendings = [Outbound(each.topic, each.key, each.value, 0, each.headers) for each in records]
    for number, out in enumerate([*sendings, stray]):
        stamp = int((RECEIVED + timedelta(seconds=number)).timestamp() * 1000)
        offset = offsets.get(out.topic, 0)
        offsets[out.topic] = offset + 1
        bus.publish([Outbound(out.topic, out.key, out.value, stamp, out.headers)])
        expectation.take(Inbound(out.topic, 0, offset, out.key, out.value, dict(out.headers), stamp))
    told = expectation.result()
    written = feeds.written(made, frozenset({stray.value}))
    outcomes = {one.outcome for one in told.receipts.values()}

    reported = [out.value for out in bus.read(RECEIPTS) if CODEC.decode(out.value).value["member"] not in OWN]
    assert {(one.record, one.recipient): one for one in (receipt(CODEC, each) for each in reported)} == told.receipts
    rejected = [refusal(CODEC, out.value) for topic in bus.topics if topic.startswith("rejects.") for out in bus.read(topic)]
    assert {one.place: one for one in rejected} == told.refusals
    assert written.accepted == {record for record, _ in told.receipts}
    assert written.contradicted == told.contradicted
    assert written.strays == told.strays & written.strays
    assert {"delivered", "withheld", "repeat"} == outcomes
    assert all(any(one.view for one in told.receipts.values() if one.recipient == each) for each in RECIPIENTS)
    assert judge(RECIPIENTS, written, told, _as_expected(told, written.refused)).good


def _as_expected(told: Expected, refused: frozenset[str]) -> Found:
    views = [View(one.recipient, one.topic or "", one.view, one.commitment or b"") for one in told.receipts.values() if one.view]
    connectors = [Refusal(CONNECTOR, "malformed-line", each) for each in refused]
    return Found(list(told.receipts.values()), views, [*told.refusals.values(), *connectors])
