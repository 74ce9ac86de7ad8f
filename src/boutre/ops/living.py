"""
What a process that goes on has beside its work: the page with metrics and health, and a thread that asks the broker.

The thread has a client of its own, with the credentials of the process: an answer says that the broker can be reached from here
now, and nothing of the work, of which the process itself tells (``boutre.health``).
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import click
import structlog

from boutre import metrics
from boutre.errors import Unavailable
from boutre.health import OWN
from boutre.ops.cluster import Cluster
from boutre.ops.running import written
from boutre.ops.settings import Settings
from boutre.telemetry import traced

log = structlog.get_logger()

EVERY_S: Final = 5.0
"""Seconds between two questions."""

ANSWER_S: Final = 4.0
"""Seconds that the broker may take for one."""


@contextmanager
def living(settings: Settings, kind: str, name: str, *, port: int | None = None) -> Iterator[None]:
    """
    Serve ``/metrics``, ``/readyz`` and ``/healthz`` of a process of *kind* that runs *name*, ask the broker, trace where asked to.
    """
    OWN.of(kind, name, settings.health.limits())
    metrics.runs(kind, name, settings.state)
    taken = metrics.serve(settings.metrics_port if port is None else port, settings.metrics_address)
    click.echo(f"{name}: /metrics on port {taken}", err=True)
    ended = threading.Event()
    # A daemon: at its end the process does not wait for an answer that may never come.
    threading.Thread(target=_ask, args=(settings, ended), name="asks the broker", daemon=True).start()
    try:
        with (
            written(settings.state, kind, name, settings.metrics_address, taken),
            traced(settings.traces.endpoint, settings.traces.ratio, kind, name),
        ):
            yield
    finally:
        ended.set()


def _ask(settings: Settings, ended: threading.Event) -> None:
    cluster = Cluster(settings.kafka.client())
    answering = True
    while not ended.is_set():
        try:
            cluster.identity(ANSWER_S)
        except Unavailable:
            if answering and not ended.is_set():
                log.warning("broker does not answer")
            answering = False
        else:
            OWN.answered()
            answering = True
        ended.wait(EVERY_S)
