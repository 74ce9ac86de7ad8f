"""
What counts as what: the thresholds of a bus, from ``processors/movement.toml``, read strictly.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import Field, model_validator

from boutre.errors import Fault
from boutre.processors.matching.distances import kilometres
from boutre.topics.strict import Declared, read

FILE: Final = "movement.toml"
DEFAULT: Final = "default"
MINUTE_S: Final = 60.0

Share = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[float, Field(gt=0)]
Count = Annotated[int, Field(ge=1, le=1_000_000)]


class TrackRule(Declared):
    """How reports are put in order, and how much of them is held."""

    late_s: int = Field(ge=0, le=86_400)
    ahead_s: int = Field(ge=0, le=86_400)
    every_s: int = Field(ge=1, le=3600)
    most_waiting: int = Field(ge=2, le=1000)
    most_hulls: int = Field(ge=2, le=16)
    forget_days: int = Field(ge=1, le=3650)


class ReceptionRule(Declared):
    """In what cells and slots others are counted, and how many of each are held."""

    cell_degrees: float = Field(ge=0.05, le=10)
    slot_min: int = Field(ge=1, le=1440)
    most_slots: int = Field(ge=4, le=10_000)
    most_craft: int = Field(ge=2, le=1000)
    most_sources: int = Field(ge=1, le=1000)
    compared_slots: int = Field(ge=1, le=10_000)

    @property
    def slot_s(self) -> float:
        """The length of a slot in seconds."""
        return self.slot_min * MINUTE_S


class JumpRule(Declared):
    """From what speed on a craft cannot have got from one place to another."""

    least_km: Positive
    slack_km: float = Field(ge=0)
    slack_s: float = Field(ge=0)
    again_min: int = Field(ge=0)
    certainty: Share
    fastest_kn: Mapping[str, Positive]

    def fastest(self, craft: str | None) -> float:
        """Give the most knots of a craft of this kind."""
        return self.fastest_kn.get(craft or DEFAULT, self.fastest_kn[DEFAULT])


class HullsRule(Declared):
    """When one identity is used by two hulls."""

    least_reports: Count
    certainty: Share


class CircleRule(Declared):
    """When positions lie on a circle that nobody sails."""

    every_s: int = Field(ge=1)
    points: int = Field(ge=6, le=100)
    turns: Positive
    least_km: Positive
    most_km: Positive
    off_share: Share
    certainty: Share


class Levels(Declared):
    """A certainty for each answer to how reception was."""

    heard: Share
    partly: Share
    elsewhere: Share
    silent: Share
    unknown: Share


class Heard(Declared):
    """From which share of cells and slots on others were heard, and which share of them may be silent for as long."""

    most: Share
    some: Share
    seldom: Share
    least: Count


class GapRule(Declared):
    """How long a silence is one, and what reception says of it."""

    after_min: int = Field(ge=1)
    rhythm: float = Field(ge=1)
    regular_reports: Count
    certainty: Levels
    heard: Heard

    @property
    def after_s(self) -> float:
        """The shortest silence in seconds."""
        return self.after_min * MINUTE_S


class LoiteringRule(Declared):
    """How slow, how near and how long."""

    slow_kn: Positive
    within_km: Positive
    hours: Positive
    certainty: Share
    at_anchor: Share


class RendezvousRule(Declared):
    """When two craft have met."""

    within_km: Positive
    slow_kn: Positive
    hours: Positive
    apart_min: int = Field(ge=1)
    cell_degrees: float = Field(ge=0.05, le=10)
    most_craft: int = Field(ge=2, le=10_000)
    certainty: Share


class DarkRule(Declared):
    """When a craft has met somebody who sends no AIS."""

    within_km: Positive
    own_km: Positive
    slow_min: int = Field(ge=0)
    radar_min: int = Field(ge=0)
    certainty: Share


class IdentityRule(Declared):
    """When an identity has changed, and when it is shared."""

    attributes: tuple[Literal["name", "call-sign", "imo"], ...]
    least_reports: Count
    most_values: int = Field(ge=2, le=32)
    quiet_min: int = Field(ge=1)
    certainty: Share
    shared: Share


class ZoneRule(Declared):
    """When a zone is entered and left, and how sure it is near its line."""

    leave_km: float = Field(ge=0)
    line_km: float = Field(ge=0)
    certainty: Share
    near_line: Share
    on_line: Share


class Port(Declared):
    """A port or an anchorage, in degrees WGS 84, and how far it reaches."""

    name: str = Field(min_length=1)
    latitude: float = Field(ge=-90, le=90)
    longitude: float = Field(ge=-180, le=180)
    within_km: Positive


class Thresholds(Declared):
    """
    All thresholds of a bus; *version* is part of the id of every detection.
    """

    version: int = Field(ge=1)
    track: TrackRule
    reception: ReceptionRule
    jump: JumpRule
    hulls: HullsRule
    circle: CircleRule
    gap: GapRule
    loitering: LoiteringRule
    rendezvous: RendezvousRule
    dark: DarkRule
    identity: IdentityRule
    zone_entry: ZoneRule = Field(alias="zone-entry")
    port: tuple[Port, ...] = ()

    @model_validator(mode="after")
    def _fit(self) -> Thresholds:
        # What the rules need of one another; a model's own error is one sentence, so all of them stand in it.
        wrong = []
        if DEFAULT not in self.jump.fastest_kn:
            wrong.append("jump.fastest_kn has a default")
        if self.gap.after_min < 2 * self.reception.slot_min:
            wrong.append("gap.after_min is at least two slots of reception, so that a whole one lies in it")
        if any(360 % size for size in (self.reception.cell_degrees, self.rendezvous.cell_degrees)):
            wrong.append("cell_degrees divides 360")
        if self.circle.most_km <= self.circle.least_km or self.gap.heard.most < self.gap.heard.some:
            wrong.append("the most is no less than the least")
        if self.dark.own_km >= self.dark.within_km:
            wrong.append("dark.own_km is less than dark.within_km")
        if wrong:
            raise ValueError("; ".join(wrong))
        return self

    def port_at(self, latitude: float, longitude: float) -> Port | None:
        """Give the port that reaches to a place (degrees WGS 84), the first as declared; None away from all of them."""
        for one in self.port:
            # A degree of latitude is 111 km: most ports are out of question without trigonometry.
            near = abs(one.latitude - latitude) * 110 <= one.within_km
            if near and kilometres(latitude, longitude, one.latitude, one.longitude) <= one.within_km:
                return one
        return None

    def to_port_km(self, latitude: float, longitude: float) -> float | None:
        """Give how far the next port is in kilometres; None where none is declared."""
        return min((kilometres(latitude, longitude, one.latitude, one.longitude) for one in self.port), default=None)


def load(root: Path, faults: list[Fault]) -> Thresholds | None:
    """
    Read ``processors/movement.toml`` of the bus at *root*; what is wrong is added to *faults*, and then it is None.
    """
    return read(root / "processors" / FILE, Thresholds, faults, root=root)
