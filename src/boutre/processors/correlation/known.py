"""
What a recipient has, record by record, in one cell: under which views, what it says, and what people said of it.

A record that was revised is the same one under a new name: it keeps its views, what was said of them, and the name it had first.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from msgspec import Struct

from boutre.processors.alerts.facts import Facts
from boutre.processors.correlation.notes import Notes
from boutre.processors.links.link import Judgement, Verdict
from boutre.processors.own_views import Bound

REMEMBERS: Final = frozenset({"known", "view", "judged", "gone"})
"""
The classes of keys: the records of a cell, which record a view is of, what was said of a view beside another, and which records
were taken back or have given way to a revision.
"""

VIEWS: Final = 16
"""Views by which a record is known: its recipient judges the last ones that it got."""


class Record(Struct, frozen=True):
    """
    One record: *first* is the name it had before any revision, *views* are those it was given in, the newest last.
    """

    first: str
    views: tuple[str, ...]
    bound: Bound
    facts: Facts


class Judged(Struct, frozen=True):
    """
    What a person said of a view and *other*: *by* a function, *at* seconds since 1970 UTC, *id* that of the answer.
    """

    other: str
    verdict: Verdict
    by: str
    at: float
    id: str


@dataclass(slots=True)
class Files:
    """
    The records of one recipient (*scope*, which tells exercises apart) in one *cell*.
    """

    notes: Notes
    scope: str
    cell: str

    def record(self, name: str) -> Record | None:
        """Give a record by its present name."""
        found = self.notes.get(f"known:{self.scope}:{self.cell}:{name}")
        return None if found is None else msgspec.convert(found, Record)

    def keep(self, name: str, record: Record) -> None:
        """Keep a record, and that its views are of it."""
        self.notes.put(f"known:{self.scope}:{self.cell}:{name}", msgspec.to_builtins(record))
        for view in record.views:
            key = f"view:{self.scope}:{view}"
            cells = (self.notes.get(key) or {}).get("cells", ())
            self.notes.put(key, {"record": name, "cells": sorted({*cells, self.cell})})

    def drop(self, name: str, *, gone: bool = True) -> None:
        """Forget a record; one that is *gone* is not taken again, should it come late."""
        self.notes.put(f"known:{self.scope}:{self.cell}:{name}", None)
        if gone:
            self.notes.put(f"gone:{self.scope}:{self.cell}:{name}", True)  # noqa: FBT003 - what is remembered

    def is_gone(self, name: str) -> bool:
        """Say whether a record was taken back, or revised, before it came."""
        return self.notes.get(f"gone:{self.scope}:{self.cell}:{name}") is not None

    def judged(self, name: str) -> frozenset[str]:
        """Give the records, by their names, that a person has judged together with this one."""
        record = self.record(name)
        others = () if record is None else (one.other for view in record.views for one in said(self.notes, self.scope, view))
        return frozenset(other for each in others if (other := self._of(each)) is not None and other != name)

    def judgements(self, one: str, other: str, types: Sequence[str]) -> tuple[Judgement, ...]:
        """Give what people said of two records, of links of *types*."""
        first, second = self.record(one), self.record(other)
        if first is None or second is None or one == other:
            return ()
        found: Iterable[Judged] = (each for view in first.views for each in said(self.notes, self.scope, view))
        return tuple(
            Judgement(one, other, each.verdict, each.by, each.at, each.id, tuple(types))
            for each in sorted(found, key=lambda each: (each.at, each.id))
            if each.other in second.views
        )

    def _of(self, view: str) -> str | None:
        found: dict[str, Any] = self.notes.get(f"view:{self.scope}:{view}") or {}
        return str(found["record"]) if self.cell in found.get("cells", ()) else None


def said(notes: Notes, scope: str, view: str) -> tuple[Judged, ...]:
    """
    Give what was said of a view, whether it is known yet or not.
    """
    return tuple(msgspec.convert(one, Judged) for one in notes.get(f"judged:{scope}:{view}") or ())


def say(notes: Notes, scope: str, view: str, judged: Judged) -> bool:
    """
    Remember what is said of *view* and another, under both; False where it was said before.
    """
    new = False
    for here, there in ((view, judged.other), (judged.other, view)):
        kept = said(notes, scope, here)
        if all(one.id != judged.id for one in kept):
            new = True
            rows = [*kept, Judged(there, judged.verdict, judged.by, judged.at, judged.id)]
            notes.put(f"judged:{scope}:{here}", [msgspec.to_builtins(one) for one in rows])
    return new


def cells_of(notes: Notes, scope: str, *views: str) -> tuple[str, ...]:
    """
    Give the cells in which the records of all these views are known.
    """
    found = [set((notes.get(f"view:{scope}:{view}") or {}).get("cells", ())) for view in views]
    return tuple(sorted(set.intersection(*found))) if found else ()
