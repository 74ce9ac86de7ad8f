"""
What values of a unit can be, and what no text may hold.
"""

from __future__ import annotations

import re

BOUNDS: dict[str, tuple[float, float]] = {
    "probability": (0, 1),
    "degree true": (0, 360),
    "knot": (0, 1000),
    "metre": (0, 1e7),
    "kilowatt": (0, 1e6),
    "person": (0, 1e6),
    "engine": (0, 100),
    "1": (0, 1e9),
    "amount in currency": (0, 1e12),
    "year": (1850, 2200),
    "second": (0, 1e10),
    "day": (0, 36_525),
}
"""Least and most that a value of this unit can be; speeds in knots leave room for aircraft."""

COUNTED = frozenset({"person", "engine", "1"})
"""Units that are counted: no halves."""

CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
"""Control characters of both sets, but for tab and line feed: a terminal obeys them, whoever wrote them."""
