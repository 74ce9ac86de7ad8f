"""
Personal groups under a case key: what is sealed, what opens, and what does not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from boutre.errors import Refuse
from boutre.schemas.cases import OPEN, PERSONAL
from boutre.schemas.cases.groups import ALGORITHM, Opener, case_keys, personal, seal
from boutre.schemas.marks import Sealed
from boutre.schemas.sealing.suites import CLASSIC, OpeningKey, SealingKey
from records import CODEC, FIELDS, LOCK, any_record, kwassa

CASE = OpeningKey.new(CLASSIC)
OTHER = OpeningKey.new(CLASSIC)
CANARY = "Nobody Real was seen at the well"

PEOPLE: Mapping[str, Any] = {
    "victims": [{"name": CANARY}],
    "narrative": [{"language": "en", "text": CANARY}],
    "vulnerability": {"pregnant": {"min": 1.0, "max": 1.0, "estimated": False}},
}


def taken() -> SealingKey:
    """The public half of the case key of these tests."""
    return SealingKey.of(CLASSIC, CASE.public)


def key_of(identifier: str, member: str, record: str) -> OpeningKey:
    """A vault of one key."""
    del member, record
    if identifier != CASE.id:
        raise Refuse("unknown-case-key")
    return CASE


OPENER = Opener(CODEC, key_of)


def sealed(value: Mapping[str, Any], kind: str = "interception") -> bytes:
    """A record as its connector sends it."""
    return seal(CODEC, CODEC.decode(CODEC.encode(kind, value)), taken)


def code(frame: bytes, opener: Opener = OPENER) -> str:
    """Why a frame is refused."""
    with pytest.raises(Refuse) as refused:
        opener(CODEC.decode(frame))
    return refused.value.code


def test_personal_groups_are_those_that_the_schemas_allow_to_be_sealed() -> None:
    """The names in the code are those of every schema: a group that a later schema lets be sealed is not forgotten."""
    for kind in ("sighting", "interception", "alert"):
        allowed = {info.path for info in FIELDS[kind] if info.sealable}
        assert allowed == {name for name in PERSONAL if any(info.path == name for info in FIELDS[kind])}
    assert set(PERSONAL) == {info.path for kind in LOCK.kinds if kind in FIELDS for info in FIELDS[kind] if info.sealable}


def test_open_fields_are_fields_of_personal_groups_and_hold_no_text_of_a_person() -> None:
    """What may stand unsealed exists, and is a number, a yes or no, or a port: never a list, a name or free text."""
    for group, names in OPEN.items():
        assert group in PERSONAL
        found = {info.name: info for info in FIELDS["interception"] if info.path in {f"{group}.{name}" for name in names}}
        assert names == found.keys()
        for name, info in found.items():
            assert info.type_name in {"Range", "boolean"} or name == "disembarkation"


@given(st.sampled_from(["sighting", "interception", "alert"]).flatmap(lambda kind: st.tuples(st.just(kind), any_record(kind))))
def test_what_is_sealed_opens_to_the_same_bytes(drawn: tuple[str, Mapping[str, Any]]) -> None:
    """For any record: sealing and opening gives its frame again, byte for byte, and in between no personal group stands open."""
    kind, value = drawn
    plain = CODEC.encode(kind, value)
    frame = sealed(value, kind)
    between = CODEC.decode(frame)
    assert () == personal(between.value)
    assert plain == OPENER(between).frame
    names = personal(CODEC.decode(plain).value)
    assert (frozenset({CASE.id}) if names else frozenset()) == case_keys(between.value)
    if not names:
        assert plain == frame


def test_the_text_is_not_in_the_bytes() -> None:
    """A canary in what names people stands in the plain frame, and not in the sealed one."""
    value = {**kwassa(), **PEOPLE}
    assert CANARY.encode() in CODEC.encode("interception", value)
    assert CANARY.encode() not in sealed(value)


def test_no_key_is_taken_for_what_names_nobody() -> None:
    """A record without personal groups takes no key of the pool."""

    def none_left() -> SealingKey:
        raise AssertionError

    plain = CODEC.encode("interception", {**kwassa(), **dict.fromkeys(PERSONAL)})
    assert plain == seal(CODEC, CODEC.decode(plain), none_left)


def test_open_groups_are_refused() -> None:
    """A personal group that stands open is refused by its name; who only asks may look at it."""
    frame = CODEC.encode("interception", {**kwassa(), **PEOPLE})
    with pytest.raises(Refuse) as refused:
        OPENER(CODEC.decode(frame))
    assert ("not-sealed", "vulnerability") == (refused.value.code, refused.value.field)
    assert frame == replace(OPENER, demands=False)(CODEC.decode(frame)).frame


def mangled(value: Mapping[str, Any], **changes: Any) -> bytes:
    """A sealed record, with changes of its only sealed group, victims."""
    decoded = CODEC.decode(sealed({**value, **dict.fromkeys(PERSONAL), "victims": PEOPLE["victims"]}))
    return decoded.frame_with({"victims": replace(decoded.value["victims"], **changes)})


def test_what_does_not_fit_does_not_open() -> None:
    """One bit, another algorithm, another key, no key, two keys: each is refused, and none raises anything else."""
    group = CODEC.decode(sealed({**kwassa(), "victims": PEOPLE["victims"]})).value["victims"]
    (key,) = group.keys
    assert isinstance(group, Sealed)
    assert ALGORITHM == group.algorithm
    flipped = bytes([group.ciphertext[0] ^ 1]) + group.ciphertext[1:]
    for changes, why in (
        ({"ciphertext": flipped}, "cannot-be-opened"),
        ({"ciphertext": b""}, "cannot-be-opened"),
        ({"nonce": b""}, "cannot-be-opened"),
        ({"nonce": bytes(12)}, "cannot-be-opened"),
        ({"algorithm": "none"}, "cannot-be-opened"),
        ({"keys": ()}, "cannot-be-opened"),
        ({"keys": (dict(key), dict(key))}, "cannot-be-opened"),
        ({"keys": ({**key, "wrapped": b""},)}, "cannot-be-opened"),
        ({"keys": ({**key, "encapsulated": bytes(32)},)}, "cannot-be-opened"),
        ({"keys": ({**key, "recipient": "rmifc"},)}, "cannot-be-opened"),
        ({"keys": ({**key, "key_id": OTHER.id},)}, "cannot-be-opened"),
        ({"content_key_id": OTHER.id}, "unknown-case-key"),
    ):
        assert why == code(mangled(kwassa(), **changes)), changes


def test_a_group_opens_in_its_own_record_and_place_only() -> None:
    """The sealed group of one record in another of the same member, or in another place of its own, is refused."""
    one = CODEC.decode(sealed({**kwassa(), **PEOPLE}))
    another = CODEC.decode(CODEC.encode("interception", {**kwassa(reference="another"), **dict.fromkeys(PERSONAL)}))
    assert "cannot-be-opened" == code(another.frame_with({"victims": one.value["victims"]}))
    assert "cannot-be-opened" == code(one.frame_with({"victims": one.value["victims"], "suspects": one.value["victims"]}))
    origin = {**one.value["origin"], "member": "seychelles"}
    assert "cannot-be-opened" == code(one.frame_with({"origin": origin}))


def test_two_keys_in_one_record_are_refused() -> None:
    """All personal groups of a record lie under one key: else an erasure could miss one."""
    value = {**kwassa(), **PEOPLE}
    one = CODEC.decode(sealed(value))
    other = CODEC.decode(
        seal(CODEC, CODEC.decode(CODEC.encode("interception", value)), lambda: SealingKey.of(CLASSIC, OTHER.public))
    )
    assert "cannot-be-opened" == code(one.frame_with({"victims": other.value["victims"]}))


def test_nothing_else_hides_in_what_is_sealed() -> None:
    """A sealed frame that holds another group beside its own, another id or none is refused, though its seal fits."""
    value = {**kwassa(), **dict.fromkeys(PERSONAL), "victims": PEOPLE["victims"]}
    for inner in (
        {"id": value["id"], "victims": PEOPLE["victims"], "narrative": PEOPLE["narrative"]},
        {"id": "another", "victims": PEOPLE["victims"]},
        {"id": value["id"], "exercise": True, "victims": PEOPLE["victims"]},
        {"id": value["id"]},
    ):

        class Forged(type(CODEC)):  # type: ignore[misc] # the codec of somebody who means harm
            """A codec that seals something else."""

            def encode(self, kind: str, _: Mapping[str, Any], inner: Mapping[str, Any] = inner) -> bytes:
                """Give what is to be hidden."""
                return CODEC.encode(kind, inner)

        frame = seal(Forged(LOCK), CODEC.decode(CODEC.encode("interception", value)), taken)
        assert "cannot-be-opened" == code(frame), inner
