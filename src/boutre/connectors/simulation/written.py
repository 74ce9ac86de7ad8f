"""
A world as files that others can read: reports as JSON lines, the truth as CSV. The same world gives the same bytes.
"""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final

from boutre.connectors.plain import line, stamp
from boutre.connectors.simulation.nights import World
from boutre.connectors.simulation.sea import degrees
from boutre.connectors.simulation.telling import instant
from boutre.durable import replace

REPORTS: Final = "reports.jsonl"
TRUTH: Final = "truth.csv"
BOATS: Final = "boats.csv"
TRACKS: Final = "tracks.csv"


def files(world: World) -> Mapping[str, str]:
    """
    Give the files of a world by name.

    ``reports.jsonl`` holds no truth: a report a line, as it came, with the record, its kind and when it came onto the bus.
    """
    return {REPORTS: _reports(world), TRUTH: _truth(world), BOATS: _boats(world), TRACKS: _tracks(world)}


def write(world: World, folder: Path) -> tuple[str, ...]:
    """
    Write the files of a world into *folder*, which is made where it is missing; give their names.
    """
    folder.mkdir(parents=True, exist_ok=True)
    made = files(world)
    for name, text in made.items():
        replace(folder / name, text.encode())
    return tuple(made)


def _reports(world: World) -> str:
    return "".join(
        f'{{"kind":{json.dumps(one.kind)},"arrived_at":"{stamp(instant(one.arrived))}","record":{line(one.value)}}}\n'
        for one in world.reports
    )


def _truth(world: World) -> str:
    head = ("report", "kind", "observer", "boat", "root", "observed_at", "arrived_at", "wrong")
    return _csv(
        head,
        (
            (
                one.id,
                one.kind,
                one.observer,
                one.boat or "",
                one.root,
                stamp(instant(one.observed)),
                stamp(instant(one.arrived)),
                " ".join(one.wrong),
            )
            for one in world.reports
        ),
    )


def _boats(world: World) -> str:
    head = ("boat", "night", "kind", "wanted", "outcome", "convoy", "persons", "colours", "length_m", "engines", "power_kw", "hull")
    told = Counter(one.boat for one in world.reports)
    rows = (
        (
            boat.id,
            boat.night,
            boat.kind,
            "yes" if boat.crosses else "no",
            boat.outcome,
            boat.convoy or "",
            boat.persons,
            " ".join(boat.colours),
            boat.length_m,
            boat.engines,
            boat.power_kw,
            boat.hull,
            " ".join(boat.markings),
            stamp(instant(boat.begin)),
            stamp(instant(boat.end)),
            told[boat.id],
        )
        for boat in world.boats
    )
    return _csv((*head, "markings", "left_at", "ended_at", "reports"), rows)


def _tracks(world: World) -> str:
    rows = ((boat.id, stamp(instant(fix.at)), *degrees(fix.where)) for boat in world.boats for fix in boat.track)
    return _csv(("boat", "at", "latitude", "longitude"), rows)


def _csv(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(head)
    writer.writerows(rows)
    return text.getvalue()
