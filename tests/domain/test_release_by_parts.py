"""
Release by parts against release without any art: the same bytes for every recipient, and nothing of one recipient in another's.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agreements import EVERYWHERE, agreement, any_agreement, release_of
from boutre.processors.agreement import Agreement
from boutre.processors.decision import Emit
from boutre.processors.given import AS_IT_IS
from boutre.processors.parts import Groups, Parts, nobody
from boutre.processors.release import Release
from boutre.schemas.identity import pseudonym
from boutre.schemas.marks import Sealed, Withheld
from boutre.schemas.meanings import CATEGORIES
from plain_release import PlainRelease
from records import (
    CODEC,
    FIELDS,
    KINDS,
    NOW,
    RECIPIENTS,
    Drawn,
    Value,
    any_record,
    attack,
    known_as,
    kwassa,
    on_bus,
    recall,
    recipient_key,
    release,
    track,
    views,
)

SEEDS = st.integers(min_value=0, max_value=2**32 - 1)
THREE = ("rmifc", "rcoc", "france")
TYPES = ("attack", "irregular-migration", "distress", "ais")
"""Event types: some by which repeats are found, and the one whose subject is a ship."""

ALL_KEPT = dict.fromkeys(CATEGORIES, "keep")
CUT = [info for kind in KINDS for info in FIELDS[kind] if info.top not in ("id", "exercise", "view")]
"""Every field of which agreements decide."""


# --- Records that speak of one another -------------------------------------------------------------------------------------


def story(seed: int) -> list[tuple[str, Value]]:
    """
    Records of one member as they come after one another: new ones, the same again, updates, recalls, sealed and marked ones.
    """
    random = Random(seed)  # noqa: S311 - a test
    member = random.choice(("seychelles", "observatory-imb", "comoros", "observatory-ais"))
    records: list[tuple[str, Value]] = []
    for _ in range(random.randint(1, 5)):
        if records and random.random() < 0.5:
            records.append(_again(random, *random.choice(records)))
        else:
            kind = random.choice(KINDS)
            records.append((kind, _new(random, kind, member, [value for _, value in records])))
    return records


def _new(random: Random, kind: str, member: str, before: list[Value]) -> Value:
    value = Drawn(random, random.choice((0.0, 0.4, 0.8, 1.0))).record(kind, member)
    if random.random() < 0.9:
        value["handling"] |= {
            "tlp": random.choice(("CLEAR", "GREEN", "AMBER")),
            "purposes": [],
            "release_to": [],
            "handling_codes": [],
        }
    if "event" in value:
        value["event"] |= {"type": random.choice(TYPES)}
    if random.random() < 0.8:
        value["times"] |= {"accepted_at": NOW, "late": random.random() < 0.5}
    if before and random.random() < 0.3:
        # What accept found for all, which is nobody's to see.
        value["lifecycle"] |= {"repeats": {"id": random.choice(before)["id"], "rule": "same-day-same-place"}}
    if before and random.random() < 0.5:
        value["lifecycle"] |= {"revises": random.choice(before)["id"]}
    if before and kind == "retraction":
        value["recall"] |= {"record": random.choice(before)["id"]}
    for name in ("victims", "narrative", "vulnerability"):
        if name in value and random.random() < 0.2:
            value[name] = Sealed("hpke", f"case {name}", b"nonce", bytes(random.randbytes(8)))
    if "position" in value and random.random() < 0.1:
        value["position"] = Withheld("national@1", "own clause", "somebody")
    return value


def _again(random: Random, kind: str, value: Value) -> tuple[str, Value]:
    """The same event told again: as the same record, or as another that differs where it should not matter, or where it should."""
    again = {**value}
    other = Drawn(random, random.choice((0.3, 1.0))).record(kind, value["origin"]["member"])
    if random.random() < 0.7:
        again |= {"id": other["id"], "origin": {**value["origin"], "reference": other["origin"]["reference"]}}
    for name in random.sample(("times", "provenance", "narrative", "craft", "sensor"), 1):
        if name in again and random.random() < 0.5:
            again[name] = {**other["times"], "observed": value["times"]["observed"]} if name == "times" else other[name]
    return kind, again


@dataclass(frozen=True, slots=True)
class Called:
    """Names of somebody to whom everything has one name, or none."""

    name: str | None

    def __call__(self, identifier: str, /) -> str | None:
        """Give the name."""
        del identifier
        return self.name

    def alias(self, field: str, text: str, /) -> str | None:
        """Give the text by that name."""
        return f"{self.name} {field} {text}"


def near(seed: int, ours: Agreement) -> list[Agreement]:
    """
    For each of three recipients an agreement that is *ours* but for a few rules, or two such: most groups are cut alike.
    """
    random = Random(seed)  # noqa: S311 - a test
    made = []
    for recipient in THREE:
        for number in range(random.choice((1, 1, 2))):
            rules = dict(ours.fields)
            for info in random.sample(CUT, random.randint(0, 3)):
                rules[info.path] = random.choice(("keep", "withhold"))
            made.append(ours.model_copy(update={"id": f"{recipient}-{number}", "recipient": recipient, "fields": rules}))
    return made


def compare(step: Release, records: list[tuple[str, Value]]) -> None:
    """Prove that release writes what the plain way writes, one record after the other."""
    plainly = PlainRelease(step)
    state: dict[str, Any] = {}
    for kind, value in records:
        record = on_bus(kind, value)
        decision = step(record, state)
        expected = plainly(record)

        assert isinstance(decision, Emit)
        assert [(one.recipient, kind, one.outcome) for one in expected] == [
            (one.recipient, one.kind, one.outcome) for one in decision.releases
        ]
        assert [one.view for one in expected if one.view] + [offer for one in expected for offer in one.offers] + [
            receipt for one in expected for receipt in (one.receipt, one.told) if receipt
        ] == list(decision.records)
        state |= decision.changes


# --- The same bytes --------------------------------------------------------------------------------------------------------


@given(any_agreement(), SEEDS, SEEDS)
@settings(max_examples=30, deadline=None)
def test_what_is_shared_is_what_each_would_get_alone(ours: Agreement, varied: int, told: int) -> None:
    """
    Under agreements that are nearly alike, every byte for every recipient is that of a view cut and written for it alone.
    """
    compare(release_of(*near(varied, ours), rules=release().rules), story(told))


@given(any_agreement("rmifc", "a"), any_agreement("rmifc", "b"), any_agreement("rcoc", "c"), any_agreement("france", "d"), SEEDS)
@settings(max_examples=15, deadline=None)
def test_agreements_that_have_nothing_in_common_share_nothing(
    one: Agreement, two: Agreement, three: Agreement, four: Agreement, told: int
) -> None:
    """
    The same under agreements that differ in every rule, and where two of them speak of one record.
    """
    compare(release_of(one, two, three, four, rules=release().rules), story(told))


@pytest.mark.parametrize("kind", KINDS)
@given(st.data(), SEEDS)
@settings(max_examples=6, deadline=None)
def test_every_recipient_of_this_bus_gets_what_its_agreements_say(kind: str, data: st.DataObject, told: int) -> None:
    """
    The same for the real agreements and all eight recipients, for every kind.
    """
    first = data.draw(any_record(kind))
    first["handling"] |= {"tlp": "GREEN", "purposes": [], "release_to": [], "handling_codes": []}
    compare(replace(release(), zones_at=lambda *_: EVERYWHERE), [(kind, first), *story(told)])


def test_the_named_reports_come_out_as_plainly() -> None:
    """
    An attack, another report of it, its update and its recall, an interception and a track: no byte differs from the plain way.
    """
    first = attack()
    update = attack(revision=1, lifecycle={"status": "update", "revision": 1, "revises": first["id"]})
    ship = track("t1")
    records = [
        ("sighting", first),
        ("sighting", attack("again")),
        ("sighting", update),
        ("retraction", recall(first, "sighting")),
        ("interception", kwassa()),
        ("sighting", ship),
        ("sighting", track("t2", seconds=10)),
        ("retraction", recall(ship, "sighting")),
    ]

    compare(release(), records)


# --- What is shared, and what is not ---------------------------------------------------------------------------------------


@given(any_agreement(), SEEDS, st.sampled_from(KINDS), st.data())
@settings(max_examples=30, deadline=None)
def test_rules_of_one_effect_make_the_same(ours: Agreement, varied: int, kind: str, data: st.DataObject) -> None:
    """
    Where two cuts have one group, both make the same of any record that names no other one.
    """
    value = data.draw(any_record(kind))
    groups = Groups()
    cuts = [cut for desk in release_of(*near(varied, ours)).desks for cut in desk.cuts[kind]]
    made: dict[Any, Any] = {}
    for cut in cuts:
        for name, node in cut.nodes:
            if node.apply is not None:
                group = groups.of(kind, name, node)
                result = node.give(value[name], Called("a name"))
                assert made.setdefault(group, result) == result
                assert group.node.whole == node.whole


def test_what_names_a_record_is_kept_for_nobody_else() -> None:
    """
    An update names what it revises to each recipient by its own name, and to who never had it by none; an initial report is shared.
    """
    cuts = [desk.cuts["sighting"][0] for desk in release_of(*(agreement(name, categories=ALL_KEPT) for name in THREE)).desks]
    groups = Groups()
    lifecycles = {groups.of("sighting", name, node) for cut in cuts for name, node in cut.nodes if name == "lifecycle"}
    (lifecycle,) = lifecycles
    update = Parts(CODEC, CODEC.decode(on_bus("sighting", attack(lifecycle={"status": "update", "revises": "it"})).value))
    initial = Parts(CODEC, CODEC.decode(on_bus("sighting", attack()).value))

    names = [update.make(lifecycle, Called(own)).value["revises"] for own in ("one", "two", None)]

    assert ["one", "two", None] == names
    assert {} == update.shared
    assert initial.make(lifecycle, nobody) is initial.shared[lifecycle]


@pytest.mark.parametrize("order", [THREE, THREE[::-1]])
def test_each_recipient_reads_its_own_name_for_what_is_revised(order: tuple[str, ...]) -> None:
    """
    Whoever comes first: nobody's view holds the name by which another recipient knows the earlier report.
    """
    step = release_of(*(agreement(name, categories=ALL_KEPT) for name in order))
    first = attack()
    state = {f"had:{first['id']}": {"member": "observatory-imb", "to": {name: ["digest"] for name in order[:2]}}}
    update = attack(revision=1, lifecycle={"status": "update", "revision": 1, "revises": first["id"]})
    decision = step(on_bus("sighting", update), state)

    assert isinstance(decision, Emit)
    for name in order:
        content = b"".join(out.value for out in views(decision.records, name))
        shown = {other for other in order if known_as(other, first).encode() in content}
        assert ({name} if name in order[:2] else set()) == shown


def test_what_accept_found_is_shown_to_nobody() -> None:
    """
    The mark of a repeat that accept made for the bus is in no view, not even of a recipient who had the earlier report.
    """
    step = release_of(agreement(categories={**ALL_KEPT, "event": "withhold"}))
    earlier = attack("earlier")
    state = {f"had:{earlier['id']}": {"member": "observatory-imb", "to": {"rmifc": ["digest"]}}}
    mark = {"id": earlier["id"], "rule": "same-day-same-place"}
    decision = step(on_bus("sighting", attack(lifecycle={"status": "initial", "repeats": mark})), state)
    assert isinstance(decision, Emit)

    (view,) = views(decision.records, "rmifc")

    assert CODEC.decode(view.value).value["lifecycle"]["repeats"] is None
    assert known_as("rmifc", earlier).encode() not in view.value


def test_a_view_holds_nothing_of_the_record_before_it() -> None:
    """
    What was filled in for one record does not stand in the next one that lacks it.
    """
    step = release()
    rich, poor = kwassa(), kwassa("KM-2", craft=None, persons=None, position=None, victims=None, narrative=None)
    alone = replace(step)(on_bus("interception", poor), {})
    step(on_bus("interception", rich), {})

    assert alone == step(on_bus("interception", poor), {})


def test_what_is_sealed_says_whose_agreement_does_not_give_it() -> None:
    """
    Two recipients with one rule for a sealed group read the names of their own agreements, not of one another's.
    """
    step = release_of(*(agreement(name, fields={"vulnerability.needs": "keep"}) for name in THREE))
    decision = step(on_bus("interception", kwassa(vulnerability=Sealed("hpke", "case", b"nonce", b"content"))), {})
    assert isinstance(decision, Emit)

    told = [CODEC.decode(views(decision.records, name)[0].value).value["vulnerability"] for name in THREE]

    assert [Withheld(f"{name}-test@1", "sealed", "somebody") for name in THREE] == told


def test_whoever_shares_everything_shares_no_name() -> None:
    """
    Two recipients of the same cut get the same groups, and no id, key or name in common.
    """
    decision = release_of(*(agreement(name, categories=ALL_KEPT) for name in THREE))(on_bus("sighting", attack()), {})
    assert isinstance(decision, Emit)
    outs = [views(decision.records, name)[0] for name in THREE]
    values = [CODEC.decode(out.value).value for out in outs]
    groups = [{name: group for name, group in value.items() if name not in ("id", "view")} for value in values]

    assert groups[0] == groups[1] == groups[2]
    assert 3 == len({out.key for out in outs}) == len({value["id"] for value in values})
    assert [pseudonym(recipient_key(name), attack()["id"]).encode() for name in THREE] == [out.key for out in outs]


def test_most_of_a_report_is_shared_by_the_recipients_of_this_bus() -> None:
    """
    Of the groups of an attack that recipients get, most are made once for several of them: sharing is not lost unseen.
    """
    groups = Groups()
    value = attack()
    shares: dict[Any, int] = {}
    for desk in release().desks:
        for name, node in desk.cuts["sighting"][0].nodes if "sighting" in desk.cuts else ():
            if node.apply is not None and value.get(name) is not None:
                group = groups.of("sighting", name, node)
                shares[group] = shares.get(group, 0) + 1

    assert len(RECIPIENTS) == max(shares.values())
    assert sum(shares.values()) > 2 * len(shares)
    assert AS_IT_IS in {group.node.effect for group in shares}
