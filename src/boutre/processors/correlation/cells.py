"""
Coarse cells: where a report is known, so that what may be of one craft or event meets in one place, and no place knows it all.

A report's links belong to its home, the cell in which it lies. It is offered to every cell whose own reports it may concern: to
decide on a pair, home needs the other report, and what rivals either of them; so a report is known up to three times as far as a
block reaches.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import Final

from boutre.processors.matching.distances import KM_PER_DEG
from boutre.processors.matching.sighted import Sighted

KNOWN_BLOCKS: Final = 3
"""How many times as far as a block reaches a report is known: the other one, its rival, and that one's place in the balance."""

NARROWEST: Final = 0.1
"""The cosine of a latitude counts as no less: at the poles a cell would have no width. No island lies there."""


def home(one: Sighted, side_deg: float) -> str | None:
    """
    Name the cell of *side_deg* degrees in which a report lies, or None where it has no position.
    """
    if one.latitude is None or one.longitude is None:
        return None
    return _name(math.floor(one.latitude / side_deg), math.floor(one.longitude / side_deg))


def offered(one: Sighted, side_deg: float, block_km: float) -> tuple[str, ...]:
    """
    Name the cells to which a report is offered, its home among them; none where it has no position.

    Cells on both sides of the antimeridian are no neighbours.
    """
    if one.latitude is None or one.longitude is None:
        return ()
    rows, columns = _around(one.latitude, one.longitude, side_deg, KNOWN_BLOCKS * block_km)
    return tuple(_name(row, column) for row in rows for column in columns)


def among(one: Sighted, side_deg: float, reach_km: float, cells: Iterable[str]) -> Iterator[str]:
    """
    Give those of *cells* in which something may lie that is no further than *reach_km* from a report.
    """
    if one.latitude is None or one.longitude is None:
        return
    rows, columns = _around(one.latitude, one.longitude, side_deg, reach_km)
    for cell in cells:
        row, _, column = cell.partition("_")
        if int(row) in rows and int(column) in columns:
            yield cell


def _around(latitude: float, longitude: float, side_deg: float, reach_km: float) -> tuple[range, range]:
    reach = reach_km / KM_PER_DEG
    south, north = latitude - reach, latitude + reach
    narrow = max(NARROWEST, math.cos(math.radians(min(90.0, max(abs(south), abs(north))))))
    first, last = longitude - reach / narrow, longitude + reach / narrow
    return (
        range(math.floor(south / side_deg), math.floor(north / side_deg) + 1),
        range(math.floor(first / side_deg), math.floor(last / side_deg) + 1),
    )


def _name(row: int, column: int) -> str:
    return f"{row}_{column}"
