"""
Names of persons: single ones, fathers' names, cut ones, twenty spellings of one; and years of birth.
"""

from __future__ import annotations

import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from boutre.errors import Fault
from boutre.processors.matching import placeholders, spelling
from boutre.processors.matching.person_names import (
    ABSENT,
    COMMON,
    CUT,
    DIFFERS,
    EXACT,
    LEVELS,
    NEAR,
    ORDER,
    PART,
    SAME,
    SINGLE,
    SPELLING,
    PersonNames,
)
from boutre.processors.matching.placeholders import Placeholders
from boutre.processors.matching.spelling import NameRules, Spelling
from records import ROOT

FOLDER = ROOT / "processors" / "matching"


def declared() -> tuple[PersonNames, NameRules]:
    """
    The names of this bus.
    """
    faults: list[Fault] = []
    identifiers, rules = placeholders.load(FOLDER, faults), spelling.load(FOLDER, faults)

    assert [] == faults
    assert identifiers is not None
    assert rules is not None
    return PersonNames(rules, Placeholders(identifiers)), rules


PERSONS, RULES = declared()
WORD = st.sampled_from(
    (
        "Mohamed",
        "Muhammad",
        "M'hamed",
        "Moussa",
        "Saïd",
        "Ali",
        "Djoumbé",
        "Jumbe",
        "Toyb",
        "Mdere",
        "Rakotomanana",
        "Rakotomanan",
        "Jean",
        "ben",
        "Mr.",
        "Abdoul",
    )
)
NAME = st.one_of(
    st.lists(WORD, min_size=1, max_size=4).map(" ".join), st.text(max_size=20), st.sampled_from(("-", "adulte", "inconnu"))
)


@pytest.mark.parametrize(
    ("one", "other", "level"),
    [
        ("Saïd Mdere", "SAID  MDERE", EXACT),
        ("Mr. Toyb Mdere", "Toyb Mdere", EXACT),
        ("Toyb ben Mdere", "Toyb Mdere", EXACT),
        ("Abd El Karim Mbaé", "Abdoul-Karim Mbae", EXACT),
        ("Moussa Djoumbé", "Musa Jumbe", SPELLING),
        ("Chamsia Mlaili", "Shamsia Mlaili", SPELLING),
        ("M'hamed Toyb", "Mohamed Toyb", SPELLING),
        ("Mhoma Toyb", "Mouhammad Toyb", SPELLING),
        ("Abdullah Mdere", "Abdallah Mdere", SPELLING),
        ("Abdur-Rahman Toyb", "Abdourahmane Toyb", SPELLING),
        ("Toyb Mdere", "Mdere, Toyb", ORDER),
        ("Djoumbé Moussa", "Musa Jumbe", ORDER),
        ("Randrianarisoa Jean Cl", "RANDRIANARISOA Jean Claude", CUT),
        ("Jean Rakotomanan", "Jean Rakotomananarivo", CUT),
        ("Andriamanana Hery", "Andriamanina Hery", NEAR),
        ("Toyb Mdere Mlaili", "Mlaili Toyb", PART),
        ("Mohamed Ali", "Muhammad Aly", COMMON),
        ("Ali Moussa", "Moussa Ali", COMMON),
        ("Mohamed Ali", "Mohamed Ali Toyb", COMMON),
        ("Rakotomanana", "Rakotomanana", SINGLE),
        ("Said", "Saïd", SINGLE),
        ("Toyb", "Toyb Mdere", SINGLE),
        ("RAKOTOMANANARIVO", "RAKOTOMANANA", SINGLE),
        ("Hassan Mdere", "Hussein Mdere", DIFFERS),
        ("Maria Mdere", "Mariam Mdere", DIFFERS),
        ("Said Toyb", "Said Mlaili", DIFFERS),
        ("Moussa", "Issa", DIFFERS),
        ("-", "-", ABSENT),
        ("Unknown", "Toyb Mdere", ABSENT),
        ("adulte homme", "Adulte homme", ABSENT),
        ("olona tsy fantatra", "olona tsy fantatra", ABSENT),
        ("X", "X", ABSENT),
    ],
)
def test_levels(one: str, other: str, level: str) -> None:
    """
    Spellings of a name are one; its order, a cut and a part are less; one word, or words that thousands bear, are the least.
    """
    assert level == PERSONS.compare(one, other)
    assert level == PERSONS.compare(other, one)


@given(NAME, NAME)
def test_which_name_comes_first_makes_no_difference(one: str, other: str) -> None:
    """
    Comparing is symmetric, and knows no other levels than those that are listed.
    """
    assert PERSONS.compare(one, other) == PERSONS.compare(other, one)
    assert PERSONS.compare(one, other) in LEVELS


@given(NAME)
def test_a_normal_name_is_its_own(raw: str) -> None:
    """
    The normal form of a normal form is itself, and no name is unlike itself.
    """
    name = PERSONS.normal(raw)
    if name is not None:
        assert name == PERSONS.normal(" ".join(name.words))
    assert PERSONS.compare(raw, raw) in ({EXACT, SINGLE, COMMON} if name else {ABSENT})


@given(st.sampled_from(sorted(RULES.persons.common)), st.sampled_from(sorted(RULES.persons.common)), st.integers(1900, 2020))
def test_a_common_name_never_links(one: str, other: str, year: int) -> None:
    """
    Neither a single name nor two that everybody bears suffice, even with the same year of birth.
    """
    for name in (one, f"{one} {other}"):
        level = PERSONS.compare(name, name)

        assert level in {SINGLE, COMMON, ABSENT}
        assert not PERSONS.may_be_one(level, PERSONS.years(year, year))


@pytest.mark.parametrize(
    ("other", "level"), [(1998, SAME), (1997, NEAR), (1999, NEAR), (1996, DIFFERS), (2000, DIFFERS), (None, ABSENT)]
)
def test_years_of_birth_are_estimates(other: int | None, level: str) -> None:
    """
    A year either way may be the same; two are another.
    """
    assert level == PERSONS.years(1998, other)
    assert level == PERSONS.years(other, 1998)


@pytest.mark.parametrize(
    ("name", "years", "may"),
    [
        (EXACT, SAME, True),
        (EXACT, ABSENT, True),
        (EXACT, DIFFERS, False),
        (SPELLING, NEAR, True),
        (ORDER, ABSENT, False),
        (ORDER, SAME, True),
        (CUT, NEAR, True),
        (NEAR, ABSENT, False),
        (PART, SAME, True),
        (SINGLE, SAME, False),
        (COMMON, SAME, False),
        (ABSENT, SAME, False),
        (DIFFERS, SAME, False),
    ],
)
def test_what_suffices_for_a_person(name: str, years: str, may: bool) -> None:  # noqa: FBT001 - what is expected
    """
    A year that contradicts forbids; without a year only the whole name in its order suffices; a single or common name never does.
    """
    assert may == PERSONS.may_be_one(name, years)


def test_no_spelling_stands_for_two_names() -> None:
    """
    As they are spoken, no two forms of two names are one: else two persons would be.
    """
    spoken = Spelling(RULES.spelling)
    forms = {name: {spoken(each) for each in (name, *others)} for name, others in RULES.persons.forms.items()}
    clashes = {(a, b) for a, mine in forms.items() for b, theirs in forms.items() if a < b and mine & theirs}

    assert set() == clashes


@given(NAME, NAME)
def test_no_name_is_logged(one: str, other: str) -> None:
    """
    Comparing writes to no log.
    """
    seen: list[logging.LogRecord] = []
    handler = logging.Handler()
    handler.emit = seen.append  # type: ignore[method-assign, assignment]  # a list takes what a handler would write
    logging.getLogger().addHandler(handler)
    try:
        PERSONS.compare(one, other)
    finally:
        logging.getLogger().removeHandler(handler)

    assert [] == seen
