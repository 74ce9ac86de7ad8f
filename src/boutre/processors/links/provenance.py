"""
Where reports come from: whether what several records say was told by several, or by one and told on.

*Confirmed by other sources* (Admiralty credibility 1) is for reports of independent roots alone. What is not known, not given to
this recipient, or not seen by it, confirms nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from msgspec import Struct

from boutre.processors.links.link import Link
from boutre.processors.matching.found import DERIVED_FROM
from boutre.processors.matching.sighted import Sighted

INDEPENDENT: Final = 2
"""How many independent roots confirm."""


class Told(Struct, frozen=True):
    """
    One report: *source* is the feed by which it came, *named* the sources that it names.

    *parents* are the records that it was made from, and the one that it takes the place of.
    *known* says that all this was given; *bare* that it is a contact without a sign of what it is.
    """

    id: str
    source: str
    parents: tuple[str, ...] = ()
    named: tuple[str, ...] = ()
    known: bool = True
    bare: bool = False


class Confirmation(Struct, frozen=True):
    """
    What several records rest on. *roots* are the reports at the beginning; *unknown* those of them of which too little is known.

    *independent* are known ones that say what was seen, no two of which have a source in common. *contacts* are the known ones that
    only say that something was there.
    """

    roots: tuple[str, ...]
    unknown: tuple[str, ...]
    contacts: tuple[str, ...]
    independent: tuple[str, ...]

    @property
    def confirmed(self) -> bool:
        """Whether at least two sources that do not hang together tell it."""
        return len(self.independent) >= INDEPENDENT


def told(report: Sighted, value: Mapping[str, Any]) -> Told:
    """
    Give what a record or view says of where it comes from; *report* is the same as matching sees it.

    It is known where member and feed were given and provenance was, and nothing of either was withheld, coarsened or renamed.
    """
    origin, provenance, view = value.get("origin"), value.get("provenance"), value.get("view") or {}
    touched = {str(each["field"]) for each in view.get("fields") or () if _tells_source(str(each["field"]), str(each["state"]))}
    whole = isinstance(origin, Mapping) and bool(origin.get("member")) and bool(origin.get("feed"))
    seen = (report.craft, report.hull, report.colours, report.length_m, report.engines, report.power_kw, report.persons)
    return Told(
        report.id,
        report.source,
        tuple(sorted({*report.derived_from, *([report.revises] if report.revises else [])})),
        report.roots,
        known=whole and isinstance(provenance, Mapping) and not touched,
        bare=not any((*seen, report.markings, report.identifiers)),
    )


def _tells_source(field: str, state: str) -> bool:
    # Records that are named get this recipient's own names, the same in every view of it, which still say what is one.
    if field == "provenance.derived_from":
        return state != "pseudonymised"
    return field in {"origin", "origin.member", "origin.feed", "provenance", "provenance.sources", "provenance.sources.name"}


def edges(links: Iterable[Link]) -> frozenset[tuple[str, str]]:
    """
    Give (copy, original) of all that links say is derived; unsure ones too, since doubt about it must not confirm.
    """
    return frozenset(
        (one.records[1], one.records[0]) for one in links if one.type == DERIVED_FROM and one.status in {"made", "unsure"}
    )


def roots(record: str, told_of: Mapping[str, Told], also: Iterable[tuple[str, str]] = ()) -> frozenset[str]:
    """
    Give the reports at the beginning of *record*, which may be itself, or one that this recipient has never seen.

    Records that are made from each other in a ring and from nothing else have one root, the least of them by name.
    """
    return _roots(record, _parents(told_of, also))[0]


def _parents(told_of: Mapping[str, Told], also: Iterable[tuple[str, str]]) -> dict[str, set[str]]:
    parents = {key: set(one.parents) - {key} for key, one in told_of.items()}
    for child, original in also:
        if child != original:
            parents.setdefault(child, set()).add(original)
    return parents


def _roots(record: str, parents: Mapping[str, set[str]]) -> tuple[frozenset[str], bool]:
    """Give the roots, and whether they are a ring, of which nobody knows who told it."""
    found, left = {record}, [record]
    while left:
        new = parents.get(left.pop(), set()) - found
        found |= new
        left += new
    ends = frozenset(each for each in found if not parents.get(each))
    if ends:
        return ends, False
    # No end anywhere: the ring is what all of it reaches.
    reached = [(_reach(each, parents), each) for each in found]
    fewest = min(len(seen) for seen, _ in reached)
    return frozenset(min(seen) for seen, _ in reached if len(seen) == fewest), True


def _reach(record: str, parents: Mapping[str, set[str]]) -> set[str]:
    found, left = {record}, [record]
    while left:
        new = parents.get(left.pop(), set()) - found
        found |= new
        left += new
    return found


def confirmation(records: Iterable[str], told_of: Mapping[str, Told], also: Iterable[tuple[str, str]] = ()) -> Confirmation:
    """
    Say on what *records*, a cluster, rest; *told_of* holds what this recipient has, the cluster's own and what they were made from.

    A digest made from several reports stands for none of them that is not in the cluster itself: it may speak of other events too.
    """
    members, parents = sorted(set(records)), _parents(told_of, also)
    beginnings: set[str] = set()
    rings: set[str] = set()
    vouched = set(members)
    for record in members:
        ends, ring = _roots(record, parents)
        beginnings |= ends
        rings |= ends if ring else set()
        vouched |= ends if len(ends) == 1 else set()
    unknown = {end for end in beginnings if end not in told_of or not told_of[end].known} | (beginnings - vouched) | rings
    contacts = {end for end in beginnings - unknown if told_of[end].bare}
    return Confirmation(
        tuple(sorted(beginnings)),
        tuple(sorted(unknown)),
        tuple(sorted(contacts)),
        _independent(sorted(beginnings - unknown - contacts), told_of),
    )


def independent(one: str, other: str, told_of: Mapping[str, Told], also: Iterable[tuple[str, str]] = ()) -> bool | None:
    """
    Say whether two records have independent roots: False where they surely share one, None where it is not known.
    """
    parents = _parents(told_of, also)
    (mine, ring), (theirs, other_ring) = _roots(one, parents), _roots(other, parents)
    if mine & theirs:
        return False
    everything = [one, other, *mine, *theirs]
    if ring or other_ring or any(each not in told_of or not told_of[each].known for each in everything):
        return None
    return not any(_keys(told_of[here]) & _keys(told_of[there]) for here in mine for there in theirs)


def _keys(one: Told) -> frozenset[str]:
    return frozenset(" ".join(each.casefold().split()) for each in (one.source, *one.named))


def _independent(ends: list[str], told_of: Mapping[str, Told]) -> tuple[str, ...]:
    """Give many of which no two share a source: begun with each in turn, and the most taken. Of any two there are, it finds two."""
    keys = {end: _keys(told_of[end]) for end in ends}
    best: list[str] = []
    for first in ends:
        chosen = [first]
        for end in ends:
            if all(keys[end].isdisjoint(keys[other]) for other in chosen):
                chosen.append(end)
        best = max(best, chosen, key=len)
    return tuple(sorted(best))
