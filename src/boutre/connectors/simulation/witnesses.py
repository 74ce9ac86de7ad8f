"""
What people tell: fishermen by telephone, and a post on the shore of Anjouan, which also retells what fishermen told it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from random import Random
from typing import Any, Final

from boutre.connectors.simulation.boats import DHOW, FERRY, KWASSA, LOCAL, PIROGUE, Boat, crossing
from boutre.connectors.simulation.chance import chance, later, poisson
from boutre.connectors.simulation.feeds import FISHERMAN, LOOKOUT
from boutre.connectors.simulation.parameters import Corridor
from boutre.connectors.simulation.sea import GROUNDS
from boutre.connectors.simulation.telling import Told, about, exactly, measured, seen_colours, times, wrongs
from boutre.connectors.simulation.way import Fix

STEP_S: Final = 240.0
"""How often it is looked who is near whom."""

WORDS: Final = {
    KWASSA: ("kwassa", "kwasa-kwasa", "vedette", "barque"),
    LOCAL: ("barque", "vedette", "kwassa"),
    PIROGUE: ("pirogue", "galawa"),
    DHOW: ("boutre", "jahazi"),
    FERRY: ("bateau", "ferry"),
}
"""What people here call a boat; *galawa* and *jahazi* are Comorian and Swahili."""

CODES: Final = {
    "kwassa": "kwassa",
    "kwasa-kwasa": "kwassa",
    "vedette": "motor-boat",
    "barque": "small-boat",
    "pirogue": "pirogue",
    "galawa": "pirogue",
    "boutre": "dhow",
    "jahazi": "dhow",
    "bateau": "unknown",
    "ferry": "passenger",
}
"""Codes of the vocabulary ``craft`` for these words."""


COUNTED: Final = 7
"""So many people are counted at a glance; of more, a fisherman gives the nearest five."""


def fishermen(rng: Random, night: int, noon: float, boats: Sequence[Boat], corridor: Corridor) -> Iterator[Told]:
    """
    Give what fishermen tell of boats that passed near them: late, by the name of a place or some kilometres off, about how many.
    """
    number = 0
    watchers = [boat for boat in boats if boat.kind in (PIROGUE, LOCAL)]
    for watcher in watchers:
        for boat in boats:
            if boat is watcher or boat.kind == PIROGUE:
                continue
            passed = _passes(watcher, boat, corridor.fisherman_sees_km)
            if passed is None or not chance(rng, corridor.fisherman_tells):
                continue
            who = f"pêcheur {night:03d}-{watcher.id[5:]}"
            call = _call(rng, f"{night:03d}-{number}", boat, passed, corridor, who=who)
            number += 1
            yield call
            if chance(rng, corridor.fisherman_calls_again):
                yield _again(rng, f"{night:03d}-{number}", call, boat)
                number += 1
    for _ in range(poisson(rng, corridor.rumours)):
        ghost = crossing(rng, "", night, noon, corridor)
        at = rng.uniform(ghost.begin, ghost.end)
        going = ghost.going(at)
        assert going is not None, "it is drawn between the ends of the way"
        call = _call(rng, f"{night:03d}-{number}", ghost, Fix(at, going.where), corridor, who=f"pêcheur {night:03d}-r{number}")
        number += 1
        yield replace(call, boat=None, wrong=())


def _passes(watcher: Boat, boat: Boat, near_km: float) -> Fix | None:
    """Give when and where two boats are nearest, where that is near enough to be seen or heard."""
    nearest: tuple[float, Fix] | None = None
    at, end = max(watcher.begin, boat.begin), min(watcher.end, boat.end)
    while at <= end:
        one, other = watcher.going(at), boat.going(at)
        if one is not None and other is not None and (nearest is None or one.where.km(other.where) < nearest[0]):
            nearest = one.where.km(other.where), Fix(at, other.where)
        at += STEP_S
    return nearest[1] if nearest is not None and nearest[0] < near_km else None


def _call(rng: Random, reference: str, boat: Boat, passed: Fix, corridor: Corridor, *, who: str) -> Told:
    # Nobody tells of what has not been yet, however wrong the hour.
    guessed = passed.at + rng.gauss(0, 600)
    received = passed.at + 300 + later(rng, *corridor.fisherman_late_s)
    said = min(guessed, received - 60)
    near = min(GROUNDS, key=lambda place: place.at.km(passed.where))
    position: dict[str, Any]
    if chance(rng, 0.5):
        latitude_longitude, told = measured(rng, near.at, 1.0, 3)
        accuracy = rng.choice((None, 10_000.0))
        position = {**latitude_longitude, "accuracy_m": accuracy, "fix": "place-name", "place": near.fr}
    else:
        claimed = 5_000.0
        errs = 3 * claimed if chance(rng, corridor.fisherman_overconfident) else claimed
        latitude_longitude, told = measured(rng, passed.where, errs, 2)
        accuracy = claimed
        position = {**latitude_longitude, "accuracy_m": claimed, "fix": rng.choice(("mobile-phone", "visual", "reported"))}
    word = rng.choice(WORDS[boat.kind])
    many = boat.persons * rng.uniform(0.75, 1.25)
    rounded = 5 * max(1, round(many / 5)) if many > COUNTED else max(1, round(many))
    suspects = chance(rng, 0.9 if boat.kind == KWASSA else 0.15)
    going = boat.going(passed.at)
    course = round(going.course_deg / 45) * 45 % 360 * 1.0 if going is not None and chance(rng, 0.4) else None
    persons = {"min": float(rounded), "max": None, "estimated": True} if chance(rng, 0.15) else about(rounded, 0.1)
    groups: dict[str, Any] = {
        "times": times(said, received - rng.uniform(60, 290), "hour" if chance(rng, 0.3) else "minute", uncertainty_s=1_800.0),
        "event": {"type": "irregular-migration" if suspects else "other", "nature": "Declared"},
        "position": position,
        "movement": None if course is None else {"course_deg": course},
        "craft": {
            "kind": CODES[word],
            "source_kind": word,
            "colours": seen_colours(rng, boat, 0.25) if chance(rng, 0.3) else [],
            "length_m": about(boat.length_m * rng.uniform(0.8, 1.2), 0.2, whole=False) if chance(rng, 0.3) else None,
            "engines": {"count": exactly(boat.engines)} if boat.engines and chance(rng, 0.25) else None,
            "persons_on_board": persons if chance(rng, 0.8) else None,
        },
        "sensor": {"kind": "NonTraditionalSources", "platform": "person"},
        "narrative": [{"language": "fr", "text": _words(rng, word, rounded, near.fr)}],
        "provenance": {"sources": [{"name": who}]},
    }
    astray = accuracy is not None and told.km(passed.where) * 1000 > accuracy
    wrong = wrongs(boat, groups, astray=astray)
    return Told(FISHERMAN, "sighting", boat.id, reference, groups, passed.at, received, wrong, informant=who)


def _words(rng: Random, word: str, persons: int, place: str) -> str:
    """What a fisherman says, in the French of the islands (*Maoré* is Mayotte, *comme ça* is about)."""
    return rng.choice(
        (
            f"Un {word} est passé {place}, avec {persons} personnes comme ça, direction Maoré.",
            f"On a vu un {word} {place}, y a du monde dedans, {persons} peut-être. Sans lumière.",
            f"Le {word} il a filé vers Maoré, {place}. {persons} comme ça, des femmes aussi.",
        )
    )


def _again(rng: Random, reference: str, call: Told, boat: Boat) -> Told:
    """The same fisherman calls again, with another number of people: another report, and no other root."""
    received = call.received + rng.uniform(600, 3_600)
    many = 5 * max(1, round(boat.persons * rng.uniform(0.7, 1.3) / 5))
    craft = {**call.groups["craft"], "persons_on_board": about(many, 0.1)}
    said = {**call.groups["times"], "reported": times(received - 60, received - 60, "minute")["reported"]}
    groups = {**call.groups, "times": said, "craft": craft}
    wrong = wrongs(boat, groups, astray="position" in call.wrong)
    return replace(call, reference=reference, groups=groups, received=received, wrong=wrong, root=call.id)


def lookout(rng: Random, night: int, boats: Sequence[Boat], calls: Sequence[Told], corridor: Corridor) -> Iterator[Told]:
    """
    Give what a post on Anjouan tells: departures that it saw, and fishermen's calls, which it retells at times without saying so.
    """
    number = 0
    for boat in boats:
        if boat.kind == KWASSA and boat.left is not None and chance(rng, corridor.lookout_sees):
            yield _departure(rng, f"{night:03d}-{number}", boat, corridor)
            number += 1
    for call in calls:
        if call.root is None and chance(rng, corridor.lookout_retells):
            yield _retold(rng, f"{night:03d}-{number}", call)
            number += 1


def _departure(rng: Random, reference: str, boat: Boat, corridor: Corridor) -> Told:
    at = boat.begin + rng.uniform(0, 500)
    going = boat.going(at)
    assert going is not None, "it has just left"
    assert boat.left is not None, "a crossing left somewhere"
    assert boat.bound is not None, "a crossing goes somewhere"
    position, _ = measured(rng, going.where, rng.uniform(1_000, 2_000), 3)
    received = at + rng.uniform(0.5, 6) * 3_600
    groups: dict[str, Any] = {
        "times": times(at + rng.gauss(0, 300), received - rng.uniform(60, 290), "minute", uncertainty_s=600.0),
        "event": {"type": "irregular-migration", "nature": "Observed", "outcome": "ongoing"},
        "position": {**position, "fix": "visual", "place": boat.left.fr},
        "craft": {
            "kind": "kwassa",
            "source_kind": "kwassa",
            "colours": seen_colours(rng, boat, corridor.colour_unsure),
            "length_m": about(boat.length_m * rng.uniform(0.9, 1.1), 0.15, whole=False) if chance(rng, 0.5) else None,
            "engines": {"count": exactly(boat.engines), "kind": "outboard"} if chance(rng, 0.4) else None,
            "persons_on_board": about(boat.persons * rng.uniform(0.9, 1.1), 0.1),
            "markings": list(boat.markings) if chance(rng, 0.4) else [],
            "activity": "embarking-people",
        },
        "sensor": {"kind": "Sighting", "platform": "shore-station"},
        "migration": {"embarked": boat.left.fr, "destination": "Mayotte", "detection": "lookout-on-shore"},
    }
    return Told(LOOKOUT, "sighting", boat.id, reference, groups, at, received, wrongs(boat, groups))


def _retold(rng: Random, reference: str, call: Told) -> Told:
    received = call.received + rng.uniform(600, 7_200)
    honest = chance(rng, 0.5)
    groups = {
        **{name: group for name, group in call.groups.items() if name not in ("narrative", "provenance")},
        "event": {**call.groups["event"], "nature": "Declared"},
        "times": {**call.groups["times"], "reported": times(received - 60, received - 60, "minute")["reported"]},
        "provenance": {"sources": [{"name": call.informant}], "derived_from": [call.id]} if honest else None,
    }
    return replace(
        call, observer=LOOKOUT, reference=reference, groups=groups, received=received, root=call.stands_on, informant=None
    )
