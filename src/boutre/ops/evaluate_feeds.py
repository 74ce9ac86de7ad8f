"""
Reads a folder of two feeds of which it is known which reports are of one incident, by the connectors that the bus has for them.
"""

from __future__ import annotations

import csv
import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from msgspec.structs import replace

from boutre.connectors import feeds
from boutre.connectors.feeds import Feed
from boutre.connectors.record import build
from boutre.connectors.sdk import Noted, Raw
from boutre.errors import DeclarationError, Fault, Refuse
from boutre.processors.matching.sighted import Sighted, sighted
from boutre.schemas.codec import Codec
from boutre.topics.strict import raise_all

PAIRS: Final = "same_incident.csv"
BOTH: Final = 2
MISSING: Final = "missing"


@dataclass(frozen=True, slots=True)
class Unused:
    """
    A row that could not be used: a code of ``reject-reason``, where it stands, and what was expected, never what was found.
    """

    code: str
    file: str
    line: int | None = None
    column: str | None = None
    expected: str = ""

    def __str__(self) -> str:
        places = (self.file, self.line and f"line {self.line}", self.column)
        where = ": ".join(str(place) for place in places if place)
        return f"{where}: {self.code}" + (f" (expected: {self.expected})" if self.expected else "")


@dataclass(frozen=True, slots=True)
class Folder:
    """
    The reports of both feeds, the pairs that are known to be of one, and what could not be used.

    *refused* rows no connector could read; *repeated* ones bear a reference that an earlier row has; *unread* pairs name a report
    that is not there, and count as known and not found; *odd* rows of the known pairs do not name two.
    """

    reports: tuple[Sighted, ...]
    known: frozenset[tuple[str, str]]
    refused: tuple[Unused, ...]
    repeated: int
    unread: int
    odd: tuple[Unused, ...] = ()

    def without_names(self) -> tuple[Sighted, ...]:
        """Give the reports as if nobody had told the name, nor anything else by which a ship can be known."""
        return tuple(map(_unnamed, self.reports))


def _unnamed(one: Sighted) -> Sighted:
    return replace(one, identifiers=())


def read_folder(bus: Path, folder: Path, codec: Codec) -> Folder:
    """
    Read *folder*: for each feed of the bus the file of the name that its declaration gives, and the known pairs.

    Raises:
        DeclarationError: a file is missing, has not the columns of its feed, gives no report, or names none that is in a feed.
    """
    chosen = [feed for feed in feeds.load(bus) if _file(feed) is not None and (folder / _name(feed)).is_file()]
    if len(chosen) != BOTH:
        wanted = ", ".join(sorted(_name(feed) for feed in feeds.load(bus) if _file(feed) is not None))
        message = f"holds the files of {len(chosen)} feeds, and two are compared; the bus reads {wanted}"
        raise DeclarationError([Fault(str(folder), "feeds", message)])
    reports: list[Sighted] = []
    by_reference: list[dict[str, str]] = []
    refused: list[Unused] = []
    repeated = 0
    faults: list[Fault] = []
    for feed in chosen:
        here: dict[str, str] = {}
        bad: list[Unused] = []
        for value in _values(feed, folder / _name(feed), codec):
            if isinstance(value, Unused):
                bad.append(value)
                continue
            reference = str(value["origin"]["reference"])
            if reference in here:
                repeated += 1
                continue
            here[reference] = f"{feed.id}:{reference}"
            reports.append(sighted("sighting", value, here[reference]))
        if not here:
            faults.append(_nothing_in(folder / _name(feed), bad))
        refused += bad
        by_reference.append(here)
    raise_all(faults)
    pairs = _pairs(folder / PAIRS, by_reference)
    return Folder(tuple(reports), pairs.known, tuple(refused), repeated, pairs.unread, pairs.odd)


def _nothing_in(path: Path, bad: list[Unused]) -> Fault:
    """Say of a file that gives no report why its first row, which may be that of the columns' names, is none."""
    if not bad:
        return Fault(str(path), "", "holds no report")
    first = bad[0]
    key = ", ".join(str(part) for part in (f"line {first.line}" if first.line else "", first.column) if part)
    named = f"; columns missing or there twice: {first.expected}" if first.line == 1 and first.expected else ""
    more = f" (expected: {first.expected})" if first.expected and not named else ""
    return Fault(str(path), key, f"gives no report: {first.code}{named}{more}")


def _file(feed: Feed) -> Path | None:
    path = getattr(feed.options, "path", None)
    return path if isinstance(path, Path) and path.suffix == ".csv" else None


def _name(feed: Feed) -> str:
    path = _file(feed)
    return "" if path is None else path.name


def _values(feed: Feed, path: Path, codec: Codec) -> Iterator[Mapping[str, Any] | Unused]:
    """Give the record of each row, as its reader gets it, or why the connector refuses it, and where."""
    options = dataclasses.replace(feed.options, path=path)
    now = datetime.now(UTC)
    for item in feed.source(options):
        if isinstance(item, Noted):
            continue
        if not isinstance(item, Raw):
            yield Unused(item.code, path.name, item.where.line, item.where.field, item.detail)
            continue
        try:
            yield codec.decode(codec.encode(item.kind, build(feed, item, now))).value
        except Refuse as refusal:
            yield Unused(refusal.code, path.name, item.where.line, refusal.field)


@dataclass(frozen=True, slots=True)
class _Pairs:
    """The known pairs; how many name what is not there; and the rows that do not name two."""

    known: frozenset[tuple[str, str]]
    unread: int
    odd: tuple[Unused, ...]


def _pairs(path: Path, by_reference: list[dict[str, str]]) -> _Pairs:
    """
    Read the known pairs, two columns of references, one of each feed, in either order.

    The first row names the columns, unless it is a pair itself.
    """
    if not path.is_file():
        raise DeclarationError([Fault(str(path), "", "is missing: it names the pairs that are known to be of one incident")])
    pairs: set[tuple[str, str]] = set()
    odd: list[Unused] = []
    found = 0
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
        rows = csv.reader(file)
        for cells in ([cell.strip() for cell in row] for row in rows):
            sides = [name for here in by_reference if (name := next((here[cell] for cell in cells if cell in here), None))]
            if not any(cells) or (rows.line_num == 1 and len(sides) < BOTH):
                continue
            found += len(sides) == BOTH
            # A side that is not there stands under a name that no report has: the pair cannot be found, and counts.
            sides += [f"{MISSING}:{cell}" for cell in cells if cell and not any(cell in here for here in by_reference)]
            if len(sides) >= BOTH:
                pairs.add((min(sides[:BOTH]), max(sides[:BOTH])))
            else:
                odd.append(Unused("malformed-line", path.name, rows.line_num, expected="a reference of each feed"))
    if not found:
        raise DeclarationError([Fault(str(path), "", "names no pair of two reports that are in the feeds")])
    unread = sum(any(side.startswith(f"{MISSING}:") for side in pair) for pair in pairs)
    return _Pairs(frozenset(pairs), unread, tuple(odd))
