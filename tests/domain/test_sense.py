"""
Sense: positions, times, counts and identities as a person at a centre would doubt them, at their edges.
"""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from boutre.schemas.sense import EARLIEST, SKEW, Area, sense
from records import NOW, Value, attack, kwassa, recall, track, warning

MILLISECOND = timedelta(milliseconds=1)
RIGHT = 90.0, 180.0


def told(value: Value, *, kind: str = "interception", area: Area | None = None) -> list[tuple[str, str | None]]:
    """Codes and fields of all that is wrong."""
    return [(problem.code, problem.field) for problem in sense(kind, value, NOW, area)]


# --- Positions -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("latitude", "longitude", "expected"),
    [
        (90.0, 180.0, []),
        (-90.0, -180.0, []),
        (-0.0, -0.0, []),
        (math.nextafter(90, 91), 10.0, [("latitude-longitude-swapped", "position.latitude")]),
        (math.nextafter(-90, -91), 10.0, [("latitude-longitude-swapped", "position.latitude")]),
        (180.0, -90.0, [("latitude-longitude-swapped", "position.latitude")]),
        (math.nextafter(180, 181), 10.0, [("out-of-range", "position.latitude")]),
        (91.0, 91.0, [("out-of-range", "position.latitude")]),
        (10.0, math.nextafter(180, 181), [("out-of-range", "position.longitude")]),
        (10.0, -181.0, [("out-of-range", "position.longitude")]),
        (None, 10.0, []),
        (10.0, None, []),
    ],
)
def test_a_place_is_on_the_globe(latitude: float | None, longitude: float | None, expected: list[Any]) -> None:
    """
    The poles and the antimeridian are; the next number beyond is not; and where it would be one the other way round, that is said.
    """
    assert expected == told(kwassa(position={"latitude": latitude, "longitude": longitude}))


@pytest.mark.parametrize(("group", "field"), [("centre", "area.centre.latitude"), ("polygon", "area.polygon.latitude")])
def test_the_places_of_an_alert_are_looked_at_too(group: str, field: str) -> None:
    """
    A circle's centre and every corner of an area.
    """
    place = {"latitude": 95.0, "longitude": 55.0}
    value = warning(area={group: place if group == "centre" else [{"latitude": -4.0, "longitude": 55.0}, place]})

    assert [("latitude-longitude-swapped", field)] == told(value, kind="alert")


COMOROS = Area(west=41.84, south=-14.46, east=45.77, north=-8.11)


@pytest.mark.parametrize(
    ("latitude", "longitude", "expected"),
    [
        (-12.5, 44.0, None),
        (-14.46, 41.84, None),
        (-8.11, 45.77, None),
        (math.nextafter(-8.11, 0), 44.0, "outside-area"),
        (-12.5, math.nextafter(45.77, 46), "outside-area"),
        (44.0, -12.5, "latitude-longitude-swapped"),
    ],
)
def test_a_place_lies_in_the_area_of_its_feed(latitude: float, longitude: float, expected: str | None) -> None:
    """
    The edge belongs to it; a place that lies in it the other way round was swapped.
    """
    value = kwassa(position={"latitude": latitude, "longitude": longitude})

    assert ([(expected, "position.latitude")] if expected else []) == told(value, area=COMOROS)


@pytest.mark.parametrize(
    ("longitude", "inside"),
    [(179.0, True), (180.0, True), (-180.0, True), (-179.0, True), (170.0, True), (169.9, False), (0.0, False)],
)
def test_an_area_may_cross_the_antimeridian(longitude: float, inside: bool) -> None:  # noqa: FBT001 - a table
    """
    Its west is then greater than its east.
    """
    assert inside == Area(west=170.0, south=-20.0, east=-170.0, north=0.0).holds(-10.0, longitude)


# --- Times -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["observed", "observed_until", "reported"])
@pytest.mark.parametrize(
    ("at", "code"),
    [
        (NOW + SKEW, None),
        (NOW + SKEW + MILLISECOND, "future-time"),
        (datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC), "future-time"),
        (EARLIEST, None),
        (EARLIEST - MILLISECOND, "impossible-time"),
        (datetime(1, 1, 1, tzinfo=UTC), "impossible-time"),
    ],
)
@pytest.mark.parametrize("precision", ["second", "year"])
def test_a_time_is_neither_future_nor_before_any_report(name: str, at: datetime, code: str | None, precision: str) -> None:
    """
    A clock may be ten minutes ahead, to the millisecond; and the ends of the calendar raise nothing.
    """
    seen = {"at": NOW if code == "future-time" else EARLIEST, "precision": "second"}
    times = {"observed": seen, name: {"at": at, "precision": precision}}

    assert ([(code, f"times.{name}")] if code else []) == told(kwassa(times=times))


@pytest.mark.parametrize("name", ["observed_until", "reported"])
@pytest.mark.parametrize(
    ("seconds", "precision", "wrong"),
    [
        (0, "second", False),
        (-601, "second", False),
        (-601 - 0.001, "second", True),
        (-86_400 - 600, "day", False),
        (-86_400 - 601, "day", True),
        (-31 * 86_400 - 600, "month", False),
        (-31 * 86_400 - 601, "month", True),
        (-600, None, False),
        (-601, None, True),
    ],
)
def test_nothing_ends_or_is_reported_before_it_was_seen(name: str, seconds: float, precision: str | None, wrong: bool) -> None:  # noqa: FBT001 - a table
    """
    By what the precision leaves open and ten minutes of clocks, and no further.
    """
    seen = NOW - timedelta(days=60)
    times = {
        "observed": {"at": seen, "precision": "second"},
        name: {"at": seen + timedelta(seconds=seconds), "precision": precision},
    }

    assert ([("impossible-time", f"times.{name}")] if wrong else []) == told(kwassa(times=times))


def test_a_warning_expires_after_its_onset() -> None:
    """
    At the same moment it is over at once, which is no error; before it, it is one.
    """
    for seconds, expected in ((0, []), (-0.001, [("impossible-time", "warning.expires")])):
        value = warning()
        value["warning"]["expires"] = value["warning"]["onset"] + timedelta(seconds=seconds)
        assert expected == told(value, kind="alert")


# --- Identities ------------------------------------------------------------------------------------------------------------

PLACEHOLDERS = ["", " ", "-", "--", "0", "none", "NONE", " unknown ", "N/A", "inconnu", "?"]


@pytest.mark.parametrize("attribute", ["mmsi", "imo", "call-sign", "name", "flag", "registration"])
@pytest.mark.parametrize("text", PLACEHOLDERS)
def test_a_placeholder_is_no_identity(attribute: str, text: str) -> None:
    """
    What people and machines write where they know none would link every craft with every other.
    """
    assert [("placeholder-identifier", f"claims.{attribute}")] == told(attack(claims=[{"attribute": attribute, "value": text}]))


def test_a_problem_never_tells_what_the_record_says() -> None:
    """
    An attribute that is none of the known ones is a value of the record, too.
    """
    assert [("placeholder-identifier", "claims.value")] == told(attack(claims=[{"attribute": "canary", "value": "-"}]))


@pytest.mark.parametrize(
    ("mmsi", "code"),
    [
        ("219000001", None),
        (" 219000001 ", None),
        ("000000000", "placeholder-identifier"),
        ("111111111", "placeholder-identifier"),
        ("999999999", "placeholder-identifier"),
        ("123456789", "placeholder-identifier"),
        ("21900000", "bad-identifier"),
        ("2190000011", "bad-identifier"),
        ("21900000x", "bad-identifier"),
        ("٢١٩٠٠٠٠٠١", "bad-identifier"),
    ],
)
def test_an_mmsi_has_nine_digits_and_is_somebodys(mmsi: str, code: str | None) -> None:
    """
    Digits of the alphabet of Avro's readers, and none of the numbers that sets are sold with.
    """
    assert ([(code, "claims.mmsi")] if code else []) == told(track("t1", mmsi=mmsi), kind="sighting")


@pytest.mark.parametrize(
    ("imo", "code"),
    [
        ("9074729", None),
        ("1000019", None),
        ("9074728", "bad-identifier"),
        ("0000000", "placeholder-identifier"),
        ("907472", "bad-identifier"),
        ("90747290", "bad-identifier"),
        ("IMO9074729", "bad-identifier"),
    ],
)
def test_an_imo_number_has_its_check_digit(imo: str, code: str | None) -> None:
    """
    Seven digits, the last of which is made of the others; zeros would pass that and are nobody's.
    """
    assert ([(code, "claims.imo")] if code else []) == told(attack(claims=[{"attribute": "imo", "value": imo}]))


@given(st.integers(0, 999_999), st.integers(0, 9))
@settings(max_examples=60, deadline=None)
def test_one_check_digit_of_ten_fits(first: int, last: int) -> None:
    """
    Of the ten numbers that begin alike just the one with the right last digit is let through.
    """
    text = f"{first:06d}"
    right = sum(int(digit) * weight for digit, weight in zip(text, (7, 6, 5, 4, 3, 2), strict=True)) % 10
    wrong = told(attack(claims=[{"attribute": "imo", "value": f"{text}{last}"}]))

    assert (last == right and first > 0) == (wrong == [])


@pytest.mark.parametrize(
    ("subject", "right"), [(None, True), ("219000001", True), ("", False), ("x" * 100_000, False), ("21900000", False)]
)
def test_the_subject_of_a_retraction_is_an_mmsi(subject: str | None, right: bool) -> None:  # noqa: FBT001 - a table
    """
    It becomes part of a key: whatever else it were, it would not find the record, or not fit.
    """
    value = recall(track("t1"), "sighting")
    value["recall"]["subject"] = subject

    assert right == (told(value, kind="retraction") == [])


# --- Counts ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("least", "most", "right"), [(0.0, 0.0, True), (5.0, 5.0, True), (5.0, 4.0, False), (None, 4.0, True), (5.0, None, True)]
)
@pytest.mark.parametrize("group", ["persons", "craft"])
def test_the_least_is_not_above_the_most(group: str, least: float | None, most: float | None, right: bool) -> None:  # noqa: FBT001 - a table
    """
    In every range, however deep it stands.
    """
    name = {"persons": "injured", "craft": "length_m"}[group]
    value = {**kwassa(), group: {name: {"min": least, "max": most}}}

    assert ([] if right else [("inconsistent-count", f"{group}.{name}")]) == told(value)


@pytest.mark.parametrize(
    ("survivors", "dead", "missing", "right"),
    [(28.0, 0.0, 0.0, True), (20.0, 5.0, 3.0, True), (20.0, 5.0, 4.0, False), (None, 28.0, 1.0, False), (None, None, None, True)],
)
def test_survivors_dead_and_missing_are_not_more_than_all(
    survivors: float | None,
    dead: float | None,
    missing: float | None,
    right: bool,  # noqa: FBT001 - a table
) -> None:
    """
    As far as they are known: the least of each against the most of all.
    """
    parts = {"survivors": survivors, "dead": dead, "missing": missing}
    given_ = {name: None if number is None else {"min": number, "max": None} for name, number in parts.items()}
    persons = {"total": {"min": 20.0, "max": 28.0}, **given_}

    assert ([] if right else [("inconsistent-count", "persons.total")]) == told(kwassa(persons=persons))
    assert [] == told(kwassa(persons={**persons, "total": None}))
