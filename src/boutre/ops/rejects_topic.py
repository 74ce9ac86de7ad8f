"""
Reads rejects, and the records that they speak of, where they stand on Kafka; by the reader's own rights, without a group.

A member's topics are read as hostile, its own too: what was refused there is what nobody could trust.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from boutre.errors import Refuse, Unavailable
from boutre.ops.rejects_standing import Spot, Stood
from boutre.ops.settings import Settings
from boutre.processors.decision import EPOCH, Inbound
from boutre.processors.runtime.connection import Connection
from boutre.processors.runtime.reader import Reader
from boutre.schemas.codec import Codec

LOOK_S: Final = 0.5
MOST: Final = 500
"""Records in one look at most."""

ANSWER_S: Final = 20.0
"""Seconds that Kafka may give nothing while something is left to be read."""

GAP: Final = 2_000
"""Records that are read over rather than leapt over: a leap costs a turn to the broker."""

SOURCE: Final = "ce_source"
"""The header in which a connector names its member and its feed."""


@dataclass(slots=True)
class RejectTopics:
    """
    An open reader; made by ``reading_rejects``. *unreadable* counts what stood among rejects and is none.
    """

    codec: Codec
    _reader: Reader
    unreadable: int = 0

    def rejects(self, topic: str) -> Iterator[Stood]:
        """Give every reject of a topic up to what was there at the beginning. Raises Unavailable where it cannot be read."""
        ends = {place: both for place, both in self._reader.ends(self._reader.partitions([topic])).items() if both[0] < both[1]}
        if not ends:
            return
        self._reader.begin({place: low for place, (low, _) in ends.items()})
        waiting = _Patience(topic)
        while any(self._reader.reached()[place] < high for place, (_, high) in ends.items()):
            found = self._reader.look(MOST, LOOK_S)
            waiting.turn(moved=bool(found))
            for record in found:
                stood = self._stood(record)
                if stood is None:
                    self.unreadable += 1
                else:
                    yield stood

    def records(self, spots: Iterable[Spot]) -> dict[Spot, Inbound]:
        """
        Give the records at these spots, where Kafka still has them; what could not be unpacked is not among them.

        Raises Unavailable where Kafka does not answer, or a topic is not ours to read.
        """
        left: dict[tuple[str, int], list[int]] = {}
        for spot in sorted(set(spots)):
            left.setdefault((spot.topic, spot.partition), []).append(spot.offset)
        if not left:
            return {}
        ends = self._reader.ends(left)
        left = {place: [one for one in offsets if ends[place][0] <= one < ends[place][1]] for place, offsets in left.items()}
        found: dict[Spot, Inbound] = {}
        while left := {place: offsets for place, offsets in left.items() if offsets}:
            self._reader.begin({place: offsets[0] for place, offsets in left.items()})
            waiting = _Patience(next(iter(left))[0])
            while all(left.values()) and not self._far(left):
                records = self._reader.look(MOST, LOOK_S)
                waiting.turn(moved=bool(records))
                for record in records:
                    if record.offset in left[record.topic, record.partition] and record.refused is None:
                        found[Spot(record.topic, record.partition, record.offset)] = record
                reached = self._reader.reached()
                # What was passed and not found was taken by retention, or is the mark of a transaction.
                left = {place: [one for one in offsets if one >= reached[place]] for place, offsets in left.items()}
        return found

    def _far(self, left: Mapping[tuple[str, int], list[int]]) -> bool:
        reached = self._reader.reached()
        return any(offsets[0] - reached[place] > GAP for place, offsets in left.items())

    def _stood(self, record: Inbound) -> Stood | None:
        try:
            value = self.codec.decode(record.value, frozenset({"reject"})).value
        except Refuse:
            return None
        at = value["at"] or EPOCH + timedelta(milliseconds=record.timestamp)
        return Stood(value, at, Spot(record.topic, record.partition, record.offset), _feed(record.headers))


@dataclass(slots=True)
class _Patience:
    """How long nothing has come."""

    topic: str
    since: float = field(default_factory=time.monotonic)

    def turn(self, *, moved: bool) -> None:
        """Note whether something came; raises Unavailable where nothing has for too long."""
        if moved:
            self.since = time.monotonic()
        elif time.monotonic() - self.since > ANSWER_S:
            raise Unavailable(f"{self.topic} cannot be read to its end; look at BOUTRE_KAFKA__*")


@contextmanager
def reading_rejects(settings: Settings, codec: Codec) -> Iterator[RejectTopics]:
    """
    Give a reader on the cluster of *settings*. Raises Unavailable where it does not answer.
    """
    with Reader(Connection.of(settings.kafka.client()), reset="earliest") as reader:
        yield RejectTopics(codec, reader)


def _feed(headers: Mapping[str, bytes]) -> str | None:
    """Give the feed that a connector names; the bus writes no such header."""
    _, _, feed = headers.get(SOURCE, b"").decode("utf-8", "replace").strip("/").partition("/")
    return feed or None
