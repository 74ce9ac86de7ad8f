"""
A link: that two records which one recipient has belong together, how, how surely, and who or what says so.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Final, Literal

import msgspec
from msgspec import Struct

from boutre.processors.matching.found import DERIVED_FROM, FOLLOWS, SAME_CRAFT, SAME_EVENT, SAME_PERSON, Evidence, Found
from boutre.schemas.identity import named

Status = Literal["made", "unsure", "withdrawn"]
Reason = Literal["not-same", "judgement-changed", "recalled", "no-longer-found"]
Verdict = Literal["same", "not-same", "unsure"]

SAME: Final = (SAME_CRAFT, SAME_EVENT, SAME_PERSON)
"""Types that say that two are one; of these people judge. The others say what happened, and have a direction."""

DIRECTED: Final = frozenset({FOLLOWS, DERIVED_FROM})

_PERSON: Final = ""
"""What stands in an id where the name of a rule would; no rule has this name."""


class Judgement(Struct, frozen=True):
    """
    What a person says of two records: *verdict*, *by* a function and never a name, *at* seconds since 1970 UTC.

    It speaks of links of *types*; of one and the same craft and event where nothing else is said. *id* is that of the answer.
    """

    a: str
    b: str
    verdict: Verdict
    by: str
    at: float
    id: str
    types: tuple[str, ...] = (SAME_CRAFT, SAME_EVENT)

    def __post_init__(self) -> None:
        """Refuse what says nothing: a record and itself, or a type that is not for people to judge."""
        if self.a == self.b:
            message = "a judgement is about two records"
            raise ValueError(message)
        if not self.types or not set(self.types) <= set(SAME):
            message = f"a judgement speaks of {', '.join(SAME)}"
            raise ValueError(message)


class Link(Struct, frozen=True):
    """
    One link as its recipient has it. *records* are in order where the type has a direction, else the lesser is first.

    *rule* is ``name@version``, or None where a person made it. *by* and *judgement* say which person's word holds for it.
    """

    id: str
    recipient: str
    type: str
    records: tuple[str, str]
    rule: str | None
    probability: float
    evidence: tuple[Evidence, ...] = ()
    status: Status = "made"
    reason: Reason | None = None
    by: str | None = None
    judgement: str | None = None
    judged_at: float | None = None

    @property
    def pair(self) -> tuple[str, str]:
        """The two records, the lesser first."""
        return pair(*self.records)

    @property
    def stands(self) -> bool:
        """Whether it counts."""
        return self.status == "made"


def pair(one: str, other: str) -> tuple[str, str]:
    """
    Give two records in the one order in which they are looked up.
    """
    return (one, other) if one <= other else (other, one)


def link_id(recipient: str, one: str, other: str, type_: str, rule: str | None) -> str:
    """
    Give the id of a link, in whichever order its records are named.

    A rule's version is not in it: what a newer version finds of the same two is the same link, revised.
    """
    maker = _PERSON if rule is None else rule.partition("@")[0]
    parts = repr((recipient, *pair(one, other), type_, maker))
    return named(hashlib.sha256(b"boutre link\0" + parts.encode()).digest())


def made(recipient: str, found: Found, first: str | None = None) -> Link:
    """
    Make the link of what a rule found. *first* is the earlier or original record, and is asked for where the type has a direction.

    Raises ValueError where it is not one of the two, or is missing.
    """
    if found.a == found.b or not 0 <= found.probability <= 1:
        message = "a link is of two records, with a probability from 0 to 1"
        raise ValueError(message)
    records = pair(found.a, found.b)
    if found.type in DIRECTED:
        if first not in records:
            message = f"{found.type} goes from one of the two records to the other"
            raise ValueError(message)
        records = records if first == records[0] else (records[1], records[0])
    identity = link_id(recipient, *records, found.type, found.rule)
    return Link(identity, recipient, found.type, records, found.rule, found.probability, found.evidence)


def withdrawn(link: Link, reason: Reason) -> Link:
    """
    Give *link* as it is told when it no longer stands. One that was withdrawn already keeps its first reason.
    """
    return link if link.status == "withdrawn" else msgspec.structs.replace(link, status="withdrawn", reason=reason)


def latest(judgements: Iterable[Judgement]) -> Mapping[tuple[tuple[str, str], str], Judgement]:
    """
    Give the judgement that counts for each pair and type: the latest, whatever came in which order.
    """
    found: dict[tuple[tuple[str, str], str], Judgement] = {}
    for one in sorted(judgements, key=lambda each: (each.at, each.id, each.verdict)):
        for type_ in one.types:
            found[pair(one.a, one.b), type_] = one
    return found


def resolve(
    recipient: str, links: Iterable[Link], judgements: Iterable[Judgement] = (), recalled: Iterable[str] = ()
) -> tuple[Link, ...]:
    """
    Give all links as they stand under what people said and what was taken back, by their ids.

    *links* are those that rules made, each once. A person's *same* makes a link of its own beside them; *not-same* withdraws them;
    *unsure* leaves them to be seen, and they count for nothing. What holds is made anew from all judgements each time, so it does
    not matter whether a link came before its judgement, after it, or again.

    Raises ValueError where a link stands twice, or is not of this recipient.
    """
    said = tuple(judgements)
    gone, holds = frozenset(recalled), latest(said)
    result: dict[str, Link] = {}
    for link in links:
        if link.id in result or link.recipient != recipient or link.rule is None:
            message = "each link stands once, was made by a rule, and is its recipient's own"
            raise ValueError(message)
        result[link.id] = _judged(link, holds.get((link.pair, link.type)), gone)
    for at in {(pair(one.a, one.b), type_) for one in said if one.verdict == "same" for type_ in one.types}:
        link = _by_person(recipient, *at, holds[at], gone)
        result[link.id] = link
    return tuple(result[key] for key in sorted(result))


def _judged(link: Link, judgement: Judgement | None, gone: frozenset[str]) -> Link:
    if link.status == "withdrawn":
        return link
    if not gone.isdisjoint(link.records):
        return withdrawn(link, "recalled")
    if judgement is None or judgement.verdict == "same":
        return link
    told = msgspec.structs.replace(link, by=judgement.by, judgement=judgement.id, judged_at=judgement.at)
    return withdrawn(told, "not-same") if judgement.verdict == "not-same" else msgspec.structs.replace(told, status="unsure")


def _by_person(recipient: str, records: tuple[str, str], type_: str, holds: Judgement, gone: frozenset[str]) -> Link:
    link = Link(
        link_id(recipient, *records, type_, None),
        recipient,
        type_,
        records,
        None,
        1.0,
        by=holds.by,
        judgement=holds.id,
        judged_at=holds.at,
    )
    if not gone.isdisjoint(records):
        return withdrawn(link, "recalled")
    return link if holds.verdict == "same" else withdrawn(link, "judgement-changed")
