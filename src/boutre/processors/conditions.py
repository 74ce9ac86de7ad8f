"""
Whether an agreement speaks of a record at all: its kinds, its term, its marking, its conditions. Every doubt is a no.

What the conditions ask of a record is read once, as ``Facts``, for all agreements; what an agreement asks for is made ready once,
as ``Terms``, for all records.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from boutre.processors.agreement import TLP, Agreement
from boutre.processors.safety_of_life import SafetyOfLife
from boutre.processors.scopes import NO_SCOPES, Scopes

ZonesAt = Callable[[float, float], frozenset[str]]

RANKS: Mapping[str, int] = {label: rank for rank, label in enumerate(TLP)}
"""How limited each marking is, the least first."""

NOWHERE: frozenset[str] = frozenset()


class Facts:
    """
    What conditions ask of one record, the same for every agreement; what is looked up is when the first one asks for it.

    *accepted* is the time of acceptance: by it, and never by the time of the event, an agreement is in force. *scopes* are the
    operations that are active, *lives* says when lives are at risk.
    """

    __slots__ = (
        "_at", "_at_risk", "_lives", "_value", "_zones", "_zones_at", "accepted", "codes", "consent", "day", "kind", "label",
        "marked", "member", "named", "purposes", "rank", "scopes", "type",
    )  # fmt: skip

    def __init__(
        self,
        kind: str,
        value: Mapping[str, Any],
        accepted: datetime,
        zones_at: ZonesAt,
        *,
        scopes: Scopes = NO_SCOPES,
        lives: SafetyOfLife | None = None,
    ) -> None:
        self.kind = kind
        self.accepted = accepted
        self.scopes = scopes
        self.day: date = accepted.astimezone(UTC).date()
        handling = value.get("handling")
        self.marked = isinstance(handling, dict)
        marks: dict[str, Any] = handling if isinstance(handling, dict) else {}
        self.label = marks.get("tlp")
        self.rank = RANKS.get(self.label) if isinstance(self.label, str) else None
        self.named = frozenset(marks.get("release_to") or ())
        self.purposes = frozenset(marks.get("purposes") or ())
        self.codes = frozenset(marks.get("handling_codes") or ())
        self.consent = marks.get("consent")
        self.member = _part(value, "origin", "member")
        self.type = _part(value, "event", "type")
        self._at = _part(value, "position", "latitude"), _part(value, "position", "longitude")
        self._zones_at = zones_at
        self._zones: frozenset[str] | None = None
        self._value = value
        self._lives = lives
        self._at_risk: bool | None = None

    @property
    def lives_at_risk(self) -> bool:
        """Say whether lives are at risk by what the bus declares; never, where it declares nothing."""
        if self._at_risk is None:
            self._at_risk = self._lives is not None and self._lives.at_risk(self._value)
        return self._at_risk

    @property
    def zones(self) -> frozenset[str]:
        """The zones in which it lies; none, where its position is not known."""
        if self._zones is None:
            latitude, longitude = self._at
            self._zones = NOWHERE if latitude is None or longitude is None else self._zones_at(latitude, longitude)
        return self._zones


@dataclass(frozen=True, slots=True)
class Terms:
    """
    What one agreement asks of a record, made ready to be asked often.
    """

    recipient: str
    kinds: frozenset[str]
    start: date
    end: date
    purposes: frozenset[str]
    most: int | None
    handling: frozenset[str]
    consent: frozenset[str] | None
    scope: str | None
    members: frozenset[str] | None
    not_members: frozenset[str]
    types: frozenset[str] | None
    not_types: frozenset[str]
    zones: frozenset[str] | None

    @classmethod
    def of(cls, agreement: Agreement) -> Terms:
        """Make an agreement's terms ready."""
        when = agreement.when
        return cls(
            agreement.recipient,
            frozenset(agreement.kinds),
            agreement.start,
            agreement.end,
            frozenset(agreement.purposes),
            None if when.tlp_max is None else RANKS[when.tlp_max],
            frozenset(when.handling),
            None if when.consent is None else frozenset(when.consent),
            agreement.scope,
            None if when.members is None else frozenset(when.members),
            frozenset(when.not_members),
            None if when.types is None else frozenset(when.types),
            frozenset(when.not_types),
            None if when.zones is None else frozenset(when.zones),
        )

    def refusal(self, facts: Facts) -> str | None:
        """Give the reason, of the vocabulary ``release-reason``, why nothing of a record is given, or None where it is."""
        if facts.kind not in self.kinds:
            return "not-for-this-kind"
        if not self._in_force(facts.day):
            return "agreement-not-in-force"
        if self.scope is not None and not facts.scopes.active(self.scope, facts.accepted, facts.member):
            return "scope-not-active"
        if self.most is None:
            # Without a limit it is for safety of life, which holds whatever the marking.
            return self._condition(facts) if facts.lives_at_risk else "not-for-this-event"
        return self._label(facts, self.most) or self._condition(facts)

    def _in_force(self, day: date) -> bool:
        return self.start <= day < self.end

    def _label(self, facts: Facts, most: int) -> str | None:
        if not facts.marked:
            return "marking"
        if facts.label == "RED" and not facts.named:
            return "empty-audience"
        if facts.named and self.recipient not in facts.named:
            return "not-named"
        return self._limited(facts, most)

    def _limited(self, facts: Facts, most: int) -> str | None:
        if facts.rank is None:
            return "unknown-marking"
        if facts.rank > most:
            return "marking"
        if not facts.codes <= self.handling:
            return "handling-code"
        if self.consent is not None and facts.consent not in self.consent:
            return "no-consent"
        return "not-for-this-purpose" if facts.purposes and facts.purposes.isdisjoint(self.purposes) else None

    def _condition(self, facts: Facts) -> str | None:
        if facts.member in self.not_members:
            return "own-report"
        if facts.member is None or (self.members is not None and facts.member not in self.members):
            return "condition"
        if self.types is not None and facts.type not in self.types:
            return "not-for-this-event"
        if self.not_types and (facts.type is None or facts.type in self.not_types):
            return "not-for-this-event"
        return None if self.zones is None or not facts.zones.isdisjoint(self.zones) else "condition"


def refusal(agreement: Agreement, facts: Facts) -> str | None:
    """
    Give the reason, of the vocabulary ``release-reason``, why *agreement* gives nothing of a record, or None where it does.
    """
    return Terms.of(agreement).refusal(facts)


def _part(value: Mapping[str, Any], group: str, name: str) -> Any:
    held = value.get(group)
    return held.get(name) if isinstance(held, dict) else None
