"""
``boutre operations``: one process that looks at the whole bus, and shows it as a page, as JSON, and to Prometheus.
"""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import click
from aiohttp import web
from prometheus_client import CollectorRegistry

from boutre import metrics
from boutre.errors import Unavailable
from boutre.ops import logs
from boutre.ops.command import with_settings
from boutre.ops.operations.series import Series
from boutre.ops.operations.web import Site, application
from boutre.ops.operations_looking import Beside, looking
from boutre.ops.panels_asking import panels
from boutre.ops.running import written
from boutre.ops.settings import Settings

PORT: Final = 9320
END_S: Final = 1.0
"""Seconds that open pages are given at the end."""


@click.command(epilog="Example: boutre operations --port 9320")
@click.option("--port", type=click.IntRange(0, 65535), default=PORT, show_default=True, help="Port of the page; 0: a free one.")
@click.option(
    "--address", default="127.0.0.1", show_default=True, help="Address to listen on; no user signs in, so mind who reaches it."
)
@click.option("--name", "names", multiple=True, metavar="HOST", help="Another name by which browsers call this page.")
@click.option(
    "--at", "others", multiple=True, metavar="HOST:PORT", help="A process elsewhere, by its page; several times for several."
)
@click.option("--prometheus", help="Draw panels of what this Prometheus has, such as http://127.0.0.1:9090.")
@click.option("--registry", default="", help="Look at this schema registry too: root of its API.")
@click.option(
    "--registry-user-file", "user_file", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="name:password."
)
@with_settings
def operations(
    settings: Settings,
    *,
    port: int,
    address: str,
    names: tuple[str, ...],
    others: tuple[str, ...],
    prometheus: str | None,
    registry: str,
    user_file: Path | None,
) -> None:
    """
    Serve the page of operations: what is late, where it is stuck, since when, and what to do.

    One for the whole bus is enough. It writes nothing and shows no value of a record. /state.json and /metrics have the same for
    programs. It stays up when the broker is gone, and says so.
    """
    if urlsplit(registry).username is not None:
        # The page shows its address.
        raise click.BadParameter("holds a user name; say it by --registry-user-file", param_hint="--registry")
    logs.to_stderr()
    user = user_file.read_text(encoding="utf-8").strip() if user_file is not None else None
    drawn = None if prometheus is None else panels(settings.folder(), prometheus)
    metrics.runs("operations", "operations", settings.state)
    with looking(settings, Beside(others, registry, user)) as looks:
        own = CollectorRegistry(auto_describe=True)
        for series in (*looks.series, Series(looks.document)):
            own.register(series)
        site = Site(looks.document, looks.health, (metrics.REGISTRY, own), drawn)
        asyncio.run(_serve(settings, site, address, port, {*names, address}))


async def _serve(settings: Settings, site: Site, address: str, port: int, names: set[str]) -> None:
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    runner = web.AppRunner(application(site, names), access_log=None, shutdown_timeout=END_S)
    await runner.setup()
    try:
        there = web.TCPSite(runner, address, port)
        try:
            await there.start()
        except OSError as error:
            raise Unavailable(f"port {port} of {address} cannot be had ({error.strerror}); say --port") from None
        taken = runner.addresses[0][1]
        with written(settings.state, "operations", "operations", address, taken):
            click.echo(f"operations: http://{address}:{taken}/", err=True)
            await stopped.wait()
    finally:
        await runner.cleanup()
