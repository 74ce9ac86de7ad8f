"""
Validation: every rule that the schema itself declares, at its edges, for every field that has it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from datetime import datetime
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from boutre.schemas.fields import FieldInfo
from boutre.schemas.marks import Sealed, Withheld
from boutre.schemas.sense import Problem
from boutre.schemas.validation import BOUNDS, COUNTED, Validator
from records import FIELDS, KINDS, LOCK, NOW, Drawn, Value, any_record, attack, below, kwassa, words

VALIDATOR = Validator(LOCK, lambda vocabulary, code: words().has(vocabulary, code))
OURS = ("view",)
"""Groups that no member fills in."""


def found(kind: str, value: Value) -> list[Problem]:
    """All that is wrong with a record."""
    return VALIDATOR.check(kind, value, NOW)


def told(problems: list[Problem]) -> set[tuple[str, str | None]]:
    """Codes and fields."""
    return {(problem.code, problem.field) for problem in problems}


def whole(kind: str) -> Value:
    """A record in which every field has a value, also those that only the bus fills in."""
    value = Drawn(Random(3), 1.0).record(kind, "seychelles")  # noqa: S311 - a test
    value["lifecycle"]["repeats"] = {"id": "x", "rule": "x"}
    return value


def fields(wanted: Callable[[FieldInfo], bool]) -> list[Any]:
    """All fields that a rule is for, each of one kind that has it."""
    chosen = {info.path: (kind, info) for kind in KINDS for info in FIELDS[kind] if info.top not in OURS and wanted(info)}
    return [pytest.param(kind, info, id=f"{kind}.{path}") for path, (kind, info) in chosen.items()]


def put(value: Any, path: str, new: Any) -> None:
    """Set a field, in the first item of each list on the way."""
    name, _, rest = path.partition(".")
    inner = value[0] if isinstance(value, list) else value
    if rest:
        put(inner[name], rest, new)
    else:
        inner[name] = [new] if isinstance(inner[name], list) and not isinstance(new, list | type(None)) else new


def changed(kind: str, info: FieldInfo, new: Any) -> list[Problem]:
    """What is wrong once one field of a whole record is changed."""
    value = whole(kind)
    put(value, info.path, new)
    return found(kind, value)


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data())
@settings(max_examples=15, deadline=None)
def test_a_record_that_makes_sense_is_let_through(kind: str, data: st.DataObject) -> None:
    """
    Any fields, near the ends of what they can hold: nothing is wrong with them.
    """
    assert [] == found(kind, data.draw(any_record(kind)))


@pytest.mark.parametrize(("kind", "info"), fields(lambda info: info.required and info.nullable))
def test_a_required_field_must_be_there(kind: str, info: FieldInfo) -> None:
    """
    Avro lets it be null for the sake of views; a member must not.
    """
    assert ("missing-field", info.path) in told(changed(kind, info, None))


@pytest.mark.parametrize(
    ("kind", "info"), fields(lambda info: info.required and info.type_name == "string" and not info.vocabulary and not info.many)
)
def test_a_required_text_is_not_blank(kind: str, info: FieldInfo) -> None:
    """
    Spaces are no name.
    """
    assert ("missing-field", info.path) in told(changed(kind, info, " \t"))


@pytest.mark.parametrize(("kind", "info"), fields(lambda info: not info.required and info.nullable))
def test_any_other_field_may_be_unknown(kind: str, info: FieldInfo) -> None:
    """
    Null is unknown, and never wrong by itself.
    """
    assert [] == changed(kind, info, None)


@pytest.mark.parametrize(("kind", "info"), fields(lambda info: info.vocabulary is not None))
def test_a_code_is_one_of_its_list(kind: str, info: FieldInfo) -> None:
    """
    In exactly its spelling; and what was written instead is not told.
    """
    for wrong in ("canary", " ", min(words().codes(str(info.vocabulary))) + " "):
        problems = changed(kind, info, wrong)
        assert ("unknown-code", info.path) in told(problems)
        assert not any("canary" in f"{problem.field}{problem.detail}" for problem in problems)


@pytest.mark.parametrize("letter", ["\x00", "\x1b", "\r", "\x7f", "\x9b", "\x85"])
def test_a_control_character_is_refused(letter: str) -> None:
    """
    A terminal obeys them, of both sets; tab and line feed are text, and so is any script and any direction of writing.
    """
    narrative = [{"language": "en", "text": f"a{letter}b"}]

    assert {("wrong-type", "narrative.text")} == told(found("sighting", attack(narrative=narrative)))
    assert [] == found("sighting", attack(narrative=[{"language": "en", "text": "a\tb\nc \u200f\u202eمركب"}]))


@pytest.mark.parametrize(("kind", "info"), fields(lambda info: info.type_name == "double"))
@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_a_number_is_finite(kind: str, info: FieldInfo, number: float) -> None:
    """
    Neither NaN nor infinity is a measure of anything.
    """
    assert ("out-of-range", info.path) in told(changed(kind, info, number))


@pytest.mark.parametrize(("kind", "info"), fields(lambda info: info.unit in BOUNDS and info.type_name in ("double", "long")))
def test_a_measure_lies_in_its_bounds(kind: str, info: FieldInfo) -> None:
    """
    Both ends belong to it, but for 360 degrees, which are 0; the next number beyond does not.
    """
    least, most = BOUNDS[info.unit]
    step = 1 if info.type_name == "long" or info.unit in COUNTED else None
    below_it = least - step if step else math.nextafter(least, -math.inf)
    above = most + step if step else math.nextafter(most, math.inf)
    code = "negative-count" if info.unit == "person" else "out-of-range"
    make = int if info.type_name == "long" else float
    wrong = {most} if info.unit == "degree true" else set()

    assert (code, info.path) in told(changed(kind, info, make(below_it)))
    assert ("out-of-range", info.path) in told(changed(kind, info, make(above)))
    for end in {least, most} - wrong:
        assert {code for code, field in told(changed(kind, info, make(end))) if field == info.path} <= {"inconsistent-count"}
    for end in wrong:
        assert ("out-of-range", info.path) in told(changed(kind, info, make(end)))


@pytest.mark.parametrize(("kind", "info"), fields(lambda info: info.unit in COUNTED and info.type_name == "double"))
def test_what_is_counted_is_whole(kind: str, info: FieldInfo) -> None:
    """
    There is no half of a person, nor of an engine.
    """
    assert ("out-of-range", info.path) in told(changed(kind, info, 1.5))


def test_a_number_beyond_all_floats_is_out_of_range() -> None:
    """
    An int of Python can be larger than any float: it is refused, and raises nothing.
    """
    value = kwassa(handling={"tlp": "GREEN", "retention_days": 10**400})

    assert {("out-of-range", "handling.retention_days")} == told(found("interception", value))


@pytest.mark.parametrize(("kind", "info"), fields(lambda info: info.type_name == "timestamp-millis"))
def test_a_time_has_a_zone(kind: str, info: FieldInfo) -> None:
    """
    A naive time is of no place on earth; it is told by itself, before times are compared.
    """
    problems = changed(kind, info, datetime(2026, 9, 20, 1, 2))  # noqa: DTZ001 - the very thing that is refused

    assert {("naive-time", info.path)} == told(problems)


@pytest.mark.parametrize("kind", KINDS)
def test_what_only_the_bus_makes_is_refused(kind: str) -> None:
    """
    A member's record is no view and withholds nothing; it may seal what the schema lets it seal.
    """
    groups = [info.name for info in below(kind) if info.withholdable]
    for name in groups:
        problems = told(found(kind, {**whole(kind), name: Withheld("a@1", "x")}))
        assert ("wrong-type", name) in problems
    for name in [info.name for info in below(kind) if info.sealable]:
        assert [] == found(kind, {**whole(kind), name: Sealed("hpke", "k", b"n", b"c")})
    assert ("wrong-kind", "view") in told(found(kind, {**whole(kind), "view": {"recipient": "rmifc"}}))


def test_every_problem_has_a_code_with_its_words() -> None:
    """
    Whatever is found has a reason code of the vocabulary, and with it a sentence in both languages.
    """
    reasons = words().codes("reject-reason@1")

    def problems() -> Iterator[Problem]:
        for kind, info in (case.values for case in fields(lambda info: info.type_name in ("string", "double"))):
            for wrong in (None, "canary") if info.type_name == "string" else (None, -1.0, math.nan):
                yield from changed(kind, info, wrong)

    assert {problem.code for problem in problems()} <= reasons
