"""
What a recipient has on file of its links: lines of JSON as a sink or ``boutre watch --output json`` writes them, and its own words.

A line that says nothing that can be used is told by its place and why, and never by what stands in it; the others count.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import IO, Any, Final

from boutre.errors import DeclarationError, Fault
from boutre.ops.links_compare import Report, kind_of
from boutre.processors.links.said import NotUnderstood, OfTwo, said
from boutre.processors.links.shown import NotShown, Shown, shown

INSTANTS: Final = ("at", "until")


@dataclass(frozen=True, slots=True)
class Unusable:
    """
    A line that cannot be used: where it stands, and why, a code of the catalogue (``links.unusable``).
    """

    place: str
    why: str


@dataclass(slots=True)
class Files:
    """
    What was read, of one recipient: links in the order in which they came, by whether they are of exercises.

    *names* says of which record each view is; *recalled* are the records that were taken back, *reports*
    the views of reports, in their order.
    """

    recipient: str | None = None
    told: dict[bool, list[Shown]] = field(default_factory=dict)
    words: list[OfTwo] = field(default_factory=list)
    names: dict[str, str] = field(default_factory=dict)
    recalled: set[str] = field(default_factory=set)
    reports: list[Report] = field(default_factory=list)
    unusable: list[Unusable] = field(default_factory=list)

    def views(self, lines: IO[bytes], name: str) -> None:
        """
        Read the views of a file, links and others; DeclarationError where they are of two recipients.
        """
        for place, document in self._documents(lines, name):
            # What ``boutre watch --output json`` writes has the view within.
            inner = document.get("value")
            self._view(inner if isinstance(inner, Mapping) else document, place)

    def said(self, lines: IO[bytes], name: str) -> None:
        """
        Read what people said, answers as ``boutre answers read --own --output json`` writes them; words on alerts are left out.
        """
        for place, document in self._documents(lines, name):
            value = {**document, **{key: _instant(document.get(key)) for key in INSTANTS}}
            found = said(value)
            if isinstance(found, NotUnderstood):
                self.unusable.append(Unusable(place, found.why))
            elif isinstance(found, OfTwo):
                self.words.append(found)

    def _documents(self, lines: IO[bytes], name: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            place = f"{name}, line {number}"
            try:
                document = json.loads(line)
            except (ValueError, RecursionError):
                self.unusable.append(Unusable(place, "no-json"))
                continue
            if isinstance(document, Mapping):
                yield place, document
            else:
                self.unusable.append(Unusable(place, "not-a-view"))

    def _view(self, value: Mapping[str, Any], place: str) -> None:
        view, recall = value.get("view"), value.get("recall")
        if not isinstance(view, Mapping) or not _are_names(value.get("id"), view.get("recipient"), view.get("of")):
            self.unusable.append(Unusable(place, "not-a-view"))
            return
        recipient = str(view["recipient"])
        if self.recipient not in (None, recipient):
            message = "is a view of another recipient than those before; links are one recipient's own, so give the files of one"
            raise DeclarationError([Fault(place, "", message)])
        self.recipient = recipient
        if "link" in value:
            found = shown(value)
            if isinstance(found, NotShown):
                self.unusable.append(Unusable(place, found.why))
            else:
                self.told.setdefault(found.exercise, []).append(found)
        elif isinstance(recall, Mapping):
            if _are_names(recall.get("record")):
                self.recalled.add(str(recall["record"]))
        else:
            self.names[str(value["id"])] = str(view["of"])
            if (kind := kind_of(value)) is not None:
                self.reports.append(Report(place, kind, str(view["of"]), value))


def _instant(value: Any) -> Any:
    """Give an instant of ISO 8601 as one; anything else as it is, so that what reads the answer says what is wrong."""
    try:
        return datetime.fromisoformat(value) if isinstance(value, str) else value
    except ValueError:
        return value


def _are_names(*values: Any) -> bool:
    return all(isinstance(each, str) and each for each in values)


def exercises(files: Files) -> Iterable[bool]:
    """
    Give whether there is something of the world (False), of exercises (True), or of both; the world where there is nothing.
    """
    return sorted({*files.told, *(one.exercise for one in files.words)}) or [False]
