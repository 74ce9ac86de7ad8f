"""
Who may do what on the cluster: rules for Kafka's authorizer, made of what the bus declares.

    wanted(declarations, pipeline.edges)     # a set of rules, the same for the same declarations

Kafka denies what no rule allows, so there are rules that allow and no others. Each party has a principal of its own, and each rule
follows from a declaration: the writers and readers of a topic, the graph of the processors. Topics are given by their whole names;
only groups that people name themselves are given by a prefix.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Final, Literal, TypeAlias

from boutre.errors import Fault
from boutre.ops import answers_take, cases_take, record_topics
from boutre.processors.edges import Edge
from boutre.processors.groups import group_of, transactions_of
from boutre.processors.patterns import FILE
from boutre.processors.receipts import TOPIC as RECEIPTS
from boutre.topics.bus import Declarations
from boutre.topics.members import BUS
from boutre.topics.members import OPERATIONS as OPERATIONS_PARTY
from boutre.topics.strict import raise_all
from boutre.topics.topic import Topic

Resource: TypeAlias = Literal["topic", "group", "transactional-id", "cluster"]
Pattern: TypeAlias = Literal["literal", "prefixed"]
Operation: TypeAlias = Literal["read", "write", "describe", "describe-configs", "create", "alter", "alter-configs"]

CLUSTER: Final = "kafka-cluster"
"""What Kafka calls the one resource of the type cluster."""

OPERATIONS: Final = "staff.operations"
"""Those who keep the bus going: they see how far everybody is, and read what the topics give to ``operations``."""

ADMIN: Final = "staff.admin"
"""Who applies topics and rules. It can give itself everything, so nothing that runs by itself may sign in by this name."""

SPACES: Final = ("member.", "recipient.", "bus.", "staff.")
"""How the names of all principals begin. Ids have no dots, so that no two parties share a name."""


@dataclass(frozen=True, slots=True, order=True)
class Rule:
    """
    *principal* may do *operation* on what *name* stands for: one name, or with *pattern* prefixed all that begin so.

    To read, write, create or alter includes to describe, as Kafka has it.
    """

    principal: str
    resource: Resource
    name: str
    pattern: Pattern
    operation: Operation


Names: TypeAlias = Callable[[Declarations], Iterable[str]]

STOPPING: Final = frozenset({"bus.{kind}", "bus.offer.{kind}", "bus.said", "bus.meeting.{kind}", "bus.found.{kind}"})
"""The patterns of the topics that steps of the bus read from one another."""


def _stopped(bus: Declarations) -> Iterator[str]:
    """Where records stand at which a step of the bus may stop."""
    yield from (topic.name for topic in bus.topics.values() if topic.pattern in STOPPING)


FOLLOWERS: Final[Mapping[str, tuple[Names, Names]]] = {
    "answers": (answers_take.reads, answers_take.writes),
    "audit": (lambda _: (RECEIPTS,), lambda _: ()),
    "cases": (cases_take.reads, lambda _: ()),
}
"""What runs beside the processors, by the name of its principal: the topics that it reads, and those that it writes."""

BESIDE: Final[Mapping[str, tuple[Names, Names]]] = {
    **FOLLOWERS,
    "again": (lambda bus: tuple(_stopped(bus)), lambda bus: tuple(_stopped(bus))),
    "records": (record_topics.kinds_of, lambda _: ()),
}
"""
The followers, who looks at accepted records now and then (``boutre explain``, ``boutre policy replay``), and who puts a record
again where a step of the bus has stopped at it (``boutre rejects send-again --bus``).
"""

WITH_A_GROUP: Final = frozenset({"audit", "records"})
"""Those of them who read by librdkafka, which looks for the group that they name though they join none."""


def member(name: str) -> str:
    """
    The principal of a member's connectors.
    """
    return f"member.{name}"


def recipient(name: str) -> str:
    """
    The principal of a recipient's sinks and screens. A State that publishes and receives has both, on different machines.
    """
    return f"recipient.{name}"


def processor(name: str) -> str:
    """
    The principal of a processor's workers.
    """
    return f"bus.{name}"


def principals(bus: Declarations, edges: Iterable[Edge]) -> tuple[str, ...]:
    """
    All principals of a bus, whether or not they are given anything.
    """
    parties = (*map(member, bus.members), *map(recipient, bus.recipients))
    return (*parties, *(processor(name) for name in (*(edge.name for edge in edges), *BESIDE)), OPERATIONS, ADMIN)


def wanted(bus: Declarations, edges: Sequence[Edge]) -> frozenset[Rule]:
    """
    Give the rules of a bus.

    Raises:
        DeclarationError: what is declared would give a party what is somebody else's, or a processor what the topic does not give
            to the bus; or two principals would have one consumer group.
    """
    raise_all([*_foreign(bus), *_beyond(bus, edges)])
    given = [*_parties(bus)]
    readers = {rule.principal for rule in given if rule.operation == "read"}
    groups = [Rule(one, "group", prefix, "prefixed", "read") for one, prefix in _group_prefixes(bus) if one in readers]
    rules = [*given, *groups, *_processors(bus, edges), *_followers(bus), *_operations(bus, edges), *_admin(bus)]
    raise_all([*_shared(rules)])
    return frozenset(rules)


def overlap(one: tuple[str, str], other: tuple[str, str]) -> bool:
    """
    Whether two names with their patterns (name, pattern) of one type of resource can stand for the same thing.
    """
    (first, first_pattern), (second, second_pattern) = one, other
    if "*" in (first, second):
        return True
    if first_pattern == "prefixed" and second.startswith(first):
        return True
    return first == second or (second_pattern == "prefixed" and first.startswith(second))


def _principal(bus: Declarations, topic: Topic, party: str, operation: Operation) -> str:
    """
    The principal by which a party has a topic: of its own topics it has the member's as member and the recipient's as recipient.

    Of a topic that is nobody's it writes as member and reads as recipient, where it is both.
    """
    if party == OPERATIONS_PARTY:
        return OPERATIONS
    if topic.member is not None:
        return member(party)
    if topic.recipient is not None:
        return recipient(party)
    both = party in bus.members and party in bus.recipients
    return member(party) if (both and operation == "write") or party not in bus.recipients else recipient(party)


def _parties(bus: Declarations) -> Iterator[Rule]:
    operations: tuple[Operation, Operation] = ("read", "write")
    for topic in bus.topics.values():
        for operation, parties in zip(operations, (topic.readers, topic.writers), strict=True):
            for party in parties:
                if party != BUS:
                    yield Rule(_principal(bus, topic, party, operation), "topic", topic.name, "literal", operation)


def _group_prefixes(bus: Declarations) -> Iterator[tuple[str, str]]:
    yield from ((member(one), f"{member(one)}.") for one in bus.members)
    yield from ((recipient(one), f"{one}.") for one in bus.recipients)
    yield OPERATIONS, f"{OPERATIONS_PARTY}."


def _processors(bus: Declarations, edges: Sequence[Edge]) -> Iterator[Rule]:
    for edge in edges:
        name, group = processor(edge.name), group_of(edge.name)
        yield from (Rule(name, "topic", topic, "literal", "read") for topic in edge.reads)
        yield from (Rule(name, "topic", topic, "literal", "write") for topic in edge.writes)
        # It writes what it remembers, reads it when it starts, and asks whether its disk speaks of this very topic.
        changelog: tuple[Operation, ...] = ("read", "write", "describe-configs")
        yield from (Rule(name, "topic", edge.changelog, "literal", operation) for operation in changelog)
        yield Rule(name, "group", group, "literal", "read")
        # Each id by its whole name: a prefix would take in those of a processor whose name goes on where this one ends.
        for partition in range(bus.topics[edge.changelog].partitions):  # those of what it reads, as the graph is checked for
            yield Rule(name, "transactional-id", transactions_of(group, partition), "literal", "write")
        # It holds floods back while those who read what it writes are behind, and so looks how far they are.
        for other in edges:
            if other is not edge and edge.writes.intersection(other.reads):
                yield Rule(name, "group", group_of(other.name), "literal", "describe")


def _followers(bus: Declarations) -> Iterator[Rule]:
    """They write no transaction and commit nothing to a group."""
    for name, (reads, writes) in BESIDE.items():
        read, written = frozenset(reads(bus)), frozenset(writes(bus))
        for topic in bus.topics.values():
            if BUS in topic.readers and topic.name in read:
                yield Rule(processor(name), "topic", topic.name, "literal", "read")
                if name in WITH_A_GROUP:
                    yield Rule(processor(name), "group", f"boutre.{name}", "literal", "read")
            if BUS in topic.writers and topic.name in written:
                yield Rule(processor(name), "topic", topic.name, "literal", "write")


def _operations(bus: Declarations, edges: Iterable[Edge]) -> Iterator[Rule]:
    """Lag is the distance between what a topic holds and what a group has done: to see it is to describe both, not to read."""
    looks: tuple[Operation, ...] = ("describe", "describe-configs")
    yield from (Rule(OPERATIONS, "topic", topic, "literal", operation) for topic in bus.topics for operation in looks)
    yield from (Rule(OPERATIONS, "group", group_of(edge.name), "literal", "describe") for edge in edges)
    yield from (Rule(OPERATIONS, "group", f"boutre.{name}", "literal", "describe") for name in sorted(WITH_A_GROUP))
    yield from (Rule(OPERATIONS, "group", prefix, "prefixed", "describe") for _, prefix in _group_prefixes(bus))


def _admin(bus: Declarations) -> Iterator[Rule]:
    """What ``boutre topics`` and ``boutre access`` do; nothing that reads or writes records, and nothing that deletes a topic."""
    operations: tuple[Operation, ...] = ("describe", "describe-configs", "create", "alter", "alter-configs")
    for space in sorted({f"{name.partition('.')[0]}." for name in bus.topics}):
        yield from (Rule(ADMIN, "topic", space, "prefixed", operation) for operation in operations)
    rights: tuple[Operation, ...] = ("describe", "alter")
    yield from (Rule(ADMIN, "cluster", CLUSTER, "literal", operation) for operation in rights)


def _foreign(bus: Declarations) -> Iterator[Fault]:
    """A topic that is somebody's is theirs and the bus's: whatever a file says, no rule gives it to another party."""
    told: dict[tuple[str, str, str], None] = {}
    for topic in bus.topics.values():
        owner = topic.member or topic.recipient
        for role, parties in (("readers", topic.readers), ("writers", topic.writers)):
            for party in parties:
                if owner is not None and party not in (owner, BUS, OPERATIONS_PARTY):
                    told[topic.pattern, role, party] = None
    for pattern, role, party in told:
        message = f"{role}: {party} would have what is another party's; who is to have it gets a topic of its own"
        yield Fault("topics", f"topic[{pattern}]", message)


def _beyond(bus: Declarations, edges: Iterable[Edge]) -> Iterator[Fault]:
    """What the graph needs and the topics do not give."""
    for edge in edges:
        read, written = (*edge.reads, edge.changelog), (*sorted(edge.writes), edge.changelog)
        for role, names in (("readers", read), ("writers", written)):
            for name in names:
                if BUS not in getattr(bus.topics[name], role):
                    yield Fault(FILE, edge.name, f"{name} does not name {BUS} among its {role}, and this processor needs it")


def _shared(rules: Iterable[Rule]) -> Iterator[Fault]:
    """Who may read by a group takes its partitions away from the others of that group: two principals never share one."""
    groups = sorted(rule for rule in rules if rule.resource == "group" and rule.operation == "read")
    for one, other in combinations(groups, 2):
        if one.principal != other.principal and overlap((one.name, one.pattern), (other.name, other.pattern)):
            message = f"its consumer groups ({one.name}) and those of {other.principal} ({other.name}) cannot be told apart"
            yield Fault("topics", one.principal, message)
