"""
Sets what only reports that a model has not seen can tell: the prior among rivals, the calibration, and where a link begins.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final, TypeAlias

import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from boutre.processors.matching.found import Found
from boutre.processors.matching.judged import Known, judged, score
from boutre.processors.matching.learning import HARDLY, Example, examples, fingerprint, learnt
from boutre.processors.matching.matcher import Compared, settled
from boutre.processors.matching.model import CalibrationFile, ModelFile, bits_of, model_of, probability
from boutre.processors.matching.sighted import Sighted

SHOWN: Final = "names_shown"
HIDDEN: Final = "names_hidden"
"""The same reports as they are, and as if nobody had told a name or a number by which a ship can be known."""

FOLDS: Final = 5

PRIORS: Final = (0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0)
"""Bits that are tried on top of the regression's own prior, which knows no rivals."""

STEPS: Final = len(PRIORS) + 2
"""Steps of learning a model whole, for those who watch."""

SETTLED: Final = 1e-8
"""A step of Newton's method that is shorter has arrived."""

THRESHOLDS: Final = tuple(place / 50 for place in range(5, 45))


class Stretch(Struct, frozen=True):
    """
    A stretch of time, in seconds since 1970 UTC, from and before.
    """

    begin: float
    end: float

    def holds(self, one: Sighted, other: Sighted) -> bool:
        """Say whether a pair belongs to this stretch: it does to that of its earlier report, since partners lie beyond the edge."""
        return self.begin <= min(one.at or 0.0, other.at or 0.0) < self.end


class Fold(Struct, frozen=True):
    """
    A stretch of time, and the weights that were learnt on all others.
    """

    stretch: Stretch
    file: ModelFile


def stretches(reports: Iterable[Sighted], known: Known, number: int = FOLDS) -> list[Stretch]:
    """
    Cut time into stretches that hold about as many known reports each. Together they hold all of time.
    """
    sides = {side for pair in known for side in pair}
    times = sorted(one.at for one in reports if one.id in sides and one.at is not None)
    cuts = sorted({times[len(times) * place // number] for place in range(1, number)}) if times else []
    return [Stretch(begin, end) for begin, end in zip((-math.inf, *cuts), (*cuts, math.inf), strict=True)]


def folds(file: ModelFile, modes: Mapping[str, Compared], known: Known, number: int = FOLDS) -> list[Fold]:
    """
    Learn for each stretch of time on all others.

    *modes* are the same reports with more and less of them shown: `SHOWN` and `HIDDEN`. Raises Insufficient where a stretch leaves
    no known pair to learn from.
    """
    seen = {mode: examples(what, known) for mode, what in modes.items()}
    made = []
    for stretch in stretches(modes[SHOWN].reports, known, number):
        rest = {
            mode: [each for each in seen[mode] if not stretch.holds(what.reports[each.one], what.reports[each.other])]
            for mode, what in modes.items()
        }
        made.append(Fold(stretch, learnt(file, rest[SHOWN], rest[HIDDEN])))
    return made


def held_out(file: ModelFile, made: Sequence[Fold], modes: Mapping[str, Compared]) -> dict[str, list[Found]]:
    """
    Match each stretch of time by what was learnt on all others; give the pairs of each mode, the likeliest first.

    The prior among rivals, the calibration and the threshold are those of *file*.
    """
    given: dict[str, list[Found]] = {mode: [] for mode in modes}
    for fold in made:
        model = model_of(_set(fold.file, file))
        for mode, what in modes.items():
            by_id = {one.id: one for one in what.reports}
            given[mode] += [pair for pair in settled(model, what) if fold.stretch.holds(by_id[pair.a], by_id[pair.b])]
    return {mode: sorted(pairs, key=lambda one: (-one.probability, one.a, one.b)) for mode, pairs in given.items()}


def _set(weights: ModelFile, file: ModelFile) -> ModelFile:
    """Give *weights* with what *file* has set among rivals: what of the prior is for them, and the calibration."""
    prior = round(weights.prior_bits + file.rivals_bits, 2)
    kept = {"rivals_bits": file.rivals_bits, "calibration": file.calibration, "link_at": file.link_at}
    return weights.model_copy(update={**kept, "prior_bits": prior})


def calibrated(pairs: Iterable[Found], known: Known) -> CalibrationFile:
    """
    Give the slope and intercept by which the odds of *pairs*, uncalibrated, come to mean what they say (Platt, 1999).
    """
    truth = set(known)
    kept = judged(pairs, known)
    bits = np.array([bits_of(one.probability) for one in kept]) * math.log(2)
    true = np.array([float((one.a, one.b) in truth) for one in kept])
    slope, intercept = 1.0, 0.0
    for _ in range(100):
        chance = 1 / (1 + np.exp(-np.clip(slope * bits + intercept, -30, 30)))
        weight = chance * (1 - chance)
        gradient = np.array([(bits * (true - chance)).sum(), (true - chance).sum()])
        bend = np.array([[(weight * bits * bits).sum(), (weight * bits).sum()], [(weight * bits).sum(), weight.sum()]])
        step = np.linalg.solve(bend + np.eye(2) * 1e-6, gradient)
        slope, intercept = slope + float(step[0]), intercept + float(step[1])
        if float(np.abs(step).max()) < SETTLED:
            break
    return CalibrationFile(slope=round(max(0.05, slope), 3), intercept=round(intercept / math.log(2), 3))


def best_threshold(given: Mapping[str, Sequence[Found]], known: Known) -> tuple[float, float]:
    """
    Give the probability from which a link is made so that the mean of F1 over all modes is largest, and that mean.
    """
    best = (0.0, 0.5)
    for threshold in THRESHOLDS:
        scores = [score([one for one in pairs if one.probability >= threshold], known).f1 for pairs in given.values()]
        best = max(best, (sum(scores) / len(scores), threshold))
    return best[1], best[0]


class Rest(Struct, frozen=True):
    """
    The pairs of one stretch of time by mode, and the probability from which a link is made; all that was set was set on the others.
    """

    pairs: Mapping[str, Sequence[Found]]
    link_at: float


def of_the_others(file: ModelFile, made: Sequence[Fold], modes: Mapping[str, Compared], known: Known) -> list[Rest]:
    """
    Match each stretch of time by weights, prior among rivals, calibration and threshold of the others alone.

    Limit: the pairs on which those three are set were themselves matched by weights that knew this stretch.
    """
    plain = file.model_copy(update={"calibration": CalibrationFile()})
    tried = {prior: held_out(plain.model_copy(update={"rivals_bits": prior}), made, modes) for prior in PRIORS}
    by_id = {one.id: one for one in modes[SHOWN].reports}
    given = []
    for fold in made:
        inside = {pair: fold.stretch.holds(by_id[pair[0]], by_id[pair[1]]) for pair in known if set(pair) <= by_id.keys()}
        others = {pair for pair, within in inside.items() if not within}
        parts = {prior: _parted(fold.stretch, pairs, by_id) for prior, pairs in tried.items()}
        prior = max(PRIORS, key=lambda each, of=parts, rest=others: (best_threshold(of[each][1], rest)[1], -each))  # type: ignore[misc]  # mypy knows no defaults of lambdas
        mine, rest = parts[prior]
        calibration = calibrated([pair for pairs in rest.values() for pair in pairs], others)
        threshold, _ = best_threshold(_meaning(rest, calibration), others)
        given.append(Rest(_meaning(mine, calibration), threshold))
    return given


ByMode = dict[str, list[Found]]


def _parted(stretch: Stretch, pairs: Mapping[str, Sequence[Found]], by_id: Mapping[str, Sighted]) -> tuple[ByMode, ByMode]:
    """Part pairs into those of a stretch and those of all others."""
    mine: ByMode = {mode: [] for mode in pairs}
    rest: ByMode = {mode: [] for mode in pairs}
    for mode, each in pairs.items():
        for one in each:
            (mine if stretch.holds(by_id[one.a], by_id[one.b]) else rest)[mode].append(one)
    return mine, rest


def _meaning(pairs: Mapping[str, Sequence[Found]], calibration: CalibrationFile) -> ByMode:
    """Give uncalibrated pairs the probability that their odds mean."""
    return {
        mode: [
            replace(one, probability=probability(calibration.slope * bits_of(one.probability) + calibration.intercept))
            for one in each
        ]
        for mode, each in pairs.items()
    }


def tuned(
    file: ModelFile, modes: Mapping[str, Compared], known: Known, number: int = FOLDS, step: Callable[[], None] = lambda: None
) -> ModelFile:
    """
    Learn a model whole: its weights from all; from held-out stretches its prior among rivals, its calibration and its threshold.

    *step* is called `STEPS` times, as work goes on.

    Raises:
        Insufficient: no known pair was compared.
    """
    made = folds(file, modes, known, number)
    step()
    plain = file.model_copy(update={"calibration": CalibrationFile()})
    tried = []
    for prior in PRIORS:
        one = plain.model_copy(update={"rivals_bits": prior})
        given = held_out(one, made, modes)
        tried.append((best_threshold(given, known)[1], -prior, one, given))
        step()
    _, _, chosen, given = max(tried, key=lambda each: each[:2])
    calibration = calibrated([pair for pairs in given.values() for pair in pairs], known)
    again = chosen.model_copy(update={"calibration": calibration})
    threshold, _ = best_threshold(held_out(again, made, modes), known)
    step()
    seen = {mode: examples(what, known) for mode, what in modes.items()}
    whole = _set(learnt(again, seen[SHOWN], seen[HIDDEN]), again)
    return whole.model_copy(update={"link_at": threshold, "learnt_on": fingerprint(known)})


Stock: TypeAlias = tuple[Compared, Known]
"""Reports of one time and place that were compared, and the pairs of them that are known to be of one."""


def tuned_on_others(
    file: ModelFile, seen: Iterable[Stock], others: Iterable[Stock], step: Callable[[], None] = lambda: None
) -> ModelFile:
    """
    Learn a model without rivals from stocks of which there are enough: weights from those *seen*, the calibration from *others*.

    A level that hardly any pair shows keeps what *file* says of it. So does the probability from which a link is made: how many
    wrong ones a centre bears for one more that is right is for people to say. *step* is called once for each stock.

    Raises:
        Insufficient: no known pair was compared.
    """
    pool: list[Example] = []
    truth: set[tuple[str, str]] = set()
    for what, known in seen:
        pool += examples(what, known)
        truth |= set(known)
        step()
    plain = learnt(file, pool, pool, HARDLY).model_copy(update={"calibration": CalibrationFile(), "rivals_bits": 0.0})
    model = model_of(plain)
    pairs: list[Found] = []
    unseen: set[tuple[str, str]] = set()
    for what, known in others:
        pairs += settled(model, what)
        unseen |= set(known)
        step()
    return plain.model_copy(update={"calibration": calibrated(pairs, unseen), "learnt_on": fingerprint(truth | unseen)})
