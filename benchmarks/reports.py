"""
Real positions by AIS as national records: the sample feed through the connector's own code, again and again until there are enough.

Each time through the sample is another day: the references differ, and with them the ids; times and places stay as they were heard.
One record in five is a repeat, the same bytes again, at most ``REACH`` records after the first.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from random import Random
from typing import Any, Final

from benchmarks.work import KIND, MEMBER, ROOT, Work, private
from boutre.connectors import feeds
from boutre.connectors.feeds import Feed
from boutre.connectors.record import build
from boutre.connectors.sdk import Raw
from boutre.connectors.transport import Message
from boutre.schemas import lock
from boutre.schemas.codec import Codec
from boutre.schemas.identity import record_id
from boutre.schemas.signature import sign_batch

FEED: Final = "ais-demonstration"
REPEATS: Final = 0.2
REACH: Final = 3_000
SEED: Final = 20260920
HEAD: Final = 6
"""Bytes before the id in a frame: a zero, four of the schema's id, and one for the length of the id, up to 63 letters."""

HEARD: Final = datetime(2026, 9, 20, 12, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Report:
    """
    One national record, not yet signed: *key* is its MMSI, *identifier* its id.
    """

    key: bytes
    identifier: str
    frame: bytes


@cache
def sample() -> tuple[tuple[Raw, dict[str, Any]], ...]:
    """
    Give every position of the sample, with the value of its record.
    """
    feed = _feed()
    items = (item for item in feed.source.read(feed.options, None) if isinstance(item, Raw))
    return tuple((item, build(feed, item, HEARD)) for item in items)


@cache
def reports(count: int) -> tuple[Report, ...]:
    """
    Give *count* records, repeats among them; the same for the same count.
    """
    random = Random(SEED)  # noqa: S311 - to choose which record comes again
    new = fresh()
    made: list[Report] = []
    for _ in range(count):
        again = made and random.random() < REPEATS
        made.append(random.choice(made[-REACH:]) if again else next(new))
    return tuple(made)


@cache
def views(count: int) -> frozenset[bytes]:
    """
    Give the ids of all views that must come of ``reports(count)``: an id is made of its view's content, and proves it too.
    """
    work = Work.load(signed=False)
    frames = {report.identifier: report.frame for report in reports(count)}
    return frozenset(identifier(work.view(work.read("", frame, {}))) for frame in frames.values())


def identifier(frame: bytes) -> bytes:
    """
    Give the id in a frame, which stands first in it, without reading the rest.
    """
    return frame[HEAD : HEAD + (frame[HEAD - 1] >> 1)]


def unsigned(topic: str, made: Sequence[Report]) -> Iterator[Message]:
    """
    Give the messages of records without signatures.
    """
    return (Message(topic, report.key, report.frame) for report in made)


def signed(topic: str, made: Sequence[Report]) -> Iterator[Message]:
    """
    Give the messages of records as their feed signs them: so many together as it declares.
    """
    together = _feed().sign_batch
    own = private()
    for begin in range(0, len(made), together):
        part = made[begin : begin + together]
        headers = sign_batch(own, [(topic, report.frame) for report in part])
        for report, proof in zip(part, headers, strict=True):
            yield Message(topic, report.key, report.frame, tuple(proof.items()))


def fresh() -> Iterator[Report]:
    """
    Give records without end, none of them twice.
    """
    codec = Codec(lock.load())
    day = 0
    while True:
        for raw, value in sample():
            reference = f"{raw.reference}.{day}"
            own = record_id(MEMBER, KIND, FEED, reference)
            told = {**value, "id": own, "origin": {**value["origin"], "reference": reference}}
            yield Report((raw.subject or own).encode(), own, codec.encode(KIND, told))
        day += 1


@cache
def _feed() -> Feed:
    return feeds.one(ROOT, FEED)
