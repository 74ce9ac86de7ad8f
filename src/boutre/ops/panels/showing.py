"""
Answers an address with a page: asks a Prometheus what the dashboard needs, and draws it. How it is asked is handed in.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from importlib.resources import files
from typing import Any, Final, TypeAlias

from boutre.errors import Unavailable
from boutre.ops.panels.asking import Query, Series, Span, choices, named, query, series
from boutre.ops.panels.declared import Dashboard, DashboardsFile, Panel
from boutre.ops.panels.page import SPANS, Asked, page

Ask: TypeAlias = Callable[[Query], bytes]
"""Asks Prometheus and gives its JSON; raises Unavailable where it does not answer."""


def show(file: DashboardsFile, given: Mapping[str, str], language: str, ask: Ask, now: float) -> str:
    """
    The page for an address whose query is *given*, at *now* (s since 1970).

    It never fails: a panel of which nothing is known says so, and where Prometheus is away the page does.
    """
    asked = Asked.of(file, given, language)
    dashboard = next(one for one in file.dashboard if one.name == asked.dashboard)
    span = Span.until(now, SPANS[asked.span])
    try:
        known = _choices(dashboard, ask)
        answers = [_found(panel, ask, span, asked.chosen) for panel in dashboard.panel]
    except Unavailable:
        # One that is away is not asked fifteen times.
        known, answers = (), [None] * len(dashboard.panel)
    return page(file, asked, span, answers, known)


def css() -> str:
    """
    The style of the page, to be served beside it at ``/panels.css``.
    """
    return _CSS


def _choices(dashboard: Dashboard, ask: Ask) -> tuple[str, ...]:
    choose = choices(dashboard)
    if choose is None or dashboard.by is None:
        return ()
    try:
        return named(_read(ask(choose)), dashboard.by.label)
    except ValueError:
        return ()


def _found(panel: Panel, ask: Ask, span: Span, chosen: str) -> tuple[Series, ...] | None:
    try:
        return series(panel, _read(ask(query(panel, span, chosen))))
    except ValueError:
        return None


def _read(answer: bytes) -> Mapping[str, Any]:
    found = json.loads(answer)
    if not isinstance(found, dict):
        raise ValueError("Prometheus answered something else")  # noqa: TRY004 - a wrong value, not a wrong call
    return found


_CSS: Final = files("boutre.ops.panels").joinpath("static", "panels.css").read_text(encoding="utf-8")
