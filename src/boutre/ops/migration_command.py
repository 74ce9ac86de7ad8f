"""
``boutre migration``: what the migration database holds, for those who may see it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click

from boutre.connectors.phrases import safe
from boutre.connectors.plain import line
from boutre.connectors.sinks.migration.database import Options
from boutre.connectors.sinks.migration.reading import read


@click.group(epilog="Example: boutre migration show vyq2... --url sqlite:///migration.db")
def migration() -> None:
    """Look into the migration database."""


@migration.command(epilog="Example: boutre migration show vyq2... --url sqlite:///migration.db --output json")
@click.argument("view")
@click.option("--url", required=True, help="Of the database, as its sink has it.")
@click.option("--keys", type=click.Path(path_type=Path, file_okay=False), help="Folder of its keys.  [SQLite: FILE.keys]")
@click.option("--output", type=click.Choice(["table", "json"]), default="table", show_default=True)
def show(view: str, *, url: str, keys: Path | None, output: str) -> None:
    """
    Show the VIEW of this id as it was delivered, its personal groups opened.

    Exit status 1 where its record was erased. The table leaves out what is unknown; JSON says it with null.
    """
    document = read(Options(url, keys), view)
    if output == "json":
        click.echo(line(document))
        return
    for path, value in _leaves(document):
        click.echo(f"{path}  {safe(str(value))}")


def _leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        for name, each in value.items():
            yield from _leaves(each, f"{path}.{name}" if path else name)
    elif isinstance(value, list):
        for number, each in enumerate(value):
            yield from _leaves(each, f"{path}[{number}]")
    elif value is not None:
        yield path, value
