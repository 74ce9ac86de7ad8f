"""
From a row of a source, column by column, to the groups of a record.

Pure, and shared by every source that has columns. Nothing of a row is lost: what no rule reads, and what a rule cannot use, is
kept under ``unmapped`` with its column's name. What cannot be read at all is a ``Misfit``, and the row is its owner's again.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import tzinfo
from typing import Any, Final, assert_never

from boutre.connectors.sources import moments
from boutre.connectors.sources.rules import LISTS, AnyRule, Claim, Code, Count, Ignore, Moment, Number, Text, Words

PLACEHOLDERS: Final = ("", "-", "--", "?", "N/A", "NA", "NIL", "NONE", "NULL", "UNKNOWN", "UNSPECIFIED", "INCONNU")
"""What sources write where they know nothing; compared without regard to case. A feed may declare its own list."""

NUMBER: Final = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)
COUNT: Final = re.compile(r"(\d+(?:\.\d+)?)(?:\s*[-–]\s*(\d+(?:\.\d+)?))?", re.ASCII)  # noqa: RUF001 - a dash as people type it


@dataclass(frozen=True, slots=True)
class Misfit:
    """
    A value that its rule cannot read: a code of ``reject-reason``, the column, and what was expected (never what was found).
    """

    code: str
    column: str
    expected: str = ""


@dataclass(slots=True)
class _Row:
    """One row on its way: what is given, what is left."""

    values: Mapping[str, str]
    groups: dict[str, Any] = field(default_factory=dict)
    left: dict[str, str] = field(default_factory=dict)
    misfits: list[Misfit] = field(default_factory=list)

    def put(self, path: str, value: Any) -> None:
        *parents, name = path.split(".")
        group = self.groups
        for parent in parents:
            group = group.setdefault(parent, {})
        if path in LISTS:
            group.setdefault(name, []).append(value)
        else:
            group[name] = value

    def leave(self, column: str) -> None:
        self.left[column] = self.values[column]


@dataclass(frozen=True, slots=True)
class Columns:
    """
    The rules of one feed, ready to be applied; *constants* hold in every record, *reference* names the source's own reference.
    """

    reference: str
    rules: tuple[AnyRule, ...]
    placeholders: tuple[str, ...] = PLACEHOLDERS
    constants: Mapping[str, str] = field(default_factory=dict)

    @property
    def names(self) -> tuple[str, ...]:
        """All columns that the rules read, each once."""
        times = (rule.time for rule in self.rules if isinstance(rule, Moment) and rule.time is not None)
        return tuple(dict.fromkeys([*(rule.column for rule in self.rules), *times]))

    def apply(self, values: Mapping[str, str]) -> tuple[dict[str, Any], list[Misfit]]:
        """
        Give the groups of a record made from *values* (column to text), and all that could not be read.
        """
        row = _Row({column: text.strip() for column, text in values.items()})
        for path, value in self.constants.items():
            row.put(path, value)
        for rule in self.rules:
            if not self.empty(row.values.get(rule.column, "")):
                self._read(rule, row)
        mapped = {self.reference, *self.names}
        for column, text in row.values.items():
            if column not in mapped and text:
                row.leave(column)
        if row.left:
            # In the order of the source, so that two readings of one row give the same bytes.
            row.groups["unmapped"] = [{"name": name, "value": row.left[name]} for name in row.values if name in row.left]
        return row.groups, row.misfits

    def empty(self, text: str) -> bool:
        """Whether *text* says nothing: it is blank or one of the declared placeholders."""
        return not text or text.casefold() in {word.casefold() for word in self.placeholders}

    def _read(self, rule: AnyRule, row: _Row) -> None:  # noqa: C901 - one case for each reading, and mypy proves that none is missing
        text = row.values[rule.column]
        match rule:
            case Ignore():
                return
            case Text():
                read = _unless(rule.unless, text) and _text(rule, text, row)
            case Words():
                read = _words(rule, text, row)
            case Number():
                read = _number(rule, text, row)
            case Count():
                read = _count(rule, text, row)
            case Moment():
                read = self._moment(rule, text, row)
            case Code():
                read = _code(rule, text, row)
            case Claim():
                read = _unless(rule.unless, text) and _claim(rule, text, row)
            case _:
                assert_never(rule)
        if read:
            for path, value in rule.also.items():
                row.put(path, value)
        elif not any(misfit.column == rule.column for misfit in row.misfits):
            row.leave(rule.column)

    def _moment(self, rule: Moment, text: str, row: _Row) -> bool:
        default = moments.zone_of(rule.zone) if rule.zone is not None else None
        try:
            moment = moments.moment(text, rule.formats, default)
        except moments.UnreadableError:
            row.misfits.append(Misfit("wrong-type", rule.column, " | ".join(rule.formats)))
            return False
        except moments.ImpossibleError:
            row.misfits.append(Misfit("impossible-time", rule.column, " | ".join(rule.formats)))
            return False
        if rule.time is not None and not self.empty(row.values.get(rule.time, "")):
            moment = _clock(rule, rule.time, moment, default, row)
        row.put(rule.to, moment)
        return True


def _clock(rule: Moment, column: str, day: dict[str, Any], default: tzinfo | None, row: _Row) -> dict[str, Any]:
    zones = {word.lower(): moments.zone_of(name) for word, name in rule.zones.items()}
    if default is not None:
        zones.setdefault("", default)
    try:
        found = moments.with_clock(day, row.values[column], rule.time_formats, zones)
    except (moments.UnreadableError, moments.ImpossibleError) as error:
        if rule.unreadable_time == "day":
            row.leave(column)
            return day
        code = "wrong-type" if isinstance(error, moments.UnreadableError) else "impossible-time"
        row.misfits.append(Misfit(code, column, " | ".join(rule.time_formats)))
        return day
    if found is None:
        # A time of an unknown zone is not turned into UTC by a guess: its owner still has it.
        row.leave(column)
        return day
    return found


def _text(rule: Text, text: str, row: _Row) -> bool:
    for part in _parts(rule.split, text):
        row.put(rule.to, part)
    return True


def _words(rule: Words, text: str, row: _Row) -> bool:
    row.groups.setdefault("narrative", []).append({"language": rule.language, "text": text, "translation_of": None})
    return True


def _parts(split: str | None, text: str) -> list[str]:
    return [part.strip() for part in text.split(split) if part.strip()] if split else [text]


def _unless(patterns: tuple[str, ...], text: str) -> bool:
    return not any(re.fullmatch(pattern, text) for pattern in patterns)


def _number(rule: Number, text: str, row: _Row) -> bool:
    plain = text.replace(",", ".") if rule.decimal == "," and "." not in text else text
    value = float(plain) * rule.scale if NUMBER.fullmatch(plain) else math.nan
    if not math.isfinite(value):
        row.misfits.append(Misfit("wrong-type", rule.column, f"1{rule.decimal}5"))
        return False
    row.put(rule.to, value)
    return True


def _count(rule: Count, text: str, row: _Row) -> bool:
    estimated = False
    for word in rule.about:
        if text.casefold().startswith(word.casefold()):
            text, estimated = text[len(word) :].strip(), True
            break
    found = COUNT.fullmatch(text)
    if found is None:
        row.misfits.append(Misfit("wrong-type", rule.column, "28 | 25-30"))
        return False
    least = float(found[1])
    row.put(rule.to, {"min": least, "max": float(found[2]) if found[2] else least, "estimated": estimated})
    return True


def _code(rule: Code, text: str, row: _Row) -> bool:
    for part in _parts(rule.split, text):
        if rule.to is not None:
            code = rule.codes.get(part, rule.other)
            if code is None:
                row.misfits.append(Misfit("unknown-code", rule.column))
                return False
            row.put(rule.to, code)
        if rule.scheme is not None:
            own = {"scheme": rule.scheme, "version": rule.version, "code": part}
            row.groups.setdefault("event", {}).setdefault("classes", []).append(own)
    return True


def _claim(rule: Claim, text: str, row: _Row) -> bool:
    for word in rule.drop:
        shorter = text.removeprefix(f"{word} ").strip()
        if shorter and shorter != text:
            text = shorter
            break
    claim = {"attribute": rule.attribute, "value": text, "source": rule.source, "first_seen": None, "last_seen": None}
    row.groups.setdefault("claims", []).append(claim)
    return True
