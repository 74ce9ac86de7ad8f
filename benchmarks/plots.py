"""
The plots of ``docs/performance.md``: one style, narrow enough for a telephone, each figure written beside its mark.

Texts stay texts in the SVG, so that a reader can search them, and a test can compare them with the results.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import matplotlib as mpl

from benchmarks.page import NAMES
from benchmarks.work import ROOT

mpl.use("svg")

from matplotlib import pyplot as plt

FOLDER: Final = ROOT / "docs" / "performance"
STYLE: Final = {
    "svg.fonttype": "none",
    "svg.hashsalt": "boutre",
    "font.family": "sans-serif",
    "font.size": 12,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlelocation": "left",
    "axes.titlesize": 13,
    "axes.titleweight": "bold",
    "figure.figsize": (5.2, 3.4),
    "figure.constrained_layout.use": True,
    "legend.frameon": False,
}
# Told apart by people who do not see red and green, and in grey (Okabe and Ito).
BLUE, ORANGE, GREEN, GREY = "#0072B2", "#E69F00", "#009E73", "#8C8C8C"

Told = Mapping[str, Any]


def draw(told: Told) -> list[Path]:
    """
    Draw every plot, and give the files.
    """
    FOLDER.mkdir(exist_ok=True)
    with plt.rc_context(STYLE):
        return [
            _save("contest", _contest(told["contest"])),
            _save("ladder", _ladder(told["ladder"])),
            _save("recovery", _recovery(told["recovery"])),
            _save("growth", _growth(told["growth"])),
        ]


def _save(name: str, figure: Any) -> Path:
    path = FOLDER / f"{name}.svg"
    figure.savefig(path, format="svg", metadata={"Date": None, "Creator": None})
    plt.close(figure)
    return path


def _contest(rows: Told) -> Any:
    figure, axes = plt.subplots()
    names = list(rows["plain"])
    for shift, way, label, colour in ((0.2, "plain", "signatures off", BLUE), (-0.2, "signed", "signatures on", ORANGE)):
        spreads = [rows[way][name]["rate"] for name in names]
        places = [len(names) - 1 - place + shift for place in range(len(names))]
        medians = [one["median"] for one in spreads]
        axes.barh(places, medians, 0.38, color=colour, label=label, xerr=_ends(spreads), ecolor="#444444", capsize=2)
        for place, one in zip(places, spreads, strict=True):
            axes.text(one["max"], place, f"  {one['median']:,.0f}", va="center")
    axes.set_yticks(range(len(names)), [NAMES[name] for name in reversed(names)])
    axes.set_title("The same work, records a second")
    axes.set_xlim(0, 1.25 * max(rows["plain"][name]["rate"]["max"] for name in names))
    axes.xaxis.set_visible(False)
    axes.spines["bottom"].set_visible(False)
    axes.legend(loc="lower right")
    return figure


def _ladder(rows: Sequence[Told]) -> Any:
    figure, axes = plt.subplots()
    places = range(len(rows))
    for name, label, colour, shift in (("p999_ms", "p99.9", GREY, 0), ("p99_ms", "p99", ORANGE, 9), ("p50_ms", "p50", BLUE, -18)):
        medians = [row[name]["median"] for row in rows]
        axes.plot(places, medians, "o-", color=colour, label=label)
        if shift:
            for place, median in zip(places, medians, strict=True):
                axes.annotate(f"{median:,.0f}", (place, median), (0, shift), textcoords="offset points", ha="center", color=colour)
    axes.axhline(500, color=GREEN, linestyle=":", linewidth=1.5)
    axes.annotate("goal at 500", (len(rows) - 1, 500), (0, 4), textcoords="offset points", ha="right", color=GREEN, fontsize=10)
    axes.set_yscale("log")
    axes.set_xticks(places, [f"{row['rate']:,}" for row in rows])
    axes.set_xlabel("alerts a second")
    axes.set_title("Connector to recipient, milliseconds")
    axes.margins(x=0.12, y=0.2)
    axes.legend(loc="upper left")
    return figure


def _recovery(rows: Sequence[Told]) -> Any:
    figure, axes = plt.subplots()
    places = range(len(rows))
    for shift, name, label, colour in ((-0.2, "same_disk_s", "same disk", BLUE), (0.2, "new_owner_s", "new owner", ORANGE)):
        spreads = [row[name] for row in rows]
        at = [place + shift for place in places]
        axes.bar(
            at,
            [one["median"] for one in spreads],
            0.38,
            color=colour,
            label=label,
            yerr=_ends(spreads),
            ecolor="#444444",
            capsize=2,
        )
        for place, one in zip(at, spreads, strict=True):
            axes.annotate(f"{one['median']:.1f}", (place, one["max"]), (0, 3), textcoords="offset points", ha="center")
    axes.set_xticks(places, [f"{row['keys']:,}" for row in rows])
    axes.set_xlabel("keys remembered")
    axes.set_title("Seconds from start to the first commit")
    axes.margins(y=0.15)
    axes.yaxis.set_visible(False)
    axes.spines["left"].set_visible(False)
    axes.legend(loc="upper left")
    return figure


def _growth(rows: Sequence[Told]) -> Any:
    figure, axes = plt.subplots()
    places = range(len(rows))
    spreads = [row["rate"] for row in rows]
    axes.bar(places, [one["median"] for one in spreads], 0.5, color=BLUE, yerr=_ends(spreads), ecolor="#444444", capsize=2)
    for place, one in zip(places, spreads, strict=True):
        axes.annotate(f"{one['median']:,.0f}", (place, one["max"]), (0, 3), textcoords="offset points", ha="center")
    axes.set_xticks(places, [str(row["processes"]) for row in rows])
    axes.set_xlabel("workers, each with a partition")
    axes.set_title("Records a second on two cores")
    axes.margins(y=0.15)
    axes.yaxis.set_visible(False)
    axes.spines["left"].set_visible(False)
    return figure


def _ends(spreads: Sequence[Told]) -> list[list[float]]:
    return [[one["median"] - one["min"] for one in spreads], [one["max"] - one["median"] for one in spreads]]
