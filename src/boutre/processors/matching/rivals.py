"""
What rivals say: a source tells of one event once, as a rule, so the better another report fits, the less likely is this one.

Belief propagation over partial matchings between each two sources (sum-product; exact where no rivals go in a circle, and close
where they do). Nobody is forced to match: that a report speaks of what no other tells is weighed as well. Two reports of one source
that fit equally well share what they fit: each has half a chance, and an analyst sees both.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from boutre.processors.matching.model import MOST_BITS, bits_of

ROUNDS: Final = 40
"""Rounds of messages. They settle in a dozen on the densest days of the incidents, and a bound is a bound."""

SETTLED: Final = 1e-6
"""A message that changes by less has settled."""


class Pair(Struct, frozen=True):
    """
    Two candidates, by number: report *one* of source *first*, and report *other* of source *second*; with the odds in bits.
    """

    one: int
    other: int
    first: str
    second: str
    bits: float


def among_rivals(pairs: Sequence[Pair]) -> list[float]:
    """
    Give, for each pair, the bits of its odds among its rivals. Pairs of one source have none, and keep their odds.
    """
    between: dict[tuple[str, str], list[int]] = defaultdict(list)
    for place, pair in enumerate(pairs):
        between[min(pair.first, pair.second), max(pair.first, pair.second)].append(place)
    done = [pair.bits for pair in pairs]
    for (first, second), places in between.items():
        if first == second:
            continue
        for place, bits in zip(places, _settled([pairs[at] for at in places], first), strict=True):
            done[place] = bits
    return done


def _settled(pairs: Sequence[Pair], first: str) -> list[float]:
    """Pass messages between the reports of two sources until they settle."""
    odds = [2.0 ** max(-MOST_BITS, min(MOST_BITS, pair.bits)) for pair in pairs]
    left = [pair.one if pair.first == first else pair.other for pair in pairs]
    right = [pair.other if pair.first == first else pair.one for pair in pairs]
    from_left, from_right = [1.0] * len(pairs), [1.0] * len(pairs)
    for _ in range(ROUNDS):
        before = from_right
        from_left = _messages(odds, left, from_right)
        from_right = _messages(odds, right, from_left)
        if max(abs(new - old) for new, old in zip(from_right, before, strict=True)) < SETTLED:
            break
    chances = [each * one * other for each, one, other in zip(odds, from_left, from_right, strict=True)]
    return [bits_of(chance / (1 + chance)) for chance in chances]


def _messages(odds: Sequence[float], sides: Sequence[int], heard: Sequence[float]) -> list[float]:
    """Give, for each pair, how free its report on one side is of all other pairs that it stands in."""
    told: dict[int, float] = defaultdict(float)
    for each, side, message in zip(odds, sides, heard, strict=True):
        told[side] += each * message
    return [1 / (1 + max(0.0, told[side] - each * message)) for each, side, message in zip(odds, sides, heard, strict=True)]
