"""
*Follows*: somebody acted on a craft that was seen before. An interception follows a sighting or a warning, and never the reverse.

By name: the interception says of which report its own is another (``lifecycle.repeats``) or from which it was made. By evidence:
a rule is all but sure that both are of one craft, and the sighting was over before the interception began, however the times err.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from boutre.processors.links.directed import Directed, Known, directed
from boutre.processors.matching.found import FOLLOWS, SAME_CRAFT, Evidence, Found
from boutre.processors.matching.sighted import Sighted

NAMED: Final = "named@1"
AFTER: Final = "after@1"
"""The rules: by name, and by evidence."""

ACTS: Final = frozenset({"interception"})
SEES: Final = frozenset({"sighting", "alert"})
"""Kinds of records: what may follow, and what it may follow."""

SAID: Final = 0.99
NAMES_IT: Final = Evidence("reference", "named", 6.63)
"""As many bits as bring even odds to that probability."""

STRONG: Final = 0.9
"""The probability of one craft from which the order of two reports says that one followed the other."""

APART_S: Final = 300.0
"""Seconds that lie between the end of one and the beginning of the other at least, beyond what both say that they may err."""

LONGEST_S: Final = 14 * 3600.0
"""Seconds after which nothing follows any more: a crossing is over by then."""

BEFORE: Final = Evidence("order", "before", 0.0)
"""That order was looked at: it says which was first, and nothing of whether they are of one craft."""


def references(value: Mapping[str, Any]) -> tuple[str, ...]:
    """
    Give the records that a record, or a view of one, says it belongs to, by the names that its reader has for them.
    """
    lifecycle, provenance = value.get("lifecycle"), value.get("provenance")
    repeats = lifecycle.get("repeats") if isinstance(lifecycle, Mapping) else None
    named = [repeats.get("id")] if isinstance(repeats, Mapping) else []
    named += (provenance.get("derived_from") or ()) if isinstance(provenance, Mapping) else ()
    return tuple(dict.fromkeys(each for each in named if isinstance(each, str) and each))


def named(reports: Iterable[Sighted], names: Mapping[str, Iterable[str]]) -> tuple[Directed, ...]:
    """
    Give the links by name among *reports*; *names* has for the id of each what ``references`` gives of it.

    A name that times contradict, of something that began after the interception was over, makes no link: it is another's.
    """
    known = Known(reports)
    return tuple(
        directed(first, name, FOLLOWS, NAMED, SAID, (NAMES_IT,))
        for name, one in known.reports.items()
        if one.kind in ACTS
        for first in sorted(_named(known, one, names.get(name, ())))
        if known.reports[first].kind in SEES and not _over(one, known.reports[first], 0.0)
    )


def _named(known: Known, one: Sighted, names: Iterable[str]) -> frozenset[str]:
    found = (known.named(each) for each in names)
    own = known.line(one.id)
    return frozenset(each for each in found if each is not None and own.isdisjoint(known.line(each)))


def after(reports: Iterable[Sighted], links: Iterable[Found], named_already: Iterable[Directed] = ()) -> tuple[Directed, ...]:
    """
    Give the links by evidence: a sighting or a warning, and a later interception that *links* say is all but surely of one craft.

    Two *reports* of which one was made from the other are no two events, and what was found by name is not found again.
    """
    known = Known(reports)
    told = {(one.found.a, one.found.b) for one in named_already}
    made = {
        (link.a, link.b): directed(first.id, second.id, FOLLOWS, AFTER, min(link.probability, SAID), (*link.evidence, BEFORE))
        for link in sorted(links, key=lambda link: (link.probability, link.rule))
        if link.type == SAME_CRAFT and link.probability >= STRONG and (link.a, link.b) not in told
        for first, second in _ordered(known, link)
    }
    return tuple(made[pair] for pair in sorted(made))


def _ordered(known: Known, link: Found) -> Iterator[tuple[Sighted, Sighted]]:
    one, other = known.reports.get(link.a), known.reports.get(link.b)
    if one is None or other is None or one.id == other.id:
        return
    first, second = (one, other) if other.kind in ACTS else (other, one)
    if first.kind not in SEES or second.kind not in ACTS or _of_one_report(known, first, second):
        return
    if _over(first, second, APART_S) and _gap_s(first, second) <= LONGEST_S:
        yield first, second


def _of_one_report(known: Known, one: Sighted, other: Sighted) -> bool:
    mine, theirs = known.line(one.id), known.line(other.id)
    return bool(mine & theirs or mine & set(other.derived_from) or theirs & set(one.derived_from))


def _over(one: Sighted, other: Sighted, apart_s: float) -> bool:
    """Whether *one* was surely over so long before *other* began; not where either does not say when it was."""
    return one.at is not None and other.at is not None and _gap_s(one, other) > apart_s


def _gap_s(one: Sighted, other: Sighted) -> float:
    return ((other.at or 0.0) - other.within_s) - ((one.at or 0.0) + one.within_s)
