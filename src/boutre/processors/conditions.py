"""
Whether an agreement speaks of a record at all: its kinds, its term, its marking, its conditions. Every doubt is a no.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from typing import Any

from boutre.processors.agreement import TLP, Agreement

ZonesAt = Callable[[float, float], frozenset[str]]


def refusal(agreement: Agreement, kind: str, value: Mapping[str, Any], accepted: datetime, zones_at: ZonesAt) -> str | None:
    """
    Give the reason, of the vocabulary ``release-reason``, why *agreement* gives nothing of this record, or None where it does.

    *accepted* is the time of acceptance: by it, and never by the time of the event, an agreement is in force.
    """
    if kind not in agreement.kinds:
        return "not-for-this-kind"
    if not _in_force(agreement, accepted.astimezone(UTC).date()):
        return "agreement-not-in-force"
    return _marking(agreement, value) or _condition(agreement, value, zones_at)


def _in_force(agreement: Agreement, day: date) -> bool:
    return agreement.start <= day < agreement.end


def _marking(agreement: Agreement, value: Mapping[str, Any]) -> str | None:
    handling = value.get("handling")
    if not isinstance(handling, Mapping):
        return "marking"
    purposes = handling.get("purposes") or []
    if purposes and set(purposes).isdisjoint(agreement.purposes):
        return _label(agreement, handling) or "not-for-this-purpose"
    return _label(agreement, handling)


def _label(agreement: Agreement, handling: Mapping[str, Any]) -> str | None:
    label, named = handling.get("tlp"), handling.get("release_to") or []
    if named and agreement.recipient not in named:
        return "not-named"
    if label not in TLP:
        return "unknown-marking"
    if TLP.index(label) > TLP.index(agreement.when.tlp_max):
        return "marking"
    return "not-named" if label == "RED" and not named else None


def _condition(agreement: Agreement, value: Mapping[str, Any], zones_at: ZonesAt) -> str | None:
    when = agreement.when
    member, kind = _part(value, "origin", "member"), _part(value, "event", "type")
    if member in when.not_members:
        return "own-report"
    if member is None or (when.members is not None and member not in when.members):
        return "condition"
    if (when.types is not None and kind not in when.types) or (when.not_types and (kind is None or kind in when.not_types)):
        return "not-for-this-event"
    return None if when.zones is None or _lies_in(when.zones, value, zones_at) else "condition"


def _lies_in(zones: tuple[str, ...], value: Mapping[str, Any], zones_at: ZonesAt) -> bool:
    latitude, longitude = _part(value, "position", "latitude"), _part(value, "position", "longitude")
    return latitude is not None and longitude is not None and not zones_at(latitude, longitude).isdisjoint(zones)


def _part(value: Mapping[str, Any], group: str, name: str) -> Any:
    held = value.get(group)
    return held.get(name) if isinstance(held, Mapping) else None
