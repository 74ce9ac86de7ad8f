"""
When two names of persons are one: conservative, since a person who is taken for another pays for it.

Names of the Comoros are a name and a father's, and either may stand alone; Malagasy names are long and get cut; one Muslim name is
written in twenty ways and borne by thousands. So a single name never links, nor one that is common through and through. No name
is logged.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import permutations
from typing import Final

from msgspec import Struct

from boutre.processors.matching.names import similar
from boutre.processors.matching.placeholders import LONGEST, Placeholders
from boutre.processors.matching.spelling import NameRules, Spelling, phrases, words

EXACT: Final = "exact"
SPELLING: Final = "spelling"
ORDER: Final = "order"
NEAR: Final = "near"
CUT: Final = "cut"
PART: Final = "part"
COMMON: Final = "common"
SINGLE: Final = "single"
DIFFERS: Final = "differs"
ABSENT: Final = "absent"
LEVELS: Final = (EXACT, SPELLING, ORDER, CUT, NEAR, PART, COMMON, SINGLE, DIFFERS, ABSENT)
"""
What two persons' names come to: the same but for accents, signs, case and titles; the same as they are spoken; that in another
order; one broken off where a form had no more room; all words but one, and that nearly; one a part of the other; the same of
words that everybody is called; the same as far as one word goes; different; not told by one side.
"""

SAME: Final = "same"

_MOST_WORDS: Final = 6
"""Words that are set against each other in every order; of longer names the orders are too many."""

_SERVANT: Final = re.compile(r"abd(?:ou|oo|u|e)(?:l|([rsndzt])(?=\1))?(?=[a-z]{4})(?!l?lah?$)")
"""How "servant of the" begins a word in one; "servant of God" has spellings of its own."""


class PersonName(Struct, frozen=True):
    """
    A person's name: its *words* as they were written, without titles and particles, and as they are *spoken*.
    """

    words: tuple[str, ...]
    spoken: tuple[str, ...]


class PersonNames:
    """
    Normal forms and comparisons of persons' names, by what is declared. Made once; pure from then on.
    """

    __slots__ = ("_common", "_forms", "_generic", "_particles", "_rules", "_spoken", "_titles", "_unknown")

    def __init__(self, rules: NameRules, unknown: Placeholders) -> None:
        self._rules = rules.persons
        self._unknown = unknown
        self._spoken = Spelling(rules.spelling)
        self._titles = phrases(rules.persons.titles)
        self._particles = set(rules.persons.particles)
        self._generic = {word for phrase in phrases(rules.persons.generic) for word in phrase}
        self._forms: dict[str, str] = {}
        for form, others in rules.persons.forms.items():
            for each in (form, *others):
                self._forms.setdefault(self._spoken(each), self._spoken(form))
        self._common = {self._speak(word) for word in rules.persons.common}

    def normal(self, raw: str) -> PersonName | None:
        """
        Give the normal form of a name; None where it says nothing.
        """
        if len(raw) > LONGEST or self._unknown.holds("name", raw):
            return None
        said = _joined([word for word in self._untitled(words(raw)) if word not in self._generic])
        kept = self._untitled([word for word in said if word not in self._particles] or said)
        if not any(len(word) > 1 for word in kept):
            return None
        return PersonName(tuple(kept), tuple(self._speak(word) for word in kept))

    def compare(self, one: str, other: str) -> str:
        """
        Give the level of two names, as written; which comes first makes no difference.
        """
        a, b = self.normal(one), self.normal(other)
        if a is None or b is None:
            return ABSENT
        level = self._level(a, b)
        if level in {EXACT, SPELLING, ORDER, PART, NEAR, CUT}:
            shared = set(a.spoken) & set(b.spoken)
            if level == CUT:
                shared = set(min(a, b, key=lambda name: sum(map(len, name.words))).spoken)
            if min(len(a.words), len(b.words)) == 1:
                return SINGLE
            if shared <= self._common:
                return COMMON
        return level

    def years(self, one: int | None, other: int | None) -> str:
        """
        Give the level of two years of birth: ``same``, ``near``, as far as estimates err, ``differs`` or ``absent``.
        """
        if one is None or other is None:
            return ABSENT
        if one == other:
            return SAME
        return NEAR if abs(one - other) <= self._rules.years else DIFFERS

    def may_be_one(self, name: str, years: str) -> bool:
        """
        Whether the levels of name and year of birth suffice to propose that two reports are of one person.

        A year that contradicts forbids it. Without a year only the same words in the same order do; a single name or a common one
        never does.
        """
        if years == DIFFERS:
            return False
        return name in ({EXACT, SPELLING} if years == ABSENT else {EXACT, SPELLING, ORDER, CUT, NEAR, PART})

    def _untitled(self, said: list[str]) -> list[str]:
        while title := next((each for each in self._titles if len(said) > len(each) and tuple(said[: len(each)]) == each), None):
            said = said[len(title) :]
        return said

    def _speak(self, word: str) -> str:
        spoken = self._spoken(word)
        return self._forms.get(spoken, spoken)

    def _level(self, one: PersonName, other: PersonName) -> str:
        if one.words == other.words:
            return EXACT
        if one.spoken == other.spoken:
            return SPELLING
        if sorted(one.spoken) == sorted(other.spoken):
            return ORDER
        if self._cut(one.words, other.words) or self._cut(other.words, one.words):
            return CUT
        shared = set(one.spoken) & set(other.spoken)
        if len(shared) == min(len(set(one.spoken)), len(set(other.spoken))):
            return PART
        return NEAR if self._near(one.spoken, other.spoken) else DIFFERS

    def _cut(self, short: Sequence[str], long: Sequence[str]) -> bool:
        # Whole words but the last, which the other's begins with, in so many letters that this is no chance.
        last = len(short) - 1
        if last >= len(long) or sum(map(len, short)) < self._rules.shortest_cut:
            return False
        return tuple(short[:last]) == tuple(long[:last]) and long[last].startswith(short[last])

    def _near(self, one: Sequence[str], other: Sequence[str]) -> bool:
        if len(one) != len(other) or not 1 < len(one) <= _MOST_WORDS:
            return False
        return any(self._all_but_one(order, other) for order in permutations(one))

    def _all_but_one(self, one: Sequence[str], other: Sequence[str]) -> bool:
        odd = [(a, b) for a, b in zip(one, other, strict=True) if a != b]
        if len(odd) != 1:
            return False
        (a, b) = odd[0]
        # Two names that everybody knows are two names, however alike: Hassan and Hussein.
        if {a, b} <= self._common or min(len(a), len(b)) < self._rules.shortest_near:
            return False
        return similar(a, b) >= self._rules.near


def _joined(said: list[str]) -> list[str]:
    # "Abdoul Karim", "Abd El Karim" and "Abdulkarim" are one word each, servant of; so are "Abdur-Rahman" and "Abdourahmane".
    found: list[str] = []
    at = 0
    while at < len(said):
        word, following = said[at], said[at + 1 : at + 3]
        if word == "abd" and len(following) > 1 and len(following[0]) == 2:  # noqa: PLR2004 - an article has two letters
            word = "abdul" + following[1]
            at += 2
        elif word in _SERVANTS and following:
            word = "abdul" + following[0]
            at += 1
        found.append(_SERVANT.sub("abdul", word, count=1) if word.startswith("abd") else word)
        at += 1
    return found


_SERVANTS: Final = {f"abd{vowel}{end}" for vowel in ("ou", "u", "e", "oo") for end in "lrsndz"}
