"""
``boutre probe``: send exercises through the bus, and measure until they stand for their recipient.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import click
import structlog
from pydantic import ValidationError

from boutre.connectors import feeds
from boutre.errors import DeclarationError, Fault, Unavailable
from boutre.ops import logs
from boutre.ops.clocks import declared
from boutre.ops.clocks.declared import FILE, ProbeFile
from boutre.ops.clocks.rounds import Ended
from boutre.ops.clocks_probe import probing
from boutre.ops.command import with_settings
from boutre.ops.connector_command import Desk
from boutre.ops.living import living
from boutre.ops.settings import Kafka, Settings
from boutre.ops.sink_command import told_to_stop
from boutre.topics.strict import raise_all, table_of

log = structlog.get_logger()

AGAIN_S: Final = 5.0
"""Seconds after which a bus that was away is looked for again."""


@click.command(epilog="Example: boutre probe --rounds 1")
@click.option("--rounds", type=click.IntRange(1, 1000), help="So many, and stop; else it goes on until it is stopped.")
@click.option("--output", type=click.Choice(["text", "json"]), default="text", show_default=True, help="Form of the answer.")
@click.option(
    "--sender",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A boutre.toml by whose [kafka] rounds are sent: where the member's rights are not those of who reads receipts.",
)
@with_settings
@click.pass_context
def probe(ctx: click.Context, settings: Settings, *, rounds: int | None, output: str, sender: Path | None) -> None:
    """
    Send exercises as processors/clocks.toml declares them, and measure how long each takes until its recipient has it.

    With --rounds: exit status 1 where one of them did not arrive in time.
    """
    logs.to_stderr()
    desk = Desk.of(settings)
    chosen = _declared(desk)
    sends = settings.kafka.producer() if sender is None else sender_of(sender).producer()
    failed = []

    def seen(ended: Ended) -> None:
        if ended.outcome != "arrived":
            failed.append(ended)
        if rounds is not None:
            took = "" if ended.seconds is None else f" after {ended.seconds:.2f} s"
            click.echo(json.dumps(asdict(ended)) if output == "json" else f"{ended.round}: {ended.outcome}{took}")

    if rounds is not None:
        with probing(desk, chosen, sends, seen) as one:
            one.probe = one.probe.model_copy(update={"every_s": 0})
            one.go_on(lambda: False, rounds=rounds)
        ctx.exit(1 if failed else 0)
    with told_to_stop() as stopped, living(settings, "probe", f"{chosen.feed} to {chosen.recipient}"):
        while not stopped.is_set():
            try:
                with probing(desk, chosen, sends, seen) as one:
                    one.go_on(stopped.is_set)
            except Unavailable as away:
                log.warning("probe.away", reason=str(away))
                stopped.wait(AGAIN_S)


def _declared(desk: Desk) -> ProbeFile:
    """Give the probe as it is declared; raises DeclarationError where there is none."""
    root, faults = desk.settings.folder(), list[Fault]()
    file = declared.load(root, desk.declarations, (one.id for one in feeds.load(root)), faults)
    raise_all(faults)
    if file.probe is None:
        raise DeclarationError([Fault(FILE, "probe", "is not declared, and so nothing is sent")])
    return file.probe


def sender_of(path: Path) -> Kafka:
    """
    Read how Kafka is reached from the table ``[kafka]`` of a file. Raises DeclarationError, which tells no value of it.
    """
    faults: list[Fault] = []
    table: dict[str, Any] = table_of(path, faults) or {}
    raise_all(faults)
    try:
        return Kafka(**table.get("kafka", {}))
    except ValidationError as error:
        raise DeclarationError(
            [Fault(str(path), ".".join(("kafka", *map(str, one["loc"]))), one["msg"].lower()) for one in error.errors()]
        ) from None
