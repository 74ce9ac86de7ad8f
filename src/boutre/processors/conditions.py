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
    label, named = handling.get("tlp"), handling.get("release_to") or []
    if named and agreement.recipient not in named:
        return "not-named"
    if label not in TLP:
        return "unknown-marking"
    if TLP.index(label) > TLP.index(agreement.when.tlp_max):
        return "marking"
    if label == "RED" and agreement.recipient not in named:
        return "not-named"
    purposes = handling.get("purposes") or []
    if purposes and not set(purposes) & set(agreement.purposes):
        return "not-for-this-purpose"
    return None


def _condition(agreement: Agreement, value: Mapping[str, Any], zones_at: ZonesAt) -> str | None:
    when = agreement.when
    member = (value.get("origin") or {}).get("member")
    if member in when.not_members:
        return "own-report"
    if when.members is not None and member not in when.members:
        return "condition"
    event = value.get("event")
    kind = event.get("type") if isinstance(event, Mapping) else None
    if kind in when.not_types or (when.types is not None and kind not in when.types):
        return "not-for-this-event"
    if when.zones is not None:
        position = value.get("position")
        if not isinstance(position, Mapping) or position.get("latitude") is None or position.get("longitude") is None:
            return "condition"
        if not zones_at(position["latitude"], position["longitude"]) & frozenset(when.zones):
            return "condition"
    return None
