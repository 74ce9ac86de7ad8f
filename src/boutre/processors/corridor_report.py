"""
How well links and alerts tell which reports are of one boat, where the truth is known; and what distance and time alone would find.

Pure: values in, values out. The truth comes from a simulator, or from whoever has drawn up pairs by hand.
"""

from __future__ import annotations

import itertools
import math
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import combinations
from typing import Any, Final

from msgspec import Struct, to_builtins

from boutre.processors.corridor_alerts import Alerting, Known, alerting, threads
from boutre.processors.links.clusters import Against
from boutre.processors.matching.distances import apart_km
from boutre.processors.matching.found import SAME_CRAFT, Evidence, Found, found
from boutre.processors.matching.sighted import Sighted

LEAST: Final = 0.5
"""A link counts from this probability on: more likely than not."""

BASELINE: Final = "distance-and-time@1"
BASELINE_KM: Final = 10.0
BASELINE_S: Final = 2_400.0
"""Radius and span of the baseline: the best of a grid on seeds 100 to 104, none of which is shown anywhere."""


class Score(Struct, frozen=True):
    """
    Of what was said to be one, how much is (precision); of what is one, how much was said (recall). Nothing said is nothing wrong.
    """

    precision: float
    recall: float
    f1: float


class Bin(Struct, frozen=True):
    """
    Links whose probability lies from *low* to below *high*: how many, the mean that was *said*, and the share that *held*.
    """

    low: float
    high: float
    links: int
    said: float
    held: float


class Row(Struct, frozen=True):
    """
    An observer's reports: how many, with another of the same boat (*to_link*), and of these with a right link; with a wrong one.
    """

    observer: str
    reports: int
    to_link: int
    linked: int
    mislinked: int


class Report(Struct, frozen=True):
    """
    All of it for one matcher. *links*: pairs as they were linked; *pairs*: pairs that came into one cluster; *clusters*: B-cubed.
    """

    matcher: str
    reports: int
    boats: int
    true_pairs: int
    links: Score
    pairs: Score
    clusters: Score
    alerts: Alerting
    reliability: tuple[Bin, ...]
    observers: tuple[Row, ...]

    def plain(self) -> dict[str, Any]:
        """Give it as JSON holds it."""
        plain: dict[str, Any] = to_builtins(self)
        return plain


def corridor_report(
    matcher: str,
    known: Sequence[Known],
    seen: Sequence[Sighted],
    links: Iterable[Found],
    wanted: Collection[str],
    *,
    against: Against | None = None,
) -> Report:
    """
    Judge *links* that *matcher* found in the reports *seen*, by the truth that is *known* of each; *wanted* boats deserve an alert.

    Two reports that are *against* each other come into no cluster together.
    """
    held = tuple(links)
    likely = [link for link in held if link.probability >= LEAST]
    clusters = clustered([one.id for one in known], likely, against)
    return Report(
        matcher=matcher,
        reports=len(known),
        boats=len({one.boat for one in known if one.boat is not None}),
        true_pairs=sum(math.comb(count, 2) for count in Counter(one.boat for one in known if one.boat is not None).values()),
        links=of_pairs(known, {(link.a, link.b) for link in likely}),
        pairs=of_clusters(known, clusters),
        clusters=b_cubed(known, clusters),
        alerts=alerting(known, threads(known, seen, likely), wanted),
        reliability=reliability(known, held),
        observers=by_observer(known, likely),
    )


def clustered(ids: Iterable[str], links: Iterable[Found], against: Against | None = None) -> dict[str, str]:
    """
    Give each report the name of its cluster, the least id in it: reports that links join, directly or by others.

    The strongest links come first, and none brings together two reports that are *against* each other, as in ``links.clusters``.
    """
    group = {one: {one} for one in ids}
    for link in sorted(links, key=lambda each: (-each.probability, each.a, each.b)):
        if link.a not in group or link.b not in group or group[link.a] is group[link.b]:
            continue
        less, more = sorted((group[link.a], group[link.b]), key=len)
        if against is not None and any(against(min(pair), max(pair)) for pair in itertools.product(less, more)):
            continue
        more |= less
        group.update(dict.fromkeys(less, more))
    return {one: min(each) for one, each in group.items()}


def _score(right: float, said: float, true: float) -> Score:
    precision = right / said if said else 1.0
    recall = right / true if true else 1.0
    return Score(precision, recall, 2 * precision * recall / (precision + recall) if precision + recall else 0.0)


def of_pairs(known: Sequence[Known], pairs: Collection[tuple[str, str]]) -> Score:
    """
    Judge pairs of reports: right are those of one boat; a report of nothing is of one boat with none.
    """
    boat = {one.id: one.boat for one in known}
    right = sum(_same(boat, a, b) for a, b in pairs)
    true = sum(math.comb(count, 2) for count in Counter(one.boat for one in known if one.boat is not None).values())
    return _score(right, len(pairs), true)


def of_clusters(known: Sequence[Known], clusters: Mapping[str, str]) -> Score:
    """
    Judge all pairs that lie in one cluster, whether a link or a chain of links brought them there.
    """
    counts = Counter((clusters[one.id], one.boat) for one in known if one.boat is not None)
    right = sum(math.comb(count, 2) for count in counts.values())
    said = sum(math.comb(count, 2) for count in Counter(clusters[one.id] for one in known).values())
    true = sum(math.comb(count, 2) for count in Counter(one.boat for one in known if one.boat is not None).values())
    return _score(right, said, true)


def b_cubed(known: Sequence[Known], clusters: Mapping[str, str]) -> Score:
    """
    Judge clusters report by report (B-cubed, Bagga and Baldwin 1998): each report counts once, however large its cluster is.
    """
    if not known:
        return Score(1.0, 1.0, 1.0)
    # A report of nothing is a boat of its own.
    boat = {one.id: one.boat if one.boat is not None else f"nothing {one.id}" for one in known}
    both = Counter((clusters[one.id], boat[one.id]) for one in known)
    cluster, truth = Counter(clusters[one.id] for one in known), Counter(boat.values())
    precision = math.fsum(both[clusters[one.id], boat[one.id]] / cluster[clusters[one.id]] for one in known) / len(known)
    recall = math.fsum(both[clusters[one.id], boat[one.id]] / truth[boat[one.id]] for one in known) / len(known)
    return Score(precision, recall, 2 * precision * recall / (precision + recall))


def reliability(known: Sequence[Known], links: Iterable[Found], bins: int = 10) -> tuple[Bin, ...]:
    """
    Put links into bins of equal width by their probability, and say in each what share of them is right. Empty bins are left out.

    Only pairs that the matcher gave are here: what it never mentioned has no probability to be judged.
    """
    boat = {one.id: one.boat for one in known}
    filled: dict[int, list[tuple[float, bool]]] = defaultdict(list)
    for link in links:
        filled[min(bins - 1, int(link.probability * bins))].append((link.probability, _same(boat, link.a, link.b)))
    return tuple(
        Bin(
            number / bins,
            (number + 1) / bins,
            len(inside),
            math.fsum(said for said, _ in inside) / len(inside),
            sum(right for _, right in inside) / len(inside),
        )
        for number, inside in sorted(filled.items())
    )


def by_observer(known: Sequence[Known], links: Iterable[Found]) -> tuple[Row, ...]:
    """
    Say of each observer how many of its reports were linked rightly, and how many wrongly.
    """
    boat = {one.id: one.boat for one in known}
    of_boat = Counter(one.boat for one in known if one.boat is not None)
    rightly: set[str] = set()
    wrongly: set[str] = set()
    for link in links:
        (rightly if _same(boat, link.a, link.b) else wrongly).update((link.a, link.b))
    rows = []
    for observer in sorted({one.observer for one in known}):
        own = [one for one in known if one.observer == observer]
        to_link = [one for one in own if one.boat is not None and of_boat[one.boat] > 1]
        linked = sum(one.id in rightly for one in to_link)
        rows.append(Row(observer, len(own), len(to_link), linked, sum(one.id in wrongly for one in own)))
    return tuple(rows)


def distance_and_time(reports: Sequence[Sighted], km: float = BASELINE_KM, seconds: float = BASELINE_S) -> tuple[Found, ...]:
    """
    Link reports that lie within *km* and *seconds* of each other, and look at nothing else: what a matcher has to beat.

    Its probability falls from 1, where both are the same, to a half at the edge; it is made up, and its reliability shows it.
    """
    placed = sorted((one for one in reports if one.placed), key=lambda one: (one.at, one.id))
    links = []
    for number, one in enumerate(placed):
        for other in placed[number + 1 :]:
            assert one.at is not None, "placed reports tell a time"
            assert other.at is not None, "placed reports tell a time"
            if other.at - one.at > seconds:
                break
            apart = apart_km(one, other)
            if apart is not None and apart <= km:
                probability = 0.5 ** max(apart / km, (other.at - one.at) / seconds)
                evidence = (Evidence("distance-and-time", "near", 0.0),)
                links.append(found(one.id, other.id, SAME_CRAFT, BASELINE, probability, evidence))
    return tuple(links)


def every_pair(known: Sequence[Known]) -> set[tuple[str, str]]:
    """
    Give all pairs of reports that are of one boat, the lesser id first.
    """
    of_boat: dict[str, list[str]] = defaultdict(list)
    for one in known:
        if one.boat is not None:
            of_boat[one.boat].append(one.id)
    return {pair for ids in of_boat.values() for pair in combinations(sorted(ids), 2)}


def _same(boat: Mapping[str, str | None], a: str, b: str) -> bool:
    return boat.get(a) is not None and boat.get(a) == boat.get(b)
