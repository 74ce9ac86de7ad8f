"""
What a person said of links and alerts, out of an answer: taken as it was meant, or refused by name and never let through.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from boutre.processors.links.link import Judgement
from boutre.processors.links.said import ALERT_WORDS, VERDICTS, NotUnderstood, OfTwo, Said, Word, said
from boutre.schemas import answers
from records import CODEC

NOW = datetime(2026, 9, 21, 12, tzinfo=UTC)
AT = NOW.timestamp()
LATER = NOW + timedelta(hours=1)
Value = dict[str, Any]


def answer(word: str, **more: Any) -> Value:
    """An answer as it comes off Kafka."""
    made = answers.answer("rcoc", word, more.pop("at", NOW), view="v1", **more)
    return CODEC.decode(CODEC.encode(answers.KIND, made)).value


def judged(**changes: Any) -> Value:
    """A judgement that is well made, but for *changes*."""
    return {**answer("same", other="v2"), **changes}


@pytest.mark.parametrize("word", sorted(answers.JUDGEMENTS))
def test_a_judgement_is_of_two_views(word: str) -> None:
    """
    Whose it is, of which two, what, by whom and when; and it becomes a judgement of the records that the step knows.
    """
    found = said(answer(word, other="v2", by="analyst", exercise=True))

    assert isinstance(found, OfTwo)
    assert ("rcoc", True, "v1", "v2", word, "analyst", AT) == (
        found.recipient,
        found.exercise,
        found.view,
        found.other,
        found.verdict,
        found.by,
        found.at,
    )
    assert Judgement("r2", "r1", found.verdict, "analyst", AT, found.id) == found.judgement("r2", "r1")


@pytest.mark.parametrize("word", [*sorted(answers.ON_ALERTS), "acknowledged"])
def test_a_word_on_an_alert_is_of_one_view(word: str) -> None:
    """
    Without an end a silence is for the rest of the occurrence; without a function its recipient said it.
    """
    assert Word(answer(word)["id"], "rcoc", exercise=False, view="v1", word=word, by="rcoc", at=AT) == said(answer(word))  # type: ignore[arg-type] # drawn from the words that it takes


def test_a_silence_may_end() -> None:
    """The one word that may say until when."""
    found = said(answer("silenced", until=LATER))

    assert isinstance(found, Word)
    assert LATER.timestamp() == found.until


@pytest.mark.parametrize(
    ("value", "why"),
    [
        (judged(other=None), "no-other"),
        (judged(other=" "), "no-other"),
        (judged(other="v1"), "same-view"),
        (judged(other=7), "no-other"),
        (judged(until=LATER), "until-not-asked"),
        (judged(said="granted"), "unknown-word"),
        (judged(said="not-understood"), "unknown-word"),
        (judged(said="SAME"), "unknown-word"),
        (judged(said=None), "unknown-word"),
        (judged(view=None), "no-view"),
        (judged(id=""), "no-id"),
        (judged(recipient=None), "no-recipient"),
        (judged(exercise=None), "no-exercise"),
        (judged(at=None), "no-time"),
        (judged(at=NOW.replace(tzinfo=None)), "no-time"),
        (answer("closed", other="v2"), "other-not-asked"),
        (answer("acknowledged", other="v2"), "other-not-asked"),
        (answer("closed", until=LATER), "until-not-asked"),
        (answer("silenced", until=NOW), "until-over"),
        (answer("silenced", until=NOW - timedelta(milliseconds=1)), "until-over"),
        ({}, "unknown-word"),
    ],
)
def test_what_is_malformed_is_refused_by_name(value: Value, why: str) -> None:
    """
    Each with its own reason, and none let through as if it had been meant otherwise.
    """
    found = said(value)

    assert isinstance(found, NotUnderstood)
    assert why == found.why


def test_a_silence_of_a_millisecond_is_one() -> None:
    """The least that can be told apart from one that is over."""
    assert isinstance(said(answer("silenced", until=NOW + timedelta(milliseconds=1))), Word)


@pytest.mark.parametrize("word", sorted(answers.BY_RECIPIENT - {"acknowledged"}))
def test_what_is_for_the_owner_says_nothing_of_links(word: str) -> None:
    """It is neither taken nor refused here: it goes another way."""
    assert said(answer(word)) is None


def test_every_word_of_the_two_lists_is_taken() -> None:
    """What the schemas' room says stays with the bus, and what this one takes, is the same, with *acknowledged*."""
    assert answers.JUDGEMENTS == VERDICTS
    assert answers.ON_ALERTS | {"acknowledged"} == ALERT_WORDS


ANY = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.text(max_size=3),
    st.datetimes(),
    st.datetimes(timezones=st.sampled_from([UTC, timezone(timedelta(hours=14)), timezone(-timedelta(hours=14))])),
    st.lists(st.text(max_size=2), max_size=2),
    st.sampled_from(["same", "silenced", "useful", "v1", "v2"]),
)


@given(st.fixed_dictionaries({}, optional=dict.fromkeys(answers.answer("r", "same", NOW), ANY)), st.booleans())
def test_nothing_is_raised_and_what_is_let_through_is_whole(changes: Value, kept: bool) -> None:  # noqa: FBT001 - drawn
    """
    Whatever stands in an answer, alone or beside what is well made: what comes out names two different views, or one and a word.
    """
    found: Said | NotUnderstood | None = said({**(judged() if kept else {}), **changes})
    if isinstance(found, OfTwo):
        assert found.view != found.other
        assert all((found.id, found.recipient, found.view, found.other, found.by))
        assert found.verdict in answers.JUDGEMENTS
    elif isinstance(found, Word):
        assert found.word in ALERT_WORDS
        assert found.until is None or (found.word == "silenced" and found.until > found.at)
