"""
How good links are, where the truth is known: precision, recall, F1, and whether the probabilities mean what they say.

Only links with a side in the truth are judged: of the others nobody knows.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from itertools import pairwise
from typing import Final

from msgspec import Struct

from boutre.processors.matching.found import Found

Known = Collection[tuple[str, str]]
"""The pairs that are known to be of one, each with the lesser id first."""

BINS: Final = (0.0, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1.0)
"""Edges of the bins in which probabilities are held against what came true."""


class Score(Struct, frozen=True):
    """
    What became of the links: *right* of *made*, and of *known* pairs.
    """

    right: int
    made: int
    known: int

    @property
    def precision(self) -> float:
        """The share of links that are right; 0 where none was made."""
        return self.right / self.made if self.made else 0.0

    @property
    def recall(self) -> float:
        """The share of known pairs that were linked."""
        return self.right / self.known if self.known else 0.0

    @property
    def f1(self) -> float:
        """The harmonic mean of both."""
        return 2 * self.right / (self.made + self.known) if self.made + self.known else 0.0

    def rounded(self) -> dict[str, float]:
        """Give the three to the fourth digit."""
        return {"precision": round(self.precision, 4), "recall": round(self.recall, 4), "f1": round(self.f1, 4)}


class Bin(Struct, frozen=True):
    """
    The pairs whose probability lies from *least* to *most*: how many, the mean of their probabilities, and how many are true.
    """

    least: float
    most: float
    pairs: int
    mean: float
    true: int


def judged(links: Iterable[Found], known: Known) -> list[Found]:
    """
    Give the links with a side in the truth.
    """
    sides = {side for pair in known for side in pair}
    return [link for link in links if link.a in sides or link.b in sides]


def score(links: Iterable[Found], known: Known) -> Score:
    """
    Hold links against the truth.
    """
    made = {(link.a, link.b) for link in judged(links, known)}
    return Score(len(made.intersection(known)), len(made), len(set(known)))


def reliability(pairs: Sequence[Found], known: Known, bins: Sequence[float] = BINS) -> list[Bin]:
    """
    Give, for each bin of probabilities that any pair has, how often it came true.
    """
    truth = set(known)
    table = []
    for least, most in pairwise(bins):
        held = [one for one in judged(pairs, known) if least <= one.probability < most or (most == bins[-1] == one.probability)]
        if held:
            mean = sum(one.probability for one in held) / len(held)
            table.append(Bin(least, most, len(held), mean, sum((one.a, one.b) in truth for one in held)))
    return table


def off(bins: Sequence[Bin]) -> float:
    """
    Give by how much probabilities are off on the average (expected calibration error), from 0 to 1.
    """
    pairs = sum(one.pairs for one in bins)
    return sum(abs(one.true - one.mean * one.pairs) for one in bins) / pairs if pairs else 0.0
