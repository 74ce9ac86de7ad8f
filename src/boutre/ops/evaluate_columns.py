"""
The columns of an evaluation: the bus's own matching, and beside it what others make of the same reports.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from boutre.errors import BusError
from boutre.ops import evaluate_splink
from boutre.processors.matching.distances import apart_km, days_apart
from boutre.processors.matching.found import SAME_EVENT, Found, found
from boutre.processors.matching.judged import Bin, Known, Score, off, reliability, score
from boutre.processors.matching.matcher import Compared, settled
from boutre.processors.matching.model import Model, model_of
from boutre.processors.matching.names import ShipNames
from boutre.processors.matching.sighted import Sighted
from boutre.processors.matching.tuning import THRESHOLDS, folds, of_the_others, stretches

NEAR_KM: Final = 100.0
NEAR_DAYS: Final = 1
"""What the simplest rule calls one incident: reports at most so far and so many days of the calendar apart, the nearest first."""

SPLINK_THRESHOLDS: Final = (0.002, 0.005, 0.01, *THRESHOLDS, 0.9, 0.95, 0.98, 0.99, 0.999)

Reports = Mapping[str, Sequence[Sighted]]
"""The reports by mode: with names shown, and hidden."""


@dataclass(frozen=True, slots=True)
class Column:
    """
    What one way of linking came to, by mode. *bins* are there where it gives probabilities; *note* says what one has to know.
    """

    name: str
    note: str
    scores: Mapping[str, Score]
    bins: Mapping[str, Sequence[Bin]]

    def plain(self) -> dict[str, object]:
        """Give what JSON holds of it."""
        modes = {
            mode: {
                **one.rounded(),
                "right": one.right,
                "made": one.made,
                "known": one.known,
                **({"probabilities_off_by": round(off(self.bins[mode]), 4)} if mode in self.bins else {}),
            }
            for mode, one in self.scores.items()
        }
        return {"name": self.name, "note": self.note, **modes}


def unseen(model: Model, modes: Mapping[str, Compared], known: Known) -> Column:
    """
    Match by the weights as they are: of reports that they were not learnt from.
    """
    pairs = {mode: settled(model, what) for mode, what in modes.items()}
    return _column(f"boutre {model.rule}", "weights as they are", pairs, known, model.file.link_at)


def of_the_rest(model: Model, modes: Mapping[str, Compared], known: Known) -> Column:
    """
    Match each stretch of time by what was learnt and set on all others: of reports that the model was learnt from.
    """
    made = folds(model.file, modes, known)
    note = f"held out: each of {len(made)} stretches of time, everything learnt and set on the others"
    rest = of_the_others(model.file, made, modes, known)
    links = {mode: [one for each in rest for one in _least(each.pairs[mode], each.link_at)] for mode in modes}
    pairs = {mode: [one for each in rest for one in each.pairs[mode]] for mode in modes}
    scores = {mode: score(each, known) for mode, each in links.items()}
    return Column(f"boutre {model.rule}", note, scores, {mode: reliability(each, known) for mode, each in pairs.items()})


def distance_and_date(modes: Reports, known: Known) -> Column:
    """
    Link by distance and date alone, the nearest first, each report once.
    """
    scores = {mode: score(nearest_first(reports), known) for mode, reports in modes.items()}
    return Column("distance and date", f"within {NEAR_KM:g} km and {NEAR_DAYS} day, the nearest first", scores, {})


def nearest_first(reports: Sequence[Sighted]) -> list[Found]:
    """
    Give the links of the simplest rule. Which reports they are of does not depend on the order in which they come.
    """
    placed = sorted((one for one in reports if one.placed), key=lambda one: (one.at or 0.0, one.id))
    near: list[tuple[float, str, str]] = []
    for place, one in enumerate(placed):
        for other in placed[place + 1 :]:
            days, apart = days_apart(one, other), apart_km(one, other)
            if days is None or days > NEAR_DAYS:
                break
            if one.source != other.source and apart is not None and apart <= NEAR_KM:
                near.append((apart, min(one.id, other.id), max(one.id, other.id)))
    return once_each(found(one, other, SAME_EVENT, "nearest", 1.0) for _, one, other in sorted(near))


def once_each(links: Iterable[Found]) -> list[Found]:
    """
    Give of *links*, the best first, those of which no side stands in a better one.
    """
    taken: set[str] = set()
    kept = []
    for link in links:
        if taken.isdisjoint((link.a, link.b)):
            taken.update((link.a, link.b))
            kept.append(link)
    return kept


def by_splink(modes: Reports, names: ShipNames, known: Known, step: Callable[[], None] = lambda: None) -> Column:
    """
    Link by Splink, each stretch of time by what it learnt on the others, which also set its threshold.

    In its favour: it learns from these reports also where our own weights come from others.
    """
    if not evaluate_splink.installed():
        return Column("Splink", evaluate_splink.HOW_TO_INSTALL, {}, {})
    scores: dict[str, Score] = {}
    bins: dict[str, Sequence[Bin]] = {}
    for mode, reports in modes.items():
        by_id = {one.id: one for one in reports}
        parts: list[list[Found]] = []
        cut = stretches(reports, known)
        for stretch in cut:
            rest = [pair for pair in known if set(pair) <= by_id.keys() and not stretch.holds(*(by_id[side] for side in pair))]
            if not rest:
                return Column("Splink", "there are too few known pairs for it to learn from", {}, {})
            try:
                pairs = evaluate_splink.splink(reports, names, rest)
            except Exception as error:  # noqa: BLE001 - a library that fails on odd reports must not take our own figures with it
                return Column("Splink", f"failed on these reports: {type(error).__name__}", {}, {})
            parts.append([one for one in pairs if stretch.holds(by_id[one.a], by_id[one.b])])
            step()
        links = []
        for place, part in enumerate(parts):
            others = [link for at, each in enumerate(parts) if at != place for link in once_each(each)]
            threshold = max(SPLINK_THRESHOLDS, key=lambda least, of=others: score(_least(of, least), known).f1)  # type: ignore[misc]  # mypy knows no defaults of lambdas
            links += _least(once_each(part), threshold)
        scores[mode] = score(links, known)
        bins[mode] = reliability([one for part in parts for one in part], known)
    note = f"held out likewise: {len(cut)} stretches, weights and threshold from the others, each report once"
    return Column("Splink", note, scores, bins)


def _least(links: Iterable[Found], least: float) -> list[Found]:
    return [one for one in links if one.probability >= least]


def _column(name: str, note: str, pairs: Mapping[str, Sequence[Found]], known: Known, link_at: float) -> Column:
    scores = {mode: score(_least(given, link_at), known) for mode, given in pairs.items()}
    return Column(name, note, scores, {mode: reliability(given, known) for mode, given in pairs.items()})


def ready(model: Model) -> Model:
    """
    Give the model; BusError where its weights were never learnt.
    """
    if not any(one.bits for one in model.file.comparison if one.learnt == "together"):
        raise BusError(f"{model.rule} has no weights yet: learn them with --learn FILE")
    return model_of(model.file)
