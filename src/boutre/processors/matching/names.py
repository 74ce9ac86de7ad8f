"""
When two names of ships are one.

Every comparison gives a level; what a level is worth is learnt from data, and stands beside the model. A name that says nothing
("fishing boat", "unknown") is no name. Nothing of a name is ever logged, and an error holds none.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Final

from msgspec import Struct
from rapidfuzz.distance import OSA, JaroWinkler

from boutre.errors import Fault
from boutre.processors.matching import spelling
from boutre.processors.matching.placeholders import LONGEST, Placeholders
from boutre.processors.matching.spelling import NameRules, Spelling, phrases, words

EXACT: Final = "exact"
SPELLING: Final = "spelling"
TRANSLATED: Final = "translated"
NEAR: Final = "near"
PART: Final = "part"
COMMON: Final = "common"
DIFFERS: Final = "differs"
ABSENT: Final = "absent"
LEVELS: Final = (EXACT, SPELLING, TRANSLATED, NEAR, PART, COMMON, DIFFERS, ABSENT)
"""
What two ships' names come to: the same but for prefixes, articles, accents, signs and case; the same as they are spoken; the same
words in another language or order; nearly the same; one a part of the other; one that too many bear; different; not told by one
side.
"""

Rarity = Callable[[str], float]
"""Gives for a normal name 1 where one craft bears it, towards 0 where many do. Given by the caller, who knows how many."""

_ROMAN: Final = re.compile(r"(x{0,3})(ix|iv|v?i{0,3})")
_RUNS: Final = re.compile(r"[a-z]+|[0-9]+")
_GLUED: Final = re.compile(r"^[ae]([rsndtz])(?=\1)")
_LEAST: Final = 3
"""Letters that it takes for a name."""
_WORD: Final = 4
"""Letters that it takes for a word to stand for a whole name."""
_ARTICLE: Final = "al"


class Likeness(Struct, frozen=True):
    """
    What two names come to, and how similar they are as they are spoken, from 0 to 1.
    """

    level: str
    similarity: float


class ShipName(Struct, frozen=True):
    """
    A ship's name in its normal form: *words* without prefixes and articles, and *numbers*.

    *spoken* are the forms of it in one word, as it is spoken, and *sorted_words* its words in English, for another order.
    """

    words: tuple[str, ...]
    numbers: tuple[int, ...]
    spoken: tuple[str, ...]
    sorted_words: tuple[str, ...]

    @property
    def text(self) -> str:
        """The name in its normal form."""
        return " ".join((*self.words, *map(str, self.numbers)))


NOTHING: Final = Likeness(ABSENT, 0.0)
_STRENGTH: Final = {level: len(LEVELS) - at for at, level in enumerate(LEVELS)}


class ShipNames:
    """
    Normal forms and comparisons of ships' names, by what is declared. Made once; pure from then on.
    """

    __slots__ = ("_frequent", "_generic", "_prefixes", "_rules", "_spoken", "_unknown", "normal")

    normal: Callable[[str], tuple[ShipName, ...]]
    """Gives the names that a value holds, in their normal form, former ones too; nothing where it says nothing."""

    def __init__(self, rules: NameRules, unknown: Placeholders) -> None:
        self._rules = rules.ships
        self._spoken = Spelling(rules.spelling)
        self._unknown = unknown
        self._prefixes = phrases(rules.ships.prefixes)
        self._generic = {word for phrase in phrases(rules.ships.generic) for word in phrase}
        self._frequent = {self._spoken(word) for phrase in phrases(rules.ships.frequent) for word in phrase}
        # The names of one report are asked for with each of its rivals.
        self.normal = lru_cache(maxsize=8192)(self._normal)

    def compare(self, one: str, other: str, rarity: Rarity | None = None) -> Likeness:
        """
        Give what two names, as written, come to. Which comes first makes no difference; of former names the best pair counts.
        """
        pairs = ((a, b) for a in self.normal(one) for b in self.normal(other))
        return max((self._likeness(a, b, rarity) for a, b in pairs), key=_best, default=NOTHING)

    def best(self, some: Sequence[str], others: Sequence[str], rarity: Rarity | None = None) -> Likeness:
        """
        Give the best of all pairs, for reports that claim several names; absent where one claims none.
        """
        return max((self.compare(a, b, rarity) for a in some for b in others), key=_best, default=NOTHING)

    def _normal(self, raw: str) -> tuple[ShipName, ...]:
        if len(raw) > LONGEST or self._unknown.holds("name", raw):
            return ()
        found: list[list[str]] = [[]]
        for word in words(raw):
            if word in self._rules.former and found[-1]:
                found.append([])
            else:
                found[-1].append(word)
        names = (self._name(self._bare(each)) for each in found)
        return tuple(dict.fromkeys(name for name in names if name is not None))

    def _bare(self, said: list[str]) -> list[str]:
        # Without what stands before and behind a name: a prefix may follow another.
        while True:
            for phrase in self._prefixes:
                size = len(phrase)
                if len(said) > size and tuple(said[:size]) == phrase:
                    said = said[size:]
                    break
                if len(said) > size and tuple(said[-size:]) == phrase:
                    said = said[:-size]
                    break
            else:
                return [word for word in said if word not in self._rules.articles] or said

    def _name(self, said: list[str]) -> ShipName | None:
        runs = [run for word in said for run in _RUNS.findall(word)]
        kept: list[str] = []
        numbers: list[int] = []
        for at, run in enumerate(runs):
            following = runs[at + 1] if at + 1 < len(runs) else ""
            if run.isdecimal():
                numbers.append(int(run))
            elif run in self._rules.number and following.isdecimal():
                continue
            elif kept and not following and (number := self._number(run)) is not None:
                numbers.append(number)
            elif (run in self._rules.arabic and following) or (
                run in self._rules.assimilated and following and run[1:2] == following[:1]
            ):
                kept.append(_ARTICLE)
            else:
                kept.append(run)
        proper = [word for word in kept if len(word) > 1 and word not in self._generic and word != _ARTICLE]
        if not proper or sum(map(len, kept)) < _LEAST:
            return None
        bare = [word for word in kept if word != _ARTICLE]
        spoken = dict.fromkeys("".join(map(self._spoken, each)) for each in (kept, bare))
        # Written in one word, the article may have become like what follows it.
        spoken[self._spoken(_GLUED.sub(r"al\1", "".join(kept)))] = None
        spoken[self._spoken("".join(kept))] = None
        english = sorted(self._spoken(self._rules.words.get(word, word)) for word in bare)
        return ShipName(tuple(kept), tuple(sorted(numbers)), tuple(spoken), tuple(english))

    def _number(self, run: str) -> int | None:
        if run in self._rules.numbers:
            return self._rules.numbers[run]
        roman = _ROMAN.fullmatch(run)
        if roman is None:
            return None
        ones = {"": 0, "i": 1, "ii": 2, "iii": 3, "iv": 4, "v": 5, "vi": 6, "vii": 7, "viii": 8, "ix": 9}
        return 10 * len(roman[1]) + ones[roman[2]]

    def _likeness(self, one: ShipName, other: ShipName, rarity: Rarity | None) -> Likeness:
        similarity = max(similar(a, b) for a in one.spoken for b in other.spoken)
        level = self._level(one, other)
        if level != DIFFERS and self._too_common(one, other, level, rarity):
            level = COMMON
        return Likeness(level, similarity)

    def _level(self, one: ShipName, other: ShipName) -> str:
        if one.numbers != other.numbers:
            # Sister ships: a name that another number follows is another name. One without a number may be short for it.
            short, long = sorted((one, other), key=lambda name: len(name.numbers))
            return PART if not short.numbers and self._within(short, long) else DIFFERS
        if one.words == other.words:
            return EXACT
        if not set(one.spoken).isdisjoint(other.spoken):
            return SPELLING
        if one.sorted_words == other.sorted_words:
            return TRANSLATED
        if self._within(one, other) or self._within(other, one):
            return PART
        return NEAR if self._near(one, other) else DIFFERS

    def _near(self, one: ShipName, other: ShipName) -> bool:
        # People mishear the middle and the end of a name; one that begins otherwise is another.
        alike = (similar(a, b) for a in one.spoken for b in other.spoken if a[:1] == b[:1])
        shortest = min(len(name.spoken[0]) for name in (one, other))
        if shortest < self._rules.shortest_near or max(alike, default=0.0) < self._rules.near:
            return False
        if len(one.sorted_words) != len(other.sorted_words):
            return True
        # Ships of one fleet share most of their names: each word has to be alike, not the whole.
        pairs = zip(one.words, other.words, strict=False)
        return all(similar(self._spoken(a), self._spoken(b)) >= self._rules.near_word for a, b in pairs)

    def _within(self, short: ShipName, long: ShipName) -> bool:
        shared = set(short.sorted_words)
        telling = any(len(word) >= _WORD and word not in self._frequent and word not in self._generic for word in shared)
        return telling and shared <= set(long.sorted_words)

    def _too_common(self, one: ShipName, other: ShipName, level: str, rarity: Rarity | None) -> bool:
        if rarity is not None and min(rarity(one.text), rarity(other.text)) < self._rules.least_rarity:
            return True
        alone = min(one, other, key=lambda name: (len(name.sorted_words), name.text)).sorted_words
        return level != PART and len(alone) == 1 and alone[0] in self._frequent and not one.numbers


def load(folder: Path, unknown: Placeholders, faults: list[Fault]) -> tuple[ShipNames, NameRules] | None:
    """
    Read the declaration of names in *folder*; what is wrong is added to *faults*, and then there is nothing to compare by.
    """
    rules = spelling.load(folder, faults)
    return None if rules is None else (ShipNames(rules, unknown), rules)


def counted(names: Iterable[str]) -> Rarity:
    """
    Give the rarity of names by how many craft bear them; *names* are normal ones, one for each craft.
    """
    bearers = Counter(names)
    return lambda name: 1 / max(1, bearers[name])


def similar(one: str, other: str) -> float:
    """
    Give how similar two words are, from 0 to 1, rounded, since it becomes evidence.

    It is the mean of a measure that counts slips of hand, and one that forgives what stands at the end.
    """
    return round((OSA.normalized_similarity(one, other) + JaroWinkler.similarity(one, other)) / 2, 4)


def _best(likeness: Likeness) -> tuple[int, float]:
    return _STRENGTH[likeness.level], likeness.similarity
