"""
Data keys: drawn by a process for one recipient's key and one epoch, wrapped once for that recipient, and never stored.

The header ``boutre-wrapped`` of each sealed view:

    01          version
    ss          suite: 1 X25519, 2 MLKEM768-X25519
    key         id of the recipient's key, 8 bytes
    epoch       8 bytes: the day on which it began (days since 1970-01-01, 4 bytes, the greatest first), then 4 random bytes
    wrapped     the data key of 32 bytes, by HPKE in base mode: the encapsulated key, then the ciphertext

The ``info`` of HPKE is ``boutre data key 1`` and a zero byte, the recipient behind its length (2 bytes), and the header before
*wrapped*.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Final

from boutre.schemas.sealing.binding import bound
from boutre.schemas.sealing.suites import NUMBERS, OpeningKey, SealingKey

WRAPPED_HEADER: Final = "boutre-wrapped"
CONTEXT: Final = b"boutre data key 1\0"
VERSION: Final = b"\1"
HEAD_BYTES: Final = 18
DATA_KEY_BYTES: Final = 32
EPOCH_DAY: Final = date(1970, 1, 1)


@dataclass(frozen=True, slots=True)
class WrappedFor:
    """
    What a header says before it is unwrapped: whose key opens it, since when the data key is in use.
    """

    suite: int
    key: str
    began: date
    head: bytes
    body: bytes


def wrap(
    key: SealingKey, recipient: str, day: date, data_key: bytes, random: Callable[[int], bytes] = secrets.token_bytes
) -> bytes:
    """
    Give the header for a *data_key* that is used from *day* on.
    """
    epoch = (day - EPOCH_DAY).days.to_bytes(4, "big") + random(4)
    head = VERSION + bytes((NUMBERS[key.suite],)) + bytes.fromhex(key.id) + epoch
    return head + key.wrap(data_key, _info(recipient, head))


def wrapped_for(header: bytes) -> WrappedFor | None:
    """
    Read a header without any key; None where it is none.
    """
    head, body = header[:HEAD_BYTES], header[HEAD_BYTES:]
    if len(head) < HEAD_BYTES or head[:1] != VERSION or head[1] not in NUMBERS.values() or not body:
        return None
    try:
        began = date.fromordinal(EPOCH_DAY.toordinal() + int.from_bytes(head[10:14], "big"))
    except (ValueError, OverflowError):
        return None
    return WrappedFor(head[1], head[2:10].hex(), began, head, body)


def unwrap(key: OpeningKey, recipient: str, told: WrappedFor) -> bytes | None:
    """
    Give the data key; None where it was not wrapped for this key, this recipient and this epoch.
    """
    data_key = key.unwrap(told.body, _info(recipient, told.head))
    return data_key if data_key is not None and len(data_key) == DATA_KEY_BYTES else None


def _info(recipient: str, head: bytes) -> bytes:
    return bound(CONTEXT, recipient) + head
