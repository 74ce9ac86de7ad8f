"""
A data key in use: it counts what it seals, so that no nonce comes twice.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from datetime import date
from typing import Final

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from boutre.schemas.sealing.frame import COUNTER_BYTES, FRESH_BYTES, associated, head_of
from boutre.schemas.sealing.suites import SealingKey
from boutre.schemas.sealing.wrapping import DATA_KEY_BYTES, HEAD_BYTES, wrap

MOST: Final = 1 << 20
"""
Views that one data key seals at most: far below what AES-GCM bears (2**32 messages), so that a key that leaks tells little.
"""


class DataKey:
    """
    The data key of one recipient's *key* from *day* on, of this process alone; *random* is another in test vectors only.
    """

    def __init__(
        self, key: SealingKey, recipient: str, day: date, random: Callable[[int], bytes] = secrets.token_bytes, most: int = MOST
    ) -> None:
        secret = random(DATA_KEY_BYTES)
        self._aead = AESGCM(secret)
        self._random = random
        self._count = 0
        self._most = most
        self._process = os.getpid()
        self._fresh = b""
        self.day = day
        self.wrapped = wrap(key, recipient, day, secret, random)
        self._head = self.wrapped[:HEAD_BYTES]
        self.refresh()

    def lasts(self, day: date) -> bool:
        """Say whether it may seal another view on *day*: not after its day, its number of views, or in a copy of its process."""
        return self.day == day and self._count < self._most and self._process == os.getpid()

    def refresh(self) -> None:
        """
        Draw the random part of the nonces that follow.

        The count alone keeps them apart. This is for what nobody intends: a machine set back to an earlier picture of itself.
        """
        self._fresh = self._random(FRESH_BYTES)

    def seal(self, plain: bytes, topic: str, view: str, policy: str) -> bytes:
        """
        Seal the frame of a view. ``ValueError`` for what is no plain frame, or once it has sealed all that it may.
        """
        if self._count >= self._most:
            message = "this data key has sealed all that it may"
            raise ValueError(message)
        head = head_of(plain, policy)
        nonce = self._fresh + self._count.to_bytes(COUNTER_BYTES, "big")
        self._count += 1
        return head + nonce + self._aead.encrypt(nonce, plain, associated(topic, view, head, self._head))
