"""
Learns the weights of a model from pairs of which the truth is known. Done offline; the bus reads what came of it.

Comparisons whose evidence overlaps (distance, day, a slipped coordinate) are learnt together, by logistic regression with a ridge;
what stands by itself (a name) is learnt as Fellegi and Sunter did, by how often a level stands among matches and among others. The
prior among rivals, the calibration and where a link begins come from reports that the weights had not seen: folds of whole
stretches of time.
"""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from boutre.errors import BusError
from boutre.processors.matching.judged import Known
from boutre.processors.matching.matcher import Compared
from boutre.processors.matching.model import ComparisonFile, ModelFile

Array: TypeAlias = npt.NDArray[np.float64]

RIDGE: Final = 3.0
"""The strength of the ridge: the weight of a level that no pair shows stays at nothing."""

ROUNDS: Final = 60
SETTLED: Final = 1e-8
HARDLY: Final = 10
"""Of a level that fewer examples show nothing is learnt where a judgement of it stands: chance would speak louder."""

SMALL: Final = 0.5
"""Added to each count, so that what was never seen is unlikely, and not impossible."""


class Insufficient(BusError):  # noqa: N818 - it says what is the matter
    """
    There is nothing to learn from.
    """


class Example(Struct, frozen=True):
    """
    Two reports that were compared: the places of both, their levels, and whether they are of one.
    """

    one: int
    other: int
    levels: tuple[str | None, ...]
    true: bool


def examples(what: Compared, known: Known) -> list[Example]:
    """
    Give the pairs to learn from: candidates with a side in the truth, since of others nobody knows.
    """
    truth, sides = set(known), {side for pair in known for side in pair}
    made = []
    for one, other, levels in what.pairs:
        first, second = what.reports[one], what.reports[other]
        if first.id in sides or second.id in sides:
            made.append(Example(one, other, levels, (first.id, second.id) in truth))
    return made


def learnt(file: ModelFile, shown: Sequence[Example], hidden: Sequence[Example], least: int = 0) -> ModelFile:
    """
    Give the model with weights learnt from examples: those learnt alone from the *shown*, those learnt together from the *hidden*.

    Both are the same where nothing is hidden. The prior is what the regression found; it is set among rivals by ``tuned``.
    A level that fewer than *least* examples show keeps the bits that *file* gives it, if it gives any.
    """
    together = [(place, one) for place, one in enumerate(file.comparison) if one.learnt == "together"]
    columns = sorted({(place, level) for place, _ in together for example in hidden if (level := example.levels[place])})
    judged = [_hardly(one, place, shown if one.learnt == "alone" else hidden, least) for place, one in enumerate(file.comparison)]
    columns = [(place, level) for place, level in columns if level not in judged[place]]
    table = np.array([[float(example.levels[place] == level) for place, level in columns] for example in hidden])
    truth = np.array([float(example.true) for example in hidden])
    if not truth.any():
        raise Insufficient("no pair that is known to be of one was compared: there is nothing to learn from")
    weights = _logistic(table, truth)
    bits: dict[int, dict[str, float]] = {}
    for (place, level), weight in zip(columns, weights[:-1], strict=True):
        bits.setdefault(place, {})[level] = round(float(weight) / math.log(2), 2)
    for place, one in enumerate(file.comparison):
        if one.learnt == "alone":
            bits[place] = _alone(one, [(example.levels[place], example.true) for example in shown])
    comparison = tuple(
        one if one.learnt == "no" else one.model_copy(update={"bits": {**bits.get(place, {}), **judged[place]}})
        for place, one in enumerate(file.comparison)
    )
    prior = round(float(weights[-1]) / math.log(2), 2)
    return file.model_copy(update={"comparison": comparison, "prior_bits": prior})


def _hardly(one: ComparisonFile, place: int, seen: Sequence[Example], least: int) -> Mapping[str, float]:
    """Give the levels of which too few examples speak, with the bits that they have."""
    counts = Counter(example.levels[place] for example in seen) if least else Counter[str | None]()
    return {level: bits for level, bits in one.bits.items() if counts[level] < least}


def _alone(one: ComparisonFile, seen: Sequence[tuple[str | None, bool]]) -> dict[str, float]:
    matches = Counter(level for level, true in seen if true and level is not None)
    others = Counter(level for level, true in seen if not true and level is not None)
    levels = sorted(set(matches) | set(others) | set(one.bits))
    if not levels:
        return {}
    shares: list[Mapping[str, float]] = []
    for counts in (matches, others):
        whole = sum(counts.values()) + SMALL * len(levels)
        shares.append({level: (counts[level] + SMALL) / whole for level in levels})
    return {level: round(math.log2(shares[0][level] / shares[1][level]), 2) for level in levels}


def _logistic(table: Array, truth: Array, ridge: float = RIDGE) -> Array:
    """
    Fit a logistic regression with a ridge on all but the intercept, by Newton's method; give the weights, the intercept last.
    """
    rows = np.column_stack([table, np.ones(len(table))])
    penalty = np.full(rows.shape[1], ridge)
    penalty[-1] = 1e-6
    weights = np.zeros(rows.shape[1])
    for _ in range(ROUNDS):
        chance = 1 / (1 + np.exp(-np.clip(rows @ weights, -30, 30)))
        slope = rows.T @ (truth - chance) - penalty * weights
        bend = (rows * (chance * (1 - chance))[:, None]).T @ rows + np.diag(penalty)
        step = np.linalg.solve(bend, slope)
        weights += step
        if float(np.abs(step).max()) < SETTLED:
            break
    return weights


def fingerprint(known: Known) -> str:
    """
    Give the digest of a truth, by which a model says from what it was learnt.
    """
    text = "\n".join(f"{one}\t{other}" for one, other in sorted(known))
    return hashlib.sha256(text.encode()).hexdigest()[:16]
