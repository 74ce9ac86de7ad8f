"""
The feeds of the invented observers: whose each is, and what its reports have in common. All of them are exercises.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from boutre.connectors.feeds import Feed
from boutre.connectors.sdk import Raw, Source

RADAR: Final = "radar"
AIRCRAFT: Final = "aircraft"
FISHERMAN: Final = "fisherman"
LOOKOUT: Final = "lookout"
COAST_GUARD: Final = "coast-guard"
CENTRE: Final = "centre"


@dataclass(frozen=True)
class Options:
    """
    A simulated feed has no options: its reports are made by ``nights``.
    """


def _nothing(options: Options, after: str | None) -> Iterator[Raw]:
    """Reports of an invented observer, made by a seed."""
    del options, after
    yield from ()


SOURCE: Final = Source("simulation", Options, _nothing, "Reports of an invented observer, made by a seed.")


def _feed(
    name: str,
    member: str,
    authority: str,
    community: str,
    *,
    language: str = "fr",
    reliability: str,
    kinds: tuple[str, ...] = ("sighting",),
) -> Feed:
    return Feed(
        id=f"simulated-{name}",
        member=member,
        kinds=kinds,
        source=SOURCE,
        options=Options(),
        origin={"authority": f"{authority} (simulation)", "community": community, "language": language},
        handling={
            "tlp": "AMBER",
            "purposes": ["BorderMonitoring", "SAR"],
            "legal_basis": "Simulation",
            "retention_days": 30,
            "personal_data": False,
        },
        assessment={"reliability": reliability, "credibility": "6", "validation": "not-validated"},
        exercise=True,
    )


FEEDS: Final = MappingProxyType(
    {
        RADAR: _feed(RADAR, "france", "Radars côtiers", "DefenceMonitoring", reliability="B"),
        AIRCRAFT: _feed(AIRCRAFT, "france", "Avion de surveillance", "DefenceMonitoring", reliability="B"),
        FISHERMAN: _feed(FISHERMAN, "comoros", "Réseau des pêcheurs", "FisheriesControl", reliability="C"),
        LOOKOUT: _feed(LOOKOUT, "comoros", "Poste de garde-côtes d'Anjouan", "BorderControl", reliability="B"),
        COAST_GUARD: _feed(
            COAST_GUARD, "france", "Action de l'État en mer", "BorderControl", reliability="A", kinds=("sighting", "interception")
        ),
        # The centre is a recipient and no member. Its broadcast comes back by whoever enters it again: here its host State.
        CENTRE: _feed(CENTRE, "madagascar", "RMIFC broadcast", "MaritimeSafetySecurity", language="en", reliability="B"),
    }
)
"""Feeds by observer."""
