"""
Sharing agreements as they are declared in ``processors/agreements/*.toml``: who may have what, from whom, why, from when to when.

What no rule names is withheld. Where several rules speak of one field, the strictest holds.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from boutre.processors.coarsen import PRECISIONS, Coarsen
from boutre.topics.strict import Declared

TLP = ("CLEAR", "GREEN", "AMBER", "AMBER+STRICT", "RED")
"""TLP 2.0, from the least to the most limited."""

Kind = Literal["sighting", "interception", "alert", "retraction"]


class Both(Declared):
    """
    A sentence in both languages.
    """

    en: str = Field(min_length=1)
    fr: str = Field(min_length=1)


class Coarse(Declared):
    """
    A rule that coarsens: by ``grid`` (with ``degrees``), by ``time`` (``to`` a precision), or by ``band`` (``width`` 1, 2 ...).
    """

    coarsen: Literal["grid", "time", "band"]
    degrees: float | None = Field(default=None, ge=0.001, le=30)
    to: Literal["minute", "hour", "day", "month", "year"] | None = None
    width: int | None = Field(default=None, ge=1, le=3)

    @model_validator(mode="after")
    def _whole(self) -> Coarse:
        wanted = {"grid": "degrees", "time": "to", "band": "width"}[self.coarsen]
        given = [name for name in ("degrees", "to", "width") if getattr(self, name) is not None]
        if given != [wanted]:
            message = f"coarsen = {self.coarsen!r} takes {wanted} and nothing else"
            raise ValueError(message)
        return self

    @property
    def rule(self) -> Coarsen:
        """The way to coarsen, as a value."""
        degree = {"grid": self.degrees, "time": PRECISIONS.index(self.to) if self.to else None, "band": self.width}
        return Coarsen(self.coarsen, float(degree[self.coarsen] or 0))


Rule = Literal["keep", "withhold"] | Coarse


class When(Declared):
    """
    For which records the agreement speaks. Lists are alternatives; all that is given must hold.
    """

    tlp_max: Literal["CLEAR", "GREEN", "AMBER", "AMBER+STRICT", "RED"]
    members: tuple[str, ...] | None = None
    not_members: tuple[str, ...] = ()
    types: tuple[str, ...] | None = None
    not_types: tuple[str, ...] = ()
    zones: tuple[str, ...] | None = None

    @field_validator("members", "types", "zones")
    @classmethod
    def _not_empty(cls, value: tuple[str, ...] | None) -> tuple[str, ...] | None:
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
    when: When
    categories: Mapping[str, Literal["keep", "withhold"]] = Field(default_factory=dict)
    fields: Mapping[str, Rule] = Field(default_factory=dict)
    example: tuple[Example, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _in_order(self) -> Agreement:
        if self.end <= self.start:
            message = "end lies after start"
            raise ValueError(message)
        return self

    @property
    def name(self) -> str:
        """The agreement and its version, as views and receipts name it."""
        return f"{self.id}@{self.version}"
