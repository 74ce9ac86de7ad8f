"""
Certificates for clusters that are tried on this machine: an authority of its own, and what it signs.

    authority = Authority.made("Trial authority")
    authority.pair("broker", Path("broker.pem"))      # key and certificate, as Kafka and OpenSSL read them

No authority for a real bus: its key lives in this process, its certificates for a day.
"""

from __future__ import annotations

import datetime as dt
import ipaddress
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import NameOID

from boutre.ops.embedded import HOST

_LIFE: Final = dt.timedelta(days=1)
_EARLIER: Final = dt.timedelta(hours=1)  # for clocks that differ


@dataclass(frozen=True, slots=True)
class Authority:
    """
    Who signs certificates, for as long as a trial lasts.
    """

    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    @classmethod
    def made(cls, name: str) -> Authority:
        """
        Make one; *name* is its common name.
        """
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        return cls(key, _certificate(subject, key, subject, key, authority=True))

    def pem(self) -> bytes:
        """
        Its certificate, for those who trust it.
        """
        return self.certificate.public_bytes(Encoding.PEM)

    def pair(self, name: str, path: Path, *, organisation: str | None = None, password: str | None = None) -> Path:
        """
        Write a new key (PKCS 8) and its certificate into one file that only its owner reads.

        The certificate is for this machine's own address, and for whoever is *name* (of *organisation*); with *password* the key
        is encrypted.
        """
        key = ec.generate_private_key(ec.SECP256R1())
        # From the widest to the narrowest, as certificates have it; Kafka reads it the other way: CN=...,O=...
        parts = [] if organisation is None else [x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation)]
        parts.append(x509.NameAttribute(NameOID.COMMON_NAME, name))
        signed = _certificate(x509.Name(parts), key, self.certificate.subject, self.key, authority=False)
        how: KeySerializationEncryption = NoEncryption() if password is None else BestAvailableEncryption(password.encode())
        text = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, how) + signed.public_bytes(Encoding.PEM)
        with open(path, "wb", opener=_private) as file:
            file.write(text)
        return path


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _certificate(
    subject: x509.Name, key: ec.EllipticCurvePrivateKey, issuer: x509.Name, signer: ec.EllipticCurvePrivateKey, *, authority: bool
) -> x509.Certificate:
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _EARLIER)
        .not_valid_after(now + _LIFE)
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
    )
    if not authority:
        here = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(HOST))])
        made = made.add_extension(here, critical=False)
    return made.sign(signer, hashes.SHA256())
