"""
What is written where an identifier belongs and is none: "unknown" in the languages of the region, signs, numbers of nobody.

A value that means *not known* is the same in thousands of reports, and correlation by it links them all: one system showed every
vessel of a State the report of one, since all were marked "-"; another linked half a million records by the value "5".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Final

from anyascii import anyascii
from pydantic import Field

from boutre.errors import Fault
from boutre.topics.strict import Declared, file_name, raise_all, read

FILE: Final = "identifiers.toml"

LONGEST: Final = 200
"""Characters of a value that is looked at. What is longer is a sentence, and no identifier."""

_APOSTROPHES: Final = re.compile(r"['`]")
_SIGNS: Final = re.compile(r"[^A-Z0-9]+")


def folded(raw: str) -> str:
    """
    Give a value in capitals, without accents, in Latin letters and digits, its words apart by single spaces.
    """
    return _SIGNS.sub(" ", _APOSTROPHES.sub("", anyascii(raw)).upper()).strip()


class Unknowns(Declared):
    """
    What is no identifier: *values* as people write them, *patterns* against what is left in capitals without spaces and signs.
    """

    values: tuple[str, ...] = ()
    patterns: tuple[str, ...] = ()


class MmsiRules(Unknowns):
    """
    For an MMSI: the range of the three digits that stand for a country, and what the table of countries says wrongly.
    """

    least_mid: int
    most_mid: int
    flags: Mapping[str, str] = {}


class CallSignRules(Unknowns):
    """
    For a call sign: the shapes that one may have, and the States of its first two characters.
    """

    shapes: tuple[str, ...] = Field(min_length=1)
    flags: Mapping[str, str] = {}


class ShortRules(Unknowns):
    """
    For what is written freely: how many letters and digits it takes to say something, and how many if all are digits.
    """

    shortest: int = Field(ge=2)
    shortest_digits: int = Field(ge=2)


class HolderRules(Declared):
    """
    When an identifier is held by too many: more than *subjects* within *window_days*, or by one faster than *fastest_kn* knots.
    """

    subjects: int = Field(ge=1)
    window_days: float = Field(gt=0)
    fastest_kn: float = Field(gt=0)


class IdentifierRules(Declared):
    """
    The declaration of identifiers, as it stands in ``identifiers.toml``.
    """

    version: int
    any: Unknowns
    mmsi: MmsiRules
    imo: Unknowns
    call_sign: CallSignRules = Field(alias="call-sign")
    registration: ShortRules
    marking: ShortRules
    name: ShortRules
    contradicted_by: Mapping[str, tuple[str, ...]]
    holders: HolderRules

    def of(self, attribute: str) -> Unknowns | None:
        """Give what is said of an attribute, a code of ``identity-attribute`` or ``marking``; None where nothing is."""
        found: Unknowns | None = {
            "mmsi": self.mmsi,
            "imo": self.imo,
            "call-sign": self.call_sign,
            "registration": self.registration,
            "marking": self.marking,
            "name": self.name,
        }.get(attribute)
        return found


ANY: Final = "any"
ATTRIBUTES: Final = ("mmsi", "imo", "call-sign", "registration", "marking", "name")


class Placeholders:
    """
    Says whether a value stands for *not known*. Made once of what is declared.

    Of an attribute that is not declared only what stands for nothing anywhere is none.
    """

    __slots__ = ("_patterns", "_values")

    def __init__(self, rules: IdentifierRules) -> None:
        self._values: dict[str, frozenset[str]] = {}
        self._patterns: dict[str, tuple[re.Pattern[str], ...]] = {}
        for attribute in (ANY, *ATTRIBUTES):
            said = (rules.any, rules.of(attribute) or rules.any)
            self._values[attribute] = frozenset(_compact(value) for one in said for value in one.values)
            self._patterns[attribute] = tuple(re.compile(each) for one in said for each in one.patterns)

    def holds(self, attribute: str, raw: str) -> bool:
        """Whether *raw* is no identifier: nothing but signs, a word for unknown, or a number that was given to nobody."""
        left, of = _compact(raw), attribute if attribute in self._values else ANY
        if not left or left in self._values[of]:
            return True
        return any(pattern.fullmatch(left) for pattern in self._patterns[of])


@cache
def own() -> Placeholders:
    """
    Give the engine's own list, for what has no bus at hand: in a wheel packed beside this file, in a checkout the root's.

    Raises DeclarationError where it cannot be read.
    """
    packed = Path(__file__).parent
    folder = packed if (packed / FILE).is_file() else packed.parents[3] / "processors" / "matching"
    faults: list[Fault] = []
    rules = load(folder, faults)
    raise_all(faults)
    assert rules is not None
    return Placeholders(rules)


def load(folder: Path, faults: list[Fault]) -> IdentifierRules | None:
    """
    Read ``identifiers.toml`` of *folder*; what is wrong is added to *faults*, and then there are no rules.
    """
    path = folder / FILE
    rules = read(path, IdentifierRules, faults)
    if rules is None:
        return None
    wrong = list(_faults(file_name(path), rules))
    faults.extend(wrong)
    return None if wrong else rules


def _compact(raw: str) -> str:
    return folded(raw).replace(" ", "")


def _faults(file: str, rules: IdentifierRules) -> Iterable[Fault]:
    if rules.mmsi.least_mid > rules.mmsi.most_mid:
        yield Fault(file, "mmsi.least_mid", "is above most_mid")
    for name in (ANY, *ATTRIBUTES):
        said = rules.any if name == ANY else rules.of(name)
        if said is not None:
            # A value of signs alone is a placeholder anyway, and would be declared in vain.
            yield from (
                Fault(file, f"{name}.values[{at + 1}]", "holds no letter and no digit")
                for at, one in enumerate(said.values)
                if not _compact(one)
            )
            yield from bad_patterns(file, f"{name}.patterns", said.patterns)
    yield from bad_patterns(file, "call-sign.shapes", rules.call_sign.shapes)
    for attribute, others in rules.contradicted_by.items():
        unknown = {attribute, *others} - set(ATTRIBUTES)
        yield from (
            Fault(file, f"contradicted_by.{attribute}", f"{name} is no attribute that is compared") for name in sorted(unknown)
        )


def bad_patterns(file: str, key: str, patterns: Iterable[str]) -> Iterable[Fault]:
    """
    Give a fault for each pattern that is no regular expression, or that what says nothing would match.
    """
    for number, pattern in enumerate(patterns, 1):
        try:
            empty = re.compile(pattern).fullmatch("")
        except re.error as error:
            yield Fault(file, f"{key}[{number}]", f"is no regular expression: {error}")
        else:
            if empty:
                yield Fault(file, f"{key}[{number}]", "matches what is empty")
