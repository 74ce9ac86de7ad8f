"""
Records from files: what the bus writes as JSON is read back as it was.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from boutre.connectors.plain import line
from boutre.ops.record_input import Given, NoRecord, Reading
from boutre.schemas.marks import Sealed, Withheld
from records import CODEC, FIELDS, KINDS, NOW, Value, any_record, attack, kwassa

READING = Reading(CODEC, FIELDS)


def of(kind: str) -> st.SearchStrategy[tuple[str, Value]]:
    """A record with its kind."""
    return st.tuples(st.just(kind), any_record(kind))


@given(st.sampled_from(KINDS).flatmap(of))
@settings(max_examples=60, deadline=None)
def test_what_is_written_as_json_is_read_as_it_was(drawn: tuple[str, Value]) -> None:
    """Any record of any kind, known by its id; moments, days, numbers and texts as they were."""
    kind, value = drawn
    found = READING.document(json.loads(line(value)), "a line")

    assert kind == found.kind
    assert CODEC.decode(CODEC.encode(kind, value)).value == found.value


def test_marks_are_read_as_marks() -> None:
    """A group that was withheld or sealed is that again, and no group of such fields."""
    sealed = Sealed("a256gcm", "key", b"\0\1", b"\2\3", ())
    value = kwassa(victims=sealed, narrative=Withheld("x@1", "default-deny", "originator"))

    found = READING.document(json.loads(line(value)), "a line").value
    assert sealed == found["victims"]
    assert Withheld("x@1", "default-deny", "originator") == found["narrative"]


def test_files_of_a_folder_are_read_in_order(tmp_path: Path) -> None:
    """Lines of JSON, a document over several lines, and a frame; empty lines are nothing."""
    (tmp_path / "a.jsonl").write_text(f"{line(attack('A-1'))}\n\n{line(attack('A-2'))}\n", encoding="utf-8")
    (tmp_path / "b.json").write_text(json.dumps(json.loads(line(attack("A-3"))), indent=2), encoding="utf-8")
    (tmp_path / "c").write_bytes(CODEC.encode("sighting", attack("A-4")))

    found = list(READING.file(tmp_path))
    assert ["A-1", "A-2", "A-3", "A-4"] == [each.value["origin"]["reference"] for each in found]
    assert {"sighting"} == {each.kind for each in found}


@pytest.mark.parametrize(
    ("told", "expected"),
    [({"accepted": "2026-09-21T16:13:20+02:00"}, NOW), ({"released": "2026-09-21T14:13:20Z"}, NOW), ({}, None)],
)
def test_when_it_was_accepted_may_stand_beside_it(told: Value, expected: object) -> None:
    """In any zone; without it a record that was never accepted is one."""
    document = {"kind": "sighting", "value": json.loads(line(attack())), **told}

    assert expected == READING.document(document, "a line").accepted


@pytest.mark.parametrize(
    "broken",
    [
        {"times": {"observed": {"at": "2026-09-20T22:40:00"}}},
        {"narrative": {"withheld": {"nonsense": 1}}},
        {"victims": {"sealed": {"algorithm": "a"}}},
        {"position": {"latitude": "north"}},
        {"claims": "none"},
    ],
)
def test_what_does_not_fit_is_refused(broken: Value) -> None:
    """A moment without a zone, a mark that is none, a value of another type: by the place, without the value."""
    with pytest.raises(NoRecord) as caught:
        READING.document({**json.loads(line(attack())), **broken}, "record.json")

    assert str(caught.value).startswith("record.json")
    assert "north" not in str(caught.value)


def test_a_given_record_shows_nothing_of_itself() -> None:
    """In an error or a log line it is its kind and its time, and no value."""
    assert "FULL CITY" not in repr(Given("sighting", attack()))
