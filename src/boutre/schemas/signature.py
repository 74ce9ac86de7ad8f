"""
Signatures of national records: Ed25519 over the topic and the whole frame, of one record or of many together.

The topic is signed with the frame, so that a record cannot be moved to another topic; the key is named in a header, and belongs
to one member. Headers: ``boutre-key`` (id of the key) and ``boutre-signature`` (64 bytes). With ``boutre-proof`` the signature is
over the root of a Merkle tree of up to 4,096 records, and the proof leads from this record to that root (``merkle.py``): each is
proved by itself, whether the others come or not, and whoever checks them checks one signature for all.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from boutre.errors import Refuse
from boutre.schemas import merkle
from boutre.schemas.sealing.binding import bound

KEY_HEADER = "boutre-key"
SIGNATURE_HEADER = "boutre-signature"
PROOF_HEADER = "boutre-proof"
CONTEXT = b"boutre national record 1\0"
BATCH_CONTEXT = b"boutre national batch 1\0"
MOST_TOGETHER: Final = merkle.MOST
"""How many records one signature may be for."""

REMEMBERED: Final = 4096
"""How many signatures of batches a process remembers as proved: about 2 MB, and more than a minute of the busiest feed."""


def signed_bytes(topic: str, frame: bytes) -> bytes:
    """
    Give the bytes that are signed, or hashed into a batch: a context, the topic's length (2 bytes, big-endian) and name, the frame.
    """
    return _before(topic) + frame


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


def sign_batch(
    private: Ed25519PrivateKey, records: Sequence[tuple[str, bytes]], random: Callable[[int], bytes] = secrets.token_bytes
) -> list[dict[str, bytes]]:
    """
    Sign records (topic and frame) together; give for each the headers that prove it.

    One alone is signed as it is, without a proof. *random* gives so many secret random bytes; test vectors alone have another.
    Raises ``ValueError`` for more than ``MOST_TOGETHER``.
    """
    return sign_together(private, [signed_bytes(*record) for record in records], BATCH_CONTEXT, random)


def sign_together(
    private: Ed25519PrivateKey, contents: Sequence[bytes], context: bytes, random: Callable[[int], bytes] = secrets.token_bytes
) -> list[dict[str, bytes]]:
    """
    Sign *contents* together; *context* stands before the count and the root. As ``sign_batch``, of which this is the whole.
    """
    count = len(contents)
    named = key_id(private.public_key()).encode()
    if count < merkle.FEWEST:
        return [{KEY_HEADER: named, SIGNATURE_HEADER: private.sign(content)} for content in contents]
    if count > MOST_TOGETHER:
        message = f"one signature is for at most {MOST_TOGETHER} records, not for {count}"
        raise ValueError(message)
    drawn = random(count * merkle.SALT_BYTES)
    salts = [drawn[at : at + merkle.SALT_BYTES] for at in range(0, len(drawn), merkle.SALT_BYTES)]
    leaves = [merkle.leaf(salt, content) for salt, content in zip(salts, contents, strict=True)]
    root, ways = merkle.grow(leaves)
    signature = private.sign(context + count.to_bytes(2, "big") + root)
    return [
        {KEY_HEADER: named, SIGNATURE_HEADER: signature, PROOF_HEADER: merkle.proof(index, count, salt, beside)}
        for index, (salt, beside) in enumerate(zip(salts, ways, strict=True))
    ]


def believe(public: Ed25519PublicKey, content: bytes, headers: Mapping[str, bytes], context: bytes) -> bool:
    """
    Say whether *headers* prove that the holder of a key signed *content*, by itself or in a batch under *context*.
    """
    signature, proof = headers.get(SIGNATURE_HEADER, b""), headers.get(PROOF_HEADER)
    try:
        if proof is None:
            public.verify(signature, content)
            return True
        reached = merkle.climb(proof, content)
        if reached is None:
            return False
        _prove(public.public_bytes_raw(), context + reached, signature)
    except InvalidSignature:
        return False
    return True


def named_key(headers: Mapping[str, bytes], revoked: frozenset[str]) -> str:
    """
    Give the id of the key by which *headers* say that something was signed.

    Raises ``Refuse`` with ``unsigned``, or ``revoked-key`` where it is one of *revoked*.
    """
    named = headers.get(KEY_HEADER)
    if not named or not headers.get(SIGNATURE_HEADER):
        raise Refuse("unsigned")
    identifier = named.decode("ascii", "replace")
    if identifier in revoked:
        raise Refuse("revoked-key")
    return identifier


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

        Raises ``Refuse`` with ``unsigned``, ``unknown-key``, ``revoked-key``, ``foreign-member`` or ``bad-signature``. Whose the
        key is and whether it is in force is asked for each record, also where its batch was proved before.
        """
        known = self.keys.get(named_key(headers, self.revoked))
        if known is None:
            raise Refuse("unknown-key")
        owner, public = known
        if owner != member:
            raise Refuse("foreign-member")
        if not believe(public, signed_bytes(topic, frame), headers, BATCH_CONTEXT):
            raise Refuse("bad-signature")


@lru_cache(maxsize=REMEMBERED)
def _prove(public: bytes, statement: bytes, signature: bytes) -> None:
    """
    Prove a signature over a batch, once: InvalidSignature where it is none.

    Remembered is that these 64 bytes are this key's signature over this count and root: true for ever, whoever asks, and bound to
    the key itself and not to its name. What fails is not remembered: only what returns is.
    """
    Ed25519PublicKey.from_public_bytes(public).verify(signature, statement)


@lru_cache(maxsize=1024)
def _before(topic: str) -> bytes:
    return bound(CONTEXT, topic)
