"""
Where rejects stand: each record once, by its latest reject; counts that add up; choices that choose.
"""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from boutre.ops.rejects_standing import Choice, Entry, Row, Spot, Standing, Stood, entry_of, rows, standings
from boutre.schemas.identity import place_id
from boutre.schemas.rejects import reject
from records import CODEC, NOW, kwassa

TOPIC = "national.comoros.interception"


def entry(number: int, record: str = "r", code: str = "future-time", **more: Any) -> Entry:
    """A reject of the bus, so many minutes after the first."""
    told: dict[str, Any] = {
        "id": f"reject-{number}",
        "record": record,
        "member": "comoros",
        "kind": "interception",
        "stage": "accept-reports",
        "code": code,
        "field": "times.observed",
        "feed": "ops-room",
        "at": NOW + timedelta(minutes=number),
        "source": f"{TOPIC}/0/{number}",
        "stood": Spot(TOPIC, 0, number),
        "spot": Spot("rejects.comoros", 0, number),
    }
    return Entry(**{**told, **more})


def found(entries: list[Entry], sent: dict[str, int] | None = None) -> list[Standing]:
    """Where they stand, some sent again so many minutes after the first reject."""
    at = {name: NOW + timedelta(minutes=minutes) for name, minutes in (sent or {}).items()}
    return list(standings(entries, at, lambda _record, _code: 0))


def test_a_record_counts_once_by_its_latest_reject() -> None:
    """
    Refused, sent again and refused again is one that is open; the first reject is superseded.
    """
    assert ["superseded", "open"] == [one.state for one in found([entry(2), entry(1)], {"reject-1": 1})]
    assert ["sent"] == [one.state for one in found([entry(1)], {"reject-1": 0})]
    assert ["open", "open"] == [one.state for one in found([entry(1), entry(2, "another")])]


@pytest.mark.parametrize(("minutes", "state"), [(0, "open"), (1, "sent"), (2, "sent")])
def test_a_connectors_reject_that_comes_again_is_open_again(minutes: int, state: str) -> None:
    """
    At the same place it has the same id: only what was sent since it came has dealt with it.
    """
    of_connector: dict[str, Any] = {"stage": "connector", "stood": None, "source": "desk.jsonl:7"}
    again = [entry(number, id="same", **of_connector) for number in (0, 1)]

    assert [("same", state)] == [(one.entry.id, one.state) for one in found(again, {"same": minutes})]


records = st.lists(
    st.tuples(st.sampled_from("abc"), st.sampled_from(("future-time", "unknown-key")), st.sampled_from((None, "desk"))), max_size=12
)


@given(drawn=records, sent=st.sets(st.integers(0, 11)))
def test_the_counts_add_up(drawn: list[tuple[str, str, str | None]], sent: set[int]) -> None:
    """
    However rejects come: as many open and sent as there are records, each in one row, and none stands before one with more open.
    """
    entries = [entry(number, record, code, feed=feed) for number, (record, code, feed) in enumerate(drawn)]
    all_found = found(entries, {f"reject-{number}": number for number in sent})
    counted = rows(all_found)

    assert len({record for record, _, _ in drawn}) == sum(row.open + row.sent for row in counted)
    assert len(drawn) == len(all_found)
    assert sorted((row.open for row in counted), reverse=True) == [row.open for row in counted]
    states = Counter(one.state for one in all_found)
    assert (states["open"], states["sent"]) == (sum(row.open for row in counted), sum(row.sent for row in counted))
    assert all(row.newest == max(one.entry.at for one in all_found if fits(row, one)) for row in counted)


def fits(row: Row, one: Standing) -> bool:
    """Say whether a reject is counted in a row."""
    same = (one.entry.code, one.entry.field, one.entry.feed) == (row.code, row.field, row.feed)
    return same and one.state != "superseded"


@pytest.mark.parametrize(
    ("choice", "chosen"),
    [
        (Choice(), True),
        (Choice(ids=frozenset({"reject-1"})), True),
        (Choice(ids=frozenset({"r"})), True),
        (Choice(ids=frozenset({"reject"})), False),
        (Choice(codes=frozenset({"unknown-key", "future-time"})), True),
        (Choice(codes=frozenset({"unknown-key"})), False),
        (Choice(fields=frozenset({"times"})), True),
        (Choice(fields=frozenset({"times.observed"})), True),
        (Choice(fields=frozenset({"time", "times.observed.at"})), False),
        (Choice(feeds=frozenset({"desk"})), False),
        (Choice(since=NOW + timedelta(minutes=1)), True),
        (Choice(since=NOW + timedelta(minutes=1, milliseconds=1)), False),
    ],
)
def test_a_choice_chooses(choice: Choice, *, chosen: bool) -> None:
    """
    By the id of reject or record, by reason, by a field or one below it, by feed, from a moment on; all of them must fit.
    """
    assert chosen == choice(entry(1))
    assert not choice(entry(0)) or choice.since is None
    assert choice(entry(1, field="Position; times.observed")) == chosen


def stood(content: bytes | None) -> Stood:
    """A reject as the bus writes it of bytes whose id nobody has proved."""
    value = reject(
        member="comoros",
        stage="accept-reports",
        code="unknown-key",
        place={"topic": TOPIC, "partition": 0, "offset": 5},
        at=NOW,
        input_id=place_id(TOPIC, 0, 5),
        kind="interception",
        content=content,
    )
    return Stood(CODEC.decode(CODEC.encode("reject", value)).value, NOW, Spot("rejects.comoros", 0, 1))


def test_what_could_not_be_proved_is_known_by_what_it_says() -> None:
    """
    A record that was signed with another key is its owner's own, with its id and its feed.

    One whose id is not that of its contents is known by where it stood, and so is what cannot be read.
    """
    value = kwassa(victims=None, suspects=None)
    frame, forged = (CODEC.encode("interception", {**value, "id": name}) for name in (value["id"], "x" * 32))
    place = place_id(TOPIC, 0, 5)

    assert (value["id"], "ops-room") == tuple(entry_of(stood(frame), CODEC)[at] for at in (1, 7))
    for content in (forged, b"garbage", None):
        assert (place, None) == tuple(entry_of(stood(content), CODEC)[at] for at in (1, 7))
    assert Spot(TOPIC, 0, 5) == entry_of(stood(frame), CODEC).stood
    assert f"{TOPIC}/0/5" == entry_of(stood(frame), CODEC).source
