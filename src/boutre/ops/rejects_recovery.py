"""
Finds again what was rejected: with the connector that kept it, on its member's topic, or in the reject itself.

What is found is plain data, as a person can edit it. Personal groups that a connector has sealed stay sealed: their owner's machine
cannot open them, and what must be mended in them is mended at its source.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, Literal, TypeAlias

from boutre.connectors.feeds import Feed
from boutre.connectors.kept import Kept, Refused
from boutre.connectors.plain import plain
from boutre.connectors.record import build
from boutre.connectors.sdk import Bad, Raw, Where
from boutre.errors import Refuse, Retry
from boutre.ops.connector_command import Desk
from boutre.ops.rejects_check import Gate
from boutre.ops.rejects_standing import CONNECTOR, Entry, Spot
from boutre.ops.rejects_topic import RejectTopics
from boutre.processors.decision import Inbound
from boutre.schemas.sense import Problem
from boutre.schemas.signature import Keyring

AGAIN: Final = "boutre-again"
"""The header of what was sent again: how often because of one reason, and which, as in ``2 future-time``."""

READ_AGAIN: Final = frozenset({"delimited", "lines"})
"""Sources whose input is text that a person can mend, and of which a part can be read by itself."""

AT_ONCE: Final = 100
"""Records that are held at a time, each of 900 kB at the most."""

Stock: TypeAlias = Literal["connector", "topic", "reject"]


@dataclass(frozen=True, slots=True)
class Recovered:
    """
    A whole record: its *kind* and its value as plain data. *times* is how often its header says that it was sent again.

    *proved* says whether it is known to be this member's own: kept by its connector, or signed with one of its keys. Whatever else
    stands on a topic somebody else may have put there, and a key that signs it again would vouch for it.
    """

    kind: str
    document: Mapping[str, Any] = field(repr=False)
    found: Stock
    feed: str | None = None
    times: int = 0
    proved: bool = False


@dataclass(frozen=True, slots=True)
class Unmade:
    """
    Input of a *feed* of which no record could be made, and why.

    *lines* are the text to be mended; None where that is done at its source.
    """

    feed: str
    problem: Problem
    lines: tuple[str, ...] | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Gone:
    """
    What nobody keeps any more, or what cannot be read.
    """


Found: TypeAlias = Recovered | Unmade | Gone


@dataclass(frozen=True, slots=True)
class Recovery:
    """
    Where one member's rejected input is looked for: with the feeds of this machine, and on Kafka.
    """

    desk: Desk
    gate: Gate
    kept: Kept
    topics: RejectTopics
    ring: Keyring

    def find(self, chosen: Sequence[Entry]) -> Iterator[tuple[Entry, Found]]:
        """Give what there is of each, in no certain order; never more than ``AT_ONCE`` records are held."""
        mine = {entry.id: entry for entry in chosen if entry.stage == CONNECTOR}
        for feed in self._feeds(mine.values()):
            for refused in self.kept.of(feed.id):
                if (entry := mine.pop(refused.id, None)) is not None:
                    yield entry, of_kept(feed, refused)
        for entry in mine.values():
            yield entry, Gone()
        theirs = [entry for entry in chosen if entry.stage != CONNECTOR]
        for at in range(0, len(theirs), AT_ONCE):
            yield from self._on_kafka(theirs[at : at + AT_ONCE])

    def feed(self, name: str) -> Feed | None:
        """Give a feed of this member that is declared here; DeclarationError where its file is not in order."""
        if not (self.desk.settings.folder() / "connectors" / f"{name}.toml").is_file():
            return None
        (feed,) = self.desk.feeds((name,))
        return feed if feed.member == self.gate.member else None

    def _feeds(self, entries: Iterable[Entry]) -> Iterator[Feed]:
        named = {entry.feed for entry in entries}
        for name in self.kept.feeds():
            if (name in named or None in named) and (feed := self.feed(name)) is not None:
                yield feed

    def _on_kafka(self, entries: Sequence[Entry]) -> Iterator[tuple[Entry, Found]]:
        # Only its own topics, whatever a reject says of its place.
        there = self.topics.records(entry.stood for entry in entries if entry.stood is not None and self._own(entry.stood))
        told = self.topics.records(entry.spot for entry in entries if entry.stood not in there)
        for entry in entries:
            if entry.stood is not None and (record := there.get(entry.stood)) is not None:
                yield entry, self._of_frame(entry, record, "topic")
            else:
                yield entry, self._in_reject(entry, told.get(entry.spot))

    def _own(self, spot: Spot) -> bool:
        return spot.topic.startswith(f"national.{self.gate.member}.")

    def _in_reject(self, entry: Entry, reject: Inbound | None) -> Found:
        if reject is None:
            return Gone()
        try:
            value = self.gate.codec.decode(reject.value, frozenset({"reject"})).value
        except Refuse:
            return Gone()
        if value["content"] is None or value["truncated"]:
            return Gone()
        bare = Inbound(reject.topic, reject.partition, reject.offset, reject.key, value["content"], {}, reject.timestamp)
        return self._of_frame(entry, bare, "reject")

    def _of_frame(self, entry: Entry, record: Inbound, found: Stock) -> Found:
        try:
            decoded = self.gate.codec.decode(record.value)
            document = plain(decoded.value)
        except (Refuse, TypeError):
            return Gone()
        proved = found == "topic" and self._proved(record)
        return Recovered(decoded.kind, document, found, entry.feed, times_of(record.headers, entry.code), proved)

    def _proved(self, record: Inbound) -> bool:
        try:
            self.ring.verify(self.gate.member, record.topic, record.value or b"", record.headers)
        except Refuse:
            return False
        return True


def of_kept(feed: Feed, refused: Refused) -> Found:
    """
    Give what a feed has kept as the record that it would have been, or why it is none yet; the feed's declaration of today holds.
    """
    raw, problem, lines = _raw(refused), Problem(refused.code, refused.place.get("field")), None
    if raw is None:
        lines = text_of(feed, refused)
        item = None if lines is None else read_again(feed, lines)
        if isinstance(item, Raw):
            raw = item
        elif isinstance(item, Bad):
            problem = Problem(item.code, item.where.field, item.detail)
    if raw is None:
        return Unmade(feed.id, problem, lines)
    try:
        document = document_of(feed, raw, datetime.fromisoformat(refused.at))
        return Recovered(raw.kind, document, "connector", feed.id, proved=True)
    except Refuse as refusal:
        return Unmade(feed.id, Problem(refusal.code, refusal.field), lines)


def document_of(feed: Feed, raw: Raw, received: datetime) -> dict[str, Any]:
    """
    Give the value of a record as plain data; Refuse where the report says what is not its own to say, or holds what is no data.
    """
    try:
        document: dict[str, Any] = plain(build(feed, raw, received.astimezone(UTC)))
    except (TypeError, ValueError, AttributeError):
        # A source of one's own can give anything.
        raise Refuse("wrong-type") from None
    # Made anew from what the record says of itself when it is sent, since that may be what is mended.
    del document["id"]
    return document


def text_of(feed: Feed, refused: Refused) -> tuple[str, ...] | None:
    """
    Give kept input as lines that can be mended and read by themselves; None where it is no such text, or was cut.
    """
    if feed.source.name not in READ_AGAIN or refused.truncated or not refused.content.strip():
        return None
    encoding = getattr(feed.options, "encoding", "utf-8")
    try:
        lines = refused.content.decode(encoding).rstrip("\r\n").split("\n")
        if feed.source.name == "delimited" and (head := _head(feed, encoding)) not in (None, lines[0]):
            lines.insert(0, str(head))
    except UnicodeDecodeError:
        return None
    return tuple(line.rstrip("\r") for line in lines)


def read_again(feed: Feed, lines: Sequence[str]) -> Raw | Bad | None:
    """
    Have a feed's own source read these lines; gives the first report, or why there is none.
    """
    with TemporaryDirectory() as folder:
        path = Path(folder, feed.options.path.name)
        encoding = getattr(feed.options, "encoding", "utf-8")
        path.write_bytes(("\n".join(lines) + "\n").encode(encoding, "replace"))
        try:
            items = feed.source(replace(feed.options, path=path))
            return next((item for item in items if isinstance(item, Raw | Bad)), None)
        except Retry:
            return None


def times_of(headers: Mapping[str, bytes], code: str) -> int:
    """
    Say how often a record was sent again for a reason by its own header; 0 where that says nothing of it.
    """
    number, _, told = headers.get(AGAIN, b"").decode("utf-8", "replace").partition(" ")
    return int(number) if told == code and number.isascii() and number.isdecimal() and len(number) < len("1000000") else 0


def _raw(refused: Refused) -> Raw | None:
    report = refused.report
    if report is None:
        return None
    try:
        revision = report["revision"]
        where = Where(refused.place.get("file"), refused.place.get("line"))
        return Raw(
            str(report["kind"]), report["value"], str(report["reference"]), "", report["subject"],
            revision if type(revision) is int else 0, where,
        )  # fmt: skip
    except (KeyError, TypeError):
        return None


def _head(feed: Feed, encoding: str) -> str | None:
    """Give the row of a file that names its columns; None where the file is not there any more."""
    try:
        with Path(feed.options.path).open("rb") as file:
            return file.readline().decode(encoding).rstrip("\r\n")
    except OSError:
        return None
