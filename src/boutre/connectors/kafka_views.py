"""
Reads topics for somebody who acts on what they hold, and remembers how far that went.

Only committed records are seen (``read_committed``). Nothing is committed by itself: what reads says of each message when its
effect is there, and a position moves only then. So a crash shows some messages again, and never leaves one out.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import nullcontext, suppress
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Literal, Self, TypeAlias

from confluent_kafka import OFFSET_BEGINNING, OFFSET_END, KafkaError, KafkaException, Message, TopicPartition
from confluent_kafka import Consumer as Client

from boutre.connectors.delivery import Polled
from boutre.connectors.reading_traces import ReadingTraces
from boutre.errors import Unavailable
from boutre.health import OWN

log = logging.getLogger("librdkafka")

Place: TypeAlias = tuple[str, int]
Start: TypeAlias = Literal["beginning", "end"]

LEADERLESS: Final = frozenset(
    {KafkaError.NOT_LEADER_FOR_PARTITION, KafkaError.LEADER_NOT_AVAILABLE, KafkaError.UNKNOWN_TOPIC_OR_PART}
)
"""Errors of a partition whose leader is about to be there: of a topic that has just been made, or while it moves."""

ANSWER_SECONDS: Final = 15.0
"""
How long a broker may take to answer about its topics; after that it counts as away.
"""

LEAVE_SECONDS: Final = 2.5
"""
How long a broker may take to remember what is done, for who leaves before the end.
"""

ASK_SECONDS: Final = 1.0
"""
How often a reader that is at its own end asks how far the others of its group are.
"""

SESSION_MILLISECONDS: Final = 10_000
"""
After how long a reader that was killed counts as gone, so that another one of its group takes over; a config may say otherwise.
"""

ASSIGNED: Final = "partitions"
"""What a member of a group lacks until it was given its partitions."""

POSITION: Final = "its position"
"""What the health of a reader is told of: what is done, and not remembered by the broker."""

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

# Names with an underscore are the client's own errors; they are part of its interface.
END_OF_PARTITION: Final = KafkaError._PARTITION_EOF  # noqa: SLF001 - see above
NOT_THERE: Final = frozenset({
    KafkaError.UNKNOWN_TOPIC_OR_PART,
    KafkaError._UNKNOWN_TOPIC,  # noqa: SLF001 - see above
    KafkaError.TOPIC_AUTHORIZATION_FAILED,
})  # fmt: skip
NOT_YOU: Final = frozenset({
    KafkaError.SASL_AUTHENTICATION_FAILED,
    KafkaError._AUTHENTICATION,  # noqa: SLF001 - see above
})  # fmt: skip
HOPELESS: Final = NOT_THERE | NOT_YOU | {KafkaError.GROUP_AUTHORIZATION_FAILED}

# Commits that fail since the group moved on: what they told is told again by whoever has the partition now.
MOVED_ON: Final = frozenset({
    KafkaError.ILLEGAL_GENERATION,
    KafkaError.UNKNOWN_MEMBER_ID,
    KafkaError.REBALANCE_IN_PROGRESS,
    KafkaError._NO_OFFSET,  # noqa: SLF001 - see above
    KafkaError._ASSIGNMENT_LOST,  # noqa: SLF001 - see above
})  # fmt: skip


class Reader:
    """
    Reads *topics*, as a member of *group*, or for itself where that is None.

    A group's position is remembered by the broker, so a group goes on where it was; *start* says where one begins that was never
    there. Without a group nothing is remembered: reading begins at *start* each time, and there is nothing to commit.

    With *until_end* reading stops at the end that each partition had at the start. The end is a position: on a topic written by
    transactions the last offset holds no message, and whoever waits for that message waits for ever. A group is at the end when all
    its members together are: what another one reads, or one that was killed still holds, is waited for, so that "done" means all.

    Raises Unavailable where the broker does not answer, or a topic is missing or not ours to read.
    """

    def __init__(
        self,
        config: Mapping[str, Any],
        topics: Sequence[str],
        *,
        group: str | None,
        start: Start = "beginning",
        until_end: bool = False,
    ) -> None:
        self.topics = tuple(topics)
        self.group = group
        self.until_end = until_end
        self._start = start
        self._errors: deque[KafkaError] = deque(maxlen=8)
        self._ends: dict[Place, int] = {}
        self._wanted: dict[Place, int] = {}
        self._asked = 0.0
        self._last: dict[Place, int] = {}
        self._tail: dict[Place, int] = {}
        self._done: dict[Place, int] = {}
        self._committed: dict[Place, int] = {}
        self._unsaid: KafkaError | None = None
        self._held: deque[Polled] = deque()
        self._traces = ReadingTraces()
        self._client = Client({
            "session.timeout.ms": SESSION_MILLISECONDS,
            "logger": log,
            **config,
            "group.id": group or str(config.get("group.id") or "boutre.nobody"),
            "enable.auto.commit": False,
            "enable.auto.offset.store": False,
            "isolation.level": "read_committed",
            "enable.partition.eof": True,
            "auto.offset.reset": "earliest" if start == "beginning" else "latest",
            "error_cb": self._errors.append,
        })  # fmt: skip

    def __enter__(self) -> Self:
        try:
            places = self._look()
            if self.until_end:
                self._wanted = self._measure(places)
                self._ends = dict(self._wanted)
            if self.group is None:
                offset = OFFSET_BEGINNING if self._start == "beginning" else OFFSET_END
                self._client.assign([TopicPartition(*place, offset) for place in places])
            else:
                OWN.lacks(ASSIGNED, "none were assigned yet")
                self._client.subscribe(
                    list(self.topics), on_assign=self._on_assign, on_revoke=self._on_revoke, on_lost=self._on_lost
                )
        except BaseException:
            self._client.close()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            # What went wrong inside is what its caller must hear of; the messages whose commit fails now come again.
            with suppress(Unavailable) if kind is not None else nullcontext():
                self._commit_at_last()
        finally:
            self._client.close()

    # --- reading -------------------------------------------------------------------------------------------------------

    @property
    def finished(self) -> bool:
        """Whether all that there was at the start was given out; always False without *until_end*."""
        return self.until_end and not self._ends and not self._held

    def poll(self, seconds: float) -> Polled | None:
        """
        Give the next message, or None where none came in *seconds*; raises Unavailable where none can come.
        """
        if self._held:
            return self._held.popleft()
        until = time.monotonic() + seconds
        while not self.finished:
            message = self._client.poll(max(0.0, until - time.monotonic()))
            taken = None if message is None else self._take(message)
            if taken is not None:
                return taken
            self._ask_of_others()
            if time.monotonic() >= until:
                break
        return None

    def rest(self, seconds: float) -> None:
        """
        Wait, and stay a member of the group meanwhile; nothing is lost or skipped by it.
        """
        until = time.monotonic() + seconds
        self._client.pause(self._client.assignment())
        while (left := until - time.monotonic()) > 0:
            # A partition that is assigned only now was not paused; what it gives is kept for later.
            message = self._client.poll(min(left, 0.5))
            taken = None if message is None else self._take(message)
            if taken is not None:
                self._held.append(taken)
        self._client.resume(self._client.assignment())

    def _take(self, message: Message) -> Polled | None:
        error = message.error()
        place = (str(message.topic()), int(message.partition() or 0))
        offset = int(message.offset() or 0)
        if error is not None:
            if error.code() == END_OF_PARTITION:
                self._reached(place, offset)
            elif error.code() in HOPELESS or error.fatal():
                raise self._unavailable(error, message.topic())
            return None
        end = self._ends.get(place)
        if self.until_end and (end is None or offset >= end):
            self._finish(place)
            return None
        self._last[place] = offset
        if end is not None and offset + 1 >= end:
            self._finish(place)
        given = polled(message)
        if self.group is not None:
            self._traces.given(self.group, given)
        return given

    def _reached(self, place: Place, offset: int) -> None:
        """Note that a partition has nothing more before *offset*, whatever stands there that is no message."""
        self._tail[place] = offset
        if place not in self._last or self._done.get(place) == self._last[place] + 1:
            self._done[place] = max(offset, self._done.get(place, 0))
        if offset >= self._ends.get(place, 0):
            self._finish(place)

    def _finish(self, place: Place) -> None:
        if self.until_end:
            self._ends.pop(place, None)
            with suppress(KafkaException):  # It may have been taken away this moment.
                self._client.pause([TopicPartition(*place)])

    def _ask_of_others(self) -> None:
        """Of partitions that are not ours: whether our group has got to their ends."""
        if self.group is None or not self._ends or time.monotonic() - self._asked < ASK_SECONDS:
            return
        self._asked = time.monotonic()
        ours = {(each.topic, each.partition) for each in self._client.assignment()}
        others = [TopicPartition(*place) for place in self._ends if place not in ours]
        with suppress(KafkaException):  # Asked again soon.
            for each in self._client.committed(others, timeout=ANSWER_SECONDS) if others else ():
                if each.offset >= self._ends[each.topic, each.partition]:
                    del self._ends[each.topic, each.partition]

    # --- remembering ---------------------------------------------------------------------------------------------------

    def done(self, topic: str, partition: int, offset: int) -> None:
        """
        Say that the effect of this message, and of all before it in its partition, is there.
        """
        place = (topic, partition)
        if place not in self._last:
            return  # The partition was taken away meanwhile: whoever has it now sees the message again.
        self._traces.done(topic, partition, offset)
        position = offset + 1
        if offset == self._last[place]:
            position = max(position, self._tail.get(place, 0))
        self._done[place] = max(position, self._done.get(place, 0))

    def commit(self) -> None:
        """
        Have the broker remember what is done; what it cannot take now goes with the next commit.

        Raises Unavailable where it will never take it.
        """
        moved = {place: position for place, position in self._done.items() if self._committed.get(place) != position}
        if self.group is None or not moved:
            return
        OWN.begun(POSITION)
        try:
            self._client.commit(offsets=[TopicPartition(*place, position) for place, position in moved.items()], asynchronous=False)
        except KafkaException as failure:
            error = failure.args[0]
            if error.code() in HOPELESS or error.fatal():
                raise self._unavailable(error, None) from None
            self._unsaid = None if error.code() in MOVED_ON else error
            if self._unsaid is not None:
                return
        else:
            OWN.acknowledged(POSITION)
            self._committed.update(moved)
            self._unsaid = None
        OWN.idle(POSITION)

    def _commit_at_last(self) -> None:
        """Commit before leaving, and give a broker that is just restarting the time to take it."""
        # Who goes on until stopped is to stop soon, and gets again what it could not say.
        until = time.monotonic() + (ANSWER_SECONDS if self.until_end else LEAVE_SECONDS)
        self.commit()
        while self._unsaid is not None:
            if time.monotonic() >= until:
                raise self._unavailable(self._unsaid, None)
            time.sleep(0.5)
            self.commit()

    # --- partitions ----------------------------------------------------------------------------------------------------

    def _look(self) -> list[Place]:
        places: list[Place] = []
        for topic in self.topics:
            try:
                found = self._client.list_topics(topic, timeout=ANSWER_SECONDS).topics[topic]
            except KafkaException as failure:
                raise self._unavailable(failure.args[0], None) from None
            if found.error is not None:
                raise self._unavailable(found.error, topic)
            places.extend((topic, partition) for partition in sorted(found.partitions))
        return places

    def _measure(self, places: Sequence[Place]) -> dict[Place, int]:
        """Give the ends of *places* that hold anything: under read_committed, where the first open transaction begins."""
        ends = {}
        for place in places:
            low, high = self._ends_of(place)
            if high > low:
                ends[place] = high
        return ends

    def _ends_of(self, place: Place) -> tuple[int, int]:
        """Give the first offset of a partition and the one behind its last; a new one has no leader for a moment."""
        until = time.monotonic() + ANSWER_SECONDS
        while True:
            try:
                low, high = self._client.get_watermark_offsets(TopicPartition(*place), timeout=ANSWER_SECONDS)
            except KafkaException as failure:
                if failure.args[0].code() not in LEADERLESS or time.monotonic() > until:
                    raise self._unavailable(failure.args[0], place[0]) from None
                time.sleep(0.1)
            else:
                return int(low), int(high)

    def _on_assign(self, _: Client, partitions: list[TopicPartition]) -> None:
        # None of them is no fault: others of the group have them all.
        OWN.has(ASSIGNED, partitions=len(partitions))

    def _on_revoke(self, _: Client, partitions: list[TopicPartition]) -> None:
        with suppress(Unavailable):
            self.commit()
        self._forget(partitions)

    def _on_lost(self, _: Client, partitions: list[TopicPartition]) -> None:
        self._forget(partitions)

    def _forget(self, partitions: Sequence[TopicPartition]) -> None:
        OWN.lacks(ASSIGNED, "they move")
        gone = {(each.topic, each.partition) for each in partitions}
        # What was given out of them and is not committed comes again, to whoever has them now: it is waited for.
        left = [place for place in gone & self._wanted.keys() if self._committed.get(place, 0) < self._wanted[place]]
        self._ends.update({place: self._wanted[place] for place in left})
        with suppress(KafkaException):  # What is paused as it goes would be so when it comes back, and never be read again.
            self._client.resume([TopicPartition(*place) for place in gone])
        for kept in (self._last, self._tail, self._done, self._committed):
            for place in gone:
                kept.pop(place, None)
        self._traces.forget(gone)
        self._held = deque(each for each in self._held if (each.topic, each.partition) not in gone)

    def _unavailable(self, error: KafkaError, topic: str | None) -> Unavailable:
        code = error.code()
        if code in NOT_THERE:
            # The broker gives one answer for both, on purpose: nobody learns from it which topics there are.
            return Unavailable(
                f"the topic {topic} is missing or not yours to read; ask whoever runs the bus, or run boutre topics plan"
            )
        if code == KafkaError.GROUP_AUTHORIZATION_FAILED:
            return Unavailable(f"the consumer group {self.group} is not yours; a group's name begins with its recipient's")
        if code in NOT_YOU:
            return Unavailable("the broker refused the user name, password or certificate; look at BOUTRE_KAFKA__*")
        heard = f" ({self._errors[-1].str()})" if self._errors else ""
        return Unavailable(f"Kafka does not answer: {error.name()}{heard}; look at BOUTRE_KAFKA__*, or run boutre kafka start")


def polled(message: Message) -> Polled:
    """
    Give a message as it stood on its topic.
    """
    told: Any = message.headers() or ()  # The stubs know several forms of it, of which a consumer gives one.
    headers = {name: value for name, value in told if value is not None}
    place = str(message.topic()), int(message.partition() or 0), int(message.offset() or 0)
    return Polled(*place, _moment(message), message.key(), message.value(), headers)


def _moment(message: Message) -> datetime:
    _, milliseconds = message.timestamp()
    return EPOCH + timedelta(milliseconds=milliseconds)
