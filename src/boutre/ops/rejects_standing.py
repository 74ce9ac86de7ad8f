"""
Where the rejects of one member stand: which are open, which were sent again, how many there are for which reason.

Pure: what stood on the topic and what this machine has sent again come in, a list and counts go out. A record that was refused
several times counts once, by its latest reject. Whether it was accepted in the end no member is told by the bus; a record that was
sent again and of which no newer reject has come is taken to be through.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Literal, NamedTuple, TypeAlias

from boutre.errors import Refuse
from boutre.schemas.codec import Codec
from boutre.schemas.identity import record_id

State: TypeAlias = Literal["open", "sent", "superseded"]
STATES: Final[tuple[State, ...]] = ("open", "sent", "superseded")

CONNECTOR: Final = "connector"
"""The stage of what a connector refused; every other is a step of the bus."""


class Spot(NamedTuple):
    """
    Where one record stands.
    """

    topic: str
    partition: int
    offset: int


@dataclass(frozen=True, slots=True)
class Stood:
    """
    A reject as it stands on its topic; *feed* is whose connector wrote it, None where the bus did.
    """

    value: Mapping[str, Any] = field(repr=False)
    at: datetime
    spot: Spot
    feed: str | None = None


class Entry(NamedTuple):
    """
    One reject without what it held. *record* is the id of the record that it is about, as far as that can be made out.

    *stood* is where the input stood on Kafka, None for what a connector refused; *spot* is where the reject stands itself.
    """

    id: str
    record: str
    member: str
    kind: str | None
    stage: str
    code: str
    field: str | None
    feed: str | None
    at: datetime
    source: str | None
    stood: Spot | None
    spot: Spot


class Standing(NamedTuple):
    """
    A reject and what became of it; *times* is how often its record was sent again because of this very reason.
    """

    entry: Entry
    state: State
    times: int


class Row(NamedTuple):
    """
    Rejects that are alike: how many of them are open, how many were sent again, when the newest came.
    """

    code: str
    field: str | None
    feed: str | None
    open: int
    sent: int
    newest: datetime


@dataclass(frozen=True, slots=True)
class Choice:
    """
    Which rejects are asked for; what is empty or None chooses nothing away. *since* is UTC.
    """

    ids: frozenset[str] = frozenset()
    codes: frozenset[str] = frozenset()
    fields: frozenset[str] = frozenset()
    feeds: frozenset[str] = frozenset()
    since: datetime | None = None

    def __call__(self, entry: Entry) -> bool:
        """Say whether a reject is one of them; by its id, or by that of its record."""
        return (
            (not self.ids or not self.ids.isdisjoint((entry.id, entry.record)))
            and (not self.codes or entry.code in self.codes)
            and (not self.fields or any(_within(entry.field, field) for field in self.fields))
            and (not self.feeds or entry.feed in self.feeds)
            and (self.since is None or entry.at >= self.since)
        )


def entry_of(stood: Stood, codec: Codec) -> Entry:
    """
    Give what is listed of a reject.
    """
    value = stood.value
    place = value["place"]
    inner = _inner(codec, value)
    known = inner if value["stage"] != CONNECTOR and inner is not None and inner["id"] == _own_id(inner, value["kind"]) else None
    at = None if place["topic"] is None else Spot(place["topic"], place["partition"], place["offset"])
    file = ":".join(str(place[name]) for name in ("file", "line") if place[name] is not None)
    return Entry(
        id=str(value["id"]),
        # Nobody has proved what the bus could not read; its owner, on whose topic it stood, may believe it of itself.
        record=str(value["input"] if known is None else known["id"]),
        member=str(value["member"]),
        kind=value["kind"],
        stage=str(value["stage"]),
        code=str(value["code"]),
        field=place["field"],
        feed=stood.feed if known is None else str(known["origin"]["feed"]),
        at=stood.at,
        source=file or (None if at is None else f"{at.topic}/{at.partition}/{at.offset}"),
        stood=at,
        spot=stood.spot,
    )


def standings(entries: Iterable[Entry], sent_at: Mapping[str, datetime], times: Callable[[str, str], int]) -> Iterator[Standing]:
    """
    Say where each reject stands, the oldest first and each once.

    *sent_at* says for the id of a reject when its record was last sent again, *times* how often one was for a code.
    """
    newest: dict[str, Entry] = {}
    for entry in sorted(entries, key=lambda one: (one.at, one.spot)):
        newest.pop(entry.id, None)
        newest[entry.id] = entry
    latest = {entry.record: entry.id for entry in newest.values()}
    for entry in newest.values():
        sent = sent_at.get(entry.id)
        state: State = "open"
        if latest[entry.record] != entry.id:
            state = "superseded"
        elif sent is not None and (entry.stood is not None or sent >= entry.at):
            # Another reject of the same record at another place has another id; a connector's has the same at the same place.
            state = "sent"
        yield Standing(entry, state, times(entry.record, entry.code))


def rows(found: Iterable[Standing]) -> list[Row]:
    """
    Count rejects that are alike, those of which most are open first; what was superseded is not counted.
    """
    counts: Counter[tuple[str, str | None, str | None, str]] = Counter()
    newest: dict[tuple[str, str | None, str | None], datetime] = {}
    for entry, state, _ in found:
        if state == "superseded":
            continue
        alike = (entry.code, entry.field, entry.feed)
        counts[*alike, state] += 1
        newest[alike] = max(newest.get(alike, entry.at), entry.at)
    made = [Row(*alike, counts[*alike, "open"], counts[*alike, "sent"], at) for alike, at in newest.items()]
    return sorted(made, key=lambda row: (-row.open, -row.sent, row.code, row.field or "", row.feed or ""))


def _within(field: str | None, asked: str) -> bool:
    """A field is itself, one below it, or one of the boxes of a form."""
    return field is not None and any(one == asked or one.startswith(f"{asked}.") for one in field.split("; "))


def _inner(codec: Codec, value: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Give the record that a reject of the bus holds; None where it holds none that can be read."""
    if value["content"] is None or value["truncated"]:
        return None
    try:
        return codec.decode(value["content"]).value
    except Refuse:
        return None


def _own_id(inner: Mapping[str, Any], kind: str | None) -> str | None:
    """Give the id that a record must have by what it says of itself."""
    origin, lifecycle = inner.get("origin"), inner.get("lifecycle")
    if not isinstance(origin, Mapping) or not isinstance(lifecycle, Mapping) or kind is None:
        return None
    head = (str(origin.get("member")), kind, str(origin.get("feed")), str(origin.get("reference")))
    revision = lifecycle.get("revision")
    return record_id(*head, revision if isinstance(revision, int) else 0)
