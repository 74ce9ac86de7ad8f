"""
Tracks: order and repeats do not matter, states are small, ids are functions of what was found, one identity may be two hulls.
"""

from __future__ import annotations

import math
from dataclasses import replace as dataclass_replace

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from boutre.processors.movement.detection import CIRCLE, GAP, HULLS, JUMP, detection_id, sentence
from boutre.processors.movement.places import apart_km
from boutre.processors.movement.report import Report
from boutre.processors.movement.track import Track, Watch, settle, step
from movement_scenes import KM, NEAR, NIGHT, OFFING, ONE, OTHER, SEA, at, fleet, merged, of, rules, still, way

WATCH = Watch(rules(), SEA)
MOST_BYTES = 32_000


def run(reports: list[Report]) -> tuple[Track, list[str]]:
    """Run one track alone, to its end; give its state and the ids of what it told."""
    track, ids = Track(), []
    for report in reports:
        stepped = step(track, report, WATCH, lambda _: None)
        track = stepped.track
        ids += [one.id + one.phase for one in stepped.detections]
    stepped = settle(track, track.waiting.newest + 60, WATCH, lambda _: None)
    return stepped.track, ids + [one.id + one.phase for one in stepped.detections]


PLACES = st.sampled_from([(0.0, 0.0), (0.01, 0.02), (3.6, 0.0), (3.61, 0.01), (0.0, -1.0), (-1.9, -1.05), (-1.91, -0.95)])
REPORTS = st.lists(
    st.builds(
        lambda second, place, speed, name: at(
            second / 60, OFFING[0] + place[0], OFFING[1] + place[1], speed=speed, claims=(("name", name),)
        ),
        st.integers(0, 40_000),
        PLACES,
        st.sampled_from([0.0, 1.9, 2.0, 2.1, 12.0, None]),
        st.sampled_from(["AMANI", "UMOJA", "NONE"]),
    ),
    max_size=40,
)


@settings(max_examples=60, deadline=None)
@given(REPORTS, st.randoms(use_true_random=False), st.lists(st.integers(0, 39), max_size=15))
def test_neither_order_within_the_window_nor_repeats_matter(reports: list[Report], random: object, again: list[int]) -> None:
    """
    Reports that come up to ten minutes late, and some of them twice, end in the same state and tell the same, ids and all.
    """
    ordered = sorted(reports, key=lambda one: one.at)
    late = {id(one): one.at + random.uniform(0, rules().track.late_s) for one in ordered}  # type: ignore[attr-defined]  # a Random
    shuffled = sorted(ordered, key=lambda one: late[id(one)])
    # What is sent again comes at once after the first: later, it would be late, which is tried elsewhere.
    repeated = [one for number, each in enumerate(shuffled) for one in ([each] * 2 if number in again else [each])]

    expected = run(ordered)
    assert expected[0].hulls == run(shuffled)[0].hulls
    assert expected[1] == run(shuffled)[1]
    assert expected == run(repeated) or expected[1] == run(repeated)[1]


@settings(max_examples=25, deadline=None)
@given(st.lists(REPORTS, min_size=1, max_size=4))
def test_the_state_is_plain_and_bounded(batches: list[list[Report]]) -> None:
    """
    Whatever comes, a state has at most so many reports, hulls and claims, and is the same after a way through JSON.
    """
    track = Track()
    for report in (one for batch in batches for one in batch):
        track = step(track, report, WATCH, lambda _: None).track
    encoded = msgspec.msgpack.encode(track)

    assert rules().track.most_waiting >= len(track.waiting.reports)
    assert rules().track.most_hulls >= len(track.hulls)
    assert rules().identity.most_values * 3 >= len(track.claims)
    assert MOST_BYTES > len(encoded)
    assert track == msgspec.msgpack.decode(encoded, type=Track)


def test_a_long_life_leaves_a_small_state() -> None:
    """
    A thousand reports, each under another name, leave no more than some do.
    """
    track = Track()
    for report in way(0, 1000, OFFING, every=1.0, speed=1.0):
        track = step(track, replace(report, claims=(("name", f"NAME {report.at:.0f}"),)), WATCH, lambda _: None).track

    assert MOST_BYTES > len(msgspec.json.encode(msgspec.to_builtins(track)))


@pytest.mark.parametrize(
    ("report", "reason"),
    [
        (at(0, math.nan, 45.0), "unsound"),
        (at(0, 91.0, 45.0), "unsound"),
        (at(0, -11.0, 180.1), "unsound"),
        (replace(at(0, -11.0, 46.0), at=math.inf), "unsound"),
        (replace(at(0, -11.0, 46.0), at=1e12), "unsound"),
        (at(0, -11.0, 46.0, speed=math.nan), "unsound"),
        (at(0, -11.0, 46.0, speed=-1.0), "unsound"),
        (at(60, -11.0, 46.0, received=NIGHT), "ahead"),
        (at(5.02, -11.0, 46.0, received=NIGHT), "ahead"),
        (at(5, -11.0, 46.0, received=NIGHT), None),
    ],
)
def test_what_cannot_be_used_is_not(report: Report, reason: str | None) -> None:
    """
    No place, no time, or a time further in the future than clocks err: it changes nothing, and is said to be so.
    """
    stepped = step(None, report, WATCH, lambda _: None)

    assert reason == stepped.ignored
    assert (reason is None) == bool(stepped.track.waiting.reports)


ANY = st.one_of(st.floats(), st.sampled_from([0.0, 90.0, -90.0, 180.0, -180.0, 1e7, NIGHT, NIGHT + 1, 6.99e9]))


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.builds(Report, st.sampled_from([ONE, OTHER, "radar:1", "visual:2"]), ANY, ANY, ANY, ANY, ANY, accuracy_m=ANY), max_size=8
    )
)
def test_no_report_makes_anything_raise(reports: list[Report]) -> None:
    """
    Whatever the numbers: at the poles, at the date line, in no time, infinite, and none at all; and every sentence can be said.
    """
    for one in fleet(reports):
        assert "…" not in sentence(one)["en"]


# --- One identity, two hulls ---------------------------------------------------------------------------------------------------


def two_hulls(count: int = 4) -> list[Report]:
    """Two hulls on one number, 400 km apart, heard in turn within ten minutes."""
    here = [at(20 * number, -12.2, 44.4 + 0.01 * number) for number in range(count)]
    there = [at(20 * number + 10, -12.2 + 400 * KM, 44.4 + 0.01 * number) for number in range(count)]
    return merged(here, there)


def test_one_identity_on_two_hulls_is_told_as_that() -> None:
    """
    The first leap is a jump; when both are heard in turn they are two hulls, once, with both places, the speed and the time.
    """
    told = fleet(two_hulls(20))
    jumps, hulls = of(told, JUMP), of(told, HULLS)

    assert (1, 1) == (len(jumps), len(hulls))
    assert 400 == pytest.approx(hulls[0].measure("distance"), abs=1)
    assert 10 == hulls[0].measure("gap")
    assert 1296 == pytest.approx(hulls[0].measure("implied_speed"), abs=5)
    ends = [hulls[0].measure("from_latitude"), hulls[0].measure("to_latitude")]
    assert [-12.2, -12.2 + 400 * KM] == [pytest.approx(one, abs=0.001) for one in sorted(ends)]
    assert hulls[0].certainty > 0.9 > jumps[0].certainty
    assert "One identity, two hulls" in sentence(hulls[0])["en"]
    assert "Une identité, deux coques" in sentence(hulls[0])["fr"]


def test_two_reports_400_km_apart_in_ten_minutes_are_a_jump_at_least() -> None:
    """
    With one report of each nobody knows yet whether they are two hulls or a false place, and the sentence says both.
    """
    told = fleet(two_hulls(1))

    assert [JUMP] == [one.type for one in told]
    assert "Two craft may use this identity, or a position is false" in sentence(told[0])["en"]


def test_two_hulls_make_no_zigzag() -> None:
    """
    Each hull keeps its own track: no other detection comes of going to and fro.
    """
    told = fleet(two_hulls(40))

    assert {JUMP, HULLS} == {one.type for one in told}


@pytest.mark.parametrize(("more", "found"), [(-0.2, 0), (0.2, 1)])
def test_a_jump_begins_above_the_fastest(more: float, found: int) -> None:
    """
    What a craft of its kind can just do, errors of place and time given to it, is no jump; a little more is one.
    """
    jump = rules().jump
    km = (jump.fastest_kn["tanker"] * 1.852 / 3600) * (600 + jump.slack_s) + jump.slack_km + more
    reports = [at(0, *OFFING, craft="tanker"), at(10, OFFING[0] + km * KM, OFFING[1], craft="tanker")]

    assert found == len(of(fleet(reports), JUMP))


def test_what_is_near_is_no_jump_however_fast() -> None:
    """
    Places within a few kilometres say nothing about speed: a fix may be wrong by that.
    """
    near, far = (at(0, OFFING[0] + km * KM, OFFING[1]) for km in (4.9, 5.4))

    assert [] == of(fleet([at(0, *OFFING), near]), JUMP)
    assert [JUMP] == [one.type for one in fleet([at(0, *OFFING), far])]


def test_a_jump_is_told_once_in_a_while() -> None:
    """
    A receiver that gives nonsense makes one detection an hour and not one a report.
    """
    reports = [at(number, OFFING[0] + 10 * math.sin(number * 7.3), OFFING[1] + 10 * math.cos(number * 3.1)) for number in range(60)]

    assert 1 == len(of(fleet(reports), JUMP))


def test_ids_are_functions_of_what_was_found() -> None:
    """
    The same reports give the same ids, in another process too; another subject, start or version of the rules gives others.
    """
    told, again = fleet(two_hulls()), fleet(two_hulls())
    later = dataclass_replace(WATCH, rules=rules().model_copy(update={"version": rules().version + 1}))
    other = {one.id for one in fleet(two_hulls(), thresholds=later.rules)}

    assert [one.id for one in told] == [one.id for one in again]
    assert set() == other & {one.id for one in told}
    assert "eqexrljh2adeqeesc5zddwimzxzi7cfz" == detection_id("gap@1", ONE, (), NIGHT)
    assert 4 == len(
        {
            detection_id("gap@1", ONE, (), NIGHT),
            detection_id("gap@1", OTHER, (), NIGHT),
            detection_id("gap@1", ONE, (), NIGHT + 1),
            detection_id("gap@1", ONE, (), NIGHT, "x"),
        }
    )


# --- Circles ---------------------------------------------------------------------------------------------------------------------


def circle(radius: float, minutes: float, period: float, wobble: float = 0.0) -> list[Report]:
    """Positions around a circle, one a minute."""
    wide = math.cos(math.radians(OFFING[0]))
    found = []
    for minute in range(round(minutes)):
        angle = 2 * math.pi * minute / period
        km = radius * (1 + wobble * math.sin(minute * 2.4))
        found.append(at(minute, OFFING[0] + km * math.sin(angle) * KM, OFFING[1] + km * math.cos(angle) * KM / wide, speed=10))
    return found


@pytest.mark.parametrize(
    ("radius", "period", "wobble", "found"),
    [(2.0, 8, 0.0, 1), (2.0, 8, 0.05, 1), (2.0, 8, 0.5, 0), (0.15, 8, 0.0, 0), (0.25, 8, 0.0, 1), (2.0, 60, 0.0, 0)],
)
def test_a_circle_is_told_once(radius: float, period: float, wobble: float, found: int) -> None:
    """
    Round after round at one radius is told once; a swing at anchor, an odd way and a single slow round are not.
    """
    told = of(fleet(circle(radius, 90, period, wobble)), CIRCLE)

    assert found == len(told)
    assert all(radius == pytest.approx(one.measure("radius"), rel=0.1) for one in told)


# --- Bad days --------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sources", [1, 2])
def test_nine_days_of_silence_and_a_burst_make_nobody_silent(sources: int) -> None:
    """
    A feed that was down for nine days brings all it kept at once, and no craft of it ever went dark.

    With one other source no gap is told; with more, gaps that nobody could hear, withdrawn when it shows that they were none.
    """
    end = 9 * 24 * 60.0
    before = merged(still(0, 120, OFFING), still(0, 120, NEAR, OTHER))
    far = [
        still(0, end, (-20.0, 60.0 + number), f"mmsi:64533333{number}", every=60, source=f"south-{number}")
        for number in range(sources)
    ]
    burst = merged(still(140, end, OFFING, every=20), still(140, end, NEAR, OTHER, every=20))
    told = fleet([*merged(before, *far), *burst])
    gaps = [("open", ONE), ("open", OTHER), ("withdrawn", ONE), ("withdrawn", OTHER)] if sources > 1 else []

    assert gaps == sorted((one.phase, one.subject) for one in of(told, GAP))
    assert {"silent"} >= {one.fact("reception") for one in of(told, GAP)}
    assert all(one.certainty <= rules().gap.certainty.silent for one in of(told, GAP))
    assert [] == of(told, JUMP)


def test_a_clock_an_hour_ahead_makes_no_detection() -> None:
    """
    Reports of a receiver that is an hour ahead of the bus are not used, and the craft goes on by its others.
    """
    true = [replace(one, received=one.at + 5) for one in way(0, 240, OFFING, speed=12)]
    skewed = [replace(one, at=one.at + 3600, source="south") for one in true]
    both = [one for pair in zip(true, skewed, strict=True) for one in pair]

    assert [] == fleet(both)
    assert 4 * 60 * 12 * 1.852 / 60 == pytest.approx(apart_km(true[0], true[-1]), rel=0.01)


def test_a_clock_an_hour_behind_makes_no_detection() -> None:
    """
    Its reports are too late to be used.
    """
    true = list(way(0, 240, OFFING, speed=12))
    behind = [replace(one, at=one.at - 3600, source="south") for one in true]

    assert [] == fleet([one for pair in zip(true, behind, strict=True) for one in pair][2:])
