"""
What follows from links as their recipient was told them is what follows on the bus; and a link that is withdrawn was never there.
"""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from boutre.processors.links.clusters import clusters
from boutre.processors.links.link import Judgement, Link, pair, resolve, withdrawn
from boutre.processors.links.picture import Picture, Whose, picture
from boutre.processors.links.said import OfTwo
from boutre.processors.links.shown import Shown
from boutre.processors.matching.found import SAME_CRAFT
from linked import judgements, link, links

OURS = Whose("reunion")


def shown(one: Link) -> Shown:
    """A link as its recipient was told it: without when a person judged of it."""
    bare = replace(one, judged_at=None)
    return Shown("reunion", exercise=False, link=bare, views=tuple(f"view-{each}" for each in one.records))


def said(one: Judgement) -> OfTwo:
    """The answer of which a judgement came."""
    return OfTwo(one.id, "reunion", False, f"view-{one.a}", f"view-{one.b}", one.verdict, one.by, one.at)  # noqa: FBT003 - in order


def groups(one: Picture) -> list[tuple[str, ...]]:
    """Which records are of one craft."""
    return [each.records for each in one.of[SAME_CRAFT].groups] if SAME_CRAFT in one.of else []


@given(links(), judgements(), st.randoms(use_true_random=False))
def test_what_follows_here_is_what_follows_on_the_bus(rules: list[Link], words: list[Judgement], chance: random.Random) -> None:
    """
    Of links told when a part of it had been said, and all that was said since: the same links, clusters and refusals.
    """
    known = {record for one in rules for record in one.records}
    words = [one for one in words if {one.a, one.b} <= known]
    standing = resolve("reunion", rules, words)
    before = resolve("reunion", rules, chance.sample(words, chance.randint(0, len(words))))
    told = [shown(one) for one in before if one.type == SAME_CRAFT]
    chance.shuffle(told)
    expected = clusters(standing, words, SAME_CRAFT)
    found = picture(OURS, told, map(said, words))

    assert [one.records for one in expected.groups] == groups(found)
    assert expected.refused == (found.of[SAME_CRAFT].refused if SAME_CRAFT in found.of else ())
    assert {one.id: (one.status, one.reason) for one in standing if one.type == SAME_CRAFT} == {
        key: (one.status, one.reason) for key, one in found.links.items()
    }
    assert () == found.unplaced


@given(links(), st.data())
def test_a_withdrawn_link_leaves_what_would_have_been_without_it(rules: list[Link], data: st.DataObject) -> None:
    """
    Whichever is withdrawn, after all were told: the clusters are those of the others alone.
    """
    gone = data.draw(st.lists(st.sampled_from(rules), unique_by=lambda one: one.id) if rules else st.just([]))
    left = [one for one in rules if one not in gone]
    told = [shown(one) for one in (*rules, *(withdrawn(one, "recalled") for one in gone))]

    assert groups(picture(OURS, as_told(left))) == groups(picture(OURS, told))


def as_told(found: list[Link]) -> list[Shown]:
    """Links as they were told."""
    return [shown(one) for one in found]


@given(links())
def test_every_link_is_bound_refused_or_idle(rules: list[Link]) -> None:
    """
    None is left out of the picture in silence.
    """
    found = picture(OURS, as_told(rules))
    bound = [key for of in found.of.values() for one in of.groups for key in one.links]
    refused = [one.link for of in found.of.values() for one in of.refused]

    assert sorted(one.id for one in rules) == sorted([*bound, *refused, *(key for key, _ in found.idle)])


def test_a_word_on_a_record_that_was_revised_since_holds_on() -> None:
    """
    The answer names a view of the record before; the bus's link of the one after names the answer, and stays withdrawn.
    """
    before, after = link("a", "b"), link("a", "c")
    word = Judgement(*pair("a", "b"), "not-same", "analyst", 5.0, "answer")
    (told,) = resolve("reunion", [after], [Judgement("a", "c", "not-same", "analyst", 5.0, "answer")])
    found = picture(OURS, [shown(before), shown(withdrawn(before, "no-longer-found")), shown(told)], [said(word)])

    assert [] == groups(found)
    assert {"withdrawn"} == {why for _, why in found.idle}


def test_a_word_that_only_a_link_tells_gives_way_to_one_that_is_said() -> None:
    """
    When it was said the link does not tell; whoever hands in words has the later ones.
    """
    (told,) = resolve("reunion", [link("a", "b")], [Judgement("a", "b", "not-same", "watch", 9.0, "old")])

    assert [] == groups(picture(OURS, [shown(told)]))
    assert [("a", "b")] == groups(picture(OURS, [shown(told)], [said(Judgement("a", "b", "same", "analyst", 1.0, "new"))]))


def test_what_a_person_took_back_is_still_seen() -> None:
    """
    Their link, withdrawn by a later word of which only the id is told: it counts for nothing, and is not left out.
    """
    words = [Judgement("a", "b", "same", "watch", 1.0, "first"), Judgement("a", "b", "unsure", "watch", 2.0, "second")]
    (gone,) = (one for one in resolve("reunion", [], words) if one.type == SAME_CRAFT)
    found = picture(OURS, [shown(gone)])

    assert ((gone.id, "withdrawn"),) == found.idle
    assert [] == groups(found)
