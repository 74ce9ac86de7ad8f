"""
What a dashboard asks Prometheus, and what Prometheus answers (``/api/v1/query`` and ``/api/v1/query_range``).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from string import Template
from typing import Any, Final

from boutre.ops.panels.declared import Dashboard, Panel

POINTS: Final = 240
"""Points of a line, at the most: one for each two or three pixels."""

LEAST_STEP_S: Final = 15
"""Prometheus looks at the bus so often; nothing is between."""

LEAST_RATE_S: Final = 60
"""Four looks, so that one that failed leaves a rate."""

_HOLE: Final = re.compile(r"\{\{\s*(\w+)\s*\}\}")


@dataclass(frozen=True, slots=True)
class Span:
    """
    The time that is shown: *begins* to *ends*, seconds since 1970, a point every *step_s*.
    """

    begins: float
    ends: float
    step_s: int

    @classmethod
    def until(cls, ends: float, lasts_s: int) -> Span:
        """The last *lasts_s* seconds, with points that Prometheus gives again at the next look."""
        step_s = max(LEAST_STEP_S, -(-lasts_s // POINTS))
        last = ends - ends % step_s
        return cls(last - lasts_s, last, step_s)

    @property
    def rate_s(self) -> int:
        """The window of a rate: as long as a step, or four looks."""
        return max(LEAST_RATE_S, self.step_s + LEAST_STEP_S)


@dataclass(frozen=True, slots=True)
class Query:
    """
    One question: where to ask it, and with what.
    """

    path: str
    given: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Series:
    """
    One series: how it is called by its labels, and its points, seconds since 1970 and value.
    """

    name: str
    points: tuple[tuple[float, float], ...]

    @property
    def last(self) -> float:
        """How it stands."""
        return self.points[-1][1]


def query(panel: Panel, span: Span, chosen: str = "") -> Query:
    """
    What *panel* asks; *chosen* is the one value of the dashboard's label that is looked at, or nothing for all.
    """
    # A dot of a name is a dot, in a string of PromQL that holds a regular expression.
    each = chosen.replace(".", "[.]") if chosen else ".*"
    expr = Template(panel.expr.strip()).safe_substitute(rate=f"{span.rate_s}s", each=each)
    if panel.kind == "lines":
        steps = {"start": f"{span.begins:.0f}", "end": f"{span.ends:.0f}", "step": str(span.step_s)}
        return Query("/api/v1/query_range", {"query": expr, **steps})
    return Query("/api/v1/query", {"query": expr, "time": f"{span.ends:.0f}"})


def choices(dashboard: Dashboard) -> Query | None:
    """
    What asks for the values that may be chosen.
    """
    by = dashboard.by
    return None if by is None else Query("/api/v1/query", {"query": f"count by ({by.label}) ({by.metric})"})


def series(panel: Panel, answer: Mapping[str, Any]) -> tuple[Series, ...]:
    """
    Read what Prometheus answered. Raises ValueError where that is no answer.
    """
    try:
        if answer["status"] != "success":
            raise ValueError(str(answer.get("error", "")))
        return tuple(one for one in _read(panel, answer["data"]) if one.points)
    except (KeyError, TypeError, IndexError) as error:
        raise ValueError(f"Prometheus answered something else ({type(error).__name__})") from None


def named(answer: Mapping[str, Any], label: str) -> tuple[str, ...]:
    """
    The values that may be chosen, from the answer to `choices`.
    """
    try:
        return tuple(sorted({one["metric"].get(label, "") for one in answer["data"]["result"]} - {""}))
    except (KeyError, TypeError, AttributeError):
        return ()


def _read(panel: Panel, data: Mapping[str, Any]) -> Iterator[Series]:
    if data["resultType"] == "scalar":
        yield Series("", (_point(data["result"]),))
        return
    for one in data["result"]:
        points = one["values"] if data["resultType"] == "matrix" else [one["value"]]
        yield Series(_called(panel.legend, one["metric"]), tuple(_point(point) for point in points))


def _called(legend: str, labels: Mapping[str, str]) -> str:
    return " ".join(_HOLE.sub(lambda found: str(labels.get(found[1], "")), legend).split())


def _point(point: Any) -> tuple[float, float]:
    return float(point[0]), float(point[1])
