"""
What changes between two sets of agreements: nothing between one and itself, the mirror image the other way round.
"""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agreements import agreement, any_agreement
from boutre.processors.agreement import Agreement
from boutre.processors.difference import OPPOSITE, Difference, difference, field_direction, term_direction, terms
from boutre.processors.policy import Policy, make
from boutre.processors.ways import Way
from records import FIELDS, real_pipeline


def policy(*agreements: Agreement) -> Policy:
    """The cuts of some agreements."""
    return make(agreements, FIELDS)


def changes(found: Difference) -> tuple[set[tuple[str, str, str]], set[tuple[str, str]]]:
    """Which fields and which terms change."""
    return {(each.kind, each.field, each.direction) for each in found.fields}, {(each.key, each.direction) for each in found.terms}


def mirrored(found: Difference) -> Difference:
    """The difference the other way round, by what a difference says."""
    return Difference(
        found.removed,
        found.added,
        tuple(
            type(each)(each.recipient, each.agreement, each.key, each.becomes, each.was, OPPOSITE[each.direction])
            for each in found.terms
        ),
        tuple(
            type(each)(each.recipient, each.agreement, each.kind, each.field, each.becomes, each.was, OPPOSITE[each.direction])
            for each in found.fields
        ),
    )


def test_a_bus_does_not_differ_from_itself() -> None:
    """The real agreements, every kind and every field."""
    real = real_pipeline().policy

    assert not difference(real, real, FIELDS)
    assert difference(real, policy(), FIELDS)


@given(any_agreement(name="one"), any_agreement(name="one"), any_agreement(name="two"))
@settings(max_examples=12, deadline=None)
def test_the_other_way_round_is_the_mirror_image(one: Agreement, changed: Agreement, two: Agreement) -> None:
    """What was and what becomes change places, a gain is a loss, and nothing changes between a policy and itself."""
    before, after = policy(one), policy(changed, two)
    found, back = difference(before, after, FIELDS), difference(after, before, FIELDS)

    assert not difference(before, policy(one), FIELDS)
    assert mirrored(found) == back
    assert (found.gains, found.loses) == (back.loses, back.gains)


def test_one_more_field_withheld_is_exactly_that() -> None:
    """A policy that withholds one field more takes it from its recipient, in each kind that has it, and changes nothing else."""
    before = agreement(categories={"event": "keep", "craft": "keep", "administrative": "keep"}, kinds=("sighting", "interception"))
    after = before.model_copy(update={"fields": {"craft.hull": "withhold"}})
    found = difference(policy(before), policy(after), FIELDS)

    assert ({("sighting", "craft.hull", "less"), ("interception", "craft.hull", "less")}, set()) == changes(found)
    assert ("kept", "withheld") == (found.fields[0].was.state, found.fields[0].becomes.state)
    assert ("categories.craft", "fields.craft.hull") == (found.fields[0].was.clause, found.fields[0].becomes.clause)
    assert ((), ("rmifc",)) == (found.gains, found.loses)


def test_a_finer_grid_gives_more() -> None:
    """Of two degrees of one method the finer gives more; what it gives of is told field by field."""
    coarse, fine = (agreement(fields={"position": {"coarsen": "grid", "degrees": degrees}}) for degrees in (0.5, 0.1))
    found = difference(policy(coarse), policy(fine), FIELDS)

    assert {"more"} == {each.direction for each in found.fields}
    assert "position.latitude" in {each.field for each in found.fields}


def test_a_new_agreement_gives_what_it_gives() -> None:
    """It is named, its fields are gained, and what it withholds is no change."""
    new = agreement("comoros", categories={"event": "keep"}, kinds=("alert",))
    found = difference(policy(), policy(new), FIELDS)

    assert ((new,), (), ()) == (found.added, found.removed, found.terms)
    assert {"event"} == {each.field.partition(".")[0] for each in found.fields if each.kind == "alert"}
    assert ("comoros",) == found.gains


MORE: list[tuple[str, Any, Any]] = [
    ("when.tlp_max", "GREEN", "AMBER"),
    ("when.tlp_max", "RED", None),
    ("when.members", ["comoros"], ["comoros", "france"]),
    ("when.members", ["comoros"], None),
    ("when.not_members", ["comoros"], []),
    ("when.types", ["attack"], ["attack", "distress"]),
    ("when.not_types", ["ais", "attack"], ["ais"]),
    ("when.zones", ["a"], None),
    ("when.handling", [], ["H1"]),
    ("purposes", ["SAR"], ["SAR", "Security"]),
    ("kinds", ["alert"], ["alert", "sighting"]),
    ("start", "2027-01-01", "2026-01-01"),
    ("end", "2027-01-01", "2028-01-01"),
    ("retention_days", 30, 365),
    ("onward", "none", "own-organisation"),
]


@pytest.mark.parametrize(("key", "was", "becomes"), MORE)
def test_what_a_term_lets_through(key: str, was: Any, becomes: Any) -> None:
    """A wider term gives more, and a narrower one less, for each that has a direction."""
    assert ("more", "less") == (term_direction(key, was, becomes), term_direction(key, becomes, was))


@pytest.mark.parametrize("key", ["legal_basis.en", "ask", "when.members"])
def test_what_cannot_be_compared_is_only_otherwise(key: str) -> None:
    """Words have no direction, nor has a list that names others."""
    assert "other" == term_direction(key, ["comoros"], ["france"])


def test_every_term_of_an_agreement_is_compared() -> None:
    """Each key is told, conditions one by one; what is told field by field and the tests of it are not terms."""
    told = terms(agreement())

    assert {"title.en", "title.fr", "when.tlp_max", "when.members", "purposes", "end", "retention_days", "version"} <= told.keys()
    assert not {"fields", "categories", "example", "id"} & told.keys()
    changed = agreement(end=date(2031, 1, 1), version=2)
    assert {("end", "more"), ("version", "other")} == changes(difference(policy(agreement()), policy(changed), FIELDS))[1]


@given(st.sampled_from(("kept", "withheld", "pseudonymised", "coarsened", "never heard of")), st.sampled_from(("kept", "withheld")))
def test_all_is_more_than_a_part_and_a_part_more_than_nothing(state: str, end: str) -> None:
    """Also of a state that nobody has heard of yet."""
    way, other = Way(state), Way(end)

    expected = "other" if state == end else "more" if end == "kept" else "less"
    assert expected == field_direction(way, other)
