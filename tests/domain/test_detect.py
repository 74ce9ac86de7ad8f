"""
Movement on the bus: what a file shows is found in any order within the window, of what everybody may have, and told as records.
"""

from __future__ import annotations

from collections.abc import Mapping
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from boutre.processors import detect as by_mmsi
from boutre.processors.decision import Drop, Emit, Inbound, Reject
from boutre.processors.movement.detection import (
    CIRCLE,
    GAP,
    HULLS,
    IDENTITY,
    JUMP,
    LOITERING,
    RENDEZVOUS,
    SUCCESSOR,
    ZONE,
    Detection,
)
from boutre.processors.movement.kept import Kept
from boutre.processors.movement.report import Report
from boutre.processors.movement.wheel import MOST, Wheel
from boutre.schemas.cases.groups import personal
from boutre.schemas.identity import record_id
from boutre.schemas.validation import Validator
from movement_bus import FEED, OURS, Sea, Value, evidence, kind_of, sighting
from movement_corridor import corridor
from movement_scenes import NEAR, NIGHT, OFFING, ONE, OTHER, at, fleet, merged, others, rules, still, way
from records import CODEC, LOCK, NOW, words

OF_ONE = {GAP, LOITERING, JUMP, HULLS, CIRCLE, IDENTITY, ZONE}
"""What is found in the track of one MMSI."""

ELSEWHERE = (20.0, 60.0)
"""Where nobody else is heard: reports from there say only that time goes on."""


def named(reports: list[Report]) -> list[Report]:
    """The reports as the bus knows them: in whole milliseconds, each with the id of its record."""
    timed = [replace(one, at=round(one.at, 3)) for one in reports]
    return [replace(one, id=sighting(one)["id"]) for one in timed]


def later(hours: float) -> list[Report]:
    """Somebody far away who is heard on, for so long."""
    return list(way(1000, 1000 + hours * 60, ELSEWHERE, subject="mmsi:111000111", every=10))


def of_file(reports: list[Report]) -> dict[str, Detection]:
    """What the file tool finds: of what lasts as it was told last, of all else as it was told first."""
    found: dict[str, Detection] = {}
    for one in fleet(reports):
        if one.phase != "once" or one.id not in found:
            found[one.id] = one
    return found


def shown(found: Detection) -> dict[str, str]:
    """The evidence of a detection as its record has it; of what lasts still, until when it was looked at is left out."""
    if found.phase == "open":
        return {}
    return {one.name: f"{one.value:g} {one.unit}" for one in found.evidence} | {"phase": found.phase}


def over(found: Mapping[str, Value]) -> dict[str, Value]:
    """Detections without silences that last: those are told when somebody looks, and who returns elsewhere does not end them."""
    return {name: one for name, one in found.items() if (kind_of(one), evidence(one)["phase"]) != (GAP, "open")}


def over_of_file(reports: list[Report]) -> dict[str, Detection]:
    """The same of the file tool."""
    return {name: one for name, one in of_file(reports).items() if (one.type, one.phase) != (GAP, "open")}


def test_the_bus_finds_what_the_file_tool_finds() -> None:
    """
    A night in which everything happens: the same detections under the same ids, and those of one MMSI by the same numbers.
    """
    reports = named([one for one in corridor() if one.identified] + later(4))
    expected, found = over_of_file(reports), over(Sea().sail(reports).detections())

    assert expected.keys() == found.keys()
    assert OF_ONE | {RENDEZVOUS, SUCCESSOR} == {one.type for one in expected.values()}
    for name, one in expected.items():
        assert one.type == kind_of(found[name])
        if one.type in OF_ONE | {RENDEZVOUS}:
            assert shown(one).items() <= evidence(found[name]).items()


def test_partitions_change_nothing_but_reception() -> None:
    """
    With tracks on five partitions and cells on five, the same is found; only who else was heard is counted on a share of the craft.
    """
    reports = named([one for one in corridor() if one.identified] + later(4))
    expected, found = Sea().sail(reports).detections(), Sea(partitions=5).sail(reports).detections()

    # How far time has gone on, a partition knows by whom it hears.
    assert over(expected).keys() == over(found).keys()
    for name in over(expected):
        if kind_of(expected[name]) not in {GAP, SUCCESSOR}:
            assert evidence(expected[name]) == evidence(found[name])


PLACES = st.sampled_from([(0.0, 0.0), (0.01, 0.02), (3.6, 0.0), (3.61, 0.01), (0.0, -1.0), (-1.9, -1.05), (-1.91, -0.95)])
REPORTS = st.lists(
    st.builds(
        lambda second, place, speed, name, who: at(
            second / 60, OFFING[0] + place[0], OFFING[1] + place[1], who, speed=speed, claims=(("name", name),)
        ),
        st.integers(0, 50_000),
        PLACES,
        st.sampled_from([0.0, 1.9, 2.0, 2.1, 12.0, None]),
        st.sampled_from(["AMANI", "UMOJA", "NONE"]),
        st.sampled_from([ONE, ONE, ONE, OTHER]),
    ),
    min_size=10,
    max_size=60,
)


@settings(max_examples=40, deadline=None)
@given(REPORTS, st.randoms(use_true_random=False))
def test_order_within_the_window_makes_no_difference(reports: list[Report], random: Random) -> None:
    """
    Positions that come up to ten minutes late give what the file tool finds in them in order, number for number.
    """
    ordered = named(sorted([*reports, *later(6)], key=lambda one: one.at))
    late = {id(one): one.at + random.uniform(0, rules().track.late_s) for one in ordered}
    sea = Sea().sail(sorted(ordered, key=lambda one: late[id(one)]))
    expected = {name: one for name, one in over_of_file(ordered).items() if one.type in OF_ONE}
    found = {name: one for name, one in over(sea.detections()).items() if kind_of(one) in OF_ONE}

    assert {name: one.type for name, one in expected.items()} == {name: kind_of(one) for name, one in found.items()}
    for name, one in expected.items():
        assert shown(one).items() <= evidence(found[name]).items()


def test_a_gap_is_told_while_it_lasts_and_closed_as_its_revision() -> None:
    """
    A silence is told when others show that time went on, and again under the same reference when the craft comes back.
    """
    around = others(0, 420, OFFING)
    silent = [one for one in way(0, 420, NEAR) if not NIGHT + 60 * 60 < one.at < NIGHT + 300 * 60]
    sea = Sea().sail(merged(silent, around))
    gaps = [one for one in sea.told() if kind_of(one) == GAP]

    assert ["open", "closed"] == [evidence(one)["phase"] for one in gaps]
    assert [0, 1] == [one["lifecycle"]["revision"] for one in gaps]
    assert gaps[0]["id"] == gaps[1]["lifecycle"]["revises"]
    assert 1 == len({one["origin"]["reference"] for one in gaps})
    assert [record_id(OURS, "sighting", "movement", gaps[0]["origin"]["reference"], count) for count in (0, 1)] == [
        one["id"] for one in gaps
    ]
    assert "heard" == evidence(gaps[1])["fact.reception"]


def test_a_detection_is_a_record_as_its_members_are() -> None:
    """
    It is valid, marked CLEAR, of the type of its positions and keyed by their MMSI, stands on their ids, and speaks both languages.
    """
    reports = [one for one in corridor() if one.identified]
    sea = Sea().sail(reports)
    validator, known = Validator(LOCK, words().has), {sighting(one)["id"] for one in reports}

    for out in sea.found:
        value = CODEC.decode(out.value).value
        told = {**value, "times": {**value["times"], "accepted_at": None}}
        assert [] == validator.check("sighting", told, NOW)
        assert ("CLEAR", "ais", OURS) == (value["handling"]["tlp"], value["event"]["type"], value["origin"]["member"])
        assert f"{OURS}:{value['claims'][0]['value']}".encode() == out.key
        assert value["provenance"]["derived_from"]
        assert known.issuperset(value["provenance"]["derived_from"])
        assert evidence(value)["sentence.en"] != evidence(value)["sentence.fr"]
        assert not [name for name in personal(LOCK.latest("sighting").schema) if value.get(name) is not None]
    assert sea.found


def test_what_is_found_is_never_looked_at() -> None:
    """
    Neither step writes where what was accepted is read, and a detection that came there all the same would not be followed.
    """
    sea = Sea().sail([one for one in corridor() if one.identified])
    written = {out.topic for out in sea.found}
    before = len(sea.found)

    assert {"bus.found.sighting"} == written
    assert written.isdisjoint({*sea.detect.kinds, *sea.meet.kinds})
    for value in sea.told():
        sea.take("sighting", value, NIGHT + 700 * 60)
        assert Drop(by_mmsi.NOT_FOLLOWED) == sea.decisions[-1]
    assert before == len(sea.found)


@pytest.mark.parametrize(
    "handling",
    [
        {"tlp": "GREEN"},
        {"tlp": None},
        {},
        None,
        {"tlp": "CLEAR", "handling_codes": ["H1"]},
        {"tlp": "CLEAR", "release_to": ["rmifc"]},
        {"tlp": "CLEAR", "personal_data": True},
        {"tlp": "CLEAR", "pap": "RED"},
        {"tlp": "CLEAR", "consent": "given"},
        {"tlp": "CLEAR", "purposes": ["Safety"]},
        {"tlp": "CLEAR", "retention_days": 29},
    ],
)
def test_what_not_everybody_may_have_is_not_followed(handling: Value | None) -> None:
    """
    A report that bears any limit, or less than what a detection will be given for, leaves no trace: nothing is remembered of it.
    """
    sea = Sea()
    value = {**sighting(at(0, *OFFING)), "handling": handling}
    sea.take("sighting", value, NIGHT)

    assert [Drop(by_mmsi.NOT_FOR_ALL)] == sea.decisions
    assert {} == sea.remembered()


@pytest.mark.parametrize(
    ("groups", "why"),
    [
        ({"exercise": True}, by_mmsi.EXERCISE),
        ({"event": {"type": "distress"}}, by_mmsi.NOT_FOLLOWED),
        ({"position": None}, by_mmsi.NOT_FOLLOWED),
        ({"claims": None}, by_mmsi.NOT_FOLLOWED),
        ({"sensor": {"kind": "MaritimeRadar"}}, by_mmsi.NOT_FOLLOWED),
        ({"origin": {"member": "france", "feed": "ais", "reference": "x"}}, by_mmsi.NOT_FOLLOWED),
    ],
)
def test_what_is_no_position_of_a_declared_feed_is_not_followed(groups: Value, why: str) -> None:
    """
    Exercises, beacons, contacts of a radar, reports without a place, and the feeds of others.
    """
    sea = Sea()
    sea.take("sighting", {**sighting(at(0, *OFFING)), **groups}, NIGHT)

    assert [Drop(why)] == sea.decisions
    assert {} == sea.remembered()


def recall(record: str, mmsi: str, member: str = FEED) -> Value:
    """Take a position back."""
    return {
        "id": record_id(member, "retraction", "ais", record),
        "exercise": False,
        "lifecycle": {"status": "initial", "revision": 0},
        "origin": {"member": member, "feed": "ais", "reference": record},
        "times": {"observed": {"at": NOW, "precision": "second"}},
        "handling": {"tlp": "CLEAR"},
        "recall": {"record": record, "subject": mmsi, "kind": "sighting", "scope": "retract"},
    }


def test_a_detection_goes_with_a_report_that_it_stands_on() -> None:
    """
    When a position is taken back, so is each detection that names it, of a track and of a cell, once; others stay.
    """
    reports = [one for one in corridor() if one.identified]
    sea = Sea(partitions=3).sail(reports)
    meeting = next(one for one in sea.told() if kind_of(one) == RENDEZVOUS)
    gap = next(one for one in sea.detections().values() if kind_of(one) == GAP)
    before = sea.detections()
    for value in (meeting, gap):
        record = value["provenance"]["derived_from"][0]
        mmsi = next(one.subject for one in reports if sighting(one)["id"] == record).removeprefix("mmsi:")
        for _ in range(2):
            sea.take("retraction", recall(record, mmsi), NIGHT + 700 * 60)
        gone = [one["recall"] for one in sea.told("retraction")]
        assert value["origin"]["reference"] not in sea.detections()
        assert len(gone) == len({one["record"] for one in gone})
        assert {"sighting"} == {one["kind"] for one in gone}
        assert {"wrong"} == {one["reason"] for one in gone}
    assert before.keys() - sea.detections().keys() >= {value["origin"]["reference"] for value in (meeting, gap)}
    assert len(before) > len(sea.detections()) > len(before) - 6


def test_a_recall_by_another_takes_nothing_back() -> None:
    """
    Only what the feed itself takes back is taken back.
    """
    sea = Sea().sail([one for one in corridor() if one.identified])
    record = sea.told()[0]["provenance"]["derived_from"][0]
    sea.take("retraction", recall(record, "620111111", "france"), NIGHT + 700 * 60)

    assert [] == sea.told("retraction")


def test_a_report_that_still_waits_is_not_used_after_its_recall() -> None:
    """
    A false position that is taken back within the window makes no jump.
    """
    sails = named(list(way(0, 60, OFFING)))
    false = named([at(32, OFFING[0] + 5, OFFING[1])])
    with_it = Sea().sail(merged(sails, false, later(2)))
    without = Sea()
    for one in merged(sails[:7], false):
        without.take("sighting", sighting(one), one.at + 60)
    without.take("retraction", recall(false[0].id, ONE.removeprefix("mmsi:")), NIGHT + 33 * 60)
    without.sail(merged(sails[7:], later(2)))

    assert {JUMP, GAP} == {kind_of(one) for one in with_it.detections().values()}
    assert {GAP} == {kind_of(one) for one in without.detections().values()}


def test_a_late_report_takes_its_gap_back() -> None:
    """
    What comes too late to be used shows that there was no silence: the gap is retracted for whoever was told of it.
    """
    silent = [one for one in way(0, 420, NEAR) if not NIGHT + 60 * 60 < one.at < NIGHT + 300 * 60]
    sea = Sea().sail(merged(silent, others(0, 420, OFFING)))
    (gap,) = [one for one in sea.detections().values() if kind_of(one) == GAP]
    sea.take("sighting", sighting(at(180, *NEAR)), NIGHT + 425 * 60)

    assert [(gap["id"], "did-not-happen")] == [(one["recall"]["record"], one["recall"]["reason"]) for one in sea.told("retraction")]


def test_who_is_under_way_is_offered_nowhere() -> None:
    """
    Only who lies still away from ports, and once whoever did, is looked at for meetings; of it goes only what is looked at.
    """
    sea = Sea().sail(merged(way(0, 120, OFFING, every=1), still(0, 30, NEAR, OTHER), way(31, 60, NEAR, subject=OTHER)))
    offered = [CODEC.decode(one.value).value for one in sea.offers]

    assert {OTHER.removeprefix("mmsi:")} == {one["claims"][0]["value"] for one in offered}
    assert 8 == len({one["id"] for one in offered})
    assert all(one[name] is None for one in offered for name in by_mmsi.LEFT_OUT)


def test_states_are_bounded() -> None:
    """
    A day of a craft that is heard each ten seconds and says another name each time keeps a track of a few kilobytes.
    """
    sails = [
        replace(one, claims=(("name", f"NAME {'ABCDEFGHIJ'[number % 10] * 3}"), ("call-sign", f"D6{number % 500:03d}")))
        for number, one in enumerate(way(0, 300, OFFING, every=1 / 6))
    ]
    sea = Sea().sail(sails)
    largest = sea.remembered()

    assert max(size for key, size in largest.items() if key.startswith("track:")) < 32_000
    assert max(size for key, size in largest.items() if not key.startswith("track:")) < 8_000


@pytest.mark.parametrize("key", [None, b"", b"cell", b"cell|1", b"cell|1|x", b"cell|1|2|3", b"other|1|2", b"\xff|1|2"])
def test_an_offer_without_a_place_is_refused(key: bytes | None) -> None:
    """
    What stands under no cell and no identifier is none of detect's.
    """
    frame = CODEC.encode("sighting", sighting(at(0, *OFFING)))
    sea = Sea()
    record = Inbound("bus.meeting.sighting", 0, 0, key, frame, {}, 0)

    assert isinstance(sea.meet(record, {}), Reject)


def test_what_cannot_be_read_is_refused() -> None:
    """
    Bytes that are no record, and topics that nobody declared, are refused and not guessed at.
    """
    sea = Sea()
    for step, topic in ((sea.detect, "bus.sighting"), (sea.detect, "bus.other"), (sea.meet, "bus.meeting.sighting")):
        assert isinstance(step(Inbound(topic, 0, 0, b"cell|1|1", b"\0", {}, 0), {}), Reject)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 300), st.integers(0, 40_000)), max_size=300, unique_by=lambda one: one[0]))
def test_the_wheel_looks_at_everybody_once_and_in_time(noted: list[tuple[int, int]]) -> None:
    """
    Whoever is noted is looked at once, after all reports up to then have come, at the end of a slot, a few with each record.
    """
    state: dict[str, Any] = {}
    wanted = {f"mmsi:{number}": at for number, at in noted}
    seen: dict[str, float] = {}

    def turn(now: float, notes: Mapping[str, float]) -> int:
        kept = Kept(state)
        wheel = Wheel(kept, 1800.0, 600.0)
        for name, until in notes.items():
            wheel.note(name, until, None)
        for source in ("north", "south"):
            wheel.tick(source, now)
        due = list(wheel.due())
        assert not seen.keys() & {one.name for one in due}
        for one in due:
            assert wanted[one.name] <= one.until <= now - 600  # no report of before then is expected any more
            assert one.until < wanted[one.name] + 1800
        seen.update((one.name, one.until) for one in due)
        state.update(kept.changes)
        return len(due)

    turn(1.0, wanted)
    for now in range(0, 60_000, 100):
        assert turn(float(now), {}) <= MOST
    assert wanted.keys() == seen.keys()
    assert not [key for key, value in state.items() if key.startswith("due:") and value is not None]


def test_one_receiver_whose_clock_is_ahead_makes_nobody_silent() -> None:
    """
    Time has gone on when two sources say so; by one alone that is hours ahead nobody's silence is told.
    """
    sails = list(way(0, 60, OFFING))
    south = list(way(0, 60, NEAR, subject=OTHER, source="south"))
    for minute, found in ((300, 0), (500, 2)):
        ahead = [at(minute + more, *ELSEWHERE, "mmsi:111000111", source="ahead") for more in (0, 1)]
        told = Sea().sail(merged(sails, south, ahead)).detections()
        # Seven hours later it is the others that have fallen silent.
        assert [GAP] * found == [kind_of(one) for one in told.values()]
    both = [replace(one, source=source) for one in later(2) for source in ("north", "south")]
    assert [GAP] * 2 == [kind_of(one) for one in Sea().sail(merged(sails, south, both)).detections().values()]


def test_nothing_is_told_twice() -> None:
    """
    The same positions once more, by other records, tell nothing again: of each detection every revision is told once.
    """
    reports = [one for one in corridor() if one.identified]
    sea = Sea().sail(reports)
    told = [one["id"] for one in sea.told()]
    sea.sail(reports)

    assert len(told) == len(set(told))
    assert len({one["id"] for one in sea.told()}) == len(sea.told())
    assert any(isinstance(one, Emit) for one in sea.decisions)
