"""
docs/views.md: the table that release is held to, as people can read it; written from tests/views/*.toml.

Where the tables change, write it anew: PYTHONPATH=tests python tests/domain/test_views_page.py
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import pytest

import journey
from expected_views import ALWAYS, FOLDER, NOT_RECORDS, flat, tables
from pages import Page
from records import RECIPIENTS

TABLES: Final = tables()
MARKS: Final = {"kept": "yes", "coarse": "~", "withheld": "\N{MULTIPLICATION SIGN}", "nothing": ""}


def preface(name: str) -> str:
    """What the table's file says of its record in its first line."""
    return (FOLDER / f"{name}.toml").read_text(encoding="utf-8").partition("\n")[0].lstrip("# ")


Vector: TypeAlias = tuple[str, ...]
"""The marks of a field, a recipient each."""


@dataclass(frozen=True)
class Node:
    """A field of the record with all below it: the marks that all of it has, or none where they differ."""

    path: str
    children: tuple[Node, ...]
    marks: Vector | None


def tree(table: Mapping[str, Any], paths: Sequence[str], path: str = "") -> Node:
    """The fields at and below *path*, of those that the record holds; *paths* are their leaves."""
    below = [leaf for leaf in paths if leaf.startswith(f"{path}.") or not path]
    if not below:
        return Node(path, (), tuple(MARKS[state(table[recipient], path)] for recipient in RECIPIENTS))
    depth = len(path.split(".")) if path else 0
    names = dict.fromkeys(".".join(leaf.split(".")[: depth + 1]) for leaf in below)
    children = tuple(tree(table, below, name) for name in names)
    same = {child.marks for child in children}
    return Node(path, children, next(iter(same)) if len(same) == 1 else None)


def rows(node: Node) -> Iterator[tuple[str, Vector]]:
    """A row for what shares its marks: a whole group, or some parts of one."""
    if node.path and node.marks is not None:
        yield f"`{plainly(node.path)}`", node.marks
        return
    together: dict[Vector, list[str]] = {}
    for child in node.children:
        if child.marks is None or not node.path:
            yield from rows(child)
        else:
            together.setdefault(child.marks, []).append(child.path.rpartition(".")[2])
    for marks, names in together.items():
        yield f"`{plainly(node.path)}`: {', '.join(dict.fromkeys(names))}", marks


def plainly(path: str) -> str:
    """A path without its places in lists."""
    return ".".join(part for part in path.split(".") if not part.isdigit())


def holds(table: Mapping[str, Any]) -> list[str]:
    """The paths of all that the record holds once it is accepted."""
    accepted = journey.held(journey.after(table["feed"], table["reference"]), f"bus.{table['kind']}")
    return [path for path in flat(accepted) if path.partition(".")[0] not in ALWAYS]


def state(row: Mapping[str, Any], path: str) -> str:
    """What becomes of a field for a recipient, as its row says: the most exact path counts."""
    if row.get("outcome"):
        return "nothing"
    if path in row.get("coarse", {}):
        return "coarse"
    kept, withheld = longest(row.get("kept", ()), path), longest(row.get("withheld", {}), path)
    assert kept or withheld, f"the table does not speak of {path}"
    return "kept" if len(kept) > len(withheld) else "withheld"


def longest(paths: Iterable[str], path: str) -> str:
    """The most exact of *paths* that speaks of *path*."""
    return max((one for one in paths if f"{path}.".startswith(f"{one}.")), key=len, default="")


def overview(table: Mapping[str, Any]) -> list[str]:
    """Fields in rows, recipients in columns."""
    head = [f"| field | {' | '.join(RECIPIENTS)} |", f"|---|{'---|' * len(RECIPIENTS)}"]
    return [*head, *(f"| {name} | {' | '.join(marks)} |" for name, marks in rows(tree(table, holds(table))))]


def reasons(recipient: str, row: Mapping[str, Any]) -> str:
    """Why a recipient gets what it gets: the sentence, the coarse values, the clauses."""
    if row.get("outcome"):
        return f"- **{recipient}** gets nothing (`{row['reason']}`). {row['why']}"
    said = [f"- **{recipient}.** {row['why']}"]
    if row.get("coarse"):
        said.append("Coarse: " + ", ".join(f"`{path}` {shown(path, value)}" for path, value in row["coarse"].items()) + ".")
    clauses: dict[str, list[str]] = {}
    for path, clause in row.get("withheld", {}).items():
        clauses.setdefault(clause, []).append(f"`{path}`")
    said += [f"By {clause}: {', '.join(paths)}." for clause, paths in clauses.items()]
    return " ".join(said)


def shown(path: str, value: Any) -> str:
    """A coarse value; of the time of acceptance, which only a run knows, how it is cut."""
    return f"to the {value}" if path == "times.accepted_at" else json.dumps(value).strip('"')


def written() -> str:
    """All of it."""
    parts = []
    for name, table in TABLES.items():
        among = ", ".join(f"`{path}` {value}" for path, value in table["holds"].items())
        parts += [
            f"## {table['reference']}, {table['kind']}, by the feed {table['feed']}",
            preface(name),
            f"It holds among other things: {among}.",
            "\n".join(overview(table)),
            "\n".join(reasons(recipient, table[recipient]) for recipient in RECIPIENTS),
        ]
    return "\n\n".join(parts)


PAGE: Final = Page("docs/views.md", "tests/domain/test_views_page.py", {"tables": written})


def test_the_page_shows_the_tables() -> None:
    """Whoever reads the page reads what the tests hold release to."""
    assert PAGE.shown("tables") == written()


@pytest.mark.parametrize("name", TABLES)
def test_every_recipient_is_told_of_every_field(name: str) -> None:
    """Each field that the record holds has a mark for every recipient that gets anything, and stands in one row."""
    table = TABLES[name]
    given = [recipient for recipient in RECIPIENTS if not table[recipient].get("outcome")]
    made = list(rows(tree(table, holds(table))))
    groups = {label.split("`")[1].partition(".")[0] for label, _ in made}

    assert {len(given)} == {sum(bool(mark) for mark in marks) for _, marks in made}
    assert groups == {path.partition(".")[0] for path in holds(table)}
    assert len(made) == len({label for label, _ in made})


def test_a_mark_follows_the_most_exact_path() -> None:
    """A part is kept though its group is withheld, and the other way round; what is coarse is neither."""
    row = {"kept": ["origin", "craft.kind"], "withheld": {"origin.unit": "x", "craft": "y"}, "coarse": {"position.latitude": 1.0}}
    asked = ("origin.member", "origin.unit", "craft.kind", "craft.hull", "position.latitude")

    assert ["kept", "withheld", "kept", "withheld", "coarse"] == [state(row, path) for path in asked]


def test_fields_share_a_row_only_with_their_like() -> None:
    """Parts of a group with the same marks stand together, others apart, and a group of one kind is one row."""
    row = {"kept": ["event", "craft.kind", "craft.hull", "claims.0.value"], "withheld": {"craft": "x", "claims": "y"}}
    table = dict.fromkeys(RECIPIENTS, row)
    paths = ["event.type", "event.outcome", "craft.kind", "craft.hull", "craft.length", "claims.0.value", "claims.0.source"]

    assert ["`event`", "`craft`: kind, hull", "`craft`: length", "`claims`: value", "`claims`: source"] == [
        name for name, _ in rows(tree(table, paths))
    ]


def test_rows_that_the_page_does_not_know_are_noticed() -> None:
    """The page leaves out no recipient of a table and no table of the folder."""
    assert {path.stem for path in FOLDER.glob("*.toml")} == set(TABLES)
    for table in TABLES.values():
        assert set(RECIPIENTS) | NOT_RECORDS == set(table)
    assert len(TABLES) == len(re.findall(r"^## ", PAGE.shown("tables"), re.MULTILINE))


if __name__ == "__main__":
    PAGE.write()
