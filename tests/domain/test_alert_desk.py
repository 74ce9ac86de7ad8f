"""
All alerts of one recipient: whose thread a situation is, what becomes of it when events join or part, bursts, and exercises.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from boutre.errors import Fault
from boutre.processors.alerts.desk import take
from boutre.processors.alerts.inputs import Input, Retracted, Said, Seen, Tick
from boutre.processors.alerts.message import Message, warning
from boutre.processors.alerts.rules import Known, Rules, load
from boutre.processors.alerts.situation import Situation
from boutre.processors.alerts.thread import MOST, Thread
from records import ROOT

NOW = 1_772_323_200.0
HOUR = 3_600.0
DAY = 24 * HOUR


@cache
def rules() -> Rules:
    """The rules of this bus; codes are not looked up here."""
    faults: list[Fault] = []
    found = load(ROOT, Known(), faults)
    assert [] == faults
    assert found is not None
    return found


def seen(at: float, *records: str, **parts: Any) -> Seen:
    """A ship under attack, as a centre knows of it."""
    whole = {"recipient": "rcoc", "body": "centre", "records": records, "at": at, "observed": at - 60, "types": ("attack",)}
    return Seen(at, Situation(**{**whole, **parts}))


class Desk:
    """
    Threads as they are kept, through their bytes, and all that was told.
    """

    def __init__(self, *inputs: Input) -> None:
        self.threads: dict[str, Thread] = {}
        self.messages: list[Message] = []
        self.take(*inputs)

    def take(self, *inputs: Input) -> list[Message]:
        """Take these inputs; gives what they made."""
        before = len(self.messages)
        for each in inputs:
            changed, messages = take(rules(), self.threads, each)
            kept = {slot: msgspec.json.decode(msgspec.json.encode(thread), type=Thread) for slot, thread in changed.items()}
            assert kept == changed
            assert all(slot == thread.slot for slot, thread in kept.items())
            self.threads.update(kept)
            self.messages.extend(messages)
        return self.messages[before:]

    def kinds(self) -> list[tuple[str, str]]:
        """Rule and kind of each message."""
        return said(self.messages)


def said(messages: Iterable[Message]) -> list[tuple[str, str]]:
    """Rule and kind of each message."""
    return [(message.rule.partition("@")[0], message.kind) for message in messages]


def kwassa(at: float, *records: str, **parts: Any) -> Seen:
    """A kwassa that one source reports, in a zone."""
    whole = {"types": ("irregular-migration",), "crafts": ("kwassa",), "roots": 1, "zones": ("eez-comoros",)}
    return seen(at, *records, **{**whole, **parts})


def test_more_records_of_an_event_go_on_in_its_thread() -> None:
    """
    Whichever comes first, and though one of them has a lesser id than that which began it.
    """
    desk = Desk(seen(NOW, "m"), seen(NOW + 60, "a", "m"), seen(NOW + 120, "a", "m", "z"))

    assert [("attack-on-ship", "Alert")] == desk.kinds()
    assert 1 == len(desk.threads)


def test_events_that_turn_out_to_be_one_have_the_thread_that_was_first() -> None:
    """
    The other is cancelled, with the reason; what parts again has a thread of its own.
    """
    desk = Desk(seen(NOW, "m"), seen(NOW + 60, "a"))
    joined = desk.take(seen(NOW + 120, "a", "m"))
    assert [("Cancel", ("joined",))] == [(message.kind, message.reasons) for message in joined]
    assert [] == desk.take(seen(NOW + 180, "a", "m"))

    assert [] == desk.take(seen(NOW + 240, "m"))
    assert [("attack-on-ship", "Alert")] == said(desk.take(seen(NOW + 240, "a")))


def test_what_another_event_is_not_ends_no_alert() -> None:
    """
    A part that splits off, and of which no rule speaks, takes nothing away from the thread that began without it.
    """
    desk = Desk(seen(NOW, "m"), seen(NOW + 60, "m", "n"))

    assert [] == desk.take(seen(NOW + 120, "n", types=("natural-event",)))
    assert [("attack-on-ship", "Cancel")] == said(desk.take(seen(NOW + 180, "m", types=("natural-event",))))


def test_an_exercise_is_never_a_part_of_what_is_real() -> None:
    """
    Nor the other way round, though they share a record; and it says in its headline what it is.
    """
    desk = Desk(seen(NOW, "m"), seen(NOW + 60, "m", exercise=True))

    assert [False, True] == [message.exercise for message in desk.messages]
    assert desk.messages[1].headline["fr"].startswith("EXERCICE")
    assert 2 == len(desk.threads)


def test_those_of_one_zone_and_day_share_a_thread() -> None:
    """
    It is brought up when they have doubled; when all were taken back it is cancelled, and not before.
    """
    desk = Desk(*(kwassa(NOW + number * HOUR, f"k{number}") for number in range(9)), kwassa(NOW + 9 * HOUR, "else", zones=()))
    own = [message for message in desk.messages if message.thread == desk.messages[0].thread]

    assert [("Alert", 1), ("Update", 2), ("Update", 4), ("Update", 8)] == [
        (message.kind, len(message.derived_from)) for message in own
    ]
    assert 2 == len(desk.threads)
    assert [] == desk.take(Retracted(NOW + 10 * HOUR, tuple(f"k{number}" for number in range(8))))
    assert [("single-kwassa", "Cancel")] == said(desk.take(Retracted(NOW + 10 * HOUR, ("k8",))))


@pytest.mark.parametrize(("at", "threads"), [(NOW + 9 * HOUR - 1, 1), (NOW + 9 * HOUR, 2)])
def test_a_night_belongs_together(at: float, threads: int) -> None:
    """
    Midnight parts nothing; a day begins at the hour that the bus declares, to the second.
    """
    desk = Desk(kwassa(NOW - HOUR, "a"), kwassa(at, "b", observed=at))

    assert threads == len(desk.threads)


def test_nothing_of_what_was_taken_back_stands_for_many() -> None:
    """
    Where the event whose place was told is taken back, its place is told no more, though the thread goes on.
    """
    desk = Desk(kwassa(NOW, "a"), kwassa(NOW + 60, "b", latitude=-12.5, longitude=44.8), Retracted(NOW + 120, ("b",)))
    (thread,) = desk.threads.values()

    assert thread.live
    assert thread.situation.latitude is None
    assert [] == desk.take(kwassa(NOW + 180, "b", latitude=-12.5, longitude=44.8))


def test_a_second_source_moves_it_to_the_rule_for_two() -> None:
    """
    The one proposal ends, the other alert begins.
    """
    desk = Desk(kwassa(NOW, "a"))

    assert [("crossing-towards-mayotte", "Alert"), ("single-kwassa", "Cancel")] == said(
        desk.take(kwassa(NOW + 60, "a", "b", roots=2, probability=0.9))
    )


@pytest.mark.parametrize(("after", "messages"), [(DAY - 1, 0), (DAY, 1)])
def test_a_craft_is_taken_up_again_when_it_has_rested(after: float, messages: int) -> None:
    """
    Another meeting of the same craft is grouped with the one that a person has ended, until its time is up, to the second.
    """
    desk = Desk(seen(NOW, "a", detections=("dark-rendezvous",), craft="mmsi-1", types=()))
    (thread,) = desk.threads.values()
    desk.take(Said(NOW + 60, thread.id, "closed"))
    again = desk.take(seen(NOW + 60 + after, "b", detections=("dark-rendezvous",), craft="mmsi-1", types=()))

    assert messages == len(again)
    assert 1 == len(desk.threads)


def test_a_burst_after_days_of_silence_is_one_digest() -> None:
    """
    One message at first, one in an hour with all that came since, none of them urgent; what is new counts as ever, and so do lives.
    """
    desk = Desk(*(seen(NOW + number / 100, f"old{number}", observed=NOW - 9 * DAY) for number in range(MOST + 50)))
    assert [("attack-on-ship", "Alert", True, "Past", True)] == [
        (message.rule.partition("@")[0], message.kind, message.late, message.codes[1], message.quiet) for message in desk.messages
    ]
    hourly = desk.take(*(Tick(NOW + minutes * 60) for minutes in range(1, 180)))
    assert [("more-of-them",)] == [message.reasons for message in hourly]
    assert f"at least {MOST}" in hourly[0].headline["en"]

    assert [("attack-on-ship", "Alert")] == said(desk.take(seen(NOW + 4 * HOUR, "new")))
    lives = desk.take(seen(NOW + 4 * HOUR, "saved", observed=NOW - 9 * DAY, lives_at_risk=True, types=("distress",)))
    assert [("people-in-distress", "Alert", False)] == [
        (message.rule.partition("@")[0], message.kind, message.late) for message in lives
    ]


def test_a_late_report_of_an_event_that_is_known_joins_its_thread() -> None:
    """
    And what came late has a thread of its own as soon as it is seen again.
    """
    desk = Desk(seen(NOW, "m"))
    assert [] == desk.take(seen(NOW + 3 * DAY, "m", "late", observed=NOW - 60))
    assert 1 == len(desk.threads)

    desk = Desk(seen(NOW, "late", observed=NOW - 3 * DAY))
    assert [("attack-on-ship", "Alert", False)] == [
        (message.rule.partition("@")[0], message.kind, message.late) for message in desk.take(seen(NOW + 60, "late", "fresh"))
    ]


def test_a_new_version_of_a_rule_alerts_nobody_again() -> None:
    """
    The version is in what is told, and not in the name of the thread; a rule that is gone leaves its threads as they are.
    """
    desk = Desk(seen(NOW, "m"))
    newer = tuple(one.model_copy(update={"version": 9}) for one in rules().every)
    other = Rules(rules().scales, newer)
    fewer = Rules(rules().scales, ())

    assert ({}, ()) == take(other, desk.threads, seen(NOW, "m"))
    assert ({}, ()) == take(fewer, desk.threads, seen(NOW + 60, "m", outcomes=("boarded",)))


RECORDS = st.sets(st.sampled_from("abcd"), min_size=1, max_size=4).map(lambda ids: tuple(sorted(ids)))


@st.composite
def days(draw: st.DrawFn) -> list[Input]:
    """What can happen to a handful of records that join and part."""
    made: list[Input] = []
    at = NOW
    for _ in range(draw(st.integers(1, 12))):
        at += draw(st.sampled_from([0.0, 60.0, HOUR, DAY - 60, DAY]))
        match draw(st.integers(0, 4)):
            case 0 | 1:
                made.append(seen(at, *draw(RECORDS), outcomes=draw(st.sampled_from([(), ("boarded",), ("resolved",)]))))
            case 2:
                made.append(kwassa(at, *draw(RECORDS), roots=draw(st.sampled_from([1, 2])), probability=0.9))
            case 3:
                made.append(Retracted(at, draw(RECORDS)))
            case _:
                made.append(Tick(at))
    return made


@settings(max_examples=60)
@given(days())
def test_however_events_join_and_part_each_thread_begins_once(inputs: list[Input]) -> None:
    """
    No two messages have one id, every thread begins with its one initial message, and what follows refers to it.
    """
    desk = Desk(*inputs)
    begun: dict[str, str] = {}
    for message in desk.messages:
        if message.kind == "Alert":
            assert message.thread not in begun
            begun[message.thread] = message.id
        else:
            assert begun[message.thread] == message.references[0]
    assert len(desk.messages) == len({message.id for message in desk.messages})
    assert said(desk.messages) == said(Desk(*inputs).messages)


@settings(max_examples=60)
@given(days())
def test_no_alert_outlives_its_records(inputs: list[Input]) -> None:
    """
    When everything was taken back, nothing is live.
    """
    desk = Desk(*inputs, Retracted(NOW + 90 * DAY, tuple("abcd")))

    assert [] == [thread for thread in desk.threads.values() if thread.live or thread.records]


NUMBERS = (
    "observed",
    "length_m",
    "persons_least",
    "persons_most",
    "latitude",
    "longitude",
    "accuracy_m",
    "course_deg",
    "credibility",
)


@settings(max_examples=60)
@given(
    numbers=st.dictionaries(st.sampled_from(NUMBERS), st.floats() | st.sampled_from([1e308, -1e308, 1e18])),
    within=st.floats(),
    at=st.floats() | st.just(NOW),
    roots=st.integers(-2, 10**9),
    body=st.sampled_from(["centre", "member", "protection", "else"]),
)
def test_no_number_whatever_makes_it_fall(numbers: dict[str, float], within: float, at: float, roots: int, body: str) -> None:
    """
    What cannot be is not known, what comes at no time is nothing; and what is told of it can be sent.
    """
    one = seen(
        at, "a", **numbers, within_s=within, roots=roots, body=body, detections=("two-hulls",), types=("attack", "trafficking")
    )
    desk = Desk(one, msgspec.structs.replace(one, at=NOW), Tick(at), Tick(NOW + DAY))

    for message in desk.messages:
        assert warning(message)["expires"]
        assert "nan" not in message.description["en"]
    assert (body != "else") == bool(desk.threads) or not -6.2e10 <= at <= 2.5e11
