"""
How one field of a record is given under some rules: as it is, coarser, as a group of its fields, or not at all.

A node of a cut is made once, when the agreements are read. Two nodes of one field with the same *effect* give the same of every
record, whatever agreement or clause they come from: by it release knows which recipients may share what was made.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol, TypeAlias

from boutre.processors.agreement import Agreement
from boutre.processors.coarsen import Coarsen
from boutre.schemas.fields import FieldInfo
from boutre.schemas.marks import Sealed, Withheld

AS_IT_IS: Final = "as it is"
"""The effect of a rule that changes nothing, beside the names of other records."""

PSEUDONYM: Final = "pseudonym"
"""The effect of a rule that gives a recipient's own pseudonym of a text."""


class Names(Protocol):
    """
    The names by which one recipient knows what others call otherwise.
    """

    def __call__(self, identifier: str, /) -> str | None:
        """Give for the id of a record the recipient's name for it, or None where it has never had it."""

    def alias(self, field: str, text: str, /) -> str | None:
        """Give the recipient's pseudonym of a text that stands in *field*: the same for the same text."""


ROLE: Final = "role"
"""The field by which a list of persons is limited."""

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
class Roles:
    """
    The roles of persons of a list that are given, and the clause that says so.
    """

    named: frozenset[str]
    clause: str


@dataclass(frozen=True, slots=True)
class Node:
    """
    One field as the agreements leave it: how it is made, or None where it is withheld, by which of them and which clause.

    *effect* is equal for nodes of one field that make the same of it; *whole* says that it is made of it as it is. *only* are the
    roles of persons to whom a list is limited.
    """

    info: FieldInfo
    apply: Apply | None
    by: Agreement
    clause: str
    effect: Hashable
    states: tuple[FieldState, ...] = ()
    inner: tuple[Node, ...] = ()
    only: frozenset[str] | None = None

    @property
    def whole(self) -> bool:
        """Say whether all of it comes through as it is."""
        return self.effect == AS_IT_IS

    @property
    def names(self) -> bool:
        """Say whether it, or a field below it, holds names that each recipient has for itself: of records, or pseudonyms."""
        return self.info.reference is not None or self.effect == PSEUDONYM or any(node.names for node in self.inner)

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


def pseudonymised(info: FieldInfo, by: Agreement, clause: str) -> Node:
    """
    Give in the place of a text, or of each of several, its recipient's own pseudonym.
    """
    apply = _each(info, lambda value, names: names.alias(info.path, value), whole=False)
    return Node(info, apply, by, clause, PSEUDONYM, states=(FieldState(info.path, "pseudonymised", clause),))


def rebuilt(info: FieldInfo, children: Sequence[Node], roles: Roles | None = None) -> Node:
    """
    Give of a group what is given of its fields; nothing, where one without which it cannot stand is withheld.

    Of a list of persons only those whose role is among *roles*: one of no role is none of them. Where the role itself is not given,
    as another agreement may have it, none of them is: who is left would tell it.
    """
    shown = [child for child in children if child.apply is not None]
    needed = next((child for child in children if child.apply is None and not _may_be_empty(child.info)), None)
    if roles is not None and needed is None:
        needed = next((child for child in children if child.info.name == ROLE and not child.whole), None)
    if not shown or needed is not None:
        why = needed or children[0]
        return withheld(info, why.by, why.clause)
    whole = roles is None and all(child.whole for child in children)
    rebuild = _rebuild(children, whole=whole)
    apply = _each(info, rebuild if roles is None else _of_role(rebuild, roles.named), whole=whole)
    only = () if roles is None else (FieldState(info.path, "coarsened", roles.clause, f"roles {' '.join(sorted(roles.named))}"),)
    states = (*only, *(state for child in children for state in child.states))
    effect = AS_IT_IS if whole else (None if roles is None else roles.named, *(child.effect for child in children))
    return Node(info, apply, children[0].by, "", effect, states, tuple(children), None if roles is None else roles.named)


def wider(one: Node, other: Node) -> Node:
    """
    Give of a field what two nodes of it give together; where they cannot be compared, what the *other* gives.
    """
    if one.whole or other.apply is None:
        return one
    if other.whole or one.apply is None:
        return other
    if isinstance(one.effect, Coarsen) and isinstance(other.effect, Coarsen):
        return one if one.effect.finer(other.effect) is one.effect else other
    if one.inner and other.inner and one.info == other.info and not (one.only or other.only):
        return rebuilt(one.info, [wider(*pair) for pair in zip(one.inner, other.inner, strict=True)])
    return other


def _of_role(rebuild: Apply, named: frozenset[str]) -> Apply:
    return lambda value, names: rebuild(value, names) if value.get(ROLE) in named else None


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
