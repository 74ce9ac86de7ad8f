"""
Release: what a recipient may not have changes nothing of what it gets, and occurs nowhere in it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agreements import agreement, any_agreement, exactly, other_than_visible, release_of
from boutre.processors.agreement import Agreement
from boutre.processors.conditions import Facts, refusal
from boutre.processors.decision import Emit, Inbound, Outbound, Reject
from boutre.processors.release import Desk, Release
from boutre.processors.safety_of_life import SafetyOfLife
from boutre.processors.scopes import Scopes, Term
from boutre.schemas.identity import pseudonym
from boutre.schemas.marks import Sealed, Withheld
from boutre.schemas.meanings import CATEGORIES
from canaries import as_bytes, canary
from records import (
    AT,
    CODEC,
    FIELDS,
    KINDS,
    NOW,
    RECIPIENTS,
    TEXTS,
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
    return {**value, "handling": {**value["handling"], "tlp": "GREEN", "purposes": [], "release_to": [], "handling_codes": []}}


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


def test_who_is_left_of_a_list_tells_no_role() -> None:
    """
    One agreement gives victims of some roles only, another all of them without their role: together they give none of them.
    """
    told = dict.fromkeys(("administrative", "origin", "event", "time", "victim", "person-identity"), "keep")
    limited = agreement(id="rmifc-a", categories=told, roles={"victims": ("victim", "crew")})
    hidden = agreement(id="rmifc-b", categories=told, fields={"victims.role": "withhold"})
    crew, passenger = (kwassa(victims=[{"role": role, "age_band": "18-24"}]) for role in ("crew", "passenger"))
    for step in (release_of(limited, hidden), release_of(hidden, limited)):
        seen = [views(emitted(step, on_bus("interception", value), {}).records, "rmifc") for value in (crew, passenger)]
        assert 1 == len(seen[0])
        assert isinstance(decoded(seen[0][0])["victims"], Withheld)
        assert seen[0] == seen[1]
    alone = views(emitted(release_of(limited), on_bus("interception", crew), {}).records, "rmifc")
    assert ["crew"] == [one["role"] for one in decoded(alone[0])["victims"]]


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
        ours = [each for each in ours if refusal(each, Facts(kind, own, accepted, lambda *_: EVERYWHERE)) is None]
    # What an exception gives beside them is tried below.
    step = replace(release(), zones_at=lambda *_: EVERYWHERE, lives=None)
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


# --- Exceptions ------------------------------------------------------------------------------------------------------------


LIVES = SafetyOfLife(
    types=("distress",), authorities=("rmifc",), fields=("event", "position", "times.observed", "craft", "persons")
)
MINIMAL = {
    "event": "keep",
    "position": "keep",
    "times.observed": "keep",
    "craft.kind": "keep",
    "craft.colours": "keep",
    "persons.total": "keep",
}


def rescue(**parts: Any) -> Agreement:
    """An agreement for safety of life."""
    return agreement(id="rmifc-x-rescue", safety_of_life=True, when={}, fields=MINIMAL, **parts)


def content_of(value: Any) -> dict[str, list[Any]]:
    """What a view tells, by path, in order; without what says by what it was cut."""
    found: dict[str, list[Any]] = {}
    for path, held in leaves(value):
        if path.partition(".")[0] not in ("id", "view") and held is not None and not isinstance(held, Withheld):
            found.setdefault(path, []).append(held)
    return found


@given(any_agreement(name="a"), any_record("sighting").map(open_to_all))
@settings(max_examples=60, deadline=None)
def test_an_exception_gives_what_it_declares_and_takes_nothing_away(ours: Agreement, value: Value) -> None:
    """
    Each value of the view is one of the view by the ordinary agreement alone or of that by the exception alone.

    None of the latter's is missing, and nothing that neither of them gives is there.
    """
    value["event"] = {**(value["event"] or {"classes": [], "nature": None, "outcome": None}), "type": "distress"}
    both, ordinary, exception = (
        content_of(decoded(views(emitted(replace(step, lives=LIVES), on_bus("sighting", value), {}).records, "rmifc")[0]))
        for step in (release_of(ours, rescue()), release_of(ours), release_of(rescue()))
    )

    assert exception == {path: both.get(path) for path in exception}
    for path, held in both.items():
        assert held in (ordinary.get(path), exception.get(path)), path


def test_without_danger_an_agreement_for_safety_of_life_adds_nothing() -> None:
    """
    The same record of another type comes out as if that agreement were not there.
    """
    ordinary = agreement(id="rmifc-a", categories={"event": "keep"})
    with_, without = (
        views(emitted(replace(step, lives=LIVES), on_bus("sighting", attack()), {}).records, "rmifc")
        for step in (release_of(ordinary, rescue()), release_of(ordinary))
    )

    assert without == with_


def test_a_red_report_of_a_sinking_boat_reaches_rescuers_and_its_originator_is_told() -> None:
    """
    Whatever the marking: the minimal set goes out, with a receipt for the audit and one for the originator, which names no view.
    """
    step = replace(release_of(rescue()), lives=LIVES)
    value = kwassa(event={"type": "distress"}, handling={"tlp": "RED", "release_to": ["comoros"]})
    result = emitted(step, on_bus("interception", value), {})
    view = decoded(views(result.records, "rmifc")[0])
    receipt, told = (decoded(out) for out in result.records if out.topic in ("bus.receipt", "told.comoros"))

    assert value["position"].items() <= view["position"].items()
    assert isinstance(view["victims"], Withheld)
    assert isinstance(view["origin"], Withheld)
    assert "delivered" == receipt["outcome"] == told["outcome"]
    assert (view["id"], None, None) == (receipt["view"], told["view"], told["commitment"])
    assert {**receipt, "view": None, "commitment": None} == told


def test_a_lost_key_keeps_nobody_from_being_saved() -> None:
    """
    What must be sealed stays where there is no key; what rescuers may have unsealed goes out alone, as if the other were not there.
    """
    sealed = agreement(id="rmifc-a", categories={"origin": "keep", "event": "keep"}, encrypt=True)
    sinking, other = kwassa(event={"type": "distress"}), kwassa("KM-2")
    step = replace(release_of(sealed, rescue()), lives=LIVES)
    alone = replace(release_of(rescue()), lives=LIVES)
    first, second = (emitted(step, on_bus("interception", value), {}) for value in (sinking, other))
    expected = views(emitted(alone, on_bus("interception", sinking), {}).records, "rmifc")

    assert [] == views(second.records, "rmifc")
    assert {"no-key"} == {decoded(out)["reason"] for out in second.records}
    told, plain = (decoded(one) for one in (*views(first.records, "rmifc"), *expected))
    assert {**plain, "id": told["id"]} == told
    assert isinstance(told["origin"], Withheld)


def test_inside_a_scope_more_goes_out_and_after_its_end_as_before() -> None:
    """
    While the operation is active its agreement gives beside the ordinary one, and the originator is told; else only the latter.
    """
    ordinary = agreement(id="rmifc-a", categories={"event": "keep"})
    inside = agreement(id="rmifc-b", scope="operation", categories={"craft": "keep"})
    step = release_of(ordinary, inside)
    value = attack()
    active = Scopes({"operation": Term(NOW, NOW + timedelta(days=1), frozenset({value["origin"]["member"]}))})
    told = []
    for scopes in (active, Scopes()):
        result = emitted(replace(step, scopes=scopes), on_bus("sighting", value), {})
        view = decoded(views(result.records, "rmifc")[0])
        topics = [out.topic for out in result.records]
        told.append((isinstance(view["craft"], Withheld), "told.observatory-imb" in topics, view["view"]["agreements"]))

    assert [(False, True, ["rmifc-a@1", "rmifc-b@1"]), (True, False, ["rmifc-a@1"])] == told


def test_a_recall_of_what_an_exception_gave_tells_no_more_than_the_exception() -> None:
    """
    By which agreement a recipient had the record nobody remembers: of the recall it gets what all of its agreements give.
    """
    step = replace(
        release_of(agreement(id="rmifc-a", categories={"origin": "keep", "administrative": "keep"}), rescue()), lives=LIVES
    )
    value = kwassa(event={"type": "distress"})
    result = emitted(step, on_bus("retraction", recall(value, "interception")), had("rmifc", "comoros", value["id"]))

    assert isinstance(decoded(views(result.records, "rmifc")[0])["origin"], Withheld)


@pytest.mark.parametrize(
    ("handling", "reason"),
    [
        ({"tlp": "WHITE"}, "unknown-marking"),
        ({"tlp": "RED"}, "empty-audience"),
        ({"tlp": "GREEN", "handling_codes": ["H3"]}, "handling-code"),
    ],
)
def test_its_owner_is_told_of_a_marking_that_lets_nothing_out(handling: Value, reason: str) -> None:
    """
    Nothing goes out, and the owner of the record reads why on a topic of its own; of an ordinary refusal it is not told.
    """
    step = release_of(agreement(categories=dict.fromkeys(CATEGORIES, "keep")))
    refused = emitted(step, on_bus("interception", kwassa(handling=handling)), {}).records
    others = emitted(step, on_bus("interception", kwassa(handling={"tlp": "GREEN", "release_to": ["rcoc"]})), {}).records

    assert [("bus.receipt", reason), ("told.comoros", reason)] == [(out.topic, decoded(out)["reason"]) for out in refused]
    assert [("bus.receipt", "not-named")] == [(out.topic, decoded(out)["reason"]) for out in others]


# --- Pseudonyms and roles --------------------------------------------------------------------------------------------------


def test_a_pseudonym_joins_what_one_recipient_has_and_nothing_of_two() -> None:
    """
    The same name, however it is written, has one pseudonym for one recipient, another for another, and stands nowhere itself.
    """
    rules = {"claims.attribute": "keep", "claims.value": "pseudonymise"}
    step = release_of(*(agreement(name, fields=rules) for name in ("rmifc", "rcoc")))
    shown: dict[str, set[str]] = {"rmifc": set(), "rcoc": set()}
    for number, name in enumerate(("Full City", "FULL  CITY", "full city", "\uff26\uff35\uff2c\uff2c CITY")):
        claims = [{"attribute": "name", "value": name, "source": None}]
        result = emitted(step, on_bus("sighting", attack(str(number), claims=claims)), {})
        for recipient, found in shown.items():
            (out,) = views(result.records, recipient)
            found.add(decoded(out)["claims"][0]["value"])
            assert "city" not in decoded(out)["claims"][0]["value"].casefold()
            assert [("claims.value", "pseudonymised", "fields.claims.value")] == [
                (row["field"], row["state"], row["clause"])
                for row in decoded(out)["view"]["fields"]
                if row["field"].startswith("claims.value")
            ]

    assert [1, 1] == [len(found) for found in shown.values()]
    assert shown["rmifc"].isdisjoint(shown["rcoc"])


def test_persons_of_other_roles_are_not_given_and_not_counted() -> None:
    """
    A list limited to roles gives those persons alone; that there are others, or none, is the same.
    """
    step = release_of(agreement(fields={"victims.role": "keep", "victims.sex": "keep"}, roles={"victims": ("victim",)}))
    person = {**kwassa()["victims"][0], "sex": "female"}
    victim, guide, nobody = ({**person, "role": role} for role in ("victim", "smuggler", None))

    def given(*persons: Value) -> Any:
        result = emitted(step, on_bus("interception", kwassa(victims=list(persons))), {})
        return views(result.records, "rmifc")[0]

    assert ["victim"] == [one["role"] for one in decoded(given(guide, victim, nobody))["victims"]]
    assert given(victim) == given(guide, victim) == given(victim, nobody, guide)
    assert given(guide) == given(nobody, nobody)


# --- Canaries --------------------------------------------------------------------------------------------------------------


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
            if path in infos and (not exactly(ours, kind, infos[path]) or infos[path].reference):
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
    assert [{"member", "to", "cells"}] == [set(entry) for key, entry in result.changes.items() if key.startswith("had:")]


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


@pytest.mark.parametrize(("drill", "stands"), [(False, True), (True, False)])
def test_an_exercise_takes_back_what_is_of_an_exercise_only(drill: bool, stands: bool) -> None:  # noqa: FBT001 - a table
    """
    A recall of an exercise, before its record, holds back a record of an exercise and nothing real; one in earnest holds back both.
    """
    value = kwassa(exercise=drill)
    rehearsed, earnest = local_bus(), local_bus()
    rehearsed.publish([national("retraction", recall(value, "interception", exercise=True)), national("interception", value)])
    earnest.publish([national("retraction", recall(value, "interception")), national("interception", value)])

    assert stands == (("delivered", None) in outcomes(rehearsed, "interception", value).values())
    assert {("withheld", "retracted")} == set(outcomes(earnest, "interception", value).values())


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
        out for name, handled in bus.handled if name == "release" for out in handled.records
    )
