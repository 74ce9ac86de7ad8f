"""
One night as a picture: where boats truly went, and where reports say that something was.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from html import escape
from typing import Final

from boutre.connectors.simulation.boats import Boat
from boutre.connectors.simulation.feeds import AIRCRAFT, CENTRE, COAST_GUARD, FISHERMAN, LOOKOUT, RADAR
from boutre.connectors.simulation.nights import Report, World
from boutre.connectors.simulation.sea import ANJOUAN, MAYOTTE, PETITE_TERRE, RADARS, Point, point
from boutre.connectors.simulation.telling import instant
from boutre.connectors.simulation.way import Fix

SCALE: Final = 7.0
"""Pixels of a kilometre."""

CORNER: Final = point(-12.05, 44.19)
WIDTH: Final = 1_000
HEIGHT: Final = 860
LEGEND_Y: Final = 530
ROW: Final = 21

COLOURS: Final = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#8c6d00", "#56b4e9", "#7b3294", "#c51b7d", "#1b7837", "#b2182b")
"""One for each boat that crosses; told apart by most of those who do not see all colours (after Okabe and Ito)."""

DECOY: Final = "#8a8f98"
NOTHING: Final = "#000000"

SIGNS: Final = {
    RADAR: "M-3,0a3,3 0 1,0 6,0a3,3 0 1,0 -6,0",
    AIRCRAFT: "M0,-6L6,5L-6,5Z",
    FISHERMAN: "M-5,-5H5V5H-5Z",
    LOOKOUT: "M0,-7L6,0L0,7L-6,0Z",
    COAST_GUARD: "M-7,-2H-2V-7H2V-2H7V2H2V7H-2V2H-7Z",
    CENTRE: "M-6,0a6,6 0 1,0 12,0a6,6 0 1,0 -12,0M-3,0a3,3 0 1,1 6,0a3,3 0 1,1 -6,0",
}
"""The sign of each observer, as a path about the place that it tells."""


def telling_night(world: World) -> int:
    """
    Give the night that shows most: the one whose crossings were reported by the most observers, most often.
    """
    night = {boat.id: boat.night for boat in world.boats if boat.crosses}
    seen = Counter(night[one.boat] for one in world.reports if one.boat in night)
    observers = {number: len({one.observer for one in world.reports if night.get(one.boat or "") == number}) for number in seen}
    return max(seen, key=lambda number: (observers[number], seen[number], -number), default=0)


def picture(world: World, night: int) -> str:
    """
    Draw one night as SVG: lines are true ways, signs are reports, a thin line leads from a report to where its boat truly was then.
    """
    fleet = [boat for boat in world.boats if boat.night == night]
    crossing = [boat for boat in fleet if boat.crosses]
    colour = {boat.id: COLOURS[number % len(COLOURS)] for number, boat in enumerate(crossing)}
    mine = [one for one in world.reports if _night_of(one, world) == night and one.value.get("position")]
    stations = [station.at for station in RADARS]
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="13">',
        f"<title>Night {night} of seed {world.seed}: true ways and reports</title>",
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#eef4f8"/>',
        *(f'<polygon points="{_points(land)}" fill="#d9d2bd" stroke="#8d8468"/>' for land in (ANJOUAN, MAYOTTE, PETITE_TERRE)),
        _text(*_at(point(-12.23, 44.33)), "Anjouan"),
        _text(*_at(point(-12.83, 45.12)), "Mayotte"),
        *(f'<path d="M-5,4L0,-7L5,4Z" transform="translate({x},{y})" fill="none" stroke="#333"/>' for x, y in map(_at, stations)),
        _scale(),
        *(_way(boat, colour.get(boat.id)) for boat in sorted(fleet, key=lambda boat: boat.crosses)),
        *(part for one in mine for part in _report(one, fleet, colour)),
        *_legend(night, crossing, colour, mine, world.seed),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _night_of(one: Report, world: World) -> int | None:
    begin = min((boat.night for boat in world.boats if boat.id == one.boat), default=None)
    # Of what was never there, the reference tells the night: every observer begins it so.
    return begin if begin is not None else int(str(one.value["origin"]["reference"]).partition("-")[0])


def _at(where: Point) -> tuple[float, float]:
    return round((where.east - CORNER.east) * SCALE, 1), round((CORNER.north - where.north) * SCALE, 1)


def _points(outline: Sequence[Point]) -> str:
    return " ".join(f"{x},{y}" for x, y in map(_at, outline))


def _text(x: float, y: float, words: str, colour: str = "#333") -> str:
    return f'<text x="{x}" y="{y}" fill="{colour}">{escape(words)}</text>'


def _scale() -> str:
    x, y = WIDTH - 30 - 20 * SCALE, HEIGHT - 24
    line = f'<path d="M{x},{y - 5}V{y}H{x + 20 * SCALE}V{y - 5}" fill="none" stroke="#333"/>'
    return line + _text(x + 45, y - 6, "20 km")


def _way(boat: Boat, colour: str | None) -> str:
    style = f'stroke="{colour}" stroke-width="2.2"' if colour else f'stroke="{DECOY}" stroke-width="1" stroke-dasharray="4 3"'
    return f'<polyline points="{_points([fix.where for fix in boat.track])}" fill="none" {style} opacity="0.75"/>'


def _report(one: Report, fleet: Sequence[Boat], colour: dict[str, str]) -> Iterator[str]:
    position = one.value["position"]
    x, y = _at(point(position["latitude"], position["longitude"]))
    shade = NOTHING if one.boat is None else colour.get(one.boat, DECOY)
    boat = next((boat for boat in fleet if boat.id == one.boat), None)
    going = boat.going(one.observed) if boat else None
    if going is not None:
        true_x, true_y = _at(going.where)
        yield f'<line x1="{x}" y1="{y}" x2="{true_x}" y2="{true_y}" stroke="{shade}" stroke-width="0.8" opacity="0.7"/>'
    style = f'fill="{shade}" fill-rule="evenodd" stroke="#fff" stroke-width="0.8"'
    yield f'<path d="{SIGNS[one.observer]}" transform="translate({x},{y})" {style}/>'


def _legend(night: int, crossing: Sequence[Boat], colour: dict[str, str], mine: Sequence[Report], seed: int) -> Iterator[str]:
    y = LEGEND_Y
    yield _text(14, y, f"Night {night} of seed {seed}: {len(crossing)} crossings, {len(mine)} reports. Times are UTC.")
    for boat in crossing:
        y += ROW
        yield f'<line x1="14" x2="44" y1="{y - 4}" y2="{y - 4}" stroke="{colour[boat.id]}" stroke-width="3"/>'
        told = sum(one.boat == boat.id for one in mine)
        when = f"{_clock(boat.track[0])} to {_clock(boat.track[-1])}"
        words = f"{boat.id}: {boat.persons} on board, {' and '.join(boat.colours)}, {when}, "
        yield _text(50, y, f"{words}{boat.outcome.replace('-', ' ')}, {told} {'report' if told == 1 else 'reports'}")
    y += ROW
    yield f'<line x1="14" x2="44" y1="{y - 4}" y2="{y - 4}" stroke="{DECOY}" stroke-dasharray="4 3"/>'
    yield _text(50, y, "boats that do not cross; black: nothing was there; hollow: radar stations")
    for observer, sign in SIGNS.items():
        y += ROW
        yield f'<path d="{sign}" transform="translate(29,{y - 4})" fill="#333" fill-rule="evenodd"/>'
        yield _text(50, y, observer.replace("-", " "))


def _clock(fix: Fix) -> str:
    return instant(fix.at).strftime("%H:%M")
