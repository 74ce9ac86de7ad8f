"""
Repeats: another report of one event by one member is marked, at the edges of its rule, and suppressed only where nothing is lost.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from boutre.processors.repeats import MOST, Rule, look, traces
from records import CODEC, RECIPIENTS, Value, attack, known_as, kwassa, local_bus, moment, national, recall, views

RULE = Rule("same-day-same-place", frozenset({"sighting"}), frozenset({"attack"}), 0.1, b"secret")
UNLIKE = ("id", "view", "provenance")
"""Groups that two reports of one event need not have in common."""

UNTOLD = {"times": ("reported", "received_at", "accepted_at", "late"), "origin": ("reference",), "lifecycle": ("repeats",)}
"""Fields likewise."""


def at(latitude: float = 12.145, longitude: float = 50.81) -> Value:
    """A position."""
    return {"latitude": latitude, "longitude": longitude}


def named(*names: str) -> list[Value]:
    """A ship of these names."""
    return [{"attribute": "name", "value": name} for name in names]


def observed(text: str, precision: str = "minute") -> Value:
    """The times of a report."""
    return {"observed": moment(text, precision)}


def found(*reports: Value, rules: tuple[Rule, ...] = (RULE,)) -> list[str | None]:
    """What each of some reports, in their order, is found to repeat."""
    state: dict[str, Any] = {}
    earlier = []
    for value in reports:
        repetition = look(rules, "sighting", CODEC.decode(CODEC.encode("sighting", value)).value, state)
        state |= json.loads(json.dumps(repetition.changes))
        earlier.append(repetition.earlier)
    return earlier


def repeated(first: Value, second: Value) -> bool:
    """Whether the second of two is found to repeat the first; either way round it is the same."""
    one, other = found(first, second)[1], found(second, first)[1]
    assert (one is None) == (other is None)
    assert one in (None, first["id"])
    return one is not None


FIRST = attack("one", times=observed("1995-04-03T12:00:00Z"), claims=named("FULL CITY"))


def second(**groups: Any) -> Value:
    """Another report that says the same but for *groups*."""
    return {**FIRST, "id": attack("two")["id"], **groups}


# --- The rule --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("groups", "same"),
    [
        ({}, True),
        ({"position": at(12.2)}, True),
        ({"position": at(12.299_999)}, True),
        ({"position": at(12.3)}, False),
        ({"position": at(12.0)}, True),
        ({"position": at(11.999_999)}, False),
        ({"position": at(12.2, 50.9)}, True),
        ({"position": at(12.145, 51.0)}, False),
        ({"position": None}, False),
        ({"times": observed("1995-04-03T00:00:00Z")}, True),
        ({"times": observed("1995-04-03T23:59:59.999Z")}, True),
        ({"times": observed("1995-04-04T00:00:00Z")}, False),
        ({"times": observed("1995-04-02T23:59:59.999Z")}, False),
        ({"times": observed("1995-04-04T01:00:00+04:00")}, True),
        ({"times": observed("1995-04-03T00:00:00Z", "day")}, True),
        ({"times": observed("1995-04-03T00:00:00Z", "month")}, False),
        ({"claims": named("full-city")}, True),
        ({"claims": named("Full Citý")}, True),
        ({"claims": named("OTHER")}, False),
        ({"claims": named("OTHER", "FULL CITY")}, True),
        ({"claims": None}, True),
        ({"claims": [{"attribute": "mmsi", "value": "219000001"}]}, True),
        ({"claims": named("مركب")}, False),
        ({"claims": named("...")}, True),
        ({"event": {"type": "contraband"}}, False),
        ({"origin": {"member": "observatory-asam", "feed": "ops-room", "reference": "two"}}, False),
    ],
)
def test_type_day_place_and_name_must_agree(groups: Value, same: bool) -> None:  # noqa: FBT001 - a table
    """
    To the digit: cells and their neighbours, the edges of the day in UTC, names that contradict; and only one member's reports.
    """
    assert same == repeated(FIRST, second(**groups))


def test_two_names_in_another_script_are_two_ships() -> None:
    """
    Names in Arabic letters are compared like others.
    """
    one = {**FIRST, "claims": named("مركب")}

    assert not repeated(one, second(claims=named("سفينة")))
    assert repeated(one, second(claims=named(" مركب ")))


@given(st.floats(-89, 89), st.floats(-179, 179), st.floats(-0.1, 0.1), st.floats(-0.1, 0.1))
@settings(max_examples=60, deadline=None)
def test_what_is_nearer_than_a_cell_is_found(latitude: float, longitude: float, north: float, east: float) -> None:
    """
    Two places less than a cell apart are in one cell or in neighbours, wherever the lines between cells lie.
    """
    one = {**FIRST, "position": at(latitude, longitude)}

    assert repeated(one, second(position=at(latitude + north * 0.99, longitude + east * 0.99)))


def test_all_reports_of_one_event_name_the_first() -> None:
    """
    A third report repeats the first, not the second; another kind of record and a type without a rule repeat nothing.
    """
    third = {**FIRST, "id": attack("three")["id"]}
    other = Rule("other", frozenset({"interception"}), frozenset({"attack"}), 0.1, b"secret")

    assert [None, FIRST["id"], FIRST["id"]] == found(FIRST, second(), third)
    assert [None, None] == found(FIRST, second(), rules=(other,))
    assert [None, None] == found(FIRST, second(), rules=())


def test_one_cell_remembers_only_so_many() -> None:
    """
    What is remembered is bounded: after many other ships in one place on one day the first is forgotten, and only not marked.
    """
    others = [{**FIRST, "id": str(number), "claims": named(f"SHIP {number}")} for number in range(MOST)]

    assert found(FIRST, *others[:-1], second())[-1] == FIRST["id"]
    assert found(FIRST, *others, second())[-1] is None


def test_what_is_remembered_holds_no_value() -> None:
    """
    Neither the name nor the place nor the member stands in the keys or values of the state.
    """
    changes = json.dumps(look((RULE,), "sighting", FIRST, {}).changes)

    assert not any(text in changes for text in ("FULL", "fullcity", "12.1", "50.8", "observatory", "1995", "attack"))
    assert 9 == len(set(next(iter(traces((RULE,), "sighting", FIRST))).keys))


# --- On the bus ------------------------------------------------------------------------------------------------------------


def views_of(*reports: Value, kind: str = "sighting") -> dict[str, list[Value]]:
    """What each recipient gets of some reports published in their order."""
    bus = local_bus()
    bus.publish([national(kind, value) for value in reports])
    return {name: [CODEC.decode(out.value).value for out in views(bus.topics, name)] for name in RECIPIENTS}


def substance(view: Value) -> Value:
    """What a view tells of its event: all but ids, when and under which reference it was reported, and that it repeats."""
    told = {name: group for name, group in view.items() if name not in UNLIKE}
    for name, fields in (
        ("times", ("reported", "received_at", "accepted_at", "late")),
        ("origin", ("reference",)),
        ("lifecycle", ("repeats",)),
    ):
        if isinstance(told[name], dict):
            told[name] = {**told[name], **dict.fromkeys(fields)}
    return told


def test_the_same_again_is_not_sent_twice_to_who_may_know() -> None:
    """
    Who gets all by which it is found had it already; who lacks a field of the rule is not told, and gets the report.
    """
    got = views_of(attack("one"), attack("two"))
    suppressed = {name for name, told in got.items() if len(told) == 1}

    # Mauritius and the Comoros get the place by the cell only, Madagascar no names.
    assert {"rmifc", "rcoc", "seychelles", "france"} == suppressed
    assert {"mauritius", "madagascar", "comoros"} == {name for name, told in got.items() if len(told) == 2}
    assert all(view["lifecycle"]["repeats"] is None for told in got.values() for view in told)


def test_a_repeat_that_says_more_is_sent_and_marked() -> None:
    """
    Another outcome is news: sent to all, and to who may know marked by the recipient's own name for the first.
    """
    one = attack("one")
    got = views_of(one, attack("two", event={"type": "attack", "outcome": "robbed"}))

    for name in ("rmifc", "france"):
        assert {"id": known_as(name, one), "rule": "same-day-same-place"} == got[name][1]["lifecycle"]["repeats"]
    assert got["comoros"][1]["lifecycle"]["repeats"] is None


@pytest.mark.parametrize(
    "groups",
    [
        {"narrative": [{"language": "en", "text": "They came back at night."}]},
        {"handling": {"tlp": "GREEN", "handling_codes": ["H2"]}},
        {"position": at(12.146)},
        {"claims": None},
        {"persons": {"dead": {"min": 1.0, "max": 1.0}}},
        {"exercise": True},
    ],
    ids=["narrative", "handling", "position", "claims", "persons", "exercise"],
)
@pytest.mark.parametrize("hidden", [False, True])
def test_a_suppressed_repeat_adds_nothing(groups: Value, hidden: bool) -> None:  # noqa: FBT001 - a table
    """
    Whatever differs between two reports: each recipient has every view's substance, or it was not to be had from the second either.
    """
    two = attack("two", **{**groups, **({"handling": {"tlp": "RED"}} if hidden else {})})
    alone, both = views_of(two), views_of(attack("one"), two)

    for name in RECIPIENTS:
        for view in alone[name]:
            assert substance(view) in [substance(each) for each in both[name]]


def test_a_report_hides_no_other() -> None:
    """
    A first report that a recipient may not see does not take away the second, which it may.
    """
    got = views_of(attack("one", handling={"tlp": "RED"}), attack("two"))

    assert {1} == {len(told) for name, told in got.items() if name != "protection-partner"}
    assert all(view["lifecycle"]["repeats"] is None for told in got.values() for view in told)


def test_a_retracted_repeat_leaves_the_first_standing() -> None:
    """
    Taking back a report that repeated another is told only to those who were sent it.
    """
    bus = local_bus()
    one, two = kwassa("one"), kwassa("two", narrative=None)
    bus.publish([national("interception", value) for value in (one, two)])
    bus.publish([national("retraction", recall(two, "interception"))])

    for name in RECIPIENTS:
        sent = {CODEC.decode(out.value).value["view"]["of"] for out in bus.read(f"for.{name}.interception")}
        told = [CODEC.decode(out.value).value["recall"]["record"] for out in bus.read(f"for.{name}.retraction")]
        assert [known_as(name, two)] * (known_as(name, two) in sent) == told
