"""
``boutre movement``: what the tracks in a file of NMEA show, as a list, as JSON, and on a map.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click
import msgspec
from rich import box
from rich.console import Console
from rich.table import Table

from boutre.connectors.sdk import Raw
from boutre.connectors.sources import ais
from boutre.errors import DeclarationError, Fault
from boutre.ops.command import with_settings
from boutre.ops.movement_map import draw
from boutre.ops.settings import Settings
from boutre.processors.movement import thresholds
from boutre.processors.movement.detection import ANOMALY, Detection, moment, sentence, subject_text
from boutre.processors.movement.fleet import Fleet
from boutre.processors.movement.report import Report, from_sighting
from boutre.processors.movement.track import Watch
from boutre.topics import bus
from boutre.topics.strict import raise_all


@dataclass(slots=True)
class Seen:
    """
    What went through: reports by subject, and what was found, in order of time; of what lasts, as it was told last.
    """

    reports: dict[str, list[Report]] = field(default_factory=dict)
    detections: list[Detection] = field(default_factory=list)
    ignored: dict[str, int] = field(default_factory=dict)


@click.command(epilog="Example: boutre movement samples/ais/denmark_2010.nmea --map out/denmark.svg")
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--output", type=click.Choice(["table", "json"]), default="table", show_default=True)
@click.option("--map", "drawn", type=click.Path(dir_okay=False, path_type=Path), help="Draw tracks and detections into this SVG.")
@click.option("--around", nargs=4, type=float, help="West, south, east, north of the map in degrees; else all that was heard.")
@click.option("--title", default="", help="What stands above the map.")
@with_settings
def movement(  # noqa: PLR0917 - one parameter for each option
    settings: Settings, files: tuple[Path, ...], output: str, drawn: Path | None, around: tuple[float, ...], title: str
) -> None:
    """List what the tracks of craft in FILES of NMEA show: gaps, loitering, meetings, jumps, identities, zones entered."""
    faults: list[Fault] = []
    rules = thresholds.load(settings.folder(), faults)
    raise_all(faults)
    assert rules is not None
    frame = _frame(around) if around else None
    seen = watch(read(files), Watch(rules, bus.load(settings.folder()).zones))
    if drawn is not None:
        drawn.parent.mkdir(parents=True, exist_ok=True)
        zones = bus.load(settings.folder()).zones
        drawn.write_text(draw(seen.reports, seen.detections, zones, frame, title or files[0].name), encoding="utf-8")
    if output == "json":
        click.echo(json.dumps([plain(one) for one in seen.detections], indent=2, ensure_ascii=False))
    elif seen.detections:
        _table(seen.detections, settings.language)
    _summary(seen)


def read(files: tuple[Path, ...]) -> Iterator[Report]:
    """
    Give the position reports of files of NMEA, in the order in which they stand.
    """
    for path in files:
        for item in ais.read(ais.Options(path=path), None):
            if isinstance(item, Raw) and (report := from_sighting(item.value)) is not None:
                yield report


def watch(reports: Iterator[Report], by: Watch) -> Seen:
    """
    Run all reports through the tracks; give them with what was found.
    """
    fleet, seen = Fleet(by), Seen()
    found: dict[str, Detection] = {}
    for report in reports:
        seen.reports.setdefault(report.subject, []).append(report)
        found.update((one.id, one) for one in fleet.take(report))
    found.update((one.id, one) for one in fleet.close())
    seen.detections = sorted(found.values(), key=lambda one: (one.begin, one.type, one.subject, one.id))
    seen.ignored = fleet.ignored
    return seen


def plain(told: Detection) -> dict[str, Any]:
    """
    Give a detection as plain values, with its sentence in both languages and the code of its anomaly.
    """
    value: dict[str, Any] = msgspec.to_builtins(told)
    value["facts"] = dict(told.facts)
    return value | {"anomaly": ANOMALY.get(told.type), "sentence": sentence(told)}


def _frame(around: tuple[float, ...]) -> tuple[float, float, float, float]:
    west, south, east, north = around
    if not (-180 <= west < east <= 180 and -90 <= south < north <= 90):  # noqa: PLR2004 - the whole Earth
        raise DeclarationError([Fault("--around", "", "is west, south, east, north in degrees, west and south first")])
    return west, south, east, north


def _table(detections: list[Detection], language: str) -> None:
    table = Table(box=box.SIMPLE)
    for heading in ("from", "what", "who", "certainty", "why"):
        table.add_column(heading)
    for one in detections:
        what = one.type if one.phase == "once" else f"{one.type} ({one.phase})"
        said = sentence(one)
        table.add_row(moment(one.begin), what, subject_text(one.subject), f"{one.certainty:.2f}", said.get(language, said["en"]))
    Console().print(table)


def _summary(seen: Seen) -> None:
    reports = sum(len(each) for each in seen.reports.values())
    times = [report.at for each in seen.reports.values() for report in each]
    span = f", from {moment(min(times))} to {moment(max(times))}" if times else ""
    click.echo(f"{reports} reports of {len(seen.reports)} craft{span}", err=True)
    counted = Counter(one.type for one in seen.detections)
    click.echo("found: " + (", ".join(f"{kind} {count}" for kind, count in sorted(counted.items())) or "nothing"), err=True)
    for reason, count in sorted(seen.ignored.items()):
        click.echo(f"not used: {count} ({reason})", err=True)
