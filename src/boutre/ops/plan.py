"""
What would have to be done to a cluster so that it has the topics that are declared: a value, made by a pure function.

The promises of `docs/topics.md` are kept here. Nothing in this module can delete a topic: there is no such step.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from boutre.topics.topic import Topic

# Changes after which Kafka may throw away records that it keeps now.
_KEEPS: Final = ("cleanup.policy", "retention.ms", "retention.bytes")


@dataclass(frozen=True, slots=True)
class Wanted:
    """
    A topic as it is to stand on one cluster: what is declared, with the copies that this cluster keeps.
    """

    name: str
    partitions: int
    replication: int
    config: Mapping[str, str]
    growing: bool = False


@dataclass(frozen=True, slots=True)
class Found:
    """
    A topic as it stands: *config* has all settings in effect, *overrides* the names of those set on the topic itself.
    """

    name: str
    partitions: int
    replication: int
    config: Mapping[str, str]
    overrides: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Grow:
    """
    Add partitions: from *before* to *after*.
    """

    name: str
    before: int
    after: int


@dataclass(frozen=True, slots=True)
class Configure:
    """
    Set what differs: the setting's name, its value before (None when there was none) and after.
    """

    name: str
    changes: Mapping[str, tuple[str | None, str]]


@dataclass(frozen=True, slots=True)
class Refused:
    """
    A difference that is not mended, and why.
    """

    name: str
    why: str


@dataclass(frozen=True, slots=True)
class Plan:
    """
    All differences. *create*, *grow* and *configure* would be done; the rest is only shown.

    *undeclared* are topics in the bus's own name spaces that nobody declared, *strays* the settings on declared topics
    that nobody declared, by topic. Neither is ever touched.
    """

    create: tuple[Wanted, ...] = ()
    grow: tuple[Grow, ...] = ()
    configure: tuple[Configure, ...] = ()
    refused: tuple[Refused, ...] = ()
    undeclared: tuple[str, ...] = ()
    strays: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    unchanged: int = 0

    @property
    def steps(self) -> int:
        """
        How many things would be done.
        """
        return len(self.create) + len(self.grow) + len(self.configure)

    @property
    def differs(self) -> bool:
        """
        Whether the cluster is other than declared, in whatever way.
        """
        return bool(self.steps or self.refused or self.undeclared or self.strays)

    def as_json(self) -> dict[str, Any]:
        """
        The plan as plain values, for `--output json`.
        """
        return {
            "create": [
                {"name": t.name, "partitions": t.partitions, "replication": t.replication, "config": dict(t.config)}
                for t in self.create
            ],
            "grow": [{"name": g.name, "from": g.before, "to": g.after} for g in self.grow],
            "configure": [
                {"name": c.name, "changes": {key: {"from": old, "to": new} for key, (old, new) in c.changes.items()}}
                for c in self.configure
            ],
            "refused": [{"name": r.name, "why": r.why} for r in self.refused],
            "undeclared": list(self.undeclared),
            "strays": {name: list(keys) for name, keys in self.strays.items()},
            "unchanged": self.unchanged,
        }


def wanted(topics: Iterable[Topic], *, replication: int, min_isr: int) -> tuple[Wanted, ...]:
    """
    What is declared, with the copies that this cluster keeps and how many of them must have a record.
    """
    return tuple(
        Wanted(
            topic.name,
            topic.partitions,
            replication,
            {**topic.config, "min.insync.replicas": str(min_isr)},
            topic.growing,
        )
        for topic in topics
    )


def plan(declared: Iterable[Wanted], actual: Mapping[str, Found], *, allow_loss: bool = False) -> Plan:
    """
    Compare what is declared with what stands on the cluster.

    Args:
        declared: the topics of the bus.
        actual: the topics of the cluster by name; topics outside the bus's name spaces are passed over.
        allow_loss: also do what lets Kafka throw away records that it keeps now.
    """
    declared = tuple(declared)
    create: list[Wanted] = []
    grow: list[Grow] = []
    configure: list[Configure] = []
    refused: list[Refused] = []
    strays: dict[str, tuple[str, ...]] = {}
    touched: set[str] = set()
    for topic in declared:
        there = actual.get(topic.name)
        if there is None:
            create.append(topic)
            continue
        why = [*_partitions_refused(topic, there), *_copies_refused(topic, there)]
        changes = {key: (there.config.get(key), value) for key, value in topic.config.items() if there.config.get(key) != value}
        if not allow_loss:
            for key in [key for key, (old, new) in changes.items() if _loses(key, old, new)]:
                old, new = changes.pop(key)
                why.append(f"{key} from {old} to {new} lets Kafka throw records away; say --allow-loss if that is meant")
        if topic.growing and there.partitions < topic.partitions:
            grow.append(Grow(topic.name, there.partitions, topic.partitions))
            touched.add(topic.name)
        if changes:
            configure.append(Configure(topic.name, changes))
        refused.extend(Refused(topic.name, reason) for reason in why)
        if stray := tuple(sorted(there.overrides - topic.config.keys())):
            strays[topic.name] = stray
        if changes or why or stray:
            touched.add(topic.name)
    return Plan(
        create=tuple(create),
        grow=tuple(grow),
        configure=tuple(configure),
        refused=tuple(refused),
        undeclared=tuple(_undeclared(declared, actual)),
        strays=strays,
        unchanged=len(declared) - len(create) - len(touched),
    )


def _partitions_refused(topic: Wanted, there: Found) -> Iterator[str]:
    if there.partitions > topic.partitions:
        yield (
            f"has {there.partitions} partitions, declared are {topic.partitions}; partitions are never taken away, "
            f"since their records would be lost: declare {there.partitions}"
        )
    elif there.partitions < topic.partitions and not topic.growing:
        yield (
            f"has {there.partitions} partitions, declared are {topic.partitions}; what the workers remember of a key lies "
            f"in the partition that it had: declare {there.partitions}, or move to a new topic (docs/topics.md)"
        )


def _copies_refused(topic: Wanted, there: Found) -> Iterator[str]:
    if there.replication != topic.replication:
        yield (
            f"has {there.replication} copies, declared are {topic.replication}; copies are moved by the cluster's own "
            "kafka-reassign-partitions, or set BOUTRE_KAFKA__REPLICATION_FACTOR to what it has"
        )


def _loses(key: str, old: str | None, new: str) -> bool:
    if key not in _KEEPS:
        return False
    if key == "cleanup.policy":
        return True
    # -1 is for ever.
    return new != "-1" and (old is None or old == "-1" or int(new) < int(old))


def _undeclared(declared: tuple[Wanted, ...], actual: Mapping[str, Found]) -> list[str]:
    # A cluster may be shared: only what is named as the bus names its topics can be taken for one of them.
    spaces = {topic.name.partition(".")[0] for topic in declared}
    names = {topic.name for topic in declared}
    return sorted(name for name in actual if name not in names and name.partition(".")[0] in spaces)
