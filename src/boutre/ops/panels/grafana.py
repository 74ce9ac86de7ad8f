"""
Dashboards as Grafana imports them: classic JSON, the data source a variable, so that they fit any Prometheus.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from string import Template
from typing import Any, Final

from boutre.ops.panels.declared import WIDE, Dashboard, Panel, Unit

SCHEMA: Final = 39
"""Version of Grafana's schema; that of Grafana 11, and newer ones move it on."""

UNITS: Final[Mapping[Unit, str]] = {
    "seconds": "s",
    "number": "short",
    "bytes": "bytes",
    "ratio": "percentunit",
    "per_second": "cps",
}
"""Grafana's own names of units."""

PLUGINS: Final = {"stat": "stat", "lines": "timeseries", "rows": "bargauge"}
HEIGHTS: Final = {"stat": 4, "lines": 8, "rows": 8}
SOURCE: Final = {"type": "prometheus", "uid": "${datasource}"}
GREEN: Final = "green"
YELLOW: Final = "yellow"
RED: Final = "red"


def grafana(dashboard: Dashboard, language: str) -> dict[str, Any]:
    """
    One dashboard in one language.
    """
    return {
        "uid": f"boutre-{dashboard.name}-{language}",
        "title": dashboard.said(language).title,
        "tags": ["boutre", language],
        "timezone": "browser",
        "editable": True,
        "graphTooltip": 1,
        "fiscalYearStartMonth": 0,
        "schemaVersion": SCHEMA,
        "version": 1,
        "refresh": "30s",
        "time": {"from": "now-6h", "to": "now"},
        "templating": {"list": list(_variables(dashboard, language))},
        "annotations": {"list": []},
        "links": [_link(language)],
        "panels": list(_panels(dashboard, language)),
    }


def placed(panels: tuple[Panel, ...]) -> Iterator[tuple[Panel, int, int]]:
    """
    Give each panel with its column and its line: from left to right, then below all of the row before.
    """
    x = y = tallest = 0
    for panel in panels:
        if x + panel.width > WIDE:
            x, y, tallest = 0, y + tallest, 0
        yield panel, x, y
        x, tallest = x + panel.width, max(tallest, HEIGHTS[panel.kind])


def _panels(dashboard: Dashboard, language: str) -> Iterator[dict[str, Any]]:
    given = {"rate": "$__rate_interval"} | ({} if dashboard.by is None else {"each": f"${dashboard.by.label}"})
    for number, (panel, x, y) in enumerate(placed(dashboard.panel), 1):
        said = panel.said(language)
        over_time = panel.kind == "lines"
        yield {
            "id": number,
            "type": PLUGINS[panel.kind],
            "title": said.title,
            **({"description": said.description} if said.description else {}),
            "transparent": False,
            "datasource": SOURCE,
            "gridPos": {"h": HEIGHTS[panel.kind], "w": panel.width, "x": x, "y": y},
            "repeatDirection": "h",
            "transformations": [],
            "targets": [
                {
                    "refId": "A",
                    "datasource": SOURCE,
                    "editorMode": "code",
                    "expr": Template(panel.expr.strip()).substitute(given),
                    **({"legendFormat": panel.legend} if panel.legend else {}),
                    "instant": not over_time,
                    "range": over_time,
                }
            ],
            "fieldConfig": {"defaults": _field(panel), "overrides": []},
            "options": _options(panel),
        }


def _field(panel: Panel) -> dict[str, Any]:
    steps: list[dict[str, Any]] = [{"color": GREEN, "value": None}]
    if panel.below:
        # Grafana counts upwards: red from the bottom, until it is no longer bad.
        colours = [RED, YELLOW, GREEN] if panel.warn is not None else [RED, GREEN]
        bounds = [None, *(bound for bound in (panel.bad, panel.warn) if bound is not None)]
        steps = [{"color": colour, "value": bound} for colour, bound in zip(colours, bounds, strict=True)]
    else:
        steps += [
            {"color": colour, "value": bound} for colour, bound in ((YELLOW, panel.warn), (RED, panel.bad)) if bound is not None
        ]
    coloured = panel.bad is not None and panel.kind != "lines"
    custom = {
        "drawStyle": "line",
        "lineWidth": 1,
        "fillOpacity": 5,
        "showPoints": "never",
        "spanNulls": False,
        "thresholdsStyle": {"mode": "line" if panel.bad is not None else "off"},
    }
    return {
        "unit": UNITS[panel.unit],
        "color": {"mode": "thresholds" if coloured or panel.kind == "stat" else "palette-classic"},
        "thresholds": {"mode": "absolute", "steps": steps},
        **({"custom": custom} if panel.kind == "lines" else {}),
        **({"min": 0} if panel.kind == "rows" else {}),
    }


def _options(panel: Panel) -> dict[str, Any]:
    last = {"calcs": ["lastNotNull"], "fields": "", "values": False}
    if panel.kind == "stat":
        return {"reduceOptions": last, "colorMode": "value", "graphMode": "none", "textMode": "auto", "justifyMode": "auto"}
    if panel.kind == "rows":
        return {"reduceOptions": last, "orientation": "horizontal", "displayMode": "basic", "showUnfilled": True}
    return {
        "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True, "calcs": []},
        "tooltip": {"mode": "multi", "sort": "desc"},
    }


def _variables(dashboard: Dashboard, language: str) -> Iterator[dict[str, Any]]:
    yield {
        "name": "datasource",
        "type": "datasource",
        "label": "Prometheus",
        "query": "prometheus",
        "hide": 0,
        "skipUrlSync": False,
        "multi": False,
        "includeAll": False,
        "refresh": 1,
    }
    if dashboard.by is not None:
        yield {
            "name": dashboard.by.label,
            "type": "query",
            "label": dashboard.said(language).choose,
            "datasource": SOURCE,
            "query": f"label_values({dashboard.by.metric}, {dashboard.by.label})",
            "hide": 0,
            "skipUrlSync": False,
            "multi": True,
            "includeAll": True,
            "allValue": ".*",
            "current": {"selected": True, "text": ["All"], "value": ["$__all"]},
            "refresh": 2,
            "sort": 1,
        }


def _link(language: str) -> dict[str, Any]:
    return {
        "title": "Boutre",
        "type": "dashboards",
        "tags": ["boutre", language],
        "asDropdown": True,
        "icon": "external link",
        "tooltip": "",
        "url": "",
        "targetBlank": False,
        "includeVars": False,
        "keepTime": True,
    }
