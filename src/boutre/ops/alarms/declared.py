"""
Reads ``processors/alarms.toml``: each alarm with its expression, thresholds, severity, runbook, and what it says in both languages.

A bus without the file has no alarms.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from string import Template
from typing import Annotated, Final, Literal

from pydantic import Field

from boutre.errors import Fault
from boutre.language import LANGUAGES
from boutre.topics.strict import Declared, read

FILE: Final = "processors/alarms.toml"

Severity = Literal["critical", "warning", "info"]
Each = Literal["processor", "follower"]

OWN: Final = frozenset({"each", "job"})
"""Names that an expression may hold beside its thresholds."""


class Said(Declared):
    """
    What an alarm says in one language, as Prometheus fills it in: ``{{ $labels.stage }}``, ``{{ $value }}``.
    """

    summary: Annotated[str, Field(min_length=1, max_length=120)]
    description: Annotated[str, Field(min_length=1, max_length=400)]


class Alarm(Declared):
    """
    One ``[[alarm]]``.

    *page*: the runbook, a page of ``docs/runbooks`` without its ending; the section has the alarm's name. *for_s*: seconds for
    which it must be so. *expr*: PromQL, in which ``$name`` stands for a threshold of *set*, ``$job`` for the scrape job, and
    ``$each`` for each processor or follower that is declared.
    """

    name: Annotated[str, Field(pattern="^[A-Z][A-Za-z]+$")]
    page: Annotated[str, Field(pattern="^[a-z-]+$")]
    severity: Severity
    for_s: Annotated[int, Field(ge=0, le=86_400)]
    expr: Annotated[str, Field(min_length=1)]
    set: Mapping[str, Annotated[float, Field(strict=False)]] = {}
    each: Each | None = None
    en: Said
    fr: Said

    def said(self, language: str) -> Said:
        """What it says in *language*."""
        return self.fr if language == LANGUAGES[1] else self.en


class AlarmsFile(Declared):
    """
    The file.

    *runbooks*: where the pages of ``docs/runbooks`` are read. *every_s*: seconds between two looks. *job*: the scrape job of the
    bus.
    """

    runbooks: Annotated[str, Field(pattern="^(https?|file)://.*/$")]
    every_s: Annotated[int, Field(ge=1, le=600)] = 15
    job: Annotated[str, Field(pattern="^[A-Za-z0-9_-]+$")] = "boutre"
    alarm: tuple[Alarm, ...] = ()


def load(root: Path, faults: list[Fault]) -> AlarmsFile | None:
    """
    Read the file of the bus at *root*; what is wrong is added to *faults*. None where there is none, or it cannot be used.

    That an expression is PromQL nobody but Prometheus can say: ``promtool check rules`` on what is written.
    """
    path = root / FILE
    if not path.exists():
        return None
    file = read(path, AlarmsFile, faults, root=root)
    if file is None:
        return None
    found = list(_faults(file))
    faults.extend(found)
    return None if found else file


def _faults(file: AlarmsFile) -> Iterator[Fault]:
    seen: set[str] = set()
    for alarm in file.alarm:
        key = f"alarm[{alarm.name}]"
        if alarm.name in seen:
            yield Fault(FILE, f"{key}.name", "is there twice")
        seen.add(alarm.name)
        template = Template(alarm.expr)
        if not template.is_valid():
            yield Fault(FILE, f"{key}.expr", "holds a $ that begins no name")
            continue
        asked = set(template.get_identifiers())
        for name in sorted(asked - alarm.set.keys() - OWN):
            yield Fault(FILE, f"{key}.expr", f"asks for ${name}, which set does not give")
        for name in sorted(alarm.set.keys() - asked):
            yield Fault(FILE, f"{key}.set.{name}", "is not asked for by expr")
        for name in sorted(alarm.set.keys() & OWN):
            yield Fault(FILE, f"{key}.set.{name}", "is a name that the bus gives itself")
        if ("each" in asked) != (alarm.each is not None):
            yield Fault(FILE, f"{key}.each", "and $each in expr go together")
