"""
What is bound to something encrypted or signed: texts in bytes that can be read in one way only.
"""

from __future__ import annotations


def bound(context: bytes, *parts: str) -> bytes:
    """
    Give *context*, then each of *parts* in UTF-8 behind its length (2 bytes, the greatest first).
    """
    written = [part.encode() for part in parts]
    return context + b"".join([len(each).to_bytes(2, "big") + each for each in written])
