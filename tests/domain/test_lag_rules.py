"""
Burrow's rules: its own cases (github.com/linkedin/Burrow, core/internal/evaluator/caching_test.go), and what holds of all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from boutre.ops.lag.rules import (
    Status,
    always_behind,
    caught_up,
    never_less,
    of_group,
    recovered,
    rewound,
    stalled,
    status_of,
    stopped,
)
from boutre.ops.lag.window import Pace, Window

Commit = tuple[int, int | None, int]


def commits(offsets: Sequence[int], lags: Sequence[int | None], every: int = 100_000) -> list[Commit]:
    """Commits *every* ms, the first at that time."""
    return [(offset, lag, every * (place + 1)) for place, (offset, lag) in enumerate(zip(offsets, lags, strict=True))]


THOUSANDS = (1000, 2000, 3000, 4000, 5000)
SAME = (1000,) * 5
BACK = (1000, 2000, 3000, 2000, 4000)
BACK_LAGS = (100, 150, 200, 1250, 300)
SECONDS = [1512224618356, 1512224619362, 1512224620366, 1512224621367, 1512224622370, 1512224623373, 1512224624378, 1512224625379,
           1512224626383, 1512224627383, 1512224628383, 1512224629388, 1512224630391, 1512224631394, 1512224632397]  # fmt: skip
QUICK: list[Commit] = [(792748079 + place, 0, at) for place, at in enumerate(SECONDS)]
GAPS: list[Commit] = [
    (1000, 0, 100_000), (1500, None, 150_000), (2000, 50, 200_000), (2500, None, 250_000), (3000, 100, 300_000),
    (3500, None, 350_000), (4000, 150, 400_000), (4500, None, 450_000), (5000, 200, 500_000), (5500, None, 550_000),
]  # fmt: skip


@dataclass(frozen=True)
class Case:
    """
    A case of Burrow's: *says* names the rules that say yes, *rewound* is the place that a rule finds; *now* in seconds.
    """

    commits: list[Commit]
    ends: tuple[int, ...]
    lag: int
    now: int
    says: str
    rewound: int | None
    status: Status
    allowed: int = 0


ZERO_FIRST = commits(THOUSANDS, (0, 50, 100, 150, 200))
BEHIND = commits(THOUSANDS, (50, 100, 150, 200, 250))
STILL = commits(SAME, (100, 150, 200, 250, 300))
OK, STOP, STALL, REWIND = Status.OK, Status.STOP, Status.STALL, Status.REWIND

BURROW = (
    Case(ZERO_FIRST, (5200,), 200, 600, "never-less", None, OK),
    Case(ZERO_FIRST, (5200,), 200, 900, "never-less", None, OK),
    Case(ZERO_FIRST, (5200,), 200, 1000, "stopped never-less", None, STOP),
    Case(BEHIND, (5250,), 250, 1000, "behind stopped never-less", None, STOP),
    Case(commits(SAME, (0, 50, 100, 150, 200)), (1200,), 200, 600, "stalled never-less", None, OK),
    Case(STILL, (1300,), 300, 600, "behind stalled never-less", None, STALL),
    Case(commits(SAME, (100,) * 5), (1100,), 100, 600, "behind stalled never-less", None, STALL),
    Case(commits(BACK, BACK_LAGS), (4300,), 300, 600, "behind", 3, OK),
    Case(BEHIND, (5250,), 0, 1000, "behind stopped never-less", None, OK),
    Case(
        QUICK, (792749024, 792749000, 792748800, 792748600, 792748500), 931, 1512224650,
        "stopped never-less", None, STOP,
    ),
    Case(
        QUICK, (792748094, 792748093, 792748093, 792748093), 1, 1512224650,
        "stopped never-less caught-up", None, OK,
    ),
    Case(GAPS, (5700,), 200, 600, "never-less", None, OK),
    Case(
        [(1000, 2, 100_000), (2000, 1, 200_000), (2000, 1, 300_000)], (2001,), 1, 550,
        "stopped", None, OK, 1,
    ),
    Case(STILL, (1300,), 300, 600, "behind stalled never-less", None, STALL, 99),
    Case(commits(BACK, BACK_LAGS), (4300,), 300, 600, "behind", 3, OK, 99),
    Case(commits((1000, 2000, 3000, 2000, 2500), BACK_LAGS), (4300,), 300, 600, "behind", 3, REWIND),
)  # fmt: skip


@pytest.mark.parametrize("case", BURROW, ids=range(len(BURROW)))
def test_what_burrow_says(case: Case) -> None:
    """Each rule by itself, and all in their order, say of Burrow's own cases what its tests hold them to."""
    window = Window.of(len(case.commits), case.commits)
    now = case.now * 1000

    rules = {
        "behind": always_behind(window, case.allowed),
        "stopped": stopped(window, now),
        "stalled": stalled(window),
        "never-less": never_less(window),
        "caught-up": caught_up(window, case.ends),
    }
    assert case.says.split() == [name for name, yes in rules.items() if yes]
    assert case.rewound == rewound(window)
    assert case.status == status_of(window, case.ends, case.lag, now, case.allowed)


def test_who_goes_on_and_falls_behind_is_warned() -> None:
    """Offsets that move while the lag never shrinks are WARN; one smaller lag on the way, and they are not."""
    slow = Window.of(5, commits(THOUSANDS, (50, 50, 80, 90, 90)))
    catching = Window.of(5, commits(THOUSANDS, (50, 50, 80, 79, 90)))

    assert Status.WARN == status_of(slow, (5090,), 90, 600_000)
    assert Status.OK == status_of(catching, (5090,), 90, 600_000)


windows = st.lists(st.tuples(st.integers(0, 50), st.one_of(st.none(), st.integers(0, 3)), st.integers(0, 1000)), max_size=12).map(
    lambda found: Window.of(
        8, [(offset, lag, at) for (offset, lag, _), at in zip(found, sorted(at for *_, at in found), strict=True)]
    )
)


@given(windows, st.lists(st.integers(0, 50)), st.integers(0, 1000), st.integers(0, 3))
def test_no_lag_is_never_an_error(window: Window, ends: list[int], later: int, allowed: int) -> None:
    """Whatever went before: who has no more unread than is allowed is OK."""
    assert Status.OK == status_of(window, ends, allowed, 1000 + later, allowed)


@given(windows, st.lists(st.integers(0, 50)), st.integers(1, 9), st.integers(0, 2000))
def test_whoever_stays_away_stops(window: Window, ends: list[int], lag: int, later: int) -> None:
    """Once STOP, a group that commits nothing more stays so for ever, unless it had caught up with what is still remembered."""
    now = 1000 + later
    if status_of(window, ends, lag, now) is Status.STOP:
        assert Status.STOP == status_of(window, ends, lag, now + 1)
        assert Status.STOP == status_of(window, ends, lag + 1, 10 * now)


@given(windows)
def test_a_rewind_ends_where_it_is_made_good(window: Window) -> None:
    """A commit as far as the farthest one makes every way back good, and one that only goes on never was one."""
    back = rewound(window)
    if back is None:
        assert sorted(window.offsets) == list(window.offsets)
    else:
        window.add(max(window.offsets), 1, window.times[-1] + 1)
        again = rewound(window)
        assert again is None or recovered(window, again)


@given(st.lists(st.sampled_from(Status)))
def test_a_group_is_as_bad_as_its_worst_partition(found: list[Status]) -> None:
    """OK, WARN or ERR: a group has no other status, and none better than any of its partitions'."""
    status = of_group(found)

    assert status in {Status.OK, Status.WARN, Status.ERR}
    assert all(min(one, Status.ERR) <= status for one in found)


@given(st.integers(1, 9), st.lists(st.integers(-5, 5), max_size=30))
def test_a_window_keeps_the_last(size: int, lags: list[int]) -> None:
    """A window holds so many of the last commits and no more, and says what share of it is filled."""
    window = Window(size)
    for at, lag in enumerate(lags):
        window.add(at, lag, at)

    assert lags[-size:] == list(window.lags)
    assert min(1, len(lags) / size) == window.complete


def test_a_pace_lies_between_looks() -> None:
    """One look has no pace; two have; what went back did not go on, and what is out of the ring does not count."""
    pace = Pace(3)
    assert pace.per_second is None
    pace.add(100, 1000)
    assert pace.per_second is None
    pace.add(120, 3000)
    assert pace.per_second == 10
    pace.add(120, 5000)
    pace.add(110, 7000)
    assert pace.per_second == 0
    pace.add(200, 8000)
    assert pace.per_second == pytest.approx(80 / 3)


def test_a_pace_of_now_forgets_what_came_before() -> None:
    """Nine quiet looks hide nothing of what came between the last three, and an old flood is over with them."""
    pace = Pace(10)
    assert pace.lately is None
    pace.add(0, 0)
    assert pace.lately is None
    for look in range(1, 9):
        pace.add(0, look * 10_000)
    pace.add(4_000, 90_000)
    assert pace.lately == 200
    assert pace.per_second == pytest.approx(400 / 9)
    pace.add(4_000, 100_000)
    pace.add(4_000, 110_000)
    assert 0 == pace.lately
