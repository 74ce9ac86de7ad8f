"""
`boutre asyncapi`: what one party may read or write, as an AsyncAPI 3 document in its language; needs no cluster.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path

import click

from boutre.errors import DeclarationError, Fault
from boutre.ops.assembly import assemble
from boutre.ops.asyncapi.document import for_member, for_recipient
from boutre.ops.asyncapi.messages import Document
from boutre.ops.command import with_settings
from boutre.ops.settings import Settings


@click.command(epilog="Example: boutre asyncapi --recipient rmifc > rmifc.json")
@click.option("--recipient", help="What this recipient may read, and its way back.")
@click.option("--member", help="What this member may write, and what it is told.")
@click.option("--all", "folder", type=click.Path(file_okay=False, path_type=Path), help="Folder for one file for each party.")
@click.option("--on", type=click.DateTime(["%Y-%m-%d"]), help="From this day (UTC), by the agreements in force.  [default: today]")
@click.option("--server", help="host:port of Kafka.  [default: a variable of the document]")
@with_settings
def asyncapi(
    settings: Settings, *, recipient: str | None, member: str | None, folder: Path | None, on: datetime | None, server: str | None
) -> None:
    """
    Write what one party may read or write, as AsyncAPI 3 in JSON.

    A recipient's document has only the topics, kinds and fields that its agreements let through. Give each party its own.
    """
    if sum(one is not None for one in (recipient, member, folder)) != 1:
        raise click.UsageError("say one of --recipient, --member and --all")
    assembly = assemble(settings.folder())
    day = (on or datetime.now(UTC)).date()

    def reads(name: str) -> Document:
        return for_recipient(assembly, name, day, server)

    def writes(name: str) -> Document:
        return for_member(assembly, name, server)

    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        _all(folder, "recipient", assembly.declarations.recipients, reads)
        _all(folder, "member", assembly.declarations.members, writes)
    elif recipient is not None:
        click.echo(_text(_one("--recipient", recipient, assembly.declarations.recipients, reads)))
    elif member is not None:
        click.echo(_text(_one("--member", member, assembly.declarations.members, writes)))


def _one(option: str, name: str, known: Iterable[str], make: Callable[[str], Document]) -> Document:
    if name not in known:
        raise DeclarationError([Fault(option, name, f"there is none of this name; there are {', '.join(known)}")])
    return make(name)


def _all(folder: Path, role: str, names: Iterable[str], make: Callable[[str], Document]) -> None:
    for name in names:
        path = folder / f"{role}-{name}.json"
        path.write_text(f"{_text(make(name))}\n", encoding="utf-8")
        click.echo(str(path), err=True)


def _text(document: Document) -> str:
    return json.dumps(document, ensure_ascii=False, indent=2)
