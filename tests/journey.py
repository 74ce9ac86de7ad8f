"""
One report of a sample feed on its way through the bus in memory: real connector, real steps, real agreements, a fixed clock.

For pages that show what the bus makes of a report, and the tests that hold them to it. Keys are those of ``records``.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, Final

from boutre.connectors import feeds
from boutre.connectors.record import Maker
from boutre.connectors.sdk import Raw
from boutre.processors.decision import Outbound
from boutre.processors.local import LocalBus
from boutre.schemas.validation import Validator
from records import CODEC, LOCK, ROOT, local_bus, private, words

RECEIVED: Final = datetime(2026, 11, 22, 8, 30, 12, 345_000, tzinfo=UTC)
"""When the connector gets it."""

ACCEPTED: Final = RECEIVED + timedelta(milliseconds=250)
"""When the broker takes it."""

STAMP: Final = int(ACCEPTED.timestamp() * 1000)


@cache
def feed(name: str) -> feeds.Feed:
    """A feed as this repository declares it."""
    return feeds.one(ROOT, name)


@cache
def message(name: str, reference: str) -> Outbound:
    """The signed Kafka record that the feed's connector makes of one report, stamped by a broker."""
    items = feed(name).source.read(feed(name).options, None)
    report = next(item for item in items if isinstance(item, Raw) and item.reference == reference)
    maker = Maker(CODEC, Validator(LOCK, words().has).check, private(feed(name).member))
    made = maker.make(feed(name), report, RECEIVED).message
    return Outbound(made.topic, made.key, made.value, STAMP, made.headers)


@cache
def after(name: str, reference: str) -> LocalBus:
    """The bus after that record went through it, and no other."""
    made = local_bus()
    made.publish([message(name, reference)])
    return made


def held(bus: LocalBus, topic: str) -> dict[str, Any]:
    """The one record that a topic holds."""
    (out,) = bus.read(topic)
    return CODEC.decode(out.value).value
