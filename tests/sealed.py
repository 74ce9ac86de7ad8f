"""
Keys of a bus and its recipients for tests, always the same, and views as that bus signs and seals them.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from boutre.connectors.opening import Opening
from boutre.processors.decision import Outbound
from boutre.processors.finish import Finish
from boutre.schemas.keys import KeyFolder, files, lists
from boutre.schemas.keys.folder import RECIPIENTS
from boutre.schemas.keys.lists import SealingKeys, SealingRow
from boutre.schemas.keys.rows import recipient_row
from boutre.schemas.sealing.suites import CLASSIC, OpeningKey, SealingKey
from boutre.schemas.signature import key_id
from boutre.schemas.view_signature import BusKeyring, SentView, sign_views, view_bytes

BUS: Final = Ed25519PrivateKey.from_private_bytes(hashlib.sha256(b"the bus").digest())
ALWAYS: Final = (datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC))
DAY: Final = date(2026, 9, 20)


@cache
def opening_key(recipient: str) -> OpeningKey:
    """A recipient's private key."""
    return OpeningKey(CLASSIC, (X25519PrivateKey.from_private_bytes(hashlib.sha256(b"opens " + recipient.encode()).digest()),))


def sealing_row(key: OpeningKey, recipient: str, begins: datetime, ends: datetime, *, revoked: bool = False) -> SealingRow:
    """A public key as a list has it."""
    return SealingRow(recipient, SealingKey.of(key.suite, key.public), begins, ends, revoked)


@dataclass
class Held:
    """
    Public keys that no file holds; *looks* counts how often somebody asked whether they changed.
    """

    keys: SealingKeys
    looks: int = 0

    def look(self) -> None:
        """Note it."""
        self.looks += 1


def held(*recipients: str) -> Held:
    """A key for each of *recipients*, in force for all times."""
    rows = {opening_key(one).id: sealing_row(opening_key(one), one, *ALWAYS) for one in recipients}
    return Held(SealingKeys(rows))


def topics_of(recipients: Sequence[str], kinds: Sequence[str]) -> dict[str, str]:
    """Whose each topic of views is."""
    return {f"for.{recipient}.{kind}": recipient for recipient in recipients for kind in kinds}


def finish(recipients: Sequence[str], kinds: Sequence[str]) -> Finish:
    """The finish of a bus with a key for each of its recipients, on one and the same day."""
    return Finish(BUS, held(*recipients), topics_of(recipients, kinds), lambda: DAY)


def bus_keys(path: Path) -> KeyFolder:
    """A folder with the key of the bus."""
    folder = KeyFolder(path)
    files.make(path / "bus.pem", BUS.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    folder.list_bus()
    return folder


def key_folder(path: Path, *recipients: str) -> KeyFolder:
    """A folder with the keys of the bus, and public and private keys of recipients."""
    folder = bus_keys(path)
    for recipient in recipients:
        key = opening_key(recipient)
        files.make(folder.opening_path(recipient, key.id), key.pem)
        row = recipient_row(recipient, key.suite, key.public, date(2000, 1, 1), date(2100, 1, 1))
        lists.append(path / RECIPIENTS, [row])
    return folder


def proving() -> Opening:
    """What proves views of this bus, and has no private key to open any."""
    return Opening(KeyFolder(Path("keys")), BusKeyring({key_id(BUS.public_key()): BUS.public_key()}))


def opening(path: Path, *recipients: str) -> Opening:
    """What opens views of these recipients."""
    return Opening.of(key_folder(path, *recipients))


def sent(out: Outbound) -> SentView:
    """A view as its reader finds it."""
    return SentView(out.topic, out.key, out.timestamp, dict(out.headers), out.value)


def signed(topic: str, frame: bytes, key: bytes = b"", at: int = 0) -> dict[str, bytes]:
    """The headers of a view that the bus of these tests signs by itself."""
    (headers,) = sign_views(BUS, [view_bytes(topic.encode(), key, at, (b"", b""), frame)])
    return headers


def message(topic: str, frame: bytes, key: bytes = b"") -> Mapping[str, Any]:
    """What a producer of Kafka is told, so that its message is a signed view."""
    now = int(time.time() * 1000)
    return {"topic": topic, "value": frame, "key": key, "timestamp": now, "headers": list(signed(topic, frame, key, now).items())}
