"""
docs/clocks.md: its table of metrics, written from where they are declared, and queries that ask for what is there.

Where a metric changes, write it anew: PYTHONPATH=tests python tests/domain/test_clocks_page.py
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from prometheus_client.metrics import MetricWrapperBase

from boutre import metrics
from boutre.ops.clocks.declared import ClocksFile
from boutre.ops.clocks.families import ABOUT, FAMILIES
from pages import Page


def table() -> Iterator[str]:
    """The metrics."""
    yield "| name | labels | meaning |"
    yield "|---|---|---|"
    declared = [(family.name, family.labels, family.meaning) for family in FAMILIES]
    for name, labels, meaning in (*declared, *ABOUT):
        yield f"| `{name}` | {', '.join(f'`{label}`' for label in labels)} | {meaning} |"


PAGE: Final = Page("docs/clocks.md", "tests/domain/test_clocks_page.py", {"metrics": lambda: "\n".join(table())})


def test_the_page_has_every_metric() -> None:
    """The table is that of the code."""
    assert PAGE.shown("metrics") == PAGE.parts["metrics"]()


def test_the_queries_ask_for_what_is_there() -> None:
    """Each metric and each label in the page's queries is declared, here or among those of processes."""
    labels = {family.name: set(family.labels) for family in FAMILIES} | {name: set(names) for name, names, _ in ABOUT}
    for one in vars(metrics).values():
        if isinstance(one, MetricWrapperBase):
            for suffix in ("", "_total", "_bucket"):
                labels[f"{one._name}{suffix}"] = {*one._labelnames, "le"}
    queries = re.findall(r"^    (\S.*boutre_.*)$", PAGE.text, re.MULTILINE)

    assert queries
    for query in queries:
        found = re.findall(r"\b(boutre_\w+)(?:\{([^}]*)\})?", query)
        for name, selector in found:
            assert name in labels, query
            assert set(re.findall(r"(\w+)=", selector)) <= labels[name], query
        for by in re.findall(r"by \(([^)]*)\)", query):
            assert {one.strip() for one in by.split(",")} <= set().union(*(labels[name] for name, _ in found)), query


def test_the_names_are_as_prometheus_wants_them() -> None:
    """Each once, and none that a process has already; in base units."""
    names = [family.name for family in FAMILIES] + [name for name, *_ in ABOUT]
    others = {one._name for one in vars(metrics).values() if isinstance(one, MetricWrapperBase)}

    assert sorted(set(names)) == sorted(names)
    assert not others & set(names)
    assert all(re.fullmatch(r"boutre_[a-z_]+", name) for name in names)
    assert not [name for name in names if name.endswith(("_ms", "_total", "_count"))]


def test_the_defaults_are_those_of_the_page() -> None:
    """What the page says is what a bus without the file has."""
    told = dict(re.findall(r"^\| `(\w+)` \| (\d+) \|", PAGE.text, re.MULTILINE))
    file = ClocksFile()

    assert {name: float(value) for name, value in told.items()} == {name: float(getattr(file, name)) for name in told}
    assert {"every_s", "undelivered_minutes", "rhythms", "soon_days", "clock_minutes"} == set(told)


if __name__ == "__main__":
    PAGE.write()
