"""
*Same person*: two reports name one, for the desk of a recipient that holds the keys of both; on the bus nobody can read them.

Never by a name alone, since one name is borne by thousands, and who is taken for another pays for it. Beside a name that fits
there must be the same document, the same day of birth, or, where the two reports are already of one craft or event, the same year.
Victims are set against victims and suspects against suspects, never one against the other. What bits weigh here is judged: nobody
has pairs of which it is known, and nobody should collect them.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date
from itertools import combinations
from typing import Any, Final, TypeAlias

from msgspec import Struct

from boutre.processors.matching.found import SAME_PERSON, Evidence, Found, found
from boutre.processors.matching.model import probability
from boutre.processors.matching.person_names import ABSENT, DIFFERS, NEAR, SAME, PersonNames
from boutre.processors.matching.placeholders import ANY, LONGEST, Placeholders, folded

RULE: Final = "person@1"

LISTS: Final = ("victims", "suspects")
"""The groups that hold persons one by one."""

LEAST: Final = 0.8
"""The probability from which a person at a desk is asked; nothing follows of itself."""

MOST: Final = 0.99
PRIOR_BITS: Final = {True: -7.0, False: -17.0}
"""Before anything is compared: of reports of one craft or event, whose people are some dozens, and of any two."""

SAME_DAY: Final = "same-day"
SAME_YEAR: Final = "same-year"
OTHER_DAY: Final = "other-day"
BITS: Final[Mapping[str, Mapping[str, float]]] = {
    "person-name": {
        "exact": 13.0, "spelling": 11.0, "order": 10.0, "cut": 9.0, "near": 7.0, "part": 7.0, "common": 4.0, "single": 3.0
    },
    "birth": {SAME_DAY: 12.0, SAME_YEAR: 5.0, NEAR: 1.0, OTHER_DAY: -4.0},
    "document": {SAME: 20.0, DIFFERS: -4.0},
    "nationality": {SAME: 1.0, DIFFERS: -4.0},
}  # fmt: skip

SHORTEST: Final = 5
"""Letters and digits of a document's number; what is shorter is shared by many."""

MOST_HOLDERS: Final = 8
"""Persons that bear one number beyond which it identifies nobody."""

Pair: TypeAlias = tuple[str, str]


class Document(Struct, frozen=True, order=True):
    """
    A document: its *kind*, the *state* that issued it (empty where nobody says), and its number in capitals without signs.
    """

    kind: str
    number: str
    state: str = ""

    def __repr__(self) -> str:
        """Say what it is, and nothing of its number."""
        return f"Document(kind={self.kind!r})"


class Person(Struct, frozen=True):
    """
    One person of a record: in which of `LISTS`, and what is told. *record* takes the place of *revises*.

    A birth on the first of January is what is written where only the year is known, and is kept as a year.
    """

    record: str
    list: str
    name: str = ""
    year: int | None = None
    day: date | None = None
    sex: str = ""
    nationality: str = ""
    documents: tuple[Document, ...] = ()
    revises: str | None = None

    def __repr__(self) -> str:
        """Say of whose record it is, and nothing of the person: it may come into a log."""
        return f"Person(record={self.record!r}, list={self.list!r})"


def persons(record: str, value: Mapping[str, Any]) -> tuple[Person, ...]:
    """
    Give the persons of a record whose groups were opened; none of a group that is sealed or withheld.
    """
    lifecycle = value.get("lifecycle")
    revises = lifecycle.get("revises") if isinstance(lifecycle, Mapping) else None
    return tuple(
        _person(record, name, one, revises if isinstance(revises, str) else None)
        for name in LISTS
        if isinstance(value.get(name), list)
        for one in value[name]
        if isinstance(one, Mapping)
    )


def _person(record: str, list_: str, one: Mapping[str, Any], revises: str | None) -> Person:
    day, year = one.get("birth_date"), one.get("birth_year")
    day = day if isinstance(day, date) else None
    documents = (each for each in one.get("documents") or () if isinstance(each, Mapping))
    return Person(
        record,
        list_,
        str(one.get("name") or ""),
        day.year if day is not None else year if isinstance(year, int) else None,
        None if day is None or (day.month, day.day) == (1, 1) else day,
        str(one.get("sex") or ""),
        str(one.get("nationality") or ""),
        tuple(sorted({_document(each) for each in documents})),
        revises,
    )


def _document(one: Mapping[str, Any]) -> Document:
    number = str(one.get("number") or "")
    compact = folded(number).replace(" ", "") if len(number) <= LONGEST else ""
    return Document(str(one.get("kind") or ""), compact, str(one.get("state") or ""))


class SamePerson:
    """
    Finds reports that name one person. Made once of what is declared; pure from then on.
    """

    __slots__ = ("_names", "_unknown")

    def __init__(self, names: PersonNames, unknown: Placeholders) -> None:
        self._names = names
        self._unknown = unknown

    def __call__(self, people: Iterable[Person], together: Collection[Pair] = ()) -> tuple[Found, ...]:
        """
        Give for each two records that name one person the likeliest link.

        *together* are pairs of records, the lesser first, that links which stand say are of one craft or event. What is given
        depends on the set of persons alone, and holds neither names nor numbers: only how they compared.
        """
        everybody = sorted(set(people), key=_order)
        held = self._identifying(everybody)
        near = frozenset(together)
        made: dict[Pair, Found] = {}
        for one, other in sorted(set(_candidates(everybody, near, held))):
            link = self._link(everybody[one], everybody[other], near, held)
            if link is not None and ((link.a, link.b) not in made or made[link.a, link.b].probability < link.probability):
                made[link.a, link.b] = link
        return tuple(made[pair] for pair in sorted(made))

    def _link(self, one: Person, other: Person, near: Collection[Pair], held: Collection[Document]) -> Found | None:
        if not _apart(one, other):
            return None
        name, birth = self._names.compare(one.name, other.name), self._birth(one, other)
        document = _documents(one, other, held)
        if name == DIFFERS or DIFFERS in {birth, _word(one.sex, other.sex)}:
            return None
        pair = min(one.record, other.record), max(one.record, other.record)
        fits = self._names.may_be_one(name, SAME)
        if document != SAME and not (fits and (birth == SAME_DAY or (birth == SAME_YEAR and pair in near))):
            return None
        levels = {
            "person-name": name,
            "birth": birth,
            "document": document,
            "nationality": _word(one.nationality, other.nationality),
        }
        evidence = tuple(
            Evidence(comparison, level, bits)
            for comparison, level in levels.items()
            if (bits := BITS[comparison].get(level)) is not None
        )
        chance = min(MOST, probability(PRIOR_BITS[pair in near] + math.fsum(each.bits for each in evidence)))
        return found(*pair, SAME_PERSON, RULE, chance, evidence) if chance >= LEAST else None

    def _birth(self, one: Person, other: Person) -> str:
        years = self._names.years(one.year, other.year)
        if one.day is None or other.day is None:
            return SAME_YEAR if years == SAME else years
        if one.day == other.day:
            return SAME_DAY
        return DIFFERS if years == DIFFERS else OTHER_DAY

    def _identifying(self, people: Sequence[Person]) -> frozenset[Document]:
        """Give the documents that stand for one person: not those that several bear whose names are other names."""
        holders: dict[tuple[str, str], list[tuple[Person, Document]]] = defaultdict(list)
        for one in people:
            for document in one.documents:
                if len(document.number) >= SHORTEST and not self._unknown.holds(ANY, document.number):
                    holders[document.kind, document.number].append((one, document))
        return frozenset(
            document
            for held in holders.values()
            if len(held) <= MOST_HOLDERS
            and all(self._names.compare(one.name, other.name) != DIFFERS for (one, _), (other, _) in combinations(held, 2))
            for _, document in held
        )


def _order(one: Person) -> tuple[str, ...]:
    documents = (part for each in one.documents for part in (each.kind, each.number, each.state))
    born = (str(one.year or ""), str(one.day or ""))
    return (one.record, one.list, one.name, *born, one.sex, one.nationality, one.revises or "", *documents)


def _apart(one: Person, other: Person) -> bool:
    """Whether they are of two reports: not of one record, and none of a record that takes the place of the other."""
    return one.list == other.list and one.record not in {other.record, other.revises} and other.record != one.revises


def _candidates(people: Sequence[Person], near: Collection[Pair], held: Collection[Document]) -> Iterator[tuple[int, int]]:
    """Give the places of two who share a document or a day of birth, or are in reports of one craft or event."""
    blocks: dict[tuple[object, ...], list[int]] = defaultdict(list)
    for place, one in enumerate(people):
        for document in one.documents:
            if document in held:
                blocks[one.list, "document", document.kind, document.number].append(place)
        if one.day is not None:
            blocks[one.list, "day", one.day].append(place)
        blocks["record", one.record].append(place)
    for key, places in blocks.items():
        if key[0] != "record":
            yield from combinations(places, 2)
    for one_record, other_record in near:
        for first in blocks.get(("record", one_record), ()):
            for second in blocks.get(("record", other_record), ()):
                yield min(first, second), max(first, second)


def _documents(one: Person, other: Person, held: Collection[Document]) -> str:
    mine, theirs = ([each for each in person.documents if each in held] for person in (one, other))
    alike = [(a, b) for a in mine for b in theirs if a.kind == b.kind and (a.state == b.state or not a.state or not b.state)]
    if any(a.number == b.number for a, b in alike):
        return SAME
    return DIFFERS if alike else ABSENT


def _word(one: str, other: str) -> str:
    """Give the level of two codes: of *unknown* nothing follows."""
    if not one or not other or "unknown" in {one.casefold(), other.casefold()}:
        return ABSENT
    return SAME if one == other else DIFFERS
