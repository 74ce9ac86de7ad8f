"""
What stands for nothing stands for nothing everywhere: movement and matching go by one list.
"""

from __future__ import annotations

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from boutre.errors import Fault
from boutre.processors.matching import placeholders
from boutre.processors.matching.identifiers import Identifier, Identifiers
from boutre.processors.matching.placeholders import LONGEST, Placeholders, own
from boutre.processors.movement.claims import compared
from pages import ROOT

CLAIMED = ("name", "call-sign", "imo")


def declared() -> placeholders.IdentifierRules:
    """What this bus declares."""
    faults: list[Fault] = []
    rules = placeholders.load(ROOT / "processors" / "matching", faults)
    assert rules is not None, faults
    return rules


RULES = declared()
IDENTIFIERS, LIST = Identifiers(RULES), Placeholders(RULES)
LISTED = sorted({*RULES.any.values, *RULES.imo.values, *RULES.call_sign.values, *RULES.name.values})
DRESSED = st.tuples(st.sampled_from(LISTED), st.sampled_from(("{}", " {} ", "{}.", "-{}-", "{}@@@"))).map(
    lambda of: of[1].format(of[0])
)
ANYTHING = st.one_of(
    st.text(max_size=25),
    DRESSED,
    DRESSED.map(str.upper),
    st.text("ABX0159 .-@", max_size=9),
    st.integers(0, 10**7).map(lambda number: f"IMO {number:07}"),
    st.sampled_from(("AMANI", "D6AB3", "9074729", "IMO9074729", "IMO 0000000", "IMO 1234567", "9074728")),
)


@given(attribute=st.sampled_from(CLAIMED), value=ANYTHING)
def test_what_is_a_placeholder_to_matching_is_none_to_movement(attribute: str, value: str) -> None:
    """And what movement compares is one to nobody: the lists cannot come apart."""
    found = compared(attribute, value)

    assert not (LIST.holds(attribute, value) and found is not None)
    assert found is None or not LIST.holds(attribute, found)


@given(attribute=st.sampled_from(CLAIMED), value=ANYTHING)
def test_a_form_that_was_compared_stays_as_it_is(attribute: str, value: str) -> None:
    """The same value told twice, once as it was kept, is one."""
    found = compared(attribute, value)

    assert found is None or found == compared(attribute, found)


@given(value=ANYTHING)
def test_an_imo_number_is_the_same_to_both(value: str) -> None:
    """What movement takes for a hull's number matching does too, as the same seven digits."""
    found, normal = compared("imo", value), IDENTIFIERS.normal("imo", value)

    assert found is None or (isinstance(normal, Identifier) and found == normal.value)


@pytest.mark.parametrize("attribute", CLAIMED)
@pytest.mark.parametrize("value", ["", "0", "NONE", "NIL", "n/a", "Unknown", "not available", "NOT DEFINED", "TEST", "@@@@"])
def test_what_is_keyed_in_for_nothing_is_nothing(attribute: str, value: str) -> None:
    """Whatever it is claimed as."""
    assert compared(attribute, value) is None


@pytest.mark.parametrize("value", ["VESSEL", "ship", "Boat", "inconnu", "haijulikani", "tsy fantatra", "TLP:RED", "12345", "AAAA"])
def test_no_name_is_none_in_the_languages_of_the_region(value: str) -> None:
    """A word for a craft, for *unknown*, for who may read it, and digits alone are no name."""
    assert compared("name", value) is None


def test_a_sentence_is_no_identity() -> None:
    """What is longer than any name is none, and costs nothing to look at."""
    assert compared("name", "AMANI" * LONGEST) is None


def test_the_engines_list_is_that_of_this_repository() -> None:
    """It is packed with the engine from where the bus declares it, beside the module that reads it."""
    build = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["hatch"]["build"]["targets"]["wheel"]
    packed = build["force-include"][f"processors/matching/{placeholders.FILE}"]

    assert "boutre/processors/matching/identifiers.toml" == packed
    assert all(own().holds("name", value) for value in (*RULES.any.values, *RULES.name.values))
    assert all(own().holds("nothing-known", value) for value in RULES.any.values)
