"""
What the clocks of a processor cost for each record, no broker: ``python -m benchmarks.clocks`` prints a table.

Batches are made apart, so that what is measured is counting alone, beside one observation of a histogram for each record and party.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Final

from prometheus_client import CollectorRegistry, Histogram

from boutre.lateness import BOUNDS
from boutre.processors.decision import Inbound, Released, Seen
from boutre.processors.handle import Handled
from boutre.processors.hops import Hops

BATCH: Final = 500
TIMES: Final = 200
START: Final = 1_790_000_000_000
RECIPIENTS: Final = tuple(f"recipient-{number}" for number in range(8))


def batch(topic: str, handled: Handled) -> tuple[list[Inbound], list[Handled]]:
    """Records of one batch, a millisecond apart."""
    return [Inbound(topic, 0, number, b"k", b"v", {}, START + number) for number in range(BATCH)], [handled] * BATCH


def cost(run: Callable[[], None]) -> float:
    """Microseconds of a processor for each record, the best of five."""
    best = float("inf")
    for _ in range(5):
        begun = time.process_time()
        for _ in range(TIMES):
            run()
        best = min(best, (time.process_time() - begun) / TIMES / BATCH * 1e6)
    return best


def main() -> int:
    """
    Print it.
    """
    now = START / 1000 + 1
    histogram = Histogram("x", "x", ("hop", "member", "recipient", "kind"), buckets=BOUNDS, registry=CollectorRegistry())
    releases = tuple(Released(one, "sighting", "delivered") for one in RECIPIENTS)
    accept = Hops(("national.observatory-ais.sighting",), ())
    release = Hops(("bus.sighting",), RECIPIENTS)
    accepted = batch("national.observatory-ais.sighting", Handled("emitted", seen=Seen(3.0, "ais", met=True)))
    released = batch("bus.sighting", Handled("emitted", releases=releases))

    def each(parties: tuple[str, ...]) -> None:
        for record in released[0]:
            for party in parties:
                histogram.labels("released", "", party, "sighting").observe(now - record.timestamp / 1000)

    rows = (
        ("accept: two hops and a deadline", cost(lambda: accept.count(*accepted, now)), cost(lambda: each(RECIPIENTS[:2]))),
        ("release, for eight recipients", cost(lambda: release.count(*released, now)), cost(lambda: each(RECIPIENTS))),
    )
    sys.stdout.write("| what is counted | a batch at once, µs a record | one by one, µs a record |\n|---|---|---|\n")
    for name, together, single in rows:
        sys.stdout.write(f"| {name} | {together:.2f} | {single:.1f} |\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
