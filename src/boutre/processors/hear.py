"""
Hear: what recipients say of their links and alerts, brought to every partition that may know of them.

An answer names views, and only the partition that holds their records knows where those lie. So each is written once for every
partition: people say little. What is no answer of its topic's recipient is refused, and what is for owners goes another way.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from boutre.errors import Refuse
from boutre.processors.decision import Decision, Drop, Emit, Inbound, Outbound, Reject, State
from boutre.processors.links.said import NotUnderstood, Said, said
from boutre.schemas.answers import KIND
from boutre.schemas.codec import Codec
from boutre.schemas.sense import SKEW

SAID: Final = "bus.said"
"""The topic on which answers come to those who link and alert."""

REMEMBERS: Final[frozenset[str]] = frozenset()
"""It remembers nothing."""

CODES: Final = {
    "unknown-word": "unknown-code",
    "same-view": "wrong-type",
    "other-not-asked": "wrong-type",
    "until-not-asked": "wrong-type",
    "until-over": "impossible-time",
}
"""The code of ``reject-reason`` for why an answer is not understood; any other is a field that is missing."""

FOR_OTHERS: Final = "for-others"
"""Why hear drops: what is said concerns the record's owner, and nobody's links."""


@dataclass(frozen=True, slots=True)
class Hear:
    """
    The step from ``from.<recipient>.answer`` to ``bus.said``; *recipients* says whose each topic is.
    """

    codec: Codec
    recipients: Mapping[str, str]

    def __call__(self, record: Inbound, state: State, /) -> Decision:
        """
        Decide on one answer.
        """
        del state
        try:
            value = self.codec.decode(record.value, frozenset({KIND})).value
        except Refuse as refused:
            return Reject(refused.code, refused.field)
        if value["recipient"] != self.recipients.get(record.topic):
            return Reject("foreign-member", "recipient")
        found = said(value)
        if found is None:
            return Drop(FOR_OTHERS)
        if _ahead(found, record):
            # The latest word counts: one that says that it comes from tomorrow would outrank all of today.
            return Reject("future-time", "at")
        if isinstance(found, NotUnderstood):
            return Reject(CODES.get(found.why, "missing-field"), found.field, found.why)
        assert record.value is not None  # it was decoded
        return Emit((Outbound(SAID, b"", record.value, record.timestamp, everywhere=True),))


def _ahead(found: Said | NotUnderstood, record: Inbound) -> bool:
    if isinstance(found, NotUnderstood):
        return False
    return record.accepted is None or found.at > (record.accepted + SKEW).timestamp()


def heard(codec: Codec, frame: bytes | None) -> Said | None:
    """
    Read what was said; None where it says nothing of links or alerts.
    """
    try:
        found = said(codec.decode(frame, frozenset({KIND})).value)
    except Refuse:
        return None
    return None if isinstance(found, NotUnderstood) else found
