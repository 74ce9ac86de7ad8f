"""
What the records of one transaction came to, before it is written.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from msgspec.structs import replace

from boutre.processors.decision import Outbound
from boutre.processors.handle import Handled
from boutre.processors.runtime.outbox import LARGEST_OUTPUT
from boutre.processors.runtime.store import Row
from boutre.tracing import Hop

VIEWS_BEGIN: Final = "for."
"""How the topics of recipients begin."""


@dataclass(slots=True)
class Work:
    """
    What the records of one transaction came to: outputs, and the last change of each key as the changelog has it.
    """

    handled: list[Handled] = field(default_factory=list)
    outputs: list[Outbound] = field(default_factory=list)
    changes: dict[str, Row] = field(default_factory=dict)
    size: int = 0
    hops: list[tuple[Hop, Handled]] = field(default_factory=list)

    def add(self, handled: Handled, changes: Mapping[str, bytes | None], timestamp: int) -> None:
        """Add what one record came to; *timestamp* is the newest acceptance so far, from which its changes are remembered."""
        self.handled.append(handled)
        self.outputs += handled.records
        for key, value in changes.items():
            self.changes[key] = (key.encode(), value, timestamp, [])
        self.size += sum([len(out.value) for out in handled.records])

    def rows(self) -> Iterator[tuple[str, bytes | None]]:
        """Give what is changed: keys, each with its JSON, or None where it is forgotten."""
        return ((key, row[1]) for key, row in self.changes.items())

    def trace(self, hop: Hop, handled: Handled) -> Handled:
        """Have what one record came to go on with its trace, but for what leaves the bus, which begins one of its own."""
        records = tuple(
            [replace(out, headers=(*out.headers, *hop.headers(apart=out.topic.startswith(VIEWS_BEGIN)))) for out in handled.records]
        )
        self.hops.append((hop, handled))
        return replace(handled, records=records)

    def told(self) -> None:
        """Tell the traces of records whose transaction was committed; of others there is nothing to tell."""
        for hop, handled in self.hops:
            hop.end(handled.outcome, handled.reason)


def too_large(handled: Handled, changes: Mapping[str, bytes | None]) -> bool:
    """
    Say whether something of it is more than a broker takes.
    """
    for out in handled.records:
        if len(out.value) + len(out.key) > LARGEST_OUTPUT:
            return True
    return any(map(LARGEST_OUTPUT.__lt__, map(len, filter(None, changes.values()))))
