"""
Sharing agreements as they are declared in ``processors/agreements/*.toml``: who may have what, from whom, why, from when to when.

What no rule names is withheld. Where several rules speak of one field, the strictest holds. Two things may give more, and only what
they declare: an agreement inside a *scope*, a named operation while it is active; and one for *safety of life*, which gives a
minimal set to those who rescue, whatever the marking.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from boutre.processors.coarsen import PRECISIONS, Coarsen
from boutre.topics.regions import Regions
from boutre.topics.strict import Declared

TLP = ("CLEAR", "GREEN", "AMBER", "AMBER+STRICT", "RED")
"""TLP 2.0, from the least to the most limited."""

HANDLING = ("H0", "H1", "H2", "EX:CHR")
"""
Handling codes that an agreement can honour. H3, other restrictions in words, is not among them: no rule can keep what only a person
can read, so what bears it goes to nobody.
"""

Kind = Literal["sighting", "interception", "alert", "retraction"]


CRIME = frozenset(
    {"LawEnforcementMonitoring", "LawEnforcementOperation", "CounterTerrorism", "CustomsMonitoring", "CustomsOperation"}
)
"""Purposes of preventing and combating crime (codes of ``purpose@1``), which handling code H0 asks for."""


class Both(Declared):
    """
    A sentence in both languages.
    """

    en: str = Field(min_length=1)
    fr: str = Field(min_length=1)


class Coarse(Declared):
    """
    A rule that coarsens: by ``grid`` (with ``degrees``), ``time`` (``to`` a precision), ``band`` (``width`` 1 to 3) or ``region``.

    The last tells of a position the region of ``topics/regions.toml`` in which it lies, at a ``level``.
    """

    coarsen: Literal["grid", "time", "band", "region"]
    degrees: float | None = Field(default=None, ge=0.001, le=30)
    to: Literal["minute", "hour", "day", "month", "year"] | None = None
    width: int | None = Field(default=None, ge=1, le=3)
    level: int | None = Field(default=None, ge=1, le=9)

    @model_validator(mode="after")
    def _whole(self) -> Coarse:
        wanted = DEGREES[self.coarsen]
        given = [name for name in DEGREES.values() if getattr(self, name) is not None]
        if given != [wanted]:
            message = f"coarsen = {self.coarsen!r} takes {wanted} and nothing else"
            raise ValueError(message)
        return self

    def rule(self, regions: Regions) -> Coarsen:
        """Give the way to coarsen, as a value; *regions* are those of the bus."""
        degree = PRECISIONS.index(self.to) if self.to else getattr(self, DEGREES[self.coarsen])
        return Coarsen(self.coarsen, float(degree), regions if self.coarsen == "region" else None)


DEGREES = {"grid": "degrees", "time": "to", "band": "width", "region": "level"}
"""For each way to coarsen, the key that says how far."""

Rule = Literal["keep", "withhold", "pseudonymise"] | Coarse


class Waters(Declared):
    """
    The waters that a State claims, by any of these kinds of claim; who else claims them, and whose they are, is not asked.
    """

    claimed_by: str = Field(pattern=r"^[A-Z]{3}$")
    claims: tuple[Literal["jurisdiction", "administration", "sovereignty"], ...] = Field(min_length=1)


class When(Declared):
    """
    For which records the agreement speaks. Lists are alternatives; all that is given must hold.

    *consent* are codes of the consent that a record must bear. *zones* and *waters* together are one list. *handling* are the
    handling codes that its recipient honours: a record that bears any other is not given.
    """

    tlp_max: Literal["CLEAR", "GREEN", "AMBER", "AMBER+STRICT", "RED"] | None = None
    handling: tuple[Literal["H0", "H1", "H2", "EX:CHR"], ...] = ()
    members: tuple[str, ...] | None = None
    not_members: tuple[str, ...] = ()
    types: tuple[str, ...] | None = None
    not_types: tuple[str, ...] = ()
    consent: tuple[str, ...] | None = None
    zones: tuple[str, ...] | None = None
    waters: tuple[Waters, ...] | None = None

    @field_validator("members", "types", "consent", "zones", "waters")
    @classmethod
    def _not_empty(cls, value: tuple[Any, ...] | None) -> tuple[Any, ...] | None:
        # An empty audience meant everybody in a system of this field (MISP #4200); here it is an error.
        if value is not None and not value:
            message = "an empty list is for nobody: leave the key out, or name somebody"
            raise ValueError(message)
        return value


class Example(Declared):
    """
    A record and what the recipient must get of it: a test of the agreement.
    """

    name: str
    kind: Kind
    given: Mapping[str, Any]
    sends: Mapping[str, Any] | None = None
    withheld: str | None = None

    @model_validator(mode="after")
    def _one(self) -> Example:
        if (self.sends is None) == (self.withheld is None):
            message = "an example either sends something or is withheld for a reason"
            raise ValueError(message)
        return self


class Agreement(Declared):
    """
    One sharing agreement, for one recipient.

    *encrypt* says that views under it are sealed for their recipient, from the bus to whoever has its private key; without a key of
    the recipient nothing is given. Where several agreements speak of one record, it is sealed if one of them says so.
    *scope* names the operation inside which alone it speaks. *safety_of_life* says that it gives, whatever the marking, what
    ``processors/pipeline.toml`` declares to be the least that rescuers need. *roles* name, for a list of persons, the roles of
    those who are given; the others are not.
    """

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$")
    version: int = Field(ge=1)
    recipient: str
    parties: tuple[str, ...] = Field(min_length=1)
    title: Both
    reason: Both
    legal_basis: Both
    purposes: tuple[str, ...] = Field(min_length=1)
    kinds: tuple[Kind, ...] = Field(min_length=1)
    start: date
    end: date
    retention_days: int = Field(ge=1)
    onward: Literal["none", "with-consent-of-originator", "own-organisation"] = "none"
    ask: str = Field(min_length=1)
    scope: str | None = None
    safety_of_life: bool = False
    encrypt: bool = False
    when: When
    categories: Mapping[str, Literal["keep", "withhold"]] = Field(default_factory=dict)
    fields: Mapping[str, Rule] = Field(default_factory=dict)
    roles: Mapping[str, Annotated[tuple[str, ...], Field(min_length=1)]] = Field(default_factory=dict)
    example: tuple[Example, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _in_order(self) -> Agreement:
        if self.end <= self.start:
            message = "end lies after start"
            raise ValueError(message)
        return self

    @model_validator(mode="after")
    def _bound(self) -> Agreement:
        if self.safety_of_life and (self.scope is not None or self.when.tlp_max is not None or self.when.handling):
            message = "safety_of_life holds whatever the marking, and in no scope: leave tlp_max, handling and scope out"
            raise ValueError(message)
        if not self.safety_of_life and self.when.tlp_max is None:
            message = "when.tlp_max is missing: the most limited marking that it may give"
            raise ValueError(message)
        if "H2" in self.when.handling and self.onward == "own-organisation":
            message = "handling code H2 forbids passing on without permission; onward says otherwise"
            raise ValueError(message)
        if "H0" in self.when.handling and CRIME.isdisjoint(self.purposes):
            message = (
                f"handling code H0 is for preventing and combating crime; none of {', '.join(sorted(CRIME))} is a purpose here"
            )
            raise ValueError(message)
        return self

    @property
    def exceptional(self) -> bool:
        """Say whether it may give more than the others: inside a scope, or to save lives."""
        return self.safety_of_life or self.scope is not None

    @property
    def name(self) -> str:
        """The agreement and its version, as views and receipts name it."""
        return f"{self.id}@{self.version}"
