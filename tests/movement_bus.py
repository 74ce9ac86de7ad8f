"""
The steps of movement on the bus, run by themselves: reports as they are accepted go in, detections as records come out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Final
from zlib import crc32

import msgspec

from boutre.processors.accept import lane
from boutre.processors.decision import Decision, Emit, Inbound, Outbound, Reject
from boutre.processors.detect import REMEMBERS as BY_DETECT
from boutre.processors.detect import Detect
from boutre.processors.meet import REMEMBERS as BY_MEET
from boutre.processors.meet import Meet
from boutre.processors.movement.report import Report
from boutre.processors.movement.telling import Teller, Terms
from boutre.processors.movement.track import Watch
from boutre.processors.windows import InMemory, Window, Windows
from boutre.schemas.identity import record_id
from boutre.topics.zones import Zones
from movement_scenes import SEA, rules
from records import CODEC

FEED: Final = "observatory-ais"
OURS: Final = "observatory-movement"
OF_CONTACTS: Final = "observatory-contacts"
TERMS: Final = Terms(("Security", "Safety"), 30, "Published")
Value = dict[str, Any]


def sighting(report: Report, **groups: Any) -> Value:
    """Give a report as its member publishes it; it is named by all that it says, so that one report has one id."""
    reference = f"{report.subject} {report.at} {report.latitude} {report.longitude} {report.source} {report.claims}"
    return {
        "id": record_id(FEED, "sighting", "ais", reference),
        "exercise": False,
        "lifecycle": {"status": "initial", "revision": 0},
        "origin": {"member": FEED, "feed": "ais", "reference": reference},
        "times": {"observed": {"at": datetime.fromtimestamp(report.at, UTC), "precision": "second"}},
        "event": {"type": "ais"},
        "position": {"latitude": report.latitude, "longitude": report.longitude, "accuracy_m": report.accuracy_m},
        "movement": {"speed_kn": report.speed_kn, "course_deg": report.course_deg, "navigational_status": report.status},
        "craft": {"kind": report.craft},
        "claims": [
            {"attribute": name, "value": value, "source": "ais"}
            for name, value in (("mmsi", report.subject.removeprefix("mmsi:")), *report.claims)
        ],
        "sensor": {"kind": "AutomaticIdentificationSystem", "name": report.source},
        "handling": {"tlp": "CLEAR", "purposes": ["Safety", "Security", "Statistics"], "retention_days": 30},
        **groups,
    }


def contact(report: Report, member: str = "france", **groups: Any) -> Value:
    """Give a contact of a radar or of eyes as its member publishes it: for itself alone."""
    kind, _, name = report.subject.partition(":")
    revision = round(report.at) % 1_000_000
    value = sighting(report, **groups)
    return {
        **value,
        "id": record_id(member, "sighting", "coastal-radar", name, revision),
        "lifecycle": {"status": "update", "revision": revision},
        "origin": {"member": member, "feed": "coastal-radar", "reference": name},
        "event": {"type": "irregular-migration"},
        "claims": None,
        "sensor": {"kind": {"radar": "MaritimeRadar", "visual": "Sighting"}[kind], "name": report.source},
        "handling": {"tlp": "RED", "release_to": [member], "purposes": ["Safety", "Security"], "retention_days": 30},
        **groups,
    }


@dataclass(slots=True)
class Sea:
    """
    Some partitions of detect and of meet, what they remember, and all that they found.

    *contacts* are the members whose contacts are looked at.
    """

    contacts: tuple[str, ...] = ()
    zones: Zones = field(default_factory=lambda: SEA)
    partitions: int = 1
    found: list[Outbound] = field(default_factory=list)
    offers: list[Outbound] = field(default_factory=list)
    decisions: list[Decision] = field(default_factory=list)
    detect: Detect = field(init=False)
    meet: Meet = field(init=False)
    tracks: list[InMemory] = field(init=False)
    cells: list[InMemory] = field(init=False)

    def __post_init__(self) -> None:
        teller = Teller(CODEC, OURS, TERMS)
        kinds = ("sighting", "retraction")
        watch, own = Watch(rules(), self.zones), frozenset(self.contacts)
        self.detect = Detect(CODEC, {f"bus.{kind}": kind for kind in kinds}, frozenset({FEED}), watch, teller, own)
        tellers = {name: replace(teller, member=OF_CONTACTS, only=name) for name in self.contacts}
        self.meet = Meet(CODEC, {f"bus.meeting.{kind}": kind for kind in kinds}, rules(), teller, tellers)
        self.tracks, self.cells = (
            [InMemory(Windows(dict.fromkeys(used, Window(40, 1_000_000)))) for _ in range(self.partitions)]
            for used in (BY_DETECT, BY_MEET)
        )

    def take(self, kind: str, value: Mapping[str, Any], at: float) -> None:
        """Let detect, and then meet, have one accepted record; *at* is when it was accepted, in seconds since 1970."""
        stamp = round(at * 1000)
        record = Inbound(f"bus.{kind}", 0, 0, lane(value).encode(), CODEC.encode(kind, value), {}, stamp)
        for out in self._step(self.detect, self.tracks, record):
            if out.topic.startswith("bus.meeting."):
                self.offers.append(out)
                self.found += self._step(self.meet, self.cells, Inbound(out.topic, 0, 0, out.key, out.value, {}, stamp))
            else:
                self.found.append(out)

    def sail(self, reports: Iterable[Report], **groups: Any) -> Sea:
        """Let all *reports* be accepted, in the order in which they stand, a minute after each."""
        clock = 0.0
        for report in reports:
            clock = max(clock, report.at + 60)
            self.take("sighting", sighting(report, **groups), clock)
        return self

    def told(self, kind: str = "sighting", member: str = OURS) -> list[Value]:
        """Give the records that were told."""
        told = [CODEC.decode(out.value).value for out in self.found if out.topic.endswith(kind)]
        return [one for one in told if one["origin"]["member"] == member]

    def detections(self, member: str = OURS) -> dict[str, Value]:
        """Give each detection as it was told last, by its id; without those that were taken back."""
        gone = {one["recall"]["record"] for one in self.told("retraction", member)}
        last = {one["origin"]["reference"]: one for one in self.told(member=member)}
        return {name: one for name, one in last.items() if one["id"] not in gone}

    def remembered(self) -> dict[str, int]:
        """Give how many bytes are remembered under each key, of all partitions together."""
        kept = [one for state in (*self.tracks, *self.cells) for one in state.entries.items()]
        return {key: len(msgspec.json.encode(value)) for key, (_, value) in kept if value is not None}

    def _step(self, step: Any, states: list[InMemory], record: Inbound) -> tuple[Outbound, ...]:
        assert record.key is not None
        state = states[crc32(record.key) % self.partitions]
        state.see(record.timestamp)
        decision = step(record, state)
        self.decisions.append(decision)
        if isinstance(decision, Reject):
            return ()
        assert all(map(state.windows.allows, decision.changes))
        # As it comes back from a changelog.
        state.add(msgspec.json.decode(msgspec.json.encode(decision.changes)))
        return decision.records if isinstance(decision, Emit) else ()


def kind_of(value: Value) -> str:
    """Give the type of a detection."""
    return str(value["event"]["classes"][0]["code"])


def evidence(value: Value) -> dict[str, str]:
    """Give its evidence by name."""
    found: dict[str, str] = msgspec.json.decode(value["provenance"]["method"])
    return found
