"""
What the records of one transaction came to, before it is written.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from boutre.processors.decision import Outbound
from boutre.processors.handle import Handled
from boutre.processors.runtime.outbox import LARGEST_OUTPUT, Row


@dataclass(slots=True)
class Work:
    """
    What the records of one transaction came to: outputs, and the last change of each key as the changelog has it.
    """

    handled: list[Handled] = field(default_factory=list)
    outputs: list[Outbound] = field(default_factory=list)
    changes: dict[str, Row] = field(default_factory=dict)
    size: int = 0

    def add(self, handled: Handled, changes: Mapping[str, bytes | None], timestamp: int) -> None:
        """Add what one record came to; *timestamp* is the newest acceptance so far, from which its changes are remembered."""
        self.handled.append(handled)
        self.outputs += handled.records
        for key, value in changes.items():
            self.changes[key] = (key.encode(), value, timestamp, [])
        self.size += sum([len(out.value) for out in handled.records])


def too_large(handled: Handled, changes: Mapping[str, bytes | None]) -> bool:
    """
    Say whether something of it is more than a broker takes.
    """
    for out in handled.records:
        if len(out.value) + len(out.key) > LARGEST_OUTPUT:
            return True
    return any(map(LARGEST_OUTPUT.__lt__, map(len, filter(None, changes.values()))))
