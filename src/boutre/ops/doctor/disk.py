"""
Room on the disks of this machine: of what is remembered, kept and spooled, and of the broker's log where that is here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from boutre.ops.doctor.finding import Finding

MIB: Final = 1 << 20
GIB: Final = 1 << 30

FULL: Final = 512 * MIB
"""Bytes below which a disk is as good as full: RocksDB and Kafka write whole files before they let old ones go."""

LITTLE: Final = 2 * GIB
"""Bytes below which it is told."""

SHARE: Final = 0.1
"""The share of a disk below which it is told too, up to ``ENOUGH`` bytes: a tenth of a large disk is room for long."""

ENOUGH: Final = 50 * GIB


@dataclass(frozen=True, slots=True)
class Room:
    """
    A folder, what it is for, and the bytes of its disk.
    """

    what: str
    path: str
    free: int
    total: int


def of_disks(rooms: Iterable[Room]) -> Iterator[Finding]:
    """
    Judge each folder's disk.
    """
    for room in rooms:
        little = room.free < LITTLE or (room.free < SHARE * room.total and room.free < ENOUGH)
        if not little:
            continue
        full = room.free < FULL
        yield Finding(
            "disk",
            "error" if full else "warning",
            f"{room.path} ({room.what}) has {size(room.free)} left of {size(room.total)}",
            "a disk that is full stops whoever writes to it; nothing that was acknowledged is lost, and nothing new is taken",
            f"df -h {room.path}; du -xsh {room.path}/*",
        )


def size(count: int) -> str:
    """
    Say a number of bytes in GiB, or MiB where it is less than one.
    """
    return f"{count / GIB:.1f} GiB" if count >= GIB else f"{count / MIB:.0f} MiB"
