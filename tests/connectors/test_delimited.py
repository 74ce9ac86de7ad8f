"""
Delimited files: the two incident feeds whole, and every way in which a file can be wrong.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from boutre.connectors import feeds
from boutre.connectors.contract import SourceContract
from boutre.connectors.sdk import Bad, Noted, Raw
from boutre.connectors.sources import delimited
from boutre.connectors.sources.delimited import MAX_LINE, Options
from boutre.connectors.sources.rules import Claim, Number, Text
from boutre.errors import Retry

BUS = Path(__file__).parents[2]
IMB = feeds.one(BUS, "incidents-imb")
ASAM = feeds.one(BUS, "incidents-asam")

RULES = (
    Number(column="lat", read="number", to="position.latitude"),
    Claim(column="ship", read="claim", attribute="name"),
    Text(column="place", read="text", to="position.place"),
)
HEAD = b"id,lat,ship,place\n"


def options(path: Path, **more: Any) -> Options:
    """A feed with three columns."""
    return Options(path, "id", RULES, **more)


def read(path: Path, content: bytes, after: str | None = None, **more: Any) -> list[Raw | Bad | Noted]:
    """What the source gives for a file that holds *content*."""
    path.write_bytes(content)
    return list(delimited.read(options(path, **more), after))


def codes(items: list[Raw | Bad | Noted]) -> list[tuple[str, int | None]]:
    """For each item its reason, or its reference where it is a report, and its line."""
    return [
        (item.code if isinstance(item, Bad) else item.reference, item.where.line) for item in items if not isinstance(item, Noted)
    ]


class TestImb(SourceContract):
    """
    The feed of the IMB list keeps the contract.
    """

    source = delimited.read
    options = IMB.options
    least_records = 716


class TestAsam(SourceContract):
    """
    The feed of the ASAM list keeps the contract.
    """

    source = delimited.read
    options = ASAM.options
    least_records = 950


class TestBroken(SourceContract):
    """
    So does a file in which half the lines are wrong.
    """

    source = delimited.read
    options = Options(Path(__file__).parent / "data" / "broken.csv", "id", RULES)
    least_records = 3


@pytest.mark.parametrize(("feed", "rows"), [(IMB, 716), (ASAM, 950)])
def test_every_row_of_the_incident_feeds_is_a_record(feed: feeds.Feed, rows: int) -> None:
    """The files hold nothing that is refused, each row has its own reference, and each line is in its place."""
    items = list(feed.source(feed.options))

    assert rows == len([item for item in items if isinstance(item, Raw)]) == len({item.reference for item in items})
    assert [(number, True) for number in range(2, rows + 2)] == [
        (item.where.line, item.where.file == feed.options.path.name) for item in items if isinstance(item, Raw)
    ]


def test_the_imb_feed_is_read_as_it_is_declared() -> None:
    """Counts by hand from the file: types of attack, named ships, what the ships were doing."""
    values = [item.value for item in IMB.source(IMB.options) if isinstance(item, Raw)]

    outcomes = Counter(value["event"].get("outcome") for value in values)
    assert {
        "attempted": 427, "hijacked": 143, "boarded": 139, None: 4, "fired-upon": 1, "exploded": 1, "detained": 1,
    } == outcomes  # fmt: skip
    activities = Counter(value.get("craft", {}).get("activity") for value in values)
    assert {"under-way": 583, "at-anchor": 82, None: 28, "berthed": 22, "moored": 1} == activities
    # 28 without a name, three "Name Withheld", two "Unspecified" or "Fishing Boat".
    names = [claim["value"] for value in values for claim in value.get("claims", ())]
    assert not {"Name Withheld", "Unspecified", "Fishing Boat", "MV Castor", "Mv Socol 5"} & set(names)
    assert {"Castor", "Socol 5"} <= set(names)
    assert 716 - 28 - 3 - 2 == len(names)


def test_the_asam_feed_keeps_what_it_cannot_use() -> None:
    """Times in UTC are minutes, local ones stay beside their day; what is no name makes no claim."""
    values = [item.value for item in ASAM.source(ASAM.options) if isinstance(item, Raw)]

    assert {"minute": 378, "day": 572} == Counter(value["times"]["observed"]["precision"] for value in values)
    left = Counter(entry["name"] for value in values for entry in value["unmapped"])
    # 265 local times; navArea and subreg of every row; 15 that are no names.
    assert {"navArea": 950, "subreg": 950, "time": 265, "vessel_name": 15} == left
    names = [claim["value"] for value in values for claim in value.get("claims", ())]
    assert not [name for name in names if name in {"9 TO 10", "NFI", "CPA", "VLCC"} or name.startswith(("ONI MSG", "THIS REPORT"))]
    assert 950 - 714 - 15 == len(names)


@pytest.mark.parametrize("content", [b"", b"\n\n", b"\xef\xbb\xbf", HEAD, HEAD + b"\n \n"])
def test_an_empty_file_is_said_once(tmp_path: Path, content: bytes) -> None:
    """A file without reports is a reject; read again it is not told again."""
    first = read(tmp_path / "f.csv", content)
    again = read(tmp_path / "f.csv", content, first[-1].cursor)

    assert ["empty-file"] == [item.code for item in first if isinstance(item, Bad)]
    assert again == []


def test_a_byte_order_mark_is_fine(tmp_path: Path) -> None:
    """Spreadsheets write one."""
    assert [("1", 2)] == codes(read(tmp_path / "f.csv", b"\xef\xbb\xbf" + HEAD + b"1,2.5,A,\r\n"))


def test_a_file_in_another_encoding_is_said_with_its_lines(tmp_path: Path) -> None:
    """Only the lines that are not UTF-8 are put aside; declared as what it is, the file is read whole."""
    content = HEAD + "1,2.5,Étoile,\n2,2.5,Star,\n3,2.5,Réunion,\n".encode("latin-1")

    assert [("wrong-encoding", 2), ("2", 3), ("wrong-encoding", 4)] == codes(read(tmp_path / "f.csv", content))
    whole = read(tmp_path / "f.csv", content, encoding="latin-1")
    assert ["Étoile", "Star", "Réunion"] == [item.value["claims"][0]["value"] for item in whole if isinstance(item, Raw)]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_utf_16_is_one_reject_and_not_thousands(tmp_path: Path, encoding: str) -> None:
    """What a spreadsheet calls Unicode text is refused as a whole, with the encoding that is expected."""
    found = read(tmp_path / "f.csv", ("\ufeff" * (encoding != "utf-16") + "id,lat,ship,place\n1,2,A,\n").encode(encoding))

    assert 1 == len(found)
    assert isinstance(found[0], Bad)
    assert "wrong-encoding" == found[0].code


def test_rows_that_are_wrong_are_put_aside_and_the_rest_goes_through(tmp_path: Path) -> None:
    """Too few cells, too many, no reference, no number: each with its line and column."""
    content = HEAD + b"1,2.5,A,\n2,2.5\n3,2.5,A,,\n,2.5,A,\n5,north,A,\n6,2.5,B,\n"

    items = read(tmp_path / "f.csv", content)

    assert [
        ("1", 2), ("malformed-line", 3), ("malformed-line", 4), ("missing-field", 5), ("wrong-type", 6), ("6", 7),
    ] == codes(items)  # fmt: skip
    assert ["id", "lat"] == [item.where.field for item in items if isinstance(item, Bad) and item.where.field]
    assert [b"2,2.5\n", b"3,2.5,A,,\n", b",2.5,A,\n", b"5,north,A,\n"] == [item.content for item in items if isinstance(item, Bad)]


def test_a_misfit_keeps_the_reference_of_its_row(tmp_path: Path) -> None:
    """The reject names the report that it was to be, so that it can be sent again as the same one."""
    [bad] = read(tmp_path / "f.csv", HEAD + b"7,north,A,\n")

    assert "7" == bad.reference


@pytest.mark.parametrize("head", [b"id,lat,ship\n", b"id,lat,ship,place,lat\n", b"1,2.5,A,\n", b'id,"lat,ship,place\n'])
def test_a_head_without_the_declared_columns_is_one_reject(tmp_path: Path, head: bytes) -> None:
    """Every row would be wrong, and nobody reads a thousand rejects."""
    items = read(tmp_path / "f.csv", head + b"1,2.5,A,\n" * 50)

    assert [("malformed-line", 1)] == codes(items)
    assert [] == read(tmp_path / "f.csv", head + b"1,2.5,A,\n" * 50, items[-1].cursor)


def test_a_quoted_cell_may_hold_line_breaks(tmp_path: Path) -> None:
    """It is one row with its line's number, and the next has its own."""
    content = HEAD + b'1,2.5,"A ""B""","two\r\nlines, really"\n2,2.5,C,\n'

    items = read(tmp_path / "f.csv", content)

    assert [("1", 2), ("2", 4)] == codes(items)
    assert isinstance(items[0], Raw)
    assert 'A "B"' == items[0].value["claims"][0]["value"]
    assert "two\r\nlines, really" == items[0].value["position"]["place"]


def test_a_stray_quotation_mark_costs_its_own_line_only(tmp_path: Path) -> None:
    """Two marks that were never closed, far apart: the rows between them are read, not swallowed."""
    rows = [b'1,2.5,"A,\n', *(b"%d,2.5,B,\n" % number for number in range(2, 60)), b'60,2.5,"C,\n', b"61,2.5,D,\n"]

    found = codes(read(tmp_path / "f.csv", HEAD + b"".join(rows)))

    assert [("malformed-line", 2), ("malformed-line", 61)] == [entry for entry in found if entry[0] == "malformed-line"]
    assert [str(number) for number in range(2, 60)] + ["61"] == [name for name, _ in found if name != "malformed-line"]


def test_a_line_without_end_is_cut(tmp_path: Path) -> None:
    """A line of megabytes is a reject with its beginning, and the next line is read."""
    content = HEAD + b"1,2.5," + b"A" * (3 * MAX_LINE) + b",\n2,2.5,B,\n"

    items = read(tmp_path / "f.csv", content)

    assert [("too-large", 2), ("2", 3)] == codes(items)
    assert isinstance(items[0], Bad)
    assert MAX_LINE == len(items[0].content)
    assert [("2", 3)] == codes(read(tmp_path / "f.csv", content, items[0].cursor))


def test_an_export_with_more_rows_goes_on(tmp_path: Path) -> None:
    """What was read is not read again."""
    path = tmp_path / "f.csv"
    first = read(path, HEAD + b"1,2.5,A,\n2,2.5,B,\n")

    assert [("3", 4)] == codes(read(path, HEAD + b"1,2.5,A,\n2,2.5,B,\n3,2.5,C,\n", first[-1].cursor))


def test_a_file_that_changed_is_read_again(tmp_path: Path) -> None:
    """A changed row before the cursor, fewer rows, or a cursor of another source: from the beginning, with the same references."""
    path = tmp_path / "f.csv"
    first = read(path, HEAD + b"1,2.5,A,\n2,2.5,B,\n")

    assert [("1", 2), ("2", 3)] == codes(read(path, HEAD + b"1,9.5,A,\n2,2.5,B,\n", first[-1].cursor))
    assert [("1", 2)] == codes(read(path, HEAD + b"1,2.5,A,\n", first[-1].cursor))
    for odd in ("", "x", "3:", ":", "-1:00", "99999999:0000"):
        assert [("1", 2)] == codes(read(path, HEAD + b"1,2.5,A,\n", odd))


def test_a_file_that_is_not_there_is_waited_for(tmp_path: Path) -> None:
    """The runner is asked to call again, with the file's name and without its folder."""
    with pytest.raises(Retry, match=r"^f\.csv cannot be read"):
        list(delimited.read(options(tmp_path / "f.csv"), None))


@given(content=st.binary(max_size=300) | st.text(alphabet='1,"\n\r;A.é\x00', max_size=200).map(str.encode))
def test_no_file_makes_it_raise(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    """Whatever stands behind the head: each item has a line, and two readings are the same."""
    path = tmp_path_factory.getbasetemp() / "hostile.csv"

    items = read(path, HEAD + content)

    assert items == read(path, HEAD + content)
    for number, item in enumerate(items):
        assert items[number + 1 :] == read(path, HEAD + content, item.cursor)
