"""
What authorities tell: the coast guard of boats that it stopped, and a centre that broadcasts what others told it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from random import Random
from typing import Any, Final

from boutre.connectors.simulation.boats import LOCAL, Boat
from boutre.connectors.simulation.chance import chance, later
from boutre.connectors.simulation.feeds import CENTRE, COAST_GUARD, RADAR
from boutre.connectors.simulation.parameters import Corridor
from boutre.connectors.simulation.sea import GROUNDS, LANDINGS
from boutre.connectors.simulation.telling import Told, about, exactly, measured, seen_colours, times, wrongs

PLACES: Final = {place.fr: place.en for place in (*GROUNDS, *LANDINGS)}
"""The English name of a place by its French one."""


TWO_DIGITS: Final = 10


def coast_guard(rng: Random, night: int, boats: Sequence[Boat], corridor: Corridor) -> Iterator[Told]:
    """
    Give interceptions, hours later and exact, some of them corrected; and inspections of boats that were only fishing.
    """
    for number, boat in enumerate(boats):
        reference = f"{night:03d}-{number}"
        if boat.outcome == "intercepted":
            report = _interception(rng, reference, boat, corridor)
            yield report
            if chance(rng, corridor.corrected_share):
                yield _corrected(rng, report, boat)
        elif boat.kind == LOCAL and chance(rng, corridor.inspects_share):
            yield _inspection(rng, reference, boat)


def _craft(rng: Random, boat: Boat, unsure: float) -> dict[str, Any]:
    return {
        "kind": "kwassa",
        "source_kind": "kwassa",
        "hull": boat.hull,
        "colours": seen_colours(rng, boat, unsure),
        "length_m": exactly(round(boat.length_m * 2) / 2),
        "engines": {"count": exactly(boat.engines), "power_kw": exactly(round(boat.power_kw)), "kind": "outboard"},
        "persons_on_board": exactly(boat.persons),
        "markings": list(boat.markings) if chance(rng, 0.9) else [],
    }


def _interception(rng: Random, reference: str, boat: Boat, corridor: Corridor) -> Told:
    at, where = boat.track[-1]
    position, _ = measured(rng, where, 100.0)
    received = at + rng.uniform(*corridor.interception_late_s)
    near = min((*GROUNDS, *LANDINGS), key=lambda place: place.at.km(where))
    groups: dict[str, Any] = {
        "times": times(at, received - rng.uniform(60, 1_200), "minute"),
        "event": {"type": "irregular-migration", "nature": "Observed", "outcome": "intercepted"},
        "position": {**position, "fix": "gnss", "place": near.fr},
        "craft": _craft(rng, boat, corridor.colour_unsure / 3),
        "persons": {"total": exactly(boat.persons), "outcome": "disembarked"},
        "action": {"kind": "Interception", "status": "Completed", "boarded": True},
        "migration": {"destination": "Mayotte", "detection": rng.choice(("patrol-at-sea", "coastal-radar"))},
    }
    return Told(COAST_GUARD, "interception", boat.id, reference, groups, at, received, wrongs(boat, groups))


def _corrected(rng: Random, report: Told, boat: Boat) -> Told:
    """The same report a few hours later, counted again ashore: a revision."""
    received = report.received + rng.uniform(1, 4) * 3_600
    groups = {**report.groups, "persons": {**report.groups["persons"], "survivors": exactly(boat.persons)}}
    return replace(report, revision=1, groups=groups, received=received, root=report.id)


def _inspection(rng: Random, reference: str, boat: Boat) -> Told:
    """A patrol looks at a local boat and lets it go: a full description of what is no crossing."""
    at = rng.uniform(boat.begin, boat.end)
    going = boat.going(at)
    assert going is not None, "it is drawn between the ends of the way"
    position, _ = measured(rng, going.where, 100.0)
    received = at + rng.uniform(1, 6) * 3_600
    groups: dict[str, Any] = {
        "times": times(at, received - rng.uniform(60, 1_200), "minute"),
        "event": {"type": "other", "nature": "Observed", "outcome": "false-alarm"},
        "position": {**position, "fix": "gnss"},
        "craft": {**_craft(rng, boat, 0.0), "kind": "small-boat", "source_kind": "barque de pêche", "activity": "fishing"},
        "sensor": {"kind": "Sighting", "platform": "patrol-vessel"},
    }
    return Told(COAST_GUARD, "sighting", boat.id, reference, groups, at, received, wrongs(boat, groups))


def centre(rng: Random, night: int, told: Sequence[Told], corridor: Corridor) -> Iterator[Told]:
    """
    Give what the centre broadcasts, in English, coarser, hours after it was told; at times without a word of whom it has it from.
    """
    first_hand = (one for one in told if one.observer != RADAR and one.revision == 0)
    for number, one in enumerate(one for one in first_hand if chance(rng, corridor.rebroadcasts)):
        yield _broadcast(rng, f"{night:03d}-{number}", one, corridor)


def _broadcast(rng: Random, reference: str, one: Told, corridor: Corridor) -> Told:
    received = one.received + later(rng, *corridor.rebroadcast_late_s)
    given = one.groups
    digits, cell_m = (1, 8_000.0) if chance(rng, 0.3) else (2, 1_000.0)
    position = given["position"]
    accuracy = None if position["accuracy_m"] is None else max(position["accuracy_m"], cell_m)
    observed = given["times"]["observed"]
    hourly = observed["precision"] == "hour" or chance(rng, 0.3)
    before = given.get("craft")
    craft = None if before is None else _in_english(rng, before, corridor)
    persons = None if craft is None else craft.get("persons_on_board")
    honest = chance(rng, corridor.rebroadcast_says_so)
    named = honest or chance(rng, 0.5)
    seen = observed["at"].timestamp()
    groups: dict[str, Any] = {
        "times": times(seen, received - 120, "hour" if hourly else "minute", uncertainty_s=observed["uncertainty_s"]),
        "event": {**given["event"], "nature": "Declared"},
        "position": {
            "latitude": round(position["latitude"], digits),
            "longitude": round(position["longitude"], digits),
            "accuracy_m": accuracy,
            "fix": "reported",
            "place": PLACES.get(position.get("place") or ""),
        },
        "movement": given.get("movement"),
        "craft": craft,
        "sensor": {"kind": "NonSpecified"},
        "narrative": [{"language": "en", "text": _sentence(persons)}],
        "provenance": {
            "sources": [{"name": one.informant or one.observer}] if named else [],
            "derived_from": [one.id] if honest else [],
        },
    }
    return Told(
        CENTRE, "sighting", one.boat, reference, groups, one.observed, received, _carried(one, before, craft), root=one.stands_on
    )


def _in_english(rng: Random, craft: dict[str, Any], corridor: Corridor) -> dict[str, Any]:
    """The description as it is translated: a kwassa is a small boat, colours and markings get lost, digits change places."""
    told = {**craft, "source_kind": "small craft", "markings": (craft.get("markings") or []) if chance(rng, 0.7) else []}
    if craft.get("kind") == "kwassa" and chance(rng, 0.5):
        told["kind"] = "small-boat"
    if chance(rng, 0.2):
        told["colours"] = []
    count = craft.get("persons_on_board")
    if count and count["min"] >= TWO_DIGITS and chance(rng, corridor.miscopied_share):
        swapped = int(str(int(count["min"]))[::-1])
        told["persons_on_board"] = about(max(swapped, 1), 0.1)
    return told


def _carried(one: Told, before: dict[str, Any] | None, craft: dict[str, Any] | None) -> tuple[str, ...]:
    """What was wrong stays wrong, but for colours that are no longer told; what was copied wrongly is wrong too."""
    wrong = [name for name in one.wrong if name != "colour" or (craft or {}).get("colours")]
    if before is not None and craft is not None and before.get("persons_on_board") != craft.get("persons_on_board"):
        wrong = ["count", *(name for name in wrong if name != "count")]
    return tuple(wrong)


def _sentence(persons: dict[str, Any] | None) -> str:
    many = "an unknown number of" if not persons else f"about {persons['min']:.0f}"
    return f"Small craft reported between Anjouan and Mayotte with {many} persons on board."
