"""
Clusters: which records are of one craft or one event, as the links that stand say, and never two that a person holds apart.

Links are taken from the strongest to the weakest. One that would bring together two records of which a person said *not same* is
refused, as is one that would bring together two that speak against each other, or make a cluster larger than declared. So a path
between two such records is never closed, what gives way is weaker than what stands, and no cluster has to be cut afterwards.
Nothing is kept from one time to the next: without a link there is what would have been without it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Literal

from msgspec import Struct

from boutre.processors.links.link import Judgement, Link, latest, pair

Why = Literal["not-same", "against", "size", "hub"]

Against = Callable[[str, str], bool]
"""Says of two records whether they speak against each other: a blue boat and a red one, or places too far apart for the time."""


class Limits(Struct, frozen=True):
    """
    What counts: links of at least *probability*. A record with more than *links* of rules matches too much, and they are refused.

    No cluster has more than *records*.
    """

    probability: float = 0.5
    links: int = 12
    records: int = 40


class Refused(Struct, frozen=True):
    """
    A link that stands and was not followed, and why; *held_apart* are the records that a person or what they say holds apart.
    """

    link: str
    why: Why
    held_apart: tuple[str, str] | None = None


class Cluster(Struct, frozen=True):
    """
    Records of one craft, event or person, in order, and the ids of the links that bind them.
    """

    records: tuple[str, ...]
    links: tuple[str, ...]


class Clusters(Struct, frozen=True):
    """
    The clusters of two records or more, and what was refused; both for a person to look at. *hubs* are records that match too much.
    """

    groups: tuple[Cluster, ...]
    refused: tuple[Refused, ...]
    hubs: tuple[str, ...]


def clusters(
    standing: Iterable[Link],
    judgements: Iterable[Judgement],
    type_: str,
    limits: Limits | None = None,
    against: Against | None = None,
) -> Clusters:
    """
    Give the clusters of links of one type; *standing* is what ``resolve`` gives, in any order.

    A rule's link does not bring together what is *against* each other; a person's does, since it outranks what reports say.
    An unsure link does not count, and does not hold its records apart either: others may still bring them together.
    """
    limits = limits or Limits()
    counted = [one for one in standing if one.type == type_ and one.stands and one.probability >= limits.probability]
    # Two rules that find the same two records are one neighbour, not two.
    neighbours = Counter(record for both in {one.pair for one in counted if one.rule is not None} for record in both)
    hubs = frozenset(record for record, count in neighbours.items() if count > limits.links)
    apart = frozenset(both for (both, of), one in latest(judgements).items() if of == type_ and one.verdict == "not-same")
    groups, refused = _Groups(apart, limits.records, against), []
    for one in sorted(counted, key=_strength):
        if one.rule is not None and not hubs.isdisjoint(one.records):
            refused.append(Refused(one.id, "hub"))
        elif (no := groups.join(one)) is not None:
            refused.append(no)
    return Clusters(groups.found(), tuple(sorted(refused, key=lambda each: each.link)), tuple(sorted(hubs)))


def _strength(link: Link) -> tuple[bool, float, float, tuple[str, str], str]:
    """From the strongest: persons before rules and the latest of their words first; then by probability, by evidence, by name."""
    by_rule = link.rule is not None
    weight = sum(one.bits for one in link.evidence) if by_rule else link.judged_at or 0.0
    return by_rule, -link.probability, -weight, link.pair, link.id


class _Groups:
    """Records in groups that only grow, and what each group must not take in."""

    def __init__(self, apart: frozenset[tuple[str, str]], most: int, against: Against | None) -> None:
        self.most = most
        self.against = against
        self.group: dict[str, set[str]] = {}
        self.links: list[Link] = []
        self.foes: dict[str, set[str]] = {}
        for one, other in apart:
            self.foes.setdefault(one, set()).add(other)
            self.foes.setdefault(other, set()).add(one)

    def join(self, link: Link) -> Refused | None:
        """Bring the two records of a link together, or say why not."""
        one, other = (self.group.setdefault(record, {record}) for record in link.pair)
        if one is not other:
            less, more = sorted((one, other), key=lambda each: (len(each), min(each)))
            if clash := [pair(here, there) for here in less for there in self.foes.get(here, set()) & more]:
                return Refused(link.id, "not-same", min(clash))
            if len(less) + len(more) > self.most:
                return Refused(link.id, "size")
            if link.rule is not None and self.against is not None:
                both = (pair(here, there) for here in sorted(less) for there in sorted(more))
                if (held := next((each for each in both if self.against(*each)), None)) is not None:
                    return Refused(link.id, "against", held)
            more |= less
            for record in less:
                self.group[record] = more
        self.links.append(link)
        return None

    def found(self) -> tuple[Cluster, ...]:
        """Give the groups of two records or more, in order."""
        bound: dict[int, list[str]] = {}
        for link in self.links:
            bound.setdefault(id(self.group[link.pair[0]]), []).append(link.id)
        whole = {id(group): group for group in self.group.values() if len(group) > 1}
        return tuple(sorted((Cluster(tuple(sorted(group)), tuple(sorted(bound[key]))) for key, group in whole.items()), key=_order))


def _order(cluster: Cluster) -> tuple[str, ...]:
    return cluster.records
