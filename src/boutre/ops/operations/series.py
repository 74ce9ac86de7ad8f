"""
What the page of operations has found, for Prometheus: how many findings of each code, and from which sources is heard.

Each code and each source has its series all the time, so that nothing that is gone looks like calm.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from boutre.ops.findings.finding import CODES, SEVERITIES
from boutre.ops.findings.of_sources import GIB

FAMILIES: Final[tuple[tuple[str, tuple[str, ...], str], ...]] = (
    ("boutre_findings", ("severity",), "Findings of the page of operations that stand now, by how bad they are."),
    ("boutre_finding", ("code",), "Findings of one code that stand now."),
    ("boutre_operations_source_up", ("source",), "1 while a source of the page answers, such as broker, lag, processes."),
    (
        "boutre_operations_source_last_success_timestamp_seconds",
        ("source",),
        "When a source last answered, in seconds since 1970; 0: never.",
    ),
    (
        "boutre_operations_disk_free_bytes",
        ("disk",),
        "Bytes free on a disk of the page's machine that fills up: state, kafka or keys; while none does there is no series.",
    ),
    ("boutre_rejects_kept", ("owner",), "Rejects that stand on the topics of an owner; NaN until they were gone through."),
)
"""Name, labels and meaning of each family."""

DISKS: Final = frozenset({"disk-full", "disk-low"})
NAN: Final = float("nan")


@dataclass(frozen=True, slots=True, eq=False)  # a registry knows it by itself
class Series(Collector):
    """
    A collector of the *document* of the page.
    """

    document: Callable[[], dict[str, Any]]

    def describe(self) -> Iterable[Metric]:
        """Name the families."""
        for name, labels, meaning in FAMILIES:
            yield GaugeMetricFamily(name, meaning, labels=labels)

    def collect(self) -> Iterator[Metric]:
        """Give every family as it is now."""
        found = self.document()
        codes = Counter(one["code"] for one in found["findings"])
        values: tuple[Iterable[tuple[str, float]], ...] = (
            [(severity, found["counts"][severity]) for severity in SEVERITIES],
            [(code, codes.get(code, 0)) for code in CODES],
            [(one["key"], float(one["state"] == "ok")) for one in found["sources"]],
            [(one["key"], one["answered"] or 0.0) for one in found["sources"]],
            [(one["subject"], one["figures"]["free_gib"] * GIB) for one in found["findings"] if one["code"] in DISKS],
            _kept(found["rejects"]).items(),
        )
        for (name, labels, meaning), series in zip(FAMILIES, values, strict=True):
            metric = GaugeMetricFamily(name, meaning, labels=labels)
            for label, value in series:
                metric.add_metric([label], value)
            yield metric


def _kept(rows: Iterable[dict[str, Any]]) -> dict[str, float]:
    kept: dict[str, float] = {}
    for row in rows:
        kept[row["owner"]] = kept.get(row["owner"], 0.0) + (NAN if row.get("kept") is None else row["kept"])
    return kept
