"""
Identifiers: what is one and what is none, when two are the same, and who holds them.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from itertools import permutations
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from boutre.errors import Fault
from boutre.processors.matching import placeholders
from boutre.processors.matching.holders import (
    MOST_CLAIMS,
    Claimed,
    Holders,
    Use,
    claimed,
    elsewhere,
    reachable,
    too_many,
    used,
    values_at,
)
from boutre.processors.matching.identifiers import (
    ABSENT,
    COMPARED,
    CONTRADICTED,
    DIFFERS,
    LEVELS,
    NEAR,
    SAME,
    TOO_COMMON,
    Identifier,
    Identifiers,
    Unusable,
    checks,
    load,
    unseen,
)
from boutre.processors.matching.placeholders import ATTRIBUTES, HolderRules
from records import ROOT

FOLDER = ROOT / "processors" / "matching"
RULES = HolderRules(subjects=3, window_days=365, fastest_kn=60)
DAY = 86_400.0


def declared() -> Identifiers:
    """
    The identifiers of this bus.
    """
    faults: list[Fault] = []
    found = load(FOLDER, faults)

    assert [] == faults
    assert found is not None
    return found


IDENTIFIERS = declared()
ATTRIBUTE = st.sampled_from((*ATTRIBUTES, "flag", "something-else"))
DIGITS = st.text("0123456789", min_size=6, max_size=9)
ANYTHING = st.one_of(
    st.text(max_size=30),
    DIGITS,
    DIGITS.map("IMO {}".format),
    st.text("ABCDEIOSZ0123456789- ", max_size=10),
    st.sampled_from(("KM", "COM", "Comores", "645123457", "9074729", "9074728", "D6AB3", "MHJ-1234", "-", "UNKNOWN")),
)
CLAIMS = st.lists(st.tuples(ATTRIBUTE, ANYTHING), max_size=5)


@st.composite
def imo_numbers(draw: st.DrawFn) -> str:
    """
    IMO numbers that check.
    """
    six = draw(st.integers(500_000, 999_999))
    weighed = sum(int(digit) * weight for digit, weight in zip(str(six), range(7, 1, -1), strict=True))
    return f"{six}{weighed % 10}"


@pytest.mark.parametrize("attribute", ATTRIBUTES)
@pytest.mark.parametrize(
    "value",
    [
        "-",
        "0",
        "--",
        "?",
        "@@@@@@@",
        "N/A",
        "n.a.",
        "UNKNOWN",
        "Inconnu",
        "sans-nom",
        "NÉANT",
        "não identificado",
        "haijulikani",
        "tsy fantatra",
        "Sem nome",
        "HAINA JINA",
        "kavu dzina",
        "TLP:AMBER",
        "TLP AMBER STRICT",
        "tlp:clear",
        "xx",
        "  ",
        "",
        "NONE",
        "none ",
        "5",
        "1",
    ],
)
def test_a_word_for_unknown_is_the_same_as_nothing(attribute: str, value: str) -> None:
    """
    What stands for *not known* identifies nothing under any attribute, not even beside itself; nor does a single digit.
    """
    assert isinstance(IDENTIFIERS.normal(attribute, value), Unusable)
    if attribute in COMPARED:
        assert ABSENT == IDENTIFIERS.compare([(attribute, value)], [(attribute, value)])[attribute]


@pytest.mark.parametrize(
    ("attribute", "value"),
    [("mmsi", digit * 9) for digit in "0123456789"]
    + [("mmsi", "123456789"), ("mmsi", "645000000"), ("mmsi", "645123456"), ("mmsi", "645111111"), ("mmsi", "1193046")]
    + [("imo", "0000000"), ("imo", "IMO 0000000"), ("imo", "1234567"), ("call-sign", "none"), ("call-sign", "TEST")],
)
def test_a_number_of_nobody_is_a_placeholder(attribute: str, value: str) -> None:
    """
    Numbers that transmitters are sold with, and those that people type to get on, say so.
    """
    assert Unusable(attribute, "placeholder") == IDENTIFIERS.normal(attribute, value)


def test_every_placeholder_that_is_declared_holds() -> None:
    """
    No value of the declaration is ever an identifier of its attribute, in either case and with signs between its words.
    """
    rules = IDENTIFIERS.rules
    for attribute in ATTRIBUTES:
        said = rules.of(attribute)
        assert said is not None
        for value in (*rules.any.values, *said.values):
            for written in (value, value.upper(), f" {value} ", value.replace(" ", "-"), f"«{value}»"):
                assert isinstance(IDENTIFIERS.normal(attribute, written), Unusable), (attribute, written)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("645123457", Identifier("mmsi", "645123457", "ship", "MU")),
        ("MMSI 645 123 457", Identifier("mmsi", "645123457", "ship", "MU")),
        ("616123457", Identifier("mmsi", "616123457", "ship", "KM")),
        ("618123457", Identifier("mmsi", "618123457", "ship", "TF")),
        ("986451234", Identifier("mmsi", "986451234", "craft-of-parent", "MU")),
        ("006451234", Identifier("mmsi", "006451234", "coast-station", "MU", links=False)),
        ("064512345", Identifier("mmsi", "064512345", "group", "MU", links=False)),
        ("111645012", Identifier("mmsi", "111645012", "aircraft", "MU", links=False)),
        ("996451234", Identifier("mmsi", "996451234", "aid-to-navigation", "MU", links=False)),
        ("970123457", Identifier("mmsi", "970123457", "search-and-rescue-transmitter", None, links=False)),
        ("972123457", Identifier("mmsi", "972123457", "man-overboard", None, links=False)),
        ("974123457", Identifier("mmsi", "974123457", "emergency-beacon", None, links=False)),
        ("201123457", Identifier("mmsi", "201123457", "ship", "AL")),
        ("775123457", Identifier("mmsi", "775123457", "ship", "VE")),
        ("200123457", Unusable("mmsi", "range")),
        ("776123457", Unusable("mmsi", "range")),
        ("991991234", Unusable("mmsi", "range")),
        ("64512345", Unusable("mmsi", "malformed")),
        ("6451234567", Unusable("mmsi", "malformed")),
        ("64512345A", Unusable("mmsi", "malformed")),
    ],
)
def test_an_mmsi_says_what_has_it(value: str, expected: Identifier | Unusable) -> None:
    """
    Ships and craft of a parent ship stand for hulls; stations, aircraft, buoys and distress transmitters link none.
    """
    assert expected == IDENTIFIERS.normal("mmsi", value)


@pytest.mark.parametrize(
    ("attribute", "value", "expected"),
    [
        ("imo", "IMO9074729", Identifier("imo", "9074729")),
        ("imo", "imo no. 9074729", Identifier("imo", "9074729")),
        ("imo", "9074728", Unusable("imo", "check-digit", "9074728")),
        ("imo", "0907472", Unusable("imo", "range")),
        ("imo", "907472", Unusable("imo", "malformed")),
        ("call-sign", "d6-ab3", Identifier("call-sign", "D6AB3", "ship", "KM")),
        ("call-sign", "FABC", Identifier("call-sign", "FABC", "ship", "FR")),
        ("call-sign", "5RXY2", Identifier("call-sign", "5RXY2", "ship", "MG")),
        ("call-sign", "VICTORIA", Unusable("call-sign", "malformed")),
        ("call-sign", "123456", Unusable("call-sign", "malformed")),
        ("registration", "mhj 1234", Identifier("registration", "MHJ1234")),
        ("registration", "A12", Unusable("registration", "short")),
        ("registration", "A123", Identifier("registration", "A123")),
        ("registration", "1274", Unusable("registration", "short")),
        ("registration", "12746", Identifier("registration", "12746")),
        ("marking", "YAMAHA", Unusable("marking", "placeholder")),
        ("name", "Étoile  du Nord", Identifier("name", "ETOILE DU NORD")),
        ("name", "Q8", Unusable("name", "short")),
        ("flag", "Comores", Identifier("flag", "KM", flag="KM")),
        ("flag", "COM", Identifier("flag", "KM", flag="KM")),
        ("flag", "nowhere", Unusable("flag", "malformed")),
        ("colour", "blue", Unusable("colour", "attribute")),
        ("name", "A" + "b" * 200, Unusable("name", "long")),
    ],
)
def test_each_attribute_has_a_normal_form(attribute: str, value: str, expected: Identifier | Unusable) -> None:
    """
    Prefixes, signs, case and accents go; what is too short, misread or of no known shape says why.
    """
    assert expected == IDENTIFIERS.normal(attribute, value)


@given(ATTRIBUTE, ANYTHING)
def test_a_normal_form_is_its_own(attribute: str, raw: str) -> None:
    """
    The normal form of a normal form is itself, and what was typed in another case, or with spaces about it, has the same.
    """
    found = IDENTIFIERS.normal(attribute, raw)
    if isinstance(found, Identifier):
        assert found == IDENTIFIERS.normal(attribute, found.value)
        assert found == IDENTIFIERS.normal(attribute, f" {found.value.lower()} ")


@given(CLAIMS, CLAIMS)
def test_which_side_is_which_makes_no_difference(one: list[tuple[str, str]], other: list[tuple[str, str]]) -> None:
    """
    Comparing is symmetric, knows no other levels than it says, and never finds two sides the same that share no key.
    """
    levels = IDENTIFIERS.compare(one, other)
    keys = set(IDENTIFIERS.keys(one)) & set(IDENTIFIERS.keys(other))

    assert levels == IDENTIFIERS.compare(other, one)
    assert set(COMPARED) == levels.keys()
    assert set(levels.values()) <= set(LEVELS)
    assert {name for name, _ in keys} == {
        name for name, level in levels.items() if level in {SAME, CONTRADICTED} and name != "flag"
    }


@given(imo_numbers(), st.integers(0, 6), st.integers(1, 9))
def test_a_check_digit_catches_all_but_what_is_named(number: str, place: int, by: int) -> None:
    """
    Every single wrong digit of an IMO number is caught, but for those of which `unseen` says that they are not.
    """
    digit = (int(number[place]) + by) % 10
    wrong = f"{number[:place]}{digit}{number[place + 1 :]}"
    difference = digit - int(number[place])

    assert checks(number)
    assert unseen(place, difference) == checks(wrong)
    if isinstance(IDENTIFIERS.normal("imo", number), Identifier) and Unusable("imo", "check-digit", wrong) == IDENTIFIERS.normal(
        "imo", wrong
    ):
        assert NEAR == IDENTIFIERS.compare([("imo", number)], [("imo", wrong)])["imo"]


def test_what_a_check_digit_overlooks() -> None:
    """
    Of 63 errors of one digit, by place and difference, these alone pass: even ones in the third place, fives in three others.
    """
    assert {(1, 5), (3, 5), (5, 5), (2, 2), (2, 4), (2, 6), (2, 8)} == {
        (place, by) for place in range(7) for by in range(1, 10) if unseen(place, by)
    }


@pytest.mark.parametrize(
    ("one", "other", "attribute", "level"),
    [
        ([("imo", "9074729")], [("imo", "IMO 9074729")], "imo", SAME),
        ([("imo", "9074729")], [("imo", "9074728")], "imo", NEAR),
        ([("imo", "9074729")], [("imo", "9704729")], "imo", NEAR),
        ([("imo", "9074728")], [("imo", "9074727")], "imo", ABSENT),
        ([("imo", "9074729")], [("imo", "9074779")], "imo", DIFFERS),
        ([("imo", "9074729")], [("imo", "1111111")], "imo", ABSENT),
        ([("mmsi", "645123457")], [("mmsi", "645123475")], "mmsi", NEAR),
        ([("mmsi", "645123457")], [("mmsi", "645123497")], "mmsi", NEAR),
        ([("mmsi", "645123457")], [("mmsi", "645123596")], "mmsi", DIFFERS),
        ([("mmsi", "970123457")], [("mmsi", "970123457")], "mmsi", ABSENT),
        ([("mmsi", "645123457")], [], "mmsi", ABSENT),
        ([("mmsi", "645123457"), ("imo", "9074729")], [("mmsi", "645123457"), ("imo", "9176187")], "mmsi", CONTRADICTED),
        ([("mmsi", "645123457"), ("imo", "9074729")], [("mmsi", "645123457"), ("imo", "9074728")], "mmsi", SAME),
        ([("mmsi", "645123457"), ("imo", "9074729")], [("mmsi", "664123458"), ("imo", "9074729")], "imo", SAME),
        ([("mmsi", "645123457"), ("imo", "9074729")], [("mmsi", "664123458"), ("imo", "9074729")], "mmsi", DIFFERS),
        ([("mmsi", "645123457"), ("mmsi", "664123458")], [("mmsi", "664123458")], "mmsi", SAME),
        ([("registration", "MHJ-1234")], [("registration", "MHJ 1Z34")], "registration", NEAR),
        ([("registration", "MO-1234")], [("registration", "M0I234")], "registration", NEAR),
        ([("registration", "A123")], [("registration", "A124")], "registration", DIFFERS),
        ([("flag", "Comores")], [("flag", "COM")], "flag", SAME),
    ],
)
def test_levels(one: list[tuple[str, str]], other: list[tuple[str, str]], attribute: str, level: str) -> None:
    """
    One slip of hand is near, and for an IMO number only where the check digit tells which of two is wrong.

    Another MMSI does not contradict an IMO number, since flags change; another IMO number contradicts an MMSI.
    """
    assert level == IDENTIFIERS.compare(one, other)[attribute]


def test_what_too_many_hold_is_a_level_of_its_own() -> None:
    """
    A value that too many hold says so instead of linking, and outranks that something contradicts it.
    """
    one, other = [("mmsi", "645123457"), ("imo", "9074729")], [("mmsi", "645123457"), ("imo", "9176187")]

    def crowded(attribute: str, value: str) -> bool:
        return (attribute, value) == ("mmsi", "645123457")

    assert TOO_COMMON == IDENTIFIERS.compare(one, other, crowded)["mmsi"]
    assert SAME == IDENTIFIERS.compare([*one, ("mmsi", "664123458")], [("mmsi", "664123458"), *other[:1]], crowded)["mmsi"]


def test_keys_are_what_hulls_are_looked_up_by() -> None:
    """
    Neither flags nor names nor placeholders nor transmitters that many carry are keys.
    """
    claims = [
        ("flag", "KM"),
        ("name", "AL SALAAM"),
        ("mmsi", "000000000"),
        ("mmsi", "970123457"),
        ("imo", "9074728"),
        ("call-sign", "d6ab3"),
    ]

    assert (("call-sign", "D6AB3"),) == IDENTIFIERS.keys([*claims, ("call-sign", "D6AB3")])


HULLS = st.builds(Use, st.sampled_from("abcdef"), st.integers(0, 800).map(lambda day: day * DAY))


@given(st.lists(HULLS, max_size=8), st.randoms(use_true_random=False))
def test_holders_do_not_depend_on_the_order(uses: list[Use], random: Callable[..., None]) -> None:
    """
    Whichever order uses come in, what is remembered is the same, bounded, and counts as all of them together would.
    """
    shuffled = list(uses)
    random.shuffle(shuffled)  # type: ignore[attr-defined]  # a Random, which hypothesis types as its own
    one, other = Holders(), Holders()
    for use in uses:
        one = used(one, use, RULES)
    for use in shuffled:
        other = used(other, use, RULES)
    newest = max((use.at for use in uses), default=0.0)
    lately = {use.subject for use in uses if use.at >= newest - 365 * DAY}

    assert one == other
    assert len(one.uses) <= RULES.subjects + 1
    assert (len(lately) > RULES.subjects) == too_many(one, RULES)


@pytest.mark.parametrize(("last", "crowded"), [(365.0, True), (365.01, False)])
def test_an_identifier_of_too_many_links_nobody(last: float, crowded: bool) -> None:  # noqa: FBT001 - what is expected
    """
    One subject more than declared within the window is too many; three of four within it are not, and one hull seen often never is.
    """
    holders = Holders()
    for number in range(50):
        holders = used(holders, Use("one", float(number)), RULES)
    assert not too_many(holders, RULES)
    holders = Holders()
    for at, subject in ((0.0, "a"), (DAY, "b"), (2 * DAY, "c"), (last * DAY, "d")):
        holders = used(holders, Use(subject, at), RULES)

    assert crowded == too_many(holders, RULES)


def test_two_hulls_with_one_mmsi() -> None:
    """
    400 km in ten minutes is no ship; the same by the hour of a day's precision may be.
    """
    here = Use("one", 0.0, -12.0, 45.0)
    there = Use("two", 600.0, -12.0, 48.7)
    vague = Use("two", 600.0, -12.0, 48.7, within_s=43_200.0)
    nowhere = Use("two", 600.0)
    holders = used(Holders(), here, RULES)

    assert (here,) == elsewhere(holders, there, RULES)
    assert () == elsewhere(holders, vague, RULES)
    assert () == elsewhere(holders, nowhere, RULES)
    assert () == elsewhere(holders, here, RULES)


@pytest.mark.parametrize(("seconds", "reached"), [(3599.0, False), (3601.0, True)])
def test_reach_at_its_boundary(seconds: float, reached: bool) -> None:  # noqa: FBT001 - what is expected
    """
    Sixty knots make sixty miles an hour: a degree of latitude, to the second; errors of position count towards one hull.
    """
    one = Use("one", 0.0, 0.0, 45.0)
    degree = Use("two", seconds, 60 * 1.852 / (6371.0088 * 3.141592653589793 / 180), 45.0)

    assert reached == reachable(one, degree, 60)
    assert reached == reachable(degree, one, 60)
    assert reachable(one, Use("two", 3599.0, degree.latitude, 45.0, accuracy_m=100.0), 60)


def test_one_hull_with_three_mmsis_in_a_year() -> None:
    """
    Several identifiers of one hull are claims with times and sources, side by side, whichever order they come in.
    """
    told = (
        Claimed("mmsi", "645123457", "MU", 0.0, 100 * DAY),
        Claimed("mmsi", "664123458", "SC", 90 * DAY, 200 * DAY),
        Claimed("mmsi", "616123459", "KM", 210 * DAY, 300 * DAY),
        Claimed("mmsi", "616123459", "KM", 250 * DAY, 360 * DAY),
    )
    ways = {claimed(claimed((), order[:2]), order[2:]) for order in permutations(told)}
    (claims,) = ways

    assert 3 == len(claims)
    assert ("645123457", "664123458") == values_at(claims, "mmsi", 95 * DAY)
    assert () == values_at(claims, "mmsi", 205 * DAY)
    assert ("616123459",) == values_at(claims, "mmsi", 360 * DAY)
    assert MOST_CLAIMS == len(claimed((), (Claimed("name", str(each), "MU", 0.0, float(each)) for each in range(MOST_CLAIMS + 1))))


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ("subjects = 3", "subjects = 0", "holders.subjects"),
        ("subjects = 3", "subject = 3", "holders.subject"),
        ("patterns = ['([0-9])\\1{6}']", "patterns = ['([0-9]\\1{6}']", "imo.patterns[1]"),
        ("patterns = ['[0-9]+', ", "patterns = ['[0-9]*', ", "name.patterns[1]"),
        ('mmsi = ["imo"]', 'mmsi = ["omi"]', "contradicted_by.mmsi"),
        ("least_mid = 201", "least_mid = 901", "mmsi.least_mid"),
        ('"1234567", "0000000"', '"1234567", "--"', "imo.values[2]"),
    ],
)
def test_what_is_wrong_with_the_declaration_is_said(old: str, new: str, key: str, tmp_path: Path) -> None:
    """
    Read strictly: a pattern that is none, or that matches what is empty, an attribute that nobody compares, a range upside down.
    """
    shutil.copy(FOLDER / placeholders.FILE, tmp_path)
    path = tmp_path / placeholders.FILE
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")
    faults: list[Fault] = []

    assert load(tmp_path, faults) is None
    assert key in {fault.key for fault in faults}
