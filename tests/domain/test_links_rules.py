"""
Links with a direction: what a record says it was made from, and what somebody did about what was seen before.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from boutre.connectors.simulation.nights import nights
from boutre.language import catalogue
from boutre.processors.links import rules_derived, rules_follows
from boutre.processors.links.directed import Directed, Known, directed
from boutre.processors.links.explain import explain
from boutre.processors.links.link import DIRECTED, made
from boutre.processors.links.provenance import edges, roots, told
from boutre.processors.links.rules_derived import derived
from boutre.processors.links.rules_follows import APART_S, LONGEST_S, SAID, STRONG, after, named, references
from boutre.processors.matching import models
from boutre.processors.matching.found import DERIVED_FROM, FOLLOWS, SAME_CRAFT, SAME_EVENT, Evidence, Found, found
from boutre.processors.matching.sighted import Sighted, sighted
from pages import ROOT

IDS = "abcde"
NAMES = st.sampled_from([*IDS, "elsewhere"])
AT = 1_780_000_000.0


def report(name: str, kind: str = "sighting", at: float | None = AT, within: float = 60.0, **said: Any) -> Sighted:
    """One report."""
    return Sighted(id=name, kind=kind, at=at, within_s=within, **said)


@st.composite
def reports(draw: st.DrawFn) -> tuple[Sighted, ...]:
    """Some reports that name one another in every way, rings and themselves among them."""
    chosen = draw(st.lists(st.sampled_from(IDS), min_size=1, unique=True))
    return tuple(
        Sighted(
            id=name,
            kind=draw(st.sampled_from(("sighting", "interception", "alert"))),
            at=draw(st.none() | st.integers(0, 12).map(lambda steps: AT + steps * APART_S / 2)),
            within_s=draw(st.sampled_from((0.0, 30.0, 300.0))),
            revises=draw(st.none() | NAMES),
            derived_from=tuple(draw(st.lists(NAMES, max_size=3))),
        )
        for name in chosen
    )


LINKS = st.lists(
    st.builds(
        found,
        st.sampled_from(IDS),
        st.sampled_from(IDS),
        st.sampled_from((SAME_CRAFT, SAME_EVENT)),
        st.just("craft@1"),
        st.sampled_from((0.5, STRONG - 0.001, STRONG, 1.0)),
    ).filter(lambda link: link.a != link.b),
    max_size=6,
)


def ends(links: Sequence[Directed]) -> list[tuple[str, str]]:
    """The first and the second record of each."""
    return [(link.first, link.second) for link in links]


@given(reports(), st.randoms(use_true_random=False))
def test_what_is_derived_was_said_and_has_one_direction(known: tuple[Sighted, ...], random: Any) -> None:
    """From an original to what names it, never both ways nor round in a ring, nor to itself; in whatever order reports come."""
    links = derived(known)
    shuffled = list(known)
    random.shuffle(shuffled)
    by_id = {one.id: one for one in known}
    whole = Known(known)
    pairs = ends(links)

    assert links == derived(shuffled)
    assert len(pairs) == len({frozenset(pair) for pair in pairs})
    for link in links:
        copy = by_id[link.second]
        assert link.first != link.second
        assert link.first in {whole.named(name) for name in copy.derived_from}
        assert (DERIVED_FROM, rules_derived.RULE) == (link.found.type, link.found.rule)
        assert (link.first, link.second) == made("rcoc", link.found, link.first).records
    # Whoever follows originals comes to an end: there is no ring.
    parents: dict[str, set[str]] = {}
    for first, second in pairs:
        parents.setdefault(second, set()).add(first)
    for start in parents:
        seen, left = set[str](), [start]
        while left:
            for each in parents.get(left.pop(), set()):
                assert each != start
                if each not in seen:
                    seen.add(each)
                    left.append(each)


@given(reports())
def test_what_is_derived_leaves_the_roots_as_they_are(known: tuple[Sighted, ...]) -> None:
    """Links say again what records say: who told it first is the same with them, rings and all."""
    known = tuple(replace(one, revises=None) for one in known)
    told_of = {one.id: told(one, {}) for one in known}
    also = edges(made("rcoc", link.found, link.first) for link in derived(known))

    for one in known:
        assert roots(one.id, told_of) == roots(one.id, told_of, also)


def test_a_ring_has_no_direction() -> None:
    """Two that say they are made from one another: neither is the original. What is made from one of them still is."""
    one, other = report("a", derived_from=("b",)), report("b", derived_from=("a",))
    third = report("c", derived_from=("a",))

    assert [] == ends(derived([one, other]))
    assert [("a", "c")] == ends(derived([one, other, third]))
    assert [] == ends(derived([report("a", derived_from=("a",))]))


def test_a_digest_is_derived_from_all_that_it_names() -> None:
    """As far as this recipient has them; twice named is once derived."""
    digest = report("d", derived_from=("b", "a", "b", "elsewhere"))

    assert [("a", "d"), ("b", "d")] == ends(derived([report("a"), digest, report("b")]))


def test_a_revision_stands_for_what_it_corrects() -> None:
    """A copy of a report that was corrected since is derived from the correction, and no correction from what it corrects."""
    now = report("a2", revises="a1")
    later = report("a3", revises="a2", derived_from=("a1", "a2"))
    copy = report("c", derived_from=("a1",))

    assert [("a2", "c")] == ends(derived([now, copy]))
    assert [("a3", "c")] == ends(derived([later, now, copy]))
    assert [("a3", "c")] == ends(derived([report("a1"), later, now, copy]))
    assert [] == ends(derived([now, later]))


@given(reports(), LINKS, st.randoms(use_true_random=False))
def test_an_interception_follows_and_is_never_followed(known: tuple[Sighted, ...], links: list[Found], random: Any) -> None:
    """First a sighting or a warning, then an interception; by evidence only strong and in an order that is beyond doubt."""
    by_id = {one.id: one for one in known}
    names = {one.id: one.derived_from for one in known}
    said = named(known, names)
    seen = after(known, links, said)
    shuffled = list(known)
    random.shuffle(shuffled)

    assert said == named(shuffled, names)
    assert seen == after(shuffled, links[::-1], said)
    for link in (*said, *seen):
        first, second = by_id[link.first], by_id[link.second]
        assert first.id != second.id
        assert first.kind in {"sighting", "alert"}
        assert "interception" == second.kind
        assert FOLLOWS == link.found.type
        assert (link.first, link.second) == made("rcoc", link.found, link.first).records
    for link in seen:
        first, second = by_id[link.first], by_id[link.second]
        assert first.at is not None
        assert second.at is not None
        assert first.at + first.within_s + APART_S < second.at - second.within_s
        assert link.found.probability >= STRONG
        assert any((link.found.a, link.found.b) == (each.a, each.b) and SAME_CRAFT == each.type for each in links)
        assert (link.found.a, link.found.b) not in {(each.found.a, each.found.b) for each in said}


def test_an_interception_follows_what_it_names() -> None:
    """Whether or not it says when it was; but nothing that began after it was over, and nothing that is no sighting or warning."""
    act = report("i", "interception", AT + 3600)
    names = {"i": ("s", "w", "late", "other", "elsewhere", "i")}
    known = [
        act,
        report("s"),
        report("w", "alert", None),
        report("late", at=AT + 2 * 3600),
        report("other", "interception"),
    ]

    assert [("s", "i"), ("w", "i")] == ends(named(known, names))
    assert SAID == named(known, names)[0].found.probability
    assert [] == ends(named(known, {}))


@pytest.mark.parametrize(
    ("value", "names"),
    [
        ({"lifecycle": {"repeats": {"id": "s", "rule": "r"}}, "provenance": {"derived_from": ["t", "s"]}}, ("s", "t")),
        ({"lifecycle": {"repeats": None}, "provenance": None}, ()),
        ({"lifecycle": {"agreement": "a", "clause": "b"}, "provenance": {"agreement": "a"}}, ()),
        ({"provenance": {"derived_from": ["t", "t", ""]}}, ("t",)),
        ({}, ()),
    ],
)
def test_what_a_record_refers_to(value: dict[str, Any], names: tuple[str, ...]) -> None:
    """Its earlier report and what it was made from; of what is withheld nothing."""
    assert names == references(value)


@pytest.mark.parametrize(
    ("begins", "follows"), [(APART_S, False), (APART_S + 1, True), (LONGEST_S, True), (LONGEST_S + 1, False), (-3600.0, False)]
)
def test_it_follows_by_evidence_where_the_order_is_sure(begins: float, follows: bool) -> None:  # noqa: FBT001 - what is expected
    """Neither at one time, nor so long after that it is another night."""
    act = report("i", "interception", AT + 60 + begins + 60)
    link = found("i", "s", SAME_CRAFT, "craft@1", 0.95, (Evidence("reach", "<8", 2.0),))
    done = after([act, report("s")], [link])

    assert ([("s", "i")] if follows else []) == ends(done)
    assert all(Evidence("reach", "<8", 2.0) in one.found.evidence for one in done)


def test_a_copy_is_no_second_event() -> None:
    """An interception that was made from a report, or takes the place of one, does not follow it by evidence."""
    link = found("i", "s", SAME_CRAFT, "craft@1", 1.0)
    late = AT + 3600

    assert [("s", "i")] == ends(after([report("i", "interception", late), report("s")], [link]))
    assert [] == ends(after([report("i", "interception", late, derived_from=("s",)), report("s")], [link]))
    assert [] == ends(after([report("i", "interception", late, revises="s"), report("s")], [link]))


def test_a_link_of_a_record_and_itself_cannot_be_made() -> None:
    """No rule can make one by mistake."""
    with pytest.raises(ValueError, match="two records"):
        directed("a", "a", FOLLOWS, "after@1", 1.0)


def test_on_simulated_nights_directions_hold() -> None:
    """What is derived is of one observation, and what follows was later in truth; nine in ten are of one boat."""
    world = nights(7, 30)
    truth = {one.id: one for one in world.reports}
    seen = [sighted(one.kind, one.value) for one in world.reports]
    craft = next(one for one in models.of(ROOT).matchers() if one.model.file.name == "craft")
    copies, followed = derived(seen), after(seen, craft.all(seen))

    assert len(copies) > 30
    assert all(truth[link.first].root == truth[link.second].root for link in copies)
    assert all(truth[link.first].arrived != truth[link.second].arrived for link in copies)
    assert len(followed) > 10
    assert all(truth[link.first].observed < truth[link.second].observed for link in followed)
    assert sum(truth[link.first].boat == truth[link.second].boat for link in followed) > 0.8 * len(followed)


def test_both_have_a_sentence_of_their_own() -> None:
    """In both languages, with words for what was compared."""
    (copy,) = derived([report("a"), report("c", derived_from=("a",))])
    (act,) = named([report("s"), report("i", "interception", AT + 3600)], {"i": ("s",)})

    assert {DERIVED_FROM, FOLLOWS} == DIRECTED
    for link in (copy, act):
        sentence = explain(made("rcoc", link.found, link.first))
        assert "that one names the other" in sentence["en"]
        assert "le fait que l'un cite l'autre" in sentence["fr"]
    assert {"matching.order.compared", "matching.birth.compared", "matching.document.compared"} <= set(catalogue())
    assert rules_follows.BEFORE.bits == 0
