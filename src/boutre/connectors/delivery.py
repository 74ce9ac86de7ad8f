"""
What a recipient gets: one view, and where on its topics it stood.

Bytes that are no view of this recipient's are a ``BadDelivery``, which says why. A topic of a recipient holds views for that
recipient and nothing else, so a whole record, or a view that was cut for somebody else, is bad however well it decodes: passing it
on would give away what was not meant to be here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Protocol

from boutre.connectors.opening import Opening
from boutre.errors import Refuse
from boutre.schemas.codec import Decoded
from boutre.schemas.view_signature import SentView

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

LINK: Final = "link"
"""
The kind of what the bus says of two records that a recipient has; nobody reports it.
"""

KINDS: Final = ("alert", "interception", "sighting", "retraction", LINK)
"""
The kinds that a recipient can be given views of, the urgent ones first.
"""


def topic(recipient: str, kind: str) -> str:
    """
    Name the topic on which *recipient* gets its views of *kind*.
    """
    return f"for.{recipient}.{kind}"


class Decoder(Protocol):
    """
    What reads a frame: a ``boutre.schemas.codec.Codec``.
    """

    def decode(self, data: bytes | None, kinds: frozenset[str] | None = None) -> Decoded:
        """Read a frame; raises Refuse."""


@dataclass(frozen=True, slots=True)
class Polled:
    """
    A message as it stood on its topic; *timestamp* is Kafka's, in UTC.
    """

    topic: str
    partition: int
    offset: int
    timestamp: datetime
    key: bytes | None = field(repr=False)
    data: bytes | None = field(repr=False)
    headers: Mapping[str, bytes] = field(default_factory=dict, repr=False)

    @property
    def sent(self) -> SentView:
        """What its sender signed."""
        moment = (self.timestamp - EPOCH) // timedelta(milliseconds=1)
        return SentView(self.topic, self.key or b"", moment, self.headers, self.data or b"")

    @property
    def place(self) -> str:
        """Where it stood, in words that hold nothing of what it says."""
        return f"{self.topic}, partition {self.partition}, offset {self.offset}"


@dataclass(frozen=True, slots=True)
class Delivery:
    """
    One view: a record as it was cut for *recipient*.

    *id* is the view's own: the same view delivered twice has the same one. *of* is the name by which this recipient knows the
    record behind it, the same in every view of it. *value* is the decoded view; a group in it is None (unknown), plain data,
    ``Withheld`` or ``Sealed``. *timestamp* is when the bus released it, in UTC.
    """

    recipient: str
    kind: str
    id: str
    of: str
    value: dict[str, Any] = field(repr=False)
    topic: str
    partition: int
    offset: int
    timestamp: datetime

    @property
    def place(self) -> str:
        """Where it stood, in words that hold nothing of what it says."""
        return f"{self.topic}, partition {self.partition}, offset {self.offset}"


@dataclass(frozen=True, slots=True)
class BadDelivery:
    """
    A message on a recipient's topic that is no view of this recipient's, with the reason's code and what came.
    """

    recipient: str
    kind: str
    code: str
    content: bytes | None = field(repr=False)
    topic: str
    partition: int
    offset: int
    timestamp: datetime

    @property
    def place(self) -> str:
        """Where it stood, in words that hold nothing of what it says."""
        return f"{self.topic}, partition {self.partition}, offset {self.offset}"


def open_up(polled: Polled, recipient: str, kind: str, codec: Decoder, opening: Opening) -> Delivery | BadDelivery:
    """
    Read a message as a view of *kind* for *recipient*, proved and unsealed with the keys of *opening*.

    Codes are those of the codec and of ``Opening.frame``, and ``not-a-view``: a record that was not cut, or was cut for somebody
    else. Raises ``Unopened`` where another key than those at hand could open it, and for nothing else that the message holds.
    """
    stood = (polled.topic, polled.partition, polled.offset, polled.timestamp)
    try:
        value = codec.decode(opening.frame(polled.sent, recipient, polled.place), frozenset({kind})).value
    except Refuse as refusal:
        return BadDelivery(recipient, kind, refusal.code, polled.data, *stood)
    view = value.get("view")
    if not isinstance(view, dict) or view.get("recipient") != recipient:
        return BadDelivery(recipient, kind, "not-a-view", polled.data, *stood)
    return Delivery(recipient, kind, value["id"], view["of"], value, *stood)
