"""
Safety of life: when lives are at risk, those who rescue get the least that they need, whatever the marking.

What that is stands in ``processors/pipeline.toml``, once for the whole bus: which events, which authorities, which fields. An
agreement for safety of life says who is responsible where, and may not give more than this; its originator is always told.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import Field, model_validator

from boutre.errors import Fault
from boutre.processors.agreement import Agreement
from boutre.topics.strict import Declared


class SafetyOfLife(Declared):
    """
    When lives are at risk, the recipients that rescue, and the most that they are given for it.

    Lives are at risk in an event of one of *types*, and where one of *flags* (paths of fields that are yes or no) is true. What is
    sealed tells nothing.
    """

    types: tuple[str, ...] = Field(min_length=1)
    flags: tuple[str, ...] = ()
    authorities: tuple[str, ...] = Field(min_length=1)
    fields: tuple[str, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _told(self) -> SafetyOfLife:
        hidden = [flag for flag in self.flags if not _within(flag, self.fields)]
        if hidden:
            message = f"{hidden[0]} decides, so whoever is told must be told it too: add it to fields"
            raise ValueError(message)
        return self

    def at_risk(self, value: Mapping[str, Any]) -> bool:
        """Say whether a record says that lives are at risk."""
        event = value.get("event")
        if isinstance(event, dict) and event.get("type") in self.types:
            return True
        return any(_at(value, flag) is True for flag in self.flags)


def lives_faults(file: str, agreement: Agreement, lives: SafetyOfLife | None) -> Iterable[Fault]:
    """
    Give what is wrong with an agreement for safety of life: it is held to what the bus declares, and to nothing wider.

    Where *lives* is None nothing is looked up.
    """
    if not agreement.safety_of_life or lives is None:
        return
    if agreement.recipient not in lives.authorities:
        yield Fault(file, "recipient", f"{agreement.recipient} is no rescue authority of processors/pipeline.toml")
    for category, rule in agreement.categories.items():
        if rule == "keep" and category != "administrative":
            yield Fault(file, f"categories.{category}", "is more than the declared minimal set: name its fields")
    for path, given in agreement.fields.items():
        if given != "withhold" and not _within(path, lives.fields):
            yield Fault(file, f"fields.{path}", "is not among the fields that are given to save lives (processors/pipeline.toml)")


def _within(path: str, fields: Iterable[str]) -> bool:
    return any(path == field or path.startswith(f"{field}.") for field in fields)


def _at(value: Any, path: str) -> Any:
    for name in path.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    return value
