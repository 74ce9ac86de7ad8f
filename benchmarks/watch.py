"""
Watches topics from outside, as their readers would: ``read_committed``.

Rates are taken between two moments of this reader, so that no contender is believed: when it has seen a fifth of the records up to
*finish*, and when it has seen *finish* of them. Starting up lies before that, and waiting for the last batch to fill behind it.
Not from the first record on: whoever works on several partitions at once has done more by then than can be seen.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Final, Self

from confluent_kafka import OFFSET_BEGINNING, OFFSET_END, Consumer, Message, TopicPartition

from benchmarks.reports import identifier
from boutre.errors import Unavailable

RUN_UP: Final = 0.2
"""The part of a run that is not timed, at its beginning."""


@dataclass(frozen=True, slots=True)
class Moment:
    """
    When (monotonic seconds) how many records had been seen, and how much processor time their writers had used by then.
    """

    at: float
    count: int
    cpu: float


@dataclass(frozen=True, slots=True)
class Pace:
    """
    Records a second, and seconds of the writers' processors for each record.
    """

    rate: float
    cpu: float


@dataclass(slots=True)
class Seen:
    """
    What was seen: how often each id, and when how many.
    """

    ids: dict[bytes, int] = field(default_factory=dict)
    moments: list[Moment] = field(default_factory=list)

    @property
    def count(self) -> int:
        """How many records were seen, copies too."""
        return self.moments[-1].count if self.moments else 0

    @property
    def copies(self) -> int:
        """How many records were one too many."""
        return self.count - len(self.ids)

    def pace(self, finish: int) -> Pace:
        """Give the pace between the moments at which ``RUN_UP`` of *finish*, and *finish*, had been seen."""
        begun = next(moment for moment in self.moments if moment.count >= RUN_UP * finish)
        ended = next(moment for moment in self.moments if moment.count >= finish)
        count = ended.count - begun.count
        if count <= 0:
            raise Unavailable("the run was too short to be timed; give it more records")
        return Pace(count / (ended.at - begun.at), (ended.cpu - begun.cpu) / count)


class Reader:
    """
    Reads *topics*, each with its number of partitions, from the beginning or, with *new*, what comes from now on.

    *cpu* gives the processor time of those who write.
    """

    def __init__(
        self, bootstrap: str, topics: Iterable[tuple[str, int]], *, new: bool = False, cpu: Callable[[], float] = lambda: 0.0
    ) -> None:
        self._cpu = cpu
        self._consumer = Consumer(
            {
                "bootstrap.servers": bootstrap,
                "group.id": "benchmark-reader",
                "isolation.level": "read_committed",
                "enable.auto.commit": False,
                "fetch.wait.max.ms": 20,
            }
        )
        parts = [TopicPartition(topic, partition, OFFSET_BEGINNING) for topic, count in topics for partition in range(count)]
        if new:
            for part in parts:
                part.offset = self._consumer.get_watermark_offsets(part, 30)[1]
                assert part.offset != OFFSET_END  # a number, so that nothing is missed before the first fetch
        self._consumer.assign(parts)
        self.seen = Seen()

    def __enter__(self) -> Self:
        """Give it."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Close it."""
        self._consumer.close()

    def until(self, count: int, patience: float, alive: Callable[[], bool]) -> None:
        """
        Read until *count* records were seen; ``Unavailable`` where nothing comes for *patience* seconds, or a writer ends.
        """
        until = time.monotonic() + patience
        while self.seen.count < count:
            if self.more():
                until = time.monotonic() + patience
            elif time.monotonic() > until:
                raise Unavailable(f"{self.seen.count} of {count} records were seen, and then none for {patience:.0f} s")
            elif not alive():
                raise Unavailable(f"a writer ended when {self.seen.count} of {count} records had been seen; see its log")

    def rest(self, quiet: float) -> None:
        """Read what comes until nothing has come for *quiet* seconds: copies would come late."""
        until = time.monotonic() + quiet
        while time.monotonic() < until:
            if self.more():
                until = time.monotonic() + quiet

    def more(self) -> bool:
        """Read what is there, waiting a moment for it; says whether there was any."""
        messages: list[Message] = self._consumer.consume(5_000, 0.02)
        ids = self.seen.ids
        count = 0
        for message in messages:
            value = message.value()
            if message.error() or value is None:
                raise Unavailable(f"the reader was told {message.error()}")
            count += 1
            found = identifier(value)
            ids[found] = ids.get(found, 0) + 1
        if count:
            self.seen.moments.append(Moment(time.monotonic(), self.seen.count + count, self._cpu()))
        return count > 0
