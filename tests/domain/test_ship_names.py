"""
Names of ships: written by ear, in two languages, with numbers that tell sisters apart.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from boutre.errors import Fault
from boutre.processors.matching import names, placeholders, spelling
from boutre.processors.matching.names import (
    ABSENT,
    COMMON,
    DIFFERS,
    EXACT,
    LEVELS,
    NEAR,
    PART,
    SPELLING,
    TRANSLATED,
    ShipNames,
    counted,
    similar,
)
from boutre.processors.matching.placeholders import Placeholders
from boutre.processors.matching.spelling import NameRules, Spelling, words
from records import ROOT

FOLDER = ROOT / "processors" / "matching"


def declared() -> tuple[ShipNames, NameRules]:
    """
    The names of this bus.
    """
    faults: list[Fault] = []
    rules = placeholders.load(FOLDER, faults)
    assert rules is not None
    found = names.load(FOLDER, Placeholders(rules), faults)

    assert [] == faults
    assert found is not None
    return found


SHIPS, RULES = declared()
SPOKEN = Spelling(RULES.spelling)

SYLLABLES = st.sampled_from(
    (
        "sha",
        "mou",
        "dji",
        "ra",
        "ko",
        "to",
        "wa",
        "ni",
        "phi",
        "tch",
        "al",
        "sal",
        "aam",
        "star",
        "el",
        "ar",
        "rah",
        "man",
        "ou",
        "an",
    )
)
WORD = st.lists(SYLLABLES, min_size=1, max_size=4).map("".join)
NAME = st.tuples(
    st.sampled_from(("", "MV ", "M/V ", "F/V ", "The ", "Le ", "Al ", "ar-")),
    st.lists(WORD, min_size=1, max_size=3).map(" ".join),
    st.sampled_from(("", " 1", " 2", " II", " No. 3", " ex Rakoto", " Star")),
).map("".join)
ANY = st.one_of(
    NAME, st.text(max_size=25), st.sampled_from(("-", "UNKNOWN", "Fishing boat", "KWASSA", "Étoile du Nord", "AL SALAAM 1"))
)


@pytest.mark.parametrize(
    ("one", "other", "level"),
    [
        ("MV Socol 5", "socol 5", EXACT),
        ("M/V Étoile du Nord", "ETOILE DU NORD", EXACT),
        ("M.V. Courier", "COURIER", EXACT),
        ("MSV SAHIBA", "Sahiba", EXACT),
        ("Zhen Hua 4", "ZHEN  HUA 04", EXACT),
        ("Horizon I", "HORIZON 1", EXACT),
        ("Jan No.35", "JAN 35", EXACT),
        ("Capt. Stefanos", "CAPT STEFANOS", EXACT),
        ("AR RAHMAN", "Al-Rahman", EXACT),
        ("Al Zahra", "Az Zahra", EXACT),
        ("L'Amitié", "AMITIE", EXACT),
        ("BLUE MOON ex SEA ROVER", "Sea Rover", EXACT),
        ("Ньяти", "N'yati", EXACT),
        ("Ouani", "Wani", SPELLING),
        ("Moussa", "MUSA", SPELLING),
        ("Djoumbé", "Jumbe", SPELLING),
        ("Chamsia", "Shamsia", SPELLING),
        ("Wadi Alarab", "WADI AL-ARAB", SPELLING),
        ("Arrahman", "Ar-Rahman", SPELLING),
        ("ALMARJAN", "Al Marjan", SPELLING),
        ("AL SALAAM", "SALAAM", SPELLING),
        ("Fengli 8", "FENG LI 8", SPELLING),
        ("Jollly Marrone", "JOLLY MARRONE", SPELLING),
        ("Gipsy Moth IV", "GYPSY MOTH 4", SPELLING),
        ("Rakotomanana", "Rakotomanan'", SPELLING),
        ("Étoile du Nord", "North Star", TRANSLATED),
        ("Étoile de Moroni", "Star of Moroni", TRANSLATED),
        ("Cap Saint Vincent", "CAP ST. VINCENT", TRANSLATED),
        ("Ste Marie", "Sainte-Marie", TRANSLATED),
        ("Samarah Ahmed", "AHMED SAMARAH", TRANSLATED),
        ("Gem of Kilakaral", "GEM OF KILAKARAI", NEAR),
        ("Shanghai Venture", "SHANGHIA VENTURE", NEAR),
        ("Mavuno No. 1", "MUVUNO I", NEAR),
        ("Al-Caqiq", "AL AQEEQ", NEAR),
        ("GOLDEN", "GOLDEN STAR", PART),
        ("Liliana Dimitrova", "LILIANA", PART),
        ("Feng Jung 16", "FENG JUNG", PART),
        ("AL SALAAM 1", "AL SALAAM 2", DIFFERS),
        ("AL SALAAM 1", "AL SALAAM II", DIFFERS),
        ("BUNGA MELATI DUA", "BUNGA MELATI 5", DIFFERS),
        ("MOL Rise", "MOL Asante", DIFFERS),
        ("MSC Sarah", "MSC Marina", DIFFERS),
        ("Star", "Ocean Star", DIFFERS),
        ("Nordstar", "THOR STAR", DIFFERS),
        ("Dias", "Diaz Cove", DIFFERS),
        ("Étoile", "STAR", COMMON),
        ("Princess", "PRINCESS", COMMON),
    ],
)
def test_levels(one: str, other: str, level: str) -> None:
    """
    Prefixes, articles, accents and signs make no difference; spelling and language make a small one; another number a whole one.
    """
    assert level == SHIPS.compare(one, other).level
    assert level == SHIPS.compare(other, one).level


@pytest.mark.parametrize(
    "value",
    [
        "",
        "-",
        "UNKNOWN",
        "unknown vessel",
        "Navire inconnu",
        "Fishing boat",
        "FISHING BOAT 2",
        "DHOW",
        "Kwassa-kwassa",
        "la vedette",
        "tsy fantatra",
        "Name Withheld",
        "VLCC",
        "JVA",
        "ONI MSG 062200Z JAN 99",
        "UPDATED INFORMATION",
        "9 TO 10",
        "628",
        "white skiff",
        "bateau blanc",
        "TLP:AMBER",
        "THIS REPORT IS ALSO ASAM 95-0008",
        "REPORTED 24 APR",
        "M/V",
        "x",
        "A" * 201,
        "boti",
        "5",
    ],
)
def test_what_names_nobody_is_no_name(value: str) -> None:
    """
    What a boat is, its colour, a word for unknown or a scrap of a report is not the same as itself.
    """
    assert ABSENT == SHIPS.compare(value, value).level
    assert ABSENT == SHIPS.compare(value, "AL SALAAM").level
    assert () == SHIPS.normal(value)


@given(ANY, ANY)
def test_which_name_comes_first_makes_no_difference(one: str, other: str) -> None:
    """
    Comparing is symmetric; levels are those that are listed; a similarity is between 0 and 1.
    """
    found = SHIPS.compare(one, other)

    assert found == SHIPS.compare(other, one)
    assert found.level in LEVELS
    assert 0 <= found.similarity <= 1
    assert (found.level == ABSENT) == (not SHIPS.normal(one) or not SHIPS.normal(other))


@given(ANY)
def test_a_name_is_the_same_as_itself_or_nothing(raw: str) -> None:
    """
    A name is exactly itself, or one that too many bear, or none; in whichever case, with whichever spaces.
    """
    spaced = f"  {raw.lower()} ".replace(" ", "  ") if raw.isascii() else raw

    assert SHIPS.compare(raw, raw).level in {EXACT, COMMON, ABSENT}
    assert SHIPS.compare(raw, raw).level == SHIPS.compare(raw, spaced).level


@given(NAME)
def test_a_normal_name_is_its_own(raw: str) -> None:
    """
    The normal form of a normal form is itself.
    """
    for name in SHIPS.normal(raw):
        assert name.text in {again.text for again in SHIPS.normal(name.text)}


@given(st.text("abcdefghijklmnopqrstuvwxyz", max_size=14))
def test_spelling_twice_is_spelling_once(word: str) -> None:
    """
    The form of a form is itself.
    """
    assert SPOKEN(word) == SPOKEN(SPOKEN(word))


@given(NAME.filter(lambda name: " ex " not in name), st.integers(1, 99), st.integers(1, 99))
def test_numbers_must_agree(name: str, one: int, other: int) -> None:
    """
    Two names that are the same but for their numbers are of two ships.
    """
    found = SHIPS.compare(f"Zanj {name} {one}", f"Zanj {name} {other}").level

    assert (one == other) == (found != DIFFERS)


def test_what_is_rare_links_and_what_everybody_bears_does_not() -> None:
    """
    A name that more than ten bear is common, at the boundary; who counts gives normal names.
    """
    (victoria,) = SHIPS.normal("MV Victoria")
    ten, eleven = counted([victoria.text] * 10), counted([victoria.text] * 11)

    assert EXACT == SHIPS.compare("Victoria", "VICTORIA", ten).level
    assert COMMON == SHIPS.compare("Victoria", "VICTORIA", eleven).level
    assert DIFFERS == SHIPS.compare("Victoria", "Zanzibar", eleven).level
    assert 1.0 == counted([])("never seen")


def test_the_best_of_several_names_counts() -> None:
    """
    A report may claim several names; one that claims none says nothing.
    """
    assert EXACT == SHIPS.best(("Zanzibar", "Ouani"), ("Mwali", "OUANI")).level
    assert ABSENT == SHIPS.best((), ("OUANI",)).level


def test_nearness_at_its_threshold() -> None:
    """
    From the declared similarity on two names are near, and not below it; too short a name is never near.
    """
    at = similar("zanzibar", "zanzipak")
    for near, level in ((at, NEAR), (at + 0.0001, DIFFERS)):
        ships = RULES.ships.model_copy(update={"near": near})
        mine = ShipNames(RULES.model_copy(update={"ships": ships}), SHIPS._unknown)
        assert level == mine.compare("Zanzibar", "Zanzipak").level
    assert NEAR == SHIPS.compare("Zanga", "Zangi").level
    assert DIFFERS == SHIPS.compare("Zang", "Zank").level


def test_an_apostrophe_joins_or_elides() -> None:
    """
    "L'Étoile" is two words, of which one is an article; "N'Djamena" and "Ma'arifa" are one each.
    """
    assert [["l", "etoile"], ["ndjamena"], ["maarifa"]] == [words(name) for name in ("L'Étoile", "N\u2019Djamena", "Ma\u02bbarifa")]


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ("near = 0.8\nnear_word", "near = 1.8\nnear_word", "ships.near"),
        ("least_rarity", "least_rare", "ships.least_rare"),
        ("pattern = 'ph'", "pattern = '(ph'", "spelling[4].pattern"),
        ("pattern = 'ph'", "pattern = 'p?h?'", "spelling[4].pattern"),
        ('gives = "f"', "gives = '\\1'", "spelling[4].gives"),
        ('issa = ["isa"', 'issa = ["musa", "isa"', "persons.forms.issa"),
        ('etoile = "star"', '"étoile" = "star"', "ships.words.étoile"),
    ],
)
def test_what_is_wrong_with_the_declaration_is_said(old: str, new: str, key: str, tmp_path: Path) -> None:
    """
    Read strictly: thresholds beyond their range, patterns that are none, one form of a name that stands for two.
    """
    shutil.copy(FOLDER / spelling.FILE, tmp_path)
    path = tmp_path / spelling.FILE
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    faults: list[Fault] = []

    assert spelling.load(tmp_path, faults) is None
    assert key in {fault.key for fault in faults}
