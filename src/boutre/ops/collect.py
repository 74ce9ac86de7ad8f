"""
Reads the topics of a bus into its account, and keeps the views of some records for showing.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from confluent_kafka import Consumer, KafkaError, TopicPartition

from boutre.connectors.delivery import Polled
from boutre.connectors.kafka_views import polled
from boutre.connectors.opening import Lost, Opening
from boutre.errors import Refuse, Unavailable
from boutre.ops.account import Account, Place
from boutre.processors.patterns import NATIONAL, VIEWS
from boutre.schemas.codec import Codec
from boutre.schemas.identity import place_id
from boutre.topics.bus import Declarations

PATTERNS = (NATIONAL, VIEWS, "rejects.{member}", "rejects.bus", "bus.receipt")


@dataclass(slots=True)
class Collector:
    """
    Follows all topics that the account is made of, from their beginning.

    *views* holds by recipient, kind and pseudonym each view that the keys of *opening* open.
    """

    declarations: Declarations
    codec: Codec
    account: Account
    client: Mapping[str, Any]
    opening: Opening
    views: dict[tuple[str, str, str], dict[str, Any]] = field(default_factory=dict)
    quiet: float = 0.0
    _consumer: Consumer | None = None

    def __enter__(self) -> Self:
        """Begin to follow."""
        self._consumer = Consumer(
            {
                **self.client,
                "group.id": f"boutre-account-{uuid.uuid4().hex[:12]}",
                "isolation.level": "read_committed",
                "enable.auto.commit": False,
                "auto.offset.reset": "earliest",
                "log_level": 2,
            }
        )
        topics = [topic for topic in self.declarations.topics.values() if topic.pattern in PATTERNS]
        # Assigned and not subscribed: the account needs no group, and must see every partition at once.
        self._consumer.assign([TopicPartition(topic.name, number, 0) for topic in topics for number in range(topic.partitions)])
        return self

    def __exit__(self, *_: object) -> None:
        """Stop following."""
        if self._consumer is not None:
            self._consumer.close()

    def follow(self, until: Callable[[], bool], *, patience: float, moved: Callable[[], None] = lambda: None) -> None:
        """
        Read until *until* holds; ``Unavailable`` where nothing new came for *patience* seconds before that.
        """
        assert self._consumer is not None
        self.quiet = 0.0
        while not until():
            messages = self._consumer.consume(2_000, 0.25)
            self.quiet = 0.0 if messages else self.quiet + 0.25
            if self.quiet >= patience:
                raise Unavailable(
                    f"nothing has moved for {patience:.0f} seconds, with {self.account.in_flight} records in flight; "
                    "look at the logs of the workers"
                )
            for message in messages:
                error = message.error()
                if error is None:
                    self._take(message)
                elif error.code() not in (KafkaError._PARTITION_EOF, KafkaError._TRANSPORT, KafkaError._ALL_BROKERS_DOWN):  # noqa: SLF001 - named so
                    raise Unavailable(f"cannot read {message.topic()}: {error.name()}")
            moved()

    def _named(self, data: bytes | None, place: Place) -> str:
        """Give the id that a record has as accept reads it: headers are not signed, and say what their sender likes."""
        try:
            return str(self.codec.decode(data).value["id"])
        except Refuse:
            return place_id(*place)

    def _take(self, message: Any) -> None:
        topic = self.declarations.topic(message.topic())
        if topic.pattern == VIEWS:
            self._take_view(polled(message), str(topic.recipient), str(topic.kind))
            return
        place = (topic.name, int(message.partition()), int(message.offset()))
        if topic.pattern == NATIONAL:
            self.account.national(place, self._named(message.value(), place))
            return
        try:
            value = self.codec.decode(message.value()).value
        except Refuse as refused:
            if topic.member is not None:
                # A member's connectors write to its rejects too: what they write there is no failure of the bus.
                self.account.unreadable_rejects += 1
                return
            raise Unavailable(f"{place} holds what the bus cannot have written: {refused.code}") from None
        if topic.name == "bus.receipt":
            self.account.receipt(value)
        else:
            self.account.reject(topic.member or "bus", value)

    def _take_view(self, stood: Polled, recipient: str, kind: str) -> None:
        try:
            value = self.codec.decode(self.opening.frame(stood.sent, recipient, stood.place)).value
        except Lost:
            # It is the bus's, and sealed for somebody who is elsewhere: it counts, and is not shown.
            self.account.view(recipient, kind)
            return
        except Refuse as refused:
            raise Unavailable(f"{stood.place} holds what the bus cannot have written: {refused.code}") from None
        self.account.view(recipient, kind)
        self.views[recipient, kind, str(value["view"]["of"])] = value
