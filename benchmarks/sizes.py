"""
How much is measured: chosen so that the whole run takes about half an hour on two cores.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Final

PARTS: Final = {
    "a": "contest",
    "b": "path",
    "c": "ladder",
    "d": "recovery",
    "e": "growth",
    "f": "wire",
    "g": "sealing",
    "h": "stages",
}
"""The parts by their letters, and how each is called in the results."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """
    *rounds* of everything but the bytes, which are the same each time; *records* that a contender reads, *path* by feed.
    """

    rounds: int = 5
    records: int = 30_000
    path: Mapping[str, int] = field(default_factory=lambda: {"incidents-imb": 4_000, "ais-demonstration": 8_000})
    staged: int = 2_000
    rates: tuple[int, ...] = (50, 100, 250, 500, 1_000)
    rung_s: float = 8.0
    keys: tuple[int, ...] = (0, 10_000, 100_000, 1_000_000)
    processes: tuple[int, ...] = (1, 2, 4)

    def told(self) -> dict[str, Any]:
        """Give them as plain values."""
        return asdict(self)

    def smaller(self, records: int) -> Sizes:
        """Give the sizes of a quick look, in which a contender reads so many records."""
        part = min(1.0, records / self.records)
        return Sizes(
            self.rounds,
            records,
            {feed: max(500, int(count * part)) for feed, count in self.path.items()},
            max(500, int(self.staged * part)),
            self.rates,
            max(2.0, self.rung_s * part),
            tuple(keys for keys in self.keys if keys <= max(10_000, self.keys[-1] * part)),
            self.processes,
        )


def whole(parts: frozenset[str], sizes: Sizes) -> bool:
    """
    Say whether this is the run that others may be compared with.
    """
    return parts == frozenset(PARTS) and sizes == Sizes()
