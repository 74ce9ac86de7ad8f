"""
Links and alerts as records: what a recipient reads of them, in the schemas of its bus.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

from boutre.processors.alerts.message import ALERT, CANCEL, Message, warning
from boutre.processors.correlation.standing import Told
from boutre.processors.links.explain import explain, told

LINK: Final = "link"
ALERTS: Final = "alert"

STATUS: Final = {ALERT: "initial", CANCEL: "cancel"}
"""Where a message stands in the life of its thread; any other is an update."""


def link_value(one: Told, views: Sequence[str], *, exercise: bool, independent: bool | None) -> dict[str, Any]:
    """
    Give the groups of a link's record; *views* are those that its recipient was given last of its two records.
    """
    link = one.link
    return {
        "exercise": exercise,
        "lifecycle": {"status": one.status, "revision": one.revision},
        "link": {
            "type": link.type,
            "records": list(link.records),
            "views": list(views),
            "rule": link.rule,
            "by": link.by,
            "status": link.status,
            "reason": link.reason,
            "judgement": link.judgement,
            "probability": link.probability,
            "explanation": explain(link),
            "evidence": [
                {"comparison": each.comparison, "level": each.level, "bits": each.bits, "sentence": told(each)}
                for each in link.evidence
            ],
            "independent": independent,
        },
    }


def alert_value(message: Message) -> dict[str, Any]:
    """
    Give the groups of an alert's record: the message itself, what it rests on, and how sure it is.
    """
    return {
        "exercise": message.exercise,
        "lifecycle": {"status": STATUS.get(message.kind, "update"), "revision": message.serial - 1},
        "warning": warning(message),
        "event": {"type": message.event, "classes": []},
        "times": {
            "observed": None if message.onset is None else {"at": _instant(message.onset), "precision": "minute"},
            "accepted_at": _instant(message.at),
            "late": message.late,
        },
        "assessment": {"probability": message.certainty, "validation": message.validation},
        "provenance": {"sources": [], "derived_from": list(message.derived_from), "method": message.rule},
    }


def _instant(at: float) -> datetime:
    return datetime.fromtimestamp(round(at * 1000) / 1000, UTC)
