"""
The rules by which a column of a source becomes a field of a record: what a feed's declaration may say.

One rule, one column, one reading. A column may have several rules; a column without any is kept under ``unmapped``.
``mapping.py`` applies them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated, Final, Literal, TypeAlias

from pydantic import Field, field_validator, model_validator

from boutre.connectors.known import Known
from boutre.connectors.sources.moments import precision_of, tells_time, zone_of
from boutre.topics.strict import Declared

STRINGS: Final = frozenset({"string"})
NUMBERS: Final = frozenset({"double"})

LISTS: Final = frozenset(
    {
        "craft.colours",
        "craft.markings",
        "migration.migrant_types",
        "trafficking.acts",
        "trafficking.means",
        "trafficking.exploitation",
        "vulnerability.needs",
        "handling.handling_codes",
        "handling.purposes",
        "handling.release_to",
        "warning.response",
        "warning.references",
        "area.zones",
    }
)
"""Fields that hold several values: each reading of them adds one."""


class Rule(Declared):
    """
    What all rules have: the *column* they read, and fields of the record that hold a constant wherever it has a value (*also*).
    """

    column: str
    also: dict[str, str] = Field(default_factory=dict)

    def faults(self, kind: str, known: Known) -> Iterator[str]:
        """Give what is wrong with the rule beside its form: targets and codes that do not exist."""
        for path, code in self.also.items():
            yield from _target(kind, path, STRINGS, known, code)
        split = getattr(self, "split", None)
        if split is not None and getattr(self, "to", None) not in LISTS:
            yield "split is for fields that hold several values"


class Text(Rule):
    """
    The text as it stands, into the field *to*; what fully matches a pattern of *unless* is kept under ``unmapped``.

    Where the field holds several values, *split* is what stands between them.
    """

    read: Literal["text"]
    to: str
    split: str | None = None
    unless: tuple[str, ...] = ()

    @field_validator("unless")
    @classmethod
    def _patterns(cls, patterns: tuple[str, ...]) -> tuple[str, ...]:
        return _compiled(patterns)

    def faults(self, kind: str, known: Known) -> Iterator[str]:
        """Give what is wrong with the target."""
        yield from super().faults(kind, known)
        yield from _target(kind, self.to, STRINGS, known)


class Words(Rule):
    """
    Free text in *language* (BCP 47), added to the record's narrative.
    """

    read: Literal["words"]
    language: str


class Number(Rule):
    """
    A number with *decimal* as its mark, times *scale* (1852 for nautical miles into metres).
    """

    read: Literal["number"]
    to: str
    decimal: Literal[".", ","] = "."
    scale: float = 1.0

    def faults(self, kind: str, known: Known) -> Iterator[str]:
        """Give what is wrong with the target."""
        yield from super().faults(kind, known)
        yield from _target(kind, self.to, NUMBERS, known)


class Count(Rule):
    """
    A count or measure as people write it, ``28`` or ``25-30``; a word of *about* before it means that it is estimated.
    """

    read: Literal["count"]
    to: str
    about: tuple[str, ...] = ("~", "about", "environ")

    def faults(self, kind: str, known: Known) -> Iterator[str]:
        """Give what is wrong with the target."""
        yield from super().faults(kind, known)
        yield from _target(kind, self.to, frozenset({"Range"}), known)


class Moment(Rule):
    """
    A date in one of *formats* (as of ``strptime``), and the clock time of the column *time* where it has one.

    *zone* is that of times which do not name theirs; *zones* gives the zone for each word behind a time. A time whose zone is in
    neither is kept under ``unmapped``, and only its day counts. *unreadable_time* says what becomes of a row whose time of day has
    none of *time_formats*, or is on no clock: ``refuse`` it, or know it to the ``day``, with the time kept likewise.
    """

    read: Literal["moment"]
    to: str
    formats: tuple[str, ...] = ("%Y-%m-%d",)
    time: str | None = None
    time_formats: tuple[str, ...] = ("%H:%M", "%H:%M:%S")
    unreadable_time: Literal["refuse", "day"] = "refuse"
    zone: str | None = None
    zones: dict[str, str] = Field(default_factory=dict)

    @field_validator("formats")
    @classmethod
    def _formats(cls, formats: tuple[str, ...]) -> tuple[str, ...]:
        for form in formats:
            precision_of(form)
        return formats

    @field_validator("zone")
    @classmethod
    def _zone(cls, zone: str | None) -> str | None:
        if zone is not None:
            zone_of(zone)
        return zone

    @field_validator("zones")
    @classmethod
    def _zones(cls, zones: dict[str, str]) -> dict[str, str]:
        for zone in zones.values():
            zone_of(zone)
        return zones

    @model_validator(mode="after")
    def _whole(self) -> Moment:
        naive = [form for form in self.formats if tells_time(form) and "%z" not in form]
        if naive and self.zone is None:
            raise ValueError(f"{naive[0]} tells a time and no zone: declare zone, or %z where the source writes it")
        if self.time is not None and any(precision_of(form) != "day" for form in self.formats):
            raise ValueError("a column for the time goes with formats that tell the day and no more")
        if self.time is None and self.unreadable_time != "refuse":
            raise ValueError("unreadable_time speaks of a column for the time, and time names none")
        if odd := [form for form in self.time_formats if not tells_time(form)]:
            raise ValueError(f"{odd[0]} tells no hour")
        return self

    def faults(self, kind: str, known: Known) -> Iterator[str]:
        """Give what is wrong with the target."""
        yield from super().faults(kind, known)
        yield from _target(kind, self.to, frozenset({"Moment"}), known)


class Code(Rule):
    """
    A code of the source, by the table *codes*, into a field with a vocabulary; with *scheme* it is kept as it is as well.

    What is in no table becomes *other* where that is declared, and is refused where it is not. Without *to* the source's code is
    only kept, under ``event.classes`` with its *scheme*. Where the field holds several values, *split* is what stands between them.
    """

    read: Literal["code"]
    to: str | None = None
    split: str | None = None
    codes: dict[str, str] = Field(default_factory=dict)
    other: str | None = None
    scheme: str | None = None
    version: str | None = None

    @model_validator(mode="after")
    def _whole(self) -> Code:
        if self.to is None and self.scheme is None:
            raise ValueError("a code goes somewhere: name a field (to) or a scheme of the source's own")
        if self.to is None and (self.codes or self.other):
            raise ValueError("codes and other say what becomes of a code in the field to, which is not named")
        if self.to is not None and not self.codes:
            raise ValueError("codes is missing: the table from the source's codes to those of the field")
        return self

    def faults(self, kind: str, known: Known) -> Iterator[str]:
        """Give what is wrong with the target and with the codes."""
        yield from super().faults(kind, known)
        if self.to is None:
            return
        yield from _target(kind, self.to, STRINGS, known, *dict.fromkeys(filter(None, [*self.codes.values(), self.other])))


class Claim(Rule):
    """
    What a craft is said to be called, as one claim of *attribute* (name, imo, mmsi ...) by *source*.

    A leading word of *drop* is left away (``MV``). What fully matches a pattern of *unless* is no identity and is kept under
    ``unmapped``.
    """

    read: Literal["claim"]
    attribute: str
    source: str | None = None
    drop: tuple[str, ...] = ()
    unless: tuple[str, ...] = ()

    @field_validator("unless")
    @classmethod
    def _patterns(cls, patterns: tuple[str, ...]) -> tuple[str, ...]:
        return _compiled(patterns)

    def faults(self, kind: str, known: Known) -> Iterator[str]:
        """Give what is wrong with the codes."""
        yield from super().faults(kind, known)
        for name, code in (("attribute", self.attribute), ("source", self.source)):
            info = known.fields.get(kind, {}).get(f"claims.{name}")
            if info is None:
                yield f"{kind} has no claims"
            elif code is not None and (wrong := known.code(info, code)):
                yield wrong


class Ignore(Rule):
    """
    A column that goes nowhere, not even to ``unmapped``; *because* says why.
    """

    read: Literal["ignore"]
    because: Annotated[str, Field(min_length=1)]


AnyRule: TypeAlias = Annotated[
    Text | Words | Number | Count | Moment | Code | Claim | Ignore,
    Field(discriminator="read"),
]


def _compiled(patterns: tuple[str, ...]) -> tuple[str, ...]:
    for pattern in patterns:
        try:
            re.compile(pattern)
        except re.error as error:
            raise ValueError(f"is no regular expression: {error}") from None
    return patterns


def _target(kind: str, path: str, types: frozenset[str], known: Known, *codes: str) -> Iterator[str]:
    found = known.target(kind, path)
    if isinstance(found, str):
        yield found
        return
    if found.many != (path in LISTS):
        yield f"{path} holds a list that no column can fill"
    elif found.type_name not in types:
        yield f"{path} holds {found.type_name}; this reading gives {' or '.join(sorted(types))}"
    elif found.vocabulary is not None and not codes:
        yield f'{path} holds a code of {found.vocabulary}: use read = "code" with a table'
    yield from filter(None, (known.code(found, code) for code in codes))
