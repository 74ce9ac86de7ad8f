"""
The test vectors of signatures, for clients in any language: what the bus signs, and what a reader of thirty lines believes.

Where they must change, write them anew: PYTHONPATH=tests python tests/domain/test_signature_vectors.py
"""

from __future__ import annotations

import hashlib
import json
import struct
from pathlib import Path
from typing import Any, Final

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from boutre.errors import Refuse
from boutre.schemas import merkle
from boutre.schemas.signature import (
    BATCH_CONTEXT,
    KEY_HEADER,
    PROOF_HEADER,
    SIGNATURE_HEADER,
    Keyring,
    key_id,
    sign_batch,
    signed_bytes,
)

FILE: Final = Path(__file__).with_name("signature_vectors.json")
PRIVATE: Final = Ed25519PrivateKey.from_private_bytes(
    # The first test vector of RFC 8032, section 7.1, as on docs/wire.md: an example, and no member's.
    bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
)
SIZES: Final = (1, 2, 3, 5, 8)


def salts(count: int) -> bytes:
    """Random bytes that everybody knows, for vectors and nothing else."""
    return b"".join(hashlib.sha256(number.to_bytes(2, "big")).digest()[:16] for number in range(count // 16))


def records(size: int) -> list[tuple[str, bytes]]:
    """Frames of no meaning, of different lengths, an empty one among them, on two topics."""
    topics = ("national.comoros.sighting", "rejects.comoros")
    return [(topics[number % 3 == 2], b"\0BOU\6"[: number * 5] + b"x" * number) for number in range(size)]


def vector(size: int) -> dict[str, Any]:
    """One batch as the file has it."""
    signed = sign_batch(PRIVATE, records(size), salts)
    told: list[dict[str, Any]] = []
    for (topic, frame), headers in zip(records(size), signed, strict=True):
        row = {"topic": topic, "frame": frame.hex(), "headers": {name: _text(name, value) for name, value in headers.items()}}
        if size > 1:
            proof = headers[PROOF_HEADER]
            row["leaf"] = merkle.leaf(proof[4:20], signed_bytes(topic, frame)).hex()
        told.append(row)
    if size == 1:
        return {"records": told, "signed": signed_bytes(*records(1)[0]).hex()}
    reached = merkle.climb(signed[0][PROOF_HEADER], signed_bytes(*records(size)[0]))
    assert reached is not None
    return {"records": told, "root": reached[2:].hex(), "signed": (BATCH_CONTEXT + reached).hex()}


def refused() -> list[dict[str, Any]]:
    """Records that nobody may believe, each with what is wrong."""
    (topic, frame), *_ = records(3)
    good = sign_batch(PRIVATE, records(3), salts)
    alone = sign_batch(PRIVATE, [(topic, frame)])[0]
    proof = good[0][PROOF_HEADER]
    cases: dict[str, tuple[str, bytes, dict[str, bytes]]] = {
        "another topic": ("national.comoros.alert", frame, good[0]),
        "another frame": (topic, frame + b"\0", good[0]),
        "the proof of another record": (topic, frame, {**good[0], PROOF_HEADER: good[1][PROOF_HEADER]}),
        "another index": (topic, frame, {**good[0], PROOF_HEADER: b"\0\1" + proof[2:]}),
        "an index that is not below the count": (topic, frame, {**good[0], PROOF_HEADER: b"\0\3" + proof[2:]}),
        "another count of the same depth": (topic, frame, {**good[0], PROOF_HEADER: b"\0\0\0\4" + proof[4:]}),
        "a hash too few": (topic, frame, {**good[0], PROOF_HEADER: proof[:-32]}),
        "a hash too many": (topic, frame, {**good[0], PROOF_HEADER: proof + proof[-32:]}),
        "a byte too many": (topic, frame, {**good[0], PROOF_HEADER: proof + b"\0"}),
        "no proof": (topic, frame, {name: value for name, value in good[0].items() if name != PROOF_HEADER}),
        "an empty proof beside a signature of this record": (topic, frame, {**alone, PROOF_HEADER: b""}),
        "the proof of a batch of one": _batch_of_one(topic, frame),
        "a root that was signed without its count": (
            topic,
            frame,
            {**good[0], SIGNATURE_HEADER: _uncounted(good[0], topic, frame)},
        ),
    }
    return [
        {"why": why, "topic": at, "frame": data.hex(), "headers": {name: _text(name, value) for name, value in headers.items()}}
        for why, (at, data, headers) in cases.items()
    ]


def _batch_of_one(topic: str, frame: bytes) -> tuple[str, bytes, dict[str, bytes]]:
    salt = salts(16)
    signature = PRIVATE.sign(BATCH_CONTEXT + b"\0\1" + merkle.leaf(salt, signed_bytes(topic, frame)))
    named = key_id(PRIVATE.public_key()).encode()
    return topic, frame, {KEY_HEADER: named, SIGNATURE_HEADER: signature, PROOF_HEADER: b"\0\0\0\1" + salt}


def _uncounted(headers: dict[str, bytes], topic: str, frame: bytes) -> bytes:
    reached = merkle.climb(headers[PROOF_HEADER], signed_bytes(topic, frame))
    assert reached is not None
    return PRIVATE.sign(BATCH_CONTEXT + reached[2:])


def _text(name: str, value: bytes) -> str:
    return value.decode() if name == KEY_HEADER else value.hex()


def written() -> str:
    """The file."""
    public = PRIVATE.public_key()
    whole = {
        "note": "Signatures of national records, as docs/wire.md says. The key's id is text; all else is hexadecimal. "
        "The keys are those of RFC 8032, section 7.1, test 1, and the salts are known: examples, and no member's.",
        "private": PRIVATE.private_bytes_raw().hex(),
        "public": public.public_bytes_raw().hex(),
        "batches": [vector(size) for size in SIZES],
        "refused": refused(),
    }
    return json.dumps(whole, indent=1) + "\n"


# --- A client of another language ------------------------------------------------------------------------------------------


def believes(public: bytes, topic: str, frame: bytes, headers: dict[str, str]) -> bool:
    """Whether a client that knows docs/wire.md and nothing of the bus's code believes a record."""
    content = b"boutre national record 1\0" + struct.pack(">H", len(topic)) + topic.encode() + frame
    if "boutre-proof" in headers:
        proof = bytes.fromhex(headers["boutre-proof"])
        if len(proof) < 20 or (len(proof) - 20) % 32:
            return False
        index, count = struct.unpack(">HH", proof[:4])
        if not 2 <= count <= 4096 or index >= count:
            return False
        beside = [proof[at : at + 32] for at in range(20, len(proof), 32)]
        found = hashlib.sha256(b"\0" + proof[4:20] + content).digest()
        # RFC 9162, section 2.1.3.2, word by word.
        place, last = index, count - 1
        for other in beside:
            if last == 0:
                return False
            if place % 2 or place == last:
                found = hashlib.sha256(b"\1" + other + found).digest()
                while place % 2 == 0 and place:
                    place, last = place >> 1, last >> 1
            else:
                found = hashlib.sha256(b"\1" + found + other).digest()
            place, last = place >> 1, last >> 1
        if last:
            return False
        content = b"boutre national batch 1\0" + proof[2:4] + found
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(bytes.fromhex(headers["boutre-signature"]), content)
    except InvalidSignature:
        return False
    return headers["boutre-key"] == hashlib.sha256(public).hexdigest()[:16]


def ours(public: bytes, topic: str, frame: bytes, headers: dict[str, str]) -> str | None:
    """Why the bus does not believe a record, or None."""
    key = Ed25519PublicKey.from_public_bytes(public)
    given = {name: value.encode() if name == KEY_HEADER else bytes.fromhex(value) for name, value in headers.items()}
    try:
        Keyring({key_id(key): ("comoros", key)}).verify("comoros", topic, frame, given)
    except Refuse as refusal:
        return refusal.code
    return None


VECTORS: Final[dict[str, Any]] = json.loads(FILE.read_text(encoding="utf-8")) if FILE.exists() else {"batches": [], "refused": []}
BELIEVED: Final = [record for batch in VECTORS["batches"] for record in batch["records"]]


def test_the_file_is_what_the_bus_signs() -> None:
    """
    To the byte: a client that gives the same salts makes the same headers.
    """
    assert FILE.read_text(encoding="utf-8") == written()
    assert SIZES == tuple(len(batch["records"]) for batch in VECTORS["batches"])


@pytest.mark.parametrize("record", BELIEVED, ids=range(len(BELIEVED)))
def test_a_record_is_believed_by_both(record: dict[str, Any]) -> None:
    """
    The bus and the client of another language believe each record, with nothing but its own headers.
    """
    public, frame = bytes.fromhex(VECTORS["public"]), bytes.fromhex(record["frame"])

    assert ours(public, record["topic"], frame, record["headers"]) is None
    assert believes(public, record["topic"], frame, record["headers"])


@pytest.mark.parametrize("record", VECTORS["refused"], ids=[each["why"] for each in VECTORS["refused"]])
def test_a_record_is_refused_by_both(record: dict[str, Any]) -> None:
    """
    And neither believes what is wrong.
    """
    public, frame = bytes.fromhex(VECTORS["public"]), bytes.fromhex(record["frame"])

    assert "bad-signature" == ours(public, record["topic"], frame, record["headers"])
    assert not believes(public, record["topic"], frame, record["headers"])


if __name__ == "__main__":
    FILE.write_text(written(), encoding="utf-8")
