"""
The AIS source over files: the whole sample, every line accounted for, and the same wherever reading was broken off.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyais import encode_dict

from boutre.connectors.contract import SourceContract
from boutre.connectors.sdk import Bad, Idle, Noted, Raw
from boutre.connectors.sources.ais import Options, read
from boutre.connectors.sources.ais_reader import Cursor, Reader
from boutre.connectors.sources.nmea_assembly import Line
from boutre.errors import DeclarationError, Retry
from boutre.schemas.vocabulary import Vocabularies, load

ROOT = Path(__file__).parents[2]
SAMPLE = ROOT / "samples" / "ais" / "denmark_2010.nmea"
AT = datetime(2024, 3, 1, 6, 30, 20, tzinfo=UTC)


def items(options: Options, after: str | None = None) -> list[Raw | Bad | Noted]:
    """
    All that the source gives.
    """
    return list(read(options, after))


@pytest.fixture(scope="module")
def sample() -> list[Raw | Bad | Noted]:
    """
    All items of the sample.
    """
    return items(Options(path=SAMPLE))


@pytest.fixture(scope="module")
def vocabularies() -> Vocabularies:
    """
    The vocabularies of the core.
    """
    return load(ROOT / "schemas" / "vocabularies")


class TestAis(SourceContract):
    """
    The contract of sources, over the beginning of the sample.
    """

    source = read
    options: ClassVar[Options] = Options(path=SAMPLE)
    resumes = 4


def sentences(**fields: Any) -> list[bytes]:
    """
    The sentences of a message with these fields.
    """
    return [line.encode() for line in encode_dict(fields)]


def heard(*lines: bytes, at: datetime | None = AT) -> list[Raw | Bad | Noted]:
    """
    What comes of *lines* that arrive at *at*.
    """
    reader = Reader("test", Cursor(), "test")
    found: list[Raw | Bad | Noted] = []
    for number, line in enumerate(lines, 1):
        found.extend(reader.take(Line(number, line, "", at)))
    return [*found, *reader.flush()]


def report(*lines: bytes) -> dict[str, Any]:
    """
    The value of the last report that comes of *lines*.
    """
    last = heard(*lines)[-1]

    assert isinstance(last, Raw)
    return dict(last.value)


def outcomes(found: Sequence[Raw | Bad | Noted]) -> Counter[str]:
    """
    How often which came.
    """
    return Counter(each.kind if isinstance(each, Raw) else each.code if isinstance(each, Bad) else each.reason for each in found)


def test_every_message_of_the_sample_is_accounted_for(sample: list[Raw | Bad | Noted]) -> None:
    """As many items as the file has first parts, counted with nothing of this project: one for each message, none lost."""
    content = SAMPLE.read_bytes()

    assert 4500 == len(re.findall(rb"(?m)^![^,]{5},", content))
    assert len(re.findall(rb"(?m)^![^,]{5},\d,1,", content)) == len(sample)
    assert {
        "sighting": 2927,
        "static-data": 496,
        "link-management": 191,
        "base-station-report": 129,
        "binary-message": 100,
        "interrogation": 66,
        "aid-to-navigation": 37,
        "assignment": 27,
        "not-a-craft": 26,
        "bad-identifier": 17,
        "no-position": 12,
        "acknowledgement": 9,
        "placeholder-identifier": 9,
        "differential-corrections": 5,
    } == outcomes(sample)


def test_every_line_of_the_sample_is_in_one_item(sample: list[Raw | Bad | Noted]) -> None:
    """Each item stands at the wrapper before its sentences, and the sentences of all items are those of the file."""
    lines = SAMPLE.read_bytes().splitlines()
    wrappers = [number for number, line in enumerate(lines, 1) if line.startswith(b"$")]

    assert wrappers == [int(each.reference.rpartition(":")[2]) if isinstance(each, Noted) else each.where.line for each in sample]
    content = [line for each in sample if not isinstance(each, Noted) for line in (each.content or b"").split(b"\n")]
    assert set(content) <= set(lines)
    assert 2 * (2927 + 26) <= len(content)


def test_cursors_and_references_are_told_apart(sample: list[Raw | Bad | Noted]) -> None:
    """No two items of the sample have one cursor, and no two rejects one reference."""
    assert len(sample) == len({each.cursor for each in sample})
    rejects = [each.reference for each in sample if isinstance(each, Bad)]
    assert len(rejects) == len(set(rejects))


def test_codes_are_those_of_the_vocabularies(sample: list[Raw | Bad | Noted], vocabularies: Vocabularies) -> None:
    """Each code in a report and each reason of a reject is in the vocabulary that its field names."""
    used: dict[str, set[str | None]] = {}
    for each in sample:
        if isinstance(each, Bad):
            used.setdefault("reject-reason@1", set()).add(each.code)
        if isinstance(each, Raw):
            value = each.value
            found = [
                ("event-type@1", value["event"]["type"]),
                ("event-nature@1", value["event"]["nature"]),
                ("position-fix@1", value["position"]["fix"]),
                ("navigational-status@1", value["movement"]["navigational_status"]),
                ("craft@1", value["craft"]["kind"]),
                ("sensor@1", value["sensor"]["kind"]),
                ("platform@1", value["sensor"]["platform"]),
                ("time-precision@1", value["times"]["observed"]["precision"]),
            ]
            for claim in value["claims"]:
                found += [("identity-attribute@1", claim["attribute"]), ("claim-source@1", claim["source"])]
            for scheme, code in found:
                used.setdefault(scheme, set()).add(code)

    for scheme, codes in used.items():
        assert codes - {None} <= vocabularies.codes(scheme), scheme


@pytest.mark.parametrize("place", [0, 1, 9, 500, 2000, 4049, 4050])
def test_reading_on_gives_exactly_the_rest(sample: list[Raw | Bad | Noted], place: int) -> None:
    """After any item, the source gives what came behind it, with the same content: names learnt before are known again."""
    assert sample[place + 1 :] == items(Options(path=SAMPLE), sample[place].cursor)


def test_another_file_of_the_same_name_is_read_whole(tmp_path: Path, sample: list[Raw | Bad | Noted]) -> None:
    """The cursor of a log that was rotated away does not hide the lines of the new one."""
    path = tmp_path / "log.nmea"
    path.write_bytes(b"\n".join(SAMPLE.read_bytes().splitlines()[2:6]))

    assert 2 == len(items(Options(path=path), sample[-1].cursor))


def test_static_data_are_joined_to_positions() -> None:
    """A position carries the name, call sign, IMO number, kind, length and destination that its craft gave before, dated."""
    static = sentences(
        type=5, mmsi=645123456, imo=8404812, callsign="3BXY", shipname="RAVINALA", ship_type=70, to_bow=60, to_stern=25
    )
    value = report(*static, *sentences(type=1, mmsi=645123456, lat=-12.55, lon=44.75, second=20))

    assert [("mmsi", "645123456"), ("name", "RAVINALA"), ("call-sign", "3BXY"), ("imo", "8404812")] == [
        (claim["attribute"], claim["value"]) for claim in value["claims"]
    ]
    assert {AT} == {claim["first_seen"] for claim in value["claims"]}
    assert ("cargo-ship", "AIS ship type 70") == (value["craft"]["kind"], value["craft"]["source_kind"])
    assert {"min": 85.0, "max": 85.0, "estimated": False} == value["craft"]["length_m"]


def test_names_of_one_craft_are_not_given_to_another() -> None:
    """A position of a craft that has said nothing of itself carries its number and nothing else."""
    static = sentences(type=24, mmsi=645123456, partno=0, shipname="RAVINALA")
    value = report(*static, *sentences(type=1, mmsi=645123457, lat=-12.55, lon=44.75))

    assert ["mmsi"] == [claim["attribute"] for claim in value["claims"]]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"type": 1, "mmsi": 123456789, "lat": 1, "lon": 1}, "placeholder-identifier"),
        ({"type": 5, "mmsi": 111111111}, "placeholder-identifier"),
        ({"type": 18, "mmsi": 776000000, "lat": 1, "lon": 1}, "bad-identifier"),
        ({"type": 1, "mmsi": 64500001, "lat": 1, "lon": 1}, "bad-identifier"),
        ({"type": 1, "mmsi": 645123456, "lat": 91, "lon": 181}, "no-position"),
        ({"type": 1, "mmsi": 992190934, "lat": 1, "lon": 1}, "not-a-craft"),
        ({"type": 24, "mmsi": 645123456, "partno": 0, "shipname": "A"}, "static-data"),
        ({"type": 4, "mmsi": 2190064}, "base-station-report"),
        ({"type": 21, "mmsi": 992190934}, "aid-to-navigation"),
        ({"type": 14, "mmsi": 645123456, "text": "HELLO"}, "safety-message"),
    ],
)
def test_what_is_no_report_is_counted_or_refused(fields: dict[str, Any], expected: str) -> None:
    """A message that is no report of a craft's place has a reason, and it is the right one."""
    assert [expected] == list(outcomes(heard(*sentences(**fields))))


@pytest.mark.parametrize("mmsi", [970123456, 972123456, 974123456])
@pytest.mark.parametrize(("status", "exercise"), [(14, False), (15, True)])
def test_a_distress_beacon_is_heard(mmsi: int, status: int, exercise: bool) -> None:  # noqa: FBT001 - one of two
    """A beacon that was set off is distress even without a position; one under test is an exercise."""
    value = report(*sentences(type=1, mmsi=mmsi, lat=91, lon=181, status=status))

    assert ("distress", None, exercise) == (value["event"]["type"], value["position"], value.get("exercise", False))


@pytest.mark.parametrize(("text", "exercise"), [("MOB ACTIVE", False), ("MOB TEST", True)])
def test_words_of_a_distress_beacon_are_a_report(text: str, exercise: bool) -> None:  # noqa: FBT001 - one of two
    """The safety message of a beacon is a report of distress, with its words."""
    value = report(*sentences(type=14, mmsi=972123456, text=text))

    assert ("distress", text, exercise) == (value["event"]["type"], value["narrative"][0]["text"], value.get("exercise", False))


def test_one_transmission_heard_twice_has_one_reference() -> None:
    """Two stations that heard the same message, one a second later, make one report; the next transmission is another."""
    line = sentences(type=1, mmsi=645123456, lat=-12.55, lon=44.75, second=20)
    later = sentences(type=1, mmsi=645123456, lat=-12.55, lon=44.75, second=30)
    references = [
        each.reference
        for at, lines in ((AT, line), (AT.replace(second=21), line), (AT.replace(second=30), later))
        for each in heard(*lines, at=at)
    ]

    assert references[0] == references[1]
    assert references[0] != references[2]


def test_without_any_time_there_is_no_report(tmp_path: Path) -> None:
    """A log that never says when is refused line by line, and not dated by guessing."""
    path = tmp_path / "log.nmea"
    path.write_bytes(b"\n".join(sentences(type=1, mmsi=645123456, lat=1, lon=1)))

    (bad,) = items(Options(path=path))

    assert isinstance(bad, Bad)
    assert ("missing-field", "times.observed") == (bad.code, bad.where.field)


def test_a_line_without_end_is_cut(tmp_path: Path) -> None:
    """A file without line breaks does not fill the memory: one reject of bounded size, and the next line is read."""
    path = tmp_path / "log.nmea"
    path.write_bytes(b"!" * 5_000_000 + b"\n# comment\n")

    bad, noted = items(Options(path=path))

    assert isinstance(bad, Bad)
    assert isinstance(noted, Noted)
    assert ("too-large", 1025, "comment") == (bad.code, len(bad.content), noted.reason)


def test_an_empty_file_is_said_once(tmp_path: Path) -> None:
    """An empty log is a reject, and not again when reading goes on."""
    path = tmp_path / "log.nmea"
    path.write_bytes(b"")

    (bad,) = items(Options(path=path))

    assert isinstance(bad, Bad)
    assert "empty-file" == bad.code
    assert [] == items(Options(path=path), bad.cursor)


def test_a_missing_file_is_asked_for_again(tmp_path: Path) -> None:
    """A log that is not there may come: the source asks to be called again, and names the file without its folder."""
    with pytest.raises(Retry, match=r"^log\.nmea") as caught:
        items(Options(path=tmp_path / "log.nmea"))

    assert str(tmp_path) not in str(caught.value)


def test_a_log_that_grows_is_followed(tmp_path: Path) -> None:
    """Lines that are added later come later, and half a line waits for its other half."""
    lines = SAMPLE.read_bytes().splitlines(keepends=True)
    path = tmp_path / "log.nmea"
    path.write_bytes(lines[6] + lines[7] + lines[8][:20])
    source = read.read(Options(path=path, follow=True), None)

    assert isinstance(next(source), Raw)
    assert isinstance(next(source), Idle)
    with path.open("ab") as log:
        log.write(lines[8][20:] + lines[9])
    assert isinstance(next(item for item in source if not isinstance(item, Idle)), Raw)


@pytest.mark.parametrize(
    ("options", "keys"),
    [
        ({}, {"path, tcp, udp"}),
        ({"path": Path("a"), "udp": "localhost:1"}, {"path, tcp, udp", "spool"}),
        ({"udp": "localhost"}, {"udp", "spool"}),
        ({"tcp": "localhost:70000", "follow": True, "spool_bytes": 1}, {"tcp", "spool", "follow", "spool_bytes"}),
    ],
)
def test_wrong_options_are_all_named(options: dict[str, Any], keys: set[str]) -> None:
    """Everything that is wrong with the options is said at once."""
    with pytest.raises(DeclarationError) as caught:
        Options(**options)

    assert keys == {fault.key for fault in caught.value.faults}


log = st.lists(st.one_of(st.binary(max_size=60), st.sampled_from(SAMPLE.read_bytes().splitlines()[:60])), max_size=25)


@settings(deadline=None)
@given(log, st.integers(0, 30))
def test_broken_off_anywhere_nothing_is_lost_or_doubled(lines: list[bytes], place: int) -> None:
    """For any lines, what is read up to an item and what is read after its cursor are together what is read at once."""

    def through(after: str | None) -> list[Raw | Bad | Noted]:
        reader = Reader("test", Cursor(*map(int, after.split(":")[1:])) if after else Cursor(), "test")
        found = [item for number, line in enumerate(lines, 1) for item in reader.take(Line(number, line))]
        return [*found, *reader.flush()]

    whole = through(None)
    if place < len(whole):
        assert whole[place + 1 :] == through(whole[place].cursor)
    else:
        assert len(whole) <= len(lines)
