"""
The embedded Kafka as a cluster between States is: TLS, passwords or certificates, and nothing that no rule allows.

    with SecureBroker() as secure:
        Producer(secure.client("member.comoros", password))

For tests and trials of access rules. Its listeners are SECURE (TLS and SCRAM-SHA-512), CERTIFIED (TLS and a client's certificate)
and, for its own use, INTERNAL and CONTROLLER (certificates). The plain one that every embedded broker has is there as well, for
whoever asks whether it runs; who comes by it has no name, and no rights.
"""

from __future__ import annotations

import secrets
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from boutre.ops import jars
from boutre.ops.broker import Broker
from boutre.ops.certificates import Authority
from boutre.ops.embedded import CONTROLLER

SECURE: Final = "SECURE"
CERTIFIED: Final = "CERTIFIED"
_INTERNAL: Final = "INTERNAL"

ROOT: Final = "root"
"""Who may do everything, from the first start on, so that somebody can make the rules."""

ORGANISATION: Final = "Boutre"

NAMES: Final = rf"RULE:^CN=((?:member|recipient|bus|staff)\.[a-z0-9-]+),O={ORGANISATION}$/$1/"
"""
Whom a certificate stands for: its common name, where the whole name is of this form. There is no DEFAULT behind it, so a
certificate of any other form is refused, and never a principal of its own.
"""

_LOGIN: Final = "org.apache.kafka.common.security.scram.ScramLoginModule required;"


class SecureBroker:
    """
    One embedded Kafka with an authorizer, started and stopped by this process.

    Args:
        home: the folder for its data, certificates and log; without one it is a temporary one, which goes with it.
        progress: told what goes on, in lines for people.
        cache: the folder of the jars; without it, `jars.cache_folder()`.
        repository: a Maven repository in place of Maven Central.
    """

    def __init__(
        self,
        home: Path | None = None,
        *,
        progress: jars.Progress = jars.silent,
        cache: Path | None = None,
        repository: str | None = None,
    ) -> None:
        self.authority = Authority.made("Trial authority")
        self.password = secrets.token_hex(16)
        self.broker = Broker(
            home,
            listeners={SECURE: "SASL_SSL", CERTIFIED: "SSL", _INTERNAL: "SSL", CONTROLLER: "SSL"},
            users={ROOT: self.password},
            progress=progress,
            cache=cache,
            repository=repository,
        )
        self.folder = self.broker.home / "tls"
        self.folder.mkdir(parents=True, exist_ok=True)
        self.ca = self.folder / "ca.pem"
        self.ca.write_bytes(self.authority.pem())
        self.authority.pair("broker", self.folder / "broker.pem")
        self.broker.tell(self._properties())

    def client(self, user: str, password: str) -> dict[str, Any]:
        """
        What librdkafka needs to sign in by a password.
        """
        return {
            "bootstrap.servers": self.broker.address(SECURE),
            "security.protocol": "SASL_SSL",
            "sasl.mechanism": "SCRAM-SHA-512",
            "sasl.username": user,
            "sasl.password": password,
            "ssl.ca.location": str(self.ca),
        }

    def root(self) -> dict[str, Any]:
        """
        What librdkafka needs to do everything.
        """
        return self.client(ROOT, self.password)

    def start(self) -> Self:
        """
        Start it; see `Broker.start`.
        """
        self.broker.start()
        return self

    def close(self) -> None:
        """
        Stop it, and remove its folder when that was a temporary one.
        """
        self.broker.close()

    def __enter__(self) -> Self:
        try:
            return self.start()
        except BaseException:
            self.close()
            raise

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def _properties(self) -> dict[str, str]:
        told = {
            "inter.broker.listener.name": _INTERNAL,
            "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
            "allow.everyone.if.no.acl.found": "false",
            # Names are parted by semicolons, since those of certificates hold commas.
            "super.users": f"User:CN=broker;User:{ROOT}",
            "listener.name.secure.sasl.enabled.mechanisms": "SCRAM-SHA-512",
            "listener.name.secure.scram-sha-512.sasl.jaas.config": _LOGIN,
            "listener.name.certified.ssl.principal.mapping.rules": NAMES,
            "ssl.keystore.type": "PEM",
            "ssl.keystore.location": str(self.folder / "broker.pem"),
            "ssl.truststore.type": "PEM",
            "ssl.truststore.location": str(self.ca),
        }
        for listener in (CERTIFIED, _INTERNAL, CONTROLLER):
            told[f"listener.name.{listener.lower()}.ssl.client.auth"] = "required"
        return told
