"""
A cut: what one agreement makes of one kind of record, compiled from the schema into a tree of functions.

The record is rebuilt from what the rules name; nothing is copied and then taken away. A cut depends on the values that its recipient
may have and on nothing else: a group whose visible fields are all empty is empty, whether or not something is hidden in it, and a
group that is withheld is so also where it was never filled in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from boutre.processors.agreement import Agreement, Coarse
from boutre.processors.coarsen import Coarsen
from boutre.schemas.codec import Sealed, Withheld
from boutre.schemas.fields import FieldInfo

DEFAULT_DENY = "default-deny"
OWN = frozenset({"id", "exercise", "view"})
"""Fields that release itself writes into every view: a new id, the exercise flag as it is, and by what it was cut."""

Names: TypeAlias = Callable[[str], str | None]
"""For the id of a record, the name by which this recipient knows it, or None where it has never had it."""

Apply: TypeAlias = Callable[[Any, Names], Any]


@dataclass(frozen=True, slots=True)
class FieldState:
    """
    That a field is not as its source gave it: coarsened or withheld, by which clause, by which method.
    """

    field: str
    state: str
    clause: str
    method: str | None = None


@dataclass(frozen=True, slots=True)
class _Node:
    """One field as the agreement leaves it: how it is made, or None where it is withheld, by which clause."""

    info: FieldInfo
    apply: Apply | None
    clause: str
    whole: bool
    states: tuple[FieldState, ...]
    inner: tuple[_Node, ...] = ()

    def paths(self) -> Iterator[str]:
        """Give the path of this field and of all below it."""
        yield self.info.path
        for node in self.inner:
            yield from node.paths()


@dataclass(frozen=True, slots=True)
class Cut:
    """
    What one agreement gives of one kind.

    *states* are all fields that are not as given, the same for every record; *kept* the paths that come through as they were.
    """

    agreement: Agreement
    kind: str
    nodes: tuple[tuple[str, _Node], ...]
    states: tuple[FieldState, ...]
    kept: frozenset[str]

    def __call__(self, value: Mapping[str, Any], names: Names) -> dict[str, Any]:
        """
        Cut *value*; its id, exercise flag and view are left for release to write.
        """
        return {name: self._group(node, value.get(name), names) for name, node in self.nodes}

    def _group(self, node: _Node, group: Any, names: Names) -> Any:
        if node.apply is None:
            return self._nothing(node, node.clause)
        if isinstance(group, Withheld):
            return group
        if isinstance(group, Sealed):
            # What is sealed cannot be cut: it goes on whole where all of it is kept, and not at all otherwise.
            return group if node.whole else self._nothing(node, "sealed")
        return None if group is None else node.apply(group, names)

    def _nothing(self, node: _Node, clause: str) -> Any:
        if node.info.withholdable:
            return Withheld(self.agreement.name, clause, self.agreement.ask)
        return [] if node.info.many and not node.info.nullable else None


def compile_cut(agreement: Agreement, kind: str, fields: Iterable[FieldInfo]) -> Cut:
    """
    Make the cut of one agreement for one kind, whose *fields* are those of its schema.
    """
    infos = list(fields)
    nodes = [_node(agreement, info, infos) for info in infos if "." not in info.path and info.path not in OWN]
    states = tuple(state for node in nodes for state in node.states)
    changed = tuple(state.field for state in states)
    kept = frozenset(
        path
        for node in nodes
        for path in node.paths()
        if not any(path == field or path.startswith(f"{field}.") for field in changed)
    )
    return Cut(agreement, kind, tuple((node.info.name, node) for node in nodes), states, kept)


def _node(agreement: Agreement, info: FieldInfo, infos: list[FieldInfo]) -> _Node:
    above = [path for path in _prefixes(info.path) if agreement.fields.get(path) == "withhold"]
    own = agreement.fields.get(info.path)
    children = [other for other in infos if other.path.startswith(f"{info.path}.") and "." not in other.path[len(info.path) + 1 :]]
    if above:
        return _withheld(info, f"fields.{above[0]}")
    if agreement.categories.get(info.category) == "withhold" and (not children or isinstance(own, Coarse)):
        return _withheld(info, f"categories.{info.category}")
    if isinstance(own, Coarse):
        return _coarsened(agreement, info, own.rule)
    if children:
        return _tree(info, [_node(agreement, child, infos) for child in children])
    clause = next((f"fields.{path}" for path in _prefixes(info.path) if agreement.fields.get(path) == "keep"), None)
    if clause is None and agreement.categories.get(info.category) == "keep":
        clause = f"categories.{info.category}"
    return _withheld(info, DEFAULT_DENY) if clause is None else _Node(info, _keep(info), clause, whole=True, states=())


def _prefixes(path: str) -> list[str]:
    parts = path.split(".")
    return [".".join(parts[: length + 1]) for length in range(len(parts))]


def _withheld(info: FieldInfo, clause: str) -> _Node:
    return _Node(info, None, clause, whole=False, states=(FieldState(info.path, "withheld", clause),))


def _keep(info: FieldInfo) -> Apply:
    if info.reference is None:
        return lambda value, _: value
    if info.many:
        return lambda value, names: [name for name in map(names, value) if name is not None]
    return lambda value, names: names(value)


def _coarsened(agreement: Agreement, info: FieldInfo, coarsen: Coarsen) -> _Node:
    hidden = [
        path.rpartition(".")[2]
        for path, rule in agreement.fields.items()
        if rule == "withhold" and path.rpartition(".")[0] == info.path
    ]

    def apply(value: Any, _: Names) -> Any:
        coarse = coarsen(value)
        return {**coarse, **dict.fromkeys(hidden)} if hidden and coarse is not None else coarse

    state = FieldState(info.path, "coarsened", f"fields.{info.path}", str(coarsen))
    return _Node(info, _each(info, apply), f"fields.{info.path}", whole=False, states=(state,))


def _tree(info: FieldInfo, children: list[_Node]) -> _Node:
    shown = [child for child in children if child.apply is not None]
    needed = next((child for child in children if child.apply is None and not _may_be_empty(child.info)), None)
    if not shown or needed is not None:
        return _withheld(info, (needed or children[0]).clause)
    made = tuple((child.info.name, child.apply, not _may_be_empty(child.info)) for child in shown if child.apply is not None)
    blank: dict[str, Any] = {child.info.name: [] if child.info.many and not child.info.nullable else None for child in children}

    def apply(value: Mapping[str, Any], names: Names) -> dict[str, Any] | None:
        result = dict(blank)
        something = False
        for name, child, needed_here in made:
            given = value.get(name)
            if given is None:
                continue
            given = child(given, names)
            if given is None:
                if needed_here:
                    return None
                continue
            result[name] = given
            something = something or given != []
        return result if something else None

    whole = all(child.whole for child in children)
    states = tuple(state for child in children for state in child.states)
    return _Node(info, _each(info, apply), "", whole=whole, states=states, inner=tuple(children))


def _may_be_empty(info: FieldInfo) -> bool:
    return info.nullable or info.many


def _each(info: FieldInfo, apply: Apply) -> Apply:
    if not info.many:
        return apply
    return lambda value, names: [made for made in (apply(item, names) for item in value) if made is not None]
