"""
What movements show goes through release as any record: to whoever an agreement gives it, with receipts, and never round again.
"""

from __future__ import annotations

from typing import Any

import pytest

from boutre.processors.local import LocalBus
from movement_bus import evidence
from records import AT, CODEC, known_as, local_bus, national, recall, report, track

Value = dict[str, Any]
MMSI = "219000001"


def position(minute: float, north: float = 0.0, **groups: Any) -> Value:
    """A position of one craft, which lies still in Danish waters, or somewhere north of that."""
    place = {"latitude": 55.7 + north, "longitude": 12.6, "accuracy_m": 10.0, "fix": "gnss"}
    return track(f"at {minute} {north}", MMSI, round(minute * 60), position=place, movement={"speed_kn": 0.1}, **groups)


def sailed(*extra: Value) -> tuple[LocalBus, list[Value]]:
    """A bus that has heard of a craft that was at once 100 km away, and came back."""
    reports = [
        *(position(minute) for minute in range(0, 20, 5)),
        position(21, 1.0),
        *(position(minute) for minute in range(25, 60, 5)),
    ]
    bus = local_bus()
    bus.publish(national("sighting", one, at=AT + round(number * 300_000)) for number, one in enumerate(reports))
    bus.publish(national("sighting", one, at=AT + 4_000_000) for one in extra)
    return bus, reports


def told(bus: LocalBus, recipient: str) -> list[Value]:
    """What a recipient was given that the observatory of movements found."""
    return [one for one in given(bus, recipient, "sighting") if "movement" in str(one["event"].get("classes"))]


def given(bus: LocalBus, recipient: str, kind: str) -> list[Value]:
    """All that a recipient was given of a kind."""
    return [CODEC.decode(out.value).value for out in bus.read(f"for.{recipient}.{kind}")]


@pytest.fixture(scope="module")
def sea() -> tuple[LocalBus, list[Value]]:
    """One such bus."""
    return sailed()


def test_who_has_the_positions_has_what_they_show(sea: tuple[LocalBus, list[Value]]) -> None:
    """Both centres are told of the jump, with its numbers and its sentence; what it stands on has the names that they know."""
    bus, reports = sea
    for recipient in ("rmifc", "rcoc"):
        (jump,) = told(bus, recipient)
        assert "impossible-jump" == jump["event"]["classes"][0]["code"]
        assert MMSI == jump["claims"][0]["value"]
        assert {"sentence.fr", "implied_speed"} <= evidence(jump).keys()
        assert 0.5 == jump["assessment"]["probability"]
    assert {known_as("rmifc", one) for one in reports} >= set(told(bus, "rmifc")[0]["provenance"]["derived_from"])


def test_who_is_given_no_identity_is_given_no_detection(sea: tuple[LocalBus, list[Value]]) -> None:
    """Whoever has a density of traffic, or no AIS at all, is told nothing; why is in the receipts."""
    bus, _ = sea
    (found,) = [CODEC.decode(out.value).value for out in bus.read("bus.found.sighting")]
    receipts = [CODEC.decode(out.value).value for out in bus.read("bus.receipt")]
    mine = {one["recipient"]: (one["outcome"], one["reason"]) for one in receipts if one["record"] == found["id"]}

    for recipient in ("mauritius", "seychelles", "madagascar", "comoros", "france", "protection-partner"):
        assert [] == told(bus, recipient)
        assert "withheld" == mine[recipient][0]
    assert {"rmifc", "rcoc"} == {name for name, (outcome, _) in mine.items() if outcome == "delivered"}


def test_nothing_goes_round(sea: tuple[LocalBus, list[Value]]) -> None:
    """What is found stands on topics that only release reads, and every position is looked at once."""
    bus, reports = sea
    looked = [handled for name, handled in bus.handled if name == "detect"]

    assert len(reports) == len(looked)
    assert [] == bus.read("rejects.bus")
    assert [] == [out for out in bus.read("bus.sighting") if CODEC.decode(out.value).value["origin"]["member"] != "observatory-ais"]


def test_a_detection_is_taken_back_from_whoever_had_it() -> None:
    """The false position is recalled: both centres are told that the jump is none, and nobody else is told anything."""
    bus, reports = sailed()
    bus.publish([national("retraction", recall(reports[4], "sighting"), at=AT + 4_000_000)])

    for recipient in ("rmifc", "rcoc"):
        (jump,) = told(bus, recipient)
        assert {jump["view"]["of"], known_as(recipient, reports[4])} == {
            one["recall"]["record"] for one in given(bus, recipient, "retraction")
        }
    assert [known_as("mauritius", reports[4])] == [one["recall"]["record"] for one in given(bus, "mauritius", "retraction")]


def test_what_is_not_for_everybody_shows_nothing() -> None:
    """The same positions under any other marking are released, and not followed."""
    bus = local_bus()
    green: Value = {"handling": {"tlp": "GREEN"}}
    reports = [position(0, **green), position(5, **green), position(6, 1.0, **green), position(30, **green), position(60, **green)]
    bus.publish(national("sighting", one, at=AT + 4_000_000) for one in reports)

    assert bus.read("for.rmifc.sighting")
    assert [] == bus.read("bus.found.sighting")


OFFSHORE: Value = {"latitude": 57.2, "longitude": 5.0, "accuracy_m": 10.0, "fix": "gnss"}


def at_sea(*, with_contact: bool) -> LocalBus:
    """A bus that has heard of a craft that lay in the North Sea for three hours, and of what a radar of France had beside it."""
    bus = local_bus()
    lies = [track(f"lies {n}", MMSI, n * 300, position=OFFSHORE, movement={"speed_kn": 0.1}) for n in range(40)]
    beside = [
        report(
            "sighting",
            "france",
            "R1-17",
            number,
            times={"observed": {"at": lies[18 + number]["times"]["observed"]["at"], "precision": "second"}},
            position={**OFFSHORE, "latitude": OFFSHORE["latitude"] + 0.009},
            sensor={"kind": "MaritimeRadar", "name": "R1"},
            handling={"tlp": "RED", "release_to": ["france", "rmifc"]},
        )
        for number in range(8)
    ]
    for number, one in enumerate(lies):
        seen = beside[number - 18 : number - 17] if with_contact and number >= 18 else []
        bus.publish(national("sighting", each, at=AT + number * 300_000) for each in (one, *seen))
    return bus


def test_who_dawdles_beside_a_contact_is_told_to_its_member_alone() -> None:
    """
    France is told, and an alert is proposed to it for a person to validate.

    RMIFC, which may have the contact, and everybody else are told the same as without any contact.
    """
    bus, without = at_sea(with_contact=True), at_sea(with_contact=False)
    begun, dark = told(bus, "france")

    assert begun["origin"]["reference"] == dark["origin"]["reference"]
    assert "dark-rendezvous" == dark["event"]["classes"][0]["code"]
    assert "observatory-contacts" == dark["origin"]["member"]
    assert "R1-17" in evidence(dark)["others"]
    assert [] == bus.read("rejects.bus")
    for recipient in ("rmifc", "rcoc", "mauritius", "seychelles", "madagascar", "comoros", "protection-partner"):
        assert told(bus, recipient) == told(without, recipient)
        assert [] == given(bus, recipient, "alert")
    (alert,) = given(bus, "france", "alert")
    assert ("dark-rendezvous@1", "not-validated") == (alert["provenance"]["method"], alert["assessment"]["validation"])
