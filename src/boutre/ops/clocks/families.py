"""
The metrics of clocks, each declared once: name, labels, meaning, and where its values come from.

Labels are names that the bus declares. What workers, connectors and sinks count themselves stands in ``boutre.metrics``.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, TypeAlias

from boutre.ops.clocks.report import FeedClock, Report, Undelivered

Values: TypeAlias = Iterator[tuple[tuple[str, ...], float]]
"""Of each series its labels, and where it stands."""

RECIPIENT: Final = ("recipient",)
FEED: Final = ("feed", "member")


@dataclass(frozen=True, slots=True)
class Family:
    """
    One gauge: of all that is said in a report, the series that it has.
    """

    name: str
    labels: tuple[str, ...]
    meaning: str
    of: Callable[[Report], Values]


def _alerts(value: Callable[[Undelivered], float | None]) -> Callable[[Report], Values]:
    def of(report: Report) -> Values:
        for one in report.undelivered:
            found = value(one)
            yield (one.recipient,), math.nan if found is None else found

    return of


def _feeds(value: Callable[[FeedClock], float | None]) -> Callable[[Report], Values]:
    def of(report: Report) -> Values:
        for one in report.feeds:
            if (found := value(one)) is not None:
                yield (one.feed, one.member), found

    return of


def _terms(report: Report) -> Values:
    for one in report.terms:
        yield (one.kind, one.name, one.party), one.ends or 0.0


FAMILIES: Final = (
    Family(
        "boutre_alert_undelivered",
        RECIPIENT,
        "Alerts that a recipient has not read, by the group that is furthest behind.",
        _alerts(lambda one: one.unread),
    ),
    Family(
        "boutre_alert_undelivered_oldest_seconds",
        RECIPIENT,
        "How long the oldest of them waits; 0 where there is none, NaN where it could not be found out.",
        _alerts(lambda one: one.oldest_s if one.unread else 0.0),
    ),
    Family(
        "boutre_alert_readers",
        RECIPIENT,
        "Consumer groups that are known to read a recipient's alerts; 0: who reads without one is not seen.",
        _alerts(lambda one: one.readers),
    ),
    Family(
        "boutre_feed_rhythm_seconds",
        FEED,
        "How often something is expected of a feed; without a rhythm there is no series.",
        _feeds(lambda one: one.rhythm_s),
    ),
    Family(
        "boutre_feed_last_record_timestamp_seconds",
        FEED,
        "When the broker last took a record from a feed, in seconds since 1970; 0: none that is still there.",
        _feeds(lambda one: one.last or 0.0),
    ),
    Family(
        "boutre_feed_silent",
        FEED,
        "1 where a feed is silent for longer than its rhythm, or was never heard; without a rhythm there is no series.",
        _feeds(lambda one: None if one.rhythm_s is None else float(one.wrong)),
    ),
    Family(
        "boutre_term_ends_timestamp_seconds",
        ("kind", "name", "party"),
        "When an agreement, the keys of a recipient or a certificate end, in seconds since 1970; 0: none is in force.",
        _terms,
    ),
    Family(
        "boutre_clocks_unheard_processes",
        (),
        "Processes of this machine that were asked for their clocks and did not answer.",
        lambda report: iter([((), float(len(report.unheard)))]),
    ),
)
"""What a report says."""

ABOUT: Final = (
    ("boutre_deadline_seconds", ("of", "class"), "Deadline of a class, of records or of alerts, as it is declared."),
    (
        "boutre_alert_undelivered_limit_seconds",
        (),
        "How long an alert may wait until its recipient has read it, as declared.",
    ),
    ("boutre_clocks_up", (), "1 while the cluster answers; at 0 all other series of clocks stand as they last did."),
    ("boutre_clocks_last_success_timestamp_seconds", (), "When a look last came off, in seconds since 1970; 0: never."),
    ("boutre_clocks_look_seconds", (), "How long the last look took."),
)
"""What is declared, and what is said of the looks themselves."""
