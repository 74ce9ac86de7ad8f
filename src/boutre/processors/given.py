"""
How one field of a record is given under some rules: as it is, coarser, as a group of its fields, or not at all.

A node of a cut is made once, when the agreements are read. Two nodes of one field with the same *effect* give the same of every
record, whatever agreement or clause they come from: by it release knows which recipients may share what was made.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from boutre.processors.agreement import Agreement
from boutre.processors.coarsen import Coarsen
from boutre.schemas.fields import FieldInfo
from boutre.schemas.marks import Sealed, Withheld

AS_IT_IS = "as it is"
"""The effect of a rule that changes nothing, beside the names of other records."""

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
class Node:
    """
    One field as the agreements leave it: how it is made, or None where it is withheld, by which of them and which clause.

    *effect* is equal for nodes of one field that make the same of it; *whole* says that it is made of it as it is.
    """

    info: FieldInfo
    apply: Apply | None
    by: Agreement
    clause: str
    effect: Hashable
    states: tuple[FieldState, ...] = ()
    inner: tuple[Node, ...] = ()

    @property
    def whole(self) -> bool:
        """Say whether all of it comes through as it is."""
        return self.effect == AS_IT_IS

    @property
    def names_records(self) -> bool:
        """Say whether it, or a field below it, names other records: each recipient has names of its own for these."""
        return self.info.reference is not None or any(node.names_records for node in self.inner)

    def paths(self) -> Iterator[str]:
        """Give the path of this field and of all below it."""
        yield self.info.path
        for node in self.inner:
            yield from node.paths()

    def give(self, group: Any, names: Names) -> Any:
        """Give of a record's *group* what a view holds in its place; *names* are the recipient's own."""
        if self.apply is None:
            return self.nothing(self.clause)
        if isinstance(group, Withheld):
            return group
        if isinstance(group, Sealed):
            # What is sealed cannot be cut: it goes on whole where all of it is kept, and not at all otherwise.
            return group if self.whole else self.nothing("sealed")
        return None if group is None else self.apply(group, names)

    def nothing(self, clause: str) -> Any:
        """Give what stands in the place of a group that is not given; it is the same for every record."""
        if self.info.withholdable:
            return Withheld(self.by.name, clause, self.by.ask)
        return [] if self.info.many and not self.info.nullable else None


def withheld(info: FieldInfo, by: Agreement, clause: str) -> Node:
    """
    Give nothing of a field, by a clause of an agreement.
    """
    return Node(info, None, by, clause, None, states=(FieldState(info.path, "withheld", clause),))


def kept(info: FieldInfo, by: Agreement, clause: str) -> Node:
    """
    Give a field as it is; the id of another record as the recipient's own name for it.
    """
    return Node(info, _as_it_is(info), by, clause, AS_IT_IS)


def coarsened(info: FieldInfo, coarsen: Coarsen, by: Agreement, clause: str, states: tuple[FieldState, ...]) -> Node:
    """
    Give a field, or each item of a list, coarser.
    """
    apply = _each(info, lambda value, _: coarsen(value), whole=False)
    return Node(info, apply, by, clause, coarsen, states=states)


def rebuilt(info: FieldInfo, children: Sequence[Node]) -> Node:
    """
    Give of a group what is given of its fields; nothing, where one without which it cannot stand is withheld.
    """
    shown = [child for child in children if child.apply is not None]
    needed = next((child for child in children if child.apply is None and not _may_be_empty(child.info)), None)
    if not shown or needed is not None:
        why = needed or children[0]
        return withheld(info, why.by, why.clause)
    whole = all(child.whole for child in children)
    apply = _each(info, _rebuild(children, whole=whole), whole=whole)
    states = tuple(state for child in children for state in child.states)
    effect = AS_IT_IS if whole else tuple(child.effect for child in children)
    return Node(info, apply, children[0].by, "", effect, states, tuple(children))


def _rebuild(children: Sequence[Node], *, whole: bool) -> Apply:
    made = tuple((child.info.name, child.apply, not _may_be_empty(child.info)) for child in children if child.apply is not None)
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

    return apply


def _as_it_is(info: FieldInfo) -> Apply:
    if info.reference is None:
        return lambda value, _: value
    if info.many:
        return lambda value, names: [name for name in map(names, value) if name is not None]
    return lambda value, names: names(value)


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
