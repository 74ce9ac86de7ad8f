"""
How what was seen becomes a record: times, ranges, colours and words as observers give them, and what of it is wrong.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any, Final

from boutre.connectors.record import build
from boutre.connectors.sdk import Raw
from boutre.connectors.simulation.boats import COLOURS, Boat
from boutre.connectors.simulation.chance import chance
from boutre.connectors.simulation.feeds import FEEDS
from boutre.connectors.simulation.sea import Point, degrees
from boutre.schemas.identity import record_id

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
STEPS_S: Final = {"second": 1, "minute": 60, "hour": 3_600}
"""Seconds of the precisions that observers use here."""

SIGMAS: Final = 2.448
"""Radius, in standard deviations of one axis, of the circle that holds 95 % of a normal error in two dimensions."""

LIKE: Final = {
    "blue": ("dark-blue", "light-blue", "green"),
    "light-blue": ("blue", "white", "turquoise"),
    "white": ("grey", "light-blue", "beige"),
    "green": ("blue", "dark-green"),
    "red": ("orange", "brown"),
    "yellow": ("white", "beige", "orange"),
    "grey": ("white", "blue"),
    "wood": ("brown", "beige"),
    "orange": ("red", "yellow"),
}
"""What a colour is taken for by night and in haste: an assumption."""


@dataclass(frozen=True, slots=True)
class Told:
    """
    A report before it is a record.

    *boat* is the truth (None: nothing was there); *root* the id of the report whose observation it stands on, None where it saw for
    itself; *wrong* names what of it is not as it was; *informant* is whom the observer has it from.
    """

    observer: str
    kind: str
    boat: str | None
    reference: str
    groups: Mapping[str, Any]
    observed: float
    received: float
    wrong: tuple[str, ...] = ()
    revision: int = 0
    root: str | None = None
    informant: str | None = None

    @property
    def id(self) -> str:
        """The id of its record."""
        feed = FEEDS[self.observer]
        return record_id(feed.member, self.kind, feed.id, self.reference, self.revision)

    @property
    def stands_on(self) -> str:
        """The id of the report that saw for itself."""
        return self.root or self.id

    def record(self) -> dict[str, Any]:
        """Give the record, as a connector makes it."""
        raw = Raw(self.kind, self.groups, self.reference, cursor=self.reference, revision=self.revision)
        return build(FEEDS[self.observer], raw, instant(self.received))


def instant(at: float) -> datetime:
    """
    Give seconds since 1970 as an instant, to the millisecond.
    """
    return EPOCH + timedelta(milliseconds=round(at * 1000))


def moment(at: float, precision: str, uncertainty_s: float | None = None) -> dict[str, Any]:
    """
    Give an instant as a record holds it: of a minute or an hour, the beginning.
    """
    step = STEPS_S[precision]
    return {"at": instant(at // step * step), "precision": precision, "uncertainty_s": uncertainty_s}


def times(seen: float, told: float, precision: str, *, uncertainty_s: float | None = None, ahead_s: float = 0.0) -> dict[str, Any]:
    """
    Give the times of a report whose observer's clock is *ahead_s* ahead; its sender's is right.
    """
    return {
        "observed": moment(seen + ahead_s, precision, uncertainty_s),
        "reported": moment(max(seen, told), "minute"),
    }


def measured(rng: Random, where: Point, accuracy_m: float, digits: int = 4) -> tuple[dict[str, Any], Point]:
    """
    Give a position that errs within *accuracy_m* (metres, 95 %), and the point that it tells.
    """
    sigma = accuracy_m / 1000 / SIGMAS
    told = where.beside(rng.gauss(0, sigma), rng.gauss(0, sigma))
    latitude, longitude = degrees(told, digits)
    return {"latitude": latitude, "longitude": longitude, "accuracy_m": float(round(accuracy_m))}, told


def about(value: float, spread: float, *, whole: bool = True, least: float = 1) -> dict[str, Any]:
    """
    Give a range around an estimate: as far below and above it as *spread*, a share of it.
    """
    low, high = value * (1 - spread), value * (1 + spread)
    low, high = (float(round(low)), float(round(high))) if whole else (round(low, 1), round(high, 1))
    return {"min": max(float(least), low), "max": max(float(least), high), "estimated": True}


def exactly(value: float) -> dict[str, Any]:
    """
    Give a range that holds one number, which was counted or measured.
    """
    return {"min": float(value), "max": float(value), "estimated": False}


def seen_colours(rng: Random, boat: Boat, unsure: float) -> list[str]:
    """
    Give the colours as somebody took them for: one of several may be missed, and each is mistaken with the probability *unsure*.
    """
    colours = boat.colours if chance(rng, 1 / len(boat.colours)) else boat.colours[:1]
    return [rng.choice(LIKE.get(colour, tuple(COLOURS))) if chance(rng, unsure) else colour for colour in colours]


def wrongs(boat: Boat, groups: Mapping[str, Any], *, clock: bool = False, astray: bool = False) -> tuple[str, ...]:
    """
    Name what of a report is not as it was: ``count``, ``colour``, ``clock``, ``position``.

    A range is right where it holds the truth.
    """
    craft = groups.get("craft") or {}
    told = craft.get("persons_on_board") or (groups.get("persons") or {}).get("total") or {}
    least, most = told.get("min"), told.get("max")
    count = (least is not None and boat.persons < least) or (most is not None and boat.persons > most)
    colours: Sequence[str] = craft.get("colours") or ()
    colour = bool(colours) and not set(colours) & set(boat.colours)
    named = {"count": count, "colour": colour, "clock": clock, "position": astray}
    return tuple(name for name, wrong in named.items() if wrong)
