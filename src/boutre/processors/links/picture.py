"""
The picture that follows from a recipient's links: which records are of one, what was refused, and what does not count.

Made from the last state of each link and from what people say, and from nothing that was made before: a link that is withdrawn
takes what it bound together apart again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, Literal

from msgspec import Struct
from msgspec.structs import replace

from boutre.processors.links.clusters import Against, Clusters, Limits, clusters
from boutre.processors.links.link import SAME, Judgement, Link, pair, resolve
from boutre.processors.links.said import OfTwo
from boutre.processors.links.shown import Shown
from boutre.processors.matching.found import SAME_CRAFT

Idle = Literal["withdrawn", "unsure", "weak"]
"""Why a link is not even looked at: it is withdrawn, a person is unsure of it, or its probability is below the least."""

Unplaced = Literal["view-not-here", "one-record", "other-recipient"]
"""Why a judgement finds no place: a view of it is of no record that is known here, both are of one, or it is somebody else's."""

BEFORE: Final = 0.0
"""When a judgement is taken to have been said of which only the link tells: before all others."""


class Picture(Struct, frozen=True):
    """
    What follows for one recipient, exercises or the world: all *links* as they stand, by id, and the clusters *of* each type.

    *idle* are links that do not count, and why; *judgements* those that hold, *unplaced* the answers, by id, that found no place.
    """

    recipient: str
    exercise: bool
    links: Mapping[str, Link]
    of: Mapping[str, Clusters]
    idle: tuple[tuple[str, Idle], ...]
    judgements: tuple[Judgement, ...]
    unplaced: tuple[tuple[str, Unplaced], ...]


class Whose(Struct, frozen=True):
    """
    Whose links they are, and whether they are of an exercise: an exercise and the world know nothing of each other.
    """

    recipient: str
    exercise: bool = False


class Had(Struct, frozen=True):
    """
    What a recipient has beside its links: of which record each view is (*names*), and the records that were taken back.
    """

    names: Mapping[str, str] = {}
    recalled: frozenset[str] = frozenset()
    against: Mapping[str, Against] = {}
    """By the type of link: what of two records speaks against each other."""


def last(told: Iterable[Shown]) -> tuple[Shown, ...]:
    """
    Give of each link what was told last; *told* is in the order in which it came.
    """
    return tuple({one.link.id: one for one in told}.values())


def names_of(told: Iterable[Shown]) -> dict[str, str]:
    """
    Give of which record each view is, as links say it: those that have been told anew since, too.
    """
    return {view: record for one in told for view, record in zip(one.views, one.link.records, strict=False)}


def picture(
    whose: Whose, told: Sequence[Shown], said: Iterable[OfTwo] = (), had: Had | None = None, limits: Limits | None = None
) -> Picture:
    """
    Give what follows from all that was *told* of links, oldest first, and from what is *said* of the records.

    A judgement of which only a link tells counts as said before those in *said*, since the link does not tell when; where *said*
    holds it, by its id, it counts from its own time.
    """
    had, limits = had or Had(), limits or Limits()
    links = [one.link for one in last(told)]
    words = tuple(said)
    placed, unplaced = _placed(whose.recipient, words, {**had.names, **names_of(told)}, links)
    here = frozenset((one.id, pair(one.a, one.b)) for one in placed)
    # Of a record that was revised a word stays in force, though the view that it names is of the one before.
    told_of = _from_links(links, {one.id: one.at for one in words})
    judgements = (*(one for one in told_of if (one.id, pair(one.a, one.b)) not in here), *placed)
    by_rules = [_before_judged(one) for one in links if one.rule is not None]
    standing = {one.id: one for one in resolve(whose.recipient, by_rules, judgements, had.recalled)}
    # A person's link that a later word took back tells which answer did it, and not what it said.
    standing |= {one.id: one for one in links if one.id not in standing and one.status == "withdrawn"}
    of = {
        type_: clusters(standing.values(), judgements, type_, limits, had.against.get(type_))
        for type_ in SAME
        if any(link.type == type_ for link in standing.values())
    }
    idle = tuple((key, why) for key in sorted(standing) if (why := _idle(standing[key], limits)) is not None)
    return Picture(whose.recipient, whose.exercise, standing, of, idle, judgements, tuple(unplaced))


def _before_judged(link: Link) -> Link:
    """Give a rule's link as it was before anybody judged of it; what holds is found anew from all judgements."""
    if link.status == "unsure" or (link.status == "withdrawn" and link.reason == "not-same"):
        return replace(link, status="made", reason=None, by=None, judgement=None)
    return link


def _from_links(links: Iterable[Link], times: Mapping[str, float]) -> Iterable[Judgement]:
    for link in links:
        verdict = _verdict(link)
        if link.judgement is not None and link.type in SAME and verdict is not None:
            at = times.get(link.judgement, BEFORE)
            yield Judgement(*link.pair, verdict, link.by or link.recipient, at, link.judgement, (link.type,))


def _verdict(link: Link) -> Literal["same", "not-same", "unsure"] | None:
    if link.rule is None:
        return "same" if link.stands else None
    return "unsure" if link.status == "unsure" else "not-same" if link.reason == "not-same" else None


def _placed(
    recipient: str, said: Iterable[OfTwo], names: Mapping[str, str], links: Sequence[Link]
) -> tuple[list[Judgement], list[tuple[str, Unplaced]]]:
    placed: list[Judgement] = []
    unplaced: list[tuple[str, Unplaced]] = []
    for one in said:
        first, second = names.get(one.view), names.get(one.other)
        if one.recipient != recipient:
            unplaced.append((one.id, "other-recipient"))
        elif first is None or second is None:
            unplaced.append((one.id, "view-not-here"))
        elif first == second:
            unplaced.append((one.id, "one-record"))
        else:
            placed.append(one.judgement(*pair(first, second), _types(links, first, second)))
    return placed, unplaced


def _types(links: Iterable[Link], *records: str) -> tuple[str, ...]:
    """Of which types a judgement speaks: those by which either record is linked at all, as on the bus; of one craft else."""
    found = {link.type for link in links if link.type in SAME and not set(records).isdisjoint(link.records)}
    return tuple(sorted(found)) or (SAME_CRAFT,)


def _idle(link: Link, limits: Limits) -> Idle | None:
    if link.status == "withdrawn":
        return "withdrawn"
    if link.status == "unsure":
        return "unsure"
    return "weak" if link.probability < limits.probability else None
