"""
A cut: what agreements make of one kind of record, compiled from the schema into a tree of functions.

The record is rebuilt from what the rules name; nothing is copied and then taken away. A cut depends on the values that its
recipient may have and on nothing else: a group or list whose visible fields are all empty is empty, whether or not something is
hidden in it; a group that is withheld is so also where it was never filled in; what the bus made of a field goes where that goes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from boutre.processors.agreement import Agreement, Coarse
from boutre.processors.coarsen import METHODS, Coarsen
from boutre.processors.given import FieldState, Names, Node, coarsened, kept, rebuilt, withheld
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


@dataclass(frozen=True, slots=True, eq=False)
class Cut:
    """
    What one agreement gives of one kind, or several of them together.

    *agreement* is the first of them, *states* are all fields that are not as given, the same for every record, and *kept* the paths
    that come through as they were.
    """

    agreement: Agreement
    kind: str
    rules: _Rules
    nodes: tuple[tuple[str, Node], ...]
    states: tuple[FieldState, ...]
    kept: frozenset[str]

    def __call__(self, value: Mapping[str, Any], names: Names) -> dict[str, Any]:
        """
        Cut *value*; its id, exercise flag and view are left for release to write.
        """
        return {name: node.give(value.get(name), names) for name, node in self.nodes}


def compile_cut(agreement: Agreement, kind: str, fields: Iterable[FieldInfo]) -> Cut:
    """
    Make the cut of one agreement for one kind, whose *fields* are those of its schema.
    """
    below: dict[str, list[FieldInfo]] = {}
    for info in fields:
        below.setdefault(info.path.rpartition(".")[0], []).append(info)
    return _compile(kind, _Rules((agreement,), below))


@cache
def together(cuts: tuple[Cut, ...]) -> Cut:
    """
    Make the cut that gives of each field what the strictest of *cuts* gives; without any cut a ValueError.
    """
    first, *others = cuts
    if not others:
        return first
    return _compile(first.kind, _Rules(tuple(agreement for cut in cuts for agreement in cut.rules.agreements), first.rules.below))


def _compile(kind: str, rules: _Rules) -> Cut:
    telling = {path for path, sources in MADE_OF.items() if not all(rules.exact(source) for source in sources)}
    rules = _Rules(rules.agreements, rules.below, INTERNAL | telling)
    nodes = [rules.node(info) for info in rules.below[""] if info.path not in OWN]
    states = tuple(state for node in nodes for state in node.states)
    changed = frozenset(state.field for state in states)
    touched = frozenset(prefix for field in changed for prefix in _prefixes(field))
    paths = (path for node in nodes for path in node.paths())
    # As given is only what neither stands in something changed, nor holds it.
    exact = frozenset(path for path in paths if path not in touched and changed.isdisjoint(_prefixes(path)))
    return Cut(rules.agreements[0], kind, rules, tuple((node.info.name, node) for node in nodes), states, exact)


@dataclass(frozen=True, slots=True, eq=False)
class _Rules:
    """
    The rules of some agreements for the fields of one kind; of each field goes out what all of them give.

    *below* are the fields right below each path, *telling* those that would tell of what is not given.
    """

    agreements: tuple[Agreement, ...]
    below: Mapping[str, Sequence[FieldInfo]]
    telling: frozenset[str] = frozenset()

    def exact(self, path: str) -> bool:
        """Say whether a field, where this kind has it, comes through as it is."""
        return all(self.node(info).whole for info in self.below.get(path.rpartition(".")[0], ()) if info.path == path)

    def node(self, info: FieldInfo) -> Node:
        """Make one field and all below it."""
        children = self.below.get(info.path, ())
        for agreement in self.agreements:
            clause = self._against(agreement, info, group=bool(children))
            if clause is not None:
                return withheld(info, agreement, clause)
        coarse = [rule.rule for agreement in self.agreements if isinstance(rule := agreement.fields.get(info.path), Coarse)]
        if coarse:
            return self._coarsened(info, coarse)
        if children:
            return rebuilt(info, [self.node(child) for child in children])
        clauses = [(agreement, _for(agreement, info)) for agreement in self.agreements]
        by, clause = next((pair for pair in clauses if pair[1] is None), clauses[0])
        if clause is None:
            return withheld(info, by, DEFAULT_DENY)
        return kept(info, by, clause)

    def _against(self, agreement: Agreement, info: FieldInfo, *, group: bool) -> str | None:
        """Give the clause that withholds a field. A category withholds fields, and groups only by what they hold."""
        if info.path in self.telling:
            return DERIVED
        field = next((path for path in _prefixes(info.path) if agreement.fields.get(path) == "withhold"), None)
        if field is not None:
            return f"fields.{field}"
        if group and not isinstance(agreement.fields.get(info.path), Coarse):
            return None
        return f"categories.{info.category}" if agreement.categories.get(info.category) == "withhold" else None

    def _coarsened(self, info: FieldInfo, rules: Sequence[Coarsen]) -> Node:
        """Coarsen by the coarsest rule, where no agreement withholds what would come out of it."""
        first, clause = self.agreements[0], f"fields.{info.path}"
        coarsen: Coarsen | None = rules[0]
        for rule in rules[1:]:
            coarsen = coarsen and coarsen.stricter(rule)
        if coarsen is None:
            return withheld(info, first, clause)
        for agreement in self.agreements:
            against = self._bars(agreement, info, METHODS[coarsen.method].gives)
            if against is not None:
                return withheld(info, agreement, against)
        gives = METHODS[coarsen.method].gives
        lost = (child.path for child in self.below.get(info.path, ()) if child.name not in gives)
        states = (
            FieldState(info.path, "coarsened", clause, str(coarsen)),
            # What coarsening leaves out is withheld, and not unknown.
            *(FieldState(path, "withheld", clause) for path in lost),
        )
        return coarsened(info, coarsen, first, clause, states)

    def _bars(self, agreement: Agreement, info: FieldInfo, gives: frozenset[str]) -> str | None:
        """Give the clause by which an agreement withholds one of the fields that coarsening *gives*."""
        parts = [child for child in self.below.get(info.path, ()) if child.name in gives]
        if isinstance(agreement.fields.get(info.path), Coarse):
            return next((f"fields.{part.path}" for part in parts if agreement.fields.get(part.path) == "withhold"), None)
        # The rule is another agreement's: this one must give as it is what that one coarsens.
        if not parts:
            return None if _for(agreement, info) else DEFAULT_DENY
        alone = _Rules((agreement,), self.below, self.telling)
        return next((node.clause for node in map(alone.node, parts) if not node.whole), None)


def _for(agreement: Agreement, info: FieldInfo) -> str | None:
    """Give the clause by which an agreement keeps a field; None where no rule names it."""
    field = next((path for path in _prefixes(info.path) if agreement.fields.get(path) == "keep"), None)
    if field is not None:
        return f"fields.{field}"
    return f"categories.{info.category}" if agreement.categories.get(info.category) == "keep" else None


def _prefixes(path: str) -> list[str]:
    parts = path.split(".")
    return [".".join(parts[: length + 1]) for length in range(len(parts))]
