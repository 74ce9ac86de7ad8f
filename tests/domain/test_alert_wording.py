"""
What an alert says: where it comes from, how sure, how old, what was withheld, what to do until when; alike in both languages.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from boutre.errors import Fault
from boutre.language import keys
from boutre.processors.alerts.desk import take
from boutre.processors.alerts.inputs import Seen
from boutre.processors.alerts.message import Message, warning
from boutre.processors.alerts.rules import Known, Rules, load
from boutre.processors.alerts.situation import Situation
from boutre.processors.alerts.wording import angle, instant, length, number
from boutre.schemas import lock, vocabulary
from boutre.schemas.codec import Codec
from records import ROOT
from records import warning as alert_record

NOW = 1_772_323_200.0
HOUR = 3_600.0
NAMES = {"comoros": {"en": "Comoros", "fr": "Comores"}, "france": {"en": "France", "fr": "France"}}


@cache
def rules() -> Rules:
    """The rules of this bus with the words of its codes."""
    faults: list[Fault] = []
    found = load(ROOT, Known(vocabulary.load(ROOT / "schemas" / "vocabularies"), names=NAMES), faults)
    assert found is not None
    return found


def first(rule: str, **parts: Any) -> Message:
    """The first message that a rule makes of a situation."""
    whole = {"recipient": "rmifc", "body": "centre", "records": ("a", "b"), "at": NOW, "observed": NOW - 90 * 60}
    _, messages = take(rules(), {}, Seen(NOW, Situation(**{**whole, **parts})))
    return next(message for message in messages if message.rule.startswith(f"{rule}@"))


BOAT = {
    "types": ("distress",),
    "persons_least": 28.0,
    "persons_most": 30.0,
    "latitude": -12.53,
    "longitude": 44.88,
    "accuracy_m": 2_500.0,
    "roots": 2,
    "probability": 0.9,
    "sources": ("comoros", "france"),
    "withheld": ("sensor", "origin.unit"),
    "outcomes": ("ongoing",),
}


def test_an_alert_says_all_that_its_reader_must_know() -> None:
    """
    Numbers, dates and names as each language writes them.
    """
    message = first("people-in-distress", **BOAT)

    assert "People in distress at sea, 28 to 30 people, 12°31.8\N{PRIME}S 044°52.8\N{PRIME}E ± 2.5 km" == message.headline["en"]
    assert (
        "Personnes en détresse en mer, 28 à 30 personnes, 12°31,8\N{PRIME}S 044°52,8\N{PRIME}E ± 2,5 km" == message.headline["fr"]
    )
    english, french = message.description["en"], message.description["fr"]
    for part in (
        "Last seen: 28 February 2026, 22:30 UTC, 90 minutes before",
        "Reported by: Comoros, France.",
        "Independent sources: 2.",
        "How sure: likely (72 %).",
        "That the reports are of one event: very likely (90 %).",
        "Not given to you: Seen by, Reported by.",
        "What became of it: Going on.",
        "people-in-distress@1",
    ):
        assert part in english
    for part in ("28 février 2026", "Comores, France", "probable (72 %)", "En cours", "Non communiqué"):
        assert part in french
    assert "1 March 2026, 00:15 UTC" in message.instruction["en"]
    assert "1er mars 2026, 00:15 UTC" in message.instruction["fr"]


def test_signs_of_trafficking_show_nothing_of_anybody() -> None:
    """
    Neither how many, nor where, nor who reports, nor when more finely than the day, though the recipient has all of it.
    """
    message = first("trafficking-signs", **{**BOAT, "types": ("trafficking",), "body": "protection", "trafficking": ()})
    words = " ".join([*message.headline.values(), *message.description.values(), *message.instruction.values()])

    assert not re.search(r"28 to|30 people|°|22:30|Comor|France|En cours|Going on", words)
    assert message.onset is not None
    assert 0 == message.onset % 86_400
    assert "moins d'un jour" in message.description["fr"]


def test_what_is_not_known_is_said_to_be() -> None:
    """
    Nothing is left out in silence: neither the time, nor the sources, nor that nothing was withheld.
    """
    message = first("people-in-distress", types=("distress",), observed=None)

    for part in (
        "When it was seen is not known",
        "Who reports it is not told",
        "not known.",
        "Nothing that it rests on was withheld",
    ):
        assert part in message.description["en"]


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "persons_least": st.floats(0, 1e4),
            "persons_most": st.floats(0, 1e4),
            "latitude": st.floats(-90, 90),
            "longitude": st.floats(-180, 180),
            "accuracy_m": st.floats(0, 1e6),
            "roots": st.integers(0, 9),
            "probability": st.floats(0, 1),
            "credibility": st.floats(0, 1),
            "observed": st.none() | st.floats(0, 4e9),
            "within_s": st.floats(0, 4e7),
            "sources": st.lists(st.sampled_from(["comoros", "elsewhere"]), max_size=2).map(tuple),
            "outcomes": st.just(("ongoing",)),
            "withheld": st.just(("persons", "craft.length_m")),
        },
    )
)
def test_every_alert_can_be_read_and_sent(parts: dict[str, Any]) -> None:
    """
    No hole, no sign that is not seen, nothing left of a placeholder; and its warning is one that the schema of alerts takes.
    """
    message = first("people-in-distress", types=("distress",), lives_at_risk=True, **parts)
    group = warning(message)
    record = {**alert_record("x"), "warning": group}
    codec = Codec(lock.load(lock.core()))

    for text in (*message.headline.values(), *message.description.values(), *message.instruction.values()):
        assert not re.search(r"[{}\[\]…\ufffd]|  |\.\.|None|nan", text), text
    assert group == codec.decode(codec.encode("alert", record)).value["warning"]
    vocabularies = rules().known.vocabularies
    assert vocabularies is not None
    for scheme in ("severity", "urgency", "certainty"):
        assert vocabularies.has(f"{scheme}@1", group[scheme])
    assert vocabularies.has("alert-message@1", group["message"])
    assert vocabularies.has("alert-category@1", group["category"])


def test_every_reason_has_its_sentence() -> None:
    """
    Each code that the engine can give, and no other.
    """
    sources = (ROOT / "src" / "boutre" / "processors" / "alerts").glob("*.py")
    code = "\n".join(path.read_text(encoding="utf-8") for path in sources)

    for key in keys("alert.reason"):
        assert f'"{key.rpartition(".")[2]}"' in code, key


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (number(1234.5, "en"), "1,234.5"),
        (number(1234.5, "fr"), "1 234,5"),
        (number(72.6, "fr", 0), "73"),
        (angle(-12.99999, 2, "NS", "fr"), "13°00,0\N{PRIME}S"),
        (angle(0.0, 3, "EO", "fr"), "000°00,0\N{PRIME}E"),
        (angle(-45.5, 3, "EO", "fr"), "045°30,0\N{PRIME}O"),
        (angle(float("nan"), 2, "NS", "en"), "?"),
        (instant(NOW, "fr"), "1er mars 2026, 00:00 UTC"),
        (instant(NOW + 10 * 86_400, "fr"), "11 mars 2026, 00:00 UTC"),
        (instant(NOW, "en", 43_200.0), "1 March 2026"),
        (length(9 * 86_400, "fr"), "9 jours"),
        (length(86_399, "en", 43_200.0), "less than a day"),
        (length(3 * HOUR, "en", 1_800.0), "3 hours"),
    ],
)
def test_numbers_and_times_are_written_as_in_the_language(said: str, expected: str) -> None:
    """
    Decimal comma, the first of a month, no finer than it is known.
    """
    assert expected == said
