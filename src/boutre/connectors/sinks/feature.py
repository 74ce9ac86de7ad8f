"""
A view as a feature of GeoJSON (RFC 7946): pure.

Longitude stands before latitude, in degrees WGS 84. A view whose position is unknown or withheld is a feature with a null geometry:
it is in the table, and not on the map. Which of the two it is stands under ``withheld``. A link has no place
either: its two views are on the map, and its columns name them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

from boutre.connectors.delivery import LINK, Delivery
from boutre.connectors.plain import plain, stamp
from boutre.schemas.marks import Sealed, Withheld

HALF_TURN: Final = 180.0
QUARTER_TURN: Final = 90.0
TRIANGLE: Final = 3

PROPERTIES: Final[Mapping[str, str]] = {
    "status": "lifecycle.status",
    "member": "origin.member",
    "type": "event.type",
    "outcome": "event.outcome",
    "observed": "times.observed.at",
    "observed_precision": "times.observed.precision",
    "reported": "times.reported.at",
    "accepted": "times.accepted_at",
    "severity": "warning.severity",
    "urgency": "warning.urgency",
    "certainty": "warning.certainty",
    "craft": "craft.kind",
    "persons_min": "persons.total.min",
    "persons_max": "persons.total.max",
    "dead_min": "persons.dead.min",
    "missing_min": "persons.missing.min",
    "people_outcome": "persons.outcome",
    "action": "action.kind",
    "accuracy_m": "position.accuracy_m",
    "fix": "position.fix",
    "place": "position.place",
    "course_deg": "movement.course_deg",
    "speed_kn": "movement.speed_kn",
    "reliability": "assessment.reliability",
    "credibility": "assessment.credibility",
    "probability": "assessment.probability",
    "tlp": "handling.tlp",
}
"""
The columns of the map's table, each with the field of the record that fills it; null where unknown, withheld or not of this kind.
"""

OF_A_LINK: Final[Mapping[str, str]] = {
    "link_type": "link.type",
    "link_status": "link.status",
    "link_reason": "link.reason",
    "link_views": "link.views",
    "link_records": "link.records",
    "link_probability": "link.probability",
    "link_rule": "link.rule",
    "link_by": "link.by",
    "link_independent": "link.independent",
    "link_explanation_en": "link.explanation.en",
    "link_explanation_fr": "link.explanation.fr",
    "link_evidence": "link.evidence",
}
"""
More columns, of links alone. The two views and the two records are lists, in one order; ``link_views`` are ids of other features.
"""


def feature(view: Delivery) -> dict[str, Any]:
    """
    Give the feature of *view*, under the view's id.

    ``altered`` names each field that is not as its source gave it, with how: a position that was put on a grid is there with the
    grid's name, and ``accuracy_m`` is the radius in which the true one lies.
    """
    value = view.value
    states = value["view"]["fields"]
    withheld = {name: plain(group)["withheld"] for name, group in value.items() if isinstance(group, Withheld)}
    withheld |= {
        each["field"]: {"agreement": None, "clause": each["clause"], "ask": None}
        for each in states
        if each["state"] == "withheld" and each["field"] not in withheld
    }
    columns = {**PROPERTIES, **OF_A_LINK} if view.kind == LINK else PROPERTIES
    properties: dict[str, Any] = {
        "of": view.of,
        "kind": view.kind,
        "exercise": value["exercise"],
        "released": stamp(view.timestamp),
        **{name: plain(field(value, path)) for name, path in columns.items()},
        "altered": {each["field"]: each["method"] or each["state"] for each in states if each["state"] != "withheld"},
        "withheld": withheld,
        "sealed": [name for name, group in value.items() if isinstance(group, Sealed)],
    }
    return {"type": "Feature", "id": view.id, "geometry": geometry(value), "properties": properties}


def field(value: Mapping[str, Any], path: str) -> Any:
    """
    Give the field at a dotted *path*; None where any part of the way is unknown, withheld or sealed.
    """
    found: Any = value
    for part in path.split("."):
        if not isinstance(found, Mapping):
            return None
        found = found.get(part)
    return None if isinstance(found, Withheld | Sealed) else found


def geometry(value: Mapping[str, Any]) -> dict[str, Any] | None:
    """
    Give the point of the position; where there is none, the polygon or centre of an alert's area; else None.
    """
    return _point(field(value, "position")) or _polygon(field(value, "area.polygon") or ()) or _point(field(value, "area.centre"))


def _point(position: Any) -> dict[str, Any] | None:
    corner = _corner(position)
    return None if corner is None else {"type": "Point", "coordinates": corner}


def _polygon(vertices: Sequence[Mapping[str, Any]]) -> dict[str, Any] | None:
    ring = [_corner(vertex) for vertex in vertices]
    corners = [corner for corner in ring if corner is not None]
    if len(corners) < TRIANGLE or len(corners) < len(ring):
        return None
    longitudes = [longitude for longitude, _ in corners]
    if max(longitudes) - min(longitudes) > HALF_TURN:
        return None  # It crosses the antimeridian, where RFC 7946 asks for two polygons; no zone of this ocean does.
    if _turn(corners) < 0:
        corners.reverse()  # An outer ring goes round against the clock.
    return {"type": "Polygon", "coordinates": [[*corners, corners[0]]]}


def _turn(corners: Sequence[Sequence[float]]) -> float:
    return sum((x * y_next - x_next * y) for (x, y), (x_next, y_next) in zip(corners, [*corners[1:], corners[0]], strict=True))


def _corner(place: Any) -> list[float] | None:
    if not isinstance(place, Mapping):
        return None
    latitude, longitude = place.get("latitude"), place.get("longitude")
    if latitude is None or longitude is None or not (math.isfinite(latitude) and math.isfinite(longitude)):
        return None
    return [longitude, latitude] if abs(latitude) <= QUARTER_TURN and abs(longitude) <= HALF_TURN else None
