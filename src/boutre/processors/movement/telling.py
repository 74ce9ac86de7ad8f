"""
Detections as records: sightings of an observatory of the bus's own, with ids that follow from what was found, and their recalls.

A detection says no more than the positions that it stands on: it is of their type, so that agreements which give no AIS give none
of it, and it bears the widest marking, since nothing else is read. What goes on comes again as a revision; what later reports show
to be wrong, and what stands on a report that is taken back, is taken back.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from boutre.processors.accept import lane
from boutre.processors.decision import Outbound
from boutre.processors.movement.detection import ANOMALY, SCHEME, Detection, sentence, subject_text
from boutre.processors.movement.kept import Kept
from boutre.processors.movement.report import MMSI
from boutre.schemas.codec import Codec
from boutre.schemas.identity import record_id

TOPIC: Final = "bus.found.{kind}"
FEED: Final = "movement"

TLP: Final = "CLEAR"
NAMED: Final = "RED"
MOST_SHOWN: Final = 32
"""Detections that stand on one report and go with it."""

REMEMBERS: Final = frozenset({"told", "shown"})
ONCE: Final = "once"
WITHDRAWN: Final = "withdrawn"


class Told(Struct, frozen=True):
    """
    A detection that was told: its last *revision*, the *record* that was, about which *mmsi*, in which *phase* and up to when.
    """

    revision: int
    record: str
    mmsi: str
    phase: str
    end: float


@dataclass(frozen=True, slots=True)
class Terms:
    """
    On what terms detections are given: *purposes*, and so many days until they must be erased.

    Only a report that allows as much is read (``allowed``); so a detection never goes where one of its reports may not.
    """

    purposes: tuple[str, ...]
    retention_days: int
    legal_basis: str

    def allowed(self, handling: Any) -> bool:
        """Say whether everybody may have a report with this *handling*, for these purposes and as long; any limit denies."""
        if not isinstance(handling, Mapping) or handling.get("tlp") != TLP or handling.get("release_to") or handling.get("pap"):
            return False
        return self.allowed_to_its_own(handling)

    def allowed_to_its_own(self, handling: Any) -> bool:
        """
        Say whether a report may be looked at to tell its own member something, whoever else may have it.

        Not where it tells of people, bears a handling code or a consent, or was given for other purposes or fewer days.
        """
        if not isinstance(handling, Mapping) or any(handling.get(name) for name in ("personal_data", "handling_codes", "consent")):
            return False
        purposes, days = handling.get("purposes"), handling.get("retention_days")
        return (not purposes or set(purposes) >= set(self.purposes)) and (days is None or days >= self.retention_days)


@dataclass(frozen=True, slots=True)
class Teller:
    """
    Writes detections as records of the observatory *member*; where it is for one alone, for *only* this recipient.
    """

    codec: Codec
    member: str
    terms: Terms
    only: str | None = None

    @property
    def handling(self) -> dict[str, Any]:
        """The marking of what is told: the widest, or for those whom it names."""
        return {"tlp": TLP} if self.only is None else {"tlp": NAMED, "release_to": [self.only]}

    def tell(self, found: Detection, kept: Kept, accepted: datetime, timestamp: int) -> Iterator[Outbound]:
        """Write what is new of a detection; nothing where it was told so already."""
        key = f"told:{found.id}"
        known = kept.get(key, Told)
        if found.phase == WITHDRAWN:
            yield from self._withdrawn(key, known, kept, timestamp, "did-not-happen")
            return
        if known is not None and known.phase == found.phase and (found.phase == ONCE or known.end == found.end):
            return  # three hulls under one number are two, and two: the first say it
        revision = 0 if known is None else known.revision + 1
        value = self.sighting(found, revision, None if known is None or known.phase == WITHDRAWN else known.record, accepted)
        for record in found.records:
            shown = kept.get(f"shown:{record}", list[str]) or []
            if found.id not in shown:
                kept.put(f"shown:{record}", [*shown, found.id][-MOST_SHOWN:])
        kept.put(key, Told(revision, value["id"], _mmsi(found), found.phase, found.end))
        yield self._out("sighting", value, timestamp)

    def taken_back(self, record: str, kept: Kept, timestamp: int) -> Iterator[Outbound]:
        """Take back what stands on a report that was taken back."""
        for found in kept.get(f"shown:{record}", list[str]) or ():
            key = f"told:{found}"
            yield from self._withdrawn(key, kept.get(key, Told), kept, timestamp, "wrong")
        kept.put(f"shown:{record}", None)

    def sighting(self, found: Detection, revision: int, revises: str | None, accepted: datetime) -> dict[str, Any]:
        """Give a detection as a sighting."""
        reference = found.id if self.only is None else f"{found.id} for {self.only}"
        anomaly = ANOMALY.get(found.type)
        classes = [{"scheme": SCHEME, "version": found.rule.partition("@")[2], "code": found.type}]
        if anomaly is not None:
            classes.append({"scheme": "cise-anomaly", "version": "1", "code": anomaly})
        return {
            "id": record_id(self.member, "sighting", FEED, reference, revision),
            "exercise": False,
            "lifecycle": {"status": "update" if revision else "initial", "revision": revision, "revises": revises},
            "origin": {"member": self.member, "feed": FEED, "reference": reference},
            "times": {"observed": _at(found.begin), "observed_until": _at(found.end), "accepted_at": accepted},
            # Of the type of its reports: who is given no AIS is given nothing that was made of it.
            "event": {"type": "ais", "classes": classes, "nature": "Estimated"},
            "position": {"latitude": found.latitude, "longitude": found.longitude},
            "claims": [{"attribute": MMSI, "value": _mmsi(found), "source": "ais"}],
            "assessment": {"probability": found.certainty, "validation": "not-validated"},
            "handling": self.handling
            | {
                "purposes": list(self.terms.purposes),
                "legal_basis": self.terms.legal_basis,
                "retention_days": self.terms.retention_days,
                "personal_data": False,
            },
            # As JSON, since no other group that may be given has room for what shows it: the narrative may name people, and what is
            # unmapped goes to nobody.
            "provenance": {"derived_from": list(found.records), "method": msgspec.json.encode(dict(_evidence(found))).decode()},
        }

    def _withdrawn(self, key: str, known: Told | None, kept: Kept, timestamp: int, why: str) -> Iterator[Outbound]:
        if known is None or known.phase == WITHDRAWN:
            return
        kept.put(key, replace(known, phase=WITHDRAWN))
        reference = f"recall of {known.record}"
        value = {
            "id": record_id(self.member, "retraction", FEED, reference, 0),
            "exercise": False,
            "lifecycle": {"status": "initial", "revision": 0},
            "origin": {"member": self.member, "feed": FEED, "reference": reference},
            "times": {"observed": _at(timestamp / 1000)},
            "handling": self.handling,
            "recall": {"record": known.record, "subject": known.mmsi, "kind": "sighting", "scope": "retract", "reason": why},
        }
        yield self._out("retraction", value, timestamp)

    def _out(self, kind: str, value: Mapping[str, Any], timestamp: int) -> Outbound:
        return Outbound(TOPIC.format(kind=kind), lane(value).encode(), self.codec.encode(kind, value), timestamp)


def _mmsi(found: Detection) -> str:
    return found.subject.removeprefix(f"{MMSI}:")


def _at(seconds: float) -> dict[str, Any]:
    return {"at": datetime.fromtimestamp(seconds, UTC), "precision": "second"}


def _evidence(found: Detection) -> Iterator[tuple[str, str]]:
    """Its sentence in both languages, the numbers that show it, with their units, and the thresholds by which it was found."""
    for language, text in sentence(found).items():
        yield f"sentence.{language}", text
    yield "rule", found.rule
    yield "phase", found.phase
    yield "others", ", ".join(map(subject_text, found.others))
    for one in found.evidence:
        yield one.name, f"{one.value:g} {one.unit}"
    for name, text in found.facts:
        yield f"fact.{name}", text
    for one in found.thresholds:
        yield f"threshold.{one.name}", f"{one.value:g} {one.unit}"
