"""
Reads a folder of two feeds of which it is known which reports are of one incident, by the connectors that the bus has for them.
"""

from __future__ import annotations

import csv
import dataclasses
from collections import Counter
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

PAIRS: Final = "same_incident.csv"
BOTH: Final = 2
MISSING: Final = "missing"


@dataclass(frozen=True, slots=True)
class Folder:
    """
    The reports of both feeds, the pairs that are known to be of one, and what could not be used.

    *refused* rows no connector could read; *repeated* ones bear a reference that an earlier row has; *unread* pairs name a report
    that is not there, and count as known and not found.
    """

    reports: tuple[Sighted, ...]
    known: frozenset[tuple[str, str]]
    refused: Mapping[str, int]
    repeated: int
    unread: int

    def without_names(self) -> tuple[Sighted, ...]:
        """Give the reports as if nobody had told the name, nor anything else by which a ship can be known."""
        return tuple(map(_unnamed, self.reports))


def _unnamed(one: Sighted) -> Sighted:
    return replace(one, identifiers=())


def read_folder(bus: Path, folder: Path, codec: Codec) -> Folder:
    """
    Read *folder*: for each feed of the bus the file of the name that its declaration gives, and the known pairs.

    Raises:
        DeclarationError: a file is missing, has not the columns of its feed, or names a report that is in neither feed.
    """
    chosen = [feed for feed in feeds.load(bus) if _file(feed) is not None and (folder / _name(feed)).is_file()]
    if len(chosen) != BOTH:
        wanted = ", ".join(sorted(_name(feed) for feed in feeds.load(bus) if _file(feed) is not None))
        message = f"holds the files of {len(chosen)} feeds, and two are compared; the bus reads {wanted}"
        raise DeclarationError([Fault(str(folder), "feeds", message)])
    reports: list[Sighted] = []
    by_reference: list[dict[str, str]] = []
    refused: Counter[str] = Counter()
    repeated = 0
    for feed in chosen:
        here: dict[str, str] = {}
        for value in _values(feed, folder / _name(feed), codec):
            if isinstance(value, str):
                refused[value] += 1
                continue
            reference = str(value["origin"]["reference"])
            if reference in here:
                repeated += 1
                continue
            here[reference] = f"{feed.id}:{reference}"
            reports.append(sighted("sighting", value, here[reference]))
        by_reference.append(here)
    known, unread = _pairs(folder / PAIRS, by_reference)
    return Folder(tuple(reports), known, dict(sorted(refused.items())), repeated, unread)


def _file(feed: Feed) -> Path | None:
    path = getattr(feed.options, "path", None)
    return path if isinstance(path, Path) and path.suffix == ".csv" else None


def _name(feed: Feed) -> str:
    path = _file(feed)
    return "" if path is None else path.name


def _values(feed: Feed, path: Path, codec: Codec) -> Iterator[Mapping[str, Any] | str]:
    """Give the record of each row, as its reader gets it, or why the connector refuses it: a code of ``reject-reason``."""
    options = dataclasses.replace(feed.options, path=path)
    now = datetime.now(UTC)
    for item in feed.source(options):
        if isinstance(item, Noted):
            continue
        if not isinstance(item, Raw):
            yield item.code
            continue
        try:
            yield codec.decode(codec.encode(item.kind, build(feed, item, now))).value
        except Refuse as refusal:
            yield refusal.code


def _pairs(path: Path, by_reference: list[dict[str, str]]) -> tuple[frozenset[tuple[str, str]], int]:
    """
    Read the known pairs, two columns of references, one of each feed, in either order; and how many name what is not there.
    """
    if not path.is_file():
        raise DeclarationError([Fault(str(path), "", "is missing: it names the pairs that are known to be of one incident")])
    pairs: set[tuple[str, str]] = set()
    found = 0
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
        rows = csv.reader(file)
        next(rows, None)
        for row in rows:
            cells = [cell.strip() for cell in row]
            if not any(cells):
                continue
            sides = [name for here in by_reference if (name := next((here[cell] for cell in cells if cell in here), None))]
            found += len(sides) == BOTH
            # A side that is not there stands under a name that no report has: the pair cannot be found, and counts.
            sides += [f"{MISSING}:{cell}" for cell in cells if not any(cell in here for here in by_reference)]
            if len(sides) >= BOTH:
                pairs.add((min(sides[:BOTH]), max(sides[:BOTH])))
    if not found:
        raise DeclarationError([Fault(str(path), "", "names no pair of two reports that are in the feeds")])
    return frozenset(pairs), sum(any(side.startswith(f"{MISSING}:") for side in pair) for pair in pairs)
