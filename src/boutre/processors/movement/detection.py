"""
What was found in movements: a value with its evidence in numbers, the thresholds it was found by, and a sentence made of it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final, Literal

from babel.numbers import format_decimal
from msgspec import Struct

from boutre.language import LANGUAGES, Value, both
from boutre.processors.movement.report import Report
from boutre.schemas.identity import named

GAP: Final = "gap"
LOITERING: Final = "loitering"
RENDEZVOUS: Final = "rendezvous"
DARK: Final = "dark-rendezvous"
JUMP: Final = "impossible-jump"
HULLS: Final = "two-hulls"
CIRCLE: Final = "circle"
IDENTITY: Final = "identity-change"
SUCCESSOR: Final = "identity-successor"
SHARED: Final = "identity-shared"
ZONE: Final = "zone-entry"

SCHEME: Final = "movement"
"""The scheme of the types of detections; its version is that of the thresholds."""

ANOMALY: Final[Mapping[str, str]] = {
    GAP: "WithoutAISTransmission",
    LOITERING: "UnexpectedMovement",
    RENDEZVOUS: "UnexpectedMovement",
    DARK: "WithoutAISTransmission",
    JUMP: "PerformingAISSpoofing",
    HULLS: "PerformingAISSpoofing",
    CIRCLE: "PerformingAISSpoofing",
    IDENTITY: "DetecionOfChangesInAISParameters",
    SUCCESSOR: "DetecionOfChangesInAISParameters",
    SHARED: "DetecionOfChangesInAISParameters",
}
"""The code of the vocabulary ``cise-anomaly`` for each type; to enter a zone is none."""

Phase = Literal["open", "closed", "once", "withdrawn"]
"""Of what lasts: so far, over, or told in error as later reports show; *once* is what does not last."""


class Measure(Struct, frozen=True):
    """
    A number and its unit (``km``, ``kn``, ``h``, ``s``, ``deg``, ``count``, ``share``), by name.
    """

    name: str
    value: float
    unit: str


class Detection(Struct, frozen=True):
    """
    That *subject* did what *type* names, from *begin* to *end* (seconds since 1970 UTC), seen at a place (degrees WGS 84).

    *id* is a function of type, subject, other subjects, begin and rule. What is open has its *end* so far; it comes again with the
    same id when it is closed. *certainty* is from 0 to 1. *facts* are texts by name: names, zones, who claims them. *records* are
    the ids of reports that show it, the first and the last at least: whoever may not have those may not have this.
    """

    id: str
    type: str
    rule: str
    subject: str
    begin: float
    end: float
    latitude: float
    longitude: float
    certainty: float
    phase: Phase = "once"
    others: tuple[str, ...] = ()
    evidence: tuple[Measure, ...] = ()
    facts: tuple[tuple[str, str], ...] = ()
    thresholds: tuple[Measure, ...] = ()
    records: tuple[str, ...] = ()

    def measure(self, name: str) -> float:
        """Give one number of the evidence; KeyError where it has none of this name."""
        return {one.name: one.value for one in self.evidence}[name]

    def fact(self, name: str) -> str | None:
        """Give one text of the evidence; None where it has none of this name."""
        return dict(self.facts).get(name)


def detection_id(rule: str, subject: str, others: tuple[str, ...], begin: float, of: str = "") -> str:
    """
    Give the id of a detection: 32 letters, the same whenever the same is found by the same version of the rule.

    The *rule* is ``type@version``.
    *of* tells two apart that one subject has at one instant: the zone that is entered, the attribute that changes.
    """
    parts = (rule, subject, *others, f"{begin:.3f}", of)
    sized = b"".join(len(part.encode()).to_bytes(4, "big") + part.encode() for part in parts)
    return named(hashlib.sha256(b"boutre movement\0" + sized).digest())


def found(  # one place where ids are made
    type_: str,
    version: int,
    at: Report,
    *,
    begin: float,
    end: float,
    certainty: float,
    subject: str | None = None,
    phase: Phase = "once",
    others: tuple[str, ...] = (),
    evidence: tuple[tuple[str, float, str], ...] = (),
    facts: Mapping[str, str | None] | None = None,
    thresholds: tuple[tuple[str, float, str], ...] = (),
    records: tuple[str, ...] = (),
    of: str = "",
) -> Detection:
    """
    Make a detection at the place of the report *at*, about its subject or about *subject*.
    """
    rule, whom = f"{type_}@{version}", subject or at.subject
    return Detection(
        id=detection_id(rule, whom, others, begin, of),
        type=type_,
        rule=rule,
        subject=whom,
        begin=begin,
        end=end,
        latitude=at.latitude,
        longitude=at.longitude,
        certainty=certainty,
        phase=phase,
        others=others,
        evidence=tuple(Measure(name, round(value, 3), unit) for name, value, unit in evidence),
        facts=tuple((name, text) for name, text in (facts or {}).items() if text),
        thresholds=tuple(Measure(name, value, unit) for name, value, unit in thresholds),
        records=tuple(dict.fromkeys(filter(None, (*records, at.id)))),
    )


def sentence(told: Detection) -> dict[str, str]:
    """
    Say in both languages what was found, with the numbers that show it.
    """
    values: dict[str, Value] = {one.name: number(one.value) for one in told.evidence}
    values |= dict(told.facts)
    values |= {
        "subject": subject_text(told.subject),
        "other": " + ".join(subject_text(each) for each in told.others),
        "begin": moment(told.begin),
        "end": moment(told.end),
        "place": place(told.latitude, told.longitude),
    }
    if told.type in {HULLS, JUMP}:
        values["from_place"] = place(told.measure("from_latitude"), told.measure("from_longitude"))
    if told.type == GAP:
        values["reception"] = both(f"movement.reception.{told.fact('reception')}", **values)
    if (attribute := told.fact("attribute")) is not None:
        values["attribute"] = both(f"movement.attribute.{attribute}")
    if told.type == ZONE:
        values["claimed"] = _claimed(told.fact("claimants") or "")
        values["line"] = both("movement.on-line") if told.measure("on_line") else None
    phase = "" if told.phase == "once" else f".{told.phase}"
    return both(f"movement.{told.type}{phase}", **values)


def _claimed(claimants: str) -> dict[str, str]:
    # Each as "FRA administration": the State's code, and the code of how it claims.
    parts = [each.partition(" ") for each in claimants.split(", ") if each]
    if not parts:
        return both("movement.unclaimed")
    how = [(state, both(f"movement.claim.{kind}")) for state, _, kind in parts]
    listed = {language: ", ".join(f"{state} ({words[language]})" for state, words in how) for language in LANGUAGES}
    return both("movement.claimed", states=listed)


def subject_text(subject: str) -> str:
    """
    Write a subject as people do: ``MMSI 620123456``, ``radar R1-17``.
    """
    kind, _, name = subject.partition(":")
    return f"{kind.upper() if kind == 'mmsi' else kind} {name}"


def number(value: float) -> dict[str, str]:
    """
    Write a number in both languages, with no more digits than somebody reads.
    """
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2  # noqa: PLR2004 - three digits that matter
    # The narrow space that French sets between thousands is no printable character to a terminal.
    return {language: format_decimal(round(value, digits), locale=language).replace("\u202f", " ") for language in LANGUAGES}


def place(latitude: float, longitude: float) -> dict[str, str]:
    """
    Write a place in both languages: degrees, to about a hundred metres.
    """
    north, east = "N" if latitude >= 0 else "S", longitude >= 0
    texts = {
        language: [format_decimal(abs(one), format="0.000", locale=language) for one in (latitude, longitude)]
        for language in LANGUAGES
    }
    return {
        language: f"{one}° {north}, {other}° {'E' if east else {'fr': 'O'}.get(language, 'W')}"
        for language, (one, other) in texts.items()
    }


def moment(at: float) -> str:
    """
    Write an instant to the second, in UTC.
    """
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M:%S} UTC"
