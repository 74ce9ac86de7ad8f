"""
Gives the metrics of clocks to Prometheus: at each scrape all that is known, so that no series goes while what it is of is there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from boutre.ops.clocks.families import ABOUT, FAMILIES
from boutre.ops.clocks.report import Report
from boutre.ops.findings.heard import Heard


@dataclass(frozen=True, slots=True, eq=False)  # a registry knows it by itself
class Series(Collector):
    """
    A collector of what was *heard* last.

    *deadlines* are seconds, by what they are of and their class; *limit_s* is how long an alert may wait until it is read.
    """

    heard: Callable[[], Heard[Report]]
    deadlines: Mapping[tuple[str, str], float]
    limit_s: float

    def describe(self) -> Iterable[Metric]:
        """Name the families without asking anybody."""
        for family in FAMILIES:
            yield GaugeMetricFamily(family.name, family.meaning, labels=family.labels)
        for name, labels, meaning in ABOUT:
            yield GaugeMetricFamily(name, meaning, labels=labels)

    def collect(self) -> Iterator[Metric]:
        """Give every family as it is known now."""
        heard = self.heard()
        for family in FAMILIES:
            metric = GaugeMetricFamily(family.name, family.meaning, labels=family.labels)
            for labels, value in family.of(heard.value) if heard.value is not None else ():
                metric.add_metric(labels, value)
            yield metric
        values: tuple[Iterable[tuple[tuple[str, ...], float]], ...] = (
            self.deadlines.items(),
            [((), self.limit_s)],
            [((), float(heard.answered is not None and not heard.failed))],
            [((), heard.answered or 0.0)],
            [((), heard.took_s)],
        )
        for (name, names, meaning), series in zip(ABOUT, values, strict=True):
            metric = GaugeMetricFamily(name, meaning, labels=names)
            for found, value in series:
                metric.add_metric(found, value)
            yield metric
