"""
Reads the batches of Kafka as hostile: what one record does to its reader, it does to itself alone.

The broker takes what aiokafka dies of: a header whose name is no UTF-8, attributes of a record that nobody has defined, and a batch
that grows a thousandfold when it is decompressed. Here a record that cannot be read comes as one that says so, each at its own
offset, so that it is rejected to its owner and the partition goes on. What is in order is read by aiokafka's own fast reader.
"""

from __future__ import annotations

import gzip
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import BytesIO
from typing import Any, Final

import cramjam
from aiokafka.codec import snappy_decode
from aiokafka.record.memory_records import MemoryRecords

LARGEST_BATCH: Final = 4_194_304
"""Bytes of a batch when it is decompressed. Kafka's clients send at most one mebibyte, unless they are told otherwise."""

LARGEST_POLL: Final = 4_194_304
"""Bytes of one partition's records that are handed on at once: a number of records alone would bound no memory."""

_LENGTH: Final = struct.Struct(">qi")  # base offset, and how many bytes follow
_HEAD: Final = 61
_ATTRIBUTES: Final = struct.Struct(">h")
_ATTRIBUTES_AT: Final = 21
_COUNT: Final = struct.Struct(">i")
_COUNT_AT: Final = 57
_CODEC: Final = 0x07
_MAGIC_AT: Final = 16
_MAGIC: Final = 2
_VARINT_BYTES: Final = 10


@dataclass(frozen=True, slots=True)
class Unread:
    """
    In the place of a value whose bytes could not be read: why not, a code of the vocabulary ``reject-reason``.
    """

    code: str

    def __len__(self) -> int:
        return 0


@dataclass(frozen=True, slots=True)
class Record:
    """
    One record as aiokafka gives it; *timestamp* in milliseconds.
    """

    offset: int
    timestamp: int
    timestamp_type: int
    key: bytes | None
    value: bytes | Unread | None
    headers: list[tuple[str, bytes | None]]
    checksum: None = None


class Batches:
    """
    What a fetch gave of one partition, batch by batch; it stands in the place of aiokafka's ``MemoryRecords``.
    """

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def size_in_bytes(self) -> int:
        """Give how many bytes were fetched."""
        return len(self._data)

    def has_next(self) -> bool:
        """Say whether another whole batch is there; the last one of a fetch may be cut."""
        return self._end() is not None

    def next_batch(self) -> Any:
        """Give the next batch, or None."""
        end = self._end()
        if end is None:
            return None
        piece, self._at = self._data[self._at : end], end
        batch = MemoryRecords(piece).next_batch()
        # Control batches are the broker's own, and batches of the old formats no broker takes any more.
        hostile = len(piece) >= _HEAD and piece[_MAGIC_AT] == _MAGIC and not batch.is_control_batch
        return Batch(batch, piece) if hostile else batch

    def _end(self) -> int | None:
        if len(self._data) - self._at < _LENGTH.size:
            return None
        _, length = _LENGTH.unpack_from(self._data, self._at)
        end = self._at + _LENGTH.size + int(length)
        return end if length >= 0 and end <= len(self._data) else None


class Batch:
    """
    One batch, whose head is aiokafka's; read as often as one likes.
    """

    def __init__(self, head: Any, piece: bytes) -> None:
        self._head = head
        self._piece = piece

    def __getattr__(self, name: str) -> Any:
        return getattr(self._head, name)

    def __iter__(self) -> Iterator[Any]:
        """
        Give every record of the batch, in order; whoever has had the first ones leaves them out by their offsets.
        """
        attributes = self._head.attributes
        try:
            content = _decompressed(attributes & _CODEC, self._piece[_HEAD:])
        except Exception:  # noqa: BLE001 - libraries for four formats raise what they like, and hostile bytes are no fault of the bus
            yield from self._unread(0, "undecodable")
            return
        if content is None:
            yield from self._unread(0, "too-large")
            return
        head = bytearray(self._piece[:_HEAD])
        _ATTRIBUTES.pack_into(head, _ATTRIBUTES_AT, attributes & ~_CODEC)
        _LENGTH.pack_into(head, 0, self._head.base_offset, _HEAD + len(content) - _LENGTH.size)
        # Where the broker numbered the records without gaps, a place that differs was read askew.
        begin = None if self._sparse else self._head.base_offset
        try:
            for number, record in enumerate(MemoryRecords(bytes(head) + content).next_batch()):
                if begin is not None and record.offset != begin + number:
                    break  # it was read askew: what stands in it is not what its sender wrote
                yield record
            else:
                return
        except Exception:  # noqa: BLE001, S110 - the same: UnicodeDecodeError, CorruptRecordException and others
            pass
        yield from self._one_by_one(content)

    def _one_by_one(self, content: bytes) -> Iterator[Record]:
        """Read slowly what could not be read fast, so that a bad record takes no other with it."""
        at = 0
        for number in range(self._count):
            try:
                length, begin = _varint(content, at)
                at = begin + length
                if length < 0 or at > len(content):
                    raise ValueError  # noqa: TRY301 - the same as a number that does not end
            except (ValueError, IndexError):
                yield from self._unread(number, "undecodable")
                return
            try:
                yield self._record(number, content[begin:at])
            except (ValueError, IndexError):
                yield self._bare(number, "undecodable")

    def _record(self, number: int, piece: bytes) -> Record:
        later, at = _varint(piece, 1)  # behind one byte of attributes, which mean nothing yet
        further, at = _varint(piece, at)
        key, at = _bytes(piece, at)
        value, at = _bytes(piece, at)
        count, at = _varint(piece, at)
        headers = []
        for _ in range(count):
            name, at = _bytes(piece, at)
            content, at = _bytes(piece, at)
            headers.append(((name or b"").decode("utf-8", "backslashreplace"), content))
        place = further if self._sparse else number
        return Record(self._head.base_offset + place, self._at(later), self._head.timestamp_type, key, value, headers)

    def _at(self, later: int) -> int:
        """Give a record's time: the broker's where the topic has it so, else the sender's."""
        return int(self._head.max_timestamp if self._head.timestamp_type else self._head.first_timestamp + later)

    def _unread(self, begin: int, code: str) -> Iterator[Record]:
        return (self._bare(number, code) for number in range(begin, self._count))

    def _bare(self, number: int, code: str) -> Record:
        return Record(self._head.base_offset + number, self._at(0), self._head.timestamp_type, None, Unread(code), [])

    @property
    def _sparse(self) -> bool:
        """Whether records are gone from it by compaction; elsewhere the broker numbers them without gaps."""
        return bool(self._count != self._head.last_offset_delta + 1)

    @property
    def _count(self) -> int:
        return int(_COUNT.unpack_from(self._piece, _COUNT_AT)[0])


def _decompressed(codec: int, data: bytes) -> bytes | None:
    """Give the content of a batch, or None where it is larger than a batch may be; no more memory than that is ever taken."""
    match codec:
        case 0:
            return data
        case 1:
            with gzip.GzipFile(fileobj=BytesIO(data)) as stream:
                content = stream.read(LARGEST_BATCH + 1)
        case 2:
            content = snappy_decode(data)  # by its nature at most some twenty times as large
        case 3:
            return _into(cramjam.lz4.decompress_into, data)
        case 4:
            return _into(cramjam.zstd.decompress_into, data)
        case _:
            raise ValueError
    return content if len(content) <= LARGEST_BATCH else None


def _into(decompress: Callable[[bytes, bytearray], int], data: bytes) -> bytes | None:
    room = min(LARGEST_BATCH, max(65_536, 8 * len(data)))
    while True:
        out = bytearray(room)
        try:
            return bytes(memoryview(out)[: decompress(data, out)])
        except cramjam.DecompressionError:
            # Either there is no room for all of it or it is no compressed data; the broker has read it, so it is the former.
            if room == LARGEST_BATCH:
                return None
            room = min(LARGEST_BATCH, 8 * room)


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """Read a number as Kafka writes it (zigzag, seven bits a byte); gives it and the position behind it."""
    number = 0
    for place in range(_VARINT_BYTES):
        byte = data[at + place]
        number |= (byte & 0x7F) << (7 * place)
        if byte < 0x80:  # noqa: PLR2004 - the bit that says that more follows
            return (number >> 1) ^ -(number & 1), at + place + 1
    raise ValueError


def _bytes(data: bytes, at: int) -> tuple[bytes | None, int]:
    length, at = _varint(data, at)
    if length < 0:
        return None, at
    if at + length > len(data):
        raise ValueError
    return data[at : at + length], at + length
