"""
Why two reports are linked, in a sentence of each language that is built from the evidence, and from nothing else.

What a comparison came to is said in the words of the catalogue (``matching.<comparison>.<level>``); where it has none, what was
compared is named, which is true of every level. How much it weighs is said always. No value of a record is in it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from babel.numbers import format_decimal

from boutre.language import LANGUAGES, both, catalogue, say
from boutre.processors.links.link import Judgement, Link
from boutre.processors.matching.found import Evidence

FOR: Final = 3
"""How much of what speaks for a link is said; the record holds all of it."""

SPEAKS: Final = 0.05
"""Bits below which a comparison says nothing either way: it changes odds by less than one part in 28."""

WEIGHTS: Final = (("strongly", math.log2(10)), ("clearly", math.log2(3)), ("slightly", 0.0))
"""Words for weights, and from how many bits they hold: odds ten times as high, three times as high, anything less."""

CHANCES: Final[Mapping[str, tuple[float, ...]]] = {
    "en": (0.05, 0.20, 0.45, 0.55, 0.80, 0.95),
    "fr": (0.165, 0.40, 0.615, 0.87),
}
"""
The most that each step of a language's scale holds, but for its last. English: seven steps of estimative language. French: five,
given as 7, 30 ± 10, 50 ± 10, 75 ± 12 and 93 ± 6 %; between two of them the nearer is said. The two do not line up.
"""

LEAST: Final = 0.01
MOST: Final = 0.99
"""Beyond these no rule's probability is said: no calibration reaches further."""


def chance(probability: float, language: str) -> str:
    """
    Give the words that *language* has for a probability from 0 to 1.
    """
    steps = CHANCES[language if language in CHANCES else LANGUAGES[0]]
    step = sum(probability > most for most in steps) + 1
    return say(f"link.chance.{language}-{step}", language)


def number(probability: float, language: str) -> str:
    """
    Give a probability as a number of two decimals in the form of *language*; never 0 or 1, which no evidence gives.
    """
    sign = "> " if probability > MOST else "< " if probability < LEAST else ""
    return sign + format_decimal(min(max(probability, LEAST), MOST), format="0.00", locale=language)


def told(evidence: Evidence) -> dict[str, str]:
    """
    Say in both languages what one comparison says and how much it weighs.
    """
    return {language: _weighed(evidence, language) for language in LANGUAGES}


def explain(link: Link) -> dict[str, str]:
    """
    Say in both languages why *link* is what it is: the three that speak most for it, and the one that speaks most against it.
    """
    kind = {language: say(f"link.type.{link.type}", language) for language in LANGUAGES}
    if link.rule is None and link.stands:
        return both("link.by-person", kind=kind, by=link.by)
    return _with_what_became(both("link.said-by-person", kind=kind) if link.rule is None else _because(link, kind), link)


def _because(link: Link, kind: Mapping[str, str]) -> dict[str, str]:
    speaking = sorted((one for one in link.evidence if abs(one.bits) >= SPEAKS), key=_order)
    for_, against = [one for one in speaking if one.bits > 0][:FOR], [one for one in speaking if one.bits < 0][:1]
    words: dict[str, Any] = {
        "kind": kind,
        "chance": {language: chance(link.probability, language) for language in LANGUAGES},
        "number": {language: number(link.probability, language) for language in LANGUAGES},
        "pro": _listed(for_),
        "contra": _listed(against),
    }
    return both("link.because", **words) if for_ or against else both("link.without-evidence", **words)


def _with_what_became(sentence: dict[str, str], link: Link) -> dict[str, str]:
    status = f"link.judged.{link.status}-{link.reason}" if link.reason else f"link.judged.{link.status}"
    if status not in catalogue():
        return sentence
    judged = both(status, by=link.by)
    return {language: f"{sentence[language]} {judged[language]}" for language in LANGUAGES}


def judged_by(judgement: Judgement) -> dict[str, str]:
    """
    Say in both languages what a person said of two records.
    """
    said = {language: say(f"link.verdict.{judgement.verdict}", language) for language in LANGUAGES}
    return both("link.verdict-by", said=said, by=judgement.by)


def _order(one: Evidence) -> tuple[float, str, str]:
    return -abs(one.bits), one.comparison, one.level


def _listed(evidence: Iterable[Evidence]) -> dict[str, str]:
    listed = list(evidence)
    return {language: ", ".join(_weighed(one, language) for one in listed) for language in LANGUAGES}


def _weighed(one: Evidence, language: str) -> str:
    if abs(one.bits) < SPEAKS:
        return say("link.weight.nothing", language, what=_what(one, language))
    weight = next(name for name, least in WEIGHTS if abs(one.bits) >= least)
    return say("link.weighed", language, what=_what(one, language), weight=say(f"link.weight.{weight}", language))


def _what(one: Evidence, language: str) -> str:
    known = catalogue()
    return next(say(key, language, comparison=one.comparison) for key in _candidates(one) if key in known)


def _candidates(one: Evidence) -> Iterator[str]:
    """From the most exact words to those that are always true."""
    yield f"matching.{one.comparison}.{one.level}"
    yield f"matching.{one.comparison}.compared"
    yield "matching.compared"
