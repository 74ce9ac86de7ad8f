"""
What a reporting form asks, box by box: the key of each box, how it is read, and where in a record it goes.

The one table from which templates are written and filled forms are read, so that they cannot differ. What a box is called stands in
the text catalogue (``form.field.<key>``), in French and in English. A key never changes once a template was given out: filled forms
come back years later. A box that is no more asked keeps being read.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Final, Literal

from boutre.language import LANGUAGES, say

Read = Literal[
    "text",
    "long-text",
    "texts",
    "code",
    "codes",
    "yes-no",
    "whole",
    "number",
    "range",
    "date",
    "time",
    "zone",
    "latitude",
    "longitude",
    "state",
]

KINDS: Final = ("sighting", "interception")
"""
The kinds of report that a form can be.
"""
ALWAYS: Final = frozenset(KINDS)
NEVER: Final[frozenset[str]] = frozenset()
INTERCEPTION: Final = frozenset({"interception"})
SIGHTING: Final = frozenset({"sighting"})

ZONES: Final = (
    "Indian/Comoro",
    "Indian/Mayotte",
    "Indian/Antananarivo",
    "Indian/Mahe",
    "Indian/Mauritius",
    "Indian/Reunion",
    "Indian/Maldives",
    "Africa/Nairobi",
    "Africa/Dar_es_Salaam",
    "Africa/Djibouti",
    "Africa/Maputo",
    "Africa/Johannesburg",
    "UTC",
)
"""
The time zones that the form offers; another is read too, as its IANA name or as an offset such as +03:00.
"""
STATES: Final = (
    *("COM", "FRA", "MDG", "MUS", "SYC", "KEN", "TZA", "MOZ", "ZAF", "SOM", "DJI", "ETH", "ERI"),
    *("COD", "RWA", "BDI", "UGA", "MWI", "LKA", "IND", "PAK", "IRN", "YEM", "CHN", "IDN"),
)
"""
The States that the form offers (ISO 3166 alpha-3); any other code is read too.
"""


@dataclass(frozen=True, slots=True)
class Box:
    """
    One box of the form.

    *path* is the field of the record that it fills, empty where what is read in several boxes makes one field. *required* are the
    kinds of report that must have it.
    """

    key: str
    read: Read
    path: str = ""
    vocabulary: str | None = None
    required: frozenset[str] = NEVER

    @property
    def many(self) -> bool:
        """
        Whether it takes several values.
        """
        return self.read in {"texts", "codes"}

    def label(self, language: str) -> str:
        """
        What it is called.
        """
        return say(f"form.field.{self.key}", language)

    @property
    def name(self) -> str:
        """
        What it is called in both languages, for whoever must find it.
        """
        french, english = self.label("fr"), self.label("en")
        return french if french == english else f"{french} / {english}"


SECTIONS: Final[Mapping[str, tuple[Box, ...]]] = MappingProxyType(
    {
        "origin": (
            Box("kind", "code", vocabulary="kind@1", required=ALWAYS),
            Box("reference", "text", required=ALWAYS),
            Box("revision", "whole"),
            Box("status", "code", "lifecycle.status", "lifecycle@1"),
            Box("exercise", "yes-no", "exercise", required=ALWAYS),
            Box("authority", "text", "origin.authority"),
            Box("unit", "text", "origin.unit"),
            Box("community", "code", "origin.community", "community@1"),
        ),
        "times": (
            Box("zone", "zone", required=ALWAYS),
            Box("observed-date", "date", required=ALWAYS),
            Box("observed-time", "time"),
            Box("until-date", "date"),
            Box("until-time", "time"),
            Box("reported-date", "date"),
            Box("reported-time", "time"),
        ),
        "event": (
            Box("event-type", "code", "event.type", "event-type@1", ALWAYS),
            Box("event-nature", "code", "event.nature", "event-nature@1"),
            Box("event-outcome", "code", "event.outcome", "event-outcome@1"),
        ),
        "position": (
            Box("latitude", "latitude", "position.latitude", required=ALWAYS),
            Box("longitude", "longitude", "position.longitude", required=ALWAYS),
            Box("accuracy", "number", "position.accuracy_m"),
            Box("position-fix", "code", "position.fix", "position-fix@1"),
            Box("place", "text", "position.place"),
        ),
        "movement": (
            Box("course", "number", "movement.course_deg"),
            Box("speed", "number", "movement.speed_kn"),
            Box("heading-for", "text", "movement.destination"),
        ),
        "craft": (
            Box("craft-kind", "code", "craft.kind", "craft@1", ALWAYS),
            Box("craft-words", "text", "craft.source_kind"),
            Box("hull", "code", "craft.hull", "hull@1"),
            Box("colours", "codes", "craft.colours", "colour@1"),
            Box("length", "range", "craft.length_m"),
            Box("engine-kind", "code", "craft.engines.kind", "engine@1"),
            Box("engine-count", "range", "craft.engines.count"),
            Box("engine-power", "range", "craft.engines.power_kw"),
            Box("on-board", "range", "craft.persons_on_board"),
            Box("markings", "texts", "craft.markings"),
            Box("activity", "code", "craft.activity", "activity@1"),
        ),
        "claims": (
            Box("name", "text"),
            Box("flag", "state"),
            Box("registration", "text"),
            Box("call-sign", "text"),
            Box("mmsi", "text"),
            Box("imo", "text"),
            Box("claim-source", "code", vocabulary="claim-source@1"),
        ),
        "persons": (
            Box("total", "range", "persons.total", required=INTERCEPTION),
            Box("survivors", "range", "persons.survivors"),
            Box("dead", "range", "persons.dead"),
            Box("missing", "range", "persons.missing"),
            Box("injured", "range", "persons.injured"),
            Box("women", "range"),
            Box("men", "range"),
            Box("girls", "range"),
            Box("boys", "range"),
            Box("other-adults", "range"),
            Box("other-children", "range"),
            Box("people-outcome", "code", "persons.outcome", "people-outcome@1", INTERCEPTION),
        ),
        "sensor": (
            Box("seen-by", "code", "sensor.kind", "sensor@1", SIGHTING),
            Box("seen-from", "code", "sensor.platform", "platform@1"),
        ),
        "action": (
            Box("action-kind", "code", "action.kind", "action@1", INTERCEPTION),
            Box("action-status", "code", "action.status", "action-status@1"),
            Box("action-authority", "text", "action.authority"),
            Box("action-unit", "text", "action.unit"),
            Box("legal-ground", "text", "action.legal_ground"),
            Box("boarded", "yes-no", "action.boarded"),
            Box("detected-by", "code", "action.detected_by", "sensor@1"),
            Box("zone-of-sea", "code", "action.zone", "zone@1"),
            Box("measures", "codes", vocabulary="measure@1"),
            Box("smugglers", "range", "action.smugglers"),
            Box("infractions", "codes", vocabulary="cise-law-infringement@1.5.3"),
        ),
        "migration": (
            Box("departure", "text", "migration.departure"),
            Box("embarked", "text", "migration.embarked"),
            Box("destination", "text", "migration.destination"),
            Box("route", "code", "migration.route", "route@1"),
            Box("detection", "code", "migration.detection", "detection@1"),
            Box("fare", "range", "migration.fare"),
            Box("currency", "text", "migration.currency"),
            Box("facilitated", "yes-no", "migration.facilitated"),
            Box("asylum", "yes-no", "migration.asylum_requested"),
            Box("migrant-types", "codes", "migration.migrant_types", "migrant-type@1"),
        ),
        "trafficking": (
            Box("trafficking-status", "code", "trafficking.status", "trafficking-status@1"),
            Box("decided-by", "code", "trafficking.decided_by", "decided-by@1"),
            Box("trafficking-victims", "range", "trafficking.victims"),
            Box("exploitation", "codes", "trafficking.exploitation", "exploitation@1"),
        ),
        "vulnerability": (
            Box("needs", "codes", "vulnerability.needs", "need@1"),
            Box("unaccompanied", "range", "vulnerability.unaccompanied_children"),
            Box("pregnant", "range", "vulnerability.pregnant"),
            Box("medical-urgent", "yes-no", "vulnerability.medical_urgent"),
            Box("risk", "code", "vulnerability.risk", "risk-level@1"),
            Box("referral", "code", "vulnerability.referral", "referral@1"),
            Box("disembarkation", "text", "vulnerability.disembarkation"),
        ),
        "narrative": (
            Box("narrative-language", "code", vocabulary="language@1"),
            Box("narrative", "long-text"),
        ),
        "assessment": (
            Box("reliability", "code", "assessment.reliability", "admiralty-reliability@1"),
            Box("credibility", "code", "assessment.credibility", "admiralty-credibility@1"),
        ),
        "handling": (
            Box("tlp", "code", "handling.tlp", "tlp@2", ALWAYS),
            Box("purposes", "codes", "handling.purposes", "purpose@1"),
            Box("legal-basis", "text", "handling.legal_basis"),
            Box("retention", "whole", "handling.retention_days"),
            Box("consent", "code", "handling.consent", "consent@1"),
            Box("release-to", "texts", "handling.release_to"),
        ),
    }
)
"""
The boxes of the first sheet, by the group of the record under whose name they stand.
"""

PERSON: Final = (
    Box("person-list", "code", required=ALWAYS),
    Box("person-name", "text", "name"),
    Box("person-birth-year", "whole", "birth_year"),
    Box("person-birth-date", "date", "birth_date"),
    Box("person-sex", "code", "sex", "sex@1"),
    Box("person-age", "code", "age_band", "age-band@1"),
    Box("person-nationality", "state", "nationality"),
    Box("person-role", "code", "role", "person-role@1"),
    Box("person-document", "code", vocabulary="document@1"),
    Box("person-document-number", "text"),
    Box("person-document-state", "state"),
    Box("person-needs", "codes", "needs", "need@1"),
    Box("person-consent", "code", "consent", "consent@1"),
)
"""
The columns of the second sheet: a person a row, on one of two lists.
"""
LISTS: Final = ("victims", "suspects")
"""
The two lists of persons, which are two fields of a record: different recipients may have them.
"""

COUNTS: Final[Mapping[str, tuple[str, str]]] = MappingProxyType(
    {
        "women": ("female", "adult"),
        "men": ("male", "adult"),
        "girls": ("female", "child"),
        "boys": ("male", "child"),
        "other-adults": ("unknown", "adult"),
        "other-children": ("unknown", "child"),
    }
)
"""
The boxes that count people by sex and age band.
"""
CLAIMS: Final = ("name", "flag", "registration", "call-sign", "mmsi", "imo")
"""
The boxes that hold identities of the craft; their keys are codes of identity-attribute@1.
"""

BOXES: Final[Mapping[str, Box]] = MappingProxyType({box.key: box for boxes in SECTIONS.values() for box in boxes})
COLUMNS: Final[Mapping[str, Box]] = MappingProxyType({box.key: box for box in PERSON})


def folded(text: str) -> str:
    """
    *text* without accents, case and punctuation, so that what people type is found.
    """
    plain = "".join(letter for letter in unicodedata.normalize("NFKD", text) if not unicodedata.combining(letter))
    return " ".join("".join(letter if letter.isalnum() else " " for letter in plain.casefold()).split())


@cache
def boxes_by_name() -> Mapping[str, Box]:
    """
    The boxes of the first sheet by everything that they are called: key, label in each language, both labels.
    """
    return _by_name(BOXES)


@cache
def columns_by_name() -> Mapping[str, Box]:
    """
    The same for the columns of the second sheet.
    """
    return _by_name(COLUMNS)


def _by_name(boxes: Mapping[str, Box]) -> Mapping[str, Box]:
    names: dict[str, Box] = {}
    for box in boxes.values():
        labels = [box.label(language) for language in LANGUAGES]
        for name in (box.key, *labels, " ".join(labels), " ".join(reversed(labels))):
            names[folded(name)] = box
    return MappingProxyType(names)
