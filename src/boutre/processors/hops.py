"""
How late records come to the hops of a processor, counted when their transaction is committed: a whole batch at once.

Whoever accepts tells how late each report was when it was sent, and how long the bus then took; whoever links or releases tells how
long after it was sent, for each recipient. So reports that come in a heap after a silence are late at ``sent``, and nowhere else.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from boutre import metrics
from boutre.lateness import Tally, bucket_of, clock_ahead, since
from boutre.processors.decision import Inbound, Released
from boutre.processors.offers import of_key

if TYPE_CHECKING:
    from boutre.processors.handle import Handled

NATIONAL: Final = "national."
OFFER: Final = "bus.offer."
"""How the topics begin by which it is known what a processor does."""

VIEWS_ROOT: Final = "for"
"""The first word of the topics of recipients."""

OUTCOMES: Final = {True: "met", False: "missed", None: "unknown"}


class Hops:
    """
    The hops of the processor that reads these topics and may write something for these *recipients*.
    """

    def __init__(self, reads: Sequence[str], recipients: Iterable[str]) -> None:
        self._accepts = {topic: (topic.split(".")[1], topic.rpartition(".")[2]) for topic in reads if topic.startswith(NATIONAL)}
        self._links = {topic: topic.rpartition(".")[2] for topic in reads if topic.startswith(OFFER)}
        self._recipients = frozenset(recipients)
        self._releases = bool(self._recipients) and not self._links

    def count(self, records: Sequence[Inbound], handled: Sequence[Handled], now: float) -> None:
        """
        Count what *records* came to, each of which was *handled* as its place says; *now* is when that was committed, s since 1970.
        """
        if self._accepts:
            self._accepted(records, handled, now)
        elif self._links:
            self._linked(records, now)
        elif self._releases:
            self._released(records, handled, now)

    def moved(self) -> None:
        """Take that partitions moved: what was said of senders' clocks is for whoever has them now to say."""
        for member, kind in self._accepts.values():
            with suppress(KeyError):
                metrics.SENDER_CLOCK.remove(member, kind)

    def _accepted(self, records: Sequence[Inbound], handled: Sequence[Handled], now: float) -> None:
        tallies: dict[tuple[str, str], Tally] = {}
        deadlines: Counter[tuple[str, str, bool | None]] = Counter()
        newest: dict[str, Inbound] = {}
        for record, one in zip(records, handled, strict=True):
            newest[record.topic] = record
            if one.outcome != "emitted":
                continue
            _tally(tallies, ("accepted", record.topic)).add(now - record.timestamp / 1000)
            if one.seen is not None:
                _tally(tallies, ("sent", record.topic)).add(one.seen.late_s)
                deadlines[record.topic, one.seen.deadline, one.seen.met] += 1
        for topic, record in newest.items():
            # Also of one that was refused: who refuses what comes from the future has to say whose clock is wrong.
            if (ahead := clock_ahead(record.headers, record.timestamp)) is not None:
                metrics.SENDER_CLOCK.labels(*self._accepts[topic]).set(ahead)
        for (hop, topic), tally in tallies.items():
            member, kind = self._accepts[topic]
            metrics.late(hop, tally, member=member, kind=kind)
        for (topic, deadline, met), number in deadlines.items():
            member, kind = self._accepts[topic]
            metrics.DEADLINES.labels(member, kind, deadline, OUTCOMES[met]).inc(number)

    def _linked(self, records: Sequence[Inbound], now: float) -> None:
        tallies: dict[tuple[str, str], Tally] = {}
        for record in records:
            kind, named = self._links.get(record.topic), of_key(record.key)
            if kind is not None and named is not None and named[0] in self._recipients:
                _tally(tallies, (named[0], kind)).add(since(record.timestamp, now))
        for (recipient, kind), tally in tallies.items():
            metrics.late("linked", tally, recipient=recipient, kind=kind)

    def _released(self, records: Sequence[Inbound], handled: Sequence[Handled], now: float) -> None:
        # By bucket and not by record: each record goes to several recipients, and all of them had it at this moment.
        together: dict[int, tuple[Tally, list[Released]]] = {}
        for record, one in zip(records, handled, strict=True):
            lapse = now - record.timestamp / 1000
            place = bucket_of(lapse)
            found = together.get(place)
            if found is None:
                found = together[place] = Tally(), []
            found[0].add(lapse)
            found[1].extend(one.releases)
        tallies: dict[tuple[str, str], Tally] = {}
        for place, (tally, releases) in together.items():
            for release, number in _delivered(releases):
                mine = _tally(tallies, (release.recipient, release.kind))
                if place < 0:
                    mine.ahead += number
                else:
                    mine.counts[place] += number
                    mine.total += tally.total / sum(tally.counts) * number
        for (recipient, kind), tally in tallies.items():
            metrics.late("released", tally, recipient=recipient, kind=kind)


def _tally(tallies: dict[tuple[str, str], Tally], key: tuple[str, str]) -> Tally:
    found = tallies.get(key)
    if found is None:
        found = tallies[key] = Tally()
    return found


def _delivered(releases: list[Released]) -> Iterator[tuple[Released, int]]:
    return ((release, number) for release, number in Counter(releases).items() if release.outcome == "delivered")
