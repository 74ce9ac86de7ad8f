"""
Lines over time as SVG: no script, no font of its own, colours by the page's style, so that it reads by day and by night.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from html import escape
from typing import Final

from boutre.ops.panels.asking import Series, Span
from boutre.ops.panels.declared import Panel
from boutre.ops.panels.units import marks, shown

COLOURS: Final = 8
"""Colours that the page has; further lines take the same again, dashed."""

MOST: Final = 12
"""Lines that are drawn: those that end highest."""

HEIGHT: Final = 190
LEFT: Final = 72
RIGHT: Final = 8
TOP: Final = 8
BOTTOM: Final = 22
COLUMN: Final = 46
"""Units of width of a column of the dashboard."""

GAP_STEPS: Final = 2.5
"""Without a point for so many steps, a line ends and begins anew."""

_TIMES: Final = (60, 300, 600, 900, 1_800, 3_600, 7_200, 10_800, 21_600, 43_200, 86_400)


def kept(found: Sequence[Series]) -> list[Series]:
    """
    The lines that are drawn, highest first, and those without a number last.
    """
    return sorted(found, key=lambda one: -math.inf if math.isnan(one.last) else one.last, reverse=True)[:MOST]


def style(number: int) -> str:
    """
    The classes of the line *number*.
    """
    return f"c{number % COLOURS}" + (" dashed" if number >= COLOURS else "")


def lines(panel: Panel, found: Sequence[Series], span: Span, language: str) -> str:
    """
    Draw *found*, with the marks of both axes and, where the panel has one, the line from which it is bad.
    """
    width = panel.width * COLUMN
    values = [value for one in found for _, value in one.points if math.isfinite(value)]
    most = max(values, default=0.0)
    bounds = [bound for bound in (panel.bad, panel.warn) if bound is not None and bound <= most * 4]
    axis = marks(max([most, *bounds]), panel.unit)
    across = (width - LEFT - RIGHT) / (span.ends - span.begins)
    down = (HEIGHT - TOP - BOTTOM) / axis[-1]

    def x(at: float) -> float:
        return LEFT + (at - span.begins) * across

    def y(value: float) -> float:
        return HEIGHT - BOTTOM - min(max(value, 0.0), axis[-1]) * down

    parts = [f'<svg viewBox="0 0 {width} {HEIGHT}" role="img" aria-label="{escape(panel.said(language).title)}">']
    for mark in axis:
        parts.append(f'<path class="grid" d="M{LEFT} {y(mark):.1f}H{width - RIGHT}"/>')
        label = escape(shown(mark, panel.unit, language))
        parts.append(f'<text class="at" x="{LEFT - 6}" y="{y(mark) + 4:.1f}" text-anchor="end">{label}</text>')
    for at, label in _hours(span, width):
        parts.append(f'<text class="at" x="{x(at):.1f}" y="{HEIGHT - 6}" text-anchor="middle">{label}</text>')
    for bound, name in ((panel.warn, "warn"), (panel.bad, "bad")):
        if bound in bounds and bound is not None:
            parts.append(f'<path class="bound {name}" d="M{LEFT} {y(bound):.1f}H{width - RIGHT}"/>')
    for number, one in enumerate(found):
        pieces = "".join(_piece([(x(at), y(value)) for at, value in piece]) for piece in _pieces(one, span))
        parts.append(f'<path class="line {style(number)}" d="{pieces}"><title>{escape(one.name)}</title></path>')
    return "".join([*parts, "</svg>"])


def _pieces(one: Series, span: Span) -> Iterator[list[tuple[float, float]]]:
    piece: list[tuple[float, float]] = []
    for at, value in one.points:
        if piece and (not math.isfinite(value) or at - piece[-1][0] > GAP_STEPS * span.step_s):
            yield piece
            piece = []
        if math.isfinite(value):
            piece.append((at, value))
    if piece:
        yield piece


def _piece(points: Sequence[tuple[float, float]]) -> str:
    if len(points) == 1:
        # One look alone is a dot, which the round ends of a line make.
        return f"M{points[0][0]:.1f} {points[0][1]:.1f}h0"
    return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points)


def _hours(span: Span, width: int) -> Iterator[tuple[float, str]]:
    lasts = span.ends - span.begins
    step = next((one for one in _TIMES if lasts / one <= width / 90), _TIMES[-1])
    at = span.begins - span.begins % step + step
    while at < span.ends - step / 8:
        moment = datetime.fromtimestamp(at, UTC)
        # The first mark of a day says which one it is, where more than one is shown.
        yield at, f"{moment:%d/%m}" if lasts > _TIMES[-1] and at % _TIMES[-1] == 0 else f"{moment:%H:%M}"
        at += step
