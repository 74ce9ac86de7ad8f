"""
A coarse value depends on its cell, interval or band alone, holds the true one, and says how coarse it is.
"""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agreements import cell
from boutre.processors.coarsen import BANDS, METHODS, PRECISIONS, Coarsen, _cell
from records import LATITUDES, LONGITUDES, PEOPLE, words

DEGREES = (0.001, 0.1, 0.25, 0.3, 0.5, 1.0, 7.0, 25.0, 28.0, 30.0)
NEAR_EDGES = st.integers(-1800, 1800).map(lambda cell: cell / 10)


def finite(limit: float, known: tuple[float, ...]) -> st.SearchStrategy[float]:
    """Degrees up to a limit: anywhere, at an edge of a cell, or just beside one."""
    edges = NEAR_EDGES.filter(lambda value: abs(value) <= limit)
    beside = edges.flatmap(lambda edge: st.sampled_from((math.nextafter(edge, -limit), edge, math.nextafter(edge, limit))))
    return st.one_of(st.sampled_from(known), st.floats(-limit, limit), beside)


POSITIONS = st.builds(
    lambda latitude, longitude: {"latitude": latitude, "longitude": longitude, "accuracy_m": None, "place": "X", "fix": "gnss"},
    finite(90, LATITUDES),
    finite(180, LONGITUDES),
)
GRIDS = st.sampled_from(DEGREES).map(lambda degrees: Coarsen("grid", degrees))


def metres(one: dict[str, Any], other: dict[str, Any]) -> float:
    """
    The length on the ellipsoid WGS 84 of the line that is straight in degrees: never shorter than the distance.
    """
    axis, square, steps = 6_378_137.0, 0.006_694_379_990_14, 64
    rise, run = (math.radians(other[name] - one[name]) for name in ("latitude", "longitude"))
    total = 0.0
    for step in range(steps):
        sine = math.sin(math.radians(one["latitude"]) + rise * (step + 0.5) / steps)
        meridian = axis * (1 - square) / (1 - square * sine**2) ** 1.5
        parallel = axis / math.sqrt(1 - square * sine**2) * math.sqrt(1 - sine**2)
        total += math.hypot(meridian * rise, parallel * run) / steps
    return total


# --- Positions -------------------------------------------------------------------------------------------------------------


@given(POSITIONS, GRIDS)
@settings(max_examples=300, deadline=None)
def test_the_true_place_lies_within_the_radius(position: dict[str, Any], grid: Coarsen) -> None:
    """
    Poles, antimeridian, negative zero and edges of cells too: the coarse place is on the globe and the true one within its radius.
    """
    coarse = grid(position)

    assert abs(coarse["latitude"]) <= 90
    assert abs(coarse["longitude"]) <= 180
    # The middle of a cell is rounded to 6 decimals, that is by less than 0.2 m.
    assert metres(coarse, position) <= coarse["accuracy_m"] + 0.2
    assert {None} == {coarse[name] for name in ("place", "fix")}


@given(POSITIONS, GRIDS, st.floats(-1, 1), st.floats(-1, 1))
@settings(max_examples=300, deadline=None)
def test_it_depends_on_the_cell_alone(position: dict[str, Any], grid: Coarsen, north: float, east: float) -> None:
    """
    Two places in one cell are one; which of the two is meant, no digit tells.
    """
    moved = {
        **position,
        "latitude": max(-90.0, min(90.0, position["latitude"] + north * grid.degree)),
        "longitude": max(-180.0, min(180.0, position["longitude"] + east * grid.degree)),
    }

    for name, limit in (("latitude", 90), ("longitude", 180)):
        same = cell(position[name], grid.degree, limit) == cell(moved[name], grid.degree, limit)
        assert same == (grid(position)[name] == grid(moved)[name])


@given(POSITIONS, GRIDS)
@settings(max_examples=100, deadline=None)
def test_a_coarse_place_is_its_own(position: dict[str, Any], grid: Coarsen) -> None:
    """
    Coarsened again in the same way, it stays.
    """
    assert grid(position) == grid(grid(position))


@given(POSITIONS, st.sampled_from(((0.1, 0.5), (0.5, 1.0), (0.25, 1.0), (1.0, 7.0))))
@settings(max_examples=200, deadline=None)
def test_a_coarser_grid_of_whole_cells_can_be_made_of_the_finer(position: dict[str, Any], pair: tuple[float, float]) -> None:
    """
    Where one is a multiple of the other, the order of two agreements does not matter.
    """
    fine, coarse = (Coarsen("grid", degrees) for degrees in pair)

    assert coarse(position)["latitude"] == coarse(fine(position))["latitude"]
    assert coarse(position)["longitude"] == coarse(fine(position))["longitude"]


@pytest.mark.parametrize(("latitude", "longitude"), [(90.0, 180.0), (-90.0, -180.0), (-0.0, -0.0), (89.95, -179.95)])
def test_places_at_the_ends_of_the_world(latitude: float, longitude: float) -> None:
    """
    A pole and the antimeridian lie in a cell like any other, and minus zero is zero.
    """
    coarse = Coarsen("grid", 0.5)({"latitude": latitude, "longitude": longitude})
    expected = {90.0: 89.75, -90.0: -89.75, -0.0: 0.25, 89.95: 89.75}[latitude]

    assert expected == coarse["latitude"]
    assert {180.0: 179.75, -180.0: -179.75, -0.0: 0.25, -179.95: -179.75}[longitude] == coarse["longitude"]


@pytest.mark.parametrize(("given_", "expected"), [(None, 7872), (10, 7872), (7872, 7872), (7873, 15744), (50_000, 62_976)])
def test_a_cell_claims_no_more_than_was_known(given_: float | None, expected: float) -> None:
    """
    A report that is less exact than a cell of a tenth of a degree does not become more exact by being coarsened.
    """
    position = {"latitude": 12.1, "longitude": 50.8, "accuracy_m": given_}

    assert expected == Coarsen("grid", 0.1)(position)["accuracy_m"]


@given(st.integers(-180_000, 180_000), st.sampled_from((0.001, 0.003, 0.1, 0.3, 0.5, 7, 28)), st.integers(-3, 3))
def test_the_cell_is_that_of_exact_fractions(edge: int, degrees: float, steps: int) -> None:
    """
    On an edge and in the doubles next to it, of the smallest cells too, the cell is the one that fractions give.
    """
    value = max(-180.0, min(180.0, float(str(round(edge * degrees, 3)))))
    for _ in range(abs(steps)):
        value = math.nextafter(value, math.copysign(180, steps))

    assert cell(value, degrees, 180) == _cell(value, degrees, 180)


def test_half_a_place_is_none() -> None:
    """
    Without latitude or longitude there is nothing to coarsen, and nothing comes out.
    """
    assert Coarsen("grid", 0.1)({"latitude": 1.0, "longitude": None}) is None
    assert Coarsen("grid", 0.1)(None) is None


# --- Times -----------------------------------------------------------------------------------------------------------------

INSTANTS = st.datetimes(datetime(1900, 1, 1), datetime(2100, 1, 1)).map(lambda at: at.replace(tzinfo=UTC))  # noqa: DTZ001 - drawn without
DEGREES_OF_TIME = st.integers(1, len(PRECISIONS) - 1)


@given(INSTANTS, DEGREES_OF_TIME)
@settings(max_examples=200, deadline=None)
def test_a_time_is_cut_at_its_unit(at: datetime, degree: int) -> None:
    """
    The coarse time begins the minute, hour, day, month or year of UTC that holds the true one, and names it as its precision.
    """
    coarse = Coarsen("time", degree)({"at": at, "precision": "second", "uncertainty_s": 3.0})
    length = dict(zip(PRECISIONS, (1, 60, 3600, 86_400, 31 * 86_400, 366 * 86_400), strict=True))[coarse["precision"]]

    assert PRECISIONS[degree] == coarse["precision"]
    assert coarse["at"] <= at < coarse["at"] + timedelta(seconds=length)
    assert coarse["uncertainty_s"] is None
    assert coarse == Coarsen("time", degree)(coarse)
    assert coarse["at"] == Coarsen("time", degree)(at)


def test_a_time_is_cut_in_utc_whatever_its_zone() -> None:
    """
    One o'clock in the morning of Mauritius is the day before, for everybody.
    """
    at = datetime(2026, 3, 1, 1, 0, tzinfo=timezone(timedelta(hours=4)))

    assert datetime(2026, 2, 28, tzinfo=UTC) == Coarsen("time", PRECISIONS.index("day"))(at)


def test_a_time_that_is_coarser_already_stays_so() -> None:
    """
    A report by the month does not become one by the hour.
    """
    month = {"at": datetime(2026, 3, 1, tzinfo=UTC), "precision": "month", "uncertainty_s": None}

    assert month == Coarsen("time", PRECISIONS.index("hour"))(month)
    assert Coarsen("time", 3)({"at": None, "precision": "day", "uncertainty_s": None}) is None


def test_the_precisions_are_those_of_the_vocabulary() -> None:
    """
    A precision that was added to the vocabulary and not here would be taken for the finest.
    """
    assert words().codes("time-precision@1") == set(PRECISIONS)


# --- Bands -----------------------------------------------------------------------------------------------------------------

COUNTS = st.one_of(st.none(), st.sampled_from(PEOPLE).map(float), st.integers(0, 2000).map(float))


@given(COUNTS, COUNTS, st.integers(1, 3))
@settings(max_examples=200, deadline=None)
def test_a_band_holds_the_true_numbers(least: float | None, most: float | None, width: int) -> None:
    """
    The least and the most lie in the band; its ends are those of the declared bands; it is marked as an estimate.
    """
    band = Coarsen("band", width)({"min": least, "max": most, "estimated": False})
    if least is None and (most is None or most >= BANDS[:: 2 ** (width - 1)][-1]):
        # Nothing is left to tell: "at most" with no end.
        assert band is None
        return
    ends = BANDS[:: 2 ** (width - 1)]

    assert least is None or band["min"] <= least
    assert most is None or band["max"] is None or band["max"] >= most
    assert band["min"] in (None, *ends)
    assert band["max"] is None or band["max"] + 1 in ends
    assert band["estimated"] is True
    assert band == Coarsen("band", width)(band)


@given(st.integers(0, 2000).map(float), st.sampled_from(((1, 2), (2, 3), (1, 3))))
@settings(max_examples=100, deadline=None)
def test_a_wider_band_is_made_of_whole_narrower_ones(people: float, widths: tuple[int, int]) -> None:
    """
    The wider band of the people is that of their narrower band: it tells nothing that the narrower does not.
    """
    narrow, wide = (Coarsen("band", width) for width in widths)
    exact = {"min": people, "max": people, "estimated": False}

    assert wide(exact)["min"] == wide(narrow(exact))["min"]
    assert wide(exact)["max"] in (wide(narrow(exact))["max"], None)


@pytest.mark.parametrize(
    ("people", "band"), [(0, (0, 0)), (1, (1, 4)), (4, (1, 4)), (5, (5, 9)), (28, (20, 49)), (499, (100, 499)), (500, (500, None))]
)
def test_the_bands_of_people(people: int, band: tuple[float, float | None]) -> None:
    """
    Narrow for few, wide for many, and open above 500.
    """
    made = Coarsen("band", 1)({"min": float(people), "max": float(people), "estimated": False})

    assert band == (made["min"], made["max"])


def test_a_measure_between_two_bands_is_held_too() -> None:
    """
    19.5 lies between 19 and 20: whatever is coarsened, the band never denies it.
    """
    assert 20 == Coarsen("band", 1)({"min": 19.5, "max": 19.5, "estimated": False})["max"]


# --- Both ------------------------------------------------------------------------------------------------------------------


def test_of_two_ways_the_coarser_holds_and_none_of_two_kinds() -> None:
    """
    Two grids compare; a grid and a band do not, and then nothing is given.
    """
    fine, coarse, other = Coarsen("grid", 0.1), Coarsen("grid", 0.5), Coarsen("band", 1)

    assert [coarse, coarse, None] == [fine.stricter(coarse), coarse.stricter(fine), fine.stricter(other)]


def test_every_way_says_how_coarse_it_is() -> None:
    """
    The view names the method and its degree.
    """
    said = [str(Coarsen(method, degree)) for method, degree in (("grid", 0.5), ("time", 3), ("band", 2), ("region", 1))]

    assert ["grid 0.5 degree", "time day", "band 2", "region 1"] == said
    assert {"grid", "time", "band", "region"} == set(METHODS)
