"""
How aiokafka reaches the cluster, whatever the security protocol; workers tell Faust the same (``worker.py``).
"""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from boutre.errors import DeclarationError, Fault


@dataclass(frozen=True, slots=True)
class Connection:
    """
    Where the brokers are, and how to prove who we are. *protocol* is Kafka's ``security.protocol``; secrets are never shown.
    """

    bootstrap: str
    protocol: str = "PLAINTEXT"
    mechanism: str | None = None
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    ca: str | None = None
    certificate: str | None = None
    key: str | None = None
    key_password: str | None = field(default=None, repr=False)

    @classmethod
    def of(cls, client: Mapping[str, Any]) -> Connection:
        """Give it from the settings of librdkafka's clients (``settings.kafka.client()``)."""
        return cls(
            client["bootstrap.servers"],
            client["security.protocol"],
            client.get("sasl.mechanism"),
            client.get("sasl.username"),
            client.get("sasl.password"),
            client.get("ssl.ca.location"),
            client.get("ssl.certificate.location"),
            client.get("ssl.key.location"),
            client.get("ssl.key.password"),
        )

    def context(self) -> ssl.SSLContext | None:
        """Give what TLS needs; None without TLS. Raises DeclarationError where a file or a password cannot be used."""
        if not self.protocol.endswith("SSL"):
            return None
        try:
            context = ssl.create_default_context(cafile=self.ca)
            if self.certificate:
                # Without a word for it OpenSSL would ask whoever sits at the terminal.
                context.load_cert_chain(self.certificate, self.key, self.key_password or "")
        except OSError as error:  # a file that is not there, or OpenSSL's own
            message = (
                f"authority, certificate or key cannot be used ({type(error).__name__}); see their files and the key's password"
            )
            raise DeclarationError([Fault("settings", "kafka.ssl_*", message)]) from None
        return context

    def aiokafka(self) -> dict[str, Any]:
        """Give the arguments of aiokafka's clients."""
        arguments: dict[str, Any] = {"bootstrap_servers": self.bootstrap, "security_protocol": self.protocol}
        if self.protocol.startswith("SASL"):
            arguments |= {
                "sasl_mechanism": self.mechanism,
                "sasl_plain_username": self.username,
                "sasl_plain_password": self.password,
            }
        context = self.context()
        return arguments if context is None else {**arguments, "ssl_context": context}
