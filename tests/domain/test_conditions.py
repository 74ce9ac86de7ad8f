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
from boutre.processors.conditions import Facts, refusal
from boutre.processors.safety_of_life import SafetyOfLife
from boutre.processors.scopes import NO_SCOPES, Scopes, Term
from boutre.schemas.marks import Withheld
from records import NOW, Value, attack, kwassa, warning, words

DAY = timedelta(days=1)
MILLISECOND = timedelta(milliseconds=1)
LIVES = SafetyOfLife(
    types=("distress",),
    flags=("vulnerability.medical_urgent",),
    authorities=("rmifc",),
    fields=("event", "vulnerability.medical_urgent"),
)
"""When lives are at risk, in these tests."""


def why(
    value: Value,
    *,
    kind: str = "interception",
    at: datetime = NOW,
    zones: frozenset[str] = frozenset(),
    scopes: Scopes = NO_SCOPES,
    **parts: Any,
) -> str | None:
    """Why an agreement with these parts gives nothing of a record."""
    return refusal(agreement(**parts), Facts(kind, value, at, lambda *_: zones, scopes=scopes, lives=LIVES))


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
    expected = "empty-audience" if label == "RED" else None if allowed else "marking"

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


# --- Handling codes --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("codes", "honoured", "expected"),
    [
        ([], (), None),
        (["H2"], (), "handling-code"),
        (["H2"], ("H1",), "handling-code"),
        (["H2"], ("H1", "H2"), None),
        (["H1", "H2"], ("H2",), "handling-code"),
        (["H3"], ("H1", "H2"), "handling-code"),
        (["h2"], ("H2",), "handling-code"),
    ],
)
def test_a_handling_code_that_is_not_honoured_keeps_a_record_back(
    codes: list[str], honoured: tuple[str, ...], expected: str | None
) -> None:
    """
    Every code that a record bears must be one that the agreement honours: one among many that is not is enough.
    """
    found = why(kwassa(handling={"tlp": "GREEN", "handling_codes": codes}), when={"tlp_max": "RED", "handling": honoured})

    assert expected == found


@pytest.mark.parametrize(
    ("given", "asked", "expected"),
    [
        (None, None, None),
        (None, ("explicit",), "no-consent"),
        ("refused", ("explicit",), "no-consent"),
        ("explicit", ("explicit",), None),
        ("explicit", ("written", "explicit"), None),
    ],
)
def test_without_the_consent_that_is_asked_for_a_record_stays(
    given: str | None, asked: tuple[str, ...] | None, expected: str | None
) -> None:
    """
    Where an agreement asks for consent, none and any other are a no.
    """
    found = why(kwassa(handling={"tlp": "GREEN", "consent": given}), when={"tlp_max": "RED", "consent": asked})

    assert expected == found


# --- Scopes ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("start", "end", "members", "expected"),
    [
        (NOW, NOW + DAY, {"comoros"}, None),
        (NOW + MILLISECOND, NOW + DAY, {"comoros"}, "scope-not-active"),
        (NOW - DAY, NOW, {"comoros"}, "scope-not-active"),
        (NOW - DAY, NOW + MILLISECOND, {"comoros"}, None),
        (NOW - DAY, NOW + DAY, {"seychelles"}, "scope-not-active"),
    ],
)
def test_inside_its_scope_alone_an_agreement_speaks(
    start: datetime, end: datetime, members: set[str], expected: str | None
) -> None:
    """
    From the first instant of the operation to that of its end, and of the records of its members only.
    """
    scopes = Scopes({"operation": Term(start, end, frozenset(members))})

    assert expected == why(kwassa(), scopes=scopes, scope="operation")
    assert "scope-not-active" == why(kwassa(), scopes=scopes, scope="another")


# --- Safety of life --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "handling",
    [{"tlp": "RED"}, {"tlp": "RED", "release_to": ["rcoc"]}, {"tlp": "WHITE"}, {"tlp": "GREEN", "handling_codes": ["H3"]}, None],
)
def test_where_lives_are_at_risk_no_marking_keeps_a_record_from_rescuers(handling: Value | None) -> None:
    """
    Neither colour nor audience, purpose or code; and where nobody is at risk the same record is not for this agreement.
    """
    lives: Value = {"safety_of_life": True, "when": {}}

    assert why(kwassa(event={"type": "distress"}, handling=handling), **lives) is None
    assert why(kwassa(vulnerability={"medical_urgent": True}, handling=handling), **lives) is None
    assert "not-for-this-event" == why(kwassa(vulnerability={"medical_urgent": False}, handling=handling), **lives)
    assert "not-for-this-event" == why(kwassa(vulnerability=Withheld("a@1", "x"), handling=handling), **lives)


def test_a_rescuer_still_needs_to_be_responsible_and_the_agreement_in_force() -> None:
    """
    Whatever the marking, and not whatever else: waters and term bind as they do for any agreement.
    """
    lives: Value = {"safety_of_life": True, "when": {"zones": ("eez-comoros",)}}
    sinking = kwassa(event={"type": "distress"}, handling={"tlp": "RED"})

    assert "condition" == why(sinking, **lives)
    assert why(sinking, zones=frozenset({"eez-comoros"}), **lives) is None
    assert "agreement-not-in-force" == why(sinking, at=datetime(2030, 1, 1, tzinfo=UTC), **lives)
