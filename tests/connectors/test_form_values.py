"""
What people write into boxes, read as they meant it, and never as they did not.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from boutre.connectors.sources.form_choices import choices, words
from boutre.connectors.sources.form_fields import BOXES, COLUMNS, SECTIONS, Box, boxes_by_name, columns_by_name, folded
from boutre.connectors.sources.form_values import Unfit, moment, read
from boutre.language import LANGUAGES
from boutre.schemas import fields, lock


def box(kind: Any, vocabulary: str | None = None) -> Box:
    """
    A box that reads *kind*.
    """
    return Box("test", kind, vocabulary=vocabulary)


def exact(number: float) -> dict[str, Any]:
    """
    A count that is known.
    """
    return {"min": number, "max": number, "estimated": False}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("-12.713", -12.713),
        ("-12,713", -12.713),
        ("12°42,8' S", -12.7133333),
        ("12°42.8'S", -12.7133333),
        ("12 42.8 S", -12.7133333),
        ("S 12°42,8'", -12.7133333),
        ("12°42'48\" S", -12.7133333),
        ("12°42\u203248\u2033 s", -12.7133333),
        ("0°30' N", 0.5),
        ("12° S", -12.0),
        ("12.55S", -12.55),
        ("12d42.8S", -12.7133333),
        ("12 42 48 S", -12.7133333),
        (-12.713, -12.713),
        (90, 90.0),
        ("90° S", -90.0),
    ],
)
def test_latitudes(text: object, expected: float) -> None:
    """Decimal degrees and degrees with minutes are read, with comma or point, with sign or letter."""
    assert pytest.approx(expected, abs=1e-7) == read(box("latitude"), [text])


@pytest.mark.parametrize(
    ("text", "expected"),
    [("45°07,5' E", 45.125), ("45.125", 45.125), ("61°30' O", -61.5), ("61°30' W", -61.5), ("180° E", 180.0)],
)
def test_longitudes(text: str, expected: float) -> None:
    """East and west are read, the French west too."""
    assert pytest.approx(expected) == read(box("longitude"), [text])


@pytest.mark.parametrize(
    ("kind", "text", "code"),
    [
        ("latitude", "45°07,5' E", "latitude-longitude-swapped"),
        ("longitude", "12°42,8' S", "latitude-longitude-swapped"),
        ("latitude", "90.0001", "out-of-range"),
        ("latitude", "91° S", "out-of-range"),
        ("longitude", "180.1", "out-of-range"),
        ("latitude", "12°60' S", "wrong-type"),
        ("latitude", "12°30'60\" S", "wrong-type"),
        ("latitude", "12.5°30' S", "wrong-type"),
        ("latitude", "12°30.5'30\" S", "wrong-type"),
        ("latitude", "-12° S", "wrong-type"),
        ("latitude", "1255", "wrong-type"),
        ("longitude", "1255", "wrong-type"),
        ("longitude", "12.55.30", "wrong-type"),
        ("longitude", "", "wrong-type"),
        ("latitude", "S 12° S", "wrong-type"),
        ("latitude", "south of the reef", "wrong-type"),
        ("latitude", True, "wrong-type"),
        ("date", "2024-02-30", "impossible-time"),
        ("date", "13/13/2024", "impossible-time"),
        ("date", "yesterday", "wrong-type"),
        ("date", 45360, "wrong-type"),
        ("date", datetime(2024, 3, 9, 21, 40), "wrong-type"),  # noqa: DTZ001 - as a spreadsheet gives it
        ("time", "24:00", "impossible-time"),
        ("time", "21:60", "impossible-time"),
        ("time", "evening", "wrong-type"),
        ("zone", "Indian/Nowhere", "wrong-type"),
        ("zone", "+03:60", "impossible-time"),
        ("zone", "+15", "impossible-time"),
        ("range", "30-25", "wrong-type"),
        ("range", "many", "wrong-type"),
        ("range", "2 or 3 boats", "wrong-type"),
        ("whole", "2.5", "wrong-type"),
        ("yes-no", "perhaps", "wrong-type"),
        ("state", "FR", "wrong-type"),
        ("text", date(2024, 3, 9), "wrong-type"),
    ],
)
def test_what_cannot_be_is_refused(kind: str, text: object, code: str) -> None:
    """What has two readings or none is refused with the code of what is wrong."""
    with pytest.raises(Unfit) as caught:
        read(box(kind), [text])

    assert code == caught.value.code


def test_two_values_where_one_is_asked_are_refused() -> None:
    """A decimal comma that a table took for a separator is no number: -12 is not -12,55."""
    with pytest.raises(Unfit) as caught:
        read(box("latitude"), ["-12", "55"])

    assert ("wrong-type", "one-value") == (caught.value.code, caught.value.expected)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (28, exact(28.0)),
        ("28", exact(28.0)),
        ("0", exact(0.0)),
        ("6,5", exact(6.5)),
        ("25-30", {"min": 25.0, "max": 30.0, "estimated": True}),
        ("25 à 30", {"min": 25.0, "max": 30.0, "estimated": True}),
        ("environ 30", {"min": 30.0, "max": 30.0, "estimated": True}),
        ("about 30", {"min": 30.0, "max": 30.0, "estimated": True}),
        ("~30", {"min": 30.0, "max": 30.0, "estimated": True}),
        ("Une trentaine", {"min": 30.0, "max": 30.0, "estimated": True}),
        ("au moins 20", {"min": 20.0, "max": None, "estimated": True}),
        ("20+", {"min": 20.0, "max": None, "estimated": True}),
        ("at most 40", {"min": None, "max": 40.0, "estimated": True}),
    ],
)
def test_counts_keep_their_doubt(text: object, expected: dict[str, Any]) -> None:
    """About, at least and from-to are not counts, and stay what they are."""
    assert expected == read(box("range"), [text])


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2024-03-09", date(2024, 3, 9)),
        ("09/03/2024", date(2024, 3, 9)),
        ("9.3.2024", date(2024, 3, 9)),
        (datetime(2024, 3, 9), date(2024, 3, 9)),  # noqa: DTZ001 - as a spreadsheet gives it
    ],
)
def test_dates_are_day_first(value: object, expected: date) -> None:
    """In French and in the English of the region the day comes first; a year in front says so itself."""
    assert expected == read(box("date"), [value])


@pytest.mark.parametrize("value", ["21:40", "21h40", "21 h 40", "2140", time(21, 40), "21:40:00"])
def test_times(value: object) -> None:
    """Hours and minutes are read as they are written in both languages."""
    assert time(21, 40) == read(box("time"), [value])


@pytest.mark.parametrize("value", ["Indian/Comoro", "Indian/Comoro (UTC+03:00)", "+03:00", "UTC+3", "+3"])
def test_zones(value: str) -> None:
    """A zone is read by its name, as the list shows it, or as an offset."""
    zone = read(box("zone"), [value])

    assert timedelta(hours=3) == datetime(2024, 3, 9, tzinfo=zone).utcoffset()


def test_moments_say_how_fine_they_are_known() -> None:
    """A day without a time is a day; a time is known to the minute, or to the second where seconds were given."""
    zone = timezone(timedelta(hours=3))
    day = date(2024, 3, 9)

    assert {"at": datetime(2024, 3, 9, tzinfo=UTC), "precision": "day", "uncertainty_s": None} == moment(day, None, zone)
    assert ("minute", datetime(2024, 3, 8, 21, 30, tzinfo=UTC)) == (
        (found := moment(day, time(0, 30), zone))["precision"],
        found["at"],
    )
    assert "second" == moment(day, time(0, 30, 1), zone)["precision"]


@pytest.mark.parametrize("text", ["kwassa", "Kwassa-kwassa", "KWASSA KWASSA"])
def test_codes_are_found_by_code_and_label(text: str) -> None:
    """A code is read by itself and by its label, whatever the case and the hyphens."""
    assert "kwassa" == read(box("code", "craft@1"), [text])


@pytest.mark.parametrize("key", sorted(key for key, each in {**BOXES, **COLUMNS}.items() if each.read in {"code", "codes"}))
@pytest.mark.parametrize("language", LANGUAGES)
def test_everything_a_list_offers_can_be_read(key: str, language: str) -> None:
    """Each entry of each list, in each language, is read as its own code: no two entries of a list are called alike."""
    asked = {**BOXES, **COLUMNS}[key]
    offered = choices(asked, language)

    assert offered
    for code, label in offered:
        assert code == (found[0] if isinstance(found := read(asked, [label]), list) else found)


def test_a_code_of_another_list_is_refused() -> None:
    """What is not in the list is refused and not kept as if it were."""
    with pytest.raises(Unfit) as caught:
        read(BOXES["kind"], ["retraction"])

    assert "unknown-code" == caught.value.code


@given(
    st.sampled_from(sorted(BOXES)), st.lists(st.one_of(st.text(max_size=20), st.floats(), st.integers(), st.booleans()), min_size=1)
)
def test_nothing_that_is_written_raises(key: str, values: list[object]) -> None:
    """Whatever stands in a cell, it is read or unfit."""
    try:
        read(BOXES[key], values)
    except Unfit as unfit:
        code = unfit.code
    else:
        code = "wrong-type"

    assert words().has("reject-reason@1", code)


@given(st.floats(-90, 90, allow_subnormal=False), st.booleans())
def test_a_position_survives_being_written(latitude: float, comma: bool) -> None:  # noqa: FBT001 - one of two
    """A latitude written in degrees and minutes with four decimals is read to within a metre."""
    degrees, minutes = divmod(abs(latitude) * 60, 60)
    if round(minutes, 4) >= 60:
        degrees, minutes = degrees + 1, 0.0
    text = f"{degrees:.0f}°{minutes:.4f}' {'S' if latitude < 0 else 'N'}"

    assert pytest.approx(latitude, abs=1e-5) == read(box("latitude"), [text.replace(".", ",") if comma else text])


# --- The table of boxes --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_two_boxes_are_called_alike(language: str) -> None:
    """Each label is that of one box, so that a form can be read by its labels."""
    for boxes, by_name in ((BOXES, boxes_by_name()), (COLUMNS, columns_by_name())):
        for each in boxes.values():
            assert each == by_name[folded(each.label(language))]
            assert each == by_name[folded(each.name)]


def test_every_box_fills_a_field_of_the_schema() -> None:
    """Each path is a field of the kinds that the form can be, with the vocabulary that the field names."""
    locked = lock.load()
    known = {kind: {info.path: info for info in fields.walk(locked.latest(kind).schema)} for kind in ("sighting", "interception")}

    for section, boxes in SECTIONS.items():
        for each in boxes:
            kinds = {"action": ["interception"], "sensor": ["sighting"]}.get(section, list(known))
            for kind in kinds if each.path and each.path != "exercise" else ():
                assert each.path in known[kind], each.key
                assert each.vocabulary == known[kind][each.path].vocabulary, each.key
    for each in COLUMNS.values():
        if each.path:
            assert each.vocabulary == known["sighting"][f"victims.{each.path}"].vocabulary, each.key


def test_the_form_covers_the_groups_of_the_schema() -> None:
    """Each group that an officer can know has a section; the rest is the bus's or the feed's."""
    groups = {info.top for kind in ("sighting", "interception") for info in fields.walk(lock.load().latest(kind).schema)}
    others = {"id", "exercise", "lifecycle", "provenance", "unmapped", "view", "victims", "suspects"}

    assert groups - others == set(SECTIONS)
