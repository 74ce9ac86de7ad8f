"""
Views of what the bus itself makes for one recipient: its links and its alerts, each with a receipt.

They are as sealed, and as narrowly marked, as the narrowest of what they were made of. What must be sealed, and has no key in
force, does not go out; its receipt says so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from msgspec import Struct

from boutre.processors.decision import Outbound, Seal
from boutre.processors.receipts import ReceiptForm, Receipts, Record, commitment
from boutre.processors.release import CONTENT, SOURCE, SPECIFICATION
from boutre.schemas.codec import Codec
from boutre.schemas.identity import view_id

MADE_BY: Final = "bus"
"""Whose records links and alerts are: nobody's but the bus's, and each is its recipient's alone."""

NO_KEY: Final = "no-key"
"""Why a view is withheld that must be sealed."""

TLP: Final = ("CLEAR", "GREEN", "AMBER", "AMBER+STRICT", "RED")
"""Markings from the widest to the narrowest (TLP 2.0)."""


@dataclass(frozen=True, slots=True)
class Reader:
    """
    One recipient: its key, from which ids of its own are made, what kind of *body* it is, and the rules by which links are made.

    *key_at* names the public key for which its views are sealed at a moment, or None where there is none.
    """

    recipient: str
    key: bytes = field(repr=False)
    body: str = ""
    policy: str = ""
    key_at: Callable[[datetime], str | None] = field(default=lambda _: None, repr=False)


class Bound(Struct, frozen=True, omit_defaults=True):
    """
    How narrowly a view is held: whether it was sealed, and its marking.
    """

    sealed: bool = False
    tlp: str | None = None


class Own(Struct, frozen=True):
    """
    What is to be written: of which *kind*, *of* what, its groups without id, marking and view, and when (ms since 1970 UTC).
    """

    kind: str
    of: str
    value: Mapping[str, Any]
    accepted: datetime
    timestamp: int


class OwnViews:
    """
    Writes views of the bus's own.
    """

    def __init__(self, codec: Codec) -> None:
        self._codec = codec
        self._form = ReceiptForm(codec)

    def make(self, reader: Reader, own: Own, bounds: Sequence[Bound]) -> tuple[str | None, tuple[Outbound, ...]]:
        """
        Give the id of the view, and it with its receipt; *bounds* are those of all that it was made of.

        None, and a receipt alone, where it must be sealed and there is no key in force.
        """
        receipts = Receipts(self._form, reader.recipient, own.kind, reader.policy)
        sealed = any(one.sealed for one in bounds)
        key = reader.key_at(own.accepted) if sealed else None
        if sealed and key is None:
            record = Record(self._form, own.of, MADE_BY, own.accepted, own.timestamp)
            return None, receipts.withheld(record, NO_KEY, ())
        view = {"recipient": reader.recipient, "of": own.of, "agreements": [], "policy": reader.policy, "fields": []}
        value = {**own.value, "id": "", "handling": {"tlp": strictest(one.tlp for one in bounds)}, "view": view}
        name = view_id(reader.key, own.of, self._codec.encode(own.kind, value))
        frame = self._codec.encode(own.kind, {**value, "id": name})
        type_ = f"boutre.view.{own.kind}".encode()
        headers = (SPECIFICATION, ("ce_type", type_), SOURCE, ("ce_id", name.encode()), CONTENT)
        out = Outbound(
            f"for.{reader.recipient}.{own.kind}",
            own.of.encode(),
            frame,
            own.timestamp,
            headers,
            None if key is None else Seal(key, reader.policy),
        )
        record = Record(self._form, name, MADE_BY, own.accepted, own.timestamp)
        return name, (out, *receipts.write(record, receipts.fixed("delivered", None, ()), (name, commitment(reader.key, frame))))


def strictest(markings: Iterable[str | None]) -> str:
    """
    Give the narrowest of some markings; one that is unknown or withheld is the narrowest there is, as is that of nothing.
    """
    return max((one if one in TLP else TLP[-1] for one in markings), key=TLP.index, default=TLP[-1])
