"""
What the runner needs of a message broker: take a message, say later whether it is safe.

Two transports ship: ``kafka_transport.py`` for the bus, ``memory.py`` for a laptop and for tests. One suite of behaviours holds
both to the same promises.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from boutre.errors import BusError


@dataclass(frozen=True, slots=True)
class Message:
    """
    One message on its way to *topic*; its *key* decides the partition, by murmur2.
    """

    topic: str
    key: bytes
    value: bytes
    headers: tuple[tuple[str, bytes], ...] = ()


class NotDelivered(BusError):  # noqa: N818 - named for what happened
    """
    The broker did not take a message; *reason* is the broker's own name for why (``MSG_SIZE_TOO_LARGE``).
    """

    def __init__(self, topic: str, reason: str) -> None:
        self.topic = topic
        self.reason = reason
        super().__init__(f"{topic}: {reason}")


Acknowledged: TypeAlias = Callable[[NotDelivered | None], None]
"""Called once for each message: with None when it is safe, else with why it is not."""


class Transport(Protocol):
    """
    Where messages go.
    """

    def send(self, message: Message, acknowledged: Acknowledged) -> None:
        """
        Take *message*, waiting while there is no room.

        *acknowledged* is called once, from within `send`, `poll` or `flush` and never from another thread. Nothing is raised for
        a message that cannot be taken: it is acknowledged with the reason.
        """

    def poll(self, seconds: float) -> None:
        """Give acknowledgements their turn, and wait up to *seconds* for one."""

    def flush(self, seconds: float) -> int:
        """Wait up to *seconds* until all is acknowledged; gives how many messages are not."""
