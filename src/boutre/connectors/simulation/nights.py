"""
A world of nights: boats, what was told of them, in the order in which it came, and the truth.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from random import Random
from typing import Any, Final

from boutre.connectors.simulation.authorities import centre, coast_guard
from boutre.connectors.simulation.boats import Boat, boats
from boutre.connectors.simulation.feeds import FISHERMAN, LOOKOUT
from boutre.connectors.simulation.instruments import aircraft, radar
from boutre.connectors.simulation.parameters import Corridor
from boutre.connectors.simulation.telling import Told
from boutre.connectors.simulation.witnesses import fishermen, lookout

BEGIN: Final = datetime(2026, 6, 1, 12, tzinfo=UTC)
"""The first noon: 15:00 on both islands."""

DAY_S: Final = 86_400.0
BUS_S: Final = (0.2, 3.0)
"""How long a report takes from its connector onto the bus, in seconds."""


@dataclass(frozen=True, slots=True)
class Report:
    """
    One report and the truth about it.

    *value* is the record, *arrived* (seconds since 1970 UTC) when it came onto the bus, *boat* whose it is (None: nothing was
    there), *root* the id of the report whose observation it stands on, its own where its observer saw for itself. *wrong* names
    what of it is not as it was.
    """

    id: str
    kind: str
    value: Mapping[str, Any]
    observer: str
    boat: str | None
    root: str
    observed: float
    arrived: float
    wrong: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class World:
    """
    All boats of all nights, and all reports in the order in which they came onto the bus.
    """

    seed: int
    nights: int
    boats: tuple[Boat, ...]
    reports: tuple[Report, ...]
    silence: tuple[float, float] | None = None
    """When no report of Comoros came through, in seconds since 1970 UTC; then all that had waited came at once."""

    @property
    def wanted(self) -> frozenset[str]:
        """The boats that an alert is for."""
        return frozenset(boat.id for boat in self.boats if boat.crosses)


def nights(seed: int, count: int, corridor: Corridor | None = None) -> World:
    """
    Give *count* nights made of *seed* and of nothing else: no clock, no other chance.

    Of ``silence_after`` nights or more, the link of Comoros is silent for ``silence_nights``; then its reports come all at once.
    """
    given = corridor or Corridor()
    fleet: list[Boat] = []
    told: list[Told] = []
    for night in range(count):
        # Each night has a chance of its own, so that one night more changes nothing in those before.
        rng = Random(f"{seed}/{night}")  # noqa: S311 - nothing secret: the same seed has to give the same night
        noon = BEGIN.timestamp() + night * DAY_S
        there = boats(rng, night, noon, given)
        calls = tuple(fishermen(rng, night, noon, there, given))
        first_hand = (
            *calls,
            *lookout(rng, night, there, calls, given),
            *radar(rng, night, noon, there, given),
            *aircraft(rng, night, noon, there, given),
            *coast_guard(rng, night, there, given),
        )
        fleet.extend(there)
        told.extend((*first_hand, *centre(rng, night, first_hand, given)))
    rng = Random(f"{seed}/bus")  # noqa: S311 - the same
    silence = _silence(rng, count, given)
    reports = [_arrived(rng, one, silence) for one in told]
    return World(seed, count, tuple(fleet), tuple(sorted(reports, key=lambda one: (one.arrived, one.id))), silence)


def _silence(rng: Random, count: int, corridor: Corridor) -> tuple[float, float] | None:
    if count < corridor.silence_after:
        return None
    first = rng.randint(1, count - corridor.silence_nights - 1)
    begin = BEGIN.timestamp() + first * DAY_S
    return begin, begin + corridor.silence_nights * DAY_S


def _arrived(rng: Random, one: Told, silence: tuple[float, float] | None) -> Report:
    """Give a report as it comes onto the bus; what Comoros tells during a silence waits for its end."""
    bus = rng.uniform(*BUS_S)
    if silence is not None and one.observer in (FISHERMAN, LOOKOUT) and silence[0] <= one.received < silence[1]:
        # In the order in which they were written, ten a second.
        waited = (one.received - silence[0]) / (silence[1] - silence[0])
        one = replace(one, received=silence[1] + 60 * waited)
    value = one.record()
    return Report(
        id=str(value["id"]),
        kind=one.kind,
        value=value,
        observer=one.observer,
        boat=one.boat or None,
        root=one.stands_on,
        observed=one.observed,
        arrived=round(one.received + bus, 3),
        wrong=one.wrong,
    )
