"""
What matching finds: that two reports are likely of one, how likely, and the evidence for it.
"""

from __future__ import annotations

from typing import Final

from msgspec import Struct

SAME_CRAFT: Final = "same-craft"
SAME_EVENT: Final = "same-event"
SAME_PERSON: Final = "same-person"
FOLLOWS: Final = "follows"
DERIVED_FROM: Final = "derived-from"
"""Types of links, codes of the vocabulary ``link-type``."""


class Evidence(Struct, frozen=True):
    """
    One comparison of two reports: the level that it came to, and what that level says.

    *bits* is the binary logarithm of the factor by which it changes the odds: 1 doubles them, -1 halves them.
    """

    comparison: str
    level: str
    bits: float


class Found(Struct, frozen=True):
    """
    That reports *a* and *b* are of one craft or event (*type*), by *rule* (``name@version``), with a probability from 0 to 1.

    *a* is the lesser id: the same two reports give the same value, whichever was asked about first.
    """

    a: str
    b: str
    type: str
    rule: str
    probability: float
    evidence: tuple[Evidence, ...] = ()


def found(  # noqa: PLR0917 - the fields of what it makes, in their order
    one: str, other: str, type_: str, rule: str, probability: float, evidence: tuple[Evidence, ...] = ()
) -> Found:
    """
    Make a value of what was found of two reports, in whichever order they are named.
    """
    return Found(min(one, other), max(one, other), type_, rule, probability, evidence)
