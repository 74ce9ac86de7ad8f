"""
Conditions: whether an agreement speaks of a record at all. Each is tried on both sides of its edge; every doubt is a no.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agreements import agreement
from boutre.processors.agreement import TLP
from boutre.processors.conditions import refusal
from boutre.schemas.marks import Withheld
from records import NOW, Value, attack, kwassa, warning, words

DAY = timedelta(days=1)
MILLISECOND = timedelta(milliseconds=1)


def why(
    value: Value, *, kind: str = "interception", at: datetime = NOW, zones: frozenset[str] = frozenset(), **parts: Any
) -> str | None:
    """Why an agreement with these parts gives nothing of a record."""
    return refusal(agreement(**parts), kind, value, at, lambda *_: zones)


# --- Term ------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        (datetime(2018, 4, 29, tzinfo=UTC) - MILLISECOND, "agreement-not-in-force"),
        (datetime(2018, 4, 29, tzinfo=UTC), None),
        (datetime(2030, 1, 1, tzinfo=UTC) - MILLISECOND, None),
        (datetime(2030, 1, 1, tzinfo=UTC), "agreement-not-in-force"),
        # Days are those of UTC, wherever the bus stands: in Mauritius the new year has begun four hours before.
        (datetime(2030, 1, 1, 3, 59, 59, tzinfo=timezone(timedelta(hours=4))), None),
        (datetime(2030, 1, 1, 4, 0, tzinfo=timezone(timedelta(hours=4))), "agreement-not-in-force"),
    ],
)
def test_an_agreement_holds_from_the_first_instant_of_its_start_to_that_of_its_end(at: datetime, expected: str | None) -> None:
    """
    The end is the first day on which it does not hold; what counts is when the bus accepted, never when it happened.
    """
    old = kwassa(times={"observed": {"at": datetime(1995, 1, 1, tzinfo=UTC), "precision": "day"}})

    assert expected == why(old, at=at)


# --- Marking ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("most", TLP)
@pytest.mark.parametrize("label", TLP)
def test_a_marking_goes_up_to_the_agreed_one_and_no_further(label: str, most: str) -> None:
    """
    TLP 2.0 in its order; RED also only to who is named.
    """
    allowed = TLP.index(label) <= TLP.index(most)
    expected = ("not-named" if label == "RED" else None) if allowed else "marking"

    assert expected == why(kwassa(handling={"tlp": label}), when={"tlp_max": most})
    assert allowed == (why(kwassa(handling={"tlp": label, "release_to": ["rmifc"]}), when={"tlp_max": most}) is None)


@pytest.mark.parametrize("label", [None, "", "WHITE", "green", "TLP:GREEN", "EX:CHR"])
def test_a_marking_that_is_not_known_lets_nothing_out(label: str | None) -> None:
    """
    Neither none nor one of another version, case or spelling is taken for the widest.
    """
    assert "unknown-marking" == why(kwassa(handling={"tlp": label}))


@pytest.mark.parametrize("handling", [None, Withheld("a@1", "default-deny")])
def test_without_handling_nothing_goes_out(handling: Any) -> None:
    """
    A record that says nothing of what may be done with it goes to nobody.
    """
    assert "marking" == why(kwassa(handling=handling))


def test_the_order_of_markings_is_that_of_the_vocabulary() -> None:
    """
    All codes of TLP 2.0 are known to the comparison, and no others.
    """
    assert words().codes("tlp@2") == set(TLP)


@pytest.mark.parametrize(
    ("named", "expected"),
    [([], None), (["rmifc"], None), (["rcoc", "rmifc"], None), (["rcoc"], "not-named"), (["RMIFC"], "not-named")],
)
def test_who_is_not_named_gets_nothing(named: list[str], expected: str | None) -> None:
    """
    Where a record names its recipients it is for those alone, whatever its marking.
    """
    assert expected == why(kwassa(handling={"tlp": "CLEAR", "release_to": named}))


@pytest.mark.parametrize(
    ("purposes", "expected"),
    [([], None), (["SAR"], None), (["SAR", "VTM"], None), (["VTM"], "not-for-this-purpose"), (["sar"], "not-for-this-purpose")],
)
def test_a_record_for_other_purposes_stays(purposes: list[str], expected: str | None) -> None:
    """
    One purpose in common is enough; none is none.
    """
    assert expected == why(kwassa(handling={"tlp": "CLEAR", "purposes": purposes}))


# --- Conditions of the agreement -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("when", "expected"),
    [
        ({}, None),
        ({"members": ["comoros"]}, None),
        ({"members": ["france", "comoros"]}, None),
        ({"members": ["france"]}, "condition"),
        ({"not_members": ["comoros"]}, "own-report"),
        ({"not_members": ["france"]}, None),
        ({"members": ["comoros"], "not_members": ["comoros"]}, "own-report"),
        ({"types": ["irregular-migration"]}, None),
        ({"types": ["attack"]}, "not-for-this-event"),
        ({"not_types": ["irregular-migration"]}, "not-for-this-event"),
        ({"types": ["irregular-migration"], "not_types": ["irregular-migration"]}, "not-for-this-event"),
        ({"zones": ["eez-comoros"]}, None),
        ({"zones": ["eez-france", "eez-comoros"]}, None),
        ({"zones": ["eez-france"]}, "condition"),
        ({"members": ["comoros"], "types": ["irregular-migration"], "zones": ["eez-comoros"]}, None),
        ({"members": ["comoros"], "types": ["irregular-migration"], "zones": ["eez-france"]}, "condition"),
    ],
)
def test_all_that_an_agreement_asks_for_must_hold(when: Value, expected: str | None) -> None:
    """
    Lists are alternatives, keys are not; what is excluded is so whatever else names it.
    """
    assert expected == why(kwassa(), zones=frozenset({"eez-comoros"}), when={"tlp_max": "RED", **when})


@pytest.mark.parametrize(
    ("groups", "when", "expected"),
    [
        ({"event": None}, {"types": ["irregular-migration"]}, "not-for-this-event"),
        ({"event": None}, {"not_types": ["ais"]}, "not-for-this-event"),
        ({"event": Withheld("a@1", "x")}, {"not_types": ["ais"]}, "not-for-this-event"),
        ({"event": {"type": None}}, {"not_types": ["ais"]}, "not-for-this-event"),
        ({"origin": None}, {}, "condition"),
        ({"origin": Withheld("a@1", "x")}, {"not_members": ["france"]}, "condition"),
        ({"position": None}, {"zones": ["eez-comoros"]}, "condition"),
        ({"position": Withheld("a@1", "x")}, {"zones": ["eez-comoros"]}, "condition"),
        ({"position": {"latitude": -12.0, "longitude": None}}, {"zones": ["eez-comoros"]}, "condition"),
    ],
)
def test_what_cannot_be_judged_is_refused(groups: Value, when: Value, expected: str) -> None:
    """
    A record without the field that a condition asks for does not meet it, neither by a list nor by its opposite.
    """
    assert expected == why(kwassa(**groups), zones=frozenset({"eez-comoros"}), when={"tlp_max": "RED", **when})


@pytest.mark.parametrize(("kind", "value"), [("sighting", attack()), ("interception", kwassa()), ("alert", warning())])
def test_an_agreement_speaks_of_its_kinds_only(kind: str, value: Value) -> None:
    """
    What it does not name among its kinds it does not give.
    """
    assert why(value, kind=kind, kinds=(kind,)) is None
    assert "not-for-this-kind" == why(value, kind=kind, kinds=("retraction",))


@given(st.permutations(("kind", "term", "marking", "event")))
def test_every_condition_holds_beside_every_other(broken: list[str]) -> None:
    """
    However many are not met, nothing goes out; a reason is always given, and it is a declared one.
    """
    wrong: dict[str, Value] = {
        "kind": {"kinds": ("alert",)},
        "term": {"start": NOW.date() + DAY, "end": NOW.date() + 2 * DAY},
        "marking": {"when": {"tlp_max": "CLEAR"}},
        "event": {"when": {"tlp_max": "RED", "types": ["attack"]}},
    }
    parts: Value = {}
    for name in broken:
        parts |= wrong[name]
        assert why(kwassa(), **parts) in words().codes("release-reason@1")
