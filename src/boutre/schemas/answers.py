"""
Answers: what a recipient says of a view that it got, and what the owner of its record replies.

A recipient knows a record by names of its own, so its answer names the view. Only the bus knows which record that is: it tells the
record's owner under the owner's own name, and never the view's; and it brings the owner's reply back under the view's.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from boutre.schemas.identity import named

KIND: Final = "answer"

REQUEST: Final = "release-requested"
RECALL: Final = frozenset({"erased", "held", "unreachable"})
"""What a recipient says to a recall; whichever it is, it has answered."""

JUDGEMENTS: Final = frozenset({"same", "not-same", "unsure"})
"""What a person says of two views; for the bus alone, since their owners would learn by it what else a recipient has."""

ON_ALERTS: Final = frozenset({"validated", "dismissed", "silenced", "closed"})
"""What a person says of an alert that the bus proposed, beside *acknowledged*; for the bus alone."""

FOR_ITSELF: Final = JUDGEMENTS | ON_ALERTS
"""What a recipient says of its own links and alerts: it stays on its own topic."""

BY_RECIPIENT: Final = frozenset({"acknowledged", "useful", "doubtful", REQUEST}) | RECALL
BY_OWNER: Final = frozenset({"granted", "refused"})
NOT_UNDERSTOOD: Final = "not-understood"
"""Said by the bus to a recipient whose answer is to no view that it got."""


def answer(
    recipient: str,
    said: str,
    at: datetime,
    *,
    view: str | None = None,
    fields: Sequence[str] = (),
    text: Sequence[Mapping[str, Any]] = (),
    by: str | None = None,
    answers: str | None = None,
    other: str | None = None,
    until: datetime | None = None,
    exercise: bool = False,
) -> dict[str, Any]:
    """
    Build an answer as its writer sends it; *at* is the writer's own clock. The same answer sent twice has the same id.

    *other* is the other view of a judgement, *until* the end of a silence.
    """
    parts: tuple[str | None, ...] = (recipient, view, said, answers, at.isoformat())
    if other is not None or until is not None:
        parts = (*parts, other, None if until is None else until.isoformat())
    identity = named(hashlib.sha256(b"boutre answer\0" + repr(parts).encode()).digest())
    return {
        "id": identity,
        "exercise": exercise,
        "recipient": recipient,
        "view": view,
        "record": None,
        "member": None,
        "kind": None,
        "said": said,
        "answers": answers,
        "fields": list(fields),
        "text": [dict(one) for one in text],
        "by": by,
        "at": at,
        "due_at": None,
        "other": other,
        "until": until,
    }


def for_owner(value: Mapping[str, Any], *, record: str, member: str, kind: str, due: datetime | None) -> dict[str, Any]:
    """
    Give an answer as the owner of its record reads it: by the owner's name for the record, and without the view's.
    """
    return {**value, "view": None, "other": None, "record": record, "member": member, "kind": kind, "due_at": due}


def for_recipient(reply: Mapping[str, Any], request: Mapping[str, Any]) -> dict[str, Any]:
    """
    Give an owner's reply as the recipient reads it: by the view that it asked about, and without the record's name.
    """
    named_by_bus = {"record": None, "member": None, "kind": None, "other": None}
    return {**reply, "recipient": request["recipient"], "view": request["view"], **named_by_bus}


def not_understood(value: Mapping[str, Any], at: datetime) -> dict[str, Any]:
    """
    Give what a recipient is told whose answer is to nothing that it got.
    """
    made = answer(str(value["recipient"]), NOT_UNDERSTOOD, at, view=value["view"], answers=str(value["id"]))
    return {**made, "exercise": value["exercise"]}
