"""
The boats of a night, as they truly are and truly went: those that cross, and those that only look like it.

A boat here is one outing of one night. The same hull on another night is another boat, since nothing that is seen here could tell.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from dataclasses import dataclass, replace
from random import Random
from typing import Final

from boutre.connectors.simulation.chance import chance, poisson
from boutre.connectors.simulation.parameters import Corridor
from boutre.connectors.simulation.sea import BEACHES, GROUNDS, KM_H_PER_KN, LANDINGS, LONGONI, MUTSAMUDU, Place
from boutre.connectors.simulation.way import HOUR_S, Fix, Going, way

KWASSA: Final = "kwassa"
PIROGUE: Final = "pirogue"
LOCAL: Final = "local-boat"
DHOW: Final = "dhow"
FERRY: Final = "ferry"

COLOURS: Final = {
    "blue": 30,
    "white": 22,
    "light-blue": 12,
    "green": 10,
    "red": 7,
    "yellow": 6,
    "grey": 6,
    "wood": 4,
    "orange": 3,
}
"""Codes of the vocabulary ``colour`` and how common each is among small boats: an assumption."""

MARKS: Final = ("INCHALLAH", "A 214", "NDZUANI", "MCHANGA 2", "KM 0817", "SALAMA", "FC ANJOUAN", "ESPOIR")
"""Invented words and numbers such as stand on bows."""

NAMES: Final = ("NOUR EL BAHR", "FAHARI YA MASIWA", "YLANG EXPRESS", "SALAMA 3")
"""Invented names of boats that have one."""


@dataclass(frozen=True, slots=True)
class Boat:
    """
    A boat and its way. *outcome* says how it ended; *convoy* names those who left together.

    One that is not *real* exists in somebody's mistake alone.
    """

    id: str
    night: int
    kind: str
    track: tuple[Fix, ...]
    persons: int
    colours: tuple[str, ...]
    length_m: float
    engines: int
    power_kw: float
    hull: str = "fibreglass"
    markings: tuple[str, ...] = ()
    name: str | None = None
    outcome: str = "landed"
    convoy: str | None = None
    left: Place | None = None
    bound: Place | None = None
    real: bool = True

    @property
    def crosses(self) -> bool:
        """Whether it carries people from one island towards the other, which is what an alert is for."""
        return self.kind == KWASSA

    @property
    def begin(self) -> float:
        """When it left."""
        return self.track[0].at

    @property
    def end(self) -> float:
        """When it arrived, turned up or was stopped."""
        return self.track[-1].at

    def going(self, at: float) -> Going | None:
        """
        Give where it is and how it goes at *at*; None before it left and after it ended.
        """
        if not self.begin <= at <= self.end:
            return None
        leg = min(bisect_right(self.track, at, key=lambda fix: fix.at), len(self.track) - 1)
        one, two = self.track[leg - 1], self.track[leg]
        lasts = two.at - one.at
        part = (at - one.at) / lasts if lasts > 0 else 1.0
        east, north = two.where.east - one.where.east, two.where.north - one.where.north
        speed = math.hypot(east, north) / (lasts / HOUR_S) / KM_H_PER_KN if lasts > 0 else 0.0
        return Going(one.where.beside(part * east, part * north), math.degrees(math.atan2(east, north)) % 360.0, speed)

    def until(self, at: float, outcome: str) -> Boat:
        """Give the boat as it is where its way ends at *at*."""
        going = self.going(at)
        if going is None:
            return self
        return replace(self, track=(*(fix for fix in self.track if fix.at < at), Fix(at, going.where)), outcome=outcome)


def boats(rng: Random, night: int, noon: float, corridor: Corridor) -> tuple[Boat, ...]:
    """
    Give all boats of one night; *noon* is 12:00 UTC of its first day, which is 15:00 on both islands.
    """
    made: list[Boat] = []
    number = poisson(rng, corridor.crossings) if chance(rng, corridor.calm_share) else 0
    while number > 0:
        leader = crossing(rng, f"n{night:03d}-k{len(made)}", night, noon, corridor)
        made.append(leader)
        number -= 1
        while number > 0 and chance(rng, corridor.convoy_share):
            made.append(_follower(rng, f"n{night:03d}-k{len(made)}", leader, corridor))
            number -= 1
    made = [_ended(rng, boat, corridor) for boat in made]
    for count in range(poisson(rng, corridor.pirogues)):
        made.append(_fishing(rng, f"n{night:03d}-p{count}", night, noon, PIROGUE))
    for count in range(poisson(rng, corridor.local_boats)):
        made.append(_fishing(rng, f"n{night:03d}-l{count}", night, noon, LOCAL))
    if chance(rng, corridor.dhow_share):
        made.append(_trader(rng, f"n{night:03d}-d0", night, noon, DHOW))
    if chance(rng, corridor.ferry_share):
        made.append(_trader(rng, f"n{night:03d}-f0", night, noon, FERRY))
    return tuple(made)


def crossing(rng: Random, name: str, night: int, noon: float, corridor: Corridor) -> Boat:
    """
    Give a kwassa that leaves between 19:00 and 02:00 of the islands and lands where it meant to.
    """
    beach, landing = rng.choice(BEACHES), rng.choice(LANDINGS)
    slowest, usual, fastest = corridor.speed_kn
    ends = [beach.at.beside(rng.gauss(0, 0.5), rng.gauss(0, 0.5)), *beach.around, *landing.around, landing.at]
    stops = corridor.stop_share
    track = way(
        rng,
        noon + rng.uniform(4, 11) * HOUR_S,
        ends,
        rng.triangular(slowest, fastest, usual),
        detour_km=corridor.detour_km,
        stop_share=stops,
    )
    least, most, mode = corridor.persons
    return Boat(
        id=name,
        night=night,
        kind=KWASSA,
        track=track,
        persons=round(rng.triangular(least, most, mode)),
        colours=_colours(rng),
        length_m=round(rng.uniform(6, 10), 1),
        engines=(engines := 2 if chance(rng, 0.35) else 1),
        power_kw=engines * rng.choice((11.0, 18.4, 29.4)),
        markings=(rng.choice(MARKS),) if chance(rng, corridor.marked_share) else (),
        left=beach,
        bound=landing,
    )


def _follower(rng: Random, name: str, leader: Boat, corridor: Corridor) -> Boat:
    """A second boat of a convoy: minutes behind, by the same way, some hundred metres beside it; otherwise unlike it or not."""
    behind = rng.uniform(*corridor.convoy_gap_s)
    side, slower = rng.gauss(0, corridor.convoy_side_km), rng.uniform(0.98, 1.03)
    track = [
        Fix(
            leader.begin + behind + (fix.at - leader.begin) * slower,
            fix.where.beside(side + rng.gauss(0, 0.2), side + rng.gauss(0, 0.2)),
        )
        for fix in leader.track
    ]
    least, most, mode = corridor.persons
    convoy = leader.convoy or leader.id
    return replace(
        leader,
        id=name,
        track=tuple(track),
        persons=round(rng.triangular(least, most, mode)),
        colours=_colours(rng),
        length_m=round(rng.uniform(6, 10), 1),
        markings=(rng.choice(MARKS),) if chance(rng, corridor.marked_share) else (),
        convoy=convoy,
    )


def _ended(rng: Random, boat: Boat, corridor: Corridor) -> Boat:
    """End the way of a boat where it was stopped or turned back."""
    drawn, lasts = rng.random(), boat.end - boat.begin
    if drawn < corridor.turned_back_share:
        back = boat.until(boat.begin + rng.uniform(0.25, 0.6) * lasts, "turned-back")
        home = [Fix(2 * back.end - fix.at, fix.where) for fix in reversed(back.track[:-1])]
        return replace(back, track=(*back.track, *home))
    if drawn < corridor.turned_back_share + corridor.intercepted_share:
        return boat.until(boat.begin + rng.uniform(0.6, 0.98) * lasts, "intercepted")
    return boat


def _fishing(rng: Random, name: str, night: int, noon: float, kind: str) -> Boat:
    """A boat that fishes: out to its ground in the evening, slowly about it, and home; a local boat looks like a kwassa."""
    ground = rng.choice(GROUNDS).at.beside(rng.gauss(0, 3), rng.gauss(0, 3))
    shore = min((place.at for place in (*BEACHES, *LANDINGS)), key=ground.km)
    spots = [ground.beside(rng.gauss(0, 1), rng.gauss(0, 1)) for _ in range(rng.randint(2, 4))]
    out = way(rng, noon + rng.uniform(2, 8) * HOUR_S, [shore, spots[0]], 5.0 if kind == PIROGUE else 12.0, detour_km=0.5)
    about = way(rng, out[-1].at, spots, rng.uniform(0.3, 1.2), detour_km=0.2)
    home = way(rng, about[-1].at, [spots[-1], shore], 5.0 if kind == PIROGUE else 12.0, detour_km=0.5)
    small = kind == PIROGUE
    return Boat(
        id=name,
        night=night,
        kind=kind,
        track=(*out, *about[1:], *home[1:]),
        persons=rng.randint(1, 3) if small else rng.randint(2, 7),
        colours=_colours(rng),
        length_m=round(rng.uniform(4, 6.5) if small else rng.uniform(5.5, 8.5), 1),
        engines=1 if not small or chance(rng, 0.5) else 0,
        power_kw=11.0 if small else rng.choice((11.0, 18.4, 29.4)),
        hull="wood" if small and chance(rng, 0.5) else "fibreglass",
        outcome="fished",
    )


def _trader(rng: Random, name: str, night: int, noon: float, kind: str) -> Boat:
    """A cargo dhow or the ferry, from Mutsamudu to Longoni; they have names."""
    ends = [MUTSAMUDU.at, *MUTSAMUDU.around, *LONGONI.around, LONGONI.at]
    dhow = kind == DHOW
    return Boat(
        id=name,
        night=night,
        kind=kind,
        track=way(rng, noon + rng.uniform(3, 9) * HOUR_S, ends, rng.uniform(5, 8) if dhow else rng.uniform(13, 16), detour_km=1.5),
        persons=rng.randint(5, 12) if dhow else rng.randint(40, 150),
        colours=("wood",) if dhow else ("white", "blue"),
        length_m=round(rng.uniform(14, 24), 1) if dhow else 42.0,
        engines=1 if dhow else 2,
        power_kw=90.0 if dhow else 1_600.0,
        hull="wood" if dhow else "steel",
        name=rng.choice(NAMES),
        outcome="arrived",
        left=MUTSAMUDU,
        bound=LONGONI,
    )


def _colours(rng: Random) -> tuple[str, ...]:
    first, second = rng.choices(list(COLOURS), list(COLOURS.values()), k=2)
    return (first, second) if second != first and chance(rng, 0.25) else (first,)
