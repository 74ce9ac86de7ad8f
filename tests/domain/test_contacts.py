"""
Dark meetings on the bus: a member is told who dawdles beside its own contacts, and nobody else learns that there are any.
"""

from __future__ import annotations

from random import Random
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from boutre.processors import detect as by_mmsi
from boutre.processors.decision import Drop
from boutre.processors.movement.detection import DARK, Detection
from boutre.processors.movement.report import Report
from boutre.schemas.validation import Validator
from movement_bus import OF_CONTACTS, Sea, Value, contact, evidence, kind_of, sighting
from movement_corridor import corridor
from movement_scenes import KM, NIGHT, OFFING, ONE, OTHER, at, fleet, merged, of, still, way
from records import CODEC, LOCK, NOW, recall, words

FRANCE: Final = "france"
COMOROS: Final = "comoros"
ELSEWHERE: Final = (20.0, 60.0)
RADAR: Final = "radar:R1-17"


def beside(km: float) -> tuple[float, float]:
    """A place so many kilometres north of the offing."""
    return (OFFING[0] + km * KM, OFFING[1])


def later(minutes: float = 1000) -> list[Report]:
    """Somebody far away who is heard all night and after it: that time goes on, whatever contacts there are."""
    return list(way(0, minutes + 60, ELSEWHERE, subject="mmsi:111000111", every=10))


def named(reports: list[Report], member: str = FRANCE) -> list[Report]:
    """The reports as the bus knows them: in whole milliseconds, each with the id of its record."""
    timed = [replace(one, at=round(one.at, 3)) for one in reports]
    return [replace(one, id=(sighting(one) if one.identified else contact(one, member))["id"]) for one in timed]


def sail(sea: Sea, reports: list[Report], owner: dict[str, str] | str = FRANCE, **groups: Any) -> Sea:
    """Let all be accepted, contacts as those of their owner, a minute after each."""
    clock = 0.0
    for one in reports:
        clock = max(clock, one.at + 60)
        member = owner if isinstance(owner, str) else owner[one.subject] if not one.identified else ""
        sea.take("sighting", sighting(one) if one.identified else contact(one, member, **groups), clock)
    return sea


def dark(found: list[Detection]) -> dict[str, Detection]:
    """The last of each."""
    return {one.id: one for one in of(found, DARK)}


def numbers(value: Value) -> dict[str, str]:
    """What shows a detection, without its thresholds and its words."""
    return {name: text for name, text in evidence(value).items() if not name.startswith(("threshold.", "sentence.", "rule"))}


def test_a_member_is_told_who_dawdles_beside_its_contact() -> None:
    """
    The night in which everything happens: what the file tool finds beside contacts is told to their member, and to it alone.
    """
    reports = named(merged(corridor(), later()))
    sea = sail(Sea(contacts=(FRANCE, COMOROS)), reports)
    expected, found = dark(fleet(reports)), sea.detections(OF_CONTACTS)

    assert expected
    assert {f"{name} for {FRANCE}" for name in expected} == found.keys()
    for name, one in expected.items():
        value = found[f"{name} for {FRANCE}"]
        assert {each.name: f"{each.value:g} {each.unit}" for each in one.evidence}.items() <= evidence(value).items()
        assert one.phase == evidence(value)["phase"]
    for value in (*found.values(), *sea.told("retraction", OF_CONTACTS)):
        assert ("RED", [FRANCE]) == (value["handling"]["tlp"], value["handling"]["release_to"])
    assert DARK not in {kind_of(one) for one in sea.told()}


def test_it_is_a_record_as_its_members_are() -> None:
    """
    It passes every check that a national record must pass, is for its member alone, and names both reports by which it began.
    """
    reports = named(merged(still(0, 180, OFFING), still(70, 120, beside(1.0), RADAR), later()))
    sea = sail(Sea(contacts=(FRANCE,)), reports)
    (value,) = sea.detections(OF_CONTACTS).values()
    validator = Validator(LOCK, words().has)

    assert [] == validator.check("sighting", {**value, "times": {**value["times"], "accepted_at": None}}, NOW)
    assert ("RED", [FRANCE]) == (value["handling"]["tlp"], value["handling"]["release_to"])
    ids = {sighting(one)["id"] if one.identified else contact(one)["id"] for one in reports}
    assert 2 == len(value["provenance"]["derived_from"])
    assert set(value["provenance"]["derived_from"]) <= ids


PLACES = st.sampled_from([0.0, 0.01, 0.2, 0.29, 0.31, 0.6, 1.4, 1.49, 1.51, 3.0])
CRAFT = st.builds(
    lambda minute, km, speed, who: at(minute, *beside(km), who, speed=speed, source="north"),
    st.integers(0, 75).map(lambda number: number * 4),
    PLACES,
    st.sampled_from([0.0, 1.9, 2.0, 2.1, 9.0]),
    st.sampled_from([ONE, ONE, OTHER]),
)
CONTACTS = st.builds(
    lambda minute, km, who, source: at(minute, *beside(km), who, None, source=source),
    st.integers(60, 300),
    PLACES,
    st.sampled_from([RADAR, "radar:R1-18", "visual:7", "visual:8"]),
    st.sampled_from(["radar", "north"]),
)


@settings(max_examples=25, deadline=None)
@given(st.lists(CRAFT, max_size=40), st.lists(CONTACTS, max_size=25), st.randoms(use_true_random=False))
def test_nobody_is_told_more_or_less_for_a_contact_of_another(craft: list[Report], seen: list[Report], random: Random) -> None:
    """
    Whatever contacts France has, what everybody is told and what the Comoros are told is the same to the byte.
    """
    always = named(merged(still(0, 200, OFFING, every=10), craft, later(300)))
    theirs = [replace(one, subject=f"{one.subject}-K") for one in seen if random.random() < 0.5]
    owner = {one.subject: FRANCE for one in seen} | {one.subject: COMOROS for one in theirs}
    told = [
        [
            (out.topic, out.key, out.value)
            for out in sail(Sea(contacts=(FRANCE, COMOROS)), named(merged(always, theirs, more)), owner).found
            if (CODEC.decode(out.value).value["handling"].get("release_to") or [COMOROS]) == [COMOROS]
        ]
        for more in ([], seen)
    ]

    assert told[0] == told[1]


@settings(max_examples=15, deadline=None)
@given(st.lists(CONTACTS, min_size=1, max_size=25), st.lists(CRAFT, max_size=25, unique_by=lambda one: (one.subject, one.at)))
def test_the_bus_finds_what_the_file_tool_finds(seen: list[Report], craft: list[Report]) -> None:
    """
    Beside whom, how near and for how long: as in a file, for any contacts, and craft under way that are heard each four minutes.
    """
    reports = named(merged(still(0, 330, OFFING), craft, seen, later(400)))
    expected, found = dark(fleet(reports)), sail(Sea(contacts=(FRANCE,)), reports).detections(OF_CONTACTS)

    assert {f"{name} for {FRANCE}" for name in expected} == found.keys()
    for name, one in expected.items():
        assert {each.name: f"{each.value:g} {each.unit}" for each in one.evidence}.items() <= evidence(
            found[f"{name} for {FRANCE}"]
        ).items()


@pytest.mark.parametrize("km", [0.05, 0.25])
def test_the_echo_of_a_craft_that_passes_is_no_stranger(km: float) -> None:
    """
    What somebody sees where a craft with AIS sails by at that time is this craft, although it meets nobody and is offered seldom.
    """
    passes = list(way(60, 120, (beside(1.0)[0], OFFING[1] - 0.06), subject=OTHER, speed=8.0, course=90.0, every=1 / 3))
    there = min(passes, key=lambda one: abs(one.longitude - OFFING[1]))
    seen = replace(there, subject="visual:7", latitude=there.latitude + km * KM, speed_kn=None, course_deg=None, source="lookout")
    stranger = replace(seen, at=seen.at + 1800)
    lies, sails = still(0, 180, OFFING), later()
    for reports, found in (([*passes, seen], 0), ([seen], 1), ([*passes, stranger], 1)):
        sea = sail(Sea(contacts=(FRANCE,)), named(merged(lies, sails, reports)))
        assert found == len(sea.detections(OF_CONTACTS))


@pytest.mark.parametrize("taken_back", ["craft", "contact"])
def test_it_goes_with_either_report_that_it_stands_on(taken_back: str) -> None:
    """
    When the position or the contact is taken back, so is the meeting, once, for the same member.
    """
    lies, seen = still(0, 180, OFFING), still(70, 120, beside(1.0), RADAR)
    reports = named(merged(lies, seen, later()))
    sea = sail(Sea(contacts=(FRANCE,), partitions=3), reports)
    (value,) = sea.detections(OF_CONTACTS).values()
    stands_on = value["provenance"]["derived_from"]
    records = {one["id"]: one for one in (sighting(one) if one.identified else contact(one) for one in reports)}
    (of_it,) = [name for name in stands_on if (records[name]["claims"] is None) == (taken_back == "contact")]
    for _ in range(2):
        sea.take("retraction", recall(records[of_it], "sighting"), NIGHT + 1100 * 60)
    (gone,) = sea.told("retraction", OF_CONTACTS)

    assert (value["id"], "wrong") == (gone["recall"]["record"], gone["recall"]["reason"])
    assert ("RED", [FRANCE]) == (gone["handling"]["tlp"], gone["handling"]["release_to"])
    assert {} == sea.detections(OF_CONTACTS)
    assert [] == [one for one in sea.told("retraction") if one["recall"]["record"] == value["id"]]


def test_a_contact_that_still_waits_is_not_used_after_its_recall() -> None:
    """
    A sighting that was a mistake and is taken back at once shows no meeting.
    """
    lies, seen = still(0, 180, OFFING), at(90, *beside(0.6), "visual:7", None)
    for recalled in (False, True):
        sea = sail(Sea(contacts=(FRANCE,)), named([*lies[:19], seen]))
        if recalled:
            sea.take("retraction", recall(contact(seen), "sighting"), NIGHT + 92 * 60)
        sail(sea, named(merged(lies[19:], [one for one in later() if one.at > seen.at])))
        assert (not recalled) == bool(sea.detections(OF_CONTACTS))


@pytest.mark.parametrize(
    "handling",
    [
        None,
        {"tlp": "RED", "release_to": [FRANCE], "personal_data": True},
        {"tlp": "RED", "release_to": [FRANCE], "handling_codes": ["H1"]},
        {"tlp": "GREEN", "consent": "given"},
        {"tlp": "GREEN", "purposes": ["Safety"]},
        {"tlp": "GREEN", "retention_days": 29},
    ],
)
def test_a_contact_that_may_not_be_used_so_leaves_no_trace(handling: Value | None) -> None:
    """
    One that tells of people, bears a handling code or a consent, or was given for less than what is told of it.
    """
    sea = Sea(contacts=(FRANCE,))
    sea.take("sighting", contact(at(0, *OFFING, RADAR), handling=handling), NIGHT)

    assert [Drop(by_mmsi.NOT_FOR_ALL)] == sea.decisions
    assert {} == sea.remembered()


@pytest.mark.parametrize(
    ("groups", "member", "why"),
    [
        ({"exercise": True}, FRANCE, by_mmsi.EXERCISE),
        ({}, "madagascar", by_mmsi.NOT_FOLLOWED),
        ({"event": {"type": "distress"}}, FRANCE, by_mmsi.NOT_FOLLOWED),
        ({"position": None}, FRANCE, by_mmsi.NOT_FOLLOWED),
        ({"claims": [{"attribute": "mmsi", "value": "620123456", "source": "observer"}]}, FRANCE, by_mmsi.NOT_FOLLOWED),
    ],
)
def test_what_is_no_contact_of_a_declared_member_is_left_alone(groups: Value, member: str, why: str) -> None:
    """
    Exercises, beacons, contacts of others, without a place, or whose number somebody read.
    """
    sea = Sea(contacts=(FRANCE,))
    sea.take("sighting", contact(at(0, *OFFING, RADAR), member, **groups), NIGHT)

    assert [Drop(why)] == sea.decisions
    assert {} == sea.remembered()


def test_a_members_own_ais_is_not_followed_for_its_contacts() -> None:
    """
    Who is told of its contacts is not therefore followed: its own positions by AIS are left alone.
    """
    sea = Sea(contacts=(FRANCE,))
    value = sighting(at(0, *OFFING))
    sea.take("sighting", {**value, "origin": {**value["origin"], "member": FRANCE}}, NIGHT)

    assert [Drop(by_mmsi.NOT_FOLLOWED)] == sea.decisions
    assert {} == sea.remembered()


def test_what_others_wrote_in_a_contact_goes_nowhere() -> None:
    """
    Of a contact only what is looked at is offered: no narrative, no claims, nothing of people.
    """
    sea = Sea(contacts=(FRANCE,))
    narrative = [{"text": "KIBOKO", "language": "sw"}]
    claims = [{"attribute": "name", "value": "KIBOKO", "source": "observer"}]
    sea.take("sighting", contact(at(0, *OFFING, RADAR), narrative=narrative, claims=claims), NIGHT)

    assert sea.offers
    for out in sea.offers:
        value = CODEC.decode(out.value).value
        assert all(value[name] is None for name in by_mmsi.LEFT_OUT_OF_CONTACTS)
        assert b"KIBOKO" not in (out.value or b"")
