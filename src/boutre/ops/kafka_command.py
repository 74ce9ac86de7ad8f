"""
`boutre kafka start | stop | status`: the embedded Kafka of the working folder.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Literal

import click

from boutre.ops.broker import Broker, port_is_free
from boutre.ops.command import with_settings
from boutre.ops.settings import Settings
from boutre.ops.standing import Standing, standing, written


@click.group(epilog="Example: boutre kafka start")
def kafka() -> None:
    """
    The embedded Kafka: one node on this machine, its data in .boutre/kafka. For an existing cluster see `boutre settings`.
    """


@kafka.command(epilog="Example: boutre kafka start --port 9092")
@click.option("--port", type=click.IntRange(1, 65535), help="Port for clients; without it the last one, or a free one.")
@with_settings
def start(settings: Settings, port: int | None) -> None:
    """
    Start it, and leave it running. Does nothing when it runs already.
    """
    running = standing(settings.state)
    if running is not None:
        click.echo(f"runs already, process {running.pid}", err=True)
        click.echo(running.bootstrap)
        return
    port = port or _last_port(written(settings.state))
    broker = Broker(
        settings.state / "kafka",
        ports={"CLIENT": port} if port is not None else None,
        detached=True,
        progress=lambda line: click.echo(line, err=True),
        cache=settings.broker.cache,
        repository=settings.broker.repository,
    ).start()
    assert broker.pid is not None
    Standing(broker.pid, broker.bootstrap, broker.cluster_id, str(broker.home)).write(settings.state)
    click.echo(f"Kafka runs, process {broker.pid}, log {broker.log}; stop it with `boutre kafka stop`", err=True)
    click.echo(broker.bootstrap)


@kafka.command(epilog="Example: boutre kafka stop")
@with_settings
def stop(settings: Settings) -> None:
    """
    Stop it; its data stay. Does nothing when it does not run, and never touches a process that is not ours.
    """
    running = standing(settings.state)
    if running is None:
        click.echo("does not run", err=True)
        return
    running.stop()
    click.echo(f"stopped process {running.pid}; its data stay in {running.home}", err=True)


@kafka.command(epilog="Example: boutre kafka status --output json")
@click.option("--output", type=click.Choice(["table", "json"]), default="table", show_default=True, help="Form of the answer.")
@with_settings
@click.pass_context
def status(ctx: click.Context, settings: Settings, output: Literal["table", "json"]) -> None:
    """
    Say whether it runs, where, and as which cluster; exit with 1 when it does not.
    """
    running = standing(settings.state)
    if output == "json":
        click.echo(json.dumps({"runs": running is not None, **(asdict(running) if running else {})}, indent=2))
    elif running is not None:
        for name, value in asdict(running).items():
            click.echo(f"{name:<10}  {value}")
    else:
        click.echo("does not run; `boutre kafka start` starts it", err=True)
    if running is None:
        ctx.exit(1)


def _last_port(last: Standing | None) -> int | None:
    # Clients hold on to an address, so that it stays the same from one start to the next where it can.
    if last is None:
        return None
    port = int(last.bootstrap.rpartition(":")[2])
    return port if port_is_free(port) else None
