"""
Whether a member's record can be believed to mean what it says: presence, ranges, times, codes, identities.

Avro proves types; this proves sense. It is a function of the record, of its time of acceptance and of the member's declared area,
and it never raises. Rules come from the schema itself (``presence``, ``unit``, ``vocabulary``), so that a new field is checked
without a line here.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from boutre.schemas.bounds import BOUNDS, CONTROL, COUNTED
from boutre.schemas.lock import Lock
from boutre.schemas.marks import Withheld
from boutre.schemas.sense import Area, Problem, plausible, sense
from boutre.schemas.soundness import HasCode, Sound, make_sound

__all__ = ["BOUNDS", "COUNTED", "HasCode", "Validator"]


@dataclass(slots=True)
class _Node:
    """What is to be checked of one field: made once from the schema."""

    path: str
    required: bool = False
    vocabulary: str | None = None
    unit: str = ""
    children: tuple[tuple[str, _Node], ...] = field(default_factory=tuple)
    type_name: str | None = None


class Validator:
    """
    Checks records of every locked kind; *has_code* says whether a vocabulary (``tlp@2``) has a code.
    """

    def __init__(self, lock: Lock, has_code: HasCode) -> None:
        self._has_code = has_code
        self._schemas = {kind: lock.latest(kind).schema for kind in lock.kinds}
        self._kinds = {kind: _tree(schema) for kind, schema in self._schemas.items()}
        self._sound: dict[str, Sound] = {}

    def check(self, kind: str, value: Mapping[str, Any], now: datetime, area: Area | None = None) -> list[Problem]:
        """
        Give all that is wrong with a member's record, the gravest first; an empty list means that it can be accepted.

        *now* is the time of acceptance (UTC), *area* the box in which this member's positions lie, where it has one.
        """
        return [] if self._passes(kind, value, now, area) else self.closely(kind, value, now, area)

    def closely(self, kind: str, value: Mapping[str, Any], now: datetime, area: Area | None = None) -> list[Problem]:
        """
        Give the same as ``check``, by looking at each field, also where nothing is wrong.
        """
        found = [*self._walk(self._kinds[kind], value), *_foreign(value)]
        if not any(problem.code in ("wrong-type", "naive-time") for problem in found):
            found.extend(sense(kind, value, now, area))
        return found

    def _passes(self, kind: str, value: Mapping[str, Any], now: datetime, area: Area | None) -> bool:
        """Say whether surely nothing is wrong, at a tenth of the cost of looking for it."""
        sound = self._sound.get(kind)
        if sound is None:
            sound = self._sound[kind] = make_sound(self._schemas[kind], self._has_code)
        try:
            return sound(value, area) and plausible(kind, value, now)
        except Exception:  # noqa: BLE001 - values of any types, for whoever looks closer
            return False

    def _walk(self, node: _Node, value: Mapping[str, Any]) -> Iterator[Problem]:
        for name, child in node.children:
            yield from self._field(child, value.get(name))

    def _field(self, node: _Node, value: Any) -> Iterator[Problem]:
        if value is None:
            if node.required:
                yield Problem("missing-field", node.path)
        elif isinstance(value, list):
            for item in value:
                yield from self._field(node, item)
        elif isinstance(value, Mapping):
            yield from self._walk(node, value)
        elif problem := self._scalar(node, value):
            yield problem

    def _scalar(self, node: _Node, value: Any) -> Problem | None:
        if isinstance(value, str):
            return self._text(node, value)
        if isinstance(value, datetime):
            return Problem("naive-time", node.path) if value.tzinfo is None else None
        if isinstance(value, int | float) and not isinstance(value, bool):
            return _number(node, value)
        # Booleans and bytes can't be wrong; marks of the bus are looked at as a whole.
        return None

    def _text(self, node: _Node, value: str) -> Problem | None:
        if node.vocabulary and not self._has_code(node.vocabulary, value):
            return Problem("unknown-code", node.path, node.vocabulary)
        if node.required and not value.strip():
            return Problem("missing-field", node.path)
        return Problem("wrong-type", node.path, "control character") if CONTROL.search(value) else None


def _number(node: _Node, value: float) -> Problem | None:
    if not -math.inf < value < math.inf:
        return Problem("out-of-range", node.path, "not a finite number")
    if node.unit == "person" and value < 0:
        return Problem("negative-count", node.path)
    least, most = BOUNDS.get(node.unit, (-math.inf, math.inf))
    if not least <= value <= most or (node.unit == "degree true" and value == most):
        return Problem("out-of-range", node.path, f"{least:g} to {most:g} {node.unit}")
    if node.unit in COUNTED and value != int(value):
        return Problem("out-of-range", node.path, "a whole number")
    return None


def _foreign(value: Mapping[str, Any]) -> Iterator[Problem]:
    """A member's record is neither a view nor does it hold withheld groups: only the bus makes those."""
    if value.get("view") is not None:
        yield Problem("wrong-kind", "view", "a view is not a report")
    for name, group in value.items():
        if isinstance(group, Withheld):
            yield Problem("wrong-type", name, "only the bus withholds")


def _tree(schema: Mapping[str, Any]) -> _Node:
    named: dict[str, Mapping[str, Any]] = {}
    return _Node("", children=tuple(_children(schema, "", named, "")))


def _children(
    record: Mapping[str, Any], prefix: str, named: dict[str, Mapping[str, Any]], unit: str
) -> Iterator[tuple[str, _Node]]:
    named[record["name"].rpartition(".")[2]] = record
    for declared in record["fields"]:
        path = f"{prefix}.{declared['name']}" if prefix else declared["name"]
        own = declared["unit"] if declared["unit"] != "inherited" else unit
        node = _Node(path, declared.get("presence") == "required", declared.get("vocabulary"), own)
        inner = next(filter(None, (_record(branch, named) for branch in _branches(declared["type"]))), None)
        if inner is not None:
            node.type_name = inner["name"]
            node.children = tuple(_children(inner, path, named, own))
        yield declared["name"], node


def _branches(declared: Any) -> list[Any]:
    return declared if isinstance(declared, list) else [declared]


def _record(branch: Any, named: Mapping[str, Mapping[str, Any]]) -> Mapping[str, Any] | None:
    if isinstance(branch, dict) and branch.get("type") == "array":
        return _record(branch["items"], named)
    if isinstance(branch, dict) and branch.get("type") == "record":
        # Marks of the bus are made by it and not checked as a member's groups.
        return None if branch["name"] in ("Withheld", "Sealed") else branch
    if isinstance(branch, str):
        name = branch.rpartition(".")[2]
        return None if name in ("Withheld", "Sealed") else named.get(name)
    return None
