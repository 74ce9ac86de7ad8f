"""
Ladders: a number becomes one of a few levels, whose names say between which edges it lies.
"""

from __future__ import annotations

import bisect
from collections.abc import Sequence


def ladder(value: float, edges: Sequence[float]) -> str:
    """
    Give the level of a number on a ladder: ``<25`` is at least the edge before 25 and below 25; ``>=1000`` is the last.
    """
    place = bisect.bisect_right(edges, value)
    return f"<{edges[place]:g}" if place < len(edges) else f">={edges[-1]:g}"


def rungs(edges: Sequence[float]) -> tuple[str, ...]:
    """
    Give all levels of a ladder.
    """
    return (*(f"<{edge:g}" for edge in edges), f">={edges[-1]:g}")
