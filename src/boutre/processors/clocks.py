"""
The clocks of one processor: told by its runtime what was restored and what was committed, they count how late it was.

The bus in memory has none: it has no time but that of its records.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from boutre.processors.decision import Inbound
from boutre.processors.hops import Hops
from boutre.processors.waiting import KEPT, Waiting

if TYPE_CHECKING:
    from boutre.processors.handle import Handled

__all__ = ["KEPT", "Clocks"]


@dataclass(frozen=True, slots=True)
class Clocks:
    """
    How late its records come to it, and, where it keeps threads of alerts, which of them wait for a person.
    """

    hops: Hops
    waiting: Waiting | None = None

    def restored(self, partition: int, rows: Iterable[tuple[str, bytes]], now: float) -> None:
        """Take that the memory of a partition is there: *rows* are its keys of the class ``KEPT``, each with its JSON."""
        if self.waiting is not None:
            self.waiting.begin(partition, rows)
            self.waiting.tell(now)

    def committed(
        self,
        partition: int,
        records: Sequence[Inbound],
        handled: Sequence[Handled],
        rows: Iterable[tuple[str, bytes | None]],
        now: float,
    ) -> None:
        """Take a transaction: *records* and what each came to, *rows* that it changed, and when it was committed, s since 1970."""
        self.hops.count(records, handled, now)
        if self.waiting is not None:
            self.waiting.take(partition, rows)
            self.waiting.tell(now)

    def only(self, partitions: Collection[int], now: float) -> None:
        """Take that this process has these partitions and no others."""
        self.hops.moved()
        if self.waiting is not None:
            self.waiting.only(partitions)
            self.waiting.tell(now)
