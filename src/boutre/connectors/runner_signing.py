"""
What waits to be signed together, and the beat by which nothing waits for long.

A source may wait in the middle of a batch without a word, so that nobody but a thread can send what came before. It does that and
nothing else, under the lock of its session, for feeds that sign in batches only.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic
from typing import Final

from boutre.connectors.cursor import Ticket
from boutre.connectors.record import Draft

LONGEST_WAIT_S: Final = 0.02
"""How long an item waits at the most for others to be signed with (seconds): as long as Kafka's producer waits for others."""

MOST_BYTES: Final = 1_048_576
"""How many bytes of records may wait."""


class Gathered:
    """
    Items that wait for one signature, *most* of them at the most, in the order in which they came.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._items: list[tuple[Ticket, Draft]] = []
        self._bytes = 0
        self._since = 0.0

    def add(self, ticket: Ticket, draft: Draft) -> None:
        """Let an item wait."""
        if not self._items:
            self._since = monotonic()
        self._items.append((ticket, draft))
        self._bytes += len(draft.message.value)

    @property
    def full(self) -> bool:
        """Whether it is time to sign, since there are enough."""
        return len(self._items) >= self._most or self._bytes >= MOST_BYTES

    @property
    def late(self) -> bool:
        """Whether it is time to sign, since the first has waited long enough."""
        return bool(self._items) and monotonic() - self._since >= LONGEST_WAIT_S

    def take(self) -> list[tuple[Ticket, Draft]]:
        """Give all that waits, and wait for others."""
        taken, self._items, self._bytes = self._items, [], 0
        return taken


@contextmanager
def beat(call: Callable[[], None]) -> Iterator[None]:
    """
    Call *call* from a thread of its own every ``LONGEST_WAIT_S`` as long as this lasts; it must not raise.
    """
    ended = threading.Event()

    def run() -> None:
        while not ended.wait(LONGEST_WAIT_S):
            call()

    thread = threading.Thread(target=run, name="sign what waits", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
