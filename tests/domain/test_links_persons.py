"""
Same person: never by a name alone, never a victim for a suspect, and nothing of anybody in what is found.
"""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from boutre.errors import Fault
from boutre.processors.links.explain import explain
from boutre.processors.links.link import made
from boutre.processors.links.rules_person import BITS, LEAST, LISTS, MOST, MOST_HOLDERS, Document, Person, SamePerson, persons
from boutre.processors.matching import placeholders, spelling
from boutre.processors.matching.found import SAME_PERSON, Found
from boutre.processors.matching.person_names import DIFFERS, PersonNames
from boutre.processors.matching.placeholders import Placeholders
from pages import ROOT


def declared() -> tuple[PersonNames, Placeholders]:
    """The names of this bus, and what stands for none."""
    faults: list[Fault] = []
    folder = ROOT / "processors" / "matching"
    identifiers, rules = placeholders.load(folder, faults), spelling.load(folder, faults)
    assert identifiers is not None, faults
    assert rules is not None, faults
    unknown = Placeholders(identifiers)
    return PersonNames(rules, unknown), unknown


NAMES, UNKNOWN = declared()
SAME = SamePerson(NAMES, UNKNOWN)
NAME = "Nassurdine Mbechezi"
DAY = date(1994, 5, 17)
PASSPORT = Document("passport", "KM0412357", "COM")


def person(record: str, name: str = NAME, day: date | None = None, **said: Any) -> Person:
    """One person of a record, among its victims."""
    return Person(record, said.pop("list", "victims"), name, said.pop("year", day.year if day else None), day, **said)


def of(*people: Person, together: bool = False) -> list[tuple[str, str]]:
    """The pairs of records that name one person."""
    return [(link.a, link.b) for link in SAME(people, [("a", "b")] if together else [])]


ANY_NAME = st.sampled_from(
    (
        "",
        "-",
        "Inconnu",
        NAME,
        "Mbechezi Nassurdine",
        "Nasurdine M'bechezi",
        "Mohamed Ali",
        "Ali",
        "Saindou Combo",
        "NASSURDINE MBECH",
    )
)
PEOPLE = st.lists(
    st.builds(
        Person,
        record=st.sampled_from("abc"),
        list=st.sampled_from(LISTS),
        name=ANY_NAME,
        year=st.sampled_from((None, 1993, 1994, 1996)),
        day=st.sampled_from((None, DAY, date(1994, 5, 18))),
        sex=st.sampled_from(("", "male", "female", "unknown")),
        nationality=st.sampled_from(("", "COM", "MDG")),
        documents=st.lists(st.sampled_from((PASSPORT, Document("passport", "000000000"), Document("other", "12"))), max_size=2).map(
            tuple
        ),
        revises=st.sampled_from((None, "a", "b")),
    ),
    max_size=6,
)


@settings(max_examples=200)
@given(PEOPLE, st.booleans(), st.randoms(use_true_random=False))
def test_whatever_is_told_a_link_stands_on_more_than_names(people: list[Person], near: bool, random: Any) -> None:  # noqa: FBT001 - drawn
    """Of two records, in whichever order, with a document or a birth in the evidence, and names that do not contradict."""
    together = [("a", "b"), ("b", "c")] if near else []
    links = SAME(people, together)
    shuffled = [*people, *people[:1]]
    random.shuffle(shuffled)

    assert links == SAME(shuffled, together)
    assert len(links) == len({(link.a, link.b) for link in links})
    for link in links:
        levels = {one.comparison: one.level for one in link.evidence}
        assert link.a < link.b
        assert SAME_PERSON == link.type
        assert LEAST <= link.probability <= MOST
        assert "same" == levels.get("document") or levels.get("birth") in {"same-day", "same-year"}
        assert "same" == levels.get("document") or "same-day" == levels["birth"] or (link.a, link.b) in together
        assert all(BITS[one.comparison][one.level] == one.bits for one in link.evidence)
        assert any(
            one.list == other.list and DIFFERS != NAMES.compare(one.name, other.name)
            for one in people
            for other in people
            if (link.a, link.b) == (one.record, other.record)
        )


@given(ANY_NAME, ANY_NAME, st.booleans())
def test_a_name_alone_links_nobody(one: str, other: str, near: bool) -> None:  # noqa: FBT001 - drawn
    """Not even the same one, in two reports of one boat."""
    assert [] == of(person("a", one), person("b", other), together=near)


def test_a_day_of_birth_beside_a_name_does() -> None:
    """Spelt otherwise too; and not where another day, another year or another sex is told."""
    one = person("a", day=DAY, sex="male")

    assert [("a", "b")] == of(one, person("b", "Nasurdine M'Bechezi", DAY))
    assert [] == of(one, person("b", day=date(1994, 5, 18)))
    assert [] == of(one, person("b", day=date(1996, 5, 17)))
    assert [] == of(one, person("b", day=DAY, sex="female"))
    assert [("a", "b")] == of(one, person("b", day=DAY, sex="unknown"))
    assert [] == of(one, person("b", "Saindou Combo", DAY))


@pytest.mark.parametrize("name", ["Ali", "Mohamed Ali"])
def test_a_name_of_thousands_is_no_sign(name: str) -> None:
    """A single or a common name with the same day of birth is some other person's too; with the same document it is not."""
    assert [] == of(person("a", name, DAY), person("b", name, DAY))
    assert [("a", "b")] == of(person("a", name, documents=(PASSPORT,)), person("b", name, documents=(PASSPORT,)))


def test_a_year_counts_in_one_boat_alone() -> None:
    """Where links that stand say that both reports are of one craft or event; the first of January is no day."""
    one, other = person("a", year=1994), person("b", year=1994)
    new_year = persons("b", {"victims": [{"name": NAME, "birth_date": date(1994, 1, 1)}]})

    assert [] == of(one, other)
    assert [("a", "b")] == of(one, other, together=True)
    assert [] == of(one, person("b", year=1995), together=True)
    assert [] == of(person("a", day=date(1994, 1, 2)), *new_year)
    assert [("a", "b")] == of(one, *new_year, together=True)


def test_a_document_is_one_persons() -> None:
    """One that is borne under two names, by a crowd, or is none, identifies nobody."""
    one, other = person("a", documents=(PASSPORT,)), person("b", "", documents=(PASSPORT,))
    crowd = [person(f"r{number}", documents=(PASSPORT,)) for number in range(MOST_HOLDERS + 1)]

    assert [("a", "b")] == of(one, other)
    assert [] == of(one, person("b", "Saindou Combo", documents=(PASSPORT,)))
    assert [] == of(one, other, person("c", "Saindou Combo", documents=(PASSPORT,)))
    assert [] == of(*crowd)
    for number in ("", "0000000", "UNKNOWN", "1234"):
        none = (Document("passport", number),)
        assert [] == of(replace(one, documents=none), replace(other, documents=none))
    assert [] == of(one, replace(other, documents=(Document("licence", PASSPORT.number),)))
    assert [] == of(one, replace(other, documents=(Document("passport", PASSPORT.number, "MDG"),)))


def test_no_victim_is_taken_for_a_suspect() -> None:
    """Nor anybody for somebody of the same record, or of the one that it takes the place of."""
    one = person("a", day=DAY, documents=(PASSPORT,))

    assert [("a", "b")] == of(one, replace(one, record="b"))
    assert [] == of(one, replace(one, record="b", list="suspects"))
    assert [] == of(one, replace(one, name="Nasurdine Mbechezi"))
    assert [] == of(one, replace(one, record="b", revises="a"))


def test_what_is_sealed_has_no_persons() -> None:
    """A group that was not opened gives none; one that was gives each, with what is told."""
    told = {
        "name": NAME,
        "birth_year": 1994,
        "sex": "male",
        "documents": [{"kind": "passport", "number": "KM 041-2357", "state": "COM"}],
    }
    value = {
        "lifecycle": {"revises": "z"},
        "victims": {"algorithm": "hpke", "ciphertext": b""},
        "suspects": [told, {"name": None, "birth_date": DAY, "documents": None}],
    }
    first, second = persons("a", value)

    assert Person("a", "suspects", NAME, 1994, None, "male", "", (PASSPORT,), "z") == first
    assert Person("a", "suspects", "", 1994, DAY, revises="z") == second
    assert () == persons("a", {"victims": None, "suspects": {"agreement": "a", "clause": "b"}})
    assert () == persons("a", {})


def test_nothing_of_a_person_is_told() -> None:
    """Neither by the link and its sentences, nor by the values on their way, should one come into a log."""
    one = person("a", day=DAY, documents=(PASSPORT,), nationality="COM", sex="male")
    (link,) = SAME([one, replace(one, record="b")])
    sentence = explain(made("desk", link))
    said = repr((link, sentence, one, PASSPORT))

    assert isinstance(link, Found)
    assert "the names of the persons" in sentence["en"]
    assert "la date de naissance" in sentence["fr"]
    for private in (*NAME.split(), "1994", "0412357", "male", "COM"):
        assert private not in said
