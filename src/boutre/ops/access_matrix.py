"""
The rules as a table: what each principal may do with each resource.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from boutre.ops.access import Operation, Resource, Rule

LETTERS: Final[Mapping[Operation, str]] = {
    "read": "R",
    "write": "W",
    "describe": "d",
    "describe-configs": "c",
    "create": "N",
    "alter": "A",
    "alter-configs": "C",
}
"""Large letters change or read something, small ones only look."""

_RESOURCES: Final[tuple[Resource, ...]] = ("topic", "group", "transactional-id", "cluster")

Cells = Mapping[tuple[Resource, str], Mapping[str, str]]


def cells(rules: Iterable[Rule]) -> Cells:
    """
    Give, for each resource and each principal that may do anything with it, the letters of what it may.

    A name that stands for all that begin so ends in an asterisk.
    """
    found: dict[tuple[Resource, str], dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for rule in rules:
        found[rule.resource, shown(rule)][rule.principal].add(LETTERS[rule.operation])
    order = "".join(LETTERS.values())
    return {
        resource: {principal: "".join(sorted(letters, key=order.index)) for principal, letters in row.items()}
        for resource, row in sorted(found.items(), key=lambda one: (_RESOURCES.index(one[0][0]), one[0][1]))
    }


def shown(rule: Rule) -> str:
    """
    The name of a rule's resource, with an asterisk behind a prefix.
    """
    return f"{rule.name}*" if rule.pattern == "prefixed" else rule.name


def table(rules: Iterable[Rule], principals: Sequence[str]) -> Iterator[str]:
    """
    Write the matrix in lines: a row for each resource, a numbered column for each principal, and who they are above.
    """
    rows = cells(rules)
    names = {resource: f"{resource[0]}  {resource[1]}" for resource in rows}
    wide = max(map(len, names.values()), default=0)
    yield from (f"{number:>4}  {principal}" for number, principal in enumerate(principals, 1))
    yield "      " + ", ".join(f"{letter} {operation}" for operation, letter in LETTERS.items())
    yield ""
    columns = [
        max([len(str(number)), *(len(row.get(one, "")) for row in rows.values())]) for number, one in enumerate(principals, 1)
    ]
    yield f"{'':<{wide}}  " + "  ".join(f"{number:>{width}}" for number, width in enumerate(columns, 1))
    for resource, row in rows.items():
        filled = "  ".join(f"{row.get(one, '·'):>{width}}" for one, width in zip(principals, columns, strict=True))
        yield f"{names[resource]:<{wide}}  {filled}"


def as_json(rules: Iterable[Rule]) -> list[dict[str, Any]]:
    """
    The matrix as plain values: an object for each principal and resource, with the operations by their names.
    """
    found: dict[tuple[str, str, str, str], list[str]] = defaultdict(list)
    for rule in sorted(rules):
        found[rule.principal, rule.resource, rule.name, rule.pattern].append(rule.operation)
    return [
        {"principal": principal, "resource": resource, "name": name, "pattern": pattern, "operations": operations}
        for (principal, resource, name, pattern), operations in found.items()
    ]
