"""
Who is late, silent or at its end: at the very second of a limit nothing is, a moment behind it everything is.
"""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from boutre.ops.clocks.declared import ClocksFile, ProbeFile
from boutre.ops.clocks.document import document, rows
from boutre.ops.clocks.families import ABOUT, FAMILIES
from boutre.ops.clocks.judge import DAY_S, judge
from boutre.ops.clocks.look import AlertsSeen, FeedSeen, Look, ProbeSeen, ReaderSeen, SenderSeen, TermSeen, WaitingSeen
from boutre.ops.clocks.report import Report
from boutre.ops.clocks.series import Series
from boutre.ops.findings.heard import Heard

AT = 1_790_000_000.0
PROBE = ProbeFile(feed="probe", member="m", recipient="rcoc", tlp="CLEAR", every_s=300, late_s=30, lost_s=120)
FILE = ClocksFile(undelivered_minutes=15, rhythms=1, soon_days=30, probe=PROBE)

RHYTHMS = st.floats(1, 1e7)
NAMES = st.sampled_from(["rcoc", "rmifc"])
SECONDS = st.floats(0, 1e7)
LOOKS = st.builds(
    Look,
    st.just(AT),
    st.lists(
        st.builds(FeedSeen, NAMES, NAMES, st.none() | RHYTHMS, st.none() | st.floats(AT - 1e7, AT + 1e4), st.booleans()), max_size=3
    ).map(tuple),
    st.lists(
        st.builds(
            AlertsSeen,
            NAMES,
            st.lists(st.builds(ReaderSeen, NAMES, st.booleans(), st.integers(0, 9), st.none() | SECONDS), max_size=3).map(tuple),
            st.integers(0, 9),
            st.none() | SECONDS,
        ),
        max_size=3,
    ).map(tuple),
    st.lists(
        st.builds(
            WaitingSeen, NAMES, NAMES, st.integers(0, 9), st.integers(0, 9), st.integers(0, 9), SECONDS, st.floats(AT - 1e4, AT)
        ),
        max_size=3,
    ).map(tuple),
    st.lists(
        st.builds(
            TermSeen, st.sampled_from(["agreement", "key", "certificate"]), NAMES, NAMES, st.none(), st.none() | st.floats(0, 4e9)
        ),
        max_size=3,
    ).map(tuple),
    st.lists(
        st.builds(
            ProbeSeen,
            NAMES,
            NAMES,
            *[st.integers(0, 9)] * 4,
            st.just(0.0) | st.floats(AT - 1e4, AT),
            st.none() | SECONDS,
            st.just(AT),
        ),
        max_size=2,
    ).map(tuple),
    st.lists(NAMES, max_size=2).map(tuple),
    st.lists(st.builds(SenderSeen, NAMES, st.floats(-1e7, 1e7)), max_size=2).map(tuple),
)
"""Anything that a look may have seen."""


@given(rhythm_s=RHYTHMS, rhythms=st.sampled_from([1, 1.5, 3]))
def test_a_feed_is_silent_behind_its_rhythm(rhythm_s: float, rhythms: float) -> None:
    """As long as its rhythm lasts it is calm, and behind it silent; what never came is never heard."""
    limit = rhythm_s * rhythms
    file = ClocksFile(rhythms=rhythms)

    def state(last: float | None, rhythm: float | None = rhythm_s) -> str:
        (feed,) = judge(Look(0.0, (FeedSeen("f", "m", rhythm, last),)), file).feeds
        return feed.state

    assert "heard" == state(-limit)
    assert "silent" == state(-math.nextafter(limit, math.inf))
    assert "never" == state(None)
    assert "unexpected" == state(None, None)
    assert "unexpected" == state(-1e9, None)
    assert "heard" == state(5.0)  # a broker's clock that is ahead is no silence


@pytest.mark.parametrize(
    ("readers", "reader", "late"),
    [
        ([("a", True, 1, 900.0)], "a", False),
        ([("a", True, 1, 900.001)], "a", True),
        ([("a", True, 1, None)], "a", True),
        ([("a", True, 0, 0.0)], "a", False),
        # Each that was declared is expected: the one that is furthest behind counts.
        ([("a", True, 0, 0.0), ("b", True, 2, 1000.0)], "b", True),
        # One that nobody declared neither excuses a declared one nor accuses it.
        ([("a", True, 3, 1000.0), ("b", False, 0, 0.0)], "a", True),
        ([("a", True, 0, 0.0), ("b", False, 9, 5000.0)], "a", False),
        # Nobody said who should read: the recipient has what any of its groups has.
        ([("a", False, 9, 5000.0), ("b", False, 0, 0.0)], "b", False),
        ([("a", False, 9, None), ("b", False, 1, 1000.0)], "b", True),
    ],
)
def test_alerts_are_late_by_whoever_should_have_read_them(
    readers: list[tuple[str, bool, int, float | None]], reader: str, *, late: bool
) -> None:
    """A quarter of an hour, by the group that counts; what cannot be found out is not taken for delivered."""
    seen = AlertsSeen("rcoc", tuple(ReaderSeen(name, declared, unread, age) for name, declared, unread, age in readers), 9, 1e6)
    (found,) = judge(Look(AT, alerts=(seen,)), FILE).undelivered

    assert (reader, late, len(readers)) == (found.reader, found.late, found.readers)


@pytest.mark.parametrize(("there", "first_s", "late"), [(0, None, False), (1, 900.0, False), (1, 901.0, True), (3, None, True)])
def test_alerts_that_nobody_reads_are_undelivered(there: int, first_s: float | None, *, late: bool) -> None:
    """Where no group is known, all that is there waits since its first record."""
    (found,) = judge(Look(AT, alerts=(AlertsSeen("rcoc", (), there, first_s),)), FILE).undelivered

    assert ("", 0, there, late) == (found.reader, found.readers, found.unread, found.late)


@pytest.mark.parametrize(
    ("begins", "ends", "state"),
    [
        (None, AT, "ended"),
        (None, AT + 0.001, "ends-soon"),
        (None, AT + 30 * DAY_S, "ends-soon"),
        (None, AT + 30 * DAY_S + 0.001, "in-force"),
        (AT + 1, AT + 9, "to-begin"),
        (AT, AT + 90 * DAY_S, "in-force"),
        (None, None, "ended"),
        (AT - 9, AT - 1, "ended"),
    ],
)
def test_what_ends_is_told_before(begins: float | None, ends: float | None, state: str) -> None:
    """A month before, and from its end on; what has no end in force at all has ended."""
    (found,) = judge(Look(AT, terms=(TermSeen("key", "rcoc", "rcoc", begins, ends),)), FILE).terms

    assert (state, state == "ended") == (found.state, found.wrong)


@pytest.mark.parametrize(
    ("counts", "ago", "last_s", "heard_ago", "state"),
    [
        ((0, 0, 0, 0), None, None, 0, "begun"),
        ((0, 0, 1, 0), None, None, 0, "lost"),
        ((0, 0, 0, 1), None, None, 0, "lost"),
        ((5, 0, 0, 0), 420.0, 1.0, 0, "arrives"),
        ((5, 0, 0, 0), 420.001, 1.0, 0, "lost"),
        ((5, 0, 9, 0), 10.0, 30.0, 0, "arrives"),
        ((5, 0, 0, 0), 10.0, 30.001, 0, "late"),
        ((5, 0, 0, 0), 10.0, 1.0, 600.0, "arrives"),
        ((5, 0, 0, 0), 10.0, 1.0, 600.001, "unheard"),
    ],
)
def test_a_probe_is_lost_when_nothing_has_arrived_for_a_round_and_its_time(
    counts: tuple[int, int, int, int], ago: float | None, last_s: float | None, heard_ago: float, state: str
) -> None:
    """Rounds lost before are history; what counts is when one last arrived, how long it took, and that somebody says so."""
    seen = ProbeSeen("probe", "rcoc", *counts, 0.0 if ago is None else AT - ago, last_s, AT - heard_ago)
    (found,) = judge(Look(AT, probes=(seen,)), FILE).probes

    assert state == found.state


@pytest.mark.parametrize(("ahead_s", "wrong"), [(300.0, False), (300.001, True), (-300.0, False), (-300.001, True), (0.0, False)])
def test_a_clock_is_wrong_on_either_side(ahead_s: float, *, wrong: bool) -> None:
    """By more than the declared minutes."""
    report = judge(Look(AT, senders=(SenderSeen("comoros", ahead_s),)), FILE)

    assert ([wrong], wrong) == ([one.wrong for one in report.senders], report.wrong)


@given(look=LOOKS)
def test_a_report_is_shown_whole(look: Look) -> None:
    """Whatever was seen: the document is JSON, each clock has its row, and something is wrong exactly where a clock is."""
    report = judge(look, FILE)
    told = json.loads(json.dumps(document(report), allow_nan=False))

    assert len(look.feeds) == len(told["feeds"])
    assert len(look.probes) == len(told["probes"])
    assert len(look.senders) == len(told["senders"])
    shown = (report.undelivered, look.feeds, look.terms, look.probes, look.senders)
    assert sum(map(len, shown)) <= len(list(rows(report)))
    wrong = [
        *(one.late for one in report.undelivered), *(one.overdue for one in report.waiting), *(one.wrong for one in report.feeds),
        *(one.wrong for one in report.terms), *(one.wrong for one in report.probes), *(one.wrong for one in report.senders),
    ]  # fmt: skip
    assert any(wrong) == report.wrong == told["wrong"]


@given(look=LOOKS)
def test_every_series_stays_when_the_cluster_is_away(look: Look) -> None:
    """What was heard last is still told, and that it is not true any more."""
    report = judge(look, FILE)

    def told(heard: Heard[Report]) -> dict[str, list[tuple[dict[str, str], str]]]:
        series = Series(lambda: heard, {("alert", "distress"): 900.0}, 900.0)
        return {one.name: [(each.labels, repr(each.value)) for each in one.samples] for one in series.collect()}

    there = told(Heard("clocks", 30, AT, value=report, answered=AT))
    away = told(Heard("clocks", 30, AT, value=report, answered=AT, failed=True))

    assert [*(one.name for one in FAMILIES), *(name for name, *_ in ABOUT)] == list(there)
    assert [({}, "1.0")] == there.pop("boutre_clocks_up")
    assert [({}, "0.0")] == away.pop("boutre_clocks_up")
    assert there == away
    assert len(look.feeds) == len(there["boutre_feed_last_record_timestamp_seconds"])
