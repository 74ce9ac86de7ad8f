"""
A store as it will be when the transaction in hand is committed, and what is to be forgotten with it.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec

from boutre import metrics
from boutre.processors.runtime.store import Row, Store, StoreError
from boutre.processors.windows import Entry, Remembered, class_of

SWEEP: Final = 200
"""
Keys looked at in one transaction for being forgotten, beside as many as it writes: so what is remembered shrinks, and no alert
waits.
"""


class Overlay(Remembered):
    """
    The transaction's own changes over what is committed. One that is not committed is dropped, and nothing of it stays.
    """

    def __init__(self, store: Store) -> None:
        super().__init__(store.windows, store.checkpoint.clock)
        self.begun = time.time()
        self.error: StoreError | None = None
        self._store = store
        self._changes: dict[str, Entry] = {}
        self._found: dict[str, Entry | None] = {}
        self._swept: dict[bytes, list[bytes]] = {}
        self.forgotten: Counter[str] = Counter()

    def entry(self, key: str) -> Entry | None:
        """Give what was written last under *key*, in this transaction or before."""
        if key in self._changes:
            return self._changes[key]
        return self._committed(key)

    def __iter__(self) -> Iterator[str]:
        # A step asks for keys that it can name; nothing of it needs them all.
        return iter(self._changes)

    def add(self, changes: Mapping[str, Any]) -> None:
        """Remember *changes* for the records that come after in this transaction."""
        for key, value in changes.items():
            self._changes[key] = (self.now, value)

    def check(self) -> None:
        """Raise the error of the store that a step met: a step that could not look at what is remembered has decided nothing."""
        if self.error is not None:
            raise self.error

    def sweep(self, most: int = SWEEP) -> dict[str, Row]:
        """
        Give tombstones for keys that are to be forgotten with this transaction; what it writes itself is left alone.

        They are those whose window has passed, and of a class with too many keys the oldest.
        """
        grown: Counter[str] = Counter()
        for key in self._changes:
            grown[class_of(key)] += (self._changes[key][1] is not None) - (self._committed(key) is not None)
        room = most + len(self._changes)
        rows: dict[str, Row] = {}
        for kind in self._store.classes():
            room = self._sweep(kind, grown[kind], room, rows)
        return rows

    def commit(self, rows: Mapping[str, Row], position: int) -> None:
        """Put it into the store: *rows*, which are its changes and tombstones as they stand in the changelog, up to *position*."""
        self._store.apply(rows, position, clock=self.now, complete_at=self.begun, known=self._found, swept=self._swept)

    def count(self, stage: str, partition: int) -> None:
        """Count what was forgotten, and what is remembered now."""
        for why, number in self.forgotten.items():
            metrics.STATE_FORGOTTEN.labels(stage, why).inc(number)
        for kind, number in self._store.checkpoint.keys.items():
            metrics.STATE_KEYS.labels(stage, str(partition), kind).set(number)

    def _read(self, key: str) -> Entry | None:
        try:
            found = self._store.get(key)
        except StoreError as error:
            # The step's own handler takes every error for the record's fault.
            self.error = error
            raise
        return None if found is None else (found[0], msgspec.json.decode(found[1]))

    def _committed(self, key: str) -> Entry | None:
        """Give what the store has under *key*, which is asked for once in a transaction."""
        if key not in self._found:
            self._found[key] = self._read(key)
        return self._found[key]

    def _sweep(self, kind: str, grown: int, room: int, rows: dict[str, Row]) -> int:
        """Sweep one class, as far as *room* goes; gives the room that is left."""
        window = self.windows.classes.get(kind)
        horizon = self.windows.horizon(kind, self.now)
        over = 0 if window is None else self._store.checkpoint.keys.get(kind, 0) + grown - window.most
        oldest = self._store.oldest(kind)
        if oldest is None or (oldest > horizon and over <= 0):
            return room
        for block in self._store.blocks(kind):
            if room <= 0 or (block.written > horizon and over <= 0):
                break
            room -= len(block.keys)
            rest = []
            for name, written in zip(block.keys, self._store.written(block.keys), strict=True):
                key = name.decode()
                if written is None or written > block.written or key in self._changes:
                    continue  # it was forgotten or written again since, and stands in another block
                if block.written <= horizon or over > 0:
                    rows[key] = (name, None, self.now, [])
                    self._found[key] = (written, None)
                    self.forgotten["window" if block.written <= horizon else "most"] += 1
                    over -= 1
                else:
                    rest.append(name)
            self._swept[block.name] = rest
        return room


def change_bytes(value: Any) -> bytes | None:
    """
    Give the bytes of a change in the changelog: JSON, or a tombstone.
    """
    return None if value is None else msgspec.json.encode(value)
