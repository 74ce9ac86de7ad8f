"""
What the bits of a message and the number of its sender say, and above all what they do not say.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyais import encode_dict

from boutre.connectors.sources.ais_decode import OTHER, Fix, Spoken, Statics, decode
from boutre.connectors.sources.ais_identity import Placeholder, Station, imo, station, words
from boutre.connectors.sources.ais_known import Known
from boutre.connectors.sources.ais_record import observed
from boutre.connectors.sources.nmea import Flaw

AT = datetime(2024, 3, 1, 6, 30, 20, tzinfo=UTC)
ARMOUR = "0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVW`abcdefghijklmnopqrstuvw"


def spoken(**fields: Any) -> Spoken:
    """
    A message with these fields, coded to bits and decoded again.
    """
    lines = [line.split(",") for line in encode_dict(fields)]
    found = decode("".join(line[5] for line in lines), int(lines[-1][6].partition("*")[0]))

    assert isinstance(found, Spoken)
    return found


def test_a_position_report_is_read() -> None:
    """Position, movement, status and the second of the fix are those that were sent."""
    found = spoken(
        type=1, mmsi=645123456, lat=-12.55, lon=44.75, course=181.5, heading=180, speed=9.3, status=7, second=41, accuracy=1
    )

    assert (1, 645123456) == (found.number, found.mmsi)
    assert Fix(-12.55, 44.75, precise=True, course=181.5, heading=180.0, speed=9.3, status=7, second=41, raim=False) == found.fix


@pytest.mark.parametrize("number", [1, 2, 3, 18, 19])
def test_what_is_not_available_is_none(number: int) -> None:
    """Latitude 91, longitude 181, course 360, heading 511 and speed 102.3 say that there is none."""
    found = spoken(type=number, mmsi=645123456, lat=91, lon=181, course=360.0, heading=511, speed=102.3, second=60)

    assert found.fix is not None
    assert (None, None, None, None, None) == (
        found.fix.latitude,
        found.fix.longitude,
        found.fix.course,
        found.fix.heading,
        found.fix.speed,
    )


@pytest.mark.parametrize("latitude", [-90.0, 90.0])
@pytest.mark.parametrize("longitude", [-180.0, 180.0])
def test_the_ends_of_the_earth_are_positions(latitude: float, longitude: float) -> None:
    """The poles and the date line are places."""
    found = spoken(type=1, mmsi=645123456, lat=latitude, lon=longitude)

    assert found.fix is not None
    assert (latitude, longitude) == (found.fix.latitude, found.fix.longitude)


def test_a_message_of_an_aircraft_counts_whole_knots() -> None:
    """Message 9 has its speed in knots and its altitude in metres."""
    found = spoken(type=9, mmsi=111645001, alt=303, speed=42, lat=-20.0, lon=57.0, course=12.5, second=3)

    assert found.fix is not None
    assert (42.0, 303) == (found.fix.speed, found.fix.altitude_m)


def test_a_long_range_message_is_read() -> None:
    """Message 27 gives its position to a tenth of a minute, and no second."""
    found = spoken(type=27, mmsi=645123456, lat=-20.5, lon=57.5, speed=63, course=511, status=15)

    assert found.fix is not None
    assert (-20.5, 57.5, None, None, 60) == (
        found.fix.latitude,
        found.fix.longitude,
        found.fix.speed,
        found.fix.course,
        found.fix.second,
    )


def test_static_data_are_read() -> None:
    """Message 5 gives names, numbers, kind, size and destination."""
    found = spoken(
        type=5,
        mmsi=645123456,
        imo=8404812,
        callsign="3BXY",
        shipname="RAVINALA",
        ship_type=70,
        to_bow=60,
        to_stern=25,
        to_port=8,
        to_starboard=8,
        draught=4.1,
        destination="MAMOUDZOU",
        epfd=1,
    )

    assert Statics("RAVINALA", "3BXY", 8404812, 70, 85, 16, 4.1, "MAMOUDZOU", 1) == found.statics


def test_the_parts_of_static_data_of_class_b() -> None:
    """Message 24 gives the name in one part and the rest in another; a craft of a parent ship has no size there."""
    name = spoken(type=24, mmsi=645123456, partno=0, shipname="LADY TEST")
    rest = spoken(type=24, mmsi=645123456, partno=1, callsign="3BXY", ship_type=37, to_bow=4, to_stern=6, to_port=1, to_starboard=2)

    assert Statics(name="LADY TEST") == name.statics
    assert Statics(call_sign="3BXY", ship_type=37, length_m=10, beam_m=3) == rest.statics


@pytest.mark.parametrize(
    ("payload", "fill"),
    [
        ("", 0),
        ("100000", 0),
        ("1" + "0" * 22, 0),
        ("w" * 28, 0),
        ("5" + "0" * 20, 0),
        ("H" + "0" * 8, 0),
        ("HwwwwwpwwwwwwwwwwwwwwwwwwwwwN", 0),
    ],
)
def test_bits_that_make_no_message_are_a_flaw(payload: str, fill: int) -> None:
    """Too few bits, and a number that no message has, are refused and not filled up with zeros."""
    found = decode(payload, fill)

    assert isinstance(found, Flaw)
    assert "undecodable" == found.code


@given(st.text(alphabet=ARMOUR, max_size=80), st.integers(0, 5))
def test_no_bits_raise(payload: str, fill: int) -> None:
    """Whatever the bits are, they are a message or a flaw; a fix lies on the earth, and a message that is no report is named."""
    found = decode(payload, fill)

    if isinstance(found, Spoken) and found.fix is not None:
        assert found.fix.latitude is None or -90 <= found.fix.latitude <= 90
        assert found.fix.longitude is None or -180 <= found.fix.longitude <= 180
        assert found.fix.course is None or 0 <= found.fix.course < 360
    elif isinstance(found, Spoken):
        assert found.statics is not None or found.other in OTHER.values()


@pytest.mark.parametrize(
    ("mmsi", "expected"),
    [
        (645123456, Station.SHIP),
        (201000000, Station.SHIP),
        (775999999, Station.SHIP),
        (200999999, Placeholder.IMPOSSIBLE),
        (776000000, Placeholder.IMPOSSIBLE),
        (2190064, Station.COAST),
        (64500001, Station.GROUP),
        (111645001, Station.AIRCRAFT),
        (111111111, Placeholder.UNSET),
        (111100001, Placeholder.IMPOSSIBLE),
        (970123456, Station.DISTRESS),
        (972123456, Station.DISTRESS),
        (974123456, Station.DISTRESS),
        (986451234, Station.AUXILIARY),
        (992190934, Station.AID),
        (864512345, Station.HANDHELD),
        (0, Placeholder.UNSET),
        (123456789, Placeholder.UNSET),
        (1193046, Placeholder.UNSET),
        (999999999, Placeholder.UNSET),
        (1000000000, Placeholder.IMPOSSIBLE),
        (2**30 - 1, Placeholder.IMPOSSIBLE),
        (1, Placeholder.IMPOSSIBLE),
    ],
)
def test_a_number_tells_its_kind(mmsi: int, expected: Station | Placeholder) -> None:
    """The first digits tell the kind of station; what no table has is no identity."""
    assert expected == station(mmsi)


@pytest.mark.parametrize(("number", "expected"), [(8404812, "8404812"), (8404813, None), (0, None), (None, None), (840481, None)])
def test_an_imo_number_has_a_check_digit(number: int | None, expected: str | None) -> None:
    """A number whose check digit is wrong was mistyped or never set."""
    assert expected == imo(number)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("RAVINALA  I", "RAVINALA I"),
        ("NONE", None),
        ("@@@@", None),
        ("TEST@JUNK", None),
        ("N/A", None),
        ("-", None),
        ("XXXXXX", None),
        ("", None),
        (None, None),
        ("AA", "AA"),
    ],
)
def test_fillers_are_no_words(text: str | None, expected: str | None) -> None:
    """What people key in for nothing is nothing, and only that."""
    assert expected == words(text)


def test_the_newest_statement_stands_with_its_dates() -> None:
    """A name heard again keeps the time it was first heard; another name begins anew."""
    known = Known()
    for minutes, name in enumerate(["ONE", "ONE", "TWO", "NONE"]):
        known.learn(645123456, Statics(name=name), AT + timedelta(minutes=minutes))

    ((attribute, heard),) = known.about(645123456).claims()

    assert ("name", "TWO", AT + timedelta(minutes=2), AT + timedelta(minutes=2)) == (
        attribute,
        heard.value,
        heard.first,
        heard.last,
    )


def test_what_is_known_is_bounded() -> None:
    """The craft not heard for longest is forgotten first."""
    known = Known(limit=2)
    for mmsi in (1, 2, 1, 3):
        known.learn(mmsi, Statics(name="NAME"), AT)

    assert (2, "NAME", None) == (len(known), known.about(1).get("name"), known.about(2).get("name"))


@given(st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1)), st.integers(-5, 54))  # noqa: DTZ001 - made aware below
def test_the_moment_of_a_fix_is_found_around_a_full_minute(fixed: datetime, delay: int) -> None:
    """From its second and the time of receipt the moment of a fix is found, with up to 54 s on the way or a clock 5 s behind."""
    fixed = fixed.replace(microsecond=0, tzinfo=UTC)

    assert fixed == observed(fixed + timedelta(seconds=delay), Fix(0.0, 0.0, precise=True, second=fixed.second))


@pytest.mark.parametrize("delay", [-5, 54])
def test_the_bounds_of_the_delay_hold_across_a_minute(delay: int) -> None:
    """A fix at the full minute is found from a receiver five seconds behind, and after 54 seconds on the way."""
    fixed = AT.replace(second=0)

    assert fixed == observed(fixed + timedelta(seconds=delay), Fix(0.0, 0.0, precise=True, second=0))


@pytest.mark.parametrize("second", [60, 61, 62, 63])
def test_without_a_second_the_receipt_counts(second: int) -> None:
    """A message without the second of its fix is of when it was heard."""
    assert AT == observed(AT, Fix(0.0, 0.0, precise=True, second=second))
