"""
Tracks and detections as a map in SVG: reports in grey, each detection with a mark, a number and a line in the list beside it.

Plate carrée, stretched so that a kilometre is as long in both directions in the middle of the map. No coast is drawn:
a bus declares none for all waters. Zones are; and where many report, the coast shows by itself.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Final
from xml.sax.saxutils import escape

from boutre.processors.movement.detection import Detection, moment, subject_text
from boutre.processors.movement.places import KM_PER_DEGREE
from boutre.processors.movement.report import Report
from boutre.topics.zones import Zones

Frame = tuple[float, float, float, float]
"""West, south, east, north in degrees."""

WIDTH: Final = 640.0
TALLEST: Final = 720.0
LIST: Final = 330.0
TOP: Final = 40.0
BOTTOM: Final = 34.0
MOST_LISTED: Final = 24
COLOURS: Final[Mapping[str, str]] = {  # told apart by people who do not see red and green (Okabe and Ito)
    "gap": "#0072B2",
    "loitering": "#E69F00",
    "rendezvous": "#009E73",
    "dark-rendezvous": "#000000",
    "impossible-jump": "#D55E00",
    "two-hulls": "#D55E00",
    "circle": "#CC79A7",
    "identity-change": "#882255",
    "identity-successor": "#882255",
    "identity-shared": "#882255",
    "zone-entry": "#56B4E9",
}
STYLE: Final = (
    "text{font:12px sans-serif;fill:#222}.small{font-size:10px;fill:#555}.zone{fill:#f4f1e8;stroke:#b9ad8a;stroke-width:.8;"
    "fill-opacity:.55}.grid{stroke:#ddd;stroke-width:.6}.track{fill:none;stroke:#9a9a9a;stroke-width:1}.at{fill:#6f6f6f}"
    ".contact{fill:#fff;stroke:#333}.jump{stroke-dasharray:5 4;fill:none;stroke-width:1.4}"
)


class Plane:
    """
    Where a place (degrees WGS 84) stands on the sheet.
    """

    def __init__(self, frame: Frame) -> None:
        self.west, self.south, self.east, self.north = frame
        squeeze = max(0.05, math.cos(math.radians((self.south + self.north) / 2)))
        wide, high = (self.east - self.west) * squeeze, self.north - self.south
        self.scale = min(WIDTH / wide, TALLEST / high)  # pixels for a degree of latitude
        self.across = self.scale * squeeze
        self.width, self.height = wide * self.scale, high * self.scale

    def at(self, latitude: float, longitude: float) -> tuple[float, float]:
        """Give the point of a place."""
        return round((longitude - self.west) * self.across, 1), round(TOP + (self.north - latitude) * self.scale, 1)

    def holds(self, latitude: float, longitude: float) -> bool:
        """Whether a place is on the sheet."""
        return self.west <= longitude <= self.east and self.south <= latitude <= self.north


def draw(
    reports: Mapping[str, Sequence[Report]], detections: Sequence[Detection], zones: Zones, frame: Frame | None, title: str
) -> str:
    """
    Draw a map of *frame*, or of all that was reported; give the SVG.
    """
    plane = Plane(frame or bounds(reports))
    shown = [one for one in detections if plane.holds(one.latitude, one.longitude)]
    height = max(TOP + plane.height + BOTTOM, TOP + 40 + 34 * min(len(shown), MOST_LISTED + 1) + 20)
    wide = plane.width + LIST + 16
    body = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {_size(wide, height)} role="img">',
        f"<title>{escape(title)}</title>",
        f"<style>{STYLE}</style>",
        f'<clipPath id="sheet"><rect x="0" y="{TOP:.0f}" width="{plane.width:.1f}" height="{plane.height:.1f}"/></clipPath>',
        '<rect x="-8" width="100%" height="100%" fill="#fff"/>',
        f'<text x="0" y="18" style="font-weight:bold;font-size:14px">{escape(title)}</text>',
        f'<text x="0" y="33" class="small">{escape(_told(reports, shown, detections))}</text>',
        '<g clip-path="url(#sheet)">',
        f'<rect x="0" y="{TOP:.0f}" width="{plane.width:.1f}" height="{plane.height:.1f}" fill="#eef4f8"/>',
        *_zones(zones, plane),
        *_grid(plane),
        *_tracks(reports, plane),
        *(part for one in shown for part in _mark(one, plane)),
        "</g>",
        *_numbers(shown, plane),
        *_scale(plane),
        *_list(shown, plane),
        "</svg>",
    ]
    return "\n".join(body) + "\n"


def _size(wide: float, height: float) -> str:
    return f'viewBox="-8 0 {wide:.0f} {height:.0f}" width="{wide:.0f}" height="{height:.0f}"'


def bounds(reports: Mapping[str, Sequence[Report]]) -> Frame:
    """
    Give the frame of all reports, with a margin; the whole Earth where there are none.
    """
    places = [(one.latitude, one.longitude) for each in reports.values() for one in each]
    if not places:
        return -180.0, -90.0, 180.0, 90.0
    south, north = min(one[0] for one in places), max(one[0] for one in places)
    west, east = min(one[1] for one in places), max(one[1] for one in places)
    margin = max(0.02, 0.06 * max(north - south, east - west))
    return max(-180, west - margin), max(-90, south - margin), min(180, east + margin), min(90, north + margin)


def _told(reports: Mapping[str, Sequence[Report]], shown: Sequence[Detection], all_: Sequence[Detection]) -> str:
    times = [one.at for each in reports.values() for one in each]
    span = f", {moment(min(times))} to {moment(max(times))}" if times else ""
    beyond = f", {len(all_) - len(shown)} more outside of the map" if len(all_) > len(shown) else ""
    return f"{len(times)} reports of {len(reports)} craft{span}; {len(shown)} detections{beyond}"


def _zones(zones: Zones, plane: Plane) -> Iterator[str]:
    for zone in zones.values():
        for part in getattr(zone.geometry, "geoms", [zone.geometry]):
            points = [plane.at(latitude, longitude) for longitude, latitude in part.exterior.coords]
            yield f'<polygon class="zone" points="{_points(points)}"><title>{escape(zone.name)}</title></polygon>'
        middle = zone.geometry.representative_point()
        x, y = plane.at(middle.y, middle.x)
        if plane.holds(middle.y, middle.x) and 60 < x < plane.width - 60:  # noqa: PLR2004 - pixels: room for the name
            yield f'<text class="small" x="{x}" y="{y}" text-anchor="middle" style="fill:#97895f">{escape(zone.name)}</text>'


def _grid(plane: Plane) -> Iterator[str]:
    step = _round_number(max(plane.north - plane.south, plane.east - plane.west) / 6)
    for count in range(math.ceil(plane.south / step), math.floor(plane.north / step) + 1):
        _, y = plane.at(count * step, plane.west)
        yield f'<line class="grid" x1="0" x2="{plane.width:.1f}" y1="{y}" y2="{y}"/>'
        yield f'<text class="small" x="3" y="{y - 2:.1f}">{_degrees(count * step, "N", "S")}</text>'
    for count in range(math.ceil(plane.west / step), math.floor(plane.east / step) + 1):
        x, _ = plane.at(plane.north, count * step)
        yield f'<line class="grid" y1="{TOP:.0f}" y2="{TOP + plane.height:.1f}" x1="{x}" x2="{x}"/>'
        yield f'<text class="small" x="{x + 2:.1f}" y="{TOP + plane.height - 4:.1f}">{_degrees(count * step, "E", "W")}</text>'


def _tracks(reports: Mapping[str, Sequence[Report]], plane: Plane) -> Iterator[str]:
    for subject, each in sorted(reports.items()):
        ordered = sorted(each, key=lambda one: one.at)
        if not any(plane.holds(one.latitude, one.longitude) for one in ordered):
            continue
        places = [plane.at(one.latitude, one.longitude) for one in ordered]
        identified = ordered[0].identified
        yield f"<g><title>{escape(subject_text(subject))}</title>"
        # What no craft sails is no line between two points: hulls are parted where a step is wider than a sixth of the map.
        for run in _runs(places, plane.width / 6) if identified else ():
            if len(set(run)) > 1:
                yield f'<polyline class="track" points="{_points(run)}"/>'
        kind, radius = ("at", 1.2) if identified else ("contact", 2.4)
        yield "".join(f'<circle class="{kind}" cx="{x}" cy="{y}" r="{radius}"/>' for x, y in _thinned(places)) + "</g>"


def _runs(places: Sequence[tuple[float, float]], widest: float) -> Iterator[list[tuple[float, float]]]:
    run = [places[0]]
    for place in places[1:]:
        if math.dist(run[-1], place) > widest:
            yield run
            run = []
        run.append(place)
    yield run


def _thinned(places: Sequence[tuple[float, float]]) -> Iterator[tuple[float, float]]:
    last: tuple[float, float] | None = None
    for place in places:
        if last is None or math.dist(last, place) >= 3:  # noqa: PLR2004 - pixels
            yield place
            last = place


def _mark(one: Detection, plane: Plane) -> Iterator[str]:
    colour = COLOURS.get(one.type, "#444")
    x, y = plane.at(one.latitude, one.longitude)
    values = {each.name: each.value for each in one.evidence}
    if one.type != "zone-entry":
        for other in ("from", "to"):
            if f"{other}_latitude" in values:
                from_x, from_y = plane.at(values[f"{other}_latitude"], values[f"{other}_longitude"])
                yield f'<line class="jump" stroke="{colour}" x1="{from_x}" y1="{from_y}" x2="{x}" y2="{y}"/>'
    radius = max(5.0, values.get("farthest", values.get("radius", 0.0)) / KM_PER_DEGREE * plane.scale)
    yield f'<circle cx="{x}" cy="{y}" r="{radius:.1f}" fill="{colour}" fill-opacity=".18" stroke="{colour}" stroke-width="1.6"/>'


def _numbers(shown: Sequence[Detection], plane: Plane) -> Iterator[str]:
    # Each beside its mark, where no number stands yet; in a crowd some stand on others all the same.
    taken: list[tuple[float, float]] = []
    for number, one in enumerate(shown, 1):
        x, y = plane.at(one.latitude, one.longitude)
        places = [(x + right, y + down) for down in (-6, 14, 4, -18, 26) for right in (8, -22)]
        free = (place for place in places if all(abs(place[0] - a) > 15 or abs(place[1] - b) > 11 for a, b in taken))  # noqa: PLR2004 - pixels
        at_x, at_y = next(free, places[0])
        taken.append((at_x, at_y))
        colour = COLOURS.get(one.type, "#444")
        yield f'<text x="{at_x:.1f}" y="{at_y:.1f}" style="font-weight:bold;fill:{colour}">{number}</text>'


def _scale(plane: Plane) -> Iterator[str]:
    km = _round_number((plane.north - plane.south) * KM_PER_DEGREE / 4)
    length, y = km / KM_PER_DEGREE * plane.scale, TOP + plane.height + 14
    yield f'<path d="M0 {y - 4:.1f}v8M0 {y:.1f}h{length:.1f}m0 -4v8" stroke="#222" fill="none"/>'
    yield f'<text class="small" x="{length + 6:.1f}" y="{y + 4:.1f}">{km:g} km</text>'


def _list(shown: Sequence[Detection], plane: Plane) -> Iterator[str]:
    x, y = plane.width + 16, TOP + 12
    yield f'<text x="{x:.0f}" y="{y:.0f}" style="font-weight:bold">Detections</text>'
    if not shown:
        yield f'<text x="{x:.0f}" y="{y + 18:.0f}" class="small">none</text>'
    for number, one in enumerate(shown[:MOST_LISTED], 1):
        y += 30
        what = one.type if one.phase == "once" else f"{one.type}, {one.phase}"
        colour = COLOURS.get(one.type, "#444")
        yield f'<circle cx="{x + 5:.0f}" cy="{y - 4:.0f}" r="5" fill="{colour}" fill-opacity=".18" stroke="{colour}"/>'
        yield (
            f'<text x="{x + 16:.0f}" y="{y:.0f}"><tspan style="font-weight:bold;fill:{colour}">{number}</tspan> '
            f"{escape(what)} (certainty {one.certainty:g})</text>"
        )
        yield f'<text class="small" x="{x + 16:.0f}" y="{y + 12:.0f}">{escape(_short(one))}</text>'
    if len(shown) > MOST_LISTED:
        yield f'<text class="small" x="{x:.0f}" y="{y + 30:.0f}">and {len(shown) - MOST_LISTED} more</text>'


def _short(one: Detection) -> str:
    who = " + ".join(subject_text(each) for each in (one.subject, *one.others))
    values = {each.name: each.value for each in one.evidence}
    wanted = (("distance", "km"), ("implied_speed", "kn"), ("duration", "min" if one.type == "circle" else "h"), ("radius", "km"))
    numbers = [
        f"{values[name]:,.0f} {unit}" if values[name] >= 100 else f"{values[name]:.3g} {unit}"  # noqa: PLR2004 - three digits
        for name, unit in wanted
        if name in values
    ]
    facts = [text for name in ("zone_name", "reception", "from", "to") if (text := one.fact(name))]
    return ", ".join([who, moment(one.begin)[11:16], *facts, *numbers])


def _points(places: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{x},{y}" for x, y in places)


def _round_number(value: float) -> float:
    power = 10.0 ** math.floor(math.log10(value))
    return next(step * power for step in (5, 2, 1) if step * power <= value)


def _degrees(value: float, positive: str, negative: str) -> str:
    return f"{abs(round(value, 4)):g}°{positive if value >= 0 else negative}"
