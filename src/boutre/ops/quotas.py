"""
How much each party may ask of the brokers: a rate for each member, and a share of the brokers' threads for members and recipients.

A broker that is asked for more answers later (Kafka, "Quotas"): a member that floods waits, nothing of it is lost, and the others
go on. Rates are for each broker. The bus's own processes and those who run it have none: what they do is what the bus is for.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from boutre.ops.access import SPACES, member, recipient
from boutre.topics.bus import Declarations

REQUEST_PERCENT: Final = 50
"""
Per cent of one thread of a broker's, of which it has 11 as it comes (8 for requests, 3 for the network): a flood of small requests
takes half a thread and no more.
"""

RATE: Final = "producer_byte_rate"
SHARE: Final = "request_percentage"
"""The names that Kafka has for the two."""


@dataclass(frozen=True, slots=True, order=True)
class Quota:
    """
    What one principal may ask of each broker: bytes a second that it sends, None without limit, and per cent of one thread.
    """

    principal: str
    rate: int | None
    share: int = REQUEST_PERCENT

    @property
    def configs(self) -> dict[str, float]:
        """The same by Kafka's names."""
        return {**({RATE: float(self.rate)} if self.rate is not None else {}), SHARE: float(self.share)}

    def as_strimzi(self) -> dict[str, Any]:
        """The same as a `KafkaUser` has it."""
        return {**({"producerByteRate": self.rate} if self.rate is not None else {}), "requestPercentage": self.share}


@dataclass(frozen=True, slots=True)
class Plan:
    """
    What differs: quotas to be *set*, and principals of the bus that have one and are to have none (*surplus*), which is only shown.
    """

    set: tuple[Quota, ...] = ()
    surplus: tuple[str, ...] = ()
    unchanged: int = 0

    @property
    def differs(self) -> bool:
        """Whether the cluster is other than declared, in whatever way."""
        return bool(self.set or self.surplus)

    def as_json(self) -> dict[str, Any]:
        """The plan as plain values."""
        wanted = [{"principal": one.principal, **one.configs} for one in self.set]
        return {"set": wanted, "surplus": list(self.surplus), "unchanged": self.unchanged}


def quotas(bus: Declarations) -> tuple[Quota, ...]:
    """
    Give the quotas of a bus: of each member its declared rate, of members and recipients a share.
    """
    members = (Quota(member(name), one.rate) for name, one in bus.members.items())
    return (*members, *(Quota(recipient(name), None) for name in bus.recipients))


def plan(wanted: Iterable[Quota], found: Mapping[str, Mapping[str, float]]) -> Plan:
    """
    Compare what is declared with what stands on the cluster: *found* has, by principal, its quotas by Kafka's names.
    """
    declared = {one.principal: one for one in wanted}
    change = tuple(one for one in declared.values() if found.get(one.principal, {}) != one.configs)
    ours = (name for name, configs in found.items() if configs and name.startswith(SPACES))
    return Plan(change, tuple(sorted(name for name in ours if name not in declared)), len(declared) - len(change))
