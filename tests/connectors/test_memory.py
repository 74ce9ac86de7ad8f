"""
The bus in memory keeps the promises of every transport.
"""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from boutre.connectors.memory import MemoryTransport, Stored, murmur2, partition_of
from boutre.connectors.transport import Transport
from boutre.connectors.transport_contract import TransportContract

NOW = datetime(2024, 1, 1, tzinfo=UTC)


class MemoryBench:
    """
    A bus in memory, behind every transport that the suite asks for.
    """

    member = "tester"

    def __init__(self) -> None:
        self.buses: list[MemoryTransport] = []
        self.declared: dict[str, int] = {}

    def transport(self, room: int | None = None) -> Transport:
        """One more client of the same topics."""
        bus = MemoryTransport(self.declared, lambda: NOW, room or 1000)
        if self.buses:
            bus._partitions = self.buses[0]._partitions
        self.buses.append(bus)
        return bus

    def create(self, topic: str, partitions: int = 1) -> str:
        """Declare a topic."""
        self.declared[topic] = partitions
        return topic

    def read(self, topic: str) -> list[Stored]:
        """Read it."""
        return self.buses[0].read(topic)


@pytest.fixture
def bench() -> MemoryBench:
    """A bus of this test's own."""
    return MemoryBench()


class TestMemory(TransportContract):
    """
    In memory.
    """


class TestMemoryInBatches(TransportContract):
    """
    In memory, with feeds that sign many records together: no promise is another.
    """

    sign_batch = 8


@pytest.mark.parametrize(
    ("key", "digest"),
    [
        # The figures of Apache Kafka's own test of its murmur2 (UtilsTest).
        (b"21", -973932308),
        (b"foobar", -790332482),
        (b"a-little-bit-long-string", -985981536),
        (b"a-little-bit-longer-string", -1486304829),
        (b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971),
        (b"abc", 479470107),
    ],
)
def test_murmur2_is_kafkas(key: bytes, digest: int) -> None:
    """The hash is bit for bit that of Kafka's Java client."""
    assert digest % 2**32 == murmur2(key)


@given(key=st.binary(max_size=40), partitions=st.integers(1, 64))
def test_a_partition_is_one_of_the_topics(key: bytes, partitions: int) -> None:
    """Whatever the key, its partition exists."""
    assert partition_of(key, partitions) in range(partitions)
