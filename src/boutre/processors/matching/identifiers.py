"""
When two identifiers are one: each attribute by its own rules, and none where a value says nothing.

Every comparison gives a level, a word from `LEVELS`; what a level is worth is learnt from data, and stands beside the model. What
is no identifier is never the same as anything, not even as itself.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache, lru_cache
from pathlib import Path
from typing import Final

from babel import Locale
from babel.core import get_global
from msgspec import Struct
from rapidfuzz.distance import OSA

from boutre.errors import Fault
from boutre.processors.matching import placeholders
from boutre.processors.matching.placeholders import LONGEST, IdentifierRules, Placeholders, ShortRules, folded

SAME: Final = "same"
CONTRADICTED: Final = "same-contradicted"
TOO_COMMON: Final = "same-too-common"
NEAR: Final = "near"
DIFFERS: Final = "differs"
ABSENT: Final = "absent"
LEVELS: Final = (SAME, CONTRADICTED, TOO_COMMON, NEAR, DIFFERS, ABSENT)
"""
What a comparison of one attribute comes to: *same*; the same while an attribute that outranks it differs; the same, of a value
that too many hold; one slip of hand apart; different; not told by one side, or told by nothing that identifies.
"""

COMPARED: Final = ("imo", "mmsi", "call-sign", "registration", "marking", "flag")
"""Attributes that are compared here. Names have a room of their own."""

SHIP: Final = "ship"
AUXILIARY: Final = "craft-of-parent"
HULLS: Final = frozenset({SHIP, AUXILIARY})
"""Kinds of MMSI that stand for a hull. A distress transmitter or a coast station may be heard from beside many."""

_LOOK_ALIKE: Final = str.maketrans("OQISBZ", "001582")
_LEAST_NEAR: Final = 6
"""Letters and digits that it takes for one slip of hand to be told from another identifier."""

_MMSI_KINDS: Final = (
    # By what a number begins with, the longest first, with where its country's digits stand; ITU-R M.585-9.
    ("970", "search-and-rescue-transmitter", None),
    ("972", "man-overboard", None),
    ("974", "emergency-beacon", None),
    ("111", "aircraft", 3),
    ("99", "aid-to-navigation", 2),
    ("98", AUXILIARY, 2),
    ("00", "coast-station", 2),
    ("8", "handheld", 1),
    ("0", "group", 1),
)


class Identifier(Struct, frozen=True):
    """
    A value by which something can be known again, in its normal form.

    *kind* says what has it, where the value tells (an MMSI does); *flag* the State that its first characters stand for, ISO 3166
    alpha-2, which is information and no link. *links* says whether two hulls that claim it may be one.
    """

    attribute: str
    value: str
    kind: str = ""
    flag: str | None = None
    links: bool = True


class Unusable(Struct, frozen=True):
    """
    That a value identifies nothing, and why.

    *reason* is ``placeholder``, ``malformed``, ``range``, ``check-digit``, ``short``, ``long`` or ``attribute`` (not known).
    *remains* is what of it can still be compared nearly: the seven digits of an IMO number that somebody wrote wrongly.
    """

    attribute: str
    reason: str
    remains: str = ""


class Identifiers:
    """
    Normal forms and comparisons by what is declared. Made once; pure from then on.
    """

    __slots__ = ("_flags", "_shapes", "normal", "rules", "unknown")

    normal: Callable[[str, str], Identifier | Unusable]
    """Gives the normal form of an attribute's value, or why it identifies nothing. The normal form of a normal form is itself."""

    def __init__(self, rules: IdentifierRules) -> None:
        # What one report claims is asked for with each of its rivals.
        self.normal = lru_cache(maxsize=8192)(self._normal)
        self.rules = rules
        self.unknown = Placeholders(rules)
        self._shapes = tuple(re.compile(shape) for shape in rules.call_sign.shapes)
        self._flags = {**_flags_of_mids(), **rules.mmsi.flags}

    def _normal(self, attribute: str, raw: str) -> Identifier | Unusable:
        if attribute == "flag":
            return _flag(raw)
        if attribute not in placeholders.ATTRIBUTES:
            return Unusable(attribute, "attribute")
        if len(raw) > LONGEST or self.unknown.holds(attribute, raw):
            return Unusable(attribute, "long" if len(raw) > LONGEST else "placeholder")
        return self._read(attribute, raw)

    def compare(
        self,
        one: Sequence[tuple[str, str]],
        other: Sequence[tuple[str, str]],
        too_common: Callable[[str, str], bool] | None = None,
    ) -> dict[str, str]:
        """
        Give the level of each attribute of `COMPARED` for the claims of two reports, (attribute, value) as written.

        Where a side claims several values the best pair counts: one hull may have had several numbers. *too_common* says of an
        attribute and a normal value whether too many hold it. Which side is which makes no difference.
        """
        mine, theirs = self._by_attribute(one), self._by_attribute(other)
        levels = {attribute: _level(attribute, mine.get(attribute, ()), theirs.get(attribute, ())) for attribute in COMPARED}
        for attribute, level in tuple(levels.items()):
            if level != SAME:
                continue
            values = _values(mine[attribute]) & _values(theirs[attribute])
            if too_common is not None and all(too_common(attribute, value) for value in values):
                levels[attribute] = TOO_COMMON
            elif any(levels[name] == DIFFERS for name in self.rules.contradicted_by.get(attribute, ())):
                levels[attribute] = CONTRADICTED
        return levels

    def keys(self, claims: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
        """
        Give what of *claims* reports may be looked up by: normal values that identify a hull, each once, a flag not among them.
        """
        found = (self.normal(attribute, raw) for attribute, raw in claims if attribute not in {"name", "flag"})
        return tuple(sorted({(one.attribute, one.value) for one in found if isinstance(one, Identifier) and one.links}))

    def _by_attribute(self, claims: Sequence[tuple[str, str]]) -> dict[str, list[Identifier | Unusable]]:
        found: dict[str, list[Identifier | Unusable]] = {}
        for attribute, raw in claims:
            if attribute in COMPARED:
                found.setdefault(attribute, []).append(self.normal(attribute, raw))
        return found

    def _read(self, attribute: str, raw: str) -> Identifier | Unusable:
        compact = folded(raw).replace(" ", "")
        match attribute:
            case "mmsi":
                return self._mmsi(compact)
            case "imo":
                return self._imo(compact)
            case "call-sign":
                return self._call_sign(compact)
            case _:
                return self._free(attribute, folded(raw) if attribute == "name" else compact)

    def _mmsi(self, compact: str) -> Identifier | Unusable:
        digits = compact.removeprefix("MMSI")
        if len(digits) != 9 or not digits.isdecimal():  # noqa: PLR2004 - an MMSI has nine digits
            return Unusable("mmsi", "malformed")
        if self.unknown.holds("mmsi", digits):
            return Unusable("mmsi", "placeholder")
        kind, at = next(((kind, at) for begin, kind, at in _MMSI_KINDS if digits.startswith(begin)), (SHIP, 0))
        if at is None:
            return Identifier("mmsi", digits, kind, None, links=False)
        mid = digits[at : at + 3]
        if not self.rules.mmsi.least_mid <= int(mid) <= self.rules.mmsi.most_mid:
            return Unusable("mmsi", "range")
        return Identifier("mmsi", digits, kind, self._flags.get(mid), links=kind in HULLS)

    def _imo(self, compact: str) -> Identifier | Unusable:
        digits = compact.removeprefix("IMO").removeprefix("NUMBER").removeprefix("NO")
        if len(digits) != 7 or not digits.isdecimal():  # noqa: PLR2004 - an IMO number has seven digits
            return Unusable("imo", "malformed")
        if self.unknown.holds("imo", digits):
            return Unusable("imo", "placeholder")
        if digits[0] == "0":
            return Unusable("imo", "range")
        return Identifier("imo", digits) if checks(digits) else Unusable("imo", "check-digit", digits)

    def _call_sign(self, compact: str) -> Identifier | Unusable:
        if not any(shape.fullmatch(compact) for shape in self._shapes):
            return Unusable("call-sign", "malformed")
        series = compact[:2]
        flag = "FR" if series[0] == "F" else self.rules.call_sign.flags.get(series)
        return Identifier("call-sign", compact, SHIP, flag)

    def _free(self, attribute: str, value: str) -> Identifier | Unusable:
        rules = self.rules.of(attribute)
        assert isinstance(rules, ShortRules)
        compact = value.replace(" ", "")
        least = rules.shortest_digits if compact.isdecimal() else rules.shortest
        return Identifier(attribute, value) if len(compact) >= least else Unusable(attribute, "short")


def load(folder: Path, faults: list[Fault]) -> Identifiers | None:
    """
    Read the declaration of identifiers in *folder*; what is wrong is added to *faults*, and then there is nothing to compare by.
    """
    rules = placeholders.load(folder, faults)
    return None if rules is None else Identifiers(rules)


def checks(digits: str) -> bool:
    """
    Whether the last of seven digits is the check digit of an IMO number: the others times 7 to 2, modulo 10.

    It does not catch everything. A digit that is wrong is seen but for the third, if it errs by an even number, and the second,
    fourth and sixth, if it errs by five; see `unseen`.
    """
    weighed = sum(int(digit) * weight for digit, weight in zip(digits, range(7, 1, -1), strict=False))
    return weighed % 10 == int(digits[6])


def unseen(place: int, by: int) -> bool:
    """
    Whether the check digit overlooks an error of one digit: *place* from 0, *by* the difference of the digits.
    """
    return place < 6 and (7 - place) * by % 10 == 0  # noqa: PLR2004 - the seventh digit is the check digit itself


def _level(attribute: str, one: Sequence[Identifier | Unusable], other: Sequence[Identifier | Unusable]) -> str:
    mine, theirs = _values(one), _values(other)
    if mine and theirs and mine & theirs:
        return SAME
    if any(_near(attribute, a, b) for a in _comparable(one) for b in _comparable(other)):
        return NEAR
    return DIFFERS if mine and theirs else ABSENT


def _values(found: Sequence[Identifier | Unusable]) -> set[str]:
    return {one.value for one in found if isinstance(one, Identifier) and one.links}


def _comparable(found: Sequence[Identifier | Unusable]) -> Iterator[tuple[str, bool]]:
    # What can be compared nearly, and whether it stands by itself.
    for one in found:
        if isinstance(one, Unusable):
            if one.remains:
                yield one.remains, False
        elif one.links:
            yield one.value, True


def _near(attribute: str, one: tuple[str, bool], other: tuple[str, bool]) -> bool:
    (a, a_stands), (b, b_stands) = one, other
    if attribute == "imo":
        # Two numbers that both check are two ships; where one fails it may be the other, one digit wrong or two changed about. Two
        # that fail are two misreadings.
        return a_stands != b_stands and OSA.distance(a, b, score_cutoff=1) <= 1 and len(a) == len(b)
    if attribute == "mmsi":
        return len(a) == len(b) and OSA.distance(a, b, score_cutoff=1) <= 1
    if attribute == "flag" or min(len(a), len(b)) < _LEAST_NEAR:
        return False
    return a.translate(_LOOK_ALIKE) == b.translate(_LOOK_ALIKE) or OSA.distance(a, b, score_cutoff=1) <= 1


def _flag(raw: str) -> Identifier | Unusable:
    code = _states().get(folded(raw)) if len(raw) <= LONGEST else None
    return Unusable("flag", "malformed") if code is None else Identifier("flag", code, flag=code)


@cache
def _states() -> Mapping[str, str]:
    # ISO 3166 alpha-2 and alpha-3 and the names of States in both languages, as CLDR has them.
    found: dict[str, str] = {}
    for language in ("en", "fr"):
        for code, name in Locale(language).territories.items():
            if len(code) == 2 and code.isalpha() and code not in {"ZZ", "EU", "EZ", "UN", "XA", "XB", "QO"}:  # noqa: PLR2004 - alpha-2
                found[code] = code
                found.setdefault(folded(name), code)
    for alias, codes in get_global("territory_aliases").items():
        if len(alias) == 3 and alias.isalpha() and len(codes) == 1:  # noqa: PLR2004 - alpha-3
            found.setdefault(alias, codes[0])
    return found


@cache
def _flags_of_mids() -> Mapping[str, str]:
    # Numbers of countries are allotted anew each year: one that the table lacks has no flag, and is no error.
    from pyais.constants import COUNTRY_MAPPING  # noqa: PLC0415 - slow to import, and wanted once

    return {str(mid): str(code) for mid, (code, _) in COUNTRY_MAPPING.items() if code}
