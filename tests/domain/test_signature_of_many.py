"""
One signature for many records: each is proved by itself, to the last bit, and what was proved once opens no door.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from boutre.errors import Refuse
from boutre.processors.decision import Outbound
from boutre.schemas import merkle, signature
from boutre.schemas.signature import (
    BATCH_CONTEXT,
    KEY_HEADER,
    MOST_TOGETHER,
    PROOF_HEADER,
    SIGNATURE_HEADER,
    Keyring,
    key_id,
    sign,
    sign_batch,
    signed_bytes,
)
from records import handler, inbound, keyring, kwassa, national, private

TOPIC = "national.comoros.interception"
SIZES = (2, 3, 4, 5, 7, 8, 9, 33)


@cache
def batch(size: int, member: str = "comoros") -> tuple[tuple[tuple[str, bytes], dict[str, bytes]], ...]:
    """Records of a member, on two topics, with the headers that prove them."""
    records = [(TOPIC if number % 2 else "national.comoros.sighting", f"frame {number}".encode()) for number in range(size)]
    return tuple(zip(records, sign_batch(private(member), records), strict=True))


def why(
    record: tuple[str, bytes], headers: Mapping[str, bytes], ring: Keyring | None = None, member: str = "comoros"
) -> str | None:
    """Why a record is not believed, or None where it is."""
    try:
        (ring or keyring()).verify(member, *record, headers)
    except Refuse as refusal:
        return refusal.code
    return None


@pytest.fixture(params=["fresh", "proved"])
def remembered(request: pytest.FixtureRequest) -> Iterator[bool]:
    """Whether the batches of these tests were all proved just before: what is refused must be refused both times."""
    signature._prove.cache_clear()
    if request.param == "proved":
        for size in SIZES:
            for record, headers in batch(size):
                assert why(record, headers) is None
    yield request.param == "proved"
    signature._prove.cache_clear()


def turned(content: bytes, bit: int) -> bytes:
    """Another bit."""
    wrong = bytearray(content)
    wrong[bit // 8] ^= 1 << bit % 8
    return bytes(wrong)


def test_each_record_is_proved_by_itself() -> None:
    """
    In any order, alone, and by who has seen none of the others.
    """
    for size in SIZES:
        for record, headers in reversed(batch(size)):
            signature._prove.cache_clear()

            assert why(record, headers) is None


def test_all_have_one_signature_and_cost_one() -> None:
    """
    The signature is the same in all headers, and is checked once.
    """
    signature._prove.cache_clear()
    for record, headers in batch(33):
        assert why(record, headers) is None

    assert 1 == len({headers[SIGNATURE_HEADER] for _, headers in batch(33)})
    assert (32, 1) == signature._prove.cache_info()[:2]


def test_one_alone_is_signed_as_it_is() -> None:
    """
    Without a proof: there is one form for each batch. None is none, and too many are a mistake of whoever signs.
    """
    (alone,) = sign_batch(private("comoros"), [(TOPIC, b"frame")])
    own = private("comoros")

    assert {KEY_HEADER: key_id(own.public_key()).encode(), SIGNATURE_HEADER: sign(own, TOPIC, b"frame")} == alone
    assert [] == sign_batch(own, [])
    with pytest.raises(ValueError, match="at most 4096"):
        sign_batch(own, [(TOPIC, b"")] * (MOST_TOGETHER + 1))


def test_the_same_batch_is_never_hashed_alike() -> None:
    """
    Each leaf has random bytes of its own, so that a proof tells nothing of the record beside: equal records have other hashes.
    """
    first, second = (sign_batch(private("comoros"), [(TOPIC, b"same")] * 2) for _ in range(2))
    salts = {each[PROOF_HEADER][4:20] for each in (*first, *second)}
    beside = {each[PROOF_HEADER][20:] for each in (*first, *second)}

    assert (4, 4) == (len(salts), len(beside))


@pytest.mark.usefixtures("remembered")
@given(size=st.sampled_from(SIZES), data=st.data())
@settings(max_examples=80, deadline=None)
def test_any_bit_of_anything(size: int, data: st.DataObject) -> None:
    """
    Of frame, topic, proof (index, count, salt, hashes), signature: turned, nothing is proved; nor by another name of a key.
    """
    (topic, frame), headers = batch(size)[data.draw(st.integers(0, size - 1))]
    part = data.draw(st.sampled_from(["frame", "topic", "index and count", PROOF_HEADER, SIGNATURE_HEADER, KEY_HEADER]))
    if part == "frame":
        wrong = why((topic, turned(frame, data.draw(st.integers(0, len(frame) * 8 - 1)))), headers)
    elif part == "topic":
        # The lower bits alone, so that it stays a text.
        place = data.draw(st.integers(0, len(topic) - 1))
        wrong = why((turned(topic.encode(), place * 8 + data.draw(st.integers(0, 6))).decode(), frame), headers)
    elif part == KEY_HEADER:
        wrong = why((topic, frame), {**headers, part: turned(headers[part], data.draw(st.integers(0, 16 * 8 - 1)))})
        assert "unknown-key" == wrong
        return
    else:
        name = PROOF_HEADER if part == "index and count" else part
        most = 32 if part == "index and count" else len(headers[name]) * 8
        wrong = why((topic, frame), {**headers, name: turned(headers[name], data.draw(st.integers(0, most - 1)))})

    assert "bad-signature" == wrong


@pytest.mark.usefixtures("remembered")
@given(size=st.sampled_from(SIZES), data=st.data())
@settings(max_examples=60, deadline=None)
def test_parts_of_two_proofs_do_not_mix(size: int, data: st.DataObject) -> None:
    """
    Another record's proof, the signature of another batch, and the signature of this very record by itself beside a proof.
    """
    place = data.draw(st.integers(0, size - 1))
    record, headers = batch(size)[place]
    other = data.draw(st.integers(0, size - 1).filter(lambda each: each != place))
    foreign = batch(data.draw(st.sampled_from([each for each in SIZES if each != size])))[0][1]

    for mixed in (
        {PROOF_HEADER: batch(size)[other][1][PROOF_HEADER]},
        {PROOF_HEADER: foreign[PROOF_HEADER]},
        {SIGNATURE_HEADER: foreign[SIGNATURE_HEADER]},
        {SIGNATURE_HEADER: sign(private("comoros"), *record)},
    ):
        assert "bad-signature" == why(record, {**headers, **mixed})


@pytest.mark.usefixtures("remembered")
@pytest.mark.parametrize("proof", [b"", b"\0", bytes(4), bytes(20), bytes(52), bytes(2) + b"\0\2" + bytes(16)])
def test_a_proof_that_is_none(proof: bytes) -> None:
    """
    An empty header is no absent one: with it, not even a record that was signed by itself is believed.
    """
    record, headers = batch(2)[0]

    assert "bad-signature" == why(record, {**headers, PROOF_HEADER: proof})
    assert "bad-signature" == why(record, {**headers, SIGNATURE_HEADER: sign(private("comoros"), *record), PROOF_HEADER: proof})


@pytest.mark.usefixtures("remembered")
def test_without_its_proof_a_batch_proves_nothing() -> None:
    """
    The signature is over the root and not over any record.
    """
    record, headers = batch(5)[3]

    assert "bad-signature" == why(record, {name: value for name, value in headers.items() if name != PROOF_HEADER})


@pytest.mark.usefixtures("remembered")
def test_what_is_signed_for_one_form_is_nothing_in_the_other() -> None:
    """
    A frame that was made like the bytes of a root is signed as a frame: its own context stands before it.
    """
    own = private("comoros")
    (topic, frame), headers = batch(2)[0]
    reached = merkle.climb(headers[PROOF_HEADER], signed_bytes(topic, frame))
    assert reached is not None

    for signed in (sign(own, "", BATCH_CONTEXT + reached), sign(own, topic, reached), own.sign(reached)):
        assert "bad-signature" == why((topic, frame), {**headers, SIGNATURE_HEADER: signed})


@pytest.mark.usefixtures("remembered")
@pytest.mark.parametrize("mark", [b"", b"\1"])
def test_a_node_is_no_record(mark: bytes) -> None:
    """
    The hashes below a node, given as a record of a smaller tree with the same root above: refused, by the signature of the batch.
    """
    records, headers = zip(*batch(4), strict=True)
    salts = [each[PROOF_HEADER][4:20] for each in headers]
    first, second = (merkle.leaf(salts[place], signed_bytes(*records[place])) for place in (0, 1))
    below, right = mark + first + second, headers[0][PROOF_HEADER][-32:]
    for salt, frame in ((below[:16], below[16:]), (bytes(16), below)):
        assert "bad-signature" == why(("", frame), {**headers[0], PROOF_HEADER: merkle.proof(0, 2, salt, [right])})


def test_the_count_is_signed() -> None:
    """
    A root is a root of so many: whoever holds one can't say it of a tree of another shape.
    """
    own = private("comoros")
    records = [(TOPIC, b"a"), (TOPIC, b"b")]
    headers = sign_batch(own, records)[0]
    reached = merkle.climb(headers[PROOF_HEADER], signed_bytes(*records[0]))
    assert reached is not None
    unsaid = own.sign(BATCH_CONTEXT + reached[2:])
    other = own.sign(BATCH_CONTEXT + b"\0\3" + reached[2:])

    assert reached[:2] == b"\0\2"
    assert ["bad-signature"] * 2 == [why(records[0], {**headers, SIGNATURE_HEADER: wrong}) for wrong in (unsaid, other)]


@pytest.mark.usefixtures("remembered")
def test_another_members_batch() -> None:
    """
    A batch proves its own member's records alone, however often it was proved; and nothing under the name of another's key.
    """
    records = [(TOPIC, b"one"), (TOPIC, b"two")]
    france = sign_batch(private("france"), records)
    comoros = key_id(private("comoros").public_key()).encode()

    assert [None, None] == [why(record, each, member="france") for record, each in zip(records, france, strict=True)]
    for record, headers in zip(records, france, strict=True):
        assert "foreign-member" == why(record, headers)
        assert "bad-signature" == why(record, {**headers, KEY_HEADER: comoros})


def test_a_key_that_changes_its_bytes_takes_no_proof_along() -> None:
    """
    What is remembered is bound to the key itself: under a name that now stands for another key nothing is proved.
    """
    record, headers = batch(3)[0]
    name = headers[KEY_HEADER].decode()
    assert why(record, headers) is None

    assert "bad-signature" == why(record, headers, Keyring({name: ("comoros", private("france").public_key())}))


@pytest.mark.usefixtures("remembered")
def test_a_revoked_key_proves_nothing_more() -> None:
    """
    Also in the middle of a batch that was proved under it.
    """
    (first, headers), (second, others), *_ = batch(5)
    name = headers[KEY_HEADER].decode()

    assert why(first, headers) is None
    assert "revoked-key" == why(second, others, replace(keyring(), revoked=frozenset({name})))
    assert "revoked-key" == why(first, headers, Keyring({}, frozenset({name})))
    assert "unknown-key" == why(first, headers, Keyring({}))


def test_what_fails_is_not_remembered() -> None:
    """
    Neither as wrong, so that nobody fills the memory, nor as right: the true record is believed after any number of forged ones.
    """
    signature._prove.cache_clear()
    record, headers = batch(7)[2]
    for bit in range(0, 512, 31):
        assert "bad-signature" == why(record, {**headers, SIGNATURE_HEADER: turned(headers[SIGNATURE_HEADER], bit)})
        assert "bad-signature" == why((TOPIC, b"forged"), headers)

    assert 0 == signature._prove.cache_info().currsize
    assert why(record, headers) is None
    assert "bad-signature" == why((TOPIC, b"forged"), headers)
    assert 1 == signature._prove.cache_info().currsize


def test_memory_is_bounded() -> None:
    """
    A member who signs without end pushes out the oldest, which costs time and nothing else.
    """
    info = signature._prove.cache_info()

    assert signature.REMEMBERED == info.maxsize
    assert merkle._way.cache_info().maxsize is not None


@pytest.mark.parametrize("place", [0, 1, 2])
def test_accept_takes_a_record_of_a_batch(place: int) -> None:
    """
    As it takes one that was signed by itself, and refuses it when it was changed.
    """
    singles = [national("interception", kwassa(f"KM-{number}")) for number in range(3)]
    proofs = sign_batch(private("comoros"), [(single.topic, single.value) for single in singles])
    one = singles[place]
    out, moved = (Outbound(one.topic, one.key, one.value, one.timestamp, tuple(proofs[at].items())) for at in (place, place - 1))

    taken, refused = (handler("accept-reports")(inbound(each), {}) for each in (out, moved))
    assert ("emitted", None) == (taken.outcome, taken.reason)
    assert ("rejected", "bad-signature") == (refused.outcome, refused.reason)
