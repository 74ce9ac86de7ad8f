"""
``boutre answers say`` and ``read`` as people type them: each word with what goes with it, and what is said to whoever got it wrong.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st

from boutre.ops import answers_command
from boutre.ops.answers_words import ends
from boutre.ops.assembly import assemble
from boutre.ops.command import main
from boutre.processors.links.said import NotUnderstood, OfTwo, Word, said
from boutre.schemas import answers
from records import CODEC, ROOT

NOW = datetime(2026, 9, 21, 12, tzinfo=UTC)
Sent = list[tuple[str, str, dict[str, Any]]]
ASSEMBLED = cache(assemble)
"""The real bus, put together once for all that is typed here."""


@pytest.fixture(autouse=True)
def _assembled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answers_command, "assemble", ASSEMBLED)


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> Sent:
    """What the command would put on Kafka, decoded: topic, key and value."""
    taken: Sent = []

    def take(_: Any, topic: str, key: str, frame: bytes) -> None:
        taken.append((topic, key, CODEC.decode(frame).value))

    monkeypatch.setattr(answers_command, "send", take)
    return taken


def say(word: str, *more: str, view: str = "v1") -> Result:
    """Type ``boutre answers say``."""
    return CliRunner().invoke(main, ["--bus", str(ROOT), "answers", "say", view, "--recipient", "rcoc", "--said", word, *more])


@pytest.mark.parametrize("word", sorted(answers.JUDGEMENTS))
def test_two_views_are_judged(sent: Sent, word: str) -> None:
    """It goes to the recipient's own topic, names both views, and is understood by whoever links."""
    done = say(word, "--other", "v2", "--by", "analyst")
    ((topic, key, value),) = sent
    found = said(value)

    assert 0 == done.exit_code
    assert ("from.rcoc.answer", "v1") == (topic, key)
    assert isinstance(found, OfTwo)
    assert ("v1", "v2", word, "analyst", False) == (found.view, found.other, found.verdict, found.by, found.exercise)
    assert {"answer": value["id"], "view": "v1", "said": word, "other": "v2"} == json.loads(done.stdout)


@pytest.mark.parametrize("word", [*sorted(answers.ON_ALERTS), "acknowledged"])
def test_a_word_on_an_alert(sent: Sent, word: str) -> None:
    """One view, one word; of an exercise where that is said."""
    done = say(word, "--exercise")
    found = said(sent[0][2])

    assert 0 == done.exit_code
    assert isinstance(found, Word)
    assert ("v1", word, None, True) == (found.view, found.word, found.until, found.exercise)


@pytest.mark.parametrize(
    ("until", "seconds"), [("1h", 3600), ("90m", 5400), ("1h30m", 5400), ("2d", 172_800), ("30min", 1800), (" 1d1h1m ", 90_060)]
)
def test_a_silence_lasts(sent: Sent, until: str, seconds: int) -> None:
    """From now on, as long as was typed."""
    say("silenced", "--until", until)
    ((_, _, value),) = sent
    found = said(value)

    assert isinstance(found, Word)
    assert timedelta(seconds=seconds) == value["until"] - value["at"]


def test_a_silence_ends_at_an_instant(sent: Sent) -> None:
    """In any zone; it is stored in UTC."""
    done = say("silenced", "--until", "2126-09-21T18:00+03:00")

    assert datetime(2126, 9, 21, 15, tzinfo=UTC) == sent[0][2]["until"]
    assert "2126-09-21T15:00:00.000Z" == json.loads(done.stdout)["until"]


@pytest.mark.parametrize(
    ("word", "more", "told"),
    [
        ("same", (), ["--other: same is said of two views; name the second one with --other VIEW"]),
        ("not-same", ("--other", " "), ["--other: not-same is said of two views"]),
        ("unsure", ("--other", "v1"), ["--other: is VIEW itself; name the other"]),
        (
            "closed",
            ("--other", "v2"),
            ["--other: goes with --said not-same, same, unsure; closed is said of one view"],
        ),
        ("useful", ("--other", "v2"), ["--other: goes with"]),
        ("closed", ("--until", "1h"), ["--until: goes with --said silenced alone; leave it out of closed"]),
        ("silenced", ("--until", "2020-01-01T00:00Z"), ["--until: is over already; name a moment to come, or leave it out"]),
        ("silenced", ("--until", "0m"), ["--until: is over already"]),
        ("silenced", ("--until", "2126-01-01T00:00"), ["--until: says no zone", "end it with Z"]),
        ("silenced", ("--until", "soon"), ["--until: is a duration such as 30m, 1h or 2d, or an instant"]),
        ("silenced", ("--until", ""), ["--until: is a duration"]),
        ("silenced", ("--until", "99999999d"), ["--until: lies further off"]),
        ("silenced", ("--field", "suspects"), ["--field: goes with --said release-requested; leave it out of silenced"]),
        ("same", ("--until", "1h", "--field", "craft"), ["--until: goes", "--other: same", "--field: goes", "3 faults"]),
        ("granted", (), ["Invalid value for '--said'"]),
    ],
)
def test_what_does_not_go_together_is_refused_with_the_next_step(
    sent: Sent, word: str, more: tuple[str, ...], told: list[str]
) -> None:
    """
    All of it at once, the option and the next step named, and nothing sent.
    """
    done = say(word, *more)

    assert 2 == done.exit_code
    assert [] == [each for each in told if each not in done.stderr]
    assert [] == sent


@given(st.one_of(st.text(max_size=12), st.from_regex(r"[0-9]{0,20}[dhm]?[0-9]{0,3}[hm]?", fullmatch=True), st.datetimes().map(str)))
def test_an_end_lies_ahead_or_is_told_why_not(text: str) -> None:
    """Whatever is typed: an instant with a zone that is to come, to the millisecond, or a sentence."""
    found = ends(text, NOW)

    if isinstance(found, datetime):
        assert NOW < found
        assert 0 == found.microsecond % 1000
        value = answers.answer("rcoc", "silenced", NOW, view="v1", until=found)
        assert not isinstance(said(CODEC.decode(CODEC.encode(answers.KIND, value)).value), NotUnderstood)
    else:
        assert found


@pytest.mark.parametrize("offset", [-1, 0, 999, 1000])
def test_the_end_of_a_silence_is_later_than_its_beginning(offset: int) -> None:
    """To the millisecond, as it is stored: what would be stored as over is over."""
    found = ends((NOW + timedelta(microseconds=offset)).isoformat(), NOW)

    assert (offset >= 1000) == isinstance(found, datetime)


def test_each_word_has_its_example() -> None:
    """The help shows every word that needs something beside it, and each that is said of an alert."""
    shown = CliRunner().invoke(main, ["answers", "say", "--help"]).stdout

    for word in (*answers.JUDGEMENTS, *answers.ON_ALERTS, "acknowledged"):
        assert f"--said {word}" in shown
    assert "--other VIEW2" in shown
    assert "--until 1h" in shown


# --- Reading ---------------------------------------------------------------------------------------------------------------


@pytest.fixture
def there(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A topic on which one of each is; gives the names of the topics that are read."""
    asked: list[str] = []
    until = NOW + timedelta(hours=1)
    said_ = [
        answers.answer("rcoc", "same", NOW, view="v1", other="v2", by="analyst"),
        answers.answer("rcoc", "silenced", NOW, view="v3", until=until, exercise=True),
        answers.answer("rcoc", "silenced", NOW, view="v3"),
        answers.answer("rcoc", "useful", NOW, view="v4"),
    ]

    def values(_: Any, codec: Any, topic: str, kind: str, group: str) -> Iterator[dict[str, Any]]:
        asked.append(f"{topic} {group}")
        return (codec.decode(codec.encode(kind, one), frozenset({kind})).value for one in said_)

    monkeypatch.setattr(answers_command, "values", values)
    return asked


def read(*more: str) -> Result:
    """Type ``boutre answers read``."""
    return CliRunner().invoke(main, ["--bus", str(ROOT), "answers", "read", *more])


def test_what_one_said_oneself_is_listed(there: list[str]) -> None:
    """Both views of a judgement, the end of a silence or that it has none, who said it, and what is an exercise."""
    done = read("--recipient", "rcoc", "--own")
    rows = [row.split("  ", 1)[1] for row in done.stdout.splitlines()]

    assert ["from.rcoc.answer rcoc.answers"] == there
    assert [
        "of v1 and v2: The two views are of one and the same, by analyst",
        "EXERCISE of v3: Be silent about it until the time given; until 2026-09-21 13:00 UTC",
        "of v3: Be silent about it until the time given; no end given",
        "of v4: It was of use",
    ] == rows


def test_what_one_said_oneself_is_read_by_programs(there: list[str]) -> None:
    """A line of JSON each, whole."""
    rows = [json.loads(row) for row in read("--recipient", "rcoc", "--own", "--output", "json").stdout.splitlines()]

    assert there
    assert [("same", "v2", None), ("silenced", None, "2026-09-21T13:00:00.000Z")] == [
        (row["said"], row["other"], row["until"]) for row in rows[:2]
    ]


def test_only_a_recipient_has_words_of_its_own() -> None:
    """What a member said of requests is with those who asked."""
    done = read("--member", "comoros", "--own")

    assert 2 == done.exit_code
    assert "--own: goes with --recipient" in done.stderr
