"""
What a file on a disk says to whoever looks for a text in it: its bytes, and of a log of Kafka what its compressed batches hold.
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Final

import cramjam

HEAD: Final = struct.Struct(">qiibIhiqqqhii")
"""The head of a batch (message format 2): its length stands second, the codec in the last three bits of the sixth."""

BEFORE_LENGTH: Final = 12
"""Bytes of offset and length, which the length does not count."""

CODECS: Final = {1: cramjam.gzip.decompress, 2: cramjam.snappy.decompress, 3: cramjam.lz4.decompress, 4: cramjam.zstd.decompress}


def read(path: Path) -> bytes:
    """Give the bytes of a file, and behind them what its batches hold where it is a segment of Kafka."""
    data = path.read_bytes()
    return data + b"".join(batches(data)) if path.suffix == ".log" else data


def batches(data: bytes) -> list[bytes]:
    """Give what the compressed batches of a segment hold; nothing where it is none."""
    found, at = [], 0
    while at + HEAD.size <= len(data):
        _, length, _, magic, _, attributes, *_ = HEAD.unpack_from(data, at)
        end = at + BEFORE_LENGTH + length
        if magic != 2 or length <= 0 or end > len(data):
            break
        if decompress := CODECS.get(attributes & 7):
            found.append(bytes(decompress(data[at + HEAD.size : end])))
        at = end
    return found
