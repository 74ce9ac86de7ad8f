"""
Draws that several rooms of the simulator need. Each takes the chance of its night, so that a seed decides all.
"""

from __future__ import annotations

import math
from random import Random


def chance(rng: Random, probability: float) -> bool:
    """
    Draw whether something happens that has this probability.
    """
    return rng.random() < probability


def poisson(rng: Random, mean: float) -> int:
    """
    Draw how many of something there are (Knuth's way, for small means).
    """
    count, left, least = 0, rng.random(), math.exp(-mean)
    while left > least:
        count += 1
        left *= rng.random()
    return count


def later(rng: Random, median_s: float, sigma: float) -> float:
    """
    Draw a delay in seconds, most of them near the median and some many times as long (log-normal).
    """
    return median_s * math.exp(rng.gauss(0, sigma))
