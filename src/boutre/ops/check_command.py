"""
``boutre check`` and ``boutre graph``: what is declared, proved without a broker, and drawn.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import click

from boutre.connectors import examples
from boutre.errors import DeclarationError, Fault
from boutre.ops.assembly import assemble
from boutre.ops.command import with_settings
from boutre.ops.connector_command import Desk
from boutre.ops.settings import Settings
from boutre.processors.pipeline import mermaid
from boutre.schemas import locking
from boutre.schemas.lock import folder_of
from boutre.topics.strict import raise_all


@click.command(epilog="Example: boutre check")
@with_settings
def check(settings: Settings) -> None:
    """
    Prove all that is declared: schemas and their locks, topics, zones, agreements with their examples, graph, feeds.

    Needs no broker. Tells everything that is wrong at once, with file and key; exit status 2.
    """
    faults: list[Fault] = []
    rooms: dict[str, Callable[[Settings], str]] = {"schemas": _schemas, "processors": _processors, "connectors": _connectors}
    for room, prove in rooms.items():
        try:
            click.echo(f"{room:<11} {prove(settings)}", err=True)
        except DeclarationError as error:
            faults += [fault for fault in error.faults if fault not in faults]
    raise_all(faults)


@click.command(epilog="Example: boutre graph > pipeline.mmd")
@with_settings
def graph(settings: Settings) -> None:
    """Draw the pipeline as Mermaid: members, steps, recipients and the topics between them."""
    click.echo(mermaid(assemble(settings.folder()).pipeline), nl=False)


def _schemas(settings: Settings) -> str:
    folder = folder_of(settings.folder())
    raise_all(locking.check(folder))
    return f"locked and compatible in {folder}"


def _processors(settings: Settings) -> str:
    assembly = assemble(settings.folder())
    agreements = assembly.pipeline.policy.agreements
    tried = sum(len(agreement.example) for agreement in agreements)
    declared = assembly.declarations
    return (
        f"{len(declared.topics)} topics, {len(declared.members)} members, {len(declared.recipients)} recipients, "
        f"{len(declared.zones)} zones, {len(agreements)} agreements, {tried} examples"
    )


def _connectors(settings: Settings) -> str:
    desk = Desk.of(settings)
    found = desk.feeds(())
    raise_all(list(_example_faults(desk)))
    return f"{len(found)} feeds, {sum(len(feed.examples) for feed in found)} examples"


def _example_faults(desk: Desk) -> Iterator[Fault]:
    for feed in desk.feeds(()):
        yield from examples.check(feed, desk.codec, desk.validator.check, datetime.now(UTC))
