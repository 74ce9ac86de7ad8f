"""
What release remembers: who was given what, so that nothing is sent twice and a recall finds everyone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from msgspec import Struct

from boutre.processors.accept import lane
from boutre.processors.decision import State
from boutre.processors.repeats import MOST, Trace

REMEMBERS: Final = frozenset({"had", "track", "repeat", "gone"})
"""The classes of keys that release remembers, each with its window in ``processors/pipeline.toml``."""

UNREAD: Final = object()

OTHER: Final = {"had": "track", "track": "had"}

DIGESTS = 64
"""Digests of cuts remembered for one record and recipient; beyond them a repeat is sent again rather than lost."""


class Seen(Struct, frozen=True, eq=False, gc=False):
    """
    What is remembered where a trace looks, each cell by recipient: its *own* cell, where it will stand, and all that are not empty.
    """

    trace: Trace
    own: Mapping[str, Sequence[Any]]
    cells: Sequence[Mapping[str, Sequence[Any]]]


@dataclass(slots=True, eq=False)
class Memory:
    """
    What release remembers of one member's records, for one record; each key is read once for all recipients.

    ``had:<record>`` holds the digests of what each recipient was given of it (``track:<record>`` of a position by AIS, of which so
    many come that they would crowd out the reports), ``repeat:<digest>`` the reports by which each recipient may know a repeat, and
    ``gone:<member>:<record>`` what its own member took back; in an exercise ``gone:<member>:exercise:<record>``, since that takes
    nothing real back. A recipient's part is made of what it was given only, so that a record
    which it may not have changes nothing for it.
    """

    state: State
    member: str
    given_as: str = "had"
    exercise: bool = False
    _read: dict[str, Any] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, value: Mapping[str, Any], state: State) -> Memory:
        """Give what is remembered of the member whose record *value* is."""
        member = str(value["origin"]["member"])
        # What travels in a lane of its own, as a recall of it does: a position by AIS.
        return cls(state, member, "had" if lane(value) == member else "track", bool(value.get("exercise")))

    def gone_key(self, identifier: str) -> str:
        """Give the key under which it is remembered that this member took a record back, in earnest or in an exercise."""
        return f"gone:{self.member}:{'exercise:' if self.exercise else ''}{identifier}"

    def gone(self, identifier: str) -> bool:
        """Say whether this member took the record back."""
        return bool(self._get(f"gone:{self.member}:{identifier}") or (self.exercise and self._get(self.gone_key(identifier))))

    def digests(self, recipient: str, identifier: str) -> Sequence[str]:
        """Give the digests of what *recipient* was given of a record of this member."""
        return self.to(identifier).get(recipient, ())

    def to(self, identifier: str) -> Mapping[str, Sequence[str]]:
        """Give the digests of what was given of a record of this member, by recipient."""
        entry = self._given(identifier)
        return entry.get("to", {}) if entry and entry.get("member") == self.member else {}

    def cells(self, recipient: str, identifier: str) -> Sequence[str]:
        """Give the cells in which a record was offered for links of *recipient*."""
        entry = self._given(identifier)
        found = entry.get("cells", {}).get(recipient, ()) if entry and entry.get("member") == self.member else ()
        return [str(cell) for cell in found]

    def gave(self, recipient: str, identifier: str) -> bool:
        """Say whether *recipient* was given anything of the record."""
        return bool(self.digests(recipient, identifier))

    def seen(self, traces: Iterable[Trace]) -> list[Seen]:
        """Give what is remembered where each of *traces* looks."""
        found = []
        for trace in traces:
            cells = [self.state.get(key) for key in trace.keys]
            found.append(Seen(trace, cells[0] or {}, [cell for cell in cells if cell]))
        return found

    def earlier(self, recipient: str, visible: Iterable[Seen]) -> list[tuple[str, str]]:
        """Give the reports of the same event that *recipient* had and that still stand, each with the rule that says so."""
        found = [
            (identifier, seen.trace.rule)
            for seen in visible
            for cell in seen.cells
            for identifier, names in cell.get(recipient, ())
            if seen.trace.agrees(names) and not self.gone(identifier)
        ]
        return list(dict(found).items())

    def given(
        self, identifier: str, digests: Mapping[str, str], cells: Mapping[str, Sequence[str]] | None = None
    ) -> dict[str, Any]:
        """Give what is to be remembered once each recipient was given what its digest stands for."""
        if not digests:
            return {}
        key = f"{self.given_as}:{identifier}"
        to = {name: list(self.digests(name, identifier)) for name in (self._given(identifier) or {}).get("to", {})}
        for recipient, digest in digests.items():
            to[recipient] = [*to.get(recipient, ()), digest][-DIGESTS:]
        entry = {"member": self.member, "to": to}
        known = {**(self._given(identifier) or {}).get("cells", {}), **{name: list(each) for name, each in (cells or {}).items()}}
        return {key: {**entry, "cells": known} if known else entry}

    def with_report(self, seen: Seen, identifier: str, recipients: Sequence[str]) -> dict[str, Any]:
        """Give the cell of a trace with this report in it, for each of *recipients*."""
        cell, own = dict(seen.own), [identifier, list(seen.trace.names)]
        for recipient in recipients:
            others = [entry for entry in cell.get(recipient, ()) if entry[0] != identifier]
            cell[recipient] = [*others, own][-MOST:]
        return cell

    def _given(self, identifier: str) -> Any:
        """Give who was given what of a record, report or position: which of them it is may be withheld from a recipient."""
        found = self._get(f"{self.given_as}:{identifier}")
        return found if found is not None else self._get(f"{OTHER[self.given_as]}:{identifier}")

    def _get(self, key: str) -> Any:
        found = self._read.get(key, UNREAD)
        if found is UNREAD:
            found = self._read[key] = self.state.get(key)
        return found
