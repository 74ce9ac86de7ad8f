"""
Receipts: the audit entry of what became of one record for one recipient.

Most of a receipt follows from the recipient, its cut and the outcome, and is written once. A receipt holds the record's id and
member, and a commitment over the view under the recipient's own key; never a hash of the source.
"""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Final

from msgspec import Struct

from boutre.processors.cut import Cut
from boutre.processors.decision import Outbound
from boutre.processors.layout import Layout, whole
from boutre.processors.sheet import rows
from boutre.schemas.codec import Codec
from boutre.schemas.identity import receipt_id

KIND: Final = "receipt"
TOPIC: Final = "bus.receipt"
TOLD: Final = "told.{member}"
"""The topic of the receipts that the originator of a record is shown."""

FOR_ITS_OWNER: Final = frozenset(
    {"unknown-marking", "handling-code", "empty-audience", "agreement-not-in-force", "scope-not-active", "no-key"}
)
"""Reasons why a record is withheld that its originator is told: it, or those who keep the agreements, may want to mend them."""

COMMITMENT_BYTES: Final = 32


class ReceiptForm:
    """
    The form of all receipts of a bus: where each field stands, and what stands around ids.
    """

    def __init__(self, codec: Codec) -> None:
        self.layout = Layout(codec, KIND)
        self.id = self.layout.place["id"], self.layout.before("id")
        self.view = self.layout.place["view"], self.layout.before("view")
        blank = bytes(COMMITMENT_BYTES)
        self.commitment = self.layout.place["commitment"], self.layout.part("commitment", blank).removesuffix(blank)


class Record:
    """
    What all receipts of one record have in common, written once.
    """

    __slots__ = ("identifier", "key", "pieces", "timestamp", "told")

    def __init__(self, form: ReceiptForm, identifier: str, member: str, accepted: datetime, timestamp: int) -> None:
        self.identifier = identifier
        self.key = identifier.encode()
        self.timestamp = timestamp
        self.told = TOLD.format(member=member)
        common = {"record": identifier, "member": member, "accepted_at": accepted}
        self.pieces = [(form.layout.place[name], form.layout.part(name, value)) for name, value in common.items()]


class Fixed(Struct, frozen=True, eq=False):
    """
    What is the same in all receipts of one outcome; *told* says that the originator is shown them.
    """

    pieces: list[bytes]
    told: bool


class Receipts:
    """
    Writes the receipts of one recipient and kind of record, under the *policy* that makes its views.

    The originator of a record is told on a topic of its own of what an exception gave of it, and of what was withheld for a reason
    that it may mend. It is shown which fields were given by which clause, and never its recipient's own name for the view.
    """

    def __init__(self, form: ReceiptForm, recipient: str, kind: str, policy: str) -> None:
        self._form = form
        self._recipient = recipient
        self._kind = kind
        self._policy = policy
        self._withheld: dict[tuple[str, tuple[str, ...]], Fixed] = {}

    def withheld(self, record: Record, reason: str, agreements: tuple[str, ...]) -> tuple[Outbound, ...]:
        """Write that nothing was given of a record, by which *agreements*, if any."""
        fixed = self._withheld.get((reason, agreements))
        if fixed is None:
            fixed = self._withheld[reason, agreements] = self.fixed("withheld", reason, agreements, told=reason in FOR_ITS_OWNER)
        return self.write(record, fixed)

    def write(self, record: Record, fixed: Fixed, view: tuple[str, bytes] | None = None) -> tuple[Outbound, ...]:
        """Write one of what is *fixed*, and its copy for the originator; *view* is the id of a view, with its commitment."""
        form, pieces = self._form, fixed.pieces.copy()
        for at, piece in record.pieces:
            pieces[at] = piece
        at, before = form.id
        pieces[at] = before + receipt_id(record.identifier, self._recipient, self._policy).encode()
        copies = (Outbound(record.told, record.key, whole(pieces), record.timestamp),) if fixed.told else ()
        if view is not None:
            at, before = form.view
            pieces[at] = before + view[0].encode()
            at, before = form.commitment
            pieces[at] = before + view[1]
        return (Outbound(TOPIC, record.key, whole(pieces), record.timestamp), *copies)

    def fixed(
        self, outcome: str, reason: str | None, agreements: tuple[str, ...], cut: Cut | None = None, *, told: bool = False
    ) -> Fixed:
        """Give what is the same in all receipts of one outcome by the same *agreements* and *cut*."""
        pieces = self._form.layout.pieces(
            {
                "kind": self._kind,
                "recipient": self._recipient,
                "outcome": outcome,
                "reason": reason,
                "view": None,
                "topic": f"for.{self._recipient}.{self._kind}" if outcome == "delivered" else None,
                "policy": self._policy,
                "agreements": list(agreements),
                "fields": [] if cut is None else rows(cut.states),
                "commitment": None,
            }
        )
        return Fixed(pieces, told)


def commitment(key: bytes, frame: bytes) -> bytes:
    """
    Commit to a view: 32 bytes of BLAKE2b under its recipient's *key*, of which BLAKE2b takes 64 bytes at most.
    """
    return hashlib.blake2b(frame, key=key[:64], digest_size=COMMITMENT_BYTES).digest()
