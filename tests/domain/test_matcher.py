"""
The matcher: the same reports give the same links in whatever order they come, and the evidence adds up to the odds.
"""

from __future__ import annotations

import math
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from boutre.processors.matching import models
from boutre.processors.matching.comparisons import BY_NAME
from boutre.processors.matching.distances import KM_PER_DEG
from boutre.processors.matching.ground import Ground
from boutre.processors.matching.ladders import ladder, rungs
from boutre.processors.matching.matcher import LEAST_RIVAL_BITS, RIVALS, Matcher
from boutre.processors.matching.model import MOST_BITS, BlockFile, CalibrationFile, ComparisonFile, ModelFile, bits_of, model_of
from boutre.processors.matching.sighted import Sighted, Span
from boutre.processors.matching.terms import Terms

ROOT = Path(__file__).parents[2]
BEGIN = 1_700_000_000.0
MODEL = ModelFile(
    name="test",
    version=3,
    type="same-event",
    kinds=("sighting",),
    events=("irregular-migration",),
    prior_bits=-2.0,
    link_at=0.5,
    block=BlockFile(hours=12, kilometres=150),
    comparison=(
        ComparisonFile(name="distance", of="distance", edges=(1, 5, 20), bits={"<1": 5, "<5": 3, "<20": 1, ">=20": -6}),
        ComparisonFile(name="hours", of="elapsed", edges=(1, 3), bits={"<1": 2, "<3": 1, ">=3": -3}),
        ComparisonFile(name="colour", of="colours", bits={"same": 2.5, "differs": -1.5}),
        ComparisonFile(name="speed", of="reach", edges=(40,), bits={"<40": 0.25}, impossible=(">=40",)),
    ),
)
TERMS = Terms(edges=(0.5, 1, 2, 20), across=(1, 5, 20), uncertain_km=2)
FULL = Sighted(
    id="full",
    kind="sighting",
    source="comoros/forms",
    at=BEGIN,
    latitude=-12.5,
    longitude=44.8,
    event="irregular-migration",
    craft="kwassa",
    colours=("blue",),
    length_m=Span(6, 8),
    engines=Span(1, 2),
    power_kw=Span(30, None),
    persons=Span(10, 20),
    markings=("MAY-4711",),
    course_deg=90.0,
    speed_kn=10.0,
    identifiers=(("name", "Mwana wa Bahari"), ("mmsi", "235083598"), ("call-sign", "D6AB2")),
)


@pytest.fixture(scope="module")
def ground() -> Ground:
    """How identifiers and names are read on this bus, and its coasts."""
    return models.of(ROOT).ground()


@pytest.fixture(scope="module")
def matcher(ground: Ground) -> Matcher:
    """A matcher of four comparisons."""
    return Matcher(model_of(MODEL), ground)


@pytest.fixture(scope="module")
def ours() -> tuple[Matcher, ...]:
    """The matchers of this bus."""
    return models.of(ROOT).matchers()


def optional(drawn: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """
    Draw a value, or nothing where it is not told.
    """
    return st.one_of(drawn, drawn, st.none())


REPORTS = st.lists(
    st.builds(
        Sighted,
        id=st.sampled_from([f"r{at}" for at in range(12)]),
        kind=st.just("sighting"),
        source=st.sampled_from(["comoros/forms", "france/patrol", "rmifc/desk"]),
        at=optional(st.sampled_from([BEGIN + hour * 3600 for hour in (0, 0.4, 0.99, 1, 2.9, 3, 11.9, 12.1)])),
        latitude=optional(st.just(-12.3)),
        longitude=st.sampled_from([44.6 + east / (KM_PER_DEG * 0.977) for east in (0, 0.9, 1.1, 4.9, 5.1, 19, 21, 149)]),
        event=st.sampled_from(["irregular-migration", "irregular-migration", "irregular-migration", "environmental"]),
        colours=st.sampled_from([(), ("blue",), ("white",)]),
        course_deg=optional(st.sampled_from([0.0, 90.0, 270.0])),
        speed_kn=optional(st.sampled_from([0.0, 12.0])),
    ),
    max_size=9,
)


@settings(max_examples=60, deadline=None)
@given(REPORTS, st.randoms(use_true_random=False))
def test_the_order_of_reports_makes_no_difference(matcher: Matcher, drawn: list[Sighted], random: Any) -> None:
    """Shuffled and said again, the same reports give the same pairs with the same evidence, to the last digit."""
    shuffled = [*drawn, *drawn[:3]]
    random.shuffle(shuffled)
    assert matcher.all(drawn) == matcher.all(shuffled)


@settings(max_examples=60, deadline=None)
@given(REPORTS)
def test_the_evidence_adds_up_to_the_odds(matcher: Matcher, drawn: list[Sighted]) -> None:
    """The prior and the bits of all evidence, rivals among it, are the odds of the probability; rivals only ever take."""
    for one in matcher.all(drawn):
        assert 0 <= one.probability <= 1
        assert one.a < one.b
        rivals = [each.bits for each in one.evidence if each.comparison == RIVALS]
        assert all(bits <= -LEAST_RIVAL_BITS for bits in rivals)
        odds = MODEL.prior_bits + math.fsum(each.bits for each in one.evidence)
        near = 0.01 if rivals else LEAST_RIVAL_BITS + 1e-6
        assert pytest.approx(odds, abs=near) == bits_of(one.probability)


@settings(max_examples=40, deadline=None)
@given(REPORTS)
def test_links_are_the_likeliest_pairs(matcher: Matcher, drawn: list[Sighted]) -> None:
    """A link is a pair from the model's probability on; the likeliest comes first, and no two of one source are matched."""
    pairs, links = matcher.all(drawn), matcher(drawn)
    assert [one for one in pairs if one.probability >= MODEL.link_at] == links
    assert all(one.probability >= other.probability for one, other in pairwise(pairs))
    by_id = {one.id: one for one in matcher.compare(drawn).reports}
    assert all(by_id[one.a].source != by_id[one.b].source for one in pairs)
    assert all(one.event == "irregular-migration" for one in by_id.values())


@settings(max_examples=60, deadline=None)
@given(REPORTS)
def test_which_of_two_is_named_first_makes_no_difference(matcher: Matcher, ours: tuple[Matcher, ...], drawn: list[Sighted]) -> None:
    """Two reports are weighed alike from either side, by this model and by those of this bus."""
    for each in (matcher, *ours):
        for one, other in pairwise({report.id: report for report in drawn}.values()):
            assert each.weigh(one, other) == each.weigh(other, one)


@settings(max_examples=100, deadline=None)
@given(REPORTS)
def test_where_craft_go_is_compared_from_either_side(ground: Ground, drawn: list[Sighted]) -> None:
    """How far apart for the time, and how far off the course, are the same whichever report is asked about first."""
    for one, other in pairwise({report.id: report for report in drawn}.values()):
        for name in ("spread", "ahead", "bearing"):
            assert BY_NAME[name](one, other, TERMS, ground) == BY_NAME[name](other, one, TERMS, ground)


def test_what_a_craft_did_is_compared_from_either_side(ground: Ground) -> None:
    """Where both reports tell what the craft did and what became of it, one of the two comparisons counts, and always the same."""
    terms = Terms(words={"fired": ("FIRED",), "boarded": ("BOARDED",)}, activities={"rest": ("at-anchor",), "sea": ("under-way",)})
    one = Sighted(id="a", kind="sighting", outcome="boarded", activity="at-anchor")
    other = Sighted(id="b", kind="sighting", outcome="fired-upon", activity="under-way")

    assert "rest+fired" == BY_NAME["doing"](one, other, terms, ground) == BY_NAME["doing"](other, one, terms, ground)


@pytest.mark.parametrize("name", sorted(set(BY_NAME)))
def test_what_is_withheld_is_no_evidence(ground: Ground, name: str) -> None:
    """A report that tells nothing agrees with nothing and differs from nothing."""
    bare = Sighted(id="bare", kind="sighting")
    assert BY_NAME[name](bare, FULL, TERMS, ground) is None
    assert BY_NAME[name](FULL, bare, TERMS, ground) is None
    assert BY_NAME[name](bare, bare, TERMS, ground) is None


@pytest.mark.parametrize("name", ["distance", "names", "colours", "length", "engines", "power", "persons", "markings", "mmsi"])
def test_what_is_told_alike_is_evidence(ground: Ground, name: str) -> None:
    """The same told twice comes to a level: what tells nothing above does so because it was withheld."""
    assert BY_NAME[name](FULL, replace(FULL, id="twin"), TERMS, ground) is not None


def test_a_withheld_field_leaves_the_rest_as_it_was(matcher: Matcher) -> None:
    """Without its colours a pair has the same evidence but for that of colours."""
    one, other = FULL, replace(FULL, id="other", source="france/patrol")
    told, withheld = matcher.weigh(one, other), matcher.weigh(one, replace(other, colours=()))
    assert told is not None
    assert withheld is not None
    assert [each for each in told.evidence if each.comparison != "colour"] == list(withheld.evidence)
    assert pytest.approx(told.bits - 2.5) == withheld.bits


def test_an_impossible_level_rules_out(matcher: Matcher) -> None:
    """Where no craft could have been at both places there is no pair, whatever else agrees."""
    far = replace(FULL, id="far", source="france/patrol", longitude=44.8 + 0.2, at=BEGIN + 60)
    near = replace(FULL, id="near", source="france/patrol")
    assert matcher.weigh(FULL, far) is None
    assert [] == matcher.all([FULL, far])
    assert [("full", "near")] == [(one.a, one.b) for one in matcher([FULL, near])]


def test_an_id_that_comes_twice_counts_once(matcher: Matcher) -> None:
    """A report said again is no rival to itself; of two versions under one id the same one counts in any order."""
    near = replace(FULL, id="near", source="france/patrol")
    moved = replace(near, longitude=44.83)
    assert matcher.all([FULL, near]) == matcher.all([FULL, near, FULL, near])
    assert matcher.all([FULL, near, moved]) == matcher.all([moved, near, FULL])
    assert 1 == len(matcher.all([FULL, near, moved]))


def test_rivals_are_named_in_the_evidence(matcher: Matcher) -> None:
    """Of two reports of one source that fit equally neither is linked as surely, and the evidence says why."""
    twins = [replace(FULL, id=name, source="france/patrol") for name in ("one", "two")]
    alone, *_ = matcher.all([FULL, twins[0]])
    shared = matcher.all([FULL, *twins])
    assert RIVALS not in {each.comparison for each in alone.evidence}
    assert 2 == len(shared)
    for one in shared:
        assert RIVALS == one.evidence[-1].comparison
        assert one.probability <= 0.5 < alone.probability


@pytest.mark.parametrize(
    ("value", "expected"),
    [(-1, "<25"), (24.999, "<25"), (25, "<60"), (59.999, "<60"), (60, ">=60"), (1e9, ">=60"), (math.inf, ">=60")],
)
def test_an_edge_belongs_to_the_rung_above(value: float, expected: str) -> None:
    """A number at an edge is not below it."""
    assert expected == ladder(value, (25, 60))


@given(st.floats(-100, 100), st.lists(st.integers(-50, 50), min_size=1, max_size=5, unique=True).map(sorted))
def test_a_ladder_gives_a_rung_of_its_own(value: float, edges: list[float]) -> None:
    """Every number stands on one of the rungs that the ladder names, and a larger one on none below."""
    levels = rungs(edges)
    assert ladder(value, edges) in levels
    assert levels.index(ladder(value, edges)) <= levels.index(ladder(value + 1, edges))


@settings(max_examples=100)
@given(
    st.floats(-50, 50),
    st.floats(-50, 50),
    st.floats(0.05, 3),
    st.floats(-5, 5),
)
def test_more_bits_are_never_less_likely(one: float, other: float, slope: float, intercept: float) -> None:
    """Calibration keeps the order of odds, and a probability within 0 and 1."""
    file = MODEL.model_copy(update={"calibration": CalibrationFile(slope=slope, intercept=intercept)})
    less, more = (model_of(file).probability(bits) for bits in sorted((one, other)))
    assert 0 <= less <= more <= 1


def test_odds_are_bound() -> None:
    """However much speaks for a pair, or against it, its bits stay within the bounds of any model."""
    sure = ComparisonFile(name="event", of="events", bits={"same": 90.0, "differs": -90.0})
    model = model_of(MODEL.model_copy(update={"comparison": (sure,)}))
    weighed = [model.sum((level,)) for level in ("same", "differs")]
    assert [MOST_BITS, -MOST_BITS] == [each.bits for each in weighed if each is not None]


@pytest.mark.parametrize(
    ("hours", "within", "level"),
    [
        (0.0, 30.0, "<0.5"),
        (0.49, 30.0, "<0.5"),
        (0.5, 30.0, "<3.5"),
        (3.49, 600.0, "<3.5"),
        (3.5, 600.0, ">=3.5"),
        (0.0, 601.0, None),
        (9.0, 43_200.0, None),
    ],
)
def test_the_time_of_day_counts_where_both_tell_it(hours: float, within: float, level: str | None, ground: Ground) -> None:
    """
    By the hours between, in either order; what one of them knows to the day alone says nothing of it.
    """
    terms = Terms(edges=(0.5, 3.5))
    one, other = replace(FULL, within_s=30.0), replace(FULL, id="other", at=BEGIN + hours * 3600, within_s=within)

    assert level == BY_NAME["clock"](one, other, terms, ground)
    assert level == BY_NAME["clock"](other, one, terms, ground)


def test_of_two_attacks_on_one_day_the_time_tells_which(ours: tuple[Matcher, ...]) -> None:
    """
    A list names two attacks of one day, as far from the other list's; the one at that hour is linked, and none by day alone.
    """
    (incident,) = [one for one in ours if one.model.rule.startswith("incident@")]
    day = BEGIN - BEGIN % 86_400

    def attack(name: str, source: str, hour: float, north: float, *, told: bool) -> Sighted:
        at, within = (day + hour * 3600, 30.0) if told else (day + 43_200, 43_200.0)
        return Sighted(name, "sighting", source, at, within, 12.0 + north, 48.0 + north, event="attack")

    def linked(*, told: bool) -> dict[str, float]:
        lists = [attack("a", "x/imb", 10.0, 0.0, told=True)]
        lists += [attack("b", "y/asam", 10.1, 0.3, told=told), attack("c", "y/asam", 18.0, -0.3, told=told)]
        return {one.b if one.a == "a" else one.a: one.probability for one in incident.all(lists)}

    assert linked(told=True)["b"] > 0.8
    assert linked(told=True).get("c", 0.0) < 0.2
    assert all(abs(one - 0.5) < 0.2 for one in linked(told=False).values())
