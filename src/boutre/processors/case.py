"""
One accepted record as release looks at it: what is the same of it for every recipient, and what became of it for each.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from datetime import datetime
from typing import Any

from msgspec import Struct

from boutre.processors.conditions import Facts
from boutre.processors.decision import Outbound
from boutre.processors.memory import Memory, Seen
from boutre.processors.parts import Parts
from boutre.processors.receipts import Record
from boutre.schemas.identity import alias, pseudonym


class Outcome(Struct, frozen=True, eq=False, gc=False):
    """
    What became of the record for one recipient; where it was delivered, with what is to be remembered of it.
    """

    outcome: str
    receipts: tuple[Outbound, ...]
    out: Outbound | None = None
    digest: str | None = None
    knows: frozenset[str] = frozenset()
    offers: tuple[Outbound, ...] = ()
    cells: tuple[str, ...] = ()


class Known:
    """
    The names by which one recipient knows the records of a member, and its pseudonyms.
    """

    __slots__ = ("_had", "_key", "_recipient")

    def __init__(self, recipient: str, key: bytes, had: Memory) -> None:
        self._recipient = recipient
        self._key = key
        self._had = had

    def __call__(self, identifier: str, /) -> str | None:
        """Give its name for a record that it had."""
        return pseudonym(self._key, identifier) if self._had.gave(self._recipient, identifier) else None

    def alias(self, field: str, text: str, /) -> str:
        """Give its pseudonym of a text."""
        return alias(self._key, field, text)


class Always:
    """
    The names by which one recipient knows records, or would: for what stays on the bus.
    """

    __slots__ = ("_key",)

    def __init__(self, key: bytes) -> None:
        self._key = key

    def __call__(self, identifier: str, /) -> str:
        """Give its name for any record."""
        return pseudonym(self._key, identifier)

    def alias(self, field: str, text: str, /) -> str:
        """Give its pseudonym of a text."""
        return alias(self._key, field, text)


class Case(Struct, frozen=True, eq=False, gc=False):
    """
    One accepted record, and all that is the same of it for every recipient.
    """

    kind: str
    identifier: str
    value: Mapping[str, Any]
    accepted: datetime
    had: Memory
    gone: bool
    ship: bool
    seen: Sequence[Seen]
    told: Mapping[str, Sequence[str]]
    facts: Facts
    parts: Parts
    receipt: Record
    stamps: dict[Hashable, int]

    def changes(self, outcomes: Sequence[tuple[str, Outcome]]) -> dict[str, Any]:
        """Give what is to be remembered: for each recipient only what was delivered to it."""
        digests = {recipient: outcome.digest for recipient, outcome in outcomes if outcome.digest is not None}
        cells = {recipient: outcome.cells for recipient, outcome in outcomes if outcome.cells}
        changes = self.had.given(self.identifier, digests, cells)
        for seen in self.seen:
            told = [recipient for recipient, outcome in outcomes if seen.trace.rule in outcome.knows]
            if told:
                changes[seen.trace.keys[0]] = self.had.with_report(seen, self.identifier, told)
        if self.kind == "retraction":
            changes[self.had.gone_key(str(self.value["recall"]["record"]))] = True
        return changes


def missing_group(kind: str, value: Mapping[str, Any]) -> str | None:
    """
    Name a group without which nothing can be decided; accept lets no such record pass.
    """
    groups = ("origin", "lifecycle", "times", "handling", *(("recall",) if kind == "retraction" else ()))
    missing = [name for name in groups if type(value.get(name)) is not dict]
    return missing[0] if missing else None
