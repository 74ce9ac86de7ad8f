"""
Matches reports by a model: candidates, weights, rivals, and what is left as a link with its probability and evidence.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from msgspec import Struct

from boutre.processors.matching.blocks import candidates
from boutre.processors.matching.found import Evidence, Found, found
from boutre.processors.matching.ground import Ground
from boutre.processors.matching.model import Model, Weighed
from boutre.processors.matching.rivals import Pair, among_rivals
from boutre.processors.matching.sighted import Sighted

RIVALS = "rivals"
"""The comparison that says what rivals took from a pair."""

LEAST_RIVAL_BITS = 0.5
"""Rivals that change the odds by less are not worth a word."""


class Compared(Struct, frozen=True):
    """
    Reports in the order of their ids, and each two of them that were compared: their places, and the level of each comparison.

    It holds no weights: what was compared once can be settled by any weights of the same comparisons.
    """

    reports: tuple[Sighted, ...]
    pairs: tuple[tuple[int, int, tuple[str | None, ...]], ...]


@dataclass(frozen=True, slots=True)
class Matcher:
    """
    A model on its ground. What it gives depends on the set of reports alone, not on their order; of two with one id one counts.
    """

    model: Model
    ground: Ground

    def __call__(self, reports: Iterable[Sighted]) -> list[Found]:
        """
        Give the links of *reports*: those whose probability reaches the model's, the likeliest first.
        """
        return [one for one in self.all(reports) if one.probability >= self.model.file.link_at]

    def all(self, reports: Iterable[Sighted]) -> list[Found]:
        """
        Give every pair that was compared and is possible, with its probability, the likeliest first.
        """
        return settled(self.model, self.compare(reports))

    def compare(self, reports: Iterable[Sighted]) -> Compared:
        """
        Compare all candidates; what their levels say is for ``settled``.
        """
        return compared(self.model, self.ground, reports)

    def weigh(self, one: Sighted, other: Sighted) -> Weighed | None:
        """
        Weigh two reports; None where they cannot be of one, or where so little speaks for it that they are no rivals to anybody.
        """
        return _kept(self.model, self.model.levels(one, other, self.ground))


def compared(model: Model, ground: Ground, reports: Iterable[Sighted]) -> Compared:
    """
    Compare all candidates of which *model* speaks. Of reports with one id the first in the order of their values counts.
    """
    by_id: dict[str, Sighted] = {}
    for one in reports:
        if model.speaks_of(one) and (one.id not in by_id or repr(one) < repr(by_id[one.id])):
            by_id[one.id] = one
    chosen = tuple(by_id[name] for name in sorted(by_id))
    apart = not model.file.within_source
    pairs = (
        (one, other, model.levels(chosen[one], chosen[other], ground))
        for one, other in candidates(chosen, model.file.block, ground.identifiers)
        if not (apart and chosen[one].source == chosen[other].source)
    )
    # In the order of the ids, so that sums over rivals come out the same to the last digit.
    return Compared(chosen, tuple(sorted(pairs, key=lambda pair: pair[:2])))


def settled(model: Model, what: Compared) -> list[Found]:
    """
    Give every pair that is possible by the weights of *model*, with its probability among its rivals, the likeliest first.
    """
    reports = what.reports
    weighed = [
        (reports[one], reports[other], Pair(one, other, reports[one].source, reports[other].source, each.bits), each)
        for one, other, levels in what.pairs
        if (each := _kept(model, levels)) is not None
    ]
    pairs = [pair for _, _, pair, _ in weighed]
    odds = among_rivals(pairs) if model.file.rivals else [pair.bits for pair in pairs]
    made = [_found(model, one, other, each, bits) for (one, other, _, each), bits in zip(weighed, odds, strict=True)]
    return sorted(made, key=lambda one: (-one.probability, one.a, one.b))


def _kept(model: Model, levels: Sequence[str | None]) -> Weighed | None:
    what = model.sum(levels)
    return what if what is not None and what.bits >= model.file.least_bits else None


def _found(model: Model, one: Sighted, other: Sighted, what: Weighed, bits: float) -> Found:
    taken = bits - what.bits
    rivals = (Evidence(RIVALS, "others-fit", round(taken, 3)),) if taken <= -LEAST_RIVAL_BITS else ()
    chance = model.probability(bits)
    return found(one.id, other.id, model.file.type, model.rule, chance, (*what.evidence, *rivals))
