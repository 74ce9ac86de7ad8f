"""
Receipts: the audit entry of what became of one record for one recipient.

Most of a receipt follows from the recipient, its cut and the outcome, and is written once. A receipt holds the record's id and
member, and a commitment over the view under the recipient's own key; never a hash of the source.
"""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Final

from boutre.processors.cut import Cut
from boutre.processors.decision import Outbound
from boutre.processors.layout import Layout, whole
from boutre.processors.sheet import rows
from boutre.schemas.codec import Codec
from boutre.schemas.identity import receipt_id

KIND: Final = "receipt"
TOPIC: Final = "bus.receipt"
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

    __slots__ = ("identifier", "key", "pieces", "timestamp")

    def __init__(self, form: ReceiptForm, identifier: str, member: str, accepted: datetime, timestamp: int) -> None:
        self.identifier = identifier
        self.key = identifier.encode()
        self.timestamp = timestamp
        common = {"record": identifier, "member": member, "accepted_at": accepted}
        self.pieces = [(form.layout.place[name], form.layout.part(name, value)) for name, value in common.items()]


class Receipts:
    """
    Writes the receipts of one recipient and kind of record, under the *policy* that makes its views.
    """

    def __init__(self, form: ReceiptForm, recipient: str, kind: str, policy: str) -> None:
        self._form = form
        self._recipient = recipient
        self._kind = kind
        self._policy = policy
        self._withheld: dict[tuple[str, tuple[str, ...]], list[bytes]] = {}

    def withheld(self, record: Record, reason: str, agreements: tuple[str, ...]) -> Outbound:
        """Write that nothing was given of a record, by which *agreements*, if any."""
        fixed = self._withheld.get((reason, agreements))
        if fixed is None:
            fixed = self._withheld[reason, agreements] = self.fixed("withheld", reason, agreements)
        return self.write(record, fixed)

    def write(self, record: Record, fixed: list[bytes], view: tuple[str, bytes] | None = None) -> Outbound:
        """Write one of what is *fixed*; *view* is the id of what was delivered, with its commitment."""
        form, pieces = self._form, fixed.copy()
        for at, piece in record.pieces:
            pieces[at] = piece
        at, before = form.id
        pieces[at] = before + receipt_id(record.identifier, self._recipient, self._policy).encode()
        if view is not None:
            at, before = form.view
            pieces[at] = before + view[0].encode()
            at, before = form.commitment
            pieces[at] = before + view[1]
        return Outbound(TOPIC, record.key, whole(pieces), record.timestamp)

    def fixed(self, outcome: str, reason: str | None, agreements: tuple[str, ...], cut: Cut | None = None) -> list[bytes]:
        """Give what is the same in all receipts of one outcome by the same *agreements* and *cut*."""
        return self._form.layout.pieces(
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


def commitment(key: bytes, frame: bytes) -> bytes:
    """
    Commit to a view: 32 bytes of BLAKE2b under its recipient's *key*, of which BLAKE2b takes 64 bytes at most.
    """
    return hashlib.blake2b(frame, key=key[:64], digest_size=COMMITMENT_BYTES).digest()
