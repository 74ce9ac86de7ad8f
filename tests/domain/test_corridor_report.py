"""
The judgement of links and alerts by the truth: each figure against what counting by hand gives.
"""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from boutre.processors.corridor_alerts import Known, Raised, alerting, threads
from boutre.processors.corridor_report import (
    Score,
    b_cubed,
    by_observer,
    clustered,
    corridor_report,
    distance_and_time,
    every_pair,
    of_clusters,
    of_pairs,
    reliability,
)
from boutre.processors.matching.found import SAME_CRAFT, Found, found
from boutre.processors.matching.sighted import Sighted

truths = st.lists(st.sampled_from(["k0", "k1", "k2", "k3", None]), max_size=12).map(
    lambda boats: [
        Known(f"r{number:02d}", f"o{number % 3}", boat, f"r{number:02d}", float(number)) for number, boat in enumerate(boats)
    ]
)


def link(a: str, b: str, probability: float = 0.9) -> Found:
    """A link of two reports."""
    return found(a, b, SAME_CRAFT, "test@1", probability)


def all_pairs(known: list[Known]) -> list[Found]:
    """Every two reports linked."""
    return [link(one.id, other.id) for one, other in combinations(known, 2)]


@st.composite
def linked(draw: st.DrawFn) -> tuple[list[Known], list[Found]]:
    """A truth, and any links of its reports."""
    known = draw(truths)
    pairs = list(combinations([one.id for one in known], 2))
    chosen = draw(st.lists(st.sampled_from(pairs), unique=True)) if pairs else []
    return known, [link(a, b, draw(st.sampled_from([0.0, 0.49, 0.5, 0.95, 1.0]))) for a, b in chosen]


@given(truths)
def test_right_links_are_perfect(known: list[Known]) -> None:
    """Who links every two reports of one boat, and no others, gets 1.0 of everything."""
    links = [link(a, b) for a, b in every_pair(known)]
    clusters = clustered([one.id for one in known], links)

    assert Score(1.0, 1.0, 1.0) == of_pairs(known, every_pair(known))
    assert Score(1.0, 1.0, 1.0) == of_clusters(known, clusters)
    assert pytest.approx((1.0, 1.0, 1.0)) == tuple(getattr(b_cubed(known, clusters), name) for name in Score.__struct_fields__)


@given(truths)
def test_no_links_find_nothing(known: list[Known]) -> None:
    """Who links nothing is never wrong, and finds none of what there is."""
    score = of_pairs(known, set())

    assert 1.0 == score.precision
    assert (0.0 if every_pair(known) else 1.0) == score.recall


@given(truths)
def test_all_in_one_is_as_right_as_chance(known: list[Known]) -> None:
    """Who merges everything finds all there is, and is right as often as any two reports are of one boat."""
    score = of_clusters(known, clustered([one.id for one in known], all_pairs(known)))
    pairs = list(combinations(known, 2))
    right = sum(one.boat is not None and one.boat == other.boat for one, other in pairs)

    assert 1.0 == score.recall
    assert pytest.approx(right / len(pairs) if pairs else 1.0) == score.precision


@given(linked())
def test_scores_are_those_of_counting(case: tuple[list[Known], list[Found]]) -> None:
    """For any links, pairs in clusters and B-cubed are what looking at every two reports gives."""
    known, links = case
    clusters = clustered([one.id for one in known], links)
    boat = {one.id: one.boat or f"nothing {one.id}" for one in known}
    said = [(a, b) for a, b in combinations(sorted(boat), 2) if clusters[a] == clusters[b]]
    right = [pair for pair in said if boat[pair[0]] == boat[pair[1]]]
    score, cubed = of_clusters(known, clusters), b_cubed(known, clusters)

    assert pytest.approx(len(right) / len(said) if said else 1.0) == score.precision
    assert pytest.approx(len(right) / len(every_pair(known)) if every_pair(known) else 1.0) == score.recall
    for of, judged in ((clusters, cubed.precision), (boat, cubed.recall)):
        shares = []
        for one, name in of.items():
            group = [other for other in boat if of[other] == name]
            shares.append(sum(boat[other] == boat[one] and clusters[other] == clusters[one] for other in group) / len(group))
        assert pytest.approx(sum(shares) / len(shares) if shares else 1.0) == judged


@given(linked())
def test_links_of_which_order_is_the_same(case: tuple[list[Known], list[Found]]) -> None:
    """Clusters do not depend on the order in which links are named, and are named by their least report."""
    known, links = case
    ids = [one.id for one in known]
    clusters = clustered(ids, links)

    assert clusters == clustered(reversed(ids), reversed(links))
    assert all(name == min(one for one in ids if clusters[one] == name) for name in clusters.values())


@given(linked())
def test_bins_hold_every_link_once(case: tuple[list[Known], list[Found]]) -> None:
    """Every link stands in the bin of its probability, 1.0 in the last, and shares are of what is right."""
    known, links = case
    bins = reliability(known, links)
    boat = {one.id: one.boat for one in known}

    assert len(links) == sum(each.links for each in bins)
    for each in bins:
        inside = [one for one in links if each.low <= one.probability < each.high or (one.probability == each.high == 1)]
        held = sum(boat[one.a] is not None and boat[one.a] == boat[one.b] for one in inside)
        assert len(inside) == each.links
        assert pytest.approx(held / len(inside)) == each.held
        assert pytest.approx(sum(one.probability for one in inside) / len(inside)) == each.said


def test_observers_are_told_apart() -> None:
    """A report counts for its observer once, as linked rightly where one link is right, as linked wrongly where one is wrong."""
    known = [Known("a", "radar", "k0", "a", 0), Known("b", "plane", "k0", "b", 1), Known("c", "plane", "k1", "c", 2)]
    rows = {row.observer: row for row in by_observer(known, [link("a", "b"), link("b", "c"), link("a", "c")])}

    assert (1, 1, 1, 1) == (rows["radar"].reports, rows["radar"].to_link, rows["radar"].linked, rows["radar"].mislinked)
    assert (2, 1, 1, 2) == (rows["plane"].reports, rows["plane"].to_link, rows["plane"].linked, rows["plane"].mislinked)


def seen(name: str, source: str, event: str = "other", at: float = 0.0) -> Sighted:
    """A report as matching sees it."""
    return Sighted(name, "sighting", source, at=at, latitude=-12.5, longitude=44.8, event=event)


def test_a_second_feed_raises_an_alert() -> None:
    """Two plots of one feed raise nothing; a second feed's report does, when it comes, and one more updates the same thread."""
    known = [Known(name, "x", "k0", name, at) for name, at in (("a", 10.0), ("b", 20.0), ("c", 50.0), ("d", 60.0))]
    told = [seen("a", "radar"), seen("b", "radar"), seen("c", "plane"), seen("d", "radar")]
    raised = threads(known, told, [link("a", "b"), link("b", "c"), link("c", "d")])
    judged = alerting(known, raised, {"k0"})

    assert [50.0, 60.0] == [one.at for one in raised]
    assert 1 == len({one.thread for one in raised})
    assert (1, 1, 0, 0) == (judged.alerted, judged.threads, judged.duplicates, judged.false)
    assert 40.0 == judged.median_s


def test_what_is_joined_late_was_alerted_twice() -> None:
    """Two threads that a later report joins have both been raised: one of them is a duplicate, and the older one goes on."""
    known = [Known(name, "x", "k0", name, at) for name, at in (("a", 0.0), ("b", 10.0), ("c", 20.0))]
    told = [seen("a", "f", "irregular-migration"), seen("b", "g", "irregular-migration"), seen("c", "h")]
    raised = threads(known, told, [link("a", "c"), link("b", "c")])
    judged = alerting(known, raised, {"k0"})

    assert ["a", "b", "a"] == [one.thread for one in raised]
    assert (2, 1, 0) == (judged.threads, judged.duplicates, judged.missed)
    assert 0.0 == judged.median_s


def test_alerts_of_nothing_and_of_others_are_false() -> None:
    """A thread that never spoke of a boat that was wanted is false; a boat that nobody reported is not missed but unseen."""
    known = [Known("a", "x", None, "a", 0.0), Known("b", "x", "p0", "b", 5.0), Known("c", "x", "k0", "c", 9.0)]
    judged = alerting(known, [Raised("a", 1.0, (None,)), Raised("b", 6.0, ("p0",))], {"k0", "k1"})

    assert (2, 2, 0) == (judged.threads, judged.false, judged.duplicates)
    assert (1, 1, 1) == (judged.boats, judged.missed, judged.unseen)
    assert judged.median_s is None


@given(linked())
def test_every_alerted_boat_waited_no_less_than_nothing(case: tuple[list[Known], list[Found]]) -> None:
    """Threads account for every wanted boat that was reported, and none is alerted before its first report."""
    known, links = case
    told = [seen(one.id, one.observer, "irregular-migration" if number % 2 else "other") for number, one in enumerate(known)]
    judged = alerting(known, threads(known, told, links), {"k0", "k1"})

    assert judged.boats == judged.alerted + judged.missed
    assert 2 == judged.boats + judged.unseen
    assert judged.median_s is None or 0 <= judged.median_s <= (judged.p90_s or 0)


def test_distance_and_time_alone() -> None:
    """The baseline links what is near in both, and nothing that is far in one; at the edge its probability is a half."""
    here, then = Sighted("a", "sighting", at=0.0, latitude=-12.5, longitude=44.8), 2_400.0
    later = Sighted("b", "sighting", at=then, latitude=-12.5, longitude=44.8)
    too_late = Sighted("c", "sighting", at=-1.0, latitude=-12.5, longitude=44.8)
    far = Sighted("d", "sighting", at=0.0, latitude=-12.5, longitude=44.92)
    nowhere = Sighted("e", "sighting", at=0.0)
    links = {(one.a, one.b): one.probability for one in distance_and_time([later, here, too_late, far, nowhere])}

    assert {("a", "b"): 0.5, ("a", "c"): pytest.approx(0.5 ** (1 / 2_400))} == links


def test_the_report_is_of_links_that_are_likely() -> None:
    """A link below a half counts in the reliability alone; everything of the report is plain data."""
    known = [Known(name, "x", "k0", name, 0.0) for name in "abc"]
    told = [seen(name, "radar") for name in "abc"]
    report = corridor_report("test@1", known, told, [link("a", "b", 0.49), link("b", "c", 0.5)], {"k0"})

    assert pytest.approx(1 / 3) == report.links.recall
    assert 2 == sum(each.links for each in report.reliability)
    assert {"precision": 1.0, "recall": pytest.approx(1 / 3), "f1": pytest.approx(0.5)} == report.plain()["links"]


def test_reports_against_each_other_share_no_cluster() -> None:
    """A chain of links does not bring together its two ends where these speak against each other: the weaker link gives way."""
    links = [link("a", "b", 0.9), link("b", "c", 0.8)]

    assert {"a": "a", "b": "a", "c": "a"} == clustered("abc", links)
    assert {"a": "a", "b": "a", "c": "c"} == clustered("abc", links, lambda one, other: (one, other) == ("a", "c"))
