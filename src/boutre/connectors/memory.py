"""
A bus in memory: the topics of a laptop and of tests, with the partitions that Kafka would choose.

It keeps what it is given until the process ends, and never loses or repeats anything: what Kafka does when it fails, a test asks of
Kafka.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from boutre.connectors.transport import Acknowledged, Message, NotDelivered

MAX_BYTES: Final = 1_048_576
"""The most bytes of key, value and headers together, as Kafka has it by default."""


@dataclass(frozen=True, slots=True)
class Stored:
    """
    A message as it lies in its topic; *timestamp* in milliseconds since 1970.
    """

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes
    value: bytes
    headers: tuple[tuple[str, bytes], ...]


class MemoryTransport:
    """
    Topics in memory: *topics* names each with its number of partitions. What goes elsewhere is not delivered.

    *clock* gives the timestamps; *room* is how many messages may wait for their acknowledgement.
    """

    def __init__(
        self, topics: Mapping[str, int], clock: Callable[[], datetime] = lambda: datetime.now(UTC), room: int = 1000
    ) -> None:
        self._partitions = {name: [list[Stored]() for _ in range(count)] for name, count in topics.items()}
        self._clock = clock
        self._room = room
        self._waiting: deque[tuple[Message, Acknowledged]] = deque()

    def read(self, topic: str) -> list[Stored]:
        """
        Give all that *topic* holds, partition by partition, in order.
        """
        return [stored for partition in self._partitions[topic] for stored in partition]

    @property
    def topics(self) -> Iterable[str]:
        """The declared topics."""
        return tuple(self._partitions)

    def send(self, message: Message, acknowledged: Acknowledged) -> None:
        """Take *message*."""
        while len(self._waiting) >= self._room:
            self.poll(0)
        self._waiting.append((message, acknowledged))

    def poll(self, seconds: float) -> None:  # noqa: ARG002 - nothing here takes time
        """Store and acknowledge what waits."""
        while self._waiting:
            message, acknowledged = self._waiting.popleft()
            acknowledged(self._store(message))

    def flush(self, seconds: float) -> int:
        """Store and acknowledge all."""
        self.poll(seconds)
        return len(self._waiting)

    def _store(self, message: Message) -> NotDelivered | None:
        partitions = self._partitions.get(message.topic)
        if not partitions:
            return NotDelivered(message.topic, "UNKNOWN_TOPIC_OR_PART")
        size = len(message.key) + len(message.value) + sum(len(name) + len(value) for name, value in message.headers)
        if size > MAX_BYTES:
            return NotDelivered(message.topic, "MSG_SIZE_TOO_LARGE")
        number = partition_of(message.key, len(partitions))
        stamp = int(self._clock().timestamp() * 1000)
        place = len(partitions[number])
        partitions[number].append(Stored(message.topic, number, place, stamp, message.key, message.value, message.headers))
        return None


def partition_of(key: bytes, partitions: int) -> int:
    """
    Give the partition of *key*: Kafka's murmur2, its sign bit dropped, modulo the number of partitions.
    """
    return (murmur2(key) & 0x7FFFFFFF) % partitions


def murmur2(data: bytes) -> int:
    """
    Give the 32-bit murmur2 hash with the seed that Kafka's Java client uses.
    """
    mask, mixer = 0xFFFFFFFF, 0x5BD1E995
    digest = 0x9747B28C ^ len(data)
    whole = len(data) & ~3
    for at in range(0, whole, 4):
        part = int.from_bytes(data[at : at + 4], "little") * mixer & mask
        part = (part ^ part >> 24) * mixer & mask
        digest = digest * mixer & mask ^ part
    if rest := data[whole:]:
        digest = (digest ^ int.from_bytes(rest, "little")) * mixer & mask
    digest = (digest ^ digest >> 13) * mixer & mask
    return digest ^ digest >> 15
