"""
Says a finding in English and in French: what it is, what to do, and what to type.
"""

from __future__ import annotations

import re
from typing import Final

from boutre.language import LANGUAGES, say
from boutre.ops.findings.finding import CODES, Figure, Finding

UNITS: Final = ((86_400.0, "day"), (3_600.0, "hour"), (60.0, "minute"), (1.0, "second"))
FEW: Final = 10
"""Hours or days below which a part of one is told."""

_HOLE: Final = re.compile(r"\{([a-z_]+)\}")
_PLAIN: Final = re.compile(r"[\w./:@-]+")


def age(seconds: float, language: str) -> str:
    """
    Say a length of time in one unit, as a person would: ``40 s``, ``3 min``, ``2.5 h``, ``4 d``; in French ``2,5 h``, ``4 j``.
    """
    size, unit = next(((size, unit) for size, unit in UNITS if abs(seconds) >= size), UNITS[-1])
    count = seconds / size
    digits = 1 if unit in {"hour", "day"} and abs(count) < FEW and round(count, 1) != round(count) else 0
    return f"{number(count, language, digits)} {say(f'operations.unit.{unit}', language)}"


def number(count: float, language: str, digits: int = 0) -> str:
    """
    Say a number with its thousands apart, as the language has it.
    """
    said = f"{count:,.{digits}f}"
    return said.replace(",", " ").replace(".", ",") if language == "fr" else said


def what(finding: Finding, language: str) -> str:
    """
    Say what was found; who and where are in it.
    """
    return say(f"finding.{finding.code}.what", language, **_figures(finding, language))


def do(finding: Finding, language: str) -> str:
    """
    Say what to do.
    """
    return say(f"finding.{finding.code}.do", language, **_figures(finding, language))


def command(finding: Finding) -> str:
    """
    Give the command to type. A name that somebody else chose and a shell would take for more than a name is left open.
    """
    given = {**finding.figures, "subject": finding.subject}

    def filled(hole: re.Match[str]) -> str:
        value = str(given.get(hole[1], ""))
        return value if _PLAIN.fullmatch(value) else hole[1].upper()

    return _HOLE.sub(filled, CODES[finding.code].command)


def runbook(finding: Finding, language: str) -> str:
    """
    Name the runbook to open, a page of ``docs/runbooks`` and its part; nothing where there is none.
    """
    name, mark, part = CODES[finding.code].runbook.partition("#")
    return f"docs/runbooks/{name}{'.fr' if language == 'fr' else ''}.md{mark}{part}" if name else ""


def _figures(finding: Finding, language: str) -> dict[str, str]:
    told = {name: _figure(name, value, language) for name, value in finding.figures.items()}
    subject = finding.subject
    if finding.kind == "source":
        subject = say(f"operations.source.{subject}", language)
    return {**told, "subject": subject}


def _figure(name: str, value: Figure, language: str) -> str:
    if isinstance(value, str):
        return value
    if name.endswith("_s"):
        return age(value, language)
    return number(value, language, 1 if name.endswith("_gib") else 0)


def both(finding: Finding) -> dict[str, dict[str, str]]:
    """
    Give what was found and what to do in each language.
    """
    return {
        language: {"what": what(finding, language), "do": do(finding, language), "runbook": runbook(finding, language)}
        for language in LANGUAGES
    }
