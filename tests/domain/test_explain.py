"""
What is told of a record is what release does with it: the same outcome, reason and fields, for every recipient.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from functools import cache
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agreements import agreement, any_agreement, release_of
from boutre.errors import Refuse
from boutre.processors.agreement import Agreement
from boutre.processors.conditions import Terms
from boutre.processors.decision import Emit
from boutre.processors.explain import Explanation, Failing, explain, verdict
from boutre.processors.release import Release
from boutre.processors.scopes import Scopes, Term
from boutre.processors.ways import Way, folded, held
from boutre.schemas.marks import Withheld
from records import (
    CODEC,
    FIELDS,
    KINDS,
    NOW,
    RECIPIENTS,
    Value,
    any_record,
    attack,
    kwassa,
    leaves,
    on_bus,
    recall,
    release,
    report,
    track,
    warning,
)

SEEDS = st.integers(min_value=0, max_value=2**32 - 1)
EXAMPLES = {
    "attack": ("sighting", attack()),
    "kwassa": ("interception", kwassa()),
    "track": ("sighting", track("AIS-1")),
    "warning": ("alert", warning()),
    "recall": ("retraction", recall(attack(), "sighting")),
    "red": ("sighting", attack(handling={"tlp": "RED"})),
    "named": ("sighting", attack(handling={"tlp": "RED", "release_to": ["rmifc"]})),
    "unknown marking": ("sighting", attack(handling={"tlp": "PURPLE"})),
    "for one purpose": ("interception", kwassa(handling={"tlp": "GREEN", "purposes": ["ProtectionAssistance"]})),
    "not to be passed on": ("sighting", attack(handling={"tlp": "GREEN", "handling_codes": ["H2"]})),
    "in words": ("sighting", attack(handling={"tlp": "GREEN", "handling_codes": ["H3"]})),
    "least": ("sighting", report("sighting", "madagascar", "M-1")),
}


@cache
def real() -> Release:
    """The real release, with a key in force for whom it must seal."""
    step = release()
    return replace(step, desks=[replace(desk, seal=lambda _: "key") for desk in step.desks])


def accepted(kind: str, value: Value) -> Value:
    """A record as release reads it."""
    return CODEC.decode(CODEC.encode(kind, value)).value


def done(step: Release, kind: str, value: Value, state: Mapping[str, Any]) -> tuple[dict[str, Value], dict[str, Value]]:
    """What release did, by recipient: its receipts and its views."""
    decision = step(on_bus(kind, value), state)
    assert isinstance(decision, Emit)
    decoded = [(out.topic, CODEC.decode(out.value).value) for out in decision.records]
    receipts = {each["recipient"]: each for topic, each in decoded if topic == "bus.receipt"}
    return receipts, {each["view"]["recipient"]: each for topic, each in decoded if topic.startswith("for.")}


def agrees(step: Release, kind: str, value: Value) -> None:
    """Hold every explanation of a record against what release did with it, values included."""
    state = {}
    if kind == "retraction":
        # A recall is explained to somebody who had the record.
        had = {desk.recipient: ["digest"] for desk in step.desks}
        state = {f"had:{value['recall']['record']}": {"member": value["origin"]["member"], "to": had}}
    receipts, views = done(step, kind, value, state)
    told = explain(step, kind, accepted(kind, value), NOW, FIELDS)

    assert receipts.keys() == told.keys()
    for recipient, receipt in receipts.items():
        one = told[recipient]
        assert (receipt["outcome"], receipt["reason"]) == (one.outcome, one.reason), recipient
        assert (recipient in views) == one.given
        if one.given:
            assert tuple(receipt["agreements"]) == one.agreements
            same_fields(receipt, one)
            same_values(accepted(kind, value), views[recipient], one.ways)


def same_fields(receipt: Value, told: Explanation) -> None:
    """Each row of the receipt is told of its field and of all below it, and nothing else is told to be other than it was."""
    rows = {row["field"]: (row["state"], row["method"], row["clause"]) for row in receipt["fields"]}
    for path, way in told.ways.items():
        parts = path.split(".")
        prefixes = [".".join(parts[:length]) for length in range(len(parts), 0, -1)]
        row = next((rows[prefix] for prefix in prefixes if prefix in rows), None)
        limited = row is not None and str(row[1]).startswith("roles")
        if way.state in {"kept", "made"}:
            assert row is None or limited, path
        else:
            assert row == (way.state, way.method, way.clause), path
    assert all(any(path == row or path.startswith(f"{row}.") for path in told.ways) for row in rows)


def same_values(value: Value, view: Value, ways: Mapping[str, Way]) -> None:
    """What is told to be kept stands in the view as in the record; of what is withheld nothing does."""
    limited = {path for path, way in ways.items() if str(way.method).startswith("roles")}
    references = {info.path for infos in FIELDS.values() for info in infos if info.reference}
    mine, theirs = at_leaves(value), at_leaves(view)
    for path, way in ways.items():
        own = way.state == "made" or path in references or any(path.startswith(one) for one in (*limited, "lifecycle.repeats"))
        if way.state == "kept" and not own:
            assert mine.get(path) == theirs.get(path), path
        elif way.state == "withheld":
            assert path not in theirs, path


def at_leaves(value: Value) -> dict[str, list[Any]]:
    """Everything that a record or view holds, by path."""
    found: dict[str, list[Any]] = {}
    for path, leaf in leaves({name: group for name, group in value.items() if not isinstance(group, Withheld)}):
        found.setdefault(path, []).append(leaf)
    return found


@pytest.mark.parametrize("name", EXAMPLES)
def test_what_is_told_of_an_example_is_what_release_does(name: str) -> None:
    """For all recipients under the real agreements."""
    agrees(real(), *EXAMPLES[name])


@given(st.sampled_from(KINDS).flatmap(lambda kind: st.tuples(st.just(kind), any_record(kind))))
@settings(max_examples=40, deadline=None)
def test_what_is_told_of_any_record_is_what_release_does(drawn: tuple[str, Value]) -> None:
    """For all recipients under the real agreements, whatever a record holds, at whatever edge."""
    agrees(real(), *drawn)


@given(
    any_agreement(name="one"),
    any_agreement(name="two"),
    st.sampled_from(KINDS).flatmap(lambda kind: st.tuples(st.just(kind), any_record(kind))),
)
@settings(max_examples=40, deadline=None)
def test_it_is_so_under_any_agreements(one: Agreement, two: Agreement, drawn: tuple[str, Value]) -> None:
    """Under any one agreement, and under two that speak of one record together."""
    for step in (release_of(one), release_of(one, two)):
        agrees(step, *drawn)


# --- Why not ---------------------------------------------------------------------------------------------------------------


CONDITIONS = {
    "kinds": [("sighting",), ("alert", "interception")],
    "start": ["2018-04-29", "2027-01-01"],
    "end": ["2028-01-01", "2020-01-01"],
    "purposes": [("Security",), ("Statistics",)],
}
WHEN = {
    "tlp_max": ["CLEAR", "GREEN", "RED"],
    "handling": [(), ("H2",)],
    "members": [None, ("comoros",), ("observatory-imb", "comoros")],
    "not_members": [(), ("comoros",), ("observatory-imb",)],
    "types": [None, ("attack",), ("distress",)],
    "not_types": [(), ("ais",), ("irregular-migration",)],
    "zones": [None, ("demonstration",), ("elsewhere",)],
}


def drawn_agreement(seed: int) -> Agreement | None:
    """An agreement with conditions near those that the examples meet; None where nobody could declare it."""
    random = Random(seed)  # noqa: S311 - a test
    parts: dict[str, Any] = {key: random.choice(choices) for key, choices in CONDITIONS.items()}  # type: ignore[arg-type]  # lists of several types
    parts["when"] = {key: random.choice(choices) for key, choices in WHEN.items()}  # type: ignore[arg-type]  # the same
    try:
        return agreement(**parts)
    except ValueError:
        return None


def others_open(one: Agreement, failing: Failing) -> Iterator[str]:
    """The keys of a failing condition, as they are named in the agreement's model."""
    names = {"term": ("start", "end"), "when.zones": ("when.zones", "when.waters")}
    yield from names.get(failing.key or "", (failing.key or "",))
    assert one.name


@given(SEEDS, st.sampled_from(sorted(EXAMPLES)))
@settings(max_examples=150, deadline=None)
def test_all_that_fails_is_told_and_nothing_else(seed: int, name: str) -> None:
    """
    The reason is one of what fails; and where every key that fails is mended, and nothing fails of the record itself, it speaks.

    So whoever mends what he is told to mend gets what he asks for.
    """
    kind, value = EXAMPLES[name]
    one = drawn_agreement(seed)
    if one is None:
        return
    facts = release_of(one).facts(kind, accepted(kind, value), NOW)
    found = verdict(one, facts)

    assert Terms.of(one).refusal(facts) == found.reason
    assert (found.reason is None) == (found.failing == ())
    assert found.reason is None or found.failing[0].reason == found.reason
    if all(failing.key is not None for failing in found.failing):
        assert (
            Terms.of(mended(one, [key for failing in found.failing for key in others_open(one, failing)], facts)).refusal(facts)
            is None
        )


def mended(one: Agreement, keys: list[str], facts: Any) -> Agreement:
    """The agreement with these keys such that they let the record through."""
    every: dict[str, Any] = {
        "kinds": KINDS,
        "start": agreement().start,
        "end": agreement().end,
        "purposes": tuple(facts.purposes) or one.purposes,
        "when.tlp_max": "RED",
        "when.handling": tuple(facts.codes),
        "when.not_members": (),
        "when.not_types": (),
    }
    when = {key.removeprefix("when."): every.get(key) for key in keys if key.startswith("when.")}
    own = {key: every[key] for key in keys if not key.startswith("when.")}
    return one.model_copy(update={**own, "when": one.when.model_copy(update=when)})


def test_pseudonyms_and_roles_are_told() -> None:
    """A field under a pseudonym by its state; of a list of persons which of them are given, and of those what."""
    one = agreement(
        categories={"event": "keep", "victim": "keep", "person-identity": "keep", "protection": "keep", "craft": "keep"},
        fields={"victims.name": "pseudonymise"},
        roles={"victims": ("victim",)},
    )
    persons = [{"name": "Nobody Real", "role": "victim"}, {"name": "Nobody Either", "role": "witness"}]
    value = kwassa(victims=persons)
    agrees(release_of(one), "interception", value)
    told = explain(release_of(one), "interception", accepted("interception", value), NOW, FIELDS)["rmifc"]

    assert ("pseudonymised", "fields.victims.name") == (told.ways["victims.name"].state, told.ways["victims.name"].clause)
    assert ("coarsened", "roles victim") == told.ways["victims"].outcome
    assert "kept" == told.ways["victims.role"].state


def test_an_operation_gives_more_while_it_is_active() -> None:
    """Before it, its agreement is told not to speak, by the key that names it; in it, what it adds is told as its own."""
    ordinary = agreement(categories={"administrative": "keep", "event": "keep"}, id="ordinary")
    inside = agreement(categories={"administrative": "keep", "event": "keep", "location": "keep"}, id="inside", scope="corridor")
    kind, value = EXAMPLES["attack"]
    step = release_of(ordinary, inside)
    term = Term(NOW - timedelta(days=1), NOW + timedelta(days=1), frozenset({"observatory-imb"}))
    active = replace(step, scopes=Scopes({"corridor": term}))
    agrees(step, kind, value)
    agrees(active, kind, value)
    before, during = (explain(each, kind, accepted(kind, value), NOW, FIELDS)["rmifc"] for each in (step, active))

    refused = next(each for each in before.verdicts if each.agreement.id == "inside")
    assert ("scope-not-active", (Failing("scope", "scope-not-active"),)) == (refused.reason, refused.failing)
    assert ("withheld", "kept") == tuple(each.ways["position.latitude"].state for each in (before, during))
    assert "inside@1" == during.ways["position.latitude"].agreement


def test_what_fails_is_named_by_its_key() -> None:
    """Two conditions fail at once, and both are told, the one by which it was refused first."""
    one = agreement(when={"tlp_max": "CLEAR", "members": ("comoros",), "types": ("attack",)})
    kind, value = EXAMPLES["attack"]
    found = verdict(one, release_of(one).facts(kind, accepted(kind, value), NOW))

    assert (Failing("when.tlp_max", "marking"), Failing("when.members", "condition")) == found.failing


def test_a_record_for_others_is_its_owners_matter() -> None:
    """Where the owner named others, no key of an agreement is at fault."""
    one = agreement("comoros")
    kind, value = EXAMPLES["named"]
    found = verdict(one, release_of(one).facts(kind, accepted(kind, value), NOW))

    assert (Failing(None, "not-named"),) == found.failing


def test_whom_to_ask_is_told_where_something_is_withheld() -> None:
    """By the agreement that withholds it, or by those that refuse the record; and by nobody where there is no agreement."""
    told = explain(real(), "interception", accepted("interception", kwassa()), NOW, FIELDS)
    bare = explain(release_of(agreement("rmifc", kinds=("alert",))), "sighting", accepted("sighting", attack()), NOW, FIELDS)

    assert ("originator-protection",) == told["protection-partner"].ask
    assert "rmifc-duty-officer" in told["comoros"].ask
    assert ("no-agreement", ()) == (bare["rmifc"].reason, bare["rmifc"].ask)


def test_no_explanation_holds_a_value_of_the_record() -> None:
    """Whatever a record says, what is told of it is made of the agreements alone."""
    secret = "Vedette Ylang 4711"
    value = kwassa(action={"kind": "Interception", "unit": secret}, narrative=[{"language": "fr", "text": secret}])
    told = explain(real(), "interception", accepted("interception", value), NOW, FIELDS)

    assert secret not in str([(each.verdicts, each.ways) for each in told.values()])
    assert set(RECIPIENTS) == told.keys()


def test_what_release_cannot_handle_is_refused() -> None:
    """A record without its origin is no record of the bus, and nothing is told of it."""
    with pytest.raises(Refuse) as caught:
        explain(real(), "sighting", {**accepted("sighting", attack()), "origin": None}, NOW, FIELDS)

    assert "missing-field" == caught.value.code


# --- Folding ---------------------------------------------------------------------------------------------------------------


@given(
    st.dictionaries(st.sampled_from([info.path for info in FIELDS["interception"] if info.path.count(".") < 3]), st.integers(0, 2))
)
@settings(max_examples=60, deadline=None)
def test_lines_hold_every_field_once(cells: dict[str, int]) -> None:
    """Fields are brought together and none is lost; what stands in for several has the same below it everywhere."""
    lines = folded(cells)

    assert sorted(cells) == sorted(path for line in lines for path in line.fields)
    for line in lines:
        assert {line.cell} == {cells[path] for path in line.fields}
        assert {line.group} == {path.partition(".")[0] for path in line.fields}
        # A group with a cell of its own, of which some items are left out, stands beside its fields and not for them.
        stand_ins = [path for path in line.paths if path not in cells]
        below = [path for path in cells for stand_in in stand_ins if path.startswith(f"{stand_in}.")]
        assert all(cells[path] == line.cell for path in below)


def test_what_a_record_holds_is_told_without_its_marks() -> None:
    """A withheld group and an empty value are not held, a part of a list is."""
    value = {"a": {"b": 1, "c": None}, "d": [{"e": 0}], "f": Withheld("x@1", "y", None), "g": []}

    assert {"a", "a.b", "d", "d.e"} == held(value)
