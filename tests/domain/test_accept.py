"""
Accept: only what its member wrote, for that topic, in that form and with sense, goes on; everything else goes back to its owner.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from boutre.processors.accept import LARGEST, SAME_REPORT, lane, national_key
from boutre.processors.decision import Drop, Emit, Inbound, Outbound, Reject
from boutre.processors.handle import Handled
from boutre.schemas.identity import place_id, record_id
from boutre.schemas.marks import Sealed, Withheld
from records import (
    AT,
    CODEC,
    KINDS,
    NOW,
    STATES,
    Value,
    accept,
    any_record,
    attack,
    handler,
    handlers,
    inbound,
    kwassa,
    leaves,
    local_bus,
    names_people,
    national,
    recall,
    signed,
    track,
    warning,
)

VALID = [
    pytest.param("sighting", attack(), id="attack"),
    pytest.param("interception", kwassa(), id="kwassa"),
    pytest.param("alert", warning(), id="warning"),
    pytest.param("retraction", recall(kwassa(), "interception"), id="recall"),
]


def handled(out: Outbound, state: dict[str, Any] | None = None, name: str = "accept-reports") -> Handled:
    """What the processor does with one record."""
    return handler(name)(inbound(out), state or {})


def refused(out: Outbound, state: dict[str, Any] | None = None) -> Value:
    """The reject of a record; it is the only thing that is written, it is for its owner, and nothing is remembered."""
    result = handled(out, state)
    member = out.topic.split(".")[1]
    assert [f"rejects.{member}"] == [one.topic for one in result.records]
    assert {} == result.changes
    value = CODEC.decode(result.records[0].value).value
    kept = None if names_people(out.value) else out.value[:65_536]
    assert (member, result.reason, kept) == (value["member"], value["code"], value["content"])
    assert value["input"].encode() == result.records[0].key
    return value


def code_and_field(out: Outbound, state: dict[str, Any] | None = None) -> tuple[str, str | None]:
    """Why a record was refused, and where."""
    value = refused(out, state)
    return value["code"], value["place"]["field"]


# --- What goes on ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "value"), VALID)
def test_a_report_goes_on_with_the_marks_of_the_bus(kind: str, value: Value) -> None:
    """
    Nothing of it is changed but what is the bus's to say: when it was accepted, whether late, and what it repeats.
    """
    decision = accept()(inbound(national(kind, value)), {})
    assert isinstance(decision, Emit)
    (out,) = decision.records
    given_ = CODEC.decode(CODEC.encode(kind, value)).value
    late = kind == "sighting" or (kind == "alert" and value["event"]["type"] == "distress")
    times = {**given_["times"], "accepted_at": NOW, "late": late}

    assert (f"bus.{kind}", lane(value).encode(), AT) == (out.topic, out.key, out.timestamp)
    assert {**given_, "times": times, "lifecycle": {**given_["lifecycle"], "repeats": None}} == CODEC.decode(out.value).value
    assert f"id:{value['id']}" in decision.changes


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data())
@settings(max_examples=12, deadline=None)
def test_any_record_that_makes_sense_goes_on(kind: str, data: st.DataObject) -> None:
    """
    Every kind, with any of its fields near the ends of what they may hold.
    """
    result = handled(national(kind, data.draw(any_record(kind))))

    assert ("emitted", None) == (result.outcome, result.reason)


def test_what_only_the_bus_may_say_is_the_bus_own() -> None:
    """
    A member that says itself when it was accepted, that it is in time, or what it repeats, is not heard.
    """
    value = attack(lifecycle={"status": "initial", "revision": 0, "repeats": {"id": "other", "rule": "mine"}})
    value["times"] |= {"accepted_at": NOW - timedelta(days=9000), "late": False}
    (out,) = handled(national("sighting", value)).records
    accepted = CODEC.decode(out.value).value

    assert (NOW, True) == (accepted["times"]["accepted_at"], accepted["times"]["late"])
    assert accepted["lifecycle"]["repeats"] is None


@pytest.mark.parametrize(("seconds", "late"), [(900, False), (901, True)])
def test_late_begins_after_the_deadline_of_its_type(seconds: int, late: bool) -> None:  # noqa: FBT001 - a table
    """
    Distress is late after a quarter of an hour, not at it; by the time of acceptance.
    """
    value = kwassa(event={"type": "distress"}, times={"observed": {"at": NOW - timedelta(seconds=seconds), "precision": "second"}})
    (out,) = handled(national("interception", value)).records

    assert late == CODEC.decode(out.value).value["times"]["late"]


def test_reports_of_one_ship_and_their_retraction_travel_in_one_lane() -> None:
    """
    What must be handled in its order has one key on the bus: a member's reports, one ship's positions, and what takes them back.
    """
    position, report = track("t1"), kwassa()

    assert "observatory-ais:219000001" == lane(position) == lane(recall(position, "sighting"))
    assert "comoros" == lane(report) == lane(recall(report, "interception"))
    assert ("219000001", report["id"]) == (national_key(position), national_key(report))


# --- Once ------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "value"), VALID)
def test_the_same_report_again_is_dropped(kind: str, value: Value) -> None:
    """
    With the state as it was, the same bytes; with the state after it, dropped; also when it was read again later.
    """
    record = inbound(national(kind, value))
    first, again = accept()(record, {}), accept()(record, {})
    assert isinstance(first, Emit)
    later = {**value, "times": {**value["times"], "received_at": NOW}}
    if kind != "retraction":
        later["provenance"] = {"location": "another line"}

    assert first == again
    assert Drop(SAME_REPORT) == accept()(record, first.changes)
    assert Drop(SAME_REPORT) == accept()(inbound(national(kind, later)), first.changes)


def test_another_report_under_the_same_id_is_refused() -> None:
    """
    What changes without a new revision is told to its owner, by where it stood: its id is that of the report that was accepted.
    """
    first = handled(national("sighting", attack()))
    value = refused(national("sighting", attack(position={"latitude": 12.2, "longitude": 50.81})), dict(first.changes))

    assert ("changed-without-revision", "id") == (value["code"], value["place"]["field"])
    assert place_id("national.observatory-imb.sighting", 0, 0) == value["input"]


def test_a_forged_copy_of_an_accepted_report_is_not_counted_under_its_id() -> None:
    """
    The account is by id: a reject of a second input must not stand beside the delivery of the first.
    """
    first = handled(national("sighting", attack()))
    value = refused(national("sighting", attack(), key=b"another"), dict(first.changes))

    assert "wrong-key" == value["code"]
    assert attack()["id"] != value["input"]


# --- Whose ------------------------------------------------------------------------------------------------------------------


def test_a_record_is_its_topics_member_whatever_it_says() -> None:
    """
    Comoros, with its own key, cannot write in the name of Seychelles, neither in its own topic nor in theirs.
    """
    foreign = kwassa(member="seychelles")

    own_topic = national("interception", foreign, topic="national.comoros.interception", signer="comoros")
    their_topic = national("interception", foreign, signer="comoros")

    assert ("foreign-member", "origin.member") == code_and_field(own_topic)
    assert ("foreign-member", None) == code_and_field(their_topic)
    assert place_id("national.comoros.interception", 0, 0) == refused(own_topic)["input"]


def test_a_record_cannot_be_moved_to_another_topic() -> None:
    """
    The topic is signed with the frame: a copy in another topic of the same member is no record there.
    """
    moved = national("interception", kwassa())
    moved = Outbound("national.comoros.sighting", moved.key, moved.value, moved.timestamp, moved.headers)

    assert ("bad-signature", None) == code_and_field(moved)


@pytest.mark.parametrize("wrong", ["x", record_id("seychelles", "interception", "ops-room", "KM-1"), "x" * 890_000])
def test_an_id_that_its_contents_do_not_give_is_refused(wrong: str) -> None:
    """
    Another's id, an invented one and one that would not fit into a reject: none of them is believed, nor told.
    """
    value = refused(national("interception", {**kwassa(), "id": wrong}, key=wrong[:40].encode()))

    assert ("bad-identifier", "id") == (value["code"], value["place"]["field"])
    assert place_id("national.comoros.interception", 0, 0) == value["input"]


@pytest.mark.parametrize("change", ["feed", "reference", "revision", "kind"])
def test_the_id_covers_all_that_identifies(change: str) -> None:
    """
    With another feed, reference or revision the same id does not fit any more; nor with that of another kind.
    """
    value = kwassa()
    if change == "revision":
        value["lifecycle"] = {"status": "update", "revision": 1}
    elif change == "kind":
        value["id"] = record_id("comoros", "sighting", "ops-room", "KM-1")
    else:
        value["origin"] = {**value["origin"], change: "other"}

    assert ("bad-identifier", "id") == code_and_field(national("interception", value))


@pytest.mark.parametrize("key", [b"", b"comoros", attack()["id"].encode()])
def test_the_key_of_kafka_is_the_id(key: bytes) -> None:
    """
    Under another key a record would come to another partition, and its copy would not be known there.
    """
    out = national("interception", kwassa())

    assert ("wrong-key", "id") == code_and_field(Outbound(out.topic, key, out.value, out.timestamp, out.headers))


def test_the_key_of_a_position_is_the_mmsi() -> None:
    """
    For AIS the id is the wrong key.
    """
    out = national("sighting", track("t1"), key=track("t1")["id"].encode())

    assert "wrong-key" == handled(out, name="accept-ais").reason
    assert "emitted" == handled(national("sighting", track("t1")), name="accept-ais").outcome


# --- Form and sense ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("groups", "code", "field"),
    [
        ({"position": {"latitude": 95.0, "longitude": 44.0}}, "latitude-longitude-swapped", "position.latitude"),
        ({"event": {"type": "invented"}}, "unknown-code", "event.type"),
        ({"event": None}, "missing-field", "event"),
        ({"handling": None}, "missing-field", "handling"),
        ({"handling": {"tlp": "RED", "release_to": ["rmifc", "rcco"]}}, "unknown-code", "handling.release_to"),
        ({"action": None}, "missing-field", "action"),
        ({"persons": {"total": {"min": -1.0, "max": 2.0}}}, "negative-count", "persons.total.min"),
        ({"claims": [{"attribute": "mmsi", "value": "000000000"}]}, "placeholder-identifier", "claims.mmsi"),
        ({"view": {"recipient": "rmifc", "of": "x", "policy": "x"}}, "wrong-kind", "view"),
        ({"craft": Withheld("a@1", "default-deny", None)}, "wrong-type", "craft"),
        ({"lifecycle": Withheld("a@1", "default-deny", None)}, "missing-field", "lifecycle"),
        ({"origin": None}, "missing-field", "origin"),
        ({"times": None}, "missing-field", "times"),
        ({"times": {"observed": {"at": NOW + timedelta(days=1), "precision": "day"}}}, "future-time", "times.observed"),
    ],
)
def test_what_makes_no_sense_is_refused_with_its_field(groups: Value, code: str, field: str) -> None:
    """
    The reject says which field and why, in both languages, and where it stood.
    """
    whole = {**kwassa(), **groups}
    out = signed("national.comoros.interception", CODEC.encode("interception", whole), "comoros", kwassa()["id"].encode())
    value = refused(out)

    assert (code, field) == (value["code"], value["place"]["field"])
    assert ("national.comoros.interception", 0, 0) == tuple(value["place"][name] for name in ("topic", "partition", "offset"))
    assert value["sentence"]["en"] != value["sentence"]["fr"]


def test_a_sealed_group_of_a_member_goes_on() -> None:
    """
    Sealing is a member's right: what it seals, the bus carries.
    """
    value = kwassa(victims=Sealed("hpke", "case-1", b"n", b"c"))

    assert "emitted" == handled(national("interception", value)).outcome


def test_a_report_that_leaves_no_room_for_the_bus_is_too_large() -> None:
    """
    What fits into a frame by itself, and no more with what the bus and its agreements add, is refused where its owner sees it.
    """
    for length, outcome in ((LARGEST - 5_000, "emitted"), (LARGEST + 1, "rejected")):
        value = attack(narrative=[{"language": "en", "text": "x" * length}])
        bus = local_bus()
        bus.publish([national("sighting", value)])

        assert ("accept-reports", outcome) == (bus.handled[0][0], bus.handled[0][1].outcome)
        assert (outcome == "emitted") == bool(bus.read("for.rmifc.sighting"))
        assert [] == bus.read("rejects.bus")


def test_a_reject_of_a_large_record_holds_the_beginning_of_it() -> None:
    """
    Its owner gets 64 KiB of it, and is told that it was cut.
    """
    out = signed("national.comoros.interception", b"\x00" * 2_000_000, "comoros", b"k")
    (written,) = handled(out).records
    value = CODEC.decode(written.value).value

    assert ("too-large", 65_536, True) == (value["code"], len(value["content"]), value["truncated"])


# --- Never raises ----------------------------------------------------------------------------------------------------------

HEADERS = st.dictionaries(st.sampled_from(("boutre-key", "boutre-signature", "ce_id")), st.binary(max_size=70))
TOPICS = st.sampled_from([topic for each in handlers() for topic in each.processor.reads if topic.startswith("national.")])


@given(TOPICS, st.one_of(st.none(), st.binary(max_size=60)), HEADERS, st.one_of(st.none(), st.binary(max_size=40)))
@settings(max_examples=150, deadline=None)
def test_any_bytes_give_a_reject_to_their_owner(
    topic: str, value: bytes | None, headers: dict[str, bytes], key: bytes | None
) -> None:
    """
    Whatever bytes, headers and keys: one reject, in the rejects of the topic's member and nowhere else.
    """
    processor = next(each for each in handlers() if topic in each.processor.reads)
    result = processor(Inbound(topic, 0, 7, key, value, headers, AT), {})

    assert [f"rejects.{topic.split('.')[1]}"] == [out.topic for out in result.records]
    assert "rejected" == result.outcome


@given(st.sampled_from(VALID), st.integers(0, 10_000), st.integers(0, 7), st.booleans())
@settings(max_examples=150, deadline=None)
def test_nearly_a_record_is_handled_like_any_other(valid: Any, place: int, bit: int, cut: bool) -> None:  # noqa: FBT001 - drawn
    """
    A record with a bit turned or its end cut off, signed as it is by its own member, is rejected or makes sense; nothing raises.
    """
    kind, value = valid.values
    frame = bytearray(CODEC.encode(kind, value))
    frame[place % len(frame)] ^= 1 << bit
    content = bytes(frame[: place % len(frame)] if cut else frame)
    member = value["origin"]["member"]
    out = signed(f"national.{member}.{kind}", content, member, value["id"].encode())

    decision = accept()(inbound(out), {})

    assert isinstance(decision, Emit | Reject)
    assert not isinstance(decision, Reject) or decision.code != "internal-error"


@pytest.mark.parametrize("timestamp", [-1, 0, 10**18, -(10**18)])
def test_a_timestamp_that_no_calendar_has_stops_nothing(timestamp: int) -> None:
    """
    Even then there is an answer, and a reject has no time rather than a false one.
    """
    result = handled(national("sighting", attack(), at=timestamp))

    assert "rejected" == result.outcome
    assert result.records[0].topic == "rejects.observatory-imb"


# --- Nothing of one goes to another ------------------------------------------------------------------------------------------


def test_a_reject_tells_no_value_and_nobody_else(caplog: pytest.LogCaptureFixture) -> None:
    """
    In what a reject says, beside the input itself, no value of the record occurs; no other topic and no log holds any of it.
    """
    secret = "canary"
    wrong: list[Value] = [
        {"event": {"type": secret}},
        {"claims": [{"attribute": secret, "value": "-"}]},
        {"craft": {"kind": secret, "colours": [secret]}},
        {"position": {"latitude": 91.2345678, "longitude": 44.0}},
        {"narrative": [{"language": secret, "text": "\x1b[31m" + secret}]},
        {"handling": {"tlp": secret}},
    ]
    bus = local_bus()
    bus.publish([national("interception", kwassa(f"KM-{number}", **groups)) for number, groups in enumerate(wrong)])
    rejects = [CODEC.decode(out.value).value for out in bus.read("rejects.comoros")]

    assert len(wrong) == len(rejects)
    assert {"national.comoros.interception", "rejects.comoros"} == set(bus.topics)
    for reject in rejects:
        assert "internal-error" != reject["code"]
        told = " ".join(str(held) for path, held in leaves({name: part for name, part in reject.items() if name != "content"}))
        assert secret not in told
        assert "91.23" not in told
    assert secret not in caplog.text


@given(st.sampled_from(STATES), st.sampled_from(STATES))
def test_every_member_is_kept_from_every_other(writer: str, owner: str) -> None:
    """
    Whoever writes into whose topic: what is refused goes to the topic's owner, and only the owner's own is accepted.
    """
    result = handled(national("interception", kwassa(member=owner), signer=writer))

    assert (writer == owner) == (result.outcome == "emitted")
    assert {"bus.interception" if writer == owner else f"rejects.{owner}"} == {out.topic for out in result.records}
