"""
A message of a thread: an alert in the sense of CAP 1.2, for one recipient.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from msgspec import Struct

ALERT: Final = "Alert"
UPDATE: Final = "Update"
CANCEL: Final = "Cancel"
"""Kinds of messages: codes of ``alert-message``."""


class Sending(Struct, frozen=True):
    """
    What is to be sent of a thread: of which kind, why, when, until when it holds, and to whom beside the usual.
    """

    kind: str
    reasons: tuple[str, ...]
    at: float
    expires: float
    to: tuple[dict[str, str], ...] = ()


class Message(Struct, frozen=True, kw_only=True):
    """
    One message. *reasons* say why it is sent, *to* whom it goes beside its recipient's usual ones when nobody has answered.

    *quiet*: it is for the record and need wake nobody. *proposed*: a person must validate it
    first; *validation* is the code of the vocabulary of that name. *due* is until when somebody must
    have dealt with it. *severity*, *urgency* and *certainty* are numbers from 0 to 1, and *codes* the same three as CAP has them.
    *derived_from* are the records that it rests on. Texts are by language.
    """

    id: str
    thread: str
    rule: str
    recipient: str
    exercise: bool
    serial: int
    kind: str
    reasons: tuple[str, ...]
    references: tuple[str, ...]
    at: float
    quiet: bool
    proposed: bool
    validation: str
    late: bool
    category: str
    event: str
    severity: float
    urgency: float
    certainty: float
    codes: tuple[str, str, str]
    response: tuple[str, ...]
    onset: float | None
    expires: float
    due: float
    lives_at_risk: bool | None
    headline: dict[str, str]
    description: dict[str, str]
    instruction: dict[str, str]
    derived_from: tuple[str, ...]
    to: tuple[dict[str, str], ...] = ()


def warning(message: Message) -> dict[str, Any]:
    """
    Give the group ``warning`` of an alert's record.
    """
    severity, urgency, certainty = message.codes
    return {
        "message": message.kind,
        "category": message.category,
        "severity": severity,
        "urgency": urgency,
        "certainty": certainty,
        "response": list(message.response),
        "onset": None if message.onset is None else _instant(message.onset),
        "expires": _instant(message.expires),
        "headline": _texts(message.headline),
        "description": _texts(message.description),
        "instruction": _texts(message.instruction),
        "references": list(message.references),
        "lives_at_risk": message.lives_at_risk,
    }


def _instant(at: float) -> datetime:
    return datetime.fromtimestamp(round(at * 1000) / 1000, UTC)


def _texts(texts: Mapping[str, str]) -> list[dict[str, Any]]:
    # Both languages are originals: neither was translated from the other, both are made from the same numbers.
    return [{"language": language, "text": text, "translation_of": None} for language, text in texts.items()]
