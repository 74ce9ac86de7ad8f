"""
One kwassa reported four ways: what every matcher has to bring together, and what no count of sources may be taken in by.

Comoros tells of 28 people in a blue boat, an aircraft has it on its radar and no more, a fisherman saw about 30 and no colour,
and the centre broadcasts what Comoros told. One boat, and two roots that say what was seen and know nothing of each other:
Comoros and the fisherman. The centre is Comoros again. The aircraft saw for itself, but only that something was there, which
confirms nobody's 28 people.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from boutre.connectors.simulation.boats import KWASSA, Boat
from boutre.connectors.simulation.feeds import AIRCRAFT, CENTRE, FISHERMAN, LOOKOUT
from boutre.connectors.simulation.nights import BEGIN, Report, World
from boutre.connectors.simulation.sea import point
from boutre.connectors.simulation.telling import Told, about, exactly, instant, moment
from boutre.connectors.simulation.way import Fix

FISHERMAN_NAME: Final = "pêcheur de Domoni"
BOAT: Final = "fixture-k0"
LEFT_S: Final = BEGIN.timestamp() + 6 * 3_600
"""18:00 UTC."""


def one_kwassa_four_ways() -> World:
    """
    Give the four reports, in the order in which they came.
    """
    track = (Fix(LEFT_S, point(-12.262, 44.54)), Fix(LEFT_S + 13_500, point(-12.69, 45.03)))
    boat = Boat(BOAT, 0, KWASSA, track, persons=28, colours=("blue",), length_m=7.5, engines=1, power_kw=29.4)
    fisherman = _told(
        FISHERMAN,
        3_900,
        1_500,
        {"latitude": -12.37, "longitude": 44.70, "accuracy_m": 5_000.0, "fix": "visual"},
        craft={"kind": "kwassa", "source_kind": "kwasa-kwasa", "persons_on_board": about(30, 0.1)},
        sensor={"kind": "NonTraditionalSources", "platform": "person"},
        provenance={"sources": [{"name": FISHERMAN_NAME}]},
        event="irregular-migration",
    )
    comoros = _told(
        LOOKOUT,
        3_600,
        5_400,
        {"latitude": -12.38, "longitude": 44.67, "accuracy_m": 3_000.0, "fix": "visual"},
        craft={"kind": "kwassa", "source_kind": "kwassa", "colours": ["blue"], "persons_on_board": exactly(28)},
        sensor={"kind": "Sighting", "platform": "shore-station"},
        event="irregular-migration",
    )
    plane = _told(
        AIRCRAFT,
        5_400,
        240,
        {"latitude": -12.433, "longitude": 44.735, "accuracy_m": 500.0, "fix": "radar"},
        movement={"course_deg": 132.0, "speed_kn": 10.3},
        sensor={"kind": "MaritimeRadar", "platform": "aircraft"},
        event="other",
    )
    centre = _told(
        CENTRE,
        3_600,
        9_000,
        {"latitude": -12.38, "longitude": 44.67, "accuracy_m": 3_000.0, "fix": "reported"},
        craft={"kind": "small-boat", "source_kind": "small craft", "colours": ["blue"], "persons_on_board": exactly(28)},
        sensor={"kind": "NonSpecified"},
        provenance={"derived_from": [comoros.id]},
        event="irregular-migration",
        root=comoros.id,
    )
    told = sorted((fisherman, comoros, plane, centre), key=lambda one: one.received)
    return World(0, 1, (boat,), tuple(_report(one) for one in told))


def _told(
    observer: str,
    after_s: float,
    late_s: float,
    position: Mapping[str, Any],
    *,
    event: str,
    root: str | None = None,
    **groups: Any,
) -> Told:
    at = LEFT_S + after_s
    times = {"observed": moment(at, "minute"), "reported": moment(at + late_s, "minute")}
    value = {"times": times, "event": {"type": event, "nature": "Observed"}, "position": position, **groups}
    return Told(observer, "sighting", BOAT, "fixture-1", value, at, at + late_s + 60, root=root)


def _report(one: Told) -> Report:
    value = one.record()
    assert instant(one.received) == value["times"]["received_at"], "a connector takes it as it comes"
    return Report(one.id, one.kind, value, one.observer, one.boat, one.stands_on, one.observed, one.received + 1)
