"""
The sentence of a link: built from its evidence, true of levels that it has no words for, and whole in both languages.
"""

from __future__ import annotations

import math
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from boutre.language import LANGUAGES, catalogue
from boutre.processors.links.explain import CHANCES, chance, explain, judged_by, number, told
from boutre.processors.links.link import made, resolve, withdrawn
from boutre.processors.matching.found import SAME_CRAFT, SAME_EVENT, SAME_PERSON, Evidence, found
from linked import judgement, link

NAMES = st.sampled_from(["distance", "colour", "mmsi", "never-heard-of"])
LEVELS = st.sampled_from(["same", "different", "at-most-4", "nobody-knows"])
BITS = st.sampled_from([0.0, 0.049, 0.05, math.log2(3), math.log2(10), 40.0]).flatmap(lambda bits: st.sampled_from([bits, -bits]))
EVIDENCE = st.builds(Evidence, NAMES, LEVELS, BITS | st.floats(-50, 50))


def because(*evidence: Evidence, probability: float = 0.87) -> dict[str, str]:
    """The sentence of a link with this evidence."""
    return explain(made("reunion", found("a", "b", SAME_CRAFT, "kwassa@1", probability, evidence)))


def test_a_sentence_is_built_from_its_evidence() -> None:
    """Three that speak most for it and the one that speaks most against it, with weights; a level without words is still said."""
    said = because(
        Evidence("distance", "within-2", 4.0),
        Evidence("colour", "same", 2.0),
        Evidence("persons", "near", 1.0),
        Evidence("length", "near", 0.5),
        Evidence("engines", "other", -1.0),
        Evidence("doing", "other", -0.5),
    )

    assert said["en"] == (
        "Same craft: very likely (0.87). For it: the distance between them (strongly), the same colour (clearly), "
        "the number of persons (slightly). Against it: the engines (slightly)."
    )
    assert said["fr"] == (
        "Même embarcation\u00a0: probable (0,87). Pour\u00a0: la distance qui les sépare (fortement), la même couleur (nettement), "
        "le nombre de personnes (légèrement). Contre\u00a0: la motorisation (légèrement)."
    )


@given(st.lists(EVIDENCE, max_size=6), st.floats(0, 1), st.randoms(use_true_random=False))
def test_every_sentence_is_whole_and_of_the_evidence_alone(evidence: list[Evidence], probability: float, random: Any) -> None:
    """No hole, in any order the same, and nothing is said for or against it that does not speak so."""
    said = because(*evidence, probability=probability)

    assert said == because(*random.sample(evidence, len(evidence)), probability=probability)
    assert ("For it" in said["en"]) == any(one.bits >= 0.05 for one in evidence)
    assert ("Against it" in said["en"]) == any(one.bits <= -0.05 for one in evidence)
    assert ("Pour" in said["fr"], "Contre" in said["fr"]) == ("For it" in said["en"], "Against it" in said["en"])
    assert not any(re.search(r"[{}\[\]…]|  ", text) or not text.endswith(".") for text in said.values())


@pytest.mark.parametrize(
    ("bits", "weight"),
    [
        (3.33, "strongly"),
        (3.32, "clearly"),
        (1.59, "clearly"),
        (1.58, "slightly"),
        (0.05, "slightly"),
        (0.049, "says nothing either way"),
    ],
)
def test_a_weight_is_said_by_how_it_changes_the_odds(bits: float, weight: str) -> None:
    """Ten times, three times, less; whether for or against."""
    for sign in (1, -1):
        assert told(Evidence("time", "x", sign * bits))["en"] == f"the time between them ({weight})"


def test_an_unknown_comparison_is_named() -> None:
    """One that a deployment adds and gives no words to is said by its own name."""
    assert told(Evidence("sail", "patched", 5.0)) == {
        "en": "another comparison (sail) (strongly)",
        "fr": "une autre comparaison (sail) (fortement)",
    }


@pytest.mark.parametrize(
    ("probability", "english", "french"),
    [
        (0.0, "almost no chance", "presque aucune chance"),
        (0.05, "almost no chance", "presque aucune chance"),
        (0.051, "very unlikely", "presque aucune chance"),
        (0.2, "very unlikely", "probablement pas"),
        (0.3, "unlikely", "probablement pas"),
        (0.5, "roughly even chance", "chances à peu près égales"),
        (0.58, "likely", "chances à peu près égales"),
        (0.75, "likely", "probable"),
        (0.87, "very likely", "probable"),
        (0.93, "very likely", "quasi certain"),
        (0.951, "almost certain", "quasi certain"),
        (1.0, "almost certain", "quasi certain"),
    ],
)
def test_each_language_has_its_own_scale(probability: float, english: str, french: str) -> None:
    """Seven steps and five, which do not line up; at a boundary the lower step holds."""
    assert (chance(probability, "en"), chance(probability, "fr")) == (english, french)


def test_every_step_of_a_scale_has_its_words() -> None:
    """Each step in its own language, and not one more."""
    steps = {f"link.chance.{language}-{step}" for language in LANGUAGES for step in range(1, len(CHANCES[language]) + 2)}

    assert steps == {key for key in catalogue() if key.startswith("link.chance.")}


@pytest.mark.parametrize(
    ("probability", "english", "french"),
    [
        (1.0, "> 0.99", "> 0,99"),
        (0.991, "> 0.99", "> 0,99"),
        (0.99, "0.99", "0,99"),
        (0.01, "0.01", "0,01"),
        (0.0, "< 0.01", "< 0,01"),
    ],
)
def test_no_number_says_that_a_rule_is_certain(probability: float, english: str, french: str) -> None:
    """A rule's link is never shown with 0 or 1."""
    assert (number(probability, "en"), number(probability, "fr")) == (english, french)


@pytest.mark.parametrize("type_", [SAME_CRAFT, SAME_EVENT, SAME_PERSON])
def test_a_persons_word_is_said_as_a_persons(type_: str) -> None:
    """A link made by a person says who by function, and no probability; and what was said has its own sentence."""
    said = judgement("a", "b", "same", types=(type_,))
    [own] = resolve("reunion", [], [said])

    assert explain(own)["en"].endswith(": so a person says (watch officer).")
    assert explain(own)["fr"].endswith("\u00a0: une personne l'affirme (watch officer).")
    assert judged_by(said)["en"] == "A person's judgement: the same (watch officer)."


def test_what_became_of_a_link_is_said() -> None:
    """Unsure and withdrawn links say so after their evidence, in both languages; those that stand say nothing more."""
    machine = link("a", "b")
    [unsure] = resolve("reunion", [machine], [judgement("a", "b", "unsure")])
    [not_same] = resolve("reunion", [machine], [judgement("a", "b", "not-same")])
    ways = [unsure, not_same, withdrawn(machine, "recalled"), withdrawn(machine, "no-longer-found")]

    for language in LANGUAGES:
        said = [explain(one)[language] for one in ways]
        assert all(one.startswith(explain(machine)[language] + " ") for one in said)
        assert len(set(said)) == len(ways)


def test_a_persons_link_that_holds_no_more_does_not_say_that_a_person_says_so() -> None:
    """A word that was taken back is told as taken back."""
    [same] = resolve("reunion", [], [judgement("a", "b", "same", types=(SAME_CRAFT,))])
    words = [judgement("a", "b", "same", 1, types=(SAME_CRAFT,)), judgement("a", "b", "not-same", 2, types=(SAME_CRAFT,))]
    [changed] = resolve("reunion", [], words)
    [gone] = resolve("reunion", [], words[:1], ["a"])

    for language in LANGUAGES:
        assert len({explain(one)[language] for one in (same, changed, gone)}) == 3
    assert "so a person says" not in explain(changed)["en"] + explain(gone)["en"]
