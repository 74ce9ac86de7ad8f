"""
The table of docs/access.md: who may do what, made from the rules of this bus.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from boutre.ops.access import ADMIN, OPERATIONS, Resource, Rule, principals, wanted
from boutre.ops.access_matrix import LETTERS
from boutre.ops.assembly import assemble
from pages import Page

ROOT: Final = Path(__file__).parents[2]
BUS: Final = assemble(ROOT)
DECLARED: Final = BUS.declarations
EDGES: Final = BUS.pipeline.edges
RULES: Final = wanted(DECLARED, EDGES)

PROCESSORS: Final = tuple(f"bus.{edge.name}" for edge in EDGES)
NOTHING: Final = "·"


def letters(principal: str, resource: Resource, name: str) -> str:
    """
    What a principal may do with a thing of this name, whichever of its rules say so.
    """
    fits = {
        LETTERS[rule.operation]
        for rule in RULES
        if (rule.principal, rule.resource) == (principal, resource)
        and (rule.name == name or (rule.pattern == "prefixed" and name.startswith(rule.name)))
    }
    return "".join(letter for letter in LETTERS.values() if letter in fits)


def of_all(resource: Resource, pairs: Iterable[tuple[str, str]]) -> str:
    """
    What pairs of a principal and a name have in common; where it is not the same for all, all that there is, with commas.
    """
    found = sorted({letters(principal, resource, name) for principal, name in pairs} or {""})
    return ", ".join(f"`{one}`" if one else NOTHING for one in found)


def row(resource: Resource, shown: str, owned: dict[str, str | None]) -> str:
    """
    One row: *owned* has each name that the row stands for, with the principal of the party whose it is.
    """
    parties = [one for one in principals(DECLARED, EDGES) if one.startswith(("member.", "recipient."))]
    own = [(owner, name) for name, owner in owned.items() if owner in parties]
    others = [(party, name) for name, owner in owned.items() for party in parties if party != owner]
    steps = {one: of_all(resource, [(one, name) for name in owned]) for one in PROCESSORS}
    cells = [
        of_all(resource, [(str(owner), name) for owner, name in own]) if own else NOTHING,
        of_all(resource, others),
        *steps.values(),
        of_all(resource, [(OPERATIONS, name) for name in owned]),
        of_all(resource, [(ADMIN, name) for name in owned]),
    ]
    return f"| `{shown}` | {' | '.join(cells)} |"


def rows() -> Iterator[str]:
    """
    The table: a row for each pattern of topics, for the groups of each kind of party, for transactional ids, and for the cluster.
    """
    heads = ["its own party", "any other party", *(f"`{one}`" for one in PROCESSORS), f"`{OPERATIONS}`", f"`{ADMIN}`"]
    yield f"| | {' | '.join(heads)} |"
    yield f"|---|{'---|' * len(heads)}"
    patterns = dict.fromkeys(topic.pattern for topic in DECLARED.topics.values())
    for pattern in patterns:
        owned = {
            topic.name: f"member.{topic.member}" if topic.member else f"recipient.{topic.recipient}" if topic.recipient else None
            for topic in DECLARED.of(pattern)
        }
        yield row("topic", pattern, owned)
    for edge in EDGES:
        yield row("group", f"group boutre-{edge.name}", {f"boutre-{edge.name}": None})
    yield row("group", "groups member.{member}.*", {f"member.{one}.x": f"member.{one}" for one in DECLARED.members})
    yield row("group", "groups {recipient}.*", {f"{one}.x": f"recipient.{one}" for one in DECLARED.recipients})
    yield row("group", "groups operations.*", {"operations.x": None})
    for edge in EDGES:
        ids = {f"boutre-{edge.name}-{number}": None for number in range(DECLARED.topics[edge.changelog].partitions)}
        yield row("transactional-id", f"transactions boutre-{edge.name}-{{partition}}", dict(ids))
    yield row("cluster", "the cluster itself", {"kafka-cluster": None})


PAGE: Final = Page("docs/access.md", "tests/domain/test_access_page.py", {"matrix": lambda: "\n".join(rows())})


def test_the_table_is_that_of_the_rules() -> None:
    """
    What the page shows is what the rules of this bus come to.
    """
    assert PAGE.shown("matrix") == PAGE.parts["matrix"]()


def test_the_table_leaves_no_rule_out() -> None:
    """
    Each rule is about something that a row stands for; and in every row any other party may do nothing.
    """
    table = PAGE.shown("matrix").splitlines()[2:]
    kinds: dict[str, list[Rule]] = {}
    for rule in RULES:
        kinds.setdefault(rule.resource, []).append(rule)

    assert {"topic", "group", "transactional-id", "cluster"} == kinds.keys()
    assert {NOTHING} == {line.split(" | ")[2] for line in table}
    assert {topic.pattern for topic in DECLARED.topics.values()} <= {line.split("`")[1] for line in table}
    assert {rule.name for rule in kinds["topic"] if rule.pattern == "literal"} == set(DECLARED.topics)


if __name__ == "__main__":
    PAGE.write()
