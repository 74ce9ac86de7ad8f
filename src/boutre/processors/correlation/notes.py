"""
What is remembered, with what is to be remembered from now on: one record's own changes are seen by what comes after them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from boutre.processors.decision import State


@dataclass(slots=True)
class Notes(Mapping[str, Any]):
    """
    *state* with *changes* over it. A key that is forgotten, or was never there, gives nothing.
    """

    state: State
    changes: dict[str, Any] = field(default_factory=dict)

    def get(self, key: str, default: Any = None) -> Any:
        """Give what stands under *key*."""
        found = self.changes[key] if key in self.changes else self.state.get(key)
        return default if found is None else found

    def put(self, key: str, value: Any) -> None:
        """Remember *value* as plain JSON; None forgets the key. What stands there already is not written again."""
        if self.get(key) != value:
            self.changes[key] = value

    def __getitem__(self, key: str) -> Any:
        found = self.get(key)
        if found is None:
            # Without the key's own text: it may name a record.
            raise KeyError
        return found

    def __iter__(self) -> Iterator[str]:
        return iter(self.state)

    def __len__(self) -> int:
        return len(self.state)
