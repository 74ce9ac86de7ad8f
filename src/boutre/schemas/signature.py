"""
Signatures of national records: Ed25519 over the topic and the whole frame.

The topic is signed with the frame, so that a record cannot be moved to another topic; the key is named in a header, and belongs
to one member. Headers: ``boutre-key`` (id of the key) and ``boutre-signature`` (64 bytes).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from boutre.errors import Refuse

KEY_HEADER = "boutre-key"
SIGNATURE_HEADER = "boutre-signature"
CONTEXT = b"boutre national record 1\0"


def signed_bytes(topic: str, frame: bytes) -> bytes:
    """
    Give the bytes that are signed: a context, the topic's length (2 bytes, big-endian) and name, and the frame.
    """
    name = topic.encode()
    return CONTEXT + len(name).to_bytes(2, "big") + name + frame


def key_id(public: Ed25519PublicKey) -> str:
    """
    Give the id of a key: the first 16 hexadecimal digits of the SHA-256 of its 32 bytes.
    """
    return hashlib.sha256(public.public_bytes(Encoding.Raw, PublicFormat.Raw)).hexdigest()[:16]


def sign(private: Ed25519PrivateKey, topic: str, frame: bytes) -> bytes:
    """
    Sign *frame* for *topic*.
    """
    return private.sign(signed_bytes(topic, frame))


@dataclass(frozen=True, slots=True)
class Keyring:
    """
    The members' public keys: for each key id its member and its key.
    """

    keys: Mapping[str, tuple[str, Ed25519PublicKey]]
    revoked: frozenset[str] = frozenset()

    def verify(self, member: str, topic: str, frame: bytes, headers: Mapping[str, bytes]) -> None:
        """
        Prove that *member* wrote *frame* for *topic*.

        Raises ``Refuse`` with ``unsigned``, ``unknown-key``, ``revoked-key``, ``foreign-member`` or ``bad-signature``.
        """
        named, signature = headers.get(KEY_HEADER), headers.get(SIGNATURE_HEADER)
        if not named or not signature:
            raise Refuse("unsigned")
        identifier = named.decode("ascii", "replace")
        if identifier in self.revoked:
            raise Refuse("revoked-key")
        known = self.keys.get(identifier)
        if known is None:
            raise Refuse("unknown-key")
        owner, public = known
        if owner != member:
            raise Refuse("foreign-member")
        try:
            public.verify(signature, signed_bytes(topic, frame))
        except InvalidSignature:
            raise Refuse("bad-signature") from None
