"""
Accepted records as release reads them: one by its id, or those of the last days in the order of their acceptance.

They lie on ``bus.<kind>``, and what the bus itself found on ``bus.found.<kind>``.

For whoever has the principal ``bus.records``, and the vault where people are to be seen. Only what was committed is read, no group
is joined and no position is kept.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import TracebackType
from typing import Any, Final, NamedTuple, Self

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from boutre.errors import Refuse, Unavailable
from boutre.ops.assembly import Assembly
from boutre.ops.record_input import Given, NoRecord
from boutre.ops.settings import Settings
from boutre.processors.decision import EPOCH
from boutre.schemas.codec import Codec
from boutre.topics.bus import Declarations

ASK_SECONDS: Final = 0.25
"""How long one look for more may take."""

ANSWER_SECONDS: Final = 15.0
"""How long a broker may take to answer, or be silent while something is there to be read."""

AT_ONCE: Final = 500
"""Messages that are asked for at a time."""

QUEUED_KILOBYTES: Final = 2048
"""How much of one partition may be fetched ahead, while those of the others that came before it are read."""

BACKOFF_MILLISECONDS: Final = 20
"""How long a client whose queue was full waits before it fetches on; a second, if nobody says otherwise."""

GROUP: Final = "boutre.records"
"""The name under which the broker sees who reads, as ``bus.records`` may; nobody joins it."""

LOOKED_AT: Final = frozenset({"bus.{kind}", "bus.found.{kind}"})
"""The patterns of the topics on which whole records wait for release."""

Place = tuple[str, int]


def kinds_of(bus: Declarations) -> dict[str, str]:
    """
    Give the topics on which whole records wait for release, each with its kind.
    """
    return {topic.name: str(topic.kind) for topic in bus.topics.values() if topic.pattern in LOOKED_AT}


class Stood(NamedTuple):
    """
    A record as it stood on its topic; *accepted* in milliseconds since 1970 UTC.
    """

    kind: str
    frame: bytes
    accepted: int


@dataclass(slots=True)
class Accepted:
    """
    Every accepted record since a moment, or since the beginning, up to what was there at the start; *count* is how many at most.

    *topics* are read, each of its kind.
    """

    client: Mapping[str, Any]
    topics: Mapping[str, str]
    since: datetime | None = None
    count: int = 0
    _readers: dict[Place, Consumer] = field(default_factory=dict)
    _ends: dict[Place, int] = field(default_factory=dict)

    @classmethod
    def of(cls, settings: Settings, bus: Declarations, since: datetime | None = None) -> Self:
        """Name the cluster of *settings*, and the topics of *bus*."""
        return cls(settings.kafka.consumer(GROUP), kinds_of(bus), since)

    def __enter__(self) -> Self:
        asking = self._consumer()
        try:
            for place, start in self._starts(asking).items():
                # A client for each partition: whoever is ahead is not asked, and the flow control of Kafka does the rest.
                self._readers[place] = self._consumer()
                self._readers[place].assign([TopicPartition(*place, start)])
        except KafkaException as failure:
            self._close()
            raise Unavailable(f"Kafka does not answer: {failure.args[0].name()}; look at BOUTRE_KAFKA__*") from None
        except BaseException:
            self._close()
            raise
        finally:
            asking.close()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._close()

    def _close(self) -> None:
        for reader in self._readers.values():
            reader.close()
        self._readers.clear()

    def _consumer(self) -> Consumer:
        own = {"queued.max.messages.kbytes": QUEUED_KILOBYTES, "fetch.queue.backoff.ms": BACKOFF_MILLISECONDS}
        return Consumer({**self.client, **own, "enable.partition.eof": True, "log_level": 2})

    def _starts(self, consumer: Consumer) -> dict[Place, int]:
        places: list[Place] = []
        for name in self.topics:
            topic = consumer.list_topics(name, timeout=ANSWER_SECONDS).topics[name]
            if topic.error is not None:
                raise Unavailable(f"{name} is missing or not yours to read; it is for operations")
            places += [(topic.topic, number) for number in sorted(topic.partitions)]
        starts = {}
        wanted = {} if self.since is None else self._since(consumer, places, self.since)
        for place in places:
            low, high = consumer.get_watermark_offsets(TopicPartition(*place), timeout=ANSWER_SECONDS)
            start = wanted.get(place, low)
            if 0 <= start < high:
                starts[place], self._ends[place] = start, high
                self.count += high - start
        return starts

    @staticmethod
    def _since(consumer: Consumer, places: list[Place], since: datetime) -> dict[Place, int]:
        stamp = round(since.timestamp() * 1000)
        found = consumer.offsets_for_times([TopicPartition(*place, stamp) for place in places], timeout=ANSWER_SECONDS)
        return {(each.topic, each.partition): each.offset for each in found}

    def __iter__(self) -> Iterator[Stood]:
        partitions = (self._partition(place, reader) for place, reader in self._readers.items())
        return heapq.merge(*partitions, key=lambda stood: stood.accepted)

    def _partition(self, place: Place, reader: Consumer) -> Iterator[Stood]:
        topic, _ = place
        quiet = 0.0
        while quiet < ANSWER_SECONDS:
            found = reader.consume(AT_ONCE, ASK_SECONDS)
            quiet = 0.0 if found else quiet + ASK_SECONDS
            for message in found:
                error, (_, stamp), offset = message.error(), message.timestamp(), int(message.offset() or 0)
                if error is not None:
                    if error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001 - the client's own name for the end
                        return
                    raise Unavailable(f"cannot read {topic}: {error.name()}")
                if offset >= self._ends[place]:
                    return
                yield Stood(self.topics[topic], message.value() or b"", stamp)
        raise Unavailable(
            f"Kafka has not sent for {ANSWER_SECONDS:.0f} seconds what it says is in {topic}; look at BOUTRE_KAFKA__*"
        )


def find(settings: Settings, assembly: Assembly, identifier: str) -> Given:
    """
    Look up one accepted record by its id. Raises NoRecord where there is none, Unavailable where there is no broker.
    """
    return one_of(Accepted.of(settings, assembly.declarations), assembly.codec, identifier)


def one_of(accepted: Accepted, codec: Codec, identifier: str) -> Given:
    """
    Look up one record among some. Raises NoRecord where there is none.
    """
    sought = identifier.encode()
    with accepted as records:
        for stood in records:
            if sought not in stood.frame:
                continue
            try:
                value = codec.decode(stood.frame, frozenset({stood.kind})).value
            except Refuse:
                continue
            if value["id"] == identifier:
                return Given(stood.kind, value, EPOCH + timedelta(milliseconds=stood.accepted))
    raise NoRecord("no accepted record has this id; what the bus refused stands among its member's rejects")
