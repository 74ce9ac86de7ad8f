"""
Settings that contradict one another, or what they are for. What cannot be meant at all does not load (``boutre.ops.settings``).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from boutre.ops.doctor.finding import Finding, Severity

SHOW: Final = "boutre settings"
HERE: Final = ("127.", "localhost", "[::1]", "::1")


@dataclass(frozen=True, slots=True)
class Told:
    """
    What the settings say, without any secret: of a password only whether it stands in place and whether in a file.
    """

    servers: Sequence[str] = ()
    protocol: str = "PLAINTEXT"
    embedded: bool = False
    replication: int = 1
    min_isr: int = 1
    password_in_place: bool = False
    password_in_file: bool = False
    ca: bool = False
    metrics_address: str = "127.0.0.1"
    broker_s: float = 30.0
    work_s: float = 120.0
    unknown: Sequence[str] = field(default=())
    vault_in_keys: bool = False
    keys_in_bus: bool = False


def of_settings(told: Told) -> Iterator[Finding]:
    """
    Judge the settings.
    """
    for name in told.unknown:
        yield _found("warning", f"{name} is no setting", "most likely it is mistyped, and what it should set has its default", SHOW)
    yield from _of_connection(told)
    yield from _of_copies(told)
    if told.broker_s > told.work_s:
        means = "a process would be unhealthy before it is not ready"
        yield _found("warning", "BOUTRE_HEALTH__BROKER_S is larger than BOUTRE_HEALTH__WORK_S", means, SHOW)
    yield from _of_keys(told)


def _of_connection(told: Told) -> Iterator[Finding]:
    away = [server for server in told.servers if not server.startswith(HERE)]
    if away and told.protocol in {"PLAINTEXT", "SASL_PLAINTEXT"}:
        means = "reports of people at sea, and passwords, go over the network in the clear"
        yield _found(
            "error",
            f"{told.protocol} to {away[0]}, which is another machine",
            means,
            "export BOUTRE_KAFKA__SECURITY_PROTOCOL=SASL_SSL",
        )
    if told.protocol in {"SSL", "SASL_SSL"} and not told.ca:
        means = "the brokers are believed by any of the authorities that this machine trusts"
        yield _found(
            "note", "no authority is named for the brokers' certificates", means, "export BOUTRE_KAFKA__SSL_CA_LOCATION=FILE"
        )
    if told.password_in_place:
        if told.password_in_file:
            means = "the file wins; the other may be an old one, and whoever may list the environment sees it"
            yield _found("warning", "a password stands in a file and in the settings too", means, f"{SHOW}; keep the file")
        else:
            means = "whoever may see this process's environment or boutre.toml sees it"
            yield _found(
                "note", "a password stands in the settings and not in a file", means, "export BOUTRE_KAFKA__SASL_PASSWORD_FILE=FILE"
            )


def _of_copies(told: Told) -> Iterator[Finding]:
    if not told.embedded and told.replication == 1:
        means = "the loss of one disk is the loss of what stood on it"
        yield _found("warning", "one copy of each topic, on a cluster that is not the embedded one", means, "docs/topics.md")
    if told.replication > 1 and told.min_isr == told.replication:
        means = "as soon as one broker restarts, nothing is written until it is back"
        yield _found("warning", f"all {told.replication} copies must have a record before it counts as written", means, SHOW)


def _of_keys(told: Told) -> Iterator[Finding]:
    if told.keys_in_bus:
        means = "whoever copies the declarations, or commits them, takes the private keys along"
        yield _found("note", "the keys lie below the folder that declares the bus", means, "export BOUTRE_KEYS=DIR, outside of it")
    if told.vault_in_keys and not told.embedded:
        means = "a backup of the keys would hold the vault too, and what is erased would come back with it"
        yield _found("warning", "the vault of case keys lies in the folder of keys", means, "export BOUTRE_VAULT=DIR; docs/keys.md")


def _found(severity: Severity, what: str, means: str, next_step: str) -> Finding:
    return Finding("settings", severity, what, means, next_step)
