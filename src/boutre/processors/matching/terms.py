"""
The terms of one comparison, as its model declares them: ladders, words that stand for one thing, and what says too little.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

from pydantic import Field

from boutre.processors.matching.sighted import Sighted
from boutre.topics.strict import Declared


class Terms(Declared):
    """
    What a comparison goes by; which of it is used is said by the comparison.

    *edges* are the rungs of a ladder, in its own unit, *across* those of a second one. *families* are codes that are often taken
    for one another; *vague* ones say nothing. *words* bring what a source calls an outcome under a head: the first whose text
    stands in it, without regard to case; *activities* do so with what the craft was doing. *uncertain_km* is by how much a position
    may err (95 %) whose source does not say.
    """

    edges: tuple[float, ...] = ()
    across: tuple[float, ...] = ()
    families: tuple[tuple[str, ...], ...] = ()
    vague: tuple[str, ...] = ()
    words: Mapping[str, tuple[str, ...]] = Field(default_factory=dict)
    activities: Mapping[str, tuple[str, ...]] = Field(default_factory=dict)
    uncertain_km: float = Field(default=0.0, ge=0)

    @cached_property
    def _related(self) -> frozenset[tuple[str, str]]:
        return frozenset((one, other) for family in self.families for one in family for other in family)

    def related(self, one: str, other: str) -> bool:
        """Say whether two codes stand in one family."""
        return (one, other) in self._related

    def vague_code(self, code: str) -> bool:
        """Say whether a code says too little to be compared."""
        return code in self.vague

    def head(self, one: Sighted) -> str | None:
        """Give the head under which a report's outcome comes; None where nobody declared its words."""
        said = [code for _, code in one.classes] + ([one.outcome] if one.outcome else [])
        text = " ".join(said).upper()
        return next((head for head, words in self.words.items() if any(word.upper() in text for word in words)), None)

    def doing(self, one: Sighted) -> str | None:
        """Give the head under which comes what the craft was doing."""
        return next((head for head, codes in self.activities.items() if one.activity in codes), None)
