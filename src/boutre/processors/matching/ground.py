"""
What matching knows beyond two reports: how identifiers and names are read, where land lies, and what matches too much to tell.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final

from boutre.processors.matching.identifiers import Identifiers
from boutre.processors.matching.names import Rarity, ShipNames
from boutre.processors.matching.reach import Coasts
from boutre.processors.matching.sighted import Sighted

MONTH_S: Final = 30 * 86_400.0

STOCK_MONTHS: Final = 4
"""Months in which a source gives one position, to the thousandth of a degree, for it to be one that it gives to everything."""

Position = tuple[str, float, float]


@dataclass(frozen=True, slots=True)
class Ground:
    """
    The ground on which two reports are compared. Without *stock*, *rarity* and *too_common* nothing is known to match too much.
    """

    identifiers: Identifiers
    names: ShipNames
    coasts: Coasts = field(default_factory=Coasts)
    stock_positions: frozenset[Position] = frozenset()
    rarity: Rarity | None = None
    too_common: Callable[[str, str], bool] | None = None

    def stock(self, one: Sighted) -> bool:
        """Say whether a report stands at a position that its source gives to everything, such as the middle of a country."""
        return bool(self.stock_positions) and position(one) in self.stock_positions


def position(one: Sighted) -> Position | None:
    """
    Give a report's source and position, to the thousandth of a degree; None where it has none.
    """
    if one.latitude is None or one.longitude is None:
        return None
    return one.source, round(one.latitude, 3), round(one.longitude, 3)


def stock_positions(reports: Iterable[Sighted], months: int = STOCK_MONTHS) -> frozenset[Position]:
    """
    Give the positions that a source gives in at least so many months.
    """
    seen: dict[Position, set[int]] = defaultdict(set)
    for one in reports:
        place = position(one)
        if place is not None and one.at is not None:
            seen[place].add(int(one.at // MONTH_S))
    return frozenset(place for place, when in seen.items() if len(when) >= months)
