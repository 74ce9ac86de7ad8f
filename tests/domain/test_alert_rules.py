"""
Rules of alerts: read strictly, tried by their own examples, and never kinder to what was not given than to what is not so.
"""

from __future__ import annotations

import shutil
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from boutre.errors import Fault
from boutre.processors.alerts.conditions import LOOKS, BoundFor, Conditions
from boutre.processors.alerts.rule import Certainty, Rule
from boutre.processors.alerts.rules import FOLDER, Known, Rules, load
from boutre.processors.alerts.situation import Situation
from boutre.schemas import vocabulary
from boutre.schemas.vocabulary import Vocabularies
from records import ROOT

NOW = 1_772_323_200.0
HOUR = 3_600.0


@cache
def codes() -> Vocabularies:
    """The vocabularies of this bus."""
    return vocabulary.load(ROOT / "schemas" / "vocabularies")


@cache
def rules() -> Rules:
    """The rules of this bus, against its vocabularies."""
    faults: list[Fault] = []
    found = load(ROOT, Known(codes()), faults)

    assert [] == faults
    assert found is not None
    return found


def rule(name: str) -> Rule:
    """One of them."""
    found = rules().named(name)
    assert found is not None
    return found


def situation(**parts: object) -> Situation:
    """What a centre knows of a boat in distress that was just seen."""
    whole: dict[str, object] = {"recipient": "rcoc", "body": "centre", "records": ("a",), "at": NOW, "observed": NOW - 60}
    return Situation(**{**whole, **parts})  # type: ignore[arg-type]  # drawn by name


def bus(folder: Path, name: str, old: str, new: str) -> list[str]:
    """What is wrong with the rules of this bus when one text of one file is another."""
    shutil.copytree(ROOT / FOLDER, folder / FOLDER)
    path = folder / FOLDER / f"{name}.toml"
    content = path.read_text(encoding="utf-8")
    assert old in content
    path.write_text(content.replace(old, new, 1), encoding="utf-8")
    faults: list[Fault] = []
    load(folder, Known(codes(), frozenset({"eez-comoros"})), faults)
    return [f"{Path(fault.file).name}: {fault.key}: {fault.message}" for fault in faults]


def test_the_rules_of_this_bus_do_what_their_examples_say() -> None:
    """
    They are read without a fault, each by examples of its own, and say what each is for in both languages.
    """
    names = {one.id for one in rules().every}

    assert {"people-in-distress", "crossing-towards-mayotte", "single-kwassa", "trafficking-signs"} <= names
    assert all(one.title.en != one.title.fr for one in rules().every)


def test_the_page_names_every_rule_as_it_is() -> None:
    """
    Its words in both languages, whether a person is asked, its deadline, and whom it speaks to.
    """
    page = (ROOT / "docs" / "alerts.md").read_text(encoding="utf-8")
    rows = [
        f"| `{one.id}` | {one.title.en} | {one.title.fr} | {'yes' if one.validate_first else 'no'} "
        f"| {rules().scales.deadline_minutes[one.deadline]} "
        f"| {', '.join(f'{body} after {minutes}' if minutes else body for body, minutes in one.bodies.items())} |"
        for one in rules().every
    ]

    assert rows == [row for row in rows if row in page]
    assert len(rows) == page.partition("## The rules of this bus")[2].partition("## ")[0].count("\n| `")
    assert all(f"`{condition}`" in page for condition in LOOKS)


@pytest.mark.parametrize(
    ("name", "old", "new", "fault"),
    [
        ("attack-on-ship", 'category = "Security"', 'category = "Securite"', "category: 'Securite' is not known"),
        ("attack-on-ship", 'deadline = "security"', 'deadline = "soon"', "deadline: 'soon' is not known"),
        ("attack-on-ship", 'types = ["attack"]', 'types = ["atack"]', "when[1].types: 'atack' is not known; did you mean attack?"),
        ("attack-on-ship", 'types = ["attack"]', "types = []", "types is an empty list"),
        ("attack-on-ship", 'types = ["attack"]', "", "names no condition"),
        ("attack-on-ship", 'types = ["attack"]', 'kinds = ["attack"]', "is not known here"),
        ("attack-on-ship", "severity = 0.7", "severity = 1.7", "severity"),
        ("attack-on-ship", "after_minutes = 15", "after_minutes = 45", "escalate is not in the order"),
        ("attack-on-ship", "bodies = { centre = 0, member = 0 }", "bodies = {}", "bodies"),
        ("attack-on-ship", 'certainty = "Likely"', 'certainty = "Observed"', "example[1] armed men boarded her: comes out as"),
        ("attack-on-ship", "given.types", "given.tipes", "given is no situation"),
        ("attack-on-ship", 'refused = "types: not-so"', 'refused = "types: not-given"', "refused for types: not-so, not for"),
        ("crossing-towards-mayotte", '"eez-comoros", ', "", "'contested-mayotte' is not known"),
        ("scales", 'code = "Severe", least = 0.6', 'code = "Severe", least = 0.9', "severity goes from the highest"),
        ("scales", 'code = "Severe"', 'code = "Sever"', "severity: 'Sever' is not known; did you mean Severe?"),
        ("scales", "most = 0.87", "most = 0.5", "fr does not go up to 1 in order"),
        ("scales", "[deadline_minutes]", "[deadline]", "is not known here"),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, name: str, old: str, new: str, fault: str) -> None:
    """
    With file, table and key, and nothing is read half.
    """
    said = [line for line in bus(tmp_path, name, old, new) if line.startswith(f"{name}.toml")]

    assert any(fault in line for line in said), said


def test_all_that_is_wrong_is_said_at_once(tmp_path: Path) -> None:
    """
    In every file, not only in the first.
    """
    said = bus(tmp_path, "dark-rendezvous", 'event = "contraband"', 'event = "x"\nresponse_ = 1')

    assert any("response_" in line for line in said)
    assert any(line.startswith("crossing-towards-mayotte.toml") for line in said)


def test_a_bus_without_rules_has_no_alerts(tmp_path: Path) -> None:
    """
    That is no fault; a folder without scales is one.
    """
    faults: list[Fault] = []

    assert load(tmp_path, Known(), faults) is None
    assert [] == faults
    (tmp_path / FOLDER).mkdir(parents=True)
    assert load(tmp_path, Known(), faults) is None
    assert len(faults) == 1


# --- Conditions ----------------------------------------------------------------------------------------------------------------

SAYS = {
    "types": ("attack",),
    "outcomes": ("boarded",),
    "activities": ("sinking",),
    "crafts": ("kwassa",),
    "people": ("injured",),
    "needs": ("water",),
    "trafficking": ("PossibleVictimOfTrafficking",),
    "detections": ("gap",),
    "zones": ("eez-comoros",),
    "bound_for": {"latitude": -12.8, "longitude": 45.1, "within_km": 200, "within_deg": 60},
    "persons_at_least": 20,
    "persons_per_metre_at_least": 2.0,
    "roots_at_least": 2,
    "roots_at_most": 2,
    "probability_at_least": 0.5,
    "credibility_at_least": 0.5,
    "lives_at_risk": True,
}
KNOWN = {
    "types": ("attack",),
    "outcomes": ("boarded",),
    "activities": ("sinking",),
    "crafts": ("kwassa",),
    "people": ("injured",),
    "needs": ("water",),
    "trafficking": ("PossibleVictimOfTrafficking",),
    "detections": ("gap",),
    "zones": ("eez-comoros",),
    "latitude": -12.5,
    "longitude": 44.8,
    "course_deg": 130.0,
    "persons_most": 20.0,
    "length_m": 10.0,
    "roots": 2,
    "probability": 0.5,
    "credibility": 0.5,
    "lives_at_risk": True,
}


@pytest.mark.parametrize("name", sorted(LOOKS))
def test_a_condition_holds_at_its_bound_and_not_without_its_field(name: str) -> None:
    """
    At least and at most include the number itself; what is not known is a miss, and where it was withheld the miss says so.
    """
    asked = Conditions.model_validate({name: SAYS[name]})
    fields = LOOKS[name].fields

    assert () == tuple(asked.misses(situation(**KNOWN)))
    assert [f"{name}: not-known"] == [str(miss) for miss in asked.misses(situation())]
    for field in fields:
        for withheld in (field, field.partition(".")[0], f"{field}.part"):
            hidden = situation(withheld=(withheld,))
            assert [f"{name}: not-given"] == [str(miss) for miss in asked.misses(hidden)]
        assert [f"{name}: not-known"] == [str(miss) for miss in asked.misses(situation(withheld=(f"{field}s",)))]


def test_every_condition_has_its_look() -> None:
    """
    What a rule can ask for is what can be looked at.
    """
    assert LOOKS.keys() == Conditions.model_fields.keys() == SAYS.keys()


@pytest.mark.parametrize(
    ("course", "expected"), [(90.0, True), (60.0, True), (120.0, True), (59.0, False), (121.0, False), (270.0, False)]
)
def test_a_course_leads_there_within_its_angle(course: float, expected: bool) -> None:  # noqa: FBT001 - a table
    """
    To either side, across north as well; and only from near enough.
    """
    east = BoundFor(latitude=0, longitude=1, within_km=120, within_deg=30)
    north = BoundFor(latitude=1, longitude=0, within_km=120, within_deg=30)

    assert expected == east.holds(0, 0, course)
    assert expected == north.holds(0, 0, (course - 90) % 360)
    assert not east.holds(0, -0.2, course)


@given(most=st.sampled_from([0.0, 1.9, 2.0, 2.1]), body=st.sampled_from(["centre", "member", "protection"]))
def test_who_is_not_named_is_not_told(most: float, body: str) -> None:
    """
    A rule speaks to the kinds of recipients that it names, whatever the situation.
    """
    verdict = rule("people-in-distress").judge(situation(body=body, lives_at_risk=True, persons_most=most))

    assert (body != "protection") == verdict.holds


# --- Certainty and age ---------------------------------------------------------------------------------------------------------


@given(
    base=st.floats(0, 1),
    roots=st.integers(0, 5),
    probability=st.none() | st.floats(0, 1),
    credibility=st.none() | st.floats(0, 1),
)
def test_certainty_grows_with_independent_sources_alone(
    base: float, roots: int, probability: float | None, credibility: float | None
) -> None:
    """
    It is a probability, never above what the rule allows; a further root never lowers it, and by no link that is told adds nothing.
    """
    certainty = Certainty(base=base, most=0.94)
    one, more = (
        certainty.number(situation(roots=count, probability=probability, credibility=credibility)) for count in (roots, roots + 1)
    )
    single = certainty.number(situation(credibility=credibility))

    assert 0 <= one <= more + 1e-12 <= 0.94 + 1e-9
    assert single <= one + 1e-12
    if probability is None:
        assert single == more


@pytest.mark.parametrize(
    ("observed", "lives", "late"),
    [
        (NOW - 24 * HOUR, None, False),
        (NOW - 24 * HOUR - 1, None, True),
        (NOW - 24 * HOUR - 1, False, True),
        (NOW - 9 * 24 * HOUR, True, False),
        (NOW + HOUR, None, False),
        (None, None, False),
    ],
)
def test_what_was_old_when_it_came_is_late_unless_lives_are_at_risk(
    observed: float | None,
    lives: bool | None,  # noqa: FBT001 - a table
    late: bool,  # noqa: FBT001 - a table
) -> None:
    """
    Up to the second; what is not known to be old is not late, nor is what a wrong clock puts into the future.
    """
    verdict = rule("attack-on-ship").judge(situation(types=("attack",), observed=observed, lives_at_risk=lives))

    assert verdict.holds
    assert late == verdict.late


def test_a_coarse_time_is_held_in_favour_of_the_alert() -> None:
    """
    Who has only the day of an event is not told that it is late where it may not be.
    """
    day = situation(types=("attack",), observed=NOW - 30 * HOUR, within_s=12 * HOUR)

    assert not rule("attack-on-ship").judge(day).late
    assert rule("attack-on-ship").judge(situation(types=("attack",), observed=None, late=True)).late


@given(st.floats(0, 1))
def test_every_number_has_a_code_and_words(number: float) -> None:
    """
    The codes of CAP go with the numbers, and Likely is what is more than 50 per cent.
    """
    scales = rules().scales

    assert scales.code("certainty", number) in {"Observed", "Likely", "Possible", "Unlikely"}
    assert (number > 0.5) == (scales.code("certainty", number) in {"Likely", "Observed"})
    assert scales.words(number, "en") in {one.words for one in scales.chance.en}
    assert scales.words(number, "fr") in {one.words for one in scales.chance.fr}
