"""
How names are written by ear: what is declared of it, and one form for all spellings of a sound.

A name of the Comoros is written by a French clerk, an English one and its bearer in three ways, all of them right. Folding gives
one form for the three. It also makes one of some names that are two: that is why *the same after folding* is a level of its own,
and less than *the same*.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

from anyascii import anyascii
from pydantic import Field

from boutre.errors import Fault
from boutre.processors.matching.placeholders import bad_patterns, folded
from boutre.topics.strict import Declared, file_name, read

FILE: Final = "names.toml"
_ROUNDS: Final = 8


class SpellingRule(Declared):
    """
    That what *pattern* finds is written as *gives*; *why*, by names that show it.
    """

    pattern: str
    gives: str
    why: str


class ShipRules(Declared):
    """
    Words of ships' names, as ``names.toml`` explains them.
    """

    near: float = Field(gt=0, le=1)
    near_word: float = Field(gt=0, le=1)
    shortest_near: int = Field(ge=3)
    least_rarity: float = Field(ge=0, le=1)
    prefixes: tuple[str, ...]
    articles: tuple[str, ...]
    arabic: tuple[str, ...]
    assimilated: tuple[str, ...]
    former: tuple[str, ...]
    number: tuple[str, ...]
    generic: tuple[str, ...]
    frequent: tuple[str, ...]
    words: Mapping[str, str]
    numbers: Mapping[str, int]


class PersonRules(Declared):
    """
    Words of persons' names, as ``names.toml`` explains them.
    """

    near: float = Field(gt=0, le=1)
    shortest_near: int = Field(ge=3)
    years: int = Field(ge=0)
    titles: tuple[str, ...]
    shortest_cut: int = Field(ge=6)
    particles: tuple[str, ...]
    generic: tuple[str, ...]
    common: tuple[str, ...]
    forms: Mapping[str, tuple[str, ...]]


class NameRules(Declared):
    """
    The declaration of names, as it stands in ``names.toml``.
    """

    version: int
    spelling: tuple[SpellingRule, ...] = Field(min_length=1)
    ships: ShipRules
    persons: PersonRules


class Spelling:
    """
    The form that all spellings of a word have in common. Made once of what is declared.
    """

    __slots__ = ("_rules",)

    def __init__(self, rules: Iterable[SpellingRule]) -> None:
        self._rules = tuple((re.compile(rule.pattern), rule.gives) for rule in rules)

    def __call__(self, word: str) -> str:
        """
        Give what *word*, in small letters, is written as; the form of a form is itself.
        """
        for _ in range(_ROUNDS):
            given = word
            for pattern, gives in self._rules:
                word = pattern.sub(gives, word)
            if word == given:
                break
        return word


def words(raw: str) -> list[str]:
    """
    Give the words of a name in small Latin letters; a sign that elides ("l'", "d'") parts two words, any other apostrophe joins.
    """
    return folded(_ELIDED.sub(r"\1 ", anyascii(raw))).lower().split()


def phrases(said: Iterable[str]) -> tuple[tuple[str, ...], ...]:
    """
    Give phrases of a declaration as words, the longest first.
    """
    return tuple(sorted({tuple(words(one)) for one in said}, key=lambda one: (-len(one), one)))


def load(folder: Path, faults: list[Fault]) -> NameRules | None:
    """
    Read ``names.toml`` of *folder*; what is wrong is added to *faults*, and then there are no rules.
    """
    path = folder / FILE
    rules = read(path, NameRules, faults)
    if rules is None:
        return None
    wrong = list(_faults(file_name(path), rules))
    faults.extend(wrong)
    return None if wrong else rules


def _faults(file: str, rules: NameRules) -> Iterable[Fault]:
    for number, rule in enumerate(rules.spelling, 1):
        wrong = tuple(bad_patterns(file, "", (rule.pattern,)))
        yield from (replace(fault, key=f"spelling[{number}].pattern") for fault in wrong)
        if not wrong and (odd := _odd_groups(rule)):
            yield Fault(file, f"spelling[{number}].gives", f"names group {odd}, which the pattern has not")
    seen: dict[str, str] = {}
    for form, others in rules.persons.forms.items():
        for other in others:
            if other in rules.persons.forms or seen.setdefault(other, form) != form:
                yield Fault(file, f"persons.forms.{form}", f"{other} stands for two names")
    for table in ("words", "numbers"):
        for word in getattr(rules.ships, table):
            if words(word) != [word]:
                yield Fault(file, f"ships.{table}.{word}", "is not one word in small letters without accents")


def _odd_groups(rule: SpellingRule) -> str | None:
    groups = re.compile(rule.pattern).groups
    return next((each for each in re.findall(r"\\(\d+)", rule.gives) if int(each) > groups), None)


_ELIDED: Final = re.compile(r"\b([LlDd])['`]")
