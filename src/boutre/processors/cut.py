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
from boutre.processors.given import FieldState, Names, Node, Roles, coarsened, kept, pseudonymised, rebuilt, wider, withheld
from boutre.schemas.fields import FieldInfo
from boutre.topics.regions import Regions

DEFAULT_DENY = "default-deny"
NO_REGIONS = Regions()
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


def compile_cut(agreement: Agreement, kind: str, fields: Iterable[FieldInfo], regions: Regions = NO_REGIONS) -> Cut:
    """
    Make the cut of one agreement for one kind, whose *fields* are those of its schema; *regions* are those of the bus.
    """
    below: dict[str, list[FieldInfo]] = {}
    for info in fields:
        below.setdefault(info.path.rpartition(".")[0], []).append(info)
    return _compile(kind, _Rules((agreement,), below, regions))


@cache
def together(cuts: tuple[Cut, ...]) -> Cut:
    """
    Make the cut that gives of each field what the strictest of *cuts* gives; without any cut a ValueError.
    """
    first, *others = cuts
    if not others:
        return first
    agreements = tuple(agreement for cut in cuts for agreement in cut.rules.agreements)
    return _compile(first.kind, _Rules(agreements, first.rules.below, first.rules.regions))


@cache
def in_force(cuts: tuple[Cut, ...]) -> Cut:
    """
    Make the cut of all agreements that give something of a record; without any a ValueError.

    The strictest of the ordinary ones, and beside it what the strictest of those inside each scope, and the strictest of those for
    safety of life, give more.
    """
    groups: dict[tuple[bool, str | None], list[Cut]] = {}
    for cut in cuts:
        groups.setdefault((cut.agreement.safety_of_life, cut.agreement.scope), []).append(cut)
    # The ordinary ones first: of two that cannot be compared the exception holds.
    ordered = sorted(groups, key=lambda group: (group[0], group[1] or ""))
    first, *others = (together(tuple(groups[group])) for group in ordered)
    for other in others:
        nodes = [wider(one, another) for (_, one), (_, another) in zip(first.nodes, other.nodes, strict=True)]
        first = _made(first.kind, first.rules, nodes)
    return first


def _compile(kind: str, rules: _Rules) -> Cut:
    telling = {path for path, sources in MADE_OF.items() if not all(rules.exact(source) for source in sources)}
    rules = _Rules(rules.agreements, rules.below, rules.regions, INTERNAL | telling)
    return _made(kind, rules, [rules.node(info) for info in rules.below[""] if info.path not in OWN])


def _made(kind: str, rules: _Rules, nodes: Sequence[Node]) -> Cut:
    states = tuple(state for node in nodes for state in node.states)
    changed = frozenset(state.field for state in states)
    touched = frozenset(prefix for field in changed for prefix in prefixes(field))
    paths = (path for node in nodes for path in node.paths())
    # As given is only what neither stands in something changed, nor holds it.
    exact = frozenset(path for path in paths if path not in touched and changed.isdisjoint(prefixes(path)))
    return Cut(rules.agreements[0], kind, rules, tuple((node.info.name, node) for node in nodes), states, exact)


@dataclass(frozen=True, slots=True, eq=False)
class _Rules:
    """
    The rules of some agreements for the fields of one kind; of each field goes out what all of them give.

    *below* are the fields right below each path, *telling* those that would tell of what is not given.
    """

    agreements: tuple[Agreement, ...]
    below: Mapping[str, Sequence[FieldInfo]]
    regions: Regions
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
        if any(agreement.fields.get(info.path) == "pseudonymise" for agreement in self.agreements):
            return self._pseudonymised(info)
        rules = (agreement.fields.get(info.path) for agreement in self.agreements)
        coarse = [rule.rule(self.regions) for rule in rules if isinstance(rule, Coarse)]
        if coarse:
            return self._coarsened(info, coarse)
        if children:
            return rebuilt(info, [self.node(child) for child in children], self._roles(info))
        clauses = [(agreement, _for(agreement, info)) for agreement in self.agreements]
        by, clause = next((pair for pair in clauses if pair[1] is None), clauses[0])
        if clause is None:
            return withheld(info, by, DEFAULT_DENY)
        return kept(info, by, clause)

    def _against(self, agreement: Agreement, info: FieldInfo, *, group: bool) -> str | None:
        """Give the clause that withholds a field. A category withholds fields, and groups only by what they hold."""
        if info.path in self.telling:
            return DERIVED
        field = next((path for path in prefixes(info.path) if agreement.fields.get(path) == "withhold"), None)
        if field is not None:
            return f"fields.{field}"
        if group and not isinstance(agreement.fields.get(info.path), Coarse):
            return None
        return f"categories.{info.category}" if agreement.categories.get(info.category) == "withhold" else None

    def _roles(self, info: FieldInfo) -> Roles | None:
        """Give the roles of persons that all agreements which limit this list give."""
        limits = [frozenset(agreement.roles[info.path]) for agreement in self.agreements if info.path in agreement.roles]
        return Roles(frozenset.intersection(*limits), f"roles.{info.path}") if limits else None

    def _pseudonymised(self, info: FieldInfo) -> Node:
        """Give a pseudonym, where every agreement gives one or the text itself."""
        for agreement in self.agreements:
            if agreement.fields.get(info.path) != "pseudonymise":
                coarse = isinstance(agreement.fields.get(info.path), Coarse)
                if coarse or not _for(agreement, info):
                    return withheld(info, agreement, f"fields.{info.path}" if coarse else DEFAULT_DENY)
        by = next(agreement for agreement in self.agreements if agreement.fields.get(info.path) == "pseudonymise")
        return pseudonymised(info, by, f"fields.{info.path}")

    def _coarsened(self, info: FieldInfo, rules: Sequence[Coarsen]) -> Node:
        """Coarsen by the coarsest rule, where no agreement withholds what would come out of it."""
        first, clause = self.agreements[0], f"fields.{info.path}"
        coarsen: Coarsen | None = rules[0]
        for rule in rules[1:]:
            coarsen = coarsen and coarsen.stricter(rule)
        if coarsen is None:
            return withheld(info, first, clause)
        gives = METHODS[coarsen.method].gives
        for agreement in self.agreements:
            against = self._bars(agreement, info, gives, METHODS[coarsen.method].made_of)
            if against is not None:
                return withheld(info, agreement, against)
        lost = (child.path for child in self.below.get(info.path, ()) if child.name not in gives)
        states = (
            FieldState(info.path, "coarsened", clause, str(coarsen)),
            # What coarsening leaves out is withheld, and not unknown.
            *(FieldState(path, "withheld", clause) for path in lost),
        )
        return coarsened(info, coarsen, first, clause, states)

    def _bars(self, agreement: Agreement, info: FieldInfo, gives: frozenset[str], made_of: frozenset[str]) -> str | None:
        """Give the clause by which an agreement withholds one of the fields that coarsening *gives*, or is *made_of*."""
        children = self.below.get(info.path, ())
        if isinstance(agreement.fields.get(info.path), Coarse):
            given = (child for child in children if child.name in gives | made_of)
            return next((f"fields.{part.path}" for part in given if agreement.fields.get(part.path) == "withhold"), None)
        parts = [child for child in children if child.name in gives | made_of]
        # The rule is another agreement's: this one must give as it is what that one coarsens.
        if not parts:
            return None if _for(agreement, info) else DEFAULT_DENY
        alone = _Rules((agreement,), self.below, self.regions, self.telling)
        return next((node.clause for node in map(alone.node, parts) if not node.whole), None)


def _for(agreement: Agreement, info: FieldInfo) -> str | None:
    """Give the clause by which an agreement keeps a field; None where no rule names it."""
    field = next((path for path in prefixes(info.path) if agreement.fields.get(path) == "keep"), None)
    if field is not None:
        return f"fields.{field}"
    return f"categories.{info.category}" if agreement.categories.get(info.category) == "keep" else None


def prefixes(path: str) -> list[str]:
    """
    Give the path of a field and of all groups that hold it, the outermost first.
    """
    parts = path.split(".")
    return [".".join(parts[: length + 1]) for length in range(len(parts))]
