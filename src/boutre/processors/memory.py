"""
What release remembers: who was given what, so that nothing is sent twice and a recall finds everyone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from boutre.processors.decision import State
from boutre.processors.repeats import MOST, Trace

DIGESTS = 64
"""Digests of cuts remembered for one record and recipient; beyond them a repeat is sent again rather than lost."""


@dataclass(frozen=True, slots=True)
class Memory:
    """
    What release remembers of one member's records.

    ``had:<record>`` holds the digests of what each recipient was given of it, ``repeat:<digest>`` the reports by which each
    recipient may know a repeat, and ``gone:<member>:<record>`` what its own member took back. A recipient's part is made of what it
    was given only, so that a record which it may not have changes nothing for it.
    """

    state: State
    member: str

    @classmethod
    def of(cls, value: Mapping[str, Any], state: State) -> Memory:
        """Give what is remembered of the member whose record *value* is."""
        return cls(state, str(value["origin"]["member"]))

    def gone_key(self, identifier: str) -> str:
        """Give the key under which it is remembered that this member took a record back."""
        return f"gone:{self.member}:{identifier}"

    def gone(self, identifier: str) -> bool:
        """Say whether this member took the record back."""
        return bool(self.state.get(self.gone_key(identifier)))

    def digests(self, recipient: str, identifier: str) -> list[str]:
        """Give the digests of what *recipient* was given of a record of this member."""
        entry = self.state.get(f"had:{identifier}") or {}
        return list(entry.get("to", {}).get(recipient, ())) if entry.get("member") == self.member else []

    def gave(self, recipient: str, identifier: str) -> bool:
        """Say whether *recipient* was given anything of the record."""
        return bool(self.digests(recipient, identifier))

    def earlier(self, recipient: str, traces: Sequence[Trace]) -> list[tuple[str, str]]:
        """Give the reports of the same event that *recipient* had and that still stand, each with the rule that says so."""
        found = [
            (identifier, trace.rule)
            for trace in traces
            for key in trace.keys
            for identifier, names in (self.state.get(key) or {}).get(recipient, ())
            if trace.agrees(names) and not self.gone(identifier)
        ]
        return list(dict(found).items())

    def given(self, identifier: str, digests: Mapping[str, str]) -> dict[str, Any]:
        """Give what is to be remembered once each recipient was given what its digest stands for."""
        if not digests:
            return {}
        to = {name: self.digests(name, identifier) for name in (self.state.get(f"had:{identifier}") or {}).get("to", {})}
        for recipient, digest in digests.items():
            to[recipient] = [*to.get(recipient, ()), digest][-DIGESTS:]
        return {f"had:{identifier}": {"member": self.member, "to": to}}

    def seen(self, trace: Trace, identifier: str, recipients: Sequence[str]) -> dict[str, Any]:
        """Give the cell of a trace with this report in it, for each of *recipients*."""
        cell = dict(self.state.get(trace.keys[0]) or {})
        for recipient in recipients:
            others = [entry for entry in cell.get(recipient, ()) if entry[0] != identifier]
            cell[recipient] = [*others, [identifier, list(trace.names)]][-MOST:]
        return cell
