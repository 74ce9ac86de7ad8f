"""
docs/metrics.md: every metric of the bus, written from where they are declared.

Where a metric changes, write it anew: PYTHONPATH=tests python tests/domain/test_metrics_page.py
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from prometheus_client import generate_latest
from prometheus_client.metrics import MetricWrapperBase

from boutre import metrics
from pages import Page

SUFFIXES: Final = {"counter": ("_total",), "gauge": ("",), "histogram": ("_bucket", "_sum", "_count"), "info": ("_info",)}
"""What Prometheus puts behind the name of a metric."""


@dataclass(frozen=True)
class Metric:
    """One metric as it is declared."""

    name: str
    kind: str
    labels: tuple[str, ...]
    meaning: str

    @property
    def series(self) -> tuple[str, ...]:
        """The names under which it is scraped."""
        return tuple(f"{self.name}{suffix}" for suffix in SUFFIXES[self.kind])


def declared() -> list[Metric]:
    """Every metric of the registry, in the order of its declaration."""
    collectors = [one for one in vars(metrics).values() if isinstance(one, MetricWrapperBase)]
    known = {one for one in metrics.REGISTRY._collector_to_names if isinstance(one, MetricWrapperBase)}
    assert known == set(collectors)
    return [Metric(one._name, str(one._type), tuple(one._labelnames), str(one._documentation)) for one in collectors]


def rows() -> Iterator[str]:
    """The table."""
    yield "| name | kind | labels | meaning |"
    yield "|---|---|---|---|"
    for metric in declared():
        labels = ", ".join(f"`{label}`" for label in metric.labels) or "`version`"
        yield f"| {', '.join(f'`{name}`' for name in metric.series)} | {metric.kind} | {labels} | {metric.meaning} |"


PAGE: Final = Page("docs/metrics.md", "tests/domain/test_metrics_page.py", {"metrics": lambda: "\n".join(rows())})


def test_the_page_names_every_metric() -> None:
    """The table is that of the registry: name, kind, labels and meaning of each."""
    assert PAGE.shown("metrics") == PAGE.parts["metrics"]()


def test_the_names_are_those_that_a_process_serves() -> None:
    """What stands in the table is what Prometheus finds: each family by the kind that it is told as."""
    told = dict(re.findall(r"^# TYPE (\w+) (\w+)$", generate_latest(metrics.REGISTRY).decode(), re.MULTILINE))

    for metric in declared():
        family = f"{metric.name}{SUFFIXES[metric.kind][0]}" if metric.kind in {"counter", "info"} else metric.name
        assert (metric.kind if metric.kind != "info" else "gauge") == told[family]


def test_every_query_of_the_page_asks_for_what_is_there() -> None:
    """Each metric and each label in the page's queries is declared."""
    asked = re.findall(r"^    (\S.*)$", PAGE.text, re.MULTILINE)
    queries = [line for line in asked if "boutre_" in line]
    series = {name: metric for metric in declared() for name in metric.series}

    assert queries
    for query in queries:
        for name, selector in re.findall(r"\b(boutre_\w+)(\{[^}]*\})?", query):
            assert name in series, query
            assert set(re.findall(r"(\w+)=", selector)) <= set(series[name].labels), query
        for by in re.findall(r"by \(([^)]*)\)", query):
            labels = {label for name in re.findall(r"\bboutre_\w+", query) for label in series[name].labels} | {"le"}
            assert {label.strip() for label in by.split(",")} <= labels, query


if __name__ == "__main__":
    PAGE.write()
