"""
*Derived from*: a record that says from which other it was made, such as what a centre broadcasts of a member's report.

Only what is said makes such a link. A copy that does not say so looks like a second witness, and no likeness proves that it is
none; so it is left to people, and to the sources that both name (``provenance.py``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from boutre.processors.links.directed import Directed, Known, directed
from boutre.processors.matching.found import DERIVED_FROM, Evidence
from boutre.processors.matching.sighted import Sighted

RULE: Final = "provenance@1"

SAID: Final = 0.99
"""The record says so, and no machine is surer of anything."""

EVIDENCE: Final = (Evidence("provenance", "named", 6.63),)
"""As many bits as bring even odds to that probability."""


def derived(reports: Iterable[Sighted]) -> tuple[Directed, ...]:
    """
    Give a link from every original to what was made from it, of the *reports* that a recipient has.

    It depends on the set of reports alone. Records that are made from each other in a ring get no link among one another: at
    least one of them errs, and nobody knows which, so each direction may be wrong. ``provenance.roots`` knows the ring by itself.
    A revision is no copy of what it takes the place of.
    """
    known = Known(reports)
    parents = {name: _parents(known, one) for name, one in known.reports.items()}
    return tuple(
        directed(parent, name, DERIVED_FROM, RULE, SAID, EVIDENCE)
        for name in parents
        for parent in sorted(parents[name])
        if not _reaches(parent, name, parents)
    )


def _parents(known: Known, one: Sighted) -> frozenset[str]:
    # What this record takes the place of, and what takes the place of it, is the same report.
    own = known.line(one.id)
    named = (known.named(each) for each in one.derived_from)
    return frozenset(each for each in named if each is not None and own.isdisjoint(known.line(each)))


def _reaches(start: str, end: str, parents: Mapping[str, frozenset[str]]) -> bool:
    seen, left = {start}, [start]
    while left:
        for each in parents.get(left.pop(), frozenset()) - seen:
            if each == end:
                return True
            seen.add(each)
            left.append(each)
    return False
