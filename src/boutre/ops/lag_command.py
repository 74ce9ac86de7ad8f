"""
``boutre lag``: how far behind whoever reads the bus is.
"""

from __future__ import annotations

import json
import time
from contextlib import nullcontext
from typing import Final

import click
from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from boutre import metrics
from boutre.ops import logs
from boutre.ops.command import with_settings
from boutre.ops.lag.board import Standing
from boutre.ops.lag.document import HEAD, document, row
from boutre.ops.lag.rules import Status
from boutre.ops.lag_watch import lag_watch
from boutre.ops.settings import Settings
from boutre.ops.sink_command import told_to_stop

COLOURS: Final = {"OK": "green", "WARN": "yellow", "ERR": "bold red", "unknown": "dim"}
WIDE: Final = 160
"""Columns of the table where nobody's screen says how wide it is."""

LEFT: Final = frozenset({"group", "status", "look at"})


@click.command(epilog="Example: boutre lag --watch")
@click.option("--output", type=click.Choice(["table", "json"]), default="table", show_default=True, help="Form of the answer.")
@click.option("--watch", "watched", is_flag=True, help="Look again and again, until Ctrl+C; JSON is one line a look.")
@click.option("--serve", "port", type=click.IntRange(0, 65535), help="Serve /metrics on this port, 0: a free one, until stopped.")
@click.option("--every", type=click.FloatRange(1, 600), help="Seconds between two looks.  [default: processors/lag.toml, or 10]")
@with_settings
@click.pass_context
def lag(ctx: click.Context, settings: Settings, *, output: str, watched: bool, port: int | None, every: float | None) -> None:
    """
    Show how far behind each group is: processors, followers and recipients, and groups that nobody declared.

    Exit status 1 where a group is not OK. A single look tells what is unread and how old it is; whether a group gets on takes
    several (--watch, --serve).
    """
    logs.to_stderr()
    with lag_watch(settings) as watch:
        if port is not None:
            metrics.REGISTRY.register(watch.series)
            click.echo(f"lag: /metrics on port {metrics.serve(port, settings.metrics_address)}", err=True)
        if port is None and not watched:
            standing = watch.look()
            show(standing, output)
            if standing.report is not None and any(one.seen and one.status is not Status.OK for one in standing.report.groups):
                ctx.exit(1)
            return
        live = Live(console=Console(), auto_refresh=False) if watched and output == "table" else None

        def seen(standing: Standing) -> None:
            if live is not None:
                live.update(table(standing), refresh=True)
            elif watched:
                show(standing, output)

        with told_to_stop() as stopped, live or nullcontext():
            watch.go_on(stopped, every, seen)


def show(standing: Standing, output: str) -> None:
    """
    Print how it stands.
    """
    if output == "json":
        click.echo(json.dumps(document(standing)))
    else:
        console = Console()
        (console if console.is_terminal else Console(width=WIDE)).print(table(standing))


def table(standing: Standing) -> Group:
    """
    Give the groups as a table, with what nobody declared below, and whether the cluster still answers.
    """
    shown = Table(box=None, pad_edge=False)
    for name in HEAD:
        shown.add_column(name, justify="left" if name in LEFT else "right", no_wrap=name != "look at")
    report = standing.report
    for one in () if report is None else report.groups:
        cells = row(one)
        shown.add_row(cells[0], Text(cells[1], style=COLOURS.get(cells[1], "")), *cells[2:])
    below = [
        Text(f"undeclared: {one.group.name} ({one.group.owner}), {one.lag} behind, {one.status.name}", style="dim")
        for one in (() if report is None else report.undeclared)
    ]
    if not standing.up:
        since = f"not for {time.time() - standing.succeeded:.0f} s" if standing.succeeded else "never"
        below.append(Text(f"the cluster does not answer ({since}); this is how it last stood", style="bold red"))
    return Group(shown, *below)
