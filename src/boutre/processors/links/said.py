"""
What a person said of links and alerts: an answer as the bus needs it, a judgement of two views or a word on an alert.

Total: whatever an answer holds, a value comes of it and nothing is raised. What is malformed is named, and goes no further.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final, Literal, TypeAlias, cast, get_args

from msgspec import Struct

from boutre.processors.alerts.inputs import Word as AlertWord
from boutre.processors.links.link import Judgement, Verdict
from boutre.processors.matching.found import SAME_CRAFT, SAME_EVENT
from boutre.schemas.answers import BY_RECIPIENT

Why = Literal[
    "no-id",
    "no-recipient",
    "no-exercise",
    "no-view",
    "no-time",
    "unknown-word",
    "no-other",
    "same-view",
    "other-not-asked",
    "until-not-asked",
    "until-over",
]
"""
Why an answer is not understood. *no-* says that a field is missing or not of its type; *not-asked* that a field stands beside a
word that takes none, so that nobody knows what was meant; *until-over* that a silence ends before it was asked for.
"""

VERDICTS: Final = frozenset(get_args(Verdict))
ALERT_WORDS: Final = frozenset(get_args(AlertWord))
SILENCED: Final = "silenced"
"""The one word that may say until when."""


class OfTwo(Struct, frozen=True):
    """
    A judgement to be, of *view* and *other*, as *recipient* has them; which records those are of, the step knows.

    *by* is a function, or the recipient's own name where none was given; *at* is in seconds since 1970 UTC, by the writer's clock.
    *id* is that of the answer.
    """

    id: str
    recipient: str
    exercise: bool
    view: str
    other: str
    verdict: Verdict
    by: str
    at: float

    def judgement(self, one: str, two: str, types: Sequence[str] = (SAME_CRAFT, SAME_EVENT)) -> Judgement:
        """Give the judgement of the records that the views are of; ValueError where both are of one."""
        return Judgement(one, two, self.verdict, self.by, self.at, self.id, tuple(types))


class Word(Struct, frozen=True):
    """
    A word on the alert that *view* is of. *until* is in seconds since 1970 UTC, None for a silence for the rest of the occurrence.

    *acknowledged* is said of any view; whether this one is of an alert, the step knows.
    """

    id: str
    recipient: str
    exercise: bool
    view: str
    word: AlertWord
    by: str
    at: float
    until: float | None = None


class NotUnderstood(Struct, frozen=True):
    """
    Why an answer is neither, and which of its fields says so; no value of it.
    """

    why: Why
    field: str


Said: TypeAlias = OfTwo | Word


def said(value: Mapping[str, Any]) -> Said | NotUnderstood | None:
    """
    Give what an answer, a record of schema ``answer``, says of links or alerts.

    None where it says nothing of either, since its word is for the owner of the view's record alone.
    """
    word = value.get("said")
    if not isinstance(word, str) or word not in VERDICTS | ALERT_WORDS | BY_RECIPIENT:
        return NotUnderstood("unknown-word", "said")
    if word not in VERDICTS | ALERT_WORDS:
        return None
    if (wrong := _wrong(value, word)) is not None:
        return wrong
    by = value.get("by")
    head = (str(value["id"]), str(value["recipient"]), bool(value["exercise"]), str(value["view"]))
    by, at = str(by) if _is_name(by) else head[1], _seconds(value["at"]) or 0.0
    if word in VERDICTS:
        return OfTwo(*head, str(value["other"]), cast("Verdict", word), by, at)
    return Word(*head, cast("AlertWord", word), by, at, _seconds(value.get("until")))


def _wrong(value: Mapping[str, Any], word: str) -> NotUnderstood | None:
    """Give the first thing that keeps an answer from being understood."""
    needed: tuple[tuple[str, Why], ...] = (("id", "no-id"), ("recipient", "no-recipient"), ("view", "no-view"))
    for name, why in needed:
        if not _is_name(value.get(name)):
            return NotUnderstood(why, name)
    # A word of an exercise must never count in the world, so that nothing is taken for granted here.
    if not isinstance(value.get("exercise"), bool):
        return NotUnderstood("no-exercise", "exercise")
    if _seconds(value.get("at")) is None:
        return NotUnderstood("no-time", "at")
    return _other_wrong(value, word) or _until_wrong(value, word)


def _other_wrong(value: Mapping[str, Any], word: str) -> NotUnderstood | None:
    other = value.get("other")
    if word not in VERDICTS:
        return None if other is None else NotUnderstood("other-not-asked", "other")
    if not _is_name(other):
        return NotUnderstood("no-other", "other")
    return NotUnderstood("same-view", "other") if other == value["view"] else None


def _until_wrong(value: Mapping[str, Any], word: str) -> NotUnderstood | None:
    until, at = value.get("until"), _seconds(value["at"])
    if until is None:
        return None
    if word != SILENCED:
        return NotUnderstood("until-not-asked", "until")
    end = _seconds(until)
    if end is None:
        return NotUnderstood("no-time", "until")
    return NotUnderstood("until-over", "until") if at is None or end <= at else None


def _is_name(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _seconds(value: Any) -> float | None:
    """Give an instant in seconds since 1970 UTC; None for what is none, a moment without a zone among them."""
    if not isinstance(value, datetime) or value.tzinfo is None:
        return None
    try:
        return value.timestamp()
    except (OverflowError, ValueError):
        return None
