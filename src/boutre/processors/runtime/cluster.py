"""
How Faust and aiokafka reach the cluster: one value for both, whatever the security protocol.
"""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from typing import Any

from faust.auth import SASLCredentials, SSLCredentials

from boutre.errors import DeclarationError, Fault


@dataclass(frozen=True, slots=True)
class Cluster:
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

    def _context(self) -> ssl.SSLContext | None:
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
        context = self._context()
        return arguments if context is None else {**arguments, "ssl_context": context}

    def faust(self) -> dict[str, Any]:
        """Give the settings of a Faust app."""
        brokers = ";".join(f"boutre://{server.strip()}" for server in self.bootstrap.split(","))
        settings: dict[str, Any] = {"broker": brokers}
        match self.protocol:
            case "PLAINTEXT":
                pass
            case "SSL":
                settings["broker_credentials"] = SSLCredentials(self._context())
            case "SASL_PLAINTEXT" | "SASL_SSL":
                settings["broker_credentials"] = SASLCredentials(
                    username=self.username, password=self.password, ssl_context=self._context(), mechanism=self.mechanism
                )
            case other:
                raise DeclarationError([Fault("settings", "kafka.security_protocol", f"{other} is none of Kafka's protocols")])
        return settings
