"""
A finding: what is not as it should be, how bad that is, what it means, and what to do next.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias

Severity: TypeAlias = Literal["note", "warning", "error"]
"""
An *error* stops work or protection now, a *warning* will or may; a *note* is worth knowing and changes no exit status.
"""

ORDER: Final[tuple[Severity, ...]] = ("error", "warning", "note")

Room: TypeAlias = Literal[
    "settings", "broker", "clock", "topics", "access", "schemas", "keys", "agreements", "disk", "state", "versions"
]
ROOMS: Final[tuple[Room, ...]] = (
    "settings", "broker", "clock", "topics", "access", "schemas", "keys", "agreements", "disk", "state", "versions",
)  # fmt: skip
"""Where is looked, in this order."""


@dataclass(frozen=True, slots=True)
class Finding:
    """
    One finding; none of its words is a secret or a value of a record. *next_step* is a command where there is one.
    """

    room: Room
    severity: Severity
    what: str
    means: str
    next_step: str

    def as_json(self) -> dict[str, str]:
        """Give it as plain values, for ``--output json``."""
        return {
            "room": self.room,
            "severity": self.severity,
            "what": self.what,
            "means": self.means,
            "next": self.next_step,
        }


@dataclass(frozen=True, slots=True)
class Looked:
    """
    That a room was looked at, and what there was to see; or that it could not be looked at, and why: no finding is then no comfort.
    """

    room: Room
    said: str
    seen: bool = True


@dataclass(frozen=True, slots=True)
class Report:
    """
    All that was found.
    """

    looked: tuple[Looked, ...]
    findings: tuple[Finding, ...]

    @property
    def status(self) -> int:
        """The exit status: 2 with an error, 1 with a warning, else 0."""
        found = {finding.severity for finding in self.findings}
        return 2 if "error" in found else 1 if "warning" in found else 0

    def as_json(self) -> dict[str, Any]:
        """Give it as plain values, for ``--output json``."""
        return {
            "status": self.status,
            "looked": [{"room": one.room, "seen": one.seen, "said": one.said} for one in self.looked],
            "findings": [finding.as_json() for finding in self.findings],
        }


def report(looked: Iterable[Looked], findings: Iterable[Finding]) -> Report:
    """
    Put together what was found: the worst first, then by room.
    """
    rooms = tuple(sorted(looked, key=lambda one: ROOMS.index(one.room)))
    found = sorted(findings, key=lambda one: (ORDER.index(one.severity), ROOMS.index(one.room), one.what))
    return Report(rooms, tuple(found))
