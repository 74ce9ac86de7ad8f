"""
The bus as it is, in one value: who runs, what each has and did last, and what is late.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Answered:
    """
    What one process said of itself (``/readyz`` and ``/healthz``); *body* is None where it did not answer.
    """

    kind: str
    name: str
    address: str
    ready: bool = False
    healthy: bool = False
    body: Mapping[str, Any] | None = None
    why: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Give it as plain values."""
        since = dict((self.body or {}).get("seconds_since", {}))
        return {
            "name": self.name, "at": self.address, "ready": self.ready, "healthy": self.healthy, "why": list(self.why),
            "partitions": (self.body or {}).get("partitions"),
            "last_success_seconds": since.get("last_success"),
            "last_acknowledgement_seconds": since.get("last_acknowledgement"),
            "oldest_work_waiting_seconds": since.get("oldest_work_waiting"),
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Group:
    """
    A processor's consumer group as the cluster has it: how many members, and which partitions of its input somebody has.
    """

    processor: str
    name: str
    partitions: int
    members: int = 0
    owned: frozenset[int] = field(default_factory=frozenset)

    @property
    def lacking(self) -> list[int]:
        """The partitions that nobody has."""
        return sorted(set(range(self.partitions)) - self.owned)


@dataclass(frozen=True, slots=True)
class Standing:
    """
    All that was learnt. *groups* is None where the cluster did not answer, for the reason *silent*.
    """

    cluster: str | None
    silent: str | None
    groups: tuple[Group, ...] | None
    processes: tuple[Answered, ...]

    @property
    def late(self) -> list[str]:
        """Say what is late, stuck or missing."""
        found = [] if self.silent is None else [f"the cluster does not answer: {self.silent}"]
        for group in self.groups or ():
            if not group.members:
                found.append(f"{group.processor}: no worker runs; what it reads waits")
            elif group.lacking:
                found.append(f"{group.processor}: nobody has its partitions {', '.join(map(str, group.lacking))}")
        bad = [one for one in self.processes if not (one.ready and one.healthy)]
        return found + [f"{one.kind} {one.name} at {one.address}: {'; '.join(one.why) or 'does not answer'}" for one in bad]

    def as_json(self) -> dict[str, Any]:
        """Give it as plain values, for ``--output json``."""
        groups = [
            {
                "processor": group.processor, "group": group.name, "members": group.members,
                "partitions": group.partitions, "owned": sorted(group.owned), "lacking": group.lacking,
                "workers": _of(self.processes, "worker", group.processor),
            }
            for group in self.groups or ()
        ]  # fmt: skip
        return {
            "cluster": {"id": self.cluster, "answers": self.silent is None, "why": self.silent},
            "processors": groups if self.groups is not None else None,
            **{f"{kind}s": _of(self.processes, kind) for kind in ("worker", "connector", "sink", "follower")},
            "late": self.late,
        }


def _of(processes: Iterable[Answered], kind: str, name: str | None = None) -> list[dict[str, Any]]:
    return [one.as_json() for one in processes if one.kind == kind and name in (None, one.name)]
