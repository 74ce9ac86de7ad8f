"""
``boutre form``: templates of the reporting form, and a filled form tried before it is sent.
"""

from __future__ import annotations

from pathlib import Path

import click

from boutre.connectors.sdk import Raw
from boutre.connectors.sources.form import item
from boutre.connectors.sources.form_template import write
from boutre.errors import Unavailable
from boutre.language import LANGUAGES, say


@click.group()
def form() -> None:
    """
    Reporting forms for those who have no connector: a workbook or a table that is filled in and put into a folder.
    """


@form.command()
@click.option("--out", required=True, type=click.Path(dir_okay=False, path_type=Path), help="File to write: .xlsx or .csv.")
@click.option(
    "--language", type=click.Choice(LANGUAGES), default="fr", show_default=True, help="Language of the lists; labels have both."
)
def template(out: Path, language: str) -> None:
    """
    Write an empty form.
    """
    try:
        write(out, language)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--out") from error
    except OSError as error:
        raise Unavailable(f"{out.name} cannot be written: {error.strerror}") from error
    click.echo(str(out))


@form.command()
@click.argument("path", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--language", type=click.Choice(LANGUAGES), default="fr", show_default=True, help="Language of the answer.")
@click.pass_context
def check(context: click.Context, path: Path, language: str) -> None:
    """
    Say whether a filled form can be read, and everything that is wrong with it; nothing is sent.
    """
    found = item(path)
    if isinstance(found, Raw):
        click.echo(f"{path.name}: {found.kind} {found.reference}")
        return
    click.echo(
        say(f"reject.{found.code}", language, field=found.where.field, place=found.where.file, detail=found.detail), err=True
    )
    context.exit(1)
