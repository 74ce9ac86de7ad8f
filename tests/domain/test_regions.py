"""
Regions and waters: where something is, in words that take nobody's side.
"""

from __future__ import annotations

import json
import re
from datetime import date
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from agreements import agreement
from boutre.errors import Fault
from boutre.ops.command import main
from boutre.processors.agreement_faults import in_waters
from boutre.processors.coarsen import Coarsen
from boutre.topics import bus
from boutre.topics.regions import read_regions
from boutre.topics.zones import Claim
from records import ROOT

LATITUDE = st.floats(-90, 90)
LONGITUDE = st.floats(-180, 180)


@given(LATITUDE, LONGITUDE, st.sampled_from((1, 2)))
def test_a_position_is_told_by_its_region_and_nothing_else(latitude: float, longitude: float, level: int) -> None:
    """
    Two positions of one region are told alike, to the last field; one that lies in none is not told at all.
    """
    regions = bus.load(ROOT).regions
    position = {"latitude": latitude, "longitude": longitude, "accuracy_m": 3.0, "fix": "gnss", "place": "here", "locode": None}
    region = regions.at(level, latitude, longitude)
    told = Coarsen("region", level, regions)(position)

    assert (None if region is None else {**dict.fromkeys(position), "place": region.label}) == told


def test_no_region_names_a_state() -> None:
    """
    A view that tells a region says where, never whose: no name of a State, in either language, stands in a region's.
    """
    declared = bus.load(ROOT)
    states = {"France", "Comores", "Comoros", "Maurice", "Mauritius", "Seychelles", "Madagascar", "Kenya", "Tanzania", "Tanzanie"}
    labels = [region.label for level in declared.regions.levels for region in declared.regions._levels[level]]

    assert labels
    assert [] == [label for label in labels if states & set(re.findall(r"\w+", label))]


ONE = """[[region]]
id = "a"
level = 1
names = { en = "a", fr = "a" }
area = { west = 0, south = 0, east = 1, north = 1 }
"""


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("[[region]]\nid = 1", "region[1].id"),
        ("", "region"),
        (ONE.replace("level = 1", "level = 0"), "level"),
        (ONE.replace(', fr = "a"', ""), "names.fr"),
        (ONE.replace("west = 0", "west = 2"), "area"),
    ],
)
def test_what_is_wrong_with_regions_is_said(text: str, key: str, tmp_path: Path) -> None:
    """
    Read as strictly as everything that is declared; a bus without the file has no regions.
    """
    faults: list[Fault] = []
    assert not read_regions(tmp_path, faults).levels
    assert [] == faults
    (tmp_path / "regions.toml").write_text(text, encoding="utf-8")
    assert not read_regions(tmp_path, faults).levels

    assert faults
    assert any(key.rpartition(".")[2] in fault.key for fault in faults), faults


# --- Waters ----------------------------------------------------------------------------------------------------------------


def zones_of(state: str, *claims: str) -> set[str]:
    """The zones that an agreement by the claims of a State speaks of, on this bus."""
    declared = bus.load(ROOT)
    when = {"tlp_max": "GREEN", "waters": ({"claimed_by": state, "claims": claims},)}
    made, faults = in_waters("x", agreement(when=when), {name: zone.claims for name, zone in declared.zones.items()})
    assert [] == faults
    return set(made.when.zones or ())


def test_contested_waters_are_in_the_waters_of_every_claimant() -> None:
    """
    Mayotte lies in the waters of France by administration and in those of the Comoros by sovereignty: both may be told.
    """
    assert "contested-mayotte" in zones_of("FRA", "administration")
    assert "contested-mayotte" in zones_of("COM", "sovereignty")
    assert "contested-mayotte" not in zones_of("COM", "jurisdiction")
    assert "contested-mayotte" not in zones_of("FRA", "sovereignty", "jurisdiction")


@pytest.mark.parametrize(
    ("since", "until", "holds"),
    [
        (None, None, True),
        (date(2018, 4, 28), date(2018, 4, 29), False),
        (date(2018, 4, 28), date(2018, 4, 30), True),
        (date(2029, 12, 31), None, True),
        (date(2030, 1, 1), None, False),
    ],
)
def test_a_claim_counts_while_it_is_made(since: date | None, until: date | None, holds: bool) -> None:  # noqa: FBT001 - a table
    """
    Claims are dated: one that ended before the agreement began, or begins after its end, makes no waters.
    """
    claims = {"a": (Claim(state="FRA", kind="administration", since=since, until=until),)}
    when = {"tlp_max": "GREEN", "waters": ({"claimed_by": "FRA", "claims": ("administration",)},)}
    made, faults = in_waters("x", agreement(when=when), claims)

    assert (("a",), []) == (made.when.zones, faults) if holds else faults


def test_a_look_up_gives_every_claimant_and_no_winner() -> None:
    """
    Off Mayotte the command shows both claims with their kinds, in the order of the file.
    """
    words = ["--bus", str(ROOT), "zones", "at", "--latitude", "-12.9", "--longitude", "45.1", "--output", "json"]
    told = json.loads(CliRunner().invoke(main, words).stdout)
    mayotte = next(zone for zone in told["zones"] if zone["zone"] == "contested-mayotte")

    assert mayotte["contested"]
    assert [("FRA", "administration"), ("COM", "sovereignty")] == [(claim["state"], claim["kind"]) for claim in mayotte["claims"]]
    assert "Mozambique Channel" in told["regions"]["1"]["en"]
