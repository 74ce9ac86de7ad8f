"""
The example of docs/wire.md, made and taken apart: by the bus, by Apache's own Avro, and by a reader of forty lines.

Where the example must change, write it anew: PYTHONPATH=tests python tests/domain/test_wire_page.py
"""

from __future__ import annotations

import hashlib
import json
import re
import struct
from datetime import UTC, datetime
from io import BytesIO
from typing import Any

import avro.io
import avro.schema
import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from boutre.connectors.memory import murmur2
from boutre.schemas import vocabulary
from boutre.schemas.codec import MAX_BYTES, Codec
from boutre.schemas.identity import record_id
from boutre.schemas.lock import core
from boutre.schemas.signature import key_id, sign, signed_bytes
from boutre.schemas.validation import Validator
from frames import LOCK, Part, dump, taken_apart
from pages import Page

TOPIC = "national.comoros.sighting"
FEED, REFERENCE = "ops-room", "2024-0117"
PRIVATE = Ed25519PrivateKey.from_private_bytes(
    # The first test vector of RFC 8032, section 7.1: known to everybody, so good for an example and nothing else.
    bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
)
VALUE = {
    "id": record_id("comoros", "sighting", FEED, REFERENCE, 0),
    "exercise": True,
    "lifecycle": {"status": "initial", "revision": 0},
    "origin": {"member": "comoros", "feed": FEED, "reference": REFERENCE},
    "times": {
        "observed": {"at": datetime(2024, 1, 17, 4, 30, tzinfo=UTC), "precision": "minute"},
        "received_at": datetime(2024, 1, 17, 4, 52, 7, 250_000, tzinfo=UTC),
    },
    "event": {"type": "irregular-migration"},
    "position": {"latitude": -12.5, "longitude": 44.75},
    "craft": {"colours": ["blue", "white"], "persons_on_board": {"min": 25.0, "max": 30.0, "estimated": True}},
    "handling": {"tlp": "AMBER"},
}


def example() -> bytes:
    """The frame of the example."""
    return Codec(LOCK).encode("sighting", VALUE)


def explained(frame: bytes) -> list[str]:
    """The rows of the table; nulls that follow one another share a row."""
    rows = []
    quiet: list[Part] = []
    for part in [*taken_apart(frame), None]:
        if part is not None and part.says == "null":
            quiet.append(part)
            continue
        if quiet:
            names = ", ".join(f"`{each.path}`" for each in quiet)
            rows.append(f"| {quiet[0].at} | `{b''.join(each.data for each in quiet).hex(' ')}` | {names} | null |")
            quiet = []
        if part is not None:
            rows.append(f"| {part.at} | `{part.data.hex(' ')}` | {f'`{part.path}`' if part.path else ''} | {part.says} |")
    return rows


def written() -> str:
    """The example as the page shows it."""
    frame, public, key = example(), PRIVATE.public_key(), str(VALUE["id"])
    signature, signed = sign(PRIVATE, TOPIC, frame), signed_bytes(TOPIC, frame)
    placed = murmur2(key.encode())
    return "\n".join(
        [
            "```",
            f"topic       {TOPIC}",
            f"key         {key}",
            f"partition   murmur2(key) = 0x{placed & 0xFFFFFFFF:08x}; of 4 partitions: {(placed & 0x7FFFFFFF) % 4}",
            "headers",
            f"  boutre-key         {key_id(public)}",
            f"  boutre-signature   {signature.hex()[:64]}",
            f"                     {signature.hex()[64:]}  (64 bytes, here in hexadecimal)",
            "  ce_specversion     1.0",
            "  ce_type            boutre.sighting",
            f"  ce_source          /comoros/{FEED}",
            f"  ce_id              {key}",
            "  content-type       application/avro",
            f"value       {len(frame)} bytes",
            "",
            *dump(frame),
            "```",
            "",
            "The keys are those of RFC 8032, section 7.1, test 1: an example, and no member's.",
            "",
            "```",
            f"private key   {PRIVATE.private_bytes_raw().hex()}",
            f"public key    {public.public_bytes_raw().hex()}",
            f"signed        {len(signed)} bytes, SHA-256 {hashlib.sha256(signed).hexdigest()}",
            "before the frame:",
            *dump(signed[: -len(frame)]),
            "```",
            "",
            "| at | bytes | field | what they say |",
            "|---|---|---|---|",
            *explained(frame),
        ]
    )


def ids() -> str:
    """The table of ids as the page shows it."""
    return "\n".join(
        [
            "| kind | version | id | a frame begins with | SHA-256 of the schema's file begins with |",
            "|---|---|---|---|---|",
            *(
                f"| `{entry.kind}` | {entry.version} | {entry.id} | `00 {entry.id.to_bytes(4, 'big').hex(' ')}` "
                f"| `{entry.sha256[:16]}` |"
                for entry in LOCK.entries
            ),
        ]
    )


PAGE = Page("docs/wire.md", "tests/domain/test_wire_page.py", {"ids": ids, "example": written})


def dumped() -> bytes:
    """The frame as the page's first dump has it, read as a client's author would type it off."""
    block = PAGE.shown("example").partition("value  ")[2].partition("```")[0]
    return bytes.fromhex("".join(re.findall(r"^[0-9a-f]{4}  ((?:[0-9a-f]{2} ?)+)", block, re.MULTILINE)))


def given(name: str) -> str:
    """What the page says for one line of the example."""
    found = re.search(rf"^ *{name} +(\S+)", PAGE.text, re.MULTILINE)
    assert found is not None
    return found[1]


# --- The page holds ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", PAGE.parts)
def test_the_page_shows_what_the_bus_writes(name: str) -> None:
    """The ids and the example on the page are those of this version of the bus, to the byte."""
    assert PAGE.shown(name) == PAGE.parts[name]()


def test_the_dump_is_the_frame() -> None:
    """Who types off the page's dump has the frame."""
    assert dumped() == example()


def test_every_byte_is_explained_once() -> None:
    """The table's rows follow one another without a gap and end where the frame ends."""
    parts = taken_apart(example())

    assert example() == b"".join(part.data for part in parts)
    assert [part.at for part in parts] == [sum(len(each.data) for each in parts[:place]) for place in range(len(parts))]


def test_apache_avro_reads_the_same() -> None:
    """Apache's own implementation reads the bytes of the page, by the locked schema, as the value that the bus wrote."""
    frame = dumped()
    entry = LOCK.by_id(int.from_bytes(frame[1:5], "big"))
    assert entry is not None
    body = BytesIO(frame[5:])
    told: Any = avro.io.DatumReader(avro.schema.parse(json.dumps(entry.schema))).read(avro.io.BinaryDecoder(body))

    assert body.read() == b""
    assert told == Codec(LOCK).decode(frame).value


def test_apache_avro_writes_the_same() -> None:
    """A client that writes with another implementation of Avro gets bytes that the bus takes: the form on the page is common."""
    entry = LOCK.latest("sighting")
    schema = avro.schema.parse(json.dumps(entry.schema))
    body = BytesIO()
    avro.io.DatumWriter(schema).write(Codec(LOCK).decode(example()).value, avro.io.BinaryEncoder(body))

    assert example() == example()[:5] + body.getvalue()


def test_the_signature_on_the_page_is_checked_by_what_the_page_says() -> None:
    """Who builds the signed bytes from the page's own words verifies its signature; another topic or one other byte fails."""
    topic, frame, signature = TOPIC.encode(), dumped(), bytes.fromhex(given("boutre-signature"))
    signature += bytes.fromhex(re.search(r"^ {21}([0-9a-f]{64})", PAGE.text, re.MULTILINE)[1])  # type: ignore[index]  # it is there
    key = re.search(r"public key +([0-9a-f]{64})", PAGE.text)
    assert key is not None
    public = Ed25519PublicKey.from_public_bytes(bytes.fromhex(key[1]))
    signed = b"boutre national record 1\0" + struct.pack(">H", len(topic)) + topic + frame

    public.verify(signature, signed)
    assert given("boutre-key") == hashlib.sha256(bytes.fromhex(key[1])).hexdigest()[:16]
    for other in (signed.replace(b"sighting", b"interception", 1), signed[:-1] + bytes([signed[-1] ^ 1])):
        with pytest.raises(InvalidSignature):
            public.verify(signature, other)


def test_the_id_on_the_page_is_made_as_the_page_says() -> None:
    """SHA-256 over the parts, each behind its length, in base 32: what a client of another language must do."""
    parts = ["comoros", "sighting", FEED, REFERENCE, "0"]
    digest = hashlib.sha256(b"boutre record\0" + b"".join(struct.pack(">I", len(p.encode())) + p.encode() for p in parts)).digest()
    alphabet = "abcdefghijklmnopqrstuvwxyz234567"
    bits = "".join(f"{byte:08b}" for byte in digest[:20])

    assert VALUE["id"] == "".join(alphabet[int(bits[at : at + 5], 2)] for at in range(0, 160, 5))
    assert given("key") == VALUE["id"]


def test_the_example_would_be_accepted() -> None:
    """The example is a report that makes sense: nothing is missing, impossible or unknown in it."""
    words = vocabulary.load(core() / "vocabularies")
    now = datetime(2024, 1, 17, 5, tzinfo=UTC)

    assert Validator(LOCK, words.has).check("sighting", Codec(LOCK).decode(example()).value, now) == []


def test_numbers_of_the_page_are_those_of_the_code() -> None:
    """The size that the page promises is the size that the codec takes."""
    assert f"{MAX_BYTES:,} bytes" in PAGE.text


if __name__ == "__main__":
    PAGE.write()
