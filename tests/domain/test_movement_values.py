"""
What movements are made of: reports, places, reception, thresholds, companies in a cell; in any order, and bounded.
"""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from boutre.errors import Fault
from boutre.processors.matching.distances import kilometres
from boutre.processors.movement.detection import Detection, place
from boutre.processors.movement.meeting import Company, meet, offered, settle
from boutre.processors.movement.places import Cell, ahead, beside, cell, cells_between, cells_near, knots
from boutre.processors.movement.reception import Received, around, hear
from boutre.processors.movement.report import Report, from_sighting
from boutre.processors.movement.thresholds import load
from boutre.processors.movement.waiting import Waiting, arrive
from movement_scenes import KM, NEAR, NIGHT, OFFING, ONE, OTHER, at, merged, others, rules, still
from records import ROOT

SIZE = 0.5
LATITUDES, LONGITUDES = st.floats(-89, 89), st.floats(-180, 180)


# --- Places ----------------------------------------------------------------------------------------------------------------------


@given(LATITUDES, LONGITUDES, st.floats(0, 60))
def test_a_place_is_in_the_cells_near_it(latitude: float, longitude: float, km: float) -> None:
    """
    Its own cell is among them, each once, also across the date line.
    """
    found = cells_near(latitude, longitude, km, SIZE)

    assert cell(latitude, longitude, SIZE) in found
    assert len(set(found)) == len(found)
    assert all(-360 <= column < 360 for _, column in found)


@given(LATITUDES, LONGITUDES, st.floats(0, 359), st.floats(0.1, 20))
def test_who_is_near_is_in_a_cell_near(latitude: float, longitude: float, course: float, km: float) -> None:
    """
    A report is offered to the cell of everybody within the distance that is asked for.
    """
    report = Report(ONE, 0.0, latitude, longitude, km / 1.852, course)
    to = ahead(report, 3600.0)

    assert cell(*to, SIZE) in cells_near(latitude, longitude, 1.2 * max(km, kilometres(latitude, longitude, *to)), SIZE)


@given(LATITUDES, LONGITUDES, LATITUDES, st.floats(-20, 20))
def test_a_way_begins_and_ends_in_its_cells(latitude: float, longitude: float, to: float, east: float) -> None:
    """
    The cells between two places hold both, and are not many.
    """
    end = (longitude + east + 180) % 360 - 180
    found = cells_between((latitude, longitude), (to, end), SIZE)

    assert cell(latitude, longitude, SIZE) == found[0]
    assert cell(to, end, SIZE) in {near for last in found[-2:] for near in beside(last, SIZE)}
    assert 201 >= len(found)


@pytest.mark.parametrize(
    ("latitude", "longitude", "held"),
    [(0.0, 0.0, (0, 0)), (-0.0001, -0.0001, (-1, -1)), (12.5, 180.0, (25, -360)), (12.5, -180.0, (25, -360))],
)
def test_south_and_west_edges_are_a_cells_own(latitude: float, longitude: float, held: Cell) -> None:
    """
    Each place is in one cell, and 180 degrees east is 180 west.
    """
    assert held == cell(latitude, longitude, SIZE)


def test_no_time_makes_no_finite_speed() -> None:
    """
    And no way none.
    """
    assert float("inf") == knots(1.0, 0.0)
    assert 0.0 == knots(0.0, 0.0)
    assert 10.0 == pytest.approx(knots(18.52, 3600.0))


def test_places_are_written_in_both_languages() -> None:
    """
    West is ouest, and a comma stands for the point.
    """
    assert {"en": "12.162° S, 44.397° W", "fr": "12,162° S, 44,397° O"} == place(-12.162, -44.397)


# --- Reports ---------------------------------------------------------------------------------------------------------------------


def sighting(**more: Any) -> dict[str, Any]:
    """A sighting by AIS, in part."""
    value: dict[str, Any] = {
        "id": "a" * 32,
        "times": {"observed": {"at": datetime(2025, 6, 15, 15, tzinfo=UTC), "precision": "second"}},
        "event": {"type": "ais"},
        "position": {"latitude": -12.0, "longitude": 45.0, "accuracy_m": 10.0},
        "movement": {"course_deg": 90.0, "speed_kn": 8.0, "navigational_status": "0"},
        "craft": {"kind": "cargo-ship"},
        "sensor": {"kind": "AutomaticIdentificationSystem", "name": "002500470"},
        "origin": {"feed": "ais", "reference": "R1-17"},
        "claims": [{"attribute": "mmsi", "value": "620111111"}, {"attribute": "name", "value": "AMANI"}],
    }
    return value | more


def test_a_sighting_by_ais_is_a_report_of_its_mmsi() -> None:
    """
    With what the craft says of itself, and the station that heard it.
    """
    report = from_sighting(sighting(), received=5.0)

    assert report is not None
    assert ("mmsi:620111111", NIGHT, "002500470") == (report.subject, report.at, report.source)
    assert ((("name", "AMANI"),), "cargo-ship", "0", 5.0, 10.0) == (
        report.claims,
        report.craft,
        report.status,
        report.received,
        report.accuracy_m,
    )


@pytest.mark.parametrize(
    ("more", "subject"),
    [
        ({"sensor": {"kind": "MaritimeRadar"}, "claims": []}, "radar:R1-17"),
        ({"sensor": {"kind": "Sighting"}, "claims": None}, "visual:R1-17"),
        ({"sensor": {"kind": "Sighting"}}, None),
        ({"sensor": None, "claims": []}, None),
        ({"claims": []}, None),
        ({"event": {"type": "distress"}}, None),
        ({"position": None}, None),
        ({"position": {"latitude": -12.0, "longitude": None}}, None),
        ({"times": None}, None),
    ],
)
def test_who_is_followed(more: dict[str, Any], subject: str | None) -> None:
    """
    Craft by MMSI, contacts by reference; nobody without a place, a time or a name, no beacon, and nothing that is withheld.
    """
    report = from_sighting(sighting(**more))

    assert subject == (None if report is None else report.subject)


# --- Reception -------------------------------------------------------------------------------------------------------------------


@given(
    st.lists(st.tuples(st.integers(0, 40), st.integers(0, 9), st.integers(0, 15)), max_size=60), st.randoms(use_true_random=False)
)
def test_reception_is_the_same_in_any_order_and_bounded(heard: list[tuple[int, int, int]], random: Random) -> None:
    """
    Who was heard when, by whom: what is kept of it does not depend on who came first, and has a most.
    """
    rule = rules().reception.model_copy(update={"most_slots": 50, "most_craft": 3, "most_sources": 4})
    reports = [at(30 * slot, *OFFING, f"mmsi:62011111{craft}", source=f"s{source}") for slot, craft, source in heard]
    shuffled = random.sample(reports, len(reports))
    found: list[Received | None] = []
    for each in (reports, shuffled, reports + shuffled):
        received: Received | None = None
        for report in each:
            received = hear(received, report, rule)
        found.append(received)

    assert found[0] == found[1] == found[2]
    assert found[0] is None or all(3 >= len(slot.craft) and 4 >= len(slot.sources) for slot in found[0].slots)


def test_the_newest_slots_are_kept() -> None:
    """
    What is older than all of them is not taken up again: the value stays as it is.
    """
    rule = rules().reception.model_copy(update={"most_slots": 4})
    received: Received | None = None
    for slot in range(10):
        received = hear(received, at(30 * slot, *OFFING), rule)
    assert received is not None

    assert [number + NIGHT / 1800 for number in (6, 7, 8, 9)] == [slot.number for slot in received.slots]
    assert received is hear(received, at(0, *OFFING), rule)
    assert received is hear(received, at(270, *OFFING), rule)


def test_the_craft_itself_is_no_evidence_of_reception() -> None:
    """
    Nor is what was heard in the slots in which its silence begins and ends.
    """
    rule = rules().reception
    cells: dict[Cell, Received] = {}
    for report in (*still(0, 300, OFFING), at(50, *OFFING, OTHER), at(250, *OFFING, OTHER)):
        where = cell(report.latitude, report.longitude, rule.cell_degrees)
        cells[where] = hear(cells.get(where), report, rule)
    heard = around(cells.get, (cell(*OFFING, rule.cell_degrees),), at(40, *OFFING), NIGHT + 260 * 60, rule)

    assert (0, 1, 0.0, 0.0, 1.0, 6) == (heard.during, heard.before, heard.share, heard.own, heard.seldom, heard.slots)
    assert 0 == heard.compared


def test_a_slot_that_is_full_is_nobodys_silence() -> None:
    """
    Whoever would not have been kept in it, had it been heard, was not silent for all that is known.
    """
    rule = rules().reception.model_copy(update={"most_craft": 3})
    received: Received | None = None
    for slot in range(9):
        # The one with the greatest name is heard all the time; in the middle three lesser ones are there and leave no room for it.
        names = "129" if slot in {0, 1, 8} else "1239"
        for name in names:
            received = hear(received, at(30 * slot, *OFFING, f"mmsi:62022222{name}", 0.1), rule)
    cells = {cell(*OFFING, rule.cell_degrees): received}
    heard = around(cells.get, (cell(*OFFING, rule.cell_degrees),), at(190, *OFFING), NIGHT + 275 * 60, rule)

    assert (0.0, 4, 2) == (heard.seldom, heard.compared, heard.slots)


def test_reception_beside_the_way_counts() -> None:
    """
    Of the neighbouring cells too, and not of those further off.
    """
    rule = rules().reception
    for degrees, during in ((0.4, 5), (1.6, 0)):
        cells: dict[Cell, Received] = {}
        for report in others(0, 300, (OFFING[0] + degrees, OFFING[1])):
            where = cell(report.latitude, report.longitude, rule.cell_degrees)
            cells[where] = hear(cells.get(where), report, rule)
        assert during == around(cells.get, (cell(*OFFING, rule.cell_degrees),), at(40, *OFFING), NIGHT + 260 * 60, rule).during


# --- Waiting ---------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("turned", [False, True])
def test_of_two_reports_in_a_slot_the_same_is_kept_whichever_came_first(*, turned: bool) -> None:
    """
    At one place, within twenty seconds: one report, and a repeat.
    """
    pair = [at(0, *OFFING, speed=3.0), at(0.2, *OFFING, speed=1.0)]
    waiting = Waiting()
    for report in reversed(pair) if turned else pair:
        waiting = arrive(waiting, report, rules().track, 64).waiting

    assert (pair[0],) == waiting.reports


# --- Companies -------------------------------------------------------------------------------------------------------------------


@settings(max_examples=30, deadline=None)
@given(st.randoms(use_true_random=False), st.floats(0.05, 0.7), st.integers(90, 180))
def test_a_meeting_does_not_depend_on_who_is_heard_first(random: Random, km: float, minutes: int) -> None:
    """
    Reports of several craft, each up to ten minutes late, give the same meetings with the same ids and numbers.
    """
    ordered = merged(
        still(0, minutes, OFFING),
        still(2, minutes, (OFFING[0] + km * KM, OFFING[1]), OTHER),
        still(70, minutes, (OFFING[0] - km * KM, OFFING[1]), "radar:R1-17", source="radar"),
        still(0, minutes, NEAR, "mmsi:645333333"),
    )
    late = {id(one): one.at + random.uniform(0, rules().track.late_s) for one in ordered}

    assert _met(ordered) == _met(sorted(ordered, key=lambda one: late[id(one)]))


def _met(reports: list[Report]) -> list[Detection]:
    here, company = cell(*OFFING, rules().rendezvous.cell_degrees), Company()
    told: list[Detection] = []
    for report in reports:
        company, found = meet(company, here, report, rules())
        told.extend(found)
    company, found = settle(company, here, NIGHT + 86_400, rules())
    assert company == msgspec.msgpack.decode(msgspec.msgpack.encode(company), type=Company)
    return [*told, *found]


def test_a_full_cell_forgets_the_oldest() -> None:
    """
    However many craft lie there, a cell holds so many and their pairs.
    """
    few = rules().model_copy(update={"rendezvous": rules().rendezvous.model_copy(update={"most_craft": 5})})
    here, company = cell(*OFFING, few.rendezvous.cell_degrees), Company()
    for report in (at(minute, *OFFING, f"mmsi:6201111{craft:02d}", 0.1) for minute in range(0, 60, 5) for craft in range(20)):
        company = meet(company, here, report, few).company

    assert (5, 5) == (len(company.present), len(company.pairs))
    assert 20 >= len(company.waiting.reports)


def test_a_report_is_offered_to_cells_that_a_meeting_may_drift_from() -> None:
    """
    In the middle of a cell to that one, near its edge to the next one too.
    """
    rule = rules().rendezvous

    assert {cell(-10.75, 46.25, 0.5)} == set(offered(at(0, -10.75, 46.25), rule))
    assert 2 == len(offered(at(0, -10.75, 46.02), rule))


# --- Thresholds ------------------------------------------------------------------------------------------------------------------


def test_thresholds_are_data_of_the_bus() -> None:
    """
    This repository's are sound, have ports, and a version.
    """
    port = rules().port_at(-12.162, 44.397)

    assert port is not None
    assert "Mutsamudu" == port.name
    assert rules().port_at(*OFFING) is None
    assert 1 <= rules().version


def test_all_that_is_wrong_with_thresholds_is_said_at_once(tmp_path: Path) -> None:
    """
    With file, table and key: what is unknown, what is missing, what is of the wrong type or out of its range.
    """
    text = (ROOT / "processors" / "movement.toml").read_text(encoding="utf-8")
    for old, new in (
        ("late_s = 600", "late_s = -1"),
        ("cell_degrees = 0.5\nslot_min", "cell_degrees = 0.5\nslots_min"),
        ("turns = 2.0", 'turns = "2"'),
        ("heard = 0.8", "heard = 1.8"),
        ("[dark] ", "[bright] "),
    ):
        assert old in text
        text = text.replace(old, new, 1)
    shutil.copytree(ROOT / "topics", tmp_path / "topics")
    (tmp_path / "schemas").mkdir()
    (tmp_path / "processors").mkdir()
    (tmp_path / "processors" / "movement.toml").write_text(text, encoding="utf-8")
    faults: list[Fault] = []

    assert load(tmp_path, faults) is None
    assert {"processors/movement.toml"} == {fault.file for fault in faults}
    assert {
        "track.late_s",
        "reception.slots_min",
        "reception.slot_min",
        "circle.turns",
        "gap.certainty.heard",
        "bright",
        "dark",
    } <= {fault.key for fault in faults}


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("default = 70.0\n", "", "has a default"),
        ("after_min = 60", "after_min = 59", "two slots"),
        ("cell_degrees = 0.5\nmost_craft", "cell_degrees = 0.7\nmost_craft", "divides 360"),
        ("own_km = 0.3", "own_km = 1.5", "less than dark.within_km"),
        ("most = 0.7", "most = 0.1", "no less than the least"),
    ],
)
def test_thresholds_fit_one_another(tmp_path: Path, old: str, new: str, said: str) -> None:
    """
    What one rule needs of another is held when they are read.
    """
    text = (ROOT / "processors" / "movement.toml").read_text(encoding="utf-8")
    assert old in text
    (tmp_path / "processors").mkdir()
    (tmp_path / "processors" / "movement.toml").write_text(text.replace(old, new, 1), encoding="utf-8")
    faults: list[Fault] = []

    assert load(tmp_path, faults) is None
    assert said in " ".join(fault.message for fault in faults)
