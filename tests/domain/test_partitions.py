"""
Which partition a key goes to: the same for every client, or what is remembered of a key would stand in two places.
"""

from __future__ import annotations

from aiokafka.partitioner import murmur2
from hypothesis import given
from hypothesis import strategies as st

from boutre.connectors.memory import partition_of as by_the_connectors
from boutre.processors.runtime.partitions import FEW, partition_of, partitions_of


@given(keys=st.lists(st.binary(max_size=40), max_size=4 * FEW), count=st.integers(1, 50))
def test_many_keys_go_where_each_of_them_goes_alone(keys: list[bytes], count: int) -> None:
    """
    Hashing together gives for every key, empty ones and all lengths, what aiokafka's own murmur2 gives for it.
    """
    assert [(murmur2(key) & 0x7FFFFFFF) % count for key in keys] == partitions_of(keys, count)


@given(key=st.binary(max_size=40), count=st.integers(1, 50))
def test_one_key_goes_to_the_same_partition_everywhere(key: bytes, count: int) -> None:
    """
    Workers and the transport in memory agree.
    """
    assert by_the_connectors(key, count) == partition_of(key, count)


def test_a_known_key_of_javas_client() -> None:
    """
    Values of Kafka's own test of murmur2 (``UtilsTest``): the partitioner is Java's, and not only like itself.
    """
    known = {b"21": -973932308, b"foobar": -790332482, b"a-little-bit-long-string": -985981536, b"abc": 479470107}

    assert [(value & 0x7FFFFFFF) % 1000 for value in known.values()] == [partition_of(key, 1000) for key in known]
    assert [(value & 0x7FFFFFFF) % 1000 for value in known.values()] * FEW == partitions_of([*known] * FEW, 1000)
