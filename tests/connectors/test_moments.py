"""
Dates and times are known as finely as they were written, and never more so.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from boutre.connectors.sources.moments import ImpossibleError, UnreadableError, moment, precision_of, with_clock, zone_of

DAY = {"at": datetime(2005, 4, 10, tzinfo=UTC), "precision": "day", "uncertainty_s": None}
ZONES = {"utc": UTC, "local": zone_of("Indian/Mayotte")}


@pytest.mark.parametrize(
    ("text", "form", "at", "precision"),
    [
        ("2005", "%Y", datetime(2005, 1, 1, tzinfo=UTC), "year"),
        ("04/2005", "%m/%Y", datetime(2005, 4, 1, tzinfo=UTC), "month"),
        ("10 Apr 2005", "%d %b %Y", datetime(2005, 4, 10, tzinfo=UTC), "day"),
        ("2005-04-10T09:30Z", "%Y-%m-%dT%H:%M%z", datetime(2005, 4, 10, 9, 30, tzinfo=UTC), "minute"),
        ("2005-04-10 09:30:05+0300", "%Y-%m-%d %H:%M:%S%z", datetime(2005, 4, 10, 6, 30, 5, tzinfo=UTC), "second"),
    ],
)
def test_the_precision_is_that_of_the_format(text: str, form: str, at: datetime, precision: str) -> None:
    """A year is known to a year and a minute to a minute, in UTC."""
    assert {"at": at, "precision": precision, "uncertainty_s": None} == moment(text, [form], None)


def test_a_time_without_a_zone_is_read_in_the_declared_one() -> None:
    """What the source writes in its own zone is turned into UTC."""
    assert datetime(2005, 4, 10, 6, 30, tzinfo=UTC) == moment("2005-04-10 09:30", ["%Y-%m-%d %H:%M"], ZONES["local"])["at"]


def test_a_time_without_any_zone_is_unreadable() -> None:
    """No zone is made up."""
    with pytest.raises(UnreadableError):
        moment("2005-04-10 09:30", ["%Y-%m-%d %H:%M"], None)


@pytest.mark.parametrize("text", ["1994-02-30", "1994-13-01", "1994-00-10", "0000-01-01"])
def test_a_day_that_no_calendar_has_is_impossible(text: str) -> None:
    """It has the form of a date: its owner is told that the date is wrong, not the form."""
    with pytest.raises(ImpossibleError):
        moment(text, ["%Y-%m-%d"], None)


@pytest.mark.parametrize("text", ["", "10.02.1994", "yesterday", "1994-02-1O", "1994-02-10 09:00"])
def test_what_has_no_declared_form_is_unreadable(text: str) -> None:
    """It is not guessed at."""
    with pytest.raises(UnreadableError):
        moment(text, ["%Y-%m-%d"], None)


@given(day=st.dates(date(1900, 1, 1), date(2100, 1, 1)))
def test_every_day_comes_back(day: date) -> None:
    """A day written and read is that day's first instant in UTC."""
    assert datetime(day.year, day.month, day.day, tzinfo=UTC) == moment(day.isoformat(), ["%Y-%m-%d"], None)["at"]


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("09:00 UTC", datetime(2005, 4, 10, 9, tzinfo=UTC)),
        ("00:00 UTC", datetime(2005, 4, 10, 0, tzinfo=UTC)),
        ("23:59utc", datetime(2005, 4, 10, 23, 59, tzinfo=UTC)),
        # Three hours east of Greenwich: before three in the morning it is still the day before in UTC.
        ("02:30 local", datetime(2005, 4, 9, 23, 30, tzinfo=UTC)),
        ("03:00 LOCAL", datetime(2005, 4, 10, 0, tzinfo=UTC)),
    ],
)
def test_a_clock_time_is_added_to_its_day(text: str, at: datetime) -> None:
    """The word behind a time names its zone."""
    assert {"at": at, "precision": "minute", "uncertainty_s": None} == with_clock(DAY, text, ["%H:%M"], ZONES)


@pytest.mark.parametrize("text", ["02:30 ship", "02:30"])
def test_a_zone_that_is_not_declared_gives_no_time(text: str) -> None:
    """The caller keeps the day, and the time as it was written."""
    assert with_clock(DAY, text, ["%H:%M"], ZONES) is None


@pytest.mark.parametrize("text", ["24:00 UTC", "12:60 UTC", "99:99 local"])
def test_a_time_that_no_clock_shows_is_impossible(text: str) -> None:
    """Even where its zone would not be known."""
    with pytest.raises(ImpossibleError):
        with_clock(DAY, text, ["%H:%M"], {})


@pytest.mark.parametrize("text", ["noon", "UTC", "9h00", "09.00 UTC", " "])
def test_what_is_no_time_is_unreadable(text: str) -> None:
    """It is not guessed at."""
    with pytest.raises(UnreadableError):
        with_clock(DAY, text, ["%H:%M"], ZONES)


@given(minutes=st.integers(0, 24 * 60 - 1))
def test_every_minute_of_a_day_comes_back(minutes: int) -> None:
    """Read as UTC, a clock time is that long after the day began."""
    found = with_clock(DAY, f"{minutes // 60:02}:{minutes % 60:02} UTC", ["%H:%M"], ZONES)

    assert found is not None
    assert timedelta(minutes=minutes) == found["at"] - datetime(2005, 4, 10, tzinfo=UTC)


@pytest.mark.parametrize("form", ["%H:%M", "%Q %Y", "%d/%m", "%x"])
def test_a_format_without_a_year_or_with_an_unknown_directive_is_refused(form: str) -> None:
    """A declaration that could only be guessed at is no declaration."""
    with pytest.raises(ValueError, match=r"known here|has a year"):
        precision_of(form)


@pytest.mark.parametrize("name", ["Mars/Olympus", "", "../etc/passwd", "local"])
def test_a_zone_that_does_not_exist_is_refused(name: str) -> None:
    """With a sentence, and not when the first report comes in."""
    with pytest.raises(ValueError, match="IANA"):
        zone_of(name)
