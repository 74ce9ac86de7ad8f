"""
A report from the cells of a form, or everything that is wrong with them at once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC
from types import MappingProxyType
from typing import Any, Final

from boutre.connectors.sources.form_fields import (
    BOXES,
    CLAIMS,
    COLUMNS,
    COUNTS,
    KINDS,
    LISTS,
    SECTIONS,
    Box,
    boxes_by_name,
    columns_by_name,
    folded,
)
from boutre.connectors.sources.form_sheets import Formula, Row, Sheets
from boutre.connectors.sources.form_values import Unfit, moment, read

_FOREIGN: Final = MappingProxyType({"sighting": "action", "interception": "sensor"})


@dataclass(frozen=True, slots=True)
class Cell:
    """
    A cell that is wrong: where it stands, what it is called in both languages, the reason, and what was expected there.
    """

    place: str
    name: str
    code: str
    expected: str = ""

    def __str__(self) -> str:
        return f"{self.place} {self.name}".strip()


@dataclass(frozen=True, slots=True)
class Report:
    """
    What a form says: its kind, its officer's own reference, its revision and its groups.
    """

    kind: str
    reference: str
    revision: int
    value: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Refused:
    """
    Why a form makes no report: boxes that must be filled and are not, and cells that hold something else than they should.
    """

    missing: tuple[Cell, ...]
    wrong: tuple[Cell, ...]


@dataclass(slots=True)
class _Filling:
    found: dict[str, Any] = field(default_factory=dict)
    places: dict[str, str] = field(default_factory=dict)
    written: dict[str, str] = field(default_factory=dict)
    wrong: list[Cell] = field(default_factory=list)
    unmapped: list[dict[str, str]] = field(default_factory=list)

    def take(self, row: Row) -> None:
        box = boxes_by_name().get(folded(row.name))
        if box is None:
            self.unmapped.append({"name": row.name, "value": _shown(row.values)})
            return
        if box.key in self.places and row.values:
            self.wrong.append(Cell(row.place, box.name, "malformed-line", "twice"))
            return
        self.places.setdefault(box.key, row.place)
        if row.values:
            self.read(box, row)

    def read(self, box: Box, row: Row) -> None:
        try:
            if any(isinstance(value, Formula) for value in row.values):
                raise Unfit("wrong-type", "formula")  # noqa: TRY301 - the same end as what read raises
            self.found[box.key] = read(box, row.values)
            self.written[box.key] = _shown(row.values)
        except Unfit as unfit:
            self.wrong.append(Cell(row.place, box.name, unfit.code, unfit.expected))

    def missing(self, kinds: frozenset[str]) -> Iterator[Cell]:
        bad = {cell.name for cell in self.wrong}
        for box in BOXES.values():
            if box.required & kinds == kinds and box.key not in self.found and box.name not in bad:
                yield Cell(self.places.get(box.key, ""), box.name, "incomplete-form")


def report(sheets: Sheets) -> Report | Refused:
    """
    Make a report of a filled form.
    """
    filling = _Filling()
    for row in sheets.rows:
        filling.take(row)
    persons = _persons(sheets, filling.wrong)
    kind = filling.found.get("kind")
    # Without its kind, what every kind must have is missing all the same; the rest cannot be told.
    missing = tuple(filling.missing(frozenset({kind}) if kind else frozenset(KINDS)))
    times = _times(filling)
    if missing or filling.wrong:
        return Refused(missing, tuple(filling.wrong))
    found = filling.found
    value = _groups(found, times)
    # What an interception says of its action has no field in a sighting, and the other way about; it is kept as it was written.
    for box in SECTIONS[_FOREIGN[found["kind"]]]:
        if box.key in found:
            filling.unmapped.append({"name": box.key, "value": filling.written[box.key]})
    value.pop(_FOREIGN[found["kind"]], None)
    for name in LISTS:
        if persons[name]:
            value[name] = persons[name]
    if filling.unmapped:
        value["unmapped"] = filling.unmapped
    if any(persons.values()):
        value["handling"].setdefault("personal_data", True)
    return Report(found["kind"], found["reference"], found.get("revision", 0), value)


def _groups(found: Mapping[str, Any], times: dict[str, Any]) -> dict[str, Any]:
    value: dict[str, Any] = {}
    for box in BOXES.values():
        if box.path and box.key in found:
            _put(value, box.path, found[box.key])
    value["times"] = times
    if persons := [_count(key, found[key]) for key in COUNTS if key in found]:
        _put(value, "persons.counts", persons)
    if claims := [_claim(key, found) for key in CLAIMS if key in found]:
        value["claims"] = claims
    if "action" in value:
        value["action"]["measures"] = [{"kind": code, "count": None, "detail": None} for code in found.get("measures", ())]
        scheme, _, version = (BOXES["infractions"].vocabulary or "").partition("@")
        value["action"]["infractions"] = [
            {"scheme": scheme, "version": version, "code": code} for code in found.get("infractions", ())
        ]
    language = found.get("narrative-language")
    if "narrative" in found:
        value["narrative"] = [{"language": language or "und", "text": found["narrative"], "translation_of": None}]
    if language:
        _put(value, "origin.language", language)
    if value["exercise"] is False:
        del value["exercise"]
    return value


def _put(value: dict[str, Any], path: str, part: Any) -> None:
    *groups, last = path.split(".")
    for group in groups:
        value = value.setdefault(group, {})
    value[last] = part


def _count(key: str, count: dict[str, Any]) -> dict[str, Any]:
    sex, age = COUNTS[key]
    return {"sex": sex, "age_band": age, "condition": None, "nationality": None, "count": count}


def _claim(key: str, found: Mapping[str, Any]) -> dict[str, Any]:
    source = found.get("claim-source", "report")
    return {"attribute": key, "value": found[key], "source": source, "first_seen": None, "last_seen": None}


def _times(filling: _Filling) -> dict[str, Any]:
    found = filling.found
    zone = found.get("zone", UTC)
    times: dict[str, Any] = {}
    for key, name in (("observed", "observed"), ("until", "observed_until"), ("reported", "reported")):
        day, clock = found.get(f"{key}-date"), found.get(f"{key}-time")
        if day is None and clock is not None and f"{key}-date" != "observed-date":
            box = BOXES[f"{key}-date"]
            filling.wrong.append(Cell(filling.places.get(box.key, ""), box.name, "missing-field", "date"))
        if day is not None:
            try:
                times[name] = moment(day, clock, zone)
            except Unfit as unfit:
                box = BOXES[f"{key}-date"]
                filling.wrong.append(Cell(filling.places.get(box.key, ""), box.name, unfit.code, unfit.expected))
    return times


def _persons(sheets: Sheets, wrong: list[Cell]) -> dict[str, list[dict[str, Any]]]:
    lists: dict[str, list[dict[str, Any]]] = {name: [] for name in LISTS}
    for place, cells in sheets.persons:
        found: dict[str, Any] = {}
        for head, cell in cells.items():
            box = columns_by_name().get(folded(head))
            if box is None:
                wrong.append(Cell(place, head, "malformed-line"))
                continue
            try:
                if isinstance(cell, Formula):
                    raise Unfit("wrong-type", "formula")  # noqa: TRY301 - the same end as what read raises
                found[box.key] = read(box, [cell])
            except Unfit as unfit:
                wrong.append(Cell(place, box.name, unfit.code, unfit.expected))
        if "person-list" not in found:
            name = COLUMNS["person-list"].name
            if not any((cell.name, cell.place) == (name, place) for cell in wrong):
                wrong.append(Cell(place, name, "incomplete-form", "person-list"))
            continue
        lists[found["person-list"]].append(_person(found))
    return lists


def _person(found: Mapping[str, Any]) -> dict[str, Any]:
    person = {box.path: found[box.key] for box in COLUMNS.values() if box.path and box.key in found}
    document = {
        "kind": found.get("person-document", "unknown"),
        "number": found.get("person-document-number"),
        "state": found.get("person-document-state"),
    }
    if any(key.startswith("person-document") for key in found):
        person["documents"] = [document]
    return person


def _shown(values: Sequence[object]) -> str:
    return "; ".join("=" if isinstance(value, Formula) else str(value) for value in values)
