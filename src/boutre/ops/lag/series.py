"""
Gives the metrics of lag to Prometheus, from the board: at each scrape all that is known, so that no series outlives its group.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from boutre.ops.lag.board import Board, Standing
from boutre.ops.lag.families import ABOUT, FAMILIES


@dataclass(frozen=True, slots=True, eq=False)  # a registry knows it by itself
class Series(Collector):
    """
    A collector of *board*; *owners* are all parties that may have undeclared groups.
    """

    board: Board
    owners: Sequence[str]

    def describe(self) -> Iterable[Metric]:
        """Name the families without asking anybody."""
        for family in FAMILIES:
            yield GaugeMetricFamily(family.name, family.meaning, labels=family.labels)
        for name, labels, meaning in ABOUT:
            yield GaugeMetricFamily(name, meaning, labels=labels)

    def collect(self) -> Iterator[Metric]:
        """Give every family as the board has it now."""
        standing = self.board.standing
        report = standing.report
        for family in FAMILIES:
            metric = GaugeMetricFamily(family.name, family.meaning, labels=family.labels)
            for labels, value in family.of(report) if report is not None else ():
                metric.add_metric(labels, value)
            yield metric
        yield from self._about(standing)

    def _about(self, standing: Standing) -> Iterator[Metric]:
        report = standing.report
        counts = Counter(one.group.owner for one in report.undeclared) if report is not None else {}
        values: tuple[Iterable[tuple[tuple[str, ...], float]], ...] = (
            [((), float(standing.up))],
            [((), standing.succeeded)],
            [((), standing.took_s)],
            [((owner,), counts.get(owner, 0)) for owner in self.owners],
        )
        for (name, labels, meaning), series in zip(ABOUT, values, strict=True):
            metric = GaugeMetricFamily(name, meaning, labels=labels)
            for found, value in series:
                metric.add_metric(found, value)
            yield metric
