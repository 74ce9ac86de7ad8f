"""
What a connector refused, on its own machine: there before its reject is sent, for as long as was declared, and for nobody else.
"""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from boutre.connectors import kept
from boutre.connectors.cursor import Cursors
from boutre.connectors.feeds import Feed
from boutre.connectors.kept import Kept, Refused
from boutre.connectors.memory import MemoryTransport
from boutre.connectors.record import Maker
from boutre.connectors.runner import Runner
from boutre.connectors.sdk import Bad, Raw, source
from boutre.connectors.transport import Acknowledged, Message
from boutre.errors import Unavailable
from boutre.schemas import lock, vocabulary
from boutre.schemas.codec import Codec
from boutre.schemas.rejects import MAX_CONTENT
from boutre.schemas.validation import Validator

NOW = datetime(2024, 3, 1, 12, tzinfo=UTC)
CODEC = Codec(lock.load())
CHECK = Validator(CODEC.lock, vocabulary.load(lock.core() / "vocabularies").has).check
TOPICS = {"national.comoros.sighting": 1, "rejects.comoros": 1}
PLACE = {"file": "forms/7.json", "line": 3, "field": None}


def refused(number: int, content: bytes = b"Ana") -> Refused:
    """An input that was refused."""
    return Refused(
        f"reject-{number}", f"record-{number}", "malformed-line", "2024-03-01T12:00:00+00:00", PLACE, content, truncated=False
    )


@source("given")
def given_source(options: list[Any], after: str | None) -> Iterator[Raw | Bad]:
    """What the test wrote down, behind the cursor."""
    yield from options[0 if after is None else int(after) :]


def feed(*contents: bytes, **more: Any) -> Feed:
    """A feed of bad lines."""
    items = [Bad("malformed-line", content, f"b-{place}", str(place)) for place, content in enumerate(contents, 1)]
    return Feed("given", "comoros", ("sighting",), given_source, items, {"tlp": "GREEN"}, **more)


def runner(folder: Path, transport: Any, now: datetime = NOW) -> Runner:
    """A runner on this machine."""
    maker = Maker(CODEC, CHECK, Ed25519PrivateKey.generate())
    return Runner(maker, transport, Cursors(folder), lambda: now, patience=1.0, kept=Kept(folder / "rejected"))


def memory() -> MemoryTransport:
    """A broker in memory."""
    return MemoryTransport(TOPICS, lambda: NOW)


class Looking:
    """
    A transport that looks at what is kept at the moment when something is sent.
    """

    def __init__(self, own: Kept) -> None:
        self.inner = memory()
        self.own = own
        self.seen: list[bool] = []

    def send(self, message: Message, acknowledged: Acknowledged) -> None:
        """Note whether the refused input of this reject is kept."""
        self.seen.append(message.key.decode() in {one.id for one in self.own.of("given")})
        self.inner.send(message, acknowledged)

    def poll(self, seconds: float) -> None:
        """Poll."""
        self.inner.poll(seconds)

    def flush(self, seconds: float) -> int:
        """Flush."""
        return self.inner.flush(seconds)


@pytest.mark.parametrize("together", [1, 3])
def test_what_is_refused_is_kept_before_its_reject_is_sent(tmp_path: Path, together: int) -> None:
    """
    Whole, with the reason and the place; killed between the two, its owner has it, and the next run tells of it.
    """
    transport = Looking(Kept(tmp_path / "rejected"))
    runner(tmp_path, transport).run(feed(b"Ana", b"\xff\x00", b"x" * (MAX_CONTENT + 1), sign_batch=together))

    assert [True] * 3 == transport.seen
    found = list(Kept(tmp_path / "rejected").of("given"))
    assert [b"Ana", b"\xff\x00", b"x" * MAX_CONTENT] == [one.content for one in found]
    assert [False, False, True] == [one.truncated for one in found]
    assert {("malformed-line", NOW.isoformat(timespec="seconds"))} == {(one.code, one.at) for one in found}


def test_the_cursor_passes_nothing_that_cannot_be_kept(tmp_path: Path) -> None:
    """
    Where it cannot be written the feed stops before it, and says where to look; nothing of it is sent.
    """
    (tmp_path / "rejected").mkdir()
    (tmp_path / "rejected" / "given").write_text("no folder")
    transport = memory()

    with pytest.raises(Unavailable, match="look at the disk"):
        runner(tmp_path, transport).run(feed(b"Ana", b"Ben"))

    assert [] == transport.read("rejects.comoros")
    assert None is Cursors(tmp_path).load("given")
    (tmp_path / "rejected" / "given").unlink()
    assert 2 == runner(tmp_path, transport).run(feed(b"Ana", b"Ben")).rejects


def test_it_is_on_the_disk_before_the_cursor_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    A power cut that leaves the cursor leaves what stands before it: first the one is synced, then the other is written.
    """
    done: list[str] = []
    sync, save = Kept.sync, Cursors.save

    def synced(self: Kept, name: str, now: datetime) -> None:
        sync(self, name, now)
        done.append("kept")

    def saved(self: Cursors, name: str, cursor: str) -> None:
        done.append(f"cursor {cursor}")
        save(self, name, cursor)

    monkeypatch.setattr(Kept, "sync", synced)
    monkeypatch.setattr(Cursors, "save", saved)
    runner(tmp_path, memory()).run(feed(b"Ana"))

    assert ["kept", "cursor 1"] == done


@pytest.mark.parametrize(("days", "left"), [(0, []), (1, [b"b"]), (2, [b"a", b"b"])])
def test_it_stays_as_long_as_the_feed_declares(tmp_path: Path, days: int, left: list[bytes]) -> None:
    """
    Counted in days (UTC); with none nothing is kept. It ends though nothing more is refused.
    """
    for number, content in enumerate((b"a", b"b")):
        own = feed(*[b"seen"] * number, content, keep_rejected_days=days)
        runner(tmp_path, memory(), NOW + timedelta(days=number)).run(own)
    silent = feed(b"a", b"b", keep_rejected_days=days)
    runner(tmp_path, memory(), NOW + timedelta(days=2)).run(silent)

    assert left == [one.content for one in Kept(tmp_path / "rejected").of("given")]


@given(contents=st.lists(st.binary(max_size=30), max_size=6), cut=st.integers(0, 400))
def test_whatever_came_in_is_read_as_it_was_and_a_power_cut_costs_its_own_line(
    tmp_path_factory: pytest.TempPathFactory, contents: list[bytes], cut: int
) -> None:
    """
    Bytes of any kind; a file that ends in the middle of a line loses that one and none that is written behind it.
    """
    own = Kept(tmp_path_factory.mktemp("kept"))
    own.keep("f", [refused(number, content) for number, content in enumerate(contents)], NOW)
    assert contents == [one.content for one in own.of("f")]
    for path in (own.folder / "f").glob("*.jsonl") if own.folder is not None else ():
        whole = path.read_bytes()
        path.write_bytes(whole[:cut])
        before = whole[:cut].count(b"\n") + (cut < len(whole) and whole[cut : cut + 1] == b"\n")
        own.keep("f", [refused(99, b"behind")], NOW)
        assert [*contents[:before], b"behind"] == [one.content for one in own.of("f")]


def test_it_is_for_its_owner_alone_and_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Nobody else on the machine reads it, also after something was deleted from it; a flood of garbage does not fill the disk.
    """
    own = Kept(tmp_path / "rejected")
    before = os.umask(0)
    try:
        own.keep("f", [refused(1), refused(2)], NOW)
        own.forget("f", ["reject-1"])
    finally:
        os.umask(before)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "rejected").rglob("*")}
    assert {"f": 0o700, "2024-03-01.jsonl": 0o600, "lock": 0o600} == modes

    size = (tmp_path / "rejected" / "f" / "2024-03-01.jsonl").stat().st_size
    monkeypatch.setattr(kept, "MOST_A_DAY", 2 * size)
    own.keep("f", [refused(3), refused(4)], NOW)
    own.keep("f", [refused(5)], NOW + timedelta(days=1))
    assert ["reject-2", "reject-3", "reject-5"] == [one.id for one in own.of("f")]


def test_what_is_forgotten_is_gone_from_the_files(tmp_path: Path) -> None:
    """
    By the id of the reject or of the record, wherever it stands, in as many copies as crashes have made; the rest stays.
    """
    own = Kept(tmp_path)
    for day in (0, 1):
        own.keep("f", [refused(1, b"Ana"), refused(2, b"Ben"), refused(3, b"Eve")], NOW + timedelta(days=day))
    assert 3 == len(list(own.of("f")))

    assert 2 == own.forget("f", ["reject-1", "record-2"])
    assert 0 == own.forget("f", ["reject-1", "nobody"])
    written = b"".join(path.read_bytes() for path in (tmp_path / "f").iterdir())
    assert (0, 0, 2) == tuple(map(written.count, (b"Ana", b"Ben", b"Eve")))
    assert ["f"] == own.feeds()
    own.expire("f", date.max)
    assert [] == list(own.of("f"))


def test_a_dry_run_keeps_nothing(tmp_path: Path) -> None:
    """
    Nor does it ask for a folder.
    """
    dry = replace(runner(tmp_path, memory()), kept=Kept(None))
    dry.run(feed(b"Ana"))

    assert not (tmp_path / "rejected").exists()
    assert ([], 0, []) == (list(Kept(None).of("given")), Kept(None).forget("given", ["x"]), Kept(None).feeds())


@pytest.mark.parametrize(
    ("value", "there"),
    [({"a": 1.5, "at": NOW}, {"a": 1.5, "at": "2024-03-01 12:00:00+00:00"}), ({"a": "\udc80"}, {"a": "?"}), ({(1,): 2}, None)],
)
def test_a_report_is_kept_as_its_source_had_made_it(value: dict[Any, Any], there: dict[str, Any] | None) -> None:
    """
    With its reference, its kind and its revision, so that it can be sent under the id that it would have had.

    What is no data that JSON can hold stands in the content alone.
    """
    item = Raw("sighting", value, "A-7", "1", revision=2, content=b"as it came")
    told = {"id": "r", "input": "i", "code": "wrong-type", "at": NOW, "place": PLACE}
    again = Refused.read(json.dumps(Refused.of(told, item).as_json()).encode())
    assert again is not None

    assert b"as it came" == again.content
    whole = {"reference": "A-7", "kind": "sighting", "revision": 2, "subject": None, "value": there}
    assert (None if there is None else whole) == again.report


def test_what_an_older_version_kept_is_read(tmp_path: Path) -> None:
    """
    Without the report; and one that is too large to be kept leaves its content, cut.
    """
    own = Kept(tmp_path)
    own.keep("f", [refused(1)], NOW)
    item = Raw("sighting", {"a": "x" * MAX_CONTENT}, "A-7", "1", content=b"y")
    told = {"id": "r", "input": "i", "code": "too-large", "at": NOW, "place": PLACE}
    own.keep("f", [Refused.of(told, item)], NOW)

    assert [(b"Ana", None), (b"y", None)] == [(one.content, one.report) for one in own.of("f")]
