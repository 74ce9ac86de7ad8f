"""
The page of matching: the pair that it works through and the weights that it shows are those of this bus.

To write them anew: PYTHONPATH=tests python tests/domain/test_matching_page.py
"""

from __future__ import annotations

from functools import cache

from boutre.ops.evaluate_feeds import read_folder
from boutre.processors.matching import models
from boutre.processors.matching.found import Found
from boutre.processors.matching.ground import stock_positions
from boutre.processors.matching.matcher import Matcher
from boutre.processors.matching.model import Model
from boutre.schemas import lock
from boutre.schemas.codec import Codec
from pages import ROOT, Page

OURS = "incidents-asam:2009-60", "incidents-imb:IMB-00516"
RIVAL = "incidents-asam:2009-66", "incidents-imb:IMB-00516"


def model() -> Model:
    """The model by which this bus matches incidents."""
    return next(one for one in models.of(ROOT).models if one.file.name == "incident")


@cache
def pairs() -> dict[tuple[str, str], Found]:
    """Every pair of the sample lists that is possible, names hidden."""
    folder = read_folder(ROOT, ROOT / "samples" / "incidents", Codec(lock.load(lock.folder_of(ROOT))))
    ground = models.of(ROOT).ground(stock_positions(folder.reports))
    return {(one.a, one.b): one for one in Matcher(model(), ground).all(folder.without_names())}


@cache
def pair() -> str:
    """The two candidates, comparison by comparison."""
    file, ours, rival = model().file, pairs()[OURS], pairs()[RIVAL]
    rows = []
    for name in dict.fromkeys(one.comparison for each in (ours, rival) for one in each.evidence):
        cells = [
            next(((one.level, one.bits) for one in each.evidence if one.comparison == name), ("-", 0.0)) for each in (ours, rival)
        ]
        rows.append(f"| {name} | " + " | ".join(f"`{level}` | {bits:+.2f}" for level, bits in cells) + " |")
    totals = [file.prior_bits + sum(one.bits for one in each.evidence) for each in (ours, rival)]
    meant = [file.calibration.slope * total + file.calibration.intercept for total in totals]
    return "\n".join(
        (
            "| | 2009-60 | bits | 2009-66 | bits |",
            "|---|---|---|---|---|",
            f"| to begin with | | {file.prior_bits:+.2f} | | {file.prior_bits:+.2f} |",
            *rows,
            f"| together | | {totals[0]:+.2f} | | {totals[1]:+.2f} |",
            f"| what that means | | {meant[0]:+.2f} | | {meant[1]:+.2f} |",
            f"| probability | | **{ours.probability:.2f}** | | **{rival.probability:.2f}** |",
        )
    )


@cache
def weights() -> str:
    """What each level of each comparison says, in bits."""
    rows = [
        f"| {one.name} | " + ", ".join(f"`{level}` {bits:+.2f}" for level, bits in one.bits.items()) + " |"
        for one in model().file.comparison
    ]
    return "\n".join(("| comparison | levels and bits |", "|---|---|", *rows))


PAGE = Page("docs/matching.md", "tests/domain/test_matching_page.py", {"pair": pair, "weights": weights})


def test_the_pair_is_worked_through_as_the_code_does() -> None:
    """Each level, its bits, their sum and the probability on the page are those of this code and these weights."""
    assert pair() == PAGE.shown("pair")


def test_the_weights_are_those_that_are_declared() -> None:
    """The table shows what stands in processors/matching/incident.toml."""
    assert weights() == PAGE.shown("weights")


def test_the_pair_is_linked_and_its_rival_is_not() -> None:
    """The example shows what it is there for: the better one is linked, and takes from the other."""
    ours, rival = pairs()[OURS], pairs()[RIVAL]

    assert ours.probability >= model().file.link_at > rival.probability
    assert "rivals" in {one.comparison for one in rival.evidence}


if __name__ == "__main__":
    PAGE.write()
