"""
Which reports are compared at all: those of one stretch of time and place, or that share an identifier.

The index holds what lies within the window alone: what a report costs grows with the reports of its days and waters, and not with
history. An identifier that very many bear makes no candidates, and is counted.
"""

from __future__ import annotations

import math
from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from boutre.processors.matching.distances import KM_PER_DEG, apart_km
from boutre.processors.matching.identifiers import Identifiers
from boutre.processors.matching.model import BlockFile
from boutre.processors.matching.sighted import Sighted

POLAR_DEG: Final = 89.0
"""A block that reaches beyond this latitude may hold every longitude."""

MOST_BEARERS: Final = 64
"""Reports that may bear one identifier and still be compared for it: beyond, it is a habit and no identity."""


def candidates(reports: Sequence[Sighted], block: BlockFile, identifiers: Identifiers) -> Iterator[tuple[int, int]]:
    """
    Give the places of all reports that are to be compared, each two once, the lesser place first.
    """
    seen: set[tuple[int, int]] = set()
    for pair in (*_near(reports, block), *_bearing(reports, identifiers)):
        if pair not in seen:
            seen.add(pair)
            yield pair


def within(one: Sighted, other: Sighted, block: BlockFile) -> bool:
    """
    Say whether two reports lie in one block: at most its hours and kilometres apart, as far as they are known at best.
    """
    apart = apart_km(one, other)
    if apart is None or one.at is None or other.at is None or apart > block.kilometres:
        return False
    return abs(one.at - other.at) <= block.hours * 3600 + one.within_s + other.within_s


def _near(reports: Sequence[Sighted], block: BlockFile) -> Iterator[tuple[int, int]]:
    """Walk through time, looking back as far as the block reaches, in cells as large as it is wide."""
    side = block.kilometres / KM_PER_DEG
    widest = max((one.within_s for one in reports), default=0.0)
    order = sorted((place for place, one in enumerate(reports) if one.placed), key=lambda place: (reports[place].at or 0.0, place))
    cells: dict[tuple[int, int], deque[int]] = defaultdict(deque)
    for place in order:
        one = reports[place]
        # As far back as any report may reach that is still to come: one known to the day alone reaches further than this one.
        since = (one.at or 0.0) - block.hours * 3600 - 2 * widest
        for cell in _cells(one, side):
            held = cells.get(cell)
            if not held:
                continue
            while held and (reports[held[0]].at or 0.0) < since:
                held.popleft()
            for other in held:
                if within(one, reports[other], block):
                    yield min(place, other), max(place, other)
        cells[_cell(one.latitude or 0.0, one.longitude or 0.0, side)].append(place)


def _cell(latitude: float, longitude: float, side: float) -> tuple[int, int]:
    return math.floor(latitude / side), math.floor(longitude / side)


def _cells(one: Sighted, side: float) -> set[tuple[int, int]]:
    """
    Give the cells that a block may reach from a report, on both sides of the antimeridian.

    The further from the equator, the more degrees of longitude: no way of *side* degrees goes through more than *side* by the
    cosine of the highest latitude on it.
    """
    latitude, longitude = one.latitude or 0.0, one.longitude or 0.0
    highest = abs(latitude) + side
    reach = 360.0 if highest >= POLAR_DEG else side / math.cos(math.radians(highest))
    row = math.floor(latitude / side)
    found: set[tuple[int, int]] = set()
    for turned in (longitude - 360, longitude, longitude + 360):
        west, east = max(-180.0, turned - reach), min(180.0, turned + reach)
        columns = range(math.floor(west / side), math.floor(east / side) + 1)
        found.update((row + up, column) for up in (-1, 0, 1) for column in columns)
    return found


def _bearing(reports: Iterable[Sighted], identifiers: Identifiers) -> Iterator[tuple[int, int]]:
    bearers: dict[tuple[str, str], list[int]] = defaultdict(list)
    for place, one in enumerate(reports):
        for key in identifiers.keys(one.identifiers):
            bearers[key].append(place)
    for held in bearers.values():
        if len(held) <= MOST_BEARERS:
            yield from ((one, other) for at, other in enumerate(held) for one in held[:at])
