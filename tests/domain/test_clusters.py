"""
Clusters: computed from links, undone with them, and never two records in one that a person holds apart.
"""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from boutre.processors.links.clusters import Clusters, Limits, clusters
from boutre.processors.links.link import Judgement, Link, latest, resolve, withdrawn
from boutre.processors.matching.found import SAME_CRAFT, SAME_EVENT
from linked import NAMES, judgement, judgements, link, links

LOOSE = Limits(0.5, links=100, records=100)


def grouped(given_: list[Link], said: list[Judgement] | None = None, gone: frozenset[str] = frozenset(), **more: Any) -> Clusters:
    """The clusters of one craft."""
    words = said or []
    return clusters(resolve("reunion", given_, words, gone), words, SAME_CRAFT, more.get("limits", LOOSE))


def records(found: Clusters) -> list[str]:
    """The records of each cluster, a letter each."""
    return ["".join(each.records) for each in found.groups]


@given(links(), judgements(), st.randoms(use_true_random=False))
def test_clusters_do_not_depend_on_order(given_: list[Link], said: list[Judgement], random: Any) -> None:
    """Links and judgements in any order: the same clusters, and the same links refused."""
    for limits in (LOOSE, Limits(0.5, links=2, records=3)):
        expected = grouped(given_, said, limits=limits)
        shuffled, words = random.sample(given_, len(given_)), random.sample(said, len(said))
        assert expected == grouped(shuffled, words, limits=limits)


@given(links(), judgements(), st.sampled_from([LOOSE, Limits(0.0, 100, 100), Limits(0.5, links=2, records=3)]))
def test_no_cluster_holds_two_that_a_person_holds_apart(given_: list[Link], said: list[Judgement], limits: Limits) -> None:
    """Neither by a link of theirs nor by way of others; no cluster is too large, and no record is in two."""
    found = grouped(given_, said, limits=limits)
    seen = [record for one in found.groups for record in one.records]
    for (both, of), word in latest(said).items():
        if of == SAME_CRAFT and word.verdict == "not-same":
            assert not any(set(both) <= set(one.records) for one in found.groups)

    assert len(seen) == len(set(seen))
    assert all(2 <= len(one.records) <= limits.records for one in found.groups)


@given(links(), judgements())
def test_every_link_that_counts_is_followed_or_reported(given_: list[Link], said: list[Judgement]) -> None:
    """Nothing is left out without a word; a refused link would have brought together what is held apart."""
    standing = resolve("reunion", given_, said)
    found = clusters(standing, said, SAME_CRAFT, LOOSE)
    counted = {one.id for one in standing if one.type == SAME_CRAFT and one.stands and one.probability >= LOOSE.probability}
    apart = {both for (both, of), word in latest(said).items() if of == SAME_CRAFT and word.verdict == "not-same"}

    assert sorted(counted) == sorted([*(each for one in found.groups for each in one.links), *(one.link for one in found.refused)])
    assert all(one.why == "not-same" and one.held_apart in apart for one in found.refused)


@given(links(), judgements(), st.data())
def test_a_withdrawn_link_leaves_what_would_have_been_without_it(given_: list[Link], said: list[Judgement], data: Any) -> None:
    """Whichever link is withdrawn, the clusters are those of a bus that never had it."""
    gone = data.draw(st.sets(st.sampled_from(given_)) if given_ else st.just(set()))
    after = [withdrawn(one, "no-longer-found") if one in gone else one for one in given_]

    assert grouped([one for one in given_ if one not in gone], said) == grouped(after, said)


@given(links(), judgements(), NAMES)
def test_a_record_that_is_taken_back_leaves_what_would_have_been_without_it(
    given_: list[Link], said: list[Judgement], gone: str
) -> None:
    """Its links fall, those of persons too, and what was bound by it alone falls apart."""
    others = [one for one in given_ if gone not in one.records]
    words = [one for one in said if gone not in (one.a, one.b)]

    assert grouped(others, words) == grouped(given_, said, frozenset({gone}))


def test_a_cluster_falls_apart_when_what_bound_it_is_retracted() -> None:
    """A chain of four, and its second record is taken back: the first is alone, the last two stay together."""
    chain = [link("a", "b"), link("b", "c"), link("c", "d")]

    assert records(grouped(chain)) == ["abcd"]
    assert records(grouped(chain, gone=frozenset({"b"}))) == ["cd"]


def test_the_weakest_link_between_two_that_are_held_apart_gives_way() -> None:
    """Of a chain between them only the weakest is refused, and it is said for which two."""
    chain = [link("a", "b", 0.9), link("b", "c", 0.6), link("c", "d", 0.8)]
    found = grouped(chain, [judgement("a", "d", "not-same")])

    assert records(found) == ["ab", "cd"]
    assert [(one.link, one.why, one.held_apart) for one in found.refused] == [(chain[1].id, "not-same", ("a", "d"))]


def test_of_two_persons_words_that_cannot_both_hold_the_older_gives_way() -> None:
    """A is b, b is c, a is not c: the later of the two is followed, and a person sees the other."""
    said = [judgement("a", "b", "same", 1), judgement("b", "c", "same", 2), judgement("a", "c", "not-same", 3)]

    assert records(grouped([], said)) == ["bc"]
    assert records(grouped([link("a", "b", 0.999)], said)) == ["bc"]


def test_an_unsure_link_counts_for_nothing_but_holds_nothing_apart() -> None:
    """Alone the two fall apart; firm links to a third still bring them together."""
    unsure = [judgement("a", "b", "unsure")]

    assert records(grouped([link("a", "b")], unsure)) == []
    assert records(grouped([link("a", "b"), link("a", "c"), link("b", "c")], unsure)) == ["abc"]


def test_a_threshold_is_met_at_its_value() -> None:
    """A link at the threshold counts, one below it does not, and a person's counts whatever the threshold."""
    assert records(grouped([link("a", "b", 0.5), link("c", "d", 0.4999999)])) == ["ab"]
    assert records(grouped([], [judgement("a", "b", "same")], limits=Limits(1.0))) == ["ab"]


def test_types_make_clusters_of_their_own() -> None:
    """Same craft and same event are not chained."""
    given_ = [link("a", "b"), link("b", "c", type_=SAME_EVENT)]

    assert records(grouped(given_)) == ["ab"]
    assert records(clusters(resolve("reunion", given_), [], SAME_EVENT, LOOSE)) == ["bc"]


def test_a_record_that_matches_too_much_is_reported_and_binds_nothing() -> None:
    """At the limit it binds, beyond it none of its rules' links does; what a person said of it holds."""
    star = [link("a", other) for other in "bcd"]
    said = [judgement("a", "b", "same")]

    assert records(grouped(star, limits=Limits(links=3))) == ["abcd"]
    beyond = grouped([*star, link("c", "d")], limits=Limits(links=2))
    assert (records(beyond), beyond.hubs) == (["cd"], ("a",))
    assert sorted(one.id for one in star) == [one.link for one in beyond.refused if one.why == "hub"]
    assert records(grouped(star, said, limits=Limits(links=2))) == ["ab"]


def test_several_rules_that_find_the_same_make_no_hub() -> None:
    """Neighbours are counted, not links."""
    given_ = [link("a", "b", rule=f"rule-{number}@1") for number in range(5)]

    assert grouped(given_, limits=Limits(links=1)).hubs == ()


def test_a_cluster_that_would_grow_beyond_its_limit_is_reported() -> None:
    """The strongest links are followed up to the size declared; the rest is said and not silently merged."""
    chain = [link("a", "b", 0.9), link("b", "c", 0.8), link("c", "d", 0.7)]
    found = grouped(chain, limits=Limits(records=3))

    assert records(found) == ["abc"]
    assert [(one.link, one.why) for one in found.refused] == [(chain[2].id, "size")]


@given(links(), judgements(), st.frozensets(st.tuples(NAMES, NAMES), max_size=6))
def test_what_speaks_against_each_other_is_not_brought_together(
    given_: list[Link], said: list[Judgement], foes: frozenset[tuple[str, str]]
) -> None:
    """No rule's link closes a cluster over two records that speak against each other, and which two is told; a person's may."""
    hostile = {(min(both), max(both)) for both in foes if both[0] != both[1]}
    standing = resolve("reunion", given_, said)
    found = clusters(standing, said, SAME_CRAFT, LOOSE, lambda one, other: (min(one, other), max(one, other)) in hostile)
    by_id = {one.id: one for one in standing}

    for each in found.groups:
        if all(by_id[name].rule is not None for name in each.links):
            assert not any(set(both) <= set(each.records) for both in hostile)
    for refused in found.refused:
        if refused.why == "against":
            assert refused.held_apart in hostile
            assert by_id[refused.link].rule is not None
