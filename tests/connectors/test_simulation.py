"""
The corridor simulator: the same seed gives the same world, every report can be accepted, and the truth beside it is the truth.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import fields
from datetime import UTC, datetime
from functools import cache
from itertools import combinations
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from boutre.connectors.simulation.boats import Boat
from boutre.connectors.simulation.feeds import AIRCRAFT, FEEDS, FISHERMAN, LOOKOUT, RADAR
from boutre.connectors.simulation.nights import Report, World, nights
from boutre.connectors.simulation.one_kwassa import one_kwassa_four_ways
from boutre.connectors.simulation.parameters import Corridor
from boutre.connectors.simulation.picture import picture, telling_night
from boutre.connectors.simulation.sea import degrees, point
from boutre.connectors.simulation.written import files
from boutre.schemas import lock, vocabulary
from boutre.schemas.codec import Codec
from boutre.schemas.sense import Problem
from boutre.schemas.validation import Validator
from boutre.topics import bus

ROOT = Path(__file__).parents[2]
SEED, NIGHTS = 11, 24


@cache
def world() -> World:
    """Nights enough for everything to happen."""
    return nights(SEED, NIGHTS)


def boat_of(one: Report) -> Boat | None:
    """The boat of a report."""
    return next((boat for boat in world().boats if boat.id == one.boat), None)


def test_the_same_seed_gives_the_same_bytes() -> None:
    """A world is a function of its seed: reports, truth and boats come out byte for byte."""
    assert files(nights(3, 2)) == files(nights(3, 2))


def test_another_seed_gives_another_world() -> None:
    """What a seed gives is its own."""
    one, other = files(nights(3, 2)), files(nights(4, 2))

    assert all(one[name] != other[name] for name in one)


def test_a_night_more_changes_none_before() -> None:
    """Each night has a chance of its own: a longer world begins with the shorter one."""
    short, long = nights(5, 2), nights(5, 3)

    assert {one.id: one for one in short.reports}.items() <= {one.id: one for one in long.reports}.items()


@cache
def validator() -> Validator:
    """The bus's own validation."""
    return Validator(lock.load(), vocabulary.load(ROOT / "schemas" / "vocabularies").has)


def refused(made: World) -> list[tuple[str, list[Problem]]]:
    """The reports that accept would refuse at the time when they come, with the reasons."""
    problems = [(one.id, validator().check(one.kind, one.value, datetime.fromtimestamp(one.arrived, UTC))) for one in made.reports]
    return [(name, found) for name, found in problems if found]


@settings(max_examples=30)
@given(st.integers(0, 2**32))
@example(1025)
def test_no_seed_makes_what_is_refused(seed: int) -> None:
    """Whatever the seed, accept would take every report at the time when it comes: none tells of the future."""
    assert [] == refused(nights(seed, 2))


@pytest.mark.parametrize("made", [world(), one_kwassa_four_ways()], ids=["nights", "one kwassa"])
def test_every_report_can_be_accepted(made: World) -> None:
    """Every record passes the bus's own validation at the time when it comes, is written by the codec, and is an exercise."""
    codec = Codec(lock.load())
    members = {member.id: set(member.kinds) for member in bus.load(ROOT).members.values()}
    assert [] == refused(made)
    for one in made.reports:
        decoded = codec.decode(codec.encode(one.kind, dict(one.value)))

        assert one.id == decoded.value["id"]
        assert decoded.value["exercise"]
        assert one.kind in members[decoded.value["origin"]["member"]]


def test_the_truth_is_of_one_piece() -> None:
    """Every boat and every root that the truth names exists; a root saw for itself, and saw the same boat."""
    made = world()
    reports = {one.id: one for one in made.reports}
    boats = {boat.id for boat in made.boats}

    assert len(made.reports) == len(reports)
    assert len(made.boats) == len(boats)
    for one in made.reports:
        root = reports[one.root]
        assert one.boat is None or one.boat in boats
        assert (root.id, root.boat, root.observed) == (root.root, one.boat, one.observed)
        # What the centre was told by telephone can come before the report that it stands on, where that one's link is silent.
        silent = made.silence is not None and root.observer in {FISHERMAN, LOOKOUT} and root.arrived >= made.silence[1]
        assert root.arrived <= one.arrived or silent


def test_who_calls_twice_is_one_root() -> None:
    """A fisherman who tells of one boat twice is one root, whatever the numbers that he gives; some do."""
    roots: dict[tuple[str, str | None], list[str]] = {}
    for one in world().reports:
        if one.observer == FISHERMAN and one.boat is not None:
            roots.setdefault((one.value["provenance"]["sources"][0]["name"], one.boat), []).append(one.root)

    assert any(len(said) > 1 for said in roots.values())
    assert all(len(set(said)) == 1 for said in roots.values())


def test_a_boat_was_under_way_when_it_was_seen() -> None:
    """What is told of a boat was seen between its leaving and its end, and comes onto the bus later than that."""
    for one in world().reports:
        boat = boat_of(one)

        assert one.observed < one.arrived
        assert boat is None or boat.going(one.observed) is not None


def test_reports_hold_no_truth() -> None:
    """Whoever reads the reports alone learns from no id, reference or number which boat it was."""
    assert re.search(r"n\d{3}-[kpldf]\d", files(world())["reports.jsonl"]) is None


def test_everybody_tells_something() -> None:
    """All observers, kinds, languages and boats occur, everything that goes wrong, reports of nothing, revisions, retellings."""
    reports = world().reports

    assert set(FEEDS) == {one.observer for one in reports}
    assert {"sighting", "interception"} == {one.kind for one in reports}
    assert {"fr", "en"} == {one.value["origin"]["language"] for one in reports}
    assert {"count", "colour", "clock", "position"} == {wrong for one in reports for wrong in one.wrong}
    assert any(one.boat is None for one in reports)
    assert any(one.value["lifecycle"]["revision"] for one in reports)
    assert any(one.root != one.id and not (one.value["provenance"].get("derived_from")) for one in reports)
    assert {"kwassa", "pirogue", "local-boat", "dhow", "ferry"} == {boat.kind for boat in world().boats}
    assert {"landed", "intercepted", "turned-back"} <= {boat.outcome for boat in world().boats}


def test_what_is_called_wrong_is_wrong() -> None:
    """A count is called wrong where its range does not hold the truth, a colour where none of those told is one of the boat's."""
    for one in world().reports:
        boat = boat_of(one)
        if boat is None:
            continue
        craft = one.value.get("craft") or {}
        persons = craft.get("persons_on_board") or (one.value.get("persons") or {}).get("total")
        colours = set(craft.get("colours") or ())
        if persons is None:
            assert "count" not in one.wrong
        elif "centre" != one.observer:
            holds = (persons["min"] or 0) <= boat.persons <= (persons["max"] or boat.persons)
            assert holds == ("count" not in one.wrong)
        assert (bool(colours) and not colours & set(boat.colours)) == ("colour" in one.wrong)


def test_a_clock_that_is_wrong_is_an_hour_ahead() -> None:
    """An aircraft tells when it saw, to the minute, or on a sortie whose clock is wrong an hour later; no sortie tells both."""
    sorties: dict[str, set[bool]] = {}
    for one in world().reports:
        if one.observer == AIRCRAFT:
            ahead = one.value["times"]["observed"]["at"].timestamp() - one.observed
            wrong = "clock" in one.wrong
            sorties.setdefault(one.value["origin"]["reference"][:3], set()).add(wrong)
            assert -60 <= ahead - (3_600 if wrong else 0) <= 0

    assert all(len(told) == 1 for told in sorties.values())
    assert {True, False} == set().union(*sorties.values())


def test_positions_err_as_they_say() -> None:
    """About 95 of 100 radar plots lie within the accuracy that they claim, and not all of them."""
    within = []
    for one in world().reports:
        boat = boat_of(one)
        going = boat.going(one.observed) if boat else None
        if one.observer == RADAR and going is not None:
            position = one.value["position"]
            off_m = 1000 * going.where.km(point(position["latitude"], position["longitude"]))
            within.append(off_m <= position["accuracy_m"])

    assert len(within) > 100
    assert 0.88 < sum(within) / len(within) < 1


def test_comoros_is_silent_and_then_speaks_at_once() -> None:
    """During the silence nothing of Comoros comes through; then all of it does within two minutes, some of it days old."""
    made = world()
    assert made.silence is not None, "there are nights enough for one"
    begin, end = made.silence
    mine = [one for one in made.reports if one.observer in {FISHERMAN, LOOKOUT}]
    burst = [one for one in mine if end <= one.arrived < end + 120]

    assert 9 * 86_400 == end - begin
    assert [] == [one for one in mine if begin + 10 < one.arrived < end]
    assert len(burst) > 5
    assert max(one.arrived - one.observed for one in burst) > 5 * 86_400


def test_boats_come_near_one_another() -> None:
    """Some crossings pass within a kilometre of one another at the same time, so that distance alone cannot tell them apart."""
    crossing = [boat for boat in world().boats if boat.crosses]
    near = 0
    for one, other in combinations(crossing, 2):
        at = max(one.begin, other.begin) + 1_800
        here, there = one.going(at), other.going(at)
        near += here is not None and there is not None and here.where.km(there.where) < 1

    assert near > 3


def test_as_many_are_stopped_as_in_2023() -> None:
    """Over many nights interceptions come near the 1.8 a night of 2023, which the mean of crossings was set by."""
    corridor = Corridor()

    assert corridor.calm_share * corridor.crossings * corridor.intercepted_share == pytest.approx(661 / 365, abs=0.02)


def test_one_kwassa_four_ways() -> None:
    """Four reports by four observers of one boat; the centre's stands on that of Comoros, and only two others say what was seen."""
    reports = one_kwassa_four_ways().reports

    assert Counter({"fisherman": 1, "lookout": 1, "aircraft": 1, "centre": 1}) == Counter(one.observer for one in reports)
    assert 1 == len({one.boat for one in reports})
    roots = {one.observer: one.root for one in reports}
    assert roots["centre"] == roots["lookout"]
    assert 3 == len(set(roots.values()))
    told = {one.observer: one.value.get("craft") or {} for one in reports}
    assert (["blue"], 28) == (told["lookout"]["colours"], told["lookout"]["persons_on_board"]["min"])
    assert ({}, []) == (told["aircraft"], told["fisherman"].get("colours") or [])


def test_degrees_and_points_are_one_another() -> None:
    """A place comes back from the plane where it was, to a metre."""
    assert (-12.7, 45.1) == degrees(point(-12.7, 45.1))


def test_a_night_is_drawn() -> None:
    """The picture is well-formed, and holds a way for each boat and a sign for each report of that night."""
    made = world()
    night = telling_night(made)
    drawn = ET.fromstring(picture(made, night))  # noqa: S314 - it was written here
    ways = [each for each in drawn.iter() if each.tag.endswith("polyline")]
    signs = [each for each in drawn.iter() if each.tag.endswith("path") and each.get("fill") != "none"]
    mine = [one for one in made.reports if str(one.value["origin"]["reference"]).startswith(f"{night:03d}-")]

    assert sum(boat.night == night for boat in made.boats) == len(ways)
    assert len(mine) + len(FEEDS) == len(signs)


def test_every_parameter_is_on_the_page() -> None:
    """The page tells of each parameter where its value comes from."""
    page = (ROOT / "docs" / "simulator.md").read_text(encoding="utf-8")

    assert [] == [each.name for each in fields(Corridor) if f"`{each.name}`" not in page]
