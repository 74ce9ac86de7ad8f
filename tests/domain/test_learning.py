"""
Learning: weights come back from examples that were drawn by them, and probabilities come to mean what they say.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from boutre.processors.matching.found import Found
from boutre.processors.matching.judged import BINS, Bin, off, reliability, score
from boutre.processors.matching.learning import HARDLY, SMALL, Example, Insufficient, fingerprint, learnt
from boutre.processors.matching.model import BlockFile, ComparisonFile, ModelFile, probability
from boutre.processors.matching.tuning import THRESHOLDS, best_threshold, calibrated

MODEL = ModelFile(
    name="test",
    version=1,
    type="same-event",
    kinds=("sighting",),
    events=("other",),
    prior_bits=0.0,
    link_at=0.5,
    block=BlockFile(hours=1, kilometres=1),
    comparison=(
        ComparisonFile(name="place", of="distance", bits={}),
        ComparisonFile(name="what", of="heads", bits={}),
        ComparisonFile(name="name", of="names", bits={"never": 0.0}, learnt="alone"),
        ComparisonFile(name="judged", of="slip", bits={"none": 0.7}, learnt="no"),
    ),
)
PLACE = {True: (("near", 0.6), ("far", 0.1), (None, 0.3)), False: (("near", 0.1), ("far", 0.6), (None, 0.3))}
WHAT = {True: (("same", 0.56), ("differs", 0.24), (None, 0.2)), False: (("same", 0.28), ("differs", 0.52), (None, 0.2))}
SHARE = 0.3
"""Of all examples, that are true."""


def drawn(number: int = 8000) -> list[Example]:
    """
    Draw examples by known odds: those of the place and those of what happened are independent.
    """
    random = np.random.default_rng(7)
    made = []
    for at in range(number):
        true = bool(random.random() < SHARE)
        levels = [str(table[true][random.choice(3, p=[share for _, share in table[true]])][0]) for table in (PLACE, WHAT)]
        said = tuple(None if level == "None" else level for level in levels)
        made.append(Example(at, number + at, (*said, None, None), true))
    return made


def test_weights_come_back_as_they_were_drawn() -> None:
    """The bits of each level and of the prior are those by which the examples were drawn, with their sign."""
    examples = drawn()
    file = learnt(MODEL, [], examples)
    place, what, *_ = (one.bits for one in file.comparison)
    assert pytest.approx({"near": math.log2(6), "far": -math.log2(6)}, abs=0.3) == dict(place)
    assert pytest.approx({"same": 1.0, "differs": math.log2(24 / 52)}, abs=0.3) == dict(what)
    assert pytest.approx(math.log2(SHARE / (1 - SHARE)), abs=0.3) == file.prior_bits


def test_what_stands_by_itself_is_learnt_by_counts() -> None:
    """A level learnt alone is how often it stands among matches and among others; what nobody tells counts for neither."""
    counts = {(True, "equal"): 30, (True, "differs"): 10, (False, "equal"): 10, (False, "differs"): 40, (True, None): 500}
    shown = [Example(0, 1, (None, None, level, "none"), true) for (true, level), number in counts.items() for _ in range(number)]
    file = learnt(MODEL, shown, [Example(0, 1, ("near", None, None, None), true=True)])
    matches, others = 40 + 3 * SMALL, 50 + 3 * SMALL
    expected = {
        "equal": math.log2((30 + SMALL) / matches * others / (10 + SMALL)),
        "differs": math.log2((10 + SMALL) / matches * others / (40 + SMALL)),
        "never": math.log2(others / matches),
    }
    assert pytest.approx(expected, abs=0.006) == dict(file.comparison[2].bits)
    assert {"none": 0.7} == dict(file.comparison[3].bits)


def test_there_is_nothing_to_learn_from_others_alone() -> None:
    """Where no known pair was compared learning stops, and says so."""
    with pytest.raises(Insufficient):
        learnt(MODEL, [], [Example(0, 1, ("near", None, None, None), true=False)])


@given(st.integers(0, 12), st.integers(0, 12))
def test_a_level_that_is_hardly_seen_keeps_what_was_judged(near: int, equal: int) -> None:
    """Never or hardly seen, whether learnt together or alone; else it is learnt, as is one that nobody judged."""
    bits = {"place": {"near": 9.0}, "name": {"equal": -9.0, "never": 3.0}}
    file = MODEL.model_copy(
        update={"comparison": tuple(one.model_copy(update={"bits": bits.get(one.name, one.bits)}) for one in MODEL.comparison)}
    )
    made = [
        *(Example(0, 1, ("near", None, None, None), true=True) for _ in range(near)),
        *(Example(0, 1, (None, None, "equal", None), true=True) for _ in range(equal)),
        *(Example(0, 1, ("far", "same", "differs", None), true=bool(place % 2)) for place in range(20)),
    ]
    place, what, name, judged = (one.bits for one in learnt(file, made, made, HARDLY).comparison)

    assert (near < HARDLY) == (place["near"] == 9.0)
    assert (equal < HARDLY) == (name["equal"] == -9.0)
    assert 3.0 == name["never"]
    assert {"near", "far"} == set(place)
    assert {"same"} == set(what)
    assert {"equal", "differs", "never"} == set(name)
    assert {"none": 0.7} == judged


PAIRS = st.lists(st.tuples(st.text("abc", max_size=2), st.text("abc", max_size=2)), unique=True, max_size=8)


@settings(max_examples=50)
@given(PAIRS, st.randoms(use_true_random=False))
def test_the_digest_of_a_truth_is_that_of_its_pairs(pairs: list[tuple[str, str]], random: Any) -> None:
    """In any order it is the same, and with one pair less or another it is another."""
    shuffled = list(pairs)
    random.shuffle(shuffled)
    assert fingerprint(pairs) == fingerprint(shuffled)
    assert all(fingerprint(pairs) != fingerprint([each for each in pairs if each != one]) for one in pairs if len(pairs) > 1)
    assert fingerprint([*pairs, ("x", "y")]) != fingerprint([*pairs, ("y", "x")])


def told(number: int, chance: float, *, true: bool) -> Found:
    """
    Make a pair with a side in the truth: its other side is the one that is known, or not.
    """
    return Found(f"a{number}", f"b{number}" if true else f"c{number}", "same-event", "test@1", chance)


def truth(pairs: list[Found]) -> list[tuple[str, str]]:
    """
    Give the truth in which every pair has a side.
    """
    return [(one.a, f"b{one.a[1:]}") for one in pairs]


def test_overconfidence_is_taken_back() -> None:
    """Odds that say twice the bits that they should come to say half of it, and are off by less."""
    pairs: list[Found] = []
    for bits in range(-6, 7):
        right = round(200 * probability(bits / 2))
        pairs += [told(len(pairs) + at, probability(bits), true=at < right) for at in range(200)]
    known = truth(pairs)
    calibration = calibrated(pairs, known)
    assert pytest.approx(0.5, abs=0.03) == calibration.slope
    assert pytest.approx(0.0, abs=0.05) == calibration.intercept
    again = [
        told(at, probability(calibration.slope * (at // 200 - 6) + calibration.intercept), true=one.b.startswith("b"))
        for at, one in enumerate(pairs)
    ]
    before, after = (off(reliability(each, known)) for each in (pairs, again))
    assert after < 0.02
    assert before > 0.08


def test_the_threshold_is_where_f1_is_best() -> None:
    """It stands between the least likely of the true pairs and the likeliest of the false ones."""
    right = [told(at, chance, true=True) for at, chance in enumerate((0.9, 0.8, 0.63))]
    wrong = [told(3 + at, chance, true=False) for at, chance in enumerate((0.57, 0.3, 0.12))]
    known = [(one.a, one.b) for one in right] + [("a3", "unseen")]
    threshold, f1 = best_threshold({"shown": [*right, *wrong[:1]], "hidden": [*right, *wrong]}, known)
    assert 0.57 < threshold <= 0.63
    assert pytest.approx(6 / 7) == f1


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.one_of(st.floats(0, 1), st.sampled_from(THRESHOLDS)), st.booleans()), min_size=1, max_size=12))
def test_no_threshold_is_better(chances: list[tuple[float, bool]]) -> None:
    """Whatever the pairs, none of the thresholds that are tried gives a larger F1."""
    pairs = [told(at, chance, true=true) for at, (chance, true) in enumerate(chances)]
    _, f1 = best_threshold({"all": pairs}, truth(pairs))
    every = [score([one for one in pairs if one.probability >= each], truth(pairs)).f1 for each in THRESHOLDS]
    assert max(every) == f1


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.one_of(st.floats(0, 1), st.sampled_from(BINS)), st.booleans()), max_size=15))
def test_every_pair_stands_in_one_bin(chances: list[tuple[float, bool]]) -> None:
    """The bins hold all pairs that are judged, those at their edges and at 0 and 1 among them, once."""
    pairs = [told(at, chance, true=true) for at, (chance, true) in enumerate(chances)]
    unjudged = Found("nobody", "knows", "same-event", "test@1", 0.5)
    bins = reliability([*pairs, unjudged], truth(pairs))
    assert len(pairs) == sum(one.pairs for one in bins)
    assert sum(true for _, true in chances) == sum(one.true for one in bins)
    assert all(one.least - 1e-9 <= one.mean <= one.most + 1e-9 for one in bins)
    assert 0 <= off(bins) <= 1


def test_what_comes_true_as_often_as_it_says_is_off_by_nothing() -> None:
    """A quarter of those at a quarter, and half of those at a half: nothing is off. Half of those at a quarter: a quarter is."""
    fair = [Bin(0.2, 0.3, 8, 0.25, 2), Bin(0.5, 0.6, 4, 0.5, 2)]
    assert 0 == off(fair)
    assert 0.25 == off([Bin(0.2, 0.3, 8, 0.25, 4)])
    assert 0 == off([])
