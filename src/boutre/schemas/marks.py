"""
What stands in the place of a group that was not given, or not to everybody.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Withheld:
    """
    In the place of a group that was not given: by which agreement and clause, and whom to ask. Never unknown, never empty.
    """

    agreement: str
    clause: str
    ask: str | None = None


@dataclass(frozen=True, slots=True)
class Sealed:
    """
    In the place of a personal group that only the holders of a key can open.
    """

    algorithm: str
    content_key_id: str
    nonce: bytes
    ciphertext: bytes
    keys: tuple[Mapping[str, Any], ...] = ()
