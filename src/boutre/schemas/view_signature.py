"""
Signatures of views: Ed25519 by the bus, over all of a view by which its recipient acts, one signature for those of a transaction.

Signed are, behind ``boutre view 1`` and a zero byte: the topic, the key, ``ce_id`` and ``boutre-wrapped`` (empty where there is
none), each behind its length (2 bytes, the greatest first), the timestamp in milliseconds (8 bytes), and the value as it was sent.
Headers and the tree of a batch are those of national records (``signature``, ``merkle``), under ``boutre view batch 1``. A batch
holds views of one recipient alone: a proof says how many there are.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from boutre.errors import Refuse
from boutre.schemas.sealing.wrapping import WRAPPED_HEADER
from boutre.schemas.signature import believe, named_key, sign_together

ID_HEADER: Final = "ce_id"
CONTEXT: Final = b"boutre view 1\0"
BATCH_CONTEXT: Final = b"boutre view batch 1\0"


@dataclass(frozen=True, slots=True)
class SentView:
    """
    A view as it stands on its topic; *timestamp* in milliseconds since 1970.
    """

    topic: str
    key: bytes
    timestamp: int
    headers: Mapping[str, bytes] = field(repr=False)
    value: bytes = field(repr=False)

    @property
    def id(self) -> str:
        """The view's id as its header has it; nothing of it is believed before the signature is."""
        return self.headers.get(ID_HEADER, b"").decode("ascii", "replace")


def view_bytes(topic: bytes, key: bytes, timestamp: int, beside: tuple[bytes, bytes], value: bytes) -> bytes:
    """
    Give the bytes that are signed, or hashed into a batch; *beside* are the headers ``ce_id`` and ``boutre-wrapped``.
    """
    identifier, wrapped = beside
    return b"".join(
        (
            CONTEXT,
            len(topic).to_bytes(2, "big"),
            topic,
            len(key).to_bytes(2, "big"),
            key,
            len(identifier).to_bytes(2, "big"),
            identifier,
            len(wrapped).to_bytes(2, "big"),
            wrapped,
            timestamp.to_bytes(8, "big", signed=True),
            value,
        )
    )


def sign_views(
    private: Ed25519PrivateKey, contents: Sequence[bytes], random: Callable[[int], bytes] = secrets.token_bytes
) -> list[dict[str, bytes]]:
    """
    Sign the ``view_bytes`` of views of one recipient together; give for each the headers that prove it.
    """
    return sign_together(private, contents, BATCH_CONTEXT, random)


@dataclass(frozen=True, slots=True)
class BusKeyring:
    """
    The public keys of the bus by id, several while one follows the other; *revoked* ids are refused, whatever they signed.
    """

    keys: Mapping[str, Ed25519PublicKey]
    revoked: frozenset[str] = frozenset()

    def verify(self, view: SentView) -> None:
        """
        Prove that the bus wrote *view*.

        Raises ``Refuse`` with ``unsigned``, ``unknown-key``, ``revoked-key`` or ``bad-signature``.
        """
        public = self.keys.get(named_key(view.headers, self.revoked))
        if public is None:
            raise Refuse("unknown-key")
        told = view.headers.get(ID_HEADER, b""), view.headers.get(WRAPPED_HEADER, b"")
        try:
            content = view_bytes(view.topic.encode(), view.key, view.timestamp, told, view.value)
        except OverflowError:
            raise Refuse("bad-signature") from None
        if not believe(public, content, view.headers, BATCH_CONTEXT):
            raise Refuse("bad-signature")
