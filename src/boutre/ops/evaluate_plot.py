"""
Whether probabilities mean what they say, as a picture: what came true against what was said, with the pairs of each bin.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Final
from xml.sax.saxutils import escape

from boutre.processors.matching.judged import Bin, off

SIDE: Final = 260.0
LEFT: Final = 58.0
TOP: Final = 58.0
GAP: Final = 62.0
FOOT: Final = 96.0
BARS: Final = 46.0
"""Pixels: of a panel, what stands around it, and the height of the bars that say how many pairs a bin has."""

TITLES: Final = {"names_shown": "Names shown", "names_hidden": "Names hidden"}
COLOURS: Final = {"names_shown": "#0072B2", "names_hidden": "#D55E00"}
STYLE: Final = (
    "text{font:12px sans-serif;fill:#222}.small{font-size:10px;fill:#555}.title{font-size:14px;font-weight:bold}"
    ".grid{stroke:#ddd}.ideal{stroke:#888;stroke-dasharray:4 4}.axis{stroke:#555;fill:none}"
)
SURE: Final = 1.96
"""Standard deviations within which a share lies with 95 % probability."""


def plot(bins: Mapping[str, Sequence[Bin]], title: str) -> str:
    """
    Draw a panel for each mode: probability across, share of pairs that are true upwards, and beneath how many pairs each bin has.

    A whisker is where the share would lie, 95 times of 100, had the same pairs been drawn again (Wilson's interval).
    """
    width = LEFT + len(bins) * SIDE + (len(bins) - 1) * GAP + 24
    height = TOP + SIDE + BARS + FOOT
    parts = [
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" width="{width:g}" height="{height:g}" '
            f'role="img"><title>{escape(title)}</title><style>{STYLE}</style>'
        ),
        f'<rect width="{width:g}" height="{height:g}" fill="#fff"/><text class="title" x="{LEFT:g}" y="22">{escape(title)}</text>',
    ]
    for place, (mode, held) in enumerate(bins.items()):
        parts += _panel(LEFT + place * (SIDE + GAP), mode, held)
    middle = TOP + SIDE / 2
    parts.append(
        f'<text transform="translate(18 {middle:g}) rotate(-90)" text-anchor="middle">of these pairs, share of one incident</text>'
    )
    return "\n".join((*parts, "</svg>\n"))


def _panel(left: float, mode: str, bins: Sequence[Bin]) -> Iterator[str]:
    floor = TOP + SIDE
    yield f'<text x="{left:g}" y="{TOP - 14:g}">{escape(TITLES.get(mode, mode))}: off by {off(bins):.3f} on average</text>'
    for tenth in range(0, 11, 2):
        at = tenth / 10
        x, y = left + at * SIDE, floor - at * SIDE
        yield f'<line class="grid" x1="{x:.1f}" y1="{TOP:g}" x2="{x:.1f}" y2="{floor:g}"/>'
        yield f'<line class="grid" x1="{left:g}" y1="{y:.1f}" x2="{left + SIDE:g}" y2="{y:.1f}"/>'
        yield f'<text class="small" x="{left - 6:g}" y="{y + 3:.1f}" text-anchor="end">{at:g}</text>'
        yield f'<text class="small" x="{x:.1f}" y="{floor + 14:g}" text-anchor="middle">{at:g}</text>'
    yield f'<rect class="axis" x="{left:g}" y="{TOP:g}" width="{SIDE:g}" height="{SIDE:g}"/>'
    yield f'<line class="ideal" x1="{left:g}" y1="{floor:g}" x2="{left + SIDE:g}" y2="{TOP:g}"/>'
    yield f'<text x="{left + SIDE / 2:g}" y="{floor + 32:g}" text-anchor="middle">probability that was said</text>'
    colour = COLOURS.get(mode, "#222")
    ground = floor + 46 + BARS
    most = max((one.pairs for one in bins), default=1)
    for place, one in enumerate(bins):
        x, share = left + one.mean * SIDE, one.true / one.pairs
        low, high = _wilson(one.true, one.pairs)
        yield (
            f'<line x1="{x:.1f}" y1="{floor - low * SIDE:.1f}" x2="{x:.1f}" y2="{floor - high * SIDE:.1f}" stroke="{colour}" '
            f'stroke-opacity=".5"/><circle cx="{x:.1f}" cy="{floor - share * SIDE:.1f}" r="4" fill="{colour}">'
            f"<title>{one.pairs} pairs, said {one.mean:.2f}, true {share:.2f}</title></circle>"
        )
        # By their order and not by their place: bins near 0 and 1 are narrow, and hold most pairs.
        step = SIDE / len(bins)
        high_px = BARS * math.log1p(one.pairs) / math.log1p(most)
        bar = left + place * step
        yield (
            f'<rect x="{bar + 2:.1f}" y="{ground - high_px:.1f}" width="{step - 4:.1f}" height="{high_px:.1f}" fill="{colour}" '
            f'fill-opacity=".35"/><text class="small" x="{bar + step / 2:.1f}" y="{ground - 3:.1f}" text-anchor="middle" '
            f'style="font-size:8px">{one.pairs}</text>'
        )
        yield (
            f'<text class="small" x="{bar + step / 2:.1f}" y="{ground + 11:.1f}" text-anchor="middle" style="font-size:8px">'
            f"{one.least:g}</text>"
        )
    yield (
        f'<text class="small" x="{left + SIDE / 2:g}" y="{ground + 26:g}" text-anchor="middle">'
        "pairs from each probability up (bars by logarithm)</text>"
    )


def _wilson(true: int, pairs: int) -> tuple[float, float]:
    share, square = true / pairs, SURE * SURE
    middle = (share + square / (2 * pairs)) / (1 + square / pairs)
    half = SURE / (1 + square / pairs) * math.sqrt(share * (1 - share) / pairs + square / (4 * pairs * pairs))
    return max(0.0, middle - half), min(1.0, middle + half)
