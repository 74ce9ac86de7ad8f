"""
Every metric that a process of the bus serves, by the name under which it is scraped, with its labels: from the registries.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.metrics import MetricWrapperBase

from boutre import metrics
from boutre.ops.clocks import families as clocks
from boutre.ops.clocks.series import Series as ClockSeries
from boutre.ops.findings.heard import Heard
from boutre.ops.lag import families as lag
from boutre.ops.lag.board import Board
from boutre.ops.lag.series import Series as LagSeries
from boutre.ops.operations import series as operations
from boutre.ops.operations.state import State
from operations_scenes import CALM, FACTS, NOW

SUFFIXES: Final = {"counter": ("_total",), "gauge": ("",), "histogram": ("_bucket", "_sum", "_count"), "info": ("_info",)}

ALARMS: Final = frozenset(
    {
        "alertname",
        "alertstate",
        "severity",
        "consumergroup",
        "stage",
        "feed",
        "member",
        "recipient",
        "instance",
        "name",
        "service",
        "topic",
    }
)

OF_PROMETHEUS: Final[Mapping[str, frozenset[str]]] = {
    "up": frozenset({"job", "instance"}),
    # What it makes of the alarms; a label is there where its alarm has it.
    "ALERTS": ALARMS,
    "ALERTS_FOR_STATE": ALARMS,
}


def _labels() -> dict[str, frozenset[str]]:
    found: dict[str, frozenset[str]] = {}
    for one in vars(metrics).values():
        if isinstance(one, MetricWrapperBase):
            more = {"histogram": {"le"}, "info": {"version"}}.get(str(one._type), set())
            for suffix in SUFFIXES[str(one._type)]:
                found[f"{one._name}{suffix}"] = frozenset(one._labelnames) | more
    for family in (*lag.FAMILIES, *clocks.FAMILIES):
        found[family.name] = frozenset(family.labels)
    for name, labels, _ in (*lag.ABOUT, *clocks.ABOUT, *operations.FAMILIES):
        found[name] = frozenset(labels)
    return found


LABELS: Final = _labels()


def scrape() -> str:
    """What the process of the page of operations serves, which looks at lag and clocks too, as text."""
    registry = CollectorRegistry(auto_describe=True)
    registry.register(LagSeries(Board(lambda: 0.0), ("rcoc",)))
    registry.register(ClockSeries(lambda: Heard("clocks", 30.0, 0.0), {("alert", "review"): 60.0}, 900.0))
    registry.register(operations.Series(lambda: State(FACTS).document(CALM, NOW)))
    return (generate_latest(metrics.REGISTRY) + generate_latest(registry)).decode()
