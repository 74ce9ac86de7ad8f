"""
A record says what its report says, in its feed's name, and never more than it may say.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from boutre.connectors.feeds import Feed
from boutre.connectors.record import Maker, build, filled, input_id
from boutre.connectors.sdk import Bad, Raw, Where
from boutre.connectors.sources import lines
from boutre.errors import Refuse
from boutre.schemas import lock, vocabulary
from boutre.schemas.codec import MAX_BYTES, Codec
from boutre.schemas.identity import record_id
from boutre.schemas.sense import Area
from boutre.schemas.signature import Keyring, key_id
from boutre.schemas.validation import Validator

NOW = datetime(2024, 3, 1, 12, tzinfo=UTC)
PRIVATE = Ed25519PrivateKey.generate()
CODEC = Codec(lock.load())
CHECK = Validator(CODEC.lock, vocabulary.load(lock.core() / "vocabularies").has).check
MAKER = Maker(CODEC, CHECK, PRIVATE)
FEED = Feed(
    "tracks",
    "comoros",
    ("sighting", "interception"),
    lines.read,
    None,
    handling={"tlp": "AMBER", "release_to": ["rmifc"], "purposes": ["SAR"], "retention_days": 30, "handling_codes": []},
    origin={"authority": "Coast guard", "unit": None, "community": "BorderControl", "language": "fr"},
    assessment={"reliability": "B", "credibility": None, "probability": None, "validation": "not-validated"},
    provenance={"sources": [{"name": "Logbook", "url": None, "licence": None}], "method": None},
)
VALUE: dict[str, Any] = {
    "times": {"observed": {"at": datetime(2024, 3, 1, 6, tzinfo=UTC), "precision": "minute", "uncertainty_s": None}},
    "event": {"type": "irregular-migration"},
    "position": {"latitude": -12.5, "longitude": 44.9},
}


def raw(value: Mapping[str, Any] | None = None, **more: Any) -> Raw:
    """A report, with other groups or another envelope."""
    return Raw(**{"kind": "sighting", "value": {**VALUE, **(value or {})}, "reference": "17", "cursor": "1", **more})


def made(item: Raw | Bad, feed: Feed = FEED, maker: Maker = MAKER) -> tuple[str | None, dict[str, Any]]:
    """The reason where it is rejected, and the value that is sent."""
    found = maker.make(feed, item, NOW)
    return found.reason, CODEC.decode(found.message.value).value


def test_a_report_is_filled_up_by_its_feed() -> None:
    """The runner's own fields, then what the report says, then what the feed declares."""
    reason, value = made(raw({"origin": {"unit": "Patrol 2"}}, where=Where("log.csv", 12)))

    assert reason is None
    assert record_id("comoros", "sighting", "tracks", "17", 0) == value["id"]
    assert {
        "member": "comoros", "authority": "Coast guard", "unit": "Patrol 2", "feed": "tracks", "reference": "17",
        "community": "BorderControl", "language": "fr",
    } == value["origin"]  # fmt: skip
    assert ("initial", 0, None) == (value["lifecycle"]["status"], value["lifecycle"]["revision"], value["lifecycle"]["revises"])
    assert NOW == value["times"]["received_at"]
    assert ("log.csv:12", "Logbook") == (value["provenance"]["location"], value["provenance"]["sources"][0]["name"])
    assert value["provenance"]["connector"].startswith("boutre.lines@")
    assert ("B", "not-validated") == (value["assessment"]["reliability"], value["assessment"]["validation"])
    assert ("AMBER", ["rmifc"], 30) == tuple(value["handling"][name] for name in ("tlp", "release_to", "retention_days"))


def test_a_report_says_more_than_its_feed_and_loosens_nothing_by_silence() -> None:
    """An own marking stands; a missing or empty one leaves the feed's, above all the list of those it is limited to."""
    stricter = made(raw({"handling": {"tlp": "RED", "release_to": ["rcoc"]}}))[1]["handling"]
    silent = made(raw({"handling": {"tlp": None, "release_to": [], "purposes": []}}))[1]["handling"]

    assert ("RED", ["rcoc"]) == (stricter["tlp"], stricter["release_to"])
    assert ("AMBER", ["rmifc"], ["SAR"]) == (silent["tlp"], silent["release_to"], silent["purposes"])


@given(
    own=st.dictionaries(st.sampled_from(["tlp", "release_to", "pap"]), st.none() | st.just([]) | st.sampled_from(["RED", ["x"]])),
    default=st.dictionaries(st.sampled_from(["tlp", "release_to"]), st.sampled_from(["AMBER", ["rmifc"], []])),
)
def test_filling_up_never_empties(own: dict[str, Any], default: dict[str, Any]) -> None:
    """Whatever a report leaves out, no default that says something is gone; and filling up twice is filling up once."""
    found = filled(own, default)

    assert all(found[name] for name, value in default.items() if value)
    assert found == filled(found, default)


def test_a_correction_names_what_it_takes_the_place_of() -> None:
    """Revision 2 revises revision 1 of the same reference, under an id of its own."""
    value = made(raw(revision=2))[1]

    assert ("update", 2) == (value["lifecycle"]["status"], value["lifecycle"]["revision"])
    assert record_id("comoros", "sighting", "tracks", "17", 1) == value["lifecycle"]["revises"]
    assert "cancel" == made(raw({"lifecycle": {"status": "cancel"}}, revision=1))[1]["lifecycle"]["status"]


@pytest.mark.parametrize(
    ("declared", "said", "exercise"), [(True, None, True), (True, False, True), (False, True, True), (False, None, False)]
)
def test_an_exercise_can_not_be_made_real(declared: bool, said: bool | None, exercise: bool) -> None:  # noqa: FBT001 - a table of truth
    """One word for exercise is enough; a feed for exercises sends nothing real."""
    value = made(raw({"exercise": said}), replace(FEED, exercise=declared))[1]

    assert exercise is value["exercise"]


@pytest.mark.parametrize(
    ("value", "code", "field"),
    [
        ({"origin": {"member": "seychelles"}}, "foreign-member", "origin.member"),
        ({"origin": {"feed": "other"}}, "wrong-type", "origin.feed"),
        ({"origin": {"reference": "18"}}, "wrong-type", "origin.reference"),
        ({"origin": "comoros"}, "wrong-type", "origin"),
        ({"id": "x"}, "wrong-type", "id"),
        ({"view": {"recipient": "rmifc"}}, "wrong-type", "view"),
        ({"exercise": "no"}, "wrong-type", "exercise"),
        ({"times": {**VALUE["times"], "accepted_at": NOW}}, "wrong-type", "times.accepted_at"),
        ({"times": {**VALUE["times"], "late": False}}, "wrong-type", "times.late"),
        ({"lifecycle": {"repeats": {"id": "x", "rule": "y"}}}, "wrong-type", "lifecycle.repeats"),
        ({"lifecycle": {"revision": 3}}, "wrong-type", "lifecycle.revision"),
        ({"provenance": {"connector": "other"}}, "wrong-type", "provenance.connector"),
    ],
)
def test_a_report_says_nothing_that_is_not_its_own_to_say(value: dict[str, Any], code: str, field: str) -> None:
    """Who it is and what the bus sets is refused with its field, never corrected without a word."""
    with pytest.raises(Refuse) as refused:
        build(FEED, raw(value), NOW)

    assert (code, field) == (refused.value.code, refused.value.field)


@pytest.mark.parametrize(
    ("item", "code", "field"),
    [
        (raw(kind="alert"), "wrong-kind", None),
        (raw(reference=" "), "missing-field", "origin.reference"),
        (raw({"times": None}), "missing-field", "times.observed"),
        (raw({"event": {"type": "regatta"}}), "unknown-code", "event.type"),
        (raw({"position": {"latitude": 91.0, "longitude": 200.0}}), "out-of-range", "position.latitude"),
        (raw({"position": {"latitude": "12 S", "longitude": 44.9}}), "wrong-type", "position.latitude"),
        (raw({"position": {"latitude": 1.0, "longitude": 1.0, "depth": 4}}), "wrong-type", "position.depth"),
        (raw({"crew": ["Ana"]}), "wrong-type", "crew"),
        (raw({"times": {"observed": {"at": datetime(2024, 3, 1, 6), "precision": "minute"}}}), "naive-time", "times.observed.at"),  # noqa: DTZ001 - the point
        (
            raw({"times": {"observed": {"at": datetime(2024, 3, 2, tzinfo=UTC), "precision": "day"}}}),
            "future-time",
            "times.observed",
        ),
        (raw({"narrative": [{"language": "fr", "text": "x" * MAX_BYTES}]}), "too-large", None),
        (raw({"craft": {"source_kind": "\ud800"}}), "wrong-type", "craft.source_kind"),
    ],
)
def test_what_cannot_be_a_record_is_a_reject_for_its_owner(item: Raw, code: str, field: str | None) -> None:
    """With the reason, the field, both languages and the id of the record that it was to be; what came in stays on the machine."""
    reason, value = made(item)
    refused = MAKER.draft(FEED, item, NOW).refused

    assert code == reason == value["code"]
    assert field == value["place"]["field"]
    assert ("comoros", "connector", NOW) == (value["member"], value["stage"], value["at"])
    assert input_id(FEED, item) == value["input"]
    assert value["sentence"]["en"] != value["sentence"]["fr"]
    assert (None, False) == (value["content"], value["truncated"])
    assert refused is not None
    assert (value["id"], value["input"], code) == (refused.id, refused.record, refused.code)
    assert refused.content.startswith(b"{")


def test_a_position_outside_the_members_area_is_refused() -> None:
    """Where a member has declared its waters."""
    maker = replace(MAKER, area=Area(50.0, -30.0, 60.0, -10.0))

    assert "outside-area" == made(raw(), maker=maker)[0]


def test_a_bad_part_is_a_reject_beside_what_came_in() -> None:
    """Its content is for the machine alone, whatever bytes it holds, and its file's name as UTF-8."""
    bad = Bad("malformed-line", b"\xff\x00,", "bad 1", "1", "3 ≠ 4", Where("caf\udce9.csv", 7, "lat"))

    found = MAKER.draft(replace(FEED, kinds=("sighting",)), bad, NOW)
    value = CODEC.decode(found.message.value).value

    assert ("malformed-line", 7, "sighting") == (value["code"], value["place"]["line"], value["kind"])
    assert found.refused is not None
    assert (None, b"\xff\x00,") == (value["content"], found.refused.content)
    assert found.refused.place == {"file": "caf\\udce9.csv", "line": 7, "field": "lat"}
    assert "3 ≠ 4" in value["sentence"]["fr"]
    assert record_id("comoros", "sighting", "tracks", "bad 1", 0) == value["input"] == found.input_id


def test_a_message_is_signed_for_its_topic_and_keyed() -> None:
    """Its key is the record's id, or its subject; the signature holds for this topic and no other."""
    plain, tracked = MAKER.make(FEED, raw(), NOW), MAKER.make(FEED, raw(subject="620000001"), NOW)
    headers = dict(plain.message.headers)
    ring = Keyring({key_id(PRIVATE.public_key()): ("comoros", PRIVATE.public_key())})

    assert ("national.comoros.sighting", plain.input_id.encode()) == (plain.message.topic, plain.message.key)
    assert b"620000001" == tracked.message.key
    assert {
        "ce_specversion": b"1.0", "ce_type": b"boutre.sighting", "ce_source": b"/comoros/tracks",
        "ce_id": plain.input_id.encode(), "content-type": b"application/avro",
    } == {name: value for name, value in headers.items() if not name.startswith("boutre-")}  # fmt: skip
    ring.verify("comoros", plain.message.topic, plain.message.value, headers)
    with pytest.raises(Refuse, match="bad-signature"):
        ring.verify("comoros", "national.comoros.interception", plain.message.value, headers)


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary() | st.datetimes(),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["observed", "at", "type", "member", "x"]), inner, max_size=2)
    ),
    max_leaves=6,
)


@given(
    value=st.dictionaries(
        st.sampled_from(["times", "event", "origin", "claims", "exercise", "view", "handling", "x"]), JUNK, max_size=4
    ),
    kind=st.sampled_from(["sighting", "interception", "reject", ""]),
    reference=st.text(st.characters(), max_size=4),
    revision=st.integers(-1, 2),
)
def test_whatever_a_source_gives_is_a_record_or_a_reject(value: dict[str, Any], kind: str, reference: str, revision: int) -> None:
    """Nothing raises, and what is sent can be read again."""
    found = MAKER.make(FEED, Raw(kind, value, reference, "1", revision=revision), NOW)

    assert CODEC.decode(found.message.value).kind in {"sighting", "interception", "reject"}
    assert found.reason != "internal-error"


@given(secret=st.text(st.characters(codec="ascii", categories=["Lu", "Ll"]), min_size=12, max_size=20).map("canary-{}".format))
def test_no_value_of_a_report_stands_in_a_reject(secret: str) -> None:
    """Nothing of what is sent about it holds one, nor its headers; what came in is what its owner's machine keeps."""
    for value in ({"position": {"latitude": secret, "longitude": 1.0}}, {"event": {"type": secret}}, {"exercise": secret}):
        draft = MAKER.draft(FEED, raw(value), NOW)
        (sent,) = MAKER.signed([draft])

        assert sent.reason is not None
        assert draft.refused is not None
        assert secret.encode() in draft.refused.content
        assert secret not in repr(CODEC.decode(sent.message.value).value)
        assert secret.encode() not in sent.message.value + sent.message.key + repr(sent.message.headers).encode()
