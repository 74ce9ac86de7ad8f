"""
Reach: the way by sea round a coast, and the speed that it would have needed.
"""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from boutre.processors.matching import models
from boutre.processors.matching.distances import KM_PER_NMI, kilometres
from boutre.processors.matching.reach import FASTEST_GAP_S, Coasts, knots_needed
from boutre.processors.matching.sighted import Sighted

ROOT = Path(__file__).parents[2]
ISLAND = ((44.6, -12.2), (44.8, -12.4), (44.6, -12.6), (44.3, -12.5), (44.3, -12.3))
BEGIN = 1_700_000_000.0
ONE = Sighted(id="a", kind="sighting", at=BEGIN, latitude=-12.0, longitude=43.0, accuracy_m=0.0)
DEGREE_KM = kilometres(0, 0, 1, 0)

Place = tuple[float, float]
WEST = st.tuples(st.floats(43.4, 44.25), st.floats(-13, -12))
EAST = st.tuples(st.floats(44.85, 45.5), st.floats(-13, -12))


def straight(one: Place, other: Place) -> float:
    """
    Give the straight way in kilometres between two places, (longitude, latitude).
    """
    return kilometres(one[1], one[0], other[1], other[0])


AROUND = sum(straight(one, other) for one, other in pairwise((*ISLAND, ISLAND[0])))
"""Kilometres of the island's coast."""


@settings(max_examples=100, deadline=None)
@given(WEST, EAST)
def test_the_way_round_is_between_straight_and_all_round(one: Place, other: Place) -> None:
    """It is no shorter than straight, no longer than straight and half of the coast, and the same in both directions."""
    way = Coasts([ISLAND]).way_km(one, other)
    assert straight(one, other) <= way <= (straight(one, other) + AROUND / 2) * 1.01
    assert pytest.approx(way) == Coasts([ISLAND]).way_km(other, one)


@settings(max_examples=60, deadline=None)
@given(st.floats(43.4, 44.2), st.floats(44.9, 45.5), st.floats(-12.45, -12.35))
def test_an_island_between_is_gone_round(west: float, east: float, latitude: float) -> None:
    """Past the middle of an island the way is longer than straight."""
    one, other = (west, latitude), (east, latitude)
    assert Coasts([ISLAND]).way_km(one, other) > straight(one, other) + 0.5


@settings(max_examples=60, deadline=None)
@given(WEST, EAST)
def test_past_an_island_the_way_is_straight(one: Place, other: Place) -> None:
    """Where the line passes north of an island, or there is none, the way is the straight one."""
    north, too = (one[0], one[1] + 0.9), (other[0], other[1] + 0.9)
    assume(min(north[1], too[1]) > -12.19)
    assert straight(north, too) == Coasts([ISLAND]).way_km(north, too)
    assert straight(one, other) == Coasts().way_km(one, other)


def test_the_shorter_side_is_taken() -> None:
    """By hand: past the southern tip of a long island, the way is the two legs by it."""
    island = ((44.4, -10.0), (44.6, -10.0), (44.5, -12.5))
    one, other, tip = (44.0, -12.4), (45.0, -12.4), (44.5, -12.5)
    assert pytest.approx(straight(one, tip) + straight(tip, other)) == Coasts([island]).way_km(one, other)


def test_from_a_beach_the_way_is_straight() -> None:
    """A place within an outline lies on its beach."""
    assert straight((44.5, -12.4), (45.2, -12.4)) == Coasts([ISLAND]).way_km((44.5, -12.4), (45.2, -12.4))


@pytest.mark.parametrize("outline", [[(44, -12)], [(44, -12), (45, -12)], [(44, -12), (45, -12), (46, -12)]])
def test_an_outline_encloses_something(outline: list[Place]) -> None:
    """A point or a line is no land."""
    with pytest.raises(ValueError, match="encloses nothing"):
        Coasts([outline])


def test_mayotte_is_gone_round() -> None:
    """On this bus's coasts nobody sails from the north-west of Mayotte to its south-east through it."""
    one, other = (44.95, -12.55), (45.35, -13.1)
    way = models.of(ROOT).coasts.way_km(one, other)
    assert straight(one, other) + 1 < way < 1.5 * straight(one, other)


def away(kilometres_: float, seconds: float, **changed: float | None) -> Sighted:
    """
    Make a report so far north of the first one, and so much later.
    """
    return replace(ONE, id="b", at=BEGIN + seconds, latitude=-12.0 + kilometres_ / DEGREE_KM, **changed)


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (ONE, away(10 * KM_PER_NMI, 3600), 10),
        (ONE, away(10 * KM_PER_NMI, -3600), 10),
        (replace(ONE, accuracy_m=3000.0), away(5 + 10 * KM_PER_NMI, 3600, accuracy_m=4000.0), 10),
        (replace(ONE, accuracy_m=3000.0), away(4.999, 3600, accuracy_m=4000.0), 0),
        (replace(ONE, accuracy_m=None), away(2 + 10 * KM_PER_NMI, 3600), 10),
        (replace(ONE, within_s=1800.0), away(10 * KM_PER_NMI, 1800, within_s=3600.0), 5),
        (ONE, away(KM_PER_NMI, 0), 3600 / FASTEST_GAP_S),
        (ONE, away(KM_PER_NMI, FASTEST_GAP_S - 1), 3600 / FASTEST_GAP_S),
        (ONE, away(KM_PER_NMI, 2 * FASTEST_GAP_S), 1800 / FASTEST_GAP_S),
    ],
    ids=["later", "earlier", "uncertain", "one place", "does not say", "precision", "at once", "a minute", "two minutes"],
)
def test_the_least_speed_goes_by_what_is_uncertain(one: Sighted, other: Sighted, expected: float) -> None:
    """Errors of positions come off the way, those of instants are added to the time, and nothing is divided by nothing."""
    assert pytest.approx(expected, abs=1e-6) == knots_needed(one, other, 2.0, Coasts())
    assert pytest.approx(expected, abs=1e-6) == knots_needed(other, one, 2.0, Coasts())


@pytest.mark.parametrize("field", ["at", "latitude", "longitude"])
def test_without_place_or_time_no_speed_is_known(field: str) -> None:
    """What is not told needs no speed."""
    assert knots_needed(ONE, replace(away(5, 60), **{field: None}), 2.0, Coasts()) is None
    assert knots_needed(replace(ONE, **{field: None}), away(5, 60), 2.0, Coasts()) is None


def test_an_island_between_needs_more_speed() -> None:
    """With an island in the way the same two reports need a faster craft."""
    one, other = replace(ONE, latitude=-12.4, longitude=44.2), replace(ONE, id="b", at=BEGIN + 7200, latitude=-12.4, longitude=44.9)
    free, round_it = knots_needed(one, other, 0.0, Coasts()), knots_needed(one, other, 0.0, Coasts([ISLAND]))
    assert free is not None
    assert round_it is not None
    assert free < round_it
