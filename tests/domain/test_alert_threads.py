"""
A thread of alerts: one initial message, updates that matter, an end; people silence, answer and judge it; time escalates it.
"""

from __future__ import annotations

from functools import cache
from typing import Any, get_args

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from boutre.errors import Fault
from boutre.processors.alerts.deadlines import due, next_tick
from boutre.processors.alerts.inputs import Input, Joined, Retracted, Said, Seen, Tick, Word
from boutre.processors.alerts.lifecycle import step
from boutre.processors.alerts.message import Message
from boutre.processors.alerts.rule import Rule
from boutre.processors.alerts.rules import Known, Rules, load
from boutre.processors.alerts.situation import Situation
from boutre.processors.alerts.thread import REFERENCES, Thread, message_id, references
from records import ROOT

NOW = 1_772_323_200.0
MINUTE = 60.0
HOUR = 3_600.0
WORDS: tuple[Word, ...] = get_args(Word)


@cache
def rules() -> Rules:
    """The rules of this bus; codes are not looked up here."""
    faults: list[Fault] = []
    found = load(ROOT, Known(), faults)
    assert [] == faults
    assert found is not None
    return found


def rule(name: str) -> Rule:
    """One of them."""
    found = rules().named(name)
    assert found is not None
    return found


CROSSING, KWASSA, DISTRESS, SIGNS = (
    rule(name) for name in ("crossing-towards-mayotte", "single-kwassa", "people-in-distress", "trafficking-signs")
)


def crossing(at: float = NOW, **parts: Any) -> Seen:
    """Two sources report a boat; by the rule it is told at once, and may be silenced for an hour or the occurrence."""
    whole = {
        "recipient": "rcoc",
        "body": "centre",
        "records": ("a", "b"),
        "at": at,
        "observed": at - 60,
        "types": ("irregular-migration",),
        "zones": ("eez-comoros",),
        "roots": 2,
        "probability": 0.9,
        "persons_most": 20.0,
        "latitude": -12.5,
        "longitude": 44.8,
    }
    return Seen(at, Situation(**{**whole, **parts}))


def told(one: Rule, *inputs: Input, thread: Thread | None = None) -> tuple[Thread, list[Message]]:
    """The thread after these inputs, and all that was told."""
    messages: list[Message] = []
    for each in inputs:
        thread, more = step(rules(), one, thread, each)
        messages.extend(more)
    assert thread is not None
    return thread, messages


def opened() -> Thread:
    """A thread of which its recipient was just told."""
    return told(CROSSING, crossing())[0]


def said(thread: Thread, word: Word, at: float, until: float | None = None) -> Said:
    """What a person says of it."""
    return Said(at, thread.id, word, until)


# --- Laws over any sequence -----------------------------------------------------------------------------------------------------

TIMES = st.integers(0, 40).map(lambda minutes: NOW + minutes * 15 * MINUTE) | st.sampled_from(
    [NOW + HOUR - 1, NOW + HOUR, NOW + HOUR + 1, NOW + 24 * HOUR - 1, NOW + 24 * HOUR, NOW + 24 * HOUR + 1]
)
FACTS = st.fixed_dictionaries(
    {
        "records": st.sampled_from([("a",), ("a", "b"), ("a", "b", "c")]),
        "persons_most": st.sampled_from([None, 10.0, 20.0, 39.0, 40.0, 80.0]),
        "roots": st.sampled_from([1, 2, 3]),
        "latitude": st.sampled_from([-12.5, -12.6, -13.5]),
        "lives_at_risk": st.sampled_from([None, None, True]),
        "outcomes": st.sampled_from([(), (), ("ongoing",), ("intercepted",)]),
    }
)


@st.composite
def inputs(draw: st.DrawFn) -> list[Input]:
    """What can happen to one event in ten hours and a day, in any order of times."""
    identifier = opened().id
    made: list[Input] = []
    for at in draw(st.lists(TIMES, min_size=1, max_size=14)):
        match draw(st.integers(0, 5)):
            case 0 | 1 | 2:
                made.append(crossing(at, **draw(FACTS)))
            case 3:
                until = draw(st.none() | st.just(at + HOUR) | st.just(at + 30 * MINUTE))
                made.append(Said(at, identifier, draw(st.sampled_from(WORDS)), until))
            case 4:
                made.append(Tick(at))
            case _:
                made.append(Retracted(at, draw(st.sampled_from([("a",), ("b", "c"), ("a", "b", "c")]))))
    return made


def run(given_: list[Input], *, restart: bool = False) -> list[list[Message]]:
    """What is told at each input; with *restart* the thread goes through its bytes before each."""
    thread: Thread | None = None
    answers = []
    for each in given_:
        if restart and thread is not None:
            thread = msgspec.json.decode(msgspec.json.encode(thread), type=Thread)
        thread, messages = step(rules(), CROSSING, thread, each)
        answers.append(list(messages))
    return answers


@settings(max_examples=50)
@given(inputs())
def test_a_thread_begins_once_and_all_else_refers_to_its_beginning(given_: list[Input]) -> None:
    """
    One initial message for each thread, with the serial 1; updates and cancellations name it and every message before them.
    """
    by_thread: dict[str, list[Message]] = {}
    for message in (message for messages in run(given_) for message in messages):
        by_thread.setdefault(message.thread, []).append(message)

    for messages in by_thread.values():
        assert ["Alert"] == [message.kind for message in messages[:1]]
        assert "Alert" not in [message.kind for message in messages[1:]]
        assert sum(message.kind == "Cancel" for message in messages) <= 1
        for number, message in enumerate(messages):
            assert number + 1 == message.serial
            assert tuple(earlier.id for earlier in messages[:number]) == message.references
        assert len(messages) == len({message.id for message in messages})
        assert [message.at for message in messages] == sorted(message.at for message in messages)


@settings(max_examples=50)
@given(inputs())
def test_the_same_inputs_give_the_same_messages_also_after_a_restart(given_: list[Input]) -> None:
    """
    Bytes of a thread are the whole of it: a worker that begins anew with them tells what the other would have told.
    """
    assert run(given_) == run(given_, restart=True)


@settings(max_examples=50)
@given(inputs())
def test_what_was_told_is_not_told_again(given_: list[Input]) -> None:
    """
    Each input twice, one right after the other: the second time nothing is said.
    """
    thread: Thread | None = None
    for each in given_:
        thread, _ = step(rules(), CROSSING, thread, each)
        again, messages = step(rules(), CROSSING, thread, each)

        assert () == messages
        assert thread == again


@settings(max_examples=50)
@given(inputs())
def test_all_of_it_again_is_silent(given_: list[Input]) -> None:
    """
    When the world is told from its beginning again, to a thread that knows it, nobody is alerted a second time.
    """
    ordered = sorted((one for one in given_ if isinstance(one, Seen)), key=lambda one: (one.at, one.situation.records))
    grown: list[Seen] = []
    for one in ordered:
        records = tuple(sorted({*one.situation.records, *(grown[-1].situation.records if grown else ())}))
        if not grown or one.at > grown[-1].at:
            grown.append(Seen(one.at, msgspec.structs.replace(one.situation, records=records)))
    thread: Thread | None = None
    for each in grown:
        thread, _ = step(rules(), CROSSING, thread, each)
    for each in grown if thread is not None else ():
        thread, messages = step(rules(), CROSSING, thread, each)

        assert () == messages


@settings(max_examples=50)
@given(inputs())
def test_while_silenced_only_what_rises_or_ends_is_told(given_: list[Input]) -> None:
    """
    A graver code, lives at risk, and a cancellation, which wakes nobody; and a person's own word. Nobody else is called.
    """
    thread: Thread | None = None
    for each in given_:
        before = thread
        thread, messages = step(rules(), CROSSING, thread, each)
        if before is None or not before.live:
            continue
        over = before.silenced_until is not None and each.at >= before.silenced_until
        if (before.silenced or before.silenced_until is not None) and not over and not isinstance(each, Said):
            for message in messages[:1]:
                assert message.kind == "Cancel" or {"severity-up", "lives-at-risk"} & set(message.reasons)
                assert message.kind != "Cancel" or message.quiet


@settings(max_examples=50)
@given(inputs())
def test_a_tick_before_its_time_does_nothing(given_: list[Input]) -> None:
    """
    What a thread says of when time changes it next is so: until then a tick changes nothing, and then it does.
    """
    thread: Thread | None = None
    for each in given_:
        thread, _ = step(rules(), CROSSING, thread, each)
        if thread is None:
            continue
        then = next_tick(rules(), CROSSING, thread)
        early = (thread.now + 100 * HOUR if then is None else then) - 1
        if early > thread.now:
            same, messages = step(rules(), CROSSING, thread, Tick(early))
            assert () == messages
            assert same == msgspec.structs.replace(thread, now=early)
        if then is not None:
            changed, messages = step(rules(), CROSSING, thread, Tick(then))
            assert messages or changed != msgspec.structs.replace(thread, now=max(then, thread.now))


# --- What matters ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("parts", "reasons"),
    [
        ({}, None),
        ({"records": ("a", "b", "c")}, None),
        ({"persons_most": 39.0}, None),
        ({"persons_most": 40.0}, ("severity-up", "urgency", "persons")),
        ({"persons_most": 10.0}, ("persons",)),
        ({"persons_most": None}, None),
        ({"lives_at_risk": True}, ("lives-at-risk",)),
        ({"roots": 3, "records": ("a", "b", "c")}, ("new-root",)),
        ({"probability": 0.95}, None),
        ({"outcomes": ("ongoing",)}, ("outcome",)),
        ({"latitude": -12.6}, None),
        ({"latitude": -12.7}, ("moved",)),
        ({"latitude": -12.7, "accuracy_m": 5_000.0}, None),
        ({"latitude": -12.7, "observed": NOW - 61}, None),
    ],
)
def test_an_update_is_sent_for_what_matters(parts: dict[str, Any], reasons: tuple[str, ...] | None) -> None:
    """
    Another record alone is none. A position is measured less its own error, and what was seen before is no movement.
    """
    _, messages = told(CROSSING, crossing(NOW + 15 * MINUTE, **parts), thread=opened())

    assert ([] if reasons is None else [("Update", reasons)]) == [(message.kind, message.reasons) for message in messages]


def test_small_changes_add_up() -> None:
    """
    They are measured against what was told, not against what came last.
    """
    steps = [crossing(NOW + hour * HOUR, persons_most=20.0 - 3 * hour) for hour in range(1, 5)]
    _, messages = told(CROSSING, *steps, thread=opened())

    assert [("persons",)] == [message.reasons for message in messages if message.reasons != ("unanswered",)]


def test_updates_keep_a_distance_unless_it_rises() -> None:
    """
    A change that comes too soon is told when the time is up, to the second; what rises is told at once.
    """
    thread, messages = told(CROSSING, crossing(NOW + 60, outcomes=("ongoing",)), thread=opened())
    assert [] == messages
    assert [] == told(CROSSING, Tick(NOW + 15 * MINUTE - 1), thread=thread)[1]
    assert [("outcome",)] == [message.reasons for message in told(CROSSING, Tick(NOW + 15 * MINUTE), thread=thread)[1]]
    assert [("lives-at-risk", "outcome")] == [
        message.reasons
        for message in told(CROSSING, crossing(NOW + 90, outcomes=("ongoing",), lives_at_risk=True), thread=thread)[1]
    ]


def test_what_comes_and_goes_between_two_messages_is_no_news() -> None:
    """
    Only how it stands when the time is up counts.
    """
    there_and_back = crossing(NOW + 60, outcomes=("ongoing",)), crossing(NOW + 120), Tick(NOW + 30 * MINUTE)

    assert [] == told(CROSSING, *there_and_back, thread=opened())[1]


def test_an_older_state_that_comes_late_changes_nothing() -> None:
    """
    Out of order, with nothing new in it, it is how things stood before; with a record that is new it counts.
    """
    thread = told(CROSSING, crossing(NOW + HOUR / 2), thread=opened())[0]
    old = crossing(NOW + 60, roots=1)

    assert [] == told(CROSSING, old, thread=thread)[1]
    _, messages = told(CROSSING, crossing(NOW + 60, roots=3, records=("a", "b", "c")), thread=thread)
    assert [("new-root",)] == [message.reasons for message in messages]


# --- The end --------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("word", [None, "acknowledged", "closed", "silenced"])
def test_what_is_taken_back_is_cancelled_whatever_was_said(word: Word | None) -> None:
    """
    Whoever was told learns that there is nothing left of it, once, and nothing of what was taken back is told or kept.
    """
    thread = opened()
    if word is not None:
        thread = told(CROSSING, said(thread, word, NOW + 60), thread=thread)[0]
    thread, messages = told(CROSSING, Retracted(NOW + 120, ("a",)), thread=thread)
    assert [] == messages
    thread, messages = told(CROSSING, Retracted(NOW + 180, ("b", "c")), Retracted(NOW + 240, ("a", "b")), thread=thread)

    assert [("Cancel", ("retracted",))] == [(message.kind, message.reasons) for message in messages]
    assert (message_id(thread.id, 1),) == messages[0].references
    assert (word in {"closed", "silenced"}) == messages[0].quiet
    assert "20" not in messages[0].description["en"]
    assert thread.situation.persons_most is None
    assert [] == told(CROSSING, crossing(NOW + 300), thread=thread)[1]


def test_what_no_longer_holds_is_cancelled_and_may_come_again() -> None:
    """
    A link that is withdrawn leaves one source: the alert ends, and another begins when there are two again.
    """
    thread, messages = told(CROSSING, crossing(NOW + 60, roots=1), thread=opened())
    assert [("Cancel", ("holds-no-more",))] == [(message.kind, message.reasons) for message in messages]

    again, messages = told(CROSSING, crossing(NOW + 120), thread=thread)
    assert [("Alert", 1, ())] == [(message.kind, message.serial, message.references) for message in messages]
    assert thread.id != again.id
    assert thread.slot == again.slot


@pytest.mark.parametrize(("after", "state"), [(24 * HOUR - 1, "acknowledged"), (24 * HOUR, "expired")])
def test_it_expires_to_the_second_and_without_a_word(after: float, state: str) -> None:
    """
    As each message said; a change that matters opens it again, one that does not leaves it.
    """
    thread = told(CROSSING, said(opened(), "acknowledged", NOW), thread=opened())[0]
    thread, messages = told(CROSSING, Tick(NOW + after), thread=thread)

    assert state == thread.state
    assert [] == messages
    if state == "expired":
        assert [] == told(CROSSING, crossing(NOW + 25 * HOUR, records=("a", "b", "c")), thread=thread)[1]
        reopened, messages = told(CROSSING, crossing(NOW + 25 * HOUR, roots=3, records=("a", "b", "c")), thread=thread)
        assert [("Update", ("new-root",))] == [(message.kind, message.reasons) for message in messages]
        assert reopened.state == "open"
        assert NOW + 49 * HOUR == reopened.expires


@pytest.mark.parametrize("word", ["closed", "dismissed"])
def test_a_persons_judgement_stands_until_it_rises(word: Word) -> None:
    """
    More of the same does not open what a person has ended; a graver code or lives at risk does.
    """
    thread = opened()
    thread, messages = told(CROSSING, said(thread, word, NOW + 60), thread=thread)
    assert (["Cancel"] if word == "dismissed" else []) == [message.kind for message in messages]

    more = crossing(NOW + HOUR, roots=3, records=("a", "b", "c"), outcomes=("ongoing",))
    thread, messages = told(CROSSING, more, Tick(NOW + 2 * HOUR), thread=thread)
    assert [] == messages
    thread, messages = told(CROSSING, crossing(NOW + 3 * HOUR, lives_at_risk=True), thread=thread)
    assert ["Alert" if word == "dismissed" else "Update"] == [message.kind for message in messages]
    assert thread.state == "open"


# --- What people say ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("until", "end"),
    [(NOW + 60 + 30 * MINUTE, NOW + 60 + 30 * MINUTE), (NOW + 9 * HOUR, NOW + 60 + HOUR), (NOW, None), (None, None)],
)
def test_a_silence_ends_to_the_second_and_is_no_longer_than_allowed(until: float | None, end: float | None) -> None:
    """
    One that would end before it begins is none; without an end it holds for the occurrence, where the rule lets it.
    """
    thread = opened()
    silent = told(CROSSING, said(thread, "silenced", NOW + 60, until), thread=thread)[0]

    assert end == silent.silenced_until
    assert (until is None) == silent.silenced
    if end is not None:
        change = crossing(NOW + 20 * MINUTE, outcomes=("ongoing",))
        assert [] == told(CROSSING, change, Tick(end - 1), thread=silent)[1]
        assert [("outcome",)] == [message.reasons for message in told(CROSSING, change, Tick(end), thread=silent)[1]]


def test_nobody_silences_people_in_distress_for_good() -> None:
    """
    Where the rule does not allow an occurrence, it is silent for the rule's most and no longer.
    """
    thread = told(DISTRESS, crossing(lives_at_risk=True))[0]
    thread = told(DISTRESS, said(thread, "silenced", NOW + 60), thread=thread)[0]

    assert not thread.silenced
    assert NOW + 60 + 15 * MINUTE == thread.silenced_until


def test_it_is_proposed_until_a_person_validates_or_dismisses_it() -> None:
    """
    Both are told: the one as an update, the other as a cancellation. On second thoughts there is a new thread.
    """
    sight = crossing(crafts=("kwassa",), roots=1)
    thread, messages = told(KWASSA, sight)
    assert [True] == [message.proposed for message in messages]
    assert "no person has validated it" in messages[0].description["en"]

    _, messages = told(KWASSA, said(thread, "validated", NOW + 60), said(thread, "validated", NOW + 90), thread=thread)
    assert [("Update", ("validated",), False, "validated")] == [
        (message.kind, message.reasons, message.proposed, message.validation) for message in messages
    ]
    dismissed, messages = told(KWASSA, said(thread, "dismissed", NOW + 60), thread=thread)
    assert [("Cancel", ("dismissed",), True)] == [(message.kind, message.reasons, message.quiet) for message in messages]
    second, messages = told(KWASSA, said(dismissed, "validated", NOW + 90), thread=dismissed)
    assert [("Alert", ("validated",))] == [(message.kind, message.reasons) for message in messages]
    assert dismissed.id != second.id


def test_the_last_word_counts_and_not_the_last_to_arrive() -> None:
    """
    What was said before another word, and comes after it, changes nothing; nor does what is said of another thread.
    """
    thread = opened()
    closed = told(CROSSING, said(thread, "closed", NOW + 120), thread=thread)[0]

    assert "closed" == told(CROSSING, said(thread, "dismissed", NOW + 60), thread=closed)[0].state
    assert "open" == told(CROSSING, Said(NOW + 60, "another", "closed"), thread=thread)[0].state


# --- When nobody answers --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("after", "level", "called"),
    [(5 * MINUTE - 1, 0, 0), (5 * MINUTE, 1, 1), (15 * MINUTE - 1, 1, 1), (15 * MINUTE, 2, 2), (9 * HOUR, 2, 2)],
)
def test_it_is_escalated_to_the_second(after: float, level: int, called: int) -> None:
    """
    However late the tick comes: whoever should have been called is called, in one message.
    """
    thread = told(DISTRESS, crossing(lives_at_risk=True))[0]
    thread, messages = told(DISTRESS, Tick(NOW + after), Tick(NOW + after), thread=thread)

    assert level == thread.level
    assert called == sum(len(message.to) for message in messages)
    assert len(messages) == (called > 0)
    assert all(message.reasons == ("unanswered",) and message.references for message in messages)


@pytest.mark.parametrize("word", ["acknowledged", "validated", "dismissed", "closed", "silenced"])
def test_whoever_answers_is_not_passed_over(word: Word) -> None:
    """
    Also where the answer comes in the second at which it would have been escalated; after a silence it counts anew.
    """
    thread = told(DISTRESS, crossing(lives_at_risk=True))[0]
    thread, messages = told(DISTRESS, said(thread, word, NOW + 5 * MINUTE), thread=thread)
    assert all(message.to == () for message in messages)

    thread, messages = told(DISTRESS, Tick(NOW + 25 * MINUTE - 1), thread=thread)
    assert [] == messages
    _, messages = told(DISTRESS, Tick(NOW + 25 * MINUTE), thread=thread)
    assert (word == "silenced") == bool(messages)


def test_operations_see_whose_time_is_up() -> None:
    """
    Sorted by what is left; a silence stops no clock, an answer does, and nothing of a record is shown.
    """
    boat = told(DISTRESS, crossing(lives_at_risk=True))[0]
    kwassa = told(KWASSA, crossing(crafts=("kwassa",), roots=1))[0]
    silent = told(DISTRESS, said(boat, "silenced", NOW + 60), thread=boat)[0]
    waiting = due(rules(), [kwassa, silent], NOW + 15 * MINUTE)

    assert [("people-in-distress", 0.0, False), ("single-kwassa", 24 * HOUR - 15 * MINUTE, False)] == [
        (one.rule, one.left_s, one.overdue) for one in waiting
    ]
    assert due(rules(), [silent], NOW + 15 * MINUTE + 1)[0].overdue
    assert waiting[0].silenced
    answered = told(DISTRESS, said(boat, "acknowledged", NOW + 60), thread=boat)[0]
    assert () == due(rules(), [answered], NOW + HOUR)
    expired = told(DISTRESS, Tick(NOW + 30 * HOUR), thread=boat)[0]
    assert [True] == [one.expired for one in due(rules(), [expired], NOW + 30 * HOUR)]


@pytest.mark.parametrize(("body", "minutes"), [("protection", 0), ("centre", 120), ("member", 120)])
def test_protection_is_told_first(body: str, minutes: int) -> None:
    """
    Others are told when it has stood that long, to the second, unless it was taken back before; then their clock begins.
    """
    signs = crossing(body=body, trafficking=("PossibleVictimOfTrafficking",))
    thread, messages = told(SIGNS, signs)
    assert (minutes == 0) == bool(messages)
    if minutes:
        assert [] == told(SIGNS, Tick(NOW + minutes * MINUTE - 1), thread=thread)[1]
        assert [] == told(SIGNS, Retracted(NOW + 60, ("a", "b")), Tick(NOW + 9 * HOUR), thread=thread)[1]
        told_, messages = told(SIGNS, Tick(NOW + minutes * MINUTE), thread=thread)
        assert ["Alert"] == [message.kind for message in messages]
        assert NOW + minutes * MINUTE + 240 * MINUTE == told_.due


def test_what_an_earlier_thread_goes_on_with_ends() -> None:
    """
    Once, with a reason of its own.
    """
    _, messages = told(CROSSING, Joined(NOW + 60), Joined(NOW + 90), thread=opened())

    assert [("Cancel", ("joined",))] == [(message.kind, message.reasons) for message in messages]


def test_a_message_names_no_more_than_it_must() -> None:
    """
    A thread that goes on for long names its first message and the last ones.
    """
    thread = msgspec.structs.replace(opened(), serial=100)

    assert REFERENCES == len(references(thread))
    assert (message_id(thread.id, 1), message_id(thread.id, 100)) == (references(thread)[0], references(thread)[-1])
    assert message_id(thread.id, 70) == references(thread)[1]
