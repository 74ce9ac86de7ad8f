"""
A connector in a process of its own: the runner, maker and transport of every feed, fed by a source that has its reports ready.

It gives reports at their intended times, or as fast as the runner takes them. Where the runner is late, the intended time stays
what it was, so that waiting is part of what is measured; what it is late with it reads back to back, as any connector does.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import count as numbers
from itertools import islice
from pathlib import Path
from typing import Any, Final

import msgspec

from benchmarks.work import ROOT
from boutre.connectors.feeds import Feed
from boutre.connectors.kafka_transport import KafkaTransport
from boutre.connectors.sdk import Raw, Source
from boutre.ops.connector_command import Desk
from boutre.ops.settings import Settings

ALERTS: Final = "alerts"
ALERTS_BY: Final = "seychelles"
"""The member whose alerts they are."""


@dataclass(frozen=True, slots=True)
class Feeding:
    """
    What to feed: *count* reports of a feed of this bus, or alerts, from the monotonic time *begin_at* on.

    *rate* is reports a second, 0 for as fast as it goes; *lap* is another number in every run, so that no report was had before.
    """

    bootstrap: str
    keys: str
    state: str
    what: str
    count: int
    lap: int
    begin_at: float
    rate: float = 0.0


def settings_of(bootstrap: str, keys: str, state: str) -> Settings:
    """
    Give the settings of a process of this repository's bus on a benchmark's broker.
    """
    return Settings(bus=ROOT, keys=Path(keys), state=Path(state)).using(bootstrap)


def main() -> None:
    """
    Feed, and end when the broker has everything.
    """
    feeding = msgspec.json.decode(sys.argv[1], type=Feeding)
    desk = Desk.of(settings_of(feeding.bootstrap, feeding.keys, feeding.state))
    feed, ready = _alerts(feeding) if feeding.what == ALERTS else _again(desk, feeding)
    items = list(islice(ready, feeding.count))
    source = Source("benchmark", Feeding, lambda _options, _after: _timed(items, feeding), "reports that stand ready")
    runner = desk.runner(feed, KafkaTransport(desk.settings.kafka.producer()), anew=True)
    published = runner.run(replace(feed, source=source))
    if published.records != feeding.count:
        sys.exit(f"{published.records} of {feeding.count} reports were published: {published.reasons}")


def _timed(items: list[Raw], feeding: Feeding) -> Iterator[Raw]:
    for number, item in enumerate(items):
        wait = feeding.begin_at + (number / feeding.rate if feeding.rate else 0) - time.monotonic()
        if wait > 0:
            time.sleep(wait)
        yield item


def _again(desk: Desk, feeding: Feeding) -> tuple[Feed, Iterator[Raw]]:
    """Give a feed, and its sample lap after lap, each an earlier day: an event of the same day and place would be a repeat."""
    (feed,) = desk.feeds((feeding.what,))
    sample = [item for item in feed.source(feed.options) if isinstance(item, Raw)]

    def laps() -> Iterator[Raw]:
        for lap in numbers(feeding.lap):
            for item in sample:
                observed = item.value["times"]["observed"]
                earlier = {**observed, "at": observed["at"] - timedelta(days=lap % 3_000)}
                times = {**item.value["times"], "observed": earlier}
                yield replace(item, value={**item.value, "times": times}, reference=f"{item.reference}.{lap}")

    return feed, laps()


def _alerts(feeding: Feeding) -> tuple[Feed, Iterator[Raw]]:
    now = datetime.now(UTC)
    read: Callable[[Any, str | None], Iterator[Raw]] = lambda _options, _after: iter(())  # noqa: E731 - replaced by the caller
    feed = Feed("benchmark", ALERTS_BY, ("alert",), Source("benchmark", Feeding, read, ""), None, {"tlp": "GREEN"})
    # The reference ends in the number of the alert, by which its reader knows when it was to be sent.
    return feed, (Raw("alert", _alert(now), f"{feeding.lap}-{number}", str(number)) for number in numbers())


def _alert(now: datetime) -> Mapping[str, Any]:
    return {
        "times": {"observed": {"at": now, "precision": "minute", "uncertainty_s": None}},
        "event": {"type": "distress"},
        "warning": {
            "message": "Alert",
            "severity": "Severe",
            "urgency": "Immediate",
            "certainty": "Likely",
            "headline": [
                {"language": "en", "text": "Boat adrift"},
                {"language": "fr", "text": "Embarcation à la dérive"},
            ],
            "onset": now,
            "expires": now + timedelta(hours=6),
        },
        "area": {"centre": {"latitude": -4.6, "longitude": 55.5}, "radius_m": 20_000.0},
    }


if __name__ == "__main__":
    main()
