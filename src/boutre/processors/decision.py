"""
What a step sees, and what it answers.

A step is a function of one record and of what is remembered for it; it reads no clock, sends nothing and never raises. These
values are made a dozen times for each record, and msgspec makes them in a tenth of the time that a frozen dataclass takes.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Protocol, TypeAlias

from msgspec import Struct, field

State: TypeAlias = Mapping[str, Any]
"""What is remembered, by key, as plain JSON; a step reads it and answers with changes."""

Changes: TypeAlias = Mapping[str, Any]
"""What is to be remembered from now on; None forgets the key."""


EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


TICK: Final = "bus.tick"
"""The topic by which a partition learns that time has passed; its records hold nothing but their timestamps."""


class Inbound(Struct, frozen=True):
    """
    One record of Kafka: *timestamp* is the acceptance on the bus, in milliseconds since 1970 UTC.

    *refused* says why whoever carried it here refuses it already, a code of the vocabulary ``reject-reason``: its bytes could not
    be read, and it has no value then, or it lies in another partition than that of its key.
    """

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: Mapping[str, bytes]
    timestamp: int
    refused: str | None = None

    @property
    def accepted(self) -> datetime | None:
        """When the bus accepted it (UTC), or None where its timestamp lies outside of any calendar."""
        try:
            return EPOCH + timedelta(milliseconds=self.timestamp)
        except OverflowError:
            return None


class Seal(Struct, frozen=True):
    """
    How a view is to be sealed: by the id of its recipient's public key, bound to the fingerprint of the *policy* that gave it.
    """

    key: str
    policy: str


class Outbound(Struct, frozen=True):
    """
    One record to be written; its partition is murmur2 of its key, as every client of Kafka would choose.

    What has a *seal* is not written before it was sealed: ``finish`` does it for a whole transaction. What goes *everywhere* is
    written to every partition, without a key: whoever reads it cannot be told by one.
    """

    topic: str
    key: bytes
    value: bytes
    timestamp: int
    headers: tuple[tuple[str, bytes], ...] = ()
    seal: Seal | None = None
    everywhere: bool = False


class Released(Struct, frozen=True):
    """
    What became of a record for one recipient, for the metrics: labels of declared sets only.
    """

    recipient: str
    kind: str
    outcome: str


class Seen(Struct, frozen=True):
    """
    How late a report was when it was sent, for the clocks of operations: *late_s* seconds after its event, None if it does not say.

    *deadline* is its class, a name of ``processors/pipeline.toml``; *met* says whether it kept it, None where nobody can say.
    """

    late_s: float | None
    deadline: str
    met: bool | None


class Emit(Struct, frozen=True):
    """
    Send these, and remember this.
    """

    records: tuple[Outbound, ...]
    changes: Changes = field(default_factory=dict)
    releases: tuple[Released, ...] = ()
    seen: Seen | None = None


class Drop(Struct, frozen=True):
    """
    Understood, and not wanted: *reason* is one of the step's declared ones.
    """

    reason: str
    changes: Changes = field(default_factory=dict)


class Reject(Struct, frozen=True):
    """
    Cannot be handled, and goes to its owner: *code* is one of the vocabulary ``reject-reason``.

    *detail* and *field* say what was expected and where; they never hold a value of the record.
    """

    code: str
    field: str | None = None
    detail: str = ""
    input_id: str | None = None


Decision: TypeAlias = Emit | Drop | Reject


class Step(Protocol):
    """
    One step of the bus.
    """

    def __call__(self, record: Inbound, state: State, /) -> Decision:
        """Decide on *record*, given what is remembered."""
        ...
