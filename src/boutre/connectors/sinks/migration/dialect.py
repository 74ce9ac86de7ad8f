"""
What the databases do differently, as one interface: how each is opened, what it calls its types, and what its errors ask for.

The statements themselves are the same for all: see ``versions`` and ``store``.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol

from boutre.connectors.sinks.migration.record_keys import RecordKeys
from boutre.connectors.sinks.migration.rows import Value

NUL = "\0"
NUL_SHOWN = "\N{SYMBOL FOR NULL}"


class Connection(Protocol):
    """
    One open connection.
    """

    def transaction(self) -> AbstractContextManager[None]:
        """Commit what the block did, durably, when it ends; undo all of it when it raises."""

    def run(self, statement: str, values: Sequence[Value] = ()) -> int:
        """Run one statement, with ``?`` where values go; returns how many rows it wrote."""

    def rows(self, statement: str, values: Sequence[Value] = ()) -> list[tuple[Any, ...]]:
        """Run one query."""

    def script(self, statements: Sequence[str]) -> None:
        """Run statements that need no values."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """
    One kind of database.

    *types* are put into the statements of ``versions``; *extras* are statements that follow those of each version;
    *lock* keeps other processes out while versions are applied; *beside* lets others write at the same time, and *alone* keeps them
    out, so that no view of a record is written while the record is erased. *scrub* overwrites what deleted rows left behind.
    """

    name: str
    types: Mapping[str, str]
    extras: Mapping[int, Sequence[str]]
    lock: Sequence[str]
    beside: Sequence[str]
    alone: Sequence[str]
    scrub: Callable[[Connection], None]


@dataclass(frozen=True, slots=True)
class Database:
    """
    An open migration database: its connection, what kind of database it is, and the keys of its personal groups.
    """

    connection: Connection
    dialect: Dialect
    keys: RecordKeys


def storable(value: Value) -> Value:
    """
    Give *value* as every database can hold it.

    No database takes U+0000 in a text: it is shown as U+2400, here and in the document. A number that is none is unknown.
    """
    if isinstance(value, str):
        return value.replace(NUL, NUL_SHOWN)
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, dict):
        return {key: _deep(each) for key, each in value.items()}
    return value


def _deep(value: Any) -> Any:
    if isinstance(value, str):
        return value.replace(NUL, NUL_SHOWN)
    if isinstance(value, dict):
        return {key: _deep(each) for key, each in value.items()}
    return [_deep(each) for each in value] if isinstance(value, list) else value


def statements(text: str) -> Iterator[str]:
    """
    Split a file of SQL into its statements; a semicolon ends one where it ends a line.
    """
    kept = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("--"))
    for part in kept.split(";\n"):
        if statement := part.strip().rstrip(";"):
            yield statement
