"""
JSON lines that hold groups of the record schema.
"""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from boutre.connectors import feeds
from boutre.connectors.contract import SourceContract
from boutre.connectors.sdk import Bad, Noted, Raw
from boutre.connectors.sources import lines
from boutre.connectors.sources.lines import MAX_LINE, Options
from boutre.errors import Retry

BUS = Path(__file__).parents[2]
WHEN = {"observed": {"at": "2024-03-01T06:30+04:00", "precision": "minute"}}


class TestOpsRoom(SourceContract):
    """
    The example feed keeps the contract.
    """

    source = lines.read
    options = feeds.one(BUS, "mauritius-ops-room").options
    kinds = ("sighting", "interception")
    least_records = 4


def read(path: Path, content: bytes, after: str | None = None) -> list[Raw | Bad | Noted]:
    """What the source gives for a file that holds *content*."""
    path.write_bytes(content)
    return list(lines.read(Options(path), after))


def one(path: Path, **report: Any) -> Raw | Bad:
    """What it gives for one report."""
    [item] = read(path, json.dumps(report).encode() + b"\n")
    assert not isinstance(item, Noted)
    return item


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file of this test's own."""
    return tmp_path / "reports.jsonl"


def test_a_report_is_read_with_its_instants(path: Path) -> None:
    """Instants become UTC where the schema has one, days become days; everything else is as it was."""
    found = one(
        path, reference="A 1", kind="interception", revision=2, subject="645000001", times=WHEN,
        victims=[{"birth_date": "2001-02-03"}],
        claims=[{"attribute": "name", "value": "2024-03-01", "first_seen": "2024-03-01T00:00Z"}],
    )  # fmt: skip

    assert isinstance(found, Raw)
    assert ("interception", "A 1", 2, "645000001") == (found.kind, found.reference, found.revision, found.subject)
    assert datetime(2024, 3, 1, 2, 30, tzinfo=UTC) == found.value["times"]["observed"]["at"]
    assert date(2001, 2, 3) == found.value["victims"][0]["birth_date"]
    assert datetime(2024, 3, 1, tzinfo=UTC) == found.value["claims"][0]["first_seen"]
    assert "2024-03-01" == found.value["claims"][0]["value"]


@pytest.mark.parametrize(
    ("at", "code"),
    [
        ("2024-03-01T06:30", "naive-time"),
        ("2024-03-01", "naive-time"),
        ("2024-02-30T06:30Z", "impossible-time"),
        ("2024-03-01T25:00Z", "impossible-time"),
        ("0001-01-01T00:00+14:00", "impossible-time"),
        ("yesterday", "wrong-type"),
        (1709274600, "wrong-type"),
        (True, "wrong-type"),
    ],
)
def test_a_time_that_is_not_sure_is_refused_with_its_field(path: Path, at: object, code: str) -> None:
    """A time without a zone is nobody's time."""
    found = one(path, reference="A", times={"observed": {"at": at, "precision": "minute"}})

    assert isinstance(found, Bad)
    assert (code, "times.observed.at", "A") == (found.code, found.where.field, found.reference)


@pytest.mark.parametrize(
    ("line", "code", "field"),
    [
        (b"{", "malformed-line", None),
        (b"[]", "malformed-line", None),
        (b"null", "malformed-line", None),
        (b'{"reference": "A", "reference": "B"}', "malformed-line", None),
        (b'{"reference": "A", "position": {"latitude": NaN}}', "malformed-line", None),
        (b'{"reference": "A", "position": ' + b"[" * 100_000, "malformed-line", None),
        (b'{"reference": "A", "position": ' + b"[" * 20 + b"]" * 20 + b"}", "malformed-line", None),
        (b'{"reference": "\xe9"}', "wrong-encoding", None),
        (b"{}", "missing-field", "reference"),
        (b'{"reference": " "}', "missing-field", "reference"),
        (b'{"reference": 4}', "missing-field", "reference"),
        (b'{"reference": "A", "kind": 4}', "wrong-type", "kind"),
        (b'{"reference": "A", "revision": -1}', "wrong-type", "revision"),
        (b'{"reference": "A", "revision": true}', "wrong-type", "revision"),
        (b'{"reference": "A", "subject": 645}', "wrong-type", "subject"),
        (b'{"reference": "A", "x": "' + b"x" * MAX_LINE + b'"}', "too-large", None),
    ],
)
def test_a_line_that_is_wrong_is_put_aside_and_the_next_is_read(path: Path, line: bytes, code: str, field: str | None) -> None:
    """With its number, its bytes and what is wrong."""
    bad, good = read(path, line + b'\n\n{"reference": "next"}\n')

    assert isinstance(bad, Bad)
    assert (code, field, 1) == (bad.code, bad.where.field, bad.where.line)
    assert "next" == good.reference
    assert isinstance(good, Raw)
    assert 3 == good.where.line


@pytest.mark.parametrize("content", [b"", b"\n \n"])
def test_an_empty_file_is_said_once(path: Path, content: bytes) -> None:
    """And not again where it did not change."""
    [bad] = read(path, content)

    assert isinstance(bad, Bad)
    assert "empty-file" == bad.code
    assert [] == read(path, content, bad.cursor)


def test_a_file_that_is_not_there_is_waited_for(path: Path) -> None:
    """The runner is asked to call again."""
    with pytest.raises(Retry, match=r"^reports\.jsonl cannot be read"):
        list(lines.read(Options(path), None))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["times", "observed", "at", "kind", "x"]), inner),
    max_leaves=12,
)


@given(reports=st.lists(st.dictionaries(st.sampled_from(["reference", "times", "claims", "kind", "revision"]), JSON), max_size=4))
def test_no_line_makes_it_raise(tmp_path_factory: pytest.TempPathFactory, reports: list[dict[str, Any]]) -> None:
    """Whatever JSON holds, each line is a report or put aside."""
    content = "".join(json.dumps(report) + "\n" for report in reports).encode()

    items = read(tmp_path_factory.getbasetemp() / "hostile.jsonl", content)

    assert max(1, len(reports)) == len(items)
