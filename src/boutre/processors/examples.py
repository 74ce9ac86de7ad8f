"""
The examples in an agreement's file, run as tests of it.

``given`` is a record as TOML can write it; what stands under ``sends`` is all that the recipient gets of it, and what is empty is
left out. ``withheld`` is the reason why it gets nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time
from typing import Any

from boutre.errors import Fault, Refuse
from boutre.processors.agreement import Agreement, Example
from boutre.processors.conditions import Facts, ZonesAt, refusal
from boutre.processors.cut import NO_REGIONS, compile_cut
from boutre.processors.safety_of_life import SafetyOfLife
from boutre.processors.scopes import Scopes
from boutre.schemas.codec import Codec
from boutre.schemas.fields import FieldInfo
from boutre.schemas.marks import Sealed, Withheld
from boutre.topics.regions import Regions

MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})")
HEAD: Mapping[str, Any] = {
    "id": "example",
    "exercise": True,
    "lifecycle": None,
    "origin": None,
    "times": None,
    "handling": None,
}


@dataclass(frozen=True, slots=True)
class Trial:
    """
    What examples are run with: the fields of each kind, the codec, which zones hold a position, regions, when lives are at risk.
    """

    fields: Mapping[str, tuple[FieldInfo, ...]]
    codec: Codec
    zones_at: ZonesAt
    regions: Regions = NO_REGIONS
    lives: SafetyOfLife | None = None


def example_fault(file: str, number: int, agreement: Agreement, example: Example, trial: Trial) -> Fault | None:
    """
    Run one example; give what is wrong with it, or None.
    """
    key = f"example[{number}] {example.name}"
    try:
        # Through the bytes, so that an example is a record that could have come.
        value = trial.codec.decode(trial.codec.encode(example.kind, {**HEAD, **_moments(example.given)})).value
    except Refuse as error:
        return Fault(file, key, f"given is no {example.kind}: {error.code} {error.field or ''}".strip())
    middle = agreement.start + (agreement.end - agreement.start) / 2
    accepted = datetime.combine(middle, time(), UTC)
    facts = Facts(example.kind, value, accepted, trial.zones_at, scopes=_Always(), lives=trial.lives)
    reason = refusal(agreement, facts)
    if example.withheld is not None or reason is not None:
        return None if reason == example.withheld else Fault(file, key, f"withheld for {reason}, not for {example.withheld}")
    cut = compile_cut(agreement, example.kind, trial.fields[example.kind], trial.regions)
    sent = without_empty(cut(value, AsWritten()))
    if sent == _moments(example.sends or {}):
        return None
    return Fault(file, key, f"sends {_plain(sent)}")


class AsWritten:
    """
    Names for an example: a record's is its id, and in the place of a pseudonym stands what it is one of, in brackets.
    """

    def __call__(self, identifier: str, /) -> str:
        """Give the id itself."""
        return identifier

    def alias(self, field: str, text: str, /) -> str:
        """Give the text, marked as a pseudonym."""
        del field
        return f"<{text}>"


class _Always(Scopes):
    """Every scope is active: what an agreement gives inside its scope is what its examples are about."""

    def active(self, name: str, accepted: datetime, member: str | None) -> bool:
        del name, accepted, member
        return True


def without_empty(value: Any) -> Any:
    """
    Leave out what is null, empty or withheld, at every depth.
    """
    if isinstance(value, Mapping):
        kept = {name: without_empty(item) for name, item in value.items() if not isinstance(item, Withheld | Sealed)}
        return {name: item for name, item in kept.items() if item not in (None, [], {})}
    if isinstance(value, list):
        return [without_empty(item) for item in value]
    return value


def _moments(value: Any) -> Any:
    """A moment of TOML has come as text, by way of JSON; the bus knows datetimes in UTC."""
    if isinstance(value, Mapping):
        return {name: _moments(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_moments(item) for item in value]
    return datetime.fromisoformat(value).astimezone(UTC) if isinstance(value, str) and MOMENT.fullmatch(value) else value


def _plain(value: Any) -> str:
    return repr(value).replace("datetime.timezone.utc", "UTC").replace("datetime.datetime", "datetime")
