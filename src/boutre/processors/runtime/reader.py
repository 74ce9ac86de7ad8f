"""
Reads partitions outside of Faust, for who follows topics beside the processors: in a plain program, without a group.

Only what was committed, and batches are read as hostile (``hostile.py``): librdkafka unpacks whatever a member has sent, and stands
still for ever before a batch that grows too large. Brokers that are away are waited for.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from types import TracebackType
from typing import Any, Final, Literal, Self, TypeVar

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from boutre.errors import Unavailable
from boutre.processors.decision import Inbound
from boutre.processors.runtime import hostile  # noqa: F401 - imported for what it does
from boutre.processors.runtime.connection import Connection
from boutre.processors.runtime.torn import Torn, tearing

FETCHED: Final = 1_048_576
"""Bytes that are fetched ahead at the most, as they travel."""

ANSWER_S: Final = 20.0
"""Seconds that brokers may take for an answer."""

Place = tuple[str, int]
"""A topic and one of its partitions."""

_T = TypeVar("_T")


class Reader:
    """
    Reads places that are named, from offsets that are named; used as a context. *reset* says what becomes of one that is not there.

    Every call raises Unavailable where Kafka does not answer or refuses.
    """

    def __init__(self, connection: Connection, reset: Literal["none", "earliest"] = "none") -> None:
        self._connection = connection
        self._reset = reset
        self._loop = asyncio.new_event_loop()
        self._consumer: Any = None
        self._assigned: tuple[TopicPartition, ...] = ()

    def __enter__(self) -> Self:
        """Connect."""
        try:
            self._consumer = self._run(self._connected)
        except BaseException:
            self._loop.close()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Leave the brokers, whatever they say."""
        try:
            # Where a broker is gone, aiokafka's own end is torn by a task of its own; nothing is left to lose by it.
            with suppress(asyncio.CancelledError, KafkaError):
                self._loop.run_until_complete(self._consumer.stop())
        finally:
            self._loop.close()

    def partitions(self, topics: Iterable[str]) -> list[Place]:
        """Give every partition of *topics*; raises Unavailable where one is missing."""
        wanted = tuple(topics)
        # A name of aiokafka's own: what it shows openly are the partitions of topics that it reads already.
        known = self._run(self._consumer._client.fetch_all_metadata)  # noqa: SLF001
        found = {topic: known.partitions_for_topic(topic) or () for topic in wanted}
        missing = [topic for topic, numbers in found.items() if not numbers]
        if missing:
            rest = f", nor {len(missing) - 1} more" if len(missing) > 1 else ""
            raise Unavailable(f"the topic {missing[0]} is missing or not yours to read{rest}; run boutre topics plan")
        return [(topic, number) for topic, numbers in found.items() for number in sorted(numbers)]

    def ends(self, places: Iterable[Place]) -> dict[Place, tuple[int, int]]:
        """Give the first offset that Kafka still has of each place, and the one behind what was committed."""
        asked = [TopicPartition(*place) for place in places]
        low = self._run(lambda: self._consumer.beginning_offsets(asked))
        high = self._run(lambda: self._consumer.end_offsets(asked))
        return {(tp.topic, tp.partition): (low[tp], high[tp]) for tp in asked}

    def begin(self, places: Mapping[Place, int]) -> None:
        """Read *places*, each from this offset."""
        self._assigned = tuple(TopicPartition(*place) for place in places)
        self._run(lambda: self._begun(tuple(places.values())))

    def look(self, most: int, seconds: float) -> list[Inbound]:
        """
        Give at most so many records, what there is within so many seconds. One whose bytes could not be read says so (``refused``).
        """
        found = self._run(lambda: self._consumer.getmany(timeout_ms=round(1000 * seconds), max_records=most))
        return [record for records in found.values() for record in records]

    def reached(self) -> dict[Place, int]:
        """Give for each place the next offset to read: behind the marks of transactions too, which are no records."""
        return {(tp.topic, tp.partition): offset for tp, offset in self._run(self._positions).items()}

    def left(self) -> frozenset[Place]:
        """Give the places of which something that was committed is left to read, as far as Kafka has said."""
        ends = {tp: self._consumer.last_stable_offset(tp) for tp in self._assigned}
        at = self._run(self._positions)
        return frozenset((tp.topic, tp.partition) for tp, end in ends.items() if end is None or at[tp] < end)

    async def _begun(self, offsets: Sequence[int]) -> None:
        self._consumer.assign(self._assigned)
        for tp, offset in zip(self._assigned, offsets, strict=True):
            self._consumer.seek(tp, offset)

    async def _positions(self) -> dict[TopicPartition, int]:
        return {tp: int(await self._consumer.position(tp)) for tp in self._assigned}

    async def _connected(self) -> AIOKafkaConsumer:
        consumer = AIOKafkaConsumer(
            **self._connection.aiokafka(),
            isolation_level="read_committed",
            enable_auto_commit=False,
            auto_offset_reset=self._reset,
            fetch_max_bytes=FETCHED,
            max_partition_fetch_bytes=FETCHED,
            request_timeout_ms=round(1000 * ANSWER_S),
        )
        try:
            await consumer.start()
        except BaseException:
            await consumer.stop()
            raise
        return consumer

    def _run(self, ask: Callable[[], Awaitable[_T]]) -> _T:
        async def asked() -> _T:
            with tearing():
                return await ask()

        try:
            return self._loop.run_until_complete(asked())
        except (KafkaError, Torn) as error:
            raise Unavailable(f"Kafka does not answer as it should: {type(error).__name__}; look at BOUTRE_KAFKA__*") from None
