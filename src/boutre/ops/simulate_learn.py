"""
Learns the weights by which craft without a name are matched, from nights of which the truth is known because they never were.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Final

from boutre.connectors.simulation.nights import World, nights
from boutre.errors import BusError
from boutre.ops import evaluate_model
from boutre.ops.evaluate_model import Learnt
from boutre.processors.matching.judged import score
from boutre.processors.matching.matcher import Matcher, compared
from boutre.processors.matching.model import model_of
from boutre.processors.matching.sighted import Sighted, sighted
from boutre.processors.matching.tuning import Stock, tuned_on_others

LEAST_WORLDS: Final = 2
"""One to learn the weights from, and one to calibrate on."""


@dataclass(frozen=True, slots=True)
class Lesson:
    """
    From which seeds is learnt, *first* and *last* among them, and how many *nights* of each.
    """

    first: int
    last: int
    nights: int

    @property
    def seeds(self) -> range:
        """All seeds."""
        return range(self.first, self.last + 1)

    @property
    def weights(self) -> range:
        """Those that the weights come from."""
        return self.seeds[: len(self.seeds) - max(1, len(self.seeds) // 4)]

    @property
    def rest(self) -> range:
        """Those that the calibration comes from, since weights must not have seen them: the last quarter."""
        return self.seeds[len(self.weights) :]

    def check(self, shown: int) -> None:
        """Raise BusError where there are too few, or where the nights to be shown would be learnt from."""
        if len(self.seeds) < LEAST_WORLDS:
            raise BusError(f"weights are learnt from {LEAST_WORLDS} seeds or more, the first of them named first")
        if shown in self.seeds:
            raise BusError(f"seed {shown} is shown, and must not be learnt from: give another --seed, or other seeds to learn from")


def learn(matcher: Matcher, lesson: Lesson, step: Callable[[], None] = lambda: None) -> Matcher:
    """
    Give *matcher* with weights and calibration learnt anew. The same seeds give the same weights.

    Raises:
        BusError: there are too few seeds, or no two reports of one boat were ever compared.
    """

    def stocks(seeds: range) -> Iterator[Stock]:
        return (stock(matcher, nights(seed, lesson.nights)) for seed in seeds)

    made = tuned_on_others(matcher.model.file, stocks(lesson.weights), stocks(lesson.rest), step)
    return Matcher(model_of(made), matcher.ground)


def stock(matcher: Matcher, world: World) -> Stock:
    """
    Compare the reports of a world, each under a name that no other world has; with the pairs that are of one boat.
    """
    return compared(matcher.model, matcher.ground, _reports(world)), _known(world)


def _reports(world: World) -> list[Sighted]:
    return [sighted(one.kind, one.value, f"{world.seed}:{one.id}") for one in world.reports]


def _known(world: World) -> frozenset[tuple[str, str]]:
    by_boat: dict[str, list[str]] = {}
    for one in world.reports:
        if one.boat is not None:
            by_boat.setdefault(one.boat, []).append(f"{world.seed}:{one.id}")
    return frozenset((min(pair), max(pair)) for names in by_boat.values() for pair in combinations(names, 2))


def write(path: Path, matcher: Matcher, lesson: Lesson, shown: World) -> None:
    """
    Write what was learnt, with how it does on the nights that are *shown*, which it has not seen.
    """
    weights, rest = lesson.weights, lesson.rest
    from_what = (
        f"simulated nights ({lesson.nights} of each seed): weights from seeds {weights[0]} to {weights[-1]}, "
        f"calibration from {rest[0]} to {rest[-1]}"
    )
    by = f"boutre simulate --nights {lesson.nights} --learn FILE --learn-from {lesson.first} {lesson.last}"
    figures = {"links": score(matcher(_reports(shown)), _known(shown))}
    unseen = f"On seed {shown.seed}, {shown.nights} nights, that it had not seen"
    evaluate_model.write(path, matcher.model.file, Learnt(from_what, by, unseen, figures))
