"""
A decoded value as plain data and as a line of JSON.
"""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from boutre.connectors.delivery import KINDS
from boutre.connectors.plain import line, plain, stamp
from boutre.connectors.sinks.trial import SEALED, WITHHELD, delivery

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.binary()
    | st.dates()
    | st.datetimes(timezones=st.timezones(), min_value=datetime(1800, 1, 2), max_value=datetime(9000, 1, 1)),  # noqa: DTZ001 - hypothesis adds the zone
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(VALUES)
def test_every_value_becomes_one_line_of_json(value: Any) -> None:
    """Whatever a decoded value holds, its line is one line for every splitter, and reads back as its plain data."""
    text = line(value)

    assert [text] == text.splitlines()
    assert plain(value) == json.loads(text)


@given(st.text())
def test_no_character_of_a_line_steers_or_hides(text: str) -> None:
    """Control, invisible and direction-changing characters are escaped, and read back as they were."""
    written = line(text)

    assert not [
        character for character in written if ord(character) < 0x20 or character in "\x7f\u0085\u2028\u202e\u2066\u200b\ufeff"
    ]
    assert text == json.loads(written)


def test_what_was_withheld_is_not_what_is_unknown() -> None:
    """A withheld group says who withheld it and whom to ask; an unknown one is null; a sealed one keeps its ciphertext."""
    value = plain({"claims": WITHHELD, "craft": None, "victims": SEALED})

    assert {"agreement": WITHHELD.agreement, "clause": WITHHELD.clause, "ask": WITHHELD.ask} == value["claims"]["withheld"]
    assert value["craft"] is None
    assert value["victims"]["sealed"]["ciphertext"] == "/wBjaXBoZXJ0ZXh0"
    assert value["victims"]["sealed"]["keys"][0]["wrapped"] == "Ag=="


def test_times_are_utc_with_milliseconds() -> None:
    """An instant in another zone is the same instant in UTC; a day stays a day."""
    assert stamp(datetime(2023, 5, 5, 0, 10, 0, 1_999, tzinfo=timezone(timedelta(hours=3)))) == "2023-05-04T21:10:00.001Z"
    assert plain(date(2023, 5, 4)) == "2023-05-04"


def test_a_time_without_a_zone_is_refused() -> None:
    """No zone is guessed."""
    with pytest.raises(TypeError, match="zone"):
        plain(datetime(2023, 5, 4))  # noqa: DTZ001 - the point


def test_numbers_that_json_has_no_word_for_stay_visible() -> None:
    """They are neither dropped nor made into a number."""
    assert plain([float("nan"), float("inf"), float("-inf")]) == ["NaN", "Infinity", "-Infinity"]


def test_what_no_value_holds_is_refused() -> None:
    """A type that no schema has is a mistake of the caller, and not shown."""
    with pytest.raises(TypeError, match="set"):
        plain({"secret"})


@pytest.mark.parametrize("kind", KINDS)
def test_a_view_keeps_the_order_of_its_schema(kind: str) -> None:
    """The keys stand in the order of the schema, so that the same view is always the same line."""
    view = delivery(kind)

    assert list(view.value) == list(json.loads(line(view.value)))
    assert line(view.value) == line(delivery(kind).value)
    if kind == "link":
        assert plain(view.value)["times"] is None  # nobody saw it: the bus made it
    else:
        assert datetime(2026, 3, 9, 1, 10, tzinfo=UTC) == datetime.fromisoformat(plain(view.value)["times"]["observed"]["at"])
