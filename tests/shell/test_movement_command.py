"""
``boutre movement`` as people call it, on the sample of real AIS, and the pictures of its page.
"""

from __future__ import annotations

import json
import tomllib
from functools import cache
from pathlib import Path
from typing import Final
from xml.etree import ElementTree as ET

import pytest
from click.testing import CliRunner, Result

from boutre.ops.command import main
from boutre.ops.movement_command import Seen, plain, read, watch
from boutre.ops.movement_map import draw
from boutre.processors.movement.claims import compared
from boutre.processors.movement.detection import ANOMALY
from boutre.processors.movement.track import Watch
from boutre.topics import bus
from movement_corridor import corridor
from movement_scenes import rules
from records import ROOT

SAMPLE: Final = ROOT / "samples" / "ais" / "denmark_2010.nmea"
PICTURES: Final = ROOT / "docs" / "movement"
DENMARK: Final = (6.0, 53.8, 16.5, 58.6)
COMOROS: Final = (43.7, -14.0, 48.0, -11.0)
TITLES: Final = {
    "denmark": "Denmark, 11 June 2010: 28 seconds of AIS as a chain of receivers heard it",
    "corridor": "A made-up night between Anjouan, Mayotte and Madagascar",
}
NS: Final = "{http://www.w3.org/2000/svg}"


def boutre(*arguments: str) -> Result:
    """Run the command on this repository's bus."""
    return CliRunner().invoke(main, ["--bus", str(ROOT), "movement", *arguments])


@cache
def watched() -> Watch:
    """Give what this repository's bus judges tracks by."""
    return Watch(rules(), bus.load(ROOT).zones)


@cache
def real() -> Seen:
    """Give what is seen in the sample."""
    return watch(read((SAMPLE,)), watched())


@cache
def made_up() -> Seen:
    """Give what is seen in the night that was made up for the page."""
    return watch(iter(corridor()), watched())


def test_nothing_is_found_in_half_a_minute_of_orderly_traffic() -> None:
    """
    Of 1,381 craft in 28 seconds no one leaps, changes its identity, or enters what it was outside of; silences need an hour.
    """
    assert 2927 == sum(len(each) for each in real().reports.values())
    assert 1381 == len(real().reports)
    assert [] == real().detections


def test_no_two_craft_of_the_sample_share_an_identity() -> None:
    """
    That nothing is linked there is no accident of the thresholds: no name, call sign or IMO number is carried by two numbers.
    """
    for attribute, least in (("name", 90), ("call-sign", 90), ("imo", 60)):
        carried: dict[str, set[str]] = {}
        for subject, each in real().reports.items():
            for name, value in {claim for one in each for claim in one.claims if claim[0] == attribute}:
                found = compared(name, value)
                assert found is not None
                carried.setdefault(found, set()).add(subject)
        assert least < len(carried)
        assert {1} == {len(subjects) for subjects in carried.values()}


def test_the_command_lists_and_draws(tmp_path: Path) -> None:
    """
    A short log, cut from the sample: the map is written, JSON is on stdout, and the summary on stderr.
    """
    log, drawn = tmp_path / "short.nmea", tmp_path / "out" / "map.svg"
    log.write_bytes(b"".join(SAMPLE.read_bytes().splitlines(keepends=True)[:400]))
    result = boutre(
        str(log), "--output", "json", "--map", str(drawn), "--around", "5", "53", "17", "60", "--title", "a <log> & more"
    )

    assert 0 == result.exit_code
    assert [] == json.loads(result.stdout)
    assert "found: nothing" in result.stderr
    assert "a <log> & more" == ET.fromstring(drawn.read_text(encoding="utf-8")).findtext(f"{NS}title")  # noqa: S314 - our own file


@pytest.mark.parametrize("around", [("17", "53", "5", "60"), ("5", "60", "17", "53"), ("5", "53", "17", "91")])
def test_a_frame_that_is_none_is_refused(around: tuple[str, ...]) -> None:
    """
    With what it should be, and nothing done.
    """
    result = boutre(str(SAMPLE), "--around", *around)

    assert 2 == result.exit_code
    assert "west and south first" in result.stderr


def test_two_hulls_in_a_log_are_found(tmp_path: Path) -> None:
    """
    From the sentences on: one number, 390 km apart, in turn within ten minutes; in the table with its sentence, and in JSON.
    """
    # Class A at 12.1 S 44.4 E and at 13.3 S 47.8 E, encoded after ITU-R M.1371-5, ten minutes apart by the log's own clock.
    lines = [_logged(payload, 1_750_000_000 + 600 * number) for number, payload in enumerate(HULLS * 3)]
    log = tmp_path / "hulls.nmea"
    log.write_text("".join(lines), encoding="ascii")
    listed, told = boutre(str(log)), json.loads(boutre(str(log), "--output", "json").stdout)

    assert 0 == listed.exit_code
    assert "two-hulls" in listed.stdout
    assert ["impossible-jump", "two-hulls"] == [one["type"] for one in told]
    assert "PerformingAISSpoofing" == told[1]["anomaly"]
    assert "Une identité, deux coques" in told[1]["sentence"]["fr"]


HULLS: Final = ("19?HU1wP0j3;?l1q4p`3Q01qP000", "19?HU1wP0j3Jkr1pHt83Q01qP000")


def _logged(payload: str, at: int) -> str:
    sentence = f"AIVDM,1,1,,A,{payload},0"
    checksum = 0
    for letter in sentence:
        checksum ^= ord(letter)
    return f"!{sentence}*{checksum:02X},{at}\n"


@pytest.mark.parametrize("name", ["denmark", "corridor"])
def test_the_pictures_of_the_page_are_drawn_by_the_code(name: str) -> None:
    """
    What the page shows is what is found today; drawn anew by ``python tests/shell/test_movement_command.py``.
    """
    assert picture(name) == (PICTURES / f"{name}.svg").read_text(encoding="utf-8")


def test_everything_that_is_promised_is_found_in_the_night_that_was_made_up() -> None:
    """
    Each type but one, of a radar contact too; every mark of the picture has its line beside it.
    """
    found = {one.type for one in made_up().detections}
    tree = ET.fromstring(picture("corridor"))  # noqa: S314 - our own file
    texts = [each.text for each in tree.iter(f"{NS}tspan")]

    assert {*ANOMALY, "zone-entry"} - {"identity-shared"} == found
    assert [str(number) for number in range(1, len(made_up().detections) + 1)] == texts


def test_what_is_found_is_plain_and_speaks_both_languages() -> None:
    """
    JSON with numbers and units, thresholds, sentences without a hole, and codes that the vocabulary has.
    """
    codes = {one["code"] for one in tomllib.loads((ROOT / "schemas/vocabularies/cise-anomaly.toml").read_text("utf-8"))["code"]}
    for one in made_up().detections:
        value = json.loads(json.dumps(plain(one)))
        assert value["evidence"]
        assert value["thresholds"]
        assert {"name", "value", "unit"} == set(value["evidence"][0])
        assert all("…" not in text and "\\ufffd" not in text for text in value["sentence"].values())
        assert value["anomaly"] is None or value["anomaly"] in codes
        assert 0 <= value["certainty"] <= 1


def picture(name: str) -> str:
    """Draw one picture of the page."""
    seen, frame = (real(), DENMARK) if name == "denmark" else (made_up(), COMOROS)
    return draw(seen.reports, seen.detections, watched().zones, frame, TITLES[name])


if __name__ == "__main__":
    for each in TITLES:
        (PICTURES / f"{each}.svg").write_text(picture(each), encoding="utf-8")
