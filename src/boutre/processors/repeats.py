"""
Whether a report speaks of an event that its member has reported before: marked, never dropped.

A rule is declared in ``processors/pipeline.toml``. What is remembered are digests of what the rule compares, by a secret key of the
bus: the changelog holds no value of a record, and nothing by which one could be guessed. A distance is compared by asking the
neighbouring cells of a grid. Limits: cells on the two sides of the antimeridian are no neighbours; by another key nothing is found.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from boutre.processors.decision import State
from boutre.processors.digests import digest, digests

MOST = 32
"""Reports remembered in one cell; the oldest is forgotten first. Eight a day in one anchorage is the most in the sample."""

MOST_NAMES = 16
"""Names of one report that are compared: a report that claims thousands must not grow what is remembered beyond what fits."""

DAY_KNOWN = frozenset({"second", "minute", "hour", "day"})
"""Precisions of a time that tell its day: two events of one month are not for that of one day."""


@dataclass(frozen=True, slots=True)
class Rule:
    """
    Reports of one member are of one event when they agree in type, day and place, and no ship's name contradicts.

    The place agrees where both lie in one cell of *cell_deg* degrees or in neighbours. *looks_at* are the paths of the fields that
    the rule compares: a recipient who does not get all of them, as they are, is not told of the repeat, since the repeat would
    tell of them. By *key* digests are made of what is compared.
    """

    name: str
    kinds: frozenset[str]
    types: frozenset[str]
    cell_deg: float
    key: bytes = field(repr=False)

    @property
    def looks_at(self) -> tuple[str, ...]:
        """The fields that the rule compares."""
        return ("origin.member", "event.type", "times.observed", "position.latitude", "position.longitude", "claims.value")


@dataclass(frozen=True, slots=True)
class Trace:
    """
    What one rule compares of one report: the keys under which to look, its own first, and digests of the ship's names.
    """

    rule: str
    keys: tuple[str, ...]
    names: tuple[str, ...]

    def agrees(self, names: Collection[str]) -> bool:
        """Say whether *names* do not contradict: one is the same, or there are none on one side."""
        return not names or not self.names or not set(names).isdisjoint(self.names)


@dataclass(frozen=True, slots=True)
class Repetition:
    """
    What was found: the earlier report, if any, and what is to be remembered of this one.
    """

    earlier: str | None
    rule: str | None
    changes: Mapping[str, Any]


def look(rules: Iterable[Rule], kind: str, value: Mapping[str, Any], state: State) -> Repetition:
    """
    Look for an earlier report of the same event; the first rule that finds one decides.
    """
    changes: dict[str, Any] = {}
    earlier: tuple[str, str] | None = None
    for trace in traces(rules, kind, value):
        entries = [entry for key in trace.keys for entry in state.get(key) or ()]
        found = next((head for head, names in entries if trace.agrees(names)), None)
        if found and not earlier:
            earlier = (found, trace.rule)
        head = earlier[0] if earlier else str(value["id"])
        changes[trace.keys[0]] = [*(state.get(trace.keys[0]) or ()), [head, list(trace.names)]][-MOST:]
    return Repetition(earlier[0] if earlier else None, earlier[1] if earlier else None, changes)


def traces(rules: Iterable[Rule], kind: str, value: Mapping[str, Any]) -> Iterator[Trace]:
    """
    Give what each rule compares of a report; nothing for a rule that does not speak of it.
    """
    for rule in rules:
        cell = _cell(rule, kind, value)
        if cell is not None:
            around = [(cell[0] + row, cell[1] + column) for row in (0, -1, 1) for column in (0, -1, 1)]
            yield Trace(rule.name, _keys(rule, kind, value, around), _names(rule, value))


def _cell(rule: Rule, kind: str, value: Mapping[str, Any]) -> tuple[int, int] | None:
    event, position, times = (_group(value, name) for name in ("event", "position", "times"))
    if kind not in rule.kinds or event.get("type") not in rule.types:
        return None
    latitude, longitude, observed = position.get("latitude"), position.get("longitude"), times.get("observed") or {}
    if latitude is None or longitude is None or observed.get("at") is None or observed.get("precision") not in DAY_KNOWN:
        return None
    return math.floor(latitude / rule.cell_deg), math.floor(longitude / rule.cell_deg)


def _group(value: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    group = value.get(name)
    return group if isinstance(group, Mapping) else {}


def _keys(rule: Rule, kind: str, value: Mapping[str, Any], cells: Iterable[tuple[int, int]]) -> tuple[str, ...]:
    at: datetime = value["times"]["observed"]["at"]
    event = (rule.name, kind, value["origin"]["member"], value["event"]["type"], at.date().isoformat())
    return tuple("repeat:" + each for each in digests(rule.key, "\0".join(event).encode(), (b"\0%d\0%d" % cell for cell in cells)))


def _names(rule: Rule, value: Mapping[str, Any]) -> tuple[str, ...]:
    """Give digests of the ship's names, letters and digits of any script only; what has none of them is no name."""
    claims = value.get("claims")
    plain = {_plain(str(claim["value"])) for claim in claims if claim["attribute"] == "name"} if isinstance(claims, list) else set()
    return tuple(sorted(digest(rule.key, name.encode()) for name in plain if name)[:MOST_NAMES])


def _plain(name: str) -> str:
    return "".join(letter for letter in unicodedata.normalize("NFKD", name).casefold() if letter.isalnum())
