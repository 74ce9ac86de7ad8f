"""
A row becomes groups of a record by declared rules, and nothing of it is lost.
"""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from boutre.connectors.known import Known
from boutre.connectors.sources.mapping import Columns
from boutre.connectors.sources.rules import AnyRule
from boutre.schemas import lock, vocabulary

RULE: TypeAdapter[Any] = TypeAdapter(AnyRule)
KNOWN = Known.of(lock.load(), vocabulary.load(lock.core() / "vocabularies").has)


def rule(**said: Any) -> AnyRule:
    """One rule, as a declaration says it."""
    made: AnyRule = RULE.validate_python(said)
    return made


def mapped(cells: dict[str, str], *rules: AnyRule, **more: Any) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    """What the rules make of one row."""
    groups, misfits = Columns("ref", rules, **more).apply(cells)
    return groups, [(misfit.code, misfit.column) for misfit in misfits]


LATITUDE = rule(column="lat", read="number", to="position.latitude", also={"position.fix": "reported"})
NAME = rule(column="ship", read="claim", attribute="name", source="report", drop=("MV",), unless=("[0-9]+ TO [0-9]+", "NFI|CPA"))
STATUS = rule(column="status", read="code", to="craft.activity", codes={"Anchored": "at-anchor"}, other="other", scheme="own")


def test_a_number_is_set_with_what_goes_with_it() -> None:
    """The constants of a rule hold only where its column has a value."""
    assert ({"position": {"latitude": -6.775, "fix": "reported"}}, []) == mapped({"lat": " -6.775 "}, LATITUDE)
    assert ({}, []) == mapped({"lat": "N/A"}, LATITUDE)


@pytest.mark.parametrize("text", ["nan", "inf", "1e999", "1_000", "12 30 N", "0x10", "١٢", "1,5", "--1"])
def test_what_is_no_number_is_told_with_its_column(text: str) -> None:
    """Python would take some of these for a number; a position is not read out of them."""
    groups, misfits = mapped({"lat": text}, LATITUDE)

    assert [("wrong-type", "lat")] == misfits
    assert groups == {}


@given(value=st.floats(-180, 180))
def test_every_number_comes_back(value: float) -> None:
    """A float written by Python is read as itself."""
    assert value == mapped({"lat": repr(value)}, LATITUDE)[0]["position"]["latitude"]


@pytest.mark.parametrize("text", ["", " ", "-", "unknown", "Unknown", "N/A", "n/a", "?"])
def test_a_placeholder_is_nothing(text: str) -> None:
    """What a source writes where it knows nothing is no value, and not worth keeping either."""
    assert ({}, []) == mapped({"ship": text, "status": text, "lat": text, "more": ""}, NAME, STATUS, LATITUDE)


@pytest.mark.parametrize(
    ("text", "value"), [("MV Castor", "Castor"), ("Castor", "Castor"), ("MV", "MV"), ("MVP", "MVP"), ("mv Castor", "mv Castor")]
)
def test_a_prefix_is_dropped_only_as_declared(text: str, value: str) -> None:
    """A leading word that is declared goes; a name that begins with its letters stays."""
    assert value == mapped({"ship": text}, NAME)[0]["claims"][0]["value"]


@pytest.mark.parametrize("text", ["9 TO 10", "NFI", "CPA"])
def test_what_is_no_name_is_kept_as_it_is(text: str) -> None:
    """A pattern that is declared to be no name makes no claim, and its words are kept."""
    assert ({"unmapped": [{"name": "ship", "value": text}]}, []) == mapped({"ship": text}, NAME)


def test_a_name_that_only_begins_so_is_a_name() -> None:
    """A pattern has to match the whole."""
    assert "CPA STAR" == mapped({"ship": "CPA STAR"}, NAME)[0]["claims"][0]["value"]


def test_a_code_is_translated_and_kept_in_its_own_scheme() -> None:
    """The field gets the bus's code; what the source said stays beside it, also where the table did not know it."""
    known, unknown = mapped({"status": "Anchored"}, STATUS)[0], mapped({"status": "Rafted"}, STATUS)[0]

    assert ("at-anchor", "Anchored") == (known["craft"]["activity"], known["event"]["classes"][0]["code"])
    assert ("other", "Rafted") == (unknown["craft"]["activity"], unknown["event"]["classes"][0]["code"])


def test_a_code_without_other_is_refused() -> None:
    """Where the declaration has no word for the rest, the rest is its owner's."""
    strict = rule(column="status", read="code", to="craft.activity", codes={"Anchored": "at-anchor"})

    assert [("unknown-code", "status")] == mapped({"status": "Rafted"}, strict)[1]


@pytest.mark.parametrize(
    ("text", "least", "most", "estimated"),
    [
        ("28", 28, 28, False),
        ("25-30", 25, 30, False),
        ("25 \u2013 30", 25, 30, False),
        ("about 30", 30, 30, True),
        ("~28", 28, 28, True),
    ],
)
def test_a_count_is_what_people_write(text: str, least: int, most: int, *, estimated: bool) -> None:
    """At least, at most, and whether it was counted."""
    count = rule(column="people", read="count", to="craft.persons_on_board")

    assert {"min": least, "max": most, "estimated": estimated} == mapped({"people": text}, count)[0]["craft"]["persons_on_board"]


def test_a_list_is_split_where_it_is_declared() -> None:
    """Each part is read for itself."""
    colours = rule(column="colour", read="code", to="craft.colours", split=";", codes={"R": "red", "W": "white"})
    marks = rule(column="marks", read="text", to="craft.markings", split=",")

    groups, misfits = mapped({"colour": "R; W;", "marks": "AB 12, X"}, colours, marks)

    assert {"colours": ["red", "white"], "markings": ["AB 12", "X"]} == groups["craft"]
    assert misfits == []


@pytest.mark.parametrize("time", ["25:99 UTC", "24:00 UTC", "noon", "9h00", ":"])
def test_a_time_that_cannot_be_read_leaves_the_day_where_that_is_declared(time: str) -> None:
    """The report keeps its day, and the time as it was written; without that word the row is its owner's again."""
    declared = {"column": "date", "read": "moment", "to": "times.observed", "time": "time", "zones": {"UTC": "UTC"}}
    values = {"date": "2005-04-10", "time": time}
    groups, misfits = mapped(values, rule(**declared, unreadable_time="day"))

    assert [] == misfits
    assert "day" == groups["times"]["observed"]["precision"]
    assert [{"name": "time", "value": time}] == groups["unmapped"]
    assert ["time"] == [column for _, column in mapped(values, rule(**declared))[1]]


def test_local_time_of_nowhere_leaves_the_day() -> None:
    """The day counts, and the time is kept as it was written."""
    when = rule(column="date", read="moment", to="times.observed", time="time", zones={"UTC": "UTC"})

    groups, misfits = mapped({"date": "2005-04-10", "time": "02:30 local"}, when)

    assert "day" == groups["times"]["observed"]["precision"]
    assert [{"name": "time", "value": "02:30 local"}] == groups["unmapped"]
    assert misfits == []


def test_every_misfit_of_a_row_is_told() -> None:
    """Whoever mends a row wants to mend it once."""
    when = rule(column="date", read="moment", to="times.observed", time="time", zones={"UTC": "UTC"})

    _, misfits = mapped({"date": "2005-04-10", "time": "25:00 UTC", "lat": "north"}, when, LATITUDE)

    assert [("impossible-time", "time"), ("wrong-type", "lat")] == misfits


@given(
    cells=st.dictionaries(
        st.sampled_from(["ref", "lat", "ship", "status", "date", "a", "b"]), st.text(max_size=12), min_size=1, max_size=7
    )
)
def test_nothing_is_lost_and_nothing_raises(cells: dict[str, str]) -> None:
    """Each cell that says something is in the record, or told as a misfit; the source's own reference is the runner's."""
    when = rule(column="date", read="moment", to="times.observed")
    ignored = rule(column="b", read="ignore", because="a number of the row")
    columns = Columns("ref", (LATITUDE, NAME, STATUS, when, ignored))

    groups, misfits = columns.apply(cells)

    left = {entry["name"]: entry["value"] for entry in groups.get("unmapped", ())}
    for column, text in cells.items():
        said = text.strip()
        if column in {"ref", "b"} or not said or (column != "a" and columns.empty(said)):
            assert column not in left
        elif column == "a":
            assert said == left["a"]
        else:
            told = column in {misfit.column for misfit in misfits}
            kept = {"lat": "position", "ship": "claims", "status": "craft", "date": "times"}[column] in groups
            assert told or kept or said == left[column]


@pytest.mark.parametrize(
    "said",
    [
        {"column": "a", "read": "code"},
        {"column": "a", "read": "code", "to": "craft.kind"},
        {"column": "a", "read": "code", "scheme": "own", "other": "other"},
        {"column": "a", "read": "claim", "attribute": "name", "unless": ("[",)},
        {"column": "a", "read": "moment", "to": "times.observed", "formats": ("%Y-%m-%d %H:%M",)},
        {"column": "a", "read": "moment", "to": "times.observed", "zone": "Mars/Olympus"},
        {"column": "a", "read": "moment", "to": "times.observed", "formats": ("%Y",), "time": "b"},
        {"column": "a", "read": "moment", "to": "times.observed", "time": "b", "time_formats": ("%d",)},
        {"column": "a", "read": "moment", "to": "times.observed", "unreadable_time": "day"},
        {"column": "a", "read": "ignore"},
        {"column": "a", "read": "guess", "to": "craft.kind"},
    ],
)
def test_a_rule_that_says_too_little_is_no_rule(said: dict[str, Any]) -> None:
    """What could only be guessed at is refused when it is declared."""
    with pytest.raises(ValidationError):
        rule(**said)


@pytest.mark.parametrize(
    ("said", "word"),
    [
        ({"read": "text", "to": "craft.sourcekind"}, "did you mean craft.source_kind"),
        ({"read": "text", "to": "craft.kind"}, "craft@1"),
        ({"read": "text", "to": "id"}, "set by the bus"),
        ({"read": "text", "to": "origin.member"}, "set by the bus"),
        ({"read": "text", "to": "claims.value"}, "a list of groups"),
        ({"read": "text", "to": "position.latitude"}, "holds double"),
        ({"read": "number", "to": "craft.persons_on_board"}, "holds Range"),
        ({"read": "text", "to": "craft.source_kind", "split": ";"}, "several values"),
        ({"read": "code", "to": "craft.kind", "codes": {"A": "rowing-boat"}}, "rowing-boat is no code of craft@1"),
        ({"read": "code", "to": "craft.kind", "codes": {"A": "dhow"}, "other": "else"}, "else is no code"),
        ({"read": "claim", "attribute": "shoe-size"}, "shoe-size is no code"),
        ({"read": "number", "to": "position.latitude", "also": {"position.fix": "guessed"}}, "guessed is no code"),
    ],
)
def test_targets_and_codes_that_do_not_exist_are_found_when_declared(said: dict[str, Any], word: str) -> None:
    """With a sentence that names what is there."""
    found = list(rule(column="a", **said).faults("sighting", KNOWN))

    assert any(word in sentence for sentence in found), found
