"""
One dashboard as HTML: the panels that Grafana would show, drawn from what a Prometheus answered, without a script.

Everything that comes from outside is escaped; no style stands here but in a file of its own, as the page's security policy asks.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape
from typing import Any, Final
from urllib.parse import urlencode

from boutre.language import say
from boutre.ops.panels.asking import Series, Span
from boutre.ops.panels.declared import Dashboard, DashboardsFile, Panel
from boutre.ops.panels.drawing import GAP_STEPS, kept, lines, style
from boutre.ops.panels.units import UNKNOWN, shown

PATH: Final = "/panels"
STYLE: Final = "/panels.css"

SPANS: Final[Mapping[str, int]] = {"15m": 900, "1h": 3_600, "6h": 21_600, "24h": 86_400, "7d": 604_800}
"""How much time can be shown, in seconds."""

USUAL: Final = "6h"
AGAIN_S: Final = 30
"""Seconds after which the page is asked for again."""

MOST_ROWS: Final = 10

_NAME: Final = re.compile(r"[\w.-]{1,249}", re.ASCII)
"""What may be chosen: names that the bus declares, and nothing that would end a string of PromQL."""

BAR: Final = '<svg class="bar" viewBox="0 0 100 1" preserveAspectRatio="none" aria-hidden="true">'


@dataclass(frozen=True, slots=True)
class Asked:
    """
    What somebody asked to see: *dashboard* by its name, the *language*, how much time, and the one value that was chosen or "".
    """

    dashboard: str
    language: str
    span: str = USUAL
    chosen: str = ""

    @classmethod
    def of(cls, file: DashboardsFile, query: Mapping[str, str], language: str) -> Asked:
        """Read an address; what is not known there is as if it had not been said."""
        names = [one.name for one in file.dashboard]
        name, span, chosen = query.get("dashboard", ""), query.get("span", ""), query.get("each", "")
        return cls(
            name if name in names else names[0],
            language,
            span if span in SPANS else USUAL,
            chosen if _NAME.fullmatch(chosen) else "",
        )

    def address(self, **other: str) -> str:
        """The address of this page, with *other* in the place of what it has."""
        given = {"dashboard": self.dashboard, "span": self.span, "each": self.chosen, "language": self.language} | other
        return escape(f"{PATH}?{urlencode({name: value for name, value in given.items() if value})}")


Answers = Sequence[tuple[Series, ...] | None]
"""What each panel was answered; None where nothing usable came."""


def page(file: DashboardsFile, asked: Asked, span: Span, answers: Answers, choices: Sequence[str] = ()) -> str:
    """
    The whole page of one dashboard.
    """
    dashboard = next(one for one in file.dashboard if one.name == asked.dashboard)
    language = asked.language
    head = dashboard.said(language)
    panels = "\n".join(_panel(panel, found, span, language) for panel, found in zip(dashboard.panel, answers, strict=True))
    away = f'<p class="away" role="status">{_say("away", language)}</p>' if all(found is None for found in answers) else ""
    return f"""<!DOCTYPE html>
<html lang="{language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="refresh" content="{AGAIN_S}">
<title>{escape(head.title)}</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="{STYLE}">
</head>
<body>
<header>
<h1>{escape(head.title)}</h1>
{_nav(file, asked, dashboard, choices)}
<p class="when">{_say("until", language, moment=f"{datetime.fromtimestamp(span.ends, UTC):%Y-%m-%d %H:%M:%S} UTC")}</p>
</header>
{away}
<main>
{panels}
</main>
</body>
</html>
"""


def _nav(file: DashboardsFile, asked: Asked, dashboard: Dashboard, choices: Sequence[str]) -> str:
    language = asked.language
    others = "".join(
        _way(asked.address(dashboard=one.name, each=""), one.said(language).title.rpartition(":")[2].strip(), one is dashboard)
        for one in file.dashboard
    )
    spans = "".join(_way(asked.address(span=name), say(f"panels.span.{name}", language), name == asked.span) for name in SPANS)
    told = [
        f'<a href="/?language={language}">{_say("operations", language)}</a>{others}',
        f"<span>{_say('last', language)}</span>{spans}",
    ]
    if dashboard.by is not None and choices:
        every = "".join(_way(asked.address(each=one), one, one == asked.chosen) for one in choices)
        first = _way(asked.address(each=""), say("panels.all", language), not asked.chosen)
        told.append(f"<span>{escape(dashboard.said(language).choose)}</span>{first}{every}")
    other = "en" if language == "fr" else "fr"
    way = asked.address(language=other)
    told[0] += f'<a class="language" href="{way}" lang="{other}" hreflang="{other}">{_say("language", language)}</a>'
    return "\n".join(f"<nav>{one}</nav>" for one in told)


def _way(address: str, name: str, here: bool) -> str:  # noqa: FBT001 - whether one is there already
    return f'<a href="{address}"{" aria-current=page" if here else ""}>{escape(name)}</a>'


def _panel(panel: Panel, found: tuple[Series, ...] | None, span: Span, language: str) -> str:
    said = panel.said(language)
    if found is None:
        inside = f'<p class="none">{_say("no-answer", language)}</p>'
    elif not found:
        inside = f'<p class="none">{_say("nothing", language)}</p>'
    elif panel.kind == "stat":
        value = found[0].last
        inside = (
            f'<p class="stat {level(panel, value)}">{_level_mark(panel, value)}{escape(shown(value, panel.unit, language))}</p>'
        )
    elif panel.kind == "rows":
        inside = _rows(panel, found, language)
    else:
        inside = _lines(panel, found, span, language)
    note = f'<p class="note">{escape(said.description)}</p>' if said.description else ""
    return f'<section class="{panel.kind} w{panel.width}"><h2>{escape(said.title)}</h2>{note}{inside}</section>'


def level(panel: Panel, value: float) -> str:
    """
    How bad *value* is: ok, warning or error; plain where the panel says nothing of it, unknown where it is no number.
    """
    if math.isnan(value):
        return "unknown"
    if panel.bad is None:
        return "plain"
    if (value <= panel.bad) if panel.below else (value >= panel.bad):
        return "error"
    if panel.warn is not None and ((value <= panel.warn) if panel.below else (value >= panel.warn)):
        return "warning"
    return "ok"


def _level_mark(panel: Panel, value: float) -> str:
    # A shape beside the colour, for whoever sees no colours.
    return "" if level(panel, value) == "plain" else '<i class="mark"></i>'


def _rows(panel: Panel, found: Sequence[Series], language: str) -> str:
    known = [one for one in found if not math.isnan(one.last)] or found
    order = sorted(known, key=lambda one: (math.isnan(one.last), one.last if panel.below else -one.last, one.name))
    most = max((one.last for one in found if math.isfinite(one.last)), default=0.0)
    rows = []
    for one in order[:MOST_ROWS]:
        # For ever is the longest that one can wait, and nothing to mind where small is bad.
        endless = 0.0 if panel.below else 100.0
        part = endless if math.isinf(one.last) else 0.0 if not most > 0 or math.isnan(one.last) else 100 * max(0.0, one.last) / most
        how = level(panel, one.last)
        bar = f'{BAR}<rect width="{part:.1f}" height="1"/></svg>'
        value = f"{_level_mark(panel, one.last)}{escape(shown(one.last, panel.unit, language))}"
        name = escape(one.name) or "&ndash;"
        rows.append(f'<tr class="{how}"><th scope="row">{name}</th><td>{bar}</td><td class="n">{value}</td></tr>')
    left = len(order) - MOST_ROWS
    more = f'<p class="none">{_say("more", language, count=left)}</p>' if left > 0 else ""
    return f"<table><tbody>{''.join(rows)}</tbody></table>{more}"


def _lines(panel: Panel, found: Sequence[Series], span: Span, language: str) -> str:
    drawn = kept(found)
    legend = "".join(
        f'<li><svg class="key" viewBox="0 0 18 4" aria-hidden="true"><path class="line {style(number)}" d="M0 2H18"/></svg>'
        f"{escape(one.name)} <b>{escape(_now(one, panel, span, language))}</b></li>"
        for number, one in enumerate(drawn)
    )
    left = len(found) - len(drawn)
    more = f"<li>{_say('more', language, count=left)}</li>" if left > 0 else ""
    return f'{lines(panel, drawn, span, language)}<ul class="legend">{legend}{more}</ul>'


def _now(one: Series, panel: Panel, span: Span, language: str) -> str:
    # A line that ended earlier says nothing of now.
    gone = span.ends - one.points[-1][0] > GAP_STEPS * span.step_s
    return UNKNOWN if gone else shown(one.last, panel.unit, language)


def _say(key: str, language: str, **values: Any) -> str:
    return escape(say(f"panels.{key}", language, **values))
