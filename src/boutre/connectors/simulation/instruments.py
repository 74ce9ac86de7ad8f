"""
What instruments tell: coastal radar, which knows where and nothing else, and an aircraft, which at times sees more.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from random import Random
from typing import Any, Final, NamedTuple

from boutre.connectors.simulation.boats import DHOW, FERRY, KWASSA, Boat
from boutre.connectors.simulation.chance import chance, poisson
from boutre.connectors.simulation.feeds import AIRCRAFT, RADAR
from boutre.connectors.simulation.parameters import SKEW_WAIT_S, Corridor
from boutre.connectors.simulation.sea import RADARS, Place
from boutre.connectors.simulation.telling import Told, about, measured, seen_colours, times, wrongs
from boutre.connectors.simulation.way import STILL_KN, Going

STEP_S: Final = 120.0
"""How often it is looked whether a boat has come into range."""

DAYLIGHT_H: Final = 14.75
"""Hours after noon UTC at which it is light enough for colours: 05:45 on both islands."""


def radar(rng: Random, night: int, noon: float, boats: Sequence[Boat], corridor: Corridor) -> Iterator[Told]:
    """
    Give the plots that two stations tell of craft without AIS, some of one boat under several track numbers; and some of nothing.
    """
    calm = rng.uniform(0.6, 1.2)
    track = rng.randint(100, 4_000)
    for station in RADARS:
        for boat in boats:
            if boat.kind == FERRY:
                continue
            middle, spread = corridor.radar_range_km
            reach = max(5.0, rng.gauss(middle, spread) * calm) * (1.6 if boat.kind == DHOW else 1.0)
            at = _enters(boat, station, reach, corridor) if chance(rng, corridor.radar_acquires) else None
            plot = plots = 0
            track += 1
            while at is not None and plots < corridor.radar_plots and _in_reach(boat, station, at, reach):
                if plot and chance(rng, corridor.radar_renumbers):
                    track, plot = track + 1, 0
                going = boat.going(at)
                if going is not None and going.speed_kn > corridor.radar_least_kn:
                    plots += 1
                    accuracy = rng.uniform(*corridor.radar_accuracy_m)
                    told = _plot(rng, station, at, going, track=track, plot=plot, accuracy_m=accuracy)
                    yield replace(told, reference=f"{night:03d}-{told.reference}", boat=boat.id)
                    plot += 1
                at += rng.uniform(0.6, 1.4) * corridor.radar_every_s
    for _ in range(poisson(rng, corridor.radar_clutter)):
        station, track = rng.choice(RADARS), track + 1
        at = noon + rng.uniform(4, 16) * 3_600
        where = station.at.beside(rng.uniform(-15, 15), rng.uniform(2, 15))
        going = Going(where, rng.uniform(0, 360), rng.uniform(2, 18))
        told = _plot(rng, station, at, going, track=track, plot=0, accuracy_m=rng.uniform(*corridor.radar_accuracy_m))
        yield replace(told, reference=f"{night:03d}-{told.reference}")


def _in_reach(boat: Boat, station: Place, at: float, reach: float) -> bool:
    going = boat.going(at)
    return going is not None and going.where.km(station.at) < reach


def _enters(boat: Boat, station: Place, reach: float, corridor: Corridor) -> float | None:
    at = boat.begin
    while (going := boat.going(at)) is not None:
        if going.where.km(station.at) < reach and going.speed_kn > corridor.radar_least_kn:
            return at
        at += STEP_S
    return None


def _plot(rng: Random, station: Place, at: float, going: Going, *, track: int, plot: int, accuracy_m: float) -> Told:
    """One plot, of a boat that whoever asks has to name."""
    position, _ = measured(rng, going.where, accuracy_m)
    received = at + rng.uniform(5, 60)
    groups: dict[str, Any] = {
        "times": times(at, at, "second"),
        "event": {"type": "other", "nature": "Observed"},
        "position": {**position, "fix": "radar"},
        "movement": {
            "course_deg": round(going.course_deg + rng.gauss(0, 8)) % 360 * 1.0,
            "speed_kn": round(max(0.0, going.speed_kn + rng.gauss(0, 0.8)), 1),
        },
        "sensor": {"kind": "MaritimeRadar", "platform": "shore-station", "name": station.fr},
        "unmapped": [{"name": "track", "value": str(track)}],
    }
    return Told(RADAR, "sighting", None, f"{track}-{plot}", groups, at, received)


def aircraft(rng: Random, night: int, noon: float, boats: Sequence[Boat], corridor: Corridor) -> Iterator[Told]:
    """
    Give what a sortie tells: positions by radar, at times a count, a colour where it is light.

    On some sorties the times are those of Réunion (UTC+4) read as those of Mayotte (UTC+3): an hour ahead.
    """
    if not chance(rng, corridor.sortie_share):
        return
    begin = noon + rng.uniform(5, 13.5) * 3_600
    landed = begin + corridor.sortie_s
    ahead = corridor.clock_ahead_s if chance(rng, corridor.aircraft_clock_wrong) else 0.0
    sortie, number = Sortie(landed, ahead), 0
    for boat in boats:
        first, last = max(begin, boat.begin), min(landed, boat.end)
        if first >= last or boat.kind == FERRY or not chance(rng, corridor.aircraft_sees):
            continue
        looks = [rng.uniform(first, last)]
        if chance(rng, corridor.aircraft_looks_again):
            looks.append(min(last, looks[0] + rng.uniform(600, 2_400)))
        for at in looks:
            light = at > noon + DAYLIGHT_H * 3_600
            yield replace(_from_the_air(rng, boat, at, sortie, corridor, light=light), reference=f"{night:03d}-{number}")
            number += 1


class Sortie(NamedTuple):
    """
    When an aircraft is back, and by how many seconds its times are ahead.
    """

    landed: float
    ahead: float


def _from_the_air(rng: Random, boat: Boat, at: float, sortie: Sortie, corridor: Corridor, *, light: bool) -> Told:
    landed, ahead = sortie
    going = boat.going(at)
    assert going is not None, "an aircraft looks at boats that are under way"
    position, _ = measured(rng, going.where, rng.uniform(*corridor.aircraft_accuracy_m))
    by_eye = chance(rng, 0.8 if light else 0.35)
    by_radio = not ahead and chance(rng, corridor.aircraft_radio_share)
    received = at + rng.uniform(60, 400) if by_radio else landed + rng.uniform(1, 3) * 3_600
    if ahead:
        received = max(received, at + SKEW_WAIT_S)
    suspects = by_eye and (chance(rng, 0.85) if boat.kind == KWASSA else chance(rng, 0.1))
    groups: dict[str, Any] = {
        "times": times(at, received - rng.uniform(0, 50), "second" if by_radio else "minute", ahead_s=ahead),
        "event": {"type": "irregular-migration" if suspects else "other", "nature": "Observed"},
        "position": {**position, "fix": "visual" if by_eye else "radar"},
        "movement": {
            "course_deg": round(going.course_deg + rng.gauss(0, 10)) % 360 * 1.0,
            "speed_kn": round(max(0.0, going.speed_kn + rng.gauss(0, 1)), 1),
        },
        "sensor": {"kind": "EOIROptronicSystem" if by_eye else "MaritimeRadar", "platform": "aircraft"},
    }
    if by_eye:
        groups["craft"] = {
            "kind": "dhow" if boat.kind == DHOW else rng.choice(("small-boat", "small-boat", "skiff", "motor-boat")),
            "source_kind": "barque" if boat.kind != DHOW else "boutre",
            "colours": seen_colours(rng, boat, corridor.colour_unsure) if light else [],
            "length_m": about(boat.length_m * rng.uniform(0.85, 1.15), 0.2, whole=False),
            "persons_on_board": about(boat.persons * rng.uniform(0.8, 1.2), 0.15),
            "markings": list(boat.markings) if light and chance(rng, 0.2) else [],
            "activity": "drifting" if going.speed_kn < STILL_KN else "under-way",
        }
    return Told(AIRCRAFT, "sighting", boat.id, "", groups, at, received, wrongs(boat, groups, clock=bool(ahead)))
