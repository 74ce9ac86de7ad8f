"""
A cut: what one agreement makes of one kind of record, compiled from the schema into a tree of functions.

The record is rebuilt from what the rules name; nothing is copied and then taken away. A cut depends on the values that its
recipient may have and on nothing else: a group or list whose visible fields are all empty is empty, whether or not something is
hidden in it; a group that is withheld is so also where it was never filled in; what the bus made of a field goes where that goes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from boutre.processors.agreement import Agreement, Coarse
from boutre.processors.coarsen import Coarsen
from boutre.schemas.codec import Sealed, Withheld
from boutre.schemas.fields import FieldInfo

DEFAULT_DENY = "default-deny"
OWN = frozenset({"id", "exercise", "view"})
"""Fields that release itself writes into every view: a new id, the exercise flag as it is, and by what it was cut."""

MADE_OF: Mapping[str, tuple[str, ...]] = {"times.late": ("times.observed", "event.type")}
"""Fields that the bus makes of others: whoever does not get those as they are does not get these, since these tell of them."""

INTERNAL = frozenset({"recall.subject"})
"""Fields by which the bus finds its way (an MMSI, whoever may have it); a recipient has its own name for the record instead."""

DERIVED = "derived"
"""The clause by which these are withheld."""

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


def strictest(cuts: Sequence[Cut], value: Mapping[str, Any], names: Names) -> dict[str, Any]:
    """
    Apply every one of *cuts*, so that what comes out is what all of them give; without any there is nothing, and a ValueError.
    """
    first, *others = cuts
    view = first(value, names)
    for each in others:
        # References have been named by the first: what is left of them are this recipient's own names.
        view = each(view, lambda name: name)
    return view


def compile_cut(agreement: Agreement, kind: str, fields: Iterable[FieldInfo]) -> Cut:
    """
    Make the cut of one agreement for one kind, whose *fields* are those of its schema.
    """
    below: dict[str, list[FieldInfo]] = {}
    for info in fields:
        below.setdefault(info.path.rpartition(".")[0], []).append(info)
    rules = _Rules(agreement, below)
    telling = {path for path, sources in MADE_OF.items() if not all(rules.exact(source) for source in sources)}
    rules = _Rules(agreement, below, INTERNAL | telling)
    nodes = [rules.node(info) for info in below[""] if info.path not in OWN]
    states = tuple(state for node in nodes for state in node.states)
    changed = frozenset(state.field for state in states)
    touched = frozenset(prefix for field in changed for prefix in _prefixes(field))
    paths = (path for node in nodes for path in node.paths())
    # As given is only what neither stands in something changed, nor holds it.
    kept = frozenset(path for path in paths if path not in touched and changed.isdisjoint(_prefixes(path)))
    return Cut(agreement, kind, tuple((node.info.name, node) for node in nodes), states, kept)


@dataclass(frozen=True, slots=True)
class _Rules:
    """
    The rules of one agreement for the fields of one kind.

    *below* are the fields right below each path, *telling* those that would tell of what it does not give.
    """

    agreement: Agreement
    below: Mapping[str, Sequence[FieldInfo]]
    telling: frozenset[str] = frozenset()

    def exact(self, path: str) -> bool:
        """Say whether a field, where this kind has it, comes through as it is."""
        return all(self.node(info).whole for info in self.below.get(path.rpartition(".")[0], ()) if info.path == path)

    def node(self, info: FieldInfo) -> _Node:
        """Make one field and all below it."""
        own = self.agreement.fields.get(info.path)
        children = self.below.get(info.path, ())
        clause = self._against(info, group=bool(children) and not isinstance(own, Coarse))
        if clause is not None:
            return _withheld(info, clause)
        if isinstance(own, Coarse):
            return _coarsened(self.agreement, info, own.rule)
        if children:
            return _tree(info, [self.node(child) for child in children])
        clause = self._for(info)
        return _withheld(info, DEFAULT_DENY) if clause is None else _Node(info, _keep(info), clause, whole=True, states=())

    def _against(self, info: FieldInfo, *, group: bool) -> str | None:
        """Give the clause that withholds a field. A category withholds fields, and groups only by what they hold."""
        if info.path in self.telling:
            return DERIVED
        field = next((path for path in _prefixes(info.path) if self.agreement.fields.get(path) == "withhold"), None)
        if field is not None:
            return f"fields.{field}"
        withheld = self.agreement.categories.get(info.category) == "withhold" and not group
        return f"categories.{info.category}" if withheld else None

    def _for(self, info: FieldInfo) -> str | None:
        """Give the clause that keeps a field; None where no rule names it."""
        field = next((path for path in _prefixes(info.path) if self.agreement.fields.get(path) == "keep"), None)
        if field is not None:
            return f"fields.{field}"
        return f"categories.{info.category}" if self.agreement.categories.get(info.category) == "keep" else None


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
    return _Node(info, _each(info, apply, whole=False), f"fields.{info.path}", whole=False, states=(state,))


def _tree(info: FieldInfo, children: list[_Node]) -> _Node:
    shown = [child for child in children if child.apply is not None]
    needed = next((child for child in children if child.apply is None and not _may_be_empty(child.info)), None)
    if not shown or needed is not None:
        return _withheld(info, (needed or children[0]).clause)
    made = tuple((child.info.name, child.apply, not _may_be_empty(child.info)) for child in shown if child.apply is not None)
    whole = all(child.whole for child in children)
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
        return result if something or whole else None

    states = tuple(state for child in children for state in child.states)
    return _Node(info, _each(info, apply, whole=whole), "", whole=whole, states=states, inner=tuple(children))


def _may_be_empty(info: FieldInfo) -> bool:
    return info.nullable or info.many


def _each(info: FieldInfo, apply: Apply, *, whole: bool) -> Apply:
    if not info.many:
        return apply
    # Where something is hidden, an empty list and none are the same: else the list would tell that there was something to hide.
    empty: list[Any] | None = None if info.nullable and not whole else []

    def each(value: Any, names: Names) -> Any:
        return [made for made in (apply(item, names) for item in value) if made is not None] or empty

    return each
