"""
The tables of operations: which columns each has, and in what form each value is shown; the same for the page and the terminal.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Literal, TypeAlias

from boutre.language import say
from boutre.ops.findings.wording import age, number

Row: TypeAlias = Mapping[str, Any]
Form: TypeAlias = Literal["text", "state", "ago", "length", "count", "pace", "source", "process", "why"]
"""
*ago* is a moment shown as how long ago it was, *length* is of seconds, *pace* is something a second, *why* is what a process says.
"""

NUMERIC: Final[frozenset[Form]] = frozenset({"ago", "length", "count", "pace"})


@dataclass(frozen=True, slots=True)
class Column:
    """
    A column: its heading (``operations.column.NAME``), the form of its values, and where in a row they stand.
    """

    name: str
    form: Form
    key: str

    @property
    def numeric(self) -> bool:
        """Whether it is set to the right, and sorted with the largest first."""
        return self.form in NUMERIC


TABLES: Final[Mapping[str, Sequence[Column]]] = {
    "processors": (
        Column("name", "text", "name"), Column("status", "state", "state"), Column("since", "ago", "since"),
        Column("unread", "count", "unread"), Column("age", "ago", "oldest"), Column("members", "count", "members"),
        Column("in", "pace", "produced"), Column("out", "pace", "consumed"), Column("lost-in", "length", "left_s"),
        Column("look", "text", "place"),
    ),
    "recipients": (
        Column("recipient", "text", "recipient"), Column("reader", "text", "reader"), Column("status", "state", "state"),
        Column("unread", "count", "unread"), Column("age", "ago", "oldest"), Column("alert", "ago", "alert"),
        Column("overdue", "count", "overdue"),
    ),
    "members": (
        Column("member", "text", "member"), Column("feed", "text", "feed"), Column("status", "state", "state"),
        Column("acknowledged", "ago", "acknowledged"), Column("rhythm", "length", "rhythm_s"),
    ),
    "rejects": (
        Column("owner", "text", "owner"), Column("hour", "count", "hour"), Column("day", "count", "day"),
        Column("kept", "count", "kept"), Column("newest", "ago", "newest"),
    ),
    "processes": (
        Column("process", "process", "name"), Column("status", "state", "state"), Column("where", "text", "address"),
        Column("success", "ago", "success"), Column("acknowledged", "ago", "acknowledged"),
    ),
    "sources": (
        Column("name", "source", "key"), Column("status", "state", "state"), Column("newest", "ago", "answered"),
        Column("says", "why", "why"),
    ),
}  # fmt: skip
"""Each table of the document, in the order in which they are shown."""

SOURCE_OF: Final[Mapping[str, str]] = {
    "processors": "lag", "recipients": "lag", "rejects": "rejects", "processes": "processes", "members": "clocks",
}  # fmt: skip
"""From which source the rows of a table are; those of ``sources`` are from no other."""

MARKS: Final[Mapping[str, str]] = {"ok": "●", "warning": "▲", "error": "■", "unknown": "○"}
"""The shape of each level, as a terminal has it."""

DAY_S: Final = 86_400.0

ORDER: Final = ("error", "warning", "unknown", "ok")


def plain(column: Column, row: Row, language: str, now: float) -> str:
    """
    Give a value as plain text; nothing where it is not known.
    """
    value = row.get(column.key)
    said = _FORMS.get(column.form)
    if value is None:
        return ""
    return str(value) if said is None else said(value, row, language, now)


_FORMS: Final[Mapping[Form, Callable[[Any, Row, str, float], str]]] = {
    "ago": lambda at, _row, language, now: age(max(0.0, now - at), language),
    "length": lambda seconds, _row, language, _now: age(seconds, language),
    "count": lambda count, _row, language, _now: number(count, language),
    "pace": lambda pace, _row, language, _now: number(pace, language, 1),
    "state": lambda state, _row, language, _now: say(f"operations.state.{state}", language),
    "source": lambda name, _row, language, _now: say(f"operations.source.{name}", language),
    "process": lambda name, row, _language, _now: f"{row['kind']} {name}".strip(),
}


def order(column: Column, row: Row) -> tuple[int, Any]:
    """
    Give what a column is sorted by: the worst, the longest and the most first, names by the alphabet, what is not known last.
    """
    value = row.get(column.key)
    if column.form == "state":
        return 0, ORDER.index(row["level"])
    if value is None:
        return 1, 0
    if column.form == "ago":
        return 0, value
    if column.numeric:
        return 0, value if column.key == "left_s" else -value
    return 0, str(value)


def stale_since(document: Row, table: str) -> tuple[bool, float | None]:
    """
    Say whether the rows of a table are as they last stood only, and since when (None: nothing was ever heard).
    """
    source = next((one for one in document["sources"] if one["key"] == SOURCE_OF.get(table)), None)
    return (False, None) if source is None or source["state"] != "gone" else (True, source["answered"])


def clock(at: float, now: float) -> str:
    """
    Give a time of day in UTC, with its date where it is a day away.
    """
    return datetime.fromtimestamp(at, UTC).strftime("%H:%M" if abs(now - at) < DAY_S else "%Y-%m-%d %H:%M")
