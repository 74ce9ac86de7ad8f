"""
The bus's own processes on Kubernetes: a `Deployment` for each processor and for each of what follows beside them.

They all look into the folder of keys and most into the vault of case keys, which are files with locks: those belong on one
machine's disk and on no network's. So the volumes are for one node, and the pods go where the first of them went. What a worker
remembers it reads back from its changelog; what the followers remember has a volume of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from boutre.health import HEALTHY, READY
from boutre.ops.access import FOLLOWERS, processor
from boutre.ops.strimzi.place import Place, Resource
from boutre.processors.edges import Edge

METRICS: Final = 9100
USER: Final = 10001
"""Of the image (`Containerfile`), which runs as nobody else."""

HOME: Final = "/var/lib/boutre"
CREDENTIALS: Final = "/etc/boutre/kafka"
AUTHORITY: Final = "/etc/boutre/authority"

KEYS: Final = "boutre-keys"
VAULT: Final = "boutre-vault"
SIZES: Final[Mapping[str, str]] = {KEYS: "1Gi", VAULT: "10Gi", "boutre-answers": "10Gi", "boutre-audit": "50Gi"}
"""The claims, and how large they are: keys are some kilobytes, a log entry some hundred bytes, a case key less."""

KEEPS: Final = ("answers", "audit")
"""Followers that remember something that no changelog holds."""

WRITES_KEYS: Final = ("audit",)
"""Who makes a key of its own where there is none."""


@dataclass(frozen=True, slots=True)
class Process:
    """
    One process: its *name*, which is also that of its principal, the *words* that it is started by, and what it needs.
    """

    name: str
    words: tuple[str, ...]
    vault: bool = False
    keeps: bool = False


def processes(edges: Iterable[Edge]) -> tuple[Process, ...]:
    """
    Give all that has to run beside Kafka.
    """
    workers = (Process(edge.name, ("worker", edge.name), vault=True) for edge in edges)
    followers = (Process(name, (name, "follow"), vault=name == "cases", keeps=name in KEEPS) for name in FOLLOWERS)
    return (*workers, *followers)


def resources(some: Iterable[Process], place: Place, image: str, settings: Mapping[str, str]) -> list[Resource]:
    """
    Give the claims and the deployments; *settings* are variables that every process is told.
    """
    claims = [place.resource("PersistentVolumeClaim", name, _claim(size), version="v1") for name, size in SIZES.items()]
    deployments = [
        place.resource("Deployment", one.name, _deployment(one, place, image, settings), version="apps/v1") for one in some
    ]
    return [*claims, *deployments]


def _claim(size: str) -> dict[str, Any]:
    return {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": size}}}


def _deployment(one: Process, place: Place, image: str, settings: Mapping[str, str]) -> dict[str, Any]:
    labels = {"app.kubernetes.io/part-of": "boutre", "app.kubernetes.io/component": one.name}
    together = {"labelSelector": {"matchLabels": {"boutre/keys": "here"}}, "topologyKey": "kubernetes.io/hostname"}
    mounts = list(_mounts(one, place))
    return {
        "replicas": 1,
        # The old one goes first: two that share partitions for a moment only hand them to and fro, and a store has one writer.
        "strategy": {"type": "Recreate"},
        "selector": {"matchLabels": labels},
        "template": {
            "metadata": {"labels": {**labels, "boutre/keys": "here"}},
            "spec": {
                "terminationGracePeriodSeconds": 30,
                "securityContext": {"runAsNonRoot": True, "runAsUser": USER, "fsGroup": USER},
                "affinity": {"podAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [together]}},
                "containers": [
                    {
                        "name": "boutre",
                        "image": image,
                        "args": list(one.words),
                        "env": [{"name": name, "value": value} for name, value in _told(one, place, settings)],
                        "ports": [{"name": "metrics", "containerPort": METRICS}],
                        "startupProbe": _probe(HEALTHY, period=10, failures=30),
                        # Ten minutes: while Kafka is away nobody is healthy, and to start them anew helps nobody.
                        "livenessProbe": _probe(HEALTHY, period=30, failures=20),
                        "readinessProbe": _probe(READY, period=10, failures=3),
                        "resources": {"requests": {"cpu": "250m", "memory": "512Mi"}, "limits": {"memory": "2Gi"}},
                        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
                        "volumeMounts": [mount for mount, _ in mounts],
                    }
                ],
                "volumes": [{"name": mount["name"], **source} for mount, source in mounts],
            },
        },
    }


def _probe(path: str, *, period: int, failures: int) -> dict[str, Any]:
    page = {"path": path, "port": "metrics"}
    return {"httpGet": page, "periodSeconds": period, "timeoutSeconds": 4, "failureThreshold": failures}


def _told(one: Process, place: Place, settings: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    yield "BOUTRE_METRICS_ADDRESS", "0.0.0.0"  # noqa: S104 - inside a pod
    yield "BOUTRE_METRICS_PORT", str(METRICS)
    yield "BOUTRE_KAFKA__BOOTSTRAP_SERVERS", place.bootstrap
    yield "BOUTRE_KAFKA__SSL_CA_LOCATION", f"{AUTHORITY}/ca.crt"
    if place.authentication == "tls":
        yield "BOUTRE_KAFKA__SECURITY_PROTOCOL", "SSL"
        yield "BOUTRE_KAFKA__SSL_CERTIFICATE_LOCATION", f"{CREDENTIALS}/user.crt"
        yield "BOUTRE_KAFKA__SSL_KEY_LOCATION", f"{CREDENTIALS}/user.key"
    else:
        yield "BOUTRE_KAFKA__SECURITY_PROTOCOL", "SASL_SSL"
        yield "BOUTRE_KAFKA__SASL_MECHANISM", "SCRAM-SHA-512"
        yield "BOUTRE_KAFKA__SASL_USERNAME", processor(one.name)
        yield "BOUTRE_KAFKA__SASL_PASSWORD_FILE", f"{CREDENTIALS}/password"
    yield from settings.items()


def _mounts(one: Process, place: Place) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """What is mounted where, with where it comes from; a user's secret has the user's name, as its operator makes it."""
    yield {"name": "kafka", "mountPath": CREDENTIALS, "readOnly": True}, {"secret": {"secretName": processor(one.name)}}
    yield {"name": "authority", "mountPath": AUTHORITY, "readOnly": True}, {"secret": {"secretName": place.authority}}
    keys = {"name": "keys", "mountPath": f"{HOME}/keys", "readOnly": one.name not in WRITES_KEYS}
    yield keys, {"persistentVolumeClaim": {"claimName": KEYS}}
    if one.vault:
        yield {"name": "vault", "mountPath": f"{HOME}/vault"}, {"persistentVolumeClaim": {"claimName": VAULT}}
    state: dict[str, Any] = {"persistentVolumeClaim": {"claimName": f"boutre-{one.name}"}} if one.keeps else {"emptyDir": {}}
    yield {"name": "state", "mountPath": f"{HOME}/state"}, state
