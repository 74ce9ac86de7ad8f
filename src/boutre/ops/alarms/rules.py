"""
Makes of the declared alarms what Prometheus reads, and gives each expression with its thresholds in it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from string import Template
from typing import Any, Final

from boutre.language import LANGUAGES, french
from boutre.ops.alarms.declared import Alarm, AlarmsFile, Each

PREFIX: Final = "Boutre"
"""What every alarm's name begins with at Prometheus, where other systems have alarms too."""

ENDINGS: Final[Mapping[str, str]] = {"en": ".md", "fr": ".fr.md"}
"""Of a runbook's page, by language."""


@dataclass(frozen=True, slots=True)
class Rule:
    """
    One alarm as Prometheus has it: *name* with the prefix, *expr* with its thresholds, *labels* and *annotations*.
    """

    name: str
    page: str
    expr: str
    for_s: int
    labels: Mapping[str, str]
    annotations: Mapping[str, str]

    @property
    def table(self) -> dict[str, Any]:
        """As it stands in a rule file."""
        waits = {"for": f"{self.for_s}s"} if self.for_s else {}
        return {"alert": self.name, "expr": self.expr, **waits, "labels": dict(self.labels), "annotations": dict(self.annotations)}


def rules(file: AlarmsFile, names: Mapping[Each, Sequence[str]]) -> tuple[Rule, ...]:
    """
    All rules; *names* are the processors and the followers of this bus.
    """
    return tuple(_rule(file, alarm, names) for alarm in file.alarm)


def document(file: AlarmsFile, names: Mapping[Each, Sequence[str]]) -> dict[str, Any]:
    """
    The rule file: a group for each page of runbooks.
    """
    found = groupby(rules(file, names), key=lambda rule: rule.page)
    groups = [
        {"name": f"boutre-{page}", "interval": f"{file.every_s}s", "rules": [rule.table for rule in one]} for page, one in found
    ]
    return {"groups": groups}


def text(file: AlarmsFile, names: Mapping[Each, Sequence[str]]) -> str:
    """
    The same as it is written: YAML, in which every text is quoted as JSON has it, so that nothing is read into it.
    """
    head = "# Written by `boutre rules` from processors/alarms.toml. Change it there.\n"
    return head + "".join(f"{line}\n" for line in _lines(document(file, names)))


def runbook(file: AlarmsFile, alarm: Alarm, language: str) -> str:
    """
    Where the section of an alarm stands in *language*.
    """
    return f"{file.runbooks}{alarm.page}{ENDINGS[language]}#{alarm.name.lower()}"


def expression(file: AlarmsFile, alarm: Alarm, names: Mapping[Each, Sequence[str]]) -> str:
    """
    The expression of an alarm with everything in its place.
    """
    given = {name: number(value) for name, value in alarm.set.items()} | {"job": file.job}
    bare = alarm.expr.strip()
    if alarm.each is None:
        return Template(bare).substitute(given)
    return "\nor ".join(Template(bare).substitute(given, each=name) for name in names[alarm.each])


def number(value: float) -> str:
    """
    A threshold as PromQL reads it: no 1e+05, and no .0 behind whole numbers.
    """
    return str(int(value)) if value == int(value) else repr(value)


def _rule(file: AlarmsFile, alarm: Alarm, names: Mapping[Each, Sequence[str]]) -> Rule:
    annotations = {}
    for language in LANGUAGES:
        behind = "" if language == LANGUAGES[0] else f"_{language}"
        said = alarm.said(language)
        set_out = _french if language != LANGUAGES[0] else str
        annotations[f"summary{behind}"] = set_out(said.summary)
        annotations[f"description{behind}"] = set_out(said.description)
        annotations[f"runbook_url{behind}"] = runbook(file, alarm, language)
    labels = {"severity": alarm.severity}
    return Rule(f"{PREFIX}{alarm.name}", alarm.page, expression(file, alarm, names), alarm.for_s, labels, annotations)


def _french(said: str) -> str:
    # Between {{ and }} stands no French.
    parts = said.split("{{")
    return "{{".join(
        [french(parts[0]), *(inside + "}}" + french(rest) for inside, _, rest in (one.partition("}}") for one in parts[1:]))]
    )


def _lines(value: Mapping[str, Any]) -> Iterator[str]:
    for key, content in value.items():
        if isinstance(content, Mapping):
            yield f"{key}:"
            yield from (f"  {line}" for line in _lines(content))
        elif isinstance(content, list):
            yield f"{key}:"
            for one in content:
                first, *rest = _lines(one)
                yield f"  - {first}"
                yield from (f"    {line}" for line in rest)
        else:
            yield f"{key}: {json.dumps(content, ensure_ascii=False)}"
