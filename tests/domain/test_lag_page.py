"""
docs/lag.md: its tables of metrics and of cases, written from where they are declared.

Where they change, write them anew: PYTHONPATH=tests python tests/domain/test_lag_page.py
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from boutre.ops.lag.families import ABOUT, FAMILIES
from lag_cases import CASES
from pages import Page


def metrics() -> Iterator[str]:
    """The metrics."""
    yield "| name | labels | meaning |"
    yield "|---|---|---|"
    declared = [(family.name, family.labels, family.meaning) for family in FAMILIES]
    for name, labels, meaning in (*declared, *ABOUT):
        yield f"| `{name}` | {', '.join(f'`{label}`' for label in labels)} | {meaning} |"


def said(lag: int | None, status: str) -> str:
    """What a tool says, as a cell."""
    return "unknown" if lag is None else f"{lag} {status}".strip()


def cases() -> Iterator[str]:
    """The cases."""
    yield "| case | what happens | Boutre | Burrow 1.2.1 | kafka-consumer-groups | where they differ |"
    yield "|---|---|---|---|---|---|"
    for case in CASES:
        cells = (said(*case.ours), said(*case.burrow), said(case.kafka, ""))
        yield f"| {case.name} | {case.happens} | {' | '.join(cells)} | {case.why} |"


PAGE: Final = Page(
    "docs/lag.md",
    "tests/domain/test_lag_page.py",
    {"metrics": lambda: "\n".join(metrics()), "cases": lambda: "\n".join(cases())},
)


def test_the_page_has_every_metric_and_every_case() -> None:
    """The tables are those of the code and of the tests."""
    for name, part in PAGE.parts.items():
        assert PAGE.shown(name) == part()


def test_the_queries_ask_for_what_is_there() -> None:
    """Each metric and each label in the page's queries is declared."""
    labels = {family.name: family.labels for family in FAMILIES} | {name: names for name, names, _ in ABOUT}
    asked = re.findall(r"^    (\S.*)$", PAGE.text, re.MULTILINE)
    found = [one for line in asked for one in re.findall(r"\b((?:boutre|kafka)_\w+)(?:\{([^}]*)\})?", line)]

    assert found
    for name, selector in found:
        assert name in labels
        assert set(re.findall(r"(\w+)=", selector)) <= set(labels[name])


def test_names_are_as_prometheus_wants_them() -> None:
    """Each once, of this bus or of Kafka, in base units, and no label within a name."""
    names = [family.name for family in FAMILIES] + [name for name, *_ in ABOUT]

    assert sorted(set(names)) == sorted(names)
    assert all(re.fullmatch(r"(boutre|kafka)_[a-z_]+", name) for name in names)
    assert not [name for name in names if name.endswith(("_ms", "_total", "_count"))]


if __name__ == "__main__":
    PAGE.write()
