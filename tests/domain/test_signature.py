"""
Signatures: a record is its member's, for its topic, to the last bit.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from boutre.errors import Refuse
from boutre.processors.decision import Outbound
from boutre.schemas.signature import CONTEXT, KEY_HEADER, SIGNATURE_HEADER, Keyring, key_id, sign, signed_bytes
from records import handler, inbound, keyring, kwassa, national, private

TOPIC = "national.comoros.interception"
OUT = national("interception", kwassa())
HEADERS = dict(OUT.headers)


def why(
    ring: Keyring | None = None,
    *,
    member: str = "comoros",
    topic: str = TOPIC,
    frame: bytes = OUT.value,
    headers: Mapping[str, bytes] = HEADERS,
) -> str | None:
    """Why a record is not believed, or None where it is."""
    try:
        (ring or keyring()).verify(member, topic, frame, headers)
    except Refuse as refusal:
        return refusal.code
    return None


def test_what_is_signed_is_believed() -> None:
    """
    The frame, for the topic, by the member's key: in the bytes that docs/wire.md tells.
    """
    assert why() is None
    assert signed_bytes("ab", b"frame") == CONTEXT + b"\x00\x02ab" + b"frame"
    assert 64 == len(sign(private("comoros"), TOPIC, OUT.value))
    assert key_id(private("comoros").public_key()).encode() == HEADERS[KEY_HEADER]


@given(st.integers(0, len(OUT.value) * 8 - 1))
@settings(max_examples=60, deadline=None)
def test_any_bit_of_the_frame(bit: int) -> None:
    """
    Turned, it makes another frame, which nobody has signed.
    """
    frame = bytearray(OUT.value)
    frame[bit // 8] ^= 1 << bit % 8

    assert "bad-signature" == why(frame=bytes(frame))


@pytest.mark.parametrize("bit", range(0, 512, 7))
def test_any_bit_of_the_signature(bit: int) -> None:
    """
    Turned, it is another signature, and there is but one.
    """
    wrong = bytearray(HEADERS[SIGNATURE_HEADER])
    wrong[bit // 8] ^= 1 << bit % 8

    assert "bad-signature" == why(headers={**HEADERS, SIGNATURE_HEADER: bytes(wrong)})


@pytest.mark.parametrize(
    "topic", ["national.comoros.sighting", "national.comoros.interceptio", "national.comoros.interceptionn", ""]
)
def test_another_topic(topic: str) -> None:
    """
    A record cannot be moved.
    """
    assert "bad-signature" == why(topic=topic)


def test_what_ends_one_thing_does_not_begin_the_next() -> None:
    """
    A byte moved from the frame to the topic is signed as something else.
    """
    signature = sign(private("comoros"), "ab", b"cd")

    assert "bad-signature" == why(topic="abc", frame=b"d", headers={**HEADERS, SIGNATURE_HEADER: signature})


@pytest.mark.parametrize("length", [0, 1, 63, 65, 128])
def test_a_signature_of_another_length(length: int) -> None:
    """
    None is as good as not signed; any other is wrong.
    """
    signature = (HEADERS[SIGNATURE_HEADER] * 2)[:length]

    assert ("bad-signature" if length else "unsigned") == why(headers={**HEADERS, SIGNATURE_HEADER: signature})


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({}, "unsigned"),
        ({KEY_HEADER: HEADERS[KEY_HEADER]}, "unsigned"),
        ({SIGNATURE_HEADER: HEADERS[SIGNATURE_HEADER]}, "unsigned"),
        ({**HEADERS, KEY_HEADER: b""}, "unsigned"),
        ({**HEADERS, KEY_HEADER: b"0" * 16}, "unknown-key"),
        ({**HEADERS, KEY_HEADER: HEADERS[KEY_HEADER].upper()}, "unknown-key"),
        ({**HEADERS, KEY_HEADER: HEADERS[KEY_HEADER] + b" "}, "unknown-key"),
        ({**HEADERS, KEY_HEADER: b"\xff\x00"}, "unknown-key"),
    ],
)
def test_headers_that_name_no_key_or_no_signature(headers: dict[str, bytes], code: str) -> None:
    """
    Each is refused for what it lacks.
    """
    assert code == why(headers=headers)


def test_a_key_belongs_to_one_member() -> None:
    """
    Another member's key proves nothing here, even where its signature is right; nor does the right key's name beside it.
    """
    france = private("france")
    signature = sign(france, TOPIC, OUT.value)

    assert "foreign-member" == why(headers={KEY_HEADER: key_id(france.public_key()).encode(), SIGNATURE_HEADER: signature})
    assert "bad-signature" == why(headers={**HEADERS, SIGNATURE_HEADER: signature})
    assert "foreign-member" == why(member="france")


def test_a_revoked_key_proves_nothing() -> None:
    """
    Whatever it has signed: it is told as revoked, also where the key itself is listed no more.
    """
    name = HEADERS[KEY_HEADER].decode()
    revoked = replace(keyring(), revoked=frozenset({name}))

    assert "revoked-key" == why(revoked)
    assert "revoked-key" == why(Keyring({}, frozenset({name})))
    assert "unknown-key" == why(Keyring({}))


@pytest.mark.parametrize("code", ["unsigned", "unknown-key", "bad-signature", "foreign-member"])
def test_accept_refuses_with_the_same_code(code: str) -> None:
    """
    What the keyring finds is what the owner is told.
    """
    wrong = {
        "unsigned": (),
        "unknown-key": ((KEY_HEADER, b"0" * 16), (SIGNATURE_HEADER, HEADERS[SIGNATURE_HEADER])),
        "bad-signature": ((KEY_HEADER, HEADERS[KEY_HEADER]), (SIGNATURE_HEADER, b"x" * 64)),
        "foreign-member": national("interception", kwassa(), signer="france").headers,
    }[code]
    out = Outbound(OUT.topic, OUT.key, OUT.value, OUT.timestamp, wrong)

    assert code == handler("accept-reports")(inbound(out), {}).reason
