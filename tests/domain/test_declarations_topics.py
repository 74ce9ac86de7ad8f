"""
The declarations of this bus, and what is said about those that cannot be used.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from boutre.errors import DeclarationError, Fault
from boutre.topics.bus import Declarations, load
from boutre.topics.strict import Declared, read
from boutre.topics.topic import milliseconds
from boutre.topics.zones import Claim, Zone, Zones, read_zones

ROOT = Path(__file__).parents[2]

KINDS = ("sighting", "interception", "alert", "retraction")


@pytest.fixture(scope="module")
def bus() -> Declarations:
    """
    The bus that this repository declares.
    """
    return load(ROOT)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """
    A copy of the declarations, to spoil.
    """
    for room in ("schemas", "processors"):
        (tmp_path / room).mkdir()
    shutil.copytree(ROOT / "topics", tmp_path / "topics")
    return tmp_path


def spoil(root: Path, file: str, old: str, new: str) -> None:
    """
    Change the first occurrence of *old* in a file, which must be there.
    """
    path = root / "topics" / file
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def said(root: Path) -> list[str]:
    """
    What loading says is wrong, one line for each fault.
    """
    with pytest.raises(DeclarationError) as caught:
        load(root)
    return [str(fault) for fault in caught.value.faults]


def test_every_member_has_a_national_topic_for_each_kind_that_it_publishes(bus: Declarations) -> None:
    """
    Neither more nor fewer, each written by that member alone, on the broker's clock.
    """
    national = {topic.name: topic for topic in bus.of("national.{member}.{kind}")}

    assert {f"national.{member.id}.{kind}" for member in bus.members.values() for kind in member.kinds} == set(national)
    assert {("LogAppendTime", (topic.member,)) for topic in national.values()} == {
        (topic.config["message.timestamp.type"], topic.writers) for topic in national.values()
    }


def test_every_recipient_reads_its_own_views_and_nobody_else_does(bus: Declarations) -> None:
    """
    A view is written by the bus and read by its recipient, and by no other party.
    """
    views = bus.of("for.{recipient}.{kind}")

    assert {f"for.{one.id}.{kind}" for one in bus.recipients.values() for kind in one.kinds} == {t.name for t in views}
    assert [(("bus",), (topic.recipient,)) for topic in views] == [(topic.writers, topic.readers) for topic in views]


def test_no_member_and_no_recipient_reads_or_writes_what_the_bus_keeps(bus: Declarations) -> None:
    """
    Accepted reports of all members lie uncut on bus.*: only the engine reads them.
    """
    inside = [topic for topic in bus.topics.values() if topic.name.startswith("bus.") and topic.name != "bus.receipt"]

    assert len(inside) > len(KINDS)
    assert {(("bus",), ("bus",))} == {(topic.writers, topic.readers) for topic in inside}
    assert {"bus", "operations"} == set(bus.topic("bus.receipt").readers)


def test_a_member_sees_its_own_rejects_and_no_other(bus: Declarations) -> None:
    """
    Also what nobody can be named for is shown to no member.
    """
    assert {(f"rejects.{name}", (name,)) for name in bus.members} == {
        (topic.name, topic.readers) for topic in bus.of("rejects.{member}")
    }
    assert ("operations",) == bus.topic("rejects.bus").readers


def test_what_one_worker_reads_together_has_the_same_partitions(bus: Declarations) -> None:
    """
    The accepted kinds and the memory of release are partitioned alike.
    """
    names = (*(f"bus.{kind}" for kind in KINDS), "bus.release.changelog")

    assert len({bus.topic(name).partitions for name in names}) == 1


def test_what_is_remembered_by_partition_does_not_grow(bus: Declarations) -> None:
    """
    Partitions may be added to views, rejects, answers and what members are told only.
    """
    assert {"for", "rejects", "told", "from", "asked", "replies", "replied"} == {
        name.partition(".")[0] for name, topic in bus.topics.items() if topic.growing
    }


def test_member_of_a_topic(bus: Declarations) -> None:
    """
    National topics and rejects have a member, others have none, nor has a name that is not declared.
    """
    assert bus.members["comoros"] == bus.member_of("national.comoros.sighting")
    assert bus.members["comoros"] == bus.member_of("rejects.comoros")
    assert bus.member_of("for.comoros.sighting") is None
    assert bus.member_of("national.atlantis.sighting") is None
    assert bus.member_of("bus.sighting") is None


@pytest.mark.parametrize(
    ("file", "old", "new", "fault"),
    [
        ("members.toml", 'state = "COM"', 'state = "KM"', "topics/members.toml: member[comoros].state: string should match"),
        ("members.toml", 'state = "COM"\n', "", "topics/members.toml: member[comoros]: has no state"),
        ("members.toml", 'id = "comoros"', 'id = "bus"', "topics/members.toml: member[bus].id: is the name of a party"),
        ("members.toml", 'id = "comoros"', 'id = "com.oros"', "topics/members.toml: member[com.oros].id: string should"),
        ("members.toml", "partitions = 4", 'partitions = "4"', "member[observatory-ais].partitions: input should be a valid"),
        ("members.toml", "partitions = 4", "partition = 4", "partition: is not known here; did you mean partitions?"),
        ("members.toml", "west = -75.0", "west = 75.0", "topics/members.toml: member[observatory-ais].area: is empty"),
        ("members.toml", "west = -75.0", "west = nan", "topics/members.toml: member[observatory-ais].area.west: is not a"),
        ("members.toml", '"sighting"', '"siting"', "topics/members.toml: member[mauritius].kinds[1]: input should be"),
        ("members.toml", "[[member]]", "[[member]", "topics/members.toml: is not TOML"),
        ("recipients.toml", 'member = "comoros"', 'member = "atlantis"', "recipient[comoros].member: atlantis is no member"),
        ("recipients.toml", 'member = "comoros"\n', "", "topics/recipients.toml: recipient[comoros]: body = "),
        ("recipients.toml", 'id = "rcoc"', 'id = "rmifc"', "topics/recipients.toml: recipient[rmifc].id: is there twice"),
        ("national.toml", '"bus", ', '"buss", ', "topics/national.toml: topic[national.{member}.{kind}]: readers: buss is no"),
        ("national.toml", '"{kind}"', '"{recipient}"', "schema uses {recipient}, which is not in the name"),
        ("national.toml", 'retention = "30d"', 'retention = "30 days"', "retention must be a number of days or hours"),
        ("national.toml", 'name = "national', 'name = "na_tional', "has an underscore; use a hyphen"),
        ("rejects.toml", 'schema = "reject"', 'schema = "refusal"', "schema: refusal is no kind of record"),
        ("rejects.toml", "rejects.bus", "rejects.comoros", "there are two topics of the name rejects.comoros"),
        ("views.toml", "t}.{kind}", "t}.{king}", "{king} is no placeholder"),
        ("bus.toml", "partitions = 4", "partitions = 8", "and both are together in bus"),
        ("bus.toml", 'kinds = ["sighting", "interception", "alert", "retraction"]\n', "", "needs kinds, for {kind} in its name"),
        ("changelogs.toml", 'cleanup = "compact"', 'cleanup = "compact"\nretention = "1d"', "it has no retention"),
    ],
)
def test_a_fault_is_named_with_its_file_and_key(copy: Path, file: str, old: str, new: str, fault: str) -> None:
    """
    What is spoilt is refused, and said where it stands.
    """
    spoil(copy, file, old, new)

    assert any(fault in line for line in said(copy)), said(copy)


def test_all_faults_of_all_files_come_at_once(copy: Path) -> None:
    """
    Two in one file and one in each of two others are four, in one go.
    """
    spoil(copy, "members.toml", 'state = "COM"', 'state = "KM"')
    spoil(copy, "members.toml", 'state = "MUS"', 'state = "MU"')
    spoil(copy, "views.toml", 'schema = "{kind}"', 'scheme = "{kind}"')
    (copy / "topics" / "zones" / "more.geojson").write_text("{", encoding="utf-8")

    assert ["members.toml", "members.toml", "views.toml", "zones/more.geojson"] == [
        line.split(":")[0].removeprefix("topics/") for line in said(copy)
    ]


def test_a_file_that_is_not_utf8_is_named_with_its_line(copy: Path) -> None:
    """
    A name saved in Latin-1 is found on its line.
    """
    path = copy / "topics" / "rejects.toml"
    path.write_bytes(b"# one\n# R\xe9union\n" + path.read_bytes())

    assert ["topics/rejects.toml: line 2: is not UTF-8; save the file as UTF-8"] == said(copy)


def test_a_missing_file_is_named(copy: Path) -> None:
    """
    A bus without members says so and not a hundred other things.
    """
    (copy / "topics" / "members.toml").unlink()

    assert ["topics/members.toml: is missing; every bus needs it"] == said(copy)


def test_nothing_is_converted(tmp_path: Path) -> None:
    """
    A text is no number, a number no truth value, and a fraction no whole number.
    """

    class Model(Declared):
        whole: int
        truth: bool
        text: str

    path = tmp_path / "x.toml"
    path.write_text('whole = "4"\ntruth = 1\ntext = 2020-01-01\n', encoding="utf-8")
    faults: list[Fault] = []

    assert read(path, Model, faults, root=tmp_path) is None
    assert ["whole", "truth"] == [fault.key for fault in faults]


@pytest.mark.parametrize(
    ("text", "expected"),
    [("30d", 2_592_000_000), ("12h", 43_200_000), ("forever", -1), ("0d", None), ("30", None), ("-1d", None), ("1d ", None)],
)
def test_retention(text: str, expected: int | None) -> None:
    """
    Days and hours in milliseconds; nothing that could be taken for another unit.
    """
    assert expected == milliseconds(text)


@pytest.mark.parametrize(
    ("place", "latitude", "longitude", "expected"),
    [
        ("Mayotte", -12.83, 45.15, ("contested-mayotte",)),
        ("half-way from Anjouan to Mayotte", -12.5, 44.8, ("contested-mayotte", "eez-comoros")),
        ("Tromelin", -15.89, 54.52, ("contested-tromelin",)),
        ("Glorioso", -11.57, 47.29, ("contested-glorioso",)),
        ("Moroni", -11.7009, 43.2471, ("eez-comoros",)),
        ("the south-western corner of the box of Tromelin", -16.39, 54.02, ("contested-tromelin",)),
        ("high seas", -30.0, 80.0, ()),
        ("no position", float("nan"), 45.15, ()),
        ("Copenhagen", 55.7, 12.6, ("demonstration", "demonstration-denmark")),
    ],
)
def test_waters(bus: Declarations, place: str, latitude: float, longitude: float, expected: tuple[str, ...]) -> None:
    """
    Contested waters are found, and a position on a line is inside.
    """
    assert expected == bus.zones.at(latitude, longitude), place


def test_contested_waters_name_every_claimant(bus: Declarations) -> None:
    """
    Each has at least two States, and says who governs it today.
    """
    contested = {zone.id: zone for zone in bus.zones.values() if zone.id.startswith("contested-")}

    assert {"contested-mayotte", "contested-tromelin", "contested-glorioso"} == set(contested)
    assert all(zone.contested for zone in contested.values())
    assert {"FRA": "administration", "COM": "sovereignty"} == {
        claim.state: claim.kind for claim in contested["contested-mayotte"].claims
    }


@given(st.integers(-8, 8), st.integers(-8, 8))
def test_a_position_on_a_shared_line_is_in_both_zones(x: int, y: int) -> None:
    """
    Two squares that touch: what lies on the line between them is in both, what lies beside it in one, outside in none.
    """
    west = Zone("west", "west", (), shapely.box(-4, -4, 0, 4))
    east = Zone("east", "east", (Claim(state="COM", kind="jurisdiction"),), shapely.box(0, -4, 4, 4))

    expected = tuple(name for name, low, high in (("east", 0, 4), ("west", -4, 0)) if low <= x <= high and -4 <= y <= 4)

    assert expected == Zones((west, east)).at(y, x)


@pytest.mark.parametrize(
    ("geometry", "fault"),
    [
        ({"type": "Point", "coordinates": [0, 0]}, "must be a Polygon"),
        ({"type": "Polygon", "coordinates": [[[0, 0], [1, 1], [1, 0], [0, 1], [0, 0]]]}, "is no valid area"),
        ({"type": "Polygon", "coordinates": [[[0, 0], [1, "x"], [1, 0], [0, 0]]]}, "make no polygon"),
        ({"type": "Polygon", "coordinates": []}, "is no valid area"),
        ({"type": "Polygon", "coordinates": [[[0, 95], [1, 95], [1, 96], [0, 95]]]}, "lies off the Earth"),
    ],
)
def test_a_zone_that_is_no_area_is_refused(tmp_path: Path, geometry: object, fault: str) -> None:
    """
    Points, bow ties, letters, nothing, and latitude where longitude stands are each said.
    """
    feature = {"type": "Feature", "properties": {"id": "x", "name": "x", "claims": []}, "geometry": geometry}
    (tmp_path / "x.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}), encoding="utf-8")
    faults: list[Fault] = []

    assert len(read_zones(tmp_path, faults, root=tmp_path)) == 0
    assert [fault] == [fault for one in faults if fault in one.message and one.key == "features[x].geometry"]
