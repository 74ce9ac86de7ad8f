"""
Accepted records from wherever they are, through two sets of agreements.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from rich.console import Console
from rich.progress import Progress

from boutre.connectors.record import build
from boutre.connectors.sdk import Bad
from boutre.errors import Refuse
from boutre.ops.explain_command import accepted_at, feed_items
from boutre.ops.record_input import Given, Reading
from boutre.ops.record_topics import Accepted, Stood
from boutre.ops.rehearsal import Rehearsal
from boutre.ops.settings import Settings
from boutre.processors.decision import EPOCH
from boutre.processors.replay import Replay, Side, touched


@dataclass(frozen=True, slots=True)
class Source:
    """
    Which records: those of *files*, of what *feeds* read, or of the bus, accepted after *since*.

    What was not accepted yet is accepted in rehearsal, now.
    """

    settings: Settings
    rehearsal: Rehearsal
    files: tuple[Path, ...] = ()
    feeds: tuple[str, ...] = ()
    from_bus: bool = False
    kind: str | None = None
    since: datetime | None = None


@dataclass(slots=True)
class Run:
    """
    A replay with when its records were accepted: the first and the last of them, in milliseconds since 1970 UTC.
    """

    replay: Replay
    first: int | None = None
    last: int | None = None
    notes: list[str] = field(default_factory=list)

    def take(self, stood: Stood) -> None:
        """Take one record."""
        self.first = stood.accepted if self.first is None else min(self.first, stood.accepted)
        self.last = stood.accepted if self.last is None else max(self.last, stood.accepted)
        self.replay.take(*stood)


def replayed(before: Rehearsal, after: Rehearsal, source: Source) -> Run:
    """
    Run the records of *source* through both, in the order of their acceptance, with a bar on stderr where that is a terminal.
    """
    one, other = before.assembly, after.assembly
    # In another bus, zones and scopes may be others too: then all are asked.
    same = one.declarations is other.declarations
    recipients = touched(one.pipeline.policy, other.pipeline.policy) if same else None
    sides = [Side.of(each.step, each.release.windows, recipients) for each in (before, after)]
    run = Run(Replay(sides[0], sides[1], before.fields))
    console = Console(stderr=True)
    with Progress(console=console, transient=True) if sys.stderr.isatty() else nullcontext() as bar:
        if source.files or source.feeds:
            found = sorted(_gathered(run, source), key=lambda stood: stood.accepted)
            task = None if bar is None else bar.add_task("", total=len(found))
            for stood in found:
                run.take(stood)
                if bar is not None and task is not None:
                    bar.advance(task)
        if source.from_bus:
            with Accepted.of(source.settings, one.declarations, source.since) as records:
                task = None if bar is None else bar.add_task("", total=records.count)
                for stood in records:
                    run.take(stood)
                    if bar is not None and task is not None:
                        bar.advance(task)
    return run


def _gathered(run: Run, source: Source) -> Iterator[Stood]:
    now = datetime.now(UTC)
    codec = source.rehearsal.assembly.codec
    for given in _given(run, source, now):
        try:
            accepted = accepted_at(source.rehearsal, given, None)
            frame = codec.encode(accepted.kind, accepted.value)
        except Refuse as refused:
            run.replay.refused[refused.code] += 1
            continue
        moment = accepted.accepted or now
        if source.since is None or moment >= source.since:
            yield Stood(accepted.kind, frame, (moment - EPOCH) // timedelta(milliseconds=1))


def _given(run: Run, source: Source, now: datetime) -> Iterator[Given]:
    reading = Reading(source.rehearsal.assembly.codec, source.rehearsal.fields, source.kind)
    for path in source.files:
        yield from reading.file(path)
    for name in source.feeds:
        for feed, item in feed_items(source.rehearsal, name, None):
            if isinstance(item, Bad):
                run.replay.refused[item.code] += item.count
                continue
            try:
                value = reading.codec.decode(reading.codec.encode(item.kind, build(feed, item, now))).value
            except Refuse as refused:
                run.replay.refused[refused.code] += 1
                continue
            yield Given(item.kind, value)
