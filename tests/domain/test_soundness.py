"""
The quick yes of validation: it is given to nothing that a closer look finds wrong, and to the records that there are.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from boutre.schemas.sense import Area
from boutre.schemas.soundness import make_sound
from boutre.schemas.validation import Validator
from hostile_values import ODD, odd, places
from records import KINDS, LOCK, NOW, Value, any_record, attack, kwassa, recall, track, warning, words

VALIDATOR = Validator(LOCK, words().has)
SOUND = {kind: make_sound(LOCK.latest(kind).schema, words().has) for kind in KINDS}
AREAS = [None, Area(30.0, -30.0, 80.0, 20.0), Area(170.0, -30.0, -170.0, 20.0), Area(0.0, 0.0, 0.0, 0.0)]
ORDINARY: dict[str, tuple[str, Value]] = {
    "attack": ("sighting", attack()),
    "track": ("sighting", track("t1", claims=[{"attribute": "mmsi", "value": "219000001"}])),
    "kwassa": ("interception", kwassa()),
    "warning": ("alert", warning()),
    "recall": ("retraction", recall(attack(), "sighting")),
}


def outcome(act: Callable[[], Any]) -> Any:
    """What comes of it: the problems, or the type of what was raised."""
    try:
        return act()
    except Exception as error:  # noqa: BLE001 - a value of any types may raise, and then has to in both
        return type(error)


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=250, deadline=None)
@given(data=st.data())
def test_a_closer_look_finds_the_same(kind: str, data: st.DataObject) -> None:
    """
    In any record with something odd in it, in any area and at any time.
    """
    value, area = data.draw(odd(kind)), data.draw(st.sampled_from(AREAS))
    now = NOW + timedelta(minutes=data.draw(st.sampled_from([0, -11, -(60 * 24 * 400)])))
    closely = outcome(lambda: VALIDATOR.closely(kind, value, now, area))

    assert closely == outcome(lambda: VALIDATOR.check(kind, value, now, area))


@pytest.mark.parametrize("name", ORDINARY)
def test_each_field_counts(name: str) -> None:
    """
    With anything odd in any one place of an ordinary record, a closer look finds the same.
    """
    kind, value = ORDINARY[name]
    for container, key in list(places(value)):
        kept = container[key]
        for thing in ODD:
            container[key] = thing
            closely = outcome(lambda: VALIDATOR.closely(kind, value, NOW, AREAS[1]))

            assert closely == outcome(lambda: VALIDATOR.check(kind, value, NOW, AREAS[1])), (key, type(thing))
        container[key] = kept


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_records_that_can_be_accepted_pass_at_once(kind: str, data: st.DataObject) -> None:
    """
    Any record in which nothing is wrong gets the quick yes: a doubt about each of them would be right, and slow.
    """
    value = data.draw(any_record(kind))

    assert [] == VALIDATOR.closely(kind, value, NOW)
    assert SOUND[kind](value, None)


def test_a_code_is_remembered_only_where_it_is_known() -> None:
    """
    A vocabulary is asked once for a code that it has, and again for one that it has not.
    """
    asked: list[str] = []

    def has(scheme: str, code: str) -> bool:
        asked.append(code)
        return words().has(scheme, code)

    sound = make_sound(LOCK.latest("sighting").schema, has)
    for value in (attack(), attack(), attack(handling={"tlp": "INVENTED"}), attack(handling={"tlp": "INVENTED"})):
        sound(value, None)

    assert (1, 2) == (asked.count("GREEN"), asked.count("INVENTED"))
