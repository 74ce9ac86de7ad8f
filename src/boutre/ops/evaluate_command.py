"""
``boutre evaluate``: how well reports are matched, on a folder of which it is known which are of one incident.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import click
from rich import box
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from boutre.durable import replace
from boutre.errors import DeclarationError, Fault
from boutre.ops import evaluate_columns, evaluate_model
from boutre.ops.command import with_settings
from boutre.ops.evaluate_columns import Column
from boutre.ops.evaluate_feeds import Folder, Unused, read_folder
from boutre.ops.evaluate_plot import plot
from boutre.ops.settings import Settings
from boutre.processors.matching import model as modelling
from boutre.processors.matching import models
from boutre.processors.matching.ground import Ground, stock_positions
from boutre.processors.matching.judged import Bin, off
from boutre.processors.matching.learning import fingerprint
from boutre.processors.matching.matcher import Matcher
from boutre.processors.matching.model import Model, model_of
from boutre.processors.matching.models import Models
from boutre.processors.matching.tuning import FOLDS, HIDDEN, SHOWN, STEPS, tuned
from boutre.schemas import lock
from boutre.schemas.codec import Codec
from boutre.topics.strict import raise_all

INCIDENT: Final = "incident"
"""The name of the model that matches incidents reported by two sources."""

WIDTH: Final = 132
TOLD: Final = 20
"""Rows that could not be used, of which each is told by its place; JSON has all."""


@dataclass(frozen=True, slots=True)
class Job:
    """
    What is to be done with *folder*: learn anew into *learn*, and leave out what others make of it where *alone*.
    """

    folder: Path
    model: Path | None
    learn: Path | None
    alone: bool


@click.command(epilog="Example: boutre evaluate samples/incidents --plot out/reliability.svg")
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--model", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Weights to use.  [default: the bus's]")
@click.option(
    "--learn", type=click.Path(dir_okay=False, path_type=Path), help="Learn weights from FOLDER and write them into this file."
)
@click.option(
    "--plot",
    "drawn",
    type=click.Path(dir_okay=False, path_type=Path),
    default=Path("out/reliability.svg"),
    show_default=True,
    help="Draw into this file, as SVG, whether probabilities mean what they say.",
)
@click.option("--alone", is_flag=True, help="Leave out what other ways of linking make of the same reports.")
@click.option("--output", type=click.Choice(["table", "json"]), default="table", show_default=True, help="Form of the figures.")
@with_settings
def evaluate(  # noqa: PLR0917 - one parameter for each option
    settings: Settings,
    folder: Path,
    model: Path | None,
    learn: Path | None,
    drawn: Path,
    alone: bool,  # noqa: FBT001 - a flag
    output: str,
) -> None:
    """
    Link the reports of two feeds in FOLDER, and hold the links to the pairs that are known.

    FOLDER holds the files of two feeds of the bus, under the names that their declarations give, and same_incident.csv, the pairs
    of references that are known to be of one incident. Links are judged where one side stands in a known pair, with the names of
    ships shown and hidden. Where the weights were learnt from these very pairs, each stretch of time is judged by weights learnt on
    the others. The last line is JSON: precision, recall and F1 for both.
    """
    columns, told = _evaluated(settings, Job(folder, model, learn, alone))
    ours = columns[0]
    drawn.parent.mkdir(parents=True, exist_ok=True)
    replace(drawn, plot(ours.bins, f"{ours.name}: what was said, and what came true").encode())
    click.echo(f"reliability drawn in {drawn}", err=True)
    if output == "json":
        click.echo(json.dumps({**told, "columns": [one.plain() for one in columns], "bins": _plain_bins(ours.bins)}))
    else:
        console = Console(width=WIDTH)
        for part in (_figures(columns), *(_bins(mode, held) for mode, held in ours.bins.items())):
            console.print(part, highlight=False)
        for one in columns:
            console.print(f"{one.name}: {one.note}", highlight=False, soft_wrap=True)
    click.echo(json.dumps({mode: ours.scores[mode].rounded() for mode in (SHOWN, HIDDEN)}, allow_nan=False))


def _evaluated(settings: Settings, job: Job) -> tuple[list[Column], dict[str, object]]:
    root = settings.folder()
    declared = models.of(root)
    model = _model(declared, job.model)
    with _progress() as progress:
        bar = progress.add_task("read", total=None)
        read = read_folder(root, job.folder, Codec(lock.load(lock.folder_of(root))))
        progress.update(bar, total=1, completed=1)
        _said(read)
        ours, model = _ours(model, declared.ground(stock_positions(read.reports)), read, job, progress)
        columns = [ours]
        if not job.alone:
            modes = {SHOWN: read.reports, HIDDEN: read.without_names()}
            columns.append(evaluate_columns.distance_and_date(modes, read.known))
            bar = progress.add_task("Splink", total=FOLDS * len(modes))
            columns.append(evaluate_columns.by_splink(modes, declared.names, read.known, lambda: progress.advance(bar)))
    told = {
        "reports": len(read.reports),
        "known": len(read.known),
        "refused": dict(sorted(Counter(one.code for one in read.refused).items())),
        "unused": [{"file": one.file, "line": one.line, "column": one.column, "code": one.code} for one in _unused(read)],
        "repeated": read.repeated,
        "unread_pairs": read.unread,
        "model": model.rule,
        "learnt_on_these": model.file.learnt_on == fingerprint(read.known),
    }
    return columns, told


def _ours(model: Model, ground: Ground, read: Folder, job: Job, progress: Progress) -> tuple[Column, Model]:
    """Match by the model, learning it first where that is asked for; what it was learnt from is judged held out."""
    matcher = Matcher(model, ground)
    modes = {SHOWN: matcher.compare(read.reports), HIDDEN: matcher.compare(read.without_names())}
    if job.learn is not None:
        bar = progress.add_task("learn", total=STEPS)
        model = model_of(tuned(model.file, modes, read.known, step=lambda: progress.advance(bar)))
    model = evaluate_columns.ready(model)
    bar = progress.add_task("match", total=1)
    if model.file.learnt_on == fingerprint(read.known):
        ours = evaluate_columns.of_the_rest(model, modes, read.known)
        click.echo(f"{model.rule} was learnt from these pairs: every figure is of reports that its weights had not seen", err=True)
    else:
        ours = evaluate_columns.unseen(model, modes, read.known)
        click.echo(f"{model.rule} was not learnt from these pairs: its weights are used as they are", err=True)
    progress.update(bar, completed=1)
    if job.learn is not None:
        evaluate_model.write(job.learn, model.file, evaluate_model.from_pairs(len(read.known), ours.scores))
        click.echo(f"{model.rule} learnt, and written into {job.learn}", err=True)
    return ours, model


def _model(declared: Models, path: Path | None) -> Model:
    if path is not None:
        faults: list[Fault] = []
        read = modelling.load(path, faults)
        raise_all(faults)
        assert read is not None
        return read
    found = next((one for one in declared.models if one.file.name == INCIDENT), None)
    if found is None:
        raise DeclarationError([Fault(modelling.FOLDER, INCIDENT, "no model has this name: the bus does not match incidents")])
    return found


def _unused(read: Folder) -> tuple[Unused, ...]:
    return (*read.refused, *read.odd)


def _said(read: Folder) -> None:
    click.echo(f"{len(read.reports)} reports, {len(read.known)} known pairs", err=True)
    if read.refused:
        click.echo(f"{len(read.refused)} rows refused", err=True)
    if read.odd:
        click.echo(f"{len(read.odd)} rows of the known pairs left out", err=True)
    unused = _unused(read)
    for one in unused[:TOLD]:
        click.echo(f"  {one}", err=True)
    if len(unused) > TOLD:
        click.echo(f"  and {len(unused) - TOLD} more: --output json has them all", err=True)
    if read.repeated:
        click.echo(f"{read.repeated} rows left out: an earlier one bears the same reference", err=True)
    if read.unread:
        click.echo(
            f"{read.unread} known pairs name a report that was refused or is in neither feed: they count as missed", err=True
        )


@contextmanager
def _progress() -> Iterator[Progress]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        yield progress


def _figures(columns: Sequence[Column]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, title="Links with a side in the known pairs", title_justify="left")
    table.add_column("")
    for mode in ("names shown", "names hidden"):
        for name in ("precision", "recall", "F1", "off by"):
            table.add_column(f"{name}\n{mode}" if name == "precision" else name, justify="right")
    for one in columns:
        cells = [cell for mode in (SHOWN, HIDDEN) for cell in _cells(one, mode)]
        table.add_row(one.name, *cells)
    return table


def _cells(one: Column, mode: str) -> tuple[str, str, str, str]:
    if mode not in one.scores:
        return "-", "-", "-", "-"
    what = one.scores[mode]
    away = f"{off(one.bins[mode]):.3f}" if mode in one.bins else "-"
    return f"{what.precision:.3f}", f"{what.recall:.3f}", f"{what.f1:.3f}", away


def _bins(mode: str, held: Sequence[Bin]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, title=f"What was said, and what came true: {mode.replace('_', ' ')}", title_justify="left")
    for name in ("from", "to", "pairs", "said", "true", "share"):
        table.add_column(name, justify="right")
    for one in held:
        table.add_row(
            f"{one.least:g}", f"{one.most:g}", str(one.pairs), f"{one.mean:.3f}", str(one.true), f"{one.true / one.pairs:.3f}"
        )
    return table


def _plain_bins(bins: Mapping[str, Sequence[Bin]]) -> dict[str, list[dict[str, float]]]:
    return {
        mode: [
            {"least": one.least, "most": one.most, "pairs": one.pairs, "said": round(one.mean, 4), "true": one.true} for one in held
        ]
        for mode, held in bins.items()
    }
