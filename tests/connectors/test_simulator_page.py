"""
The page of the simulator: its figures are those of the code.

To write them anew: PYTHONPATH=tests python tests/connectors/test_simulator_page.py
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Final

from boutre.connectors.simulation.nights import nights
from boutre.connectors.simulation.picture import picture, telling_night
from boutre.ops.simulate_command import judged, matchers
from boutre.processors.corridor_report import Report, Score
from pages import ROOT, Page

SCORES: Final[tuple[tuple[str, Callable[[Report], Score]], ...]] = (
    ("links", lambda report: report.links),
    ("pairs in one cluster", lambda report: report.pairs),
    ("clusters (B-cubed)", lambda report: report.clusters),
)
COUNTS: Final = (
    ("crossings that somebody reported", "boats"),
    ("of them missed", "missed"),
    ("threads of alerts", "threads"),
    ("false", "false"),
    ("duplicate", "duplicates"),
)


@cache
def figures() -> str:
    """What each matcher comes to on the nights of the page, as a table."""
    world = nights(7, 30)
    reports = judged(world, matchers(ROOT))
    rows = [
        f"| {name}: {measure} | " + " | ".join(f"{getattr(of(report), measure):.3f}" for report in reports) + " |"
        for name, of in SCORES
        for measure in ("precision", "recall", "f1")
    ]
    counts = [
        f"| {name} | " + " | ".join(f"{getattr(report.alerts, count)}" for report in reports) + " |" for name, count in COUNTS
    ]
    late = [f"{report.alerts.p90_s / 60:.0f}" for report in reports if report.alerts.p90_s is not None]
    return "\n".join(
        (
            f"{len(world.wanted)} crossings, {len(world.reports)} reports.",
            "",
            "| | " + " | ".join(f"`{report.matcher}`" for report in reports) + " |",
            "|---" * (len(reports) + 1) + "|",
            *rows,
            *counts,
            "| nine in ten alerted within, minutes | " + " | ".join(late) + " |",
        )
    )


PAGE = Page("docs/simulator.md", "tests/connectors/test_simulator_page.py", {"figures": figures})


def test_the_page_shows_what_the_code_gives() -> None:
    """The figures on the page are those of this code."""
    assert figures() == PAGE.shown("figures")


def test_the_picture_is_that_of_the_code() -> None:
    """The picture beside the page is drawn by this code."""
    world = nights(7, 30)

    assert picture(world, telling_night(world)) == (ROOT / "docs" / "simulator" / "night.svg").read_text(encoding="utf-8")


if __name__ == "__main__":
    PAGE.write()
