"""
Opens what stands on a recipient's topic: proves that the bus wrote it, and unseals it with the recipient's own key.

What fails the proof is no view. What cannot be opened with the keys that are here, but may well be a view (the bus has a new key; a
private key is lost), stops whoever reads, with the next step in the message: a position never moves past it unread.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Self

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from boutre.errors import DeclarationError, Fault, Refuse
from boutre.schemas.keys import KeyFolder
from boutre.schemas.keys.folder import BUS
from boutre.schemas.sealing.frame import is_sealed, open_frame
from boutre.schemas.sealing.wrapping import WRAPPED_HEADER, WrappedFor, unwrap, wrapped_for
from boutre.schemas.signature import KEY_HEADER
from boutre.schemas.view_signature import BusKeyring, SentView

NOT_SEALED: Final = "not-sealed-so"
"""
The code of what is signed by the bus and does not open; like ``not-a-view`` it is told to readers alone, and is no member's reject.
"""

REMEMBERED: Final = 1024
"""How many data keys a reader keeps: one a day and worker, for years."""


class Unopened(DeclarationError):  # noqa: N818 - it says what is the matter
    """
    A view that the keys at hand cannot prove or open; the message names what is missing and where it belongs.
    """


class Lost(Unopened):
    """
    A view of the bus that only a private key opens which is not here.
    """


@dataclass(slots=True)
class Opening:
    """
    The keys of a reader: the bus's public ones, and the recipient's private ones, in the folder *keys*.
    """

    keys: KeyFolder
    bus: BusKeyring
    _unwrapped: dict[tuple[str, bytes], AESGCM] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, keys: KeyFolder | Path | str) -> Self:
        """
        Make it of a folder of keys; ``DeclarationError`` where the bus's public keys are missing or wrong.
        """
        folder = keys if isinstance(keys, KeyFolder) else KeyFolder(Path(keys))
        return cls(folder, folder.bus_keyring())

    def frame(self, view: SentView, recipient: str, place: str) -> bytes:
        """
        Give the plain frame of a view that stands at *place*.

        Raises ``Refuse`` for what is no view of this recipient's: ``unsigned``, ``revoked-key``, ``bad-signature``,
        ``not-sealed-so``; and ``Unopened`` for what other keys could prove, ``Lost`` for what they could open.
        """
        try:
            self.bus.verify(view)
        except Refuse as refused:
            if refused.code == "unknown-key":
                raise self._unknown(view, place) from None
            raise
        if not is_sealed(view.value):
            return view.value
        header = view.headers.get(WRAPPED_HEADER, b"")
        told = wrapped_for(header)
        if told is None:
            raise Refuse(NOT_SEALED)
        aead = self._unwrapped.get((recipient, header)) or self._unwrap(told, header, recipient, place)
        plain = open_frame(aead, view.value, view.topic, view.id, told.head)
        if plain is None:
            raise Refuse(NOT_SEALED)
        return plain

    def _unwrap(self, told: WrappedFor, header: bytes, recipient: str, place: str) -> AESGCM:
        key = self.keys.opening_key(recipient, told.key)
        if key is None:
            raise self._lost(told, recipient, place)
        data_key = unwrap(key, recipient, told)
        if data_key is None:
            raise Refuse(NOT_SEALED)
        if len(self._unwrapped) >= REMEMBERED:
            self._unwrapped.clear()
        aead = self._unwrapped[recipient, header] = AESGCM(data_key)
        return aead

    def _unknown(self, view: SentView, place: str) -> Unopened:
        named = view.headers[KEY_HEADER].decode("ascii", "replace")
        shown = named if named.isalnum() and named.isascii() else "without a sensible id"
        message = (
            f"is not listed, and what stands at {place} is signed by it; ask whoever runs the bus for its public keys "
            "(boutre keys publish --bus), and start again. If the key is none of theirs, list its id here with revoked = true"
        )
        return Unopened([Fault(str(self.keys.path / BUS), f"key[{shown}]", message)])

    def _lost(self, told: WrappedFor, recipient: str, place: str) -> Lost:
        path = self.keys.opening_path(recipient, told.key)
        message = (
            f"there is no private key {told.key} for {recipient}: views since {told.began.isoformat()}, such as that at {place}, "
            "cannot be read. Restore it to this file from its backup. If it is lost: boutre keys rotate --recipient "
            f"{recipient}, hand over the public row, have {told.key} revoked, and ask for what was sealed for it"
        )
        return Lost([Fault(str(path), "", message)])
