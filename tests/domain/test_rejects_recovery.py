"""
What was rejected is found again where its connector kept it, and comes back from a person's hands as a file.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from boutre.connectors import feeds
from boutre.connectors.cursor import Cursors
from boutre.connectors.feeds import Feed
from boutre.connectors.kept import Kept
from boutre.connectors.memory import MemoryTransport
from boutre.connectors.record import Maker
from boutre.connectors.runner import Runner
from boutre.connectors.sdk import Bad, Raw, Where, source
from boutre.errors import DeclarationError
from boutre.ops import rejects_file
from boutre.ops.rejects_check import gate_of
from boutre.ops.rejects_recovery import AGAIN, Recovered, Unmade, of_kept, read_again, times_of
from boutre.ops.rejects_standing import Entry, Spot, entry_of
from boutre.ops.rejects_standing import Stood as StoodReject
from boutre.schemas.sense import Problem
from boutre.schemas.validation import Validator
from boutre.topics import bus
from records import CODEC, LOCK, NOW, ROOT, words

VALIDATOR = Validator(LOCK, words().has)
GATE = gate_of(bus.load(ROOT), CODEC, VALIDATOR, "comoros")
TABLE = """
member = "comoros"
kinds = ["sighting"]
source = "delimited"

[options]
path = "reports.csv"
reference = "number"
encoding = "cp1252"

[[options.rules]]
column = "day"
read = "moment"
to = "times.observed"

[[options.rules]]
column = "what"
read = "code"
to = "event.type"
codes = {codes}

[[options.rules]]
column = "latitude"
read = "number"
to = "position.latitude"

[[options.rules]]
column = "longitude"
read = "number"
to = "position.longitude"

[handling]
tlp = "AMBER"
"""


def declared(folder: Path, codes: str = '{ migrants = "irregular-migration" }') -> Feed:
    """A feed of a table."""
    (folder / "connectors").mkdir(exist_ok=True)
    (folder / "connectors" / "table.toml").write_text(TABLE.format(codes=codes), encoding="utf-8")
    return feeds.one(folder, "table")


def refused(folder: Path, feed: Feed) -> tuple[Kept, list[Entry]]:
    """Run a feed; gives what it kept, and its rejects as they are listed."""
    own = Kept(folder / "rejected")
    to = MemoryTransport({"national.comoros.sighting": 1, "rejects.comoros": 1}, lambda: NOW)
    maker = Maker(CODEC, VALIDATOR.check, Ed25519PrivateKey.generate())
    Runner(maker, to, Cursors(folder / "state"), lambda: NOW, kept=own).run(feed)
    stored = to.read("rejects.comoros")
    found = [StoodReject(CODEC.decode(one.value).value, NOW, Spot(one.topic, 0, one.offset), feed.id) for one in stored]
    return own, [entry_of(one, CODEC) for one in found]


def table(folder: Path, *rows: str) -> None:
    """Write the table."""
    (folder / "reports.csv").write_bytes("\r\n".join(["number,day,what,latitude,longitude", *rows, ""]).encode("cp1252"))


def test_a_report_that_was_refused_becomes_the_record_that_it_would_have_been(tmp_path: Path) -> None:
    """
    Under the id that its reject names, with the words of its feed and the time at which it came in; the reason is still there.
    """
    table(tmp_path, "7,2026-09-01,migrants,1234.5,44.7")
    feed = declared(tmp_path)
    own, (entry,) = refused(tmp_path, feed)
    (kept,) = own.of("table")
    found = of_kept(feed, kept)
    assert isinstance(found, Recovered)
    typed = GATE.typed(found.kind, found.document)
    assert not isinstance(typed, Problem)

    assert found.proved
    assert ("out-of-range", "position.latitude") == (entry.code, entry.field)
    assert (entry.record, NOW, "AMBER") == (typed["id"], typed["times"]["received_at"], typed["handling"]["tlp"])
    told = GATE.problem(found.kind, typed, NOW)
    assert told is not None
    assert ("out-of-range", "position.latitude") == (told.code, told.field)


def test_a_line_of_which_no_record_could_be_made_is_read_again(tmp_path: Path) -> None:
    """
    As text with its columns named above it; mended, it gives the record whose id its reject names.

    And where not the line but the declaration was wrong, it is a record as soon as that is mended.
    """
    table(tmp_path, "7,2026-09-01,migrants,douze,44.7", "8,2026-09-01,naufragés,-12.5,44.7")
    feed = declared(tmp_path)
    own, entries = refused(tmp_path, feed)
    number, code = own.of("table")
    found, unknown = of_kept(feed, number), of_kept(feed, code)
    assert isinstance(found, Unmade)
    assert isinstance(unknown, Unmade)
    assert found.lines is not None

    assert ("wrong-type", "latitude") == (found.problem.code, found.problem.field)
    assert ("number,day,what,latitude,longitude", "7,2026-09-01,migrants,douze,44.7") == found.lines
    assert "naufragés" in (unknown.lines or ("", ""))[1]
    item = read_again(feed, [line.replace("douze", "-12.5") for line in found.lines])
    assert isinstance(item, Raw)
    assert "7" == item.reference

    mended = of_kept(declared(tmp_path, '{ migrants = "irregular-migration", "naufragés" = "distress" }'), code)
    assert isinstance(mended, Recovered)
    typed = GATE.typed(mended.kind, mended.document)
    assert not isinstance(typed, Problem)
    assert entries[1].record == typed["id"]


def test_what_is_no_text_is_mended_at_its_source(tmp_path: Path) -> None:
    """
    A form, a line that was cut, bytes in another encoding, a source of one's own: there is nothing to be edited here.
    """

    @source("own")
    def own_source(options: list[Any], after: str | None) -> Iterator[Bad]:
        """What the test wrote down."""
        assert after is None
        yield from options

    bad = [Bad("malformed-line", b"x;y", "1", "1", where=Where("own.txt", 1))]
    feed = Feed("own", "comoros", ("sighting",), own_source, bad, {"tlp": "GREEN"})
    own, _ = refused(tmp_path, feed)
    (kept,) = own.of("own")
    assert Unmade("own", Problem("malformed-line")) == of_kept(feed, kept)

    delimited = declared(tmp_path)
    for other in (replace(kept, content=b"7,\x81,", truncated=False), replace(kept, content=b"7,", truncated=True)):
        assert Unmade("table", Problem("malformed-line")) == of_kept(delimited, other)


@pytest.mark.parametrize(
    ("header", "times"),
    [(b"2 future-time", 2), (b"2 unknown-key", 0), (b"", 0), (b"-2 future-time", 0), (b"9999999 future-time", 0), (b"\xff", 0)],
)
def test_a_header_says_how_often_for_this_reason(header: bytes, times: int) -> None:
    """
    Anything else says nothing: its owner alone writes it, and is kept from nothing but a loop.
    """
    assert times == times_of({AGAIN: header}, "future-time")


# --- The file ---------------------------------------------------------------------------------------------------------------


ENTRY = Entry(
    "reject-1", "record-1", "comoros", "sighting", "connector", "out-of-range", "position.latitude", "table", NOW, "a.csv:2", None,
    Spot("rejects.comoros", 0, 1),
)  # fmt: skip


def test_a_file_goes_out_and_comes_back(tmp_path: Path) -> None:
    """
    For its owner's eyes only, and never over another file; what stands in it beside the record tells what to do.
    """
    record = Recovered("sighting", {"position": {"latitude": 1234.5}}, "connector", "table", 2)
    lines = Unmade("table", Problem("wrong-type"), ("number,what", "7,é"))
    for name, found in (("record", record), ("lines", lines)):
        rejects_file.save(tmp_path / name, rejects_file.written(ENTRY, "Trop grand.", found, "fr"))
    back, text = rejects_file.read(tmp_path / "record"), rejects_file.read(tmp_path / "lines")
    assert isinstance(back.found, Recovered)

    assert ("reject-1", "record-1", "comoros", "out-of-range") == (back.reject, back.record, back.member, back.code)
    assert ("sighting", {"position": {"latitude": 1234.5}}, 2) == (back.found.kind, back.found.document, back.found.times)
    assert ("table", ("number,what", "7,é")) == text.found
    assert 0o600 == (tmp_path / "record").stat().st_mode & 0o777
    told = json.loads((tmp_path / "record").read_text(encoding="utf-8"))["says"]
    assert ("Trop grand.", True) == (told["reason"], "Corrigez" in told["how"])
    with pytest.raises(DeclarationError, match="is there already"):
        rejects_file.save(tmp_path / "record", {})


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"form": "boutre reject 2"}, "form"),
        ({"reject": None}, "reject"),
        ({"value": None}, "value: or content"),
        ({"content": ["a"]}, "value: or content"),
        ({"kind": None}, "kind: is missing"),
        ({"vaule": {}}, "vaule"),
        ({"value": ["SECRET"]}, "value"),
    ],
)
def test_a_file_that_is_none_is_told_by_its_key(tmp_path: Path, changes: dict[str, Any], said: str) -> None:
    """
    And by no value of it.
    """
    record = Recovered("sighting", {"narrative": "SECRET"}, "connector", "table")
    document = {**rejects_file.written(ENTRY, "", record, "en"), **changes}
    (tmp_path / "mend.json").write_text(json.dumps(document), encoding="utf-8")

    with pytest.raises(DeclarationError) as caught:
        rejects_file.read(tmp_path / "mend.json")
    assert said in str(caught.value)
    assert "SECRET" not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b'{"form": ', "line 1: is no JSON"),
        (b"\xff", "is not UTF-8"),
        (b'{"kind": "a", "kind": "b"}', "kind: stands there twice"),
        (b"[" * 100_000, "lies too deep"),
        (None, "cannot be read"),
    ],
)
def test_a_file_that_cannot_be_read_is_told(tmp_path: Path, content: bytes | None, said: str) -> None:
    """
    With the place where that is known.
    """
    if content is not None:
        (tmp_path / "mend.json").write_bytes(content)

    with pytest.raises(DeclarationError, match=said):
        rejects_file.read(tmp_path / "mend.json")
