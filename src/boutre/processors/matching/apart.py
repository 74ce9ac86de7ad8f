"""
What speaks against: two reports that no chain of others should bring into one cluster.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache
from typing import Final

from boutre.processors.matching.blocks import within
from boutre.processors.matching.matcher import Matcher
from boutre.processors.matching.sighted import Sighted

APART: Final = 0.03
"""
Probability below which two reports speak against each other. On simulated nights it keeps a tenth of the true pairs of clusters
apart, most of them the two ends of a long night, and half of the false ones.
"""


def against(matcher: Matcher, reports: Iterable[Sighted]) -> Callable[[str, str], bool]:
    """
    Say of two of *reports*, by their ids, whether they speak against each other; of what is not among them nothing is known.
    """
    by_id = {one.id: one for one in reports}

    @cache
    def speaks(one: str, other: str) -> bool:
        first, second = by_id.get(one), by_id.get(other)
        if first is None or second is None or not first.placed or not second.placed:
            return False
        if not within(first, second, matcher.model.file.block):
            return True
        weighed = matcher.weigh(first, second)
        return weighed is None or matcher.model.probability(weighed.bits) < APART

    return speaks
