"""
Where resources are to stand: the name of the Kafka that they belong to, the namespace, and how users sign in there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from boutre.ops.access_strimzi import VERSION, Authentication

LISTENER: Final = "tls"
"""The listener for what runs beside Kafka; its name is part of no address."""

PORT: Final = 9093

Resource = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Place:
    """
    One Kafka of Strimzi's, by the name *cluster*, in a *namespace* or wherever kubectl is told.
    """

    cluster: str
    namespace: str | None = None
    authentication: Authentication = "scram-sha-512"

    @property
    def bootstrap(self) -> str:
        """The address within the namespace: the service that Strimzi makes."""
        return f"{self.cluster}-kafka-bootstrap:{PORT}"

    @property
    def authority(self) -> str:
        """The secret in which Strimzi keeps the certificate of the authority that signed the brokers'."""
        return f"{self.cluster}-cluster-ca-cert"

    def resource(self, kind: str, name: str, spec: Mapping[str, Any], *, version: str = VERSION) -> Resource:
        """
        Give one resource; those of Strimzi bear the label by which its operators know whose they are.
        """
        strimzi = {"strimzi.io/cluster": self.cluster} if version == VERSION and kind != "Kafka" else {}
        return {
            "apiVersion": version,
            "kind": kind,
            "metadata": {
                "name": name,
                **({"namespace": self.namespace} if self.namespace is not None else {}),
                "labels": {**strimzi, "app.kubernetes.io/part-of": "boutre"},
            },
            "spec": dict(spec),
        }
