"""
Sealing of views: what one recipient alone opens, bound to all that says what it is; nonces that never come twice.
"""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import date, timedelta

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st
from pyhpke import AEADId, CipherSuite, KDFId, KEMId, KEMKey

from boutre.errors import Refuse
from boutre.processors.decision import Outbound, Seal
from boutre.schemas.sealing.data_key import DataKey
from boutre.schemas.sealing.frame import NONCE_BYTES, head_of, is_sealed, open_frame
from boutre.schemas.sealing.suites import CLASSIC, HYBRID, NUMBERS, OpeningKey, SealingKey
from boutre.schemas.sealing.wrapping import HEAD_BYTES, WRAPPED_HEADER, unwrap, wrapped_for
from boutre.schemas.view_signature import SentView, sign_views, view_bytes
from records import CODEC, KINDS, Value, any_record
from sealed import BUS, DAY, finish, opening_key, proving, sent

RECIPIENT = "protection-partner"
TOPIC = f"for.{RECIPIENT}.sighting"
POLICY = "0123456789abcdef"
FRAME = b"\0BOU\6what only one may read"
VIEW = "view-1"
RING = proving().bus


def sealed(frame: bytes = FRAME, topic: str = TOPIC, key: bytes = b"subject", at: int = 1_790_000_000_000) -> SentView:
    """A view as it is sent."""
    seal = Seal(opening_key(RECIPIENT).id, POLICY)
    out = Outbound(topic, key, frame, at, (("ce_id", VIEW.encode()), ("content-type", b"application/avro")), seal)
    (done,) = finish([RECIPIENT], KINDS)([out])
    return sent(done)


def opened(view: SentView, recipient: str = RECIPIENT, key: OpeningKey | None = None) -> bytes | None:
    """What a reader with one private key gets of it, whoever signed it."""
    told = wrapped_for(view.headers.get(WRAPPED_HEADER, b""))
    data_key = None if told is None else unwrap(key or opening_key(recipient), recipient, told)
    if told is None or data_key is None:
        return None
    return open_frame(AESGCM(data_key), view.value, view.topic, view.id, told.head)


def flipped(data: bytes, bit: int) -> bytes:
    """The same but for one bit."""
    place = bit % (len(data) * 8)
    return data[: place // 8] + bytes((data[place // 8] ^ 1 << place % 8,)) + data[place // 8 + 1 :]


def code(view: SentView) -> str | None:
    """Why a view is not believed."""
    try:
        RING.verify(view)
    except Refuse as refused:
        return refused.code
    return None


SENT = sealed()


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data())
def test_its_recipient_reads_what_was_written(kind: str, data: st.DataObject) -> None:
    """
    A view of any kind comes out as the bytes that were sealed; what is sent has not one word of them, and is as long and 51 more.
    """
    value: Value = data.draw(any_record(kind))
    frame = CODEC.encode(kind, value)
    view = sealed(frame, f"for.{RECIPIENT}.{kind}")

    assert frame == opened(view)
    assert code(view) is None
    assert is_sealed(view.value)
    assert len(frame) + 51 == len(view.value)
    assert value["id"].encode() not in view.value


@given(
    bit=st.integers(min_value=0, max_value=10**6),
    part=st.sampled_from(("value", "key", "topic", "timestamp", "ce_id", WRAPPED_HEADER)),
)
def test_one_other_bit_and_it_is_no_view(bit: int, part: str) -> None:
    """
    Whatever bit of what its reader acts by is another, in the value, the key, the time, the topic or a header: it is not believed.
    """
    match part:
        case "value":
            other = replace(SENT, value=flipped(SENT.value, bit))
        case "key":
            other = replace(SENT, key=flipped(SENT.key, bit))
        case "topic":
            other = replace(SENT, topic=f"for.{RECIPIENT}.{KINDS[1 + bit % 3]}")
        case "timestamp":
            other = replace(SENT, timestamp=SENT.timestamp ^ 1 << bit % 63)
        case _:
            other = replace(SENT, headers={**SENT.headers, part: flipped(SENT.headers[part], bit)})

    assert "bad-signature" == code(other)


@pytest.mark.parametrize("part", ["boutre-signature", "boutre-key"])
@given(bit=st.integers(min_value=0, max_value=10**6))
def test_one_other_bit_of_its_proof_and_it_is_no_view(part: str, bit: int) -> None:
    """
    Another signature proves nothing, and another key is not the bus's.
    """
    other = replace(SENT, headers={**SENT.headers, part: flipped(SENT.headers[part], bit)})

    assert {"boutre-signature": "bad-signature", "boutre-key": "unknown-key"}[part] == code(other)


@given(bit=st.integers(min_value=0, max_value=10**6), part=st.sampled_from(("value", "topic", "ce_id", WRAPPED_HEADER)))
def test_the_seal_holds_without_the_signature(bit: int, part: str) -> None:
    """
    Even where somebody signed it anew: another bit of the value, of the topic, of the id or of the wrapped key, and nothing opens.
    """
    match part:
        case "value":
            other = replace(SENT, value=flipped(SENT.value, bit))
        case "topic":
            other = replace(SENT, topic=f"for.{RECIPIENT}.{KINDS[1 + bit % 3]}")
        case "ce_id":
            other = replace(SENT, headers={**SENT.headers, part: flipped(SENT.headers[part], bit)})
        case _:
            other = replace(SENT, headers={**SENT.headers, part: flipped(SENT.headers[part], bit)})

    assert FRAME == opened(SENT)
    assert opened(other) is None


@pytest.mark.parametrize("schema", [b"BOU\1", b"BOU\7"])
def test_it_is_of_its_schema_and_its_policy(schema: bytes) -> None:
    """
    Another schema id or another fingerprint in front of the same ciphertext does not open.
    """
    head = head_of(FRAME, POLICY)
    rest = SENT.value[len(head) :]

    assert FRAME == opened(replace(SENT, value=head + rest))
    assert opened(replace(SENT, value=head_of(b"\0" + schema, POLICY) + rest)) is None
    assert opened(replace(SENT, value=head_of(FRAME, POLICY[::-1]) + rest)) is None


@given(st.binary(max_size=200))
def test_any_bytes_are_read_without_an_exception(data: bytes) -> None:
    """
    What is no sealed view opens as nothing, and a header that is none is none.
    """
    for value in (data, SENT.value[:7] + data, b"\xb0\1" + data):
        assert opened(replace(SENT, value=value)) is None
    for header in (data, SENT.headers[WRAPPED_HEADER][:HEAD_BYTES] + data, b"\1\1" + data):
        assert opened(replace(SENT, headers={**SENT.headers, WRAPPED_HEADER: header})) is None


@pytest.mark.parametrize("suite", sorted(NUMBERS))
def test_nobody_elses_key_opens_it(suite: str) -> None:
    """
    Another key of the same suite, of the other suite, and the right key under another recipient's name open nothing.
    """
    own = OpeningKey.new(suite)
    data = DataKey(SealingKey.of(suite, own.public), RECIPIENT, DAY)
    view = SentView(TOPIC, b"", 0, {"ce_id": b"1", WRAPPED_HEADER: data.wrapped}, data.seal(FRAME, TOPIC, "1", POLICY))

    assert FRAME == opened(view, key=own)
    assert [None, None] == [opened(view, key=OpeningKey.new(other)) for other in sorted(NUMBERS)]
    assert opened(view, "rmifc", own) is None
    assert own.id == OpeningKey.of(own.pem).id
    assert FRAME == opened(view, key=OpeningKey.of(own.pem))


def test_a_second_implementation_unwraps_the_data_key() -> None:
    """
    What stands in the header is HPKE as RFC 9180 has it: another library opens it, and with its key the view.
    """
    told = wrapped_for(SENT.headers[WRAPPED_HEADER])
    assert told is not None
    suite = CipherSuite.new(KEMId.DHKEM_X25519_HKDF_SHA256, KDFId.HKDF_SHA256, AEADId.AES256_GCM)
    key = KEMKey.from_pyca_cryptography_key(opening_key(RECIPIENT)._parts[0])
    info = b"boutre data key 1\0" + len(RECIPIENT).to_bytes(2, "big") + RECIPIENT.encode() + told.head
    data_key = suite.create_recipient_context(told.body[:32], key, info=info).open(told.body[32:])

    assert data_key == unwrap(opening_key(RECIPIENT), RECIPIENT, told)
    assert FRAME == open_frame(AESGCM(data_key), SENT.value, TOPIC, VIEW, told.head)


# --- Nonces and epochs -----------------------------------------------------------------------------------------------------------


def nonce(value: bytes) -> bytes:
    """The nonce of a sealed view."""
    end = len(head_of(FRAME, POLICY))
    return value[end : end + NONCE_BYTES]


@given(st.lists(st.booleans(), min_size=1, max_size=60))
def test_no_nonce_comes_twice_under_one_data_key(refreshed: list[bool]) -> None:
    """
    However transactions fall: even were the random part always the same, the count keeps nonces apart.
    """
    key = opening_key(RECIPIENT)
    data = DataKey(SealingKey.of(CLASSIC, key.public), RECIPIENT, DAY, lambda count: b"\7" * count)
    found = []
    for fresh in refreshed:
        if fresh:
            data.refresh()
        found.append(nonce(data.seal(FRAME, TOPIC, VIEW, POLICY)))

    assert len(refreshed) == len(set(found))


def test_a_data_key_ends_with_its_day_its_number_and_its_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    On the next day, after as many views as it may seal, and in a process that was copied, another one is drawn.
    """
    key = SealingKey.of(CLASSIC, opening_key(RECIPIENT).public)
    data = DataKey(key, RECIPIENT, DAY, most=2)
    lasted = []
    for _ in range(2):
        lasted.append(data.lasts(DAY))
        data.seal(FRAME, TOPIC, VIEW, POLICY)

    assert [True, True, False] == [*lasted, data.lasts(DAY)]
    with pytest.raises(ValueError, match="all that it may"):
        data.seal(FRAME, TOPIC, VIEW, POLICY)
    other = DataKey(key, RECIPIENT, DAY)
    assert [False, False] == [other.lasts(DAY + timedelta(days=1)), other.lasts(DAY - timedelta(days=1))]
    monkeypatch.setattr(os, "getpid", lambda: -1)
    assert not other.lasts(DAY)


def test_an_epoch_says_when_it_began() -> None:
    """
    A header names its day, so that who has lost a key knows since when; two epochs of one day are two.
    """
    key = SealingKey.of(CLASSIC, opening_key(RECIPIENT).public)
    first, second = (DataKey(key, RECIPIENT, date(2026, 2, 28)).wrapped for _ in range(2))
    told = wrapped_for(first)

    assert told is not None
    assert (date(2026, 2, 28), key.id, NUMBERS[CLASSIC]) == (told.began, told.key, told.suite)
    assert first[:HEAD_BYTES] != second[:HEAD_BYTES]


# --- Keys ------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("suite", "public"),
    [
        (CLASSIC, b""),
        (CLASSIC, bytes(32)),
        (CLASSIC, bytes(31)),
        (CLASSIC, b"\1" + bytes(31)),
        (HYBRID, bytes(32)),
        (HYBRID, bytes(1216)),
        (HYBRID, b"\xff" * 1216),
        ("P-256", bytes(32)),
    ],
    ids=["empty", "zero", "short", "small order", "hybrid short", "hybrid zero", "hybrid of no modulus", "unknown suite"],
)
def test_a_key_that_can_wrap_nothing_is_none(suite: str, public: bytes) -> None:
    """
    It is found when it is read: points of small order, wrong lengths, what is no key of ML-KEM.
    """
    with pytest.raises(ValueError, match=r"key|suite"):
        SealingKey.of(suite, public)


def test_what_is_no_plain_frame_is_not_sealed() -> None:
    """
    Nothing is sealed twice, and nothing that its reader could not decode.
    """
    for value in (b"", b"\0BOU", SENT.value, b"\1BOU\6x"):
        with pytest.raises(ValueError, match="plain frame"):
            head_of(value, POLICY)


def test_views_of_a_batch_prove_themselves() -> None:
    """
    Of many views that one signature is for, each is believed by itself, and none in the place of another.
    """
    views = [SentView(TOPIC, b"%d" % number, number, {"ce_id": b"%d" % number}, FRAME) for number in range(5)]
    contents = [view_bytes(TOPIC.encode(), view.key, view.timestamp, (view.headers["ce_id"], b""), view.value) for view in views]
    proofs = sign_views(BUS, contents)
    told = [replace(view, headers={**view.headers, **proof}) for view, proof in zip(views, proofs, strict=True)]
    swapped = [replace(view, headers={**view.headers, **proof}) for view, proof in zip(views, proofs[1:], strict=False)]

    assert [None] * 5 == [code(view) for view in told]
    assert {"bad-signature"} == {code(view) for view in swapped}
    assert "unsigned" == code(views[0])
