"""
The finish of a transaction: views are sealed where their agreement says so, and signed by the bus, before anything is sent.

One data key for each recipient's key and day, wrapped once; one signature for all views of a recipient in the transaction. What was
decided holds: release names the key, and what cannot be sealed by it is not sent, nor is anything else of that transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Final, Protocol

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from boutre.errors import BusError
from boutre.processors.decision import Outbound
from boutre.processors.patterns import VIEWS
from boutre.schemas.keys import KeyFolder
from boutre.schemas.keys.current import CurrentKeys
from boutre.schemas.keys.lists import SealingKeys
from boutre.schemas.sealing.data_key import DataKey
from boutre.schemas.sealing.wrapping import WRAPPED_HEADER
from boutre.schemas.signature import MOST_TOGETHER
from boutre.schemas.view_signature import ID_HEADER, sign_views, view_bytes
from boutre.topics.bus import Declarations

CONTENT_TYPE: Final = "content-type"
SEALED_CONTENT: Final = (CONTENT_TYPE, b"application/vnd.boutre.sealed")


class Unsealed(BusError):  # noqa: N818 - it says what is the matter
    """
    A view that must be sealed is not, and is not sent: a fault of the bus, since release decides by the same keys.
    """


class Keys(Protocol):
    """
    The recipients' public keys: ``CurrentKeys``, or those of a test.
    """

    keys: SealingKeys

    def look(self) -> None:
        """See whether they have changed."""


def today() -> date:
    """
    Give the day in UTC.
    """
    return datetime.now(UTC).date()


class Finish:
    """
    Seals and signs the views of a bus whose key is *private*; *recipients* says of each topic of views whose it is.

    *day* gives the day, by which data keys change: how often they do tells nothing of any record.
    """

    def __init__(
        self, private: Ed25519PrivateKey, keys: Keys, recipients: Mapping[str, str], day: Callable[[], date] = today
    ) -> None:
        self._private = private
        self._keys = keys
        self._recipients = recipients
        self._day = day
        self._data: dict[tuple[str, str], DataKey] = {}

    @classmethod
    def of(cls, keys: KeyFolder, declarations: Declarations) -> Finish:
        """
        Make it for a bus; ``DeclarationError`` where its key is missing or revoked, or a list of keys is wrong.
        """
        views = [topic for topic in declarations.topics.values() if topic.pattern == VIEWS]
        recipients = {topic.name: str(topic.recipient) for topic in views}
        return cls(keys.bus_signing(), CurrentKeys(keys), recipients)

    def begin(self) -> None:
        """
        Begin a transaction: keys that were revoked or added since the last one are known from here to its end.
        """
        self._keys.look()

    def key(self, recipient: str, accepted: datetime) -> str | None:
        """
        Name the key for which views of a record accepted then are sealed, or None where there is none.
        """
        return self._keys.keys.at(recipient, accepted)

    def __call__(self, outputs: Sequence[Outbound]) -> list[Outbound]:
        """
        Give the outputs of one transaction as they are sent, in their order.

        Raises ``Unsealed`` where one of them must be sealed and cannot be.
        """
        day = self._day()
        self._data = {name: key for name, key in self._data.items() if key.lasts(day)}
        for key in self._data.values():
            key.refresh()
        done = list(outputs)
        views: dict[str, list[int]] = {}
        for place, out in enumerate(outputs):
            recipient = self._recipients.get(out.topic)
            if out.seal is not None:
                done[place] = self._sealed(out, recipient, day)
            if recipient is not None:
                views.setdefault(recipient, []).append(place)
        for places in views.values():
            for at in range(0, len(places), MOST_TOGETHER):
                self._sign(done, places[at : at + MOST_TOGETHER])
        return done

    def _sealed(self, out: Outbound, recipient: str | None, day: date) -> Outbound:
        seal = out.seal
        key = None if seal is None or recipient is None else self._keys.keys.usable(seal.key, recipient)
        identifier = next((value for name, value in out.headers if name == ID_HEADER), None)
        if seal is None or recipient is None or key is None or identifier is None:
            message = f"a view on {out.topic} cannot be sealed, and nothing of its transaction is sent"
            raise Unsealed(message)
        data = self._data.get((recipient, seal.key))
        if data is None or not data.lasts(day):
            data = self._data[recipient, seal.key] = DataKey(key, recipient, day)
        value = data.seal(out.value, out.topic, identifier.decode(), seal.policy)
        kept = [header for header in out.headers if header[0] != CONTENT_TYPE]
        return Outbound(out.topic, out.key, value, out.timestamp, (*kept, SEALED_CONTENT, (WRAPPED_HEADER, data.wrapped)))

    def _sign(self, done: list[Outbound], places: Sequence[int]) -> None:
        contents = []
        for place in places:
            out = done[place]
            told = dict(out.headers)
            beside = told.get(ID_HEADER, b""), told.get(WRAPPED_HEADER, b"")
            contents.append(view_bytes(out.topic.encode(), out.key, out.timestamp, beside, out.value))
        for place, headers in zip(places, sign_views(self._private, contents), strict=True):
            out = done[place]
            done[place] = Outbound(out.topic, out.key, out.value, out.timestamp, (*out.headers, *headers.items()))


def begin(finish: Finish | None) -> None:
    """
    Begin a transaction of a processor that may have no finish.
    """
    if finish is not None:
        finish.begin()


def finished(finish: Finish | None, outputs: Iterable[Outbound]) -> list[Outbound]:
    """
    Give the outputs of a transaction as they are sent; raises ``Unsealed`` where one must be sealed and there is no finish.
    """
    given = list(outputs)
    if finish is not None:
        return finish(given)
    if any(out.seal is not None for out in given):
        message = "a view that must be sealed comes from a processor that seals nothing"
        raise Unsealed(message)
    return given
