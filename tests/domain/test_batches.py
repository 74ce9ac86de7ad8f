"""
Batches of Kafka, read as hostile: whatever their bytes, every offset gives one record, and no other is touched.
"""

from __future__ import annotations

import struct
from typing import Any

import cramjam
import pytest
from aiokafka.record.util import calc_crc32c
from hypothesis import given, settings
from hypothesis import strategies as st

from boutre.processors.runtime.batches import LARGEST_BATCH, Batches, Unread
from broker.bad_input.batches import HEAD, Name, batch, sealed, with_attributes

RECORDS = [(b"key", b"value", [("name", b"x"), ("none", b"")]), (None, None, []), (b"", b"\0" * 300, [("\u00e9", b"\xff")])]


def read(data: bytes) -> list[Any]:
    """Every record of a batch, as aiokafka takes them: what comes again from an offset that it has had is left out."""
    found: list[Any] = []
    for record in Batches(data).next_batch():
        if not found or record.offset > found[-1].offset:
            found.append(record)
    return found


def told(data: bytes) -> list[tuple[Any, ...]]:
    """Key, value and headers of every record of a batch."""
    return [(record.key, record.value, list(record.headers)) for record in read(data)]


def compressed(plain: bytes, codec: int) -> bytes:
    """The same batch with its records compressed."""
    block = cramjam.lz4.Compressor(content_checksum=False, block_linked=False)
    block.compress(plain[HEAD:])
    content = {
        1: lambda: bytes(cramjam.gzip.compress(plain[HEAD:])),
        2: lambda: bytes(cramjam.snappy.compress_raw(plain[HEAD:])),
        3: lambda: bytes(block.finish()),
        4: lambda: bytes(cramjam.zstd.compress(plain[HEAD:])),
    }[codec]()
    head = bytearray(plain[:HEAD])
    struct.pack_into(">h", head, 21, codec)
    return sealed(bytes(head) + content)


@pytest.mark.parametrize("codec", [0, 1, 2, 3, 4])
def test_what_is_in_order_is_read(codec: int) -> None:
    """
    A batch of any format.
    """
    whole = batch(RECORDS) if codec == 0 else compressed(batch(RECORDS), codec)

    assert told(whole) == RECORDS
    assert [0, 1, 2] == [record.offset for record in read(whole)]


def test_a_fetch_is_read_batch_by_batch() -> None:
    """
    Several batches stand behind one another, and the last one may be cut off by the end of the fetch.
    """
    whole = batch(RECORDS)
    fetched = Batches(whole + whole + whole[:-1])

    assert fetched.size_in_bytes() == 3 * len(whole) - 1
    assert [3, 3] == [len(list(fetched.next_batch())) for _ in range(2)]
    assert not fetched.has_next()
    assert fetched.next_batch() is None
    assert [False] * 3 == [Batches(rest).has_next() for rest in (b"", whole[:11], whole[:-1])]


@pytest.mark.parametrize("codec", [1, 2, 3, 4])
@pytest.mark.parametrize("more", [-1, 0, 1])
def test_a_batch_is_unpacked_up_to_its_limit(codec: int, more: int) -> None:
    """
    At the limit it is read; one byte beyond it every record is unread, with its offset.
    """
    around = len(batch([(b"x", b"\0" * 3_000_000, []), (b"y", b"z", [])])) - HEAD - 3_000_000
    plain = batch([(b"x", b"\0" * (LARGEST_BATCH - around + more), []), (b"y", b"z", [])])
    assert LARGEST_BATCH + more == len(plain) - HEAD
    found = read(compressed(plain, codec))

    assert [0, 1] == [record.offset for record in found]
    assert [more > 0] * 2 == [record.value == Unread("too-large") for record in found]


@pytest.mark.parametrize("codec", [0, 4])
def test_a_name_that_is_no_text_costs_its_own_header_only(codec: int) -> None:
    """
    The other headers of the record, and the other records, are read as they are.
    """
    odd = (Name(b"\xff\xfe"), b"1")
    plain = batch([RECORDS[0], (b"k", b"v", [odd, ("fine", b"2")]), RECORDS[2]])

    assert [RECORDS[0], (b"k", b"v", [("\\xff\\xfe", b"1"), ("fine", b"2")]), RECORDS[2]] == told(
        plain if codec == 0 else compressed(plain, codec)
    )


@pytest.mark.parametrize("attributes", range(0, 256, 51))
def test_attributes_mean_nothing(attributes: int) -> None:
    """
    Whatever stands in the byte of attributes, the record is read.
    """
    assert [(b"a", b"b", []), (b"c", b"d", [])] == told(with_attributes(batch([(b"a", b"b", []), (b"c", b"d", [])]), attributes))


@settings(max_examples=400, deadline=None)
@given(st.data())
def test_any_bytes_give_each_offset_once(data: st.DataObject) -> None:
    """
    Where the records of a batch are spoilt, each offset gives one record or one that is unread, in order, and nothing is raised.
    """
    plain = bytearray(batch(RECORDS * 2))
    for _ in range(data.draw(st.integers(1, 6))):
        plain[data.draw(st.integers(HEAD, len(plain) - 1))] = data.draw(st.integers(0, 255))
    codec = data.draw(st.sampled_from([0, 0, 1, 2, 3, 4, 5, 7]))
    struct.pack_into(">h", plain, 21, codec)
    struct.pack_into(">I", plain, 17, calc_crc32c(memoryview(plain)[21:]))
    found = read(bytes(plain))

    assert found
    assert all(isinstance(record.value, bytes | Unread | None) for record in found)
    if codec:
        # What is not compressed can be spoilt so that it still reads, with other offsets: those the broker writes itself.
        assert list(range(6)) == [record.offset for record in found]
