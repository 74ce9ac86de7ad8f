"""
docs/alerting.md: the table of alarms is written from where they are declared, and every picture is there.

Where an alarm changes, write it anew: PYTHONPATH=tests python tests/domain/test_alerting_page.py
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from boutre.ops.alarms.declared import Alarm
from boutre.ops.alarms.rules import number
from boutre.ops.panels.declared import Unit
from boutre.ops.panels.units import shown
from boutre.ops.rules_command import alarms
from pages import Page

ROOT: Final = Path(__file__).parents[2]
UNITS: Final[dict[str, Unit]] = {"_s": "seconds", "_bytes": "bytes"}


def threshold(name: str, value: float) -> str:
    """One threshold as people read it: its unit stands behind its name."""
    for ending, unit in UNITS.items():
        if name.endswith(ending):
            return f"{name.removesuffix(ending)} {shown(value, unit, 'en')}"
    return f"{name} {number(value)}"


def row(alarm: Alarm) -> str:
    """One alarm."""
    told = re.sub(r"\{\{.*?\}\}", "…", alarm.en.summary)
    waits = shown(alarm.for_s, "seconds", "en") if alarm.for_s else "at once"
    bounds = ", ".join(threshold(name, value) for name, value in alarm.set.items()) or "-"
    return f"| [{alarm.name}](runbooks/{alarm.page}.md#{alarm.name.lower()}) | {alarm.severity} | {told} | {waits} | {bounds} |"


def rows() -> Iterator[str]:
    """The table."""
    yield "| alarm | severity | says | after | thresholds |"
    yield "|---|---|---|---|---|"
    yield from (row(alarm) for alarm in alarms(ROOT).alarm)


PAGE: Final = Page("docs/alerting.md", "tests/domain/test_alerting_page.py", {"alarms": lambda: "\n".join(rows())})


def test_the_table_is_that_of_the_declaration() -> None:
    """Every alarm with its severity, how long it must last, and its thresholds."""
    assert PAGE.parts["alarms"]() == PAGE.shown("alarms")


def test_every_picture_is_there() -> None:
    """What the page shows exists, and is a picture."""
    shown_there = re.findall(r"!\[[^]]+\]\(([^)]+)\)", PAGE.text)

    assert shown_there
    for name in shown_there:
        assert (ROOT / "docs" / name).read_bytes().startswith(b"\x89PNG"), name


if __name__ == "__main__":
    PAGE.write()
