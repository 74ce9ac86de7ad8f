"""
``boutre policy``: the sharing agreements tested, compared, tried on records of days gone by, and drawn.

What comes out holds names of fields and numbers, never a value of a record. Lawyers and centres read it: it is in both languages.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, TypeVar

import click
from rich.console import Console

from boutre.errors import DeclarationError
from boutre.ops import policy_tables
from boutre.ops.command import with_settings
from boutre.ops.policy_page import page
from boutre.ops.policy_replay import Source, replayed
from boutre.ops.policy_words import Tongue
from boutre.ops.proposal import agreement_files, is_bus, read_agreements, read_proposal
from boutre.ops.rehearsal import Rehearsal
from boutre.ops.settings import Language, Settings
from boutre.processors.difference import difference
from boutre.processors.edges import KINDS
from boutre.schemas import lock, vocabulary
from boutre.topics import bus

FOLDER: Final = click.Path(exists=True, file_okay=False, path_type=Path)
DAYS: Final = 30
"""How many days of the bus are replayed where nobody says."""

BOTH: Final = 2
"""Folders that are compared, where none of them is this bus."""

F = TypeVar("F", bound=Callable[..., object])


@click.group(epilog="Example: boutre policy replay --against proposed/ --from-bus --days 90")
def policy() -> None:
    """Test, compare, replay and draw the sharing agreements."""


def _output(command: F) -> F:
    return click.option(
        "--output", type=click.Choice(["table", "json"]), default="table", show_default=True, help="Form of the answer."
    )(command)


def _language(command: F) -> F:
    return click.option("--language", type=click.Choice(["en", "fr"]), help="Language of the words.  [default: settings]")(command)


@policy.command("test", epilog="Example: boutre policy test proposed/")
@click.argument("folder", required=False, type=FOLDER)
@_output
@with_settings
def test_command(settings: Settings, folder: Path | None, output: str) -> None:
    """
    Run the examples of all agreements, those of this bus or of FOLDER; exit status 1 where one does not come out as it says.

    What is wrong with an agreement itself is told with file and key, exit status 2, before any example counts.
    """
    root = settings.folder()
    chosen = folder or root
    at = chosen if is_bus(chosen) else root
    locked = lock.load(lock.folder_of(at))
    words = vocabulary.load(lock.folder_of(at) / "vocabularies")
    wrong: dict[tuple[str, str], str] = {}
    try:
        read_proposal(at, bus.load(at), locked, words, chosen)
    except DeclarationError as error:
        if others := [fault for fault in error.faults if not fault.key.startswith("example[")]:
            raise DeclarationError(others) from None
        wrong = {(Path(fault.file).name, fault.key): fault.message for fault in error.faults}
    rows = [
        {
            "file": file,
            "agreement": agreement.name,
            "example": example.name,
            "kind": example.kind,
            "wrong": wrong.get((file, f"example[{number}] {example.name}")),
        }
        for file, agreement in read_agreements(chosen).items()
        for number, example in enumerate(agreement.example)
    ]
    failed = sum(row["wrong"] is not None for row in rows)
    if output == "json":
        click.echo(json.dumps(rows, indent=2, ensure_ascii=False))
    else:
        for row in rows:
            click.echo(f"{'FAILS' if row['wrong'] else 'holds'}  {row['file']:<32}  {row['kind']:<12}  {row['example']}")
            if row["wrong"]:
                click.echo(f"       {row['wrong']}")
    click.echo(f"{len(rows)} examples, {failed} of which fail", err=True)
    if failed:
        raise click.exceptions.Exit(1)


@policy.command("diff", epilog="Example: boutre policy diff --against proposed/ --language fr")
@click.argument("folders", nargs=-1, type=FOLDER)
@click.option("--against", type=FOLDER, help="Compare the agreements of this bus with those of this folder.")
@click.option("--exit-code", is_flag=True, help="Exit status 1 where anything changes.")
@_language
@_output
@with_settings
def diff_command(
    settings: Settings, *, folders: tuple[Path, ...], against: Path | None, exit_code: bool, language: Language | None, output: str
) -> None:
    """
    Say what changes from the agreements of one folder to those of another: OLD NEW, or this bus and --against NEW.

    By recipient, kind and field: what was and what becomes, by which clause; every condition, date and purpose that says something
    else; who may have more, and who less.
    """
    if len(folders) != (0 if against else BOTH):
        raise click.UsageError("name two folders, OLD and NEW, or one with --against")
    here = Rehearsal.of(settings)
    old, new = (None, against) if against else folders
    assert new is not None  # one or two folders were named
    before, after = here if old is None else here.proposed(old), here.proposed(new)
    found = difference(before.assembly.pipeline.policy, after.assembly.pipeline.policy, here.fields)
    if output == "json":
        click.echo(json.dumps(policy_tables.plain_difference(found), indent=2, ensure_ascii=False))
    else:
        tongue = Tongue.of(after.assembly, language or settings.language)
        for part in policy_tables.difference_tables(found, tongue, here.fields):
            _console().print(part, soft_wrap=isinstance(part, str))
    if exit_code and found:
        raise click.exceptions.Exit(1)


@policy.command("replay", epilog="Example: boutre policy replay --against proposed/ --feed incidents-imb")
@click.option("--against", type=FOLDER, required=True, help="Folder of the proposed agreements, or a whole proposed bus.")
@click.option("--from-bus", is_flag=True, help="Replay what the bus accepted, as bus.records.")
@click.option(
    "--input", "files", multiple=True, type=click.Path(exists=True, path_type=Path), help="Replay a file or folder of records."
)
@click.option("--feed", "feeds", multiple=True, help="Replay what this feed's own input holds.")
@click.option(
    "--days", type=click.IntRange(1), help=f"Only those accepted in so many last days.  [default with --from-bus: {DAYS}]"
)
@click.option("--kind", type=click.Choice(KINDS), help="Kind of the records of --input, where neither they nor their ids say it.")
@click.option("--as-if-in-force", is_flag=True, help="As if every agreement, old and new, were in force throughout.")
@_language
@_output
@with_settings
def replay_command(
    settings: Settings,
    *,
    against: Path,
    from_bus: bool,
    files: tuple[Path, ...],
    feeds: tuple[str, ...],
    days: int | None,
    kind: str | None,
    as_if_in_force: bool,
    language: Language | None,
    output: str,
) -> None:
    """
    Run accepted records through release twice, under today's agreements and under the proposed ones, and count.

    Who would have had how many more or fewer, and which fields of them. A whole proposed bus may declare other recipients.
    """
    if not (from_bus or files or feeds):
        raise click.UsageError("say which records: --from-bus, --input FILE or --feed NAME")
    here = Rehearsal.of(settings)
    before, after = here, here.proposed(against)
    if as_if_in_force:
        before, after = before.always(), after.always()
    length = days or (DAYS if from_bus else None)
    since = None if length is None else datetime.now(UTC) - timedelta(days=length)
    run = replayed(before, after, Source(settings, here, files=files, feeds=feeds, from_bus=from_bus, kind=kind, since=since))
    if output == "json":
        click.echo(json.dumps(policy_tables.plain_replay(run), indent=2, ensure_ascii=False))
        return
    for part in policy_tables.replay_tables(run, Tongue.of(after.assembly, language or settings.language)):
        _console().print(part, soft_wrap=isinstance(part, str))


@policy.command("matrix", epilog="Example: boutre policy matrix --html matrix.html")
@click.option("--kind", "kinds", multiple=True, type=click.Choice(KINDS), help="Only this kind; several times for several.")
@click.option("--html", type=click.Path(dir_okay=False, writable=True, path_type=Path), help="Write a page in both languages.")
@click.option("--against", type=FOLDER, help="Draw the agreements of this folder instead.")
@_language
@_output
@with_settings
def matrix_command(
    settings: Settings,
    *,
    kinds: tuple[str, ...],
    html: Path | None,
    against: Path | None,
    language: Language | None,
    output: str,
) -> None:
    """
    Draw what each recipient may have of each field, by which clause: a page for a lawyer with --html, else a table.
    """
    here = Rehearsal.of(settings) if against is None else Rehearsal.of(settings).proposed(against)
    files = agreement_files(against or settings.folder())
    chosen = kinds or KINDS
    if html is not None:
        html.write_text(page(here.assembly, here.fields, chosen, files), encoding="utf-8")
        click.echo(f"written to {html}", err=True)
    elif output == "json":
        click.echo(json.dumps(policy_tables.plain_matrix(here.assembly.pipeline.policy, here.fields, chosen), indent=2))
    else:
        tongue = Tongue.of(here.assembly, language or settings.language, files)
        for part in policy_tables.matrix_tables(here.assembly.pipeline.policy, here.fields, chosen, tongue):
            _console().print(part, soft_wrap=isinstance(part, str))


def _console() -> Console:
    return Console(highlight=False, markup=False, emoji=False)
