"""
docs/performance.md: its figures and plots are those of the latest results, benchmarks/results/latest.json.

Where the results change, write them anew: PYTHONPATH=tests:. python tests/domain/test_performance_page.py (make bench does it).
"""

from __future__ import annotations

import re
from typing import Any, Final

import pytest

from benchmarks import page, results
from benchmarks.contenders import bare_loop
from benchmarks.ladder import quantile
from pages import ROOT, Page

PAGE: Final = Page(page.PAGE, "tests/domain/test_performance_page.py", page.parts(page.latest()))
PLOTS: Final = ("contest", "ladder", "recovery", "growth")


def texts(name: str) -> set[str]:
    """Every text of a plot."""
    svg = (ROOT / "docs" / "performance" / f"{name}.svg").read_text(encoding="utf-8")
    return {found.strip() for found in re.findall(r"<text[^>]*>([^<]*)</text>", svg)}


@pytest.mark.parametrize("name", sorted(PAGE.parts))
def test_the_figures_of_the_page_are_those_of_the_results(name: str) -> None:
    """Each written part is what the latest results give."""
    assert PAGE.parts[name]() == PAGE.shown(name)


@pytest.mark.parametrize("name", PLOTS)
def test_every_plot_stands_in_the_page(name: str) -> None:
    """A plot that nobody sees is no use."""
    assert f"](performance/{name}.svg)" in PAGE.text


def test_the_figures_of_the_plots_are_those_of_the_results() -> None:
    """The figure beside each mark is the median that the results have."""
    told = page.latest()
    rates = [told["contest"][way][name]["rate"] for way in ("plain", "signed") for name in told["contest"]["plain"]]
    wanted: dict[str, list[str]] = {
        "contest": [f"{one['median']:,.0f}" for one in rates],
        "ladder": [f"{row[name]['median']:,.0f}" for row in told["ladder"] for name in ("p50_ms", "p99_ms")],
        "recovery": [f"{row[name]['median']:.1f}" for row in told["recovery"] for name in ("same_disk_s", "new_owner_s")],
        "growth": [f"{row['rate']['median']:,.0f}" for row in told["growth"]],
    }

    assert {name: [] for name in PLOTS} == {name: sorted(set(wanted[name]) - texts(name)) for name in PLOTS}


def test_the_ratios_are_those_of_the_medians() -> None:
    """A ratio is the median of our rates to the median of the peer's, of one and the same run."""
    told = page.latest()

    for behind, way in (("", "plain"), ("_signed", "signed")):
        rates = {name: row["rate"]["median"] for name, row in told["contest"][way].items()}
        for kind, peers in (("ratios", results.RATIOS), ("ratios_by_fastavro", results.BY_FASTAVRO)):
            wanted = {name: round(rates["boutre"] / rates[peer], 2) for name, peer in peers.items() if peer in rates}

            assert wanted == told.get(f"{kind}{behind}", {})


def test_the_results_are_of_a_whole_run() -> None:
    """Medians of five rounds, by a named commit, on a named machine, with every run's own figure kept."""
    told = page.latest()
    spreads = list(_spreads(told))

    assert told["sizes"]["rounds"] == 5
    assert re.fullmatch(r"[0-9a-f]{40}", told["commit"])
    assert {"cores", "processor", "memory_gb", "kernel"} == told["host"].keys()
    assert spreads
    for one in spreads:
        assert len(one["runs"]) == 5
        assert min(one["runs"]) == one["min"] <= one["median"] <= one["max"] == max(one["runs"])


def test_whoever_promises_exactly_once_kept_it() -> None:
    """No copy, and nothing missing, in any round of those who promise it."""
    contest = page.latest()["contest"]

    for way in ("plain", "signed"):
        for name in ("boutre", "bare_loop", "quix"):
            assert [0] * 5 == contest[way][name]["copies"]
            assert [0] * 5 == contest[way][name]["missing"]


def test_the_bare_loop_is_as_short_as_the_page_says() -> None:
    """The loop that we compare ourselves with is what somebody would write: under 120 lines."""
    lines = (ROOT / "benchmarks" / "contenders" / "bare_loop.py").read_text(encoding="utf-8").splitlines()

    assert len(lines) < 120
    assert bare_loop.__doc__


@pytest.mark.parametrize(
    ("part", "wanted"), [(0.5, 5.0), (0.99, 10.0), (0.9, 9.0), (0.901, 10.0), (1.0, 10.0), (0.0, 1.0), (0.1, 1.0), (0.1001, 2.0)]
)
def test_a_quantile_is_a_value_that_was_measured(part: float, wanted: float) -> None:
    """The smallest value at or below which so many of them lie; of ten values p99 is the largest."""
    assert wanted == quantile([float(number) for number in range(1, 11)], part)


def _spreads(value: Any) -> Any:
    """Every spread in the results."""
    if isinstance(value, dict):
        if "runs" in value:
            yield value
        else:
            for inner in value.values():
                yield from _spreads(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _spreads(inner)


if __name__ == "__main__":
    PAGE.write()
