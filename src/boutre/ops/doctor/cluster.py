"""
The brokers: whether they answer, how old they are, how many copies they can keep, and how far their clock is from ours.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from boutre.ops.doctor.finding import Finding

RELEASES: Final[Mapping[int, str]] = {
    1: "3.0", 2: "3.1", 3: "3.2", 4: "3.3", 5: "3.3", 6: "3.3", 7: "3.3", 8: "3.4", 9: "3.5", 10: "3.5", 11: "3.5",
    12: "3.6", 13: "3.6", 14: "3.6", 15: "3.7", 16: "3.7", 17: "3.7", 18: "3.7", 19: "3.7", 20: "3.8", 21: "3.9",
    22: "4.0", 23: "4.0", 24: "4.0", 25: "4.0", 26: "4.1", 27: "4.1", 28: "4.2", 29: "4.2",
}  # fmt: skip
"""Which release of Kafka brought which level of ``metadata.version`` (org.apache.kafka.server.common.MetadataVersion)."""

OLDEST: Final = 22
"""The level of Kafka 4.0: older brokers may do, and nobody has tried this bus on them."""

SKEWED_S: Final = 2.0
"""Seconds of skew from which it is told: beyond what NTP leaves on a bad line."""

WRONG_S: Final = 60.0
"""Seconds of skew from which it is an error: reports would be refused as sent from the future, keys be out of force."""


@dataclass(frozen=True, slots=True)
class Brokers:
    """
    What the cluster said: its id, and how many nodes it has.

    *knows* is the newest ``metadata.version`` that the first of them knows, *level* the one in force, None where it did not say;
    *replication* and *min_isr* are what the settings ask of it.
    """

    address: str
    cluster_id: str
    nodes: int
    replication: int
    min_isr: int
    knows: int | None = None
    level: int | None = None


@dataclass(frozen=True, slots=True)
class Skew:
    """
    How many seconds the broker's clock is ahead of this machine's, and how far wrong that may be.
    """

    seconds: float
    error_s: float

    @property
    def least(self) -> float:
        """The least that it must be, ahead or behind, given the error."""
        return max(0.0, abs(self.seconds) - self.error_s)

    def __str__(self) -> str:
        return f"{self.seconds:+.3f} s, give or take {self.error_s:.3f} s"


def release(level: int | None) -> str:
    """
    Name the release of Kafka that brought a level of ``metadata.version``.
    """
    if level is None:
        return "of unknown version"
    return RELEASES.get(level, f"newer than {RELEASES[max(RELEASES)]} (level {level})")


def silent(address: str, why: str, *, embedded: bool) -> Finding:
    """
    Give the finding for a cluster that does not answer; *why* is the client's own word.
    """
    next_step = "boutre kafka start" if embedded or not address else "boutre settings; then see whether the brokers run"
    return Finding(
        "broker",
        "error",
        f"the cluster at {address} does not answer: {why}" if address else "no cluster is known",
        "nothing is accepted or released; connectors keep what they have, and nothing is lost. "
        "What Kafka would have to be asked was not looked at",
        next_step,
    )


def of_brokers(found: Brokers) -> Iterator[Finding]:
    """
    Judge what the cluster said of itself.
    """
    if found.nodes < found.replication:
        yield Finding(
            "broker",
            "error",
            f"{found.nodes} of its nodes answer, and each topic is to have {found.replication} copies",
            "topics cannot be made, and where fewer copies than min.insync.replicas are left nothing is written",
            "start the nodes that are missing, or set BOUTRE_KAFKA__REPLICATION_FACTOR",
        )
    if found.knows is not None and found.knows < OLDEST:
        yield Finding(
            "broker",
            "warning",
            f"its brokers are Kafka {release(found.knows)}",
            f"the bus is tested on Kafka {release(OLDEST)} and later",
            "upgrade the brokers, or run the tests of this version on one like them",
        )
    if found.knows is not None and found.level is not None and release(found.level) != release(found.knows):
        yield Finding(
            "broker",
            "note",
            f"the brokers are Kafka {release(found.knows)}, the level in force is that of {release(found.level)}",
            "an upgrade was not finished; as long as it is not, it can be taken back",
            f"kafka-features.sh --bootstrap-server {found.address} upgrade --release-version {release(found.knows)}",
        )


def of_clock(skew: Skew) -> Iterator[Finding]:
    """
    Judge the skew by the least that it must be; the error is never counted as skew.
    """
    if skew.least <= SKEWED_S:
        return
    far = skew.least > WRONG_S
    yield Finding(
        "clock",
        "error" if far else "warning",
        f"the broker's clock is {'ahead of' if skew.seconds > 0 else 'behind'} this machine's: {skew}",
        "times of acceptance are the broker's, times of sending and of keys those of the machines: lateness is told wrong"
        + (", and reports may be refused for their times" if far else ""),
        "chronyc tracking (on both machines): one of them does not follow its time server",
    )
