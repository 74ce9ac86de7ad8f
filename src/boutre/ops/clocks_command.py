"""
``boutre clocks``: who is late, who is silent, and what is about to end.
"""

from __future__ import annotations

import json
import time
from typing import Final

import click
from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

from boutre import metrics
from boutre.ops import logs
from boutre.ops.clocks.document import HEAD, document, rows
from boutre.ops.clocks.report import Report
from boutre.ops.clocks_watch import clocks_watch
from boutre.ops.command import with_settings
from boutre.ops.findings.heard import Heard
from boutre.ops.settings import Settings
from boutre.ops.sink_command import told_to_stop

COLOURS: Final = {
    "late": "bold red", "overdue": "bold red", "silent": "bold red", "never": "bold red", "ended": "bold red", "lost": "bold red",
    "unheard": "bold red", "ahead": "bold red", "behind": "bold red",
    "ends-soon": "yellow", "waiting": "yellow", "under way": "yellow", "begun": "dim", "unexpected": "dim",
}  # fmt: skip
WIDE: Final = 160
"""Columns of the table where nobody's screen says how wide it is."""


@click.command(epilog="Example: boutre clocks")
@click.option("--output", type=click.Choice(["table", "json"]), default="table", show_default=True, help="Form of the answer.")
@click.option("--serve", "port", type=click.IntRange(0, 65535), help="Serve /metrics on this port, 0: a free one, until stopped.")
@click.option("--every", type=click.FloatRange(1, 600), help="Seconds between two looks.  [default: processors/clocks.toml, or 15]")
@with_settings
@click.pass_context
def clocks(ctx: click.Context, settings: Settings, *, output: str, port: int | None, every: float | None) -> None:
    """
    Show which alerts wait, which feeds are silent, whether the probe comes through, and what ends soon.

    Exit status 1 where something is late, silent or has ended.
    """
    logs.to_stderr()
    with clocks_watch(settings) as watch:
        if port is None:
            report = watch.look()
            show(report, output)
            if report.wrong:
                ctx.exit(1)
            return
        metrics.REGISTRY.register(watch.series)
        click.echo(f"clocks: /metrics on port {metrics.serve(port, settings.metrics_address)}", err=True)

        def seen(heard: Heard[Report]) -> None:
            if output == "json" and heard.value is not None and not heard.failed:
                click.echo(json.dumps(document(heard.value)))

        with told_to_stop() as stopped:
            watch.go_on(stopped, every, seen)


def show(report: Report, output: str) -> None:
    """
    Print how it stands.
    """
    if output == "json":
        click.echo(json.dumps(document(report)))
    else:
        console = Console()
        (console if console.is_terminal else Console(width=WIDE)).print(table(report))


def table(report: Report) -> Group:
    """
    Give all clocks as a table, with the processes below that were asked and did not answer.
    """
    shown = Table(box=None, pad_edge=False)
    for name in HEAD:
        shown.add_column(name, justify="right" if name == "since" else "left", no_wrap=name != "what")
    for clock, of, state, since, what in rows(report):
        shown.add_row(clock, of, Text(state, style=COLOURS.get(state, "green")), since, what)
    unheard = [Text(f"does not answer: {name}; what it said last is shown", style="bold red") for name in report.unheard]
    when = Text(time.strftime("at %Y-%m-%d %H:%M:%S UTC", time.gmtime(report.at)), style="dim")
    return Group(shown, *unheard, when)
