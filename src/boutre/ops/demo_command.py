"""
``boutre demo``, ``boutre up``, ``boutre down``: a whole bus on this machine, with real input.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from boutre.connectors.phrases import Words
from boutre.connectors.side_by_side import side_by_side
from boutre.language import say
from boutre.ops.account import OUTCOMES, kept_from
from boutre.ops.assembly import assemble
from boutre.ops.collect import Collector
from boutre.ops.command import with_settings
from boutre.ops.demo import SHOWN, Demo
from boutre.ops.demo_recall import DemoRecall, Recalled
from boutre.ops.settings import Settings
from boutre.ops.standing_bus import UP_FILE, StandingBus, running, take_down


@click.command(epilog="Example: boutre demo --out out/demo")
@click.option("--out", type=click.Path(path_type=Path), default=Path("out/demo"), show_default=True, help="Folder of the results.")
@click.option("--restart-kafka", is_flag=True, help="Restart the broker in the middle: nothing may be lost.")
@with_settings
def demo(settings: Settings, out: Path, *, restart_kafka: bool) -> None:
    """
    Start a bus, publish the sample feeds, show what each recipient got, and stop all that was started.

    Leaves OUT/<recipient>/<kind>.jsonl and OUT/summary.json. Exit status 1 where an input is not accounted for.
    """
    state = out.parent / f".{out.name}"
    shutil.rmtree(state, ignore_errors=True)
    own = settings.model_copy(update={"state": state, "keys": state / "keys", "vault": None})
    console = Console(stderr=True)
    bus = StandingBus(own, assemble(settings.folder()), say=lambda line: console.print(line, highlight=False))
    with bus:
        midway = bus.broker.restart if restart_kafka and bus.broker is not None else None
        summary = show(Demo(bus, out, console, midway), settings.language)
    shutil.rmtree(state / "kafka", ignore_errors=True)
    if not summary["adds_up"] or summary["in_flight"]:
        click.echo("not every input is accounted for: see summary.json", err=True)
        raise SystemExit(1)


@click.command(epilog="Example: boutre up && boutre watch rcoc --language fr --from beginning")
@click.option("--out", type=click.Path(path_type=Path), default=Path("out/up"), show_default=True, help="Folder of the results.")
@click.option("--samples/--no-samples", default=True, show_default=True, help="Publish the sample feeds.")
@with_settings
def up(settings: Settings, out: Path, *, samples: bool) -> None:
    """Start the same bus and leave it running, to play with; boutre down stops it."""
    console = Console(stderr=True)
    if running(settings):
        console.print("it runs already; boutre down stops it")
        return
    settings.state.mkdir(parents=True, exist_ok=True)
    bus = StandingBus(settings, assemble(settings.folder()), detached=True, say=lambda line: console.print(line, highlight=False))
    try:
        bus.start()
        if samples:
            show(Demo(bus, out, console), settings.language)
    except BaseException:
        bus.stop()
        (settings.state / UP_FILE).unlink(missing_ok=True)
        raise
    for worker in bus.workers:
        click.echo(f"{worker.name:<16} http://127.0.0.1:{worker.port}/metrics  {worker.log}")
    click.echo("try: boutre watch rcoc --language fr --from beginning   |   boutre connector list   |   boutre down", err=True)


@click.command(epilog="Example: boutre down")
@with_settings
def down(settings: Settings) -> None:
    """Stop what boutre up started; its data stay."""
    stopped = take_down(settings)
    click.echo(f"stopped: {', '.join(stopped)}" if stopped else "nothing was running", err=True)


def show(run: Demo, language: str) -> dict[str, Any]:
    """
    Run it, write its summary, and print one record side by side and the counts.
    """
    collector = run.run()
    summary = run.summary(collector)
    path = run.write(summary)
    # Without a terminal the table is as wide as it needs to be, so that it can be read in a log.
    console = Console(width=None if run.console.is_terminal else 240)
    _one_record(run, collector, language, console)
    console.print(_counts(summary))
    sent, same = summary["sent"], summary["same_report_come_again"]
    console.print(
        f"{sent} records sent by {len(summary['feeds'])} feeds, {same} of them come again, {summary['rejected']} rejected, "
        f"{summary['in_flight']} in flight; adds up: {summary['adds_up']}. {path}",
        highlight=False,
    )
    return summary


def _one_record(run: Demo, collector: Collector, language: str, console: Console) -> None:
    account = collector.account
    recall = DemoRecall(run.bus.settings, run.bus.assembly, collector)
    chosen = recall.choose(SHOWN)
    if chosen is None:
        return
    best, _ = chosen
    found = recall.views(SHOWN, best)
    values: Mapping[str, dict[str, Any] | None] = {recipient: found.get(recipient) for recipient in account.recipients}
    words = Words.core()
    console.rule(f"{SHOWN} {best}")
    console.print(side_by_side(SHOWN, values, language, words))
    for recipient, outcome, reason in kept_from(account, best):
        if reason is not None:
            label = run.bus.assembly.vocabularies.label("release-reason@1", reason, language)
            console.print(f"{recipient}: {outcome}: {label}", highlight=False)
    if run.recalled is not None:
        _recalled(run, run.recalled, language, console)


def _recalled(run: Demo, recalled: Recalled, language: str, console: Console) -> None:
    console.rule(say("recall.title", language, record=recalled.record))
    for recipient, said in sorted(recalled.answers.items()):
        label = say("recall.waiting", language) if said is None else run.bus.assembly.vocabularies.label("answer@1", said, language)
        console.print(f"{recipient}: {label}", highlight=False)
    console.print(say("recall.destroyed", language, count=str(recalled.keys)), highlight=False)


def _counts(summary: Mapping[str, Any]) -> Table:
    table = Table(title="inputs by recipient")
    table.add_column("recipient")
    for outcome in OUTCOMES:
        table.add_column(outcome, justify="right")
    for recipient, counts in summary["by_recipient"].items():
        table.add_row(recipient, *(str(counts[outcome]) for outcome in OUTCOMES))
    return table
