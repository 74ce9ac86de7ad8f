"""
What one recipient knows of one event, as rules of alerts look at it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

HOUR_S: Final = 3_600.0

EARLIEST: Final = -62_000_000_000.0
LATEST: Final = 250_000_000_000.0
"""Instants that can be written as a date, in seconds since 1970: from the year 6 to the year 9892."""

BOUNDS: Final[Mapping[str, tuple[float, float]]] = {
    "observed": (EARLIEST, LATEST),
    "within_s": (0.0, LATEST),
    "length_m": (0.0, 1e4),
    "persons_least": (0.0, 1e6),
    "persons_most": (0.0, 1e6),
    "latitude": (-90.0, 90.0),
    "longitude": (-180.0, 180.0),
    "accuracy_m": (0.0, 1e8),
    "course_deg": (0.0, 360.0),
    "roots": (0, 1_000_000),
    "probability": (0.0, 1.0),
    "credibility": (0.0, 1.0),
}
"""What a number can be, far beyond what records are let through with."""


class Situation(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """
    A cluster of records that this recipient has, taken together. Names of persons have no place in it.

    *records* are ids as the recipient has them, *body* its kind (``centre``, ``member``, ``protection``). *at* is when the last
    of the records was accepted, *observed* when the event was last seen (seconds since 1970 UTC), give or take *within_s*.
    *late*: all of it was accepted after its class's deadline. Codes are those of the vocabularies, in lists all that any record
    says. *persons_least* and *persons_most* are of the people concerned, *length_m* of the craft in metres, *accuracy_m* the
    radius in metres of the circle in which it lies with 95 % probability, degrees WGS 84, *course_deg* from true north. *roots*
    is the number of independent sources, *probability* the least of the links that the cluster rests on, *credibility* that of
    the best single source, both 0 to 1. *craft* is what the recipient calls the craft. *sources* are the members that report, as
    far as it may be told. *withheld* are the paths of fields, or their groups, that the recipient was not given. None and empty:
    not told, or withheld.
    """

    recipient: str
    body: str
    records: tuple[str, ...]
    at: float
    observed: float | None = None
    within_s: float = 0.0
    late: bool | None = None
    exercise: bool = False
    types: tuple[str, ...] = ()
    outcomes: tuple[str, ...] = ()
    activities: tuple[str, ...] = ()
    crafts: tuple[str, ...] = ()
    craft: str | None = None
    length_m: float | None = None
    persons_least: float | None = None
    persons_most: float | None = None
    people: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    trafficking: tuple[str, ...] = ()
    lives_at_risk: bool | None = None
    detections: tuple[str, ...] = ()
    zones: tuple[str, ...] = ()
    latitude: float | None = None
    longitude: float | None = None
    accuracy_m: float | None = None
    course_deg: float | None = None
    roots: int | None = None
    probability: float | None = None
    credibility: float | None = None
    sources: tuple[str, ...] = ()
    withheld: tuple[str, ...] = ()

    @property
    def age_s(self) -> float | None:
        """The least that its age can have been when it was accepted, in seconds; None where it is not known when it was seen."""
        return None if self.observed is None else max(0.0, self.at - self.observed - self.within_s)

    @property
    def bounded(self) -> Situation:
        """The same, where a number that cannot be is not known."""
        wrong = {
            name: 0.0 if name == "within_s" else None
            for name, (least, most) in BOUNDS.items()
            if (value := getattr(self, name)) is not None and not least <= value <= most
        }
        return replace(self, **wrong) if wrong else self

    def is_late(self, horizon_s: float) -> bool:
        """
        Say whether it was older than *horizon_s* when it came. Where no time is given, what acceptance said of it holds.

        Of what is not known at all it is not said: an alert that comes for an old event is the lesser harm.
        """
        age = self.age_s
        return bool(self.late) if age is None else age > horizon_s or bool(self.late)

    def hidden(self, *paths: str) -> bool:
        """Say whether one of these fields, its group or a part of it was not given to the recipient."""
        return any(f"{path}.".startswith(f"{field}.") or field.startswith(f"{path}.") for field in self.withheld for path in paths)
