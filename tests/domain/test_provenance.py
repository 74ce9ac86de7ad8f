"""
Provenance: several reports are several sources only where it is known that they do not come of one.
"""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from boutre.processors.links.link import made, resolve
from boutre.processors.links.provenance import Told, confirmation, edges, independent, roots, told
from boutre.processors.matching.found import DERIVED_FROM, found
from boutre.processors.matching.sighted import sighted
from linked import judgement, link

KWASSA = {
    "comoros": Told("comoros", "comoros/ops-room"),
    "plane": Told("plane", "france/plane", bare=True),
    "fisherman": Told("fisherman", "mayotte/fishermen"),
    "rmifc": Told("rmifc", "rmifc/digest", parents=("comoros",)),
}
"""One kwassa: told by Comoros, seen by a plane's radar alone, told by a fisherman, and Comoros told on by a centre."""


@st.composite
def graphs(draw: st.DrawFn) -> dict[str, Told]:
    """Reports made from each other at will, in rings and from what nobody has seen, of few sources, known or not."""
    names = "abcde"
    many = st.lists(st.sampled_from("abcdefg"), max_size=2).map(tuple)
    return {
        name: Told(
            name, draw(st.sampled_from("xyz")), draw(many), draw(st.sampled_from([(), ("X",), ("z", "v")])), draw(st.booleans())
        )
        for name in draw(st.sets(st.sampled_from(names)))
    }


def test_one_kwassa_told_four_ways_is_one_cluster_of_two_independent_roots() -> None:
    """Three reports begin it; the centre's copy is none of them, and the radar's contact does not say what it was."""
    found_ = confirmation(KWASSA, KWASSA)

    assert found_.roots == ("comoros", "fisherman", "plane")
    assert found_.contacts == ("plane",)
    assert (found_.independent, found_.confirmed) == (("comoros", "fisherman"), True)


@pytest.mark.parametrize("records", [("comoros", "rmifc"), ("comoros", "plane"), ("rmifc", "plane"), ("fisherman",), ("rmifc",)])
def test_a_copy_or_a_contact_confirms_nothing(records: tuple[str, ...]) -> None:
    """However often it is told, and whatever a radar saw near by, it was told by one."""
    assert not confirmation(records, KWASSA).confirmed


def test_a_copy_stands_for_its_original() -> None:
    """The centre tells what Comoros told, and the fisherman tells it too: two, though the original is not in the cluster."""
    assert confirmation(("rmifc", "fisherman"), KWASSA).independent == ("comoros", "fisherman")


def test_a_copy_that_does_not_say_so_is_known_by_its_link() -> None:
    """Without the link it would confirm its own original; with it, a doubtful one too, it does not."""
    silent = {**KWASSA, "rmifc": Told("rmifc", "rmifc/digest")}
    match = made("reunion", found("comoros", "rmifc", DERIVED_FROM, "copies@1", 0.8), "comoros")
    links = resolve("reunion", [match, link("comoros", "rmifc")], [judgement("comoros", "rmifc", "unsure")])

    assert confirmation(("comoros", "rmifc"), silent).confirmed
    assert not confirmation(("comoros", "rmifc"), silent, edges(links)).confirmed
    assert edges(links) == {("rmifc", "comoros")}


def test_a_correction_is_the_report_that_it_corrects() -> None:
    """One that takes the place of another is no second source, through whichever feed it comes."""
    graph = {"a": Told("a", "comoros/phone"), "b": Told("b", "comoros/ops-room", parents=("a",))}

    assert not confirmation("ab", graph).confirmed


def test_sources_in_common_are_one() -> None:
    """The same feed, or a source that both name however it is written, makes two one; what bridges two others is left out."""
    graph = {
        "a": Told("a", "x", named=("Coast  Guard",)),
        "b": Told("b", "y", named=("coast guard", "navy")),
        "c": Told("c", "z", named=("NAVY",)),
        "d": Told("d", "X"),
    }

    for both in ("ab", "bc", "ad"):
        assert not confirmation(both, graph).confirmed
    assert confirmation("abcd", graph).independent == ("a", "c")


def test_a_digest_of_several_reports_stands_for_none_that_is_not_there() -> None:
    """A daily digest speaks of many events: only a report that is itself of this one counts."""
    graph = {"a": Told("a", "x"), "b": Told("b", "y"), "c": Told("c", "z", parents=("a", "b"))}

    assert confirmation("c", graph).independent == ()
    assert confirmation("ac", graph).independent == ("a",)
    assert confirmation("abc", graph).confirmed
    assert confirmation("cde", {**graph, "d": Told("d", "v", ("a",)), "e": Told("e", "w", ("b",))}).confirmed


def test_what_was_never_seen_confirms_nothing() -> None:
    """A copy of a report that this recipient has not: whose it was, and what it says, is not known."""
    graph = {"a": Told("a", "x", parents=("unseen",)), "b": Told("b", "y")}

    assert confirmation("ab", graph).unknown == ("unseen",)
    assert not confirmation("ab", graph).confirmed


def test_records_made_from_each_other_have_one_root_that_nobody_knows() -> None:
    """A ring is one root whichever record is asked, and confirms nothing. With a report before it, that one is the root."""
    graph = {name: Told(name, name, parents=(parent,)) for name, parent in ("ac", "ba", "cb", "db")}

    assert {roots(name, graph) for name in graph} == {frozenset("a")}
    assert confirmation("abcd", graph).independent == ()
    assert {roots(name, graph, {("b", "e")}) for name in graph} == {frozenset("e")}


@given(graphs(), st.sampled_from("abcde"))
def test_what_is_not_known_never_confirms_more(graph: dict[str, Told], hidden: str) -> None:
    """Withholding where a report comes from, but for what it was made from, never makes a confirmation."""
    records = sorted(graph)
    less = {key: replace(one, known=one.known and key != hidden) for key, one in graph.items()}
    before, after = confirmation(records, graph), confirmation(records, less)

    assert before.roots == after.roots
    assert before.confirmed or not after.confirmed


@given(graphs(), st.tuples(st.sampled_from("abcdefg"), st.sampled_from("abcdefg")), st.randoms(use_true_random=False))
def test_confirmation_is_of_known_roots_of_different_sources(graph: dict[str, Told], edge: tuple[str, str], random: Any) -> None:
    """Whoever confirms is known, begins its own story, and has no source in common with another; in any order of records."""
    records = sorted(graph)
    result = confirmation(records, graph, [edge])
    told_by = {key: {source.casefold() for source in (one.source, *one.named)} for key, one in graph.items()}
    free = set(result.roots) - set(result.unknown) - set(result.contacts)

    assert result == confirmation(random.sample(records, len(records)), dict(reversed(graph.items())), [edge])
    assert all(graph[end].known and roots(end, graph, [edge]) == {end} for end in result.independent)
    assert sum(len(told_by[end]) for end in result.independent) == len(set().union(*(told_by[end] for end in result.independent)))
    assert result.confirmed == any(not told_by[one] & told_by[other] for one in free for other in free)


@given(graphs(), st.sampled_from("abcdefg"), st.sampled_from("abcdefg"))
def test_independence_is_mutual_and_never_of_what_is_not_known(graph: dict[str, Told], one: str, other: str) -> None:
    """It is the same from both sides; two that are said to be independent make a confirmation where both tell what they saw."""
    said = independent(one, other, graph)

    assert said == independent(other, one, graph)
    if said:
        assert not roots(one, graph) & roots(other, graph)
        assert all(graph[each].known for each in (one, other))


def test_a_record_is_not_independent_of_itself() -> None:
    """Nor of its copy; and of an unknown one it is not known."""
    assert independent("comoros", "comoros", KWASSA) is False
    assert independent("comoros", "rmifc", KWASSA) is False
    assert independent("rmifc", "fisherman", KWASSA) is True
    assert independent("comoros", "elsewhere", KWASSA) is None


# --- What a view says --------------------------------------------------------------------------------------------------------


def view(*touched: tuple[str, str], **more: Any) -> Told:
    """What is told of where a view comes from."""
    value = {
        "id": "v",
        "origin": {"member": "comoros", "feed": "ops-room"},
        "provenance": {"sources": [{"name": "Coast guard"}], "derived_from": ["o"]},
        "craft": {"kind": "kwassa"},
        "view": {"of": "n", "fields": [{"field": field, "state": state} for field, state in touched]},
        **more,
    }
    return told(sighted("sighting", value, "n"), value)


def test_where_a_view_comes_from_is_read_from_it() -> None:
    """Feed, sources named and what it was made from; what it takes the place of counts as that too."""
    assert view() == Told("n", "comoros/ops-room", ("o",), ("Coast guard",))
    assert view(lifecycle={"revises": "earlier"}).parents == ("earlier", "o")


@pytest.mark.parametrize(
    "touched",
    [
        "origin",
        "origin.member",
        "origin.feed",
        "provenance",
        "provenance.sources",
        "provenance.sources.name",
        "provenance.derived_from",
    ],
)
def test_where_anything_of_it_was_withheld_it_is_not_known(touched: str) -> None:
    """An agreement that hides a source leaves a report that confirms nothing."""
    assert not view((touched, "withheld")).known


def test_what_is_not_there_is_not_known() -> None:
    """No provenance, no origin, or half of one; while names of its recipient's own, and other fields withheld, change nothing."""
    assert not view(provenance=None).known
    assert not view(origin=None).known
    assert not view(origin={"member": "comoros", "feed": None}).known
    assert view(("provenance.derived_from", "pseudonymised"), ("craft.colours", "withheld")).known


def test_a_contact_without_a_sign_of_what_it_is_is_bare() -> None:
    """A radar's plot, or a view from which all that was seen is withheld; one count of persons is enough to be more."""
    assert view(craft=None).bare
    assert not view().bare
    assert not view(craft=None, persons={"total": {"min": 28.0, "max": 28.0}}).bare
