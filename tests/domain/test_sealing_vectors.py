"""
The test vectors of signed and sealed views, for clients in any language: what the bus sends, and what a small reader opens.

The wrapping of a data key is random, so the file cannot be written twice alike; where the form must change, write it anew:
PYTHONPATH=tests python tests/domain/test_sealing_vectors.py
"""

from __future__ import annotations

import hashlib
import hmac
import json
import struct
from pathlib import Path
from typing import Any, Final

import pytest
from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from boutre.connectors.opening import Opening
from boutre.errors import Refuse
from boutre.processors.decision import Outbound, Seal
from boutre.processors.finish import Finish
from boutre.schemas.keys import KeyFolder, files
from boutre.schemas.keys.lists import SealingKeys
from boutre.schemas.sealing.suites import CLASSIC, HYBRID, OpeningKey
from boutre.schemas.signature import key_id
from boutre.schemas.view_signature import BusKeyring, SentView
from sealed import ALWAYS, DAY, Held, sealing_row, sent, topics_of

FILE: Final = Path(__file__).with_name("sealing_vectors.json")
PRIVATE: Final = Ed25519PrivateKey.from_private_bytes(
    # The first test vector of RFC 8032, section 7.1, as on docs/wire.md: an example, and no bus's.
    bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
)
RECIPIENT: Final = "protection-partner"
TOPIC: Final = f"for.{RECIPIENT}.interception"
SECRET: Final = hashlib.sha256(b"example of a recipient").digest()
KEYS: Final = {
    CLASSIC: OpeningKey(CLASSIC, (X25519PrivateKey.from_private_bytes(SECRET),)),
    HYBRID: OpeningKey(
        HYBRID, (MLKEM768PrivateKey.from_seed_bytes(SECRET + SECRET), X25519PrivateKey.from_private_bytes(SECRET[::-1]))
    ),
}
TEXT_HEADERS: Final = {"boutre-key", "ce_id", "content-type"}
FRAMES: Final = (b"\0BOU\2", b"\0BOU\2" + b"x" * 40, b"\0BOU\2" + bytes(range(256)))


def batch(suite: str | None) -> list[SentView]:
    """Views of one transaction, of no meaning; plain where there is no suite."""
    keys = Held(SealingKeys({key.id: sealing_row(key, RECIPIENT, *ALWAYS) for key in KEYS.values()}))
    finish = Finish(PRIVATE, keys, topics_of([RECIPIENT], ["interception"]), lambda: DAY)
    seal = None if suite is None else Seal(KEYS[suite].id, "0123456789abcdef")
    content = ("content-type", b"application/avro")
    outputs = [
        Outbound(TOPIC, b"subject-%d" % at, frame, 1_790_000_000_000 + at, (("ce_id", b"view-%d" % at), content), seal)
        for at, frame in enumerate(FRAMES)
    ]
    return [sent(out) for out in finish(outputs)]


def row(view: SentView) -> dict[str, Any]:
    """One view as the file has it."""
    headers = {name: value.decode() if name in TEXT_HEADERS else value.hex() for name, value in view.headers.items()}
    return {
        "topic": view.topic,
        "key": view.key.decode(),
        "timestamp": view.timestamp,
        "headers": headers,
        "value": view.value.hex(),
    }


def written() -> str:
    """The file."""
    batches = [
        {"suite": suite, "views": [{**row(view), "frame": frame.hex()} for view, frame in zip(batch(suite), FRAMES, strict=True)]}
        for suite in (None, CLASSIC, HYBRID)
    ]
    whole = {
        "note": "Views as docs/wire.md says, plain and sealed. Keys, ids and content-type are text; all else is hexadecimal. "
        "Private keys are examples, and nobody's: of the hybrid the 64 bytes of ML-KEM-768's seed, then 32 of X25519.",
        "bus": PRIVATE.public_key().public_bytes_raw().hex(),
        "recipient": RECIPIENT,
        "private": {CLASSIC: SECRET.hex(), HYBRID: (SECRET + SECRET + SECRET[::-1]).hex()},
        "batches": batches,
    }
    return json.dumps(whole, indent=1) + "\n"


# --- A client of another language ------------------------------------------------------------------------------------------


def sized(part: bytes) -> bytes:
    """A part behind its length."""
    return struct.pack(">H", len(part)) + part


def proves(public: bytes, view: SentView) -> bool:
    """Whether a client that knows docs/wire.md and nothing of the bus's code believes a view."""
    told = view.headers
    content = b"boutre view 1\0" + sized(view.topic.encode()) + sized(view.key) + sized(told["ce_id"])
    content += sized(told.get("boutre-wrapped", b"")) + struct.pack(">q", view.timestamp) + view.value
    proof = told["boutre-proof"]
    index, count = struct.unpack(">HH", proof[:4])
    found, level, beside = hashlib.sha256(b"\0" + proof[4:20] + content).digest(), count, proof[20:]
    while level > 1:
        if index ^ 1 < level:
            other, beside = beside[:32], beside[32:]
            found = hashlib.sha256(b"\1" + (other + found if index & 1 else found + other)).digest()
        index, level = index >> 1, (level + 1) >> 1
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(told["boutre-signature"], b"boutre view batch 1\0" + proof[2:4] + found)
    except InvalidSignature:
        return False
    return not beside and told["boutre-key"] == hashlib.sha256(public).hexdigest()[:16].encode()


def hpke_open(suite: int, private: bytes, wrapped: bytes, info: bytes) -> bytes:
    """What HPKE's base mode opens: RFC 9180, sections 4.1 and 5.1, and the hybrid's combiner, by hash and exchange alone."""

    def extract(name: bytes, salt: bytes, label: bytes, data: bytes) -> bytes:
        return hmac.digest(salt, b"HPKE-v1" + name + label + data, "sha256")

    def expand(name: bytes, secret: bytes, label: bytes, data: bytes, length: int) -> bytes:
        # One block of HKDF, since nothing here is longer than a hash.
        return hmac.digest(secret, struct.pack(">H", length) + b"HPKE-v1" + name + label + data + b"\1", "sha256")[:length]

    exchange = X25519PrivateKey.from_private_bytes(private[-32:])
    own = exchange.public_key().public_bytes_raw()
    if suite == 1:
        kem, enc, sealed = 0x0020, wrapped[:32], wrapped[32:]
        shared = exchange.exchange(X25519PublicKey.from_public_bytes(enc))
        inner = b"KEM" + struct.pack(">H", kem)
        shared = expand(inner, extract(inner, b"", b"eae_prk", shared), b"shared_secret", enc + own, 32)
    else:
        kem, enc, sealed = 0x647A, wrapped[:1120], wrapped[1120:]
        lattice = MLKEM768PrivateKey.from_seed_bytes(private[:64]).decapsulate(enc[:1088])
        curve = exchange.exchange(X25519PublicKey.from_public_bytes(enc[1088:]))
        shared = hashlib.sha3_256(lattice + curve + enc[1088:] + own + b"\\.//^\\").digest()
    name = b"HPKE" + struct.pack(">HHH", kem, 1, 2)
    context = b"\0" + extract(name, b"", b"psk_id_hash", b"") + extract(name, b"", b"info_hash", info)
    secret = extract(name, shared, b"secret", b"")
    key, nonce = expand(name, secret, b"key", context, 32), expand(name, secret, b"base_nonce", context, 12)
    return AESGCM(key).decrypt(nonce, sealed, b"")


def opens(private: bytes, view: SentView) -> bytes:
    """What such a client reads of a sealed view."""
    header, value = view.headers["boutre-wrapped"], view.value
    recipient = view.topic.split(".")[1].encode()
    data_key = hpke_open(header[1], private, header[18:], b"boutre data key 1\0" + sized(recipient) + header[:18])
    end = 7 + value[6]
    bound = b"boutre sealed view 1\0" + sized(view.topic.encode()) + sized(view.headers["ce_id"]) + value[:end] + header[:18]
    return AESGCM(data_key).decrypt(value[end : end + 12], value[end + 12 :], bound)


VECTORS: Final[dict[str, Any]] = json.loads(FILE.read_text(encoding="utf-8")) if FILE.exists() else {"batches": []}
SENT: Final = [(each["suite"], view) for each in VECTORS["batches"] for view in each["views"]]


def read(told: dict[str, Any]) -> SentView:
    """A view of the file."""
    headers = {name: value.encode() if name in TEXT_HEADERS else bytes.fromhex(value) for name, value in told["headers"].items()}
    return SentView(told["topic"], told["key"].encode(), told["timestamp"], headers, bytes.fromhex(told["value"]))


def ours(folder: Path, view: SentView) -> bytes:
    """What the bus's own reader gives of it."""
    keys = KeyFolder(folder)
    for key in KEYS.values():
        files.make(keys.opening_path(RECIPIENT, key.id), key.pem)
    return Opening(keys, BusKeyring({key_id(PRIVATE.public_key()): PRIVATE.public_key()})).frame(view, RECIPIENT, "the file")


def test_the_file_has_every_form() -> None:
    """
    Plain, sealed by X25519 and by the hybrid, each in a batch of three, with the names of this version.
    """
    assert [None, CLASSIC, HYBRID] == [each["suite"] for each in VECTORS["batches"]]
    now = json.loads(written())
    for was, would in zip(VECTORS["batches"], now["batches"], strict=True):
        for one, other in zip(was["views"], would["views"], strict=True):
            assert {**other, "value": len(other["value"]), "headers": list(other["headers"])} == {
                **one,
                "value": len(one["value"]),
                "headers": list(one["headers"]),
            }
    assert {name: value for name, value in now.items() if name != "batches"} == {
        name: value for name, value in VECTORS.items() if name != "batches"
    }


@pytest.mark.parametrize(("suite", "told"), SENT, ids=range(len(SENT)))
def test_a_view_is_opened_by_both(tmp_path: Path, suite: str | None, told: dict[str, Any]) -> None:
    """
    The bus's own reader and the client of another language believe each view, and read the same frame of it.
    """
    view, frame = read(told), bytes.fromhex(told["frame"])

    assert proves(bytes.fromhex(VECTORS["bus"]), view)
    assert frame == ours(tmp_path, view)
    assert frame == (view.value if suite is None else opens(bytes.fromhex(VECTORS["private"][suite]), view))


@pytest.mark.parametrize(("suite", "told"), SENT, ids=range(len(SENT)))
@pytest.mark.parametrize("part", ["topic", "key", "timestamp", "ce_id", "value"])
def test_a_view_that_was_changed_is_opened_by_neither(tmp_path: Path, suite: str | None, told: dict[str, Any], part: str) -> None:
    """
    Another topic, key, time, id or value: neither believes it.
    """
    changed = {**told, "headers": dict(told["headers"])}
    match part:
        case "timestamp":
            changed["timestamp"] += 1
        case "ce_id":
            changed["headers"]["ce_id"] += "x"
        case "value":
            changed["value"] += "00"
        case _:
            changed[part] += "x"
    view = read(changed)

    assert not proves(bytes.fromhex(VECTORS["bus"]), view)
    with pytest.raises(Refuse, match="bad-signature"):
        ours(tmp_path, view)
    if suite is not None and part in {"topic", "ce_id", "value"}:
        with pytest.raises(InvalidTag):
            opens(bytes.fromhex(VECTORS["private"][suite]), view)


if __name__ == "__main__":
    FILE.write_text(written(), encoding="utf-8")
