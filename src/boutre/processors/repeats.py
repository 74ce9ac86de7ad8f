"""
Whether a report speaks of an event that its member has reported before: marked, never dropped.

A rule is declared in ``processors/pipeline.toml``. What is remembered are digests of what the rule compares, so that the changelog
holds no value of a record; a distance is compared by asking the neighbouring cells of a grid.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from boutre.processors.decision import State

MOST = 32
"""Reports remembered in one cell; the oldest is forgotten first. Eight a day in one anchorage is the most in the sample."""


@dataclass(frozen=True, slots=True)
class Rule:
    """
    Reports of one member are of one event when they agree in type and day, lie in one cell of *cell_deg* degrees or its
    neighbours, and no ship's name contradicts.

    *looks_at* are the paths of the fields that the rule compares: a recipient who does not get all of them, as they are, is not
    told of the repeat, since the repeat would tell of them.
    """

    name: str
    kinds: frozenset[str]
    types: frozenset[str]
    cell_deg: float

    @property
    def looks_at(self) -> tuple[str, ...]:
        """The fields that the rule compares."""
        return ("event.type", "times.observed", "position.latitude", "position.longitude", "claims.value")


@dataclass(frozen=True, slots=True)
class Repetition:
    """
    What was found: the earlier report, if any, and what is to be remembered of this one.
    """

    earlier: str | None
    rule: str | None
    changes: Mapping[str, Any]


def look(rules: tuple[Rule, ...], kind: str, value: Mapping[str, Any], state: State) -> Repetition:
    """
    Look for an earlier report of the same event; the first rule that finds one decides.
    """
    changes: dict[str, Any] = {}
    earlier: tuple[str, str] | None = None
    for rule in rules:
        cell = _cell(rule, kind, value)
        if cell is None:
            continue
        name = _names(value)
        found = None if earlier else next(_matches(rule, kind, value, cell, name, state), None)
        if found:
            earlier = (found, rule.name)
        own = _key(rule, kind, value, cell)
        entries = list(state.get(own) or ())
        head = earlier[0] if earlier else str(value["id"])
        changes[own] = [*entries, [head, name]][-MOST:]
    return Repetition(earlier[0] if earlier else None, earlier[1] if earlier else None, changes)


def _matches(
    rule: Rule, kind: str, value: Mapping[str, Any], cell: tuple[int, int], names: list[str], state: State
) -> Iterator[str]:
    for row in (0, -1, 1):
        for column in (0, -1, 1):
            for head, other in state.get(_key(rule, kind, value, (cell[0] + row, cell[1] + column))) or ():
                if not names or not other or set(names) & set(other):
                    yield head


def _cell(rule: Rule, kind: str, value: Mapping[str, Any]) -> tuple[int, int] | None:
    event, position, times = (value.get(name) for name in ("event", "position", "times"))
    if kind not in rule.kinds or not all(isinstance(group, Mapping) for group in (event, position, times)):
        return None
    if event is None or position is None or times is None or event.get("type") not in rule.types:
        return None
    latitude, longitude, observed = position.get("latitude"), position.get("longitude"), times.get("observed")
    if latitude is None or longitude is None or not observed or observed.get("at") is None:
        return None
    return math.floor(latitude / rule.cell_deg), math.floor(longitude / rule.cell_deg)


def _key(rule: Rule, kind: str, value: Mapping[str, Any], cell: tuple[int, int]) -> str:
    at: datetime = value["times"]["observed"]["at"]
    parts = (rule.name, kind, value["origin"]["member"], value["event"]["type"], at.date().isoformat(), *map(str, cell))
    return "repeat:" + _digest("\0".join(parts))


def _names(value: Mapping[str, Any]) -> list[str]:
    claims = value.get("claims")
    if not isinstance(claims, list):
        return []
    return sorted(
        _digest(re.sub(r"[^A-Z0-9]", "", str(claim["value"]).upper())) for claim in claims if claim["attribute"] == "name"
    )


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:24]
