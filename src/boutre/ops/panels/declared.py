"""
Reads ``processors/dashboards.toml``: dashboards, their panels, and what each asks Prometheus.

A bus without the file has no dashboards.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from string import Template
from typing import Annotated, Final, Literal

from pydantic import Field

from boutre.errors import Fault
from boutre.language import LANGUAGES
from boutre.topics.strict import Declared, read

FILE: Final = "processors/dashboards.toml"

WIDE: Final = 24
"""Columns of a dashboard, which are Grafana's."""

Kind = Literal["stat", "lines", "rows"]
Unit = Literal["seconds", "number", "bytes", "ratio", "per_second"]


class Head(Declared):
    """
    What stands above a dashboard in one language, and what is chosen on it.
    """

    title: Annotated[str, Field(min_length=1, max_length=60)]
    choose: str = ""


class Title(Declared):
    """
    What stands above a panel in one language.
    """

    title: Annotated[str, Field(min_length=1, max_length=80)]
    description: str = ""


class By(Declared):
    """
    What may be chosen: the values that *label* has on *metric*.
    """

    label: Annotated[str, Field(pattern="^[a-z]+$")]
    metric: Annotated[str, Field(pattern="^[a-z_]+$")]


class Panel(Declared):
    """
    One ``[[dashboard.panel]]``.

    *expr*: PromQL, in which ``$each`` stands for what was chosen, and ``$rate`` for the window of a rate. *legend* names a line or
    a row by its labels. From *warn* on it is yellow, from *bad* on red; with *below*, from there down.
    """

    kind: Kind
    width: Annotated[int, Field(ge=3, le=WIDE)]
    expr: Annotated[str, Field(min_length=1)]
    legend: str = ""
    unit: Unit
    warn: Annotated[float | None, Field(strict=False)] = None
    bad: Annotated[float | None, Field(strict=False)] = None
    below: bool = False
    en: Title
    fr: Title

    def said(self, language: str) -> Title:
        """Its title in *language*."""
        return self.fr if language == LANGUAGES[1] else self.en


class Dashboard(Declared):
    """
    One ``[[dashboard]]``: panels from left to right, then down.
    """

    name: Annotated[str, Field(pattern="^[a-z]+$")]
    by: By | None = None
    en: Head
    fr: Head
    panel: Annotated[tuple[Panel, ...], Field(min_length=1)]

    def said(self, language: str) -> Head:
        """Its title in *language*."""
        return self.fr if language == LANGUAGES[1] else self.en


class DashboardsFile(Declared):
    """
    The file.
    """

    dashboard: tuple[Dashboard, ...] = ()


def load(root: Path, faults: list[Fault]) -> DashboardsFile | None:
    """
    Read the file of the bus at *root*; what is wrong is added to *faults*. None where there is none, or it cannot be used.
    """
    path = root / FILE
    if not path.exists():
        return None
    file = read(path, DashboardsFile, faults, root=root)
    if file is None:
        return None
    found = list(_faults(file))
    faults.extend(found)
    return None if found else file


def _faults(file: DashboardsFile) -> Iterator[Fault]:
    seen: set[str] = set()
    for dashboard in file.dashboard:
        key = f"dashboard[{dashboard.name}]"
        if dashboard.name in seen:
            yield Fault(FILE, f"{key}.name", "is there twice")
        seen.add(dashboard.name)
        if dashboard.by is not None and not (dashboard.en.choose and dashboard.fr.choose):
            yield Fault(FILE, f"{key}.by", "needs choose in en and fr")
        allowed = {"rate"} if dashboard.by is None else {"rate", "each"}
        for at, panel in enumerate(dashboard.panel, 1):
            inner = f"{key}.panel[{at}]"
            template = Template(panel.expr)
            if not template.is_valid():
                yield Fault(FILE, f"{inner}.expr", "holds a $ that begins no name")
                continue
            for name in sorted(set(template.get_identifiers()) - allowed):
                yield Fault(FILE, f"{inner}.expr", f"asks for ${name}; known here: {', '.join(sorted(allowed))}")
            if (panel.kind == "stat") == bool(panel.legend):
                yield Fault(FILE, f"{inner}.legend", "lines and rows have one, a stat has none")
            if panel.warn is not None and (panel.bad is None or (panel.warn > panel.bad) is not panel.below):
                yield Fault(FILE, f"{inner}.warn", "stands before bad, on the way to it")
