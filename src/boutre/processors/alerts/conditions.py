"""
Conditions of a rule over a situation. What is not known is not so, and what was not given is not so either: each miss says which.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, Literal

from pydantic import Field, model_validator

from boutre.processors.alerts.situation import Situation
from boutre.processors.matching.distances import kilometres
from boutre.topics.strict import Declared

HALF_TURN: Final = 180.0

Because = Literal["not-given", "not-known", "not-so"]


@dataclass(frozen=True, slots=True)
class Miss:
    """
    A condition that does not hold, and whether that is so, is not known, or was not given to the recipient.
    """

    condition: str
    because: Because

    def __str__(self) -> str:
        return f"{self.condition}: {self.because}"


class BoundFor(Declared):
    """
    That a craft is near a place (degrees WGS 84) and its course leads there: within so many kilometres and degrees to either side.
    """

    latitude: float = Field(ge=-90, le=90)
    longitude: float = Field(ge=-180, le=180)
    within_km: float = Field(gt=0)
    within_deg: float = Field(gt=0, le=HALF_TURN)

    def holds(self, latitude: float, longitude: float, course: float) -> bool:
        """Say whether a craft there, on this course, is bound for the place."""
        if kilometres(latitude, longitude, self.latitude, self.longitude) > self.within_km:
            return False
        off = abs((_bearing(latitude, longitude, self.latitude, self.longitude) - course + HALF_TURN) % 360 - HALF_TURN)
        return off <= self.within_deg


class Conditions(Declared):
    """
    All that is given must hold; of a list of codes, one must be there.
    """

    types: tuple[str, ...] | None = None
    outcomes: tuple[str, ...] | None = None
    activities: tuple[str, ...] | None = None
    crafts: tuple[str, ...] | None = None
    people: tuple[str, ...] | None = None
    needs: tuple[str, ...] | None = None
    trafficking: tuple[str, ...] | None = None
    detections: tuple[str, ...] | None = None
    zones: tuple[str, ...] | None = None
    bound_for: BoundFor | None = None
    persons_at_least: int | None = Field(default=None, ge=1)
    persons_per_metre_at_least: float | None = Field(default=None, gt=0)
    roots_at_least: int | None = Field(default=None, ge=1)
    roots_at_most: int | None = Field(default=None, ge=1)
    probability_at_least: float | None = Field(default=None, gt=0, le=1)
    credibility_at_least: float | None = Field(default=None, gt=0, le=1)
    lives_at_risk: bool | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Conditions:
        given = self.model_dump(exclude_none=True)
        if not given:
            message = "names no condition, so it would hold for every record"
            raise ValueError(message)
        if empty := [name for name, value in given.items() if value == ()]:
            message = f"{empty[0]} is an empty list, which nothing fulfils: leave the key out, or name a code"
            raise ValueError(message)
        return self

    @cached_property
    def asked(self) -> tuple[tuple[str, Any], ...]:
        """What is given of it, by name."""
        return tuple((name, value) for name, value in self if value is not None)

    def hold(self, situation: Situation) -> bool:
        """
        Say whether every condition holds.
        """
        for name, asked in self.asked:
            value = LOOKS[name].value(situation)
            if value is None or value == () or not LOOKS[name].holds(value, asked):
                return False
        return True

    def misses(self, situation: Situation) -> Iterator[Miss]:
        """
        Give each condition that does not hold.
        """
        for name, asked in self.asked:
            look = LOOKS[name]
            value = look.value(situation)
            if value is None or value == ():
                yield Miss(name, "not-given" if situation.hidden(*look.fields) else "not-known")
            elif not look.holds(value, asked):
                yield Miss(name, "not-so")


@dataclass(frozen=True, slots=True)
class Look:
    """
    How a condition looks at a situation: its value, how that is held against what the rule asks, and which fields it is made of.
    """

    value: Callable[[Situation], Any]
    holds: Callable[[Any, Any], bool]
    fields: tuple[str, ...]
    scheme: str | None = None


def _one_of(value: tuple[str, ...], asked: tuple[str, ...]) -> bool:
    return not set(value).isdisjoint(asked)


def _at_least(value: float, asked: float) -> bool:
    return value >= asked


def _per_metre(situation: Situation) -> float | None:
    if situation.persons_most is None or not situation.length_m or situation.length_m < 0:
        return None
    return situation.persons_most / situation.length_m


def _way(situation: Situation) -> tuple[float, float, float] | None:
    if situation.latitude is None or situation.longitude is None or situation.course_deg is None:
        return None
    return situation.latitude, situation.longitude, situation.course_deg


def _bearing(latitude: float, longitude: float, to_latitude: float, to_longitude: float) -> float:
    """The first course of the great circle to a place, in degrees from true north."""
    here, there, across = math.radians(latitude), math.radians(to_latitude), math.radians(to_longitude - longitude)
    east = math.sin(across) * math.cos(there)
    north = math.cos(here) * math.sin(there) - math.sin(here) * math.cos(there) * math.cos(across)
    return math.degrees(math.atan2(east, north)) % 360


_PERSONS: Final = ("craft.persons_on_board", "persons.total")

LOOKS: Final[Mapping[str, Look]] = {
    "types": Look(lambda s: s.types, _one_of, ("event.type",), "event-type@1"),
    "outcomes": Look(lambda s: s.outcomes, _one_of, ("event.outcome",), "event-outcome@1"),
    "activities": Look(lambda s: s.activities, _one_of, ("craft.activity",), "activity@1"),
    "crafts": Look(lambda s: s.crafts, _one_of, ("craft.kind",), "craft@1"),
    "people": Look(lambda s: s.people, _one_of, ("persons.counts",), "person-condition@1"),
    "needs": Look(lambda s: s.needs, _one_of, ("vulnerability.needs",), "need@1"),
    "trafficking": Look(lambda s: s.trafficking, _one_of, ("trafficking.status",), "trafficking-status@1"),
    "detections": Look(lambda s: s.detections, _one_of, ("movement", "position")),
    "zones": Look(lambda s: s.zones, _one_of, ("position",)),
    "bound_for": Look(_way, lambda way, asked: asked.holds(*way), ("position", "movement.course_deg")),
    "persons_at_least": Look(lambda s: s.persons_most, _at_least, _PERSONS),
    "persons_per_metre_at_least": Look(_per_metre, _at_least, (*_PERSONS, "craft.length_m")),
    "roots_at_least": Look(lambda s: s.roots, _at_least, ("provenance.sources", "origin")),
    "roots_at_most": Look(lambda s: s.roots, lambda value, asked: value <= asked, ("provenance.sources", "origin")),
    "probability_at_least": Look(lambda s: s.probability, _at_least, ()),
    "credibility_at_least": Look(lambda s: s.credibility, _at_least, ("assessment.credibility",)),
    "lives_at_risk": Look(
        lambda s: s.lives_at_risk,
        lambda value, asked: value is asked,
        ("warning.lives_at_risk", "vulnerability.medical_urgent", "event.type"),
    ),
}
"""How each condition looks at a situation, and the vocabulary of its codes."""
