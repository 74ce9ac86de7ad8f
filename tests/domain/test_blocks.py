"""
Blocks: the index gives exactly what comparing everything with everything would.
"""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from boutre.errors import Fault
from boutre.processors.matching import identifiers
from boutre.processors.matching.blocks import MOST_BEARERS, candidates, within
from boutre.processors.matching.distances import KM_PER_DEG
from boutre.processors.matching.identifiers import Identifiers
from boutre.processors.matching.model import BlockFile
from boutre.processors.matching.sighted import Sighted

FOLDER = Path(__file__).parents[2] / "processors/matching"
BLOCK = BlockFile(hours=12, kilometres=150)
SIDE = BLOCK.kilometres / KM_PER_DEG
BEGIN = 1_700_000_000.0
SHIPS = ("235083598", "636017432")
"""Numbers of MMSI, of which some reports bear one."""

NEAR_EDGES = st.builds(
    lambda cells, off: cells * SIDE + off,
    st.integers(-2, 2),
    st.sampled_from([-SIDE / 2, -0.02, -1e-9, 0.0, 1e-9, 0.02, SIDE / 3]),
)
LATITUDES = st.one_of(
    NEAR_EDGES, st.floats(-3, 3), st.builds(lambda off: 70 + off, NEAR_EDGES), st.sampled_from([-89.9, 88.9, 90.0])
)
LONGITUDES = st.one_of(NEAR_EDGES, st.floats(-3, 3), st.sampled_from([-180.0, -179.99, -178.7, 178.7, 179.99, 180.0]))
SECONDS = st.builds(
    lambda blocks, off: float(blocks * BLOCK.hours * 3600 + off), st.integers(0, 3), st.sampled_from([-3600, -1, 0, 1, 1800, 7200])
)
REPORTS = st.builds(
    lambda at, half, latitude, longitude, ship: Sighted(
        id="",
        kind="sighting",
        at=None if at is None else BEGIN + at,
        within_s=half,
        latitude=latitude,
        longitude=None if latitude is None else longitude,
        identifiers=() if ship is None else (("mmsi", ship),),
    ),
    st.one_of(SECONDS, SECONDS, SECONDS, st.none()),
    st.sampled_from([0.0, 1.0, 1800.0, 43_200.0, 15.5 * 86_400]),
    st.one_of(LATITUDES, LATITUDES, LATITUDES, st.none()),
    LONGITUDES,
    st.sampled_from([None, None, None, *SHIPS]),
)


@pytest.fixture(scope="module")
def known() -> Identifiers:
    """How identifiers are read on this bus."""
    faults: list[Fault] = []
    found = identifiers.load(FOLDER, faults)
    assert found is not None, faults
    assert all(found.keys([("mmsi", ship)]) for ship in SHIPS)
    return found


def everything(reports: list[Sighted]) -> set[tuple[int, int]]:
    """
    Compare all with all: those of one block, and those that bear one number.
    """
    return {
        (one, other)
        for one, other in combinations(range(len(reports)), 2)
        if within(reports[one], reports[other], BLOCK) or set(reports[one].identifiers) & set(reports[other].identifiers)
    }


@settings(max_examples=200, deadline=None)
@given(st.lists(REPORTS, max_size=12))
def test_the_index_gives_what_comparing_everything_gives(known: Identifiers, reports: list[Sighted]) -> None:
    """Near the edges of cells, of hours, at the antimeridian and the poles: each pair of a block once, and no other."""
    found = list(candidates(reports, BLOCK, known))
    assert everything(reports) == set(found)
    assert len(set(found)) == len(found)


@pytest.mark.parametrize("off", [(0.01, 0.0), (0.0, 0.01), (0.01, 0.01), (0.01, -0.01)])
def test_neighbours_over_the_edge_of_a_cell_are_compared(known: Identifiers, off: tuple[float, float]) -> None:
    """A mile apart are a mile apart, wherever a cell ends."""
    one = Sighted(id="a", kind="sighting", at=BEGIN, latitude=-off[0], longitude=-off[1])
    other = replace(one, id="b", latitude=off[0], longitude=off[1])
    assert [(0, 1)] == list(candidates([one, other], BLOCK, known))
    assert [(0, 1)] == list(candidates([other, one], BLOCK, known))


@pytest.mark.parametrize(
    ("seconds", "half", "expected"),
    [
        (43_200, 0, True),
        (43_201, 0, False),
        (43_260, 30, True),
        (43_261, 30, False),
        (129_600, 43_200, True),
        (129_601, 43_200, False),
    ],
)
def test_hours_reach_as_far_as_instants_are_unknown(
    known: Identifiers,
    seconds: float,
    half: float,
    expected: bool,  # noqa: FBT001 - a case
) -> None:
    """A block ends to the second; what is known to the minute or day alone reaches further by just that."""
    one = Sighted(id="a", kind="sighting", at=BEGIN, within_s=half, latitude=-12.3, longitude=44.6)
    other = replace(one, id="b", at=BEGIN + seconds)
    assert expected == within(one, other, BLOCK)
    assert expected == bool(list(candidates([other, one], BLOCK, known)))


@pytest.mark.parametrize(("bearers", "expected"), [(MOST_BEARERS, MOST_BEARERS * (MOST_BEARERS - 1) // 2), (MOST_BEARERS + 1, 0)])
def test_what_very_many_bear_makes_no_candidates(known: Identifiers, bearers: int, expected: int) -> None:
    """A number that one more than the bound bear is a habit: it brings nobody together."""
    reports = [Sighted(id=str(at), kind="sighting", identifiers=(("mmsi", SHIPS[0]),)) for at in range(bearers)]
    assert expected == len(list(candidates(reports, BLOCK, known)))
