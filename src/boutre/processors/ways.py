"""
How each field of a record is given under a cut: as it is, less exact, under a pseudonym, or not at all, by which clause.

Read off the cut that release uses and never off the agreements, so that nothing is told of a field which release does not do. What
may be done to a field is a code of the vocabulary ``field-state``, and a new one needs nothing here.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from boutre.processors.cut import OWN, Cut
from boutre.processors.given import Node
from boutre.schemas.fields import FieldInfo
from boutre.schemas.marks import Sealed, Withheld

KEPT: Final = "kept"
"""A field that goes out as its source gave it."""

MADE: Final = "made"
"""A field that the bus writes into every view itself, for its recipient."""

WITHHELD: Final = "withheld"
"""A field that is not given."""


@dataclass(frozen=True, slots=True)
class Way:
    """
    How one field is given.

    *state* is ``kept``, ``made`` or a code of ``field-state``; *clause* stands in the agreement named *agreement*, *ask* is whom it
    names to be asked (a code of ``contact``). *method* says how a field was made less exact.
    """

    state: str
    clause: str = ""
    agreement: str = ""
    ask: str = ""
    method: str | None = None

    @property
    def outcome(self) -> tuple[str, str | None]:
        """What becomes of the field, whatever clause it comes from."""
        return self.state, self.method


def ways(cut: Cut, fields: Iterable[FieldInfo]) -> dict[str, Way]:
    """
    Give for each field of a kind how *cut* gives it, by path, in the order of the schema.

    A group stands in it only where something was done to the group itself, such as to a list of which some items are left out; all
    else is told by its fields.
    """
    paths = [info.path for info in fields]
    found: dict[str, Way] = {path: Way(MADE) for path in paths if path.partition(".")[0] in OWN}
    for _, node in cut.nodes:
        found.update(_ways(node, paths))
    holders = {path.rpartition(".")[0] for path in paths}
    done = {state.field for state in cut.states if state.state != WITHHELD}
    limited = {path for path in done if _reached(cut, path)}
    return {path: found[path] for path in paths if path in found and (path not in holders or path in limited)}


def _ways(node: Node, paths: Sequence[str]) -> Iterator[tuple[str, Way]]:
    path, below = node.info.path, f"{node.info.path}."
    done = {state.field: Way(state.state, state.clause, node.by.name, node.by.ask, state.method) for state in node.states}
    own = done.get(path, Way(KEPT, node.clause, node.by.name, node.by.ask))
    yield path, own
    if node.inner:
        for inner in node.inner:
            yield from _ways(inner, paths)
        return
    for inside in paths:
        if inside.startswith(below):
            yield inside, done.get(inside, own)


def _reached(cut: Cut, path: str) -> bool:
    """Say whether a path is a group that was rebuilt of its fields, and so is told beside them."""
    nodes: Iterable[Node] = [node for _, node in cut.nodes]
    while True:
        node = next((one for one in nodes if path == one.info.path or path.startswith(f"{one.info.path}.")), None)
        if node is None or node.info.path == path:
            return node is not None and bool(node.inner)
        nodes = node.inner


@dataclass(frozen=True, slots=True)
class Line:
    """
    Fields of one group of which the same holds: *paths* as few as can stand for them, *fields* each of them.
    """

    group: str
    paths: tuple[str, ...]
    fields: tuple[str, ...]
    cell: Hashable


def folded(cells: Mapping[str, Hashable]) -> tuple[Line, ...]:
    """
    Bring fields of one group with equal cells into one line; a group of which all is equal is a line of its own name.
    """
    lines: list[Line] = []
    for group in dict.fromkeys(path.partition(".")[0] for path in cells):
        mine = {path: cell for path, cell in cells.items() if path.partition(".")[0] == group}
        for cell in dict.fromkeys(mine.values()):
            same = [path for path, other in mine.items() if other == cell]
            lines.append(Line(group, tuple(dict.fromkeys(_stand_in(path, cell, mine) for path in same)), tuple(same), cell))
    return tuple(lines)


def _stand_in(path: str, cell: Hashable, cells: Mapping[str, Hashable]) -> str:
    """Give the highest path around a field below which everything has its cell."""
    parts = path.split(".")
    above = (".".join(parts[:length]) for length in range(1, len(parts)))
    return next((one for one in above if all(other == cell for at, other in cells.items() if f"{at}.".startswith(f"{one}."))), path)


def held(value: Mapping[str, Any]) -> frozenset[str]:
    """
    Give the paths at which a record holds anything, without places in lists.

    Of what is sealed or withheld nothing is known here, so it does not count as held.
    """
    return frozenset(_held(value, ""))


def _held(value: Any, path: str) -> Iterator[str]:
    if isinstance(value, Mapping):
        if path:
            yield path
        for name, inner in value.items():
            yield from _held(inner, f"{path}.{name}" if path else name)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _held(inner, path)
    elif value is not None and not isinstance(value, Withheld | Sealed):
        yield path
