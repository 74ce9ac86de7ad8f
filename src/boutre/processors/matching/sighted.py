"""
A report as matching sees it: when, where and what was seen, with how far each is known.

Made of a record, or of what a recipient got of one: what is withheld is as if it had never been told, and what is coarse is known
only as finely as its recipient has it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from msgspec import Struct

HALF_WIDTH_S: Final[Mapping[str, float]] = {
    "second": 1.0,
    "minute": 30.0,
    "hour": 1_800.0,
    "day": 43_200.0,
    "month": 15.5 * 86_400.0,
    "year": 183.0 * 86_400.0,
}
"""Half of the interval, in seconds, in which an instant lies that is known to this precision."""

_WHOLE: Final = {"minute", "hour", "day", "month", "year"}
"""Precisions whose instant is the beginning of its interval, and not the middle of it."""


MOST: Final = 64
"""Of each list that a report holds, how many are looked at: nobody claims more, unless to fill what is remembered."""


class Span(Struct, frozen=True):
    """
    A number between a least and a most, either of which may be unknown.
    """

    least: float | None
    most: float | None

    @property
    def middle(self) -> float | None:
        """The middle, or the end that is known."""
        if self.least is None or self.most is None:
            return self.most if self.least is None else self.least
        return (self.least + self.most) / 2


class Sighted(Struct, frozen=True):
    """
    One report. *at* is seconds since 1970 UTC, the middle of the interval that *within_s* halves; degrees are WGS 84.

    *accuracy_m* is the radius in metres of the circle in which it lies with 95 % probability; course in degrees, speed in knots,
    length in metres, power in kW. *identifiers* are (attribute, value) as claimed, names among them; *source* says by whose feed
    it came. None and empty: not told, or withheld.
    """

    id: str
    kind: str
    source: str = ""
    at: float | None = None
    within_s: float = 0.0
    latitude: float | None = None
    longitude: float | None = None
    accuracy_m: float | None = None
    event: str | None = None
    outcome: str | None = None
    classes: tuple[tuple[str, str], ...] = ()
    craft: str | None = None
    source_kind: str | None = None
    hull: str | None = None
    colours: tuple[str, ...] = ()
    length_m: Span | None = None
    engines: Span | None = None
    power_kw: Span | None = None
    persons: Span | None = None
    markings: tuple[str, ...] = ()
    activity: str | None = None
    course_deg: float | None = None
    speed_kn: float | None = None
    identifiers: tuple[tuple[str, str], ...] = ()
    sensor: str | None = None
    revises: str | None = None
    derived_from: tuple[str, ...] = ()
    roots: tuple[str, ...] = ()

    def claimed(self, attribute: str) -> tuple[str, ...]:
        """Give what is claimed as *attribute*, a code of ``identity-attribute``, as it was written."""
        return tuple(value for name, value in self.identifiers if name == attribute)

    @property
    def placed(self) -> bool:
        """Whether it is known when and where."""
        return self.at is not None and self.latitude is not None and self.longitude is not None


def sighted(kind: str, value: Mapping[str, Any], name: str | None = None) -> Sighted:
    """
    Give a record, or a view of one, as matching sees it, under its own id or under *name*.
    """
    event, craft, origin = _group(value, "event"), _group(value, "craft"), _group(value, "origin")
    at, within = _moment(_group(value, "times"))
    position, movement, provenance = (_group(value, group) for group in ("position", "movement", "provenance"))
    engines = craft.get("engines") or {}
    claims = value.get("claims")
    return Sighted(
        id=name or str(value["id"]),
        kind=kind,
        source="/".join(filter(None, (_text(origin.get("member")), _text(origin.get("feed"))))),
        at=at,
        within_s=within,
        latitude=_number(position.get("latitude")),
        longitude=_number(position.get("longitude")),
        accuracy_m=_number(position.get("accuracy_m")),
        event=_text(event.get("type")),
        outcome=_text(event.get("outcome")),
        classes=tuple((str(one["scheme"]), str(one["code"])) for one in (event.get("classes") or ())[:MOST]),
        craft=_text(craft.get("kind")),
        source_kind=_text(craft.get("source_kind")),
        hull=_text(craft.get("hull")),
        colours=tuple(craft.get("colours") or ()),
        length_m=_span(craft.get("length_m")),
        engines=_span(engines.get("count")) if isinstance(engines, Mapping) else None,
        power_kw=_span(engines.get("power_kw")) if isinstance(engines, Mapping) else None,
        persons=_span(craft.get("persons_on_board")) or _span(_group(value, "persons").get("total")),
        markings=tuple(craft.get("markings") or ())[:MOST],
        activity=_text(craft.get("activity")),
        course_deg=_number(movement.get("course_deg")),
        speed_kn=_number(movement.get("speed_kn")),
        identifiers=tuple((str(one["attribute"]), str(one["value"])) for one in claims[:MOST]) if isinstance(claims, list) else (),
        sensor=_text(_group(value, "sensor").get("kind")),
        revises=_text(_group(value, "lifecycle").get("revises")),
        derived_from=tuple(provenance.get("derived_from") or ())[:MOST],
        roots=tuple(str(one["name"]) for one in provenance.get("sources") or ())[:MOST],
    )


def _group(value: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    group = value.get(name)
    return group if isinstance(group, Mapping) else {}


def _moment(times: Mapping[str, Any]) -> tuple[float | None, float]:
    observed = times.get("observed")
    if not isinstance(observed, Mapping) or observed.get("at") is None:
        return None, 0.0
    precision = str(observed.get("precision"))
    half = HALF_WIDTH_S.get(precision, HALF_WIDTH_S["second"])
    begin = observed["at"].timestamp()
    middle = begin + half if precision in _WHOLE else begin
    return middle, max(half, _number(observed.get("uncertainty_s")) or 0.0)


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) else None


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _span(value: Any) -> Span | None:
    if not isinstance(value, Mapping):
        return None
    least, most = _number(value.get("min")), _number(value.get("max"))
    return None if least is None and most is None else Span(least, most)
