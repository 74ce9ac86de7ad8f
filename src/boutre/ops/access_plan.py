"""
What would have to be done to a cluster's rules so that they are those that are wanted: a value, made by a pure function.

What is missing is created. What is there and not wanted is shown, and removed only when that is asked for. What somebody denied,
and what reaches beyond the bus, is shown and never touched.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any, Final

from boutre.ops.access import SPACES, Rule, overlap

PLAIN: Final = "{}"
"""How a cluster writes the name of who signs in by a password, or by a certificate whose name is mapped."""


@dataclass(frozen=True, slots=True, order=True)
class Entry:
    """
    One rule as a cluster has it, in words of lower case with hyphens; *principal* with its type (``User:member.comoros``).
    """

    principal: str
    resource: str
    name: str
    pattern: str
    operation: str
    permission: str = "allow"
    host: str = "*"

    def __str__(self) -> str:
        name = f"{self.name}{'*' if self.pattern == 'prefixed' else ''}"
        host = "" if self.host == "*" else f" from {self.host}"
        deny = "" if self.permission == "allow" else f"{self.permission} "
        return f"{self.principal}  {deny}{self.operation}  {self.resource} {name}{host}"


@dataclass(frozen=True, slots=True)
class Left:
    """
    An entry that is other than wanted and is not touched, and why.
    """

    entry: Entry
    why: str


@dataclass(frozen=True, slots=True)
class Plan:
    """
    All differences: *create* would be done, *surplus* only when asked, *left* never.
    """

    create: tuple[Entry, ...] = ()
    surplus: tuple[Entry, ...] = ()
    left: tuple[Left, ...] = ()
    unchanged: int = 0

    @property
    def differs(self) -> bool:
        """
        Whether the cluster's rules are other than wanted, in whatever way.
        """
        return bool(self.create or self.surplus or self.left)

    def as_json(self) -> dict[str, Any]:
        """
        The plan as plain values, for `--output json`.
        """
        return {
            "create": [asdict(entry) for entry in self.create],
            "surplus": [asdict(entry) for entry in self.surplus],
            "left": [{**asdict(one.entry), "why": one.why} for one in self.left],
            "unchanged": self.unchanged,
        }


def entries(rules: Iterable[Rule], form: str = PLAIN) -> frozenset[Entry]:
    """
    The rules as a cluster has them; *form* says how it names who signs in (``CN={}`` for certificates that are not mapped).
    """
    return frozenset(
        Entry(f"User:{form.format(rule.principal)}", rule.resource, rule.name, rule.pattern, rule.operation) for rule in rules
    )


def plan(wanted: Iterable[Entry], found: Iterable[Entry], form: str = PLAIN) -> Plan:
    """
    Compare the rules that are wanted with those that a cluster has.

    Other people's rules on a shared cluster are passed over, unless they reach what is the bus's: its topics, groups and
    transactional ids.
    """
    wanted, found = frozenset(wanted), frozenset(found)
    ours = frozenset((entry.resource, entry.name, entry.pattern) for entry in wanted)
    begin = tuple(f"User:{form.format(space + chr(0)).partition(chr(0))[0]}" for space in SPACES)
    surplus: list[Entry] = []
    left: list[Left] = []
    for entry in sorted(found - wanted):
        own = entry.principal.startswith(begin)
        if not own and not _reaches(entry, ours):
            continue
        if entry.permission != "allow":
            left.append(Left(entry, "somebody denied it; whoever did takes it back"))
        elif own or _within(entry, ours):
            surplus.append(entry)
        else:
            left.append(Left(entry, "it reaches the bus and more; see whose it is, and whether that is meant"))
    return Plan(tuple(sorted(wanted - found)), tuple(surplus), tuple(left), len(wanted & found))


def _reaches(entry: Entry, ours: Iterable[tuple[str, str, str]]) -> bool:
    # Who may alter the whole cluster can give itself anything: that is the cluster's matter, and stands in docs/access.md.
    return entry.resource != "cluster" and any(
        resource == entry.resource and overlap((name, pattern), (entry.name, entry.pattern)) for resource, name, pattern in ours
    )


def _within(entry: Entry, ours: Iterable[tuple[str, str, str]]) -> bool:
    return any(
        resource == entry.resource
        and ((name, pattern) == (entry.name, entry.pattern) or (pattern == "prefixed" and entry.name.startswith(name)))
        for resource, name, pattern in ours
    )
