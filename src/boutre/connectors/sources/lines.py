"""
JSON lines that already hold the groups of the record schema: for integrators with a system of their own.

    {"reference": "117", "kind": "sighting", "times": {"observed": {"at": "2024-03-01T06:30Z", "precision": "minute"}}, ...}

Beside the groups a line may hold ``revision`` and ``subject``. Instants are ISO 8601 with their zone; which fields hold one, the
schema says. A number that JSON does not know (NaN) and a key that stands twice make a line malformed: what it means is not guessed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from boutre.connectors.sdk import Bad, Raw, Where, source
from boutre.connectors.sources.tail import DIGITS, Line, Tail, read_before
from boutre.errors import Refuse, Retry
from boutre.schemas import lock
from boutre.schemas.fields import walk

MAX_LINE: Final = 1_000_000
"""Bytes that one line may have."""

MAX_DEPTH: Final = 12
"""How deep its groups may lie in one another; those of the schemas lie five deep."""

ENVELOPE: Final = frozenset({"reference", "kind", "revision", "subject"})


@dataclass(frozen=True)
class Options:
    """
    Where the file stands, and the kind of a line that does not name its own.
    """

    path: Path
    kind: str = "sighting"


@source("lines")
def read(options: Options, after: str | None) -> Iterator[Raw | Bad]:
    """A JSON object a line, already in the groups of the record."""
    try:
        start = read_before(options.path, after, MAX_LINE)
        with options.path.open("rb") as stream:
            yield from _reports(options, Tail(stream, MAX_LINE), start)
    except OSError as error:
        raise Retry(f"{options.path.name} cannot be read ({error.strerror})", after=5) from None


def _reports(options: Options, tail: Tail, start: int) -> Iterator[Raw | Bad]:
    empty = True
    while (line := tail.line()) is not None:
        if not line.content.strip():
            continue
        empty = False
        if tail.number > start:
            yield _report(options, line, tail.cursor)
    if empty and start < 0:
        yield Bad("empty-file", b"", "empty", tail.cursor, where=Where(options.path.name, 1))


def _report(options: Options, line: Line, cursor: str) -> Raw | Bad:
    where = Where(options.path.name, line.number)
    reference = f"{line.number}:{hashlib.sha256(line.content).hexdigest()[:DIGITS]}"
    try:
        report = _object(line)
        reference = _own_reference(report)
        return _raw(options, report, cursor, where, line)
    except Refuse as refusal:
        placed = Where(where.file, where.line, refusal.field)
        return Bad(refusal.code, line.content, reference, cursor, "", placed)


def _object(line: Line) -> dict[str, Any]:
    if line.cut:
        raise Refuse("too-large")
    try:
        text = line.content.decode()
    except UnicodeDecodeError:
        raise Refuse("wrong-encoding") from None
    try:
        report = json.loads(text, object_pairs_hook=_pairs, parse_constant=_no_number)
    except (ValueError, RecursionError):
        raise Refuse("malformed-line") from None
    if not isinstance(report, dict) or _depth(report) > MAX_DEPTH:
        raise Refuse("malformed-line")
    return report


def _own_reference(report: dict[str, Any]) -> str:
    own = report.get("reference")
    if not isinstance(own, str) or not own.strip():
        raise Refuse("missing-field", field="reference")
    return own.strip()


def _raw(options: Options, report: dict[str, Any], cursor: str, where: Where, line: Line) -> Raw:
    kind = report.get("kind", options.kind)
    revision, subject = report.get("revision", 0), report.get("subject")
    if not isinstance(kind, str):
        raise Refuse("wrong-type", field="kind")
    if type(revision) is not int or revision < 0:
        raise Refuse("wrong-type", field="revision")
    if subject is not None and not isinstance(subject, str):
        raise Refuse("wrong-type", field="subject")
    groups = {name: group for name, group in report.items() if name not in ENVELOPE}
    value = _timed(groups, "", _instants(kind))
    return Raw(kind, value, _own_reference(report), cursor, subject, revision, where, line.content)


@lru_cache(maxsize=16)  # by what a line calls its kind, which can be anything
def _instants(kind: str) -> Mapping[str, Callable[[str, str], Any]]:
    """Give, for each field of *kind* that holds an instant or a day, how its text is read."""
    locked = lock.load()
    if kind not in locked.kinds:
        return {}
    readers: dict[str, Callable[[str, str], Any]] = {"timestamp-millis": _instant, "date": _day}
    fields = walk(locked.latest(kind).schema)
    return {info.path: readers[info.type_name] for info in fields if info.type_name in readers}


def _timed(value: Any, path: str, instants: Mapping[str, Callable[[str, str], Any]]) -> Any:
    """Give *value* with the texts of its instants read."""
    if isinstance(value, dict):
        return {name: _timed(inner, f"{path}.{name}" if path else name, instants) for name, inner in value.items()}
    if isinstance(value, list):
        return [_timed(inner, path, instants) for inner in value]
    if path in instants and value is not None:
        if not isinstance(value, str):
            raise Refuse("wrong-type", field=path)
        return instants[path](value, path)
    return value


def _instant(text: str, path: str) -> datetime:
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        shaped = len(text) >= len("2024-03-01") and text[:4].isdecimal() and text[4] == "-"
        raise Refuse("impossible-time" if shaped else "wrong-type", field=path) from None
    if read.tzinfo is None:
        raise Refuse("naive-time", field=path)
    try:
        return read.astimezone(UTC)
    except OverflowError:
        raise Refuse("impossible-time", field=path) from None


def _day(text: str, path: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Refuse("wrong-type", field=path) from None


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError("a key stands twice")
    return value


def _no_number(_: str) -> Any:
    raise ValueError("no number of JSON")


def _depth(value: Any) -> int:
    """Give how deep *value* lies in itself; one more than `MAX_DEPTH` at most."""
    depth, level = 0, [value]
    while level and depth <= MAX_DEPTH:
        depth += 1
        level = [
            inner
            for outer in level
            for inner in (outer.values() if isinstance(outer, dict) else outer if isinstance(outer, list) else ())
        ]
    return depth
