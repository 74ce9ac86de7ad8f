"""
``boutre simulate``: nights in the corridor that never were, matched, and judged by the truth.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import click
from rich import box
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from boutre.connectors.simulation.nights import World, nights
from boutre.connectors.simulation.picture import picture, telling_night
from boutre.connectors.simulation.written import write
from boutre.durable import replace
from boutre.errors import BusError
from boutre.ops import simulate_learn
from boutre.ops.command import with_settings
from boutre.ops.settings import Settings
from boutre.ops.simulate_learn import Lesson
from boutre.processors.corridor_alerts import Alerting, Known
from boutre.processors.corridor_report import BASELINE, Report, Score, corridor_report, distance_and_time
from boutre.processors.matching import models
from boutre.processors.matching.apart import against
from boutre.processors.matching.found import Found
from boutre.processors.matching.matcher import Matcher as BusMatcher
from boutre.processors.matching.sighted import Sighted, sighted

Matcher = Callable[[Sequence[Sighted]], Sequence[Found]]
"""Finds which reports of all those given are of one craft or event."""

CRAFT: Final = "same-craft"
"""The type of links that are judged here."""

MOST_NIGHTS: Final = 3_650

PROGRESS: Final = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())


@click.command(epilog="Example: boutre simulate --seed 7 --nights 30 --write corridor/ --map night.svg")
@click.option("--seed", type=int, default=7, show_default=True, help="The same seed gives the same nights.")
@click.option("--nights", "count", type=click.IntRange(1, MOST_NIGHTS), default=30, show_default=True, help="How many nights.")
@click.option(
    "--write", "folder", type=click.Path(file_okay=False, path_type=Path), help="Write reports and truth into this folder."
)
@click.option("--map", "drawn", type=click.Path(dir_okay=False, path_type=Path), help="Draw one night into this file, as SVG.")
@click.option("--night", type=click.IntRange(min=0), help="The night to draw.  [default: the one that shows most]")
@click.option("--learn", type=click.Path(dir_okay=False, path_type=Path), help="Learn the weights of craft and write them here.")
@click.option(
    "--learn-from",
    type=int,
    nargs=2,
    default=(101, 124),
    show_default=True,
    help="First and last seed to learn from.",
)
@click.option("--output", type=click.Choice(["table", "json"]), default="table", show_default=True, help="Form of the answer.")
@with_settings
def simulate(
    settings: Settings,
    *,
    seed: int,
    count: int,
    folder: Path | None,
    drawn: Path | None,
    night: int | None,
    learn: Path | None,
    learn_from: tuple[int, int],
    output: str,
) -> None:
    """
    Simulate nights between Anjouan and Mayotte, link their reports, and hold links and alerts to the truth.

    Nothing of it is real, and every record says so. What --learn learns from nights of other seeds is held to the truth beside the
    bus's own. The last line of the answer is JSON; --output json gives that line alone.
    """
    lesson = Lesson(*learn_from, count)
    if learn is not None:
        lesson.check(seed)
    world = nights(seed, count)
    if folder is not None:
        click.echo(f"{', '.join(write(world, folder))} written to {folder}", err=True)
    if drawn is not None:
        chosen = telling_night(world) if night is None else night
        if chosen >= count:
            raise click.BadParameter(f"there are {count} nights, the last of them is {count - 1}", param_hint="--night")
        drawn.parent.mkdir(parents=True, exist_ok=True)
        replace(drawn, picture(world, chosen).encode())
        click.echo(f"night {chosen} drawn in {drawn}", err=True)
    by = matchers(settings.folder())
    if learn is not None:
        by = {**by, **_learnt(learn, lesson, by, world)}
    reports = judged(world, by)
    if output == "table":
        console = Console(width=132)
        for part in _parts(world, reports):
            console.print(part, highlight=False)
    click.echo(json.dumps(_plain(world, reports), allow_nan=False))


def matchers(root: Path) -> dict[str, Matcher]:
    """
    Give what is compared, by name: the models by which the bus at *root* matches craft, and distance and time alone.
    """
    by_craft = [one for one in models.of(root).matchers() if one.model.file.type == CRAFT]
    return {**{one.model.rule: one for one in by_craft}, BASELINE: distance_and_time}


def _learnt(path: Path, lesson: Lesson, by: Mapping[str, Matcher], shown: World) -> dict[str, Matcher]:
    """Learn the bus's model of craft anew, write it, and give it under a name of its own."""
    ours = [one for one in by.values() if isinstance(one, BusMatcher)]
    if len(ours) != 1:
        raise BusError(f"the bus has {len(ours)} models of craft, and one is learnt")
    with Progress(*PROGRESS, console=Console(stderr=True), transient=True) as progress:
        bar = progress.add_task("learn", total=len(lesson.seeds))
        made = simulate_learn.learn(ours[0], lesson, lambda: progress.advance(bar))
    simulate_learn.write(path, made, lesson, shown)
    click.echo(f"{made.model.rule} learnt, and written into {path}", err=True)
    return {f"{made.model.rule} learnt": made}


def judged(world: World, by: Mapping[str, Matcher]) -> list[Report]:
    """
    Link a world's reports by each matcher, and hold what it found to the truth.
    """
    known = [Known(one.id, one.observer, one.boat, one.root, one.arrived) for one in world.reports]
    seen = [sighted(one.kind, one.value) for one in world.reports]
    return [
        corridor_report(
            name, known, seen, match(seen), world.wanted, against=against(match, seen) if isinstance(match, BusMatcher) else None
        )
        for name, match in by.items()
    ]


def _plain(world: World, reports: Sequence[Report]) -> dict[str, Any]:
    return {
        "seed": world.seed,
        "nights": world.nights,
        "boats": len(world.boats),
        "crossings": len(world.wanted),
        "reports": len(world.reports),
        "matchers": {report.matcher: report.plain() for report in reports},
    }


def _parts(world: World, reports: Sequence[Report]) -> Iterator[str | Table]:
    wrong = sum(bool(one.wrong) for one in world.reports)
    nothing = sum(one.boat is None for one in world.reports)
    retold = sum(one.root != one.id for one in world.reports)
    yield (
        f"Seed {world.seed}, {world.nights} nights: {len(world.boats)} boats, {len(world.wanted)} of them crossings; "
        f"{len(world.reports)} reports, {wrong} with something wrong, {retold} told again, {nothing} of nothing."
    )
    yield _scores(reports)
    for report in reports:
        yield _observers(report)
        yield _bins(report)


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD)
    for number, column in enumerate(columns):
        table.add_column(column, justify="right" if number else "left")
    return table


def _scores(reports: Sequence[Report]) -> Table:
    table = _table("Held to the truth", "", *(report.matcher for report in reports))
    judgements: tuple[tuple[str, Callable[[Report], Score]], ...] = (
        ("links", lambda report: report.links),
        ("pairs in one cluster", lambda report: report.pairs),
        ("clusters (B-cubed)", lambda report: report.clusters),
    )
    for name, of in judgements:
        for measure in ("precision", "recall", "f1"):
            table.add_row(f"{name}: {measure}", *(f"{getattr(of(report), measure):.3f}" for report in reports))
    counts: tuple[tuple[str, Callable[[Alerting], str]], ...] = (
        ("crossings that somebody reported", lambda alerts: str(alerts.boats)),
        ("of these alerted", lambda alerts: str(alerts.alerted)),
        ("missed", lambda alerts: str(alerts.missed)),
        ("threads of alerts", lambda alerts: str(alerts.threads)),
        ("false", lambda alerts: str(alerts.false)),
        ("duplicate", lambda alerts: str(alerts.duplicates)),
        ("time to alert, median", lambda alerts: _minutes(alerts.median_s)),
        ("time to alert, nine in ten", lambda alerts: _minutes(alerts.p90_s)),
    )
    for name, told in counts:
        table.add_row(name, *(told(report.alerts) for report in reports))
    return table


def _observers(report: Report) -> Table:
    table = _table(
        f"{report.matcher}: reports by observer", "observer", "reports", "have another", "linked rightly", "linked wrongly"
    )
    for row in report.observers:
        table.add_row(row.observer, str(row.reports), str(row.to_link), str(row.linked), str(row.mislinked))
    return table


def _bins(report: Report) -> Table:
    table = _table(f"{report.matcher}: do its probabilities mean what they say", "probability", "links", "said", "held")
    for each in report.reliability:
        table.add_row(f"{each.low:.1f} to {each.high:.1f}", str(each.links), f"{each.said:.2f}", f"{each.held:.2f}")
    return table


def _minutes(seconds: float | None) -> str:
    return "none" if seconds is None else f"{seconds / 60:.0f} min"
