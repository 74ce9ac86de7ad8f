"""
Links: made by a rule or a person, never a merge; a person's word outranks the rule's whenever it comes.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from boutre.processors.links.link import Judgement, Link, latest, link_id, made, resolve, withdrawn
from boutre.processors.matching.found import DERIVED_FROM, SAME_CRAFT, SAME_EVENT, Found, found
from boutre.schemas.vocabulary import load
from frames import LOCK
from linked import NAMES, RULE, judgement, judgements, link, links

ROOT = Path(__file__).parents[2]


def by_id(many: tuple[Link, ...]) -> dict[str, Link]:
    """Links under their ids."""
    return {each.id: each for each in many}


# --- Ids -------------------------------------------------------------------------------------------------------------------


def test_an_id_is_of_what_is_linked_and_by_whom() -> None:
    """It is the same whichever record is named first and whatever the score or version; any other part gives another."""
    own = link_id("reunion", "a", "b", SAME_CRAFT, RULE)
    others = [
        link_id("comoros", "a", "b", SAME_CRAFT, RULE),
        link_id("reunion", "a", "c", SAME_CRAFT, RULE),
        link_id("reunion", "a", "b", SAME_EVENT, RULE),
        link_id("reunion", "a", "b", SAME_CRAFT, "incident@2"),
        link_id("reunion", "a", "b", SAME_CRAFT, None),
    ]

    assert own == link_id("reunion", "b", "a", SAME_CRAFT, "kwassa@2")
    assert own == link("b", "a", 0.1).id
    assert len({own, *others}) == 6


def test_a_link_with_a_direction_says_which_is_first() -> None:
    """What is derived names its original first; without that there is no link, since a guess would turn a copy into a source."""
    match = found("a", "b", DERIVED_FROM, RULE, 0.9)

    assert made("reunion", match, "b").records == ("b", "a")
    assert made("reunion", match, "b").id == made("reunion", match, "a").id
    for first in (None, "c"):
        with pytest.raises(ValueError, match="goes from one"):
            made("reunion", match, first)


@pytest.mark.parametrize("probability", [-0.001, 1.001, float("nan")])
def test_what_is_no_probability_makes_no_link(probability: float) -> None:
    """Beyond 0 and 1, and no number at all: refused."""
    with pytest.raises(ValueError, match="probability"):
        made("reunion", Found("a", "b", SAME_CRAFT, RULE, probability))


def test_a_record_is_not_linked_to_itself_nor_judged_with_itself() -> None:
    """Both are mistakes of whoever calls."""
    with pytest.raises(ValueError, match="two records"):
        made("reunion", Found("a", "a", SAME_CRAFT, RULE, 0.5))
    with pytest.raises(ValueError, match="two records"):
        judgement("a", "a", "same")
    with pytest.raises(ValueError, match="speaks of"):
        judgement("a", "b", "same", types=(DERIVED_FROM,))


# --- What people say ---------------------------------------------------------------------------------------------------------


def test_not_same_withdraws_and_is_remembered_when_the_link_is_made_again() -> None:
    """It holds for a link that comes before it, after it, with a greater probability, or from another rule."""
    said = [judgement("b", "a", "not-same")]

    assert resolve("reunion", [], said) == ()
    for again in (link("a", "b"), link("a", "b", 0.9999), link("a", "b", rule="other@1"), link("a", "b", type_=SAME_EVENT)):
        [one] = resolve("reunion", [again], said)
        assert (one.status, one.reason, one.by, one.judgement) == ("withdrawn", "not-same", "watch officer", "ba1.0")


def test_same_makes_a_link_of_its_own_beside_the_machines() -> None:
    """It stands with probability 1 by the person, while the machine's link is withdrawn, made again or missing."""
    said = [judgement("a", "b", "same", types=(SAME_CRAFT,))]
    machine = link("a", "b", 0.3)
    own = link_id("reunion", "a", "b", SAME_CRAFT, None)

    for given_ in ([], [machine], [withdrawn(machine, "no-longer-found")]):
        result = by_id(resolve("reunion", given_, said))
        assert (result[own].probability, result[own].rule, result[own].stands) == (1.0, None, True)
        assert all(result[each.id] == each for each in given_)


def test_unsure_leaves_the_link_to_be_seen() -> None:
    """It does not stand and is not withdrawn."""
    [one] = resolve("reunion", [link("a", "b")], [judgement("a", "b", "unsure")])

    assert (one.status, one.stands, one.reason) == ("unsure", False, None)


def test_the_latest_word_counts() -> None:
    """A person's link is withdrawn when another word follows, by whoever; and comes back with the next."""
    own = link_id("reunion", "a", "b", SAME_CRAFT, None)
    words = [judgement("a", "b", "same", 1), judgement("b", "a", "not-same", 2), judgement("a", "b", "same", 3)]

    states = [by_id(resolve("reunion", [], words[:many]))[own] for many in (1, 2, 3)]

    assert [(each.status, each.reason) for each in states] == [
        ("made", None),
        ("withdrawn", "judgement-changed"),
        ("made", None),
    ]


def test_a_judgement_speaks_of_its_types_alone() -> None:
    """One craft on two nights: the same craft, not the same event."""
    said = [judgement("a", "b", "not-same", types=(SAME_EVENT,))]
    states = {each.type: each.status for each in resolve("reunion", [link("a", "b"), link("a", "b", type_=SAME_EVENT)], said)}

    assert states == {SAME_CRAFT: "made", SAME_EVENT: "withdrawn"}


def test_not_same_does_not_undo_that_one_was_made_from_the_other() -> None:
    """Where a report comes from is no matter of what it is about: taking it away would make a copy confirm its original."""
    copy = made("reunion", found("a", "b", DERIVED_FROM, RULE, 0.9), "a")

    assert resolve("reunion", [copy], [judgement("a", "b", "not-same")]) == (copy,)


@given(links(), judgements(), st.sets(NAMES, max_size=2), st.randoms(use_true_random=False))
def test_what_stands_does_not_depend_on_order(given_: list[Link], said: list[Judgement], gone: set[str], random: Any) -> None:
    """Judgements before links, after them, in any order: the same."""
    before = resolve("reunion", given_, said, gone)
    shuffled, words = random.sample(given_, len(given_)), random.sample(said, len(said))

    assert before == resolve("reunion", shuffled, words, gone)


@given(links(), judgements(), st.sets(NAMES, max_size=2))
def test_a_persons_word_outranks_every_rule(given_: list[Link], said: list[Judgement], gone: set[str]) -> None:
    """No link stands against the latest word on its pair, and none of a record that was taken back; others are as made."""
    holds = latest(said)
    for one in resolve("reunion", given_, said, gone):
        word = holds.get((one.pair, one.type))
        verdict = None if word is None else word.verdict
        if gone & set(one.records):
            assert (one.status, one.reason) == ("withdrawn", "recalled")
        elif one.rule is None:
            assert one.stands == (verdict == "same")
        else:
            assert one.status == {"not-same": "withdrawn", "unsure": "unsure"}.get(str(verdict), "made")


def test_a_link_that_stands_twice_or_is_anothers_is_refused() -> None:
    """Each recipient's links are its own; to take another's for them would tell what that one has."""
    with pytest.raises(ValueError, match="its recipient's own"):
        resolve("reunion", [link("a", "b"), link("b", "a")])
    with pytest.raises(ValueError, match="its recipient's own"):
        resolve("comoros", [link("a", "b")])


# --- What is declared --------------------------------------------------------------------------------------------------------


def test_the_codes_are_those_of_the_vocabularies() -> None:
    """What the code says is what a recipient can look up."""
    words = load(ROOT / "schemas" / "vocabularies")

    assert words.codes("link-status@1") == {"made", "unsure", "withdrawn"}
    assert words.codes("link-withdrawal@1") == {"not-same", "judgement-changed", "recalled", "no-longer-found"}
    assert words.codes("link-type@1") == {"same-craft", "same-event", "same-person", "follows", "derived-from"}
    assert "link" in LOCK.kinds
