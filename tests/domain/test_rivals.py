"""
Rivals: what belief propagation says is what counting every partial matching says.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import combinations, product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from boutre.processors.matching.model import MOST_BITS, probability
from boutre.processors.matching.rivals import Pair, among_rivals

BITS = st.one_of(st.floats(-8, 12), st.sampled_from([-8.0, -1.0, 0.0, 1.0, 12.0]))
NEAR = 0.1
"""By how much a probability may be off where rivals go in a circle."""


def pair(left: int, right: int, bits: float) -> Pair:
    """
    Make a pair of a report of source a and one of source b; their numbers are their own.
    """
    return Pair(left, 100 + right, "a", "b", bits)


def counted(pairs: Sequence[Pair]) -> list[float]:
    """
    Give the chance of each pair by counting every matching in which no report stands twice.
    """
    whole, held = 0.0, [0.0] * len(pairs)
    for number in range(len(pairs) + 1):
        for chosen in combinations(range(len(pairs)), number):
            sides = [side for at in chosen for side in (pairs[at].one, pairs[at].other)]
            if len(set(sides)) < len(sides):
                continue
            weight = math.prod(2.0 ** pairs[at].bits for at in chosen)
            whole += weight
            for at in chosen:
                held[at] += weight
    return [each / whole for each in held]


def chances(pairs: Sequence[Pair]) -> list[float]:
    """
    Give the chance of each pair among its rivals.
    """
    return [probability(bits) for bits in among_rivals(pairs)]


@st.composite
def trees(draw: st.DrawFn) -> list[Pair]:
    """
    Draw a tree of up to eight pairs: each new report is paired with one that is there, so paths and stars are among them.
    """
    lefts, rights = [0], [0]
    pairs = [pair(0, 0, draw(BITS))]
    for _ in range(draw(st.integers(0, 7))):
        if draw(st.booleans()):
            lefts.append(len(lefts))
            pairs.append(pair(lefts[-1], draw(st.sampled_from(rights)), draw(BITS)))
        else:
            rights.append(len(rights))
            pairs.append(pair(draw(st.sampled_from(lefts)), rights[-1], draw(BITS)))
    return pairs


@settings(max_examples=80, deadline=None)
@given(trees())
def test_where_nothing_goes_in_a_circle_it_is_exact(pairs: list[Pair]) -> None:
    """On a tree of rivals each chance is that of counting all matchings."""
    assert pytest.approx(counted(pairs), abs=1e-4) == chances(pairs)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from([(2, 2), (3, 2), (2, 3)]), st.lists(st.floats(-8, 3), min_size=6, max_size=6))
def test_where_rivals_go_in_a_circle_it_is_near(size: tuple[int, int], bits: list[float]) -> None:
    """Among a few reports that all may be one another each chance is within a tenth of that of counting."""
    pairs = [pair(left, right, each) for (left, right), each in zip(product(range(size[0]), range(size[1])), bits, strict=False)]
    assert pytest.approx(counted(pairs), abs=NEAR) == chances(pairs)


@settings(max_examples=60, deadline=None)
@given(BITS, BITS, st.booleans())
def test_a_rival_that_fits_takes_from_a_pair(bits: float, rival: float, on_the_left: bool) -> None:  # noqa: FBT001 - drawn
    """Another report for one side of a pair lowers its odds, by as much as it fits."""
    alone = among_rivals([pair(0, 0, bits)])[0]
    with_rival = among_rivals([pair(0, 0, bits), pair(0, 1, rival) if on_the_left else pair(1, 0, rival)])[0]
    assert pytest.approx(bits) == alone
    assert pytest.approx(bits - math.log2(1 + 2**rival), abs=1e-4) == with_rival


def test_the_better_one_wins() -> None:
    """Of two rivals the one that fits better keeps a link, and the other loses it."""
    better, worse = chances([pair(0, 0, 6), pair(0, 1, 2)])
    assert better > 0.9
    assert worse < 0.1


@settings(max_examples=40, deadline=None)
@given(st.floats(-40, 40))
def test_two_that_fit_equally_share(bits: float) -> None:
    """Two equal doubles of one source have the same chance, and neither has more than half."""
    one, other = chances([pair(0, 0, bits), pair(0, 1, bits)])
    assert pytest.approx(one, abs=1e-9) == other
    assert one <= 0.5 + 1e-9


@settings(max_examples=40, deadline=None)
@given(st.lists(BITS, min_size=3, max_size=3))
def test_reports_of_one_source_are_nobodys_rivals(bits: list[float]) -> None:
    """Pairs within one source keep their odds to the last digit, and take nothing from pairs between sources."""
    inner = [Pair(0, 1, "a", "a", bits[0]), Pair(0, 2, "a", "a", bits[1])]
    assert [*bits[:2], pytest.approx(bits[2])] == among_rivals([*inner, Pair(0, 100, "a", "b", bits[2])])


def test_a_third_source_is_no_rival() -> None:
    """A report may be of one with a report of each other source: what one source tells takes nothing from another."""
    pairs = [Pair(0, 1, "a", "b", 3.0), Pair(0, 2, "a", "c", 3.0), Pair(1, 2, "b", "c", 3.0)]
    assert pytest.approx([3.0, 3.0, 3.0]) == among_rivals(pairs)


@settings(max_examples=40, deadline=None)
@given(trees())
def test_which_of_two_is_named_first_makes_no_difference(pairs: list[Pair]) -> None:
    """A pair named the other way round has the same odds among the same rivals."""
    turned = [Pair(each.other, each.one, each.second, each.first, each.bits) if at % 2 else each for at, each in enumerate(pairs)]
    assert pytest.approx(among_rivals(pairs), abs=1e-6) == among_rivals(turned)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3), st.sampled_from([-400.0, -40.0, 0.0, 39.9, 40.0, 400.0])), max_size=12)
)
def test_extreme_odds_stay_finite(drawn: list[tuple[int, int, float]]) -> None:
    """However sure or unsure pairs are, and however many go in a circle, odds stay numbers within bounds."""
    found = among_rivals([pair(*each) for each in {each[:2]: each for each in drawn}.values()])
    assert all(math.isfinite(bits) and abs(bits) <= MOST_BITS for bits in found)


def test_no_pairs_have_no_odds() -> None:
    """Nothing compared is nothing found."""
    assert [] == among_rivals([])
