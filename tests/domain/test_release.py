"""
Release: what a recipient may not have changes nothing of what it gets, and occurs nowhere in it.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agreements import agreement, any_agreement, other_than_visible, release_of, verdict
from boutre.processors.agreement import Agreement
from boutre.processors.conditions import refusal
from boutre.processors.decision import Emit, Inbound, Outbound, Reject
from boutre.processors.release import Desk, Release
from boutre.schemas.fields import FieldInfo
from boutre.schemas.identity import pseudonym
from boutre.schemas.marks import Sealed, Withheld
from boutre.schemas.meanings import CATEGORIES
from records import (
    AT,
    CODEC,
    FIELDS,
    KINDS,
    RECIPIENTS,
    TEXTS,
    Drawn,
    Value,
    any_record,
    attack,
    below,
    handler,
    inbound,
    known_as,
    kwassa,
    leaves,
    local_bus,
    national,
    on_bus,
    real_pipeline,
    recall,
    recipient_key,
    release,
    track,
    views,
)

SEEDS = st.integers(min_value=0, max_value=2**32 - 1)
ANY_KIND = st.sampled_from(KINDS)
EVERYWHERE = frozenset({"demonstration"})


def emitted(step: Release, record: Inbound, state: Mapping[str, Any]) -> Emit:
    """What release answers to a record that it can read."""
    decision = step(record, state)
    assert isinstance(decision, Emit)
    return decision


def had(recipient: str, member: str, *identifiers: str) -> dict[str, Any]:
    """A state in which a recipient was given some records of a member."""
    return {f"had:{one}": {"member": member, "to": {recipient: ["digest"]}} for one in identifiers}


def decoded(out: Outbound) -> Value:
    """The value of a written record."""
    return CODEC.decode(out.value).value


def open_to_all(value: Value) -> Value:
    """A record whose marking keeps it from nobody."""
    return {**value, "handling": {**value["handling"], "tlp": "GREEN", "purposes": [], "release_to": []}}


def of_kind(kind: str) -> Any:
    """A record of a kind, with one to take the hidden part from."""
    return st.tuples(st.just(kind), any_record(kind).map(open_to_all), any_record(kind))


PAIRS = ANY_KIND.flatmap(of_kind)


# --- Non-interference ------------------------------------------------------------------------------------------------------


def same_for(step: Release, agreements: list[Agreement], drawn: tuple[str, Value, Value], seed: int) -> None:
    """Prove that two records which differ only in what a recipient may not have are one for it."""
    kind, own, other = drawn
    recipient = agreements[0].recipient
    changed = other_than_visible(agreements, kind, own, other, Random(seed))  # noqa: S311 - a test
    state = had(recipient, own["origin"]["member"], *TEXTS)
    first, second = (emitted(step, on_bus(kind, value), state) for value in (own, changed))

    assert 1 == len(views(first.records, recipient))
    assert views(first.records, recipient) == views(second.records, recipient)
    # In the class of the reports or in that of positions by AIS; it is found in either.
    keys = {f"had:{own['id']}", f"track:{own['id']}"}
    given = [[entry for key, entry in each.changes.items() if key in keys] for each in (first, second)]
    remembered = [entry["to"].get(recipient) for (entry,) in given]
    assert remembered[0] == remembered[1]


@given(any_agreement(), PAIRS, SEEDS)
@settings(max_examples=100, deadline=None)
def test_what_an_agreement_does_not_give_changes_nothing(ours: Agreement, drawn: tuple[str, Value, Value], seed: int) -> None:
    """
    Under any agreement: values, presence and numbers of what is withheld, or coarsened to the same, leave the view as it is.
    """
    same_for(release_of(ours), [ours], drawn, seed)


@given(any_agreement(name="one"), any_agreement(name="two"), PAIRS, SEEDS)
@settings(max_examples=60, deadline=None)
def test_two_agreements_together_give_what_both_give(
    one: Agreement, two: Agreement, drawn: tuple[str, Value, Value], seed: int
) -> None:
    """
    Where two agreements speak of a record, what one of them withholds changes nothing, whatever the other says.
    """
    same_for(release_of(one, two), [one, two], drawn, seed)


@pytest.mark.parametrize("recipient", RECIPIENTS)
@given(drawn=PAIRS, type_=st.sampled_from(("attack", "irregular-migration", "ais")), seed=SEEDS)
@settings(max_examples=12, deadline=None)
def test_what_this_bus_withholds_changes_nothing(recipient: str, drawn: tuple[str, Value, Value], type_: str, seed: int) -> None:
    """
    For each real recipient and its real agreements: the part that it may not have changes no byte of what it gets.
    """
    kind, own, other = drawn
    if "event" in own:
        own["event"]["type"] = type_
    ours = [each for each in real_pipeline().policy.agreements if each.recipient == recipient]
    # Retractions are for who had the record, whatever the agreements now say.
    accepted = datetime.fromtimestamp(AT / 1000, UTC)
    if kind != "retraction":
        ours = [each for each in ours if refusal(each, kind, own, accepted, lambda *_: EVERYWHERE) is None]
    step = replace(release(), zones_at=lambda *_: EVERYWHERE)
    if ours:
        same_for(step, ours, (kind, own, other), seed)
    else:
        assert views(emitted(step, on_bus(kind, own), {}).records, recipient) == []


def test_whether_it_is_late_goes_only_where_the_exact_time_goes() -> None:
    """
    ``times.late`` is made of the exact time: who gets the time by the day would learn more than the day from it.
    """
    rules = {"event.type": "keep", "times.late": "keep"}
    day = agreement(fields={**rules, "times.observed": {"coarsen": "time", "to": "day"}})
    exact = agreement(fields={**rules, "times.observed": "keep"})
    value = kwassa()
    value["times"] |= {"late": True}

    told = [
        decoded(views(emitted(release_of(each), on_bus("interception", value), {}).records, "rmifc")[0]) for each in (day, exact)
    ]

    assert [None, True] == [view["times"]["late"] for view in told]


def test_the_ship_of_a_retraction_goes_to_nobody() -> None:
    """
    By its subject a retraction finds its record on the bus; a recipient of densities must not learn whose track it had.
    """
    position = track("t1")
    bus = local_bus()
    bus.publish([national("sighting", position), national("retraction", recall(position, "sighting"))])

    taken_back = [decoded(out) for name in RECIPIENTS for out in views(bus.topics, name) if out.topic.endswith("retraction")]

    assert ["mauritius", "rcoc", "rmifc"] == sorted(view["view"]["recipient"] for view in taken_back)
    assert [None] * 3 == [view["recall"]["subject"] for view in taken_back]
    assert not any(b"219000001" in out.value + out.key for out in views(bus.topics, "mauritius"))


@pytest.mark.parametrize("recipient", RECIPIENTS)
def test_a_record_that_it_may_not_have_changes_nothing_of_the_next_ones(recipient: str) -> None:
    """
    A hidden report of the same event links nothing, marks nothing and suppresses nothing for a recipient who never had it.
    """

    # The hidden ones lie between the two others, which are too far apart to be one event without them, and beside the second.
    def at(name: str, latitude: float, **groups: Any) -> Value:
        return attack(name, position={"latitude": latitude, "longitude": 50.81}, **groups)

    others = {"tlp": "GREEN", "release_to": [name for name in RECIPIENTS if name != recipient]}
    hidden = [at(f"hidden {latitude}", latitude, handling=others) for latitude in (12.25, 12.345)]
    seen = [at("1", 12.145), at("2", 12.345), at("3", 12.345), at("4", 12.345, event={"type": "attack", "outcome": "robbed"})]
    written = []
    for records in ([*seen[:1], *hidden, *seen[1:]], [*hidden, *seen], seen):
        bus = local_bus()
        bus.publish([national("sighting", value) for value in records])
        written.append(views(bus.topics, recipient))

    assert written[2] == written[0]
    assert written[2] == written[1]


def test_a_ship_is_keyed_alike_only_where_it_may_be_known() -> None:
    """
    Views of one MMSI have one key for who gets the MMSI and that it is AIS; for anybody else each has its own.
    """
    tracks = [track("t1"), track("t2", seconds=10)]
    for categories, keys in (({"identity": "keep", "event": "keep"}, 1), ({"identity": "keep"}, 2), ({"event": "keep"}, 2)):
        step = release_of(agreement(categories=categories))
        outs = [views(emitted(step, on_bus("sighting", value), {}).records, "rmifc")[0] for value in tracks]

        assert keys == len({out.key for out in outs})


def test_the_key_of_a_ship_does_not_tell_who_reports_it() -> None:
    """
    Two members that report one MMSI give one key to a recipient who is not told the member.
    """
    step = release_of(agreement(categories={"identity": "keep", "event": "keep"}))
    one = track("t1")
    two = {**one, "origin": {**one["origin"], "member": "observatory-imb"}}

    keys = {views(emitted(step, on_bus("sighting", value), {}).records, "rmifc")[0].key for value in (one, two)}

    assert 1 == len(keys)


# --- Canaries --------------------------------------------------------------------------------------------------------------


class Canaries(Drawn):
    """
    A record in which every value of every field occurs only once in the world.
    """

    def __init__(self) -> None:
        super().__init__(Random(7), 1.0)  # noqa: S311 - a test
        self.number = 0

    def leaf(self, info: FieldInfo) -> Any:
        """A value that nothing else has."""
        self.number += 1
        match info.type_name:
            case "string":
                return f"canary {info.path} {self.number}"
            case "double":
                return 10 + self.number * 0.012345678
            case "long":
                return 7_000_000_000 + self.number * 7_919
            case "timestamp-millis":
                return datetime(2025, 1, 1, tzinfo=UTC) + timedelta(milliseconds=self.number * 7_654_321)
        return super().leaf(info)


def canary(kind: str, type_: str = "irregular-migration") -> Value:
    """A record full of canaries that the real agreements let through."""
    value = Canaries().record(kind, "observatory-ais" if type_ == "ais" else "observatory-imb")
    value["handling"] |= {"tlp": "GREEN", "purposes": [], "release_to": []}
    if "event" in value:
        value["event"]["type"] = type_
    for observed in leaves_named(value, "precision"):
        observed["precision"] = "second"
    return value


def leaves_named(value: Any, name: str) -> Iterator[Value]:
    """Every group that has a field of this name."""
    if isinstance(value, dict):
        if name in value:
            yield value
        for item in value.values():
            yield from leaves_named(item, name)
    elif isinstance(value, list):
        for item in value:
            yield from leaves_named(item, name)


def zigzag(number: int) -> bytes:
    """A long as Avro writes it."""
    rest, out = (number << 1) ^ (number >> 63), bytearray()
    while rest > 0x7F:
        out.append(rest & 0x7F | 0x80)
        rest >>= 7
    return bytes([*out, rest])


def as_bytes(value: Any) -> bytes | None:
    """How a value stands in a frame, where it is long enough not to stand there by chance."""
    match value:
        case str():
            return value.encode() if value.startswith("canary") else None
        case float():
            return struct.pack("<d", value)
        case datetime():
            return zigzag(round(value.timestamp() * 1000))
        case int():
            return zigzag(value) if value > 1e9 else None
    return None


CASES = [
    (kind, type_)
    for kind in KINDS
    for type_ in ("irregular-migration", "ais")
    if type_ == "irregular-migration" or kind == "sighting"
]


@pytest.mark.parametrize(("kind", "type_"), CASES)
def test_a_withheld_value_occurs_nowhere(kind: str, type_: str, caplog: pytest.LogCaptureFixture) -> None:
    """
    No value that an agreement withholds or coarsens is in any byte for its recipient; none at all in receipts, memory or logs.
    """
    value = canary(kind, type_)
    member = value["origin"]["member"]
    refers = value["recall"]["record"] if kind == "retraction" else value["lifecycle"]["revises"]
    state = {key: entry for name in RECIPIENTS for key, entry in had(name, member, refers).items()}
    for name in RECIPIENTS:
        state[f"had:{refers}"]["to"][name] = ["digest"]
    result = emitted(replace(release(), zones_at=lambda *_: EVERYWHERE), on_bus(kind, value), state)

    reached = set()
    for recipient in RECIPIENTS:
        outs = views(result.records, recipient)
        if not outs:
            continue
        reached.add(recipient)
        content = b"".join(out.key + out.value + b"".join(part for _, part in out.headers) for out in outs)
        ours = [each for each in real_pipeline().policy.agreements if each.name in decoded(outs[0])["view"]["agreements"]]
        infos = {info.path: info for info in FIELDS[kind] if not below(kind, info.path)}
        for path, held in leaves(value):
            if path in infos and (verdict(ours, kind, infos[path]) != "keep" or infos[path].reference):
                form = as_bytes(held)
                assert form is None or form not in content, (recipient, path)
        assert value["id"].encode() not in content
    assert reached
    account = b"".join(out.value for out in result.records if out.topic == "bus.receipt")
    memory = json.dumps(dict(result.changes)).replace(str(refers), "")
    assert not any("canary" in text for text in (account.decode(errors="replace"), memory, caplog.text))


def test_receipts_and_memory_tell_only_what_they_are_for() -> None:
    """
    A receipt holds the record's id and member, never a hash of its content that all could share; what is remembered is digests.
    """
    result = emitted(release(), on_bus("sighting", attack()), {})
    receipts = [decoded(out) for out in result.records if out.topic == "bus.receipt"]
    commitments = [one["commitment"] for one in receipts if one["commitment"]]

    assert len(RECIPIENTS) == len(receipts)
    assert len(commitments) == len(set(commitments)) > 1
    assert [{"member", "to"}] == [set(entry) for key, entry in result.changes.items() if key.startswith("had:")]


def test_views_of_one_record_cannot_be_joined_by_two_recipients() -> None:
    """
    Two recipients see no id, key or name in common, and neither sees the record's own.
    """
    outs = emitted(release(), on_bus("sighting", attack()), {}).records
    ours = {name: views(outs, name)[0] for name in ("rmifc", "rcoc")}
    names = {name: {decoded(out)["id"], decoded(out)["view"]["of"], out.key.decode()} for name, out in ours.items()}

    assert names["rmifc"].isdisjoint(names["rcoc"])
    assert attack()["id"] not in names["rmifc"] | names["rcoc"]
    assert known_as("rmifc", attack()) == decoded(ours["rmifc"])["view"]["of"]


# --- Default deny ----------------------------------------------------------------------------------------------------------


@given(PAIRS)
@settings(max_examples=20, deadline=None)
def test_without_rules_only_the_scaffold_goes_out(drawn: tuple[str, Value, Value]) -> None:
    """
    An agreement that names no category and no field gives an id, the exercise flag, and by what nothing else was given.
    """
    kind, value, _ = drawn
    state = had("rmifc", value["origin"]["member"], *TEXTS)
    view = decoded(views(emitted(release_of(agreement()), on_bus(kind, value), state).records, "rmifc")[0])
    groups = {name: group for name, group in view.items() if name not in ("id", "exercise", "view")}

    assert all(isinstance(group, Withheld) for group in groups.values())
    assert value["exercise"] == view["exercise"]


def test_who_has_no_agreement_gets_nothing() -> None:
    """
    A recipient without agreements is told so by a receipt, and by nothing else.
    """
    step = replace(release_of(agreement()), desks=[Desk("rcoc", recipient_key("rcoc"), {}, {})])
    result = emitted(step, on_bus("sighting", attack()), {})

    assert ["bus.receipt"] == [out.topic for out in result.records]
    assert ("withheld", "no-agreement") == (decoded(result.records[0])["outcome"], decoded(result.records[0])["reason"])


def test_what_is_sealed_goes_whole_or_not_at_all() -> None:
    """
    A sealed group cannot be cut: who gets every field of it gets it sealed, anybody else not even that.
    """
    sealed = Sealed("hpke", "case-1", b"nonce", b"ciphertext")
    for rules, whole in (({"vulnerability": "keep"}, True), ({"vulnerability.needs": "keep"}, False), ({}, False)):
        step = release_of(agreement(fields=rules))
        view = decoded(views(emitted(step, on_bus("interception", kwassa(vulnerability=sealed)), {}).records, "rmifc")[0])

        assert whole == isinstance(view["vulnerability"], Sealed)
        assert whole or isinstance(view["vulnerability"], Withheld)


def test_a_view_says_what_was_coarsened_and_what_was_withheld() -> None:
    """
    Every field that is not as its source gave it stands in the view, with the clause: a position by the grid too.
    """
    rules = {"position": {"coarsen": "grid", "degrees": 0.5}, "action.kind": "keep"}
    view = decoded(views(emitted(release_of(agreement(fields=rules)), on_bus("interception", kwassa()), {}).records, "rmifc")[0])
    told = {row["field"]: (row["state"], row["clause"], row["method"]) for row in view["view"]["fields"]}

    assert ("coarsened", "fields.position", "grid 0.5 degree") == told["position"]
    assert ("withheld", "default-deny", None) == told["action.unit"]
    assert "default-deny" == view["victims"].clause


# --- Replay and total ------------------------------------------------------------------------------------------------------


@given(PAIRS)
@settings(max_examples=20, deadline=None)
def test_the_same_record_again_is_the_same_and_then_a_repeat(drawn: tuple[str, Value, Value]) -> None:
    """
    With the state as it was, the same bytes; with the state after it, a repeat for everybody who had it, and nothing written.
    """
    kind, value, _ = drawn
    state = had("rmifc", value["origin"]["member"], *TEXTS)
    record = on_bus(kind, value)
    first, again = (emitted(release(), record, state) for _ in range(2))
    after = emitted(release(), record, {**state, **first.changes})

    assert first == again
    told = {one.recipient: one.outcome for one in first.releases}
    assert {name: "repeat" if outcome == "delivered" else outcome for name, outcome in told.items()} == {
        one.recipient: one.outcome for one in after.releases
    }
    assert {"bus.receipt"} == {out.topic for out in after.records}
    assert {} == {key: entry for key, entry in after.changes.items() if not key.startswith("gone:")}


@given(st.binary(max_size=200), st.sampled_from(("bus.sighting", "bus.retraction", "bus.link", "")), SEEDS)
@settings(max_examples=100, deadline=None)
def test_release_answers_to_any_bytes(data: bytes, topic: str, seed: int) -> None:
    """
    Whatever stands on a topic of the bus, release rejects it and does not raise; also bytes that are nearly a record.
    """
    frame = bytearray(CODEC.encode("sighting", attack()))
    frame[seed % len(frame)] ^= 1 << seed % 8
    for value in (data, bytes(frame), None):
        decision = release()(Inbound(topic, 0, 0, None, value, {}, AT), {})
        assert isinstance(decision, Reject | Emit)


@pytest.mark.parametrize("group", ["origin", "lifecycle", "times", "handling", "recall"])
@pytest.mark.parametrize("timestamp", [AT, 10**18])
def test_a_record_without_its_groups_is_refused(group: str, timestamp: int) -> None:
    """
    Release decides nothing on a record that lacks what decides, and nothing at a time that no calendar has.
    """
    value = {**recall(attack(), "sighting"), group: None}

    decision = release()(on_bus("retraction", value, at=timestamp), {})

    assert isinstance(decision, Reject)
    assert ("missing-field", group) == (decision.code, decision.field)
    handled = handler("release")(on_bus("retraction", value, at=timestamp), {})
    assert ["rejects.bus"] == [out.topic for out in handled.records]
    assert decoded(handled.records[0])["content"] is None


# --- Retraction ------------------------------------------------------------------------------------------------------------


def outcomes(bus: Any, kind: str, value: Value) -> dict[str, tuple[str, str | None]]:
    """For each recipient what became of a record, by its receipt."""
    receipts = [decoded(out) for out in bus.read("bus.receipt")]
    return {
        one["recipient"]: (one["outcome"], one["reason"]) for one in receipts if (one["record"], one["kind"]) == (value["id"], kind)
    }


@pytest.mark.parametrize(
    ("kind", "value"),
    [("sighting", attack()), ("interception", kwassa()), ("sighting", track("t1"))],
    ids=["attack", "kwassa", "ais"],
)
def test_a_retraction_reaches_exactly_those_who_had_the_record(kind: str, value: Value) -> None:
    """
    Whoever was given the record is told, by its own name for it; nobody else is told that there was one.
    """
    bus = local_bus()
    taken_back = recall(value, kind)
    bus.publish([national(kind, value), national("retraction", taken_back)])
    got = {name for name, (outcome, _) in outcomes(bus, kind, value).items() if outcome == "delivered"}

    assert got
    for name in RECIPIENTS:
        told = [decoded(out) for out in bus.read(f"for.{name}.retraction")]
        assert ([known_as(name, value)] if name in got else []) == [view["recall"]["record"] for view in told]
        assert ("delivered", None) == outcomes(bus, "retraction", taken_back)[name] or name not in got


def test_a_retraction_by_another_member_does_nothing() -> None:
    """
    Nobody is told, the record stands, and what its own member took back stays taken back.
    """
    value = attack()
    foreign = recall(value, "sighting", member="observatory-asam")
    bus = local_bus()
    bus.publish([national("sighting", value), national("retraction", foreign)])

    assert {("withheld", "not-received")} == set(outcomes(bus, "retraction", foreign).values())

    early = local_bus()
    early.publish([national("retraction", recall(value, "sighting")), national("retraction", foreign), national("sighting", value)])

    assert {("withheld", "retracted")} == set(outcomes(early, "sighting", value).values())
    alone = local_bus()
    alone.publish([national("retraction", foreign), national("sighting", value)])
    assert ("delivered", None) in outcomes(alone, "sighting", value).values()


def test_a_retraction_before_its_record_holds_it_back() -> None:
    """
    Order does not matter: a record that is taken back already goes to nobody, and neither does its retraction.
    """
    value = kwassa()
    bus = local_bus()
    bus.publish([national("retraction", recall(value, "interception")), national("interception", value)])

    assert {("withheld", "retracted")} == set(outcomes(bus, "interception", value).values())
    assert [] == [out for name in RECIPIENTS for out in views(bus.topics, name)]


def test_a_retraction_goes_out_after_its_agreement_has_ended() -> None:
    """
    The protection partner's agreement ends with 2028; what it had is taken back in 2029 all the same.
    """
    value = kwassa()
    later = round(datetime(2029, 6, 1, tzinfo=UTC).timestamp() * 1000)
    bus = local_bus()
    bus.publish([national("interception", value), national("retraction", recall(value, "interception"), at=later)])
    new = kwassa("KM-2", position={"latitude": -11.0, "longitude": 43.0})
    bus.publish([national("interception", new, at=later)])

    assert 1 == len(bus.read("for.protection-partner.retraction"))
    assert ("withheld", "agreement-not-in-force") == outcomes(bus, "interception", new)["protection-partner"]


def test_a_suppressed_repeat_that_is_taken_back_is_told_to_nobody_who_never_had_it() -> None:
    """
    A recipient for whom a second report was a repeat never had it: its retraction would name a record that it cannot know.
    """
    first, second = attack("one"), attack("two")
    bus = local_bus()
    bus.publish([national("sighting", value) for value in (first, second)])
    bus.publish([national("retraction", recall(second, "sighting"))])
    suppressed = {name for name, (outcome, _) in outcomes(bus, "sighting", second).items() if outcome == "repeat"}

    assert suppressed
    for name in suppressed:
        assert [] == bus.read(f"for.{name}.retraction")


def test_what_repeats_a_report_that_was_taken_back_is_sent() -> None:
    """
    After a retraction the same event reported again is news: nobody is left believing that it did not happen.
    """
    first, second = attack("one"), attack("two")
    bus = local_bus()
    bus.publish([national("sighting", first), national("retraction", recall(first, "sighting")), national("sighting", second)])

    assert {"delivered"} == {
        outcome for outcome, reason in outcomes(bus, "sighting", second).values() if reason != "not-for-this-event"
    }
    assert [None] == [decoded(out)["lifecycle"]["repeats"] for out in bus.read("for.rmifc.sighting")[1:]]


# --- References and revisions ----------------------------------------------------------------------------------------------


def test_a_reference_is_named_only_to_who_had_the_record() -> None:
    """
    An update names what it revises by the recipient's own name; for who never had that there is no name.
    """
    first = attack(handling={"tlp": "RED"})
    second = {**attack(revision=1), "lifecycle": {"status": "update", "revision": 1, "revises": first["id"]}}
    for state, expected in (
        ({}, None),
        (had("rmifc", "observatory-imb", first["id"]), pseudonym(recipient_key("rmifc"), first["id"])),
    ):
        view = decoded(views(emitted(release(), on_bus("sighting", second), state).records, "rmifc")[0])
        assert expected == view["lifecycle"]["revises"]
    foreign = had("rmifc", "observatory-asam", first["id"])
    view = decoded(views(emitted(release(), on_bus("sighting", second), foreign).records, "rmifc")[0])
    assert view["lifecycle"]["revises"] is None


@pytest.mark.parametrize("status", ["update", "cancel"])
def test_a_cancel_or_update_is_never_taken_for_a_repeat(status: str) -> None:
    """
    A revision that changes nothing but where the report stands in its life tells that, and is sent to all who had the first.
    """
    first = attack()
    second = attack(revision=1, lifecycle={"status": status, "revision": 1, "revises": first["id"]})
    bus = local_bus()
    bus.publish([national("sighting", first), national("sighting", second)])

    assert outcomes(bus, "sighting", first) == outcomes(bus, "sighting", second)
    assert status == decoded(bus.read("for.comoros.sighting")[1])["lifecycle"]["status"]


def test_what_a_report_says_in_words_is_news() -> None:
    """
    Another report of an event that differs in its account alone goes, marked, to who gets the account; to others it is a repeat.
    """
    for narrative, expected in (("keep", 2), ("withhold", 1)):
        step = release_of(
            agreement(categories={**dict.fromkeys(CATEGORIES, "keep"), "narrative": narrative}), rules=release().rules
        )
        state: dict[str, Any] = {}
        outs = []
        for value in (attack("one"), attack("two", narrative=[{"language": "en", "text": "They came back."}])):
            result = emitted(step, on_bus("sighting", value), state)
            state |= result.changes
            outs += views(result.records, "rmifc")

        assert expected == len(outs)
        assert [None, known_as("rmifc", attack("one"))][:expected] == [
            (decoded(out)["lifecycle"]["repeats"] or {}).get("id") for out in outs
        ]


def test_inbound_of_the_real_bus_is_what_release_reads() -> None:
    """
    What accept writes is what release is tested with here: its own marks are in it, and it is read by its topic.
    """
    bus = local_bus()
    bus.publish([national("sighting", attack())])
    written = bus.read("bus.sighting")

    assert 1 == len(written)
    assert emitted(release(), inbound(written[0]), {}).records == tuple(
        out for _, handled in bus.handled[1:] for out in handled.records
    )
