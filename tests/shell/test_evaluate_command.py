"""
``boutre evaluate``: two feeds of which the truth is known, linked and judged.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from boutre.errors import Fault
from boutre.ops.command import main
from boutre.ops.evaluate_columns import NEAR_KM, nearest_first
from boutre.processors.matching import model as modelling
from boutre.processors.matching import models
from boutre.processors.matching.distances import KM_PER_DEG
from boutre.processors.matching.learning import fingerprint
from boutre.processors.matching.sighted import Sighted
from pages import ROOT

IMB = "id,date,time,latitude,longitude,attack_type,vessel_name,vessel_type,vessel_status,nearest_country"
ASAM = "reference,date,time,latitude,longitude,navArea,subreg,hostility,vessel_name,vessel_type"

NAMES = ("Amber", "Borealis", "Castor", "Delphine", "Etoile du Sud", "Fanja", "Gazelle", "Harmattan", "Ibis", "Jacaranda")


def folder(at: Path, extra_imb: tuple[str, ...] = (), extra_asam: tuple[str, ...] = (), pairs: str | None = None) -> Path:
    """Ten incidents of 2011, a week apart, in both lists; every other one a mile off."""
    at.mkdir(exist_ok=True)
    days = [f"2011-{1 + number // 4:02}-{1 + 7 * (number % 4):02}" for number in range(len(NAMES))]
    places = [(12 + number / 10, 45 + number / 3) for number in range(len(NAMES))]
    imb = [
        f"X-{number},{day},,{latitude:.4f},{longitude:.4f},Attempted,MV {NAMES[number]},,Steaming,YEM"
        for number, (day, (latitude, longitude)) in enumerate(zip(days, places, strict=True))
    ]
    asam = [
        f"2011-{number},{day},09:00 UTC,{latitude + number % 2 / 60:.4f},{longitude:.4f},IX,62,PIRATES,{NAMES[number]},tanker"
        for number, (day, (latitude, longitude)) in enumerate(zip(days, places, strict=True))
    ]
    known = "imb_id,asam_reference\n" + "".join(f"X-{number},2011-{number}\n" for number in range(len(NAMES)))
    (at / "feed_imb.csv").write_text("\n".join([IMB, *imb, *extra_imb]) + "\n", encoding="utf-8")
    (at / "feed_asam.csv").write_text("\n".join([ASAM, *asam, *extra_asam]) + "\n", encoding="utf-8")
    (at / "same_incident.csv").write_text(known if pairs is None else pairs, encoding="utf-8")
    return at


def run(at: Path, *arguments: str) -> tuple[int, str, str]:
    """The exit status, what it said, and what it told on the side; without other ways of linking."""
    plot = str(at / "plot.svg")
    done = CliRunner().invoke(main, ["--bus", str(ROOT), "evaluate", str(at), "--alone", "--plot", plot, *arguments])
    return done.exit_code, done.stdout, done.stderr


def test_the_last_line_is_json(tmp_path: Path) -> None:
    """Whatever form the figures have, the last line is precision, recall and F1 with names shown and hidden."""
    for form in ("table", "json"):
        status, out, told = run(folder(tmp_path / "lists"), "--output", form)
        last = json.loads(out.splitlines()[-1])

        assert 0 == status
        assert ["names_shown", "names_hidden"] == list(last)
        assert {"precision": 1.0, "recall": 1.0, "f1": 1.0} == last["names_shown"]
        assert all(0 <= last["names_hidden"][name] <= 1 for name in ("precision", "recall", "f1"))
        assert "was not learnt from these pairs" in told


def test_a_row_that_no_connector_reads_is_counted(tmp_path: Path) -> None:
    """What is odd does not stop the rest: refused rows are counted, and the figures stay."""
    odd_imb = (
        "X-90,2011-03-01,,not a number,45,Attempted,Nobody,,Steaming,YEM",
        "X-91,2011-13-01,,12.0,45.0,Attempted,Nobody,,Steaming,YEM",
        "X-92,2011-03-01,,,,Suspicious,,Submarine,Dreaming,",
    )
    odd_asam = ("2011-90,2011-03-01,25:99 UTC,12.0,45.0,IX,62,,,hovercraft", "2011-91,2011-03-01")
    status, out, told = run(folder(tmp_path / "lists", odd_imb, odd_asam))

    assert 0 == status
    assert "rows refused" in told
    assert 1.0 == json.loads(out.splitlines()[-1])["names_shown"]["f1"]


def test_known_pairs_of_what_is_not_there_count_as_missed(tmp_path: Path) -> None:
    """A pair that names a report in neither list is told, and is known and not found."""
    known = "imb_id,asam_reference\n" + "".join(f"X-{number},2011-{number}\n" for number in range(len(NAMES))) + "X-77,2011-77\n"
    status, out, told = run(folder(tmp_path / "lists", pairs=known))

    assert 0 == status
    assert "neither feed" in told
    assert json.loads(out.splitlines()[-1])["names_shown"]["recall"] < 1


@pytest.mark.parametrize("missing", ["same_incident.csv", "feed_asam.csv"])
def test_what_is_missing_is_said(tmp_path: Path, missing: str) -> None:
    """Without one of the three files nothing is judged, and which one it is is said."""
    at = folder(tmp_path / "lists")
    (at / missing).unlink()
    status, _, told = run(at)

    assert 2 == status
    assert missing in told


def test_a_picture_is_drawn(tmp_path: Path) -> None:
    """Whether probabilities mean what they say is drawn beside the figures."""
    at = folder(tmp_path / "lists")
    run(at)

    assert "</svg>" in (at / "plot.svg").read_text(encoding="utf-8")


def test_what_was_learnt_is_read_back(tmp_path: Path) -> None:
    """The model that --learn writes is read by the bus, says from which pairs it was learnt, and is judged held out on them."""
    at, model = folder(tmp_path / "lists"), tmp_path / "learnt.toml"
    status, _, told = run(at, "--learn", str(model))
    faults: list[Fault] = []
    read = modelling.load(model, faults)
    again, _, said = run(at, "--model", str(model))

    assert (0, 0) == (status, again), told
    assert [] == faults
    assert read is not None
    known = {(min(pair), max(pair)) for pair in ((f"incidents-imb:X-{n}", f"incidents-asam:2011-{n}") for n in range(len(NAMES)))}
    assert fingerprint(known) == read.file.learnt_on
    assert "was learnt from these pairs" in said


def test_the_weights_of_this_bus_were_learnt_from_the_samples() -> None:
    """The digest in the model is that of the pairs in samples/incidents: on them it is judged held out."""
    rows = (ROOT / "samples" / "incidents" / "same_incident.csv").read_text(encoding="utf-8").split()[1:]
    known = {
        (min(pair), max(pair))
        for pair in ((f"incidents-imb:{a}", f"incidents-asam:{b}") for a, b in (row.split(",") for row in rows))
    }
    incident = next(one for one in models.of(ROOT).models if one.file.name == "incident")

    assert fingerprint(known) == incident.file.learnt_on


def test_the_simplest_rule_takes_the_nearest_first() -> None:
    """Distance and date alone: within 100 km and a day, each report once, the nearest pair first."""

    def report(name: str, source: str, km: float, day: float = 0.0) -> Sighted:
        return Sighted(
            id=name,
            kind="sighting",
            source=source,
            at=86_400 * (100 + day),
            latitude=km / KM_PER_DEG,
            longitude=50.0,
            event="attack",
        )

    reports = [
        report("a", "one", 0),
        report("b", "one", 30),
        report("c", "two", 20),
        report("d", "two", 20 + NEAR_KM + 1),
        report("e", "two", 0, 2),
    ]

    assert [("b", "c")] == [(link.a, link.b) for link in nearest_first(reports)]
