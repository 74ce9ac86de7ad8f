"""
How values become lines and words: inside of their picture, told apart, and said as people say them.
"""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from boutre.ops.dashboards_command import drawn
from boutre.ops.panels.asking import Series, Span
from boutre.ops.panels.declared import Panel, Unit
from boutre.ops.panels.drawing import COLOURS, MOST, kept, lines
from boutre.ops.panels.page import level
from boutre.ops.panels.units import marks, shown

ROOT: Final = Path(__file__).parents[2]
FILE: Final = drawn(ROOT)
SPAN: Final = Span.until(1_800_000_000.0, 3_600)
STAT: Final = next(
    panel for panel in FILE.dashboard[0].panel if panel.kind == "stat" and panel.warn is not None and not panel.below
)
LINES: Final = next(panel for panel in FILE.dashboard[0].panel if panel.kind == "lines" and panel.bad is not None)

numbers = st.floats(allow_nan=True, allow_infinity=True)
many = st.lists(st.lists(numbers, min_size=1, max_size=20), max_size=20)


@given(
    many,
    st.sampled_from(["en", "fr"]),
    st.sampled_from([panel for one in FILE.dashboard for panel in one.panel if panel.kind == "lines"]),
)
def test_every_line_stays_in_its_picture(values: list[list[float]], language: str, panel: Panel) -> None:
    """
    Whatever the values: numbers only, inside of the frame, and no more lines than can be told apart.
    """
    found = [
        Series(f"line {at}", tuple((SPAN.begins + 15 * step, value) for step, value in enumerate(one)))
        for at, one in enumerate(values)
    ]
    picture = lines(panel, kept(found), SPAN, language)
    width, height = map(float, re.findall(r'viewBox="0 0 (\d+) (\d+)"', picture)[0])

    assert "nan" not in picture.lower().replace("nano", "")
    assert picture.count('class="line') <= MOST
    for x, y in re.findall(r"[ML](-?[\d.]+) (-?[\d.]+)", picture):
        assert 0 <= float(x) <= width
        assert 0 <= float(y) <= height


def test_a_line_ends_where_nothing_was_seen() -> None:
    """
    A gap stays a gap: the process was away, and nobody knows what was.
    """
    points = tuple((SPAN.begins + 15 * step, 1.0) for step in (0, 1, 2, 20, 21))
    picture = lines(LINES, [Series("a", points)], SPAN, "en")
    (path,) = re.findall(r'class="line c0" d="([^"]+)"', picture)

    assert 2 == path.count("M")


def test_lines_beyond_the_colours_are_dashed() -> None:
    """
    No two lines look the same.
    """
    found = [Series(f"{at}", ((SPAN.ends, float(at)),)) for at in range(MOST)]
    looks = re.findall(r'class="line ([^"]+)"', lines(LINES, found, SPAN, "en"))

    assert len(looks) == len(set(looks))
    assert MOST - COLOURS == sum("dashed" in one for one in looks)


@pytest.mark.parametrize(("over", "said"), [(-1, "ok"), (0, "warning")])
def test_a_bound_belongs_to_what_it_begins(over: int, said: str) -> None:
    """
    At the bound it is already so; where small is bad, from there down.
    """
    assert STAT.warn is not None
    assert said == level(STAT, STAT.warn + over)
    below = replace_panel(STAT, warn=10.0, bad=5.0, below=True)
    assert said == level(below, 10 - over)
    assert "error" == level(below, 5.0)
    assert "unknown" == level(STAT, math.nan)


def replace_panel(panel: Panel, **other: Any) -> Panel:
    """The same with something else in it."""
    return panel.model_copy(update=other)


@pytest.mark.parametrize(
    ("value", "unit", "english", "french"),
    [
        (0, "seconds", "0 s", "0 s"),
        (0.0123, "seconds", "12.3 ms", "12,3 ms"),
        (59.94, "seconds", "59.9 s", "59,9 s"),
        (60, "seconds", "1 min", "1 min"),
        (3_725, "seconds", "1 h 2 min", "1 h 2 min"),
        (3_605, "seconds", "1 h", "1 h"),
        (200_000, "seconds", "2 d 7 h", "2 j 7 h"),
        (-90, "seconds", "-1 min 30 s", "-1 min 30 s"),
        (math.inf, "seconds", "∞", "∞"),
        (math.nan, "number", "-", "-"),
        (1_234_567, "number", "1,234,567", "1\u202f234\u202f567"),
        (0.5, "ratio", "50%", "50\u00a0%"),
        (0.015, "ratio", "1.5%", "1,5\u00a0%"),
        (12.34, "per_second", "12.3/s", "12,3/s"),
        (1_610_612_736, "bytes", "1.5 GiB", "1,5 Gio"),
        (1_023, "bytes", "1,023 B", "1\u202f023 o"),
    ],
)
def test_a_value_is_said_as_people_say_it(value: float, unit: Unit, english: str, french: str) -> None:
    """
    In two parts at the most, with the marks of each language.
    """
    assert english == shown(value, unit, "en")
    assert french == shown(value, unit, "fr")


@given(st.floats(min_value=0, max_value=1e15), st.sampled_from(["seconds", "number", "ratio", "per_second", "bytes"]))
def test_an_axis_reaches_its_highest_value(most: float, unit: Unit) -> None:
    """
    From nought in equal steps to the highest value or beyond, with no more marks than can be read.
    """
    axis = marks(most, unit)

    assert 0 == axis[0]
    assert axis[-1] >= most * (1 - 1e-6)
    assert 2 <= len(axis) <= 7
