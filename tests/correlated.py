"""
One event of the corridor on the bus in memory, and what its recipients say and are told of it.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Final

from boutre.processors.decision import TICK, Outbound
from boutre.processors.local import LocalBus
from boutre.schemas.answers import answer
from records import AT, CODEC, NOW, known_as, kwassa, local_bus, national, recall

MINUTE_MS: Final = 60_000
Value = dict[str, Any]

SOURCES: Final = {"comoros": "gendarmerie de Domoni", "france": "vedette Mtsahara"}


def boat(reference: str, member: str, **groups: Any) -> Value:
    """One kwassa on its way to Mayotte, as one State reports it: it says on which source it rests."""
    told = {
        "times": {"observed": {"at": NOW - timedelta(minutes=40), "precision": "minute"}},
        "provenance": {"sources": [{"name": SOURCES.get(member, member)}]},
        **groups,
    }
    return kwassa(reference, member, **told)


def two() -> tuple[Value, Value]:
    """The same boat, told by two States."""
    return boat("KM-1", "comoros"), boat("YT-1", "france")


def told(*reports: Outbound) -> LocalBus:
    """A bus after *reports*."""
    bus = local_bus()
    bus.publish(reports)
    return bus


def sent(bus: LocalBus, recipient: str, kind: str) -> list[Value]:
    """All that a recipient was told of a kind, in order."""
    return [CODEC.decode(out.value).value for out in bus.read(f"for.{recipient}.{kind}")]


def links(bus: LocalBus, recipient: str) -> list[Value]:
    """The links that a recipient was told, as they stand last."""
    return list({one["view"]["of"]: one["link"] for one in sent(bus, recipient, "link")}.values())


def alerts(bus: LocalBus, recipient: str) -> list[Value]:
    """The messages of alerts that the bus made for a recipient."""
    return [one for one in sent(bus, recipient, "alert") if one["origin"] is None]


def view_of(bus: LocalBus, recipient: str, value: Value, kind: str = "interception") -> str:
    """The id of the last view of a record that a recipient was given."""
    return next(str(one["id"]) for one in reversed(sent(bus, recipient, kind)) if one["view"]["of"] == known_as(recipient, value))


def say(recipient: str, word: str, view: str, *, at: int = AT, **rest: Any) -> Outbound:
    """What a person at a recipient says of a view."""
    value = answer(recipient, word, datetime.fromtimestamp(at / 1000, UTC), view=view, by="duty-officer", **rest)
    return Outbound(f"from.{recipient}.answer", view.encode(), CODEC.encode("answer", value), at)


def tick(at: int) -> Outbound:
    """Time has passed, to *at* (ms)."""
    return Outbound(TICK, b"", b"", at)


def taken_back(value: Value) -> Outbound:
    """The recall of a report by its member."""
    return national("retraction", recall(value, "interception"), at=AT + MINUTE_MS)


def reported(value: Value, at: int = AT) -> Outbound:
    """A report as its member publishes it."""
    return national("interception", value, at=at)
