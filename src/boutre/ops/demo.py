"""
The main job on real input: publish the sample feeds, wait until all has come out, take a record back, write what each got.
"""

from __future__ import annotations

import json
import shutil
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from boutre.connectors.consumer import Consumer
from boutre.connectors.feeds import Feed
from boutre.connectors.kafka_transport import KafkaTransport
from boutre.connectors.opening import Opening
from boutre.connectors.runner import Published
from boutre.connectors.sinks.contract import find
from boutre.connectors.sinks.dead_letters import open_dead_letters
from boutre.connectors.sinks.runner import Counts, Runner
from boutre.errors import Unavailable
from boutre.ops.account import Account
from boutre.ops.assembly import keys_of
from boutre.ops.collect import Collector
from boutre.ops.connector_command import Desk
from boutre.ops.demo_recall import ERASES, DemoRecall, Recalled
from boutre.ops.drained import drained
from boutre.ops.sink_command import options_of
from boutre.ops.standing_bus import StandingBus

SENT_AGAIN = "incidents-imb"
"""A feed that is published a second time, as a source's re-export would be: every report must be known and dropped."""

SHOWN = "interception"
"""The kind of the record that is shown side by side and then taken back: the corridor report, from which most must be withheld."""

Job = tuple[str, str, tuple[str, ...]]
"""A sink, its recipient and its options."""

PATIENCE_S = 60.0
QUIET_S = 1.0
"""Seconds without anything new, after which what was committed before has been read too."""

"""Seconds without any movement after which the demo gives up: a restart of the broker takes a third of it."""


@dataclass(slots=True)
class Demo:
    """
    One run; *out* is the folder that it writes, *midway* is called once when half of the input was published.
    """

    bus: StandingBus
    out: Path
    console: Console
    midway: Callable[[], None] | None = None
    seconds: dict[str, float] = field(default_factory=dict)
    published: dict[str, Published] = field(default_factory=dict)
    again: Published = field(default_factory=Published)
    recalled: Recalled | None = None

    def run(self) -> Collector:
        """Do all of it; gives the account and the views."""
        shutil.rmtree(self.out, ignore_errors=True)
        self.out.mkdir(parents=True)
        declarations = self.bus.assembly.declarations
        account = Account(tuple(declarations.recipients))
        client = self.bus.settings.kafka.client()
        opening = Opening.of(keys_of(self.bus.settings))
        with Collector(declarations, self.bus.assembly.codec, account, client, opening) as collector, self._progress() as progress:
            with self._timed("publish and release"):
                self._publish_and_follow(collector, progress)
            with self._timed("recall"):
                self._recall(collector, progress)
            with self._timed("sinks"):
                self._sinks(self._jobs(), progress)
        return collector

    def summary(self, collector: Collector) -> dict[str, Any]:
        """Give what ``summary.json`` holds."""
        return {
            "feeds": {
                feed: {
                    "records": published.records,
                    "rejected": published.rejects,
                    "understood_and_no_report": dict(published.notes),
                    "seconds": round(self.seconds[f"feed {feed}"], 2),
                }
                for feed, published in self.published.items()
            },
            "sent_again": {SENT_AGAIN: self.again.records},
            **({} if self.recalled is None else {"recall": self.recalled.plain()}),
            **collector.account.summary(),
            "stages": self._stages(),
            "dropped": _reasons(self.bus.samples("boutre_reasons_total"), "dropped"),
            "seconds": {name: round(value, 2) for name, value in self.seconds.items() if not name.startswith("feed ")},
            "recipients": list(collector.account.recipients),
            "outcomes_by_input": collector.account.by_input(),
        }

    def write(self, summary: Mapping[str, Any]) -> Path:
        """Write the summary."""
        path = self.out / "summary.json"
        counts = {name: value for name, value in summary.items() if name != "outcomes_by_input"}
        # The outcomes a line an input: they are the longest part, and are searched rather than read.
        lines = ",\n".join(f"    {json.dumps(one)}: {json.dumps(told)}" for one, told in summary["outcomes_by_input"].items())
        head = json.dumps(counts, indent=2, ensure_ascii=False).removesuffix("\n}")
        path.write_text(f'{head},\n  "outcomes_by_input": {{\n{lines}\n  }}\n}}\n', encoding="utf-8")
        return path

    def _publish_and_follow(self, collector: Collector, progress: Progress) -> None:
        desk = Desk.of(self.bus.settings)
        found = desk.feeds(())
        failures: list[BaseException] = []
        finished = threading.Event()

        def publish() -> None:
            try:
                transport = KafkaTransport(desk.settings.kafka.producer())
                for number, feed in enumerate(found):
                    self._feed(desk, feed, transport)
                    if self.midway is not None and number == len(found) // 2:
                        self.midway()
                for feed in found:
                    if feed.id == SENT_AGAIN:
                        self.again = desk.runner(feed, transport, anew=True).run(feed)
            except BaseException as failure:  # noqa: BLE001 - it is raised in the main thread
                failures.append(failure)
            finally:
                finished.set()

        task = progress.add_task("publish, accept, release", total=None)
        thread = threading.Thread(target=publish, name="publish", daemon=True)
        thread.start()
        account, assembly = collector.account, self.bus.assembly
        client = self.bus.settings.kafka.client()

        def moved() -> None:
            total = len(account.inputs) + sum(one.rejects for one in self.published.values())
            waiting = account.in_flight
            progress.update(task, total=total, completed=total - waiting)

        def done() -> bool:
            if failures:
                raise failures[0]
            sent = sum(one.records for one in (*self.published.values(), self.again))
            rejects = sum(one.rejects for one in self.published.values())
            seen = len(account.inputs) >= sent and len(account.refused) >= rejects
            settled = finished.is_set() and seen and account.in_flight == 0 and _as_told(account)
            # Links and alerts are nobody's inputs: they are all there when nothing waits, and nothing has come since.
            return settled and collector.quiet >= QUIET_S and drained(client, assembly.declarations, assembly.pipeline.edges)

        collector.follow(done, patience=PATIENCE_S, moved=moved)
        thread.join()

    def _feed(self, desk: Desk, feed: Feed, transport: KafkaTransport) -> None:
        with self._timed(f"feed {feed.id}"):
            self.published[feed.id] = desk.runner(feed, transport).run(feed)

    def _recall(self, collector: Collector, progress: Progress) -> None:
        """Take a record back that the migration database holds, and see it leave that."""
        recall = DemoRecall(self.bus.settings, self.bus.assembly, collector)
        chosen = recall.choose(SHOWN)
        if chosen is None:
            return
        database = [job for job in self._jobs() if job[:2] == ("migration", ERASES)]
        self._sinks(database, progress)
        sent = recall.send(SHOWN, *chosen)
        self._sinks(database, progress)
        self.recalled = recall.answered(chosen[0], sent)

    def _jobs(self) -> list[Job]:
        recipients = self.bus.assembly.declarations.recipients
        # Every recipient's views as lines; a map for the centre that acts, the migration database for those who care for people.
        jobs: list[Job] = [("jsonl", recipient, (f"folder={self.out}",)) for recipient in recipients]
        jobs += [("geojson", "rcoc", (f"folder={self.out}",))] if "rcoc" in recipients else []
        jobs += [
            ("migration", recipient, (f"url=sqlite:///{self.out / recipient / 'migration.sqlite'}",))
            for recipient in ("protection-partner",)
            if recipient in recipients
        ]
        return jobs

    def _sinks(self, jobs: Sequence[Job], progress: Progress) -> None:
        task = progress.add_task("sinks", total=len(jobs))
        # Each spends most of its time waiting for its group to form.
        with ThreadPoolExecutor(4) as pool:
            for counts in pool.map(lambda job: self._sink(*job), jobs):
                progress.advance(task)
                if counts.refused or counts.bad:
                    raise Unavailable(f"a sink refused {counts.refused} views; see {self.bus.settings.state / 'dead-letters'}")

    def _sink(self, name: str, recipient: str, pairs: tuple[str, ...]) -> Counts:
        (self.out / recipient).mkdir(parents=True, exist_ok=True)
        (self.bus.settings.state / "dead-letters").mkdir(parents=True, exist_ok=True)
        chosen = find(name)
        consumer = Consumer(
            self.bus.settings.kafka.client(),
            Opening.of(keys_of(self.bus.settings)),
            recipient=recipient,
            kinds=self.bus.assembly.declarations.recipients[recipient].kinds,
            group=f"{recipient}.demo.{name}.{int(time.time())}",
            until_end=True,
        )
        with (
            open_dead_letters(self.bus.settings.state / "dead-letters" / f"{recipient}.{name}.jsonl") as dead,
            chosen.open(options_of(chosen, pairs)) as write,
            consumer as views,
        ):
            return Runner(name, views, write, dead).run()

    def _stages(self) -> dict[str, Any]:
        outcomes: dict[str, Counter[str]] = {}
        for labels, value in self.bus.samples("boutre_records_total"):
            if value:
                outcomes.setdefault(labels["stage"], Counter())[labels["outcome"]] += int(value)
        time_in = {labels["stage"]: value for labels, value in self.bus.samples("boutre_step_seconds_sum")}
        return {
            stage: {**dict(sorted(counts.items())), "seconds_in_step": round(time_in.get(stage, 0.0), 3)}
            for stage, counts in sorted(outcomes.items())
        }

    @contextmanager
    def _timed(self, name: str) -> Iterator[None]:
        begun = time.monotonic()
        try:
            yield
        finally:
            self.seconds[name] = self.seconds.get(name, 0.0) + time.monotonic() - begun

    def _progress(self) -> Progress:
        columns = (TextColumn("{task.description:<26}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        return Progress(*columns, console=self.console, disable=not self.console.is_terminal)


def _as_told(account: Account) -> bool:
    """Say whether every view that a receipt speaks of has been seen on its topic."""
    told = sum(1 for outcome, *_ in account.receipts.values() if outcome == "delivered")
    return sum(account.views.values()) >= told


def _reasons(samples: list[tuple[dict[str, str], float]], outcome: str) -> dict[str, int]:
    counts: Counter[str] = Counter()
    for labels, value in samples:
        if labels["outcome"] == outcome and value:
            counts[f"{labels['stage']}: {labels['reason']}"] += int(value)
    return dict(sorted(counts.items()))
