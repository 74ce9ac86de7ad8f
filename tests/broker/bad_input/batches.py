"""
Batches of Kafka as a client of a bad will builds them: bytes that no library writes, and that the broker takes.
"""

from __future__ import annotations

import asyncio
import struct
import time
from collections.abc import Sequence
from typing import Any

import cramjam
from aiokafka.client import AIOKafkaClient
from aiokafka.protocol.produce import ProduceRequest
from aiokafka.record.default_records import _DefaultRecordBatchBuilderPy as Builder
from aiokafka.record.util import calc_crc32c
from aiokafka.structs import TopicPartition

HEAD = 61
"""Bytes of a batch before its records."""

Headers = Sequence[tuple[Any, bytes]]


class Name:
    """
    The name of a header, of any bytes.
    """

    def __init__(self, raw: bytes) -> None:
        self.raw = raw

    def encode(self, *_: str) -> bytes:
        """Give the bytes as they are."""
        return self.raw


def batch(records: Sequence[tuple[bytes | None, bytes | None, Headers]]) -> bytes:
    """
    Build a batch of records: key, value and headers.
    """
    builder = Builder(2, 0, 0, -1, -1, -1, 2**30)
    # One time for all: the bytes of a difference would depend on how fast this machine is.
    now = int(time.time() * 1000)
    for number, (key, value, headers) in enumerate(records):
        assert builder.append(number, now, key, value, list(headers)) is not None
    return bytes(builder.build())


def zstd(plain: bytes) -> bytes:
    """
    Compress the records of a batch.
    """
    return _compressed(plain, bytes(cramjam.zstd.compress(plain[HEAD:])), 4)


def gzip(plain: bytes) -> bytes:
    """
    Compress the records of a batch by the one codec for which librdkafka knows no bound.
    """
    return _compressed(plain, bytes(cramjam.gzip.compress(plain[HEAD:])), 1)


def _compressed(plain: bytes, content: bytes, codec: int) -> bytes:
    head = bytearray(plain[:HEAD])
    struct.pack_into(">h", head, 21, codec)
    return sealed(bytes(head) + content)


def with_attributes(plain: bytes, attributes: int) -> bytes:
    """
    Set the attributes of the first record of a short batch, a byte that Kafka does not use.
    """
    spoilt = bytearray(plain)
    assert spoilt[HEAD] < 0x80, "its length takes one byte"
    spoilt[HEAD + 1] = attributes
    return sealed(bytes(spoilt))


def sealed(spoilt: bytes) -> bytes:
    """
    Make length and checksum of a batch right again.
    """
    whole = bytearray(spoilt)
    struct.pack_into(">i", whole, 8, len(whole) - 12)
    struct.pack_into(">I", whole, 17, calc_crc32c(memoryview(whole)[21:]))
    return bytes(whole)


def send(bootstrap: str, topic: str, data: bytes, partition: int = 0) -> int:
    """
    Hand a batch to the broker as it is; gives the offset of its first record.
    """
    return asyncio.run(_send(bootstrap, topic, data, partition))


async def _send(bootstrap: str, topic: str, data: bytes, partition: int) -> int:
    client = AIOKafkaClient(bootstrap_servers=bootstrap)
    await client.bootstrap()
    try:
        await client.set_topics([topic])
        leader = client.cluster.leader_for_partition(TopicPartition(topic, partition))
        answer = await client.send(leader, ProduceRequest(None, -1, 30_000, [(topic, [(partition, data)])]))
    finally:
        await client.close()
    _, code, offset, *_ = answer.topics[0][1][0]
    assert code == 0, f"the broker refused it: {code}"
    return int(offset)
