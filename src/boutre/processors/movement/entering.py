"""
Zones entered: with everybody who claims them, and how near the line.

A line belongs to every zone that touches it, as ``boutre.topics.zones`` has it: who comes to stand on it has entered. Whoever is
in a zone leaves it only well outside of it, so that a craft that runs along a line enters once.
"""

from __future__ import annotations

from datetime import UTC, date, datetime

import shapely

from boutre.processors.movement.detection import ZONE, Detection, found
from boutre.processors.movement.hulls import Hull
from boutre.processors.movement.places import KM_PER_DEGREE
from boutre.processors.movement.report import Report
from boutre.processors.movement.thresholds import MINUTE_S, Thresholds
from boutre.topics.zones import Claim, Zone, Zones


def entering(hull: Hull, report: Report, zones: Zones, rules: Thresholds) -> tuple[tuple[str, ...], tuple[Detection, ...]]:
    """
    Give the zones that *hull* is in by its next *report*, and what it entered since the one before.
    """
    now = zones.at(report.latitude, report.longitude)
    point = shapely.Point(report.longitude, report.latitude)
    kept = tuple(
        name
        for name in hull.zones
        if name in zones and name not in now and zones[name].geometry.distance(point) * KM_PER_DEGREE <= rules.zone_entry.leave_km
    )
    entered = tuple(name for name in now if name not in hull.zones)
    return tuple(sorted((*now, *kept))), tuple(_entry(hull, report, zones[name], point, rules) for name in entered)


def _entry(hull: Hull, report: Report, zone: Zone, point: shapely.Point, rules: Thresholds) -> Detection:
    rule = rules.zone_entry
    # In degrees of latitude, which are no shorter than those of longitude: a line may be nearer than this says, never farther.
    km = float(zone.geometry.boundary.distance(point)) * KM_PER_DEGREE
    near = max(rule.line_km, (report.accuracy_m or 0.0) / 1000)
    on_line = km == 0
    day = datetime.fromtimestamp(report.at, UTC).date()
    claims = [claim for claim in zone.claims if _held(claim, day)]
    return found(
        ZONE,
        rules.version,
        report,
        begin=report.at,
        end=report.at,
        certainty=rule.on_line if on_line else rule.near_line if km <= near else rule.certainty,
        evidence=(
            ("inside", km, "km"),
            ("on_line", float(on_line), "count"),
            ("since_outside", (report.at - hull.last.at) / MINUTE_S, "min"),
            ("claimants", len({claim.state for claim in claims}), "count"),
            ("from_latitude", hull.last.latitude, "deg"),
            ("from_longitude", hull.last.longitude, "deg"),
        ),
        facts={
            "zone": zone.id,
            "zone_name": zone.name,
            "claimants": ", ".join(f"{claim.state} {claim.kind}" for claim in claims),
        },
        thresholds=(("leave", rule.leave_km, "km"), ("line", rule.line_km, "km")),
        records=(hull.last.id,),
        of=zone.id,
    )


def _held(claim: Claim, day: date) -> bool:
    return (claim.since is None or claim.since <= day) and (claim.until is None or day <= claim.until)
