"""
What is known in one cell: the same reports give the same links in whatever order they come, and what is taken back leaves no trace.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from boutre.errors import Fault
from boutre.processors.correlation.cells import among, home, offered
from boutre.processors.correlation.knowledge import MOST_TOGETHER, REMEMBERS, TILE_DEG, Change, Knowledge
from boutre.processors.correlation.weighing import Weighing
from boutre.processors.matching import identifiers, names
from boutre.processors.matching.blocks import within
from boutre.processors.matching.distances import KM_PER_DEG, kilometres
from boutre.processors.matching.ground import Ground
from boutre.processors.matching.matcher import Matcher
from boutre.processors.matching.model import BlockFile, ComparisonFile, ModelFile, model_of
from boutre.processors.matching.sighted import Sighted
from boutre.processors.windows import class_of

FOLDER = Path(__file__).parents[2] / "processors/matching"
SIDE_DEG = 10.0
BLOCK = BlockFile(hours=12, kilometres=150)
MODEL = ModelFile(
    name="test",
    version=1,
    type="same-craft",
    kinds=("sighting",),
    events=("irregular-migration",),
    prior_bits=-2.0,
    least_bits=-4.0,
    link_at=0.5,
    block=BLOCK,
    comparison=(
        ComparisonFile(name="distance", of="distance", edges=(1, 5, 20), bits={"<1": 5, "<5": 3, "<20": 1, ">=20": -6}),
        ComparisonFile(name="elapsed", of="elapsed", edges=(1, 3), bits={"<1": 2, "<3": 1, ">=3": -3}),
    ),
)

Links = dict[tuple[str, str], float]


@pytest.fixture(scope="module")
def matcher() -> Matcher:
    """A matcher by distance and time alone."""
    faults: list[Fault] = []
    found = identifiers.load(FOLDER, faults)
    assert found is not None
    named = names.load(FOLDER, found.unknown, faults)
    assert named is not None
    return Matcher(model_of(MODEL), Ground(found, named[0]))


class Cell:
    """
    A cell as its worker would keep it: what is remembered, and the links as somebody has them who was told every change.
    """

    def __init__(self, matcher: Matcher, cell: str = "-2_4") -> None:
        self.weighing = Weighing(matcher)
        self.cell = cell
        self.state: dict[str, Any] = {}
        self.links: Links = {}

    def learn(self, one: Sighted) -> None:
        """Take a report."""
        self._after(knowledge := self._knowledge(), knowledge.learn(one))

    def forget(self, name: str) -> None:
        """Take a report back."""
        self._after(knowledge := self._knowledge(), knowledge.forget(name))

    def _knowledge(self) -> Knowledge:
        return Knowledge(self.state, "rmifc", self.cell, SIDE_DEG, self.weighing)

    def _after(self, knowledge: Knowledge, changes: list[Change]) -> None:
        for change in changes:
            pair = change.link.a, change.link.b
            if change.withdrawn:
                del self.links[pair]
            else:
                self.links[pair] = change.link.probability
        for key, value in knowledge.changes.items():
            assert class_of(key) in REMEMBERS
            if value is None:
                self.state.pop(key, None)
            else:
                self.state[key] = value


def report(number: int, hour: float = 0.0, east_km: float = 0.0, source: str | None = None) -> Sighted:
    """
    Make a report off Anjouan, by a source of its own where none is named.
    """
    return Sighted(
        id=f"r{number:03}",
        kind="sighting",
        source=source or f"source-{number}",
        at=1_700_000_000.0 + hour * 3600,
        latitude=-12.3,
        longitude=44.6 + east_km / (KM_PER_DEG * 0.977),
        event="irregular-migration",
    )


@st.composite
def reports(draw: st.DrawFn) -> list[Sighted]:
    """
    Draw reports of two days near one another, by few sources, so that rivals and chains are common.
    """
    number = draw(st.integers(2, 9))
    return [
        report(
            place,
            draw(st.sampled_from([0, 0.5, 1, 2.5, 11.9, 12, 12.1, 23, 30])),
            draw(st.sampled_from([0, 0.9, 1.1, 4, 19, 21, 60, 149])),
            draw(st.sampled_from(["comoros/forms", "france/patrol", "rmifc/desk"])),
        )
        for place in range(number)
    ]


def test_two_near_reports_are_linked_as_the_second_comes(matcher: Matcher) -> None:
    """A link needs both; the cell in which they lie tells it."""
    cell = Cell(matcher)
    cell.learn(report(1))
    assert {} == cell.links
    cell.learn(report(2, 0.5, 0.5))
    assert [("r001", "r002")] == list(cell.links)


@settings(max_examples=25, deadline=None)
@given(reports(), st.randoms(use_true_random=False))
def test_the_order_makes_no_difference(matcher: Matcher, drawn: list[Sighted], random: Any) -> None:
    """What came late or out of order is linked as if it had come in time: the links are those of the set of reports."""
    shuffled = [*drawn, *drawn[:2]]
    random.shuffle(shuffled)
    one, other = Cell(matcher), Cell(matcher)
    for each in drawn:
        one.learn(each)
    for each in shuffled:
        other.learn(each)
    assert one.links == other.links


@settings(max_examples=25, deadline=None)
@given(reports())
def test_the_links_are_those_of_the_whole_set(matcher: Matcher, drawn: list[Sighted]) -> None:
    """Looking at what hangs together only gives what looking at everything gives."""
    cell = Cell(matcher)
    for each in drawn:
        cell.learn(each)
    assert {(one.a, one.b) for one in matcher(drawn)} == cell.links.keys()


@settings(max_examples=25, deadline=None)
@given(reports(), st.data())
def test_what_is_taken_back_leaves_no_trace(matcher: Matcher, drawn: list[Sighted], data: st.DataObject) -> None:
    """After a retraction the links are as if the report had never come, and nothing of it is remembered."""
    gone = data.draw(st.sampled_from(drawn))
    cell, never = Cell(matcher), Cell(matcher)
    for each in drawn:
        cell.learn(each)
        if each is not gone:
            never.learn(each)
    cell.forget(gone.id)
    assert never.links == cell.links
    assert gone.id not in repr(cell.state)


def test_a_correction_moves_its_links_along(matcher: Matcher) -> None:
    """A report whose position is corrected leaves its old links and finds its new ones."""
    cell = Cell(matcher)
    for each in (report(1), report(2, 0.5), report(3, 0.5, 140)):
        cell.learn(each)
    assert [("r001", "r002")] == list(cell.links)
    cell.learn(replace(report(3, 0.5, 140), id="r002", source="source-2"))
    assert [("r002", "r003")] == list(cell.links)


def test_a_report_that_loses_its_place_loses_its_links(matcher: Matcher) -> None:
    """A correction without a position is no report of any place: its links are withdrawn."""
    cell = Cell(matcher)
    cell.learn(report(1))
    cell.learn(report(2))
    cell.learn(replace(report(2), latitude=None))
    assert {} == cell.links


def test_only_the_home_of_the_lesser_name_speaks(matcher: Matcher) -> None:
    """A pair on both sides of a border is told once, by one of the two cells that know both."""
    west, east = replace(report(1), longitude=49.99), replace(report(2), longitude=50.001)
    cells = {name: Cell(matcher, name) for name in {*offered(west, SIDE_DEG, BLOCK.kilometres)}}
    for cell in cells.values():
        for each in (east, west):
            if cell.cell in offered(each, SIDE_DEG, BLOCK.kilometres):
                cell.learn(each)
    told = [name for name, cell in cells.items() if cell.links]
    assert [home(west, SIDE_DEG)] == told


@pytest.mark.parametrize("across", ["latitude", "longitude"])
def test_the_side_of_a_tile_parts_nothing(matcher: Matcher, across: str) -> None:
    """Two near reports on both sides of a tile's border are linked, whichever came first."""
    place = {"latitude": -12.5, "longitude": 45.5}
    low, high = ({**place, across: round(place[across]) + side} for side in (-0.001, 0.001))
    both = replace(report(1), **low), replace(report(2), **high)
    assert home(both[0], TILE_DEG) != home(both[1], TILE_DEG)
    for order in (both, both[::-1]):
        cell = Cell(matcher, str(home(both[0], SIDE_DEG)))
        for one in order:
            cell.learn(one)
        assert 1 == len(cell.links)


@settings(max_examples=200)
@given(st.floats(-40, 20), st.floats(35, 75), st.floats(-1.4, 1.4), st.floats(-1.4, 1.4))
def test_all_tiles_are_looked_at_that_a_block_reaches(latitude: float, longitude: float, up: float, along: float) -> None:
    """Whatever may be linked to a report lies in a tile that is looked at for it, and tiles far from it are not."""
    one = replace(report(1), latitude=latitude, longitude=longitude)
    other = replace(report(2), latitude=latitude + up, longitude=longitude + along)
    tile = str(home(other, TILE_DEG))
    far = str(home(replace(other, latitude=latitude + 5 * BLOCK.kilometres / KM_PER_DEG + TILE_DEG), TILE_DEG))
    found = list(among(one, TILE_DEG, BLOCK.kilometres, [tile, far]))
    assert far not in found
    if within(one, other, BLOCK):
        assert [tile] == found


@settings(max_examples=200)
@given(st.floats(-40, 20), st.floats(35, 75), st.floats(-1.4, 1.4), st.floats(-1.4, 1.4))
def test_home_knows_all_that_a_block_reaches(latitude: float, longitude: float, up: float, along: float) -> None:
    """Whatever may be linked to a report is offered to that report's home."""
    one = replace(report(1), latitude=latitude, longitude=longitude)
    other = replace(report(2), latitude=latitude + up, longitude=longitude + along)
    if within(one, other, BLOCK):
        assert home(one, SIDE_DEG) in offered(other, SIDE_DEG, BLOCK.kilometres)


@settings(max_examples=200)
@given(st.floats(-40, 20), st.floats(35, 75), st.floats(0, 360), st.floats(0, 2.9))
def test_home_knows_the_rivals_too(latitude: float, longitude: float, bearing: float, blocks: float) -> None:
    """A report up to nearly three blocks away is known at home: it may be the rival of a rival."""
    away = blocks * BLOCK.kilometres / KM_PER_DEG
    north, east = away * math.cos(math.radians(bearing)), away * math.sin(math.radians(bearing))
    one = replace(report(1), latitude=latitude, longitude=longitude)
    other = replace(report(2), latitude=latitude + north, longitude=longitude + east / math.cos(math.radians(latitude)))
    assert other.latitude is not None
    assert other.longitude is not None
    if kilometres(latitude, longitude, other.latitude, other.longitude) <= 2.9 * BLOCK.kilometres:
        assert home(one, SIDE_DEG) in offered(other, SIDE_DEG, BLOCK.kilometres)


def test_a_crowd_is_weighed_in_part(matcher: Matcher) -> None:
    """However many hang together, no more than the bound are weighed for one that comes, and all are known."""
    cell = Cell(matcher)
    for number in range(MOST_TOGETHER + 12):
        cell.learn(report(number, number * 0.001))
    assert MOST_TOGETHER + 12 == sum(key.startswith("place:") for key in cell.state)


def test_two_recipients_share_nothing(matcher: Matcher) -> None:
    """What is remembered stands under its recipient: another's knowledge of the same cell is another."""
    state: dict[str, Any] = {}
    mine = Knowledge(state, "rmifc", "-2_4", SIDE_DEG, Weighing(matcher))
    mine.learn(report(1))
    state.update(mine.changes)
    theirs = Knowledge(state, "rcoc", "-2_4", SIDE_DEG, Weighing(matcher))
    assert [] == theirs.learn(report(2))


def test_what_the_model_does_not_speak_of_is_not_remembered(matcher: Matcher) -> None:
    """A report of another type of event makes no links, and is not kept for any."""
    cell = Cell(matcher)
    cell.learn(replace(report(1), event="environmental"))
    assert {} == cell.state
    assert isinstance(matcher.ground, Ground)
