"""
The suites of HPKE (RFC 9180) by which data keys are wrapped, and the recipients' keys for them.

    X25519           DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-256-GCM
    MLKEM768-X25519  the same with the hybrid of ML-KEM-768 and X25519: bytes kept for a quantum computer stay closed

A public key is its raw bytes: 32 of X25519; for the hybrid 1,184 of ML-KEM-768 and then 32 of X25519. A private key is PKCS #8 in
PEM, for the hybrid two of them in one file, in the same order.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from typing import Any, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey, MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, MLKEM768X25519PrivateKey, MLKEM768X25519PublicKey, Suite
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key

CLASSIC: Final = "X25519"
HYBRID: Final = "MLKEM768-X25519"
NUMBERS: Final = {CLASSIC: 1, HYBRID: 2}
"""Each suite by the byte that names it on the wire."""

MLKEM_BYTES: Final = 1184
X25519_BYTES: Final = 32
ID_DIGITS: Final = 16

_SUITES: Final = {
    CLASSIC: Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM),
    HYBRID: Suite(KEM.MLKEM768_X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM),
}
_PEM: Final = re.compile(rb"-----BEGIN PRIVATE KEY-----.+?-----END PRIVATE KEY-----", re.DOTALL)


def sealing_key_id(public: bytes) -> str:
    """
    Give the id of a key: the first 16 hexadecimal digits of the SHA-256 of its public bytes.
    """
    return hashlib.sha256(public).hexdigest()[:ID_DIGITS]


@dataclass(frozen=True, slots=True)
class SealingKey:
    """
    A recipient's public key: whoever has it can seal, and open nothing.
    """

    suite: str
    public: bytes
    _key: Any = field(repr=False, compare=False)

    @classmethod
    def of(cls, suite: str, public: bytes) -> SealingKey:
        """
        Make it of its raw bytes; ``ValueError`` where they are no key by which anything can be wrapped.
        """
        key: Any
        if suite == CLASSIC:
            key = X25519PublicKey.from_public_bytes(public)
        elif suite == HYBRID:
            key = MLKEM768X25519PublicKey(
                MLKEM768PublicKey.from_public_bytes(public[:MLKEM_BYTES]), X25519PublicKey.from_public_bytes(public[MLKEM_BYTES:])
            )
        else:
            message = f"{suite!r} is no suite"
            raise ValueError(message)
        made = cls(suite, public, key)
        # A point of small order has the right length, and fails only now: found when keys are read, not when a view waits for it.
        made.wrap(b"", b"trial")
        return made

    @property
    def id(self) -> str:
        """The key's id."""
        return sealing_key_id(self.public)

    def wrap(self, secret: bytes, info: bytes) -> bytes:
        """Wrap *secret*: the encapsulated key, then the ciphertext. ``ValueError`` for a key that is none."""
        return _SUITES[self.suite].encrypt(secret, self._key, info)


@dataclass(frozen=True, slots=True)
class OpeningKey:
    """
    A recipient's private key.
    """

    suite: str
    _parts: tuple[Any, ...] = field(repr=False)

    @classmethod
    def new(cls, suite: str) -> OpeningKey:
        """
        Draw a new one.
        """
        exchange = X25519PrivateKey.generate()
        return cls(suite, (exchange,) if suite == CLASSIC else (MLKEM768PrivateKey.generate(), exchange))

    @classmethod
    def of(cls, pem: bytes) -> OpeningKey:
        """
        Read it; ``ValueError`` where it is none.
        """
        parts = tuple([load_pem_private_key(one, None) for one in _PEM.findall(pem)])
        match parts:
            case (X25519PrivateKey(),):
                return cls(CLASSIC, parts)
            case (MLKEM768PrivateKey(), X25519PrivateKey()):
                return cls(HYBRID, parts)
        message = "is no private key of a recipient"
        raise ValueError(message)

    @property
    def public(self) -> bytes:
        """The raw bytes of its public key."""
        return b"".join([part.public_key().public_bytes_raw() for part in self._parts])

    @property
    def id(self) -> str:
        """The id that it has with its public key."""
        return sealing_key_id(self.public)

    @property
    def pem(self) -> bytes:
        """The file of it."""
        return b"".join([part.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()) for part in self._parts])

    def unwrap(self, wrapped: bytes, info: bytes) -> bytes | None:
        """Give what was wrapped for this key with the same *info*; None where that is not so."""
        key: Any = self._parts[0] if self.suite == CLASSIC else MLKEM768X25519PrivateKey(*self._parts)
        try:
            return _SUITES[self.suite].decrypt(wrapped, key, info)
        except (InvalidTag, ValueError):
            return None
