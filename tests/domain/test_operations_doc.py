"""
docs/operations-page.md: its tables of findings and of metrics, written from where they are declared.

Where they change, write them anew: PYTHONPATH=tests python tests/domain/test_operations_doc.py
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from boutre.language import catalogue
from boutre.ops.findings.finding import CODES
from boutre.ops.operations.series import FAMILIES
from pages import ROOT, Page


def said(key: str) -> str:
    """A text of the catalogue with its names as they stand there."""
    text = "".join(part for part, _ in catalogue()[key]["en"].parts)
    return re.sub(r"\{(\w+)\}", r"*\1*", text).replace("_s*", "*")


def findings() -> Iterator[str]:
    """The findings."""
    yield "| code | says | what to do | to type |"
    yield "|---|---|---|---|"
    for name, code in CODES.items():
        page, mark, part = code.runbook.partition("#")
        book = f"; [runbook](runbooks/{page}.md{mark}{part})" if page else ""
        typed = f"`{code.command}`" if code.command else ""
        yield f"| `{name}` | {said(f'finding.{name}.what')} | {said(f'finding.{name}.do')} | {typed}{book} |"


def metrics() -> Iterator[str]:
    """The metrics."""
    yield "| name | labels | meaning |"
    yield "|---|---|---|"
    for name, labels, meaning in FAMILIES:
        yield f"| `{name}` | {', '.join(f'`{label}`' for label in labels)} | {meaning} |"


PAGE: Final = Page(
    "docs/operations-page.md",
    "tests/domain/test_operations_doc.py",
    {"findings": lambda: "\n".join(findings()), "metrics": lambda: "\n".join(metrics())},
)


def test_the_page_has_every_finding_and_every_metric() -> None:
    """The tables are those of the code."""
    for name, part in PAGE.parts.items():
        assert PAGE.shown(name) == part()


def test_its_pictures_are_there() -> None:
    """Each picture that the page shows or leads to."""
    pictures = re.findall(r"\]\((operations/[\w-]+\.png)\)", PAGE.text)

    assert pictures
    assert [] == [name for name in pictures if not (ROOT / "docs" / name).is_file()]


if __name__ == "__main__":
    PAGE.write()
