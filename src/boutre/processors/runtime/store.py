"""
What a processor remembers for one partition, with the position of the changelog that it holds.

It changes only after the transaction that holds the change is known to be committed. Kept in memory and filled again from the
changelog; the changelog is the truth.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec


class Store:
    """
    Values by key; *position* is the next offset of the changelog that is not in it yet.
    """

    def __init__(self) -> None:
        self._values: dict[str, Any] = {}
        self.position = 0

    def apply(self, changes: Mapping[str, Any], position: int) -> None:
        """Take over *changes* that are committed, and the position behind them; None forgets a key."""
        for key, value in changes.items():
            if value is None:
                self._values.pop(key, None)
            else:
                self._values[key] = value
        self.position = position

    def restore(self, key: bytes, value: bytes | None, position: int) -> None:
        """Take over one record of the changelog."""
        self.apply({key.decode(): None if value is None else msgspec.json.decode(value)}, position)

    def __len__(self) -> int:
        return len(self._values)

    def get(self, key: str) -> Any:
        """Give the value of *key*, or None."""
        return self._values.get(key)


class Overlay(Mapping[str, Any]):
    """
    A store as it will be when the batch in hand is committed: the batch's own changes over what is committed.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self.changes: dict[str, Any] = {}

    def __getitem__(self, key: str) -> Any:
        value = self.changes[key] if key in self.changes else self._store.get(key)
        if value is None:
            raise KeyError(key)
        return value

    def __iter__(self) -> Iterator[str]:
        # A step asks for keys that it can name; nothing of it needs them all.
        return iter(self.changes)

    def __len__(self) -> int:
        return len(self.changes)

    def add(self, changes: Mapping[str, Any]) -> None:
        """Remember *changes* for the records that come after in this batch."""
        self.changes.update(changes)


def change_bytes(value: Any) -> bytes | None:
    """
    Give the bytes of a change in the changelog: JSON, or a tombstone.
    """
    return None if value is None else msgspec.json.encode(value)
