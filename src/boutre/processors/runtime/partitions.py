"""
Which partition a key goes to: murmur2, as every client of Kafka chooses by default in Java, and as all of this bus are told to.

aiokafka's murmur2 is Python, some microseconds a key, and a record of release has a dozen keys. Here keys of one length are hashed
together; few keys are left to aiokafka's, which is also what a test holds this one to.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Final

import numpy as np
from aiokafka.partitioner import murmur2

FEW: Final = 12
"""Keys up to which hashing one by one is the faster way."""

_SEED: Final = 0x9747B28C
_M: Final = np.uint32(0x5BD1E995)
_POSITIVE: Final = 0x7FFFFFFF


def partition_of(key: bytes, count: int) -> int:
    """
    Give the partition of one key in a topic of *count* partitions.
    """
    return 0 if count == 1 else (int(murmur2(key)) & _POSITIVE) % count


def partitions_of(keys: Sequence[bytes], count: int) -> list[int]:
    """
    Give the partition of each of *keys* in a topic of *count* partitions.
    """
    if count == 1:
        return [0] * len(keys)
    if len(keys) <= FEW:
        return [partition_of(key, count) for key in keys]
    by_length: dict[int, list[int]] = defaultdict(list)
    for place, key in enumerate(keys):
        by_length[len(key)].append(place)
    found = [0] * len(keys)
    for length, places in by_length.items():
        hashes = _murmur2(b"".join([keys[place] for place in places]), length, len(places))
        for place, partition in zip(places, ((hashes & _POSITIVE) % count).tolist(), strict=True):
            found[place] = partition
    return found


def _murmur2(data: bytes, length: int, count: int) -> np.ndarray[tuple[int], np.dtype[np.uint32]]:
    """Hash *count* keys of *length* bytes each; products of 32-bit numbers wrap, as murmur2 wants it."""
    rows = np.frombuffer(data, np.uint8).reshape(count, length)
    whole = length // 4
    words = np.ascontiguousarray(rows[:, : whole * 4]).view("<u4")
    h = np.full(count, _SEED ^ length, np.uint32)
    for column in range(whole):
        k = words[:, column] * _M
        k ^= k >> np.uint32(24)
        k *= _M
        h *= _M
        h ^= k
    rest = length - whole * 4
    if rest:
        for place in range(rest):
            h ^= rows[:, whole * 4 + place].astype(np.uint32) << np.uint32(8 * place)
        h *= _M
    h ^= h >> np.uint32(13)
    h *= _M
    h ^= h >> np.uint32(15)
    return h
