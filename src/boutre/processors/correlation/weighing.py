"""
Weighs reports for many who have the same: what two reports come to is a function of what they say, whoever calls them what.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Final

from msgspec.structs import replace

from boutre.processors.correlation.cells import offered
from boutre.processors.matching.blocks import within
from boutre.processors.matching.found import Found
from boutre.processors.matching.matcher import Compared, Matcher, settled
from boutre.processors.matching.sighted import Sighted

HELD: Final = 65_536
"""Pairs of which the levels are held: a night of the corridor, for all recipients, many times over."""

Levels = tuple[str | None, ...]


class Weighing:
    """
    A matcher that compares the same two reports once, though eight recipients have them by eight pairs of names.
    """

    def __init__(self, matcher: Matcher) -> None:
        self.matcher = matcher
        block = matcher.model.file.block
        # A list of years is searched further for positions that somebody copied wrongly than what has to be told tonight.
        self.block = block if block.at_sea_km is None else block.model_copy(update={"kilometres": block.at_sea_km})
        self.rivals = matcher.model.file.rivals
        self._levels = lru_cache(maxsize=HELD)(self._compared)
        self._held = lru_cache(maxsize=HELD)(self._candidates)

    def speaks_of(self, one: Sighted) -> bool:
        """Say whether a report is placed, and of what the model matches."""
        return one.placed and self.matcher.model.speaks_of(one)

    def candidates(self, one: Sighted, other: Sighted) -> bool:
        """Say whether two reports may be linked, or be each other's rivals."""
        return self._held(*_in_order(one, other))

    def links(self, reports: Iterable[Sighted], name: str | None = None) -> list[Found]:
        """Give the links of *reports*, from the model's least probability on; only those of the report *name* where it is given."""
        chosen = tuple(sorted(reports, key=lambda each: each.id))
        pairs = tuple(
            (first, second, self._named(one, other))
            for second, other in enumerate(chosen)
            for first, one in enumerate(chosen[:second])
            if (name is None or name in {one.id, other.id}) and self.candidates(one, other)
        )
        model = self.matcher.model
        return [one for one in settled(model, Compared(chosen, pairs)) if one.probability >= model.file.link_at]

    def _apart(self, one: Sighted, other: Sighted) -> bool:
        return self.matcher.model.file.within_source or one.source != other.source

    def _candidates(self, one: Sighted, other: Sighted) -> bool:
        model = self.matcher.model
        if not self._apart(one, other) or not within(one, other, self.block):
            return False
        what = model.sum(self._levels(one, other))
        return what is not None and what.bits >= model.file.least_bits

    def _named(self, one: Sighted, other: Sighted) -> Levels:
        return self._levels(*_in_order(one, other))

    def _compared(self, one: Sighted, other: Sighted) -> Levels:
        return self.matcher.model.levels(one, other, self.matcher.ground)


def _in_order(one: Sighted, other: Sighted) -> tuple[Sighted, Sighted]:
    """Give two reports in the order of their ids, as what they are: without names."""
    first, second = (one, other) if one.id <= other.id else (other, one)
    return replace(first, id=""), replace(second, id="")


def known_in(one: Sighted, side_deg: float, weighings: Iterable[Weighing]) -> tuple[str, ...]:
    """
    Name the cells in which a report is known, its home among them: as far around it as the models that speak of it look.

    None where it has no position.
    """
    reach = max((weighing.block.kilometres for weighing in weighings if weighing.matcher.model.speaks_of(one)), default=0.0)
    return offered(one, side_deg, reach)
