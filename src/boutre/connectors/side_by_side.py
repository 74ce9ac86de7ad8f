"""
One record as each recipient got it: fields in rows, recipients in columns.

``compare`` is pure and gives the cells; ``side_by_side`` draws them. A field that nobody got has no row of its own; a group of
which nobody got anything has one row, where it was kept from somebody, and none where it is unknown.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from rich.table import Table
from rich.text import Text

from boutre.connectors.phrases import Words, field_name
from boutre.language import say
from boutre.schemas.marks import Sealed, Withheld

State = Literal["kept", "coarse", "withheld", "sealed", "unknown", "nothing"]

WHOLE: Final = frozenset({"Moment", "Range", "Code", "Text", "Claim", "PersonCount", "Measure", "Unmapped", "Vertex"})
"""
Types that fill one cell, with all that they hold.
"""

SIGNS: Final[Mapping[State, str]] = {
    "coarse": "~",
    "withheld": "\N{MULTIPLICATION SIGN}",
    "sealed": "#",
    "unknown": "?",
    "nothing": "-",
}
STYLES: Final[Mapping[State, str]] = {
    "kept": "", "coarse": "yellow", "withheld": "red", "sealed": "magenta", "unknown": "dim", "nothing": "dim",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Cell:
    """
    What one recipient has of one field: its words, where it has some, and how it came to that.
    """

    state: State
    text: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """
    One field, for all recipients in their order.
    """

    path: str
    cells: tuple[Cell, ...]


def compare(kind: str, values: Mapping[str, Mapping[str, Any] | None], language: str, words: Words) -> tuple[Row, ...]:
    """
    Lay the views of one record side by side.

    Args:
        kind: the kind of the record.
        values: for each recipient the decoded view, or None where it was given nothing at all.
        language: ``en`` or ``fr``.
        words: names of fields and codes.
    """
    rows = [
        Row(path, tuple(_cell(kind, path, value, language, words) for value in values.values())) for path in _paths(kind, words)
    ]
    kept: list[Row] = []
    for group in dict.fromkeys(row.path.partition(".")[0] for row in rows):
        own = [row for row in rows if row.path.partition(".")[0] == group]
        told = [row for row in own if any(cell.text for cell in row.cells)]
        kept.extend(told or _folded(group, own))
    return tuple(kept)


def _folded(group: str, rows: Sequence[Row]) -> Iterator[Row]:
    """One row for a group of which nobody got anything; none where it was kept from nobody."""
    cells = []
    for column in zip(*(row.cells for row in rows), strict=True):
        states = {cell.state for cell in column}
        cells.append(Cell(next(state for state in ("withheld", "sealed", "unknown", "nothing") if state in states)))
    if {cell.state for cell in cells} & {"withheld", "sealed"}:
        yield Row(group, tuple(cells))


def side_by_side(kind: str, values: Mapping[str, Mapping[str, Any] | None], language: str, words: Words) -> Table:
    """
    Draw what ``compare`` gives as a table for a terminal, its signs explained below it.
    """
    legend = ("kept", "coarse", "withheld", "sealed", "unknown", "nothing")
    table = Table(caption="   ".join(say(f"watch.compare.{state}", language) for state in legend if state != "kept"))
    table.add_column(say("watch.compare.field", language), no_wrap=True)
    for recipient in values:
        table.add_column(Text(recipient), overflow="fold")
    group = ""
    for row in compare(kind, values, language, words):
        top, _, part = row.path.partition(".")
        if top != group:
            table.add_section()
            group = top
            if part:
                table.add_row(Text(say(f"group.{top}", language), style="bold"))
        name = f"  {_name(row.path, language)}" if part else say(f"group.{top}", language)
        table.add_row(Text(name), *(Text(_shown(cell), style=STYLES[cell.state]) for cell in row.cells))
    return table


def _paths(kind: str, words: Words) -> Iterator[str]:
    """The fields that have a row: the leaves, and whole what reads best as one."""
    known = words.fields[kind]
    inner = {path.rpartition(".")[0] for path in known}
    for path, info in known.items():
        above = [known[parent] for parent in _parents(path)]
        if info.top in {"id", "view"} or any(each.type_name in WHOLE or each.many for each in above):
            continue
        if path not in inner or info.type_name in WHOLE or info.many:
            yield path


def _parents(path: str) -> Iterator[str]:
    while "." in path:
        path = path.rpartition(".")[0]
        yield path


def _cell(kind: str, path: str, value: Mapping[str, Any] | None, language: str, words: Words) -> Cell:
    if value is None:
        return Cell("nothing")
    found: Any = value
    for part in path.split("."):
        if isinstance(found, Withheld):
            return Cell("withheld")
        if isinstance(found, Sealed):
            return Cell("sealed")
        found = found.get(part) if isinstance(found, Mapping) else None
    if isinstance(found, Withheld | Sealed):
        return Cell("withheld" if isinstance(found, Withheld) else "sealed")
    states = {each["state"] for each in value["view"]["fields"] if f"{path}.".startswith(f"{each['field']}.")}
    if text := words.say(kind, path, found, language):
        return Cell("coarse" if states - {"withheld"} else "kept", text)
    return Cell("withheld" if "withheld" in states else "unknown")


def _name(path: str, language: str) -> str:
    return " / ".join(field_name(part, language) for part in path.split(".")[1:])


def _shown(cell: Cell) -> str:
    return " ".join(filter(None, (SIGNS.get(cell.state, ""), cell.text)))
