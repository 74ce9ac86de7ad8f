"""
The frame of a sealed view: AES-256-GCM over the whole plain frame.

    b0          magic byte, which is that of no plain frame
    01          version
    iiii        schema id of the plain frame, 4 bytes
    pp          length of the policy's fingerprint
    policy      the fingerprint of the agreements, as ``view.policy`` has it
    nonce       12 bytes: 4 random ones of this transaction, 8 that count the views of this data key
    ciphertext  as long as the plain frame, and 16 bytes of the tag

Associated data: ``boutre sealed view 1`` and a zero byte, the topic and the view's id (``ce_id``), each behind its length (2
bytes), what stands before the nonce, and what stands before the wrapped key in ``boutre-wrapped``: so a view is one of this topic,
id, schema, policy, recipient's key and epoch, or does not open.
"""

from __future__ import annotations

from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from boutre.schemas.sealing.binding import bound

MAGIC: Final = 0xB0
VERSION: Final = 1
CONTEXT: Final = b"boutre sealed view 1\0"
FRESH_BYTES: Final = 4
COUNTER_BYTES: Final = 8
NONCE_BYTES: Final = FRESH_BYTES + COUNTER_BYTES
TAG_BYTES: Final = 16
PLAIN_HEAD: Final = 5
LONGEST_POLICY: Final = 255

_BEFORE_POLICY: Final = 7


def head_of(plain: bytes, policy: str) -> bytes:
    """
    Give what stands before the nonce. ``ValueError`` for what is no plain frame.
    """
    named = policy.encode()
    if len(plain) < PLAIN_HEAD or plain[0] or len(named) > LONGEST_POLICY:
        message = "only a plain frame is sealed"
        raise ValueError(message)
    return bytes((MAGIC, VERSION)) + plain[1:PLAIN_HEAD] + bytes((len(named),)) + named


def associated(topic: str, view: str, head: bytes, wrapped_head: bytes) -> bytes:
    """
    Give the associated data.
    """
    return b"".join((bound(CONTEXT, topic, view), head, wrapped_head))


def is_sealed(value: bytes | None) -> bool:
    """
    Say whether a value begins as a sealed view does.
    """
    return bool(value) and value[0] == MAGIC  # type: ignore[index] # there is one


def open_frame(aead: AESGCM, value: bytes, topic: str, view: str, wrapped_head: bytes) -> bytes | None:
    """
    Give the plain frame; None where one bit of all that is bound is another.
    """
    if len(value) < _BEFORE_POLICY or value[0] != MAGIC or value[1] != VERSION:
        return None
    end = _BEFORE_POLICY + value[_BEFORE_POLICY - 1]
    if len(value) < end + NONCE_BYTES + TAG_BYTES:
        return None
    head, nonce, sealed = value[:end], value[end : end + NONCE_BYTES], value[end + NONCE_BYTES :]
    try:
        plain = aead.decrypt(nonce, sealed, associated(topic, view, head, wrapped_head))
    except InvalidTag:
        return None
    return plain if plain[:PLAIN_HEAD] == b"\0" + value[2:6] else None
